"""The way of a request through an application: one coroutine, for all adapters and both colours.

Open the middleware, outermost first; load the body; call the handler; close the middleware, innermost first. An error
becomes a response where it is raised, so that every response passes the middleware around it.
"""

from collections.abc import Awaitable, Callable
from copy import copy
from functools import lru_cache, partial
from typing import Any

from antiphon.app.error_handlers import answer_error
from antiphon.app.hooks import Hook, hook
from antiphon.app.middleware import Middleware, Opened
from antiphon.app.plan import Plan
from antiphon.app.returns import to_response
from antiphon.body.content import Content
from antiphon.concurrency.loop import is_on_loop
from antiphon.handler.context import set_current_request
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Steps, Switch, failed, switch_shielded
from antiphon.handler.errors import is_leaving
from antiphon.http.errors import ContentTooLarge, HTTPError
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.response import Response

SMALL_BODY = 64 << 10
"""Bodies of up to this many bytes are read before the middleware opens; larger ones only when it has let them pass."""


async def dispatch(plan: Plan, request: Request, error: HTTPError | None = None) -> Response:
    """Answer a request by a plan. ``error`` is what kept its route from being found, or its body from being read.

    It is raised inside of all middleware; so a plan that seeks hands it on to the one that answers.
    """
    opened: list[tuple[Middleware, Opened]] = []
    leaving: BaseException | None = None
    answer: Any = None
    head = request.head
    has_body, is_loaded = head.has_body, False
    set_current_request(request)
    try:
        if has_body:
            loads_ahead = plan.body_first or plan.body == "load"
            limits = request.limits
            if plan.hands_on and not plan.body_first:
                limits = _small(limits.rate, limits.timeout)
            is_loaded = loads_ahead and request.read_small_body(limits.body)
            content = request.content
            _prepare(plan, request, content)
            if loads_ahead and not is_loaded and (error is None or content.failure is None):
                try:
                    if plan.body_first or content.is_small(SMALL_BODY):
                        await content.load(limits)
                        is_loaded = True
                except HTTPError as unreadable:
                    error = error or unreadable  # it is raised inside the middleware, as all errors are
            is_loaded = is_loaded and not plan.is_woven  # or the limits may be changed before the handler
        if plan.moves[head.blocks]:
            await plan.place
        answer = await _open(plan, request, opened) if plan.is_woven else None
        if answer is None:
            if error is not None and not plan.seeks:
                raise error
            if has_body and plan.loads and not is_loaded:
                await _load(plan, request)
            if plan.is_mixed:
                await plan.place
            answer = plan.handler(request) if error is None else plan.handler(request, error)
            if plan.is_async:
                answer = await answer
            if plan.hands_on:
                set_current_request(request)
                if plan.is_woven:
                    await plan.place
        if type(answer) is str:
            response = Response(answer)
        else:
            response = answer if type(answer) is Response else to_response(answer, plan.handler, request)
            if response.is_conditional:
                response = copy(response).conditional(request)  # a handler may give the same one again
    except GeneratorExit:
        raise
    except BaseException as raised:
        response = await _answer_error(plan, request, raised)
        leaving = _no_exception(response.error)
    if request.consulted:
        if response is answer:
            response = copy(response)  # as above
        response.vary(*request.consulted)
    if plan.after or opened or request.after_hooks:
        response = await _close(plan, request, response, opened)
        leaving = leaving or _no_exception(response.error)
        if request.consulted:
            response.vary(*request.consulted)
    if leaving is not None and is_leaving(leaving):
        raise leaving
    if has_body:
        content = request.content
        if content.data is None or content.has_uploads or len(content.data) > SMALL_BODY:
            _free_at_end(plan, request, response)
            if not content.is_complete and content.outermost is plan and _is_refused(response):
                await _hear_out(plan, request)
    return response


@lru_cache(maxsize=64)
def _small(rate: int, timeout: float) -> Limits:
    """What holds for a small body of a plan that hands the request on: how large it may be, that other plan says."""
    return Limits(body=SMALL_BODY, rate=rate, timeout=timeout)


async def begun(request: Request, steps: Steps[Response], may_block: bool) -> Response:
    """Take the steps of another plan where requests begin: on a server's thread or loop.

    Those that ``may_block`` can begin on a worker thread, too, unless they have a body to receive.
    """
    if request.head.blocks:
        await ON_THREAD
    elif not may_block or (request.head.has_body and not request.content.is_complete):
        await ON_LOOP
    return await steps


def _no_exception(error: BaseException | None) -> BaseException | None:
    """What ends a task or the process, such as a cancellation: it is raised again when everything is closed."""
    return None if isinstance(error, Exception) else error


def _prepare(plan: Plan, request: Request, content: Content) -> None:
    """Tell a body how it is kept, and other threads where it comes from."""
    content.folder = plan.folder
    content.outermost = content.outermost or plan
    if not content.received:
        content.is_kept = plan.body != "stream"
    if plan.hops and content.loop is None and not request.head.blocks and is_on_loop():
        from asyncio import get_running_loop

        content.loop = get_running_loop()


async def _load(plan: Plan, request: Request) -> None:
    """Load a body that the middleware has let pass, where its bytes come from, and go back to where the handler is.

    One that is loaded already is held to the limits that may have been set since.
    """
    content = request.content
    moves = not content.is_complete and (plan.hops or request.head.blocks)
    if moves:
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await content.load(request.limits)
    if moves:
        await plan.place


def _free_at_end(plan: Plan, request: Request, response: Response) -> None:
    """Have uploads and a file be freed, when nobody is left who reads them."""
    content = request.content
    if request.deferred:
        return
    if content.is_in_file or (content.has_uploads and response.is_streamed):
        request.after(_nothing)
    elif content.has_uploads and content.outermost is plan:
        content.close()  # to have something called at the end takes far longer


async def _hear_out(plan: Plan, request: Request) -> None:
    """Let a client that was refused say the rest: many listen only when they have."""
    if plan.hops or request.head.blocks:
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await request.content.discard()


def _is_refused(response: Response) -> bool:
    """Whether nobody is going to read the rest: what streams an answer might, unless it is too much."""
    return response.status >= 400 and (not response.is_streamed or response.status == ContentTooLarge.status)


def _nothing() -> None:
    """Be left for the end, at which the body is let go of."""


async def _answer_error(plan: Plan, request: Request, error: BaseException) -> Response:
    """The response to an error, made where its handler has to be; in any case, whoever cancels meanwhile."""
    if not (plan.hops or request.head.blocks):
        return await answer_error(plan.error_handlers, request, error, plan.blocks, is_driven=False)
    broken_off = await switch_shielded(plan.place)
    response = await answer_error(plan.error_handlers, request, error, plan.blocks, is_driven=True)
    broken_off = await switch_shielded(plan.place) or broken_off
    return _unless(broken_off, request, response)


async def _open(plan: Plan, request: Request, opened: list[tuple[Middleware, Opened]]) -> Any:
    """Open the middleware, resolve places, then call the hooks before the request: the first answer that one gives."""
    for middleware in plan.middleware:
        early = await middleware.open(request, opened)
        if early is not None:
            return early
    for source in plan.resolving:
        await source.resolve(request)
    for before in plan.before:
        answer = await before.call(request)
        if answer is not None:
            return to_response(answer, before.function, request)
    return None


async def _close(plan: Plan, request: Request, response: Response, opened: list[tuple[Middleware, Opened]]) -> Response:
    """Call the hooks after the request, then close the middleware. An error becomes the response for what is next.

    So does a cancellation on the way to the next one's place: who waits for the response is called all the same.
    """
    own = _of_the_request(plan, request)
    closers: list[tuple[Switch | None, Callable[[Response], Awaitable[Response]]]] = [
        (each.place, partial(_after_own, plan, each, request)) for each in own
    ]
    closers += [(each.place, partial(_after, each, request)) for each in plan.after]
    closers += [(each.place, partial(each.close, generator, request)) for each, generator in reversed(opened)]
    for place, close in closers:
        if place is not None:
            response = _unless(await switch_shielded(place), request, response)
        before = response
        try:
            response = await close(before)
        except GeneratorExit:
            raise
        except BaseException as error:
            response = await _answer_error(plan, request, error)
        if response is not before:
            response = _in_place_of(before, response, request)
    return response


def _in_place_of(before: Response, response: Response, request: Request) -> Response:
    """A response as the one that is sent instead of another: with that one's error, unless it has one of its own.

    A cancellation is kept in any case.
    """
    _leave_unsent(request, before, response)
    error = _no_exception(before.error) or response.error or before.error
    if error is not response.error:
        response = copy(response)  # it may answer other requests, too
        response.error = error
    return response


def _unless(broken_off: BaseException | None, request: Request, response: Response) -> Response:
    """The response, unless the request was broken off, and not before: then the one to that."""
    if broken_off is None or _no_exception(response.error) is not None:
        return response
    return _in_place_of(response, failed(request, broken_off), request)


def _leave_unsent(request: Request, response: Response, instead: Response) -> None:
    """Have a stream closed that nobody reads: the one that stands in its place might, unless it is bytes."""
    body = response.body
    if not isinstance(body, bytes) and isinstance(instead.body, bytes):
        from antiphon.response.conditional import close_unsent

        close_unsent(body, request)


def _of_the_request(plan: Plan, request: Request) -> list[Hook]:
    """The hooks that were registered for this request only, in order. They are the innermost plan's to call, once."""
    functions, request.after_hooks = request.after_hooks, ()
    hooks = [hook(function).for_handler(plan.blocks) for function in functions]
    return [each.pinned() for each in hooks] if plan.hops or request.head.blocks else hooks


async def _after_own(plan: Plan, after: Hook, request: Request, response: Response) -> Response:
    """Call a hook of the request's own, and go back to where what follows is called."""
    response = await _after(after, request, response)
    return response if after.place is None else _unless(await switch_shielded(plan.place), request, response)


async def _after(after: Hook, request: Request, response: Response) -> Response:
    answer = await after.call(request, response)
    return response if answer is None else to_response(answer, after.function, request)
