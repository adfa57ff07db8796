"""The tour's HTML. All values from outside are escaped."""

from html import escape

from antiphon import Request

LAYOUT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<link rel="stylesheet" href="{root}static/tour.css">
<link rel="icon" href="{root}static/icon.svg">
</head>
<body>
<header>
  <a class="brand" href="{root}">A tour of Antiphon</a>
  <nav aria-label="Site">
    {mounts}<a href="{root}upload">Uploads</a><a href="{root}docs/README.md">Documentation</a>
  </nav>
</header>
<main>
{body}
</main>
<footer>The code of this page is in <code>examples/tour</code>.</footer>
</body>
</html>
"""

INDEX = """<h1>{greeting}</h1>
<p class="lead">This is your visit number {visits}. Everything below is answered by one small app, over any server.</p>

<div class="cards">
<section class="card wide"><h2>What the request knows about you</h2>
<table>{facts}</table>
<p class="more"><a href="docs/reference/request.md">Requests</a></p></section>

<section class="card"><h2>A form</h2>
<form method="post" action="greet">
  <p><label for="name">Your name</label> <input id="name" name="name" autocomplete="name"></p>
  <p><label class="choice"><input type="checkbox" name="likes" value="tea"> I like tea</label>
  <label class="choice"><input type="checkbox" name="likes" value="coffee"> I like coffee</label></p>
  <button>Greet me</button>
</form>
<p class="more"><a href="docs/how-to/forms.md">Forms</a></p></section>

<section class="card"><h2>Files</h2>
<p><a href="upload">Send files</a> of up to a gigabyte, and watch how far they have come.</p>
<p class="more"><a href="docs/how-to/uploads.md">Uploads</a></p>
<h2>Streams</h2>
<p><a href="clock">A stream that never ends</a> tells the time, every second.</p>
<p class="more"><a href="docs/how-to/streams.md">Streams</a></p></section>

<section class="card wide"><h2>JSON, in and out</h2>
<p>A body that does not fit is answered with every invalid field named.</p>
<pre>curl {root}api/orders --json '{{"items": [{{"name": "tea", "price": 3.5, "count": 2}}]}}'</pre>
<pre>curl {root}api/orders --json '{{"items": [{{"name": 1, "price": "dear"}}]}}'</pre>
<p class="more"><a href="docs/reference/typed-values.md">Typed values</a></p></section>

<section class="card"><h2>Handlers</h2>
<ul>
  <li><a href="hello/Ada%20Lovelace">A path with a parameter</a>, answered as plain text
  <li><a href="slow/async">A slow async handler</a> and <a href="slow/sync">a slow sync one</a>; neither holds up
    others{apps}
</ul>
<p class="more"><a href="docs/reference/handlers.md">Handlers</a></p></section>

<section class="card"><h2>Errors</h2>
<ul>
  <li><a href="items/7">Something that isn't there</a>
  <li><a href="error">Something that fails</a>
</ul>
<p>Browsers get a page, programs get problem details.</p>
<p class="more"><a href="docs/how-to/errors.md">Errors</a></p></section>
</div>"""

GREETING = """<h1>Hello, {name}!</h1>
<p class="lead">{likes}</p>
<p><a href=".">Back</a></p>"""

UPLOAD_FORM = """<h1>Send files</h1>
<div class="card narrow">
<form method="post" action="upload" enctype="multipart/form-data">
  <p><label for="file">Files</label> <input id="file" type="file" name="file" multiple required></p>
  <button>Send</button>
</form>
<p><progress value="0" aria-label="Received" hidden></progress> <output></output></p>
<div id="answer"></div>
<p class="more"><a href="docs/how-to/uploads.md">Uploads</a></p>
</div>
<script>
  const form = document.querySelector("form")
  const bar = document.querySelector("progress")
  const output = document.querySelector("output")

  form.addEventListener("submit", event => {
    event.preventDefault()
    const request = new XMLHttpRequest()
    request.upload.onprogress = ({loaded, total}) => {
      bar.value = loaded / total
      output.textContent = `${loaded.toLocaleString()} of ${total.toLocaleString()} bytes are sent`
    }
    request.onload = () => {
      const page = new DOMParser().parseFromString(request.responseText, "text/html")
      document.querySelector("#answer").replaceChildren(...page.querySelector("main").childNodes)
    }
    request.onerror = () => output.textContent = "The connection broke."
    bar.hidden = false
    request.open("POST", form.action)
    request.send(new FormData(form))
  })
</script>"""

UPLOADED = """<h2>{count}</h2>
<dl>{files}</dl>
<p><a href="upload">Send others</a></p>"""

PROBLEM = """<p class="status">{status}</p>
<h1>{title}</h1>
<p class="lead">{detail}</p>"""


def index(request: Request, greeting: str, visits: int) -> str:
    known = {
        "Method": request.method,
        "URL": request.url,
        "HTTP version": request.http_version,
        "Your address": request.ip or "a unix socket",
        "Your browser": request.user_agent or "it did not say",
        "Languages": ", ".join(map(str, request.accept_languages)) or "any",
        "Encodings": ", ".join(map(str, request.accept_encodings)) or "any",
        "Came from": request.referrer or "nowhere",
        "Cookies": ", ".join(request.cookies) or "none",
        "Request": request.id,
    }
    facts = "".join(f'<tr><th scope="row">{escape(name)}<td>{escape(value)}' for name, value in known.items())
    apps = "".join(
        f'\n  <li><a href="{each}/">A {each}</a>, an application of its own, mounted in this one'
        for each in prefixes(request)
    )
    body = INDEX.format(greeting=escape(greeting), visits=visits, facts=facts, apps=apps, root=escape(request.url.root))
    return page(request, "A tour of Antiphon", body)


def prefixes(request: Request) -> list[str]:
    return [mount.prefix.strip("/") for mount in request.app.mounts] if request.app else []


def page(request: Request, title: str, body: str) -> str:
    root = escape(request.url_for("index"))
    mounts = "".join(f'<a href="{root}{each}/">{each.capitalize()}</a>' for each in prefixes(request))
    return LAYOUT.format(title=title, body=body, root=root, mounts=mounts)


def greeting(request: Request, name: str, likes: list[str]) -> str:
    sentence = f"You like {' and '.join(likes)}." if likes else "You did not say what you like."
    return page(request, "Hello", GREETING.format(name=escape(name), likes=escape(sentence)))


def upload_form(request: Request) -> str:
    return page(request, "Send files", UPLOAD_FORM)


def uploaded(request: Request, files: list[tuple[str, int, str]]) -> str:
    told = "".join(f"<dt>{escape(name)}<dd>{size:,} bytes<dd>SHA-256 {digest}" for name, size, digest in files)
    count = "One file has arrived" if len(files) == 1 else f"{len(files) or 'No'} files have arrived"
    return page(request, "Files", UPLOADED.format(count=count, files=told))


def problem(request: Request, status: int, title: str, detail: str) -> str:
    body = PROBLEM.format(status=status, title=escape(title), detail=escape(detail))
    return page(request, escape(title), body)
