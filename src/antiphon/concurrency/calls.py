"""Blocking calls: a thread makes each of them while a task waits for it.

Each future of an executor has a condition for waiting threads; without it, a call takes up to a third less time.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from antiphon.concurrency.loop import thread

if TYPE_CHECKING:
    from antiphon.concurrency.workers import Home

T = TypeVar("T")


class Call(Generic[T]):
    """A call that one thread makes, once, while a task on the running loop waits for it.

    ``result`` is then the function's result, and ``error`` the error that it raised. ``is_last`` is True if ``ends`` is
    true for the result: the task is then unlikely to make another call. A call is done when its thread knows all this.
    """

    __slots__ = (
        "_claims", "_ends", "_function", "_loop", "_waiter", "begun_in", "error", "home", "is_done", "is_last",
        "queued", "result",
    )  # fmt: skip

    result: T
    error: BaseException | None

    def __init__(self, function: Callable[[], T], ends: Callable[[T], bool] | None = None) -> None:
        self._function = function
        self._ends = ends
        self.home: Home | None = None
        self.is_last = False
        self.begun_in: Context | None = None
        """The context of the request that this call begins; None if it continues one."""
        self.queued = 0.0
        """The time from which the call has waited for any thread."""
        self._loop = asyncio.get_running_loop()
        self._waiter = self._loop.create_future()
        # Popping from a list is atomic, so a claim needs no lock.
        self._claims = [None]
        self.is_done = False

    def claim(self) -> bool:
        """Claim the call. Returns True to exactly one caller, who then runs or drops it."""
        try:
            self._claims.pop()  # one of several threads succeeds
        except IndexError:
            return False
        return True

    def run(self) -> None:
        """Call the function."""
        outer, thread.loop = thread.loop, self._loop  # a thread that waits in one call may make others
        try:
            self.result = self._function()
            self.error = None
            self.is_last = self._ends is not None and self._ends(self.result)
        except BaseException as error:
            # It is raised in the waiting task.
            self.error = error
        finally:
            thread.loop = outer

    def refuse(self, error: BaseException) -> bool:
        """Make a call that no thread has claimed raise an error. Return False if one has."""
        is_claimed = self.claim()
        if is_claimed:
            self.error = error
            self.notify()
        return is_claimed

    def notify(self) -> None:
        """Record that the call is done, and wake the waiting task if its loop is still running."""
        # Before the wake, after which the task looks at it.
        self.is_done = True
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.wake)

    async def wait(self) -> None:
        """Wait until the call is done. After a cancellation, wait again."""
        # It was woken by a chunk, or cancelled: a future is done once.
        if self._waiter.done():
            self._waiter = self._loop.create_future()
        await self._waiter

    def wake(self) -> None:
        """End the wait of the task, on its loop."""
        if not self._waiter.done():
            self._waiter.set_result(None)


class Threads(Protocol):
    """One or more threads on which calls are made."""

    def run(self, call: Call[Any]) -> None:
        """Let a thread make a call."""
        ...
