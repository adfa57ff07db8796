"""NUL in the text of typed values, which PostgreSQL can't store: it is refused unless a limit allows it."""

import json
from dataclasses import dataclass, field
from time import process_time
from typing import Annotated, Any

import msgspec
import pytest

from antiphon import JSON, App, Limits, Request, WebSocket, check_as
from antiphon.features import Field, Form
from antiphon.http import UnprocessableContent
from antiphon.testing import Client
from tests.helpers.rows import rows

NUL = {"detail": "contains NUL", "code": "pattern_mismatch"}


@dataclass
class Note:
    text: str = ""
    tags: list[str] = field(default_factory=list)
    count: int = 0


class Struct(msgspec.Struct):
    text: str = ""


@dataclass
class InForm:
    note: JSON[Note] = field(default_factory=Note)
    text: str = ""


@dataclass
class Row:
    text: str = ""


@dataclass
class Area:
    text: Annotated[str, Field(widget="textarea")]


def as_json(wanted: Any = Note, **options: Any) -> Any:
    return lambda request: repr(request.json_as(wanted, **options))


def as_form(wanted: Any = Note) -> Any:
    return lambda request: repr(request.form_as(wanted))


def as_rows(request: Request) -> str:
    return repr([*request.values_as(Row)])


def as_args(request: Request) -> str:
    return repr(request.args_as(Note))


def as_patch(request: Request) -> str:
    return repr(request.patched(Note()))


def in_body(kind: str, text: str) -> dict[str, Any]:
    return {"body": text.encode(), "content_type": kind}


def in_json(value: object) -> dict[str, Any]:
    return in_body("application/json", json.dumps(value))


def in_parts(name: str, text: str, head: str = "") -> dict[str, Any]:
    body = f'--b\r\nContent-Disposition: form-data; name="{name}"{head}\r\n\r\n{text}\r\n--b--\r\n'
    return in_body("multipart/form-data; boundary=b", body)


BLOB = '; filename="blob"\r\nContent-Type: application/json'
URLENCODED = "application/x-www-form-urlencoded"
READ = [
    (as_json(), in_json({"text": "a\0b"}), ["/text"]),
    (as_json(), in_json({"text": "ä" * 5000 + "\0", "tags": ["a", "\0"]}), ["/text", "/tags/1"]),
    (as_json(), in_json({"text": r"\u0000 " + "\0"}), ["/text"]),
    (as_json(), in_json({"other": {"a\0b": 1}}), ["/other/a\0b"]),
    (as_json(Struct), in_json({"text": "\0"}), ["/text"]),
    (as_json(dict[str, Any]), in_json({"a": [[{"b": "\0"}]]}), ["/a/0/0/b"]),
    (as_json(str), in_json("\0"), [""]),
    (as_json(), in_json({"text": "\0", "count": "x"}), ["/count", "/text"]),
    (as_json(unknown="refuse"), in_json({"text": "\0", "other": 1}), ["/text", "/other"]),
    (as_form(), in_body(URLENCODED, "text=a%00b&tags=c&tags=%00"), ["/text", "/tags/1"]),
    (as_form(), in_body(URLENCODED, "text=a\0b&count=x"), ["/count", "/text"]),
    (as_form(), in_parts("text", "a\0b"), ["/text"]),
    (as_form(InForm), in_parts("note", r'{"text": "\u0000"}'), ["/note/text"]),
    (as_form(InForm), in_parts("note", r'{"text": "\u0000"}', BLOB), ["/note/text"]),
    (as_args, {"params": {"text": "a\0b"}}, ["/text"]),
    (as_rows, in_body("text/csv", "text\na\0b\n"), ["/text"]),
    (as_rows, in_body("application/jsonl", r'{"text": "a\u0000b"}'), ["/text"]),
    (as_rows, in_json([{"text": "a\0b"}]), ["/0/text"]),
    (as_patch, in_body("application/merge-patch+json", r'{"text": "\u0000"}'), ["/text"]),
]  # fmt: skip


def sent(handler: Any, request: dict[str, Any], **limits: int) -> Any:
    app = App(limits=Limits(**limits))
    app.post("/")(handler)
    return Client(app).post("/", **request)


@rows("handler, options, pointers", READ)
def test_it_is_refused_where_it_is(handler: Any, options: dict[str, Any], pointers: list[str]) -> None:
    response = sent(handler, options)
    assert response.status == 422
    assert [fault["pointer"] for fault in response.json["errors"]] == pointers
    assert "contains NUL" in [fault["detail"] for fault in response.json["errors"]]


@rows("handler, options, pointers", READ)
def test_as_many_as_a_limit_allows_are_read(handler: Any, options: dict[str, Any], pointers: list[str]) -> None:
    is_wrong_otherwise = bool({"/count", "/other"} & {*pointers})
    allowed = sent(handler, options, nuls=len(pointers))
    assert allowed.status == (422 if is_wrong_otherwise else 200)
    assert "NUL" not in allowed.text
    assert is_wrong_otherwise or r"\x00" in allowed.text or "other" in pointers[0]
    assert "NUL" in sent(handler, options, nuls=len(pointers) - 1 - is_wrong_otherwise).text


@rows(
    "handler, options",
        (as_json(), in_json({"text": r"\u0000 \\u0000"})),
        (as_json(), in_json({"text": "ä\n" * 5000})),
        (as_form(), in_body(URLENCODED, "text=%2500&more=%00")),
        (as_form(), in_parts("text", "%00")),
)  # fmt: skip
def test_other_text_is_read(handler: Any, options: dict[str, Any]) -> None:
    assert sent(handler, options).status == 200


@rows("limits, errors", ({}, ["pattern_mismatch"]), ({"nuls": 1}, []))
def test_a_form_of_a_page_shows_it_at_its_field(limits: dict[str, int], errors: list[str]) -> None:
    def handler(request: Request) -> Any:
        form = Form(Area, request)
        form.validate()
        return [error.code for error in form.errors.get("text", [])]

    assert sent(handler, in_body(URLENCODED, "text=a%00"), **limits).json == errors


def test_messages_on_a_websocket_are_refused() -> None:
    app = App()

    @app.websocket("/")
    async def notes(_: Request, socket: WebSocket) -> None:
        await socket.send(repr(await socket.receive_as(Row)))

    with Client(app).websocket("/") as socket:
        socket.send(r'{"text": "\u0000"}')
        assert socket.receive_as(dict[str, Any])["errors"] == [{"pointer": "/text", **NUL}]
        socket.send('{"text": "a"}')
        assert "Row(text='a')" in socket.receive()


def test_values_of_the_program_itself_may_have_it() -> None:
    assert check_as(Row, {"text": "\0"}) == Row("\0")


def test_a_row_of_text_may_not() -> None:
    with pytest.raises(UnprocessableContent) as refused:
        check_as(Row, {"text": "\0"}, strings=True)
    assert refused.value.errors == [{"pointer": "/text", **NUL}]


def test_the_search_is_bounded() -> None:
    levels = 190
    text = "[" * levels + ",".join([r'"\u0000"'] * 90_000) + "]" * levels
    begun = process_time()
    response = sent(as_json(Any), in_body("application/json", text))
    assert (response.status, len(response.json["errors"])) == (422, 100)
    assert process_time() - begun < 1
