"""A client with contract=True: each wrong answer of a handler, and each type that its contract lacks, is an error."""

import ast
import asyncio
import gc
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from operator import methodcaller
from typing import Any, Literal

import pytest

from antiphon import App, Request, Response, abort
from antiphon.features.openapi.contract import ContractReader
from antiphon.features.openapi.document import Info, make_document
from antiphon.http import Conflict
from antiphon.testing import AsyncClient, Client, ContractError
from tests.helpers.rows import rows


@dataclass
class Lamp:
    id: int
    name: str
    room: str | None = None


LAMP = {"id": 1, "name": "a", "room": None}
other: Any = abort
answers: dict[str, Any] = {"lamp": LAMP, "wrong lamp": {"id": 1}}


def right(request: Request) -> Lamp:
    return Lamp(1, "a")


def right_by_dict(request: Request):
    return {"lamp": Lamp(1, "a"), "count": 1}


def right_list(request: Request) -> list[Lamp]:
    return [Lamp(1, "a")]


def right_error(request: Request) -> Lamp:
    abort(404, "There is none.")


def right_nothing(request: Request) -> None: ...


def right_created(request: Request) -> tuple[Lamp, Literal[201]]:
    return Lamp(1, "a"), 201


def right_file(request: Request) -> Response:
    return Response.file(__file__)


def right_read(request: Request) -> Lamp:
    return request.json_as(Lamp)


def right_union(request: Request) -> Lamp | list[Lamp]:
    return []


def right_stream(request: Request) -> Iterator[str]:
    return iter(["a"])


def right_values(request: Request) -> Iterator[Lamp]:
    return iter([Lamp(1, "a")])


def right_lines(request: Request) -> Response:
    return Response.ndjson([Lamp(1, "a")])


def right_events(request: Request) -> Response:
    return Response.events(["text", "more"])


def right_status(request: Request) -> Lamp:
    return Lamp(1, "a"), 202  # type: ignore[return-value]


def right_with_more_fields(request: Request) -> Lamp:
    return {**LAMP, "password": "secret"}  # type: ignore[return-value]


def right_with_more_in_list(request: Request) -> list[Lamp]:
    return [Lamp(1, "a"), {**LAMP, "password": "secret"}]  # type: ignore[list-item]


RIGHT = [
    right_with_more_fields, right_with_more_in_list,
    right_values, right_lines, right_events,
    right, right_by_dict, right_list, right_error, right_nothing, right_created, right_file, right_read, right_union,
    right_stream, right_status,
]  # fmt: skip


def wrong_type(request: Request) -> Lamp:
    return {**LAMP, "id": "7"}  # type: ignore[return-value]


def missing_field(request: Request) -> Lamp:
    return {"id": 1, "room": None}  # type: ignore[return-value]


def missing_default(request: Request) -> Lamp:
    return {"id": 1, "name": "a"}  # type: ignore[return-value]


def null_in_list(request: Request) -> list[Lamp]:
    return [Lamp(1, "a"), None]  # type: ignore[list-item]


def object_for_list(request: Request) -> list[Lamp]:
    return LAMP  # type: ignore[return-value]


def null_in_field(request: Request) -> Lamp:
    return Lamp(1, None)  # type: ignore[arg-type]


def status_of_another(request: Request) -> tuple[Lamp, Literal[201]]:
    return Lamp(1, "a"), 200  # type: ignore[return-value]


def text_for_json(request: Request) -> Lamp:
    return "a"  # type: ignore[return-value]


def json_for_text(request: Request) -> str:
    return LAMP  # type: ignore[return-value]


def content_for_none(request: Request) -> None:
    return LAMP  # type: ignore[return-value]


def hidden_error(request: Request) -> Lamp:
    globals()["other"](409)
    return Lamp(1, "a")


def hidden_read(request: Request) -> Lamp:
    return methodcaller("json_as", Lamp)(request)  # type: ignore[no-any-return]


def wrong_in_dict(request: Request) -> dict[str, Lamp]:
    return {"a": {"id": 1}}  # type: ignore[dict-item]


def bytes_for_json(request: Request) -> Lamp:
    return b"{}"  # type: ignore[return-value]


def empty_for_json(request: Request) -> Lamp:
    return Response(b"", content_type="application/json")  # type: ignore[return-value]


def broken_json(request: Request) -> Lamp:
    return Response(b"{", content_type="application/json")  # type: ignore[return-value]


def wrong_line(request: Request) -> Iterator[Lamp]:
    yield Lamp(1, "a")
    yield {**LAMP, "id": "7"}  # type: ignore[misc]


def wrong_made_line(request: Request) -> Response:
    lamps: list[Lamp] = [Lamp(1, None)]  # type: ignore[arg-type]
    return Response.ndjson(lamps)


def wrong_loaded(request: Request) -> Lamp:
    return Response.json(answers["wrong lamp"])  # type: ignore[return-value]


WRONG = [
    (wrong_loaded, "returned 200 with a body that does not fit Lamp: /name is missing"),
    (wrong_line, "returned 200 with an item that does not fit Lamp: /id expected an integer, got a string"),
    (wrong_made_line, "returned 200 with an item that does not fit Lamp: /name expected a string, got null"),
    (wrong_type, "returned 200 with a body that does not fit Lamp: /id expected an integer, got a string"),
    (missing_field, "declares that it returns Lamp: dict has no 'name', which Lamp has"),
    (missing_default, "returned 200 with a body that does not fit Lamp: /room is missing"),
    (null_in_list, ": /1 expected an object, got null"),
    (object_for_list, ": dict is not a list"),
    (null_in_field, ": /name expected a string, got null"),
    (status_of_another, "returned 200, which its contract lacks: it has 201"),
    (text_for_json, "returned 200 with text/plain, but its contract has application/json"),
    (json_for_text, "returned 200 with application/json, but its contract has text/plain"),
    (content_for_none, "returned 200, which its contract lacks: it has 204"),
    (hidden_error, "; raise it in the handler's own code, or declare it with gives={409: Conflict}"),
    (wrong_in_dict, ": dict has no 'name', which Lamp has"),
    (bytes_for_json, "returned 200 with application/octet-stream, but its contract has application/json"),
    (empty_for_json, "returned 200 with a body that does not fit Lamp: it is not JSON"),
    (broken_json, "returned 200 with a body that does not fit Lamp: it is not JSON"),
]


def unread_response(request: Request) -> Response:
    return answers["response"]


def unread_status(request: Request):
    return Lamp(1, "a"), answers["status"]


def unread_status_of_error(request: Request):
    return {}, answers["status_of_error"]


def unread_error(request: Request) -> Lamp:
    raise answers["error"]


UNREAD = [unread_response, unread_status, unread_status_of_error, unread_error]


@rows("accept", ["application/x-ndjson", "text/event-stream", "application/json"])
def test_each_item_of_a_stream_is_checked_in_each_format(accept: str) -> None:
    app = App()
    app.get("/lamps")(wrong_line)
    with pytest.raises(ContractError, match="/id expected an integer, got a string"):
        Client(app, contract=True).get("/lamps", headers={"accept": accept})


def served(handler: Any, **options: Any) -> App:
    app = App()
    app.post("/lamp", **options)(handler)
    return app


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("handler", RIGHT, ids=lambda handler: handler.__name__)
def test_what_holds_to_its_contract_passes(handler: Any, interface: Any) -> None:
    Client(served(handler), interface, contract=True).post("/lamp", json=LAMP)


@rows("handler, told", WRONG, ids=[handler.__name__ for handler, _ in WRONG])
def test_a_breach_is_an_error_that_names_the_handler(handler: Any, told: str) -> None:
    with pytest.raises(ContractError) as caught:
        Client(served(handler), contract=True, follow_redirects=False).post("/lamp", json=LAMP)
    assert str(caught.value).startswith(f"{handler.__name__} ({__file__}:{handler.__code__.co_firstlineno}) ")
    assert told in str(caught.value)


def test_an_answer_that_could_not_be_read_is_no_breach() -> None:
    answers.update(error=Conflict("No."), response=Response.text("a", 202), status=201, status_of_error=409)
    for handler in UNREAD:
        app = served(handler)
        assert make_document(app, Info("Lamps")).unknown, f"the document is complete for {handler.__name__}"
        assert Client(app, contract=True).post("/lamp").status in (201, 202, 409)


def test_an_annotation_is_held_to_where_the_source_is_missing() -> None:
    names: dict[str, Any] = {"Lamp": Lamp, "LAMP": LAMP}
    exec("def annotated(request) -> Lamp:\n return {**LAMP, 'id': '7'}\ndef plain(request):\n return LAMP", names)
    with pytest.raises(ContractError, match="/id expected an integer, got a string"):
        Client(served(names["annotated"]), contract=True).post("/lamp")
    assert Client(served(names["plain"]), contract=True).post("/lamp").json == LAMP


def test_only_the_routes_that_are_called_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    read_one = ContractReader.read
    monkeypatch.setattr(ContractReader, "read", lambda *given: read.append(given[1].route.pattern) or read_one(*given))
    app = served(right)
    app.post("/other")(right)
    for _ in range(2):
        Client(app, contract=True).post("/lamp", json=LAMP)
    assert read == ["/lamp"]


def test_a_file_is_parsed_once_for_all_applications(monkeypatch: pytest.MonkeyPatch) -> None:
    Client(served(right_list), contract=True).post("/lamp", json=LAMP)
    parsed: list[str] = []
    parse = ast.parse
    with monkeypatch.context() as patched:
        patched.setattr(ast, "parse", lambda text: parsed.append(text) or parse(text))
        Client(served(right_list), contract=True).post("/lamp", json=LAMP)
    assert not any(parsed)  # what has no source is looked for again


def test_an_application_goes_when_its_test_ends() -> None:
    app = served(right)
    Client(app, contract=True).post("/lamp", json=LAMP)
    kept = weakref.ref(app)
    del app
    gc.collect()
    assert kept() is None


def test_a_type_that_reading_did_not_see_is_noticed_where_it_is_read() -> None:
    with pytest.raises(ContractError, match=r"reads its body as Lamp, which its contract lacks: .* takes="):
        Client(served(hidden_read), contract=True).post("/lamp", json=LAMP)
    Client(served(hidden_read, takes=Lamp), contract=True).post("/lamp", json=LAMP)


def test_errors_of_the_framework_are_in_the_contract() -> None:
    client = Client(served(right_read), contract=True)
    assert [
        client.post("/lamp", json={}).status,
        client.post("/lamp", body=b"{", content_type="application/json").status,
    ] == [422, 400]
    assert client.post("/lamp", json=LAMP, headers={"origin": "https://elsewhere.example"}).status == 403
    assert (client.get("/lamp").status, client.get("/nowhere").status) == (405, 404)


def test_a_mounted_application_has_contracts_too() -> None:
    outer = App()
    outer.mount("/inner", served(wrong_type))
    with pytest.raises(ContractError, match="not fit Lamp"):
        Client(outer, contract=True).post("/inner/lamp", json=LAMP)


@rows("path", ["/lamp", "/inner/lamp"])
def test_a_request_beside_another_one_is_checked_too(path: str) -> None:
    """The handler, or the one mounted below, is still working while the other request ends."""

    async def ask() -> None:
        began, ended = asyncio.Event(), asyncio.Event()

        async def wrong(request: Request) -> Lamp:
            began.set()
            await ended.wait()
            return {**LAMP, "id": "7"}  # type: ignore[return-value]

        app = served(wrong)
        app.get("/other")(right)
        if path != "/lamp":
            outer = App()
            outer.mount("/inner", app)
            outer.get("/other")(right)
            app = outer
        client = AsyncClient(app, contract=True)
        waiting = asyncio.create_task(client.post(path, json=LAMP))
        await began.wait()
        assert (await client.get("/other")).status == 200
        ended.set()
        with pytest.raises(ContractError, match=r"wrong .*/id expected an integer"):
            await waiting

    asyncio.run(ask())


@rows("prefix, target", ("/inner", "/inner/lamp"), ("/<shop>", "/shop/lamp"), ("/<shop>", "/%2e/lamp"))
def test_a_mounted_handler_is_not_blamed_for_a_refusal_around_it(prefix: str, target: str) -> None:
    outer = App()
    outer.mount(prefix, served(right))
    outer.before_request(lambda request: abort(451))
    for interface in ("wsgi", "asgi", "rsgi"):
        assert Client(outer, interface, contract=True).post(target).status == 451


def test_only_an_app_has_a_contract() -> None:
    with pytest.raises(TypeError, match="contract=True needs an App"):
        Client(Response("a"), contract=True)
