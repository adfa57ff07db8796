"""The two drivers: they take a handler's steps to their end, on a thread or on an event loop.

A request is one task at most. Steps are never closed: cancellation is thrown into them, they are driven on until they
end, and only then is it raised again.
"""

from collections.abc import Awaitable, Coroutine
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.handler import ON_THREAD, Effect, Steps

if TYPE_CHECKING:
    from antiphon.threads import Crossing

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


async def _cross(crossing: "Crossing", steps: Steps[T]) -> tuple[Awaitable[Any] | None, T | None]:
    """Advance steps on a worker thread. Raises the cancellation that came meanwhile; nothing is then awaited."""
    outcome: tuple[Awaitable[Any] | None, T | None]
    outcome, cancelled = await crossing.run(partial(advance, steps))
    if cancelled is not None:
        if isinstance(outcome[0], Coroutine):
            outcome[0].close()
        raise cancelled
    return outcome


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
                    waiting, result = await _cross(crossing, steps)
                    if waiting is None:
                        return result  # type: ignore[return-value]  # steps that have ended gave their T
                    effect = waiting
                value = await effect
            except BaseException as error:
                if not isinstance(error, Exception):
                    cancelled = error
                effect = steps.throw(error)
            else:
                effect = steps.send(value)
    except StopIteration as end:
        if cancelled is not None:
            raise cancelled from None
        return end.value  # type: ignore[no-any-return]  # StopIteration carries the steps' T
