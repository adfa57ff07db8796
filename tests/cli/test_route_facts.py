"""What `antiphon routes PATH` and the debug pages tell of a route, how each fact is known, and from which line."""

import re
import sys
from functools import cache
from html import unescape

import pytest
from click.testing import CliRunner

from antiphon.cli.debug.mode import switch_on
from antiphon.cli.debug.requests import PLACE, WithLastRequests
from antiphon.cli.main import main
from antiphon.cli.target import Target
from antiphon.handler.errors import set_debug_page
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

KINDS = """
from dataclasses import dataclass
from functools import wraps

from antiphon import App, Blueprint, Dependency, Limits, Request, Response, abort
from antiphon.features import Cache, CSRFTokens, MemoryStore, RateLimit, Sessions

Database, Tenant, Mood = Dependency[dict]("database"), Dependency[str]("tenant"), Dependency[str]("mood")
limits = Limits(body=1 << 20)
app = App(secret_keys=["k" * 32], store=MemoryStore(), limits=limits, trusted_hosts=["localhost"])
for feature in (Cache(), Sessions(), CSRFTokens(exempt=["exempt"]), RateLimit("100/minute")):
    app.use(feature)


@dataclass
class Note:
    id: int


def connect(request):
    yield {}


async def find_tenant(request):
    return request.headers["x-tenant"]  #: header


app.provide(Database, connect, blocking=True)
app.provide(Tenant, find_tenant)
app.provide(Mood, lambda request: "calm")


@app.middleware  #: timing
def timing(request):
    yield


def load(request):
    return request[Database]  #: load


def key_of(request):  #: key
    return request.headers["x-key"]


@app.get("/helped")  #: helped
def helped(request: Request) -> Note:
    if request.args.get("page"):  #: argument
        abort(404, "There is no such page.")  #: abort
    return load(request)


class View:
    def show(self, request: Request):
        return self.read(request)

    def read(self, request):
        return request[Database]  #: method


app.get("/method")(View().show)


def reading(function):
    @wraps(function)
    def read(request):
        request[Database]  #: wrapper
        return function(request)

    return read


@app.get("/decorated")
@reading
def decorated(request: Request): ...


@app.get("/plain")  #: plain
async def plain(request: Request):
    return Response("plain", headers={"cache-control": "max-age=60", "vary": request.headers.get("x-a", "")})


def any_of(request, name):  #: opaque
    return getattr(request, name)


@app.get("/unknown")  #: unknown
def unknown(request: Request):
    return any_of(request, "user")  #: returned


def check(request):  #: check
    ...


@app.post("/notes", limits=Limits(json=1000), before=[check, RateLimit("5/minute", by=key_of)])  #: create
async def create(request: Request):
    request[Database], request[Tenant]  #: both
    return request.json_as(Note), 201  #: taken


@app.post("/exempt", receive="lazy", check_digest=True)  #: exempt
def exempt(request: Request): ...


@app.post("/hook", csrf_exempt=True, receive="stream", takes=Note, gives={202: None})  #: hook
def hook(request: Request): ...


@app.get("/signed", signed_url=True)  #: signed
def signed(request: Request): ...


@app.get("/probe", unguarded=True)  #: probe
def probe(request: Request): ...


@app.get("/fail")  #: fail
def fail(request: Request) -> dict[str, int]:
    return {"n": 1 // 0}


@app.websocket("/chat")  #: chat
async def chat(request, socket): ...


@app.websocket("/lines")  #: lines
def lines(request, socket): ...


def legacy(environ, start_response): ...  #: legacy


inner, admin = App(cross_site_writes=True), Blueprint("admin", prefix="/admin", limits=Limits(body=5000))


@admin.post("/page", deadline=3)  #: page
async def page(request: Request): ...


inner.register(admin)
app.mount("/in/<city>", inner)
app.mount("/old", legacy)
"""

HOSTS = ("declared: App(trusted_hosts=...)", "refused (421) for hosts that trusted_hosts doesn't list")
SITES = "refused (403) from pages on other sites, unless trusted_origins lists them: Sec-Fetch-Site, Origin"
TOKEN = "refused (403) without a token of the session, except with a Bearer token and no cookie"
PER_ADDRESS = ("declared: app.use", "100 requests in 60 seconds by address (429)")
BLOCKING = "on a thread, as blocking: CSRF token of a form, database"
AROUND = "Cache, Sessions, RateLimit, timing ({timing})"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """A function that runs the command as users do, and returns the facts about a route: those of each subject."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "kinds", raising=False)
    (tmp_path / "kinds.py").write_text(KINDS)

    @cache  # many rows are about one route
    def facts(*arguments):
        result = CliRunner().invoke(main, ["routes", "kinds:app", *arguments], catch_exceptions=False)
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert len(lines) <= 28
        return facts_in(lines[lines.index("") + 1 :])

    return facts


def facts_in(lines):
    found, about = {}, ""
    for line in lines:
        subject, source, text = re.split(r"  +", line, maxsplit=2)
        about = subject or about
        found.setdefault(about, []).append((source, text))
    return found


def placed(text):
    """Return text in which the names in braces are the lines of KINDS with these marks."""
    lines = {found[1]: at for at, line in enumerate(KINDS.splitlines(), 1) if (found := re.search(r"#: (\w+)$", line))}
    return re.sub(r"\{(\w+)\}", lambda mark: f"kinds.py:{lines[mark[1]]}", text)


@rows(
    "arguments, about, expected",
    # Where it runs, and with what around it
    (["/helped"], "runs on", [("declared: {helped}", "a thread, over WSGI the server's own, because helped is `def`")]),
    (["/plain"], "runs on", [("declared: {plain}", "the event loop, because plain is `async def`")]),
    (
        ["/notes", "--method", "POST"],
        "runs on",
        [
            (
                "declared: {create}",
                f"the event loop, because create is `async def`; {BLOCKING}",
            )
        ],
    ),
    (["/chat"], "runs on", [("declared: {chat}", "the event loop, because chat is `async def`")]),
    (["/lines"], "runs on", [("declared: {lines}", "a thread of its own, because lines is `def`")]),
    (["/old/x"], "runs on", [("declared: {legacy}", "a thread, over WSGI the server's own")]),
    (["/notes", "--method", "POST"], "body", [("declared: {create}", "received before the handler is called")]),
    (["/exempt", "--method", "POST"], "body", [("declared: {exempt}", "received when it is first read")]),
    (["/hook", "--method", "POST"], "body", [("declared: {hook}", "not kept, but read as a stream")]),
    (["/helped"], "body", None),
    (["/helped"], "around it", [("declared", AROUND)]),
    (["/in/Rome/admin/page", "--method", "POST"], "around it", [("declared", AROUND)]),
    (["/probe"], "around it", [("declared", "no middleware")]),
    # Dependencies: who reads them, and at which line
    (["/helped"], "opens", [("read from code: {load}", "database: helped reads it")]),
    (["/helped"], "doesn't open", [("read from code: {helped}", "tenant: nothing here reads it")]),
    (["/helped"], "opens on read", [("declared", "session, mood")]),
    (["/method"], "opens", [("read from code: {method}", "database: View.show reads it")]),
    (["/decorated"], "opens", [("read from code: {wrapper}", "database: decorated reads it")]),
    (["/plain"], "opens", None),
    (["/plain"], "doesn't open", [("read from code: {plain}", "database, tenant: nothing here reads it")]),
    (
        ["/unknown"],
        "opens",
        [("unknown: {opaque}", "database, tenant: unknown may read it, since its code can't be followed to its end")],
    ),
    (
        ["/notes", "--method", "POST"],
        "opens",
        [
            ("read from code", "CSRF token of a form (if the request has one): CSRFTokens reads it"),
            ("read from code: {both}", "database, tenant: create reads it"),
        ],
    ),
    # Guards
    (["/helped"], "writes", [("declared", "GET is for reading, so pages on any site may send it")]),
    (["/notes", "--method", "POST"], "writes", [("declared: the default", SITES), ("declared: CSRFTokens", TOKEN)]),
    (
        ["/exempt", "--method", "POST"],
        "writes",
        [("declared: the default", SITES), ("declared: CSRFTokens(exempt=...)", "accepted without a token")],
    ),
    (
        ["/hook", "--method", "POST"],
        "writes",
        [("declared: {hook}", "accepted from pages on any site, without a token: csrf_exempt=True")],
    ),
    (
        ["/in/Rome/admin/page", "--method", "POST"],
        "writes",
        [
            ("declared: App(cross_site_writes=True)", "accepted from pages on any site"),
            ("declared: CSRFTokens", TOKEN),
        ],
    ),
    (["/old/x", "--method", "POST"], "writes", [("declared: the default", SITES), ("declared: CSRFTokens", TOKEN)]),
    (["/chat"], "handshakes", [("declared: the default", SITES)]),
    (["/plain"], "guards", [HOSTS]),
    (["/notes", "--method", "POST"], "guards", [HOSTS, ("declared: {check}", "check is called first, and may refuse")]),
    (
        ["/exempt", "--method", "POST"],
        "guards",
        [HOSTS, ("declared: {exempt}", "refused (400) without the Content-Digest of its body")],
    ),
    (["/signed"], "guards", [HOSTS, ("declared: {signed}", "refused (403) without a signed URL")]),
    (["/probe"], "guards", [("declared: {probe}", "none: outside all middleware and hooks, for every host")]),
    # Limits, each with its origin
    (
        ["/notes", "--method", "POST"],
        "limits",
        [
            ("declared: App(limits=...)", "body 1 MiB"),
            ("declared: {create}", "json 1000 bytes"),
            PER_ADDRESS,
            ("declared: {create}", "5 requests in 60 seconds by key_of ({key}) (429)"),
            ("declared: the defaults of Limits", "timeout 30 s"),
        ],
    ),
    (
        ["/in/Rome/admin/page", "--method", "POST"],
        "limits",
        [
            ("declared: App(limits=...)", "body 1 MiB"),
            PER_ADDRESS,
            ("declared: blueprint 'admin'", "body 5000 bytes"),
            ("declared: {page}", "a response within 3 seconds (504)"),
            ("declared: the defaults of Limits", "json 1 MiB, timeout 30 s"),
        ],
    ),
    # Caches: nothing has been served
    (["/plain"], "cached by", [("declared: app.use", "Cache, if the response allows it")]),
    (["/plain"], "cache's key", [("unknown", "no stored response of this route was seen here")]),
    (["/plain"], "Vary", [("unknown", "no response of this route was seen here")]),
    (["/notes", "--method", "POST"], "cached by", None),
    # The document
    (
        ["/helped"],
        "document",
        [
            ("read from code: {argument}", "takes query page (optional string)"),
            ("read from code: {header}", "takes header x-tenant (string)"),
            ("declared: {helped}", "gives 200 application/json Note"),
            ("read from code: {abort}", "fails with 404 There is no such page."),
            ("declared: Antiphon and its features", "fails with 400, 421, 429, 504"),
        ],
    ),
    (
        ["/hook", "--method", "POST"],
        "document",
        [
            ("declared: {hook}", "takes json as Note"),
            ("read from code: {header}", "takes header x-tenant (string)"),
            ("declared: {hook}", "gives 202 Accepted"),
            ("declared: Antiphon and its features", "fails with 400, 413, 415, 421, 422, 429"),
        ],
    ),
    (["/chat"], "document", [("declared", "doesn't describe it")]),
    (["/old/x"], "document", [("declared", "doesn't describe it")]),
)  # fmt: skip
def test_the_facts_about_a_route(program, arguments, about, expected):
    wanted = expected and [(placed(source), placed(text)) for source, text in expected]
    assert program(*arguments).get(about) == wanted


def test_what_the_document_does_not_know_is_unknown_there(program):
    *_, (source, text) = program("/unknown")["document"]
    assert source == placed("unknown: {returned}")
    assert "not known before it runs" in text


@pytest.fixture
def pages(program):
    """A client of the application in debug mode."""
    switch_on(is_for_loopback=True)
    from kinds import app

    served = WithLastRequests(app, "asgi", Target("kinds", "app"))
    yield Client(served, "asgi", base_url="http://localhost", raise_errors=False)
    set_debug_page(None)


def values_on(page):
    found = {}
    for name, value in re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", unescape(page.text), re.DOTALL):
        found.setdefault(name, []).append(value)
    return found


def test_the_page_of_a_request_shows_the_same_facts_and_what_was_observed(program, pages):
    for word in ("a", "b"):
        pages.get("/plain", headers={"x-a": f"x-{word}"})
    pages.get("/nothing")  # has no route
    [newest, _] = re.findall(f"{PLACE}/[0-9a-f]+/route", pages.get(PLACE).text)
    shown = values_on(pages.post(newest))
    told = {about: [f"{text} ({source})" for source, text in facts] for about, facts in program("/plain").items()}
    assert shown.pop("Vary") == ["x-a, x-b (observed: the last 2 responses)"]
    [key] = shown.pop("cache's key")
    assert key.startswith("scheme, host, path, query as No-Vary-Search says: ")
    assert key.endswith("(observed: the last 2 responses)")
    assert shown.pop("Cache-Control") == ["max-age=60 (observed: the last 2 responses)"]
    assert shown.pop("Cache-Status")
    assert shown == {about: texts for about, texts in told.items() if about not in ("Vary", "cache's key")}


def test_the_page_of_an_error_shows_the_facts_of_its_route(program, pages):
    shown = values_on(pages.get("/fail", headers={"accept": "text/html"}))
    for about, facts in program("/fail").items():
        if about != "document":  # which is too slow to be made with each error
            assert shown[about] == [f"{text} ({source})" for source, text in facts]
