"""The text of a rule, parsed: literal text, slashes and ``<converter(arguments):name>``."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

_token = re.compile(r"(/)|([^</]+)|<(?:([A-Za-z_][A-Za-z0-9_]*)(?:\((.*?)\))?:)?([A-Za-z_][A-Za-z0-9_]*)>").match
_argument = re.compile(
    r"\s*(?:(\w+)\s*=\s*)?(?:[urUR]?(\"[^\"]*\"|'[^']*')|(\d+[^\s,]\d+|\d+[^\s,\w](?=\s*,)|[\w.]+))\s*,"
)

_CONSTANTS = {"None": None, "True": True, "False": False}


class VariableText(NamedTuple):
    """A variable as it is written in a rule."""

    name: str
    converter: str
    arguments: str


def tokens(rule: str) -> Iterator[str | VariableText]:
    """Return the texts, single slashes and variables of a rule. Raises ValueError for a malformed rule."""
    at = 0
    while at < len(rule):
        found = _token(rule, at)
        if found is None:
            raise ValueError(f"malformed url rule: {rule!r}")
        slash, text, converter, arguments, name = found.groups()
        yield slash or text or VariableText(name, converter or "default", arguments or "")
        at = found.end()


def parse_converter_args(argstr: str) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return the positional and named arguments of a converter: ``2, "a b", signed=True``.

    They are numbers, True, False, None, and texts, which need no quotes if they look like a name. Raises ValueError for
    anything else.
    """
    argstr += ","
    placed: list[Any] = []
    named: dict[str, Any] = {}
    end = 0
    for found in _argument.finditer(argstr):
        if found.start() != end:
            raise ValueError(f"Cannot parse converter argument {argstr[end : found.start()]!r}")
        name, quoted, plain = found.groups()
        value = quoted[1:-1] if quoted else _constant(plain)
        if name:
            named[name] = value
        else:
            placed.append(value)
        end = found.end()
    return tuple(placed), named


def _constant(text: str) -> str | float | bool | None:
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


def parse_rule(rule: str) -> Iterator[tuple[str | None, str | None, str]]:
    """Return the parts of a rule as Werkzeug gave them before 2.2: converter, arguments and name of each variable.

    The text between two variables has neither a converter nor arguments. Raises ValueError for a malformed rule, and
    for two variables of one name.
    """
    text = ""
    names: set[str] = set()
    for token in tokens(rule):
        if isinstance(token, str):
            text += token
            continue
        if text:
            yield None, None, text
        text = ""
        if token.name in names:
            raise ValueError(f"variable name {token.name!r} used twice.")
        names.add(token.name)
        yield token.converter, token.arguments or None, token.name
    if text:
        yield None, None, text
