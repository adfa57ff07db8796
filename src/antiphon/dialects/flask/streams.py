"""Generators that run in the context of their request, after its response has begun."""

from collections.abc import Callable, Iterator
from contextvars import copy_context
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Generic, TypeVar, overload

from antiphon.dialects.flask.globals import _cv_app, _cv_request

if TYPE_CHECKING:
    from contextvars import Context

    from antiphon.dialects.flask.ctx import AppContext

T = TypeVar("T")


class _InContext(Generic[T]):
    """An iterator that runs in a ``contextvars.Context`` of its own, in which the request's context is the current one.

    The request is torn down at its end, when it is closed, or when nothing refers to it any more, not before. The
    thread that reads it keeps its own context: an iterator that is abandoned half-way leaves nothing behind there.
    """

    def __init__(self, iterator: Iterator[T], ctx: "AppContext") -> None:
        self._iterator = iterator
        self._ctx: AppContext | None = ctx
        self._context: Context = copy_context()
        self._context.run(_cv_app.set, ctx)
        ctx.pin()

    def __iter__(self) -> Iterator[T]:
        return self

    def __next__(self) -> T:
        try:
            return self._context.run(next, self._iterator)
        except BaseException as error:
            self._end(None if isinstance(error, StopIteration) else error)
            raise

    def close(self) -> None:
        """Close the iterator, if it can be closed, and let go of the request."""
        self._end(None)

    def _end(self, error: BaseException | None) -> None:
        ctx, self._ctx = self._ctx, None
        if ctx is None:
            return
        try:
            close = getattr(self._iterator, "close", None)
            if close is not None:
                self._context.run(close)
        finally:
            self._context.run(ctx.unpin, error)

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
    """Run a generator, or the result of a generator function, in the context of the current request.

    The request is torn down when it ends. Usable as a decorator. Raises RuntimeError without a request.
    """
    try:
        iterator = iter(generator_or_function)  # type: ignore[arg-type]  # a function raises TypeError
    except TypeError:
        function: Any = generator_or_function

        def in_context(*args: Any, **kwargs: Any) -> Iterator[T]:
            parts: Iterator[T] = function(*args, **kwargs)
            return stream_with_context(parts)

        wrapped: Callable[..., Iterator[T]] = update_wrapper(in_context, function)
        return wrapped
    ctx: AppContext | None = _cv_request.get(None)
    if ctx is None:
        raise RuntimeError("'stream_with_context' needs a request: call it while one is handled, as in a view")
    return _InContext(iterator, ctx)
