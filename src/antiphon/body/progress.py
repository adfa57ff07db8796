"""How far a body has come: a value, taken while it arrives."""

from typing import NamedTuple, Protocol, Self


class Arriving(Protocol):
    """A body that is being received."""

    @property
    def received(self) -> int: ...
    @property
    def is_complete(self) -> bool: ...
    @property
    def failure(self) -> Exception | None: ...
    @property
    def readable_length(self) -> int | None: ...


class Progress(NamedTuple):
    """``received`` bytes of ``total``, as they are sent; None where no total is declared, or a malformed one."""

    received: int
    total: int | None
    is_complete: bool = False
    """Whether all of it has come."""

    @classmethod
    def of(cls, body: Arriving) -> Self:
        """How far a body has come by now."""
        total, received = body.readable_length, body.received
        is_whole = body.is_complete and body.failure is None  # what is refused is given up as if it were complete
        return cls(received, total, is_whole and (total is None or received == total))

    @property
    def fraction(self) -> float | None:
        """From 0.0 to 1.0; None as long as nobody knows."""
        if self.is_complete:
            return 1.0
        return min(self.received / self.total, 1.0) if self.total else None
