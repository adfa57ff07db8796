"""The scope in which an ``async def`` handler may be cancelled: its deadline, its client, the end of its process."""

from collections.abc import Awaitable, Callable, Generator
from functools import update_wrapper
from types import coroutine
from typing import Any, TypeVar

from antiphon.concurrency.iterables import resume
from antiphon.concurrency.loop import drop_withdrawn_cancellation, running_loop
from antiphon.request.request import Request

T = TypeVar("T")


def in_scope(function: Callable[..., Awaitable[T]], on_disconnect: bool | None) -> Callable[..., Awaitable[T]]:
    """Return an ``async def`` handler that is cancelled when its request's lifetime ends.

    ``on_disconnect`` says that it is also cancelled when the client disconnects; None says so for GET and HEAD. The
    cancellation leaves the handler as an HTTPError: 504 after the deadline, 499 without a client, 503 if the process
    ends. A handler that never waits only pays for a call.
    """

    @coroutine
    def scoped(request: Request, **named: Any) -> Generator[Any, Any, Any]:
        steps: Any = function(request, **named)
        started = resume(steps, None)
        if started is None or started[0]:
            return started and started[1]
        rest: Any = rest_in_scope(steps, started[1], request, on_disconnect)
        return (yield from rest)

    return update_wrapper(scoped, function)


@coroutine
def rest_in_scope(steps: Any, effect: object, request: Request, on_disconnect: bool | None) -> Generator[Any, Any, Any]:
    """Await ``effect``, which the steps of a handler have given, and then their rest, in the scope of ``in_scope``."""
    if running_loop() is None:  # driven by hand, where nothing could cancel it
        return (yield from rest(steps, effect))
    from antiphon.handler.cancellation import CancellableHandler

    with CancellableHandler(request, on_disconnect) as handler:
        result = yield from rest(steps, effect)
    if handler.is_cancelled:
        yield from drop_withdrawn_cancellation()
    return result


def rest(steps: Any, effect: object) -> Generator[Any, Any, Any]:
    """Await ``effect``, which steps have given, and then the rest of the steps. Drivers only send None."""
    while True:
        try:
            yield effect
        except BaseException as error:
            try:
                effect = steps.throw(error)
            except StopIteration as end:
                return end.value
        else:
            return (yield from steps.__await__())
