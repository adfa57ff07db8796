"""The tour's HTML. Whatever came from outside is escaped."""

from html import escape

from antiphon import Request

LAYOUT = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
  body {{ font: 1.05rem/1.6 system-ui, sans-serif; max-width: 46rem; margin: 3rem auto; padding: 0 1rem; color: #222 }}
  table {{ border-collapse: collapse }} th {{ text-align: left; vertical-align: top }}
  th {{ padding-right: 1.5rem; white-space: nowrap }}
  td {{ overflow-wrap: anywhere }} pre {{ background: #f4f4f4; padding: .6rem; overflow-x: auto }}
  section {{ margin-top: 2.2rem }} input, button {{ font: inherit }}
</style>
{body}
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

<section><h2>JSON, in and out</h2>
<p>A body that does not fit is answered with every wrong field named.</p>
<pre>curl {root}api/orders --json '{{"items": [{{"name": "tea", "price": 3.5, "count": 2}}]}}'
curl {root}api/orders --json '{{"items": [{{"name": 1, "price": "dear"}}]}}'</pre></section>

<section><h2>More</h2>
<ul>
  <li><a href="clock">A stream that never ends</a>: the time, every second
  <li><a href="slow/async">A slow async handler</a> and <a href="slow/sync">a slow sync one</a>; neither holds up others
  <li><a href="hello/Ada%20Lovelace">A path with a parameter</a>, answered as plain text
  <li><a href="items/7">Something that isn't there</a> and <a href="error">something that fails</a>
</ul></section>"""

GREETING = """<h1>Hello, {name}!</h1>
<p>{likes}</p>
<p><a href=".">Back</a></p>"""


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
    body = INDEX.format(greeting=escape(greeting), visits=visits, facts=facts, root=escape(request.url.root))
    return LAYOUT.format(title="A tour of Antiphon", body=body)


def greeting(name: str, likes: list[str]) -> str:
    sentence = f"You like {' and '.join(likes)}." if likes else "You did not say what you like."
    return LAYOUT.format(title="Hello", body=GREETING.format(name=escape(name), likes=escape(sentence)))
