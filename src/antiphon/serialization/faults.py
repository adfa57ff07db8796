"""A list of invalid fields, limited in number and size."""

import re
from typing import NamedTuple, cast

import msgspec

from antiphon.http.errors import FaultBounds, FaultCode, FieldFault, UnprocessableContent
from antiphon.serialization.json import pointer_step
from antiphon.serialization.reasons import Reason, counted

_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]")
_FIELD = re.compile(r"Object (?:missing required|contains unknown) field `(.+)`", re.DOTALL)


def located(error: msgspec.ValidationError) -> tuple[str, str]:
    """Return the place of a fault that msgspec found, as a JSON Pointer (RFC 6901), and its message.

    If msgspec doesn't say which member of an object it means, the pointer is the object's.
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
    """Return the fault of a value as a fault in one of its parts."""
    message, place = _placed(error)
    step = _STEP.match(place, 1) if place.startswith("$") else None
    if step is None:
        return FirstFault(None, error)
    rest = place[step.end() :]
    inner = msgspec.ValidationError(f"{message} - at `${rest}`" if rest else message)
    inner.__cause__ = error.__cause__
    return FirstFault(int(step[2]) if step[1] is None else step[1], inner)


def _placed(error: msgspec.ValidationError) -> tuple[str, str]:
    """Split a message of msgspec into the message itself and the place, in msgspec's notation."""
    message, found, place = str(error).rpartition(" - at `")
    return (message, place[:-1]) if found and place.endswith("`") else (str(error), "")


def _pointer(path: str) -> str:
    pointer, at = "", 0
    while step := _STEP.match(path, at):
        pointer += pointer_step(step[1]) if step[1] is not None else f"/{step[2]}"
        at = step.end()
    return pointer


_NAME = 200
"""How many characters of a name are shown."""


def shortened(text: str, most: int) -> str:
    """Return a text, cut to ``most`` characters and an ellipsis if it is longer."""
    return text if len(text) <= most else f"{text[:most]}…"


def step_to(name: str) -> str:
    """Return the step of a JSON Pointer to a member that the client named, with a long name cut."""
    return pointer_step(shortened(name, _NAME))


LISTED = 100
"""How many invalid fields an error lists."""

COUNTED = 1000
"""How many invalid fields are searched for."""

_TEXT = 1024
"""How many characters of a pointer and a detail are listed: a ``__post_init__`` may quote the value in its detail."""

_ROOM = 128 << 10
"""The maximum size of the list in bytes of JSON: less than LISTED and _TEXT allow, as a character can take six."""


class Faults:
    """The invalid fields of a value: each has a JSON Pointer (RFC 6901), a detail in words and a code.

    ``stopped`` is True if the search ended early, so that there may be more.
    """

    __slots__ = ("_room", "listed", "stopped", "total")

    def __init__(self) -> None:
        self.listed: list[FieldFault] = []
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

    def add(self, pointer: str, reason: Reason) -> None:
        """Add a fault."""
        self.total += not self.full
        if len(self.listed) < LISTED and self._room > 0:
            fault: FieldFault = {
                "pointer": shortened(pointer, _TEXT),
                "detail": shortened(reason.detail, _TEXT),
                "code": reason.code,
                **reason.bounds,
            }
            self._room -= len(msgspec.json.encode(fault))
            self.listed.append(fault)

    def add_listed(self, pointer: str, error: UnprocessableContent) -> None:
        """Add the faults that an error lists for the value at a pointer."""
        for fault in error.errors:
            bounds = {name: bound for name, bound in fault.items() if name not in ("pointer", "detail", "code")}
            code = cast(FaultCode, fault.get("code", "invalid"))
            self.add(pointer + fault["pointer"], Reason(fault["detail"], code, cast(FaultBounds, bounds)))

    def error(self, where: str = "") -> UnprocessableContent:
        """Return the 422 that lists the faults. ``where`` follows *fields* in its detail, as in `` of the form``."""
        total = counted(COUNTED if self.full else self.total, "field")
        least = "more than " if self.full else "at least " if self.stopped else ""
        detail = f"{least}{total}{where} {'is' if self.total == 1 else 'are'} wrong"
        if self.total > len(self.listed):
            detail += f", of which the first {len(self.listed)} are listed"
        return UnprocessableContent(detail, members={"errors": self.listed})
