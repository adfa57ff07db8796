import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.forwarded import (
    ForwardedElement,
    ForwardedNode,
    elements_from_right,
    last_element,
    last_elements,
    parse_port,
    parse_prefix,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

OBFUSCATED = st.text(string.ascii_letters + string.digits + "._-", min_size=1).map("_{}".format)
PORTS = st.none() | st.integers(0, 65535) | OBFUSCATED
NODES = st.builds(ForwardedNode, st.ip_addresses().map(str) | OBFUSCATED | st.just("unknown"), PORTS)
TOKENS = st.text(string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~", min_size=1)
VALUES = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]) | st.just("\t"))
SCHEMES = st.from_regex("[a-z][a-z0-9+.-]*", fullmatch=True)
ELEMENTS = (
    st.dictionaries(TOKENS.map(str.lower).filter(lambda name: name not in ("for", "by", "proto")), VALUES)
    .flatmap(
        lambda others: st.fixed_dictionaries(
            {}, optional={"for": NODES.map(str), "by": NODES.map(str), "proto": SCHEMES}
        ).map(lambda known: known | others)
    )
    .filter(bool)
    .map(ForwardedElement)
)
# What someone would write who wants a parser to lose its way.
NOISE = st.text(st.sampled_from('",;=\\ \t[]:for1.') | st.characters(codec="latin-1"))


class TestNode:
    @rows(
        "text, host, port",
        ("192.0.2.43", "192.0.2.43", None), ("192.0.2.43:47011", "192.0.2.43", 47011),
        ("[2001:db8:cafe::17]", "2001:db8:cafe::17", None),
        ("[2001:db8:cafe::17]:47011", "2001:db8:cafe::17", 47011),
        ("[2001:DB8::17]:0", "2001:db8::17", 0), ("2001:db8::17", "2001:db8::17", None),
        ("::ffff:192.0.2.43", "::ffff:192.0.2.43", None), ("unknown", "unknown", None), ("Unknown", "unknown", None),
        ("unknown:80", "unknown", 80), ("_gazonk", "_gazonk", None), ("_SEVKISEK:_Port.1", "_SEVKISEK", "_Port.1"),
        ("192.0.2.43:_p", "192.0.2.43", "_p"),
    )  # fmt: skip
    def test_is_an_address_or_what_stands_for_it(self, text, host, port):
        node = ForwardedNode.parse(text)
        assert (node.host, node.port) == (host, port)
        assert node.is_address is (host not in ("unknown", "_gazonk", "_SEVKISEK"))
        assert ForwardedNode.parse(str(node)) == node

    @rows(
        "text",
            "", " ", "192.0.2", "192.0.2.256", "192.0.2.043", "192.0.2.43:", "192.0.2.43:65536", "192.0.2.43:-1",
            "192.0.2.43:1a", "192.0.2.43:+1", "192.0.2.43 ", " 192.0.2.43", "192.0.2.43, 192.0.2.44", "example.com",
            "localhost", "[192.0.2.43]", "[2001:db8::17", "2001:db8::17]", "[]", "[::1]x", "[::1]:x", "[::1]:1:2",
            "2001:db8::17::1", "fe80::1%eth0", "_", "_a b", "_a:b", "_ä", "unknown:_", "unix:", "-", "null",
            '"192.0.2.43"', "\uff11\uff19\uff12.0.2.43", "192.0.2.43\n", "[::1]\n", "192.0.2.43:\uff11", "_a\n",
    )  # fmt: skip
    def test_is_nothing_else(self, text):
        with pytest.raises(ValueError, match=r"not a|neither"):
            ForwardedNode.parse(text)

    @rows("host, port", [("[::1]", None), ("::1", "80"), ("::1", True), ("::1", 70000), ("a", 1)])
    def test_cannot_be_made_of_anything_else(self, host, port):
        with pytest.raises(ValueError, match=r"not a|neither"):
            ForwardedNode(host, port)

    @given(NODES)
    def test_is_read_back_from_what_it_prints(self, node):
        again = ForwardedNode.parse(str(node))
        assert again == node
        assert (again.host, again.port, hash(again)) == (node.host, node.port, hash(node))

    @rows("piece", ['"', '\\"', '"\\', '",', '"\\"', "\\", 'x="', ',"', '"\\\\'])
    def test_is_taken_apart_in_linear_time(self, piece):
        value = piece * 200_000 + ", for=192.0.2.1"
        assert sum(map(len, elements_from_right(value))) <= len(value)


class TestLists:
    @rows(
        "value, last, two",
        ("", "", [""]), ("a", "a", ["a"]), (" a ,\tb\t", "b", ["b", "a"]), ("a,b,c", "c", ["c", "b"]),
        ("a,", "", ["", "a"]), (",a", "a", ["a", ""]),
    )  # fmt: skip
    def test_are_taken_from_the_right(self, value, last, two):
        assert last_element(value) == last
        assert last_elements(value, 2) == two


class TestPrefix:
    @rows(
        "text, path",
        ("/", ""), ("/api", "/api"), ("/api/", "/api"), ("/api/v1.0/~x", "/api/v1.0/~x"), ("/caf%C3%A9", "/café"),
        ("/a%20b", "/a b"), ("/...", "/..."),
    )  # fmt: skip
    def test_is_a_path_and_is_decoded(self, text, path):
        assert parse_prefix(text) == path

    @rows(
        "text",
            "", "api", "//evil.example", "/%2Fevil.example", "/%2f%2Fevil.example", "/a//b", "/a%2F/b", "/\\evil",
            "/%5Cevil", "http://evil.example/", "/a?b", "/a#b", "/a b", "/a\r\nb", "/a%0D%0Ab", "/a%00", "/%7F", "/..",
            "/a/../b", "/a/.", "/%2e%2E/b", "/a/%2e", "/a%2", "/a%zz", "/a%FF", "/caf\xc3\xa9", "/é", "/a\n",
            "javascript:alert(1)", "/<b>", '/"',
    )  # fmt: skip
    def test_is_nothing_that_browsers_would_read_otherwise(self, text):
        with pytest.raises(ValueError, match=r".+"):
            parse_prefix(text)

    @given(NOISE.map("/{}".format) | st.text(st.sampled_from("/%2F5Cce.\\a")).map("/{}".format))
    def test_never_names_a_host(self, text):
        try:
            path = parse_prefix(text)
        except ValueError:
            return
        assert not path.startswith("//")
        assert "\\" not in path
        assert path == "" or (path[0] == "/" and path[-1] != "/")
        assert not set(map(chr, range(0x20))) & set(path)


class TestPort:
    @rows("text, port", [("443", 443), ("1", 1), ("65535", 65535), ("0080", 80)])
    def test_is_a_number(self, text, port):
        assert parse_port(text) == port

    @rows("text", ["", "0", "65536", "-1", "+1", "1 ", "80,443", "\uff11", "8_0", "http", "80\n", "9" * 5000])
    def test_is_nothing_else(self, text):
        with pytest.raises(ValueError, match="not a port"):
            parse_port(text)
