"""Running code in a context: steps and coroutines from a thread, and generators after a response has begun.

The loop belongs to the server whose request the thread is handling. Over WSGI, it is the process's background loop,
which all requests share.
"""

from collections.abc import Callable, Coroutine, Iterator
from contextvars import copy_context
from functools import update_wrapper, wraps
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from antiphon.dialects.flask.globals import _cv_app, _cv_request
from antiphon.embedding import describe, is_on_loop, run_async

if TYPE_CHECKING:
    from contextvars import Context

    from antiphon.dialects.flask.ctx import AppContext
    from antiphon.embedding import Crossing


T = TypeVar("T")


def drive(ctx: "AppContext", steps: Coroutine[Any, Any, T]) -> T:
    """Run steps from this thread and return their result. Raises any error that they raise."""
    if ctx.is_on_loop:
        return _drive_from_loop(ctx, steps)
    try:
        steps.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # the steps' T
    try:  # steps on a thread only wait for a loop
        return _finish_on_loop(ctx, steps)
    finally:
        ctx.is_on_loop = False


def _drive_from_loop(ctx: "AppContext", steps: Coroutine[Any, Any, T]) -> T:
    """Run steps for code on an event loop, until they need another thread or loop."""
    ctx.is_on_loop = False
    try:
        return drive(ctx, steps)
    finally:
        ctx.is_on_loop = True


async def _driven(steps: Coroutine[Any, Any, T], crossing: "Crossing") -> T:
    return await run_async(steps, crossing)


def _finish_on_loop(ctx: "AppContext", steps: Coroutine[Any, Any, T]) -> T:
    """Finish steps that need a loop. Sections that need a thread run on this one, in its context.

    Those on the loop run in one other context, from the first to the last function of a request.
    """
    from antiphon.embedding import Crossing

    if ctx.on_loop is None:
        ctx.on_loop = copy_context()
    else:
        Crossing(ctx.on_loop).copy_to_threads(copy_context())
    try:
        return run_on_loop(_driven(steps, Crossing.back()), ctx.on_loop)
    finally:
        Crossing(ctx.on_loop).copy_to_task()


def run_on_loop(coroutine: Coroutine[Any, Any, T], context: "Context") -> T:
    """Run a coroutine on the current request's event loop, and wait for its result on this thread.

    Raises RuntimeError on a thread that is running a loop.
    """
    from antiphon.embedding import run_on, serving_loop  # imported late: few programs need a background loop

    if is_on_loop():
        coroutine.close()
        raise RuntimeError("this would block the event loop that runs on this thread: await the coroutine instead")
    return run_on(serving_loop(), coroutine, context)


def async_to_sync(function: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
    """Return a function that runs a coroutine function on the current request's loop and waits for its result."""

    @wraps(function)
    def call(*args: Any, **kwargs: Any) -> T:
        from antiphon.embedding import Crossing

        if is_on_loop():
            raise RuntimeError(f"{describe(function)} is `async def` and was called on an event loop: await it there")
        context = copy_context()
        try:
            return run_on_loop(function(*args, **kwargs), context)
        finally:
            Crossing(context).copy_to_task()

    return call


class _InContext(Generic[T]):
    """An iterator for which the request's context is current.

    The request is torn down only when the iterator ends, is closed, or is no longer referenced. Between two items, the
    reader has its own current context, so abandoning the iterator halfway leaves nothing behind.
    """

    def __init__(self, iterator: Iterator[T], ctx: "AppContext") -> None:
        self._iterator = iterator
        self._ctx: AppContext | None = ctx
        self._current: AppContext | None = ctx
        """The context that was current for the iterator when it stopped last."""
        ctx.pin()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return self._run(next, self._iterator)  # type: ignore[no-any-return]  # the iterator's T
        except BaseException as error:
            self._end(None if isinstance(error, StopIteration) else error)
            raise

    def close(self) -> None:
        """Close the iterator if possible, and release the request."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        ctx, self._ctx = self._ctx, None
        if ctx is None:
            return
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                self._run(close)
        finally:
            self._current = ctx
            self._run(ctx.unpin, error)

    def _run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        outer = _cv_app.get()
        _cv_app.set(self._current)
        try:
            return function(*arguments)
        finally:
            self._current = _cv_app.get()
            _cv_app.set(outer)

    def __del__(self) -> None:
        if getattr(self, "_ctx", None) is not None:
            self.close()


@overload
def stream_with_context(generator_or_function: Iterator[T]) -> Iterator[T]: ...
@overload
def stream_with_context(generator_or_function: Callable[..., Iterator[T]]) -> Callable[..., Iterator[T]]: ...
def stream_with_context(
    generator_or_function: Iterator[T] | Callable[..., Iterator[T]],
) -> Iterator[T] | Callable[..., Iterator[T]]:
    """Run a generator, or a generator function's result, in the context of the current request.

    The request is torn down when the generator ends. Usable as a decorator. Raises RuntimeError outside of a request.
    """
    try:
        iterator = iter(generator_or_function)  # type: ignore[arg-type]  # for a function, this raises TypeError
    except TypeError:
        function: Any = generator_or_function

        def in_context(*args: Any, **kwargs: Any) -> Iterator[T]:
            parts: Iterator[T] = function(*args, **kwargs)
            return stream_with_context(parts)

        wrapped: Callable[..., Iterator[T]] = update_wrapper(in_context, function)
        return wrapped
    ctx: AppContext | None = _cv_request.get(None)
    if ctx is None:
        raise RuntimeError(
            "'stream_with_context' can only be used when a request context is active, such as in a view function."
        )
    return _InContext(iterator, ctx)
