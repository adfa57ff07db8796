"""The short way through a form that is there as a whole: where it is taken, it leads to what the parser finds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.body.multipart import MultipartParser
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from tests.body.forms_in_parts import BOUNDARY, print_form, print_part, read
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

DISPOSITION = b'Content-Disposition: form-data; name="a"'
FILE = b'Content-Disposition: form-data; name="b"; filename="c"\r\nContent-Type: text/plain'
END = b"--B--\r\n"
FORM = print_part(DISPOSITION, b"one", b"B") + print_part(FILE, b"two", b"B") + END

HEADS = [DISPOSITION + b"\r\n\r\n", FILE + b"\r\n\r\n", DISPOSITION.lower() + b"\r\n\r\n"]
BITS = b"x| |\r|\n|\r\n|\r\n\r\n|-|--|B|--B|\r\n--B|\r\n--B--|--B--\r\n|\r\n--B\r\n"
tokens = st.sampled_from([*HEADS, *BITS.split(b"|")])
usual_forms = st.lists(
    st.tuples(
        st.binary(max_size=9).filter(lambda name: not {*name} & {*b'"%\\\r\n\0'}),
        st.none() | st.sampled_from([b"", b"a.png", b"b c"]),
        st.none() | st.sampled_from([b"image/png", b"text/plain; charset=utf-8"]),
        st.binary(max_size=30) | st.sampled_from([b"\r\n", b"\r\n--", b"--", BOUNDARY]),
    ),
    min_size=1,
    max_size=5,
)


def found(body, boundary=b"B", **limits):
    return MultipartParser.read_whole(body, boundary, Limits(**limits))


@given(usual_forms, st.sampled_from([b"", b"\r\n"]))
def test_is_what_the_parser_finds_and_is_taken_for_what_browsers_write(form, end):
    body = print_form(form, end=end)
    parts = found(body, BOUNDARY)
    assert parts == [(*part.head, part.end) for part in read([body])]
    assert [body[offset:end] for *_, offset, _, end in parts] == [content for *_, content in form]


@given(st.lists(tokens, max_size=30), st.sampled_from([b"", b"--B\r\n", b"--B\r\n" + DISPOSITION + b"\r\n\r\n"]))
def test_is_taken_for_nothing_that_the_parser_reads_otherwise(tokens, begin):
    body = begin + b"".join(tokens)
    parts = found(body)
    try:
        parsed = [(*part.head, part.end) for part in read([body], b"B")]
    except HTTPError:
        parsed = None
    assert parts in (None, parsed)


@rows(
    "body",
    b"", b"--B", FORM.replace(b"--B\r\n", b"--B \r\n"), b"\r\n" + FORM, FORM + b"epilogue",
    FORM.removesuffix(b"--\r\n"),
    FORM.replace(b"Content-Disposition", b"content-disposition"),
    FORM.replace(b"two", b"\r\n--Bx"),
    FORM.replace(b'"a"', b'"%s"' % (b"a" * 1100)),
)  # fmt: skip
def test_is_not_taken_for_what_is_written_otherwise(body):
    assert found(body) is None


@rows("limit, most", [("parts", 2), ("fields", 2), ("files", 1), ("form", 3), ("file", 3)])
def test_is_not_taken_where_there_may_be_too_much_of_something(limit, most):
    assert found(FORM, **{limit: most}) is not None
    assert found(FORM, **{limit: most - 1}) is None
