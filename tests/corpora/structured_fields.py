"""The corpus of structured fields (RFC 9651), by its authors."""

import base64
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal

from antiphon.http import structured_fields as sf
from tests.corpora.corpus import REFUSED, Case, Corpus
from tests.corpora.sources import STRUCTURED_FIELDS, read_json

MADE = {
    "token": sf.Token,
    "displaystring": sf.DisplayString,
    "binary": base64.b32decode,
    "date": lambda seconds: datetime.fromtimestamp(seconds, UTC),
}


def parsing() -> Iterator[Case]:
    for path, each in _examples(printed=False):
        refused = (REFUSED,) if each.get("must_fail") or each.get("can_fail") else ()
        read = () if each.get("must_fail") else (each["expected"],)
        yield Case(f"{path}: {each['name']}", (each["header_type"], ", ".join(each["raw"])), (*read, *refused))


def printing() -> Iterator[Case]:
    for path, each in [*_examples(printed=False), *_examples(printed=True)]:
        if each.get("must_fail") and "expected" not in each:
            continue
        right = REFUSED if each.get("must_fail") else "".join(each.get("canonical", each.get("raw")))
        refused = (REFUSED,) if each.get("can_fail") else ()
        yield Case(f"{path}: {each['name']}", (each["header_type"], each["expected"]), (right, *refused))


def _examples(*, printed: bool) -> Iterator[tuple[str, dict]]:
    for path in STRUCTURED_FIELDS.paths:
        if path.startswith("serialisation-tests") == printed:
            for each in read_json(STRUCTURED_FIELDS, path):
                yield path.removesuffix(".json"), each


def parsed(kind: str, text: str) -> object:
    try:
        if kind == "item":
            value = _member(sf.Item.parse(text))
        elif kind == "list":
            value = [_member(member) for member in sf.parse_structured_list(text)]
        else:
            value = [[name, _member(member)] for name, member in sf.parse_structured_dictionary(text).items()]
    except ValueError:
        return REFUSED
    return json.loads(json.dumps(value))


def printed(kind: str, value: list) -> str:
    try:
        if kind == "item":
            return str(_made(value))
        if kind == "list":
            return sf.format_structured_list([_made(member) for member in value])
        return sf.format_structured_dictionary({name: _made(member) for name, member in value})
    except ValueError:
        return REFUSED


def _member(member: sf.StructuredMember) -> list:
    parameters = [[name, _bare(value)] for name, value in member.parameters.items()]
    content = [_member(item) for item in member.items] if isinstance(member, sf.InnerList) else _bare(member.value)
    return [content, parameters]


def _bare(value: sf.BareItem) -> object:
    if isinstance(value, bytes):
        return {"__type": "binary", "value": base64.b32encode(value).decode()}
    if isinstance(value, datetime):
        return {"__type": "date", "value": int(value.timestamp())}
    if isinstance(value, sf.Token | sf.DisplayString):
        return {"__type": type(value).__name__.lower(), "value": str(value)}
    return float(value) if isinstance(value, Decimal) else value


def _made(member: list) -> sf.StructuredMember:
    content, written = member
    parameters = {name: _made_bare(value) for name, value in written}
    if isinstance(content, list):
        return sf.InnerList([_made(item) for item in content], parameters)
    return sf.Item(_made_bare(content), parameters)


def _made_bare(value: object) -> sf.BareItem:
    return MADE[value["__type"]](value["value"]) if isinstance(value, dict) else value


CORPORA = (
    Corpus("structured fields, parsed", STRUCTURED_FIELDS, parsing, {"Antiphon": parsed}),
    Corpus("structured fields, printed", STRUCTURED_FIELDS, printing, {"Antiphon": printed}),
)
