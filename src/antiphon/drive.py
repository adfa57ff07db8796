"""The two drivers: they take a handler's steps to their end, on a thread or on an event loop.

A request is one task at most. Steps are never closed: cancellation is thrown into them, they are driven on until they
end, and only then is it raised again.
"""

from collections.abc import Awaitable
from contextvars import Context, copy_context
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, TypeVar

from antiphon.handler import ON_LOOP, ON_THREAD, Effect, Steps, Switch

if TYPE_CHECKING:
    from antiphon.threads import Crossing

T = TypeVar("T")

Waiting: TypeAlias = Awaitable[Any] | Literal[Switch.ON_LOOP]


def advance(steps: Steps[T]) -> tuple[Waiting | None, T | None]:
    """Take steps as far as they go on a thread: what they want of a loop next, or None and what they returned."""
    try:
        while (effect := steps.send(None)) is ON_THREAD:
            pass
    except StopIteration as end:
        return None, end.value
    return effect, None


def run_sync(steps: Steps[T], context: Context) -> T:
    """Drive steps on this thread, in a context. As soon as they need a loop they go on on that of this process.

    What they do on threads is done in that same context then, too.
    """
    waiting, result = context.run(advance, steps)
    if waiting is None:
        return result  # type: ignore[return-value]  # steps that have ended gave their T
    from antiphon.background import background_loop
    from antiphon.threads import Crossing, carry

    if waiting is ON_LOOP:
        return background_loop().run(run_async(steps, waiting), context)
    on_loop = context.copy()
    try:
        return background_loop().run(run_async(steps, waiting, Crossing(context)), on_loop)
    finally:
        context.run(carry, on_loop, {})


def run_at_exit(steps: Steps[None]) -> None:
    """Drive steps while the interpreter exits, when no thread can be started any more."""
    context = copy_context()
    waiting, _ = context.run(advance, steps)
    if waiting is None:
        return
    from antiphon.background import started_loop

    rest = run_async(steps, waiting)
    if loop := started_loop():
        loop.run(rest, context)
    else:
        import asyncio

        context.run(asyncio.run, rest)


async def run_async(steps: Steps[T], effect: Effect | None = None, crossing: "Crossing | None" = None) -> T:
    """Drive steps on the running loop, in the current task.

    ``effect`` is what they have yielded already, ``crossing`` the way to the threads that they have been on.
    """
    cancelled: BaseException | None = None
    value: object = None
    try:
        if effect is None:
            effect = steps.send(None)
        while True:
            try:
                if effect is ON_THREAD:
                    if crossing is None:
                        from antiphon.threads import Crossing

                        crossing = Crossing()
                    effect, result = await crossing.run(partial(advance, steps))
                    if effect is None:
                        break
                value = None if isinstance(effect, Switch) else await effect
            except BaseException as error:
                if not isinstance(error, Exception):
                    cancelled = error
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
    except StopIteration as end:
        result = end.value
    if cancelled is not None:
        raise cancelled
    return result  # type: ignore[return-value]  # steps that have ended gave their T
