"""The document held to what really came: an oracle that shares nothing with the reader."""

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from jsonschema import Draft202012Validator

PROBLEM = "application/problem+json"


class Sent(NamedTuple):
    """A request, as the values of a program's inputs, and what it was answered with."""

    values: tuple[object, ...]
    status: int
    media: str
    body: bytes


class Lie(NamedTuple):
    """A difference between the document and an answer."""

    kind: str
    told: str
    happened: str


def lies_in(document: Mapping[str, Any], operation: Mapping[str, Any], sent: list[Sent]) -> Iterator[Lie]:
    """Yield the answers that the document does not have."""
    responses: Mapping[str, Any] = operation["responses"]
    for each in sent:
        if each.status != 500:  # a mistake in the program, which no document has
            yield from _of_answer(document, responses, each)


def _of_answer(document: Mapping[str, Any], responses: Mapping[str, Any], sent: Sent) -> Iterator[Lie]:
    known = responses.get(str(sent.status))
    if known is None:
        yield Lie("status", f"statuses {', '.join(responses)}", str(sent.status))
        return
    content = known.get("content", {})
    if not sent.body:
        if content and sent.media and sent.media not in content:
            yield Lie("media", f"{sent.status} {', '.join(content)}", f"no content, of {sent.media}")
        return
    found = content.get(sent.media, content.get("*/*"))
    if found is None:
        yield Lie("media", f"{sent.status} {', '.join(content) or 'no content'}", sent.media)
    elif "json" in sent.media and "schema" in found:
        yield from _of_body(document, found["schema"], sent)


def _of_body(document: Mapping[str, Any], schema: Mapping[str, Any], sent: Sent) -> Iterator[Lie]:
    try:
        data = json.loads(sent.body)
    except ValueError:
        if "ndjson" not in sent.media:
            yield Lie("body", f"{sent.status} {sent.media}", "no JSON")
        return
    fault = fault_in(document, schema, data, is_strict=sent.media != PROBLEM)
    if fault is not None:
        yield Lie("body", f"{sent.status} {_shown(schema)}", f"{_shown(data)}: {fault}")


def fault_in(document: Mapping[str, Any], schema: Mapping[str, Any], data: Any, *, is_strict: bool) -> str | None:
    """Return why a value does not fit a schema; members that it does not name don't fit it, if ``is_strict``."""
    whole = {**schema, "components": document.get("components", {})}
    text = json.dumps(whole, sort_keys=True)
    error = next(_validator(text, is_strict).iter_errors(data), None)
    return None if error is None else error.message[:200]


@lru_cache(maxsize=512)
def _validator(schema: str, is_strict: bool) -> Any:
    made = json.loads(schema)
    return Draft202012Validator(_closed(made) if is_strict else made)


def _closed(schema: Any) -> Any:
    """Return a schema whose objects have no other members than those that it names."""
    if isinstance(schema, list):
        return [_closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    made = {key: _closed(value) for key, value in schema.items()}
    if isinstance(made.get("properties"), dict) and made.get("type") == "object":
        made.setdefault("additionalProperties", False)
    return made


def untold_parameters(operation: Mapping[str, Any], inputs: list[tuple[str, str]], sent: list[Sent]) -> Iterator[Lie]:
    """Yield the parameters that change an answer, and are not in the document."""
    told = {(each["in"], each["name"].lower()) for each in operation.get("parameters", ())}
    whole = {each["in"] for each in operation.get("parameters", ()) if "additionalProperties" in each.get("schema", ())}
    for at, (place, name) in enumerate(inputs):
        if (place, name.lower()) in told or place in ("path", *whole):
            continue
        if place == "body" and "requestBody" in operation:
            continue
        if name == "authorization" and "security" in operation:
            continue
        for one, other in _differing_in(sent, at):
            if 500 not in (one.status, other.status) and one[1:] != other[1:]:
                yield Lie("parameter", f"no {place} {name}", f"{one.values[at]!r} and {other.values[at]!r} differ")
                break


def wrongly_required(operation: Mapping[str, Any], inputs: list[tuple[str, str]], sent: list[Sent]) -> Iterator[Lie]:
    """Yield the parameters that the document requires, and without which a request succeeds."""
    required = {(each["in"], each["name"].lower()) for each in operation.get("parameters", ()) if each["required"]}
    for at, (place, name) in enumerate(inputs):
        if (place, name.lower()) in required and any(each.values[at] is None and each.status < 300 for each in sent):
            yield Lie("required", f"{place} {name} is required", "a request without it succeeds")


def _differing_in(sent: list[Sent], at: int) -> Iterator[tuple[Sent, Sent]]:
    by_others: dict[str, Sent] = {}
    for each in sent:
        others = repr((each.values[:at], each.values[at + 1 :]))
        if others in by_others:
            yield by_others[others], each
        by_others.setdefault(others, each)


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= 300 else f"{text[:297]}..."
