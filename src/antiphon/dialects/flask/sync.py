"""Steps and coroutines that are run from a thread: on it as far as they block, and else on an event loop.

The loop is that of the server for whose request the thread works, or the background loop of the process over WSGI.
There is one for all requests.
"""

from collections.abc import Callable, Coroutine
from contextvars import copy_context
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.embedding import Steps, describe, driven, is_on_loop

if TYPE_CHECKING:
    from contextvars import Context

    from antiphon.dialects.flask.ctx import AppContext

T = TypeVar("T")


def drive(ctx: "AppContext", steps: Steps[T]) -> T:
    """Run steps from this thread, and return their result. Raises what they raise."""
    if ctx.is_on_loop:
        return _drive_from_loop(ctx, steps)
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # the steps' T
    try:  # steps on a thread only wait for a loop
        return _finish_on_loop(steps)
    finally:
        ctx.is_on_loop = False


def _drive_from_loop(ctx: "AppContext", steps: Steps[T]) -> T:
    """Run steps that code on an event loop has called, as far as they need no other place."""
    ctx.is_on_loop = False
    try:
        return drive(ctx, steps)
    finally:
        ctx.is_on_loop = True


def _finish_on_loop(steps: Steps[T]) -> T:
    """Go on with steps that need a loop. What they have left for a thread runs on this one."""
    from antiphon.embedding import Crossing, copy_variables

    here = copy_context()
    crossing = Crossing(copy_context())
    try:
        return run_on_loop(driven(steps, crossing), here)
    finally:
        copy_variables(here, {})


def run_on_loop(coroutine: Coroutine[Any, Any, T], context: "Context") -> T:
    """Run a coroutine on the event loop of the current request, and wait for its result on this thread.

    Raises RuntimeError on a thread on which a loop runs.
    """
    from antiphon.embedding import run_on_loop as run  # late: few programs need a background loop

    if is_on_loop():
        coroutine.close()
        raise RuntimeError("this would keep the event loop of this thread waiting for itself: await the coroutine")
    return run(coroutine, context)


def async_to_sync(function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    """Return a function that runs a coroutine function on the loop of the current request, and waits for its result."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        from antiphon.embedding import copy_variables

        if is_on_loop():
            raise RuntimeError(f"{describe(function)} is `async def`, and is called on an event loop: await it there")
        context = copy_context()
        try:
            return run_on_loop(function(*args, **kwargs), context)
        finally:
            copy_variables(context, {})

    return call
