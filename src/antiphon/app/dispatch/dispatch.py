"""A request's path through an application, or through a nested application, for ``def`` and ``async def``.

Receive the body, as far as possible; open the middleware, outermost first; call the handler; close the middleware,
innermost first; release the body. An error becomes a response where it is raised, so every response passes through the
middleware around it. All this is one coroutine, ``dispatch``. If possible, ``respond_at_once`` does the same at once on
the server's thread or loop, and leaves only what has to wait to a coroutine.
"""

from collections.abc import Awaitable
from copy import copy
from types import NoneType
from typing import Any

from antiphon.app.dispatch.closing import leave, refuse_at_once, respond_to_failure, respond_to_unhandled
from antiphon.app.dispatch.middleware import close_unseen
from antiphon.app.dispatch.open_resources import Opened, ResourceStack
from antiphon.app.dispatch.opening import open_all, open_in_place, open_in_steps, receive_ahead, receive_rest
from antiphon.app.dispatch.plan import MIXED, NOTHING, Plan
from antiphon.app.dispatch.returns import make_content
from antiphon.concurrency.iterables import Suspended, begin_steps
from antiphon.handler.contract import ON_LOOP, ON_THREAD, NotBegun, Steps
from antiphon.handler.failures import failed
from antiphon.handler.scope import release, rest_in_scope, set_current_request
from antiphon.http.errors import HTTPError, RequestTimeout
from antiphon.request.request import Request
from antiphon.response.fields import TEXT_ONLY, depending
from antiphon.response.message import Message, message_of
from antiphon.response.response import Response, response_of, seen


async def run_nested(request: Request, steps: Steps[Response], may_block: bool) -> Response:
    """Run another plan's steps where requests begin: on a server's thread or loop.

    Steps that ``may_block`` can also begin on a worker thread, unless they have a body to receive. When they have
    ended, on whichever thread or loop, this request becomes the current one again.
    """
    if request.head.blocks:
        await ON_THREAD
    elif not may_block or (request.head.has_body and not request.content.is_complete):
        await ON_LOOP
    return await as_inner(request, steps)


async def as_inner(request: Request, steps: Awaitable[Response]) -> Response:
    """Await the response of another plan or application, which shares the request's body and doesn't release it.

    Afterwards, the request is the current one again.
    """
    if not request.head.has_body:
        response = await steps
    else:
        content = request.content
        outermost = content.outermost
        # The outermost request is the one that responds, whatever is mounted in it.
        content.outermost = outermost or request
        try:
            response = await steps
        finally:
            content.outermost = outermost
    set_current_request(request)
    try:
        return response
    finally:
        # An error that is raised further out keeps this frame.
        del response


_NOTHING: Opened = []
"""The list of the parts that a bare plan opens, which is always empty.

It is shared, because creating a list takes time.
"""
_IN_MEMORY = NoneType, bytes
"""The types of contents that nothing has to release."""


# At once


def refuse_or_receive(plan: Plan, request: Request, error: HTTPError | None) -> Response | Message | Steps[Response]:
    """Handle a request with a body or a fault the way ``handle_at_once`` handles all other requests."""
    if error is not None:
        set_current_request(request)
        refused = refuse_at_once(plan, request, error)
        return dispatch(plan, request, error) if refused is None else refused
    reading = plan.ahead is not NOTHING and request._read_small_body(plan.limits)
    if reading is True:
        return handle_at_once(plan, request)
    return _respond_when_read(plan, request, reading) if reading else dispatch(plan, request)


def respond_at_once(plan: Plan, request: Request) -> Response | Steps[Response]:
    """Do the same as ``handle_at_once`` for code that looks at the response."""
    return seen(handle_at_once(plan, request))  # type: ignore[return-value]  # only steps are awaited


def handle_at_once(plan: Plan, request: Request) -> Response | Message | Steps[Response]:
    """Handle a request where its handler runs, with a plan that isn't stacked. If anything has to wait, return the
    remaining steps, which are driven on a thread and awaited on a loop. The body has already been received.

    If no code of the application can look at the response, return its message, and make no response.
    """
    plan.begin(request)
    opened: Opened = _NOTHING
    result: Any = None
    try:
        if plan.opening is not None:
            # One iterator, so that the steps go on where ``open_in_place`` has stopped.
            opened, openers = [], iter(plan.opening)
            result = open_in_place(openers, request, opened)
            if type(result) is tuple:  # it has to wait, as no response does
                opening = open_in_steps(result, openers, request, opened)
                return _conclude(plan, request, _respond_when_open(plan, request, opening), opened)
        if result is None:
            if plan.raw_handler is None:
                result = plan.function(request)
            else:
                # A handler that never waits is driven to its end here, without a scope or a coroutine around it.
                result = begin_steps(steps := plan.raw_handler(request), Suspended)
        made, fields, status = result, TEXT_ONLY, None
        kind = type(result)
        # Text first, without a call: it needs no declared type and no conditions.
        if kind is str:
            made = result.encode()
        elif kind is Response:
            made = _by_conditions(request, result)
        elif kind is Suspended:
            on_disconnect = plan.route.cancel_on_disconnect
            rest = rest_in_scope(steps, result.effect, request, on_disconnect)  # pyright: ignore[reportPossiblyUnboundVariable]
            return _conclude(plan, request, rest, opened)
        elif type(made := make_content(result, plan.function, request, plan.declared)) is tuple:
            made, fields, status = made  # type: ignore[assignment]  # fields of other kinds
        elif not isinstance(made := _settled(request, made), Response):
            return _conclude(plan, request, made, opened)
        if type(made) is bytes:
            # The shortest way, without the call of ``leave``, which would find nothing to do.
            if (
                plan.is_unseen
                and type(request._content) in _IN_MEMORY
                and (close_unseen(opened, request) if opened else not request._after_hooks)
            ):
                if request.consulted:
                    fields = depending(fields, request.consulted)  # type: ignore[assignment]  # as above
                return message_of(made, fields, status, request.head.method)
            made = response_of(made, fields, status)
    except BaseException as raised:
        return _end_failed_at_once(plan, request, raised, opened, result)
    return leave(plan, request, made, opened, made is result)  # pyright: ignore[reportArgumentType]  # not bytes


async def _respond_when_open(plan: Plan, request: Request, opening: Awaitable[Response | None]) -> object:
    """Wait until everything around the handler is open, then call the handler, unless something has already
    responded.
    """
    early = await opening
    if early is not None:
        return early
    result = plan.function(request)
    return await result if plan.is_async else result  # OPTIONS is handled in place


async def _respond_when_read(plan: Plan, request: Request, reading: Awaitable[bool]) -> Response:
    """Wait for a small body that is arriving, then handle the request, or the timeout."""
    try:
        is_read = await reading
    except RequestTimeout as too_late:
        return await dispatch(plan, request, too_late)
    result = respond_at_once(plan, request) if is_read else dispatch(plan, request)
    try:
        return result if isinstance(result, Response) else await result
    finally:
        del result  # an error raised in the handler keeps this frame


# An error refers to the frames that it has passed, the frames to their variables, and a response to its error. So code
# that catches an error here leaves the response to other code and keeps neither. That way, no part of a
# request has to wait for the garbage collector.


def _end_failed_at_once(
    plan: Plan, request: Request, error: BaseException, opened: Opened, result: object
) -> Response | Steps[Response]:
    if type(result) is str:
        error = _fault_of(result, plan, request) or error
    response = respond_to_unhandled(plan, request, error)
    if response is None:
        return _end_failed(plan, request, error, opened)
    return leave(plan, request, response, opened, False)


def _fault_of(text: str, plan: Plan, request: Request) -> TypeError | None:
    """Return the error of all wrong returns if text can't be encoded."""
    try:
        make_content(text, plan.function, request)
    except TypeError as wrong:
        return wrong
    return None


async def _conclude(plan: Plan, request: Request, waiting: Awaitable[object], opened: Opened) -> Response:
    """Respond when the handler has returned, or when the code around it has created the response."""
    try:
        result = await waiting
        made = _respond(plan, request, result)
        response = made if isinstance(made, Response) else await made
    except BaseException as raised:
        return await _end_failed(plan, request, raised, opened)
    left: Response | Steps[Response] = response
    try:
        left = leave(plan, request, response, opened, response is result)
        return left if isinstance(left, Response) else await left
    finally:
        del result, made, response, left  # an error raised in a mounted application keeps this frame


# In steps


async def dispatch(plan: Plan, request: Request, error: HTTPError | None = None) -> Response:
    """Handle a request with any plan. The request's ``error`` is raised inside all middleware."""
    plan.begin(request)
    head = request.head
    if head.blocks:
        # Sync parts run on this thread: on the process's only loop, they would hold up all other requests.
        plan = plan.for_wsgi
        first = plan.runs_on.from_thread
    else:
        first = plan.runs_on.from_loop
    if error is not None and (refused := refuse_at_once(plan, request, error)) is not None:
        return refused
    opened: Opened = ResourceStack(request, plan.runs_on is MIXED) if plan.stack.opens_dependencies else []
    try:
        if head.has_body:
            error = await receive_ahead(plan, request, error)
        if first is not None:
            await first
        result: Any = None
        if plan.opening:
            result = await open_all(plan.opening, request, opened)
        if result is None:
            if head.has_body:
                await receive_rest(plan, request, error)
            if plan.handler_switch is not None:
                await plan.handler_switch
            result = plan.function(request) if error is None else plan.refuse(request, error)
            if plan.is_async:
                result = await result
        made = _respond(plan, request, result)
        response = made if isinstance(made, Response) else await made
    except NotBegun as refusal:
        return await _end_refused(plan, request, failed(request, refusal), opened)
    except BaseException as raised:
        try:
            return await _end_failed(plan, request, raised, opened)
        finally:
            # The request's own error was raised through this frame, which refers to it.
            _drop_frames(error)
            error = None  # its cause also has frames
    left: Response | Steps[Response] = response
    try:
        left = leave(plan, request, response, opened, response is result)
        return left if isinstance(left, Response) else await left
    finally:
        del result, made, response, left  # an error raised in a mounted application keeps this frame


def _drop_frames(error: HTTPError | None) -> None:
    if error is not None:
        error.__traceback__ = None


async def _end_failed(plan: Plan, request: Request, error: BaseException, opened: Opened) -> Response:
    response = await respond_to_failure(plan, request, error)
    left: Response | Steps[Response] = response
    del error
    try:
        left = leave(plan, request, response, opened, False)
        return left if isinstance(left, Response) else await left
    finally:
        del response, left  # the frame of an error handler or of middleware may keep this one


async def _end_refused(plan: Plan, request: Request, response: Response, opened: Opened) -> Response:
    """Release a request for which there was no thread. A plan that runs on a thread has not begun: it has opened
    nothing, and its hooks aren't called.
    """
    if plan.runs_on is MIXED:
        left = leave(plan, request, response, opened, False)
        return left if isinstance(left, Response) else await left
    if request.head.has_body:
        release(request, response)
    return response


def _respond(plan: Plan, request: Request, result: object) -> Response | Awaitable[Response]:
    """Create a response from the returned value and apply the request's conditions if needed."""
    made = result if type(result) is Response else make_content(result, plan.function, request, plan.declared)
    return response_of(*made) if type(made) is tuple else _settled(request, made)


def _settled(request: Request, made: Any) -> Response | Awaitable[Response]:
    """Return a response, or one that a value makes, with the request's conditions applied if needed."""
    response = made if isinstance(made, Response) else made.__response__(request)
    return _by_conditions(request, response) if isinstance(response, Response) else _wait(request, response)


async def _wait(request: Request, made: Awaitable[Response]) -> Response:
    return _by_conditions(request, await made)


def _by_conditions(request: Request, response: Response) -> Response:
    return copy(response).make_conditional(request) if response.is_conditional else response  # it may be returned again
