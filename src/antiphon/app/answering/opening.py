"""The way in: middleware is opened, dependencies are resolved, and the hooks before the request are called."""

from collections.abc import Awaitable, Iterator
from itertools import chain
from typing import Any

from antiphon.app.answering.hooks import Opener
from antiphon.app.answering.middleware import answered
from antiphon.app.answering.open_resources import Opened
from antiphon.app.answering.returns import respond, to_response
from antiphon.request.request import Request
from antiphon.response.response import Response


def open_in_place(
    openers: Iterator[Opener], request: Request, opened: Opened
) -> Response | Awaitable[Response] | Opener | None:
    """Open what neither waits nor runs elsewhere, and add it to what is opened, until one gives an answer.

    Return that answer; or the first that waits, or is to be opened elsewhere; or None at the end. Raises RuntimeError
    if middleware ends without a yield and without an answer: it might have meant to refuse the request.
    """
    for function, closer, apart in openers:
        if apart is not None:
            return function, closer, apart
        early: Any
        if closer is None:
            early = function(request)
        else:
            generator = function(request)
            try:
                early = next(generator)
            except StopIteration as end:
                early = answered(function, end.value)
            else:
                opened.append((closer, generator))
        if early is not None:
            return to_response(early, function, request)
    return None


async def open_in_steps(openers: Iterator[Opener], request: Request, opened: Opened) -> Response | None:
    """Open all that is around a handler, each part in its place; return the first answer that one gives."""
    stopped = open_in_place(openers, request, opened)
    while isinstance(stopped, tuple):
        function, closer, apart = stopped
        switch, is_async = apart or (None, False)
        if switch is not None:
            await switch
        if not is_async:
            openers = chain(((function, closer, None),), openers)
            stopped = open_in_place(openers, request, opened)
            continue
        if closer is None:
            early = await function(request)
        else:
            generator = function(request)
            try:
                early = await anext(generator)
            except StopAsyncIteration:
                early = answered(function, None)
            else:
                opened.append((closer, generator))
        if early is not None:
            return await respond(early, function, request)
        stopped = next(openers, None)
    return stopped if stopped is None or isinstance(stopped, Response) else await stopped
