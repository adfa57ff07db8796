"""The progress of a body that is being received, as a value."""

from typing import NamedTuple, Self

from antiphon.body.content import Content


class Progress(NamedTuple):
    """The ``received`` bytes of ``total``, as they are sent. ``total`` is None if no valid length is declared."""

    received: int
    total: int | None
    is_complete: bool = False
    """True if all of the body was received."""

    @classmethod
    def of(cls, body: Content) -> Self:
        """Return the current progress of a body."""
        total, received = body.readable_length, body.received
        is_whole = body.is_complete and body.failure is None  # a refused body is complete, too, and has a failure
        return cls(received, total, is_whole and (total is None or received == total))

    @property
    def fraction(self) -> float | None:
        """The received part, from 0.0 to 1.0; None while it is unknown."""
        if self.is_complete:
            return 1.0
        return min(self.received / self.total, 1.0) if self.total else None
