"""The answers that a function's return values become, by its code and by its annotation."""

from collections.abc import AsyncIterable, Iterator
from types import NoneType
from typing import Any, NamedTuple, get_args

from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.findings import Findings
from antiphon.features.openapi.code.responses import BYTES, HTML, JSON, PLAIN, header_names, statuses_in
from antiphon.features.openapi.code.values import (
    NEVER,
    NONE,
    TEXT,
    UNKNOWN,
    Answer,
    Either,
    Fields,
    Items,
    Known,
    Of,
    Statuses,
    Tuple,
    Value,
    alternatives,
    either,
)
from antiphon.http.errors import Problem


class Given(NamedTuple):
    """One answer: its status, media type and body. Without content the media type is None."""

    status: int
    media: str | None = None
    body: Value = NONE
    headers: tuple[str, ...] = ()
    is_conditional: bool = False
    has_ranges: bool = False


class NotKnown(NamedTuple):
    """A return value whose response is not known, and the reason."""

    text: str


def answers_of(value: Value) -> list[Given | NotKnown]:
    """Return the answers that a return value may become."""
    return [found for each in alternatives(value) for found in _answers(each)]


def _answers(value: Value) -> list[Given | NotKnown]:
    match value:
        case Answer(is_passed_on=True):
            return []
        case Answer(statuses=None):
            return [NotKnown("the status of the response is not known")]
        case Answer():
            return [
                Given(status, value.media, value.body, value.headers, value.is_conditional, value.has_ranges)
                for status in value.statuses or ()
            ]
        case Tuple(items):
            return _answers_of_tuple(items)
        case Fields() | Items():
            return [Given(200, JSON, value)]
        case Known(None):
            return [Given(204)]
        case Known(held):
            return _answers_of_type(type(held), value)
        case Of(kind):
            return _answers_of_type(kind, value)
        case Either():
            return answers_of(value)
    return [NotKnown("the value is not known before it runs")]


def _answers_of_tuple(items: tuple[Value, ...]) -> list[Given | NotKnown]:
    if len(items) not in (2, 3):
        return [NotKnown("a tuple is (body, status), (body, headers) or (body, status, headers)")]
    headers = header_names(items[-1])
    has_status = len(items) == 3 or not isinstance(items[1], Fields)
    codes = statuses_in(items[1]) if has_status else None
    if has_status and codes is None:
        return [NotKnown("the status in the tuple is not known before it runs")]
    made: list[Given | NotKnown] = []
    for each in answers_of(items[0]):
        if isinstance(each, NotKnown):
            made.append(each)
            continue
        named = tuple(dict.fromkeys((*each.headers, *headers)))
        own = 200 if items[0] is NONE or (each.media is None and each.status == 204) else each.status
        made += [_with_status(each, code, named) for code in (codes if codes is not None else (own,))]
    return made


def _with_status(given: Given, status: int, headers: tuple[str, ...]) -> Given:
    """Return an answer with a status, of which some have no content (RFC 9110 §6.4.1)."""
    if status in (204, 304):
        return Given(status, headers=headers)
    return given._replace(status=status, headers=headers)


def _answers_of_type(kind: Any, value: Value) -> list[Given | NotKnown]:
    several = annotations.members(kind)
    if len(several) > 1 and all(map(_is_json, several)):
        return [Given(200, JSON, value)]
    if len(several) > 1:
        return [found for each in several for found in _answers(value_of(each))]
    cls = annotations.class_of(kind)
    if cls is tuple:
        made = value_of(kind)
        return _answers(made) if isinstance(made, Tuple) else [NotKnown("a tuple has a status, and perhaps headers")]
    if cls is None or cls is object or annotations.is_response(cls) or kind is Any:
        is_any = annotations.literals(kind)
        return [Given(200, PLAIN, value)] if is_any else [NotKnown(f"{_name(kind)} may be any answer")]
    if cls is NoneType:
        return [Given(204)]
    media = _media_of(cls)
    if media is None:
        return [NotKnown(f"the answer that a {_name(kind)} becomes is not known")]
    body: Value = value if media == JSON else TEXT if media != BYTES else Of(bytes)
    return [Given(200, "application/problem+json" if issubclass(cls, Problem) else media, body)]


_RECORDS = ("__dataclass_fields__", "__struct_fields__", "__pydantic_serializer__")
"""Attributes that mark a class as a record."""


def _media_of(cls: type) -> str | None:
    """Return the media type of the answer that an instance of a class becomes, or None if the class decides itself."""
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
    """Return the value that an annotation describes. The second part of a tuple is the status."""
    annotation = annotations.plain(annotation)
    several = annotations.members(annotation)
    if len(several) > 1:
        together = [each for each in several if _is_json(each)]
        others = [value_of(each) for each in several if not _is_json(each)]
        return either(*([Of(annotations.union_of(together))] if together else []), *others)
    arguments = get_args(annotation)
    if annotations.class_of(annotation) is tuple and len(arguments) in (2, 3) and ... not in arguments:
        return Tuple((value_of(arguments[0]), _second_of(arguments[1]), *map(Of, arguments[2:])))
    return NONE if annotation in (None, NoneType) else Of(annotation)


def _second_of(annotation: Any) -> Value:
    codes = annotations.literals(annotation)
    if codes and all(isinstance(code, int) for code in codes):
        return Statuses(codes)
    cls = annotations.class_of(annotation)
    return Fields(()) if cls is not None and cls is not int and hasattr(cls, "keys") else UNKNOWN


# By code and by annotation


def given_by(findings: Findings, annotation: Any) -> list[Given | NotKnown]:
    """Return the answers of a function, from its annotation, or from its code where the annotation says nothing."""
    if findings.streams:
        return [Given(200, PLAIN, TEXT)]
    if annotation is annotations.NOT_SAID or _says_nothing(annotation):
        return _without_annotation(findings.result)
    made: list[Given | NotKnown] = []
    for each in _alternatives_of(annotation):
        made += _by_annotation(findings.result, each)
    return [each for at, each in enumerate(made) if each not in made[:at]]


def _alternatives_of(annotation: Any) -> list[Any]:
    """Return the members of a union. Members that become JSON stay together, and None is left out."""
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
    """Return the answers from the code only, where None means a forgotten return."""
    kept = [each for each in alternatives(result) if each not in (NONE, Of(NoneType), Of(None))]
    if kept or result is NEVER:
        return answers_of(either(*kept))
    return [NotKnown("None is answered with 500, unless the handler is annotated with -> None")]


def _by_annotation(result: Value, annotation: Any) -> list[Given | NotKnown]:
    found = alternatives(result)
    if not found and annotation in (None, NoneType):
        return []  # the function only raises
    if _says_nothing(annotation):
        return answers_of(either(*[each for each in found if _makes_response(each)]))
    said = value_of(annotation)
    if isinstance(said, Tuple) and said.items[1] is UNKNOWN:
        codes = [each.items[1] for each in found if isinstance(each, Tuple) and len(each.items) > 1]
        said = Tuple((said.items[0], either(*codes) if codes else UNKNOWN, *said.items[2:]))
    if isinstance(said, Tuple):
        count = len(said.items)
        has_headers = count == 3 or isinstance(said.items[1], Fields)
        headers = [each.items[-1] for each in found if isinstance(each, Tuple) and len(each.items) == count]
        said = Tuple((*said.items[:-1], either(*headers))) if headers and has_headers else said
    shapes = [each for each in found if isinstance(each, Fields | Items)]
    if shapes and _is_loose(annotation):
        said = either(*shapes)
    return answers_of(said)


def _makes_response(value: Value) -> bool:
    return isinstance(value, Answer) or (isinstance(value, Tuple) and isinstance(value.items[0], Answer))


def _is_loose(annotation: Any) -> bool:
    """Return True for a dict or a list of anything: the code says more."""
    cls, arguments = annotations.class_of(annotation), get_args(annotation)
    return cls in (dict, list) and (not arguments or arguments[-1] in (Any, object))
