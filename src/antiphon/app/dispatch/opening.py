"""Opening: a body is received, middleware is opened, dependencies are resolved, and hooks are called."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import chain
from math import inf
from typing import Any, TypeAlias

from antiphon.app.dispatch.hooks import Opener
from antiphon.app.dispatch.middleware import early_response, open_async, open_in_turn
from antiphon.app.dispatch.open_resources import Opened, atomic_blocks, refuse_block_of_thread
from antiphon.app.dispatch.plan import ALL, DELEGATED, FOR_MIDDLEWARE, LOAD, LOOP, STREAM, THREAD, Plan
from antiphon.app.dispatch.returns import refuse_value, respond, to_response
from antiphon.body.content import Content, NotLoadedError
from antiphon.body.receiver import SMALL_BODY
from antiphon.concurrency.iterables import resume
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.handler.scope import awaitable_rest
from antiphon.http.errors import HTTPError, RequestTimeout, without_traceback
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.request.watching import unrecorded
from antiphon.response.response import Response


async def receive_ahead(plan: Plan, request: Request, error: HTTPError | None) -> HTTPError | None:
    """Receive the body before any middleware opens, as far as the plan says. Return the request's error, if any.

    If something is already wrong and no middleware reads the body, a large body isn't received. Over WSGI, a body that
    the server's thread can read on demand isn't received either, because a slow client would occupy the thread.
    """
    if error is None and request._expects_no_body:
        try:
            if await _receive_small(request, request.limits):
                return None
        except RequestTimeout as too_late:
            error = too_late
    if request.head.blocks and _may_leave_unread(plan, error):
        _prepare(plan, request, request.content)
        request.content.is_refused = error is not None
        return error
    limits = _limits_ahead(plan, request.limits)
    if plan.ahead.most:
        try:
            if await _receive_small(request, limits):
                return error
        except RequestTimeout as too_late:
            _prepare(plan, request, request.content)
            return error or without_traceback(too_late)
    content = request.content
    _prepare(plan, request, content)
    content.is_refused = error is not None
    if error is not None and content.failure is not None:
        return error
    # No response depends on how a body is framed.
    if unrecorded(request.head, lambda: _is_received_ahead(plan, content, error)):
        try:
            await content.load(limits)
        except HTTPError as unreadable:  # it is raised inside the middleware, as all errors are
            return error or without_traceback(unreadable)
    return error


async def _receive_small(request: Request, limits: Limits) -> bool:
    """Receive a small body that comes as one chunk. Return False for any other. Raises RequestTimeout (408)."""
    # At once if it has arrived, without a coroutine.
    is_read = request._read_small_body(limits)
    return is_read if isinstance(is_read, bool) else await is_read


def _may_leave_unread(plan: Plan, error: HTTPError | None) -> bool:
    """True if the body isn't needed before another plan has accepted the request, or if the code that sees a refused
    request runs on the thread that can read the body.
    """
    if plan.ahead is FOR_MIDDLEWARE:
        return False
    if plan.body is DELEGATED:
        return error is not None or not plan.stack.is_around
    if error is None or plan.runs_on is not THREAD:
        return False
    return not any(handlers.has_async for handlers in plan.error_handlers)


def _is_received_ahead(plan: Plan, content: Content, error: HTTPError | None) -> bool:
    """True if the whole body is small enough to be received before any middleware opens."""
    most = plan.ahead.most if error is None else plan.ahead.most_refused
    return most > SMALL_BODY or (most > 0 and content.is_small(SMALL_BODY))


def _limits_ahead(plan: Plan, limits: Limits) -> Limits:
    """Return the limits for what is received before any middleware opens."""
    if plan.body is DELEGATED and plan.ahead is not FOR_MIDDLEWARE:
        return _limits_of_small(limits.rate, limits.timeout)
    return limits


@lru_cache(maxsize=64)
def _limits_of_small(rate: int, timeout: float) -> Limits:
    """Return the limits for a small body in a plan that passes the request on. The other plan limits the size."""
    return Limits(body=SMALL_BODY, rate=rate, timeout=timeout)


def _prepare(plan: Plan, request: Request, content: Content) -> None:
    """Tell a body whether and where it is kept, and which loop receives it for other threads.

    Code that may wait for the body on a thread first waits on the loop until few enough threads are waiting.
    """
    if plan.route.app is not None:  # another framework's view has none
        content.folder = plan.route.app.upload_folder
    if not content.received:
        # Not once bytes have been received: they have been kept or dropped.
        content.is_kept = plan.body is not STREAM
    if plan.runs_on is not LOOP and not (request.head.blocks or content.is_complete):
        from asyncio import get_running_loop

        content.loop = get_running_loop()
        if plan.waits_on_thread:
            from antiphon.concurrency.crossing import wait_to_receive

            content.when_not_waited_for = wait_to_receive()


async def receive_rest(plan: Plan, request: Request, error: HTTPError | None) -> None:
    """Receive the rest of a body for the handler, once the middleware has let the request through.

    It is received where the bytes arrive; then the steps switch back to where the handler runs. The limits may have
    changed in the meantime, so code that reads a received body checks them.
    """
    if error is not None or plan.body is not LOAD:
        if plan.is_async and plan.waits_on_thread:
            request.content.end_waiting()
        return
    if plan.ahead is ALL or request._is_in_bytes:
        return
    content = request.content
    moves = not content.is_complete and plan.is_driven(request)
    if moves:
        # The loop receives the body: others may have the place among those that wait on threads.
        content.end_waiting()
        await (ON_THREAD if request.head.blocks else ON_LOOP)
    await content.load(request.limits)
    if moves:
        await plan.home


Stopped: TypeAlias = Response | Opener | tuple[Awaitable[Response | None]] | None
"""The reason why ``open_in_place`` stopped: its return value. What has to wait is a tuple."""


def open_all(parts: Iterable[Opener], request: Request, opened: Opened) -> Awaitable[Response | None]:
    """Open everything around a handler, as far as possible at once and the rest later; return the first response."""
    openers = iter(parts)
    return open_in_steps(open_in_place(openers, request, opened), openers, request, opened)


def open_in_place(openers: Iterator[Opener], request: Request, opened: Opened) -> Stopped:
    """Open the parts that neither wait nor run elsewhere and record that they are open, until one returns a response.

    Return that response, or the first part that waits or must be opened elsewhere, or None at the end. Raises
    RuntimeError if middleware ends without a yield and without a response, because it may have meant to refuse the
    request.
    """
    early: Any
    for function, closer, apart in openers:
        if apart is not None:
            if closer is None or apart[0] is not None:
                return function, closer, apart
            # Driven in place until it waits: only then are there steps to await.
            steps = open_async(function, closer, request, opened)
            stopped = resume(steps, None)
            if stopped is None:
                continue
            has_ended, early = stopped
            return early if has_ended else (awaitable_rest(steps, early),)
        if closer is None:
            try:
                early = function(request)
            except NotLoadedError:
                if not getattr(function, "waits_for_body", False):
                    raise
                return partial(_call_when_loaded, function), None, (None, True)
        else:
            ended = open_in_turn(function, closer, request, opened)
            if ended is None:
                continue
            return _stopped(to_response(early_response(*ended), ended[0], request))
        if early is not None:
            if type(early) is Response:
                return early
            refuse_value(function, early)
            return _stopped(to_response(early, function, request))
    return None


def _stopped(response: Response | Awaitable[Response]) -> Stopped:
    return response if isinstance(response, Response) else (response,)


async def _call_when_loaded(function: Callable[[Request], Any], request: Request) -> Any:
    """Load the body on the loop, then repeat the call of the hook that needed it. Raises the same errors as
    ``Request.aload``.
    """
    await request.aload()
    return function(request)


async def open_in_steps(
    stopped: Stopped, openers: Iterator[Opener], request: Request, opened: Opened
) -> Response | None:
    """Open the remaining parts around a handler, each where it runs; return the first response from one of them."""
    while isinstance(stopped, tuple):
        if len(stopped) == 1:
            stopped = await stopped[0] or open_in_place(openers, request, opened)
            continue
        function, closer, apart = stopped
        switch, is_async = apart or (None, False)
        if switch is not None:
            await switch
        before = atomic_blocks() if switch is ON_THREAD and closer is not None else inf
        if not is_async or closer is not None:
            # The part again, now where it runs: without its switch.
            openers = chain(((function, closer, (None, True) if is_async else None),), openers)
        elif (early := await function(request)) is not None:
            refuse_value(function, early)
            return await respond(early, function, request)
        stopped = open_in_place(openers, request, opened)
        if before is not inf:
            refuse_block_of_thread(request, before, function[-1])
    return stopped
