"""The framework's own messages in other languages: an error's English words are looked up when the response is made.

``messages.tsv`` has a row for each message, with its placeholders. A message that was filled in is found by its row's
pattern; a value that is itself a message of the framework, such as "an integer", is translated as well.
"""

import os
import re
from copy import copy
from functools import cache
from typing import NamedTuple, cast

from antiphon import HTTPError
from antiphon.features.languages.catalogues import Catalogue, Entry, JSONCatalogue, rule_when_used
from antiphon.types import Language

FORMS = " | "
"""The separator of a cell's plural forms."""

_LONGEST = 4096
"""The maximum length of a text that is compared with the patterns, since clients choose parts of some of them."""

_DEEPEST = 8
"""The maximum number of messages that are values of each other."""

_NUMBER = r"-?[\d.]+(?:[eE][+-]?\d+)?"
_TERMS = frozenset({"count", "given", "one", "other", "reason", "what", "where"})
"""The placeholders whose values are messages of the framework, or JSON."""
_PATTERNS = {
    **dict.fromkeys(("length", "limit", "low", "number", "period", "size"), _NUMBER),
    "choices": r'(?:["\[{\d-]|(?:true|false|null)\b).*',
    "example": r"[\dP]\S+",
    "id": "(?!)",  # the row is used by its key alone
    "method": r"[!-~]+",
    "methods": r"[A-Z][!-~ ]*",
    "n": r"\d+",
    "origin": r"\S+://\S+|null",
    "path": r"/.*",
    "quoted": r"'.*'|\".*\"",
}
"""The values of the other placeholders; any text for those that aren't listed."""

_is_plain = re.compile(rf"{_NUMBER}|[a-z]+/[!-~]+").fullmatch
_placeholder = re.compile(r"\{(\w+)\}")

ISOLATED = "\u2068{}\u2069"
"""A value in text that is written from right to left, whose own direction doesn't reorder the text (UAX #9 §2.4)."""


class Row(NamedTuple):
    """A text: its key, which is its English singular, and the pattern of each English form."""

    key: str
    patterns: tuple[re.Pattern[str], ...]


def table() -> tuple[list[str], list[list[str]]]:
    """Return the columns of the table, such as "pl: one | few | many | other", and the cells of each row."""
    path = os.path.join(os.path.dirname(__file__), "messages.tsv")
    with open(path, encoding="utf-8") as file:
        _, columns, *rows = [line.rstrip("\n").split("\t") for line in file]
    return columns, rows


@cache
def _plain_texts() -> frozenset[str]:
    return frozenset(cells[0] for cells in table()[1] if "{" not in cells[0])


@cache
def _rows() -> dict[str, list[Row]]:
    """Return the rows with placeholders by their first word, or by "" if that contains one; the longest come first."""
    found: dict[str, list[Row]] = {}
    for cells in sorted(table()[1], key=lambda cells: -len(_placeholder.sub("", cells[0]))):
        if "{" in cells[0]:
            forms = cells[0].split(FORMS)
            first = forms[0].partition(" ")[0]
            row = Row(forms[0], tuple([re.compile(_pattern(form), re.DOTALL) for form in forms]))
            found.setdefault("" if "{" in first else first, []).append(row)
    return found


def _pattern(text: str) -> str:
    pieces = _placeholder.split(text)
    for at, piece in enumerate(pieces):
        named = _PATTERNS.get(piece, ".+?")
        pieces[at] = f"(?P<{piece}>{named})" if at % 2 else re.escape(piece)
    return "".join(pieces)


class Words(Catalogue):
    """The framework's messages in one language, by their English, read when one is first looked up."""

    def __init__(self, tag: str) -> None:
        self._tag = tag
        self._read: JSONCatalogue | None = None

    @property
    def _catalogue(self) -> JSONCatalogue:
        if self._read is None:
            self._read = JSONCatalogue(_entries(self._tag), rule_when_used(self._tag))
        return self._read

    def text(self, key: str) -> str | None:
        """Return the text, or the most general plural form if there are several."""
        return self._catalogue.text(key)

    def plural(self, singular: str, plural: str, n: float) -> str | None:
        """Return the form for the number's category."""
        return self._catalogue.plural(singular, plural, n)


def _entries(tag: str) -> dict[str, Entry]:
    columns, rows = table()
    at = next(at for at, column in enumerate(columns) if column.startswith(f"{tag}:"))
    categories = columns[at].partition(": ")[2].split(FORMS)
    found: dict[str, Entry] = {}
    for cells in rows:
        forms = cells[at].split(FORMS)
        found[cells[0].split(FORMS)[0]] = dict(zip(categories, forms, strict=True)) if len(forms) > 1 else cells[at]
    return found


LANGUAGES = ("ar", "de", "es", "fr", "ja", "pl", "pt", "zh")
_IN_TRADITIONAL = {"Hant", "HK", "MO", "TW"}
_words = {tag: Words(tag) for tag in LANGUAGES}


def words_for(tag: str) -> list[Catalogue]:
    """Return the framework's messages for a tag or one of its fallbacks; none for Chinese in traditional characters."""
    first, *others = tag.split("-")
    return [_words[first]] if first in _words and _IN_TRADITIONAL.isdisjoint(others) else []


# Translating


def translated(language: Language, text: str) -> str:
    """Return a message of the framework or of the app's catalogues in a language, and any other text unchanged."""
    return _found(language, text) or text


def _found(language: Language, text: str, depth: int = 0) -> str | None:
    """Return a text's translation, or the text itself if it is known but has none; None for an unknown text."""
    if not text:
        return None
    if language.has(text):
        return language.gettext(text)
    if text in _plain_texts():
        return text
    if len(text) > _LONGEST or depth > _DEEPEST:
        return None
    rows = _rows()
    for row in (*rows.get(text.partition(" ")[0], ()), *rows[""]):
        for pattern in row.patterns:
            found = pattern.fullmatch(text)
            values = found and _values(language, found.groupdict(), depth + 1)
            if values:
                return language.gettext(row.key, **values) if language.has(row.key) else text
    return None


def _values(language: Language, written: dict[str, str], depth: int) -> dict[str, object] | None:
    """Return the values for a translation; None if one of them is not what its placeholder stands for."""
    values: dict[str, object] = {}
    for name, value in written.items():
        if name == "n":
            values[name] = int(value)
        elif name in _TERMS:
            term = _found(language, value, depth) or (value if _is_plain(value) or _is_json(value) else None)
            if term is None:
                return None
            values[name] = term
        else:
            is_isolated = language.dir == "rtl" and _PATTERNS.get(name) is not _NUMBER
            values[name] = ISOLATED.format(value) if is_isolated else value
    return values


def _is_json(text: str) -> bool:
    from antiphon.embedding import decode_json

    try:
        decode_json(text.encode(errors="replace"))
    except HTTPError:
        return False
    return True


def localized(language: Language, error: HTTPError) -> HTTPError:
    """Return a copy of an error in a language."""
    told = copy(error)
    vars(told)["_is_localized"] = True
    told.title = translated(language, error.title)
    if error.detail is not None:
        told.detail = translated(language, error.detail)
    if faults := error.errors:
        known: dict[str, str] = {}  # many faults have the same reason
        told.members = {**error.members, "errors": [_fault_in(language, fault, known) for fault in faults]}
    return told


def _fault_in(language: Language, fault: object, known: dict[str, str]) -> object:
    detail = fault.get("detail") if isinstance(fault, dict) else None
    if not isinstance(detail, str):
        return fault
    if detail not in known:
        known[detail] = translated(language, detail)
    return {**cast("dict[str, object]", fault), "detail": known[detail]}
