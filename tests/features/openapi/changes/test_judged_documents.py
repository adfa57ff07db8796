"""Changes that documents can have, but that our own documents seldom or never have: each judged in both directions."""

import copy
import sys
from datetime import date

from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from antiphon.features.openapi.changes.operations import Comparison, worst
from antiphon.features.openapi.changes.schemas import SchemaComparison
from tests.helpers.rows import rows

TODAY = date(2026, 11, 26)
TEXT, NUMBER = {"type": "string"}, {"type": "integer"}
NULL = {"type": "null"}


def document(operation=None, path="/a", **more):
    return {"openapi": "3.1.0", "paths": {path: {"post": operation or {}}}, **more}


def sends(schema, **more):
    """Return an operation with this body."""
    return {"requestBody": {"content": {"application/json": {"schema": schema}}, **more}}


def receives(schema, media="application/json", **more):
    return {"responses": {"200": {"content": {media: {"schema": schema}}, **more}}}


def query(schema=TEXT, place="query", **more):
    return {"parameters": [{"name": "x", "in": place, "schema": schema, **more}]}


def fields(required=(), **properties):
    return {"type": "object", "properties": properties, "required": [*required]}


def tagged(*tags, key="kind", choice="oneOf"):
    members = [fields([key], **{key: {"const": tag}, "n": NUMBER}) for tag in tags]
    return {choice: members, "discriminator": {"propertyName": key}}


def webhook(schema, **responses):
    return {"openapi": "3.1.0", "webhooks": {"sold": {"post": {**sends(schema), "responses": responses}}}}


def callback(schema):
    return document({"callbacks": {"done": {"{$request.body#/url}": {"post": sends(schema)}}}})


def secured(*requirements, **schemes):
    return document({"security": [*requirements]}, components={"securitySchemes": schemes})


KEY = {"type": "apiKey", "in": "header", "name": "x-key"}
BEARER = {"type": "http", "scheme": "bearer"}
TREE = {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}, "n": NUMBER}}
TEXT_TREE = {"type": "object", "properties": {"below": {"$ref": "#/components/schemas/Tree"}, "n": TEXT}}


BOTH = fields(a=TEXT, b=TEXT)
LIST = {"type": "array", "items": TEXT}


def tagged_by(*values):
    schemas = {"A": fields(["kind"], kind=TEXT)}
    mapping = dict.fromkeys(values, "#/components/schemas/A")
    union = {
        "oneOf": [{"$ref": "#/components/schemas/A"}],
        "discriminator": {"propertyName": "kind", "mapping": mapping},
    }
    return document(sends(union), components={"schemas": schemas})


def tokens_from(url):
    return secured({"o": []}, o={"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": url, "scopes": {}}}})


def tree(schema):
    return document(sends({"$ref": "#/components/schemas/Tree"}), components={"schemas": {"Tree": schema}})


# Before, after, the verdict, and that of the reverse.
JUDGED = [
    (document(), {"paths": {}}, "breaks", "safe"),
    (document({"deprecated": True}), {"paths": {}}, "safe", "safe"),
    (document({"deprecated": True, "x-sunset": "2026-11-25"}), {"paths": {}}, "safe", "safe"),
    (document({"deprecated": True, "x-sunset": "2026-11-27"}), {"paths": {}}, "breaks", "safe"),
    (document({"x-sunset": "2027-02-01"}), document({"x-sunset": "2027-01-01"}), "breaks", "safe"),
    (document(), document({"deprecated": True}), "safe", "safe"),
    (document(path="/a/{id}/{n}"), document(path="/a/{key}/{number}"), "safe", "safe"),
    (document(path="/a/{id}"), document(path="/a/b/{id}"), "breaks", "breaks"),
    (document(query()), document(query(style="spaceDelimited")), "breaks", "breaks"),
    (document(query()), document(query(style="form", explode=True)), "safe", "safe"),
    (document(query(allowEmptyValue=True)), document(query()), "breaks", "safe"),
    (document(query({**TEXT, "default": "a"})), document(query({**TEXT, "default": "b"})), "breaks", "breaks"),
    (document(query(place="cookie")), document(query(place="header")), "breaks", "breaks"),
    (document(query(NUMBER)), document(query({"type": "array", "items": NUMBER})), "safe", "breaks"),
    (document(query(NUMBER)), document(query({**TEXT, "pattern": "^a"})), "unknown", "breaks"),
    (document(), document(query()), "safe", "unknown"),
    (document(sends(TEXT)), document(sends(TEXT, required=True)), "breaks", "safe"),
    (document(), document(sends(TEXT, required=True)), "breaks", "breaks"),
    (document(), document(sends(TEXT)), "safe", "breaks"),
    (document(sends(tagged("a", "b"))), document(sends(tagged("a"))), "breaks", "safe"),
    (document(receives(tagged("a", "b"))), document(receives(tagged("a"))), "safe", "breaks"),
    (document(sends(tagged("a"))), document(sends(tagged("a", choice="anyOf"))), "safe", "safe"),
    (document(sends(tagged("a"))), document(sends(tagged("a", key="type"))), "breaks", "breaks"),
    (document(sends({"type": ["string", "null"]})), document(sends({"anyOf": [TEXT, NULL]})), "safe", "safe"),
    (document(sends({**TEXT, "nullable": True})), document(sends({"anyOf": [NULL, TEXT]})), "safe", "safe"),
    (document(sends({"anyOf": [TEXT, NULL]})), document(sends(TEXT)), "breaks", "safe"),
    (document(sends({"allOf": [fields(a=TEXT), fields(b=TEXT)]})), document(sends(BOTH)), "safe", "safe"),
    (document(sends(TEXT)), document(sends({**TEXT, "not": {"const": ""}})), "breaks", "safe"),
    (document(sends({**TEXT, "pattern": "a"})), document(sends({**TEXT, "pattern": "b"})), "unknown", "unknown"),
    (document(receives({**TEXT, "pattern": "a"})), document(receives(TEXT)), "unknown", "safe"),
    (document(sends({**NUMBER, "multipleOf": 4})), document(sends({**NUMBER, "multipleOf": 2})), "safe", "breaks"),
    (document(sends({**NUMBER, "minimum": 1})), document(sends({**NUMBER, "exclusiveMinimum": 1})), "breaks", "safe"),
    (document(sends({**TEXT, "format": "int32"})), document(sends({**TEXT, "format": "int64"})), "safe", "breaks"),
    (document(sends({**TEXT, "format": "odd"})), document(sends({**TEXT, "format": "even"})), "unknown", "unknown"),
    (document(sends({"enum": ["a", 1]})), document(sends({"enum": ["a", True]})), "breaks", "breaks"),
    (document(sends(TEXT)), document(sends({})), "unknown", "unknown"),
    (document(sends(fields(a=TEXT))), document(sends({**fields(), "additionalProperties": False})), "breaks", "safe"),
    (document(sends(fields(a={**TEXT, "readOnly": True}))), document(sends(fields())), "safe", "safe"),
    (document(sends({**TEXT, "x-order": 1})), document(sends({**TEXT, "x-order": 2})), "safe", "safe"),
    (document(sends({**TEXT, "novel": 1})), document(sends({**TEXT, "novel": 2})), "unknown", "unknown"),
    (tree(TREE), tree(TEXT_TREE), "breaks", "breaks"),
    (tree(TREE), tree(copy.deepcopy(TREE)), "safe", "safe"),
    (document({"responses": {"200": {}}}), document({"responses": {"204": {}}}), "breaks", "breaks"),
    (document({"responses": {"200": {}}}), document({"responses": {"2XX": {}}}), "safe", "breaks"),
    (document({"responses": {"404": {}}}), document({"responses": {"410": {}}}), "safe", "safe"),
    (document({"responses": {"303": {}}}), document({"responses": {}}), "unknown", "safe"),
    (document(receives(TEXT)), document(receives(TEXT, "text/plain")), "breaks", "breaks"),
    (document(receives(TEXT, headers={"ETag": {"required": True}})), document(receives(TEXT)), "breaks", "safe"),
    (document(receives(TEXT, headers={"ETag": {}})), document(receives(TEXT, headers={"etag": {}})), "safe", "safe"),
    (document(receives(TEXT, headers={"ETag": {}})), document(receives(TEXT)), "unknown", "safe"),
    (secured({"k": []}, k=KEY), secured({"key": []}, key=KEY), "safe", "safe"),
    (secured({"k": []}, k=KEY), secured({"k": []}, {"b": []}, k=KEY, b=BEARER), "safe", "breaks"),
    (secured({"k": []}, k=KEY), secured({"k": [], "b": []}, k=KEY, b=BEARER), "breaks", "safe"),
    (secured({"b": ["r"]}, b=BEARER), secured({"b": ["r", "w"]}, b=BEARER), "breaks", "safe"),
    (secured({"b": []}, {}, b=BEARER), secured({"b": []}, b=BEARER), "breaks", "safe"),
    (webhook(fields(a=TEXT)), webhook(fields()), "unknown", "safe"),
    (webhook(fields(["a"], a=TEXT)), webhook(fields()), "breaks", "safe"),
    (webhook(TEXT), {"openapi": "3.1.0"}, "breaks", "safe"),
    (callback(fields(["a"], a=TEXT)), callback(fields()), "breaks", "safe"),
    (callback(TEXT), document(), "breaks", "safe"),
    (document({"servers": [{"url": "//a"}]}), document({"servers": [{"url": "//b"}]}), "unknown", "unknown"),
    (tagged_by("a", "b"), tagged_by("a"), "breaks", "safe"),
    (tokens_from("//a"), tokens_from("//b"), "unknown", "unknown"),
    (document(sends(LIST)), document(sends({**LIST, "uniqueItems": True})), "breaks", "safe"),
    (document(sends(BOTH)), document(sends({**BOTH, "dependentRequired": {"a": ["b"]}})), "breaks", "safe"),
    (document(sends(BOTH)), document(sends({**BOTH, "unevaluatedProperties": False})), "breaks", "safe"),
    (document(query(LIST)), document(query(LIST, explode=False)), "breaks", "breaks"),
    ({"x-websockets": ["/a/{id}"]}, {"x-websockets": ["/a/{key}"]}, "safe", "safe"),
]  # fmt: skip


@rows("old, new, verdict, reverse", JUDGED)
def test_changes_of_documents_are_judged(old, new, verdict, reverse):
    forth = [*Comparison(old, new, TODAY).changes()]
    assert worst(forth) == verdict, forth
    back = [*Comparison(new, old, TODAY).changes()]
    assert worst(back) == reverse, back
    assert all(each.advice for each in (*forth, *back) if each.verdict != "safe")
    assert [*Comparison(old, copy.deepcopy(old), TODAY).changes()] == []


@rows(
    "old, new, of_clients, of_server",
    ({"type": ["string", "null"]}, TEXT, "accept null", "send a value instead of null"),
    ({"enum": ["a", "b"]}, {"enum": ["a"]}, "accept the old values", "send only values that clients know"),
    (fields(a=TEXT), fields(["a"], a=TEXT), "give it a default", "always send it"),
    (fields(), fields(["a"], a=TEXT), "give it a default", "keep it"),
    (TEXT, NUMBER, "accept what it was", "send what it was"),
)
def test_who_sends_a_value_is_told_what_to_do(old, new, of_clients, of_server):
    for one, two, operation, advice in ((old, new, sends, of_clients), (new, old, receives, of_server)):
        (change,) = Comparison(document(operation(one)), document(operation(two)), TODAY).changes()
        assert (change.verdict, change.advice) == ("breaks", f"{advice}, or add /v2")


# What is judged is true: values that one schema refuses and the other allows show it.

SCHEMAS = st.deferred(
    lambda: st.one_of(
        st.sampled_from([TEXT, NUMBER, {"type": "number"}, {"type": "boolean"}, NULL, {"type": ["string", "null"]}]),
        st.builds(lambda n, m: {"type": "integer", "minimum": n, "exclusiveMaximum": m}, NUMBERS, NUMBERS),
        st.builds(lambda n, m: {"type": "string", "minLength": n, "maxLength": m}, NUMBERS, NUMBERS),
        st.builds(
            lambda values: {"enum": values}, st.lists(st.sampled_from(["a", 1, 2, None]), min_size=1, unique=True)
        ),
        st.builds(lambda each: {"type": "array", "items": each}, SCHEMAS),
        st.builds(lambda each, n: {"type": "array", "items": each, "maxItems": n}, SCHEMAS, NUMBERS),
        st.builds(fields, st.sampled_from([(), ("a",), ("a", "b")]), a=SCHEMAS, b=SCHEMAS),
        st.builds(lambda each: {**fields(a=each), "additionalProperties": False}, SCHEMAS),
        st.builds(lambda one, two: {"anyOf": [one, two]}, SCHEMAS, SCHEMAS),
    )
)
NUMBERS = st.integers(0, 3)
VALUES = st.recursive(
    st.sampled_from(["", "a", "ab", "abc", 0, 1, 2, 3, 1.5, True, None]),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("ab"), inner, max_size=2)),
    max_leaves=4,
)


@given(SCHEMAS, SCHEMAS, VALUES)
def test_a_value_that_is_no_longer_valid_is_judged(old, new, value):
    was, is_now = (Draft202012Validator(each).is_valid(value) for each in (old, new))
    found = [*SchemaComparison({}, {}, True).differences(old, new)]
    if was and not is_now:
        assert any(each.narrowed != "no" for each in found)
    if is_now and not was and not _has_own_fields(old):
        assert any(each.widened != "no" for each in found)


def _has_own_fields(schema):
    """True if an old schema says nothing about other fields: a new field of a response is safe all the same."""
    return "'properties'" in str(schema)


def test_unions_of_unions_are_compared_in_time():
    """Without a bound, the work would be the product of all members at all levels."""

    def deep(leaf):
        schema = leaf
        for _ in range(7):
            schema = {"anyOf": [{"type": "array", "items": schema}, fields(a=schema), fields(b=schema), NULL]}
        return schema

    calls = 0

    def count(frame, event, _argument):
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        found = [*SchemaComparison({}, {}, True).differences(deep(TEXT), deep(NUMBER))]
    finally:
        sys.setprofile(None)
    assert any(each.narrowed != "no" for each in found)
    assert calls < 3_000_000
