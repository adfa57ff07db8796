"""An application whose pages fill their blocks by the script, under a strict content security policy."""

from threading import Event

from jinja2 import DictLoader

from antiphon import App, Request, Response
from antiphon.features import BlockScript, ContentSecurityPolicy, Page, SecurityHeaders, Templates
from antiphon.http import Conflict

app = App()
app.use(BlockScript())
app.use(SecurityHeaders(content_security_policy=ContentSecurityPolicy(default_src="'self'")))
app.use(Templates(DictLoader({
    "base.html": """<!doctype html><html lang=en><title>{% block title %}Notes{% endblock %}</title>{{ block_script() }}
<input id=elsewhere><details id=more><summary>More</summary>More of it</details>
<p data-block=count>{% block count %}{{ notes | length }} notes{% endblock %}</p>
<main id=main>{% block main %}{% endblock %}</main>""",
    "notes.html": """{% extends 'base.html' %}{% block main %}
{% if error %}<p class=error>{{ error }}</p>{% endif %}
<details id=inside><summary>Help</summary>Some help</details>
<form method=post data-block=main id=add>
<input type=hidden name=turn value="{{ notes | length }}">
<input name=text autocomplete=off value="{{ text }}"><button>Add</button></form>
<form method=post action=/broken data-block=main id=break><input name=kept><button>Break</button></form>
<form method=post action=/slow data-block=main id=slow><input name=later><button>Wait</button></form>
<form method=post action=/upload data-block=main id=upload enctype=multipart/form-data>
<input type=file name=file><progress></progress><button>Send</button></form>
<a href="/pages/1" data-block=main id=first>First</a> <a href="/moved" data-block=main id=moved>Moved</a>
<a href="/plain" data-block=main id=plain>Plain</a>
<a href="/pages/1" data-block=main data-target="#aside" id=aimed>Aside</a><div id=aside>Empty</div>
<textarea id=draft></textarea><ul>{% for note in notes %}<li>{{ note }}{% endfor %}</ul>
{% for row in range(100) %}<p>Row {{ row }}</p>{% endfor %}{% endblock %}""",
    "page.html": """{% extends 'base.html' %}{% block title %}Page {{ number }}{% endblock %}{% block main %}
<h1>Page {{ number }}</h1><a href="/pages/{{ number + 1 }}" data-block=main id=next>Next</a>{% endblock %}""",
    "nonce.html": """<!doctype html><title>Nonce</title>{{ block_script(nonce="dGVh") }}
<main data-block=main>{% block main %}{{ count }}
<a href="/nonce?count={{ count + 1 }}" data-block>More</a>{% endblock %}</main>""",
    "leaving.html": """<!doctype html><title>Leaving</title>{{ block_script() }}<main data-block=main>
<a href="/abroad" data-block=main data-history=none>Abroad</a></main>""",
    "plain.html": "<!doctype html><title>Plain</title><h1>Another layout</h1>",
})))  # fmt: skip

notes = ["Milk"]
slow_requests: list[str] = []
is_let_go = Event()


@app.route("/", methods=["GET", "POST"])
def index(request: Request):
    text = request.form["text"] if request.method == "POST" else ""
    error = text and len(text) < 2 and "Too short."
    if text and not error:
        notes.append(text)
        text = ""
    data = {"notes": notes, "text": text, "error": error}
    return Page("notes.html", 422 if error else 200, _block=["main", "count"], _also=["count"], **data)


@app.get("/pages/<int:number>")
def page(request: Request, number: int):
    return Page("page.html", _block="main", number=number, notes=notes)


@app.get("/moved")
def moved(request: Request):
    return Response.redirect("/pages/7")


@app.get("/leaving")
def leaving(request: Request):
    headers = {"content-security-policy": "default-src 'self'; connect-src *"}
    return Page("leaving.html", _headers=headers)


@app.get("/abroad")
def abroad(request: Request):
    return Response.redirect(f"http://localhost:{request.url.port}/foreign", external=True)


@app.route("/foreign", methods=["GET", "OPTIONS"])
def foreign(request: Request):
    allowed = {f"access-control-{what}-headers": "x-block" for what in ("allow", "expose")}
    return Response.html("<h1>Foreign</h1>", headers={"access-control-allow-origin": "*", **allowed})


@app.get("/plain")
def plain(request: Request):
    return Page("plain.html")


@app.get("/nonce")
def nonce(request: Request):
    policy = "default-src 'none'; img-src 'self'; script-src 'nonce-dGVh'; connect-src 'self'"
    count = int(request.args.get("count", 0))
    return Page("nonce.html", _headers={"content-security-policy": policy}, _block="main", count=count)


@app.post("/broken")
def broken(request: Request):
    raise Conflict("The shelf is full.")


@app.post("/slow")
def slow(request: Request):
    slow_requests.append(request.path)
    is_let_go.wait(30)
    notes.append(f"{len(slow_requests)} slow")
    return index_page()


@app.post("/let-go")
def let_go(request: Request):
    is_let_go.set()
    return "ok"


@app.post("/upload")
def upload(request: Request):
    notes.append(f"{request.files['file'].size} bytes")
    return index_page()


def index_page():
    return Page("notes.html", _block="main", notes=notes, text="", error=None)
