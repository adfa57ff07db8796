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
from tests.dialects.flask.beside import BOTH, Package, ask_both
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
TEXTS = [
    "-0", "-0.0", "1e400", "-1e400", "NaN", "-Infinity", "1" * 500, '"\\ud800"', '"\\u0020\\/"', '{"a":1,"a":2}',
    " [ ] ", "123456789012345678901234567890.5", "2.2250738585072011e-308", "5e-324", "0.1e1", '"\x7f\U0001f600"',
    "[1]".encode("utf-16"), "[1]".encode("utf-32"), b"\xef\xbb\xbf[1]", b'"\xc3\xa4"', bytearray(b"[1]"),
]  # fmt: skip
NO_JSON = [
    "", "{", "[1,]", "01", "'a'", '"\x01"', "\ufeff[1]", "1" * 5000, b"\xff", b'"\xff"', "[1] 2", "nul", '{"a"}',
    "+1", ".5",
]  # fmt: skip


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


@rows("text", TEXTS, ids=repr)
def test_reads_what_the_standard_library_reads(text, apps):
    read = [repr(app.json.loads(text)) for app in apps]
    assert read[0] == read[1]


@rows("text", NO_JSON, ids=lambda text: repr(text)[:20])
def test_refuses_what_the_standard_library_refuses(text, apps):
    for app in apps:
        with pytest.raises(ValueError):  # noqa: PT011 - of the standard library
            app.json.loads(text)


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


@rows("options", [
    {"indent": 1}, {"sort_keys": False}, {"separators": (",", ": ")}, {"default": lambda value: 5},
    {"ensure_ascii": False}, {"cls": type("Encoder", (json.JSONEncoder,), {"encode": lambda self, value: "own"})},
], ids=lambda options: next(iter(options)))  # fmt: skip
def test_takes_the_arguments_of_the_standard_library(options, apps):
    value = {"b": "ä", "a": [object]} if "default" in options else {"b": "ä", "a": [1]}
    texts = [app.json.dumps(value, **options) for app in apps]
    assert texts[0] == texts[1]
    read = [app.json.loads("[1.5]", parse_float=Decimal) for app in apps]
    assert read == [[Decimal("1.5")]] * 2


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


def test_spaces_are_for_debugging(apps):
    for app in apps:
        app.debug = True
    answers = [app.json.response(b=[1], a={}).get_data() for app in apps]
    assert answers[0] == answers[1] == b'{\n  "a": {},\n  "b": [\n    1\n  ]\n}\n'


def program(package):
    app = package.Flask(__name__)
    jsonify, request = package.jsonify, package.request
    bodies = {
        "dict": lambda: {"b": 1, "a": [MOMENT]}, "list": lambda: [1, "ä"], "jsonify": lambda: jsonify({"id": 1}),
        "array": lambda: jsonify([1, 2]), "several": lambda: jsonify(1, 2), "named": lambda: jsonify(b=1, a=2),
        "error": lambda: (jsonify({"error": "Not found"}), 404), "invalid": lambda: (jsonify({"error": "no"}), 400),
        "created": lambda: ({"id": 1}, 201, {"Location": "/1"}), "headers": lambda: ([1], {"X-A": "b"}),
        "status": lambda: ({"id": 1}, "299 Fine"), "empty": dict, "wrong": lambda: {"a": {1}},
    }  # fmt: skip
    for name, view in bodies.items():
        app.add_url_rule(f"/{name}", name, view)

    @app.post("/read")
    def read():
        return jsonify(request.get_json(), request.is_json, request.json)

    @app.post("/force")
    def force():
        return {"read": request.get_json(force=True)}

    @app.post("/silent")
    def silent():
        return {"read": request.get_json(silent=True)}

    return app


def posted(path, data, content_type="application/json"):
    return path, {"method": "POST", "body": data, "headers": {"Content-Type": content_type}}


@pytest.mark.feature("flask-047", "flask-048", "flask-054", "flask-070", "flask-071")
@rows("path", [
    "dict", "list", "jsonify", "array", "several", "named", "error", "invalid", "created", "headers", "status", "empty",
    "wrong",
])  # fmt: skip
def test_views_answer_with_json(path):
    [answer] = ask_both(program, [f"/{path}"])
    assert answer["status"] == 500 or ["content-type", "application/json"] in answer["fields"]
    assert answer["status"] == 500 or json.loads(answer["body"]) is not None


@pytest.mark.feature("flask-013", "flask-014", "flask-015")
@rows("path", ["/read", "/force", "/silent"])
def test_bodies_are_read_as_json(path):
    answers = ask_both(program, [
        posted(path, b'{"a": [1.5]}'), posted(path, b'{"a": 1}', "application/problem+json"),
        posted(path, b"[1]", "text/plain"), posted(path, b"{"), posted(path, b""), posted(path, b"\xff"),
        posted(path, b"NaN"), posted(path, "[]".encode("utf-16")),
    ])  # fmt: skip
    statuses = [answer["status"] for answer in answers[:5]]
    assert (
        statuses
        == {"/read": [200, 200, 415, 400, 400], "/force": [200, 200, 200, 400, 400], "/silent": [200] * 5}[path]
    )
