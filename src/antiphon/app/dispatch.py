"""The way of a request through an application: one coroutine, for all adapters and both colours.

Open the middleware, outermost first; load the body; call the handler; close the middleware, innermost first. An error
becomes a response where it is raised, so that every response passes the middleware around it.
"""

from collections.abc import Awaitable, Callable, Iterable
from functools import partial
from typing import Any

from antiphon.app.error_handlers import ErrorHandlers
from antiphon.app.hooks import Hook
from antiphon.app.middleware import Middleware, Opened
from antiphon.app.returns import to_response
from antiphon.body.limits import Limits
from antiphon.handler import ON_LOOP, ON_THREAD
from antiphon.http.errors import HTTPError
from antiphon.request import Request
from antiphon.response import Response

SMALL_BODY = 64 << 10
"""Bodies of up to this many bytes are read before the middleware opens; larger ones only when it has let them pass."""


class Plan:
    """All that is done for the requests of one route, settled when the application is frozen.

    ``place`` is where the handler is called, and all that has no place of its own; ``hops`` says that some of it is
    called on a thread, ``is_woven`` that there are hooks or middleware, ``body_first`` that a middleware reads the
    body, which is then loaded before it opens, whatever its size.
    """

    __slots__ = (
        "after", "app", "before", "blocks", "body_first", "endpoint", "error_handlers", "handler", "hops", "is_async",
        "is_mixed", "is_woven", "limits", "middleware", "place",
    )  # fmt: skip

    def __init__(
        self,
        app: object,
        endpoint: str | None,
        handler: Hook,
        limits: Limits,
        middleware: Iterable[Middleware],
        before: Iterable[Hook],
        after: Iterable[Hook],
        error_handlers: ErrorHandlers,
    ) -> None:
        self.app = app
        self.endpoint = endpoint
        self.handler = handler.function
        self.is_async = handler.is_async
        self.blocks = handler.blocks
        self.place = ON_THREAD if handler.blocks else ON_LOOP
        self.limits = limits
        self.middleware = tuple(part.around(handler.blocks) for part in middleware)
        self.before = tuple(part.around(handler.blocks) for part in before)
        self.after = tuple(part.around(handler.blocks) for part in after)
        self.error_handlers = error_handlers
        self._place()
        self.body_first = any(part.reads_body for part in self.middleware)
        self.is_woven = bool(self.middleware or self.before or self.after)

    def _place(self) -> None:
        """Have each part go to its place, where there are some of both colours."""
        parts: tuple[Middleware | Hook, ...] = (*self.middleware, *self.before, *self.after)
        self.is_mixed = any(part.blocks != self.blocks for part in parts)
        self.hops = self.blocks or self.is_mixed
        if self.is_mixed:
            self.middleware = tuple(part.placed() for part in self.middleware)
            self.before = tuple(part.placed() for part in self.before)
            self.after = tuple(part.placed() for part in self.after)


async def dispatch(plan: Plan, request: Request, error: HTTPError | None = None) -> Response:
    """Answer a request by a plan. ``error`` is what kept its route from being found."""
    opened: list[tuple[Middleware, Opened]] = []
    leaving: BaseException | None = None
    try:
        is_unread = request.head.has_body
        if is_unread and (plan.body_first or _is_small(request)):
            try:
                await request.load()
            except HTTPError as unreadable:
                error = error or unreadable  # it is raised inside the middleware, as all errors are
            is_unread = False
        if plan.hops or request.head.blocks:
            await plan.place
        answer: Any = None
        if plan.is_woven:
            answer = await _open(plan, request, opened)
        if answer is None:
            if error is not None:
                raise error
            if is_unread or request.limits is not plan.limits:
                await _load(plan, request)
            if plan.is_mixed:
                await plan.place
            answer = plan.handler(request)
            if plan.is_async:
                answer = await answer
        response = Response(answer) if type(answer) is str else to_response(answer, plan.handler)
    except GeneratorExit:
        raise
    except BaseException as raised:
        response = await _answer_error(plan, request, raised)
        leaving = _no_exception(response.error)
    if plan.after or opened:
        response = await _close(plan, request, response, opened)
        leaving = leaving or _no_exception(response.error)
    if leaving is not None:
        raise leaving
    return response


def _no_exception(error: BaseException | None) -> BaseException | None:
    """What ends a task or the process, such as a cancellation: it is raised again when everything is closed."""
    return None if isinstance(error, Exception) else error


def _is_small(request: Request) -> bool:
    length = request.content_length
    return length is not None and length <= SMALL_BODY


async def _load(plan: Plan, request: Request) -> None:
    """Load a body that the middleware has let pass, where its bytes come from, and go back to where the handler is."""
    if plan.hops or request.head.blocks:
        await (ON_THREAD if request.head.blocks else ON_LOOP)
        await request.load()
        await plan.place
    else:
        await request.load()


async def _answer_error(plan: Plan, request: Request, error: BaseException) -> Response:
    """The response to an error, made where its handler has to be."""
    is_driven = plan.hops or request.head.blocks
    response = await plan.error_handlers.answer(request, error, plan.blocks, is_driven)
    if is_driven:
        await plan.place
    return response


async def _open(plan: Plan, request: Request, opened: list[tuple[Middleware, Opened]]) -> Any:
    """Open the middleware, then call the hooks before the request: the first answer that one of them gives."""
    for middleware in plan.middleware:
        early = await middleware.open(request, opened)
        if early is not None:
            return early
    for hook in plan.before:
        answer = await hook.call(request)
        if answer is not None:
            return to_response(answer, hook.function)
    return None


async def _close(plan: Plan, request: Request, response: Response, opened: list[tuple[Middleware, Opened]]) -> Response:
    """Call the hooks after the request, then close the middleware. An error becomes the response for what is next."""
    closers: list[Callable[[Response], Awaitable[Response]]] = [partial(_after, hook, request) for hook in plan.after]
    closers += [partial(middleware.close, generator) for middleware, generator in reversed(opened)]
    for close in closers:
        try:
            response = await close(response)
        except GeneratorExit:
            raise
        except BaseException as error:
            response = await _answer_error(plan, request, error)
    return response


async def _after(hook: Hook, request: Request, response: Response) -> Response:
    answer = await hook.call(request, response)
    if answer is None:
        return response
    replacement = to_response(answer, hook.function)
    replacement.error = replacement.error or response.error
    return replacement
