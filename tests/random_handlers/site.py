"""Names that random handlers use: types, helpers, context managers and decorators, as an application has them."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Generic, NotRequired, Required, Self, TypedDict, TypeVar

import msgspec

from antiphon import Request, Response, abort

T = TypeVar("T")
S = TypeVar("S", bound="Lamp")
STATUS, GONE, KIND = 202, 410, "image/png"
STATE: dict[str, Any] = {}


class Size(Enum):
    SMALL = "small"
    LARGE = "large"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


@dataclass
class Lamp:
    id: int
    name: str


@dataclass
class Bright(Lamp):
    level: int = 3


@dataclass
class Room:
    name: str
    lamps: list[Lamp] = field(default_factory=list)
    size: Size = Size.SMALL
    price: Decimal | None = None


class Book(msgspec.Struct):
    title: str
    pages: int | None = None


class Tagged(msgspec.Struct, tag=True, rename="camel"):
    long_name: str = "x"


class Quiet(msgspec.Struct, omit_defaults=True):
    name: str
    count: int = 0


class Row(TypedDict, total=False):
    a: int
    b: Required[str]


class Entry(TypedDict):
    a: int
    c: NotRequired[str]


@dataclass
class Page(Generic[T]):
    items: list[T]
    total: int


@dataclass
class Query:
    q: Annotated[str, msgspec.Meta(min_length=1)]
    size: Size | None = None


class Box:
    """An object that holds something."""

    kept: Any = None

    def __init__(self, kept: Any = None) -> None:
        self.kept = kept

    def put(self, key: str, value: Any) -> "Box":
        self.kept[key] = value
        return self

    def fill(self, other: dict[str, Any]) -> None:
        other.update(filled=True)

    @property
    def strict(self) -> Any:
        if self.kept is None:
            abort(409, "It is empty.")
        return self.kept

    @functools.cached_property
    def lazily(self) -> Any:
        return self.strict

    def __getitem__(self, key: str) -> Any:
        if key == "gone":
            abort(410)
        return self.kept

    def __enter__(self) -> Any:
        return self.kept

    def __exit__(self, *error: object) -> None:
        if isinstance(self.kept, dict):
            self.kept["closed"] = True


class Proxy:
    """An object whose attributes are found when they are asked for."""

    def __init__(self, inner: Any) -> None:
        self.__dict__["inner"] = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)


class Text(str):
    """Text of its own class."""


class Failure(Exception):
    """An error of the application."""


class Sold(Failure):
    """A more special one."""


def flag(request: Request, name: str) -> bool:
    return name in request.args


def same(value: T) -> T:
    return value


def fill(target, key="filled", value=1):
    target[key] = value
    return target


def first(values: list[S]) -> S:
    return values[0]


def made(kind: type[S]) -> S:
    return kind(1, "a")


def read(kind: Callable[..., T], *arguments: Any) -> T:
    return kind(*arguments)


def status_of(name: str) -> int:
    return {"a": 201, "b": 203}.get(name, 200)


def needs(found: T | None) -> T:
    return found if found is not None else abort(404, "There is none.")


@contextlib.contextmanager
def mapped(status: int = 409) -> Iterator[None]:
    try:
        yield
    except (KeyError, ValueError):
        abort(status)


@contextlib.contextmanager
def checked(is_wrong: object) -> Iterator[None]:
    yield
    if is_wrong:
        abort(412)


@contextlib.contextmanager
def added(target: dict[str, Any]) -> Iterator[dict[str, Any]]:
    target["opened"] = 1
    yield target


class Swallow:
    """A context that swallows errors, and refuses to open for some."""

    def __init__(self, is_shut: object = False) -> None:
        self.is_shut = is_shut

    def __enter__(self) -> Self:
        if self.is_shut:
            abort(423)
        return self

    def __exit__(self, *error: object) -> bool:
        return True


def created(handler):
    @functools.wraps(handler)
    def answer(request, **named):
        return handler(request, **named), 201

    return answer


def refused(handler):
    def answer(request, **named):
        if "x-refuse" in request.headers:
            abort(403, "Refused.")
        return handler(request, **named)

    return answer


def enveloped(handler):
    @functools.wraps(handler)
    def answer(*arguments, **named):
        made = handler(*arguments, **named)
        return {"data": made} if isinstance(made, dict) else made

    return answer


def as_json(handler):
    @functools.wraps(handler)
    def answer(*arguments, **named):
        return Response.json(handler(*arguments, **named))

    return answer


@dataclass
class Enveloped(Generic[T]):
    kind: str
    inner: Lamp | None = None


TypeAliased = dict[str, list[int]]


class Markup(str):
    """HTML that is safe."""

    def __html__(self) -> str:
        return self


def raise_(error: BaseException) -> None:
    raise error
