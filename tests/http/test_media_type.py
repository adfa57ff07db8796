from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.media_type import MediaType
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

tokens = st.text("abcXYZ019.+-!", min_size=1)
values = st.text(st.characters(min_codepoint=0x20, max_codepoint=0xFF, exclude_characters="\x7f"))
media_types = st.builds(MediaType, tokens, tokens, st.dictionaries(tokens, values, max_size=4))


@rows(
    "text, printed",
    ("text/html", "text/html"),
    ("Text/HTML;Charset=UTF-8", "text/html; charset=UTF-8"),
    (' text/html ; charset="utf-8" ', "text/html; charset=utf-8"),
    ("text/plain; a=1; b; c=", "text/plain; a=1"),
    ('multipart/form-data; boundary="a b"', 'multipart/form-data; boundary="a b"'),
    ("multipart/mixed; boundary=a/b", 'multipart/mixed; boundary="a/b"'),
    ("application/vnd.api+json;", "application/vnd.api+json"),
    ("text/html;\nx=1", "text/html"),
    ("*/*", "*/*"),
    ("text/*;level=1", "text/*; level=1"),
)
def test_parsed_media_types_print_in_canonical_form(text, printed):
    assert str(MediaType.parse(text)) == printed


@rows(
    "text",
    "", "text", "text/", "/html", "text/html/x", "text /html", "text/ html", "te xt/html", "text/html x", "text/hé",
    "text/html\n", "\ntext/html", "text/html, text/plain", "; charset=utf-8", "text/ht\0ml",
)  # fmt: skip
def test_what_is_no_media_type_is_refused(text):
    with pytest.raises(ValueError, match="not a media type"):
        MediaType.parse(text)


def test_parts():
    media_type = MediaType.parse('Application/Problem+JSON; Charset="UTF-8"; Profile=Big')
    assert media_type.type == "application"
    assert media_type.subtype == "problem+json"
    assert media_type.essence == "application/problem+json"
    assert media_type.suffix == "json"
    assert media_type.parameters == {"charset": "UTF-8", "profile": "Big"}
    assert media_type.charset == "utf-8"
    assert repr(media_type) == "MediaType.parse('application/problem+json; charset=UTF-8; profile=Big')"


@rows("text, suffix", [("text/html", None), ("image/svg+xml", "xml"), ("a/b+c+d", "d"), ("a+b/c", None)])
def test_suffix(text, suffix):
    assert MediaType.parse(text).suffix == suffix


@rows("text", ["text/html", 'text/html; charset=""'])
def test_a_missing_or_empty_charset_is_none(text):
    assert MediaType.parse(text).charset is None


@rows(
    "text, is_json",
    ("application/json", True), ("application/json; charset=utf-8", True), ("text/JSON", True),
    ("application/problem+json", True), ("image/x+json", True), ("application/json-seq", False),
    ("application/jsonp", False), ("text/plain", False), ("json/application", False),
)  # fmt: skip
def test_is_json(text, is_json):
    assert MediaType.parse(text).is_json is is_json


@rows(
    "text, media_range, matches",
    ("text/html", "*/*", True), ("text/html", "text/*", True), ("text/html", "TEXT/HTML", True),
    ("text/html", "image/*", False), ("text/html", "text/plain", False), ("text/html", "image/html", False),
    ("text/html", "*/html", False), ("text/html; level=1", "text/html", True),
    ("text/html; level=1", "text/html; level=1", True), ("text/html; level=1; a=b", "text/*; level=1", True),
    ("text/html; level=2", "text/html; level=1", False), ("text/html", "*/*; level=1", False),
    ("text/html", "text/html; q=0.5", True),
    ("text/html; level=1", "text/html; q=0.5; level=1", True),
    ("text/html; charset=utf-8", "text/html; charset=UTF-8", True),
    ("text/html; p=a", "text/html; p=A", False), ("text/*", "text/html", False),
)  # fmt: skip
def test_matching_a_range(text, media_range, matches):
    assert MediaType.parse(text).matches(MediaType.parse(media_range)) is matches


def test_narrower_ranges_have_the_higher_specificity():
    ordered = ["text/html; a=1; b=2", "text/html; a=1", "text/html", "text/*; a=1", "text/*", "*/*"]
    specificities = [MediaType.parse(text).specificity for text in ordered]
    assert all(narrow > wide for narrow, wide in pairwise(specificities))


@rows(
    "arguments",
    ("", "html"), ("text", ""), ("te xt", "html"), ("text", "html\r\n"), ("text", "html", {"a b": "c"}),
    ("text", "html", {"a": "b\r\nc"}), ("text", "html", {"a": "\0"}), ("text", "html", {"": "x"}),
    ids=repr,
)  # fmt: skip
def test_bad_parts_cannot_be_built(arguments):
    with pytest.raises(ValueError, match=r"media type|token|control"):
        MediaType(*arguments)


@given(media_types)
def test_a_printed_media_type_is_read_back(media_type):
    again = MediaType.parse(str(media_type))
    assert again == media_type
    assert dict(again.parameters) == dict(media_type.parameters)
    assert media_type.matches(media_type)


def test_one_without_parameters_equals_its_text():
    png = MediaType.parse("Image/PNG")
    assert png in ("image/png", "image/jpeg")
    assert hash(png) == hash("image/png")
    assert "image/png" in {png: 1}
    assert png != "image/gif"
    assert png != "Image/PNG"
    assert MediaType.parse("text/html; charset=utf-8") not in ("text/html", "text/html; charset=utf-8")
