"""Rules of a project, by their names."""

from collections.abc import Callable
from typing import Any, TypeAlias

Check: TypeAlias = Callable[[Any, str | None, dict[str, Any]], object]
"""A function of the value, the rule's argument and all data that returns true if the value is valid."""

ANY_FAULT = "Invalid value."
"""The message of a rule of the project that has none."""

OWN_RULES: dict[str, tuple[Check, str]] = {}
"""For each rule of the project its check and its message."""


def register_rule(name: str, fn: Check, message: str = ANY_FAULT) -> None:
    """Add a rule for the whole process. One of Asok's own rules can't be replaced."""
    OWN_RULES[name] = (fn, message)
