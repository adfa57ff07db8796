"""Rules as attributes of inputs, with which browsers check what is entered."""

from collections.abc import Mapping
from functools import lru_cache

from antiphon.dialects.asok.validation.validator import parsed
from antiphon.features.forms.html import AttributeValue
from antiphon.features.forms.inputs import pattern_of_html

_TEXTS = {"text", "email", "password", "url", "search", "tel", "textarea"}
_ORDERED = {"number", "range", "date", "datetime-local", "time", "month", "week"}
_OTHERS = {"select", "checkbox", "radio", "file", "color"}


@lru_cache(1024)
def attributes_of(rules: str, kind: str) -> Mapping[str, AttributeValue]:
    """Return the attributes that express the rules of an input of a type."""
    found: dict[str, AttributeValue] = {}
    if kind not in _TEXTS | _ORDERED | _OTHERS:
        return found
    for name, argument in parsed(rules):
        match name:
            case "required":
                found["required"] = True
            case "regex" if argument and kind in _TEXTS - {"textarea"}:
                found["pattern"] = pattern_of_html(argument if argument[0] == "^" else f"^(?:{argument})")
            case "min" | "max":
                found |= _bound(name, argument.strip(), kind)
            case "between" if kind in _ORDERED:
                least, _, most = argument.partition(",")
                found |= {**_bound("min", least.strip(), kind), **_bound("max", most.strip(), kind)}
    return found


def _bound(name: str, value: str, kind: str) -> dict[str, AttributeValue]:
    if kind in _TEXTS:
        return {f"{name}length": value}
    return {name: value} if kind in _ORDERED else {}
