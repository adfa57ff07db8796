"""What a client sees of Microdot's document: over each interface, as on Microdot itself."""

import re
from importlib import import_module
from types import SimpleNamespace

import pytest

from tests.dialects.exchanges import FORM, JSON, MULTIPART, ORIGINAL, PARTS, Exchange, check, each, serving

pytestmark = pytest.mark.once

DIALECT, MICRODOT = "antiphon.dialects.microdot", "microdot"
PLAIN = {"content-type": "text/plain; charset=UTF-8"}


def library(name):
    """The names of a package that programs use."""
    package = import_module(name)
    return SimpleNamespace(
        Microdot=import_module(f"{name}.asgi").Microdot,
        Request=package.Request,
        Response=package.Response,
        with_form_data=import_module(f"{name}.multipart").with_form_data,
        name=name,
    )


def program(m):
    app = m.Microdot()

    @app.before_request
    async def before(request):
        request.g.seen = ["before"]
        if request.args.get("stop"):
            return "stopped", 401
        return None

    @app.after_request
    def after(request, response):
        request.g.seen.append("after")
        response.headers["X-Seen"] = " ".join(request.g.seen)
        return response

    @app.errorhandler(ZeroDivisionError)
    def failed(request, error):
        return f"{type(error).__name__} {request.g.seen}", 500

    for exchange in EXCHANGES:
        if exchange.view is not None:
            app.route(exchange.path, methods=exchange.view_methods)(answering(m, exchange.view))

    @app.get("/async")
    async def waiting(request):
        return request.method

    @app.post("/upload")
    @m.with_form_data
    async def upload(request):
        return repr((request.form["text"], request.files["file"].filename, await request.files["file"].read()))

    @app.post("/stream")
    async def stream(request):
        return repr((request.body, await request.stream.read(3), len(await request.stream.read(-1))))

    return app


def answering(m, view):
    def answer(request, **values):
        made = view(m, request, **values)
        return made if isinstance(made, str | dict | m.Response) or is_status(made) else repr(made)

    return answer


def is_status(made):
    return isinstance(made, tuple) and len(made) == 2 and isinstance(made[1], int) and made[1] > 100


def with_cookie(m, r, **options):
    response = m.Response("set")
    response.set_cookie("name", "value", **options)
    return response


def marked(m, r):
    @r.after_request
    def mark(request, response):
        request.g.seen.append("own")
        response.headers["X-Own"] = " ".join(request.g.seen)
        response.set_cookie("gone", "")
        return response

    return "marked"


def failing(m, r):
    return str(1 / 0)


EXCHANGES = [
    Exchange(
        "microdot-001 microdot-021 microdot-045", "GET /request",
        lambda m, r: (isinstance(r, m.Request), isinstance(r.app, m.Microdot)), "(True, True)", fields=PLAIN,
    ),
    Exchange("microdot-002", "GET /async", None, "GET"),
    Exchange("microdot-003 microdot-006", "POST /both", lambda m, r: r.method, "POST", methods=["GET", "POST"]),
    Exchange(
        "microdot-004 microdot-007 microdot-034", "GET /path%20a?b=c", lambda m, r: r.path, "/path a", rule="/path a",
    ),
    Exchange("microdot-005", "POST /post", lambda m, r: "posted", "posted"),
    Exchange("microdot-005", "GET /post", None, re.compile(""), 405),
    Exchange(
        "microdot-008 microdot-009", "GET /args?a=1&a=2&b=%C3%BC",
        lambda m, r: (r.args["a"], r.args.getlist("a"), r.args.get("b"), r.args.get("c")),
        "('1', ['1', '2'], 'ü', None)",
    ),
    Exchange(
        "microdot-010 microdot-011 microdot-012 microdot-013", "GET /headers",
        lambda m, r: (r.headers["x-own"], r.headers.get("X-None"), r.cookies, r.content_type, r.content_length),
        "('1', None, {'a': '1', 'b': '2'}, None, 0)", sent={"X-Own": "1", "Cookie": "a=1; b=2"},
    ),
    Exchange(
        "microdot-012 microdot-013 microdot-014 microdot-024", "POST /json",
        lambda m, r: (r.json, r.content_type, r.content_length, r.body),
        """({'a': [1]}, 'application/json', 9, b'{"a":[1]}')""", sent=JSON, body=b'{"a":[1]}',
    ),
    Exchange(
        "microdot-015", "POST /no-json", lambda m, r: (r.json,), "(None,)", sent={"Content-Type": "text/plain"},
        body=b"{}",
    ),
    Exchange(
        "microdot-016 microdot-017", "POST /form", lambda m, r: (r.form["a"], r.form.getlist("a"), r.form.get("b")),
        "('x y', ['x y', '2'], None)", sent=FORM, body=b"a=x+y&a=2",
    ),
    Exchange("microdot-016", "POST /no-form", lambda m, r: (r.form,), "(None,)", sent=JSON, body=b"{}"),
    Exchange(
        "microdot-018 microdot-019", "POST /upload", None, re.compile(r"'hello', '.*a b.txt', b'content'"),
        sent=MULTIPART, body=PARTS,
    ),
    Exchange("microdot-047", "POST /multipart", lambda m, r: (r.form,), "(None,)", sent=MULTIPART, body=PARTS),
    Exchange("microdot-020", "GET /address", lambda m, r: r.client_addr[0], "127.0.0.1"),
    Exchange(
        "microdot-022 microdot-023 microdot-036 microdot-038", "GET /shared", lambda m, r: r.g.seen, "['before']",
        fields={"x-seen": "before after"},
    ),
    Exchange("microdot-037 microdot-035", "GET /stopped?stop=1", lambda m, r: "not called", "stopped", 401),
    Exchange("microdot-023 microdot-039", "GET /failing", failing, "ZeroDivisionError ['before']", 500),
    Exchange(
        "microdot-040 microdot-041 microdot-042 microdot-043", "GET /marked", marked, "marked",
        fields={"x-own": "before after own", "set-cookie": "gone="},
    ),
    Exchange(
        "microdot-025 microdot-026 microdot-029 microdot-030", "POST /stream", None, "(b'', b'xxx', 997)",
        body=b"x" * 1000,
    ),
    Exchange(
        "microdot-027 microdot-028 microdot-032", "POST /too-large", lambda m, r: "not called", re.compile(""), 413,
        body=b"x" * 2001,
    ),
    Exchange(
        "microdot-033", "GET /dict", lambda m, r: {"a": [1, None]}, re.compile('{"a": ?\\[1, ?null]}'),
        fields={"content-type": re.compile("application/json")},
    ),
    Exchange("microdot-035", "GET /status", lambda m, r: ("created", 201), "created", 201),
    Exchange("microdot-043", "GET /cookie", with_cookie, "set", fields={"set-cookie": "name=value"}),
    Exchange(
        "microdot-044", "GET /hidden-cookie", lambda m, r: with_cookie(m, r, http_only=True), "set",
        fields={"set-cookie": "name=value; HttpOnly"},
    ),
    Exchange(
        "microdot-046", "GET /response", lambda m, r: m.Response("own", 203, {"X-Own": "1"}), "own", 203,
        {"x-own": "1"},
    ),
]  # fmt: skip

OWN = [Exchange("microdot-031", f"GET /path?a={'x' * 3000}", None, re.compile(""), 400)]
"""What holds on Microdot's own server only, and here on each."""


@pytest.fixture(scope="module")
def servers():
    ours, theirs = library(DIALECT), library(MICRODOT)
    with pytest.MonkeyPatch.context() as patch:
        for each_library in (ours, theirs):
            patch.setattr(each_library.Request, "max_content_length", 2000)
            patch.setattr(each_library.Request, "max_body_length", 500)
        with serving(lambda: program(ours), lambda: program(theirs), "asgi") as addresses:
            yield addresses


@each(EXCHANGES)
def test_a_client_sees_the_answer_of_microdot(servers, exchange):
    check(servers, exchange)


@each(OWN)
def test_a_client_sees_what_only_the_server_of_microdot_does(servers, exchange):
    check({name: address for name, address in servers.items() if name != ORIGINAL}, exchange)
