"""Values of fields: the values that a form sent in Asok's format, and the values that inputs show."""

import enum
import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from antiphon.dialects.asok.forms.records import parts_of
from antiphon.features import Form as NativeForm


def sent_value(native: "NativeForm[Any]", name: str, kind: str) -> str:
    """Return the sent text of a field: "1" or "0" for checkboxes, JSON for several texts, nothing for a file."""
    if kind == "title":
        return ""
    texts = native.texts(name)
    last = texts[-1] if texts else ""
    match kind:
        case "checkbox" | "toggle":
            return "1" if last else "0"
        case "tags" | "transfer":
            return last if last.startswith("[") else _as_list(texts)
        case "daterange" | "timerange":
            return last or _as_range(native, name)
    return last


def _as_list(texts: Sequence[str]) -> str:
    split = texts[0].split(",") if len(texts) == 1 else texts
    values = [text.strip() for text in split if text.strip()]
    return json.dumps(values) if values else ""


def _as_range(native: "NativeForm[Any]", name: str) -> str:
    start, end = ("".join(native.texts(part)[-1:]) for part in parts_of(name))
    return json.dumps({"start": start, "end": end}) if start or end else ""


def plain(value: Any) -> Any:
    """Return a value to fill a field with: the value of an Enum's member, and nothing for None."""
    if isinstance(value, enum.Enum):
        value = value.value
    return "" if value is None else value


def shown_text(value: Any, kind: str) -> str:
    """Return a value as the text of an input of a type."""
    text = "" if value is None else str(value)
    shorten = _SHORTENED.get(kind)
    return shorten(text) if shorten else text


def _date(text: str) -> str:
    return text.replace("T", " ").partition(" ")[0][:10]


def _minutes(text: str) -> str:
    return ":".join(text.split(":")[:2])


def _time(text: str) -> str:
    return _minutes(text.replace("T", " ").rpartition(" ")[2])


def _datetime(text: str) -> str:
    day, separator, time = text.replace("T", " ").partition(" ")
    return f"{day}T{_minutes(time)}" if separator else text


_SHORTENED: Mapping[str, Callable[[str], str]] = {"date": _date, "time": _time, "datetime-local": _datetime}
"""How dates and times are written in inputs, which have no seconds and no offset."""


def listed(value: Any) -> list[str]:
    """Return the texts of a list, of a list in JSON, or of a text with commas."""
    if isinstance(value, str):
        found = _decoded(value)
        value = found if isinstance(found, list) else value.split(",")
    return [text for each in value if (text := str(each).strip())]


def range_of(value: Any) -> tuple[str, str]:
    """Return the start and end of a range, which is a dictionary or JSON."""
    found = _decoded(value) if isinstance(value, str) else value
    if not isinstance(found, dict):
        return "", ""
    return str(found.get("start") or ""), str(found.get("end") or "")


def _decoded(text: str) -> Any:
    with suppress(ValueError, RecursionError):
        return json.loads(text)
    return None
