"""The examples that a route declares, put into a document next to a body, a parameter or a response."""

from collections.abc import Iterator, Mapping
from typing import Any

from antiphon.features.openapi.code.responses import JSON
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.schemas import Schema
from antiphon.http.errors import HTTPError
from antiphon.http.headers import Headers
from antiphon.serialization.json import decode_json, encode_json
from antiphon.serialization.readers import json_as


def add_examples(contract: Contract, operation: Schema) -> Iterator[str]:
    """Add the examples of a route to its operation, and yield an error for each one that does not fit."""
    examples: Mapping[Any, Any] = contract.route.examples or {}
    for key, value in examples.items():
        written = encode_json(value)
        plain: Any = decode_json(written)
        if key in ("query", "path", "headers"):
            place = "header" if key == "headers" else key
            values = {_field_of(name, place): each for name, each in plain.items()}
            for each in operation.get("parameters", ()):
                if each["in"] == place and (name := _field_of(each["name"], place)) in values:
                    each["example"] = values[name]
        elif isinstance(key, int):
            content = operation["responses"].get(str(key), {}).get("content", {})
            media = Headers({"content-type": next(iter(content), JSON)})
            if breach := breach_of(contract, key, media, written, contract.method):
                yield f"the example for {key} does not fit: {breach}"
            for each in content.values():
                each["example"] = plain
        else:
            yield from _misfits(contract, key, written)
            for media_type, each in operation.get("requestBody", {}).get("content", {}).items():
                if (media_type == JSON) == (key == "json"):
                    each["example"] = plain


def _field_of(name: str, place: str) -> str:
    return name.lower().replace("-", "_") if place == "header" else name


def _misfits(contract: Contract, part: str, written: bytes) -> Iterator[str]:
    """Yield an error if an example of a body can't be read as any of its types."""
    refused = []
    for read in contract.reads:
        if read.part == part == "json" and read.wanted is not Any:
            try:
                json_as(written, read.wanted)
            except HTTPError as error:
                refused += [f"{each['pointer']} {each['detail']}".strip() for each in error.errors]
            else:
                return
    if refused:
        yield f"the example of the {part} is not valid: {refused[0]}"
