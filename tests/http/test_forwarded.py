import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.forwarded import (
    ForwardedElement,
    ForwardedNode,
    elements_from_right,
    format_forwarded,
    last_element,
    last_elements,
    parse_forwarded,
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

    @given(NOISE)
    def test_parses_or_raises_a_value_error(self, text):
        try:
            node = ForwardedNode.parse(text)
        except ValueError:
            return
        assert ForwardedNode.parse(str(node)) == node

    def test_does_not_change(self):
        node = ForwardedNode("192.0.2.43", 80)
        with pytest.raises(AttributeError):
            node.port = 81
        assert repr(node) == "ForwardedNode('192.0.2.43:80')"
        assert node != "192.0.2.43:80"


class TestForwardedElement:
    @rows(
        "text, parameters",
        ("for=192.0.2.60;proto=http;by=203.0.113.43", {"for": "192.0.2.60", "proto": "http", "by": "203.0.113.43"}),
        ('For="[2001:db8:cafe::17]:4711"', {"for": "[2001:db8:cafe::17]:4711"}),
        ('for="_gazonk"', {"for": "_gazonk"}),
        ("for=unknown", {"for": "unknown"}),
        ('host="example.com:8000"', {"host": "example.com:8000"}),
        ("HOST=example.com;Proto=HTTPS", {"host": "example.com", "proto": "HTTPS"}),
        (r'x="a\"b\\c,;="', {"x": 'a"b\\c,;='}),
        ('host="";x=1', {"host": "", "x": "1"}),
        (" for=192.0.2.60 ; proto=http ", {"for": "192.0.2.60", "proto": "http"}),
        (";for=192.0.2.60;;", {"for": "192.0.2.60"}),
    )
    def test_reads_parameters(self, text, parameters):
        element = ForwardedElement.parse(text)
        assert element.parameters == parameters
        assert ForwardedElement.parse(str(element)) == element

    @rows(
        "text",
            "", " ", ";", "for", "for=", "=1", "for =1.2.3.4", "for= 1.2.3.4", "for=1.2.3.4:80", "for=[::1]",
            'for="[::1]', 'for="[::1]"x', "for=1.2.3.4 proto=http", "for=1.2.3.4,proto=http", "for=1.2.3.4;for=1.2.3.4",
            "x=1;X=2", "for=example.com", 'for=""', "by=1.2.3", 'proto="a b"', 'proto=""', "proto=1", "x=a\0",
            'x="a\0"', 'x="a\r\nb"', 'x="a\\', 'x="\\\x7f"', 'f r="1.2.3.4"', "for=1.2.3.4\n",
    )  # fmt: skip
    def test_refuses_what_is_malformed(self, text):
        with pytest.raises(ValueError, match=r".+"):
            ForwardedElement.parse(text)

    def test_gives_the_parameters_that_the_standard_names(self):
        element = ForwardedElement.parse('for="[2001:DB8::1]:80";by=_proxy;host="Example.com:80";proto=HTTPS;secret=x')
        assert (element.for_, element.by) == (ForwardedNode("2001:db8::1", 80), ForwardedNode("_proxy"))
        assert (element.host, element.proto) == ("Example.com:80", "https")
        assert element.parameters["secret"] == "x"
        empty = ForwardedElement({"secret": "x"})
        assert (empty.for_, empty.by, empty.host, empty.proto) == (None, None, None, None)

    @rows(
        "parameters",
        [{}, {"a b": "1"}, {"": "1"}, {"x": "\n"}, {"for": "x"}, {"by": ""}, {"proto": "a:"}, {"x": "1", "X": "2"}],
    )
    def test_cannot_be_made_of_what_it_could_not_print(self, parameters):
        with pytest.raises(ValueError, match=r".+"):
            ForwardedElement(parameters)

    def test_has_whatever_the_client_sent_as_host(self):
        assert ForwardedElement({"for": "192.0.2.1", "host": 'a b, "'}).host == 'a b, "'

    @given(ELEMENTS)
    def test_is_read_back_from_what_it_prints(self, element):
        again = ForwardedElement.parse(str(element))
        assert again == element
        assert (hash(again), again.for_, again.by, again.proto) == (
            hash(element),
            element.for_,
            element.by,
            element.proto,
        )

    def test_does_not_change(self):
        given = {"for": "192.0.2.1"}
        element = ForwardedElement(given)
        given["for"] = "192.0.2.2"
        with pytest.raises(TypeError):
            element.parameters["for"] = "192.0.2.2"
        with pytest.raises(AttributeError):
            element.host = "a"
        assert repr(element) == "ForwardedElement({'for': '192.0.2.1'})"


class TestForwarded:
    def test_lists_the_nearest_proxy_s_element_last(self):
        value = 'for=192.0.2.43, , FOR="[2001:db8:cafe::17]" ,for=unknown;x="a, b"'
        elements = parse_forwarded(value)
        assert [element.for_ for element in elements] == [
            ForwardedNode("192.0.2.43"), ForwardedNode("2001:db8:cafe::17"), ForwardedNode("unknown")
        ]  # fmt: skip
        assert elements[2].parameters["x"] == "a, b"

    @rows("value", ["", " ", ",", " ,, "])
    def test_may_have_none(self, value):
        assert parse_forwarded(value) == []

    @rows("value", ['for=192.0.2.43, for="', "for=192.0.2.43, x, for=192.0.2.44", 'x="a,b'])
    def test_with_a_malformed_element_is_refused(self, value):
        with pytest.raises(ValueError, match="not a parameter"):
            parse_forwarded(value)

    @given(st.lists(ELEMENTS))
    def test_is_read_back_from_what_is_printed(self, elements):
        assert parse_forwarded(format_forwarded(elements)) == elements

    @given(NOISE, st.lists(ELEMENTS, min_size=1))
    def test_that_a_proxy_appended_is_found_whatever_stands_before_it(self, noise, elements):
        found = elements_from_right(f"{noise}, {format_forwarded(elements)}")
        for element in reversed(elements):
            assert ForwardedElement.parse(next(found)) == element

    @given(NOISE)
    def test_parses_or_raises_a_value_error(self, value):
        try:
            elements = parse_forwarded(value)
        except ValueError:
            return
        assert parse_forwarded(format_forwarded(elements)) == elements

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
