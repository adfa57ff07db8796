"""The types that functions declare, by their annotation or ``gives``: values are sent with the declared fields only."""

from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    AsyncIterator,
    Awaitable,
    Callable,
    Coroutine,
    Generator,
    Hashable,
    Iterable,
    Iterator,
    Mapping,
)
from types import FunctionType, NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, NewType, Union, get_args, get_origin

from antiphon.app.dispatch.arguments import is_record, resolved, shown
from antiphon.explanations import explained
from antiphon.handler.callables import annotations_of, describe, innermost
from antiphon.http.errors import Problem
from antiphon.http.event import Event
from antiphon.response.fields import EVENTS, JSON, NDJSON
from antiphon.response.made import is_template
from antiphon.response.response import Response

FORMATS = (NDJSON, EVENTS, JSON)
"""The media types that a stream of values can have. The first is sent unless the client prefers another."""

_STREAMS = (Iterator, AsyncIterator, Generator, AsyncGenerator, Iterable, AsyncIterable)
_CHUNKS = (str, bytes, bytearray, memoryview, NoneType)
_ANYTHING = (None, Any, "Any", "typing.Any", "t.Any")


class Gives(NamedTuple):
    """A response that a route declares: ``gives={200: Gives(Lamp, headers={"etag": str})}``.

    ``type`` is the type of its body, or None for no content. ``headers`` are the types of header fields that the
    handler's code sets in a way that can't be read.
    """

    type: object
    headers: Mapping[str, object] = {}

    @property
    def stream(self) -> tuple[Any, tuple[str, ...]]:
        """The type of a stream's items, Any if it is unknown, and the media types that the stream can have.

        It has none if the items are chunks of a body, or unknown.
        """
        item = _item_type(self.type)
        return item, _formats_of(item)


def by_status(gives: object) -> Mapping[int, Gives] | None:
    """Return what a route's ``gives`` declares for each status; None if it declares nothing."""
    if gives is None:
        return None
    several = gives if isinstance(gives, Mapping) else {200: gives}
    return {status: each if isinstance(each, Gives) else Gives(each) for status, each in several.items()}


class Declared:
    """The types that a function declares: of a body for each status, and of the items of a stream.

    ``has_fields`` is True if a body, or an item, may have fields that aren't declared. ``exact`` is the class of the
    bodies that are sent as they are, once that is known. ``formats`` are the media types of a stream of values.
    """

    exact: type | None = None

    def __init__(self, function: Callable[..., Any], annotation: Any, gives: object) -> None:
        self._function = function
        self._annotation = Any if annotation is None else resolved(annotation, function)
        self._is_unknown = self._annotation is Any and annotation not in _ANYTHING
        self._gives: Mapping[Any, Any] = {status: each.type for status, each in (by_status(gives) or {}).items()}
        self._shapes: dict[Any, Any] = {}
        self._item, self.formats = Gives(self._annotation).stream
        self._is_of_records = not any(is_record(each) and _makes_response(each) for each in _bodies(self._annotation))
        self.has_fields = self._is_unknown or any(map(_has_record, (self._annotation, *self._gives.values())))

    def returned(self, value: Any) -> Any:
        """Return a value with the declared fields only. Raises TypeError for a value that lacks one of them."""
        if type(value) is tuple and 2 <= len(value) <= 3:
            return self._sent(value[0], value[1] if isinstance(value[1], int) else 200), *value[1:]
        return self._sent(value, 200)

    def _sent(self, value: Any, status: int) -> Any:
        is_record_only = self._is_of_records and is_record(type(value))  # such as a row that is also shown in pages
        if not is_record_only and (_makes_response(type(value)) or is_template(value) or is_foreign_response(value)):
            return value
        if self._is_unknown and status not in self._gives:
            return self._of_unknown_type(value)
        return self._as(status if status in self._gives else None, value)

    def item(self, value: Any) -> Any:
        """Return an item of a stream with the declared fields only."""
        if isinstance(value, Event):
            return value
        return self._of_unknown_type(value) if self._is_unknown else self._as("item", value)

    def _as(self, which: Any, value: Any) -> Any:
        from antiphon.serialization.declared import NotDeclaredError

        if which not in self._shapes:
            self._shapes[which] = self._shape(which)
        shape = self._shapes[which]
        try:
            return value if shape is None else shape(value)
        except NotDeclaredError as error:
            raise self._wrong(f"{shown(self._type(which))}: {error}") from error

    def _shape(self, which: Any) -> Any:
        from antiphon.serialization.declared import shape_of

        try:
            shape = shape_of(self._type(which))
        except (TypeError, NameError) as error:
            raise self._wrong(f"{shown(self._type(which))}, whose fields have unknown types: {error}") from error
        if which is None and not self._gives:
            self.exact = getattr(shape, "exact", None)
        return shape

    def _type(self, which: Any) -> Any:
        """Return the type of bodies that don't make their own response, or of items; Any if there is none."""
        if which == "item":
            return self._item
        bodies = _bodies(self._gives.get(which, self._annotation))
        found = [each for each in bodies if not _makes_response(each)]
        return Union[tuple(found)] if found else Any  # noqa: UP007 - made at run time

    def _of_unknown_type(self, value: Any) -> Any:
        """Return a value that isn't a record, because the fields that its type declares are unknown."""
        for each in value if isinstance(value, list) else (value,):
            if is_record(type(each)):
                raise self._wrong(
                    f"a type that only type checkers know, and returned {type(each).__name__}:"
                    " import the type outside of `if TYPE_CHECKING`"
                )
        return value

    def _wrong(self, what: str) -> TypeError:
        return explained("wrong-return", f"{describe(self._function)} declares that it returns {what}", TypeError)


def is_foreign_response(value: object) -> bool:
    """Return True for another library's response."""
    has_status = hasattr(value, "status_code") or hasattr(value, "status")
    return has_status and hasattr(value, "headers") and not is_record(type(value))


_WITHOUT_FIELDS = (
    NoneType,
    str,
    bytes,
    bytearray,
    memoryview,
    Response,
    Problem,
    Iterator,
    AsyncIterable,
    BaseException,
)
_DECLARED = "_antiphon_declared"
"""The attribute of a function with itself, in contrast to copies, and what it declares.

It is kept because reading an annotation takes as long as sending a short response, and kept there because the types
lead back to the function: a table of all functions would keep them, and their modules, for ever.
"""


def declared_by(source: Callable[..., Any], gives: object = None) -> Declared | None:
    """Return the types that a function declares, or None if it declares neither fields nor a stream of values."""
    function: Any = innermost(source)
    function = getattr(function if hasattr(function, "__code__") else type(function).__call__, "__func__", function)
    is_function = isinstance(function, FunctionType)
    if gives is None:
        owner, known = getattr(function, _DECLARED, (None, None)) if is_function else (function, None)
        if owner is function:
            return known
    annotation = annotations_of(function).get("return") if is_function else None
    found = None
    if annotation is not None or gives is not None:
        declared = Declared(source, annotation, gives)
        found = declared if declared.has_fields or declared.formats else None
    if gives is None:
        # Only without ``gives``, which differs by route.
        setattr(function, _DECLARED, (function, found))
    return found


def _item_type(annotation: Any) -> Any:
    """Return the item type of an iterator, alone or in a tuple or a union."""
    for each in _members(annotation):
        origin, arguments = get_origin(each), get_args(each)
        if origin is tuple and arguments:
            return _item_type(arguments[0])
        if origin in _STREAMS and arguments:
            return arguments[0]
    return Any


def _formats_of(item: Any) -> tuple[str, ...]:
    kinds = [_class_of(each) for each in _members(item)]
    if any(kind in (None, Any, object) or issubclass(kind, Response) for kind in kinds):
        return ()
    if all(issubclass(kind, _CHUNKS) for kind in kinds if kind is not None):
        return ()
    return (EVENTS,) if any(issubclass(kind, Event) for kind in kinds if kind is not None) else FORMATS


def _bodies(annotation: Any) -> Iterator[Any]:
    """Yield the types of bodies, alone or in a tuple. A list may be returned for an iterable."""
    for each in _members(annotation):
        arguments = get_args(each)
        if get_origin(each) in (Awaitable, Coroutine) and arguments:
            yield from _bodies(arguments[-1])
        elif get_origin(each) is tuple and 2 <= len(arguments) <= 3 and ... not in arguments:
            yield from _bodies(arguments[0])
        elif get_origin(each) in _STREAMS and arguments:
            yield list[arguments[0]]  # type: ignore[valid-type]  # made at run time
        else:
            yield each


def _members(annotation: Any) -> Iterator[Any]:
    """Yield the alternatives in a type, without type aliases and metadata."""
    while hasattr(annotation, "__value__") or isinstance(annotation, NewType):
        annotation = annotation.__supertype__ if isinstance(annotation, NewType) else annotation.__value__
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        for each in get_args(annotation):
            yield from _members(each)
    elif origin is Annotated:
        yield from _members(get_args(annotation)[0])
    elif origin is Literal:
        yield from map(type, get_args(annotation))
    else:
        yield annotation


def _class_of(annotation: Any) -> type | None:
    found = get_origin(annotation) or annotation
    return found if isinstance(found, type) else None


def _makes_response(annotation: Any) -> bool:
    """Return True for a class whose instances aren't sent as JSON."""
    kind = _class_of(annotation)
    is_own = hasattr(kind, "__response__") or hasattr(kind, "__html__")
    return kind is not None and (is_own or issubclass(kind, (*_WITHOUT_FIELDS, Event)))


def _has_record(annotation: Any) -> bool:
    """Return True for a type that has fields, or contains such a type."""
    ahead, seen = [annotation], set[Any]()  # an alias may contain itself
    while ahead:
        found = ahead.pop()
        if isinstance(found, Hashable) and found in seen:
            continue
        seen.update([found] if isinstance(found, Hashable) else [])
        for each in _members(found):
            kind = _class_of(each)
            if kind is not None and any(hasattr(kind, mark) for mark in _RECORDS) and not _makes_response(kind):
                return True
            ahead += get_args(each)
    return False


_RECORDS = (
    "__dataclass_fields__", "__struct_fields__", "__pydantic_serializer__", "__attrs_attrs__", "__required_keys__",
    "_fields",
)  # fmt: skip
"""Attributes of classes whose instances have fields, or items, of declared types."""
