"""Fields of a form that are JSON: as text, and as a part of the type application/json."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated, Any, NotRequired, TypedDict

import pytest
from msgspec import Struct

from antiphon import JSON, App, Limits, Request, Upload, decimal_meta
from antiphon.features import Form
from antiphon.features.openapi.document import Info, make_document
from antiphon.http import FieldError
from antiphon.testing import Client
from tests.helpers.rows import rows


@dataclass
class Details:
    title: str
    number: int | str = 1
    price: Annotated[Decimal, decimal_meta(ge=0, places=2)] = Decimal(1)

    def __post_init__(self) -> None:
        if self.title == "taken":
            raise FieldError("/title", "is taken", code="taken")


@dataclass
class Picture:
    details: JSON[Details]
    image: Upload | None = None
    tags: JSON[list[int]] = field(default_factory=list)
    other: JSON[Details] | None = None
    count: int = 3


class PictureStruct(Struct, rename="camel"):
    big_details: JSON[Details]
    tags: JSON[list[int]] = []


class PictureDict(TypedDict):
    details: JSON[Details]
    names: NotRequired[JSON[dict[str, int | str]]]


def blob(content: bytes, kind: str = "application/json") -> tuple[str, bytes, str]:
    return "blob", content, kind


def served(wanted: Any, limits: Limits | None = None) -> App:
    app = App(limits=limits)

    @app.post("/pictures")
    def add(request: Request) -> dict[str, Any]:
        read = request.form_as(wanted)
        assert isinstance(read, dict) or isinstance(getattr(read, "details", None) or read.big_details, Details)
        return {"read": {**read} if isinstance(read, dict) else read}

    return app


A = {"title": "a", "number": 1, "price": "1"}


@rows(
    "wanted, form, files, read",
        (
            Picture, {"details": '{"title": "a"}', "count": "5"}, {},
            {"details": A, "tags": [], "other": None, "count": 5},
        ),
        (Picture, {}, {"details": blob(b'{"title": "a"}')}, {"details": A, "tags": [], "other": None, "count": 3}),
        (
            Picture, {"details": '{"title": "a", "number": "1"}', "tags": "[1, 2.0]", "other": ""}, {},
            {"details": {**A, "number": "1"}, "tags": [1, 2], "other": None, "count": 3},
        ),
        (PictureStruct, {"bigDetails": '{"title": "a"}'}, {"tags": blob(b"[1]")}, {"bigDetails": A, "tags": [1]}),
        (PictureDict, {"details": '{"title": "a"}', "names": '{"b": "1"}'}, {}, {"details": A, "names": {"b": "1"}}),
        (PictureDict, {"details": '{"title": "a"}'}, {}, {"details": A}),
)  # fmt: skip
def test_json_is_read_as_its_type(wanted: Any, form: Any, files: Any, read: Any) -> None:
    response = Client(served(wanted)).post("/pictures", form=form, files=files)
    assert response.status == 200, response.text
    found = response.json["read"]
    assert {name: each for name, each in found.items() if name != "image"} == read


@rows(
    "form, files, errors",
        ({}, {}, [("/details", "missing")]),
        ({"details": ""}, {}, [("/details", "missing")]),
        ({"details": "{"}, {}, [("/details", "invalid")]),
        ({"details": "[[[[[[1]]]]]]"}, {}, [("/details", "invalid")]),
        ({"details": '{"title": "taken"}'}, {}, [("/details/title", "taken")]),
        ({}, {"details": blob(b"{}", "image/png")}, [("/details", "wrong_type")]),
        ({}, {"details": blob(b'{"title": 1}')}, [("/details/title", "not_a_string")]),
        (
            {"details": '{"title": 1, "price": "1.234"}', "tags": '["x"]', "other": "null", "count": "z"}, {},
            [
                ("/count", "not_an_integer"), ("/details/title", "not_a_string"), ("/details/price", "not_a_multiple"),
                ("/tags/0", "not_an_integer"),
            ],
        ),
)  # fmt: skip
def test_each_fault_is_named_with_those_of_the_form(form: Any, files: Any, errors: Any) -> None:
    client = Client(served(Picture, Limits(json_depth=5)))
    response = client.post("/pictures", form={"b": "1", **form}, files={**files, "c": ("c.txt", b"c", "text/plain")})
    assert response.status == 422
    assert [(each["pointer"], each["code"]) for each in response.json["errors"]] == errors


@pytest.mark.axes("interface")
def test_it_has_the_limits_of_a_body(interface: Any) -> None:
    client = Client(served(Picture, Limits(json=20)), interface)
    long = b'{"title": "' + b"a" * 20 + b'"}'
    for sent in ({"form": {"details": long.decode()}}, {"files": {"details": blob(long)}}):
        response = client.post("/pictures", **sent)
        assert (response.status, response.json["type"]) == (413, "urn:antiphon:limit:json")
    assert client.post("/pictures", files={"details": blob(long[:-16] + b'"}')}).status == 200


def test_a_document_says_that_a_part_is_json(app) -> None:
    @app.post("/pictures")
    def add(request: Request) -> None:
        request.form_as(Picture)

    document = make_document(app, Info("Pictures"))
    (content,) = document.content["paths"]["/pictures"]["post"]["requestBody"]["content"].values()
    assert content["schema"]["properties"]["details"] == {"$ref": "#/components/schemas/Details"}
    assert content["encoding"] == {name: {"contentType": "application/json"} for name in ("details", "tags", "other")}
    assert not document.unknown


def test_only_a_form_that_is_read_has_it() -> None:
    @dataclass
    class Search:
        filter: JSON[Details]

    @dataclass
    class Several:
        details: list[JSON[Details]]

    request = Request.blank("/", "POST")
    with pytest.raises(TypeError, match=r"Search\.filter is JSON, which only a form has: use form_as"):
        request.args_as(Search)
    with pytest.raises(TypeError, match=r"Search\.filter: JSON has no input; read it with request\.form_as"):
        Form(Search, request)
    with pytest.raises(TypeError, match=r"Several\.details can't be read from a form .* antiphon\.JSON\[\.\.\.\]"):
        request.form_as(Several)
