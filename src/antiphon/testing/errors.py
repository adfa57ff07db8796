"""Errors of the test client, and timeouts whose errors show where the application hangs."""

import asyncio
import sys
import traceback
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from antiphon.testing.responses import ClientResponse


class ContractError(AssertionError):
    """A violation of the interface by the application, such as a body whose length differs from the declared one.

    With ``Client(app, contract=True)``, this includes a response that isn't in its handler's contract. The error is
    raised inside the application, and again by the client, so error handlers can't hide it.
    """


class BrokenResponse(ConnectionError):
    """A response that was cut short after its head, as it is when a server closes the connection."""


class HandshakeRefused(ConnectionError):
    """A handshake that received ``response`` instead of opening a WebSocket."""

    def __init__(self, response: "ClientResponse") -> None:
        super().__init__(f"the handshake was refused with {response.status} {response.reason}: {response.body[:200]!r}")
        self.response = response


class TooMuch(RuntimeError):
    """A longer body, or more redirects, than the client reads."""


class LifespanError(RuntimeError):
    """A failed startup or shutdown, as reported by the application."""


T = TypeVar("T")


async def within(seconds: float | None, work: Coroutine[Any, Any, T], message: Callable[[], str]) -> T:
    """Await a coroutine for at most ``seconds``.

    Raises TimeoutError; ``message`` is called before the coroutine is cancelled and returns the error's text. Without a
    limit, no event loop is needed.
    """
    if seconds is None:
        return await work
    limit = asyncio.timeout(seconds)
    text = ""
    try:
        async with limit:
            try:
                return await work
            except asyncio.CancelledError:
                text = message()
                raise
    except TimeoutError as error:
        if not limit.expired() or not text:
            raise
        raise TimeoutError(text) from error
    finally:
        del limit  # it refers to the task, and thus to its error, which refers to this frame


def task_position(task: "asyncio.Task[Any]") -> str:
    """Return the lines at which a task is waiting, outermost first; empty if it has ended."""
    frames: list[FrameType] = []
    waiting: Any = task.get_coro()
    while (frame := getattr(waiting, "cr_frame", None) or getattr(waiting, "ag_frame", None)) is not None:
        frames.append(frame)
        waiting = getattr(waiting, "cr_await", None) or getattr(waiting, "ag_await", None)
    return _lines(frames)


def thread_position(ident: int | None) -> str:
    """Return the lines that a thread is running, outermost first; empty when it has ended."""
    frame = sys._current_frames().get(ident or 0)  # noqa: SLF001 - there is no other way
    frames: list[FrameType] = []
    while frame is not None:
        frames.insert(0, frame)
        frame = frame.f_back
    return _lines(frames)


def _lines(frames: list[FrameType]) -> str:
    summary = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames)
    return "".join(summary.format())
