"""The way in of a request: middleware is opened, places are resolved, and the hooks before the request are called."""

from collections.abc import Awaitable, Iterable
from typing import Any

from antiphon.app.middleware import Generators, Middleware, OpenedMiddleware, answered
from antiphon.app.plan import HandlerStack, Plan
from antiphon.app.returns import respond, to_response
from antiphon.request.request import Request
from antiphon.response.response import Response


def open_plainly(plan: Plan, request: Request, opened: Generators) -> Response | Awaitable[Response] | None:
    """Do what ``open_in_steps`` does where nothing waits: return the first answer, or what is awaited for it."""
    for middleware in plan.middleware:
        generator: Any = middleware(request)
        try:
            early = next(generator)
        except StopIteration as end:
            return to_response(answered(middleware, end.value), middleware, request)
        opened.append(generator)
        if early is not None:
            return to_response(early, middleware, request)
    for before in plan.before:
        answer = before(request)
        if answer is not None:
            return to_response(answer, before, request)
    return None


async def open_in_steps(stack: HandlerStack, request: Request, opened: OpenedMiddleware) -> Response | None:
    """Open the middleware, resolve places, then call the hooks before the request: the first answer that one gives."""
    early = await open_middleware(stack.middleware, request, opened) if stack.middleware else None
    if early is not None:
        return early
    for source in stack.resolving:
        await source.resolve(request)
    for before in stack.before:
        if before.place is not None:
            await before.place
        answer = before.function(request)
        if before.is_async:
            answer = await answer
        if answer is not None:
            return await respond(answer, before.function, request)
    return None


async def open_middleware(several: Iterable[Middleware], request: Request, opened: OpenedMiddleware) -> Response | None:
    """Run middleware to its yield, each in its place, and add it to what is opened, until one gives an answer.

    Raises RuntimeError if one ends without a yield and without an answer: it might have meant to refuse the request.
    """
    for middleware in several:
        if middleware.place is not None:
            await middleware.place
        generator: Any = middleware.function(request)
        try:
            early = await anext(generator) if middleware.is_async else next(generator)
        except (StopAsyncIteration, StopIteration) as end:
            if not middleware.is_async and isinstance(end, StopAsyncIteration):
                raise  # of its own
            early = answered(middleware.function, getattr(end, "value", None))
        else:
            opened.append((middleware, generator))
        if early is not None:
            return await respond(early, middleware.function, request)
    return None
