"""A check of responses against the contract: how a response differs from its route's declaration."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from antiphon import HTTPError
from antiphon.embedding import TypeDescription, innermost, json_as
from antiphon.features.openapi.code import annotations
from antiphon.features.openapi.code.responses import ANY, EVENTS, HTML, JSON, NDJSON, PROBLEM
from antiphon.features.openapi.code.values import (
    NONE,
    UNKNOWN,
    Either,
    Fields,
    Items,
    Known,
    Of,
    Statuses,
    Stream,
    Tuple,
    Value,
    alternatives,
)
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.responses import Given
from antiphon.http import Headers, parse_events

_step = TypeDescription.pointer_step

ALWAYS = frozenset({408, 413, 414, 421, 431, 500})
"""Statuses that any response can have, which contracts don't list."""
_FURTHER = "is not in the contract"


def breach_of(contract: Contract, status: int, headers: Headers, body: bytes, method: str) -> str | None:
    """Return how a response breaks its route's contract, or None if it conforms.

    A response that could not be determined from the code breaks no contract: the document lists it as unknown.
    """
    if _may_be_unread(contract, status):
        return None
    declared = [*contract.responses, *[each for one in contract.failures.get(status, ()) for each in one.responses]]
    known = [each for each in declared if each.status == status]
    if any(each.is_conditional for each in contract.responses) and status in (304, 412):
        return None
    if any(each.has_ranges for each in contract.responses) and status in (206, 416):
        return None
    problems = [each.problem for each in contract.failures.get(status, ()) if each.is_problem]
    may_be_problem = bool(problems)
    media = (headers.get("content-type") or "").partition(";")[0].strip().lower() or None
    if status in ALWAYS or (may_be_problem and media == HTML):
        return None
    if may_be_problem and media == PROBLEM:
        return None if method == "HEAD" else _breach_of_problem(problems, status, body)
    if not known and not may_be_problem:
        statuses = sorted({each.status for each in contract.responses} | {*contract.failures})
        has = ", ".join(map(str, statuses)) or "none"
        return f"returned {status}, which its contract lacks: it has {has}; {_way_out(contract, status)}"
    content = None if method == "HEAD" else _breach_of_content(known, status, media, body)
    return content or _breach_of_headers(known, status, headers)


def _may_be_unread(contract: Contract, status: int) -> bool:
    """Return True for a response that neither the readable code nor the annotation determines."""
    about = {each.about for each in contract.unread}
    if "all" in about and not (_is_annotated(contract) and any(each.status == status for each in contract.responses)):
        return True
    return "given" in about or (status >= 400 and "raised" in about)


def _is_annotated(contract: Contract) -> bool:
    return annotations.returned_by(innermost(contract.route.handler)) is not annotations.NOT_SAID


def _way_out(contract: Contract, status: int) -> str:
    """Return instructions for adding a status to a contract."""
    if status in HTTPError.by_status:
        error = HTTPError.by_status[status].__name__
        return f"raise it in the handler's own code, or declare it with gives={{{status}: {error}}}"
    body = next((_name(each.body) for each in contract.responses if isinstance(each.body, Of)), None)
    if status in (204, 304) or status not in range(200, 300) or body is None:
        return f"declare it with gives={{..., {status}: ...}}"
    return f"annotate the handler with tuple[{body}, Literal[{status}]], or declare it with gives={{{status}: {body}}}"


def _breach_of_problem(problems: Sequence[Value], status: int, body: bytes) -> str | None:
    """Return how problem details differ from those in the contract, or None if they conform."""
    data = json.loads(body)
    found = [[each for each in _faults(one, data, "") if not each.endswith(_FURTHER)] for one in problems]
    return (
        f"returned {status} with problem details whose {found[0][0]}" if NONE not in problems and all(found) else None
    )


def _breach_of_content(known: Sequence[Given], status: int, media: str | None, body: bytes) -> str | None:
    if not body and any(each.media is None for each in known):
        return None
    fitting = [each for each in known if each.media in (media, ANY)]
    if not fitting:
        wanted = ", ".join(dict.fromkeys(each.media or "no content" for each in known))
        return f"returned {status} with {media or 'no media type'}, but its contract has {wanted or 'problem details'}"
    if media in (NDJSON, EVENTS):
        return breach_of_items(_items_of(fitting), status, media, body)
    if media != JSON:
        return None
    breaches = [_breach_of_json(each.body, body) for each in fitting]
    if None in breaches:
        return None
    return f"returned {status} with a body that does not fit {_name(fitting[0].body)}: {breaches[0]}"


def items_of(contract: Contract, status: int, media: str) -> list[Value]:
    """Return the values that each item of a streamed response may have; none if any value is possible."""
    return _items_of([each for each in contract.responses if each.status == status and each.media == media])


def _items_of(known: Sequence[Given]) -> list[Value]:
    items = [each.body.item for each in known if isinstance(each.body, Stream | Items)]
    return items if len(items) == len(known) and UNKNOWN not in items and all(map(alternatives, items)) else []


def breach_of_items(wanted: Sequence[Value], status: int, media: str, body: bytes) -> str | None:
    """Return why the items in some lines or events of a stream, or in a chunk of an array, match no wanted value."""
    for item in _read_items(media, body) if wanted else ():
        breaches = [_breach_of_json(each, item) for each in wanted]
        if None not in breaches:
            return f"returned {status} with an item that does not fit {_name(wanted[0])}: {breaches[0]}"
    return None


def _read_items(media: str, body: bytes) -> list[bytes]:
    if media == EVENTS:
        events = parse_events(body.decode("utf-8", "replace"))
        return [str(each.data).encode() for each in events if each.data is not None and each.event != "error"]
    if media == JSON:
        item = body[1:] if body.startswith((b"[", b",")) else body
        return [] if item in (b"", b"]") else [item]
    return [line for line in body.split(b"\n") if line]


def _breach_of_headers(known: Sequence[Given], status: int, headers: Headers) -> str | None:
    for name in known[0].headers if known else ():
        if all(name in each.headers for each in known) and name not in headers:
            return f"returned {status} without the header {name}"
    return None


# JSON


def _breach_of_json(value: Value, body: bytes) -> str | None:
    try:
        data = json.loads(body)
    except ValueError:
        return "it is not JSON"
    return next(_faults(value, data, ""), None)


def _faults(value: Value, data: Any, pointer: str) -> Iterator[str]:
    """Yield the faults in a body or a value inside it, each with its JSON Pointer (RFC 6901)."""
    match value:
        case Of(kind):
            yield from _faults_of_type(kind, data, pointer)
        case Known(held):
            yield from _faults_of_type(type(held), data, pointer)
        case Fields(items):
            yield from _faults_of_fields(dict(items), data, pointer)
        case Items(item):
            if not isinstance(data, list):
                yield f"{pointer or 'it'} is not an array"
            elif alternatives(item):
                for at, each in enumerate(data):
                    yield from _faults(item, each, f"{pointer}/{at}")
        case Tuple(items):
            if not isinstance(data, list) or len(data) != len(items):
                yield f"{pointer or 'it'} is not an array of {len(items)}"
        case Statuses():
            yield from _faults_of_type(int, data, pointer)
        case Either(values):
            found = [next(_faults(each, data, pointer), None) for each in values]
            if None not in found:
                yield str(found[0])


def _faults_of_fields(fields: Mapping[str, Value], data: Any, pointer: str) -> Iterator[str]:
    if not isinstance(data, dict):
        yield f"{pointer or 'it'} is not an object"
        return
    for name in fields.keys() - data.keys():
        yield f"{pointer}{_step(name)} is missing"
    for name in data.keys() - fields.keys():
        yield f"{pointer}{_step(name)} {_FURTHER}"
    for name in fields.keys() & data.keys():
        yield from _faults(fields[name], data[name], f"{pointer}{_step(name)}")


def _faults_of_type(kind: Any, data: Any, pointer: str) -> Iterator[str]:
    computes = TypeDescription(kind).has_model  # fields that are written but can't be read
    try:
        read = json_as(json.dumps(data).encode(), kind)
    except HTTPError as error:
        for each in error.errors:
            if not (computes and each.get("code") == "unknown"):
                yield f"{pointer}{each['pointer']} {each['detail']}".strip()
        return
    except TypeError:  # the type can be written but not read
        return
    declared = _plain_as(read, kind) if computes else msgspec.to_builtins(read, str_keys=True)
    yield from _other_fields(declared, data, pointer)


def _other_fields(declared: Any, data: Any, pointer: str) -> Iterator[str]:
    """Yield the fields that a response lacks, even those that are optional in requests, and those that its type
    lacks.
    """
    if isinstance(declared, dict) and isinstance(data, dict):
        for name in data.keys() - declared.keys():
            yield f"{pointer}{_step(name)} {_FURTHER}"
        for name in declared.keys() - data.keys():
            yield f"{pointer}{_step(name)} is missing"
        for name in declared.keys() & data.keys():
            yield from _other_fields(declared[name], data[name], f"{pointer}{_step(name)}")
    elif isinstance(declared, list | tuple) and isinstance(data, list):
        for at, (one, other) in enumerate(zip(declared, data, strict=False)):
            yield from _other_fields(one, other, f"{pointer}/{at}")


def _name(value: Value) -> str:
    match value:
        case Of(kind):
            return kind.__name__ if isinstance(kind, type) and not hasattr(kind, "__args__") else str(kind)
        case Fields():
            return "the contract's object"
        case Either(values):
            return " or ".join(dict.fromkeys(map(_name, values)))
    return "the contract's value"


def _plain_as(value: object, wanted: Any) -> object:
    """Convert a value of a type with models to JSON types."""
    from pydantic import TypeAdapter

    return TypeAdapter(wanted).dump_python(value, mode="json", by_alias=True)
