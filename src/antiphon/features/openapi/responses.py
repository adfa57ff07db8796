"""The responses that a function's return values become, according to its code and its annotation."""

import builtins
from collections.abc import AsyncIterable, Iterable, Iterator, Sequence
from dataclasses import replace
from types import NoneType
from typing import Any, NamedTuple, Never, NoReturn, Protocol, get_args, runtime_checkable

from antiphon.embedding import Added, PlannedRoute
from antiphon.features import Gives
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import Findings
from antiphon.features.openapi.code.objects import is_problem
from antiphon.features.openapi.code.responses import (
    BYTES,
    HTML,
    JSON,
    PLAIN,
    PROBLEM,
    body_in,
    fields_of,
    header_names,
    media_in,
    statuses_in,
)
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    TEXT,
    UNKNOWN,
    Either,
    Encoded,
    Fields,
    FormOf,
    Items,
    Known,
    Of,
    Problem,
    ResponseValue,
    Statuses,
    Stream,
    Tuple,
    Unknown,
    Value,
    alternatives,
    either,
)
from antiphon.http import Event
from antiphon.types import Route


class Given(NamedTuple):
    """One response: its status, media type and body. The media type is None if there is no content."""

    status: int
    media: str | None = None
    body: Value = NONE
    headers: tuple[str, ...] = ()
    is_conditional: bool = False
    has_ranges: bool = False
    has_own_status: bool = False
    """True if the code sets the status, which then stays in the response to an error."""
    is_declared: bool = False
    """True if the response is declared with ``gives``."""

    @property
    def is_success(self) -> bool:
        """True for a 2xx, to which a request's conditions are applied (RFC 9110 §13.2.1)."""
        return 200 <= self.status <= 299

    def with_headers(self, names: Iterable[str]) -> "Given":
        """Return the response with more header fields."""
        return self._replace(headers=tuple(dict.fromkeys((*self.headers, *names))))


class NotKnown(NamedTuple):
    """A return value whose response is unknown, and the reason."""

    text: str


def responses_of(value: Value) -> list[Given | NotKnown]:
    """Return the responses that a return value may become."""
    return [found for each in alternatives(value) for found in _responses_of(each)]


def _responses_of(value: Value) -> list[Given | NotKnown]:
    match value:
        case ResponseValue(is_passed_on=True):
            return []
        case ResponseValue(statuses=None):
            return [NotKnown("the status of the response is not known")]
        case ResponseValue():
            return [
                Given(
                    status,
                    value.media,
                    value.body,
                    value.headers,
                    value.is_conditional,
                    value.has_ranges,
                    value.has_own_status,
                )
                for status in value.statuses or ()
            ]
        case Tuple(items):
            return _responses_of_tuple(items)
        case Fields() | Items(kind=builtins.list | builtins.dict):
            return [Given(200, JSON, value)]
        case Items(kind=kind) if kind is Iterator:
            return [Given(200, PLAIN, TEXT)]
        case FormOf():
            return [Given(200, HTML, TEXT)]
        case Known(None):
            return [Given(204)]
        case Known(tuple() as held):
            return _responses_of_tuple(tuple(map(Known, held)))
        case Known(held):
            return _responses_of_type(type(held), value)
        case Of(kind):
            return _responses_of_type(kind, value)
        case Either():
            return responses_of(value)
    return [NotKnown("the value is not known before it runs")]


def _responses_of_tuple(items: tuple[Value, ...]) -> list[Given | NotKnown]:
    if len(items) not in (2, 3):
        return [NotKnown("a tuple is (body, status), (body, headers) or (body, status, headers)")]
    for at in range(1, len(items)):
        if statuses_in(items[at]) is None and isinstance(items[at], Either):
            several = [(*items[:at], each, *items[at + 1 :]) for each in alternatives(items[at])]
            return [found for each in several for found in _responses_of_tuple(each)]
    codes = statuses_in(items[1])
    headers = items[2] if len(items) == 3 else NONE if codes is not None else items[1]
    if codes is None and (len(items) == 3 or fields_of(headers) is None):
        return [NotKnown("the status in the tuple is not known before it runs")]
    made: list[Given | NotKnown] = []
    for each in responses_of(items[0]):
        media = media_in(headers, None if isinstance(each, NotKnown) else each.media)
        if isinstance(each, NotKnown) or isinstance(media, Unknown):
            made.append(each if isinstance(each, NotKnown) else NotKnown("the media type of the response is not known"))
            continue
        body = each.body if media == each.media else body_in(media, each.body)
        named = tuple(dict.fromkeys((*each.headers, *header_names(headers))))
        own = 200 if items[0] is NONE or (each.media is None and each.status == 204) else each.status
        whole = each._replace(media=media, body=body, headers=named, has_own_status=codes is not None)
        made += [whole._replace(status=code) for code in codes or (own,)]
    return made


def _responses_of_type(kind: Any, value: Value) -> list[Given | NotKnown]:
    several = annotations.members(kind)
    if len(several) > 1 and all(map(_is_json, several)):
        return [Given(200, JSON, value)]
    if len(several) > 1:
        return [found for each in several for found in _responses_of(value_of(each))]
    cls = annotations.class_of(kind)
    if cls is tuple:
        made = value_of(kind)
        return (
            _responses_of(made) if isinstance(made, Tuple) else [NotKnown("a tuple has a status, and perhaps headers")]
        )
    if cls is None or cls is object or annotations.is_response(cls) or kind is Any:
        is_any = annotations.literals(kind)
        return [Given(200, PLAIN, value)] if is_any else [NotKnown(f"{_name(kind)} may be any response")]
    if cls is NoneType:
        return [Given(204)]
    if streamed := _streams_of(kind):
        return streamed
    media = _media_of(cls)
    if media is None:
        return [NotKnown(f"the response that a {_name(kind)} becomes is not known")]
    if cls is Problem:
        return _responses_of_problem(kind)
    body: Value = value if media == JSON or isinstance(value, Encoded) else TEXT if media != BYTES else Of(bytes)
    return [Given(200, media, body)]


def _responses_of_problem(kind: Any) -> list[Given | NotKnown]:
    """Return the response that problem details become, with the status that they contain."""
    statuses = getattr(kind, "__metadata__", ())
    if not statuses:
        return [NotKnown("the status in the problem details is not known before it runs")]
    return [Given(status, PROBLEM, has_own_status=True) for status in statuses]


def _streams_of(annotation: Any) -> list[Given | NotKnown]:
    """Return the responses that an iterator of values can become, depending on what the client accepts; none for any
    other annotation.
    """
    item, formats = Gives(annotation).stream
    value = Of(item)
    return [
        Given(200, media, Items(value) if media == JSON else Stream(UNKNOWN if item is Event else value))
        for media in formats
    ]


_RECORDS = ("__dataclass_fields__", "__struct_fields__", "__pydantic_serializer__")
"""Attributes that identify a class as a record."""


def _media_of(cls: type) -> str | None:
    """Return the media type of the response that an instance becomes, or None if the class itself determines it."""
    if hasattr(cls, "__response__"):
        return None
    if hasattr(cls, "__html__"):
        return HTML
    if issubclass(cls, str):
        return PLAIN
    if issubclass(cls, bytes | bytearray | memoryview):
        return BYTES
    if issubclass(cls, dict | list) or any(hasattr(cls, name) for name in _RECORDS):
        return JSON
    if issubclass(cls, Iterator | AsyncIterable):
        return PLAIN
    return JSON if hasattr(cls, "keys") and hasattr(cls, "__getitem__") else None


def _name(kind: Any) -> str:
    return getattr(kind, "__name__", None) or str(kind)


def value_of(annotation: Any) -> Value:
    """Return the value described by an annotation. The second item of a tuple is the status."""
    annotation = annotations.plain(annotation)
    several = annotations.members(annotation)
    if len(several) > 1:
        together = [each for each in several if _is_json(each)]
        others = [value_of(each) for each in several if not _is_json(each)]
        return either(*([Of(annotations.union_of(together))] if together else []), *others)
    arguments = get_args(annotation)
    if annotations.class_of(annotation) is tuple and len(arguments) in (2, 3) and ... not in arguments:
        return Tuple((value_of(arguments[0]), _second_of(arguments[1]), *[Fields(())] * len(arguments[2:])))
    return NONE if annotation in (None, NoneType) else Of(annotation)


def _second_of(annotation: Any) -> Value:
    codes = annotations.literals(annotation)
    if codes and all(isinstance(code, int) for code in codes):
        return Statuses(codes)
    cls = annotations.class_of(annotation)
    return Fields(()) if cls is not None and cls is not int and hasattr(cls, "keys") else UNKNOWN


# By code and by annotation


def given_by(findings: Findings) -> list[Given | NotKnown]:
    """Return a function's responses, from its annotation, or from its code if the annotation doesn't determine them."""
    annotation = findings.stated
    if findings.streams:
        return _streams_of(annotation) or [Given(200, PLAIN, TEXT)]
    if annotation in (annotations.NOT_SAID, NoReturn, Never) or _says_nothing(annotation):
        return _without_annotation(findings.result)
    found = alternatives(findings.result)
    responses = [_with_body(each, annotation) for each in found if _makes_response(each)]
    others = [each for each in found if not _makes_response(each)]
    stated = [value for each in _alternatives_of(annotation) for value in _stated(each, others)]
    made = [each for value in (*stated, *responses) for each in responses_of(value)]
    return [each for at, each in enumerate(made) if each not in made[:at]]


def _with_body(value: Value, annotation: Any) -> Value:
    """Return a response, using the body from the annotation if the JSON that the code returns is unknown."""
    if isinstance(value, Tuple):
        return Tuple((_with_body(value.items[0], annotation), *value.items[1:]))
    if not isinstance(value, ResponseValue) or not _is_unknown(value.media, value.body, value.statuses or ()):
        return value
    said = next((each for each in map(value_of, _alternatives_of(annotation)) if _is_json_value(each)), value.body)
    return replace(value, body=said.items[0] if isinstance(said, Tuple) else said)


def _is_json_value(value: Value) -> bool:
    body = value.items[0] if isinstance(value, Tuple) else value
    return isinstance(body, Of) and (_is_json(body.type) or all(map(_is_json, annotations.members(body.type))))


def has_unknown_json(given: Given | NotKnown) -> bool:
    """Return True for a successful response whose JSON is not known before the code runs."""
    return isinstance(given, Given) and _is_unknown(given.media, given.body, (given.status,))


def _is_unknown(media: str | None, body: Value, statuses: Sequence[int]) -> bool:
    item = body.item if isinstance(body, Items) and body.kind is list else body
    is_unknown = body != NONE if media is None else item is UNKNOWN and "json" in media
    return is_unknown and all(status < (300 if media is None else 400) for status in statuses)


def _stated(annotation: Any, found: Sequence[Value]) -> list[Value]:
    """Return an annotation's values, with the status and headers that the code returns along with them."""
    if _says_nothing(annotation) or (annotation in (None, NoneType) and not found):
        return []
    said = value_of(annotation)
    tuples = [each.items for each in found if isinstance(each, Tuple) and len(each.items) in (2, 3)]
    if isinstance(said, Tuple):
        body, *rest = said.items
        return [Tuple((body, *_better(rest, each[1:]))) for each in tuples] or [said]
    is_loose = annotations.is_loose(annotation)

    def better(body: Value) -> Value:
        return body if is_problem(body) or (is_loose and isinstance(body, Fields | Items)) else said

    plain = [better(each) for each in found if not isinstance(each, Tuple)]
    return [*plain, *[Tuple((better(each[0]), *each[1:])) for each in tuples]] or [said]


def _better(stated: Sequence[Value], found: Sequence[Value]) -> Sequence[Value]:
    """Return a tuple's status and headers from its annotation, or from the code if it is more specific."""
    if len(stated) != len(found):
        return found
    return [
        one if isinstance(one, Statuses) or other is UNKNOWN else other
        for one, other in zip(stated, found, strict=True)
    ]


def _alternatives_of(annotation: Any) -> list[Any]:
    """Return the members of a union. Members that become JSON stay together, and None is omitted."""
    several = annotations.members(annotation)
    several = tuple(each for each in several if each is not NoneType) or several
    together = [each for each in several if _is_json(each)]
    return [*([annotations.union_of(together)] if together else []), *[each for each in several if not _is_json(each)]]


def _is_json(annotation: Any) -> bool:
    cls = annotations.class_of(annotation)
    return cls is not None and not annotations.is_response(cls) and _media_of(cls) == JSON


def _says_nothing(annotation: Any) -> bool:
    cls = annotations.class_of(annotation)
    if annotation is Any or cls is object:
        return True
    return len(annotations.members(annotation)) == 1 and cls is not None and annotations.is_response(cls)


def _without_annotation(result: Value) -> list[Given | NotKnown]:
    """Return the responses determined by the code alone, where None means a forgotten return."""
    kept = [each for each in alternatives(result) if each not in (NONE, Of(NoneType), Of(None))]
    if kept or result is NEVER:
        return responses_of(either(*kept))
    return [NotKnown("None becomes a 500, unless the handler is annotated with -> None")]


def _makes_response(value: Value) -> bool:
    return isinstance(value, ResponseValue) or (isinstance(value, Tuple) and isinstance(value.items[0], ResponseValue))


# What features and hooks add


@runtime_checkable
class Adding(Protocol):
    """A feature or hook that declares what it adds, so that its code need not be read."""

    def __adds__(self, route: Route, method: str) -> Iterable[Added]:
        """Return what it adds to the responses to a method of a route that it is in use for; nothing if it does not
        concern the route.
        """
        ...


def added_to(planned: PlannedRoute, method: str) -> Iterator[tuple[Adding, Added]]:
    """Yield what features and hooks add to the responses to a route's method, each with the feature, the outermost
    first.
    """
    route = planned.route
    hooks = () if route.unguarded else (*planned.middleware, *planned.before, *planned.after)
    for each in {id(each): each for each in (*planned.features, *hooks, *route.meta)}.values():
        if isinstance(each, Adding):
            yield from ((each, added) for added in each.__adds__(route, method))
