"""Early hints (103, RFC 8297): sent before the response where the server can, dropped everywhere else."""

import asyncio

import pytest

from antiphon import App, Request, Response, abort, aget_response
from antiphon.http import Link
from antiphon.testing import Client, ContractError
from tests.adapters.conftest import scope
from tests.helpers.rows import rows

STYLE = Link("/style.css", "preload", {"as": "style"})
SCRIPT = Link("/app.js", "modulepreload")
KINDS = ("def", "async")

pytestmark = pytest.mark.axes("interface")


def app_of(*calls):
    """An application whose handlers, ``def`` and ``async def``, send each of some hints by a call of its own."""
    app = App()

    def hint(request):
        for links in calls:
            request.send_early_hints(*links)
        return "page"

    @app.get("/def")
    def blocking(request: Request):
        return hint(request)

    @app.get("/async")
    async def waiting(request: Request):
        return hint(request)

    return app


@pytest.fixture(params=["wsgi", "asgi"])
def interface(request):
    return request.param


@rows("kind", KINDS)
def test_hints_come_before_the_response_in_order(interface, kind):
    response = Client(app_of([STYLE], [SCRIPT, STYLE]), interface).get(f"/{kind}")
    assert (response.status, response.text) == (200, "page")
    assert response.early_hints == (STYLE, SCRIPT, STYLE)
    assert response.links == () if hasattr(response, "links") else "link" not in response.headers


@rows("kind", KINDS)
@rows("method", ["get", "head"])
def test_hints_are_sent_for_any_method(interface, kind, method):
    assert getattr(Client(app_of([STYLE]), interface), method)(f"/{kind}").early_hints == (STYLE,)


@rows("kind", KINDS)
@pytest.mark.parametrize(
    ("interface", "options"),
    [
        ("wsgi", {"http_version": "1.0"}),
        ("asgi", {"http_version": "1.0"}),
        ("asgi", {"extra": {"extensions": {}}}),
        ("asgi", {"extra": {"extensions": None}}),
        ("rsgi", {}),
    ],
)
def test_hints_are_dropped_where_they_cannot_be_sent(interface, options, kind):
    response = Client(app_of([STYLE]), interface, **options).get(f"/{kind}")
    assert (response.text, response.early_hints) == ("page", ())


def test_without_a_server_nothing_is_sent():
    Request.blank("/").send_early_hints(STYLE)


@rows("bad", ["</style.css>; rel=preload", b"</a>; rel=next", None, ("/a", "next")])
def test_a_hint_is_a_link(bad):
    with pytest.raises(TypeError, match="an early hint must be a Link, not"):
        Request.blank("/").send_early_hints(STYLE, bad)


@rows("kind", KINDS)
def test_hints_have_8_kib_for_one_request(interface, kind):
    large = Link("/" + "x" * 4000, "preload")
    response = Client(app_of([large], [large, large, STYLE], [large]), interface).get(f"/{kind}")
    assert response.early_hints == (large, large, STYLE)


@rows("has_after", [False, True])
@rows("is_stream", [False, True])
def test_hints_after_the_beginning_of_the_response_are_dropped(interface, is_stream, has_after):
    app = App()
    late = []

    def chunks(request):
        yield "one"
        request.send_early_hints(SCRIPT)
        late.append("stream")
        yield "two"

    def after(request):
        request.send_early_hints(SCRIPT)
        late.append("after")

    @app.get("/")
    def answer(request: Request):
        request.send_early_hints(STYLE)
        if has_after:
            request.after_response(after, request)
        return chunks(request) if is_stream else "onetwo"

    response = Client(app, interface).get("/")
    assert (response.text, response.early_hints) == ("onetwo", (STYLE,))
    assert late == ["stream"] * is_stream + ["after"] * has_after


def test_hints_go_out_while_the_handler_waits(app):
    """The handler is answered only once the server has its hints."""
    sent = asyncio.Event()

    @app.get("/")
    async def answer(request: Request):
        request.send_early_hints(STYLE)
        async with asyncio.timeout(30):
            await sent.wait()
        return "page"

    messages = []

    async def send(message):
        messages.append(message)
        sent.set()

    asyncio.run(called(app, send))
    assert messages[0] == {"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload; as=style"]}
    assert [message["type"] for message in messages[1:]] == ["http.response.start", "http.response.body"]


def test_the_response_waits_for_hints_that_the_server_still_sends():
    order = []

    async def send(message):
        order.append(message["type"])
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        order.append("sent")

    asyncio.run(called(app_of([STYLE], [SCRIPT]), send, "/def"))
    assert order == [
        *["http.response.early_hint", "sent"] * 2,
        "http.response.start",
        "sent",
        "http.response.body",
        "sent",
    ]


@rows("fails", [abort, int])
def test_an_error_waits_for_hints_that_the_server_still_sends(fails):
    app, order = App(), []

    @app.get("/")
    async def handle(request: Request):
        request.send_early_hints(STYLE)
        fails(409 if fails is abort else "x")

    async def send(message):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        order.append(message["type"])

    asyncio.run(called(app, send))
    assert order == ["http.response.early_hint", "http.response.start", "http.response.body"]


@rows("path", ["/def", "/async"])
def test_a_server_that_fails_to_send_hints_still_gets_the_response(path):
    sent = []

    async def send(message):
        sent.append(message["type"])
        if message["type"] == "http.response.early_hint":
            raise RuntimeError("too late")

    asyncio.run(called(app_of([STYLE]), send, path))
    assert sent == ["http.response.early_hint", "http.response.start", "http.response.body"]


async def called(app, send, path="/"):
    """Answer one request of an ASGI server that sends hints, and has this ``send``."""
    given = scope(path=path, http_version="2", extensions={"http.response.early_hint": {}})

    async def receive():
        return {"type": "http.request"}

    await app(given, receive, send)


@rows("kind", KINDS)
def test_a_wsgi_server_that_fails_to_send_hints_still_gets_the_response(kind):
    def fail(fields):
        raise OSError("the client has gone")

    response = Client(app_of([STYLE]), "wsgi", extra={"wsgi.early_hints": fail}).get(f"/{kind}")
    assert response.text == "page"


@rows("kind", KINDS)
def test_a_wsgi_server_is_called_on_its_own_thread(kind):
    from threading import get_ident

    threads = []
    app = app_of([STYLE])
    environ = {"wsgi.early_hints": lambda fields: threads.append(get_ident())}
    assert Client(app, "wsgi", timeout=None, extra=environ).get(f"/{kind}").text == "page"
    assert threads == [get_ident()]


@rows("kind", KINDS)
def test_a_mounted_application_of_ours_sends_hints(interface, kind):
    app = App()
    app.mount("/inner", app_of([STYLE]))
    assert Client(app, interface).get(f"/inner/{kind}").early_hints == (STYLE,)


async def asgi_with_hints(scope, receive, send):
    if "http.response.early_hint" in scope["extensions"]:
        await send({"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload; as=style"]})
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"foreign"})


def wsgi_with_hints(environ, start_response):
    if "wsgi.early_hints" in environ:
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload; as=style"), ("X-Other", "1")])
    start_response("200 OK", [("content-length", "7")])
    return [b"foreign"]


@rows(
    "application, interface, version, hints",
    (asgi_with_hints, "asgi", "1.1", (STYLE,)),
    (asgi_with_hints, "asgi", "1.0", ()),
    (asgi_with_hints, "wsgi", "1.1", ()),
    (asgi_with_hints, "rsgi", "1.1", ()),
    (wsgi_with_hints, "asgi", "1.1", (STYLE,)),
    (wsgi_with_hints, "wsgi", "1.1", (STYLE,)),
    (wsgi_with_hints, "wsgi", "1.0", ()),
    (wsgi_with_hints, "rsgi", "1.1", ()),
)
def test_a_mounted_application_is_offered_hints_where_the_server_sends_them(application, interface, version, hints):
    app = App()
    app.mount("/inner", application)
    response = Client(app, interface, http_version=version).get("/inner")
    assert (response.text, response.early_hints) == ("foreign", hints)


@rows("line", [b"</a>; rel=preload\r\nset-cookie: a=1", b"</a>\n; rel=preload", b"</a\0>; rel=preload"])
def test_a_mounted_application_cannot_add_header_lines(line):
    async def application(scope, receive, send):
        await send({"type": "http.response.early_hint", "links": [line]})

    app = App()
    app.mount("/inner", application)
    response = Client(app, "asgi", raise_errors=False).get("/inner")
    assert (response.status, response.early_hints) == (500, ())


@rows("application", [app_of([STYLE]), asgi_with_hints, wsgi_with_hints])
def test_the_hints_of_a_subrequest_are_dropped(interface, application):
    app = App()

    @app.get("/")
    async def answer(request: Request) -> Response:
        request.send_early_hints(SCRIPT)
        path = "/async" if isinstance(application, App) else "/"
        inner = await aget_response(application, request.copy() if path == "/" else Request.blank(path))
        return Response(inner.body)

    assert Client(app, interface).get("/").early_hints == (SCRIPT,)


@rows("line", ["style.css", "", "<style.css", None])
def test_the_client_refuses_malformed_hints_of_other_applications(line):
    def application(environ, start_response):
        environ["wsgi.early_hints"]([("Link", line)])

    with pytest.raises(ContractError, match="an early hint must have links, not"):
        Client(application, "wsgi").get("/")
