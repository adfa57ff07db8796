import copy
import ipaddress
import pickle
import re
from datetime import UTC, date, datetime
from enum import Enum
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from antiphon.http.urls.url import URL, decode_path, encode_path, parse_host, quote_path, unquote
from antiphon.http.urls.urlencoded import parse_query
from tests.helpers.rows import rows

texts = st.text(st.characters(codec="utf-8"))


class TestParts:
    @rows(
        "text, scheme, netloc, path, query, fragment",
            ("", "", "", "", "", ""),
            ("https://example.com", "https", "example.com", "", "", ""),
            ("HTTPS://u:p@Example.com:8443/a%20b?c=d#e?f", "https", "u:p@Example.com:8443", "/a%20b", "c=d", "e?f"),
            ("http://example.com?a=/b", "http", "example.com", "", "a=/b", ""),
            ("http://example.com#a", "http", "example.com", "", "", "a"),
            ("//example.com/a", "", "example.com", "/a", "", ""),
            ("/a/b;c=1?d#e", "", "", "/a/b;c=1", "d", "e"),
            ("a/b:c", "", "", "a/b:c", "", ""),
            ("mailto:ada@example.com", "mailto", "", "ada@example.com", "", ""),
            ("file:///etc/hosts", "file", "", "/etc/hosts", "", ""),
            ("?a=b", "", "", "", "a=b", ""),
            ("#top", "", "", "", "", "top"),
            ("?#", "", "", "", "", ""),
            ("1a:b", "", "", "1a:b", "", ""),
            ("http://example.com/a\u2028b", "http", "example.com", "/a\u2028b", "", ""),
    )  # fmt: skip
    def test_are_split_as_in_rfc_3986(self, text, scheme, netloc, path, query, fragment):
        url = URL(text)
        assert url == text
        assert (url.scheme, url.netloc, url.path, url.query, url.fragment) == (scheme, netloc, path, query, fragment)

    @rows(
        "netloc, userinfo, host, port",
        ("Example.COM", "", "example.com", None), ("example.com:8443", "", "example.com", 8443),
        ("example.com:", "", "example.com", None),
        ("ada:pw@example.com:80", "ada:pw", "example.com", 80),
        ("a@b@example.com", "a@b", "example.com", None), ("[2001:DB8::1]:443", "", "2001:db8::1", 443),
        ("[::1]", "", "::1", None), ("a.0x7f.example", "", "a.0x7f.example", None),
        ("1.example:80", "", "1.example", 80), ("192.168.0.1", "", "192.168.0.1", None),
        ("[0:0:0:1:0:0:0:1]", "", "::1:0:0:0:1", None),
        ("[2001:db8:0:1:2:3:4:5]", "", "2001:db8:0:1:2:3:4:5", None),
        ("[0:0:0:0:0:0:0:0]", "", "::", None), ("[1:0:0:2:0:0:3:4]", "", "1::2:0:0:3:4", None),
        ("[::ffff:127.0.0.1]", "", "::ffff:7f00:1", None), ("example.com:http", "", "", None),
        ("example.com:99999", "", "", None), ("[::1", "", "", None), ("a b", "", "", None),
    )  # fmt: skip
    def test_of_the_authority(self, netloc, userinfo, host, port):
        url = URL(f"http://{netloc}/")
        assert (url.userinfo, url.host, url.port) == (userinfo, host, port)

    @rows(
        "netloc",
            "faß.example", "Bücher.example", "127\u30020\u30020\u30021", "\uff4cocalhost", "%6cocalhost", "2130706433",
            "0x7f000001", "017700000001", "127.1", "192.0x00A80001", "0x7f.0.0.1", "127.0.0.01", "127.0.0.1.",
            "256.0.0.1", "1.2.3.4.5", "web.1", "a.0x",
    )  # fmt: skip
    def test_a_host_that_browsers_read_as_another_one_is_none(self, netloc):
        url = URL(f"http://a@{netloc}:8000/")
        assert (url.netloc, url.host, url.port, url.origin) == (f"a@{netloc}:8000", "", None, "")

    @rows(
        "text, origin",
        ("https://Example.com:8443/a?b", "https://example.com:8443"),
        ("HTTPS://example.com:443/", "https://example.com"), ("http://example.com:80", "http://example.com"),
        ("http://example.com:443", "http://example.com:443"), ("ws://example.com:80/", "ws://example.com"),
        ("ftp://example.com:21/", "ftp://example.com"), ("http://u:p@example.com/", "http://example.com"),
        ("http://[::1]:8000/", "http://[::1]:8000"), ("http://[::1]/", "http://[::1]"),
        ("custom://example.com:80/", "custom://example.com:80"),
        ("http://example.com:0/", "http://example.com:0"), ("/relative", ""), ("//example.com/", ""),
        ("data:text/plain,x", ""), ("http://exa mple.com/", ""), ("http://example.com:99999/", ""),
    )  # fmt: skip
    def test_give_the_origin(self, text, origin):
        assert URL(text).origin == origin

    @given(
        st.sampled_from(["http", "custom+x"]),
        st.text("ab.:@[]-ä%"),
        st.text("ab/:@%;="),
        st.text("ab/?=&"),
        st.text("a#/?"),
    )
    def test_are_found_again(self, scheme, netloc, path, query, fragment):
        assume(netloc)
        url = URL(f"{scheme}://{netloc}/{path}?{query}#{fragment}")
        assert (url.scheme, url.netloc, url.path) == (scheme, netloc, f"/{path}")
        assert (url.query, url.fragment) == (query, fragment)

    @given(st.text("abAZ019:/?#[]@%.ä-", max_size=40).filter(lambda text: not text.startswith("///")))
    @example("http://[::1/")
    @example("http://a:b:c@d:e/")
    def test_never_raise(self, text):
        url = URL(text)
        assert url.netloc in text
        assert url.userinfo in url.netloc
        assert url.host in url.netloc.lower()
        assert url.port is None or f":{url.port}" in re.sub(":0+(?=[0-9])", ":", url.netloc)
        assert {type(part) for part in (url.path, url.query, url.fragment, url.netloc, url.host)} == {str}
        assert url.origin == "" or url.origin.startswith(f"{url.scheme}://")

    @rows(
        "bad",
        *(
            "http:/example.com", "HTTPS:example.com", "http:g", "wss:", "ftp:?a", "http:///example.com",
            "http:////example.com/",
        ),
        *("ws:/a:b@example.com", "http::@example.com", "https:/@example.com/\u2028"),
        *("///example.com", "/a\r\nb", "/\0", "\thttp://a/", " /a", "/a ", "/\\example.com", "\\\\a", "/\x7f"),
    )  # fmt: skip
    def test_text_that_browsers_read_otherwise_is_refused(self, bad):
        with pytest.raises(ValueError, match="browsers would read"):
            URL(bad)

    def test_a_backslash_in_the_query_is_nothing_special(self):
        assert URL("/a?b=\\#\\").query == "b=\\"


def test_a_url_is_a_str_that_copies_and_pickles():
    url = URL.build(scheme="https", host="example.com", root_path="/app", path="/a")
    for same in (pickle.loads(pickle.dumps(url)), copy.copy(url), copy.deepcopy(url)):
        assert same == "https://example.com/app/a"
        assert type(same) is URL
        assert same.root == "https://example.com/app/"
        assert same.path == "/app/a"
    assert {url: 1}["https://example.com/app/a"] == 1
    assert type(url + "/b") is str


class TestBuild:
    @rows(
        "parts, text",
        ({}, "https://example.com/"), ({"path": "/a"}, "https://example.com/a"),
        ({"path": b"/a%2Fb\xc3\xa4"}, "https://example.com/a%2Fb%C3%A4"),
        ({"path": "/ä b%20c%"}, "https://example.com/%C3%A4%20b%20c%25"),
        ({"path": "a"}, "https://example.com/a"), ({"path": ""}, "https://example.com/"),
        ({"path": "//a"}, "https://example.com//a"), ({"path": "*"}, "https://example.com/"),
        ({"path": b"*"}, "https://example.com/"),
        ({"root_path": "/app", "path": "*"}, "https://example.com/"),
        ({"host": "", "root_path": "/app", "path": "*"}, "/"), ({"path": "/*"}, "https://example.com/*"),
        ({"path": "**"}, "https://example.com/**"),
        ({"path": "/a?b#c\r\n\\"}, "https://example.com/a%3Fb%23c%0D%0A%5C"),
        ({"root_path": "/app", "path": "/a"}, "https://example.com/app/a"),
        ({"root_path": "app/", "path": ""}, "https://example.com/app/"),
        ({"root_path": "/ä", "path": "/"}, "https://example.com/%C3%A4/"),
        ({"query": b"a=1&b=%20+\xc3\xa4"}, "https://example.com/?a=1&b=%20+%C3%A4"),
        ({"query": 'q=ä#\n "<>'}, "https://example.com/?q=%C3%A4%23%0A%20%22%3C%3E"),
        ({"query": "q[a]=%zz"}, "https://example.com/?q[a]=%25zz"),
        ({"host": "[::1]:8000"}, "https://[::1]:8000/"),
        ({"host": "", "root_path": "/app", "path": "/a", "query": "b"}, "/app/a?b"),
        ({"host": "", "path": "//example.org/"}, "/.//example.org/"),
    )  # fmt: skip
    def test_puts_a_url_together(self, parts, text):
        assert URL.build(**{"scheme": "https", "host": "example.com"} | parts) == text

    @rows(
        "parts, root",
        ({}, "https://example.com/"),
        ({"root_path": "/app", "path": "/a", "query": "b"}, "https://example.com/app/"),
        ({"host": "", "root_path": "/app"}, "/app/"),
        ({"root_path": "app/"}, "https://example.com/app/"),
        ({"root_path": "/app", "path": "*"}, "https://example.com/app/"),
        ({"host": "example.com:443"}, "https://example.com/"),
        ({"host": "example.com:8443", "root_path": "/a b"}, "https://example.com:8443/a%20b/"),
    )
    def test_remembers_the_root(self, parts, root):
        url = URL.build(**{"scheme": "https", "host": "example.com"} | parts)
        assert url.root == root
        assert url.with_query(a=1).root == root
        assert url.join("../other").root == root
        assert url.join("https://example.org/").root == "https://example.org/"

    @rows(
        "parts",
        {"scheme": "ht tp"}, {"scheme": ""}, {"host": "a/b"}, {"host": "user@a"}, {"host": " "}, {"host": "a\r\nb"},
    )  # fmt: skip
    def test_refuses_a_bad_scheme_or_host(self, parts):
        with pytest.raises(ValueError, match="not a"):
            URL.build(**{"scheme": "https", "host": "example.com"} | parts)

    @given(st.binary(), st.binary())
    def test_any_path_and_query_stay_in_their_places(self, path, query):
        url = URL.build(scheme="http", host="example.com", path=b"/" + path, query=query)
        parts = urlsplit(str(url))
        assert (url.path, url.query) == (parts.path, parts.query)
        assert url.isascii()
        assert url.isprintable()
        assert unquote_to_bytes(url.path) == unquote_to_bytes(b"/" + path)
        assert parse_query(url.query.encode()) == parse_query(query)
        assert URL(url) == url


class Colour(Enum):
    RED = "red"
    ANY = True


class TestWithQuery:
    @rows(
        "query, changes, result",
        ("", {"page": 2}, "?page=2"), ("?page=1", {"page": 2}, "?page=2"),
        ("?a=1&page=1&b=2", {"page": 2}, "?a=1&page=2&b=2"),
        ("?page=1&a=1&page=3", {"page": 2}, "?page=2&a=1"),
        ("?a=1&page=1", {"page": None}, "?a=1"), ("?page=1&page=2", {"page": None}, ""),
        ("?a=1", {"b": ["x", "y"], "c": ()}, "?a=1&b=x&b=y"),
        ("?b=0&a=1", {"b": ("x", "y")}, "?b=x&b=y&a=1"),
        ("?a=%7e+%20&flag&=&p%61ge=1", {"page": 2}, "?a=%7e+%20&flag&=&page=2"),
        ("?first+name=a", {"first name": "b"}, "?first+name=b"),
        ("?a&&b", {"c": "&=ä"}, "?a&b&c=%26%3D%C3%A4"),
        ("?a=1", {}, "?a=1"), ("?%C3%A4=1", {"ä": "2"}, "?%C3%A4=2"),
        ("", {"new": True, "old": [False, 0, 1.5]}, "?new=true&old=false&old=0&old=1.5"),
        ("", {"colour": Colour.RED, "best": Colour.ANY}, "?colour=red&best=true"),
        (
            "",
            {"day": date(2026, 11, 20), "at": datetime(2026, 11, 20, 12, tzinfo=UTC)},
            "?day=2026-11-20&at=2026-11-20T12%3A00%3A00%2B00%3A00",
        ),
    )  # fmt: skip
    def test_replaces_in_place(self, query, changes, result):
        url = URL(f"http://example.com/a{query}#f")
        assert url.with_query(changes) == f"http://example.com/a{result}#f"
        assert url.with_query(**changes) == f"http://example.com/a{result}#f"

    def test_takes_a_mapping_and_names(self):
        assert URL("/?a=1").with_query({"a": 2, "page-size": 3}, a=4) == "/?a=4&page-size=3"

    @given(st.lists(st.tuples(texts, texts)), texts, texts)
    def test_the_other_fields_stay(self, pairs, name, value):
        url = URL("/").with_query({key: [text for other, text in pairs if other == key] for key, _ in pairs})
        changed = parse_query(url.with_query({name: value}).query.encode())
        assert [pair for pair in changed if pair[0] == name] == [(name, value)]
        assert [pair for pair in changed if pair[0] != name] == [
            pair for pair in parse_query(url.query.encode()) if pair[0] != name
        ]


class TestJoin:
    @rows(
        "reference, result",
        ("g:h", "g:h"), ("g", "http://a/b/c/g"), ("./g", "http://a/b/c/g"), ("g/", "http://a/b/c/g/"),
        ("/g", "http://a/g"), ("//g", "http://g"), ("?y", "http://a/b/c/d;p?y"), ("g?y", "http://a/b/c/g?y"),
        ("#s", "http://a/b/c/d;p?q#s"), ("g#s", "http://a/b/c/g#s"), ("g?y#s", "http://a/b/c/g?y#s"),
        (";x", "http://a/b/c/;x"), ("g;x", "http://a/b/c/g;x"), ("g;x?y#s", "http://a/b/c/g;x?y#s"),
        ("", "http://a/b/c/d;p?q"), (".", "http://a/b/c/"), ("./", "http://a/b/c/"), ("..", "http://a/b/"),
        ("../", "http://a/b/"), ("../g", "http://a/b/g"), ("../..", "http://a/"), ("../../", "http://a/"),
        ("../../g", "http://a/g"), ("../../../g", "http://a/g"), ("../../../../g", "http://a/g"),
        ("/./g", "http://a/g"), ("/../g", "http://a/g"), ("g.", "http://a/b/c/g."), (".g", "http://a/b/c/.g"),
        ("g..", "http://a/b/c/g.."), ("..g", "http://a/b/c/..g"), ("./../g", "http://a/b/g"),
        ("./g/.", "http://a/b/c/g/"), ("g/./h", "http://a/b/c/g/h"), ("g/../h", "http://a/b/c/h"),
        ("g;x=1/./y", "http://a/b/c/g;x=1/y"), ("g;x=1/../y", "http://a/b/c/y"), ("g?y/./x", "http://a/b/c/g?y/./x"),
        ("g?y/../x", "http://a/b/c/g?y/../x"), ("g#s/./x", "http://a/b/c/g#s/./x"),
        ("g#s/../x", "http://a/b/c/g#s/../x"),
    )  # fmt: skip
    def test_resolves_the_examples_of_rfc_3986(self, reference, result):
        assert URL("http://a/b/c/d;p?q").join(reference) == result

    @rows(
        "base, reference, result",
        ("http://a", "b", "http://a/b"), ("http://a", ".", "http://a/"), ("http://a/b", "//c/../d/.", "http://c/d/"),
        ("http://a/b", "HTTPS://c/./d?..", "HTTPS://c/d?.."), ("http://a#f", "", "http://a"),
        ("http://a?q#f", "#g", "http://a?q#g"), ("http://a?q", "?", "http://a?"), ("/a/b", "c", "/a/c"),
        ("/a/b", "../../c", "/c"), ("a/b", "../../c", "c"), ("a", "b", "b"),
        ("/a", "/..//example.org/", "/.//example.org/"), ("/a/b", "..//example.org/", "/.//example.org/"),
        ("a/b", "../x:y", "./x:y"),
    )  # fmt: skip
    def test_resolves_against_other_bases(self, base, reference, result):
        assert URL(base).join(reference) == result

    @given(st.lists(st.sampled_from(["a", "b", ".", "..", "/", "/", "...", "a."]), max_size=12).map("".join))
    def test_agrees_with_the_standard_library(self, path):
        assume("//" not in path)
        assert URL("http://a/b/c/d?q").join(path) == urljoin("http://a/b/c/d?q", path)

    @rows("bad", ["///example.org", "\\\\example.org", " //example.org", "/\r\n", "/\t/example.org"])
    def test_refuses_what_browsers_read_otherwise(self, bad):
        with pytest.raises(ValueError, match="browsers would read"):
            URL("http://a/b").join(bad)


class TestPercentCoding:
    @given(texts)
    def test_decoding_what_was_quoted_gives_it_back(self, text):
        quoted = quote_path(text)
        assert quoted == quote(text, safe="/!$&'()*+,;=:@")
        assert encode_path(quoted) == quoted
        assert unquote(quoted) == unquote(quoted.encode()) == text
        assert "\0" in text or decode_path(quoted.encode()) == text

    def test_a_lone_surrogate_cannot_be_quoted(self):
        with pytest.raises(ValueError, match="surrogate"):
            quote_path("\ud800")

    @rows(
        "raw, text",
        ("a+b", "a+b"), ("%41%", "A%"), ("%zz", "%zz"), (b"%C3", "\ufffd"), (b"\xff", "\ufffd"), ("ä%C3%A4", "ää"),
        ("=%3D", "=="), ("%00", "\0"), ("\ud800", "\ufffd" * 3),
    )  # fmt: skip
    def test_unquotes_anything(self, raw, text):
        assert unquote(raw) == text

    @rows(
        "raw, offset",
        (b"", -1), (b"/a", -1), (b"/%41", -1), (b"%", 0), (b"/%4", 1), (b"/%20%g0", 4), (b"%%41", 0), (b"%4\n", 0),
    )  # fmt: skip
    def test_names_the_offset_of_a_broken_escape(self, raw, offset):
        if offset < 0:
            decode_path(raw)
        else:
            with pytest.raises(ValueError, match=f"broken percent-escape at byte {offset} "):
                decode_path(raw)

    @rows(
        "raw, text",
        (b"", ""),
        (b"/a b", "/a b"),
        (b"/%C3%A4%2f%25+", "/ä/%+"),
        ("/ä".encode(), "/ä"),
        (b"/=%3D", "/=="),
    )
    def test_decodes_a_path(self, raw, text):
        assert decode_path(raw) == text

    @rows(
        "raw, message",
        (b"/%41%4", "broken percent-escape at byte 4"), (b"/a%", "broken percent-escape at byte 2"),
        (b"/%C3", "not UTF-8 at byte 1"), (b"/a\xff", "not UTF-8 at byte 2"), (b"/%ED%A0%80", "not UTF-8 at byte 1"),
        (b"/%C0%AE", "not UTF-8 at byte 1"), (b"/a%00", "NUL at byte 2"), (b"/\0", "NUL at byte 1"),
    )  # fmt: skip
    def test_a_bad_path_is_an_error_that_names_the_place(self, raw, message):
        with pytest.raises(ValueError, match=message):
            decode_path(raw)


class TestParseHost:
    @rows(
        "value, host, port",
        ("example.com", "example.com", None), ("Example.COM:8080", "example.com", 8080),
        ("example.com.", "example.com.", None), ("my_service:0", "my_service", 0),
        ("localhost:65535", "localhost", 65535), ("localhost:00080", "localhost", 80),
        ("localhost:", "localhost", None), ("127.0.0.1:80", "127.0.0.1", 80), ("[::1]", "::1", None),
        ("[2001:DB8::A]:443", "2001:db8::a", 443), ("[::ffff:192.0.2.1]", "::ffff:192.0.2.1", None),
    )  # fmt: skip
    def test_reads_host_and_port(self, value, host, port):
        assert parse_host(value) == (host, port)

    @rows(
        "bad",
            "", ":80", "a b", " a", "a ", "a/b", "a\\b", "u@a", "a?b", "a#b", "a\r\nb", "a\n", "a\0", "a\x7f", "a,b",
            "a%41", "a:b", "a:-1", "a:+1", "a:65536", "a:000080", "a:٣", "a:80:80", "::1", "[::1", "::1]", "[::1]a",
            "[a]", "[]", "[1:2:3]", "[::1%25eth0]", "[v1.a]", "[127.0.0.1]", "[:::]", "[1::2::3]", "[1:2:3:4::5:6:7:8]",
            "[::1192.0.2.1]", "ä", "a<b", 'a"', "a'b", "a;b", "[::1\n]",
    )  # fmt: skip
    def test_refuses_what_is_no_host(self, bad):
        with pytest.raises(ValueError, match=r"^(not a|a host must be)"):
            parse_host(bad)

    @given(st.ip_addresses(v=6), st.sampled_from([str, lambda address: address.exploded]))
    def test_takes_every_ipv6_address(self, address, spell):
        assert parse_host(f"[{spell(address)}]:1") == (spell(address), 1)

    @given(
        st.lists(st.sampled_from(["1", "ab0", "ffff", ":", ":", "::", "192.0.2.1", "256.1.1.1", "12345"]), max_size=18)
    )
    def test_takes_no_ipv6_address_that_the_standard_library_refuses(self, pieces):
        text = "".join(pieces)
        try:
            ipaddress.IPv6Address(text)
        except ValueError:
            with pytest.raises(ValueError, match="not a"):
                parse_host(f"[{text}]")
        else:
            assert parse_host(f"[{text}]") == (text, None)
