"""Opening: middleware is opened, dependencies are resolved, and the hooks before the request are called."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Any, NamedTuple, TypeAlias

from antiphon.app.answering.hooks import Closer, Opener
from antiphon.app.answering.middleware import AsyncStep, answered
from antiphon.app.answering.open_resources import Opened
from antiphon.app.answering.returns import respond, to_response
from antiphon.body.content import NotLoadedError
from antiphon.concurrency.iterables import resume
from antiphon.request.request import Request
from antiphon.response.response import Response


class Waiting(NamedTuple):
    """Async middleware that waits in its first ``step``, before its yield."""

    function: Callable[[Request], Any]
    closer: Closer
    generator: AsyncGenerator[Any, Response]
    step: AsyncStep


Stopped: TypeAlias = Response | Awaitable[Response] | Opener | Waiting | None
"""The point at which opening has stopped, as ``open_in_place`` returns it."""


def open_all(parts: Iterable[Opener], request: Request, opened: Opened) -> Awaitable[Response | None]:
    """Open everything around a handler, at once as far as possible and the rest in steps; return the first answer."""
    openers = iter(parts)
    return open_in_steps(open_in_place(openers, request, opened), openers, request, opened)


def open_in_place(openers: Iterator[Opener], request: Request, opened: Opened) -> Stopped:
    """Open what neither waits nor runs elsewhere, and add it to what is opened, until one gives an answer.

    Return that answer; or the first that waits, or is to be opened elsewhere; or None at the end. Raises RuntimeError
    if middleware ends without a yield and without an answer: it might have meant to refuse the request.
    """
    early: Any
    for function, closer, apart in openers:
        if apart is not None:
            if closer is None or apart[0] is not None:
                return function, closer, apart
            generator = function(request)
            steps = generator.asend(None)
            try:
                stopped = resume(steps, None)
            except StopAsyncIteration:
                early = answered(function, None)
            else:
                if stopped is None:
                    opened.append((closer, generator))
                    continue
                has_yielded, early = stopped
                if not has_yielded:
                    return Waiting(function, closer, generator, AsyncStep(steps, early))
                opened.append((closer, generator))
            return to_response(early, function, request)
        if closer is None:
            try:
                early = function(request)
            except NotLoadedError:
                if not getattr(function, "waits_for_body", False):
                    raise
                return partial(_call_when_loaded, function), None, (None, True)
        else:
            generator = function(request)
            try:
                early = next(generator)
            except StopIteration as end:
                early = answered(function, end.value)
            else:
                opened.append((closer, generator))
        if early is not None:
            return early if type(early) is Response else to_response(early, function, request)
    return None


async def _call_when_loaded(function: Callable[[Request], Any], request: Request) -> Any:
    """Load the body, on the loop, and call a hook again that wanted it. Raises what ``Request.aload`` does."""
    await request.aload()
    return function(request)


async def open_in_steps(
    stopped: Stopped, openers: Iterator[Opener], request: Request, opened: Opened
) -> Response | None:
    """Open all that is left around a handler, each part in its place; return the first answer that one gives."""
    while isinstance(stopped, tuple):
        early: Any = None
        if isinstance(stopped, Waiting):
            early = await _opened(stopped, opened)
        else:
            function, closer, apart = stopped
            switch, is_async = apart or (None, False)
            if switch is not None:
                await switch
            if is_async and closer is None:
                early = await function(request)
            else:
                openers = chain(((function, closer, (None, True) if is_async else None),), openers)
        if early is not None:
            return await respond(early, stopped[0], request)
        stopped = open_in_place(openers, request, opened)
    return stopped if stopped is None or isinstance(stopped, Response) else await stopped


async def _opened(waiting: Waiting, opened: Opened) -> Any:
    """Await the middleware, up to its yield or its end, and return the answer that it gives instead of the handler."""
    yielded = await waiting.step
    if yielded is None:
        return answered(waiting.function, None)
    opened.append((waiting.closer, waiting.generator))
    return yielded[0]
