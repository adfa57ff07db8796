"""The way of a request through an application: one coroutine, for all adapters, for ``def`` and ``async def``.

Receive the body, as far as that may be; open the middleware, outermost first; call the handler; close the middleware,
innermost first; release the body. An error becomes a response where it is raised, so that every response passes the
middleware around it. A route with nothing around its handler takes the straight line through ``dispatch``.
"""

from collections.abc import Awaitable, Callable
from copy import copy
from functools import lru_cache, partial
from typing import Any

from antiphon.app.error_handlers import answer_error
from antiphon.app.hooks import Hook, hook
from antiphon.app.middleware import Middleware, Opened
from antiphon.app.plan import LOOP, SMALL_BODY, Plan
from antiphon.app.returns import to_response
from antiphon.body.content import Content
from antiphon.concurrency.loop import is_on_loop
from antiphon.handler.context import set_current_request
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Steps, Switch, failed, switch_shielded
from antiphon.handler.errors import is_leaving
from antiphon.handler.release import release
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.response import Response

OpenedMiddleware = list[tuple[Middleware, Opened]]


async def dispatch(plan: Plan, request: Request, error: HTTPError | None = None) -> Response:
    """Answer a request by a plan. An ``error`` in the request is raised inside of all middleware."""
    set_current_request(request)
    head, runs_on = request.head, plan.runs_on
    has_body = head.has_body
    opened: OpenedMiddleware = []
    failure = answer = None
    try:
        if has_body:
            error = await _receive_ahead(plan, request, error)
        first = runs_on.from_thread if head.blocks else runs_on.from_loop
        if first is not None:
            await first
        if plan.has_middleware:
            answer = await _enter(plan, request, error, opened)
        else:
            answer = plan.handler.function(request) if error is None else plan.refuse(request, error)
            if plan.is_async:
                answer = await answer
        response = Response(answer) if type(answer) is str else _respond(plan, request, answer)
    except BaseException as raised:
        response = await _answer_error(plan, request, raised)
        failure = response.error
    if plan.has_middleware or request.consulted or request.after_hooks or failure is not None:
        response = await _leave(plan, request, response, opened, response is answer, failure)
    if has_body and not request.is_in_bytes:
        await release(request, response)
    return response


# Receiving


async def _receive_ahead(plan: Plan, request: Request, error: HTTPError | None) -> HTTPError | None:
    """Receive the body before any middleware opens, as far as the plan says, and return what is wrong with the request.

    Where something is wrong already, and no middleware reads the body, a large one is not worth receiving.
    """
    limits = request.limits
    if plan.body == "delegated" and not plan.reads_body:
        limits = _limits_of_small(limits.rate, limits.timeout)
    is_there = plan.most_ahead and request.read_small_body(limits.body)
    if is_there:
        return error
    content = request.content
    _prepare(plan, request, content)
    if error is not None and content.failure is not None:
        return error
    most = plan.most_ahead if error is None or plan.reads_body else min(plan.most_ahead, SMALL_BODY)
    if most > SMALL_BODY or (most and content.is_small(SMALL_BODY)):
        try:
            await content.load(limits)
        except HTTPError as unreadable:  # it is raised inside the middleware, as all errors are
            return error or unreadable
    return error


@lru_cache(maxsize=64)
def _limits_of_small(rate: int, timeout: float) -> Limits:
    """Limits of a small body of a plan that hands the request on: how large it may be, the other plan says."""
    return Limits(body=SMALL_BODY, rate=rate, timeout=timeout)


def _prepare(plan: Plan, request: Request, content: Content) -> None:
    """Tell a body where and whether it is kept, and on which loop other threads have it received."""
    content.folder = plan.route.app.upload_folder
    if not content.received:
        content.is_kept = plan.body != "stream"
    if plan.runs_on is not LOOP and content.loop is None and not request.head.blocks and is_on_loop():
        from asyncio import get_running_loop

        content.loop = get_running_loop()


async def _receive(plan: Plan, request: Request) -> None:
    """Receive a body that the middleware has let pass, where its bytes come from, and go back to where the handler is.

    A body that is there already is held to the limits that may have been set since.
    """
    content = request.content
    moves = not content.is_complete and _is_driven(plan, request)
    if moves:
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await content.load(request.limits)
    if moves:
        await plan.place


def _is_driven(plan: Plan, request: Request) -> bool:
    """True where steps may switch: on a server's loop, those of a plan that is all async are awaited as they are."""
    return plan.runs_on is not LOOP or request.head.blocks


async def run_nested(request: Request, steps: Steps[Response], may_block: bool) -> Response:
    """Take the steps of another plan from where requests begin: on a server's thread or loop.

    Steps that ``may_block`` can begin on a worker thread, too, unless they have a body to receive. The request is the
    current one again when they have ended, wherever that is.
    """
    if request.head.blocks:
        await ON_THREAD
    elif not may_block or (request.head.has_body and not request.content.is_complete):
        await ON_LOOP
    return await as_inner(request, steps)


async def as_inner(request: Request, steps: Awaitable[Response]) -> Response:
    """Await the response of another plan or application, which shares the body of a request and does not release it.

    The request is the current one again afterwards.
    """
    if not request.head.has_body:
        response = await steps
    else:
        content = request.content
        outermost = content.outermost
        content.outermost = outermost or request
        try:
            response = await steps
        finally:
            content.outermost = outermost
    set_current_request(request)
    return response


# Opening and calling


async def _enter(plan: Plan, request: Request, error: HTTPError | None, opened: OpenedMiddleware) -> Any:
    """Open the middleware, then call the handler, unless something that is opened answers."""
    early = await _open(plan, request, opened)
    if early is not None:
        return early
    handler = plan.handler
    if error is None and plan.body == "load" and request.head.has_body:
        await _receive(plan, request)
    if handler.place is not None:
        await handler.place
    answer = handler.function(request) if error is None else plan.refuse(request, error)
    return await answer if handler.is_async else answer


async def _open(plan: Plan, request: Request, opened: OpenedMiddleware) -> Response | None:
    """Open the middleware, resolve places, then call the hooks before the request: the first answer that one gives."""
    stack = plan.stack
    for middleware in stack.middleware:
        early = await middleware.open(request, opened)
        if early is not None:
            return early
    for source in stack.resolving:
        await source.resolve(request)
    for before in stack.before:
        answer = await before.call(request)
        if answer is not None:
            return to_response(answer, before.function, request)
    return None


def _respond(plan: Plan, request: Request, answer: Any) -> Response:
    """Make a response of what was returned, by the request's conditions where it has to be."""
    response = answer if type(answer) is Response else to_response(answer, plan.handler.function, request)
    return copy(response).conditional(request) if response.is_conditional else response  # it may be given again


async def _answer_error(plan: Plan, request: Request, error: BaseException) -> Response:
    """Answer an error where its handler has to be called; in any case, whoever cancels meanwhile.

    Only where nobody drives these steps any more, nothing is called.
    """
    if isinstance(error, GeneratorExit):
        raise error
    handlers, blocks = plan.stack.error_handlers, plan.handler.blocks
    if not _is_driven(plan, request):
        return await answer_error(handlers, request, error, blocks, is_driven=False)
    cancelled = await switch_shielded(plan.place)
    response = await answer_error(handlers, request, error, blocks, is_driven=True)
    cancelled = await switch_shielded(plan.place) or cancelled
    return _unless_cancelled(cancelled, request, response)


# Closing


async def _leave(
    plan: Plan,
    request: Request,
    response: Response,
    opened: OpenedMiddleware,
    is_shared: bool,
    failure: BaseException | None,
) -> Response:
    """Close the middleware, and return the response with the fields by which it varies.

    ``is_shared`` says that a handler may give the same response again. A ``failure`` that ends the task or the process
    is raised again when everything is closed.
    """
    if request.consulted:
        response, is_shared = _varied(request, response, is_shared), False
    if plan.stack.after or opened or request.after_hooks:
        closed = await _close(plan, request, response, opened)
        failure = _fatal(failure) or closed.error
        response = _varied(request, closed, is_shared and closed is response) if request.consulted else closed
    if failure is not None and is_leaving(failure):
        raise failure
    return response


def _varied(request: Request, response: Response, is_shared: bool) -> Response:
    """Have a response, or a copy of one that is shared, say which fields of the request were consulted."""
    if is_shared:
        response = copy(response)
    response.vary(*request.consulted)
    return response


def _fatal(error: BaseException | None) -> BaseException | None:
    """Return an error that may end a task or the process, such as a cancellation; None for all others."""
    return None if isinstance(error, Exception) else error


async def _close(plan: Plan, request: Request, response: Response, opened: OpenedMiddleware) -> Response:
    """Call the hooks after the request, then close the middleware. An error becomes the response for what is next.

    So does a cancellation on the way to the next one's place: who waits for the response is called all the same.
    """
    closers: list[tuple[Switch | None, Callable[[Response], Awaitable[Response]]]] = [
        (each.place, partial(_after_own, plan, each, request)) for each in _own_hooks(plan, request)
    ]
    closers += [(each.place, partial(_after, each, request)) for each in plan.stack.after]
    closers += [(each.place, partial(each.close, generator, request)) for each, generator in reversed(opened)]
    for place, close in closers:
        if place is not None:
            response = _unless_cancelled(await switch_shielded(place), request, response)
        before = response
        try:
            response = await close(before)
        except BaseException as error:
            response = await _answer_error(plan, request, error)
        if response is not before:
            response = _in_place_of(before, response, request)
    return response


def _own_hooks(plan: Plan, request: Request) -> list[Hook]:
    """Take the hooks that were registered for this request only, in order: the innermost plan calls them, once."""
    functions, request.after_hooks = request.after_hooks, ()
    hooks = [hook(function).for_handler(plan.handler.blocks) for function in functions]
    return [each.pinned() for each in hooks] if _is_driven(plan, request) else hooks


async def _after_own(plan: Plan, after: Hook, request: Request, response: Response) -> Response:
    """Call a hook of the request's own, and go back to where what follows is called."""
    response = await _after(after, request, response)
    if after.place is None:
        return response
    return _unless_cancelled(await switch_shielded(plan.place), request, response)


async def _after(after: Hook, request: Request, response: Response) -> Response:
    answer = await after.call(request, response)
    return response if answer is None else to_response(answer, after.function, request)


def _unless_cancelled(cancelled: BaseException | None, request: Request, response: Response) -> Response:
    """Return the response, or that to a cancellation, where this is the first that breaks the request off."""
    if cancelled is None or _fatal(response.error) is not None:
        return response
    return _in_place_of(response, failed(request, cancelled), request)


def _in_place_of(before: Response, response: Response, request: Request) -> Response:
    """Return a response that is sent instead of another, with the other's error, unless it has one of its own.

    A cancellation is kept in any case. A stream that nobody reads any more is closed.
    """
    _close_unsent(request, before, response)
    error = _fatal(before.error) or response.error or before.error
    if error is not response.error:
        response = copy(response)  # it may answer other requests, too
        response.error = error
    return response


def _close_unsent(request: Request, response: Response, instead: Response) -> None:
    """Close a stream that is not sent: the response in its place might read it, unless it is bytes."""
    body = response.body
    if not isinstance(body, bytes) and isinstance(instead.body, bytes):
        from antiphon.response.conditional import close_unsent

        close_unsent(body, request)
