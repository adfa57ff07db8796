"""Text of clients in log lines is one line of ASCII, and not too long."""

from hypothesis import example, given
from hypothesis import strategies as st

from antiphon.features.logs.formats import LONGEST, escaped
from antiphon.http.urls.url import unquote
from tests.helpers.rows import rows


@rows(
    "path, logged",
    ("/", "/"),
    ("/users/7/a-b_c.d~e", "/users/7/a-b_c.d~e"),
    ("/café", "/caf%C3%A9"),
    ("/a b", "/a%20b"),
    ("/100%", "/100%25"),
    ("/x?token=secret#part", "/x%3Ftoken=secret%23part"),
    ("/\r\nGET /forged 200", "/%0D%0AGET%20/forged%20200"),
    ("/\x1b[31m", "/%1B%5B31m"),
    ('/"quoted"\\', "/%22quoted%22%5C"),
    ("/\u202e\u2028", "/%E2%80%AE%E2%80%A8"),
    ("/\udcff", "/%3F"),
    ("/" + "x" * 5000, "/" + "x" * (LONGEST - 1) + "..."),
    ("/" + "é" * 5000, "/" + "%C3%A9" * 166 + "%C3..."),
)
def test_a_path_is_escaped_as_in_a_url(path, logged):
    assert escaped(path) == logged


@given(st.text(st.characters(codec=None)))
@example("/\x85\x1c\x00\x7f\u2029")
def test_any_text_is_one_short_printable_line_of_ascii_that_tells_what_it_was(text):
    line = escaped(text)
    assert line.isascii()
    assert line.isprintable()
    assert len(line.splitlines()) <= 1
    assert " " not in line
    assert len(line) <= LONGEST + 3
    if len(line) <= LONGEST:
        assert unquote(line.encode()) == text.encode("utf-8", "replace").decode()
