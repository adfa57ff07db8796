"""Asok's template filters and tests, and the conversion of values to text."""

import json
import re
from collections.abc import Callable, Iterable
from datetime import datetime
from html import escape
from importlib import import_module
from math import log
from typing import Any, NoReturn

from jinja2 import ChainableUndefined, Environment, UndefinedError, pass_context, pass_environment
from jinja2.filters import FILTERS
from jinja2.tests import TESTS

from antiphon.features.html import Markup as SafeString

_UNITS = (
    (31_536_000, "year"),
    (2_592_000, "month"),
    (604_800, "week"),
    (86_400, "day"),
    (3_600, "hour"),
    (60, "minute"),
)
"""Units of time, each with the number of seconds from which it is used."""
_CENTURY = 3_155_760_000
_SIZES = ("B", "KB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB")


def _since(time: datetime | str | None) -> str:
    """Return the time that has passed since ``time``, in English.

    A string is parsed as ISO 8601. If it is not a date, it is returned unchanged.
    """
    if not time:
        return ""
    try:
        then = datetime.fromisoformat(time) if isinstance(time, str) else time
        seconds = (datetime.now(then.tzinfo) - then).total_seconds()
    except (AttributeError, TypeError, ValueError):
        return time if isinstance(time, str) else ""
    if abs(seconds) > _CENTURY:
        return "a very long time ago" if seconds > 0 else "in the distant future"
    if seconds < 0:
        return "in the future"
    for length, unit in _UNITS:
        if seconds >= length:
            count = int(seconds / length)
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"


def file_size(size: float) -> str:
    """Return a number of bytes in the largest unit that fits, in steps of 1,024: "1.5 KB"."""
    if size <= 0:
        return "0 B"
    power = min(int(log(size, 1024)), len(_SIZES) - 1)
    return f"{round(size / 1024**power, 2)} {_SIZES[power]}"


def intcomma(value: Any) -> Any:
    """Return a number with thousands separated by commas. Other values are returned unchanged."""
    try:
        return f"{float(value) if isinstance(value, str) else value:,}"
    except (TypeError, ValueError):
        return value


def duration(seconds: float | None) -> str:
    """Return a number of seconds in days, hours, minutes and seconds: "1h 5m"."""
    minutes, second = divmod(int(seconds or 0), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    parts = [f"{count}{unit}" for count, unit in ((days, "d"), (hour, "h"), (minute, "m"), (second, "s")) if count > 0]
    return " ".join(parts) or "0s"


__all__ = ["SafeString", "escape_text", "to_html"]


def to_html(value: Any) -> str:
    """Return a value as HTML for display. None is displayed as an empty string.

    A value that is marked as safe or has ``__html__`` is not escaped.
    """
    kind = type(value)
    if kind is str:
        return escape_text(value)
    if kind is int or kind is float:
        return str(value)
    if value is None:
        return ""
    if not hasattr(kind, "__html__"):
        value = str(value)
        if not hasattr(type(value), "__html__"):
            return escape_text(value)
    return value.__html__()  # type: ignore[no-any-return]


def escape_text(text: str) -> str:
    """Return text with special characters replaced with entities. This is three times as fast as ``html.escape``."""
    if "&" in text:
        text = text.replace("&", "&amp;")
    if "<" in text:
        text = text.replace("<", "&lt;")
    if ">" in text:
        text = text.replace(">", "&gt;")
    if '"' in text:
        text = text.replace('"', "&quot;")
    if "'" in text:
        text = text.replace("'", "&#x27;")
    return text


class Undefined(ChainableUndefined):
    """A missing name, attribute or item. Nothing is displayed for it, or for its own attributes, items and calls."""

    __slots__ = ()

    def __call__(self, *args: Any, **options: Any) -> Any:  # noqa: ARG002 - it takes whatever it is called with
        return self

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Undefined)

    def __hash__(self) -> int:
        return hash(Undefined)


class StrictUndefined(Undefined):
    """A missing name, attribute or item in a project with ``STRICT_VARIABLES``.

    You can test it or give it a default. Displaying, calling or iterating over it raises UndefinedError.
    """

    __slots__ = ()

    def _fail(self, *args: Any, **options: Any) -> NoReturn:
        self._fail_with_undefined_error(*args, **options)

    __str__ = __html__ = __iter__ = __len__ = __call__ = _fail


def is_defined(value: Any) -> bool:
    """Return True for a value that is defined and not empty."""
    return not (isinstance(value, Undefined) or value is None or (isinstance(value, str) and value == ""))


def is_number(value: Any) -> bool:
    """Return True for a number other than a Boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


_OWN_TESTS: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "defined": is_defined,
    "even": lambda value: isinstance(value, int | float) and int(value) % 2 == 0,
    "false": lambda value: value is False,
    "float": lambda value: isinstance(value, float),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "iterable": lambda value: hasattr(value, "__iter__") and not isinstance(value, str | bytes),
    "lower": lambda value: isinstance(value, str) and value.islower(),
    "mapping": lambda value: isinstance(value, dict),
    "none": lambda value: value is None,
    "number": is_number,
    "odd": lambda value: isinstance(value, int | float) and int(value) % 2 != 0,
    "sequence": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "true": lambda value: value is True,
    "undefined": lambda value: not is_defined(value),
    "upper": lambda value: isinstance(value, str) and value.isupper(),
}

TEMPLATE_TESTS: dict[str, Any] = {
    **TESTS,
    **_OWN_TESTS,
    **{name.capitalize(): test for name, test in _OWN_TESTS.items()},
}
"""The tests that all templates can use, by name. Names may be capitalized: ``is None``."""


_tag = re.compile(r"<[^>]+>")
_link = re.compile(r"\[([^\[\]]+)\]\(((?:https?:|mailto:|[/#?.])[^)\[\s]*)\)")

_DAY = "%d/%m/%Y"
_EPOCHS = range(1_000_000_000, 10_000_000_000)
"""Numbers in this range, the years 2001 to 2286, are treated as seconds since 1970. Smaller numbers are ids."""


def safe(value: Any) -> SafeString:
    """Mark a value as HTML that must not be escaped."""
    return SafeString("" if value is None else value)


def escaped(value: Any) -> SafeString:
    """Escape a value, but never twice."""
    if hasattr(type(value), "__html__"):
        return SafeString(value.__html__())
    return SafeString("" if value is None else escape(str(value)))


def default(value: Any, other: Any = "") -> Any:
    """Return a value, or ``other`` for None or an empty string."""
    return other if value is None or value == "" or isinstance(value, Undefined) else value


def truncate(value: Any, length: int = 100) -> str:
    """Cut a string that is longer than ``length`` characters to that length, and append "..." to it."""
    length = length if isinstance(length, int) and length >= 0 else 100
    text = str(value)
    return f"{text[:length]}..." if len(text) > length else text


def replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    """Replace a substring in text everywhere, or at most ``count`` times."""
    return str(value).replace(str(old), str(new), count)


def join(value: Iterable[Any], between: str = ", ") -> str:
    return between.join(map(str, value))


def first(value: Any) -> Any:
    """Return the first element of a sequence, or an empty string if it has none."""
    return value[0] if value else None


def last(value: Any) -> Any:
    """Return the last element of a sequence, or an empty string if it has none."""
    return value[-1] if value else None


@pass_environment
def selectattr(environment: Environment, values: Iterable[Any], attribute: str, value: Any = True) -> list[Any]:
    """Return the objects whose attribute or item equals a value."""
    return [each for each in values if environment.getattr(each, attribute) == value]


def striptags(value: Any) -> str:
    """Remove everything between "<" and ">" in linear time. Nothing is removed after the last ">"."""
    start, end, rest = str(value).rpartition(">")
    return _tag.sub("", start + end) + rest


def html_safe_json(value: Any, **options: Any) -> SafeString:
    """Return a value as JSON that is safe in a script and in a single-quoted attribute.

    ``options`` are passed to ``json.dumps``.
    """
    text = json.dumps(value, **options)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return SafeString(text)


def date(value: Any, written: str = _DAY) -> Any:
    """Format a date, a time or an ISO 8601 string. Other values are returned unchanged."""
    if hasattr(value, "strftime"):
        return value.strftime(written)
    if isinstance(value, str) and len(value) >= len("2026-01-01"):
        try:
            return datetime.fromisoformat(value).strftime(written)
        except ValueError:
            return value
    return value


def epoch(value: Any, written: str = f"{_DAY} %H:%M") -> Any:
    """Format seconds since 1970 in local time, and any other value as ``date`` does."""
    try:
        seconds = float(value)
    except (TypeError, ValueError, UndefinedError):
        return date(value, written)
    return datetime.fromtimestamp(seconds).strftime(written) if int(seconds) in _EPOCHS else value


def pluralize(value: Any, one: str = "s", more: str | None = None) -> str:
    """Return a word's ending for a number or a collection: by default "" or "s", or for example "y" or "ies"."""
    singular, plural = ("", one) if more is None else (one, more)
    try:
        count = len(value) if isinstance(value, list | tuple | dict | set) else float(value)
    except (TypeError, ValueError, UndefinedError):
        count = 1
    return singular if count == 1 else plural


def decode_base64(value: Any, **attributes: Any) -> SafeString:
    """Return an ``<img>`` for a data URL, with ``attributes`` such as ``class_="w-64"`` added."""
    if not value:
        return SafeString("")
    written = [(name.rstrip("_") or name, each) for name, each in attributes.items() if each not in (None, False)]
    parts = [f" {escape(name)}" + ("" if each is True else f'="{escape(str(each))}"') for name, each in written]
    return SafeString(f'<img src="{escape(str(value))}"{"".join(parts)} alt="Image">')


def display(value: Any) -> str:
    """Return a value as text. An object with only Python's default text is displayed by its name, title or the like."""
    text = "" if value is None else str(value)
    if not (text.startswith("<") and "id=" in text):
        return text
    names = [getattr(value, name, None) for name in ("name", "title", "label", "email", "username", "slug")]
    return next((str(name) for name in names if name is not None), f"#{getattr(value, 'id', '?')}")


def markdown(value: Any) -> SafeString:
    """Convert Markdown to HTML with the Markdown package. Without the package, only convert the links."""
    if not value:
        return SafeString("")
    try:
        package = import_module("markdown")
    except ModuleNotFoundError:
        return SafeString(_link.sub(_anchor, escape(str(value))))
    html: str = package.markdown(str(value))
    inner = html.removeprefix("<p>").removesuffix("</p>")
    return SafeString(inner if html == f"<p>{inner}</p>" and "<p>" not in inner else html)


def _anchor(found: re.Match[str]) -> str:
    return f'<a href="{found[2]}" target="_blank" rel="noopener" class="underline hover:opacity-80">{found[1]}</a>'


@pass_context  # not computed at compile time, since the result depends on the current time
def time_ago(_context: Any, value: Any) -> str:
    """Return a time as text, relative to now: "3 minutes ago"."""
    return _since(value)


def _dictsort(value: Any) -> Any:
    return sorted(value.items()) if isinstance(value, dict) else value


_OWN: dict[str, Callable[..., Any]] = {
    "abs": abs,
    "capitalize": lambda value: str(value).capitalize(),
    "date": date,
    "decode_base64": decode_base64,
    "default": default,
    "dictsort": _dictsort,
    "display": display,
    "dump": html_safe_json,
    "duration": duration,
    "e": escaped,
    "epoch": epoch,
    "escape": escaped,
    "filesize": file_size,
    "first": first,
    "intcomma": intcomma,
    "join": join,
    "last": last,
    "length": len,
    "lower": lambda value: str(value).lower(),
    "markdown": markdown,
    "pluralize": pluralize,
    "replace": replace,
    "safe": safe,
    "selectattr": selectattr,
    "string": lambda value: "" if value is None else str(value),
    "striptags": striptags,
    "time_ago": time_ago,
    "title": lambda value: str(value).title(),
    "tojson": html_safe_json,
    "truncate": truncate,
    "upper": lambda value: str(value).upper(),
}

TEMPLATE_FILTERS: dict[str, Callable[..., Any]] = {**FILTERS, **_OWN}
"""The filters that all templates can use, by name. A project may add more."""
