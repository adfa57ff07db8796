"""Headers that are read as a type, or declared as one: what handlers get, and the parameters of the document."""

from dataclasses import dataclass, field
from typing import Annotated, Any, TypedDict

import pytest
from msgspec import Meta, Struct

from antiphon import App, Request
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Signed:
    x_user: str
    x_count: Annotated[int, Meta(ge=1)] = 1
    accept_language: list[str] = field(default_factory=list)


class Renamed(Struct, rename={"user": "X-User"}):
    user: str


Loose = TypedDict("Loose", {"x-user": str, "authorization": str}, total=False)


class Wrong(TypedDict):
    x_user: dict[str, str]


def signed(request: Request) -> Signed:
    return request.headers_as(Signed)


def renamed(request: Request) -> str:
    return request.headers_as(Renamed).user


def loose(request: Request) -> str:
    return request.headers_as(Loose).get("x-user", "nobody")


def by_name(request: Request) -> str:
    return request.headers["x-user"]


def app_of(handler: Any, **options: Any) -> App:
    app = App()
    app.get("/x", **options)(handler)
    return app


SENT: list[tuple[Any, dict[str, str], Any]] = [
    (signed, {"X-User": "ada"}, {"x_user": "ada", "x_count": 1, "accept_language": []}),
    (
        signed,
        {"x-user": "a, b", "X-COUNT": "07", "accept-language": "de, en;q=0.5"},
        {"x_user": "a, b", "x_count": 7, "accept_language": ["de", "en;q=0.5"]},
    ),
    (renamed, {"x-user": "ada"}, "ada"),
    (loose, {}, "nobody"),
    (loose, {"x-user": "ada"}, "ada"),
]


@rows("handler, headers, wanted", SENT)
def test_a_field_is_the_header_of_its_name(handler: Any, headers: dict[str, str], wanted: Any) -> None:
    answer = Client(app_of(handler), contract=True).get("/x", headers=headers)
    assert (answer.json if handler is signed else answer.text) == wanted


def test_each_invalid_header_is_named() -> None:
    answer = Client(app_of(signed)).get("/x", headers={"x-count": "0"})
    assert answer.status == 422
    assert answer.json["detail"] == "2 fields of the headers are wrong"
    assert [each["pointer"] for each in answer.json["errors"]] == ["/x_user", "/x_count"]


def test_a_type_that_headers_can_not_have_is_refused_when_the_app_is_made() -> None:
    def wrong(request: Request) -> str:
        return str(request.headers_as(Wrong))

    with pytest.raises(TypeError, match=r"calls request.headers_as\(Wrong\): Wrong.x_user"):
        Client(app_of(wrong)).get("/x")


TEXT = {"type": "string"}
USER = {"name": "X-User", "in": "header", "required": True, "schema": TEXT}
DESCRIBED: list[tuple[Any, dict[str, Any], list[dict[str, Any]], str]] = [
    (
        signed,
        {},
        [
            USER,
            {
                "name": "X-Count", "in": "header", "required": False,
                "schema": {"type": "integer", "minimum": 1, "default": 1},
            },
            {
                "name": "Accept-Language",
                "in": "header",
                "required": False,
                "schema": {"type": "array", "items": TEXT},
            },
        ],
        "200 422",
    ),
    (renamed, {}, [USER], "200 422"),
    (loose, {}, [{**USER, "required": False}], "200 422"),
    (by_name, {"takes": {"headers": Renamed}}, [USER], "200 422"),
    (by_name, {"takes": {"headers": Renamed}, "examples": {"headers": {"user": "a", "x_user": "ada"}}},
     [{**USER, "example": "ada"}], "200 422"),
]  # fmt: skip


@rows("handler, options, parameters, statuses", DESCRIBED)
def test_headers_are_parameters(
    handler: Any, options: dict[str, Any], parameters: list[dict[str, Any]], statuses: str
) -> None:
    document = make_document(app_of(handler, **options), Info("Headers"))
    assert document.unknown == []
    operation = document.content["paths"]["/x"]["get"]
    assert operation["parameters"] == parameters
    assert " ".join(each for each in operation["responses"] if each != "400") == statuses
