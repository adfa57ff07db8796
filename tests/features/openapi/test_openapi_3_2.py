"""OpenAPI 3.2: the items of streams, and QUERY. A document of 3.1 has neither, and says so for QUERY."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from antiphon import App, Request, Response
from antiphon.features import OpenAPI
from antiphon.features.openapi.document import Info, make_document
from antiphon.http import Event
from antiphon.testing import Client
from tests.helpers.rows import rows

REF = {"$ref": "#/components/schemas/Row"}
JSON = "application/json"


@dataclass
class Row:
    n: int


@dataclass
class Search:
    text: str


async def values(request: Request) -> AsyncIterator[Row]:
    yield Row(1)


def returned(request: Request) -> Iterator[Row] | None:
    return iter([Row(1)])


def events(request: Request) -> Iterator[Event]:
    yield Event("a")


def made_lines(request: Request) -> Response:
    return Response.ndjson([Row(1)])


def made_events(request: Request) -> Response:
    return Response.events(values(request))


def made_text(request: Request) -> Response:
    return Response.events(["a"])


def chunks(request: Request) -> Iterator[str]:
    yield "a"


def event_of(**data: Any) -> dict[str, Any]:
    kinds = {"event": {"type": "string"}, "id": {"type": "string"}, "retry": {"type": "integer"}}
    return {"type": "object", "properties": {**kinds, "data": {"type": "string", **data}}}


ROW_EVENT = event_of(contentMediaType=JSON, contentSchema=REF)
OFFERED = {
    "application/x-ndjson": {"itemSchema": REF},
    "text/event-stream": {"itemSchema": ROW_EVENT},
    JSON: {"schema": {"type": "array", "items": REF}},
}


def content_of(handler: Any, openapi: str) -> Any:
    app = App()
    app.get("/x")(handler)
    document = make_document(app, Info("Rows", openapi=openapi))
    assert document.unknown == []
    content = document.content["paths"]["/x"]["get"]["responses"]["200"]["content"]
    for each in content.values():
        each.get("itemSchema", {}).pop("description", None)
    assert ("Row" in document.content["components"]["schemas"]) == ("Row" in str(content))
    return content


@rows(
    "handler, content",
    (values, OFFERED),
    (returned, OFFERED),
    (events, {"text/event-stream": {"itemSchema": event_of()}}),
    (made_lines, {"application/x-ndjson": {"itemSchema": REF}}),
    (made_events, {"text/event-stream": {"itemSchema": ROW_EVENT}}),
    (made_text, {"text/event-stream": {"itemSchema": event_of()}}),
    (chunks, {"text/plain": {"schema": {"type": "string"}}}),
)
def test_a_stream_has_the_schema_of_its_items(handler: Any, content: dict[str, Any]) -> None:
    assert content_of(handler, "3.2") == content
    without = {media: {key: each[key] for key in each.keys() - {"itemSchema"}} for media, each in content.items()}
    assert content_of(handler, "3.1") == without


def app_with_query() -> App:
    app = App()

    @app.query("/rows")
    def find(request: Request) -> list[Row]:
        request.json_as(Search)
        return []

    return app


def test_a_query_is_an_operation_with_a_body() -> None:
    document = make_document(app_with_query(), Info("Rows", openapi="3.2"))
    assert (document.content["openapi"], document.unknown) == ("3.2.0", [])
    operation = document.content["paths"]["/rows"]["query"]
    assert operation["requestBody"]["content"] == {JSON: {"schema": {"$ref": "#/components/schemas/Search"}}}
    assert [*operation["responses"]] == ["200", "400", "413", "415", "422"]


def test_openapi_3_1_has_no_query() -> None:
    document = make_document(app_with_query(), Info("Rows"))
    assert (document.content["openapi"], document.content["paths"]) == ("3.1.0", {})
    assert document.unknown == [
        'QUERY /rows: OpenAPI 3.1 has no operations for QUERY, as 3.2 does: OpenAPI(..., openapi="3.2")'
    ]


def test_the_version_is_an_option() -> None:
    app = app_with_query()
    app.use(OpenAPI("Rows", openapi="3.2"))
    client = Client(app)
    assert client.get("/openapi.json").json["openapi"] == "3.2.0"
    page = client.get("/docs").text
    assert "QUERY" in page
    assert '<textarea name="body"' in page or "Search" in page


def test_another_version_is_refused() -> None:
    with pytest.raises(ValueError, match=r"openapi must be '3.1' or '3.2', not '3.0'"):
        OpenAPI("Rows", openapi="3.0")  # type: ignore[arg-type]
