"""The flow of values through a handler: tests that say more of them, patterns, changes in place, inner scopes."""

import json
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NewType

from antiphon import Request, abort
from antiphon.features import Form
from antiphon.http import BadRequest, HTTPError, NotFound, UnsupportedMediaType
from tests.features.openapi.code.test_code import SAME_TYPE
from tests.features.openapi.code.test_reading import JSON, LAMP, contract_of, given, taken
from tests.features.openapi.handlers import Lamp, NewLamp, Search, Store, check, store
from tests.helpers.rows import rows

LampNumber = NewType("LampNumber", int)
MISSING = "404 There is no such lamp."


@dataclass
class Room:
    name: str
    lamp: Lamp | None = None


@dataclass
class Refusal:
    why: str


class Shelf(Store):
    save: Callable[[Request, Lamp], Awaitable[None]]
    load: Callable[[int], Awaitable[Lamp]]

    def take(self, number: int) -> Lamp | Refusal: ...

    def each(self) -> AsyncIterator[Lamp]: ...

    def some(self) -> AsyncIterable[Lamp]: ...

    async def last(self) -> Lamp | None: ...


shelf = Shelf()

# Tests that say more of a value


def asserted(request: Request):
    found = store.find(1)
    assert found is not None, request.args["why"]
    return found


def attribute_of_another_room(request: Request):
    one, other = Room("a"), Room("b")
    if one.lamp is not None:
        one = other
        return {"lamp": one.lamp}
    return "none"


def and_expression(request: Request):
    found = store.find(1)
    return {"name": (found is not None and found) or "none"}


def instance_of_several(request: Request):
    taken = shelf.take(1)
    if not isinstance(taken, (Lamp, NewLamp)):
        return taken, 409
    return taken


# Patterns


def by_method(request: Request):  # noqa: RET503
    match request.method:
        case "POST" | "PUT":
            return request.json_as(NewLamp)
        case "GET":
            request.args_as(Search)
            return "read"
        case _:
            request.cookies["other"]


def by_other_method(request: Request):
    match request.method:
        case "GET":
            return "read"
        case method:
            return {"method": method}


def by_class(request: Request):
    match shelf.take(1):
        case Lamp(name=name, id=number):
            return {"name": name, "id": number}
        case Refusal() as refusal:
            return refusal, 409


def by_class_or_none(request: Request):  # noqa: RET503
    match store.find(1):
        case None:
            abort(404, "There is no such lamp.")
        case lamp:
            return lamp


def by_parts(request: Request):
    match ["a", "b"], {"lamp": store.newest, "more": 1}:
        case [first, *others], {"lamp": lamp, **rest}:
            return {"first": first, "others": others, "lamp": lamp, "rest": rest}
    return "none"


# Names


def left_alone(request: Request):
    lamp = "text"
    names = [lamp.name for lamp in store.all()]
    numbers = {lamp.id for lamp in store.all()}
    return {"lamp": lamp, "count": len(names) + len(numbers)}


def imported_within(request: Request):
    from tests.features.openapi.handlers import new_lamp as read

    return read(request)


def stopped_generator(request: Request):
    def numbers():
        try:
            yield 1
        finally:
            raise NotFound("It is closed.")

    for _ in numbers():
        break
    return "text"


def module_within(request: Request):
    import json

    import tests.features.openapi.handlers as elsewhere

    return {"lamp": elsewhere.store.newest, "text": json.dumps(1)}


def new_type(request: Request):
    number: LampNumber = json.loads("1")
    return {"number": number, "made": LampNumber(1), "next": number + 1}


# Changes in place


def updated(request: Request):
    made = {"name": "a"}
    made.update(id=1)
    made.update({"lamp": store.newest})
    made |= {"ok": True}
    made.setdefault("last", b"")
    return made


def updated_with_unknown(request: Request):
    made = {"name": "a"}
    made.update(vars(store))
    return made


def key_taken_away(request: Request):
    made = {"name": "a", "secret": 1, "other": 2}
    made.pop("secret")
    del made["other"]
    return made


def emptied(request: Request):
    made = {"name": "a"}
    made.clear()
    made["id"] = 1
    return made


def extended(request: Request):
    found = ["a"]
    found.extend([1])
    found += [b""]
    found.insert(0, 1.5)
    return found


# What is awaited


async def each_of(request: Request):
    return {"names": [lamp.name async for lamp in shelf.each()]}


async def nothing_awaited(request: Request) -> None:
    return await shelf.save(request, store.newest)


# Errors that are caught


def status_of_refusal(request: Request):
    try:
        return request.json_as(NewLamp)
    except HTTPError as error:
        return {"why": str(error)}, error.status


def one_refusal(request: Request):
    try:
        request.json_as(NewLamp)
    except UnsupportedMediaType:
        return "json, please", 406
    return "done"


def missing_key_suppressed(request: Request) -> str:
    with suppress(KeyError):
        return request.args["name"]
    return "nobody"


def suppressed(request: Request) -> str:
    with suppress(BadRequest):
        check()
    return "done"


READ = [
    (asserted, "query why", LAMP),
    (attribute_of_another_room, "", f"{JSON} {{lamp: Lamp | None}}, 200 text/plain str"),
    (and_expression, "", f"{JSON} {{name: Lamp | str}}"),
    (instance_of_several, "", f"409 application/json Refusal, {LAMP}"),
    (by_method, "json NewLamp", f"{JSON} NewLamp"),
    (by_other_method, "", f"{JSON} {{method: str}}"),
    (by_class, "", f"{JSON} {{name: str, id: int}}, 409 application/json Refusal"),
    (by_class_or_none, "", f"{LAMP}, {MISSING}"),
    (by_parts, "", f"{JSON} {{first: str, others: [str], lamp: Lamp, rest: {{more: int}}}}, 200 text/plain str"),
    (left_alone, "", f"{JSON} {{lamp: str, count: int}}"),
    (lambda request: f"{store.newest.id:{request.args['width']}}", "query width", "200 text/plain str"),
    (imported_within, "json NewLamp", f"{JSON} NewLamp"),
    (lambda request: ("[1]", {"content-type": "application/json"}), "", f"{JSON} ?"),
    (stopped_generator, "", "200 text/plain str, 404 It is closed."),
    (module_within, "", f"{JSON} {{lamp: Lamp, text: str}}"),
    (new_type, "", f"{JSON} {{number: LampNumber, made: LampNumber, next: int}}"),
    (updated, "", f"{JSON} {{name: str, id: int, lamp: Lamp, ok: bool, last: bytes}}"),
    (updated_with_unknown, "", f"{JSON} dict[str, typing.Any]"),
    (key_taken_away, "", f"{JSON} {{name: str}}"),
    (emptied, "", f"{JSON} {{id: int}}"),
    (extended, "", f"{JSON} [str | int | bytes | float]"),
    (each_of, "", f"{JSON} {{names: [str]}}"),
    (nothing_awaited, "", "204"),
    (missing_key_suppressed, "query name?", "200 text/plain str"),
    (suppressed, "", "200 text/plain str, 409 Not now."),
]


@rows("handler, takes, gives", READ)
def test_values_are_followed(handler: Any, takes: str, gives: str) -> None:
    contract = contract_of(handler)
    found = SAME_TYPE.sub(r"\1", given(contract)).replace(f"{__name__}.", "")
    assert (taken(contract), found) == (takes, gives)
    unknown = {"body"} if gives.endswith(f"{JSON} ?") else set()
    assert {each.about for each in contract.unread if each.about != "taken"} == unknown


@rows(
    "handler, refusals",
    (lambda request: request.json_as(NewLamp), (400, 413, 415, 422)),
    (status_of_refusal, ()),
    (one_refusal, (400, 413, 422)),
    (lambda request: request.json, (400, 413, 415)),
    (lambda request: request.args_as(Search), (422,)),
    (lambda request: request.body, (400, 413, 415)),
    (lambda request: Form(NewLamp, request), (400, 415)),
)
def test_a_reader_refuses_what_the_handler_does_not_catch(handler: Any, refusals: tuple[int, ...]) -> None:
    (read,) = contract_of(handler).reads
    assert read.refusals == refusals
