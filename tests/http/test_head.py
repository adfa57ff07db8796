import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.errors import BadRequest
from antiphon.http.head import Address, HeadHeaders, RequestHead
from antiphon.http.headers import Headers
from antiphon.http.multidict import MissingKey
from tests.helpers.content_length_cases import uncoded_lengths
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

LINES = [
    ("Host", "example.com"), ("Accept", "text/html"), ("X-A", "1"), ("accept", "*/*"), ("cookie", "a=1"),
    ("Cookie", "b=2"),
]  # fmt: skip


class TestRequestHead:
    def test_is_a_get_of_the_root_by_default(self):
        head = RequestHead()
        assert (head.method, head.path, head.query_string, head.root_path) == ("GET", "/", b"", "")
        assert (head.scheme, head.authority, head.http_version) == ("http", "localhost", "1.1")
        assert (head.raw_path, head.client, head.fields(), head.has_body) == (None, None, [], False)

    @rows("headers", [LINES, dict(LINES), Headers(LINES), iter(LINES)], ids=["pairs", "mapping", "Headers", "iterator"])
    def test_takes_headers_of_any_kind_and_keeps_names_in_lower_case(self, headers):
        head = RequestHead(headers=headers)
        assert head.field("host") == "example.com"
        assert all(name == name.lower() for name, _ in head.fields())

    def test_combines_the_lines_of_a_field(self):
        head = RequestHead(headers=LINES)
        assert head.field("accept") == "text/html, */*"
        assert head.field("cookie") == "a=1; b=2"
        assert head.field("x-b") is None

    @rows("headers", [{"a b": "1"}, {"a": "1\r\nb: 2"}])
    def test_refuses_what_cannot_stand_in_a_header(self, headers):
        with pytest.raises(ValueError, match="header"):
            RequestHead(headers=headers)

    @rows(
        "headers, authority, wanted",
        ({}, None, "localhost"),
        ({"host": "a.example"}, None, "a.example"),
        ({"host": "a.example"}, "b.example", "b.example"),
        ({"host": ""}, None, "localhost"),
    )
    def test_is_for_the_host_that_was_named(self, headers, authority, wanted):
        assert RequestHead(headers=headers, authority=authority).authority == wanted

    @given(st.binary())
    def test_gives_its_content_once_without_waiting(self, content):
        head = RequestHead(content=content)
        assert head.blocks
        assert head.has_body == bool(content)
        assert [head.receive(), head.receive(), head.receive()] == [content, b"", b""]
        assert not head.has_body

    @uncoded_lengths
    def test_tells_the_length_of_a_body_that_is_not_coded(self, fields, wanted):
        assert RequestHead(headers=fields).uncoded_length == wanted


class LookedUpOnly(RequestHead):
    """A head whose headers may be looked up one by one, but not be listed."""

    def fields(self):
        raise AssertionError("listed")


class TestHeadHeaders:
    def test_are_looked_up_where_they_are(self):
        headers = HeadHeaders(LookedUpOnly(headers=LINES))
        assert headers["ACCEPT"] == headers.get("accept") == "text/html, */*"
        assert "X-a" in headers
        assert "x-b" not in headers
        assert headers.get("X-B", "none") == "none"

    def test_an_absent_one_is_a_400_and_a_key_error(self):
        headers = HeadHeaders(RequestHead(headers=LINES))
        for error in (MissingKey, KeyError, BadRequest):
            with pytest.raises(error) as raised:
                _ = headers["X-B"]
        assert (raised.value.name, raised.value.detail) == ("X-B", "the header 'X-B' is missing")
        with pytest.raises(MissingKey, match=r"Names of headers have hyphens: 'x-a'"):
            _ = headers["x_a"]
        with pytest.raises(KeyError) as plain:
            _ = Headers(headers)["X-B"]
        assert type(plain.value) is KeyError

    @given(
        st.lists(
            st.tuples(st.sampled_from(["a", "B", "accept", "Cookie", "set-cookie"]), st.sampled_from(["", "1", "2, 3"]))
        )
    )
    def test_read_as_any_headers(self, lines):
        headers, plain = HeadHeaders(RequestHead(headers=lines)), Headers(lines)
        assert headers == plain
        assert plain == headers
        assert (headers.items(), headers.keys(), headers.values()) == (plain.items(), plain.keys(), plain.values())
        assert (len(headers), bool(headers), str(headers), list(headers)) == (
            len(plain),
            bool(plain),
            str(plain),
            list(plain),
        )
        assert [headers.getall(name) for name in plain] == [plain.getall(name) for name in plain]
        assert dict(headers) == dict(plain)
        assert Headers(headers) == plain

    def test_cannot_be_changed(self):
        head = RequestHead(headers={"a": "1"})
        headers = HeadHeaders(head)
        headers.items().clear()
        with pytest.raises(TypeError):
            headers["a"] = "2"
        assert head.fields() == [("a", "1")]


def test_an_address_is_host_and_port():
    assert Address("10.0.0.1", 80) == ("10.0.0.1", 80)
    assert Address("/run/app.sock", None).host == "/run/app.sock"
