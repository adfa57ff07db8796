"""The two drivers: they take a handler's steps to their end, on a thread or on an event loop.

A request is one task at most. Steps are never closed: a cancellation is thrown into them where they wait, and they are
driven on until they end.
"""

from collections.abc import Generator
from contextvars import Context
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.handler.contract import ON_LOOP, ON_THREAD, Steps, Switch
from antiphon.handler.errors import note_task

if TYPE_CHECKING:
    from antiphon.concurrency.crossing import Crossing

T = TypeVar("T")


def advance(steps: Steps[T]) -> tuple[bool, bool, T | None]:
    """Take steps as far as they go on a thread: whether they have said ``ON_THREAD``, whether they have ended, and what
    they returned then. If they have not, they want to be on a loop.
    """
    has_blocked = is_misplaced = False
    try:
        while (effect := steps.throw(_misplaced()) if is_misplaced else steps.send(None)) is not ON_LOOP:
            has_blocked = has_blocked or effect is ON_THREAD
            is_misplaced = not isinstance(effect, Switch)
    except StopIteration as end:
        return has_blocked, True, end.value
    return has_blocked, False, None


def _misplaced() -> RuntimeError:
    return RuntimeError("steps awaited something on a thread: they say `await ON_LOOP` before that")


def run_sync(steps: Steps[T], context: Context) -> T:
    """Drive steps on this thread, in a context. As soon as they need a loop they go on on that of this process.

    What they do on threads is done in that same context then, too.
    """
    has_blocked, has_ended, result = context.run(advance, steps)
    if has_ended:
        return result  # type: ignore[return-value]  # steps that have ended gave their T
    from antiphon.concurrency.background import background_loop
    from antiphon.concurrency.crossing import Crossing

    if not has_blocked:
        return background_loop().run(driven(steps), context)
    on_loop, crossing = Context(), Crossing(context)
    on_loop.run(crossing.copy_to_task)
    try:
        return background_loop().run(driven(steps, crossing), on_loop)
    finally:
        crossing.copy_to_threads(on_loop)


async def driven(steps: Steps[T], crossing: "Crossing | None" = None) -> T:
    """``run_async`` as a coroutine, of which a task can be made."""
    return await run_async(steps, crossing)


@coroutine
def run_async(steps: Steps[T], crossing: "Crossing | None" = None) -> Generator[Any, Any, T]:
    """Drive steps on the running loop, in the current task.

    ``crossing`` is the way to the threads that they have been on already.
    """
    try:
        effect = steps.send(None)
        while True:
            value = None
            try:
                if effect is ON_THREAD:
                    if crossing is None:
                        from antiphon.concurrency.crossing import Crossing

                        crossing = Crossing()
                    _, has_ended, result = yield from crossing.run(advance, steps)
                    if has_ended:
                        return result  # type: ignore[no-any-return]  # what steps give is their T
                elif effect is not ON_LOOP:
                    value = yield effect
            except BaseException as broken_off:
                if _have_ended(steps):
                    raise
                note_task(broken_off)
                effect = steps.throw(broken_off)
            else:
                effect = steps.send(value)
    except StopIteration as end:
        result = end.value
    except BaseException as leaving:
        if crossing is not None:
            yield from crossing.drop_withdrawn_cancellation(leaving)
        raise
    if crossing is not None:
        yield from crossing.drop_withdrawn_cancellation()
    return result  # type: ignore[no-any-return]  # what steps give is their T


def _have_ended(steps: Steps[Any]) -> bool:
    """Whether nothing can be thrown into them any more: they have raised it themselves, on a thread."""
    return getattr(steps, "cr_frame", steps) is None
