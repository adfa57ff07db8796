"""A fair queue for an event loop's large bodies, so that none of them keeps the others or the loop waiting.

A body acquires the queue before the server delivers its next chunk, and releases it when the chunk has arrived. Then
the next body in line acquires it, in the loop's next pass. A body whose chunks arrive late doesn't hold up the queue.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from contextlib import suppress
from contextvars import Context
from time import monotonic
from weakref import WeakKeyDictionary

HELD = 0.002
"""The maximum number of seconds for which a body may hold the queue. Servers that fetch a chunk on a thread need some
of that time.
"""


class Member:
    """A body in its loop's queue."""

    __slots__ = ("acquired_at", "is_slow", "queue")

    def __init__(self, queue: "FairQueue") -> None:
        self.queue = queue
        self.acquired_at = 0.0
        self.is_slow = False
        """True if its last chunk arrived late. It then doesn't hold up the queue while it waits for the next one."""


class FairQueue:
    """A loop's queue: first come, first served."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Member, Future[None]]] = deque()
        self._last: Member | None = None
        self._holder: Member | None = None
        """The last member, until its chunk has arrived."""
        self._is_next_scheduled = False
        self._is_watched = False

    def try_acquire(self, member: Member) -> bool:
        """Acquire the queue and return True, unless another member has had it since, or is waiting for it."""
        # Who had the last turn may go on, since nobody else is in line.
        if self._waiting or (self._last is not member and self._last is not None):
            return False
        self._give_to(member)
        return True

    async def acquire(self, member: Member) -> None:
        """Wait in line and acquire the queue."""
        loop = get_running_loop()
        waiter: Future[None] = loop.create_future()
        self._waiting.append((member, waiter))
        self._schedule_next(loop)
        if not self._is_watched:
            self._watch(loop, 0.0)
        try:
            await waiter
        except BaseException:
            # It is no longer in line if its turn came in the same pass as the cancellation.
            with suppress(ValueError):
                self._waiting.remove((member, waiter))
            # It may have got the queue in that pass.
            self.release(member)
            raise

    def release(self, member: Member) -> None:
        """Release the queue: the chunk has arrived or won't arrive."""
        member.is_slow = monotonic() - member.acquired_at > HELD
        if self._holder is member:
            self._holder = None
        if self._waiting:
            self._schedule_next(self._waiting[0][1].get_loop())

    def _give_to(self, member: Member) -> None:
        member.acquired_at = monotonic()
        self._last = member
        self._holder = None if member.is_slow else member

    def _schedule_next(self, loop: AbstractEventLoop) -> None:
        """Give the queue to the next member in the loop's next pass, unless it is held."""
        if self._holder is None and not self._is_next_scheduled:
            self._is_next_scheduled = True
            loop.call_soon(self._give_to_next, loop)

    def _give_to_next(self, loop: AbstractEventLoop) -> None:
        self._is_next_scheduled = False
        while self._waiting:
            member, waiter = self._waiting.popleft()
            # The others were cancelled.
            if not waiter.done():
                self._give_to(member)
                waiter.set_result(None)
                self._schedule_next(loop)
                return

    def _watch(self, loop: AbstractEventLoop, held_since: float) -> None:
        """Take the queue from a member that has held it since the last check. Check again while others wait."""
        if self._holder is not None and self._holder.acquired_at == held_since:
            self._holder = None
            self._schedule_next(loop)
        self._is_watched = bool(self._waiting)
        if self._is_watched:
            held_since = self._holder.acquired_at if self._holder is not None else 0.0
            loop.call_later(HELD, self._watch, loop, held_since, context=Context())  # not that of the first request


_by_loop: WeakKeyDictionary[AbstractEventLoop, FairQueue] = WeakKeyDictionary()


def new_member() -> Member:
    """Return a new member of the running loop's queue."""
    loop = get_running_loop()
    queue = _by_loop.get(loop)
    if queue is None:
        queue = _by_loop[loop] = FairQueue()
    return Member(queue)
