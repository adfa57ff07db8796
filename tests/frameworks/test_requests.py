"""Requests of other frameworks: read before and after the framework, within its limits, and let go."""

import asyncio
import gc
import time
import weakref

import pytest

from antiphon import App, Limits, Request, Response, get_response, view
from antiphon.embedding import Framework
from antiphon.frameworks import recognition
from antiphon.http import ContentTooLarge
from tests.adapters import conftest as adapters
from tests.helpers.rows import rows
from tests.helpers.waiting import in_time

FORM = b"a=1&b=2"
TYPE = "application/x-www-form-urlencoded"
PARTS = (
    b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n'
    b"Content-Type: text/x-own\r\n\r\ndata\r\n--x--\r\n"
)


def environ(body=FORM, content_type=TYPE, **more):
    return adapters.environ("POST", "/x", body, CONTENT_TYPE=content_type, **more) | {"wsgi.errors": None}


def scope(body=FORM, content_type=TYPE):
    messages = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive():
        return messages.pop() if messages else await asyncio.Event().wait()

    fields = [
        (b"content-type", content_type.encode()),
        (b"content-length", str(len(body)).encode()),
        (b"host", b"localhost"),
    ]
    return adapters.scope("POST", "/x", fields), receive


def werkzeug_request(given):
    return pytest.importorskip("werkzeug.wrappers").Request(given)


def webob_request(given):
    return pytest.importorskip("webob").Request(given)


def bottle_request(given):
    return pytest.importorskip("bottle").BaseRequest(given)


def falcon_request(given):
    return pytest.importorskip("falcon").Request(given)


READERS = {
    werkzeug_request: lambda given: given.form["a"],
    webob_request: lambda given: given.POST["a"],
    bottle_request: lambda given: given.forms["a"],
    falcon_request: lambda given: given.get_media()["a"],
}


@pytest.mark.parametrize("make", READERS)
def test_the_framework_reads_the_body_afterwards(make):
    given = make(environ())
    request = Request.from_framework(given)
    assert request.form["a"] == "1"
    assert READERS[make](given) == "1"
    assert request.body == FORM


@pytest.mark.parametrize("make", [make for make in READERS if make is not falcon_request])
def test_the_framework_has_read_the_body(make):
    given = make(environ())
    assert READERS[make](given) == "1"
    assert Request.from_framework(given).form.items() == [("a", "1"), ("b", "2")]


@pytest.mark.parametrize("make", [werkzeug_request, webob_request, bottle_request])
def test_the_framework_has_parsed_a_form_in_parts(make):
    given = make(environ(PARTS, "multipart/form-data; boundary=x"))
    assert READERS[make](given) == "1"
    request = Request.from_framework(given)
    assert (request.form["a"], request.files["f"].filename, request.files["f"].read()) == ("1", "f.txt", b"data")
    getattr(given, "close", tuple)()


def test_a_file_that_django_has_begun_to_read_is_read_on():
    pytest.importorskip("django")
    from tests.frameworks import apps

    apps.django_wsgi()
    from django.core.handlers.wsgi import WSGIRequest

    given = WSGIRequest(environ(PARTS, "multipart/form-data; boundary=x"))
    file = given.FILES["f"]
    assert file.read(2) == b"da"
    request = Request.from_framework(given)
    assert (request.form["a"], request.files["f"].filename, request.files["f"].read()) == ("1", "f.txt", b"data")
    assert file.read() == b"ta"


@pytest.mark.parametrize("first", ["Antiphon", "Starlette", "Starlette's form", "Starlette's parts"])
def test_starlette_and_antiphon_share_a_body(first):
    requests = pytest.importorskip("starlette.requests")
    is_in_parts = first.endswith("parts")
    given = requests.Request(*(scope(PARTS, "multipart/form-data; boundary=x") if is_in_parts else scope()))

    async def read():
        if first == "Starlette":
            await given.body()
        elif first != "Antiphon":
            await given.form()
        request = await Request.afrom_framework(given)
        read = request.form["a"], (await given.form())["a"], request is Request.from_framework(given)
        await given.close()
        return read

    assert asyncio.run(read()) == ("1", "1", True)


def test_two_requests_of_one_environ_share_the_body():
    given = environ()
    first = Request.from_framework(given)
    assert Request.from_framework(given) is first
    assert first.form["a"] == "1"
    del first
    assert Request.from_framework(given).form["b"] == "2"
    assert Request.from_framework({**given}).body == FORM


def test_two_requests_of_one_scope_share_the_body():
    given, receive = scope()

    async def read():
        request = await Request.afrom_framework(given, receive)
        assert Request.from_framework(given, receive) is request
        del request
        return (await Request.afrom_framework(given, None or receive)).form["b"]

    assert asyncio.run(read()) == "2"


def test_the_limits_of_flask_and_of_antiphon_hold():
    flask = pytest.importorskip("flask")
    app = flask.Flask("limits")
    app.config["MAX_CONTENT_LENGTH"] = 4
    with app.request_context(environ()), pytest.raises(ContentTooLarge):
        Request.from_framework(flask.request).body  # noqa: B018
    answer = view(limits=Limits(body=4))(lambda request: request.body)(environ())
    assert answer.status == 413


@rows("name, status", [("localhost", 200), ("other.example", 400)])
def test_djangos_server_name_is_the_host_without_one(name, status):
    test = pytest.importorskip("django.test")
    from tests.frameworks import apps

    apps.django_wsgi()
    app = App()
    app.get("/")(lambda request: request.host)
    given = test.RequestFactory().get("/")
    given.META["SERVER_NAME"] = name
    assert get_response(app, Request.from_framework(given)).status == status


def test_hosts_that_django_refuses_are_refused():
    from tests.frameworks import apps

    pytest.importorskip("django")
    request = Request.blank("http://evil.example/head", headers={"host": "evil.example"})
    assert get_response(apps.django_wsgi(), request, "wsgi").status == 400


@pytest.mark.parametrize("given", [object(), {}, "/", {"type": "websocket"}])
def test_an_unknown_object_is_named(given):
    with pytest.raises(TypeError, match=r"a request can be made from|a request can't be made from a builtins\."):
        Request.from_framework(given)


class Brought:
    """A request of a framework that another package knows."""


Brought.__module__ = "brought.requests"


class BroughtFramework(Framework):
    def request(self, given, second=None):
        return Request.blank("/brought")

    def response(self, answer, given):
        return answer.status, answer.body


def test_other_packages_add_frameworks_by_entry_points(monkeypatch):
    from importlib.metadata import EntryPoint

    entry = EntryPoint("brought", f"{__name__}:BroughtFramework", recognition.ENTRY_POINTS)
    monkeypatch.setattr(EntryPoint, "load", lambda _: BroughtFramework)
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [entry])
    recognition._brought.cache_clear()
    try:
        assert view(lambda request: request.path)(Brought()) == (200, b"/brought")
        assert Response.text("like").to_framework(Brought()) == (200, b"like")
    finally:
        recognition._brought.cache_clear()
        recognition._of_type.cache_clear()


def test_nothing_is_left_for_the_garbage_collector():
    flask = pytest.importorskip("flask")
    app = flask.Flask("garbage")
    seen = []

    @view
    def read(request):
        seen.append(weakref.ref(request))
        return request.form["a"]

    gc.disable()
    try:
        with app.request_context(environ()):
            assert read().data == b"1"
        assert seen[0]() is None
    finally:
        gc.enable()


def test_a_stream_is_closed_when_its_client_has_left():
    starlette = pytest.importorskip("starlette.requests")
    closed = []

    async def chunks():
        try:
            while True:
                yield b"more"
                await asyncio.sleep(0)
        finally:
            closed.append("closed")

    @view
    async def stream(request):
        request.after_response(lambda: closed.append("after"))
        return Response.stream(chunks())

    async def answer():
        given, receive = scope(b"")
        sent = []

        async def send(message):
            sent.append(message)
            if len(sent) > 4:
                raise OSError("the client has left")

        response = await stream(starlette.Request(given, receive))
        await response(given, receive, send)

    asyncio.run(answer())
    assert closed == ["closed", "after"]


def test_a_view_says_that_there_is_no_request():
    with pytest.raises(TypeError, match="none of its arguments is a request: str"):
        in_time(lambda: view(lambda request: "")("text"))  # on a thread on which Bottle has answered none


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_def_view_of_starlette_is_called_on_its_thread(asynchronous):
    testing = pytest.importorskip("starlette.applications"), pytest.importorskip("starlette.routing")
    if asynchronous:

        async def read(request):
            return request.body
    else:

        def read(request):
            return request.body

    app = testing[0].Starlette(routes=[testing[1].Route("/", view(read), methods=["POST"])])
    request = Request.blank("http://localhost/", "POST", {"host": "localhost", "content-length": "4"}, b"body")
    assert get_response(app, request, "asgi").body == b"body"


@pytest.mark.parametrize("body", [(FORM, TYPE), (PARTS, "multipart/form-data; boundary=x")])
def test_litestar_has_read_the_form(body):
    litestar = pytest.importorskip("litestar")
    requests = pytest.importorskip("litestar.connection")

    async def handler(request):
        form = await request.form()
        return {"theirs": form["a"], "ours": (await Request.afrom_framework(request)).form["a"]}

    handler.__annotations__ = {"request": requests.Request, "return": dict}
    app = litestar.Litestar([litestar.post("/")(handler)], openapi_config=None)
    fields = {"host": "localhost", "content-type": body[1], "content-length": str(len(body[0]))}
    answer = get_response(app, Request.blank("http://localhost/", "POST", fields, body[0]), "asgi")
    assert answer.freeze().json == {"theirs": "1", "ours": "1"}


def test_a_view_of_quart_may_wait():
    pytest.importorskip("quart")
    from quart import Quart

    app = Quart("waiting")

    @app.get("/")
    @view
    async def index(request):
        await asyncio.sleep(0.1)  # for which clients are looked after
        return "there"

    request = Request.blank("http://localhost/", headers={"host": "localhost"})
    assert get_response(app, request, "asgi").freeze().text == "there"


def test_data_of_a_client_is_never_taken_for_an_environ():
    requests = pytest.importorskip("starlette.requests")

    @view
    async def read(request, data):
        return request.path

    async def answer():
        given, receive = scope(b"")
        forged = {"REQUEST_METHOD": "GET", "PATH_INFO": "/forged", "wsgi.url_scheme": "http"}
        return await read(data=forged, request=requests.Request(given, receive))

    assert asyncio.run(answer()).body == b"/x"


def test_a_stream_that_django_has_read_before_a_view_fails():
    pytest.importorskip("django")
    from tests.frameworks import apps

    apps.django_wsgi()
    from django.core.handlers.wsgi import WSGIRequest

    given = WSGIRequest(environ(b"[1]", "application/json"))
    assert given.read() == b"[1]"
    with pytest.raises(RuntimeError, match=r"which isn't kept: read it by `request\.body` there"):
        _ = Request.from_framework(given).json


def test_a_stream_that_was_read_before_a_view_fails_at_once():
    """Nothing more will arrive, for which the view would wait until its client seemed too slow."""
    applications = pytest.importorskip("starlette.applications")
    own_view = view(lambda request: request.text)

    async def endpoint(request):
        assert b"".join([chunk async for chunk in request.stream()]) == FORM
        return await own_view(request)

    app = applications.Starlette()
    app.add_route("/", endpoint, ["POST"])
    sent = Request.blank("/", "POST", {"content-length": str(len(FORM))}, FORM)
    began = time.monotonic()
    assert get_response(app, sent).status == 500
    assert time.monotonic() - began < 2
