import asyncio
import copy
import gc
import pickle
import re
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from urllib.parse import quote, unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from antiphon.adapters.asgi import ASGIHead
from antiphon.adapters.wsgi import WSGIHead
from antiphon.explanations.naming import refuse_unknown_attributes
from antiphon.http.errors import (
    BadRequest,
    ContentTooLarge,
    HTTPError,
    UnprocessableContent,
    UnsupportedMediaType,
    URITooLong,
)
from antiphon.http.head import Address, RequestHead
from antiphon.http.limits import Limits
from antiphon.http.multidict import MissingKey
from antiphon.request.lifetime import _unused_ids, new_id
from antiphon.request.request import Request
from antiphon.serialization.json import encode_json
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

FORM = "application/x-www-form-urlencoded"


@dataclass
class ToldHead:
    """A head that tells anything, unchecked; its body comes in chunks, which block or have to be awaited."""

    headers: dict = field(default_factory=dict)
    chunks: list = field(default_factory=list)
    blocks: bool = False
    authority: str = "localhost"
    query_string: bytes = b""
    asked: list = field(default_factory=list)
    method = "POST"
    path = "/"
    raw_path = None
    root_path = ""
    scheme = "http"
    http_version = "1.1"
    client = None
    has_body = True

    def __post_init__(self):
        self.chunks = [*self.chunks]

    def field(self, name):
        self.asked.append(name)
        return self.headers.get(name)

    def fields(self):
        return list(self.headers.items())

    async def receive(self):
        chunk = self.chunks.pop(0) if self.chunks else b""
        if not self.blocks:
            chunk = await outcome_later(chunk)
        return outcome(chunk)


def outcome(chunk):
    if isinstance(chunk, Exception):
        raise chunk
    return chunk


async def outcome_later(chunk):
    await asyncio.sleep(0)
    return outcome(chunk)


def load(request):
    if request.head.blocks:
        return request.body
    asyncio.run(request.aload())
    return request.body


def with_body(body, content_type):
    return Request.blank("/", "POST", {"content-type": content_type}, body)


class TestHead:
    head = RequestHead(
        "patch",
        "/é/x",
        b"a=1",
        {"Host": "Example.com:8443", "X-A": "1", "Referer": "/from", "Origin": "null", "User-Agent": "Curl/8"},
        scheme="https",
        root_path="/app",
        raw_path=b"/app/%C3%A9/x",
        http_version="2",
        client=Address("10.0.0.1", 4711),
    )

    @rows(
        "attribute, value",
        ("method", "patch"),
        ("path", "/é/x"),
        ("raw_path", b"/app/%C3%A9/x"),
        ("query_string", b"a=1"),
        ("root_path", "/app"),
        ("scheme", "https"),
        ("is_secure", True),
        ("http_version", "2"),
        ("client", ("10.0.0.1", 4711)),
        ("ip", "10.0.0.1"),
        ("host", "example.com"),
        ("port", 8443),
        ("url", "https://Example.com:8443/app/%C3%A9/x?a=1"),
        ("referrer", "/from"),
        ("origin", "null"),
        ("user_agent", "Curl/8"),
    )
    def test_is_told_as_the_server_told_it(self, attribute, value):
        assert getattr(Request(self.head), attribute) == value

    @rows(
        "authority, scheme, host, port",
        ("a.example", "http", "a.example", 80),
        ("a.example", "https", "a.example", 443),
        ("A.EXAMPLE:81", "https", "a.example", 81),
        ("[::1]:81", "http", "::1", 81),
        ("a.example:", "http", "a.example", 80),
    )
    def test_host_and_port_are_those_that_were_asked_for(self, authority, scheme, host, port):
        request = Request(RequestHead(authority=authority, scheme=scheme))
        assert (request.host, request.port) == (host, port)

    @rows("bad", ["a b", "a/b", "a@b", "a:b", "a:99999", "a, b", "é", "[::1", "a\r\nb", "a" * 100_000 + "/"])
    def test_a_malformed_host_reads_as_none_and_is_in_no_url(self, bad):
        request = Request(ToldHead(authority=bad, query_string=b"a=1"))
        assert (request.host, request.port) == ("", 80)
        assert bad not in request.url
        assert (request.url.host, request.url.origin, request.url.path, request.url.query) == ("", "", "/", "a=1")

    @rows(
        "raw_path, root_path, path, url",
        (b"/users/ann%2Fedit", "", "/users/ann/edit", "http://h/users/ann%2Fedit"),
        (b"/shops/x%2Fy/a%2fb", "/shops/x/y", "/a/b", "http://h/shops/x%2Fy/a%2Fb"),
        (b"/%7Eann/a b", "", "/~ann/a b", "http://h/~ann/a%20b"),
        (b"/sent%2Fas", "", "/rewritten", "http://h/rewritten"),
        (None, "", "/users/ann/edit", "http://h/users/ann/edit"),
        (b"*", "", "*", "http://h/"),
        (None, "/app", "*", "http://h/"),
        (b"/*", "", "/*", "http://h/*"),
    )
    def test_the_url_leads_where_the_request_was_sent(self, raw_path, root_path, path, url):
        head = RequestHead(path=path, root_path=root_path, raw_path=raw_path, authority="h")
        assert Request(head).url == url

    def test_cookies_are_read_first_wins(self):
        request = Request.blank(headers=[("cookie", "a=near; b=1"), ("cookie", "a=far")])
        assert request.cookies["a"] == "near"
        assert request.cookies.getall("a") == ["near", "far"]
        with pytest.raises(MissingKey):
            _ = request.cookies["c"]

    def test_negotiates(self):
        request = Request.blank(
            headers={
                "accept": "text/html, application/json;q=0.5",
                "accept-language": "de;q=0.5, en",
                "accept-encoding": "gzip",
            }
        )
        assert request.accept.best(["application/json", "text/html"]) == "text/html"
        assert request.accept_languages.best(["de", "en"]) == "en"
        assert request.accept_encodings.best(["br", "gzip"]) == "gzip"

    def test_shows_what_was_asked(self):
        assert repr(Request.blank("/é?a=1", "PUT")) == "<Request PUT '/é'>"


class TestBlank:
    @rows(
        "url, wanted",
        ("/", ("http", "localhost", 80, "/", b"/", b"")),
        ("", ("http", "localhost", 80, "/", b"/", b"")),
        ("/a%20b?c=d&e#f", ("http", "localhost", 80, "/a b", b"/a%20b", b"c=d&e")),
        ("?a=1", ("http", "localhost", 80, "/", b"/", b"a=1")),
        ("https://example.com", ("https", "example.com", 443, "/", b"/", b"")),
        ("https://example.com:81/x/?a", ("https", "example.com", 81, "/x/", b"/x/", b"a")),
        ("//example.com/x", ("http", "example.com", 80, "/x", b"/x", b"")),
        ("http://user:word@example.com/", ("http", "example.com", 80, "/", b"/", b"")),
        ("/é", ("http", "localhost", 80, "/é", b"/%C3%A9", b"")),
        ("hello", ("http", "localhost", 80, "/hello", b"/hello", b"")),
        ("/a:b", ("http", "localhost", 80, "/a:b", b"/a:b", b"")),
        ("http://[::1]:81/", ("http", "::1", 81, "/", b"/", b"")),
        ("/?é=日 本", ("http", "localhost", 80, "/", b"/", b"%C3%A9=%E6%97%A5%20%E6%9C%AC")),
        ("/?a=%C3%A9%2f+", ("http", "localhost", 80, "/", b"/", b"a=%C3%A9%2f+")),
        ("/?a=100%&b=%zz", ("http", "localhost", 80, "/", b"/", b"a=100%&b=%zz")),
        ("/?a='[{|}]^`\\", ("http", "localhost", 80, "/", b"/", b"a='[{|}]^`\\")),
        ('/?a="<>', ("http", "localhost", 80, "/", b"/", b"a=%22%3C%3E")),
    )
    def test_is_for_a_path_or_a_whole_url(self, url, wanted):
        request = Request.blank(url)
        told = (request.scheme, request.host, request.port, request.path, request.raw_path, request.query_string)
        assert told == wanted

    @given(st.text(st.characters(codec="utf-8")))
    def test_decodes_what_a_path_encodes(self, text):
        path = f"/{text.lstrip('/')}"
        request = Request.blank(quote(path))
        assert request.path == path
        assert request.raw_path == quote(path).encode()
        assert unquote(request.url.path) == path

    def test_takes_its_host_from_a_header_unless_the_url_names_one(self):
        assert Request.blank("/", headers={"host": "a.example"}).host == "a.example"
        assert Request.blank("http://b.example/", headers={"host": "a.example"}).host == "b.example"

    @rows("url", ["mailto:x", "a:b", "http://", "file:///x", "http://user@/"])
    def test_refuses_a_url_with_a_scheme_and_no_host(self, url):
        with pytest.raises(ValueError, match=f"must have a host.*{re.escape(url)}"):
            Request.blank(url)

    @rows("url", ["http:///x", "http:x"])
    def test_refuses_a_url_that_browsers_read_otherwise(self, url):
        with pytest.raises(ValueError, match="browsers would read"):
            Request.blank(url)

    @rows("host", ["127.1", "web.1", "2130706433"])
    def test_makes_no_url_with_a_host_that_browsers_read_as_another_one(self, host):
        request = Request.blank("/", headers={"host": host})
        assert (request.host, request.url.host, request.url.origin) == (host, "", "")

    @rows("url", ["http://h:99999/", "http://h:x/", "http://a b/", "//é/", "http://[1]/"])
    def test_refuses_a_host_that_is_none(self, url):
        with pytest.raises(ValueError, match=r"host|port|IPv6"):
            Request.blank(url)

    def test_refuses_a_query_that_is_no_unicode(self):
        with pytest.raises(ValueError, match="surrogate"):
            Request.blank("/?a=\ud800")

    @rows("bad", [{"a b": "1"}, {"a": "1\n"}])
    def test_refuses_bad_headers(self, bad):
        with pytest.raises(ValueError, match="header"):
            Request.blank(headers=bad)


HEADERS_READ = {
    "accept": ["accept"],
    "accept-encoding": ["accept_encodings"],
    "accept-language": ["accept_languages"],
    "content-length": ["content_length"],
    "content-type": ["content_type", "mimetype", "charset", "text"],
    "cookie": ["cookies"],
    "origin": ["origin"],
    "referer": ["referrer"],
    "user-agent": ["user_agent"],
}


class TestHostileHeaders:
    @settings(deadline=None)
    @given(st.text(st.characters(max_codepoint=255)))
    def test_of_any_text_never_raise(self, value):
        request = Request(ToldHead(dict.fromkeys(HEADERS_READ, value), authority=value), b"a=\xff")
        for attribute in sum(HEADERS_READ.values(), ["host", "port", "url"]):
            getattr(request, attribute)

    @given(st.text(st.characters(max_codepoint=255)), st.binary())
    def test_bodies_raise_nothing_but_what_is_an_answer(self, content_type, body):
        request = Request(ToldHead({"content-type": content_type}), body)
        for attribute in ("form", "json", "text"):
            with suppress(HTTPError):
                getattr(request, attribute)

    @given(st.binary(max_size=200))
    def test_queries_never_raise(self, query):
        request = Request(ToldHead(query_string=query))
        assert all(type(name) is type(value) is str for name, value in request.args.items())
        assert request.url.startswith("http://localhost/")

    @rows("bad", ["text", "/html", "text/", "a b/c", "text/html, text/plain", ";", "é/x", "text/html\n"])
    def test_a_bad_content_type_reads_as_absent(self, bad):
        request = Request(ToldHead({"content-type": bad}))
        assert (request.content_type, request.mimetype, request.charset) == (None, "", None)

    @rows("bad", ["q=nan", "a/b;q=nan", "a/b;q=2", "a/b;q=-1", ",", "é"])
    def test_a_bad_accept_reads_as_absent(self, bad):
        request = Request(ToldHead({"accept": bad}))
        assert not request.accept
        assert request.accept.best(["a/b", "c/d"]) == "a/b"


BAD_LENGTHS = [
    "-1", "+1", "1.0", "1e3", "0x10", "1_0", "abc", "5,6", "5, 5, 6", "5,", ",5", ",", "\u0665", "\u00b2", "5 5", " ",
    "\0",
]  # fmt: skip


class TestContentLength:
    @rows("blocks", [True, False], ids=["blocking", "awaited"])
    @rows("bad", BAD_LENGTHS, ids=ascii)
    def test_that_is_no_number_is_a_400_when_the_body_is_read(self, bad, blocks):
        request = Request(ToldHead({"content-length": bad}, [b"a" * 5], blocks))
        assert request.content_length is None
        for _ in range(2):
            with pytest.raises(BadRequest, match="Content-Length must be one number"):
                load(request)

    @rows("value, length", [("5", 5), ("0", 0), ("5,5", 5), ("5, 5 ,5", 5), ("007", 7), ("9" * 19, 10**19 - 1)])
    def test_is_one_number_however_often_repeated(self, value, length):
        assert Request(ToldHead({"content-length": value})).content_length == length

    @rows("huge", [str((16 << 20) + 1), "9" * 19, "9" * 25, "1" + "0" * 5000, ",".join(["9" * 25] * 2)])
    @rows("blocks", [True, False], ids=["blocking", "awaited"])
    def test_above_the_limit_is_a_413_before_a_byte_is_read(self, huge, blocks):
        head = ToldHead({"content-length": huge}, [b"abc"], blocks)
        request = Request(head)
        assert request.content_length > Limits().body
        with pytest.raises(ContentTooLarge) as refused:
            load(request)
        assert refused.value.members == {"limit": "body", "maximum": 16 << 20}
        assert refused.value.type == "urn:antiphon:limit:body"
        assert len(str(refused.value)) < 200
        assert head.chunks == [b"abc"]

    @rows("zeros", [1, 17, 18, 19, 20, 21, 100])
    def test_means_the_same_with_zeros_before_it(self, zeros):
        request = Request(ToldHead({"content-length": "0" * zeros + "3"}, [b"abc"], blocks=True))
        assert request.content_length == 3
        assert request.body == b"abc"


both_ways = pytest.mark.parametrize("blocks", [True, False], ids=["blocking", "awaited"])


@both_ways
class TestLoading:
    def test_keeps_the_body_only_once(self, blocks):
        chunk = bytes(1000)
        request = Request(ToldHead({}, [chunk, b"a"], blocks))
        assert len(load(request)) == 1001
        assert [holder for holder in gc.get_referrers(chunk) if isinstance(holder, list | tuple)] == []


class TestLoadingWithoutBlocking:
    def test_gives_on_other_failures(self):
        with pytest.raises(ZeroDivisionError):
            load(Request(ToldHead(chunks=[ZeroDivisionError()])))


def test_a_plain_head_is_held_to_the_length_it_declares():
    with pytest.raises(BadRequest, match=r"ended after 2\b.*\b3\b"):
        _ = Request(RequestHead(headers={"content-length": "3"}, content=b"ab")).body
    assert Request(RequestHead(headers={"content-length": "3"}, content=b"abc")).body == b"abc"


class TestArgs:
    def test_are_the_fields_of_the_query(self):
        args = Request.blank("/?a=1&b=%C3%A9+x&a=2&c").args
        assert args.items() == [("a", "1"), ("b", "é x"), ("a", "2"), ("c", "")]
        assert args.get("a", type=int) == 2

    @rows(
        "limits, fits, too_much, limit",
            (Limits(query=5), "a=123", "a=1234", "query"),
            (Limits(fields=2), "a=1&b=2", "a=1&b=2&c=3", "fields"),
            (Limits(fields=0), "", "a", "fields"),
            (Limits(query=0), "", "a", "query"),
            (Limits(), "a=" + "x" * 65534, "a=" + "x" * 65535, "query"),
            (Limits(), "&".join(["a=1"] * 1000), "&".join(["a=1"] * 1001), "fields"),
    )  # fmt: skip
    def test_beyond_a_limit_are_a_414_that_names_it(self, limits, fits, too_much, limit):
        request = Request.blank(f"/?{fits}")
        request.limits = limits
        assert len(request.args.items()) == (fits.count("&") + 1 if fits else 0)
        request = Request.blank(f"/?{too_much}")
        request.limits = limits
        for _ in range(2):
            with pytest.raises(URITooLong) as refused:
                _ = request.args
            assert refused.value.members == {"limit": limit, "maximum": getattr(request.limits, limit)}
        assert str(getattr(limits, limit)) in refused.value.detail

    def test_can_be_read_once_the_limit_is_raised(self):
        request = Request.blank("/?a=1&b=2")
        request.limits = Limits(fields=1)
        with pytest.raises(URITooLong):
            _ = request.args
        request.limits = Limits(fields=2)
        assert len(request.args) == 2


class TestForm:
    def test_is_read_from_a_urlencoded_body(self):
        request = with_body(b"a=1&b=%C3%A9+x&a=2", f"{FORM.upper()}; charset=utf-8")
        assert request.form.items() == [("a", "1"), ("b", "é x"), ("a", "2")]

    def test_beyond_the_limit_is_a_413_that_names_it(self):
        for body, fits in ((b"a=1&b=2", True), (b"a=1&b=2&c=3", False)):
            request = with_body(body, FORM)
            request.limits = Limits(fields=2)
            if fits:
                assert len(request.form) == 2
                continue
            with pytest.raises(ContentTooLarge, match="2 fields") as refused:
                _ = request.form
            assert refused.value.members == {"limit": "fields", "maximum": 2}

    def test_a_missing_field_is_a_400(self):
        with pytest.raises(HTTPError) as missing:
            _ = with_body(b"a=1", FORM).form["b"]
        assert missing.value.status == 400


class TestText:
    @rows(
        "content_type, body, text",
        ("text/plain", "é€".encode(), "é€"),
        ("text/plain; charset=UTF-8", "é€".encode(), "é€"),
        ("text/plain; charset=iso-8859-1", b"\xe9", "é"),
        ("text/plain; charset=windows-1252", b"\x80", "€"),
        ("text/plain; charset=utf-16", "é€".encode("utf-16"), "é€"),
        ('text/plain; charset="shift_jis"', "日本".encode("shift_jis"), "日本"),
        ("text/plain", b"a\xff\xc3", "a\ufffd\ufffd"),
        ("text/plain; charset=us-ascii", b"a\xff", "aÿ"),
        ("", b"abc", "abc"),
    )
    def test_is_decoded_as_declared_else_as_utf_8(self, content_type, body, text):
        assert Request(ToldHead({"content-type": content_type}), body).text == text

    @rows(
        "charset",
        ["nonsense", "hex", "rot13", "zlib", "idna", "punycode", "undefined", "unicode_escape", "utf-7", "../x"],
    )
    def test_of_a_charset_that_the_web_does_not_know_is_read_as_utf_8(self, charset):
        # Python has codecs that are no charsets: some take quadratic time, some always raise.
        request = Request(ToldHead({"content-type": f"text/plain; charset={charset}"}), "é+AGE- \\x41 a-b".encode())
        assert request.text == "é+AGE- \\x41 a-b"

    def test_of_an_unknown_charset_leaves_nothing_behind(self):
        import encodings

        for number in range(10):
            _ = Request(ToldHead({"content-type": f"text/plain; charset=hostile-{number}"}), b"a").text
        assert [name for name in encodings._cache if "hostile" in name] == []


class TestJSON:
    @rows(
        "content_type", ["application/json", "Application/JSON; charset=utf-8", "application/problem+json", "text/json"]
    )
    def test_is_read_when_the_content_type_says_so(self, content_type):
        assert with_body(b'{"a": [1, "\xc3\xa9"]}', content_type).json == {"a": [1, "é"]}

    @rows("content_type", ["text/plain", FORM, "application/jsonp", "application/json, text/plain", "nonsense"])
    def test_is_a_415_that_names_any_other_type(self, content_type):
        request = with_body(b"{}", content_type)
        for read in (lambda: request.json, lambda: request.json_as(dict)):
            with pytest.raises(UnsupportedMediaType) as refused:
                read()
            assert "application/json" in refused.value.detail
            assert content_type in refused.value.detail

    def test_does_not_repeat_a_long_type_in_whole(self):
        with pytest.raises(UnsupportedMediaType) as refused:
            _ = with_body(b"{}", "text/plain; a=" + "b" * 100_000).json
        assert len(refused.value.detail) < 500

    @rows("body", [b"", b" ", b"{", b"[1,]", b"{'a': 1}", b"nan", b"\xff", b"[" * 100_000])
    def test_is_a_400_when_malformed(self, body):
        with pytest.raises(BadRequest, match="JSON"):
            _ = with_body(body, "application/json").json

    def test_without_a_name_that_is_asked_for_is_a_400(self):
        request = with_body(b'{"name": "tea", "in": {}}', "application/json")
        assert request.json["name"] == "tea"
        assert request.json.get("price") is None
        for error in (MissingKey, KeyError, BadRequest):
            with pytest.raises(error) as raised:
                _ = request.json["price"]
        assert raised.value.problem()["detail"] == "'price' is missing"

    def test_of_an_object_is_a_dict_like_any_other(self):
        value = with_body(b'{"b": 1, "a": [{}]}', "application/json").json
        assert isinstance(value, dict)
        assert (value, repr(value)) == ({"b": 1, "a": [{}]}, "{'b': 1, 'a': [{}]}")
        assert copy.deepcopy(value) == pickle.loads(pickle.dumps(value)) == value
        assert encode_json(value) == b'{"b":1,"a":[{}]}'


@dataclass
class Item:
    name: str
    price: float
    count: int = 1


class TestTyped:
    @rows("headers", [{"content-type": FORM}, {}], ids=["empty", "none"])
    def test_of_no_form_misses_what_is_required(self, headers):
        with pytest.raises(UnprocessableContent) as refused:
            Request.blank("/", "POST", headers).form_as(Item)
        assert [error["pointer"] for error in refused.value.problem()["errors"]] == ["/name", "/price"]

    @rows(
        "headers, sent",
        ({"content-type": "text/plain"}, "not text/plain"),
        ({"content-type": "application/json"}, "not application/json"),
        ({}, "but its type is not declared"),
    )
    def test_of_another_body_is_a_415(self, headers, sent):
        with pytest.raises(UnsupportedMediaType, match=f"The body must be a form, {sent}"):
            Request.blank("/", "POST", headers, b"name=tea&price=2").form_as(Item)

    def test_of_another_body_is_a_415_however_large_that_is(self):
        request = Request.blank("/", "POST", {}, bytes(2000))
        request.limits = Limits(memory=1000)
        with pytest.raises(UnsupportedMediaType):
            request.form_as(Item)


PLAIN = [
    "method", "path", "raw_path", "query_string", "root_path", "scheme", "is_secure", "http_version", "client", "ip",
]  # fmt: skip
UNREAD = ["mimetype", "route", "endpoint", "app", "path_params", "limits", "_deferred"]
ENVIRON = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "wsgi.url_scheme": "http"}
SCOPE = {"type": "http", "method": "GET", "path": "/", "headers": []}


class TestLaziness:
    def test_leaves_nothing_on_the_request_for_what_is_not_kept(self):
        request = Request(ToldHead())
        assert not vars(request)
        for attribute in PLAIN + [name for name in UNREAD if name != "mimetype"]:
            getattr(request, attribute)
        assert not vars(request)

    @rows(
        "head, make, index",
        (WSGIHead, lambda: Request(WSGIHead(ENVIRON)), []),
        # From Python 3.14 on the collector sees the index of the headers, too, though it is of strings alone.
        (ASGIHead, lambda: Request(ASGIHead(SCOPE, None)), [dict] if sys.version_info >= (3, 14) else []),
        ids=["wsgi", "asgi"],
    )
    def test_a_new_request_is_two_objects_for_the_collector(self, head, make, index):
        make()
        gc.collect()
        gc.disable()
        try:
            before = gc.get_objects()
            request = make()
            after = gc.get_objects()
        finally:
            gc.enable()
        known = {id(thing) for thing in before} | {id(before)}
        new = [type(thing) for thing in after if id(thing) not in known]
        assert sorted(new, key=repr) == sorted([head, Request, *index], key=repr)
        assert request.method == "GET"


class TestContext:
    def test_an_id_is_random_and_stays(self):
        ids = {Request.blank().id for _ in range(100)}
        assert len(ids) == 100
        assert all(len(name) == 32 and int(name, 16) >= 0 for name in ids)
        request = Request.blank()
        assert request.id == request.id

    @rows("line", range(8))
    def test_an_id_is_given_also_if_another_thread_takes_the_last_one_at_any_line(self, line):
        def take(frame, event, _):
            if frame.f_code is new_id.__code__ and frame.f_lineno - frame.f_code.co_firstlineno == line:
                _unused_ids.clear()
            return take

        first, tracing = Request.blank().id, sys.gettrace()
        sys.settrace(take)
        try:
            assert Request.blank().id != first
        finally:
            sys.settrace(tracing)

    def test_g_belongs_to_one_request(self):
        first, second = Request.blank(), Request.blank()
        first.g.user = "ada"
        assert first.g.user == "ada"
        assert not hasattr(second.g, "user")

    def test_limits_belong_to_one_request(self):
        first, second = Request.blank(), Request.blank()
        first.limits = Limits(body=1)
        assert (first.limits.body, second.limits) == (1, Limits())

    @rows("limits", [{"body": 1}, None, 1 << 20], ids=repr)
    def test_limits_are_limits(self, limits):
        request = Request.blank()
        with pytest.raises(TypeError, match=f"limits must be set as Limits.*, not {type(limits).__name__}"):
            request.limits = limits
        assert request.limits == Limits()

    def test_the_params_of_no_route_cannot_be_shared_by_chance(self):
        with pytest.raises(TypeError):
            Request.blank().path_params["name"] = "ada"
        assert Request.blank().path_params == {}


class TestG:
    def test_tells_what_is_on_it(self):
        request = Request.blank()
        assert "user" not in request.g
        request.g.user = "ada"
        assert "user" in request.g
        assert (request.g.user, vars(request.g)) == ("ada", {"user": "ada"})


class Own(Request):
    """A class of requests with attributes of its own."""


class TestUnknownAttributes:
    """They are refused in tests and in Python's development mode: each request would pay for that elsewhere."""

    @pytest.fixture(autouse=True)
    def _refusing(self, monkeypatch):
        monkeypatch.setattr(Request, "__setattr__", object.__setattr__)
        refuse_unknown_attributes(Request)

    @pytest.mark.parametrize(
        ("name", "fix"),
        [("limit", r"did you mean 'limits'\? .*request\.g\.limit"), ("current_user", r"request\.g\.current_user")],
    )
    def test_are_refused_with_the_way_to_keep_a_value(self, name, fix):
        request = Request.blank()
        with pytest.raises(AttributeError, match=rf"a request has no attribute '{name}'.*{fix}"):
            setattr(request, name, 5)
        assert not hasattr(request, name)

    def test_are_none_of_those_that_a_request_has(self):
        request = Request.blank("/?a=b")
        request.limits = Limits(body=5)
        request.path_params = {"id": 5}
        request.id = "5"
        assert (request.args["a"], request.url.path, request.path_params["id"], request.id) == ("b", "/", 5, "5")

    def test_are_known_to_a_class_of_one_s_own(self):
        request = Own.blank()
        request.user = "ada"
        assert request.user == "ada"

    @pytest.mark.processes
    def test_are_not_looked_at_in_production(self):
        code = "from antiphon import Request; Request.blank().limit = 5"
        run = partial(subprocess.run, capture_output=True, text=True, timeout=60, check=False)
        assert run([sys.executable, "-c", code]).returncode == 0
        assert "did you mean 'limits'" in run([sys.executable, "-X", "dev", "-c", code]).stderr
        tested = f"from antiphon.testing import Client; Client(None); {code}"
        assert "did you mean 'limits'" in run([sys.executable, "-c", tested]).stderr


@rows("result", [None, 7, "text"])
def test_the_result_of_a_call_is_refused_where_after_response_is_given_it(result):
    with pytest.raises(TypeError, match=r"request\.after_response\(print, 1\), not the result of a call: "):
        Request.blank().after_response(result)
