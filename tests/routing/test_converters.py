import uuid

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.routing.converters import CONVERTERS, find_converter, own_converter
from tests.helpers.rows import rows


def converter(name, argument=None):
    return find_converter(name, argument, CONVERTERS)


ID = uuid.UUID("12345678-1234-5678-1234-56789abcdef0")


@rows(
    "name, argument, segment, value",
    ("int", "min=1, max=99", "1", 1),
    ("int", "max=99", "0", 0),
    ("int", "min=5", "99", 99),
    ("float", None, "1", 1.0),
    ("float", None, "-0.5", -0.5),
    ("float", None, "1e-07", 1e-07),
    ("uuid", None, str(ID), ID),
    ("uuid", None, str(ID).upper(), ID),
    ("any", "en,de", "de", "de"),
    ("any", " en , de ", "en", "en"),
    ("re", "[a-z]{2}", "de", "de"),
    ("re", "(?:a|b):c,d", "b:c,d", "b:c,d"),
    ("path", None, "a/b//c/", "a/b//c/"),
)
def test_a_segment_that_fits_becomes_a_value(name, argument, segment, value):
    found = converter(name, argument).to_python(segment)
    assert (found, type(found)) == (value, type(value))


@rows(
    "name, argument, segments",
    ("int", "min=1, max=99", ["0", "100", "x", ""]),
    ("float", None, ["", "1.", ".5", "+1", "nan", "inf", "1e400", "1_0", " 1", "1" * 41, "\u0661", "1.5\n"]),
    ("uuid", None, ["", "x", ID.hex, f"{{{ID}}}", f"urn:uuid:{ID}", f"{ID}0", f"{ID}\n"]),
    ("any", "en,de", ["", "EN", "e", "en,de", "fr"]),
    ("re", "[a-z]*", ["", "A", "a/b", "a\n"]),
    ("path", None, ["", "/", "/etc/passwd"]),
)
def test_one_that_does_not_is_a_value_error(name, argument, segments):
    for segment in segments:
        with pytest.raises(ValueError):  # noqa: PT011 - the words are for debuggers
            converter(name, argument).to_python(segment)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_comes_back(number):
    assert converter("float").to_python(converter("float").to_url(number)) == number


@given(st.uuids())
def test_every_uuid_comes_back(value):
    assert converter("uuid").to_python(converter("uuid").to_url(value)) == value


@rows(
    "name, argument, complaint",
    ("any", None, r"<any\(en,de\):name>"),
    ("re", None, r"needs arguments"),
    ("any", "", "values"),
    ("any", "a,,b", "values"),
    ("any", "a,a", "each once"),
    ("any", "a/b", "without slashes"),
    ("int", "", r"like int\(min=1, max=99\)"),
    ("int", "min=1, min=2", "like"),
    ("int", "step=2", "like"),
    ("int", "min=-1", "like"),
    ("int", "min=5, max=4", "greater than"),
    ("re", "(", "not a regular expression"),
    ("str", "x", "'str' takes no arguments; any, int, re do"),
    ("nope", None, "app.converter"),
)
def test_what_cannot_be_a_converter_is_refused_with_what_to_do(name, argument, complaint):
    with pytest.raises(ValueError, match=complaint):
        converter(name, argument)


@rows("name", ["", "Upper", "a-b", "1a", "a b", "é", "any", "re"])
def test_an_own_converter_has_a_name_that_stands_in_a_pattern_and_is_free(name):
    with pytest.raises(ValueError, match="converter"):
        own_converter(name, str, str)


def test_an_own_converter_never_sees_an_empty_segment():
    with pytest.raises(ValueError, match="empty"):
        own_converter("all", str, str).to_python("")
