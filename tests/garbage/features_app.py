"""An application with every feature, each of which answers something."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from jinja2 import DictLoader
from msgspec import Meta
from opentelemetry.sdk.trace import TracerProvider

from antiphon import App, Response
from antiphon.features import (
    CORS,
    AccessLog,
    Basic,
    Bearer,
    Block,
    BlockScript,
    Cache,
    Compression,
    CSRFTokens,
    FileRoutes,
    Flash,
    Form,
    GeoIP,
    Health,
    HtmxRequest,
    IdempotentWrites,
    Languages,
    MemoryStore,
    Metrics,
    OpenAPI,
    OpenTelemetry,
    Page,
    RateLimit,
    Recorder,
    Runs,
    SecurityHeaders,
    SessionLogin,
    Sessions,
    SQLiteStore,
    StoreUnavailable,
    Templates,
    Tools,
    UploadProgress,
    Users,
    csp_nonce,
    csrf_input,
    lazy_gettext,
    login,
    login_required,
    logout,
    patch_signals,
)
from tests.garbage.exchanges import BROWSER, Exchange, get, post

TEMPLATES = {
    "base.html": "<html lang={{ lang }}>{% block body %}{% endblock %}{{ block_script(nonce='abc') }}</html>",
    "page.html": "{% extends 'base.html' %}{% block body %}{{ name }} {{ url_for('text') }} {{ csrf_input() }}"
    "{% for message in get_flashed_messages() %}{{ message }}{% endfor %}{% trans %}welcome{% endtrans %}"
    "{{ __('welcome') }} {{ csp_nonce }} {{ path }} {% block row %}{{ request.path }}{% endblock %}{% endblock %}",
    "form.html": "{{ form }}",
    "broken.html": "{{ 1 // 0 }}",
}
ID = "0b7d2a4e-9f1c-4c63-8a55-d1e2f3a4b5c6"


@dataclass
class Person:
    name: Annotated[str, Meta(min_length=2)]
    age: int


@dataclass
class User:
    id: int


class AwayStore(MemoryStore):
    def load(self, key):
        raise StoreUnavailable("The store is away.")


USERS = {"1": User(1)}


def add_to_session(request):
    request.session["a"] = 1
    return "begun"


def show_form(request):
    return Page("form.html", form=Form(Person, request))


def take_form(request):
    form = Form(Person, request)
    if form.validate():
        return str(form.data)
    return form, form.status


def flash(request):
    request.flash("It is saved.")
    return Page("page.html", name="flash")


def log_in(request):
    login(request, USERS["1"])
    return "logged in"


def log_out(request):
    logout(request)
    return "logged out"


def remember(request):
    request.language.tag = "de"
    request.language.remember()
    return request.language.gettext("welcome")


async def values():
    yield "a"


def echo(request, socket):
    for message in socket:
        socket.send(message)


async def aecho(request, socket):
    async for message in socket:
        await socket.send(message)


HANDLERS = {
    "text": lambda request: "text",
    "page": lambda request: Page("page.html", name="x"),
    "streamed page": lambda request: csrf_input(request) and Page("page.html", name="x", _stream=True),
    "page or json": lambda request: Page("page.html", name="x", _json=True),
    "page with blocks": lambda request: Page("page.html", name="x", _block="row"),
    "block": lambda request: Block("page.html", "row", name="x"),
    "response of a template": lambda request: Response.template("page.html", name="x"),
    "rendered": lambda request: request.templates.render("page.html", name="x"),
    "broken page": lambda request: Page("broken.html"),
    "session": add_to_session,
    "read session": lambda request: str(request.session.get("a")),
    "token": lambda request: str(csrf_input(request)),
    "flash": flash,
    "form": show_form,
    "user": lambda request: str(request.user),
    "log in": log_in,
    "log out": log_out,
    "language": remember,
    "lazy text": lambda request: str(lazy_gettext("welcome")),
    "location": lambda request: str(request.geo),
    "nonce": csp_nonce,
    "large": lambda request: "text " * 1000,
    "large stream": lambda request: ("text " * 1000 for _ in range(3)),
    "htmx": lambda request: str(HtmxRequest(request).is_htmx),
    "datastar": lambda request: Response.events(iter([patch_signals({"a": 1})])),
    "failure": lambda request: request.session["a"] and 1 / 0,
}  # fmt: skip


def make(style):
    """Return the application. All that runs for a request is painted by ``style``."""
    folder = Path(tempfile.mkdtemp())
    (folder / "locales").mkdir()
    (folder / "locales" / "de.json").write_text('{"welcome": "Willkommen"}')
    (folder / "pages").mkdir()
    (folder / "pages" / "about.py").write_text("def render(request):\n    return 'about'\n")
    (folder / "static").mkdir()
    (folder / "static" / "a.css").write_text("a {}" * 500)
    (folder / "geo.csv").write_text("127.0.0.0,127.255.255.255,Here,AT,1,2\n")
    app = App(secret_keys=["x" * 32])
    app.use(AccessLog())
    app.use(OpenTelemetry(tracer_provider=TracerProvider()))
    app.use(Metrics())
    app.use(Cache())
    app.use(Health(checks=[lambda: True]))
    app.use(SecurityHeaders())
    app.use(CORS(["https://shop.example.com"]))
    app.use(Compression(min_size=100))
    app.use(RateLimit("1000000/second"))
    app.use(Sessions(SQLiteStore(folder / "sessions.db")))
    app.use(Users(SessionLogin(USERS.get), Bearer(USERS.get), Basic(lambda name, _: USERS.get(name))))
    app.use(CSRFTokens(exempt=["write", "upload", "take_form", "tool"]))
    app.use(Flash())
    app.use(Languages(str(folder / "locales"), default="en"))
    app.use(GeoIP(str(folder / "geo.csv")))
    app.use(BlockScript())
    app.use(Templates(DictLoader(TEMPLATES), enable_async=style.is_async))
    app.use(FileRoutes(str(folder / "pages")))
    app.use(UploadProgress(interval=0.01, timeout=0.05))
    app.use(IdempotentWrites(MemoryStore()))
    app.use(Recorder(slower=1e-9, store=MemoryStore()))
    app.use(api := OpenAPI("Shop"))
    app.use(Tools(api))
    app.use(runs := Runs(MemoryStore()))
    app.template_context(csp_nonce=csp_nonce, path=lambda request: request.path)
    app.static("/static", folder / "static")
    for name, handler in HANDLERS.items():
        app.get(f"/{slug(name)}", name=slug(name))(style(_named(handler, name)))
    app.get("/private", before=login_required)(style(lambda request: "private"))
    app.post("/write", name="write", idempotent=True)(style(lambda request: {"a": len(request.body)}))
    app.post("/upload", name="upload")(style(lambda request: str(request.files["file"].size)))
    app.post("/form", name="take_form")(style(take_form))
    app.post("/guarded", name="guarded")(style(lambda request: "written"))
    for name, options in {"tool": {}, "private_tool": {"before": login_required}}.items():
        app.put(f"/{name}", name=name, tool=True, **options)(style(lambda request: "called"))

    @app.get("/run")
    async def run(request):
        return Response.events((await runs.astart(values(), owner="ann")).follow())

    app.websocket("/socket")(aecho if style.is_async else echo)
    app.get("/limited", before=RateLimit("1/day"))(style(lambda request: "once"))
    return app


def _named(handler, name):
    def named(request):
        return handler(request)

    named.__name__ = slug(name).replace("-", "_")
    return named


def slug(name):
    """Return a name as a segment of a path."""
    return name.replace(" ", "-")


META = {"protocolVersion": "2026-07-28", "clientCapabilities": {}}
CALL = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"arguments": {}, "_meta": {f"io.modelcontextprotocol/{name}": value for name, value in META.items()}},
}
CALL_FIELDS = {
    "accept": "application/json, text/event-stream",
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": "tools/call",
}
KEY = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
STATUSES = {"broken page": 500, "failure": 500}


def _exchanges():
    for name in HANDLERS:
        yield name, get(f"/{slug(name)}", STATUSES.get(name, 200))
        yield f"{name} for a browser", get(f"/{slug(name)}", STATUSES.get(name, 200), headers=BROWSER)
    yield "with a cookie of nobody", get("/read-session", headers={"cookie": "host-session=abcdef"})
    yield "with a token", get("/user", headers={"authorization": "Bearer 1"})
    yield "with a password", get("/user", headers={"authorization": "Basic MTox"})
    yield "a stream of a user", get("/large-stream", headers={"authorization": "Bearer 1"})
    yield "a run", get("/run")
    for name, status in {"tool": 200, "private_tool": 401}.items():
        call = {**CALL, "params": {**CALL["params"], "name": name}}
        yield f"a call of {name}", post("/mcp", status, json=call, headers={**CALL_FIELDS, "mcp-name": name})
    yield "of a bad user", get("/private", 401, headers={"authorization": "Bearer 2"})
    yield "of no user", get("/private", 401)
    yield "of a user", get("/private", headers={"authorization": "Bearer 1"})
    yield "block that htmx asks for", get("/page-with-blocks", headers={"hx-request": "true", "hx-target": "row"})
    yield "json of a page", get("/page-or-json", headers={"accept": "application/json"})
    yield "an unchanged page", get("/block", headers={"if-none-match": '"abc"'})
    yield (
        "preflight",
        Exchange(
            204,
            "OPTIONS",
            "/text",
            {"headers": {"origin": "https://shop.example.com", "access-control-request-method": "PUT"}},
        ),
    )
    yield "of another origin", get("/text", headers={"origin": "https://shop.example.com"})
    yield "without a CSRF token", post("/guarded", 403, form={"a": 1})
    yield "idempotent", post("/write", json={"a": 1}, headers=KEY)
    yield "idempotent without a key", post("/write", 400, json={"a": 1})
    yield "idempotent with another body", post("/write", (200, 422), json={"a": 2}, headers=KEY)
    yield "a form", post("/form", form={"name": "Ada", "age": 3})
    yield "a bad form", post("/form", 422, form={"name": "A", "age": "x"})
    yield "an upload", post(f"/upload?upload_id={ID}", files={"file": ("a.bin", bytes(700 << 10))})
    yield "an upload by its header", post("/upload", files={"file": ("a.bin", b"abc")}, headers={"x-upload-id": ID})
    yield "no progress", get(f"/progress/{ID}", 404)
    yield "its events", get(f"/progress/{ID}", headers={"accept": "text/event-stream"})
    yield "a page of a file", get("/about")
    yield "a static file", get("/static/a.css")
    yield "a static file, compressed", get("/static/a.css", headers=BROWSER)
    yield "no static file", get("/static/b.css", 404)
    yield "alive", get("/healthz")
    yield "ready", get("/readyz")
    yield "a traced request", get("/text", headers={"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"})


EXCHANGES = dict(_exchanges())
