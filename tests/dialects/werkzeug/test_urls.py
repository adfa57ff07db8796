"""URLs: today's functions as Werkzeug has them, and the older ones by what Werkzeug 2.2 gave."""

import io

import pytest
import werkzeug.urls

from antiphon.dialects.werkzeug import urls
from antiphon.dialects.werkzeug.datastructures import MultiDict
from tests.helpers.rows import rows

IRIS = (
    "http://☃.net/påth?q=èry%DF", "http://xn--n3h.net/p%C3%A5th?q=%C3%A8ry%DF", "//user:p%40ss@Host:80/a b?c d#e f",
    "http://x/%2F%25%20?%26%3d+#%23%ff%41", "itms-services://?action=x", "http://[::1]:80/x", "http://h:0/",
    "http://@h/", "http://:@h/", "mailto:a@b", "/relative?q", "", "http://u%3A:p%2f@h/",
)  # fmt: skip


def attempt(call, url):
    try:
        return call(url)
    except ValueError:
        return ValueError


@rows("url", IRIS)
@rows("name", ["iri_to_uri", "uri_to_iri"])
def test_iris_and_uris_are_made_of_each_other(name, url):
    assert getattr(urls, name)(url) == getattr(werkzeug.urls, name)(url)


def test_bytes_and_tuples_are_taken_as_before():
    assert urls.iri_to_uri("http://x/ü".encode("latin-1"), "latin-1") == "http://x/%C3%BC"
    assert urls.iri_to_uri(urls.url_parse("http://x/ü")) == "http://x/%C3%BC"
    assert urls.iri_to_uri("http://x/[a]", safe_conversion=True) == "http://x/[a]"


@rows(
    "call, result",
    (lambda: urls.url_quote("a b/ä?~$"), "a%20b/%C3%A4%3F~$"),
    (lambda: urls.url_quote("ä/$", "latin-1", safe="", unsafe="$"), "%E4%2F%24"),
    (lambda: urls.url_quote(b"\xff"), "%FF"),
    (lambda: urls.url_quote(5), "5"),
    (lambda: urls.url_quote_plus("a b+c&d"), "a+b%2Bc%26d"),
    (lambda: urls.url_unquote("%C3%A4%zz+%ff"), "ä%zz+\ufffd"),
    (lambda: urls.url_unquote("%2F%20%41", unsafe="/ "), "%2F%20A"),
    (lambda: urls.url_unquote("%ff", None), b"\xff"),
    (lambda: urls.url_unquote_plus("a+b%2B"), "a b+"),
    (lambda: urls.url_fix("http://x/Elf (Begriffsklärung)#a b"), "http://x/Elf%20(Begriffskl%C3%A4rung)#a+b"),
    (lambda: urls.url_fix("http:\\\\ü.de\\a"), "http://xn--tda.de/a"),
    (lambda: urls.url_fix("file://C:/x y"), "file:///C%3A/x%20y"),
)
def test_text_is_quoted(call, result):
    assert call() == result


def test_queries_are_read_from_streams():
    assert urls.url_decode_stream(io.BytesIO(b"a=1&b=2&c=3"), limit=7).to_dict() == {"a": "1", "b": "2"}


@rows(
    "fields, options, query",
    ({"b": [1, 2, None], "a": "ä +~", "c": None}, {}, "b=1&b=2&a=%C3%A4+%2B~"),
    (MultiDict([("b", "1"), ("a", "2"), ("b", "3")]), {"sort": True}, "a=2&b=1&b=3"),
    ([("a", "1"), ("b", "2")], {"separator": ";"}, "a=1;b=2"),
    ([("a", "1"), ("b", "2")], {"sort": True, "key": lambda pair: -int(pair[1])}, "b=2&a=1"),
    ({"a": "ä"}, {"charset": "latin-1"}, "a=%E4"),
)
def test_queries_are_encoded(fields, options, query):
    assert urls.url_encode(fields, **options) == query
    stream = io.StringIO()
    urls.url_encode_stream(fields, stream, **options)
    assert stream.getvalue() == query
    options.pop("separator", None)
    assert list(urls.url_encode_stream(fields, **options)) == query.replace(";", "&").split("&")


def test_a_url_has_parts():
    url = urls.url_parse("HTTP://us%65r:p%40ss@[::1]:8080/a/b?q=1&q=2#f")
    assert url == ("http", "us%65r:p%40ss@[::1]:8080", "/a/b", "q=1&q=2", "f")
    assert (url.host, url.ascii_host, url.port, url.auth) == ("::1", "::1", 8080, "us%65r:p%40ss")
    assert (url.username, url.raw_username, url.password, url.raw_password) == ("user", "us%65r", "p@ss", "p%40ss")
    assert url.decode_query().getlist("q") == ["1", "2"]
    assert str(url) == url.to_url() == "http://us%65r:p%40ss@[::1]:8080/a/b?q=1&q=2#f"
    assert url.replace(query="", fragment="").to_url().endswith("/a/b")
    assert url.join("../c").path == "/c"
    assert (url.encode().decode(), url.encode().host) == (url.replace(netloc="user:p%40ss@[::1]:8080"), b"::1")
    assert urls.url_parse("http://ü.de/").encode_netloc() == "xn--tda.de"
    assert urls.url_parse("http://xn--tda.de/").decode_netloc() == "ü.de"
    assert urls.url_parse("http://ü.de/ä").to_uri_tuple() == ("http", "xn--tda.de", "/%C3%A4", "", "")
    assert urls.url_parse("http://xn--tda.de/%C3%A4").to_iri_tuple() == ("http", "ü.de", "/ä", "", "")


def test_a_scheme_or_a_fragment_may_be_left_to_the_caller():
    assert urls.url_parse("//x/#y", "https", allow_fragments=False) == ("https", "x", "/#y", "", "")
    with pytest.raises(ValueError, match="IPv6"):
        urls.url_parse("http://[::1/")


@rows(
    "url, system, location",
    ("file:///etc/../x", "posix", (None, "/x")),
    ("file://localhost/x", "posix", (None, "/x")),
    ("file://host/x", "posix", ("host", "/x")),
    ("file:///C|/a/b", "windows", (None, "C:\\a\\b")),
    ("file://///host/dir/f", "windows", ("host", "dir\\f")),
    ("http://x/", None, (None, None)),
)
def test_files_have_locations(url, system, location):
    assert urls.url_parse(url).get_file_location(system) == location


@rows(
    "base, reference, joined",
    ("http://a/b/c?q", "d", "http://a/b/d"), ("http://a/b/c?q", "../../d#f", "http://a/d#f"),
    ("http://a/b/c?q", "", "http://a/b/c?q"), ("http://a/b/c?q", "//x/y", "http://x/y"),
    ("http://a/b/c?q", "mailto:x", "mailto:x"), ("", "x", "x"), (b"http://a/b", b"c", b"http://a/c"),
    (("http", "a", "/b", "", ""), "c", "http://a/c"),
)  # fmt: skip
def test_references_are_joined(base, reference, joined):
    assert urls.url_join(base, reference) == joined


def test_an_href_makes_urls():
    href = urls.Href("/shop")
    assert href("cart", 3, None) == "/shop/cart/3"
    assert href("a b", is_=1, q=None) == "/shop/a%20b?is=1"
    assert href({"q": [1, 2]}) == "/shop?q=1&q=2"
    assert href.admin("x") == "/shop/admin/x"
    assert urls.Href("/", sort=True)(b=1, a=2) == "/?a=2&b=1"
    assert urls.Href("")("x") == "x"
    with pytest.raises(TypeError, match="combined"):
        href({"a": 1}, b=2)


@rows(
    "url",
    "http://h/%ff%fe?%ff", "itms-services:?action=x", "itms-services://x/?y", "http://xn--a.xn--n3h.net/",
    "http://xn--0/",
)  # fmt: skip
def test_iris_of_what_is_no_text(url):
    theirs = attempt(werkzeug.urls.uri_to_iri, url)
    assert urls.uri_to_iri(url) == (url.replace("xn--n3h", "\u2603") if theirs is ValueError else theirs)


def test_parts_of_odd_urls():
    assert str(urls.url_parse(b"http://h/a")) == "http://h/a"
    assert urls.url_parse(b"http://h/a").encode_netloc() == b"h"
    assert urls.url_parse("http://" + "\u00fc" * 70 + "a/").ascii_host == "a"
    assert urls.url_parse("http://u%FC@h/").username == "u\u00fc"
    assert urls.url_parse("http://h/").username is None
    with pytest.raises(TypeError, match="path format"):
        urls.url_parse("file:///a").get_file_location("mac")
    with pytest.raises(AttributeError):
        urls.Href("/").__wrapped__  # noqa: B018
