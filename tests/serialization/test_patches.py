"""Patches of values: JSON Patch (RFC 6902), whose examples are in its appendix A, and JSON Merge Patch (RFC 7396)."""

import json
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypedDict

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from antiphon import App, Limits, Request
from antiphon.http import BadRequest, Conflict, HTTPError
from antiphon.serialization.patches import JSON_PATCH, MERGE_PATCH, patched
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Item:
    sku: str
    count: Annotated[int, Meta(ge=1)] = 1


@dataclass
class NewOrder:
    title: str
    note: str | None = None
    items: list[Item] = field(default_factory=list)
    tags: dict[str, Any] = field(default_factory=dict)
    size: tuple[int, int] = (1, 2)


@dataclass
class Order(NewOrder):
    id: int = 7


class Row(TypedDict):
    title: str


class Cat(msgspec.Struct, tag="cat", rename={"name": "catName"}):
    name: str


class Dog(msgspec.Struct, tag="dog"):
    name: str


def order():
    return Order("Lamp", "urgent", [Item("a"), Item("b", 2)], {"x": [1, True]})


def apply(patch, current, wanted=None, media_type=JSON_PATCH, limits=Limits(), **options):  # noqa: B008 - immutable
    body = patch if isinstance(patch, bytes) else json.dumps(patch).encode()
    return patched(body, media_type, current, wanted or type(current), limits, **options)


def refusal(patch, current, wanted=None, media_type=JSON_PATCH, **options):
    before = deepcopy(current)
    with pytest.raises(HTTPError) as raised:
        apply(patch, current, wanted, media_type, **options)
    assert current == before
    error = raised.value
    return error.status, [(each["pointer"], each["code"]) for each in error.errors], error.members.get("operation")


def op(name, path, *value, **source):
    return {"op": name, "path": path, **({"value": value[0]} if value else {}), **source}


OF_THE_RFC = [
    ({"foo": "bar"}, [op("add", "/baz", "qux")], {"foo": "bar", "baz": "qux"}),
    ({"foo": ["bar", "baz"]}, [op("add", "/foo/1", "qux")], {"foo": ["bar", "qux", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [op("remove", "/baz")], {"foo": "bar"}),
    ({"foo": ["bar", "qux", "baz"]}, [op("remove", "/foo/1")], {"foo": ["bar", "baz"]}),
    ({"baz": "qux", "foo": "bar"}, [op("replace", "/baz", "boo")], {"baz": "boo", "foo": "bar"}),
    ({"foo": {"w": 2}, "qux": {}}, [op("move", "/qux/t", **{"from": "/foo/w"})], {"foo": {}, "qux": {"t": 2}}),
    ({"foo": [1, 2, 3, 4]}, [op("move", "/foo/3", **{"from": "/foo/1"})], {"foo": [1, 3, 4, 2]}),
    ({"baz": "q", "foo": ["a", 2]}, [op("test", "/baz", "q"), op("test", "/foo/1", 2)], {"baz": "q", "foo": ["a", 2]}),
    ({"foo": "bar"}, [op("add", "/child", {"grandchild": {}})], {"foo": "bar", "child": {"grandchild": {}}}),
    ({"foo": "bar"}, [{**op("add", "/baz", "qux"), "xyz": 123}], {"foo": "bar", "baz": "qux"}),
    ({"/": 9, "~1": 10}, [op("test", "/~01", 10), op("test", "/~1", 9)], {"/": 9, "~1": 10}),
    ({"foo": ["bar"]}, [op("add", "/foo/-", ["abc", "def"])], {"foo": ["bar", ["abc", "def"]]}),
    ({"a": {"": 1}}, [op("copy", "/b", **{"from": "/a"}), op("replace", "/b/", 2)], {"a": {"": 1}, "b": {"": 2}}),
    ({"a": 1}, [op("add", "", {"b": 1})], {"b": 1}),
    ({"a": [1.0, {"b": None}]}, [op("test", "/a", [1, {"b": None}])], {"a": [1.0, {"b": None}]}),
]  # fmt: skip


@rows("document, patch, result", OF_THE_RFC)
def test_operations_change_a_copy(document, patch, result):
    before = deepcopy(document)
    assert apply(patch, document) == result
    assert document == before


DOES_NOT_FIT = [
    ({"baz": "qux"}, [op("test", "/baz", "bar")], "/baz", "invalid", 0),
    ({"foo": "bar"}, [op("add", "/baz/bat", "qux")], "/baz", "missing", 0),
    ({"a": 1}, [op("replace", "/a", 2), op("remove", "/b")], "/b", "missing", 1),
    ({"a": [1]}, [op("add", "/a/2", 1)], "/a/2", "missing", 0),
    ({"a": [1]}, [op("replace", "/a/-", 1)], "/a/-", "missing", 0),
    ({"a": [1]}, [op("remove", "/a/01")], "/a/01", "missing", 0),
    ({"a": [1]}, [op("remove", f"/a/{'9' * 5000}")], None, "missing", 0),
    ({"a": 1}, [op("test", "/a", True)], "/a", "invalid", 0),
    ({"a": {"b": 1}}, [op("test", "/a", {"b": 1, "c": 1})], "/a", "invalid", 0),
    ({"a": "text"}, [op("add", "/a/0", 1)], "/a/0", "missing", 0),
]


@rows("document, patch, pointer, code, number", DOES_NOT_FIT)
def test_an_operation_that_does_not_fit_the_value_is_a_conflict(document, patch, pointer, code, number):
    status, faults, operation = refusal(patch, document)
    assert (status, operation, faults[0][1]) == (409, number, code)
    assert pointer in (faults[0][0], None)


MALFORMED = [
    (b"", []), (b"{", []), ({}, [("", "not_an_array")]), ([op("nope", "/a")], [("/0/op", "not_a_choice")]),
    ([{"path": "/a"}], [("/0/op", "missing")]), ([op("add", "/a")], [("/0/value", "missing")]),
    ([op("move", "/a")], [("/0/from", "missing")]), ([op("add", 1, 1)], [("/0/path", "not_a_string")]),
    ([op("add", "a", 1)], [("/0/path", "invalid")]), ([op("add", "/~2", 1)], [("/0/path", "invalid")]),
    ([op("copy", "/a", **{"from": "b"})], [("/0/from", "invalid")]),
    ([op("move", "/a/b", **{"from": "/a"})], [("/0/path", "invalid")]),
    ([op("test", "/a" * 201, 1)], [("/0/path", "invalid")]), ([op("test", "", 1)] * 1001, [("", "too_many")]),
    (b"[" * 300 + b"]" * 300, []),
]  # fmt: skip


@rows("patch, faults", MALFORMED)
def test_a_malformed_patch_is_a_400_that_names_the_operation(patch, faults):
    assert refusal(patch, {"a": {"b": 1}}) == (400, faults, None)


UNFIT = [
    ([op("replace", "/titel", "x")], [("/titel", "unknown")], 0),
    ([op("test", "/items/0/skuu", "x")], [("/items/0/skuu", "unknown")], 0),
    ([op("replace", "/title/0", "x")], [("/title/0", "unknown")], 0),
    ([op("remove", "/items/first")], [("/items/first", "unknown")], 0),
    ([op("replace", "/id", 8)], [("/id", "unknown")], 0),
    ([op("copy", "/note", **{"from": "/id"})], [("/id", "unknown")], 0),
    ([op("remove", "/title")], [("/title", "missing")], None),
    ([op("replace", "/items/1/count", 0)], [("/items/1/count", "out_of_range")], None),
    ([op("add", "/items/-", {"sku": "c", "n": 1})], [("/items/2/n", "unknown")], None),
    ([op("remove", "")], [("", "not_an_object")], None),
    ([op("remove", "/size/0")], [("/size", "too_few")], None),
]


@rows("patch, faults, operation", UNFIT)
def test_paths_and_the_result_are_checked_against_the_type(patch, faults, operation):
    assert refusal(patch, order(), NewOrder) == (422, faults, operation)


READ_AS = [
    (order(), NewOrder, [op("remove", "/tags/x/0")], NewOrder("Lamp", "urgent", order().items, {"x": [True]})),
    (order(), None, [op("remove", "/note"), op("replace", "/items", [])], Order("Lamp", tags={"x": [1, True]})),
    ({"title": "a", "_key": 1}, Row, [op("replace", "/title", "b")], {"title": "b"}),
    (Cat("Tom"), Cat | Dog, [op("replace", "/type", "dog"), op("move", "/name", **{"from": "/catName"})], Dog("Tom")),
    ({"a": 1}, dict[str, int], [op("add", "/b", 2.0)], {"a": 1, "b": 2}),
    ([1, 2], list[Literal[1, 2]], [op("add", "/-", 1)], [1, 2, 1]),
]  # fmt: skip


@rows("current, wanted, patch, result", READ_AS)
def test_a_patched_value_has_its_type(current, wanted, patch, result):
    assert apply(patch, current, wanted) == result


MERGED = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}), ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}), ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}), ({"a": [1]}, {"a": 2}, {"a": 2}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}), ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}), (["a", "b"], ["c", "d"], ["c", "d"]), ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None), ({"a": "foo"}, "bar", "bar"), ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}), ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]  # fmt: skip


@rows("document, patch, result", MERGED)
def test_a_merge_patch_is_merged_as_in_its_rfc(document, patch, result):
    assert apply(patch, document, Any, MERGE_PATCH) == result


@dataclass
class Ticket:
    assignee: str | None
    state: str | None = "open"
    count: int = 1
    parent: "Ticket | None" = None


NULLED = [
    ({"assignee": None}, Ticket(None, "closed", 2, Ticket("Bo"))),
    ({"state": None, "count": None}, Ticket("Ada", None, 1, Ticket("Bo"))),
    ({"parent": {"assignee": None}}, Ticket("Ada", "closed", 2, Ticket(None))),
    ({"parent": None}, Ticket("Ada", "closed", 2)),
]


@rows("patch, result", NULLED)
def test_null_in_a_merge_patch_is_none_where_the_type_allows_it_and_otherwise_the_default(patch, result):
    assert apply(patch, Ticket("Ada", "closed", 2, Ticket("Bo")), media_type=MERGE_PATCH) == result


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab", max_size=2),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)


def merged(target, patch):
    """The pseudocode of RFC 7396 §2."""
    if not isinstance(patch, dict):
        return patch
    target = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        target[name] = merged(target.get(name), value)
    return {name: value for name, value in target.items() if not (name in patch and patch[name] is None)}


@given(VALUES, VALUES)
def test_merging_agrees_with_the_algorithm_of_its_rfc(document, patch):
    assert apply(patch, document, Any, MERGE_PATCH) == merged(document, patch)


PATHS = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~1"]), max_size=3).map(
    lambda steps: "".join(f"/{each}" for each in steps)
)
OPERATIONS = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": PATHS},
    optional={"from": PATHS, "value": VALUES},
)  # fmt: skip


@given(VALUES, st.lists(OPERATIONS, max_size=4))
def test_any_patch_is_applied_or_refused_and_its_inverse_restores_the_value(document, patch):
    before = deepcopy(document)
    try:
        changed = apply(patch, document, Any)
    except (BadRequest, Conflict):
        pass
    else:
        assert apply([*patch, op("test", "", changed), op("replace", "", document)], document, Any) == document
    assert document == before


def test_work_is_bounded():
    doubled = [op("copy", "/-", **{"from": ""})] * 60
    assert refusal(doubled, [0] * 100)[0] == 422
    step = [op("add", "/a" * 100 * depth or "", json.loads('{"a":' * 100 + "{}" + "}" * 100)) for depth in range(3)]
    assert refusal(step, {}, dict)[0] == 400
    deep = [op("copy", "/a" * 150, **{"from": ""})] * 20
    with pytest.raises(HTTPError, match="levels deep") as raised:
        apply(deep, json.loads('{"a":' * 150 + "{}" + "}" * 150), dict)
    assert raised.value.status == 400


app = App(limits=Limits(json=1000))


@app.patch("/<kind>")
def change(request: Request, kind: str):
    if kind == "own":
        return request.patched(order())
    return request.patched(order(), NewOrder, unknown="ignore" if kind == "ignoring" else "refuse")


SENT = [
    ("own", MERGE_PATCH, {"id": 8, "note": None}, 200), ("new", MERGE_PATCH, {"id": 8}, 422),
    ("ignoring", MERGE_PATCH, {"id": 8}, 200), ("own", f"{JSON_PATCH}; charset=utf-8", [op("test", "/id", 7)], 200),
    ("own", JSON_PATCH, [op("test", "/id", 8)], 409), ("own", JSON_PATCH, "x" * 1000, 413),
    ("own", "application/json", {}, 415), ("own", "", {}, 415), ("own", "application/x+json", {}, 415),
]  # fmt: skip


@rows("kind, media_type, patch, status", SENT)
def test_requests_are_read_by_their_media_type(kind, media_type, patch, status):
    response = Client(app).patch(f"/{kind}", body=json.dumps(patch).encode(), headers={"content-type": media_type})
    assert response.status == status
    accepted = response.headers.get("accept-patch")
    assert accepted == (f"{JSON_PATCH}, {MERGE_PATCH}" if status == 415 else None)
    assert status > 200 or response.json["title"] == "Lamp"
