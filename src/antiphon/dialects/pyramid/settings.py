"""Conversion of settings to Booleans and lists, since files contain them as text."""

from typing import Any

truthy = frozenset({"t", "true", "y", "yes", "on", "1"})
"""The strings that mean true."""
falsey = frozenset({"f", "false", "n", "no", "off", "0"})
"""The strings that mean false."""


def asbool(s: Any) -> bool:
    """Return True for True and for text that means true, in any case. Return False for anything else."""
    if s is None or isinstance(s, bool):
        return bool(s)
    return str(s).strip().lower() in truthy


def aslist_cronly(value: Any) -> list[Any]:
    """Return the non-empty lines of text, stripped. Return any other value as a list."""
    if isinstance(value, str):
        value = filter(None, (line.strip() for line in value.splitlines()))
    return list(value) if hasattr(value, "__iter__") else [value]


def aslist(value: Any, flatten: bool = True) -> list[Any]:
    """Return the words in text, or its lines if ``flatten`` is false."""
    lines = aslist_cronly(value)
    if not flatten:
        return lines
    return [word for line in lines for word in (line.split() if isinstance(line, str) else [line])]
