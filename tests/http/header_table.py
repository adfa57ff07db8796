"""The header fields of the standards, with the attributes of requests and responses that they are (headers.csv)."""

import builtins
import csv
import re
from pathlib import Path
from typing import NamedTuple


class HeaderField(NamedTuple):
    """A field. ``side`` is "request", "response" or "both", ``list`` "yes" where commas separate elements.

    An attribute is empty where there is none, and ``note`` may then say why, or what stands in for it; its type is
    what reading it gives. An absent or malformed field is None, "", False, or empty, as the type has it. ``status`` is
    "standard", "draft", "deprecated" (still in a standard), "obsolete" (in none) or "de facto". ``source`` names the
    section where that is stable, and the standard alone where it is a living one.
    """

    name: str
    side: str
    list: str
    request_attribute: str
    request_type: str
    response_attribute: str
    response_type: str
    status: str
    source: str
    note: str


def _read() -> list[HeaderField]:
    with (Path(__file__).parent / "headers.csv").open(encoding="utf-8", newline="") as table:
        names, *rows = csv.reader(table)
    assert tuple(names) == HeaderField._fields
    return [HeaderField(*row) for row in rows]


HEADER_FIELDS = _read()


def value_types() -> set[str]:
    """The names of all types of attributes that are no built-in ones."""
    told = [type_ for field in HEADER_FIELDS for type_ in (field.request_type, field.response_type)]
    return {word for type_ in told for word in re.findall(r"\w+", type_) if not hasattr(builtins, word)}
