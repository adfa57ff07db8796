import dataclasses
import datetime
import json
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta, Struct

from antiphon.http.errors import UnprocessableContent
from antiphon.serialization.readers import json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable
from tests.serialization.test_readers import Address, Cat, Colour, Dog, Pair, Row


@dataclasses.dataclass
class Item:
    price: float


class Camel(Struct, rename="camel", forbid_unknown_fields=True):
    first_name: str


@rows(
    "wrong, detail",
    (100, "100 fields are wrong"),
    (101, "101 fields are wrong, of which the first 100 are listed"),
    (1000, "1000 fields are wrong, of which the first 100 are listed"),
    (3000, "more than 1000 fields are wrong, of which the first 100 are listed"),
)
@rows("shape", ["list", "dict", "record"])
def test_a_hundred_faults_are_listed_and_a_thousand_counted(wrong, detail, shape):
    numbers = range(wrong)
    value, wanted = {
        "list": ([None] * 500 + ["x" for _ in numbers], list[int | None]),
        "dict": ({f"a{number}": "x" for number in numbers}, dict[str, int]),
        "record": ({"firstName": "a"} | {f"a{number}": 1 for number in numbers}, Camel),
    }[shape]
    caught = unprocessable(json_as, json.dumps(value).encode(), wanted)
    assert caught.detail == detail
    assert len(faults(caught)) == 100


@rows(
    "fitting, wrong, detail, at_most",
    [(5000, 1, "1 field is wrong", 4 * 5000), (0, 2000, "more than 1000 fields are wrong, ", 100)],
)
def test_items_are_not_looked_at_one_by_one_nor_after_a_thousand_faults(fitting, wrong, detail, at_most):
    class Counted(Struct):
        number: int

        def __post_init__(self):
            nonlocal made
            made += 1

    made = 0
    value = [{"number": 1}] * fitting + [{"number": "x"}] * wrong + [{"number": 1}] * 5000
    caught = unprocessable(json_as, json.dumps(value).encode(), list[Counted])
    assert (caught.detail or "").startswith(detail)
    assert faults(caught)[f"/{fitting}/number"] == "expected an integer, got a string"
    assert made < at_most


class Branch(Struct):
    """Counts how often one is made, as each conversion does."""

    many: list["Branch"] = []
    named: dict[str, "Branch"] = {}
    number: int = 0

    made = 0

    def __post_init__(self):
        Branch.made += 1


def branches(data: bytes) -> tuple[UnprocessableContent, int]:
    Branch.made = 0
    caught = unprocessable(json_as, data, Branch)
    return caught, Branch.made


@rows("depth", [1, 16, 32])
def test_a_fault_is_found_without_trying_its_surroundings_again_at_each_depth(depth):
    data = b'{"many":[' * depth + b"{}," * 5000 + b'{"number":"x"},{}' + b"]}" * depth
    error, made = branches(data)
    assert made < 4 * 5000
    assert error.detail == "1 field is wrong"
    assert error.members["errors"] == [
        {
            "pointer": "/many/0" * (depth - 1) + "/many/5000/number",
            "detail": "expected an integer, got a string",
            "code": "not_an_integer",
        }
    ]


def test_all_faults_are_found_that_lie_at_several_depths():
    data = b'{"many":[{"number":"x"},' * 8 + b'{"many":[{},{"number":"x"},{},{"number":[]}]}' + b"]}" * 8
    error, _ = branches(data)
    assert error.detail == "10 fields are wrong"


@rows(
    "before, after",
    [(b'{"named":{"a":', b"}}"), (b'{"number":"x","many":[', b"]}"), (b'{"many":[{"number":"x"},', b"]}")],
)
def test_the_search_stops_when_it_has_tried_some_times_as_many_values_as_there_are(before, after):
    leaves = b",".join(b'"%d":{}' % number for number in range(20_000))
    error, made = branches(before * 60 + b'{"named":{' + leaves + b',"x":{"number":"x"}}}' + after * 60)
    assert made < 8 * 20_000
    assert (error.detail or "").startswith("at least ")
    assert error.members["errors"]


KINDS: list[tuple[Any, Any, Any]] = [
    (int, 1, "x"),
    (str, "a", 1),
    (float | None, None, []),
    (list[int], [1, 2], [1, "x"]),
    (datetime.date, "2026-01-31", "2026-02-31"),
    (Item, {"price": 1}, {"price": "x"}),
    (Colour, "red", "green"),
]


@given(st.data())
def test_corrupting_any_fields_of_a_record_names_exactly_these(data):
    kinds = data.draw(st.lists(st.sampled_from(KINDS), min_size=1, max_size=12))
    wrong = data.draw(st.sets(st.sampled_from(range(len(kinds))), min_size=1))
    absent = data.draw(st.sets(st.sampled_from(sorted(wrong))))
    record = dataclasses.make_dataclass("Record", [(f"f{at}", kind) for at, (kind, _, _) in enumerate(kinds)])
    value = {f"f{at}": bad if at in wrong else good for at, (_, good, bad) in enumerate(kinds) if at not in absent}
    caught = unprocessable(json_as, json.dumps(value).encode(), record)
    assert {pointer.split("/")[1] for pointer in faults(caught)} == {f"f{at}" for at in wrong}
    assert {pointer for pointer, detail in faults(caught).items() if detail == "is missing"} == {
        f"/f{at}" for at in absent
    }


@dataclasses.dataclass
class Everything:
    a: int
    b: list[Cat | Dog | int] = dataclasses.field(default_factory=list)
    c: dict[Colour, Pair] | None = None
    d: "Everything | list[Row] | str | None" = None
    e: Annotated[list[Address], Meta(max_length=2)] | None = None
    f: Literal["a", 1] | None = None
    g: Camel | None = None


names = st.sampled_from(
    ["a", "b", "c", "d", "e", "f", "g", "type", "lives", "tricks", "city", "zip", "red", "firstName"]
)
loose_values = st.recursive(
    st.none() | st.booleans() | st.integers(0, 2) | st.just(1.5) | st.sampled_from(["cat", "dog", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=5),
    max_leaves=25,
)


@given(st.fixed_dictionaries({"a": st.integers() | st.text()}, optional=dict.fromkeys("bcdefg", loose_values)))
def test_what_msgspec_refuses_has_faults_at_places_that_exist(value):
    data = json.dumps(value).encode()
    try:
        expected = msgspec.json.decode(data, type=Everything)
    except msgspec.ValidationError:
        caught = unprocessable(json_as, data, Everything)
        assert faults(caught)
        for pointer, detail in faults(caught).items():
            assert "`" not in detail
            assert detail == "is missing" or pointer == "" or resolves(value, pointer)
    else:
        assert json_as(data, Everything) == expected


def resolves(value: Any, pointer: str) -> bool:
    for step in pointer.split("/")[1:]:
        try:
            value = value[int(step)] if isinstance(value, list) else value[step]
        except (LookupError, TypeError, ValueError):
            return False
    return True
