"""What a handler declares that it returns is what goes out: the fields of the annotation, or of ``gives``, alone."""

import re
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from typing import Any, Generic, Literal, NamedTuple, TypedDict, TypeVar, get_args, get_type_hints

import attrs
import msgspec
import pytest

from antiphon import App, Response
from antiphon.http.event import Event
from antiphon.testing import Client
from tests.helpers.rows import rows

pydantic = pytest.importorskip("pydantic")
SECRET = "hunter2"
T = TypeVar("T")


@dataclass
class User:
    name: str


@dataclass
class Row(User):
    password: str = SECRET


class Struct(msgspec.Struct, rename="camel"):
    first_name: str = "Ann"


class StructRow(Struct):
    password: str = SECRET


class Tagged(msgspec.Struct, tag="user", omit_defaults=True):
    name: str
    age: int = 0


class TaggedRow(Tagged, tag="row"):
    password: str = SECRET


class Model(pydantic.BaseModel):
    name: str = pydantic.Field(serialization_alias="n")


class ModelRow(Model):
    password: str = SECRET


@attrs.define(slots=False)
class Attrs:
    name: str


@attrs.define(slots=False)
class AttrsRow(Attrs):
    password: str = SECRET


class Dict(TypedDict):
    name: str


class Pair(NamedTuple):
    user: User
    at: int


@dataclass
class Team:
    lead: User
    others: list[User] = field(default_factory=list)
    deputy: "Team | None" = None


@dataclass
class Page(Generic[T]):
    items: list[T]


@dataclass
class Crew:
    hands: Iterable[User] | None
    posts: Mapping[str, deque[User]] = field(default_factory=dict)


@dataclass
class Shown(User):
    """A row that a template can show."""

    password: str = SECRET

    def __html__(self) -> str:
        return f"<b>{self.password}"


@dataclass
class TeamRow(Team):
    password: str = SECRET


class Mapped:
    """A row of a mapper, with attributes."""

    def __init__(self) -> None:
        self.name = "Ann"
        self.password = SECRET


ANN = {"name": "Ann"}
ROW = Row("Ann")
DICT = {"name": "Ann", "password": SECRET}
ATTRS_ROW = AttrsRow("Ann")
WITH_MORE = Attrs("Ann")
WITH_MORE.password = SECRET

TEAM = {"lead": ANN, "others": [], "deputy": None}

RETURNED = [
    (User, ROW, ANN),
    (User, User("Ann"), ANN),
    (User, DICT, ANN),
    (User, Mapped(), ANN),
    (User, AttrsRow("Ann"), ANN),
    (Struct, StructRow("Bea"), {"firstName": "Bea"}),
    (Struct, {"firstName": "Bea", "password": SECRET}, {"firstName": "Bea"}),
    (Tagged, TaggedRow("Ann"), {"type": "user", "name": "Ann"}),
    (Model, ModelRow(name="Ann"), {"n": "Ann"}),
    (Model, DICT, {"n": "Ann"}),
    (Dict, DICT, ANN),
    (list[User], [ROW, User("Bob")], [ANN, {"name": "Bob"}]),
    (Sequence[User], [ROW], [ANN]),
    (Iterable[User], [ROW], [ANN]),
    (list[Dict], [DICT], [ANN]),
    (list[Attrs], [ATTRS_ROW, WITH_MORE], [ANN, ANN]),
    (list[Model], [ModelRow(name="Ann")], [{"n": "Ann"}]),
    (dict[str, User], {"a": ROW}, {"a": ANN}),
    (dict[str, list[User]], {"a": [ROW]}, {"a": [ANN]}),
    (list[Pair], [Pair(ROW, 1)], [[ANN, 1]]),
    (User | None, ROW, ANN),
    (User | str, ROW, ANN),
    (Struct | User, ROW, ANN),
    (Dict | Struct, DICT, ANN),
    (User | Response, ROW, ANN),
    (tuple[User, int], (ROW, 200), ANN),
    (tuple[User, int, dict[str, str]], (ROW, 200, {}), ANN),
    (User | tuple[User, Literal[201]], (ROW, 201), ANN),
    (Team, Team(ROW), TEAM),
    (Team, Team(User("Ann"), [ROW]), TEAM | {"others": [ANN]}),
    (Team, Team(User("Ann"), [], TeamRow(User("Ann"))), TEAM | {"deputy": TEAM}),
    (Page[User], Page([ROW]), {"items": [ANN]}),
    (Crew, Crew([ROW], {"mate": deque([ROW])}), {"hands": [ANN], "posts": {"mate": [ANN]}}),
    (User, Shown("Ann"), ANN),
    (Awaitable[User], ROW, ANN),
    ("User", ROW, ANN),
    (dict[str, Any], DICT, DICT),
    (Any, ROW, DICT),
]  # fmt: skip


@rows("annotation, value, sent", RETURNED)
def test_a_handler_sends_the_fields_that_it_declares(annotation, value, sent):
    app = App()

    def annotated(request):
        return value

    def declared(request):
        return value

    async def waiting(request):
        return value

    annotated.__annotations__["return"] = waiting.__annotations__["return"] = annotation
    app.get("/annotated")(annotated)
    app.get("/waiting")(waiting)
    paths = ["/annotated", "/waiting"]
    if not isinstance(annotation, str) and type(value) is not tuple:
        app.get("/gives", gives=annotation)(declared)
        paths.append("/gives")
    for path in paths:
        assert Client(app).get(path).json == sent, path


@rows("accept", ["application/x-ndjson", "text/event-stream", "application/json"])
def test_a_stream_sends_the_fields_that_it_declares(accept):
    app = App()

    @app.get("/sync")
    def sync(request) -> Iterator[User]:
        yield ROW

    @app.get("/waiting")
    async def waiting(request) -> AsyncIterator[User | Event]:
        yield ROW
        yield Event("text")

    for path in ("/sync", "/waiting"):
        text = Client(app).get(path, headers={"accept": accept}).text
        assert '{"name":"Ann"}' in text
        assert SECRET not in text


def test_each_status_sends_the_fields_that_gives_declares_for_it(app):
    @app.get("/<int:status>", gives={200: Struct, 404: User})
    def by_status(request, status: int) -> Row:
        return (StructRow() if status == 200 else ROW), status

    assert Client(app).get("/200").json == {"firstName": "Ann"}
    assert Client(app).get("/404").json == ANN
    assert Client(app).get("/201").json == DICT


def test_hooks_middleware_and_error_handlers_send_the_fields_that_they_declare(app):
    @app.errorhandler(KeyError)
    def failed(request, error) -> tuple[User, int]:
        return ROW, 404

    @app.after_request
    def after(request, response) -> User | None:
        return ROW if request.path == "/after" else None

    @app.get("/error")
    def error(request):
        raise KeyError

    @app.get("/after")
    def other(request):
        return "other"

    assert Client(app).get("/error").json == ANN
    assert Client(app).get("/after").json == ANN


@rows(
    "annotation, value, words",
    (User, {"password": SECRET}, "declares that it returns User: dict has no 'name'"),
    (User, [ROW], "declares that it returns User: list is not User"),
    (
        list[User],
        {"error": "none"},
        "declares that it returns list[tests.app.test_declared_fields.User]: dict is not a list",
    ),
    ("Unknown", ROW, "a type that only type checkers know"),
)
def test_a_value_without_the_declared_fields_is_an_error_that_names_the_handler(annotation, value, words):
    app = App()

    def wrong(request):
        return value

    wrong.__annotations__["return"] = annotation
    app.get("/")(wrong)
    assert SECRET not in Client(app, raise_errors=False).get("/").text
    with pytest.raises(TypeError, match=re.escape(words)) as raised:
        Client(app, raise_errors=True).get("/")
    assert "wrong (" in str(raised.value)


def test_nested_lists_of_records_are_read_once_at_each_depth(app):
    reads = []

    class Counted:
        def __getattribute__(self, name):
            reads.append(name)
            return object.__getattribute__(self, name)

    kind = User
    for number in range(12):
        kind = make_dataclass(f"Level{number}", [("items", list[kind])], bases=(Counted,))

    def page(request) -> kind:
        found = Row("Ann")
        for level in reversed(levels):
            found = level([found])
        reads.clear()
        return found

    levels, each = [], kind
    while each is not User:
        levels.append(each)
        (each,) = get_args(get_type_hints(each)["items"])
    app.get("/")(page)
    found = Client(app).get("/").json
    for _ in range(12):
        ((_, (found,)),) = found.items()
    assert found == {"name": "Ann"}
    assert reads.count("items") < 100
