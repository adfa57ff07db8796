"""A list of wrong fields, bounded in number and size, and the words for each."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from antiphon.http.errors import FieldError, UnprocessableContent
from antiphon.serialization.json import pointer_step

_SHOWN = 20
"""How many of the allowed values a message lists."""

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


def _noun(names: str) -> str:
    """Say ``int | null`` as ``an integer or null``."""
    return " or ".join(_NOUNS.get(name, name) for name in names.split(" | "))


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, such as ``1 item`` and ``2 items``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _wrong_type(found: re.Match[str]) -> str:
    return f"expected {_noun(found[1])}, got {_GIVEN.get(found[2], found[2])}"


def _wrong_length(found: re.Match[str]) -> str:
    length = counted(int(found[3]), _UNITS.get(found[1], "character"))
    return f"expected {_noun(found[1])} {_BOUNDS[found[2]]} {length}"


def _wrong_size(found: re.Match[str]) -> str:
    noun = "item" if found[2] == "1" else "items"
    return f"expected an array of {found[1] or ''}{found[2]} {noun}, got {found[3]}"


def _wrong_offset(found: re.Match[str]) -> str:
    return f"expected {_NOUNS[found[1]].removesuffix('Z')}, without an offset from UTC"


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), say)
    for pattern, say in (
        (r"Expected `([^`]+)`, got `([^`]+)`", _wrong_type),
        (r"Expected `(\w+)` of length (>=|<=) (\d+)", _wrong_length),
        (r"Expected `array` of (at least |at most )?length (\d+(?: to \d+)?), got (\d+)", _wrong_size),
        (r"Expected `(int|float)` ([<>]=?) (.+)", lambda m: f"expected {_noun(m[1])} {_BOUNDS[m[2]]} {m[3]}"),
        (
            r"Expected `(int|float)` that's a multiple of (.+)",
            lambda m: f"expected {_NOUNS[m[1]]} divisible by {m[2]}",
        ),
        (r"Expected `str` matching regex (['\"])(.*)\1", lambda m: f"expected a string that matches {m[2]}"),
        (
            r"Expected `(\w+)` with a timezone component",
            lambda m: f"expected {_NOUNS[m[1]]}, with an offset from UTC",
        ),
        (r"Expected `(\w+)` with no timezone component", _wrong_offset),
        (r"Expected `([^`]+)`", lambda m: f"expected {_noun(m[1])}"),
        (r"Invalid RFC3339 encoded (\w+)", lambda m: f"expected {_NOUNS.get(m[1], m[1])}"),
        (r"Invalid ISO8601 duration|Duration is out of range", lambda _: f"expected {_NOUNS['duration']}"),
        (r"Invalid epoch timestamp|Timestamp is out of range", lambda _: f"expected {_NOUNS['datetime']}"),
        (r"Invalid UUID", lambda _: f"expected {_NOUNS['uuid']}"),
        (r"Invalid decimal string", lambda _: f"expected {_NOUNS['decimal']}"),
        (r"Invalid base64 encoded string", lambda _: f"expected {_NOUNS['bytes']}"),
        (r"(?:Integer value|Number) out of range", lambda _: "the number is too large"),
        (r"Invalid (?:enum )?value .+", lambda _: "is not one of the allowed values"),
        (r"Object missing required field `.+`", lambda _: "is missing"),
        (r"Object contains unknown field `.+`", lambda _: "is unknown"),
    )
)

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(.+)`", re.DOTALL)


def in_plain_words(message: str) -> str:
    """Say a message of msgspec, without its place, in plain words; return any other message unchanged."""
    for pattern, say in _RULES:
        if found := pattern.fullmatch(message):
            return say(found)
    return message


def of_text(message: str) -> str:
    """Say a message about a value that came as text, without naming the type it has: that is always a string."""
    words = in_plain_words(message)
    return message if words == message else words.partition(", got ")[0].removesuffix(" or null")


def located(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the place of a fault that msgspec found, as a JSON Pointer (RFC 6901), and its message.

    Where msgspec doesn't say which member of an object it means, the pointer is the object's.
    """
    message, place = _placed(error)
    pointer = _pointer(place.removeprefix("key` in `").removeprefix("$"))
    if field := _FIELD.fullmatch(message):
        pointer += step_to(field[1])
    return pointer, message


class FirstFault(NamedTuple):
    """The first fault in a value: the name or index of the part that has it, if known, and the error in that part."""

    step: str | int | None
    error: msgspec.ValidationError


def first_step(error: msgspec.ValidationError) -> FirstFault:
    """Return the fault of a value as a fault of one of its parts."""
    message, place = _placed(error)
    step = _STEP.match(place, 1) if place.startswith("$") else None
    if step is None:
        return FirstFault(None, error)
    rest = place[step.end() :]
    inner = msgspec.ValidationError(f"{message} - at `${rest}`" if rest else message)
    return FirstFault(int(step[2]) if step[1] is None else step[1], inner)


def _placed(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a message of msgspec into the message and the place, as msgspec writes that."""
    message, found, place = str(error).rpartition(" - at `")
    return (message, place[:-1]) if found and place.endswith("`") else (str(error), "")


def _pointer(path: str) -> str:
    pointer, at = "", 0
    while step := _STEP.match(path, at):
        pointer += pointer_step(step[1]) if step[1] is not None else f"/{step[2]}"
        at = step.end()
    return pointer


def one_of(values: Sequence[object]) -> str:
    """Return the detail for a value that is not one of those allowed."""
    listed = [msgspec.json.encode(value).decode() for value in values[:_SHOWN]]
    if len(values) > _SHOWN:
        listed.append("...")
    return f"expected {listed[0]}" if len(listed) == 1 else f"expected one of {', '.join(listed)}"


_NAME = 200
"""How many characters of a name are shown."""


def shortened(text: str, most: int) -> str:
    """Return a text, cut to ``most`` characters and an ellipsis if it is longer."""
    return text if len(text) <= most else f"{text[:most]}…"


def step_to(name: str) -> str:
    """Return the step of a JSON Pointer to a member that the client named, with a long name cut."""
    return pointer_step(shortened(name, _NAME))


LISTED = 100
"""How many wrong fields an error lists."""

COUNTED = 1000
"""How many wrong fields are looked for."""

_TEXT = 1024
"""How many characters of a pointer are listed, and of a detail: that of a ``__post_init__`` may quote the value."""

_ROOM = 128 << 10
"""How many bytes the list may have in JSON: less than LISTED and _TEXT allow, as characters may take six bytes."""


class Faults:
    """The wrong fields of a value: each has a JSON Pointer (RFC 6901) and a detail in words.

    ``stopped`` is True if the search ended early, so that there may be more.
    """

    __slots__ = ("_room", "listed", "stopped", "total")

    def __init__(self) -> None:
        self.listed: list[FieldError] = []
        self.total = 0
        self.stopped = False
        self._room = _ROOM

    @property
    def full(self) -> bool:
        """True if no more faults are counted."""
        return self.total > COUNTED

    @property
    def enough(self) -> bool:
        """True if the search should end."""
        return self.stopped or self.full

    def add(self, pointer: str, detail: str) -> None:
        """Add a fault."""
        self.total += not self.full
        if len(self.listed) < LISTED and self._room > 0:
            fault: FieldError = {"pointer": shortened(pointer, _TEXT), "detail": shortened(detail, _TEXT)}
            self._room -= len(msgspec.json.encode(fault))
            self.listed.append(fault)

    def error(self, where: str = "") -> UnprocessableContent:
        """Return the 422 that lists the faults. ``where`` follows *fields* in its detail: `` of the form``."""
        total = counted(COUNTED if self.full else self.total, "field")
        least = "more than " if self.full else "at least " if self.stopped else ""
        detail = f"{least}{total}{where} {'is' if self.total == 1 else 'are'} wrong"
        if self.total > len(self.listed):
            detail += f", of which the first {len(self.listed)} are listed"
        return UnprocessableContent(detail, errors=self.listed)
