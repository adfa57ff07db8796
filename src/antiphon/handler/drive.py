"""The two drivers of a handler's steps: one on a thread, one on an event loop.

A request has at most one task. Steps are never closed: a cancellation is thrown into them where they wait, and they are
driven until they end.
"""

from collections.abc import Generator
from contextvars import Context
from types import coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.handler.contract import BEGIN_ON_THREAD, ON_LOOP, ON_THREAD, Steps, Switch
from antiphon.handler.errors import note_task

if TYPE_CHECKING:
    from antiphon.concurrency.crossing import Crossing
    from antiphon.request.request import Request

T = TypeVar("T")


def advance(steps: Steps[T]) -> tuple[bool, bool, T | None]:
    """Run steps on this thread until they return or await ``ON_LOOP``.

    Returns (has_used_thread, is_done, result): True if they have awaited ``ON_THREAD``, True if they have returned, and
    their return value.
    """
    has_used_thread = is_misplaced = False
    try:
        # Thrown where the steps have awaited it, so that the traceback shows that line.
        while (effect := steps.throw(_misplaced()) if is_misplaced else steps.send(None)) is not ON_LOOP:
            is_misplaced = not isinstance(effect, Switch)
            has_used_thread = has_used_thread or not is_misplaced
    except StopIteration as end:
        return has_used_thread, True, end.value
    return has_used_thread, False, None


def _misplaced() -> RuntimeError:
    return RuntimeError("steps awaited something on a thread: they need `await ON_LOOP` before that")


def run_sync(steps: Steps[T], context: Context) -> T:
    """Drive steps on this thread, in a context. As soon as they need a loop, they continue on this process's loop.

    Their code on threads keeps running in the same context.
    """
    has_used_thread, is_done, result = context.run(advance, steps)
    try:
        if is_done:
            return result  # type: ignore[return-value]  # steps that are done returned their T
    finally:
        del result  # a response with an error, whose frames may refer to this one
    from antiphon.concurrency.background import background_loop
    from antiphon.concurrency.crossing import Crossing

    if not has_used_thread:
        return background_loop().run(driven(steps), context)
    # A context of its own, because the one on threads can't be entered twice at once.
    on_loop, crossing = Context(), Crossing(context)
    on_loop.run(crossing.copy_to_task)
    try:
        return background_loop().run(driven(steps, crossing), on_loop)
    finally:
        crossing.copy_to_threads(on_loop)


async def driven(steps: Steps[T], crossing: "Crossing | None" = None) -> T:
    """Run ``run_async`` in a coroutine, from which a task can be made."""
    return await run_async(steps, crossing)


@coroutine
def run_async(
    steps: Steps[T], crossing: "Crossing | None" = None, request: "Request | None" = None
) -> Generator[Any, Any, T]:
    """Drive steps on the running loop, in the current task.

    ``crossing`` leads to the threads on which they have already run. All steps of a ``request`` share one.
    """
    try:
        effect = steps.send(None)
        while True:
            value = None
            try:
                if effect is ON_THREAD or effect is BEGIN_ON_THREAD:
                    if crossing is None:
                        crossing = crossing_of(request).in_same_context(_ends)
                    # Only what has not begun may be refused by an overloaded worker.
                    crossing.begins = effect is BEGIN_ON_THREAD
                    _, is_done, result = yield from crossing.run(advance, steps)
                    try:
                        if is_done:
                            return result  # type: ignore[no-any-return]  # what steps return is their T
                    finally:
                        # As in ``run_sync``.
                        del result
                elif effect is not ON_LOOP:
                    if crossing is not None:
                        yield from crossing.drop_withdrawn_cancellation()
                    value = yield effect
            except BaseException as interruption:
                # An error of the steps themselves: they are over, so nothing can be thrown into them.
                if _have_raised(steps):
                    raise
                # Before the throw: code on threads may ask whether it ends the task.
                note_task(interruption)
                effect = steps.throw(interruption)
            else:
                effect = steps.send(value)
    except StopIteration as end:
        result = end.value
    except BaseException as leaving:
        if crossing is not None:
            yield from crossing.drop_withdrawn_cancellation(leaving)
        raise
    try:
        if crossing is not None:
            yield from crossing.drop_withdrawn_cancellation()
        return result  # type: ignore[no-any-return]  # what steps return is their T
    finally:
        # As in ``run_sync``.
        del result


def crossing_of(request: "Request | None") -> "Crossing":
    """Return the crossing of the outermost request, which ends it, or a new one without a request.

    Its context is that of everything on a thread: of the hooks, the handler, the body and the functions after it.
    """
    from antiphon.concurrency.crossing import Crossing

    if request is None:
        return Crossing()
    if (crossing := crossing_so_far(request)) is None:
        crossing = request._outermost._crossing = Crossing()
    return crossing


def crossing_so_far(request: "Request") -> "Crossing | None":
    """Return the crossing of the outermost request, or None if nothing of it has been on a thread."""
    return getattr(request._outermost, "_crossing", None)  # unset before the first one


def _ends(advanced: tuple[bool, bool, object]) -> bool:
    """True if steps are done and have not returned a stream, which would be read where the steps ran."""
    return advanced[1] and not getattr(advanced[2], "is_streamed", False)


def _have_raised(steps: Steps[Any]) -> bool:
    """True if steps have raised an error themselves, on a thread, so that nothing can be thrown into them now."""
    return getattr(steps, "cr_frame", steps) is None
