"""The two drivers: they take a handler's steps to their end, on a thread or on an event loop.

A request is one task at most. Steps are never closed: cancellation is thrown into them, they are driven on until they
end, and only then is it raised again.
"""

from collections.abc import Awaitable
from contextvars import Context
from functools import partial
from typing import Any, TypeVar

from antiphon.handler import ON_THREAD, Effect, Steps

T = TypeVar("T")


def advance(steps: Steps[T]) -> tuple[Awaitable[Any] | None, T | None]:
    """Take steps as far as they go without waiting: what is to be awaited next, or None and what they returned."""
    try:
        while (effect := steps.send(None)) is ON_THREAD:
            pass
    except StopIteration as end:
        return None, end.value
    return effect, None


def run_sync(steps: Steps[T], context: Context) -> T:
    """Drive steps on this thread, in a context. From the first awaitable on they run on the process's own loop."""
    waiting, result = context.run(advance, steps)
    if waiting is None:
        return result  # type: ignore[return-value]  # steps that have ended gave their T
    from antiphon.background import background_loop

    return background_loop().run(run_async(steps, waiting), context)


async def run_async(steps: Steps[T], effect: Effect | None = None) -> T:
    """Drive steps on the running loop, in the current task; ``effect`` is what they have yielded already."""
    cancelled: BaseException | None = None
    crossing = None
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
                    waiting, result = await crossing.run(partial(advance, steps))
                    if waiting is None:
                        break
                    effect = waiting
                value = await effect
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
