import asyncio
import gc
import gzip
import os
import pickle
import random
import sys
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import App, Limits, Request
from antiphon.http.errors import BadRequest, ClientDisconnected, ContentTooLarge, FieldError, UnprocessableContent
from antiphon.http.head import RequestHead
from antiphon.testing import Client
from tests.body.forms_in_parts import BOUNDARY, cut, print_form
from tests.helpers.open_files import is_without_files
from tests.helpers.request_bodies import in_chunks
from tests.helpers.rows import rows
from tests.helpers.scripted_heads import DELIVERIES, Delivery, ScriptedHead, receive_small_body

pytestmark = pytest.mark.axes("way")

FORM = "application/x-www-form-urlencoded"
FORM_DATA = f"multipart/form-data; boundary={BOUNDARY.decode()}"
LARGE = random.Random(11).randbytes(2 << 20)
LARGE_FORM = print_form([(b"title", None, None, b"Tea"), (b"photo", b"a.png", b"image/png", LARGE)])


@pytest.fixture(params=DELIVERIES)
def way(request):
    return Delivery(request.param)


def loaded(way, *chunks, limits=Limits(), **headers):  # noqa: B008 - immutable
    request = Request(way.head(*chunks, **headers))
    request.limits = limits
    way.load(request)
    return request


async def taken(request):
    """Whether the body came as one chunk; then, all of it is there."""
    was_whole = await receive_small_body(request, request.limits)
    if not was_whole:
        await request.content.load(request.limits)
    return was_whole


@pytest.mark.parametrize("way", ["blocking", "at once", "awaited"], indirect=True)
class TestWhatIsTakenAtOnce:
    @pytest.mark.parametrize("chunks", [[b"abcd"], [b"ab", b"cd"], [b"a", b"bcd"]], ids=len)
    def test_is_a_small_body_that_comes_as_one_chunk(self, way, chunks):
        request = Request(way.head(*chunks, content_length=4))
        assert way.run(taken(request)) == (len(chunks) == 1)
        content = request.content
        assert (request.body, content.data, content.received, content.is_complete) == (b"abcd", b"abcd", 4, True)

    def test_is_a_body_of_no_bytes_which_is_not_asked_for(self, way):
        head = way.head(b"next request", content_length=0)
        request = Request(head)
        assert way.run(receive_small_body(request, Limits(body=0)))
        assert (request.body, request.content.is_complete, head.asked) == (b"", True, 0)

    @rows(
        "data, headers",
        (bytes((64 << 10) + 1), {"content_length": (64 << 10) + 1}),
        (b"abc", {}),
        (gzip.compress(b"abc"), {"content_length": len(gzip.compress(b"abc")), "content_encoding": "gzip"}),
        ids=["large", "undeclared", "coded"],
    )
    def test_is_not_asked_for_if_it_may_be_another(self, way, data, headers):
        head = way.head(data, **headers)
        request = Request(head)
        assert not way.run(receive_small_body(request, Limits(body=1 << 20)))
        assert head.asked == 0
        way.load(request)
        assert request.content.received == len(data)

    @rows("chunks", [[b"abc"], [b"ab", b"cde"], [b""], [b"abcde"]], ids=repr)
    def test_is_held_to_its_length(self, way, chunks):
        request = Request(way.head(*chunks, content_length=4))
        with pytest.raises(BadRequest, match="but its Content-Length is 4"):
            way.run(taken(request))
        assert isinstance(request.content.failure, BadRequest)

    def test_is_held_to_the_limit_before_it_is_asked_for(self, way):
        head = way.head(b"abcd", content_length=4)
        request = Request(head)
        request.limits = Limits(body=3)
        with pytest.raises(ContentTooLarge):
            way.run(taken(request))
        assert (head.asked, type(request.content.failure)) == (0, ContentTooLarge)

    @pytest.mark.parametrize("error", [ClientDisconnected("gone"), OSError("gone")], ids=["disconnected", "system"])
    def test_keeps_why_it_broke_off(self, way, error):
        request = Request(way.head(error, content_length=4))
        with pytest.raises(type(error)) as raised:
            way.run(taken(request))
        assert repr(raised.value) == repr(error)
        assert request.content.is_failure(error)

    def test_is_nothing_of_what_somebody_has_asked_for(self, way):
        begun, looked_at = (Request(way.head(b"ab", b"cd", content_length=4)) for _ in range(2))
        way.run(begun.content.advance(begun.limits))
        assert looked_at.content_length == 4
        given = Request(way.head(content_length=4), b"abcd")
        for request in (begun, looked_at, given):
            assert not way.run(receive_small_body(request, Limits(body=4)))
            way.load(request)
            assert request.body == b"abcd"


class TestAsAWhole:
    @rows("reader", ["body", "text", "json"])
    def test_a_body_beyond_what_memory_may_take_is_a_413(self, way, reader):
        data = b'"' + b"x" * 1000 + b'"'
        request = loaded(way, *in_chunks(data, 100), limits=Limits(memory=1001), content_type="application/json")
        for _ in range(2):
            with pytest.raises(ContentTooLarge) as refused:
                getattr(request, reader)
            assert refused.value.members == {"limit": "memory", "maximum": 1001}
        assert b"".join(request.stream) == data
        request.limits = Limits(memory=1002)
        assert request.body == data

    def test_a_large_urlencoded_form_is_bounded_by_memory(self, way):
        request = loaded(way, b"a=" + b"x" * 1000, limits=Limits(memory=1000), content_type=FORM)
        with pytest.raises(ContentTooLarge) as refused:
            _ = request.form
        assert refused.value.members["limit"] == "memory"


class TestFormsInParts:
    @rows("size", [700, 50_000, len(LARGE_FORM)])
    def test_are_found_while_they_arrive(self, way, size):
        request = loaded(way, *in_chunks(LARGE_FORM, size), content_type=FORM_DATA)
        assert not request.content.in_memory
        assert request.form.items() == [("title", "Tea")]
        assert request.files["photo"].read() == LARGE
        assert request.files["photo"].digest("sha1")
        request.content.close()

    @rows("limit, most", [("parts", 1), ("fields", 0), ("files", 0), ("file", 10), ("form", 2)])
    def test_beyond_a_limit_are_refused_before_all_has_come(self, way, limit, most):
        head = way.head(*in_chunks(LARGE_FORM, 10_000), content_type=FORM_DATA)
        request = Request(head)
        request.limits = Limits(**{limit: most})
        for _ in range(2):
            with pytest.raises(ContentTooLarge) as refused:
                way.load(request)
            assert refused.value.members == {"limit": limit, "maximum": most}
        assert len(head.chunks) > 50
        for reader in ("form", "files", "body"):
            with pytest.raises(ContentTooLarge):
                getattr(request, reader)
        request.content.close()

    def test_without_a_name_are_passed_over_by_all_but_the_parts(self, way):
        body = (
            b"--B\r\nContent-Disposition: form-data\r\n\r\n1\r\n"
            b'--B\r\nContent-Disposition: form-data; filename="f"\r\n\r\n2\r\n'
            b'--B\r\nContent-Disposition: form-data; name=""\r\n\r\n3\r\n--B--'
        )
        request = loaded(way, body, content_type="multipart/form-data; boundary=B")
        assert request.form.items() == [("", "3")]
        assert request.files.items() == []
        assert [(part.name, part.read()) for part in request.parts()] == [("", b"1"), ("", b"2"), ("", b"3")]

    def test_that_are_small_are_refused_when_they_are_read(self, way):
        body = print_form([(b"a", None, None, b"1"), (b"b", None, None, b"2")])
        request = loaded(way, body, limits=Limits(fields=1), content_type=FORM_DATA)
        assert request.body == body
        for reader in ("form", "files"):
            with pytest.raises(ContentTooLarge) as refused:
                getattr(request, reader)
            assert refused.value.members == {"limit": "fields", "maximum": 1}
        request.limits = Limits()
        assert request.form.items() == [("a", "1"), ("b", "2")]

    @rows(
        "body, content_type",
        (b"--%b\r\nno field\r\n\r\n" % BOUNDARY + LARGE, FORM_DATA),
        (LARGE_FORM, "multipart/form-data"),
        (LARGE_FORM[:-9], FORM_DATA),
        (b"", FORM_DATA),
        ids=["none", "no boundary", "cut off", "empty"],
    )
    def test_that_are_malformed_are_a_400_for_who_reads_the_form_only(self, way, body, content_type):
        request = loaded(way, *in_chunks(body, 64 << 10), content_type=content_type)
        for reader in ("form", "files"):
            with pytest.raises(BadRequest):
                getattr(request, reader)
        assert b"".join(request.stream) == body
        assert request.body == body
        request.content.close()

    def test_of_no_body_are_a_400_on_a_loop_too(self):
        async def handler(request):
            with pytest.raises(BadRequest):
                _ = request.form

        asyncio.run(handler(Request(ScriptedHead(has_body=False, content_type=FORM_DATA))))

    def test_are_decoded_first(self, way):
        coded = gzip.compress(LARGE_FORM)
        request = loaded(way, *in_chunks(coded, 9999), content_type=FORM_DATA, content_encoding="gzip")
        assert request.files["photo"].read() == LARGE
        assert request.content_length is None
        request.content.close()


class TestAMissingFile:
    @rows("body, content_type", [(b"picture=a", FORM), (b"...", "text/plain"), (LARGE_FORM, FORM_DATA)])
    def test_is_a_422_that_names_the_field(self, body, content_type):
        request = Request.blank("/", "POST", {"content-type": content_type}, body)
        for error in (KeyError, UnprocessableContent, FieldError):
            with pytest.raises(error) as raised:
                _ = request.files["a/~b"]
        for each in (raised.value, pickle.loads(pickle.dumps(raised.value))):
            assert each.errors == [{"pointer": "/a~1~0b", "detail": "is missing", "code": "missing"}]


class TestNothingIsLeft:
    @pytest.mark.skipif(sys.platform != "linux", reason="looks at what the process has open")
    @pytest.mark.parametrize("error", [None, BadRequest, TimeoutError])
    def test_of_a_large_form_when_it_is_forgotten(self, way, tmp_path, error):
        def use():
            request = Request(
                way.head(*in_chunks(LARGE_FORM, 50_000), *([error("broken")] if error else []), content_type=FORM_DATA)
            )
            request.content.folder = tmp_path
            if error:
                with pytest.raises(error):
                    way.load(request)
            else:
                way.load(request)
                request.files["photo"].read(10)
                [*request.stream]  # noqa: B018 - it is read

        use()
        assert is_without_files(tmp_path)
        assert os.listdir(tmp_path) == []

    @rows(
        "body, content_type, reader",
        (b"a=1&b=2", FORM, "form"),
        (b"[1, 2]", "application/json", "json"),
        (b"abc", "text/plain", "text"),
        (b"abc", "text/plain", "body"),
        (b"abc", "text/plain", "stream"),
        (print_form([(b"a", b"b", None, b"c")]), FORM_DATA, "files"),
        ids=["form", "json", "text", "body", "stream", "files"],
    )
    def test_of_a_small_body_at_once(self, way, body, content_type, reader):
        gc.collect()
        gc.disable()
        try:
            request = loaded(way, body, content_type=content_type, content_length=len(body))
            getattr(request, reader)
            gone = weakref.ref(request)
            del request
            assert gone() is None
        finally:
            gc.enable()


def served(app, interface, **kwargs):
    with Client(app, interface, timeout=10.0) as client:
        return client.request("POST", "/", **kwargs)


class TestUnloaded:
    """What a handler is told that reads a body which is not there yet."""

    @rows("interface", ["wsgi", "asgi", "rsgi"])
    @rows(
        "reader, content_type",
        ("body", FORM),
        ("text", FORM),
        ("stream", FORM),
        ("form", FORM),
        ("form", FORM_DATA),
        ("files", FORM_DATA),
        ("json", "application/json"),
    )
    def test_on_a_loop_is_told_who_reads_it_and_what_to_do(self, interface, reader, content_type):
        app, told = App(), []

        @app.post("/", receive="lazy")
        async def the_reader(request):
            with pytest.raises(RuntimeError) as raised:
                list(getattr(request, reader))
            told.append(str(raised.value))
            return "ok"

        assert served(app, interface, body=b"a=1", headers={"content-type": content_type}).text == "ok"
        [message] = told
        line = the_reader.__code__.co_firstlineno
        assert f"the_reader ({__file__}:{line})" in message
        assert "`await request.aload()` first" in message
        assert 'receive="load"' in message

    @rows("interface", ["wsgi", "asgi", "rsgi"])
    def test_on_a_loop_is_not_loaded_by_code_that_blocks(self, interface):
        app = App()

        @app.post("/", receive="lazy")
        async def handler(request):
            with pytest.raises(RuntimeError, match=r"handler .*`await request\.aload\(\)` first"):
                request.load()
            await request.aload()
            request.load()
            return request.text

        assert served(app, interface, body=b"it").text == "it"

    def test_never_blocks_the_loop_of_a_wsgi_process(self, app):
        """Two bodies of which each comes only when the other has been asked for."""
        both = threading.Barrier(2, timeout=10)

        class Input:
            def read(self, size):
                both.wait()
                return b"abc"

        @app.post("/", receive="lazy")
        async def handler(request):
            await request.aload()
            return request.text

        def serve(_):
            environ = {
                "REQUEST_METHOD": "POST", "PATH_INFO": "/", "CONTENT_LENGTH": "3", "wsgi.input": Input(),
                "wsgi.url_scheme": "http", "SERVER_NAME": "a", "SERVER_PORT": "80", "HTTP_HOST": "a",
            }  # fmt: skip
            return b"".join(app(environ, lambda status, headers: None))

        with ThreadPoolExecutor(2) as threads:
            assert [*threads.map(serve, range(2))] == [b"abc", b"abc"]

    def test_is_told_why_where_it_has_failed(self):
        async def handler(request):
            with pytest.raises(BadRequest) as first:
                await request.aload()
            with pytest.raises(BadRequest) as second:
                _ = request.body
            assert repr(first.value) == repr(second.value)

        asyncio.run(handler(Request(ScriptedHead(b"ab", content_length=3))))


PARTS = print_form([(b"a", None, None, b"1"), (b"f", b"n.txt", b"text/plain", b"--\r\n" * 9), (b"a", None, None, b"")])
BODIES = {
    FORM: b"a=1&b=%C3%A9&a=2",
    FORM_DATA: PARTS,
    "application/json": b'{"a": [1, null, "x"]}',
    "text/plain; charset=latin1": b"caf\xe9",
}
READERS = {
    "body": lambda request: request.body,
    "text": lambda request: request.text,
    "form": lambda request: request.form.items(),
    "files": lambda request: [(name, file.filename, file.open().read()) for name, file in request.files.items()],
    "stream": lambda request: b"".join(request.stream),
    "parts": lambda request: [(part.name, part.read()) for part in request.parts()],
    "json": lambda request: request.json,
}


def readable(content_type):
    return [
        reader
        for reader in READERS
        if (reader != "json" or content_type == "application/json") and (reader != "parts" or content_type == FORM_DATA)
    ]


@given(
    st.sampled_from([*BODIES]),
    st.lists(st.integers(0, 400), max_size=6),
    st.sampled_from([*DELIVERIES]),
    st.booleans(),
    st.booleans(),
    st.booleans(),
    st.data(),
)
def test_every_reader_gets_the_same_wherever_the_body_is_cut(content_type, places, name, declares, codes, kept, data):
    body = BODIES[content_type]
    readers = data.draw(st.lists(st.sampled_from(readable(content_type)), min_size=1, max_size=7))
    expected = [READERS[reader](Request(ScriptedHead(content_type=content_type), body)) for reader in readers]
    sent = gzip.compress(body) if codes else body
    headers = {"content_type": content_type}
    headers |= {"content_encoding": "gzip"} if codes else {}
    headers |= {"content_length": len(sent)} if declares else {}
    way = Delivery(name)
    request = Request(way.head(*filter(None, cut(sent, places)), **headers))
    request.content.is_kept = kept
    if way.is_on_loop or not kept or data.draw(st.booleans()):
        way.load(request)
    assert [READERS[reader](request) for reader in readers] == expected


@given(
    st.lists(st.integers(0, len(LARGE_FORM)), max_size=6),
    st.sampled_from([*DELIVERIES]),
    st.permutations(["files", "form", "stream", "parts"]),
)
def test_every_reader_of_a_large_body_gets_the_same(places, name, readers):
    way = Delivery(name)
    request = Request(way.head(*filter(None, cut(LARGE_FORM, places)), content_type=FORM_DATA))
    way.load(request)
    given_whole = Request(ScriptedHead(content_type=FORM_DATA), LARGE_FORM)
    for reader in readers:
        assert READERS[reader](request) == READERS[reader](given_whole)
    request.content.close()


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("policy", ["load", "lazy", "stream"])
@rows("size", [3, 100_000])
def test_a_content_length_beside_a_transfer_encoding_is_a_400(interface, policy, size):
    app = App()

    @app.post("/", receive=policy)
    def read(request):
        return str(len(b"".join(request.stream)))

    with Client(app, interface) as client:
        fields = {"content-length": str(size), "transfer-encoding": "chunked"}
        response = client.post("/", body=bytes(size), headers=fields)
    assert response.status == 400
    assert response.json["detail"] == "The body has both a Content-Length and a Transfer-Encoding."


def test_a_form_that_was_freed_is_not_said_to_have_too_many_fields():
    request = Request(ScriptedHead(*in_chunks(b"a=" + bytes(2 << 20), 64 << 10), blocks=True, content_type=FORM))
    request.content.load_on_thread(request.limits)
    request.content.close()
    with pytest.raises(ValueError, match="is freed"):
        _ = request.form


class CountingHead(RequestHead):
    """A head that notes which header fields are asked for."""

    asked = ()

    def field(self, name):
        self.asked = (*self.asked, name)
        return super().field(name)


@rows("read, most", [(("files", "form"), 1), (("form", "files"), 2)])
def test_a_form_with_files_is_read_at_once_by_its_content_type(read, most):
    form = (
        b'--B\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="a"\r\n\r\nbytes\r\n--B--'
    )
    head = CountingHead("POST", headers=[("content-type", "multipart/form-data; boundary=B")], content=form)
    request = Request(head)
    values = {name: getattr(request, name) for name in read}
    assert (values["form"]["note"], values["files"]["f"].read()) == ("hello", b"bytes")
    assert head.asked.count("content-type") == most
