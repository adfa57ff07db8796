"""The list of what is wrong, which is bounded in number and in size."""

import msgspec

from antiphon.http.errors import UnprocessableContent
from antiphon.serialization.pointers import shortened
from antiphon.serialization.words import counted

LISTED = 100
"""How many wrong fields an error lists."""

COUNTED = 1000
"""How many wrong fields are looked for."""

_TEXT = 1024
"""How many characters of a pointer are listed, and of a detail: that of a ``__post_init__`` may quote the value."""

_ROOM = 128 << 10
"""How many bytes the list may have in JSON: less than LISTED and _TEXT allow, as characters may take six bytes."""


class Faults:
    """What was found to be wrong: each with its JSON Pointer (RFC 6901) and a detail in words.

    ``stopped`` says that the search went no further, though there may be more.
    """

    __slots__ = ("_room", "listed", "stopped", "total")

    def __init__(self) -> None:
        self.listed: list[dict[str, str]] = []
        self.total = 0
        self.stopped = False
        self._room = _ROOM

    @property
    def full(self) -> bool:
        """There are as many as are counted."""
        return self.total > COUNTED

    @property
    def enough(self) -> bool:
        """There is no use in looking for more."""
        return self.stopped or self.full

    def add(self, pointer: str, detail: str) -> None:
        """Note one more."""
        self.total += not self.full
        if len(self.listed) < LISTED and self._room > 0:
            fault = {"pointer": shortened(pointer, _TEXT), "detail": shortened(detail, _TEXT)}
            self._room -= len(msgspec.json.encode(fault))
            self.listed.append(fault)

    def error(self, where: str = "") -> UnprocessableContent:
        """The 422 that lists them. ``where`` follows *fields* in its detail: `` of the form``."""
        total = counted(COUNTED if self.full else self.total, "field")
        least = "more than " if self.full else "at least " if self.stopped else ""
        detail = f"{least}{total}{where} {'is' if self.total == 1 else 'are'} wrong"
        if self.total > len(self.listed):
            detail += f", of which the first {len(self.listed)} are listed"
        return UnprocessableContent(detail, errors=self.listed)
