"""Findings about a function: the parts of a request that it reads, its results, and anything unknown."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol, TypeAlias, runtime_checkable

from antiphon.features.openapi.code.annotations import NOT_SAID
from antiphon.features.openapi.code.sources import Place
from antiphon.features.openapi.code.values import NEVER, Raisable, Value
from antiphon.http import BadRequest, FieldError, HTTPError

NOWHERE: Place = Place("", "", 0)

ReadAs: TypeAlias = Literal["json", "form", "query", "headers", "raw", "rows", "patch"]
"""A part of a request that is read as a type; "raw" is a body of any media type, "patch" one that changes a value."""


About: TypeAlias = Literal["taken", "given", "body", "raised", "all"]


class Read(NamedTuple):
    """A part of the request that is read as a type; the type is Any for JSON and forms read without one."""

    part: ReadAs
    wanted: Any
    place: Place
    refusals: tuple[int, ...]
    """The statuses with which the framework responds if the values can't be read, unless the handler catches the error.
    """
    is_always: bool = False
    """True if the handler always reads it before it responds."""
    is_strict: bool = False
    """True if members that the type doesn't declare are refused."""


def read_as(part: ReadAs, wanted: Any, place: Place, *, decodes: bool = True) -> Read:
    """Return a finding for a part of the request that is read as a type, with every status that reading it may
    cause.
    """
    refusals = _REFUSALS[part] if decodes else _UNDECODED.get(part, _REFUSALS[part])
    if wanted is Any and part not in ("rows", "patch"):
        refusals = tuple(each for each in refusals if each != 422)
    return Read(part, wanted, place, refusals)


_OF_BODY = (400, 413, 415)
"""The statuses if a body can't be received: its coding may be unknown or wrong, even if its media type is ignored."""
_REFUSALS: dict[ReadAs, tuple[int, ...]] = {
    "json": (*_OF_BODY, 422), "form": (*_OF_BODY, 422), "rows": (*_OF_BODY, 422), "patch": (400, 409, 413, 415, 422),
    "raw": _OF_BODY, "query": (422,), "headers": (422,),
}  # fmt: skip
_UNDECODED: dict[ReadAs, tuple[int, ...]] = {"form": (400, 413), "raw": (413,)}
"""The same in frameworks that ignore content codings."""


class Named(NamedTuple):
    """A field in the query, a form, a cookie or a header, or a member of untyped JSON, that is read by name."""

    part: Literal["query", "form", "files", "cookie", "header", "json"]
    name: str
    kind: Any = str
    is_required: bool = False
    is_list: bool = False
    is_always: bool = False
    """True if it is present whenever the handler responds without an error."""
    default: Any = None
    """The value that the code uses if it is absent; None if that is not known."""


class Raised(NamedTuple):
    """An exception that is raised, and where it is raised."""

    error: Raisable
    place: Place


@runtime_checkable
class FindsUsers(Protocol):
    """A feature that finds users by their credentials, such as ``Users``."""

    def __security__(self, dependency: Any = None) -> tuple[Iterable[Any], bool]:
        """Return the sources of users, and True if reading a dependency refuses requests without a user."""
        ...


class Unread(NamedTuple):
    """Something that can't be determined by reading the code."""

    text: str
    place: Place
    about: About
    """The part of the contract that is therefore undetermined."""

    def __str__(self) -> str:
        return f"{self.place}: {self.text}"


Mark: TypeAlias = dict[str, list[Any]]
LISTS = ("reads", "named", "raised", "unread", "users")


@dataclass
class Findings:
    """The findings about a function and the functions it calls: what they read from requests, return and raise."""

    reads: list[Read] = field(default_factory=list)
    named: list[Named] = field(default_factory=list)
    raised: list[Raised] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    result: Value = NEVER
    """The values that are returned; None for a generator."""
    stated: Any = NOT_SAID
    """The annotation of the return value."""
    place: Place = NOWHERE
    streams: bool = False
    """True if the function is a generator function."""
    users: list[FindsUsers] = field(default_factory=list)
    """The features whose users are read."""
    always: frozenset[Any] = frozenset()
    """The facts about the request that are true wherever the function returns."""
    yields: Value = NEVER
    """The values that a generator function yields."""
    passed: Value = NEVER
    """The response that middleware or a hook received, in the state in which the middleware or hook leaves it."""

    def add(self, other: "Findings") -> None:
        """Add the findings about a called function, but not its result."""
        for name in LISTS:
            known, found = getattr(self, name), getattr(other, name)
            known += [each for each in found if each not in known]

    def mark(self) -> Mark:
        """Return a mark for the current findings, to be passed to ``take_caught`` or ``forget``."""
        return {name: [*getattr(self, name)] for name in LISTS}

    def forget(self, mark: Mark) -> None:
        """Discard the findings that were recorded after the given mark was made."""
        for name, found in mark.items():
            getattr(self, name)[:] = found

    def take_caught(self, mark: Mark, kinds: tuple[type[BaseException], ...]) -> list[Raised]:
        """Remove the errors of these kinds that were recorded after the given mark was made and return them."""
        reads, named = len(mark["reads"]), len(mark["named"])
        caught = [each for each in self.raised if each not in mark["raised"] and issubclass(each.error.kind, kinds)]
        self.raised[:] = [each for each in self.raised if each not in caught]
        refused = tuple(status for status, kind in HTTPError.by_status.items() if issubclass(kind, kinds))
        for at, each in enumerate(self.reads[reads:], reads):
            caught += [
                Raised(Raisable(HTTPError.by_status[one], one), each.place) for one in each.refusals if one in refused
            ]
            self.reads[at] = each._replace(refusals=tuple(one for one in each.refusals if one not in refused))
        for at, name in enumerate(self.named[named:], named):
            missing = FieldError if name.part == "files" else BadRequest
            if issubclass(missing, kinds) or issubclass(KeyError, kinds):
                self.named[at] = name._replace(is_required=False)
        return caught
