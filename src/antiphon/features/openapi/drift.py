"""Drift: the differences between two documents."""

import json
from collections.abc import Iterator
from typing import Any

_MISSING = object()


def differences(written: Any, made: Any, place: str = "") -> Iterator[str]:
    """Yield the places where a written document differs from the current one, with both values."""
    if isinstance(written, dict) and isinstance(made, dict):
        for key in dict.fromkeys((*written, *made)):
            yield from differences(written.get(key, _MISSING), made.get(key, _MISSING), _below(place, key))
    elif isinstance(written, list) and isinstance(made, list) and _named(written) and _named(made):
        yield from differences(_by_name(written), _by_name(made), place)
    elif written is _MISSING:
        yield f"{place}: the application has it now: {_shown(made)}"
    elif made is _MISSING:
        yield f"{place}: the application no longer has it: it was {_shown(written)}"
    elif written != made:
        yield f"{place}: {_shown(written)} is now {_shown(made)}"


def _below(place: str, key: str) -> str:
    return f"{place} {key}" if place else key


def _named(items: list[Any]) -> bool:
    """Return True for parameters and tags, whose order has no meaning."""
    return all(isinstance(each, dict) and "name" in each for each in items)


def _by_name(items: list[Any]) -> dict[str, Any]:
    return {f"{each.get('in', '')} {each['name']}".strip(): each for each in items}


def _shown(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 100 else f"{text[:97]}..."
