"""Asok's tests of values in templates, ``{% if n is even %}``, over those of Jinja2."""

from collections.abc import Callable
from typing import Any

from jinja2.tests import TESTS

from antiphon.dialects.asok.templating.undefined import Undefined


def is_defined(value: Any) -> bool:
    """Return True for a value that was given, and is not empty."""
    return not (isinstance(value, Undefined) or value is None or (isinstance(value, str) and value == ""))


def is_number(value: Any) -> bool:
    """Return True for a number, but not for a Boolean."""
    return isinstance(value, int | float) and not isinstance(value, bool)


_OWN: dict[str, Callable[[Any], bool]] = {
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
    **_OWN,
    **{name.capitalize(): test for name, test in _OWN.items()},
}
"""The tests of all templates, by their names, which may begin with a capital: ``is None``."""
