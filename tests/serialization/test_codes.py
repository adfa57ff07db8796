"""The code and the bounds with which each kind of fault is named, beside its detail."""

import datetime
import json
import uuid
from dataclasses import make_dataclass
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import pytest
from msgspec import Meta, Struct

from antiphon.http.errors import FieldProblemCode, UnprocessableContent
from antiphon.http.multidict import MultiDict
from antiphon.serialization.faults import reason_of
from antiphon.serialization.readers import fields_as, json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import unprocessable
from tests.serialization.test_readers import Colour


class Closed(Struct, forbid_unknown_fields=True):
    a: int = 0


class Tagged(Struct, tag="cat"):
    a: int = 0


class Row(Struct, array_like=True):
    x: int
    y: int


class Refusing(Struct):
    a: int = 0

    def __post_init__(self):
        raise ValueError("ends before it begins")


def refused(error: UnprocessableContent) -> list[dict[str, Any]]:
    return [{name: part for name, part in fault.items() if name != "detail"} for fault in error.errors]


IN_JSON: list[tuple[Any, Any, str, dict[str, Any]]] = [
    (str, 1, "not_a_string", {}),
    (str, None, "not_a_string", {}),
    (int, "x", "not_an_integer", {}),
    (int | None, "x", "not_an_integer", {}),
    (int, 1.5, "not_an_integer", {}),
    (float, "x", "not_a_number", {}),
    (Decimal, [], "not_a_number", {}),
    (Decimal, "x", "not_a_number", {}),
    (int | float, "x", "not_a_number", {}),
    (int | str, [], "wrong_type", {}),
    (None, 1, "wrong_type", {}),
    (bool, 1, "not_a_boolean", {}),
    (list[int], {}, "not_an_array", {}),
    (dict[str, int], [], "not_an_object", {}),
    (Closed, 1, "not_an_object", {}),
    (bytes, "§", "not_base64", {}),
    (datetime.date, "31.1.2026", "not_a_date", {}),
    (datetime.time, "noon", "not_a_time", {}),
    (datetime.datetime, "soon", "not_a_datetime", {}),
    (Annotated[datetime.datetime, Meta(tz=True)], "2026-01-31T00:00:00", "not_a_datetime", {}),
    (Annotated[datetime.time, Meta(tz=False)], "00:00:00Z", "not_a_time", {}),
    (datetime.timedelta, "long", "not_a_duration", {}),
    (uuid.UUID, "7", "not_a_uuid", {}),
    (Annotated[str, Meta(min_length=2)], "a", "too_short", {"min": 2}),
    (Annotated[str, Meta(max_length=2)], "abc", "too_long", {"max": 2}),
    (Annotated[bytes, Meta(max_length=2)], "AAAA", "too_long", {"max": 2}),
    (Annotated[list[int], Meta(min_length=2)], [1], "too_few", {"min": 2}),
    (Annotated[list[int], Meta(max_length=2)], [1, 2, 3], "too_many", {"max": 2}),
    (Annotated[dict[str, int], Meta(min_length=1)], {}, "too_few", {"min": 1}),
    (tuple[int, int], [1], "too_few", {"min": 2, "max": 2}),
    (tuple[int, int], [1, 2, 3], "too_many", {"min": 2, "max": 2}),
    (Row, [1], "too_few", {"min": 2}),
    (Annotated[int, Meta(ge=5)], 4, "out_of_range", {"min": 5}),
    (Annotated[int, Meta(gt=5)], 5, "out_of_range", {"min": 6}),
    (Annotated[int, Meta(le=5)], 6, "out_of_range", {"max": 5}),
    (Annotated[float, Meta(le=1.5)], 2, "out_of_range", {"max": 1.5}),
    (Annotated[float, Meta(gt=1.5)], 1, "out_of_range", {"above": 1.5}),
    (Annotated[float, Meta(lt=1.5)], 2, "out_of_range", {"below": 1.5}),
    (Annotated[int, Meta(multiple_of=5)], 4, "not_a_multiple", {"multiple_of": 5}),
    (Annotated[str, Meta(pattern="^a+$")], "b", "pattern_mismatch", {"pattern": "^a+$"}),
    (Annotated[str, Meta(pattern="^'\"\\\\d$")], "b", "pattern_mismatch", {"pattern": "^'\"\\\\d$"}),
    (Colour, "green", "not_a_choice", {"choices": ["red", "blue"]}),
    (Literal[1, 2], 3, "not_a_choice", {"choices": [1, 2]}),
    (Refusing, {}, "invalid", {}),
]  # fmt: skip


@rows("kind, value, code, bounds", IN_JSON, ids=lambda value: str(value)[:40])
def test_a_value_in_json_is_refused_with_a_code_and_its_bounds(kind, value, code, bounds):
    caught = unprocessable(json_as, json.dumps(value).encode(), kind)
    assert refused(caught) == [{"pointer": "", "code": code, **bounds}]


@rows(
    "kind, value, expected",
    (Closed, {"b": 1}, {"pointer": "/b", "code": "unknown"}),
    (make_dataclass("One", [("a", int)]), {}, {"pointer": "/a", "code": "missing"}),
    (Tagged, {"type": "dog"}, {"pointer": "/type", "code": "not_a_choice", "choices": ["cat"]}),
    (dict[int, int], {"x": 1}, {"pointer": "/x", "code": "wrong_name"}),
    (list[int], [1, "x"], {"pointer": "/1", "code": "not_an_integer"}),
    ids=["unknown", "missing", "tag", "name", "item"],
)
def test_a_part_of_a_value_in_json_is_refused_with_a_code(kind, value, expected):
    assert refused(unprocessable(json_as, json.dumps(value).encode(), kind)) == [expected]


class File:
    """A file of a form."""


IN_FORM: list[tuple[Any, list[str], str, dict[str, Any]]] = [
    (int, [], "missing", {}),
    (int, [""], "missing", {}),
    (Annotated[str, Meta(min_length=2)], [""], "missing", {}),
    (Colour, [""], "missing", {}),
    (int, ["x"], "not_an_integer", {}),
    (float, ["nan"], "not_a_number", {}),
    (bool, ["yes"], "not_a_boolean", {}),
    (Annotated[int, Meta(le=5)], ["6"], "out_of_range", {"max": 5}),
    (Literal[1, 2], ["3"], "not_a_choice", {"choices": [1, 2]}),
    (Literal[1, 2], ["x"], "not_a_choice", {"choices": [1, 2]}),
    (File, ["x"], "not_a_file", {}),
    (File, [], "missing", {}),
]


@rows("kind, texts, code, bounds", IN_FORM, ids=lambda value: str(value)[:40])
def test_a_field_of_a_form_is_refused_with_a_code_and_its_bounds(kind, texts, code, bounds):
    sent, record = MultiDict([("f", text) for text in texts]), make_dataclass("Record", [("f", kind)])
    caught = unprocessable(fields_as, sent, record, "form", file_type=File)
    assert refused(caught) == [{"pointer": "/f", "code": code, **bounds}]


def test_every_code_of_the_list_is_one_that_a_fault_has():
    named = {row[2] for row in IN_JSON} | {row[2] for row in IN_FORM} | {"unknown", "wrong_name"}
    assert named == set(get_args(FieldProblemCode))


@pytest.mark.once
def test_every_code_is_in_the_reference():
    page = (Path(__file__).parents[2] / "docs/reference/typed-values.md").read_text()
    assert [code for code in get_args(FieldProblemCode) if f"`{code}`" not in page] == []


def test_an_array_of_too_many_items_has_the_bound_that_msgspec_names():
    reason = reason_of("Expected `array` of at most length 2, got 3")
    assert reason == ("expected an array of at most 2 items, got 3", "too_many", {"max": 2})


def test_many_choices_are_named_in_part():
    caught = unprocessable(json_as, b"-1", Literal[tuple(range(500))])
    assert refused(caught) == [{"pointer": "", "code": "not_a_choice", "choices": [*range(20)]}]
