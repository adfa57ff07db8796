"""Planted changes of an application's code, each judged against the revision before it, and its reverse, too."""

import re
import subprocess
import sys

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main

pytestmark = pytest.mark.processes

START = """
import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Any, Literal, NotRequired, TypedDict
from uuid import UUID
from msgspec import Meta, Struct, UNSET, UnsetType
from antiphon import App, Request, Response, WebSocket, abort
from antiphon.features import APIKey, IdempotentWrites, MemoryStore, OpenAPI, Users, login_required, scopes_required

app = App(store=MemoryStore(), secret_keys=["x" * 32])
app.use(OpenAPI("Planted"))
app.use(Users(APIKey({}.get)))
app.use(IdempotentWrites())


def make(kind) -> Any: return kind
"""


def taken(fields, base="", options=""):
    """Return a route that reads a type with these fields, one a line."""
    kind = f"class TakenN(Struct{options}):" if base else "@dataclass\nclass TakenN:"
    lines = "".join(f"    {each}\n" for each in ("id: int", *filter(None, fields.split("; "))))
    return f"{kind}\n{lines}\n@app.post('/rN')\ndef fN(request: Request) -> None:\n    request.json_as(TakenN)\n"


def given(fields, before="", kind="@dataclass\nclass GivenN:"):
    """Return a route that returns a type with these fields."""
    lines = "".join(f"    {each}\n" for each in ("id: int", *filter(None, fields.split("; "))))
    return f"{before}\n{kind}\n{lines}\n@app.get('/rN')\ndef fN(request: Request) -> GivenN:\n    return make(GivenN)\n"


def route(body, decorator="@app.get('/rN')", arguments="", returned="str"):
    """Return a route with this body."""
    lines = "".join(f"    {each}\n" for each in body.split("; "))
    return f"{decorator}\ndef fN(request: Request{arguments}) -> {returned}:\n{lines}"


CATS = """
class CatN(Struct, tag="cat"):
    a: int
class DogN(Struct, tag="dog"):
    a: int
class CowN(Struct, tag="cow"):
    a: int
"""
CAT_OF_ANOTHER_TAG = CATS.replace('"cat"', '"tom"')
INNER = "@dataclass\nclass InnerN:\n    a: int\n"
INNER_MORE = INNER + "    b: int\n"
ROUTE = route("return 'x'")
POST, GET_OF_INT = "@app.post('/rN')", "@app.get('/rN/<int:number>')"
STREAM = "@app.get('/rN')\nasync def fN(request: Request) -> AsyncIterator[InnerN]:\n    yield make(InnerN)\n"
SOCKET = "@app.websocket('/rN')\nasync def fN(request: Request, socket: WebSocket):\n    pass\n"

# What breaks clients, and what the reverse of the change is.
PLANTED = [
    ("a field of a body is new and required", taken(""), taken("note: str"), "unknown"),
    ("a field of a body becomes required", taken("note: str = ''"), taken("note: str"), "safe"),
    ("a field of a body has another type", taken("x: int"), taken("x: bool"), "breaks"),
    ("a body takes fewer numbers", taken("x: float"), taken("x: int"), "safe"),
    ("a body takes no null", taken("x: int | None"), taken("x: int"), "safe"),
    ("a body takes fewer values", taken("x: Literal['a', 'b']"), taken("x: Literal['a']"), "safe"),
    ("a body takes listed values only", taken("x: str"), taken("x: Literal['a']"), "safe"),
    ("a body's text has a length", taken("x: str"), taken("x: Annotated[str, Meta(max_length=9)]"), "safe"),
    (
        "a body's text is shorter",
        taken("x: Annotated[str, Meta(max_length=9)]"),
        taken("x: Annotated[str, Meta(max_length=8)]"),
        "safe",
    ),
    (
        "a body's text must be longer",
        taken("x: Annotated[str, Meta(min_length=1)]"),
        taken("x: Annotated[str, Meta(min_length=2)]"),
        "safe",
    ),
    ("a body's number has a minimum", taken("x: int"), taken("x: Annotated[int, Meta(ge=0)]"), "safe"),
    (
        "a body's number must be below less",
        taken("x: Annotated[int, Meta(lt=9)]"),
        taken("x: Annotated[int, Meta(lt=8)]"),
        "safe",
    ),
    ("a body's number is a multiple", taken("x: int"), taken("x: Annotated[int, Meta(multiple_of=2)]"), "safe"),
    ("a body's text has a pattern", taken("x: str"), taken("x: Annotated[str, Meta(pattern='^a')]"), "safe"),
    ("a body's text has a format", taken("x: str"), taken("x: UUID"), "safe"),
    ("a body's text has another format", taken("x: UUID"), taken("x: dt.date"), "breaks"),
    ("a body's items have another type", taken("x: list[int]"), taken("x: list[bool]"), "breaks"),
    ("a body has fewer items", taken("x: list[int]"), taken("x: Annotated[list[int], Meta(max_length=3)]"), "safe"),
    (
        "a body refuses other fields",
        taken("", base="s"),
        taken("", base="s", options=", forbid_unknown_fields=True"),
        "safe",
    ),
    ("a body's map has other values", taken("x: dict[str, int | None]"), taken("x: dict[str, int]"), "safe"),
    ("a body's union lacks a kind", CATS + taken("x: CatN | DogN | CowN"), CATS + taken("x: CatN | CowN"), "safe"),
    (
        "a body's union has another tag",
        CATS + taken("x: CatN | DogN"),
        CAT_OF_ANOTHER_TAG + taken("x: CatN | DogN"),
        "breaks",
    ),
    ("an inner type requires a field", INNER + taken("x: InnerN"), INNER_MORE + taken("x: InnerN"), "unknown"),
    ("a body's tuple is longer", taken("x: tuple[int, int]"), taken("x: tuple[int, int, int]"), "breaks"),
    ("a field of a response is gone", given("x: int = 0"), given(""), "safe"),
    (
        "a field of a response may be missing",
        given("x: int", kind="class GivenN(TypedDict):"),
        given("x: NotRequired[int]", kind="class GivenN(TypedDict):"),
        "safe",
    ),
    ("a response may have null", given("x: int"), given("x: int | None"), "safe"),
    ("a field of a response has another type", given("x: int"), given("x: str"), "breaks"),
    ("a response has more numbers", given("x: int"), given("x: float"), "safe"),
    ("a response has more values", given("x: Literal['a']"), given("x: Literal['a', 'b']"), "safe"),
    ("a response has unlisted values", given("x: Literal['a']"), given("x: str"), "safe"),
    (
        "a response's text is longer",
        given("x: Annotated[str, Meta(max_length=8)]"),
        given("x: Annotated[str, Meta(max_length=9)]"),
        "safe",
    ),
    ("a response's number has no maximum", given("x: Annotated[int, Meta(le=9)]"), given("x: int"), "safe"),
    ("a response's text has no format", given("x: UUID"), given("x: str"), "safe"),
    ("a response has other items", given("x: list[int]"), given("x: list[int | str]"), "safe"),
    ("a response has another kind", given("x: CatN | DogN", CATS), given("x: CatN | DogN | CowN", CATS), "safe"),
    ("an inner type of a response lacks a field", given("x: InnerN", INNER_MORE), given("x: InnerN", INNER), "safe"),
    ("a stream's items lack a field", INNER_MORE + STREAM, INNER + STREAM, "safe"),
    ("a route is gone", ROUTE, "", "safe"),
    ("a method is gone", ROUTE + route("return 'x'", POST).replace("fN", "gN"), ROUTE, "safe"),
    ("a query field is new and required", ROUTE, route("return request.args['lang']"), "unknown"),
    (
        "a query field is required",
        route("return request.args.get('lang', '')"),
        route("return request.args['lang']"),
        "safe",
    ),
    (
        "a query field is a number",
        route("return str(request.args.get('page'))"),
        route("return str(request.args.get('page', type=int))"),
        "safe",
    ),
    ("a header is required", ROUTE, route("return request.headers['x-key']"), "unknown"),
    (
        "a query field is a header now",
        route("return request.args['lang']"),
        route("return request.headers['lang']"),
        "breaks",
    ),
    (
        "a cookie is required",
        route("return request.cookies.get('theme', '')"),
        route("return request.cookies['theme']"),
        "safe",
    ),
    (
        "a path takes numbers only",
        route("return 'x'", "@app.get('/rN/<number>')", ", number: str"),
        route("return 'x'", GET_OF_INT, ", number: int"),
        "safe",
    ),
    (
        "a body is new and required",
        route("return 'x'", POST),
        route("request.json_as(int); return 'x'", POST),
        "breaks",
    ),
    (
        "a form is JSON now",
        INNER + route("request.form_as(InnerN); return 'x'", POST),
        INNER + route("request.json_as(InnerN); return 'x'", POST),
        "breaks",
    ),
    ("a status is another", given(""), given("").replace("-> GivenN", "-> tuple[GivenN, Literal[201]]"), "breaks"),
    ("a response has another media type", route("return {'a': 1}", returned="dict"), ROUTE, "breaks"),
    ("a login is needed", ROUTE, route("return 'x'", "@app.get('/rN', before=login_required)"), "safe"),
    (
        "a scope is needed",
        route("return 'x'", "@app.get('/rN', before=login_required)"),
        route("return 'x'", "@app.get('/rN', before=scopes_required('a'))"),
        "safe",
    ),
    ("a key is needed", route("return 'x'", POST), route("return 'x'", "@app.post('/rN', idempotent=True)"), "unknown"),
    ("a WebSocket is gone", SOCKET, "", "safe"),
]

# What no client notices.
SAFE = [
    ("a field of a body is new", taken(""), taken("note: str = ''")),
    ("a field of a response is new", given(""), given("note: str")),
    ("a query field is new", ROUTE, route("return request.args.get('lang', '')")),
    ("a path parameter has another name", route("return 'x'", GET_OF_INT, ", number: int"),
     route("return 'x'", GET_OF_INT.replace("number", "id"), ", id: int")),
    ("a type has another name", INNER + taken("x: InnerN"), (INNER + taken("x: InnerN")).replace("Inner", "Within")),
    ("a handler has another name", ROUTE, ROUTE.replace("fN", "another_name_N")),
    ("an error is new", ROUTE, route("return 'x' if request.args.get('x') != 'gone' else abort(410)")),
    ("an error is gone", route("return 'x' if 'x' in request.args else abort(410)"),
     route("return 'x' if 'x' in request.args else 'y'")),
    ("a docstring", ROUTE, route("'''Return it.'''; return 'x'")),
    ("fields in another order", taken("x: int; y: int"), taken("y: int; x: int")),
    ("a header of a response is new", route("return Response('x')", returned="Response"),
     route("return Response('x', headers={'x-more': '1'})", returned="Response")),
]  # fmt: skip


# What may break clients.
UNKNOWN = [
    (
        "a member of untyped JSON is read, too",
        route("return request.json['a']", POST),
        route("sent = request.json; return sent['a'] + sent['b']", POST),
    )
]


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """The verdict of each route, by its number, and the lines that were printed."""
    folder = tmp_path_factory.mktemp("planted")
    pairs = [(old, new) for _, old, new, _ in PLANTED]
    pairs += [(new, old) for old, new in pairs] + [(old, new) for _, old, new in (*SAFE, *UNKNOWN)]

    def write(side):
        parts = [re.sub("(?<![A-Z])N(?![a-z])", str(at), pair[side]) for at, pair in enumerate(pairs)]
        (folder / "planted.py").write_text("\n\n".join((START, *parts)))

    def git(*arguments):
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@x", *arguments]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)

    write(0)
    git("init", "--quiet")
    git("add", "--all")
    git("commit", "--quiet", "-m", "Before")
    write(1)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "path", [*sys.path])
        result = CliRunner().invoke(main, ["openapi", "planted:app", "--against", "HEAD"], catch_exceptions=False)
    sys.modules.pop("planted", None)
    assert result.exit_code != 2, result.output
    lines = result.stdout.splitlines()
    found = {}
    for line in lines:
        number = re.search(r"/r(\d+)\b", line)
        assert number, line
        found.setdefault(int(number[1]), []).append(line)
    return result.exit_code, found


def verdict(lines):
    words = [line.split()[0] for line in lines]
    return next((each for each in ("BREAKS", "unknown", "safe") if each in words), "safe").lower()


def test_planted_changes_are_judged(judged):
    code, found = judged
    wrong, counts = [], {"breaks": 0, "safe": 0, "unknown": 0}
    expected = [(title, "breaks") for title, *_ in PLANTED]
    expected += [(f"not: {title}", reverse) for title, _, _, reverse in PLANTED]
    expected += [(title, "safe") for title, *_ in SAFE] + [(title, "unknown") for title, *_ in UNKNOWN]
    for at, (title, wanted) in enumerate(expected):
        counts[wanted] += 1
        if verdict(found.get(at, [])) != wanted:
            wrong.append((title, wanted, found.get(at)))
        if wanted == "breaks" and at < len(PLANTED):
            place = "planted.py:"
            assert all(place in line for line in found.get(at, []) if line.startswith("BREAKS")), title
    assert not wrong, "\n".join(map(str, wrong))
    assert code == 1
    assert counts["breaks"] >= 40
    assert counts["safe"] >= 40
