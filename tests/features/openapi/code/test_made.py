"""What handlers make step by step: objects, dicts that loops fill, JSON as text, statuses and changed responses."""

import functools
import hashlib
import json
import linecache
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from antiphon import App, Request, Response, abort
from antiphon.features import Form
from antiphon.features.openapi.code import reading
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Lamp:
    id: int
    name: str


LAMPS = [Lamp(1, "a"), Lamp(2, "b")]


def document_of(handler: Callable[..., Any], app: App | None = None) -> dict[str, Any]:
    """Return the operation of a handler of which all is known."""
    app = app or App()
    app.get("/x")(handler)
    document = make_document(app, Info("X"))
    assert document.unknown == []
    operation: dict[str, Any] = document.content["paths"]["/x"]["get"]
    return operation


def schema_of(handler: Callable[..., Any]) -> Any:
    return document_of(handler)["responses"]["200"]["content"]["application/json"]["schema"]


class View:
    def __init__(self, request: Request) -> None:
        self.request, self.made = request, {"id": 1}
        self._note: Any = None

    @property
    def note(self) -> Any:
        return self._note

    @note.setter
    def note(self, value: Any) -> None:
        self._note = [value]

    def named(self) -> "View":
        self.made["name"] = self.request.args["name"]  # type: ignore[assignment]
        return self

    def __call__(self) -> Any:
        self.note = "s"
        return self.named().made | {"note": self.note}


def by_id(request: Request) -> Any:
    found = {}
    for lamp in LAMPS:
        found[lamp.id] = lamp
    return found


def grouped(request: Request) -> Any:
    found: dict[str, list[Lamp]] = {}
    for lamp in LAMPS:
        found.setdefault(lamp.name, []).append(lamp)
    return found


def with_rest(*values: int, **more: Any) -> Any:
    return {"values": values, **more}


INTEGER, TEXT, LAMP = {"type": "integer"}, {"type": "string"}, {"$ref": "#/components/schemas/Lamp"}


def members(**properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": [*properties]}


def open_dict(value: Any) -> dict[str, Any]:
    return {"type": "object", "additionalProperties": value}


PAIR = {"type": "array", "prefixItems": [INTEGER, INTEGER], "minItems": 2, "maxItems": 2}
MADE: list[tuple[Callable[[Request], Any], Any]] = [
    (lambda request: View(request)(), members(id=INTEGER, name=TEXT, note={"type": "array", "items": TEXT})),
    (by_id, open_dict(LAMP)),
    (grouped, open_dict({"type": "array", "items": LAMP})),
    (lambda request: with_rest(1, 2, lamp=LAMPS[0]), members(values=PAIR, lamp=LAMP)),
    (lambda request: OrderedDict(a=1), {"type": "object"}),
    (lambda request: (json.dumps({"a": 1}), {"content-type": "application/json"}), members(a=INTEGER)),
    (lambda request: Response(json.dumps([1]).encode(), content_type="application/json"),
     {"type": "array", "items": INTEGER}),
]  # fmt: skip


@rows("handler, schema", MADE)
def test_what_is_made_step_by_step_is_known(handler: Callable[[Request], Any], schema: Any) -> None:
    assert schema_of(handler) == schema
    assert Client(app_of(handler)).get("/x", params={"name": "a"}).status == 200


def app_of(handler: Callable[..., Any]) -> App:
    app = App()
    app.get("/x")(handler)
    return app


ANY_FIELDS = {
    "name": "fields", "in": "query", "required": False, "style": "form", "explode": True,
    "schema": {"type": "object", "additionalProperties": {"type": "string"}},
}  # fmt: skip


WHOLE: list[Callable[[Request], Any]] = [
    lambda request: "a" if request.args else "b",
    lambda request: request.args[request.headers["x-name"]] and [],
    lambda request: "a" if "q=a" in f"{request.url.target}" else "b",
    lambda request: "a" if hashlib.sha256(request.url.target.encode()).digest() == b"" else "b",
]


@rows("handler", WHOLE)
def test_a_query_that_is_read_as_a_whole_may_have_any_fields(handler: Callable[[Request], Any]) -> None:
    parameters = document_of(handler)["parameters"]
    assert [each for each in parameters if each["in"] == "query"] == [ANY_FIELDS]


@pytest.mark.parametrize("whole", [lambda request: dict(request.headers), lambda request: dict(request.cookies)])
def test_headers_and_cookies_that_are_read_as_a_whole_stay_unknown(whole: Any) -> None:
    assert "uses the request in a way that is not known" in str(make_document(app_of(whole), Info("X")).unknown)


def by_setting(request: Request) -> Any:
    status = 200
    if request.args.get("new"):
        status += 1
    return {"a": 1}, status


def status_of(name: str | None) -> int:
    return {"new": 201}.get(name or "", 200)


def limited(handler: Any) -> Any:
    class Limited:
        def __init__(self, inner: Any) -> None:
            self.inner = inner

        def __call__(self, request: Request) -> Any:
            return self.inner(request) if "new" not in request.args else abort(429)

    return Limited(handler)


def hooked(request: Request) -> Any:
    @request.on_response
    def accepted(request: Request, response: Response) -> None:
        response.status = 202 if request.args.get("new") else 203

    return "a"


STATUSES = [
    (by_setting, ["200", "201"], [200, 201]),
    (lambda request: ({"a": 1}, status_of(request.args.get("q", "new"))), ["200", "201"], [201, 201]),
    (limited(functools.lru_cache(lambda request: "a")), ["200", "429"], [200, 429]),
    (hooked, ["200", "202", "203"], [203, 202]),
    (lambda request: Form(Lamp, request), ["200"], [200, 200]),
]


@rows("handler, told, sent", STATUSES)
def test_statuses_that_code_chooses_are_known(handler: Any, told: list[str], sent: list[int]) -> None:
    assert [*document_of(handler)["responses"]] == told
    client = Client(app_of(handler))
    assert [client.get("/x", params=params).status for params in ({}, {"new": "1"})] == sent


def test_each_status_that_a_hook_may_set_is_in_the_document() -> None:
    app = App()

    @app.after_request
    def chosen(request: Request, response: Response) -> None:
        response.status = 201 if request.args.get("new") else 202

    assert [*document_of(lambda request: "a", app)["responses"]] == ["201", "202"]


def lines(request: Request) -> Any:
    def each() -> Iterator[str]:
        yield "a"

    return each()


def test_a_generator_of_a_handler_is_sent_as_text() -> None:
    assert [*document_of(lines)["responses"]["200"]["content"]] == ["text/plain"]


def with_slice(request: Request) -> Any:
    found: list[Any] = [1]
    found[1:] = ["a"]
    return found


def test_a_slice_takes_the_items_of_what_is_assigned() -> None:
    assert schema_of(with_slice) == {"type": "array", "items": {"anyOf": [INTEGER, TEXT]}}


def test_a_status_that_a_hook_sets_instead_of_204_has_the_media_type_of_the_body() -> None:
    app = App()

    @app.after_request
    def moved(request: Request, response: Response) -> None:
        response.status = 409

    assert [*document_of(lambda request: ("", 204), app)["responses"]["409"]["content"]] == ["text/plain"]


def test_calls_that_call_others_several_times_are_not_followed_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_MOST", 200)
    steps = [f"def f{at}(made): return f{at + 1}(made), f{at + 1}(made), f{at + 1}(made)\n" for at in range(6)]
    source = "".join([*steps, "def f6(made): made['a'] = 1\n", "def handler(request): return {'all': f0({})}\n"])
    linecache.cache["deep.py"] = len(source), None, source.splitlines(keepends=True), "deep.py"
    names: dict[str, Any] = {}
    exec(compile(source, "deep.py", "exec"), names)
    app = app_of(names["handler"])
    assert "calls code that can't be read" in str(make_document(app, Info("X")).unknown)
