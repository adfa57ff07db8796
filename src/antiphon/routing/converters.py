"""Converters between path segments and the values of a route's parameters."""

import re
from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, NamedTuple, get_type_hints

from antiphon.explanations import explained
from antiphon.lazy import compiled_late

MAX_DIGITS = 19
LARGEST = 2**63 - 1
"""The largest integer; a larger one doesn't fit into a database column."""
_MAX_NUMBER = 40

_FLOAT = r"-?[0-9]++(?>(?:\.[0-9]++)?)(?>(?:[eE][+-]?[0-9]++)?)"
_UUID = "[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}"
_float = compiled_late(_FLOAT)
_uuid = compiled_late(_UUID)
_bounds = compiled_late(r"\s*(min|max)\s*=\s*([0-9]{1,19})\s*")
_name = compiled_late(r"[a-z_][a-z0-9_]*")


class Converter(NamedTuple):
    """A converter of segments. ``to_python`` raises ValueError for a segment that doesn't match."""

    name: str
    """The name in a pattern, with its arguments: ``int``, ``any(en,de)``. Converters with the same name are equal."""
    to_python: Callable[[str], Any]
    rank: int
    """The order in which several parameters at the same position are tried, lowest first."""
    to_url: Callable[[Any], str] = str
    expression: str | None = None
    """A regular expression for a segment that also contains text. None if any text matches."""
    spans: bool = False
    """True if it matches several segments."""
    may_be_empty: bool = False
    """True if it also matches the empty rest of a path, as in "/"."""
    whole_name: str = ""
    """The name with all bounds, if ``name`` may lack some."""
    default: Callable[[], Any] | None = None
    """The function that returns the value for URLs that are made without one."""

    @property
    def value_type(self) -> Any:
        """The type of the converter's values: ``to_python`` if that is a class, otherwise its annotated return type or
        Any.
        """
        from inspect import unwrap

        if self.to_python is _read_uuid:
            from uuid import UUID

            return UUID
        made_by = unwrap(self.to_python)
        if isinstance(made_by, type):
            return made_by
        try:
            annotation = made_by.__annotations__.get("return")
            return annotation if isinstance(annotation, type) else get_type_hints(made_by).get("return", Any)
        except Exception:  # the annotation has names that only type checkers know
            return Any


def _whole_number(segment: str) -> int:
    if not segment.isdecimal() or not segment.isascii() or len(segment) > MAX_DIGITS:
        raise ValueError(f"{segment[:20]!r} is not a whole number of at most {MAX_DIGITS} digits")
    if (number := int(segment)) > LARGEST:
        raise ValueError(f"{segment} is not a whole number of at most {LARGEST}")
    return number


def _number(segment: str) -> float:
    if len(segment) > _MAX_NUMBER or not _float.fullmatch(segment) or not isfinite(number := float(segment)):
        raise ValueError(f"{segment[:50]!r} is not a number of at most {_MAX_NUMBER} characters")
    return number


def _read_uuid(segment: str) -> Any:
    from uuid import UUID

    if not _uuid.fullmatch(segment):
        raise ValueError(f"{segment[:50]!r} is not a UUID")
    return UUID(segment)


def _text(segment: str) -> str:
    if not segment:
        raise ValueError("a segment must not be empty")
    return segment


def _path(text: str) -> str:
    if not text or text[0] == "/":
        raise ValueError("a path must not be empty or begin with a slash")
    return text


CONVERTERS: Mapping[str, Converter] = {
    "int": Converter("int", _whole_number, 2, expression="[0-9]++", whole_name=f"int(min=0, max={LARGEST})"),
    "float": Converter("float", _number, 3, expression=_FLOAT),
    "uuid": Converter("uuid", _read_uuid, 4, expression=_UUID),
    "str": Converter("str", _text, 9),
    "path": Converter("path", _path, 10, spans=True),
}
"""The converters without arguments."""


def _between(argument: str) -> Converter:
    """Make the ``int(min=1, max=99)`` converter."""
    bounds: dict[str, int] = {}
    for part in argument.split(","):
        found = _bounds.fullmatch(part)
        if not found or found[1] in bounds:
            raise ValueError(f"int({argument}) must be like int(min=1, max=99)")
        bounds[found[1]] = int(found[2])
    least, most = bounds.get("min", 0), bounds.get("max", LARGEST)
    if least > most:
        raise ValueError(f"int({argument}) matches no number, because its min is greater than its max")

    def to_python(segment: str) -> int:
        number = _whole_number(segment)
        if not least <= number <= most:
            raise ValueError(f"{number} is not between {least} and {most}")
        return number

    name = ", ".join(f"{key}={bounds[key]}" for key in ("min", "max") if key in bounds)
    whole_name = f"int(min={least}, max={most})"
    return Converter(f"int({name})", to_python, 1, expression="[0-9]++", whole_name=whole_name)


def _one_of(argument: str) -> Converter:
    """Make the ``any(en,de)`` converter."""
    values = [value.strip() for value in argument.split(",")]
    if not all(values) or len(set(values)) < len(values) or any("/" in value for value in values):
        raise ValueError(f"any({argument}) must be like any(en,de): values without slashes, each once")

    def to_python(segment: str) -> str:
        if segment not in values:
            raise ValueError(f"{segment[:50]!r} is not one of {', '.join(values)}")
        return segment

    longest_first = sorted(values, key=len, reverse=True)
    return Converter(f"any({','.join(values)})", to_python, 5, expression="|".join(map(re.escape, longest_first)))


def _matching(argument: str) -> Converter:
    """Make the ``re([a-z]{2})`` converter, which matches a whole segment."""
    try:
        matches = re.compile(argument).fullmatch
    except re.error as error:
        raise ValueError(f"re({argument}) is not a regular expression: {error}") from None

    def to_python(segment: str) -> str:
        if not segment or not matches(segment):
            raise ValueError(f"{segment[:50]!r} does not match {argument}")
        return segment

    return Converter(f"re({argument})", to_python, 6)


_WITH_ARGUMENTS: Mapping[str, Callable[[str], Converter]] = {"int": _between, "any": _one_of, "re": _matching}
_EXAMPLES = {"any": "<any(en,de):name>", "re": "<re([a-z]{2}):name>"}


def find_converter(name: str, argument: str | None, known: Mapping[str, Converter]) -> Converter:
    """Find the converter that a pattern uses. Raises ValueError if there is none or its argument is invalid."""
    if argument is None:
        if name in _EXAMPLES:
            raise ValueError(f"{name} needs arguments, as in {_EXAMPLES[name]}")
        if name not in known:
            raise ValueError(
                f"no converter {name!r}; known: {', '.join(sorted({*known, *_WITH_ARGUMENTS}))}."
                " Register your own with app.converter before its first route"
            )
        return known[name]
    if name not in _WITH_ARGUMENTS:
        raise ValueError(f"{name!r} takes no arguments; {', '.join(sorted(_WITH_ARGUMENTS))} do")
    return _WITH_ARGUMENTS[name](argument)


def own_converter(
    name: str, to_python: Callable[[str], Any], to_url: Callable[[Any], str], default: Callable[[], Any] | None = None
) -> Converter:
    """Make an application's own converter. Raises ValueError for a name that can't be used in a pattern."""
    if not _name.fullmatch(name):
        raise explained(
            "bad-converter", f"{name!r} cannot name a converter: use lower case letters, digits and underscores"
        )
    if name in _WITH_ARGUMENTS:
        raise explained("bad-converter", f"there is already a converter {name!r}")

    def checked(segment: str) -> Any:
        return to_python(_text(segment))

    checked.__wrapped__ = to_python  # type: ignore[attr-defined]
    return Converter(name, checked, 6, to_url, default=default)
