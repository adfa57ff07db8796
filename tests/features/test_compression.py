import random
import sys
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Blueprint, Request, Response
from antiphon.features.codings import CODINGS
from antiphon.features.compression import AT_ONCE, Compression
from antiphon.http.errors import Forbidden
from antiphon.http.event import parse_events
from antiphon.testing import Client
from tests.helpers.decompression import INSTALLED, Reader, decompressed
from tests.helpers.driving import drive
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("serving")

TEXT = "Call and response. " * 200
LARGE = TEXT * 100
GZIP = {"accept-encoding": "gzip"}
INTERFACES = ["wsgi", "asgi", "rsgi"]


@pytest.fixture(params=INTERFACES)
def serving(request, open_client):
    def serving(app, *features, **options):
        return open_client(app if isinstance(app, App) else app_of(app, *features), request.param, **options)

    return serving


def app_of(answer, *features):
    """An app that gives one answer, or what a handler returns, compressed unless other features are named."""
    app = App()
    for feature in features or [Compression(["gzip"])]:
        app.use(feature)
    app.get("/")(answer if callable(answer) else lambda request: answer)
    return app


def response(body=TEXT, status=200, content_type="text/plain; charset=utf-8", **headers):
    fields = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda request: Response(body, status, fields, content_type=content_type)


def read(answer):
    """The body of an answer, in gzip as its head says."""
    assert answer.headers["content-encoding"] == "gzip"
    return decompressed("gzip", answer.body)


class TestABodyInMemory:
    @pytest.mark.parametrize("coding", INSTALLED)
    def test_is_compressed_by_what_the_client_takes(self, serving, coding):
        answer = serving(TEXT, Compression()).get("/", headers={"accept-encoding": coding})
        assert answer.headers["content-encoding"] == coding
        assert answer.headers["vary"] == "accept-encoding"
        assert int(answer.headers["content-length"]) == len(answer.body) < len(TEXT) / 10
        assert decompressed(coding, answer.body) == TEXT.encode()

    def test_of_an_async_handler_is_compressed(self, serving):
        async def waits(request):
            return {"text": TEXT}

        answer = serving(waits).get("/", headers=GZIP)
        assert read(answer).startswith(b'{"text":"Call')
        assert answer.content_type == "application/json"

    @pytest.mark.parametrize("size", [AT_ONCE, AT_ONCE + 1, len(LARGE)])
    def test_is_a_stream_when_it_is_large(self, serving, size):
        async def waits(request):
            return LARGE[:size]

        answer = serving(waits).get("/", headers=GZIP)
        assert read(answer) == LARGE[:size].encode()
        assert ("content-length" in answer.headers) == (size <= AT_ONCE)

    def test_that_is_large_is_compressed_on_a_thread(self, monkeypatch):
        threads = []

        class Noting:
            def __init__(self, level):
                threads.append(level)

            def chunk(self, data):
                threads.append(threading.get_ident())
                return data

            def finish(self, data=b""):
                threads.append(threading.get_ident())
                return data

        async def waits(request):
            threads.append(threading.get_ident())
            return LARGE

        monkeypatch.setitem(CODINGS, "gzip", CODINGS["gzip"]._replace(start=Noting))
        with Client(app_of(waits), "asgi") as client:
            assert client.get("/", headers=GZIP).text == LARGE
        loop, level, *others = threads
        assert level == 6
        assert len(others) > 2
        assert loop not in others

    @pytest.mark.parametrize(("size", "is_compressed"), [(0, False), (499, False), (500, True)])
    def test_is_compressed_from_a_size_on(self, serving, size, is_compressed):
        answer = serving("a" * size, Compression(min_size=500)).get("/", headers=GZIP)
        assert ("content-encoding" in answer.headers) == is_compressed
        assert answer.headers["vary"] == "accept-encoding"

    def test_stays_as_it_is_when_that_is_smaller(self, serving):
        noise = random.Random(1).randbytes(2000)
        answer = serving(response(noise, etag='"a"')).get("/", headers=GZIP)
        assert answer.body == noise
        assert "content-encoding" not in answer.headers
        assert answer.headers["etag"] == '"a"'
        assert answer.headers["vary"] == "accept-encoding"

    @pytest.mark.parametrize("body", ["tiny", random.Random(1).randbytes(2000)], ids=["small", "noise"])
    def test_is_compressed_in_any_case_when_the_client_takes_nothing_else(self, serving, body):
        answer = serving(response(body)).get("/", headers={"accept-encoding": "gzip, identity;q=0"})
        assert read(answer) == (body.encode() if isinstance(body, str) else body)

    def test_that_is_empty_stays_so(self, serving):
        answer = serving("", Compression(min_size=0)).get("/", headers={"accept-encoding": "gzip, identity;q=0"})
        assert (answer.body, answer.headers["content-length"]) == (b"", "0")
        assert "content-encoding" not in answer.headers

    def test_that_many_requests_share_is_compressed_for_those_who_want_it(self, serving):
        shared = Response(TEXT, 200, {"etag": '"a"'})
        client = serving(lambda request: shared)
        for _ in range(2):
            assert read(client.get("/", headers=GZIP)) == TEXT.encode()
            plain = client.get("/")
            assert (plain.text, plain.headers["etag"]) == (TEXT, '"a"')
            assert plain.headers["vary"] == "accept-encoding"


class TestNegotiation:
    @rows(
        "accepted, coding",
            (None, None), ("", None), ("identity", None), ("br;q=0", None), ("compress, deflate", None),
            ("gzip", "gzip"), ("GZIP", "gzip"), ("x-gzip", "gzip"), ("deflate, gzip;q=0.1", "gzip"),
            ("gzip;q=0", None), ("gzip;q=0, *", None), ("*", "gzip"), ("*;q=0", None), ("*;q=0, gzip", "gzip"),
            ("identity;q=0", None), ("identity;q=0, *;q=0.5", "gzip"), ("identity, gzip", "gzip"),
            ("identity, gzip;q=0.9", None), ("identity;q=0.5, gzip;q=0.9", "gzip"), ("gzip;q=x", None),
    )  # fmt: skip
    def test_takes_what_the_client_likes_best(self, accepted, coding):
        client = Client(app_of(TEXT), "wsgi", timeout=None)
        answer = client.get("/", headers={} if accepted is None else {"accept-encoding": accepted})
        assert answer.headers.get("content-encoding") == coding
        assert answer.headers["vary"] == "accept-encoding"

    @pytest.mark.parametrize("name", INSTALLED)
    def test_takes_the_server_s_first_of_equals(self, name):
        codings = dict.fromkeys([name, "gzip"])
        client = Client(app_of(TEXT, Compression(codings)), "wsgi", timeout=None)
        every = {"accept-encoding": "gzip, deflate, br, zstd"}
        assert client.get("/", headers=every).headers["content-encoding"] == name
        liked = {"accept-encoding": f"gzip, {name};q=0.5"} if name != "gzip" else GZIP
        assert client.get("/", headers=liked).headers["content-encoding"] == "gzip"

    def test_keeps_what_a_response_varies_by_already(self, serving):
        answer = serving(response(vary="cookie")).get("/", headers=GZIP)
        assert answer.headers.getall("vary") == ["cookie", "accept-encoding"]


class TestWhatIsCompressed:
    @rows(
        "content_type",
            "text/html; charset=utf-8", "TEXT/CSS", "text/event-stream", "application/json",
            "application/problem+json", "image/svg+xml", "application/atom+xml;charset=utf-8",
            "application/javascript", "application/wasm", "application/x-ndjson",
    )  # fmt: skip
    def test_are_these_types(self, content_type):
        app = app_of(lambda request: Response(TEXT, 200, [("content-type", content_type)]))
        answer = Client(app, "wsgi", timeout=None).get("/", headers=GZIP)
        assert read(answer) == TEXT.encode()
        assert answer.content_type == content_type

    @rows(
        "content_type",
            "image/png", "video/mp4", "font/woff2", "application/zip", "application/octet-stream",
            "application/jsonp", "application/xml+zip", "x-application/json", "image/png; of=text/html",
            "multipart/mixed; boundary=+json",
    )  # fmt: skip
    def test_are_no_others(self, content_type):
        answer = Client(app_of(response(content_type=content_type)), "wsgi", timeout=None).get("/", headers=GZIP)
        assert answer.text == TEXT
        assert "content-encoding" not in answer.headers
        assert "vary" not in answer.headers

    @rows(
        "content_type, is_compressed",
        ("application/cbor", True), ("model/obj", True), ("a/b+yaml", True), ("text/html", False), ("modell/a", False),
    )  # fmt: skip
    def test_is_for_you_to_say(self, content_type, is_compressed):
        compression = Compression(types=["application/CBOR", "model/*", "+yaml"])
        answer = Client(app_of(response(content_type=content_type), compression), "wsgi", timeout=None)
        assert ("content-encoding" in answer.get("/", headers=GZIP).headers) == is_compressed

    @rows(
        "answer",
        response(content_encoding="br"),
        response(content_encoding="identity"),
        response(cache_control="max-age=5, No-Transform"),
        response(status=206, content_type="image/png", content_range="bytes 0-3799/9000"),
        response(status=416, content_range="bytes */9000"),
        response(None, 204),
        response(None, 205),
        response(None, 303, None, location="/other"),
        ids=["coded", "identity", "no-transform", "range", "no range", "204", "205", "no type"],
    )
    def test_is_nothing_of_this(self, serving, answer):
        client = serving(answer, follow_redirects=False)
        compressed, plain = client.get("/", headers=GZIP), client.get("/")
        assert compressed.headers == plain.headers
        assert "accept-encoding" not in compressed.headers.getall("vary")
        assert compressed.body == plain.body

    @pytest.mark.parametrize(
        "answer",
        [
            response(status=206, content_range="bytes 0-3799/9000"),
            response(status=206, content_type="multipart/byteranges; boundary=x"),
        ],
        ids=["one", "several"],
    )
    def test_is_no_part_but_that_varies_as_the_whole_does(self, serving, answer):
        client = serving(answer)
        part = client.get("/", headers=GZIP)
        assert (part.status, part.text, part.headers["vary"]) == (206, TEXT, "accept-encoding")
        assert "content-encoding" not in part.headers

    def test_are_errors_too(self, serving):
        def fails(request):
            raise Forbidden(TEXT)

        client = serving(fails, raise_errors=False)
        answer = client.get("/", headers=GZIP)
        assert answer.status == 403
        assert TEXT.encode() in read(answer)
        assert client.get("/missing").headers.getall("vary").count("accept-encoding") == 1

    def test_can_be_left_out_by_what_is_asked_and_answered(self, serving):
        seen = []

        def skip(request, response):
            seen.append((request.path, response.status))
            return "secret" in request.args

        client = serving(TEXT, Compression(["gzip"], skip=skip))
        assert "content-encoding" in client.get("/", headers=GZIP).headers
        left_out = client.get("/?secret=1", headers=GZIP)
        assert (left_out.text, "vary" in left_out.headers) == (TEXT, False)
        assert seen == [("/", 200), ("/", 200)]

    def test_may_be_one_blueprint_s_answers(self, serving):
        app, pages = App(), Blueprint("pages", prefix="/pages")
        Compression(["gzip"]).install(pages)
        pages.get("/")(lambda request: TEXT)
        app.get("/")(lambda request: TEXT)
        app.register(pages)
        client = serving(app)
        assert "content-encoding" in client.get("/pages/", headers=GZIP).headers
        assert "content-encoding" not in client.get("/", headers=GZIP).headers

    def test_is_compressed_once(self, serving):
        answer = serving(TEXT, Compression(["gzip"]), Compression(["gzip"])).get("/", headers=GZIP)
        assert read(answer) == TEXT.encode()


class TestFieldsOfTheBytes:
    def test_go_or_are_those_of_the_compressed_ones(self, serving):
        about_bytes = {
            "etag": '"a"', "accept_ranges": "bytes", "content_md5": "x", "digest": "x", "content_digest": "x",
            "repr_digest": "x", "content_length": str(len(TEXT)), "last_modified": "Fri, 20 Nov 2026 10:00:00 GMT",
        }  # fmt: skip
        client = serving(response(**about_bytes))
        assert dict(client.get("/", headers=GZIP).headers.items()).keys() - {"date"} == {
            "content-type", "x-content-type-options", "content-encoding", "content-length", "vary", "etag",
            "last-modified",
        }  # fmt: skip
        assert {"accept-ranges", "digest", "repr-digest"} <= set(client.get("/").headers)

    @pytest.mark.parametrize(("etag", "compressed"), [('"a"', 'W/"a"'), ('W/"a"', 'W/"a"')])
    def test_an_entity_tag_is_weak_then(self, serving, etag, compressed):
        client = serving(response(etag=etag))
        assert client.get("/", headers=GZIP).headers["etag"] == compressed
        assert client.get("/").headers["etag"] == etag

    @rows("content_type", ["text/plain", None])
    @rows(
        "sent, etag",
        [('W/"a"', 'W/"a"'), ('"b", W/"a"', 'W/"a"'), ('"a"', '"a"'), ("*", '"a"'), ("", '"a"'), (None, '"a"')],
    )
    def test_a_304_has_the_entity_tag_that_the_client_has(self, serving, sent, etag, content_type):
        client = serving(response(None, 304, content_type, etag='"a"'))
        answer = client.get("/", headers=GZIP | ({} if sent is None else {"if-none-match": sent}))
        assert (answer.status, answer.headers["etag"]) == (304, etag)
        assert answer.headers["vary"] == "accept-encoding"
        assert "content-encoding" not in answer.headers

    def test_a_304_about_what_is_not_compressed_stays_as_it_is(self, serving):
        answer = serving(response(None, 304, "image/png", etag='"a"')).get("/", headers=GZIP)
        assert (answer.headers["etag"], "vary" in answer.headers) == ('"a"', False)


class TestHead:
    @rows(
        "answer",
        response("small"),
        response(etag='"a"', accept_ranges="bytes"),
        response(LARGE, etag='"a"'),
        response(random.Random(1).randbytes(2000)),
        response(TEXT, content_type="image/png"),
        lambda request: iter([TEXT, TEXT]),
        lambda request: Response(iter([TEXT]), headers={"content-length": str(len(TEXT))}, content_type="text/css"),
        ids=["small", "text", "large", "noise", "image", "stream", "known length"],
    )
    @rows("headers", [{}, GZIP], ids=["identity", "gzip"])
    def test_tells_what_get_would(self, serving, answer, headers):
        client = serving(answer)
        head, get = client.head("/", headers=headers), client.get("/", headers=headers)
        assert head.headers == get.headers
        assert head.body == b""

    def test_of_a_handler_that_leaves_the_body_out_declares_no_wrong_length(self, serving):
        app = App()
        app.use(Compression(["gzip"]))

        @app.route("/", methods=["HEAD"])
        def head(request):
            return Response(None, 200, {"content-length": "5000", "content-type": "text/html", "etag": '"a"'})

        answer = serving(app).head("/", headers=GZIP)
        assert (answer.headers["content-encoding"], answer.headers["etag"]) == ("gzip", 'W/"a"')
        assert "content-length" not in answer.headers


def blocking(closed, error=None):
    try:
        yield "one"
        if error:
            raise error
        yield "two"
    finally:
        closed.append("source")


async def waiting(closed, error=None):
    for chunk in blocking(closed, error):
        yield chunk


STYLES = pytest.mark.parametrize("source", [blocking, waiting], ids=["blocking", "async"])


@STYLES
class TestAStream:
    def test_is_compressed_chunk_by_chunk_and_closed_at_its_end(self, serving, source):
        closed = []
        client = serving(lambda request: Response.stream(source(closed), headers={"etag": '"a"'}))
        with client.stream("GET", "/", headers=GZIP) as answer:
            reader = Reader("gzip")
            assert answer.headers["content-encoding"] == "gzip"
            assert answer.headers["etag"] == 'W/"a"'
            assert "content-length" not in answer.headers
            assert reader.read(next(answer)) == b"one"
            assert reader.read(next(answer)) == b"two"
            assert reader.read(answer.read()) == b""
            assert reader.is_whole
        assert closed == ["source"]

    def test_that_fails_breaks_off(self, serving, source):
        closed, reader = [], Reader("gzip")
        client = serving(lambda request: source(closed, LookupError("boom")))
        with client.stream("GET", "/", headers=GZIP) as answer:
            assert reader.read(next(answer)) == b"one"
            with pytest.raises(LookupError, match="boom"):
                answer.read()
        assert not reader.is_whole
        assert closed == ["source"]

    def test_is_closed_when_the_client_goes_away(self, serving, source):
        closed = []
        with serving(lambda request: source(closed)).stream("GET", "/", headers=GZIP) as answer:
            next(answer)
        assert closed == ["source"]

    def test_that_declares_a_small_length_stays_as_it_is(self, serving, source):
        closed = []
        client = serving(lambda request: Response.stream(source(closed), headers={"content-length": "6"}))
        answer = client.get("/", headers=GZIP)
        assert (answer.body, answer.headers["content-length"]) == (b"onetwo", "6")
        assert closed == ["source"]

    def test_of_events_tells_each_when_it_happens(self, serving, source):
        reader, closed = Reader("gzip"), []
        with serving(lambda request: Response.events(source(closed), retry=0.005)).stream(
            "GET", "/", headers=GZIP
        ) as answer:
            read = [reader.read(next(answer)) for _ in range(2)]
        assert read == [b"retry: 5\n\ndata: one\n\n", b"data: two\n\n"]
        assert closed == ["source"]

    def test_of_events_tells_of_a_failure(self, serving, source):
        reader, closed = Reader("gzip"), []
        client = serving(lambda request: Response.events(source(closed, Forbidden("no"))), raise_errors=False)
        with client.stream("GET", "/", headers=GZIP) as answer:
            reader.read(next(answer))
            (event,) = parse_events(reader.read(next(answer)).decode())
        assert event.event == "error"


@pytest.mark.parametrize("coding", INSTALLED)
@given(chunks=st.lists(st.binary(max_size=2000), max_size=5), is_async=st.booleans())
def test_any_chunks_come_out_as_they_went_in(coding, chunks, is_async):
    async def waiting():
        for chunk in chunks:
            yield chunk

    async def later(request):
        return Response(waiting(), content_type="text/plain")

    def now(request):
        return Response(iter(chunks), content_type="text/plain")

    app = app_of(later if is_async else now, Compression([coding]))
    with Client(app, "asgi") as client:
        answer = client.get("/", headers={"accept-encoding": coding})
    assert decompressed(coding, answer.body) == b"".join(chunks)


class TestCompression:
    def test_offers_what_is_installed(self):
        assert Compression().codings == tuple(name for name, coding in CODINGS.items() if coding.is_installed)
        assert "gzip" in Compression().codings

    @rows("name", ["br", "zstd"])
    def test_does_without_what_is_not(self, monkeypatch, name):
        monkeypatch.setitem(sys.modules, CODINGS[name].library, None)
        assert name not in Compression().codings
        with pytest.raises(ValueError, match=f"{name} needs {CODINGS[name].library}, which is not installed"):
            Compression([name])

    def test_offers_each_coding_once_in_your_order(self):
        assert Compression(["gzip", "gzip"]).codings == ("gzip",)

    def test_hears_levels(self):
        squares = " ".join([str(number * number) for number in range(6000)])
        fast, small = [
            Client(app_of(squares, Compression(["gzip"], levels={"gzip": level})), "wsgi", timeout=None)
            for level in (1, 9)
        ]
        assert len(small.get("/", headers=GZIP).body) < len(fast.get("/", headers=GZIP).body)

    @rows(
        "settings, message",
        ({"codings": "gzip"}, "codings must be a list"),
        ({"codings": []}, "codings must not be empty"),
        ({"codings": ["deflate"]}, "unknown coding 'deflate'; known: zstd, br, gzip"),
        ({"codings": ["identity"]}, "unknown coding"),
        ({"codings": ["gzip"], "levels": {"br": 4}}, "not one of the codings"),
        ({"levels": {"gzip": 0}}, "level of gzip must be 1 to 9, not 0"),
        ({"levels": {"gzip": 10}}, "level of gzip must be 1 to 9"),
        ({"levels": {"gzip": "6"}}, "level of gzip must be 1 to 9"),
        ({"levels": {"gzip": True}}, "level of gzip must be 1 to 9"),
        ({"min_size": -1}, "number of bytes"),
        ({"min_size": 1.5}, "number of bytes"),
        ({"min_size": True}, "number of bytes"),
        ({"types": "text/*"}, "types must be a list"),
        ({"types": []}, "types must not be empty"),
        ({"types": ["text"]}, "a type must be like"),
        ({"types": ["*/*"]}, "a type must be like"),
        ({"types": ["text/html; charset=utf-8"]}, "a type must be like"),
        ({"types": ["+"]}, "a type must be like"),
        ({"types": [""]}, "a type must be like"),
    )
    def test_refuses_what_makes_no_sense(self, settings, message):
        with pytest.raises(ValueError, match=message):
            Compression(**settings)

    def test_takes_plain_functions_to_skip_only(self):
        async def waits(request, response):
            return False

        for skip in ("/secret", waits):
            with pytest.raises(TypeError, match="skip must be a plain function"):
                Compression(skip=skip)

    def test_reads_a_type_in_linear_time(self):
        endless = "a/" + "+json" * 100_000 + "!"
        app = app_of(lambda request: Response(TEXT, 200, [("content-type", endless)]))
        _, answer = drive(app._handle(Request.blank("/", headers=GZIP)))
        assert "content-encoding" not in answer.headers
