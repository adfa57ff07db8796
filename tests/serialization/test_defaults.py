"""What was read into a dataclass is written again with the defaults that it got."""

from dataclasses import dataclass, field
from typing import Generic, TypeVar

import attrs
import pytest
from msgspec import Struct

from antiphon.http.multidict import MultiDict
from antiphon.serialization.json import decode_json, encode_json
from antiphon.serialization.readers import fields_as, json_as

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


@pytest.mark.parametrize(
    ("wanted", "text", "written"),
    [
        (Crate, b'{"item":{"name":"a"}}', {"item": {"name": "a", "count": 1}}),
        (Shelf, b'{"item":{"name":"a"}}', {"item": {"name": "a", "count": 1}}),
        (Page[int], b'{"items":[1]}', {"items": [1], "number": 1}),
        (Item, b'{"name":"a"}', {"name": "a", "count": 1}),
        (Frozen, b"{}", {"name": "none"}),
        (Slotted, b"{}", {"name": "none"}),
        (list[Item], b'[{"name":"a"},{"name":"b","count":2}]', [{"name": "a", "count": 1}, {"name": "b", "count": 2}]),
        (Item | None, b"null", None),
    ],
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


def test_a_query_is_written_with_defaults():
    assert decode_json(encode_json(fields_as(MultiDict([("name", "a")]), Item, "query"))) == {"name": "a", "count": 1}


def test_defaults_are_given_in_an_attrs_class():
    crate = attrs.make_class("Crate", {"item": attrs.field(type=Item)})
    assert decode_json(encode_json(json_as(b'{"item":{"name":"a"}}', crate))) == {"item": {"name": "a", "count": 1}}
