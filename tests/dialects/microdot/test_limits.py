"""How much of a request is taken, and where it can be read."""

import pytest

from antiphon.dialects.microdot import Request

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
    """A client of an application that says how a body can be read; and whether its handler was called."""
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
@pytest.mark.parametrize("size", [0, 10, 16 * KIB, 16 * KIB + 1, 300 * KIB])
def test_the_stream_reads_small_and_large_bodies(app, serve, size):
    Request.max_content_length = 1 << 20
    content = (bytes(range(256)) * (size // 256 + 1))[:size]

    @app.post("/")
    async def handler(request):
        chunks = []
        while chunk := await request.stream.read(1000):
            chunks.append(chunk)
        assert all(len(chunk) == 1000 for chunk in chunks[:-1])
        assert await request.stream.read(5) == b""
        return str(b"".join(chunks) == content)

    assert serve(app).post("/", body=content).text == "True"


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


@pytest.mark.feature("microdot-027")
def test_bodies_of_16_kib_are_accepted_by_default(echo):
    assert Request.max_content_length == 16384
    assert echo.post("/", body=bytes(16384)).status == 200
    assert echo.post("/", body=bytes(16385)).status == 413


@pytest.mark.feature("microdot-028")
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_is_too_large_is_a_413_and_the_handler_does_not_run(echo, is_chunked):
    Request.max_content_length = Request.max_body_length = 5000
    response = echo.post("/", body=in_chunks(5001) if is_chunked else bytes(5001))
    if not (is_chunked and response.status == 411):  # a server that wants a length
        assert (response.status, response.text) == (413, "Payload too large")
    assert not echo.called


def test_of_a_body_that_is_refused_nothing_is_loaded(app, serve):
    Request.max_content_length = 10
    app.post("/")(lambda request: "handled")
    app.errorhandler(413)(lambda request: ([len(request.body), request.form and len(request.form)], 413))
    client = serve(app)
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


def test_nor_of_one_that_cannot_be_read(app, serve):
    app.post("/")(lambda request: "handled")
    app.errorhandler(415)(lambda request: (repr(request.body), 415))
    response = serve(app).post("/", body=b"bytes", headers={"content-encoding": "unknown"})
    assert (response.status, response.text) == (415, "b''")


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])  # a WSGI server tells the length, or has the body
def test_a_stream_that_is_too_large_is_a_413_where_it_is_read(echo, interface):
    Request.max_content_length, Request.max_body_length = 20_000, 1000
    assert echo.post("/", body=in_chunks(19_000)).json == [0, 19_000]
    assert echo.post("/", body=in_chunks(21_000)).status == 413


@pytest.mark.feature("microdot-029")
def test_bodies_of_16_kib_are_loaded_by_default(echo):
    assert Request.max_body_length == 16384
    Request.max_content_length = 1 << 20
    assert echo.post("/", body=bytes(16384)).json == [16384, 16384]
    assert echo.post("/", body=bytes(16385)).json == [0, 16385]


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
def test_a_request_line_of_2_kib_is_accepted_by_default(app, serve):
    @app.get("/")
    async def handler(request):
        return "accepted"

    assert Request.max_readline == 2048
    client = serve(app)
    around = len("GET /?q= HTTP/1.1\r\n")
    assert client.get("/?q=" + "x" * (2048 - around)).text == "accepted"
    refused = client.get("/?q=" + "x" * (2049 - around))
    assert (refused.status, refused.text) == (400, "Bad request")


@pytest.mark.feature("microdot-031")
def test_the_request_line_is_measured_as_it_was_sent(app, serve):
    Request.max_readline = 60

    @app.get("/<path:rest>")
    async def handler(request, rest):
        return "accepted"

    client = serve(app)
    assert client.get("/" + "%C3%BC" * 7).text == "accepted"
    assert client.get("/" + "%C3%BC" * 8).status == 400


@pytest.mark.feature("microdot-032")
def test_limits_may_be_larger_than_those_of_native_applications(echo):
    Request.max_content_length = Request.max_body_length = 18 << 20
    assert echo.post("/", body=bytes(17 << 20)).json == [17 << 20, 17 << 20]
    assert echo.post("/", body=bytes((18 << 20) + 1)).status == 413


def test_an_error_handler_finds_no_body_where_the_request_line_is_refused(app, serve):
    """Nothing of it was received, and it does not have to be."""
    Request.max_readline = 60

    @app.errorhandler(400)
    async def refuse(request):
        return [request.body.decode(), request.path[:4]]

    response = serve(app).post("/" + "x" * 100, body=b"body")
    assert response.json == ["", "/xxx"]


@pytest.mark.parametrize(("name", "size", "loaded"), [
    ("max_body_length", 1e3, True), ("max_body_length", -1, False), ("max_content_length", 1e3, True),
    ("max_content_length", float("inf"), True),
])  # fmt: skip
def test_limits_may_be_any_numbers(echo, name, size, loaded):
    setattr(Request, name, size)
    assert echo.post("/", body=b"hello").json == [5 if loaded else 0, 5]


def test_a_small_body_of_unknown_length_is_loaded(app, serve):
    @app.post("/")
    async def handler(request):
        return [len(request.body), request.is_streamed]

    response = serve(app).post("/", body=in_chunks(3000))
    assert response.status == 411 or response.json == [3000, False]
