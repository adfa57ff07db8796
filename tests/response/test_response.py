import copy
import io
import pickle
import re
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from http import HTTPStatus
from urllib.parse import unquote, urljoin, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.cookies import SetCookie
from antiphon.http.header_property import header
from antiphon.http.headers import Headers
from antiphon.http.media_type import MediaType
from antiphon.http.multidict import MultiDict
from antiphon.http.redirect import Redirect
from antiphon.http.urls.url import URL
from antiphon.request.request import Request
from antiphon.response.fields import SharedFields
from antiphon.response.headers import ResponseHeaders
from antiphon.response.response import Response
from tests.helpers.rows import rows

TEXT, HTML, JSON = "text/plain; charset=utf-8", "text/html; charset=utf-8", "application/json"
BYTES = "application/octet-stream"


def sent(response, method="GET"):
    """What a server is told in answer to a method: status, header fields, body, and whether it is left out."""
    status, fields, length, body, is_silent, _ = response._message(method)
    declared = [] if length is None else [("content-length", str(length))]
    return status, [*fields, *declared], body, is_silent


def lengths(response, method="GET"):
    return [value for name, value in sent(response, method)[1] if name == "content-length"]


class Text(str):
    __slots__ = ()


class Octets(bytes):
    __slots__ = ()


async def chunks_later():
    yield b"a"


class TestBody:
    @rows(
        "body, content, content_type",
        ("é", "é".encode(), TEXT),
        ("", b"", TEXT),
        (Text("é"), "é".encode(), TEXT),
        (b"abc", b"abc", BYTES),
        (b"", b"", BYTES),
        (Octets(b"abc"), b"abc", BYTES),
        (bytearray(b"abc"), b"abc", BYTES),
        (memoryview(b"abc"), b"abc", BYTES),
        (None, b"", None),
        ids=lambda value: type(value).__name__,
    )
    def test_in_memory_is_bytes_at_once_and_has_its_length(self, body, content, content_type):
        response = Response(body)
        assert (response.body, response.is_streamed, response.content_type) == (content, False, content_type)
        assert type(sent(response)[2]) is bytes
        assert lengths(response) == [str(len(content))]

    @rows(
        "body",
        [5, 1.5, object(), len, {"error": "a"}, {}, OrderedDict(a="b"), MultiDict({"a": "b"}), Headers({"a": "b"})],
        ids=lambda value: type(value).__name__,
    )
    def test_of_no_bytes_text_or_chunks_is_refused_by_its_type(self, body):
        # A mapping is iterable, but its names are no body: JSON is meant.
        for put in (Response, lambda body: setattr(Response(), "body", body)):
            with pytest.raises(TypeError, match=type(body).__name__):
                put(body)

    def test_may_be_replaced_by_any_kind(self):
        response = Response("abc")
        for body, content in ((b"de", b"de"), ("é", "é".encode()), (None, b""), (bytearray(b"f"), b"f")):
            response.body = body
            assert response.body == content
            assert lengths(response) == [str(len(content))]
        response.body = chunks = [b"a"]
        assert response.body is chunks
        assert lengths(response) == []
        assert response.content_type == TEXT

    def test_that_is_no_utf_8_is_refused(self):
        with pytest.raises(ValueError, match="surrogate"):
            Response("\ud800")


class TestKinds:
    @rows(
        "headers, content_type, told",
        ((), None, "nosniff"),
        ({"x-a": "1"}, None, "nosniff"),
        ((), "Text/Plain", "nosniff"),
        ({"content-type": "text/plain"}, None, "nosniff"),
        ({"x-content-type-options": "none"}, None, "none"),
        ((), HTML, None),
        ((), "image/png", None),
    )
    def test_text_is_not_sniffed_so_that_browsers_take_it_for_nothing_else(self, headers, content_type, told):
        response = Response.stream([b"a"], None, headers, content_type=content_type)
        assert response.headers.get("x-content-type-options") == told
        if "content-type" not in headers:
            response = Response("a", None, headers, content_type=content_type)
            assert response.headers.get("x-content-type-options") == told

    @rows("make", [Response, Response.json, Response.stream], ids=["any", "json", "stream"])
    @rows(
        "headers, told",
        ({"content-type": "Text/Plain"}, ["nosniff"]),
        ([("Content-Type", TEXT), ("X-Content-Type-Options", "none")], ["none"]),
        ({"content-type": HTML}, []),
        ([("content-type", "image/png")], []),
        ({"content-type": HTML, "x-content-type-options": "nosniff"}, ["nosniff"]),
    )
    def test_text_is_not_sniffed_whether_an_argument_or_the_headers_name_its_type(self, make, headers, told):
        bodies = {Response: ["a", b"a", [b"a"]], Response.json: ["a"], Response.stream: [["a"], [b"a"]]}
        for body in bodies[make]:
            for fields in (headers, iter(Headers(headers).items())):
                response = make(body, None, fields)
                assert response.headers.getall("x-content-type-options") == told

    @rows(
        "make, body, content_type",
        (lambda *more: Response.text("é", *more), "é".encode(), TEXT),
        (lambda *more: Response.html("<p>é", *more), "<p>é".encode(), HTML),
        (lambda *more: Response.json({"a": ["é", None]}, *more), '{"a":["é",null]}'.encode(), JSON),
        (lambda *more: Response.stream([b"a"], *more), [b"a"], TEXT),
        (lambda *more: Response(b"a", *more, content_type="image/png"), b"a", "image/png"),
        (lambda *more: Response(None, *more), b"", None),
        ids=["text", "html", "json", "stream", "bytes", "nothing"],
    )
    def test_take_a_status_and_headers(self, make, body, content_type):
        plain = make()
        assert (plain.status, plain.body, plain.content_type, plain.error) == (200, body, content_type, None)
        response = make(201, {"X-A": "1"})
        assert (response.status, response.body, response.content_type) == (201, body, content_type)
        assert response.headers["x-a"] == "1"

    @rows(
        "make",
        lambda kind: Response(b"a", content_type=kind),
        lambda kind: Response.stream([b"a"], content_type=kind),
        lambda kind: Response.file(io.BytesIO(b"a"), content_type=kind),
        ids=["response", "stream", "file"],
    )
    @rows("kind", [MediaType("image", "png"), MediaType("text", "csv", {"charset": "utf-8"})])
    def test_take_a_type_as_an_upload_has_it(self, make, kind):
        response = make(kind)
        assert response.content_type == str(kind)
        response.content_type = MediaType("text", "plain")
        assert response.content_type == "text/plain"

    def test_json_takes_what_is_no_dictionary_and_refuses_what_is_no_json(self):
        @dataclass
        class Item:
            name: str

        written = [Response.json(value).body for value in (Item("tea"), [1], "a", None)]
        assert written == [b'{"name":"tea"}', b"[1]", b'"a"', b"null"]
        with pytest.raises(TypeError, match="object"):
            Response.json({"a": object()})

    @rows(
        "make",
        lambda headers: Response.json({}, 200, headers),
        lambda headers: Response.stream([b"{}"], 200, headers),
        lambda headers: Response("{}", 200, headers),
        lambda headers: Response(b"{}", 200, headers),
        ids=["json", "stream", "str", "bytes"],
    )
    def test_keep_a_content_type_that_the_headers_give(self, make):
        response = make({"Content-Type": "application/vnd.api+json"})
        assert [value for name, value in response.headers.items() if name == "content-type"] == [
            "application/vnd.api+json"
        ]

    def test_a_subclass_makes_itself(self):
        class Mine(Response):
            pass

        made = [Mine.text("a"), Mine.html("a"), Mine.json({}), Mine.redirect("/"), Mine.stream([])]
        assert {type(response) for response in made} == {Mine}

    def test_show_status_and_type(self):
        assert repr(Response("a", 404)) == f"<Response 404 {TEXT}>"
        assert repr(Response(None, 204)) == "<Response 204 without content>"


class TestOnAResponse:
    @rows("value", [{"a": ["é", None]}, [], "a", 1.5, None])
    def test_json_is_the_value_that_was_written(self, value):
        assert Response.json(value, 201).json == value

    @rows(
        "response, text",
        (Response("é"), "é"),
        (Response(b"\xc3\xa9"), "é"),
        (Response("é".encode("latin-1"), content_type="text/plain; charset=latin-1"), "é"),
        (Response("é", headers={"content-type": "nonsense"}), "é"),
        (Response("é", content_type="text/plain; charset=nonsense"), "é"),
        (Response.html("<p>"), "<p>"),
        (Response(), ""),
        (Response.stream(["a", b"b"]).freeze(), "ab"),
    )
    def test_text_is_the_body_in_its_charset(self, response, text):
        assert response.text == text

    @rows("content_type", [None, "text/plain; charset=nonsense", "text/plain; charset=rot13"])
    def test_text_in_no_such_charset_is_an_error(self, content_type):
        with pytest.raises(UnicodeDecodeError):
            Response(b"\xff", content_type=content_type).text  # noqa: B018

    @rows("body", ["", "{", b"\xff", "NaN"])
    def test_what_is_no_json_is_an_error_that_names_the_response(self, body):
        with pytest.raises(ValueError, match=r"<Response 404 .*> is not JSON"):
            Response(body, 404).json  # noqa: B018

    @rows("name", ["text", "json"])
    @rows("chunks", [[b"1"], chunks_later()])
    def test_a_stream_says_how_to_read_it(self, name, chunks):
        with pytest.raises(TypeError, match=r"freeze\(\) or await response.afreeze\(\)"):
            getattr(Response(chunks), name)

    @rows("name", ["back", "events", "file", "html", "multipart", "ndjson", "redirect", "stream", "template"])
    def test_what_makes_another_response_says_what_to_call(self, name):
        class Mine(Response):
            pass

        for kind in (Response, Mine):
            with pytest.raises(
                AttributeError, match=rf"call it on the class, {kind.__name__}\.{name}\(\.\.\.\)"
            ) as error:
                getattr(kind(), name)
            assert (error.value.name, callable(getattr(kind, name))) == (name, True)

    @rows("name", ["json", "text", "html"])
    def test_errors_about_arguments_name_what_was_called(self, name):
        with pytest.raises(TypeError, match=rf"^Response\.{name}\(\) got an unexpected"):
            getattr(Response, name)("", media_type="text/plain")

    def test_what_makes_one_is_found_again_by_pickles(self):
        makers = [Response.json, Response.html]
        assert pickle.loads(pickle.dumps(makers)) == makers


class TestStatus:
    @rows("status", [200, 201, 204, 299, 404, 599, HTTPStatus.CREATED, HTTPStatus.OK])
    def test_is_a_plain_int(self, status):
        response = Response(None, status)
        assert (response.status, type(response.status), type(sent(response)[0])) == (int(status), int, int)
        response.status = 500
        response.status = status
        assert (response.status, type(response.status)) == (int(status), int)

    @rows("bad", [0, -200, 100, 101, 199, 600, 1000, "200", "200 OK", 404.5, True, b"200"], ids=repr)
    def test_outside_of_200_to_599_is_refused(self, bad):
        for put in (
            lambda: Response("", bad),
            lambda: Response.json({}, bad),
            lambda: setattr(Response(), "status", bad),
        ):
            with pytest.raises(ValueError, match="200 to 599") as refused:
                put()
            assert repr(bad) in str(refused.value)

    @rows("make", [Response, Response.text, Response.html, Response.json, Response.stream])
    def test_is_200_unless_it_is_given(self, make):
        plain, given, changed = make("x"), make("x", 200), make("x")
        changed.status = 200
        assert [each.status for each in (plain, given, changed)] == [200, 200, 200]
        assert [each.has_own_status for each in (plain, given, changed)] == [False, True, True]
        assert [copy.copy(each).has_own_status for each in (plain, given)] == [False, True]


INJECTED = ["text/html\r\nx: y", "text/html; charset=utf-8\r\nset-cookie: a=b", "text/html; a=\0"]


@rows("name", ["status_code", "data", "content_typ", "mimetype", "user"])
def test_an_attribute_that_it_does_not_have_is_not_set_in_silence(name):
    with pytest.raises(AttributeError, match=name):
        setattr(Response("text"), name, 404)


class TestContentType:
    @rows(
        "given_type, wanted",
        ("text/html; charset=utf-8", "text/html; charset=utf-8"),
        ("Text/HTML;Charset=UTF-8", "text/html; charset=UTF-8"),
        ('multipart/mixed; boundary="a b"', 'multipart/mixed; boundary="a b"'),
        ("image/png", "image/png"),
    )
    def test_is_a_media_type(self, given_type, wanted):
        response = Response(b"a", content_type=given_type)
        assert response.content_type == wanted
        response = Response(b"a")
        response.content_type = given_type
        assert response.content_type == response.headers["content-type"] == wanted

    @rows("bad", ["", "text", "text/", "/html", "a b/c", "text/é", "text/plain; a=日本", *INJECTED])
    def test_that_is_none_is_refused(self, bad):
        for put in (lambda: Response("a", content_type=bad), lambda: setattr(Response("a"), "content_type", bad)):
            with pytest.raises(ValueError, match=r"media type|header"):
                put()

    def test_may_be_removed(self):
        response = Response("a")
        response.content_type = None
        assert response.content_type is None
        assert "content-type" not in response.headers
        response.content_type = None
        response = Response("a")
        del response.content_type
        assert "content-type" not in response.headers
        del response.content_type

    @rows("bad", [5, b"a/b", ["a/b"]], ids=repr)
    def test_that_is_no_text_is_refused(self, bad):
        with pytest.raises(ValueError, match=r"content-type cannot be .*str"):
            Response("a").content_type = bad

    def test_that_is_given_replaces_what_the_headers_have(self):
        response = Response("a", 200, [("content-type", "a/b"), ("Content-Type", "c/d")], content_type="text/csv")
        assert response.headers.items() == [("content-type", "text/csv")]


TEXT_ONLY = [("content-type", TEXT), ("x-content-type-options", "nosniff")]
LINES = [("X-A", "1"), ("Set-Cookie", "a=1"), ("set-cookie", "b=2")]


class TestHeaders:
    @rows("headers", [LINES, tuple(LINES), Headers(LINES), iter(LINES)], ids=["list", "tuple", "Headers", "iterator"])
    def test_may_be_pairs_or_headers(self, headers):
        response = Response(None, 200, headers)
        assert response.headers.items() == [("x-a", "1"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]

    def test_that_were_given_are_not_changed(self):
        given_headers = {"x-a": "1"}
        response = Response("a", 200, given_headers)
        response.headers["x-b"] = "2"
        assert given_headers == {"x-a": "1"}
        another = Response("a", 200, response.headers)
        another.headers["x-c"] = "3"
        assert "x-c" not in response.headers

    @rows("bad", [{"x-a": "a\r\nb: c"}, {"x-a": "a\0"}, {"x a": "b"}, {"x-a": "日本"}, {"x-a": " b"}, [("a\n", "b")]])
    def test_that_cannot_be_sent_are_refused(self, bad):
        with pytest.raises(ValueError, match="header"):
            Response("", 200, bad)
        with pytest.raises(ValueError, match="header"):
            Response().headers.update(bad)

    def test_location_is_a_property(self):
        response = Response(None, 201)
        assert response.location is None
        response.location = "/é"
        assert response.location == response.headers["location"] == "/%C3%A9"
        response.location = None
        response.location = None
        assert "location" not in response.headers

    def test_location_is_removed_by_what_is_empty_and_by_del(self):
        for remove in (lambda of: setattr(of, "location", ""), lambda of: delattr(of, "location")):
            response = Response(None, 201, {"location": "/a"})
            remove(response)
            assert (response.location, response.headers.items()) == (None, [])
            remove(response)

    @rows("bad", [5, b"/a", ["/a"], "/\ud800"], ids=ascii)
    def test_location_is_text(self, bad):
        response = Response(None, 201)
        with pytest.raises(ValueError, match="location cannot be "):
            response.location = bad
        assert response.location is None


class TestVary:
    @rows(
        "present, names, wanted",
        ([], ["accept"], "accept"),
        ([], ["accept", "cookie"], "accept, cookie"),
        (["Accept"], ["accept"], "Accept"),
        (["Accept, Cookie"], ["COOKIE", "origin"], "Accept, Cookie, origin"),
        (["a", "b"], ["c"], "a, b, c"),
        ([], ["accept", "Accept", "accept"], "accept"),
        (["a"], [], "a"),
        (["*"], ["accept"], "*"),
    )
    def test_names_each_header_once(self, present, names, wanted):
        response = Response(None, 200, [("vary", value) for value in present])
        response.vary(*names)
        assert response.headers["vary"] == wanted
        response.vary(*names)
        assert response.headers.values() == [wanted]

    @rows("bad", ["a b", "", "a\r\nb", "é"])
    def test_takes_names_of_headers_only(self, bad):
        with pytest.raises(ValueError, match="header"):
            Response().vary(bad)


class TestCookies:
    def cookies(self, response):
        return [SetCookie.parse(value) for name, value in response.headers.items() if name == "set-cookie"]

    def test_are_set_with_what_was_asked_for(self):
        response = Response()
        expires = datetime(2030, 1, 2, 3, 4, 5, tzinfo=timezone(timedelta(hours=1)))
        response.set_cookie(
            "a", "b c", max_age=60, expires=expires, path="/x", domain="example.com", secure=True, httponly=True,
            samesite="None", partitioned=True,
        )  # fmt: skip
        (cookie,) = self.cookies(response)
        assert (cookie.name, cookie.value, cookie.max_age, cookie.path) == ("a", "b c", 60, "/x")
        assert (cookie.domain, cookie.secure, cookie.httponly) == ("example.com", True, True)
        assert (cookie.samesite, cookie.partitioned) == ("None", True)
        assert cookie.expires == datetime(2030, 1, 2, 2, 4, 5, tzinfo=UTC)

    def test_are_for_the_whole_site_and_lax_by_default(self):
        response = Response()
        response.set_cookie("a", "1")
        assert response.headers.items() == [("set-cookie", "a=1; Path=/; SameSite=Lax")]

    def test_of_the_same_name_path_and_domain_are_replaced(self):
        response = Response()
        response.set_cookie("a", "1", max_age=5)
        response.set_cookie("b", "1")
        response.set_cookie("a", "2")
        assert [(cookie.name, cookie.value, cookie.max_age) for cookie in self.cookies(response)] == [
            ("b", "1", None),
            ("a", "2", None),
        ]

    def test_of_another_name_path_or_domain_stay(self):
        response = Response(None, 200, [("set-cookie", "a=raw; Path=/")])
        response.set_cookie("a", "1", path="/x")
        response.set_cookie("a", "2", domain="example.com")
        response.set_cookie("aa", "3")
        response.set_cookie("A", "4")
        assert [cookie.value for cookie in self.cookies(response)] == ["raw", "1", "2", "3", "4"]
        response.set_cookie("a", "new")
        assert [cookie.value for cookie in self.cookies(response)] == ["1", "2", "3", "4", "new"]

    @rows("odd", ["__Secure-x=1", "=", "b=" + "x" * 5000, "a=" + "x" * 5000], ids=lambda line: line[:12])
    def test_are_set_beside_lines_that_a_client_would_drop(self, odd):
        response = Response(None, 200, [("set-cookie", odd)])
        response.set_cookie("a", "1")
        response.set_cookie("a", "2")
        assert response.headers.items()[-1] == ("set-cookie", "a=2; Path=/; SameSite=Lax")
        assert "a=1; Path=/; SameSite=Lax" not in response.headers.values()

    def test_leave_other_headers_alone(self):
        response = Response("a", 200, {"x-a": "a=1", "vary": "cookie"})
        response.set_cookie("a", "1")
        response.set_cookie("a", "2")
        assert response.headers.items()[:3] == [("x-a", "a=1"), ("vary", "cookie"), ("content-type", TEXT)]

    @rows(
        "name, value, attributes",
        ("a b", "", {}),
        ("", "", {}),
        ("a", "b\r\nc: d", {}),
        ("a", "", {"samesite": "None"}),
        ("a", "", {"samesite": "sometimes"}),
        ("__Host-a", "", {}),
        ("__Host-a", "", {"secure": True, "path": "/x"}),
        ("a", "", {"path": "x"}),
        ("a", "", {"expires": datetime(2030, 1, 1)}),
        ("a", "x" * 5000, {}),
    )
    def test_that_a_client_would_drop_are_refused(self, name, value, attributes):
        response = Response()
        with pytest.raises(ValueError, match=r"."):
            response.set_cookie(name, value, **attributes)
        assert not response.headers

    def test_are_deleted_where_they_were_set(self):
        response = Response()
        response.set_cookie("a", "1", path="/x")
        response.set_cookie("a", "2")
        response.delete_cookie("a")
        kept, gone = self.cookies(response)
        assert (kept.path, kept.value) == ("/x", "1")
        assert (gone.name, gone.path, gone.value, gone.max_age) == ("a", "/", "", 0)
        assert gone.expires == datetime(1970, 1, 1, tzinfo=UTC)

    def test_are_deleted_with_their_attributes(self):
        response = Response()
        response.delete_cookie("__Host-a")
        response.delete_cookie("b", domain="example.com", path="/x", secure=True, httponly=True, samesite="Strict")
        first, second = self.cookies(response)
        assert (first.name, first.secure, first.path) == ("__Host-a", True, "/")
        assert (second.domain, second.path, second.secure, second.httponly) == ("example.com", "/x", True, True)
        assert second.samesite == "Strict"


class TestRedirect:
    @rows(
        "location, wanted",
        ("/a?b=c&d=%20#e", "/a?b=c&d=%20#e"),
        ("https://example.com:81/a;b=c,d!$'()*+@~", "https://example.com:81/a;b=c,d!$'()*+@~"),
        ("http://[::1]/", "http://[::1]/"),
        ("/é/日本?q=ü", "/%C3%A9/%E6%97%A5%E6%9C%AC?q=%C3%BC"),
        ("/a b", "/a%20b"),
        ("/a\r\nset-cookie: b=c", "/a%0D%0Aset-cookie:%20b=c"),
        ("/a\0\t\x7f", "/a%00%09%7F"),
        ("/\\evil.example", "/%5Cevil.example"),
        (' /a"<>^`{|}', "%20/a%22%3C%3E%5E%60%7B%7C%7D"),
        ("", ""),
    )
    def test_goes_to_a_uri_in_ascii(self, location, wanted):
        assert Response.redirect(location, external=True).location == wanted

    @given(st.text(st.characters(codec="utf-8")))
    def test_goes_where_it_was_told_without_breaking_the_header(self, location):
        response = Response.redirect(location, external=True)
        assert response.location.isascii()
        assert response.location.isprintable()
        assert " " not in response.location
        assert unquote(response.location) == unquote(location)

    @rows(
        "location",
            "https://example.org/", "HTTP://example.org", "//example.org", "//", "javascript:alert(1)", "mailto:a@b",
            "x-app+a.b:", "///example.org", "http:/next", "https:next",
    )  # fmt: skip
    def test_stays_on_this_site_unless_told(self, location):
        with pytest.raises(
            ValueError, match=f"a redirect to '{re.escape(location)}' may lead to another site.*external=True"
        ):
            Response.redirect(location)
        assert Response.redirect(location, external=True).location == location

    @rows(
        "location",
            "/next", "next", "../a:b", "?next=https://example.org", "#a:b", "", "/a//b", "1:2", "/http://example.org",
            "/\\example.org", "\\\\example.org", "\thttps://example.org", " //example.org", "\n//example.org", "é:b",
    )  # fmt: skip
    def test_leads_to_places_of_this_site(self, location):
        sent = Response.redirect(location).location
        for joined in (urljoin("http://here/a/", sent), URL("http://here/a/").join(sent)):
            assert urlsplit(joined).netloc == "here"

    @rows(
        "location, wanted",
            ("/next", "/next"), ("next?a=b", "next?a=b"), ("//evil.example", "/ä"), ("https://here/", "/ä"),
            ("javascript:alert(1)", "/ä"), (None, "/ä"), ("", "/ä"), ("?page=2#top", "?page=2#top"), ("/é", "/%C3%A9"),
            ("/\\evil.example", "/ä"), ("\\/evil.example", "/ä"), ("\\\\evil.example", "/ä"), ("a\\b", "/ä"),
            ("?a\\b", "?a%5Cb"),
            ("/\t/evil.example", "/ä"), ("/\n/evil.example", "/ä"), ("java\tscript:alert(1)", "/ä"), ("\r\n/a", "/ä"),
            (" //evil.example", "/ä"), ("\0//evil.example", "/ä"), ("\x1f/a", "/ä"), ("/a ", "/ä"), ("/a\x7f", "/ä"),
            ("https:evil.example", "/ä"), ("http:/evil.example", "/ä"), ("///evil.example", "/ä"), ("data:,a", "/ä"),
            ("/\ud800", "/ä"), ("\ud800", "/ä"), ("http://[", "/ä"), ("//[::1", "/ä"), ("http://a:99999999/", "/ä"),
            ("/" + "a" * 2047, "/" + "a" * 2047), ("/" + "a" * 2048, "/ä"), ("/" + "é" * 1024, "/ä"),
            (5, "/ä"), (b"/a", "/ä"), (["/a"], "/ä"), ({}, "/ä"),
    )  # fmt: skip
    def test_of_a_client_s_choice_leads_otherwise_to_a_place_of_this_site(self, location, wanted):
        wanted = wanted.replace("ä", "%C3%A4")
        assert Response.redirect(location, otherwise="/ä").location == wanted
        assert Redirect(location, otherwise="/ä").location == wanted

    @rows(
        "location, wanted",
            ("https://shop.example/cart?a=b", "/cart?a=b"), ("https://shop.example", "/"),
            ("HTTPS://Shop.Example:443/cart", "/cart"), ("https://shop.example//evil.example/", "/.//evil.example/"),
            ("https://evil.example@shop.example/a", "/a"), ("https://shop.example/é", "/%C3%A9"), ("/cart", "/cart"),
            ("http://shop.example/cart", "/home"), ("https://shop.example:444/", "/home"), ("//shop.example/", "/home"),
            ("https://shop.example@evil.example/", "/home"), ("https://shop.example.evil.example/", "/home"),
            ("https://shop.example\\@evil.example/", "/home"), ("https://evil.example\\@shop.example/", "/home"),
            ("https:///shop.example/", "/home"), ("https:shop.example", "/home"), ("https://shop.exam\tple/", "/home"),
    )  # fmt: skip
    def test_of_a_client_s_choice_may_be_a_whole_url_of_this_site(self, location, wanted):
        origin = "https://shop.example"
        assert Response.redirect(location, otherwise="/home", origin=origin).location == wanted
        assert Redirect(location, otherwise="/home", origin=origin).location == wanted

    @rows("origin", ["", None])
    def test_of_a_client_s_choice_leads_nowhere_else_where_the_origin_is_unknown(self, origin):
        for location in ("", "http:///a", "x:", "//"):
            assert Response.redirect(location, otherwise="/home", origin=origin).location == "/home"

    @given(st.text(st.sampled_from("/\\:@.?#%\t\n\r \0ahtpsjv[]é\ud800")) | st.text())
    def test_of_a_client_s_choice_stays_here_whatever_it_is(self, location):
        sent = Response.redirect(location, otherwise="/home", origin="http://here").location
        assert not re.search(r"[^!-~]|\\|\A//|\A[A-Za-z][A-Za-z0-9+.-]*:", sent)
        assert urlsplit(urljoin("http://here/a/b", sent)).netloc == "here"

    @rows("location", ["/next", "//evil.example", None])
    def test_leads_otherwise_to_no_other_site(self, location):
        with pytest.raises(ValueError, match=r"otherwise='//other\.example' may lead to another site"):
            Response.redirect(location, otherwise="//other.example")


class TestBack:
    @rows(
        "referrer, location",
        ("http://example.com/a?b=c#d", "/a?b=c"),
        ("http://EXAMPLE.com:80/a", "/a"),
        ("http://example.com", "/"),
        ("http://example.com//evil.example/x", "/.//evil.example/x"),
        ("https://example.com/a", "/home"),
        ("http://example.com:81/a", "/home"),
        ("http://example.com.evil.example/a", "/home"),
        ("http://example.com@evil.example/a", "/home"),
        ("http://evil.example/http://example.com/", "/home"),
        ("http:///a", "/home"),
        ("/a", "/home"),
        ("//example.com/a", "/home"),
        ("http://exa\tmple.com/", "/home"),
        ("null", "/home"),
        ("", "/home"),
    )
    def test_leads_to_the_page_of_this_site_that_the_client_comes_from(self, referrer, location):
        request = Request.blank("http://example.com/x", "POST", {"referer": referrer})
        response = Response.back(request, "/home")
        assert (response.status, response.location) == (303, location)

    def test_leads_to_the_root_without_a_referrer(self):
        assert Response.back(Request.blank(), status=302).location == "/"

    def test_knows_no_own_site_where_host_is_malformed(self):
        request = Request.blank("/", "GET", {"host": "a b", "referer": "http:///a"})
        assert Response.back(request).location == "/"

    def test_refuses_a_default_elsewhere(self):
        with pytest.raises(ValueError, match="external"):
            Response.back(Request.blank(), "//example.org")


class TestMessage:
    @rows("method", ["GET", "POST", "DELETE", "OPTIONS", "head"])
    def test_to_most_methods_is_the_whole_response(self, method):
        assert sent(Response("abc", 201), method) == (201, [*TEXT_ONLY, ("content-length", "3")], b"abc", False)

    def test_to_head_has_the_same_head_and_leaves_out_the_body(self):
        for response in (Response("abc"), Response([b"abc"]), Response(None), Response(None, 204), Response("a", 404)):
            got, head = sent(response), sent(response, "HEAD")
            assert head[:2] == got[:2]
            assert head[3] is True

    def test_without_a_body_declares_a_length_of_zero(self):
        assert sent(Response(None)) == (200, [("content-length", "0")], b"", False)
        assert sent(Response.redirect("/"))[1] == [("location", "/"), ("content-length", "0")]

    @rows("status", [204, 304])
    @rows("body", [None, "abc", [b"a"]], ids=["nothing", "text", "stream"])
    def test_that_may_have_no_body_leaves_it_out_and_declares_no_length(self, status, body):
        response = Response(body)
        response.status = status
        assert sent(response)[3] is True
        assert lengths(response) == lengths(response, "HEAD") == []

    def test_of_not_modified_may_declare_the_length_that_would_have_been(self):
        assert lengths(Response(None, 304, {"content-length": "5"})) == ["5"]

    def test_of_no_content_never_declares_one(self):
        # RFC 9110 §8.6: a server must not send Content-Length with a 204.
        assert lengths(Response(None, 204, {"content-length": "0"})) == []

    def test_knows_the_names_of_headers_that_have_hyphens(self):
        names = {part.header for part in vars(ResponseHeaders).values() if isinstance(part, header)}
        for name in names:
            if "-" in name:
                with pytest.raises(ValueError, match=f"must have hyphens: '{name}'"):
                    Response("", headers={name.replace("-", "_"): "1"})
                with pytest.raises(ValueError, match=f"must have hyphens: '{name}'"):
                    Response.text("", headers={name.replace("-", "_"): "1"})
                assert Response("", headers=[(name.replace("-", "_"), "1")]).headers.items()

    @rows("status", [204, 205, 304])
    @rows("make", [Response, Response.text, Response.html, Response.json])
    def test_with_content_needs_a_status_that_has_some(self, make, status):
        for headers in ((), {"x-a": "1"}):
            with pytest.raises(ValueError, match=rf"a response with status {status} has no content .* got \d+ bytes"):
                make("abc", status, headers)
        assert Response(b"", status).body == b""

    def test_of_reset_content_is_empty(self):
        # RFC 9110 §15.3.6: a server must not generate content in a 205.
        response = Response("abc")
        response.status = 205
        assert lengths(response) == ["0"]
        assert sent(response)[2] == b"" or sent(response)[3]

    def test_declares_a_length_that_was_given_only_once(self):
        assert lengths(Response("abc", 200, {"Content-Length": "3"})) == ["3"]
        assert lengths(Response([b"abc"], 200, {"Content-Length": "3"})) == ["3"]

    def test_to_head_keeps_the_length_that_a_handler_without_the_body_knows(self):
        assert lengths(Response(None, 200, {"content-length": "1000"}), "HEAD") == ["1000"]

    def test_declares_the_length_of_the_body_that_is_sent(self):
        response = Response("abc", 200, {"content-length": "3"})
        response.body = "longer"
        assert lengths(response) == ["6"]

    @rows("is_shared", [True, False])
    def test_is_given_fields_that_it_has_not(self, is_shared):
        response = Response("a")
        if not is_shared:
            response.headers["x-a"] = "own"
        copied = copy.copy(response)
        for _ in range(2):
            copied.add_missing(SharedFields.of([("content-type", "text/html"), ("x-a", "1"), ("x-b", "2")]))
        assert copied.headers.items() == [*TEXT_ONLY, ("x-a", "1" if is_shared else "own"), ("x-b", "2")]
        assert response.headers.get("x-b") is None

    def test_carries_what_a_class_of_ones_own_puts_on_it(self):
        class Page(Response):
            template = ""

        response = Page("a")
        response.template = "page.html"
        assert response.template == "page.html"
        assert copy.copy(response).template == copy.deepcopy(response).template == "page.html"


@rows(
    "fields, sent",
    ([("content-length", "0"), ("content-length", "9")], [("content-length", None)]),
    ([("content-length", "2"), ("content-length", "2")], [("content-length", "2")]),
    ([("content-length", "9")], [("content-length", None)]),
    ([("transfer-encoding", "chunked")], [("content-length", None)]),
    ([("transfer-encoding", "chunked"), ("content-length", "2")], [("content-length", "2")]),
)
def test_nobody_is_told_of_two_ends(fields, sent):
    response = Response("ab", headers=[("x-a", "1"), *fields])
    _, named, length, *_ = response._message("GET")
    framing = [field for field in named if field[0] in ("content-length", "transfer-encoding")]
    assert framing == [field for field in sent if field[1]]
    assert length == (None if framing else 2)
    assert ("x-a", "1") in named


@rows("length", [0, 1 << 31, 3 << 30, 10**15])
def test_a_content_length_is_read_back_as_it_was_set(length):
    response = Response()
    response.content_length = length
    assert (response.headers["content-length"], response.content_length) == (str(length), length)


@rows("text", ["", "x", "-1", "1.5", "1, 2"])
def test_a_malformed_content_length_reads_as_none(text):
    assert Response(headers={"content-length": text}).content_length is None


def test_parts_have_their_own_fields():
    response = Response.multipart([Response.html("<p>"), Response(b"\0\r\n", headers={"content-location": "/b"})], 201)
    kind, _, boundary = response.content_type.partition("; boundary=")
    delimiter = b"--" + boundary.encode()
    assert (response.status, kind) == (201, "multipart/mixed")
    assert response.body == b"".join([
        delimiter, b"\r\ncontent-type: text/html; charset=utf-8\r\n\r\n<p>\r\n",
        delimiter, b"\r\ncontent-location: /b\r\ncontent-type: application/octet-stream\r\n\r\n\0\r\n\r\n",
        delimiter, b"--\r\n",
    ])  # fmt: skip
    with pytest.raises(TypeError, match="its content as bytes"):
        Response.multipart([Response(iter(["x"]))])
