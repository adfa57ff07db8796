"""An event loop on its own thread, for clients that are not async."""

import asyncio
import weakref
from collections.abc import Coroutine
from contextlib import closing
from threading import Lock, Thread, current_thread
from typing import Any, TypeVar

from antiphon.testing.errors import thread_position

T = TypeVar("T")

MARGIN = 2.0
"""The number of seconds that a coroutine gets beyond its own limit before its loop is considered blocked."""

STOP = 1.0
"""The number of seconds that the tasks of a stopped loop have to end."""


_lock = Lock()
_shared: "weakref.WeakValueDictionary[int, LoopThread]" = weakref.WeakValueDictionary()
"""The shared loops, by the identity of their owner, to which everything that shares a loop refers."""


class LoopThread:
    """An event loop that runs coroutines, in a copy of the caller's context, while the caller waits.

    The loop stops when ``close`` has been called as often as ``of`` has returned it, or when nothing refers to this
    object any more.
    """

    @classmethod
    def of(cls, owner: object) -> "LoopThread":
        """Return the loop that all callers with this owner share. The clients of one application share a loop, as the
        clients of a server do.
        """
        with _lock:
            shared = _shared.get(id(owner))
            if shared is None or not shared.is_usable:
                shared = _shared[id(owner)] = cls()
            shared._users += 1
            return shared

    def __init__(self) -> None:
        self._users = 0
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=_run_loop, args=(self._loop,), name="antiphon-testing", daemon=True)
        self._thread.start()
        self._stop = weakref.finalize(self, _stop_loop, self._loop, self._thread)

    @property
    def is_usable(self) -> bool:
        """True while the loop is running and not blocked."""
        return self._stop.alive and self._thread.is_alive()

    def run(self, coroutine: Coroutine[Any, Any, T], seconds: float | None) -> T:
        """Run a coroutine that ends by itself within ``seconds``, and return or raise its outcome.

        Raises TimeoutError if the coroutine can't end because the loop is blocked, which makes the loop unusable.
        """
        outcome = asyncio.run_coroutine_threadsafe(_outcome(coroutine), self._loop)
        try:
            value, error = outcome.result(None if seconds is None else seconds + MARGIN)
        except TimeoutError:
            self._stop.detach()
            self._loop.call_soon_threadsafe(self._loop.stop)
            where = thread_position(self._thread.ident)
            raise TimeoutError(f"the event loop has been blocked for {seconds} seconds, at\n{where}") from None
        except BaseException:
            outcome.cancel()
            raise
        if error is not None:
            try:
                raise error
            finally:
                del error, outcome  # otherwise, this frame, to which the error refers, would refer to it
        return value  # type: ignore[return-value]  # without an error there is a value

    def close(self) -> None:
        """Stop the loop, cancel its tasks and wait for them to end, unless other callers still share the loop."""
        with _lock:
            self._users -= 1
            is_shared = self._users > 0
        if not is_shared:
            self._stop()


def _run_loop(loop: asyncio.AbstractEventLoop) -> None:
    with closing(loop):  # also if a task raises SystemExit when it is cancelled
        try:
            loop.run_forever()
        finally:
            loop.run_until_complete(_cancel_tasks(loop))


def _stop_loop(loop: asyncio.AbstractEventLoop, thread: Thread) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(loop.stop)
    if thread is not current_thread():
        thread.join(2 * STOP)


async def _cancel_tasks(loop: asyncio.AbstractEventLoop) -> None:
    rest = asyncio.all_tasks() - {asyncio.current_task()}
    for task in rest:
        task.cancel()
    if rest:
        await asyncio.wait(rest, timeout=STOP)
    await loop.shutdown_asyncgens()


async def _outcome(coroutine: Coroutine[Any, Any, T]) -> tuple[T | None, BaseException | None]:
    """Return a coroutine's value and its error. An error such as SystemExit would end the loop if it were raised."""
    try:
        return await coroutine, None
    except asyncio.CancelledError:
        raise
    except BaseException as error:
        return None, error
