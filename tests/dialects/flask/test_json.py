"""JSON: an application reads and writes it as on Flask, to the byte."""

import dataclasses
import io
import json
from collections import OrderedDict
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import StrEnum
from uuid import UUID

import flask
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import Markup

from antiphon.dialects import flask as dialect
from antiphon.dialects.flask import json as our_json
from antiphon.dialects.flask.json import provider
from tests.dialects.flask.beside import BOTH, Package
from tests.helpers.rows import rows

MOMENT = datetime(2026, 1, 2, 3, 4, 5, 6, tzinfo=UTC)


@dataclasses.dataclass
class Point:
    y: int
    x: date


class HTML:
    def __html__(self):
        return Markup("<i>")


class Color(StrEnum):
    RED = "red"


VALUES = {
    "text": 'ä\x7f"</\u2028\U0001f600\ud800',
    "numbers": [0, -1, 10**30, 1.5, 1e16, 1e-7, -0.0, True, float("inf")],
    "nothing": None,
    "an object": {"b": 1, "a": {"d": [], "c": {}}},
    "moments": [MOMENT, MOMENT.replace(tzinfo=None), MOMENT.astimezone(timezone(timedelta(hours=5))), MOMENT.date()],
    "UUID and decimal": [UUID(int=5), Decimal("1.50"), Decimal("NaN")],
    "a dataclass": Point(1, MOMENT.date()),
    "HTML": [HTML(), Markup("<b>")],
    "containers": [(1, 2), OrderedDict(b=1, a=2)],
    "an enumeration of text": Color.RED,
    "names that are numbers": {2: 1, 10: 2},
}
UNWRITABLE = {
    "a set": {1},
    "bytes": b"a",
    "an object": object(),
    "a class": Point,
    "names of two types": {1: 2, "a": 3},
    "a name that is none": {(1, 2): 3},
    "itself": (loop := []) or loop,
}
loop.append(loop)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@pytest.fixture
def apps():
    return flask.Flask("theirs"), dialect.Flask("ours")


@rows("value", VALUES.values(), ids=VALUES)
@rows("settings", [
    {}, {"compact": False}, {"compact": True, "sort_keys": False}, {"ensure_ascii": False, "mimetype": "text/json"},
    {"default": str},
], ids=str)  # fmt: skip
def test_a_response_is_that_of_flask_to_the_byte(value, settings, apps):
    answers = []
    for app in apps:
        app.json = type(app.json)(app)
        for name, setting in settings.items():
            setattr(app.json, name, setting)
        text = app.json.dumps(value)
        if settings.get("ensure_ascii", True) or "\ud800" not in text:
            response = app.json.response(value)
            text = (text, response.get_data(), response.content_type)
        answers.append(text)
    assert answers[0] == answers[1]


@given(JSON_VALUES)
def test_any_value_is_written_and_read_as_by_flask(value):
    texts = [module.dumps(value, sort_keys=True) for module in (flask.json, our_json)]
    app = dialect.Flask("ours")
    assert texts[0] == texts[1] == app.json.dumps(value)
    assert repr(app.json.loads(texts[0])) == repr(json.loads(texts[0])) == repr(app.json.loads(texts[0].encode()))


def test_json_nested_too_deeply_is_malformed(apps):
    with pytest.raises(ValueError, match="nested too deeply"):
        apps[1].json.loads("[" * 100_000)


@rows("value", UNWRITABLE.values(), ids=UNWRITABLE)
def test_other_values_are_errors_as_on_flask(value, apps):
    errors = []
    for app in apps:
        with pytest.raises((TypeError, ValueError)) as raised:
            app.json.dumps(value)
        errors.append((raised.type, str(raised.value)))
    assert errors[0][0] is errors[1][0]
    assert errors[0] == errors[1]


def test_is_read_and_written_by_the_current_application(apps):
    app = apps[1]

    class Own(provider.JSONProvider):
        def dumps(self, obj, **kwargs):
            return f"own {obj} {kwargs}"

        def loads(self, s, **kwargs):
            return f"own {s} {kwargs}"

    written = io.StringIO()
    assert our_json.dumps({"b": MOMENT, "a": 1}) == flask.json.dumps({"b": MOMENT, "a": 1})
    our_json.dump([MOMENT], written)
    assert our_json.load(io.StringIO(written.getvalue())) == our_json.loads(written.getvalue())
    app.json = Own(app)
    with app.app_context():
        assert our_json.dumps(1, indent=2) == "own 1 {'indent': 2}"
        assert our_json.loads("x", a=1) == "own x {'a': 1}"
        assert our_json.load(io.StringIO("y")) == "own y {}"
        our_json.dump(2, written)
        assert written.getvalue().endswith("own 2 {}")
        assert dialect.jsonify(1, 2).get_data() == b"own (1, 2) {}"
        assert dialect.Response("1", mimetype="application/json").json == "own b'1' {}"
    with pytest.raises(RuntimeError, match="application context"):
        dialect.jsonify()


def test_a_provider_says_what_it_lacks(apps):
    base = provider.JSONProvider(apps[1])
    for method in (base.dumps, base.loads):
        with pytest.raises(NotImplementedError):
            method("1")


@rows("package", BOTH)
def test_takes_values_or_named_values(package):
    app = Package(package).Flask("any")
    with app.app_context():
        jsonify = Package(package).jsonify
        answers = [jsonify(), jsonify(None), jsonify(1), jsonify([]), jsonify(1, 2), jsonify(b=1, a=2)]
        assert [each.get_json() for each in answers] == [None, None, 1, [], [1, 2], {"a": 2, "b": 1}]
        with pytest.raises(TypeError):
            jsonify(1, a=2)
