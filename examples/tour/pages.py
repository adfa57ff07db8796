"""The tour's HTML. Whatever came from outside is escaped."""

from html import escape

from antiphon import Request

LAYOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  :root {{ color-scheme: light dark; background: light-dark(#fff, #1b1b1b); color: light-dark(#222, #e6e6e6) }}
  body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem }}
  table {{ border-collapse: collapse }}
  th {{ text-align: left; vertical-align: top; padding-right: 1.5rem; white-space: nowrap }}
  td, dt, dd, output {{ overflow-wrap: anywhere }} dt {{ font-weight: bold }}
  pre {{ background: light-dark(#f2f2f2, #2a2a2a); border-radius: .4rem; padding: .6rem }}
  pre {{ white-space: pre-wrap; overflow-wrap: anywhere }}
  section {{ margin-top: 2.2rem }} input, button {{ font: inherit; max-width: 100%; box-sizing: border-box }}
</style>
<main>
{body}
</main>
</html>
"""

INDEX = """<h1>{greeting}</h1>
<p>This is your visit number {visits}. What the request knows about you:</p>
<table>{facts}</table>

<section><h2>A form</h2>
<form method="post" action="greet">
  <label>Your name <input name="name" autocomplete="name"></label>
  <label><input type="checkbox" name="likes" value="tea"> tea</label>
  <label><input type="checkbox" name="likes" value="coffee"> coffee</label>
  <button>Greet me</button>
</form></section>

<section><h2>Files</h2>
<p><a href="upload">Send files</a> of up to a gigabyte, and watch how far they have come.</p></section>

<section><h2>JSON, in and out</h2>
<p>A body that does not fit is answered with every wrong field named.</p>
<pre>curl {root}api/orders --json '{{"items": [{{"name": "tea", "price": 3.5, "count": 2}}]}}'</pre>
<pre>curl {root}api/orders --json '{{"items": [{{"name": 1, "price": "dear"}}]}}'</pre></section>

<section><h2>More</h2>
<ul>{mounts}
  <li><a href="clock">A stream that never ends</a>: the time, every second
  <li><a href="slow/async">A slow async handler</a> and <a href="slow/sync">a slow sync one</a>; neither holds up others
  <li><a href="hello/Ada%20Lovelace">A path with a parameter</a>, answered as plain text
  <li><a href="items/7">Something that isn't there</a> and <a href="error">something that fails</a>
</ul></section>"""

GREETING = """<h1>Hello, {name}!</h1>
<p>{likes}</p>
<p><a href=".">Back</a></p>"""

UPLOAD_FORM = """<h1>Send files</h1>
<form method="post" action="upload" enctype="multipart/form-data">
  <label>Files <input type="file" name="file" multiple required></label>
  <button>Send</button>
</form>
<p><progress value="0" aria-label="Received" hidden></progress> <output></output></p>
<div id="answer"></div>
<script>
  const form = document.querySelector("form")
  const bar = document.querySelector("progress")
  const output = document.querySelector("output")

  function watch(id) {
    const events = new EventSource("progress/" + id)
    events.onmessage = ({data}) => {
      const {received, total, fraction, complete, ended} = JSON.parse(data)
      bar.value = fraction
      const of = total === null ? "" : ` of ${total.toLocaleString()}`
      output.textContent = `${received.toLocaleString()}${of} bytes have reached the server`
      if (complete || ended) events.close()
    }
    return events
  }

  form.addEventListener("submit", async event => {
    if (!crypto.randomUUID) return  // not over https: the form is sent as it is
    event.preventDefault()
    const id = crypto.randomUUID()
    const events = watch(id)  // until all has arrived, which it may tell a little after the answer
    bar.hidden = false
    try {
      const headers = {"X-Progress-Id": id}
      const answer = await fetch(form.action, {method: "POST", body: new FormData(form), headers})
      const page = new DOMParser().parseFromString(await answer.text(), "text/html")
      document.querySelector("#answer").replaceChildren(...page.querySelector("main").childNodes)
    } catch (error) {
      output.textContent = `The connection broke: ${error}`
      events.close()
    }
  })
</script>"""

UPLOADED = """<h2>{count}</h2>
<dl>{files}</dl>
<p><a href="upload">Send others</a></p>"""


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
    facts = "".join(f"<tr><th>{escape(name)}<td>{escape(value)}" for name, value in known.items())
    prefixes = [mount.prefix.strip("/") for mount in request.app.mounts] if request.app else []
    mounts = "".join(f'\n  <li><a href="{each}/">A {each}</a>, an application of its own' for each in prefixes)
    body = INDEX.format(
        greeting=escape(greeting), visits=visits, facts=facts, mounts=mounts, root=escape(request.url.root)
    )
    return LAYOUT.format(title="A tour of Antiphon", body=body)


def greeting(name: str, likes: list[str]) -> str:
    sentence = f"You like {' and '.join(likes)}." if likes else "You did not say what you like."
    return LAYOUT.format(title="Hello", body=GREETING.format(name=escape(name), likes=escape(sentence)))


def upload_form() -> str:
    return LAYOUT.format(title="Send files", body=UPLOAD_FORM)


def uploaded(files: list[tuple[str, int, str]]) -> str:
    told = "".join(f"<dt>{escape(name)}<dd>{size:,} bytes<dd>SHA-256 {digest}" for name, size, digest in files)
    count = "One file has arrived" if len(files) == 1 else f"{len(files) or 'No'} files have arrived"
    return LAYOUT.format(title="Files", body=UPLOADED.format(count=count, files=told))
