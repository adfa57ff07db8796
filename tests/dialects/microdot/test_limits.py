"""How much of a request is taken, and where it can be read."""

import pytest

from antiphon.dialects.microdot import Request
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

KIB = 1024


@pytest.fixture(autouse=True)
def _limits_as_they_were():
    """Put back what a test assigns."""
    before = {name: vars(Request)[name] for name in ("max_content_length", "max_body_length", "max_readline")}
    yield
    for name, limit in before.items():
        setattr(Request, name, limit)


@pytest.fixture
def echo(app, serve):
    called = []

    @app.post("/")
    async def handler(request):
        called.append(request)
        streamed = await request.stream.read()
        return [len(request.body), len(streamed)]

    client = serve(app)
    client.called = called
    return client


def in_chunks(size):
    """A body of which nobody knows the length."""
    yield from (bytes(min(size - at, 1000)) for at in range(0, size, 1000))


@pytest.mark.feature("microdot-025")
@pytest.mark.parametrize("most_loaded", [0, 16 * KIB])
def test_the_stream_reads_lines_exact_sizes_and_up_to_a_separator(app, serve, most_loaded):
    Request.max_body_length = most_loaded

    @app.post("/")
    async def handler(request):
        stream = request.stream
        read = [await stream.readline(), await stream.readexactly(3), await stream.readuntil(b"::")]
        read += [await stream.readline(), await stream.readline(), await stream.read()]
        return [chunk.decode() for chunk in read]

    sent = serve(app).post("/", body=b"first\nabcde::x\nlast")
    assert sent.json == ["first\n", "abc", "de::", "x\n", "last", ""]


@rows("most", [16 * KIB, 10, 0])
def test_a_body_of_just_the_limit_is_taken_and_none_that_is_longer(echo, most):
    if most != 16 * KIB:  # the limit of both, unless a program sets others
        Request.max_content_length = Request.max_body_length = most
    assert echo.post("/", body=bytes(most)).json == [most, most]
    assert echo.post("/", body=bytes(most + 1)).status == 413
    Request.max_content_length = most + 1
    assert echo.post("/", body=bytes(most + 1)).json == [0, most + 1]


def test_of_a_body_that_is_refused_nothing_is_loaded(app, serve):
    Request.max_content_length, Request.max_body_length = 10, 5
    app.post("/")(lambda request: "handled")
    app.errorhandler(413)(lambda request: ([len(request.body), request.form and len(request.form)], 413))
    client = serve(app)
    assert client.post("/", body=bytes(10)).text == "handled"
    assert client.post("/", body=bytes(11)).json == [0, None]
    assert client.post("/", form={"a": "long enough"}).json == [0, {}]
    assert client.post("/", body=in_chunks(2000)).json == [0, None]


def test_a_body_that_is_refused_cannot_be_streamed_either(app, serve):
    Request.max_content_length = 10
    app.post("/")(lambda request: "handled")

    @app.errorhandler(413)
    async def too_large(request):
        return await request.stream.read()

    assert serve(app).post("/", body=bytes(11)).status == 413


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])  # a WSGI server tells the length, or has the body
def test_a_stream_that_is_too_large_is_a_413_where_it_is_read(echo, interface):
    Request.max_content_length, Request.max_body_length = 20_000, 1000
    assert echo.post("/", body=in_chunks(19_000)).json == [0, 19_000]
    assert echo.post("/", body=in_chunks(21_000)).status == 413


@pytest.mark.feature("microdot-030")
def test_a_body_between_the_limits_is_not_available_but_by_the_stream(app, serve):
    Request.max_content_length, Request.max_body_length = 1000, 10

    @app.post("/json")
    async def json(request):
        return str(request.json)

    @app.post("/form")
    async def form(request):
        return str((request.body, dict(request.form), len(await request.stream.read())))

    client = serve(app)
    assert client.post("/json", json=["long enough"]).status == 400
    assert client.post("/form", form={"a": "long enough"}).text == "(b'', {}, 13)"


@pytest.mark.feature("microdot-031")
def test_the_request_line_is_measured_as_it_was_sent(app, serve):
    Request.max_readline = 60

    @app.get("/<path:rest>")
    async def handler(request, rest):
        return "accepted"

    client = serve(app)
    assert client.get("/" + "%C3%BC" * 7).text == "accepted"
    assert client.get("/" + "%C3%BC" * 8).status == 400


def test_an_error_handler_finds_no_body_where_the_request_line_is_refused(app, serve):
    """Nothing of it was received, and it does not have to be."""
    Request.max_readline = 60

    @app.errorhandler(400)
    async def refuse(request):
        return [request.body.decode(), request.path[:4]]

    assert serve(app).post("/" + "x" * 100, body=b"body").json == ["", "/xxx"]
