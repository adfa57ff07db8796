"""Components of messages: the values that are signed, and identifiers that no message has."""

from re import escape

import pytest

from antiphon import Request, Response
from antiphon.features.signatures.components import Components, check_covered, component_of
from antiphon.http import InnerList, Item
from antiphon.http.head import RequestHead
from tests.helpers.rows import rows

FIELDS = [
    ("x-ows-header", "   Leading and trailing whitespace.   "), ("cache-control", "max-age=60"),
    ("cache-control", "   must-revalidate"), ("example-dict", "  a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
    ("example-header", "value, with, lots"), ("example-header", "of, commas"), ("x-empty-header", ""),
    ("x-latin", "caf\xe9"), ("content-digest", "sha-256=:AAAA: , sha-512=:AAAA:"),
]  # fmt: skip
"""The fields of RFC 9421 §2.1, and others."""

VALUES = [
    ("x-ows-header", "Leading and trailing whitespace."),
    ("cache-control", "max-age=60, must-revalidate"),
    ("Example-Dict", "a=1,    b=2;x=1;y=2,   c=(a   b   c), d"),
    ("x-empty-header", ""),
    ('"content-digest";sf', "sha-256=:AAAA:, sha-512=:AAAA:"),
    ('"example-dict";key="a"', "1"),
    ('"example-dict";key="d"', "?1"),
    ('"example-dict";key="b"', "2;x=1;y=2"),
    ('"example-dict";key="c"', "(a b c)"),
    ('"example-dict";sf;key="c"', "(a b c)"),
    ('"example-header";bs', ":dmFsdWUsIHdpdGgsIGxvdHM=:, :b2YsIGNvbW1hcw==:"),
    ('"x-latin";bs', ":Y2Fm6Q==:"),
    ("@method", "POST"),
    ("@authority", "www.example.com"),
    ("@scheme", "https"),
    ("@target-uri", "https://www.example.com/path%2Fa?param=value&foo=bar&baz=bat%2Dman&q=a+b"),
    ("@request-target", "/path%2Fa?param=value&foo=bar&baz=bat%2Dman&q=a+b"),
    ("@path", "/path%2Fa"),
    ("@query", "?param=value&foo=bar&baz=bat%2Dman&q=a+b"),
    ('"@query-param";name="baz"', "bat-man"),
    ('"@query-param";name="q"', "a%20b"),
]


def message(url="https://www.EXAMPLE.com:443/path%2Fa?param=value&foo=bar&baz=bat%2Dman&q=a+b", fields=FIELDS):
    return Components(fields, Request.blank(url, "POST").head)


@rows("name, value", VALUES)
def test_a_component_has_its_value(name, value):
    assert message().value(component_of(name)) == value


URLS = [
    ("https://example.com", "@path", "/"),
    ("https://example.com", "@query", "?"),
    ("https://example.com/?", "@query", "?"),
    ("https://example.com", "@target-uri", "https://example.com/"),
    ("https://example.com", "@request-target", "/"),
    ("http://example.com:80/", "@authority", "example.com"),
    ("http://example.com:443/", "@authority", "example.com:443"),
    ("wss://example.com:443/", "@authority", "example.com"),
    ("ws://example.com:80/", "@authority", "example.com"),
    ("https://[2001:DB8::1]:8443/", "@authority", "[2001:db8::1]:8443"),
    # the examples of RFC 9421 §2.2.8
    ("https://a.example/?var=this%20is%20a%20big%0Amultiline%20value", '"@query-param";name="var"',
     "this%20is%20a%20big%0Amultiline%20value"),
    ("https://a.example/?bar=with+plus+whitespace", '"@query-param";name="bar"', "with%20plus%20whitespace"),
    ("https://a.example/?fa%C3%A7ade%22%3A%20=something", '"@query-param";name="fa%C3%A7ade%22%3A%20"', "something"),
    ("https://a.example/?empty=&flag", '"@query-param";name="flag"', ""),
    ("https://a.example/?s=a*b-c.d_e~f!", '"@query-param";name="s"', "a*b-c.d_e%7Ef%21"),
]  # fmt: skip


@rows("url, name, value", URLS)
def test_a_part_of_a_url_has_its_value(url, name, value):
    assert message(url).value(component_of(name)) == value


ABSENT = [
    ("https://a.example/", "x-none", "the message has no field x-none"),
    ("https://a.example/", '"example-dict";key="z"', 'the field has no member "example-dict";key="z"'),
    ("https://a.example/", '"example-header";key="a"', 'the field has no member "example-header";key="a"'),
    ("https://a.example/", '"x-latin";sf', "x-latin is not known to be a structured field"),
    ("https://a.example/?a=1&a=2", '"@query-param";name="a"', "the query has 2 fields named 'a', not one"),
    ("https://a.example/?b=1", '"@query-param";name="a"', "the query has no fields named 'a', not one"),
    ("https://a.example/?a=%FF", '"@query-param";name="a"', "the field 'a' of the query is not UTF-8"),
    ("https://a.example/", "@status", "only a response has a @status"),
    ("https://a.example/", '"@path";req', '"@path";req is for responses'),
]


@rows("url, name, reason", ABSENT)
def test_a_component_may_be_absent(url, name, reason):
    with pytest.raises(ValueError, match=f"^{escape(reason)}"):
        message(url).value(component_of(name))


NOT_ASCII = Components([("x-latin", "caf\xe9"), ("x-lines", "a\nb")], Request.blank().head)


@rows("name", ["x-latin", "x-lines"])
def test_a_base_is_lines_of_ascii(name):
    with pytest.raises(ValueError, match=r"not ASCII|line break"):
        NOT_ASCII.base(InnerList([name]))


WRONG = [
    "", "X y", "@body", "@signature-params", "@QUERY-PARAM", '"@path";sf', '"@query-param"', '"@query-param";name',
    '"x";tr', '"x";sf=1', '"x";key', '"x";unknown', '"x";bs;sf', '"x";bs;key="a"', '"X"', '"x" "y"',
    '"@query-param";name="a";x',
]  # fmt: skip


@rows("text", WRONG)
def test_an_identifier_may_be_of_nothing(text):
    with pytest.raises(ValueError, match="is not a component of a message"):
        component_of(text)


def test_no_component_is_covered_twice():
    pair = InnerList([Item("x", {"key": "a", "req": True}), Item("x", {"req": True, "key": "a"})])
    with pytest.raises(ValueError, match="covers a component twice"):
        check_covered(pair.items)
    with pytest.raises(ValueError, match="more than 64"):
        check_covered([Item(f"x{number}") for number in range(65)])


def test_a_response_has_a_status_and_its_request():
    request = Request.blank("https://a.example/orders?n=1", "PUT", {"x-a": "of the request"})
    response = Response("", 201, {"x-a": "of the response"})
    answer = Components(response.headers.items(), request.head, response.status)
    values = [answer.value(component_of(name)) for name in ("@status", "x-a", '"x-a";req', '"@path";req')]
    assert values == ["201", "of the response", "of the request", "/orders"]
    with pytest.raises(ValueError, match="only a request has"):
        answer.value(component_of("@path"))
    with pytest.raises(ValueError, match="is not known"):
        answer._replace(head=None).value(component_of('"x-a";req'))


PLACES = [
    ("/api/v1", b"/api/v1/orders", "/orders", "/api/v1/orders"),  # mounted
    ("/api", b"/orders%2F7", "/orders/7", "/api/orders%2F7"),  # a proxy has taken off the prefix
    ("/api", b"/api", "/", "/api"),  # the root of a mount, without a slash
    ("", b"/a%20b", "/a b", "/a%20b"),
    ("", b"/rewritten", "/orders/7", "/orders/7"),  # by a middleware
    ("/r\xe4t", None, "/a b", "/r%C3%A4t/a%20b"),  # the server hides what was sent
]


@rows("root, raw, path, value", PLACES)
def test_the_path_is_the_one_that_is_answered(root, raw, path, value):
    head = RequestHead(path=path, root_path=root, raw_path=raw)
    assert Components([], head).value(component_of("@path")) == value
