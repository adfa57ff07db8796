"""The event loop of a thread or a process: finding it, yielding to it, waiting for it, and looking async to it."""

import sys
import threading
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeVar, cast

from antiphon.explanations import explained

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop, Task

TIME_SLICE = 0.01
"""The seconds for which a coroutine that never has to wait may keep the event loop before it yields.

Longer than ``sys.getswitchinterval()``: a loop that releases and reacquires the GIL more often may keep a server's
threads from acquiring it for seconds.
"""


class _Thread(threading.local):
    loop: "AbstractEventLoop | None" = None


thread = _Thread()
"""The event loop for which this thread is making a call, if any, as ``loop``."""

_background: "dict[AbstractEventLoop, int]" = {}
"""Background loops, and the identifiers of the threads, or of gevent's greenlets, on which they run."""


def note_background_loop(loop: "AbstractEventLoop") -> None:
    """Record that a background loop is running on the current thread."""
    _background[loop] = threading.get_ident()


def forget_background_loops() -> None:
    """Forget all recorded loops, which run in this process's parent."""
    _background.clear()


def is_on_background_loop() -> bool:
    """Return True on the thread of a background loop, the only kind of loop on which code can run over WSGI."""
    return threading.get_ident() in [*_background.values()]  # a copy, made atomically: other threads may add loops


def is_on_loop() -> bool:
    """Return True if code here would block an event loop. Does not import asyncio."""
    loop = running_loop()
    return loop is not None and _background.get(loop) in (None, threading.get_ident())


def refuse_on_loop(call: str, instead: str) -> None:
    """Raise RuntimeError on an event loop, which a call would block. ``instead`` is the call to await."""
    if is_on_loop():
        raise explained(
            "would-block-loop", f"{call} would block this event loop: await {instead} instead", RuntimeError
        )


def running_loop() -> "AbstractEventLoop | None":
    """Return the event loop that is running on this thread, or None. With gevent, it may belong to another greenlet."""
    asyncio = sys.modules.get("asyncio")
    # While another thread is still importing asyncio, no loop can run here. The public function would raise.
    find = getattr(asyncio, "_get_running_loop", None)
    return None if find is None else find()


def serves_elsewhere(loop: "AbstractEventLoop") -> bool:
    """Return True if the event loop for requests is a different one. Threads serve the loop that calls them.

    A background loop serves WSGI, where another loop on the thread, such as a test's, takes no part in any request.
    """
    return loop not in _background and running_loop() not in (None, loop)


async def yield_to_loop() -> None:
    """Let the event loop run other tasks that are due. Awaiting something that is already done doesn't do this."""
    # Imported here, because a threaded server needs no asyncio.
    from asyncio import sleep

    await sleep(0)


async def drop_withdrawn_cancellation() -> None:
    """Receive a cancellation that was withdrawn before it reached the current task, and drop it.

    Before Python 3.13, ``uncancel`` alone doesn't stop it. Raises a cancellation that is requested in the meantime.
    """
    from asyncio import CancelledError, current_task, sleep

    try:
        await sleep(0)
    except CancelledError:
        task = current_task()
        if task is None or task.cancelling():
            raise


async def wait_ended(task: "Task[Any]", grace: float | None = None) -> None:
    """Wait until a task has ended, even if this wait is cancelled. Raises that cancellation afterwards.

    The task is cancelled after ``grace`` seconds, unless that is None, and when the wait is cancelled.
    """
    from asyncio import CancelledError, wait

    cancellation = None
    while not task.done():
        try:
            await wait([task], timeout=grace)
        except CancelledError as error:
            cancellation = error
        if not task.done():
            task.cancel()
        # The time is over once: from here on, the task gets what it needs to clean up.
        grace = None
    if cancellation is not None:
        raise cancellation


F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")


ENDING_LOOP = SystemExit, KeyboardInterrupt
"""The errors that end the loop of a task that raises them."""


async def contained(steps: Awaitable[T]) -> T:
    """Await the application's code in a task of its own. Raises RuntimeError for what would end the loop."""
    try:
        return await steps
    except ENDING_LOOP as error:
        raise RuntimeError(f"the application raised {error!r}") from error


class CoroutineFunctionLike:
    """A callable with the code of a coroutine function, by which ``inspect`` and servers recognize it."""

    __name__ = "__call__"
    __defaults__ = __kwdefaults__ = None

    async def _model(*arguments: Any) -> None:
        """Do nothing: only the code of this function is used."""

    __code__ = _model.__code__
    __annotations__ = {}

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    def __call__(self, *arguments: Any) -> Any:
        return self._call(*arguments)


class _LooksAsync:
    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function

    def __get__(self, instance: object, owner: type) -> Callable[..., Any]:
        if instance is None:
            return self._function
        return CoroutineFunctionLike(self._function.__get__(instance))


def looks_async(method: F) -> F:
    """Make a method look like a coroutine function on instances. On the class, it stays unchanged.

    Each access and each call creates an object, so use this only for methods that are rarely called.
    """
    return cast("F", _LooksAsync(method))
