"""The way of a request through an application: for all adapters, for ``def`` and ``async def``.

Receive the body, as far as that may be; open the middleware, outermost first; call the handler; close the middleware,
innermost first; release the body. An error becomes a response where it is raised, so that every response passes the
middleware around it. All this is one coroutine, ``dispatch``. On a server's thread or loop ``answer_at_once`` goes the
way without one, as far as nothing has to wait; the coroutines below it go on from there.
"""

from collections.abc import Awaitable
from copy import copy
from functools import lru_cache
from typing import Any

from antiphon.app.closing import answer_failure, answer_unhandled, leave, refuse_at_once
from antiphon.app.middleware import Generators, OpenedMiddleware
from antiphon.app.open_places import Opening
from antiphon.app.opening import open_in_steps, open_plainly
from antiphon.app.plan import LOOP, Plan, RunsOn
from antiphon.app.returns import to_response
from antiphon.body.content import Content
from antiphon.body.receiver import SMALL_BODY
from antiphon.concurrency.iterables import resume
from antiphon.handler.context import set_current_request
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Steps
from antiphon.handler.release import drain, free, release
from antiphon.handler.scope import rest_in_scope
from antiphon.http.errors import HTTPError, RequestTimeout
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.fields import TEXT_ONLY
from antiphon.response.response import Response, response_of


def answer_at_once(plan: Plan, request: Request, error: HTTPError | None) -> Response | Steps[Response]:
    """Answer a request where a plan allows it: at once, or, as soon as anything has to wait, by steps.

    These are driven on a thread, and awaited on a loop.
    """
    set_current_request(request)
    if error is not None:
        refused = refuse_at_once(plan, request, error)
        return dispatch(plan, request, error) if refused is None else refused
    if not request.head.has_body:
        return _answer(plan, request, False)
    reading = plan.most_ahead > 0 and request.read_small_body(request.limits)
    if reading is True:
        return _answer(plan, request, True)
    return _answer_when_read(plan, request, reading) if reading else dispatch(plan, request)


async def _answer_when_read(plan: Plan, request: Request, reading: Awaitable[bool]) -> Response:
    """Answer a request when the small body that is on its way is there, or what there is in its place."""
    try:
        is_read = await reading
    except RequestTimeout as too_late:
        return await dispatch(plan, request, too_late)
    answer = _answer(plan, request, True) if is_read else dispatch(plan, request)
    return answer if isinstance(answer, Response) else await answer


def _answer(plan: Plan, request: Request, has_body: bool) -> Response | Steps[Response]:
    """Answer a request at once, as far as nothing has to wait; a small body is there."""
    opened: Generators = []
    made: Response | Awaitable[Response]
    try:
        answer = open_plainly(plan, request, opened) if plan.has_middleware else None
        if answer is not None:
            made = _given_early(request, answer)
        else:
            if plan.unscoped is None:
                answer = plan.function(request)
            elif (begun := resume(steps := plan.unscoped(request), None)) is None or begun[0]:
                answer = begun and begun[1]
            else:
                return _answer_waiting(plan, request, steps, begun[1], opened)
            made = response_of(answer.encode(), TEXT_ONLY) if type(answer) is str else _respond(plan, request, answer)
    except BaseException as raised:
        return _answer_raised(plan, request, raised, opened)
    if not isinstance(made, Response):
        return _answer_made(plan, request, made, opened)
    if plan.leaves or request.consulted or request._after_hooks or (has_body and not request._is_in_bytes):
        return _end(plan, request, made, opened, made is answer, None, has_body)
    return made


# An error has the frames that it has passed, these have their variables, and a response has its error. So who catches
# an error here leaves the response to others, and keeps neither: nothing of a request has to wait for the collector.


def _answer_raised(
    plan: Plan, request: Request, error: BaseException, opened: Generators
) -> Response | Steps[Response]:
    response = answer_unhandled(plan, request, error)
    if response is None:
        return _answer_failed(plan, request, error, opened)
    return _end(plan, request, response, opened, False, None, request.head.has_body)


async def _answer_failed(plan: Plan, request: Request, error: BaseException, opened: Any) -> Response:
    response = await answer_failure(plan, request, error)
    try:
        return await _ended(_end(plan, request, response, opened, False, response.error, request.head.has_body))
    finally:
        del response  # the frame of an error handler that has failed may keep this one


def _forget_frames(error: HTTPError | None) -> None:
    """Forget the frames of an error in a request that was raised here, which tell nothing."""
    if error is not None:
        error.__traceback__ = None


async def _answer_waiting(plan: Plan, request: Request, steps: Any, effect: object, opened: Generators) -> Response:
    """Answer when the rest of a handler's steps have run, which have given ``effect``."""
    try:
        answer = await rest_in_scope(steps, effect, request, plan.route.cancel_on_disconnect)
        made = _respond(plan, request, answer)
        response = made if isinstance(made, Response) else await made
    except BaseException as raised:
        return await _answer_failed(plan, request, raised, opened)
    return await _ended(_end(plan, request, response, opened, response is answer, None, request.head.has_body))


async def _answer_made(plan: Plan, request: Request, made: Awaitable[Response], opened: Generators) -> Response:
    """Answer when the response to which a handler has returned the way is made."""
    try:
        response = await made
    except BaseException as raised:
        return await _answer_failed(plan, request, raised, opened)
    return await _ended(_end(plan, request, response, opened, False, None, request.head.has_body))


def _end(
    plan: Plan,
    request: Request,
    response: Response,
    opened: Any,
    is_shared: bool,
    failure: BaseException | None,
    has_body: bool,
) -> Response | Steps[Response]:
    """Close what is opened, as ``leave`` does, then release the body; return the response, or the steps to it."""
    left = leave(plan, request, response, opened, is_shared, failure)
    if not has_body or request._is_in_bytes:
        return left
    if not isinstance(left, Response):
        return _release(plan, request, left)
    return _drain(plan, request, left) if free(request, left) else left


async def _release(plan: Plan, request: Request, left: Steps[Response]) -> Response:
    response = await left
    await release(request, response, plan.is_driven(request))
    return response


async def _drain(plan: Plan, request: Request, response: Response) -> Response:
    await drain(request, plan.is_driven(request))
    return response


async def _ended(left: Response | Steps[Response]) -> Response:
    return left if isinstance(left, Response) else await left


async def dispatch(plan: Plan, request: Request, error: HTTPError | None = None) -> Response:
    """Answer a request by a plan, in steps. An ``error`` in the request is raised inside of all middleware."""
    set_current_request(request)
    head = request.head
    if head.blocks:
        plan = plan.for_wsgi
        first = plan.runs_on.from_thread
    else:
        first = plan.runs_on.from_loop
    has_body = head.has_body
    if error is not None and (refused := refuse_at_once(plan, request, error)) is not None:
        return refused
    opened: Any = _prepare_request(plan, request) if plan.prepares else []
    try:
        if has_body:
            error = await _receive_ahead(plan, request, error)
        if first is not None:
            await first
        if plan.has_middleware:
            answer = await _enter(plan, request, error, opened)
        else:
            answer = plan.function(request) if error is None else plan.refuse(request, error)
            if plan.is_async:
                answer = await answer
        made = _respond(plan, request, answer)
        response = made if isinstance(made, Response) else await made
    except BaseException as raised:
        try:
            return await _answer_failed(plan, request, raised, opened)
        finally:
            _forget_frames(error)
            error = None  # its cause has frames, too
    left = _end(plan, request, response, opened, response is answer, None, has_body)
    return left if isinstance(left, Response) else await left


def _prepare_request(plan: Plan, request: Request) -> OpenedMiddleware:
    """Let the deadline run, and return the list of what is open, in which places are, too, if any is opened."""
    if plan.deadline is not None:
        request.lifetime.limit(plan.deadline)
    return Opening(request) if plan.stack.opens_places else []


# Receiving


async def _receive_ahead(plan: Plan, request: Request, error: HTTPError | None) -> HTTPError | None:
    """Receive the body before any middleware opens, as far as the plan says, and return what is wrong with the request.

    Where something is wrong already, and no middleware reads the body, a large one is not worth receiving; over WSGI,
    where a slow client would hold the server's thread, none is that this thread can read when it is asked for.
    """
    if request.head.blocks and _may_leave_unread(plan, error):
        _prepare(plan, request, request.content)
        request.content.is_refused = error is not None
        return error
    limits = request.limits
    if plan.body == "delegated" and not plan.reads_body:
        limits = _limits_of_small(limits.rate, limits.timeout)
    if plan.most_ahead:
        try:
            is_read = request.read_small_body(limits)
            if is_read if isinstance(is_read, bool) else await is_read:
                return error
        except RequestTimeout as too_late:
            _prepare(plan, request, request.content)
            return error or too_late
    content = request.content
    _prepare(plan, request, content)
    content.is_refused = error is not None
    if error is not None and content.failure is not None:
        return error
    if _is_received_ahead(plan, content, error):
        try:
            await content.load(limits)
        except HTTPError as unreadable:  # it is raised inside the middleware, as all errors are
            return error or unreadable
    return error


def _may_leave_unread(plan: Plan, error: HTTPError | None) -> bool:
    """True if nobody needs the body before another plan finds that nothing is wrong with the request, or if what looks
    at one that is refused runs on the thread that can read it.
    """
    if plan.body == "delegated":
        return not (plan.has_middleware if error is None else plan.reads_body)
    if error is None or plan.reads_body or plan.runs_on is not RunsOn.THREAD:
        return False
    return not any(handlers.has_async for handlers in plan.error_handlers)


def _is_received_ahead(plan: Plan, content: Content, error: HTTPError | None) -> bool:
    """True if all of a body has few enough bytes to be received before any middleware opens."""
    most = plan.most_ahead if error is None or plan.reads_body else min(plan.most_ahead, SMALL_BODY)
    return most > SMALL_BODY or (most > 0 and content.is_small(SMALL_BODY))


@lru_cache(maxsize=64)
def _limits_of_small(rate: int, timeout: float) -> Limits:
    """Limits of a small body of a plan that hands the request on: how large it may be, the other plan says."""
    return Limits(body=SMALL_BODY, rate=rate, timeout=timeout)


def _prepare(plan: Plan, request: Request, content: Content) -> None:
    """Tell a body where and whether it is kept, and on which loop other threads have it received.

    What may wait for it on a thread waits before that, on the loop, until few enough others do.
    """
    content.folder = plan.route.app.upload_folder
    if not content.received:
        content.is_kept = plan.body != "stream"
    if plan.runs_on is not LOOP and not (request.head.blocks or content.is_complete):
        from asyncio import get_running_loop

        content.loop = get_running_loop()
        if plan.waits_on_thread:
            from antiphon.concurrency.waiting import wait_to_receive

            content.when_not_waited_for = wait_to_receive()


async def _receive(plan: Plan, request: Request) -> None:
    """Receive a body that the middleware has let pass, where its bytes come from, and go back to where the handler is.

    A body that is there already is held to the limits that may have been set since: who reads bytes does that.
    """
    if request._is_in_bytes:
        return
    content = request.content
    moves = not content.is_complete and plan.is_driven(request)
    if moves:
        content.end_waiting()
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await content.load(request.limits)
    if moves:
        await plan.place


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
    try:
        return response
    finally:
        del response


# Opening and calling


async def _enter(plan: Plan, request: Request, error: HTTPError | None, opened: Any) -> Any:
    """Open the middleware, then call the handler, unless something that is opened answers."""
    if plan.is_plain:
        early = open_plainly(plan, request, opened)
    else:
        early = await open_in_steps(plan.stack, request, opened)
    if early is not None:
        return early if isinstance(early, Response) else await early
    handler = plan.handler
    if error is None and plan.body == "load" and request.head.has_body:
        await _receive(plan, request)
    elif plan.is_async and plan.waits_on_thread and request.head.has_body:
        request.content.end_waiting()
    if handler.place is not None:
        await handler.place
    answer = handler.function(request) if error is None else plan.refuse(request, error)
    return await answer if handler.is_async else answer


def _respond(plan: Plan, request: Request, answer: Any) -> Response | Awaitable[Response]:
    """Make a response of what was returned, by the request's conditions where it has to be."""
    if type(answer) is str:
        return response_of(answer.encode(), TEXT_ONLY)
    made = to_response(answer, plan.function, request)
    if not isinstance(made, Response):
        return _wait(request, made)
    return _by_conditions(request, made) if made.is_conditional else made


def _given_early(request: Request, answer: Response | Awaitable[Response]) -> Response | Awaitable[Response]:
    """Return the response with which middleware or a hook has answered, by the request's conditions."""
    return _by_conditions(request, answer) if isinstance(answer, Response) else _wait(request, answer)


async def _wait(request: Request, made: Awaitable[Response]) -> Response:
    return _by_conditions(request, await made)


def _by_conditions(request: Request, response: Response) -> Response:
    return copy(response).conditional(request) if response.is_conditional else response  # it may be given again
