"""Faults of values: reasons in plain language, with a code and bounds for programs, in lists of limited size."""

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from antiphon.http.errors import FaultBounds, FieldProblem, FieldProblemCode, UnprocessableContent
from antiphon.serialization.json import pointer_step

_SHOWN = 20
"""The maximum number of allowed values that a reason lists."""

_NOUNS = {
    "int": "an integer",
    "float": "a number",
    "str": "a string",
    "bool": "true or false",
    "null": "null",
    "array": "an array",
    "object": "an object",
    "bytes": "a string in base64",
    "bytearray": "a string in base64",
    "memoryview": "a string in base64",
    "datetime": "a date and time such as 2030-12-31T23:59:59Z",
    "date": "a date such as 2030-12-31",
    "time": "a time such as 23:59:59",
    "duration": "a duration such as PT30S",
    "uuid": "a UUID",
    "decimal": "a decimal number",
}
_GIVEN = _NOUNS | {"bool": "a boolean", "float": "a floating-point number"}
_UNITS = {"array": "item", "object": "member", "bytes": "byte", "bytearray": "byte", "memoryview": "byte"}
_BOUNDS = {">=": "of at least", "<=": "of at most", ">": "above", "<": "below"}

_CODES: dict[str, FieldProblemCode] = {
    "int": "not_an_integer",
    "float": "not_a_number",
    "decimal": "not_a_number",
    "str": "not_a_string",
    "bool": "not_a_boolean",
    "array": "not_an_array",
    "object": "not_an_object",
    "bytes": "not_base64",
    "bytearray": "not_base64",
    "memoryview": "not_base64",
    "datetime": "not_a_datetime",
    "date": "not_a_date",
    "time": "not_a_time",
    "duration": "not_a_duration",
    "uuid": "not_a_uuid",
}
_NUMBERS = {"int", "float", "decimal"}
_NO_BOUNDS: FaultBounds = {}


class Reason(NamedTuple):
    """The reason why a value is refused: a human-readable detail, and a code with its bounds."""

    detail: str
    code: FieldProblemCode = "invalid"
    bounds: FaultBounds = _NO_BOUNDS


MISSING = Reason("is missing", "missing")
UNKNOWN = Reason("is unknown", "unknown")
HAS_NUL = Reason("contains NUL", "pattern_mismatch")
"""The reason for text that PostgreSQL, and all programs in C, can't store."""


def _noun(names: str) -> str:
    """Return ``an integer or null`` for ``int | null``."""
    return " or ".join(_NOUNS.get(name, name) for name in names.split(" | "))


def _code(names: str) -> FieldProblemCode:
    """Return the code for a value that doesn't match ``int | null``: the code of the only type other than null."""
    kinds = {*names.split(" | ")} - {"null"}
    if kinds and kinds <= _NUMBERS:
        return "not_an_integer" if kinds == {"int"} else "not_a_number"
    return _CODES.get(kinds.pop(), "wrong_type") if len(kinds) == 1 else "wrong_type"


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 item`` and ``2 items``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _wrong_type(found: re.Match[str]) -> Reason:
    return Reason(f"expected {_noun(found[1])}, got {_GIVEN.get(found[2], found[2])}", _code(found[1]))


def _wrong_length(found: re.Match[str]) -> Reason:
    kind, sign, bound = found[1], found[2], int(found[3])
    detail = f"expected {_noun(kind)} {_BOUNDS[sign]} {counted(bound, _UNITS.get(kind, 'character'))}"
    is_text = kind not in ("array", "object")
    if sign == ">=":
        return Reason(detail, "too_short" if is_text else "too_few", {"min": bound})
    return Reason(detail, "too_long" if is_text else "too_many", {"max": bound})


def _wrong_size(found: re.Match[str]) -> Reason:
    noun = "item" if found[2] == "1" else "items"
    detail = f"expected an array of {found[1] or ''}{found[2]} {noun}, got {found[3]}"
    least, _, most = found[2].partition(" to ")
    bounds: FaultBounds = {"min": int(least), "max": int(most or least)}
    if found[1] == "at least ":
        bounds = {"min": int(least)}
    elif found[1]:
        bounds = {"max": int(least)}
    return Reason(detail, "too_few" if int(found[3]) < bounds.get("min", 0) else "too_many", bounds)


def _out_of_range(found: re.Match[str]) -> Reason:
    bound = _number(found[3])
    bounds: dict[str, FaultBounds] = {
        ">=": {"min": bound},
        "<=": {"max": bound},
        ">": {"above": bound},
        "<": {"below": bound},
    }
    return Reason(f"expected {_noun(found[1])} {_BOUNDS[found[2]]} {found[3]}", "out_of_range", bounds[found[2]])


def _not_a_multiple(found: re.Match[str]) -> Reason:
    detail = f"expected {_NOUNS[found[1]]} divisible by {found[2]}"
    return Reason(detail, "not_a_multiple", {"multiple_of": _number(found[2])})


def _number(text: str) -> float:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _pattern_mismatch(found: re.Match[str]) -> Reason:
    from ast import literal_eval

    pattern = literal_eval(found[1])
    return Reason(f"expected a string that matches {pattern}", "pattern_mismatch", {"pattern": pattern})


def _wrong_offset(found: re.Match[str]) -> Reason:
    return Reason(f"expected {_NOUNS[found[1]].removesuffix('Z')}, without an offset from UTC", _code(found[1]))


def _expected(name: str) -> Callable[[re.Match[str]], Reason]:
    return lambda _: Reason(f"expected {_NOUNS[name]}", _code(name))


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Reason]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), reason)
    for pattern, reason in (
        (r"Expected `([^`]+)`, got `([^`]+)`", _wrong_type),
        (r"Expected `(\w+)` of length (>=|<=) (\d+)", _wrong_length),
        (r"Expected `array` of (at least |at most )?length (\d+(?: to \d+)?), got (\d+)", _wrong_size),
        (r"Expected `(int|float)` ([<>]=?) (.+)", _out_of_range),
        (r"Expected `(int|float)` that's a multiple of (.+)", _not_a_multiple),
        (r"Expected `str` matching regex ('.*'|\".*\")", _pattern_mismatch),
        (
            r"Expected `(\w+)` with a timezone component",
            lambda m: Reason(f"expected {_NOUNS[m[1]]}, with an offset from UTC", _code(m[1])),
        ),
        (r"Expected `(\w+)` with no timezone component", _wrong_offset),
        (r"Expected `([^`]+)`", lambda m: Reason(f"expected {_noun(m[1])}", _code(m[1]))),
        (r"Invalid RFC3339 encoded (\w+)", lambda m: Reason(f"expected {_NOUNS.get(m[1], m[1])}", _code(m[1]))),
        (r"Invalid ISO8601 duration|Duration is out of range", _expected("duration")),
        (r"Invalid epoch timestamp|Timestamp is out of range", _expected("datetime")),
        (r"Invalid UUID", _expected("uuid")),
        (r"Invalid decimal string", _expected("decimal")),
        (r"Invalid base64 encoded string", _expected("bytes")),
        (r"(?:Integer value|Number) out of range", lambda _: Reason("the number is too large", "out_of_range")),
        (r"Invalid (?:enum )?value .+", lambda _: Reason("is not one of the allowed values", "not_a_choice")),
        (r"Object missing required field `.+`", lambda _: MISSING),
        (r"Object contains unknown field `.+`", lambda _: UNKNOWN),
    )
)


def reason_of(message: str) -> Reason:
    """Return the reason that corresponds to a msgspec message without its location; any other message becomes the
    reason unchanged.
    """
    for pattern, reason in _RULES:
        if found := pattern.fullmatch(message):
            return reason(found)
    return Reason(message)


def reason_for_text(message: str) -> Reason:
    """Return the reason for refusing a value that was sent as text. It doesn't mention the value's type, which is
    always a string.
    """
    reason = reason_of(message)
    if reason.detail == message:
        return reason
    return reason._replace(detail=reason.detail.partition(", got ")[0].removesuffix(" or null"))


def not_one_of(values: Sequence[Any]) -> Reason:
    """Return the reason why a value isn't one of the allowed values."""
    shown = [*values[:_SHOWN]]
    listed = [msgspec.json.encode(value).decode() for value in shown]
    if len(values) > _SHOWN:
        listed.append("...")
    detail = f"expected {listed[0]}" if len(listed) == 1 else f"expected one of {', '.join(listed)}"
    return Reason(detail, "not_a_choice", {"choices": shown})


_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(.+)`", re.DOTALL)


def located(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the location of a fault that msgspec found, as a JSON Pointer (RFC 6901), and its message.

    If msgspec doesn't say which member of an object is wrong, the pointer is that of the object.
    """
    message, place = _placed(error)
    pointer = _pointer(place.removeprefix("key` in `").removeprefix("$"))
    if field := _FIELD.fullmatch(message):
        pointer += step_to(field[1])
    return pointer, message


class FirstFault(NamedTuple):
    """The first fault in a value: the name or index of the nested value, if known, and its error."""

    step: str | int | None
    error: msgspec.ValidationError


def first_step(error: msgspec.ValidationError) -> FirstFault:
    """Return a value's fault as a fault in one of its nested values."""
    message, place = _placed(error)
    of_key, root, path = place.partition("$")
    step = _STEP.match(path)
    if step is None:
        return FirstFault(None, error)
    rest = of_key + root + path[step.end() :]
    inner = msgspec.ValidationError(message if rest == root else f"{message} - at `{rest}`")
    inner.__cause__ = error.__cause__
    return FirstFault(int(step[2]) if step[1] is None else step[1], inner)


def _placed(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a msgspec message into the message itself and the location, in msgspec's notation."""
    message, found, place = str(error).rpartition(" - at `")
    return (message, place[:-1]) if found and place.endswith("`") else (str(error), "")


def _pointer(path: str) -> str:
    pointer, at = "", 0
    while step := _STEP.match(path, at):
        pointer += pointer_step(step[1]) if step[1] is not None else f"/{step[2]}"
        at = step.end()
    return pointer


_NAME = 200
"""The maximum number of a name's characters that are shown."""


def shortened(text: str, most: int) -> str:
    """Return text, cut to ``most`` characters and an ellipsis if it is longer."""
    return text if len(text) <= most else f"{text[:most]}…"


def step_to(name: str) -> str:
    """Return the JSON Pointer step to a member whose name comes from the client; a long name is cut."""
    return pointer_step(shortened(name, _NAME))


LISTED = 100
"""The maximum number of invalid fields that an error lists."""

COUNTED = 1000
"""The number of invalid fields after which the search stops."""

_TEXT = 1024
"""The maximum length of a listed pointer and of a listed detail, in which a ``__post_init__`` may quote the value."""

_ROOM = 128 << 10
"""The maximum size of the list in bytes of JSON: less than LISTED and _TEXT allow, because a character can take six
bytes.
"""


def _nuls_in(value: Any, name: str = "") -> Iterator[str]:
    """Yield the pointer to each string and name with NUL. A name is that of the value in what contains it."""
    if "\0" in name or (isinstance(value, str) and "\0" in value):
        yield ""
    if isinstance(value, list | dict):
        for step, part in enumerate(value) if isinstance(value, list) else value.items():
            if isinstance(part, str | list | dict) or isinstance(step, str):
                for pointer in _nuls_in(part, str(step)):
                    yield step_to(str(step)) + pointer


class Faults:
    """The invalid fields of a value: each has a JSON Pointer (RFC 6901), a human-readable detail and a code.

    ``stopped`` is True if the search ended early, so that there may be more.
    """

    __slots__ = ("_room", "listed", "stopped", "total")

    def __init__(self) -> None:
        self.listed: list[FieldProblem] = []
        self.total = 0
        self.stopped = False
        self._room = _ROOM

    @property
    def full(self) -> bool:
        """True if no further faults are counted."""
        return self.total > COUNTED

    @property
    def enough(self) -> bool:
        """True if the search should end."""
        return self.stopped or self.full

    @property
    def has_room(self) -> bool:
        """True if a further fault is listed, not counted alone."""
        return len(self.listed) < LISTED and self._room > 0

    def add(self, pointer: str, reason: Reason) -> None:
        """Add a fault."""
        self.total += not self.full
        if self.has_room:
            fault: FieldProblem = {
                "pointer": shortened(pointer, _TEXT),
                "detail": shortened(reason.detail, _TEXT),
                "code": reason.code,
                **reason.bounds,  # type: ignore[typeddict-item]  # mypy wants each that is not required
            }
            self._room -= len(msgspec.json.encode(fault))
            self.listed.append(fault)

    def add_nuls(self, value: object) -> None:
        """Add each string and name with NUL in decoded JSON."""
        for pointer in _nuls_in(value):
            self.add(pointer, HAS_NUL)
            if self.full:
                return

    def add_listed(self, pointer: str, error: UnprocessableContent) -> None:
        """Add the faults that an error lists for the value at a pointer."""
        for fault in error.errors:
            bounds = {name: bound for name, bound in fault.items() if name not in ("pointer", "detail", "code")}
            code = cast(FieldProblemCode, fault.get("code", "invalid"))
            self.add(pointer + fault["pointer"], Reason(fault["detail"], code, cast(FaultBounds, bounds)))

    def error(self, where: str = "") -> UnprocessableContent:
        """Return the 422 that lists the faults. ``where`` follows *fields* in its detail, as in `` of the form``."""
        total = counted(COUNTED if self.full else self.total, "field")
        least = "more than " if self.full else "at least " if self.stopped else ""
        detail = f"{least}{total}{where} {'is' if self.total == 1 else 'are'} wrong"
        if self.total > len(self.listed):
            detail += f", of which the first {len(self.listed)} are listed"
        return UnprocessableContent(detail, members={"errors": self.listed})
