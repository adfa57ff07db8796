"""What was read into a dataclass is written again with the defaults that it got."""

import pickle
from dataclasses import dataclass, field, make_dataclass
from functools import reduce
from typing import Any, ClassVar, Generic, NamedTuple, TypedDict, TypeVar

import attrs
import msgspec
import pytest
from msgspec import Struct

from antiphon.http.multidict import MultiDict
from antiphon.serialization.json import decode_json, encode_json
from antiphon.serialization.readers import fields_as, json_as
from tests.helpers.rows import rows
from tests.serialization.named_faults import faults, unprocessable

T = TypeVar("T")


@dataclass
class Item:
    name: str
    count: int = 1


@dataclass(frozen=True)
class Frozen:
    name: str = "none"


@dataclass(slots=True)
class Slotted:
    name: str = "none"


@dataclass
class Order:
    items: list[Item]
    first: Item | None = None
    by_name: dict[str, Item] = field(default_factory=dict)
    parent: "Order | None" = None
    frozen: Frozen = Frozen("x")


class Crate(Struct):
    item: Item


@dataclass(slots=True)
class Shelf:
    item: Item


@dataclass
class Page(Generic[T]):
    items: list[T]
    number: int = 1


@rows(
    "wanted, text, written",
    (Crate, b'{"item":{"name":"a"}}', {"item": {"name": "a", "count": 1}}),
    (Shelf, b'{"item":{"name":"a"}}', {"item": {"name": "a", "count": 1}}),
    (Page[int], b'{"items":[1]}', {"items": [1], "number": 1}),
    (Item, b'{"name":"a"}', {"name": "a", "count": 1}),
    (Frozen, b"{}", {"name": "none"}),
    (Slotted, b"{}", {"name": "none"}),
    (list[Item], b'[{"name":"a"},{"name":"b","count":2}]', [{"name": "a", "count": 1}, {"name": "b", "count": 2}]),
    (Item | None, b"null", None),
)
def test_json_is_written_with_defaults(wanted, text, written):
    assert decode_json(encode_json(json_as(text, wanted))) == written


def test_defaults_are_given_however_deep_they_stand():
    text = b'{"items":[{"name":"a"}],"by_name":{"b":{"name":"b"}},"parent":{"items":[]}}'
    written = decode_json(encode_json(json_as(text, Order)))
    empty = {"items": [], "first": None, "by_name": {}, "parent": None, "frozen": {"name": "x"}}
    assert written["items"] == [{"name": "a", "count": 1}]
    assert written["by_name"] == {"b": {"name": "b", "count": 1}}
    assert written["parent"] == empty


class Noting:
    """A class that notes which attributes of its instances are read."""

    noted: ClassVar[list[str]] = []

    def __getattribute__(self, name):
        Noting.noted.append(name)
        return super().__getattribute__(name)


class Refusing:
    def __setattr__(self, name, value):
        raise AttributeError(name)


@rows("base", [Noting, Refusing])
def test_to_set_defaults_runs_no_code_of_the_class(base):
    cls = make_dataclass("Own", [("count", int, 1), ("note", str | None, None)], bases=(base,))
    Noting.noted.clear()
    msgspec.json.decode(b"{}", type=cls)
    by_msgspec = [*Noting.noted]
    Noting.noted.clear()
    found = json_as(b"{}", cls)
    assert [name for name in Noting.noted if name != "__dict__"] == by_msgspec
    assert object.__getattribute__(found, "__dict__") == {"count": 1, "note": None}


def test_a_query_is_written_with_defaults():
    assert decode_json(encode_json(fields_as(MultiDict([("name", "a")]), Item, "query"))) == {"name": "a", "count": 1}


def test_defaults_are_given_in_an_attrs_class():
    crate = attrs.make_class("Crate", {"item": attrs.field(type=Item)})
    assert decode_json(encode_json(json_as(b'{"item":{"name":"a"}}', crate))) == {"item": {"name": "a", "count": 1}}


@dataclass
class Tagged:
    tags: set[Any]
    name: str = "none"


def test_what_has_no_hash_is_the_clients_fault_in_a_dataclass_with_defaults_too():
    assert faults(unprocessable(json_as, b'{"tags":[[1]]}', Tagged)) == {"/tags/0": "an array can't be in a set"}


@dataclass
class Changed:
    item: Item | None
    items: list[Item]
    by_name: dict[str, Item] = field(default_factory=dict)
    other: Item = None  # type: ignore[assignment]
    count: int = 1

    def __post_init__(self):
        self.seen = self.count
        self.items = tuple(self.items)
        self.item = "something else"


def test_a_value_may_have_another_class_than_its_field_by_a_default_or_a_post_init():
    found = json_as(b'{"item":{"name":"a"},"items":[{"name":"b"}]}', Changed)
    assert vars(found) == {
        "item": "something else", "items": (Item("b"),), "by_name": {}, "other": None, "count": 1, "seen": 1,
    }  # fmt: skip


class Pair(NamedTuple):
    first: Item
    number: int = 0


class Named(TypedDict, total=False):
    item: Item
    missing: Item


@rows(
    "wanted, text, instances",
    (tuple[Item, int], b'[{"name":"a"},1]', lambda value: [value[0]]),
    (Pair, b'[{"name":"a"}]', lambda value: [value.first]),
    (Named, b'{"item":{"name":"a"}}', lambda value: [value["item"]]),
    (dict[str, list[Item]], b'{"x":[{"name":"a"}]}', lambda value: value["x"]),
    (frozenset[Frozen], b"[{}]", list),
    (list[Item | int], b'[1,{"name":"a"}]', lambda value: value[1:]),
    (list[list[list[list[list[list[Item]]]]]], b'[[[[[[{"name":"a"}]]]]]]', lambda value: value[0][0][0][0][0]),
)
def test_an_instance_has_its_defaults_wherever_it_stands(wanted, text, instances):
    (found,) = instances(json_as(text, wanted))
    assert vars(found).keys() == type(found).__dataclass_fields__.keys()
    assert type(found).__dataclass_fields__.keys() <= vars(pickle.loads(pickle.dumps(found))).keys()


def nested(depth, wanted=Item):
    for number in range(depth):
        wanted = make_dataclass(f"Level{number}", [("inner", list[wanted]), ("level", int, number)])
    return wanted


def test_records_and_lists_may_lie_deeper_than_python_lets_blocks_lie():
    found = json_as(b'{"inner":[' * 99 + b'{"name":"a"}' + b"]}" * 99, nested(99))
    for number in reversed(range(99)):
        assert vars(found)["level"] == number
        (found,) = found.inner
    assert vars(found) == {"name": "a", "count": 1}
    found = json_as(b"[" * 190 + b'{"name":"a"}' + b"]" * 190, reduce(lambda each, _: list[each], range(190), Item))
    for _ in range(190):
        (found,) = found
    assert vars(found) == {"name": "a", "count": 1}


def test_a_type_that_lies_too_deep_is_told():
    with pytest.raises(TypeError, match="Level299 can't be read: maximum recursion depth exceeded"):
        json_as(b"{}", nested(300))


def test_a_record_may_have_itself_in_it():
    found = json_as(b'{"items":[],"parent":' * 60 + b'{"items":[{"name":"a"}]}' + b"}" * 60, Order)
    while found.parent:
        assert "frozen" in vars(found)
        found = found.parent
    assert vars(found.items[0]) == {"name": "a", "count": 1}


def test_the_class_is_left_as_it_is():
    json_as(b'{"name":"a"}', Item)
    assert Item.count == 1
    assert vars(Item("b")) == {"name": "b", "count": 1}
