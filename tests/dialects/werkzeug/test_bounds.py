"""Bounds on what a request may make a server hold, by default, and a refusal that is not forgotten."""

import json
import types
from io import BytesIO

import pytest

from antiphon.dialects.kay import Request as KayRequest
from antiphon.dialects.werkzeug.exceptions import (
    BadRequest,
    ClientDisconnected,
    RequestEntityTooLarge,
    RequestURITooLarge,
)
from antiphon.dialects.werkzeug.formparser import FormDataParser
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects.werkzeug.environs import MULTIPART, URLENCODED, environ, part, parts
from tests.helpers.rows import rows

MANY = 1001
FIELD = part(b"a")


class Latin(KayRequest):
    charset = "latin-1"


@rows("cls", [Request, KayRequest, Latin], ids=lambda cls: f"{cls.__module__}.{cls.__name__}")
@rows("field", ["", "a", "a=b", "%C3%BC=%FF"])
def test_a_query_or_a_form_has_at_most_a_thousand_fields(cls, field):
    most, more = "&".join([field] * (MANY - 1)), "&".join([field] * MANY)
    form = {"CONTENT_TYPE": URLENCODED}
    assert len(cls(environ(QUERY_STRING=most)).args.getlist(field[:1])) in (0, 1000)
    cls(environ(most.encode(), **form)).form  # noqa: B018 - it raises nothing
    with pytest.raises(RequestURITooLarge):
        cls(environ(QUERY_STRING=more)).args  # noqa: B018
    with pytest.raises(RequestEntityTooLarge):
        cls(environ(more.encode(), **form)).form  # noqa: B018


def test_the_bounds_may_be_others():
    class Few(Request):
        max_query_fields = max_form_parts = 2
        max_json_depth = 1

    class Unbounded(Request):
        max_query_fields = max_form_parts = None

    three = {"QUERY_STRING": "a&b&c", "CONTENT_TYPE": URLENCODED}
    for read in (lambda request: request.args, lambda request: request.form):
        assert len(read(Unbounded(environ(b"a&b&c", **three)))) == 3
        with pytest.raises((RequestURITooLarge, RequestEntityTooLarge)):
            read(Few(environ(b"a&b&c", **three)))
    with pytest.raises(BadRequest, match="more than 1 levels"):
        Few(environ(b"[[]]")).get_json(force=True)
    fields = FormDataParser().parse(BytesIO(b"a&" * MANY), URLENCODED, None)[1]
    assert len(fields.getlist("a")) == MANY


OWN_MODULE = types.SimpleNamespace(loads=json.loads)


@rows("module", [json, OWN_MODULE], ids=["json", "own"])
@rows("depth", [201, 5000, 100_000])
@rows("is_whole", [True, False])
def test_deep_json_is_refused(module, depth, is_whole):
    class Own(Request):
        json_module = module

    data = b"[" * depth + b"]" * depth * is_whole
    made = Own(environ(data, CONTENT_TYPE="application/json"))
    with pytest.raises(BadRequest, match="nested"):
        made.get_json()
    assert Own(environ(data, CONTENT_TYPE="application/json")).get_json(silent=True) is None
    assert Own(environ(b"[" * 200 + b"]" * 200, CONTENT_TYPE="application/json")).get_json()


def broken(**keys):
    """An environ whose body breaks off."""
    return environ(parts(FIELD, FIELD), CONTENT_TYPE=MULTIPART, CONTENT_LENGTH="9999", **keys)


def unmarked(body, content_type):
    """An environ whose body has no length, and an end."""
    return environ(body, CONTENT_TYPE=content_type, CONTENT_LENGTH=None, wsgi__input_terminated=True)


@rows(
    "bounds, env, error",
    ({"max_content_length": 10}, lambda: environ(b"a=" + b"b" * 99, CONTENT_TYPE=URLENCODED), RequestEntityTooLarge),
    ({"max_content_length": 10}, lambda: unmarked(b"a=" + b"b" * 9, URLENCODED), RequestEntityTooLarge),
    ({"max_content_length": 10}, lambda: unmarked(parts(FIELD), MULTIPART), RequestEntityTooLarge),
    ({"max_form_parts": 1}, lambda: environ(parts(FIELD, FIELD), CONTENT_TYPE=MULTIPART), RequestEntityTooLarge),
    ({"max_form_memory_size": 0}, lambda: environ(parts(FIELD), CONTENT_TYPE=MULTIPART), RequestEntityTooLarge),
    ({"max_form_parts": 1}, lambda: environ(b"a&b", CONTENT_TYPE=URLENCODED), RequestEntityTooLarge),
    ({}, broken, ClientDisconnected),
    ids=["length", "urlencoded", "parts", "many parts", "long field", "many fields", "broken off"],
)
@rows("cls", [Request, KayRequest])
def test_a_body_that_was_refused_stays_refused(cls, bounds, env, error):
    made = type("Bounded", (cls,), bounds)(env())
    for name in ("form", "form", "files", "data", "values", "form"):
        with pytest.raises(error):
            getattr(made, name)
    with pytest.raises(error):
        made.get_data()
