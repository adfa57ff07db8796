"""Changes of an API, their verdicts, and what to do about those that are not safe."""

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Literal, NamedTuple, TypeAlias

from antiphon.features.openapi.changes.keywords import Schema, Site

Verdict: TypeAlias = Literal["safe", "unknown", "breaks"]
VERDICTS: tuple[Verdict, ...] = ("safe", "unknown", "breaks")
"""From the best to the worst."""


class Change(NamedTuple):
    """One difference between two versions of an API, and what it means for clients."""

    verdict: Verdict
    operation: str
    """The method and the path of the new version, such as ``POST /lamps``; of the old one if the operation is gone."""
    at: str
    """The part of the operation: ``body/note``, ``?lang``, ``200/lines[]/price``."""
    text: str
    advice: str = ""
    old: Site = Site()
    new: Site = Site()
    mentions: str = ""
    """The name of a parameter, or the status, that the handler's code mentions at the line that did it."""
    is_gone: bool = False
    """True if only the old version has it."""


OR_VERSION = "or add /v2"
IGNORED = "clients that send it are not refused, but it is ignored: read it, or tell them"
ADVICE: dict[tuple[str, bool], str] = {
    ("new", True): f"give it a default, {OR_VERSION}",
    ("required", True): f"give it a default, {OR_VERSION}",
    ("gone", False): f"keep it, {OR_VERSION}",
    ("optional", False): f"always send it, {OR_VERSION}",
    ("null", False): f"send a value instead of null, {OR_VERSION}",
    ("null", True): f"accept null, {OR_VERSION}",
    ("enum", True): f"accept the old values, {OR_VERSION}",
    ("enum", False): f"send only values that clients know, {OR_VERSION}",
    ("gone", True): IGNORED,
    ("any", True): "annotate it, or declare it with takes=",
    ("any", False): "annotate it, or declare it with gives=",
    ("pattern", True): "compare the patterns, which no program can",
    ("pattern", False): "compare the patterns, which no program can",
}
"""What to do about a difference that is not safe, by its rule and whether clients send the value."""


def template_of(path: str) -> str:
    """Return a path, or a route's pattern, without the names of its parameters."""
    return re.sub(r"\{[^}]*\}|<[^>]*>", "{}", path)


def sunset_of(operation: Schema) -> date | None:
    """Return the day of ``x-sunset``, RFC 3339's full-date or date-time, or None."""
    try:
        return datetime.fromisoformat(str(operation.get("x-sunset"))).date()
    except ValueError:
        return None


def today() -> date:
    """Return the current day in UTC."""
    return datetime.now(UTC).date()


def worst(changes: Iterable[Change]) -> Verdict:
    """Return the worst verdict; "safe" if nothing has changed."""
    found = {each.verdict for each in changes}
    return "breaks" if "breaks" in found else "unknown" if "unknown" in found else "safe"
