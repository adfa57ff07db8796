"""Functions on environs, and what applications return, beside those of Werkzeug."""

import weakref
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import wsgi as original

from antiphon.dialects.werkzeug import wsgi
from antiphon.dialects.werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge, SecurityError
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects.werkzeug.environs import environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows


class Dripping:
    """A stream that gives a byte at a time, as sockets may, and then fails if it is to."""

    def __init__(self, data, error=None):
        self.data = data
        self.error = error

    def read(self, size=-1):
        if not self.data and self.error:
            raise self.error
        taken, self.data = self.data[: min(1, size)], self.data[min(1, size) :]
        return taken


class TestLimitedStream:
    @rows("library", [original, wsgi])
    def test_reads_no_further_than_its_limit(self, library):
        source = BytesIO(b"123456")
        stream = library.LimitedStream(source, 4)
        assert (stream.read(3), stream.tell(), stream.is_exhausted) == (b"123", 3, False)
        assert (stream.read(3), stream.read(3), stream.is_exhausted) == (b"4", b"", True)
        assert source.read() == b"56"

    @rows("library", [original, wsgi])
    def test_reads_lines(self, library):
        assert list(library.LimitedStream(BytesIO(b"a\nbc\nd\ne"), 6)) == [b"a\n", b"bc\n", b"d"]
        assert library.LimitedStream(BytesIO(b"abc\n"), 4).readline(2) == b"ab"
        assert library.LimitedStream(BytesIO(b"a\nb"), 3).readlines() == [b"a\n", b"b"]

    @rows("library", [original, wsgi])
    def test_reads_into_a_buffer(self, library):
        buffer = bytearray(5)
        assert library.LimitedStream(BytesIO(b"123456"), 3).readinto(buffer) == 3
        assert buffer == b"123\0\0"

    @rows("library", [original, wsgi])
    @rows("given", [lambda: BytesIO(b"12"), lambda: Dripping(b"12", OSError("reset"))], ids=["ends", "fails"])
    def test_tells_of_a_client_that_has_left(self, library, given):
        with pytest.raises(Exception, match=r"400 Bad Request") as raised:
            library.LimitedStream(given(), 5).read()
        assert type(raised.value).__name__ == "ClientDisconnected"


def test_the_body_of_a_request_is_bounded():
    assert wsgi.get_input_stream(environ(b"12345")).read() == b"12345"
    assert wsgi.get_input_stream(environ(wsgi__input=BytesIO(b"x"))).read() == b""
    assert wsgi.get_input_stream(environ(wsgi__input=BytesIO(b"x")), safe_fallback=False).read() == b"x"
    ended = environ(wsgi__input=BytesIO(b"12345"), wsgi__input_terminated=True)
    assert wsgi.get_input_stream(ended) is ended["wsgi.input"]
    with pytest.raises(RequestEntityTooLarge):
        wsgi.get_input_stream(environ(b"12345"), max_content_length=4)
    with pytest.raises(RequestEntityTooLarge):
        wsgi.get_input_stream(ended, max_content_length=4).read()
    with pytest.raises(ClientDisconnected):
        wsgi.get_input_stream(environ(b"12345", CONTENT_LENGTH="9")).read()


ENVIRONS = [
    {}, {"SCRIPT_NAME": "/app"}, {"HTTP_HOST": "a:80"}, {"HTTP_HOST": None}, {"QUERY_STRING": ""}, {"HTTP_HOST": "x_y"},
    {"PATH_INFO": "", "SCRIPT_NAME": ""}, {"PATH_INFO": "/a%b c"}, {"wsgi__url_scheme": "https", "HTTP_HOST": "a:443"},
]  # fmt: skip


@rows("keys", ENVIRONS, ids=str)
@rows("options", [{}, {"root_only": True}, {"strip_querystring": True}, {"host_only": True}], ids=str)
def test_urls(keys, options):
    same(
        outcome(lambda: original.get_current_url(environ(**keys), **options)),
        outcome(lambda: wsgi.get_current_url(environ(**keys), **options)),
    )


@rows("host", ["a.com", "b.a.com", "a.com:80", "A.com", "[::1]", "x", "", None, "a b", "a.com:0", "xa.com"])
@rows("trusted", [None, [], "a.com", ["a.com"], [".a.com"], ["x", "[::1]"], ["a.com:80"]])
def test_trusted_hosts(host, trusted):
    same(outcome(original.host_is_trusted, host, trusted), outcome(wsgi.host_is_trusted, host, trusted))


def test_a_host_that_is_not_trusted_is_refused():
    with pytest.raises(SecurityError):
        wsgi.get_host(environ(), ["other.com"])
    with pytest.raises(SecurityError):
        wsgi.get_current_url(environ(), trusted_hosts=["other.com"])


@rows("library", [original, wsgi])
def test_closing_calls_all_that_is_to_be_called(library):
    def chunks():
        try:
            yield b"a"
            yield b"b"
        finally:
            events.append("chunks")

    events = []
    iterator = library.ClosingIterator(chunks(), [lambda: events.append("one"), lambda: events.append("two")])
    assert next(iterator) == b"a"
    assert iter(iterator) is iterator
    iterator.close()
    library.ClosingIterator([], lambda: events.append("three")).close()
    library.ClosingIterator([]).close()
    assert events == ["chunks", "one", "two", "three"]
    iterator.close = lambda: events.append("patched")
    iterator.close()
    assert (events[-1], weakref.ref(iterator)()) == ("patched", iterator)


@rows("library", [original, wsgi])
def test_files_are_given_in_blocks(library):
    file = BytesIO(b"12345")
    wrapper = library.FileWrapper(file, 2)
    assert wrapper.seekable()
    assert (next(wrapper), wrapper.tell()) == (b"12", 2)
    wrapper.seek(0)
    assert list(wrapper) == [b"12", b"34", b"5"]
    wrapper.close()
    assert file.closed
    bare = library.FileWrapper(object())
    assert not bare.seekable()
    assert bare.tell() is None
    bare.close()


@rows(
    "path, segment, script, rest",
    ("/a/b", "a", "/s/a", "/b"), ("/a", "a", "/s/a", ""), ("//a/b", "a", "/s//a", "/b"), ("", None, "/s", ""),
    ("/", "", "/s/", ""),
)  # fmt: skip
def test_segments_are_taken_from_the_path(path, segment, script, rest):
    env = environ(SCRIPT_NAME="/s", PATH_INFO=path)
    assert wsgi.peek_path_info(env) == (segment or None)
    assert wsgi.pop_path_info(env) == segment
    assert (env["SCRIPT_NAME"], env["PATH_INFO"]) == (script, rest)


def test_paths_of_urls():
    assert wsgi.extract_path_info("http://example.com/app", "/app/hello") == "/hello"
    assert wsgi.extract_path_info("http://example.com/app", "https://example.com/app/hello") == "/hello"
    assert (
        wsgi.extract_path_info("http://example.com/app", "https://example.com/app", collapse_http_schemes=False) is None
    )
    assert wsgi.extract_path_info("http://example.com/app", "http://example.org/app/hello") is None
    assert wsgi.extract_path_info("http://example.com/app", "/application") is None
    assert wsgi.extract_path_info(environ(SCRIPT_NAME="/app"), "/app/x") == "/x"
    assert wsgi.get_script_name(environ(SCRIPT_NAME="/\xc3\xbc")) == "/\u00fc"
    assert wsgi.get_query_string(environ(QUERY_STRING="a=\xc3\xbc")) == "a=%C3%BC"


@rows("size", [1, 2, 3, 100])
def test_lines_and_chunks(size):
    data = b"a\r\nbc\n\nd\re"
    assert list(wsgi.make_line_iter(BytesIO(data), len(data), size)) == [b"a\r\n", b"bc\n", b"\n", b"d\r", b"e"]
    assert list(wsgi.make_line_iter([data[:2], data[2:]])) == [b"a\r\n", b"bc\n", b"\n", b"d\r", b"e"]
    assert list(wsgi.make_line_iter(BytesIO(data), 4, size)) == [b"a\r\n", b"b"]
    assert list(wsgi.make_chunk_iter(BytesIO(b"a|bc||d"), b"|", 7, size)) == [b"a", b"bc", b"", b"d"]
    assert next(wsgi.make_chunk_iter(BytesIO(b"abcdef|g"), b"|", 8, 4, cap_at_buffer=True)) == b"abcd"
    assert next(wsgi.make_line_iter(BytesIO(b"abcdef\ng"), 8, 4, cap_at_buffer=True)) == b"abcd"
    assert [*wsgi.make_line_iter(BytesIO(b"a\rbcde"), 6, 4, cap_at_buffer=True)] == [b"a\r", b"bcde"]


@given(data=st.lists(st.sampled_from([b"a", b"bcd", b"\r", b"\n", b"\r\n"])).map(b"".join), size=st.integers(1, 9))
def test_lines_are_those_of_the_whole_wherever_it_is_cut(data, size):
    assert list(wsgi.make_line_iter(BytesIO(data), len(data), size)) == data.splitlines(keepends=True)
    capped = list(wsgi.make_line_iter(BytesIO(data), len(data), size, cap_at_buffer=True))
    assert b"".join(capped) == data
    assert all(len(line) <= 2 * size for line in capped)


@given(data=st.lists(st.sampled_from([b"a", b"|", b"||", b"bcd"])).map(b"".join), size=st.integers(1, 9))
def test_chunks_are_those_of_the_whole_wherever_it_is_cut(data, size):
    chunks = data.split(b"||")
    assert list(wsgi.make_chunk_iter(BytesIO(data), b"||", len(data), size)) == [
        *chunks[:-1],
        *filter(None, chunks[-1:]),
    ]


class Generous:
    """A class of streams that gives something at its limit."""

    def on_exhausted(self):
        return b"more"


def test_what_is_read_at_the_limit_may_be_overridden():
    kind = type("Own", (Generous, wsgi.LimitedStream), {})
    assert kind(BytesIO(b"123456"), 4, is_max=True).readall() == b"1234more"
    at_its_end = wsgi.LimitedStream(BytesIO(b"1234"), 4, is_max=True)
    assert (at_its_end.readall(), at_its_end.read(1), at_its_end.readable()) == (b"1234", b"", True)
    assert (at_its_end.exhaust(), at_its_end.readline()) == (b"", b"")


def test_a_body_that_fails_at_once_is_a_client_that_has_left():
    broken = environ(CONTENT_LENGTH="4", wsgi__input=Dripping(b"", OSError()))
    with pytest.raises(ClientDisconnected):
        Request(broken).get_data()


def test_part_of_an_iterable_is_read_step_by_step():
    part = wsgi.RangeWrapper([b"abc", b"def"], 1, 3)
    assert (next(part), next(part)) == (b"bc", b"d")


def test_a_reference_that_is_no_host_trusts_nobody():
    assert not wsgi.host_is_trusted("a", ["a" * 70 + "\u00fc"])


@rows(
    "coding, length",
        ("chunked", None), ("Chunked", None), ("gzip, chunked", None), ("gzip,\tCHUNKED ,", None),
        ("chunked, gzip", None), (" chunked ", None), ("identity", 5), ("xchunked", 5), ("chunked;a=b", 5), ("", 5),
        (",", 5), ('a="x, chunked"', 5),
)  # fmt: skip
def test_the_length_of_a_chunked_body_is_not_declared(coding, length):
    env = environ(b"12345", HTTP_TRANSFER_ENCODING=coding)
    assert wsgi.get_content_length(env) == original.get_content_length(env) == length
    assert wsgi.get_input_stream(env).read() == (b"" if length is None else b"12345")
    ended = environ(b"1234567", CONTENT_LENGTH="5", HTTP_TRANSFER_ENCODING=coding, wsgi__input_terminated=True)
    assert wsgi.get_input_stream(ended).read() == b"1234567"


def test_a_transfer_coding_in_quotes_is_none():
    env = environ(b"12345", HTTP_TRANSFER_ENCODING='"chunked"')
    assert (wsgi.get_content_length(env), original.get_content_length(env)) == (5, None)
