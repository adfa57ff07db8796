"""Examples that a route declares: in the document, on its page, and held to the contract."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pytest

from antiphon import App, Request
from antiphon.features import OpenAPI
from antiphon.features.openapi.document import Info, OpenAPIDocument, make_document
from antiphon.testing import Client


@dataclass
class NewLamp:
    name: str
    watts: int | None = None


@dataclass
class Lamp:
    id: int
    name: str


@dataclass
class Search:
    q: str = ""


def add(request: Request, room: int) -> tuple[Lamp, Literal[201]]:
    request.args_as(Search)
    return Lamp(1, request.json_as(NewLamp).name), 201


def rename(request: Request, room: int) -> None:
    request.form["name"]


def app_of(handler: Callable[..., Any], examples: Any) -> App:
    app = App()
    app.use(OpenAPI("Lamps"))
    app.post("/rooms/<int:room>", examples=examples)(handler)
    return app


def made(handler: Callable[..., Any], examples: Any) -> tuple[dict[str, Any], OpenAPIDocument]:
    document = make_document(app_of(handler, examples), Info("Lamps"))
    return document.content["paths"]["/rooms/{room}"]["post"], document


EXAMPLES = {"json": NewLamp("Desk"), "path": {"room": 7}, "query": {"q": "new"}, 201: Lamp(1, "Desk")}


def test_examples_stand_beside_what_they_are_of() -> None:
    operation, document = made(add, EXAMPLES)
    assert operation["requestBody"]["content"]["application/json"]["example"] == {"name": "Desk", "watts": None}
    assert operation["responses"]["201"]["content"]["application/json"]["example"] == {"id": 1, "name": "Desk"}
    assert [each["example"] for each in operation["parameters"]] == [7, "new"]
    assert document.unknown == []


def test_an_example_of_a_form_stands_beside_its_schema() -> None:
    content = made(rename, {"form": {"name": "Desk"}})[0]["requestBody"]["content"]
    assert [each["example"] for each in content.values()] == [{"name": "Desk"}]


def test_forms_begin_with_examples() -> None:
    page = Client(app_of(add, EXAMPLES)).get("/docs").text
    assert "{\n &quot;name&quot;: &quot;Desk&quot;,\n &quot;watts&quot;: null\n}</textarea>" in page
    assert 'name="room" data-in="path" required type="number" min="0" max="9223372036854775807" placeholder="7"' in page
    assert 'name="q" data-in="query" placeholder="new"' in page
    assert (
        "&quot;name&quot;: &quot;Desk&quot;, &quot;watts&quot;: null}&#x27; &#x27;http://testserver/rooms/{room}"
        in page
    )
    page = Client(app_of(rename, {"form": {"name": "Desk"}})).get("/docs").text
    assert "--data-urlencode name=Desk" in page


@pytest.mark.parametrize(
    ("examples", "misfit"),
    [
        ({"json": {"watts": "x"}}, "the example of the json is not valid: /name is missing"),
        ({201: NewLamp("a")}, "the example for 201 does not fit: returned 201 with a body that does not fit Lamp: /id"),
        ({202: Lamp(1, "Desk")}, "the example for 202 does not fit: returned 202, which its contract lacks"),
    ],
)  # fmt: skip
def test_an_example_that_does_not_fit_is_reported(examples: Any, misfit: str) -> None:
    (told,) = made(add, examples)[1].unknown
    assert told.startswith(f"POST /rooms/<int:room>: add ({__file__}")
    assert misfit in told
