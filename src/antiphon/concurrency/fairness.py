"""Large bodies on one event loop take turns, so that what else is on it need not wait for all of them.

A turn is the permission to have the server give the next chunk, and ends when that has come. Then the next one begins,
in the loop's next pass; but a body whose chunks let wait holds up nobody.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from contextlib import suppress
from time import monotonic
from weakref import WeakKeyDictionary

HELD = 0.002
"""Seconds for which a turn is held until its chunk comes: servers that fetch it on a thread need some of that."""


class Turn:
    """One body's place among those of its loop."""

    __slots__ = ("is_slow", "since", "turns")

    def __init__(self, turns: "Turns") -> None:
        self.turns = turns
        self.since = 0.0
        """When it began last."""
        self.is_slow = False
        """Whether its last chunk let wait: then it is not held for the next one."""


class Turns:
    """Those of one loop: first come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Turn, Future[None]]] = deque()
        self._last: Turn | None = None
        self._held: Turn | None = None
        """The last one, until its chunk has come."""
        self._is_due = False
        """Whether the next one begins in the next pass of the loop."""
        self._is_watched = False

    def begins(self, turn: Turn) -> bool:
        """Begin, unless another body has had a turn since its last one, or waits for one: then it has to ``come``."""
        if self._waiting or (self._last is not turn and self._last is not None):
            return False
        self._begin(turn)
        return True

    def _begin(self, turn: Turn) -> None:
        turn.since = monotonic()
        self._last = turn
        self._held = None if turn.is_slow else turn

    async def come(self, turn: Turn) -> None:
        """Wait until the turn has begun."""
        loop = get_running_loop()
        waiter: Future[None] = loop.create_future()
        self._waiting.append((turn, waiter))
        self._go_on(loop)
        if not self._is_watched:
            self._watch(loop, 0.0)
        try:
            await waiter
        except BaseException:
            with suppress(ValueError):
                self._waiting.remove((turn, waiter))
            self.end(turn)
            raise

    def end(self, turn: Turn) -> None:
        """Say that the chunk has come, or won't."""
        turn.is_slow = monotonic() - turn.since > HELD
        if self._held is turn:
            self._held = None
        if self._waiting:
            self._go_on(self._waiting[0][1].get_loop())

    def _go_on(self, loop: AbstractEventLoop) -> None:
        """Have the next one begin in the next pass of the loop, unless one is held."""
        if self._held is None and not self._is_due:
            self._is_due = True
            loop.call_soon(self._next, loop)

    def _next(self, loop: AbstractEventLoop) -> None:
        self._is_due = False
        while self._waiting:
            turn, waiter = self._waiting.popleft()
            if not waiter.done():
                self._begin(turn)
                waiter.set_result(None)
                self._go_on(loop)
                return

    def _watch(self, loop: AbstractEventLoop, since: float) -> None:
        """As long as anybody waits, no longer hold one that was held the last time."""
        if self._held is not None and self._held.since == since:
            self._held = None
            self._go_on(loop)
        self._is_watched = bool(self._waiting)
        if self._is_watched:
            loop.call_later(HELD, self._watch, loop, self._held.since if self._held is not None else 0.0)


_of_loops: WeakKeyDictionary[AbstractEventLoop, Turns] = WeakKeyDictionary()


def new_turn() -> Turn:
    """One for a body that is received on the running loop."""
    loop = get_running_loop()
    turns = _of_loops.get(loop)
    if turns is None:
        turns = _of_loops[loop] = Turns()
    return Turn(turns)
