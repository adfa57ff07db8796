"""Members that nobody declared, refused by the option ``unknown="refuse"`` wherever data comes in."""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple, NotRequired, TypedDict

import attrs
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon import JSON, App, Request, Upload, check_as
from antiphon.http import HTTPError
from antiphon.serialization.readers import json_as
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.serialization.named_faults import unprocessable


@dataclass
class Book:
    title: str
    pages: int = 1


class Row(TypedDict):
    title: str
    pages: NotRequired[int]


@attrs.define
class Attrs:
    title: str
    pages: int = 1


class Plain(msgspec.Struct):
    title: str
    pages: int = 1


class Strict(msgspec.Struct, forbid_unknown_fields=True):
    title: str
    pages: int = 1


class Cat(msgspec.Struct, tag="cat"):
    name: str


class Dog(msgspec.Struct, tag="dog"):
    name: str


class Pair(NamedTuple):
    book: Book
    row: Row


@dataclass
class Shelf:
    books: list[Book]
    by_name: dict[str, Row] = field(default_factory=dict)
    pair: Pair | None = None
    anything: Any = None
    pet: Cat | Dog | None = None


CLASSES = [Book, Row, Attrs, Plain, Strict]
TITLE = "is unknown: did you mean 'title'?"


def faults(read, *given, **options):
    return [(each["pointer"], each["code"], each["detail"]) for each in unprocessable(read, *given, **options).errors]


@rows("wanted", CLASSES)
def test_every_class_refuses_them(wanted):
    sent = {"title": "a", "titel": "b", "x" * 70: 1}
    wrong = [("/titel", "unknown", TITLE), (f"/{'x' * 70}", "unknown", "is unknown")]
    assert faults(check_as, wanted, sent, unknown="refuse") == wrong
    assert faults(json_as, json.dumps([sent]).encode(), list[wanted], unknown="refuse")[0] == (
        "/0/titel",
        "unknown",
        TITLE,
    )
    assert faults(check_as, wanted, {"title": "a", "titel": "b"}, strings=True, unknown="refuse") == wrong[:1]
    assert check_as(wanted, {"title": "a", "pages": 2.0}, unknown="refuse") == check_as(
        wanted, {"title": "a", "pages": 2}
    )
    if wanted is not Strict:
        assert check_as(wanted, sent) == check_as(wanted, {"title": "a"})


INSIDE = [
    ({"books": [{"title": "a"}, {"title": "b", "page": 2}]}, [("/books/1/page", "is unknown: did you mean 'pages'?")]),
    ({"books": [], "by_name": {"x/y": {"title": "a", "z": 1}}}, [("/by_name/x~1y/z", "is unknown")]),
    ({"books": [], "pair": [{"title": "a"}, {"title": "a", "y": 1}]}, [("/pair/1/y", "is unknown")]),
    ({"books": [], "anything": {"z": 1}, "pet": {"type": "cat", "name": "Tom", "z": 1}}, [("/pet/z", "is unknown")]),
    (
        {"books": [{"titel": "a"}], "z": 1},
        [("/books/0/title", "is missing"), ("/z", "is unknown"), ("/books/0/titel", TITLE)],
    ),
]  # fmt: skip


@rows("sent, wrong", INSIDE)
def test_they_are_found_at_any_depth_together_with_other_faults(sent, wrong):
    found = faults(check_as, Shelf, sent, unknown="refuse")
    assert [(pointer, detail) for pointer, _, detail in found] == wrong


NAMES = st.sampled_from(["title", "pages", "titel", "z"])
BOOKS = st.lists(st.dictionaries(NAMES, st.just(1), max_size=3), max_size=3)


@given(BOOKS)
def test_what_is_refused_has_an_undeclared_name(books):
    wanted = (
        list[dict[str, int] | None] if not books else list[TypedDict("Any", {"title": int, "pages": int}, total=False)]
    )
    has_others = any({*book} - {"title", "pages"} for book in books)
    try:
        assert check_as(wanted, books, unknown="refuse") == books
    except HTTPError:
        assert has_others
    else:
        assert not has_others


def test_hints_are_few_and_all_are_counted():
    raised = unprocessable(
        check_as, Book, {"title": "a", **{f"title{number}": 1 for number in range(300)}}, unknown="refuse"
    )
    assert raised.detail.startswith("300 fields are wrong, of which the first 100")
    assert sum("did you mean" in each["detail"] for each in raised.errors) == 20


app = App(secret_keys=["x" * 32])


@dataclass
class Posted:
    title: str
    details: JSON[Book] | None = None
    file: Upload | None = None


@app.post("/form", csrf_exempt=True)
def post(request: Request):
    return request.form_as(Posted, unknown="refuse").title


@app.get("/signed", signed_url=True, name="signed")
@app.get("/query")
def query(request: Request):
    return request.args_as(Book, unknown="refuse").title


@app.post("/json")
def post_json(request: Request):
    return request.json_as(Book, unknown="refuse").title


@app.post("/rows")
def post_rows(request: Request):
    values = request.values_as(Book, unknown="refuse", on_fault="collect")
    return {"titles": [each.title for each in values], "lines": [each["line"] for each in values.error.errors]}


@app.get("/link")
def link(request: Request):
    return request.url_for("signed", title="a", _expires=60)


client = Client(app)
DETAILS = '{"title": "a", "n": 1}'
SENT = [
    ("/form", {"form": {"title": "a", "csrf_token": "t"}}, None),
    ("/form", {"form": {"title": "a", "titel": "b"}}, "/titel"),
    ("/form", {"form": {"title": "a"}, "files": {"fille": ("a.txt", b"a")}}, "/fille"),
    ("/form", {"form": {"title": "a", "details": DETAILS}}, "/details/n"),
    ("/json", {"json": {"title": "a", "titel": "b"}}, "/titel"),
    ("/json", {"json": {"title": "a"}}, None),
]


@rows("path, sent, pointer", SENT)
def test_requests_are_refused(path, sent, pointer):
    response = client.post(path, **sent)
    assert response.status == (422 if pointer else 200)
    assert not pointer or [each["pointer"] for each in response.json["errors"]] == [pointer]


def test_a_query_may_be_signed():
    assert client.get(client.get("/link").text).status == client.get("/query?title=a").status == 200
    assert client.get("/query?title=a&titel=b").status == client.get("/query?title=a&signature=b").status == 422


def test_a_column_that_is_unknown_is_a_fault_of_the_first_line():
    csv = {"content-type": "text/csv"}
    response = client.post("/rows", body=b"title,pags\na,1\nb,2\n", headers=csv)
    assert response.json == {"titles": ["a", "b"], "lines": [1]}
    lines = {"content-type": "application/jsonl"}
    response = client.post("/rows", body=b'{"title": "a"}\n{"title": "b", "z": 1}\n', headers=lines)
    assert response.json == {"titles": ["a"], "lines": [2]}


def test_the_option_is_checked():
    with pytest.raises(ValueError, match="unknown must be 'ignore' or 'refuse', not 'forbid'"):
        check_as(Book, {}, unknown="forbid")
    pydantic = pytest.importorskip("pydantic")
    model = pydantic.create_model("Model", title=(str, ...))
    with pytest.raises(TypeError, match=r"Model has a Pydantic model.*extra='forbid'"):
        check_as(model, {"title": "a"}, unknown="refuse")
