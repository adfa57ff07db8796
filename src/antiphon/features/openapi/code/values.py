"""Values, as far as they are known before the code that creates them has run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from types import NoneType
from typing import Annotated, Any, Literal, TypeAlias, TypeGuard

from antiphon import HTTPError
from antiphon.features.openapi.code import annotations


class Unknown:
    """A value about which nothing is known."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()
Problem = type(HTTPError().problem())
"""The class of problem details, which are sent with the status that they contain."""


class Never:
    """The value of a call that does not return."""


NEVER = Never()


class Known:
    """An object that exists before the function runs: a constant, a class, a function or a global object."""

    __match_args__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __eq__(self, other: object) -> bool:
        """Return True for the same object, or for equal text or numbers. Comparing other objects could run arbitrary
        code.
        """
        if not isinstance(other, Known) or type(self.value) is not type(other.value):
            return False
        return self.value is other.value or (type(self.value) in (str, int) and self.value == other.value)

    def __hash__(self) -> int:
        return hash(self.value) if type(self.value) in (str, int) else id(self.value)

    def __repr__(self) -> str:
        return f"Known({self.value!r})"


@dataclass(frozen=True)
class Of:
    """An instance of a type, which may exist only in annotations: ``list[Order]``."""

    type: Any


@dataclass(frozen=True)
class Evidence(Of):
    """A value that is evidence of a field in the request, if its truth is ``when``: the field's text, or a test."""

    part: str
    name: str
    when: bool = True


@dataclass(frozen=True)
class Instance(Of):
    """An object that the code creates, with the attributes that the application's code sets."""

    attributes: tuple[tuple[str, "Value"], ...] = ()
    is_shared: bool = False
    """True if other code has it, too, so that its attributes aren't known."""


@dataclass(frozen=True)
class Encoded(Of):
    """Text or bytes with the JSON of a value."""

    content: "Value"


@dataclass(frozen=True)
class PathText(Of):
    """The request's path, which matches a route's pattern: ``/lamps/<int:number>``."""

    pattern: str

    @property
    def edges(self) -> tuple[str, str]:
        """The text before the pattern's first parameter, and the text after its last one."""
        return self.pattern.partition("<")[0], self.pattern.rpartition(">")[2]

    @property
    def is_fixed(self) -> bool:
        """True if there are no parameters."""
        return "<" not in self.pattern


@dataclass(frozen=True)
class TheRequest:
    """The request itself."""


@dataclass(frozen=True)
class Fields:
    """A dict display with known keys."""

    items: tuple[tuple[str, "Value"], ...]


@dataclass(frozen=True)
class Items:
    """A list or another iterable with known items. ``item`` represents any one of them."""

    item: "Value"
    kind: type = list
    """The class: list, set, frozenset, dict, or Iterator for one that can be read only once."""
    key: "Value" = NEVER
    """Any key of a dict, of which ``item`` is any value."""


@dataclass(frozen=True)
class Ref:
    """An object that the code creates: the latest one created at a place, or all older ones together. The state
    contains its content.

    See "recency abstraction" (Balakrishnan and Reps, 2006).
    """

    place: tuple[Any, ...]
    is_older: bool = False


@dataclass(frozen=True)
class Stream:
    """A body that is sent item by item: lines of JSON, or events. ``item`` represents any one of them."""

    item: "Value"


@dataclass(frozen=True)
class Tuple:
    """A tuple display with known items."""

    items: tuple["Value", ...]


@dataclass(frozen=True)
class Bound:
    """A method, and the value that it is bound to."""

    owner: "Value"
    function: Any
    name: str


@dataclass(frozen=True)
class Local:
    """Another framework's function that corresponds to one of Antiphon's, and the result of calling it."""

    result: "Value"


@dataclass(frozen=True)
class Closure:
    """A function defined inside the function being read: its node, and the frame whose variables it shares."""

    node: Any
    frame: Any
    defaults: tuple[tuple[str, "Value"], ...] = ()


@dataclass(frozen=True)
class Partial:
    """A ``functools.partial``."""

    function: "Value"
    positional: tuple["Value", ...]
    named: tuple[tuple[str, "Value"], ...]


@dataclass(frozen=True)
class Pairs:
    """One of a request's multi-dictionaries: its query, form, files, cookies or headers."""

    kind: Literal["query", "form", "files", "cookie", "header"]


@dataclass(frozen=True)
class FormOf:
    """An object that reads the request as a class, such as a ``Form``, with its own class."""

    wanted: Any
    is_query: bool = False
    kind: type = object


@dataclass(frozen=True)
class RowsOf:
    """The rows of a body or a file, which are read as a type while they are iterated over."""

    wanted: Any
    collects: bool = False
    """True if wrong rows are collected instead of raised."""


@dataclass(frozen=True)
class Statuses:
    """One of several statuses."""

    codes: tuple[int, ...]


@dataclass(frozen=True)
class ResponseValue:
    """A response: its possible statuses (None if unknown), its media type and its body."""

    statuses: tuple[int, ...] | None = (200,)
    media: str | None = None
    body: "Value" = UNKNOWN
    headers: tuple[str, ...] = ()
    is_conditional: bool = False
    """True if the request's conditions are applied, as for a page."""
    has_ranges: bool = False
    """True if range requests are also handled, as for a file."""
    has_own_status: bool = False
    """True if the code sets the status, which then stays in the response to an error."""
    is_passed_on: bool = False
    """True for the response that middleware received, which is described where it was created."""


@dataclass(frozen=True)
class Raisable:
    """An exception."""

    kind: type[BaseException]
    status: int | None = None
    detail: str | None = None
    type: str | None = None
    """The type in its problem details; None if it is the class's type."""
    members: Fields | None = None
    """The additional members of its problem details (RFC 9457 §3.2)."""
    headers: tuple[str, ...] = ()

    @property
    def known_status(self) -> int | None:
        """The exception's status, or else its class's; None if it is unknown."""
        found = self.status or (None if self.kind is HTTPError else getattr(self.kind, "status", None))
        return found if isinstance(found, int) else None


@dataclass(frozen=True)
class Either:
    """One of several values."""

    values: tuple["Value", ...]


Value: TypeAlias = (
    Unknown | Known | Of | TheRequest | Fields | Items | Stream | Tuple | Ref | Bound | Local | Closure | Partial
    | Pairs | FormOf | RowsOf | Statuses | ResponseValue | Raisable | Either | Never
)  # fmt: skip

PASSED = Ref(("passed",))
"""The response that middleware or a hook receives."""
RECEIVED = ResponseValue(statuses=(), is_passed_on=True)
"""The content of that response before the middleware or hook changes it."""
NONE = Known(None)
TEXT = Of(str)


@dataclass(frozen=True)
class Part(Of):
    """A string, such as the URL, or bytes or a hash made of it, in which the request's fields can't be told apart."""

    owners: frozenset[Pairs] = frozenset({Pairs("query")})
    """The multi-dictionaries whose fields it may contain."""


THE_URL = Part(str)


def owners_of(value: "Value") -> frozenset[Pairs]:
    """Return the multi-dictionaries of which a value may contain any field."""
    return value.owners if isinstance(value, Part) else frozenset({value} if isinstance(value, Pairs) else ())


def either(*values: Value) -> Value:
    """Return a value that represents any of these values."""
    found: list[Value] = []
    for value in values:
        for each in value.values if isinstance(value, Either) else (value,):
            if each is not NEVER and each not in found:
                found.append(each)
    if not found:
        return NEVER
    found = [each for each in found if not (is_constant(each) and Of(type(each.value)) in found)]
    full = {each.kind for each in found if isinstance(each, Items) and each.item is not NEVER}
    if dict in full and Fields(()) in found:
        found.remove(Fields(()))
    found = [each for each in found if not (isinstance(each, Items) and each.item is NEVER and each.kind in full)]
    return found[0] if len(found) == 1 else Either(tuple(found))


def alternatives(value: Value) -> tuple[Value, ...]:
    """Return a value's alternatives."""
    return value.values if isinstance(value, Either) else () if value is NEVER else (value,)


def problem_details(error: Value) -> Of:
    """Return an error's problem details, with the status that they contain, if known."""
    status = error.known_status if isinstance(error, Raisable) else None
    return Of(Problem if status is None else Annotated[Problem, status])


def parts_of(value: Value) -> tuple[Value, ...]:
    """Return the values inside a value."""
    match value:
        case Fields(items) | Instance(attributes=items):
            return tuple(each for _, each in items)
        case Items(item):
            return (item,)
        case Tuple(items) | Either(items):
            return items
        case Bound(owner):
            return (owner,)
        case ResponseValue():
            return (value.body,)
        case Partial(function, positional, named):
            return (function, *positional, *[each for _, each in named])
    return ()


def everything_in(value: Value) -> Iterator[Value]:
    """Yield a value, and the values inside it, at any depth."""
    yield value
    for each in parts_of(value):
        yield from everything_in(each)


def replaced(value: Value, change: Callable[[Any], Value], kind: type = Ref) -> Value:
    """Return a value with the objects inside it, or other values of a kind, replaced."""

    def inside(each: Value) -> Value:
        return replaced(each, change, kind)

    match value:
        case _ if isinstance(value, kind):
            return change(value)
        case Fields(items):
            return Fields(tuple((name, inside(each)) for name, each in items))
        case Instance(attributes=items):
            return replace(value, attributes=tuple((name, inside(each)) for name, each in items))
        case Items(item):
            return replace(value, item=inside(item), key=inside(value.key))
        case Tuple(items):
            return Tuple(tuple(map(inside, items)))
        case Either(values):
            return either(*map(inside, values))
        case Bound(owner):
            return replace(value, owner=inside(owner))
        case Partial(function, positional, named):
            changed = tuple((name, inside(each)) for name, each in named)
            return Partial(inside(function), tuple(map(inside, positional)), changed)
        case ResponseValue(body=body):
            return replace(value, body=inside(body))
    return value


def fields_shown(value: Value, *, is_true: bool) -> set[tuple[str, str]]:
    """Return the fields that are certainly in the request if a value is true, or if it is false."""
    found: set[tuple[str, str]] | None = None
    for each in alternatives(value):
        if isinstance(each, Known) and isinstance(each.value, str | int | None) and bool(each.value) is not is_true:
            continue
        shown = {(each.part, each.name)} if isinstance(each, Evidence) and each.when is is_true else set()
        found = shown if found is None else found & shown
    return found or set()


def is_constant(value: Value) -> TypeGuard[Known]:
    """Return True for text or a number. Other objects may change, or compare in their own way."""
    return isinstance(value, Known) and isinstance(value.value, str | int)


def widened(value: Value) -> Value:
    """Return a value with the types of its constants instead of the constants."""
    return replaced(value, lambda one: Of(type(one.value)) if is_constant(one) else one, Known)


def where_truth(value: Value, *, is_true: bool) -> Value:
    """Return what remains of a value if it is true, or if it is false."""
    kept = [
        Known(is_true) if each == Of(bool) else each for each in alternatives(without_none(value) if is_true else value)
    ]
    return either(*[each for each in kept if not is_constant(each) or bool(each.value) is is_true])


def without_none(value: Value) -> Value:
    """Return what remains of a value after a test that it is not None."""
    kept = [
        Of(annotations.without_none(each.type)) if type(each) is Of else each
        for each in alternatives(value)
        if not (isinstance(each, Known) and each.value is None) and not (isinstance(each, Of) and each.type is NoneType)
    ]
    return either(*kept)
