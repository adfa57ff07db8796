"""The way back of a request: errors become responses, and the middleware around the handler is closed."""

from collections.abc import Awaitable, Callable, Iterator
from copy import copy
from functools import partial
from typing import Any, TypeAlias

from antiphon.app.error_handlers import answer_error, find_handler
from antiphon.app.hooks import Hook, hook
from antiphon.app.middleware import Generators, OpenedMiddleware
from antiphon.app.open_places import Opening, is_read_later
from antiphon.app.opening import open_middleware
from antiphon.app.plan import Plan, RunsOn, raise_error
from antiphon.app.returns import respond, to_response
from antiphon.concurrency.iterables import resume
from antiphon.handler.contract import Steps, Switch, failed, switch_shielded
from antiphon.handler.errors import is_leaving, is_passed_on, sole_error
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request
from antiphon.response.response import Response

Close: TypeAlias = Callable[[Response], Response | Awaitable[Response]]
"""A function that is called with the response on its way back, and returns it, or another one."""
Closer: TypeAlias = tuple[Switch | None, Close, bool]
"""The place of what is called with the response on its way back, the function, and True if errors are thrown in."""


def leave(
    plan: Plan,
    request: Request,
    response: Response,
    opened: Any,
    is_shared: bool,
    failure: BaseException | None,
) -> Response | Steps[Response]:
    """Close the middleware and places, and return the response, completed, with the fields by which it varies.

    Where anything has to wait, or does not let the response pass, return the steps to it. The answer to an error takes
    steps, too: middleware may raise that error again, and then leaves the response as it is. ``is_shared`` says that a
    handler may give the same response again, as hooks may. A ``failure`` that ends the task or the process is raised
    again when everything is closed.
    """
    is_usual = failure is None and not request._after_hooks
    if is_usual and not plan.leaves:
        return _varied(request, response, is_shared) if request.consulted else response
    if is_usual and plan.is_plain and response.error is None and not (plan.late and _is_late(plan, request, response)):
        return _leave_plainly(plan, request, response, opened, is_shared)
    return _leave_in_steps(plan, request, response, opened, is_shared, failure, iter(plan.after))


def _leave_plainly(
    plan: Plan, request: Request, response: Response, opened: Generators, is_shared: bool
) -> Response | Steps[Response]:
    """Do what ``leave`` does where nothing waits, as far as the response passes."""
    if request.consulted:
        response, is_shared = _varied(request, response, is_shared), False
    steps = _call_hooks(plan, request, response, opened, is_shared) if plan.after else None
    if opened and steps is None:
        steps = _close_middleware(plan, request, response, opened, is_shared)
    if steps is not None:
        return steps
    if request.consulted and plan.has_middleware:  # hooks may have read more, or set Vary
        response, is_shared = _varied(request, response, is_shared), False
    return _completed(plan, request, response, is_shared) if plan.last else response


def _call_hooks(
    plan: Plan, request: Request, response: Response, opened: Generators, is_shared: bool
) -> Steps[Response] | None:
    """Call the hooks after the request, none of which waits. Return the steps that are left where one fails, gives
    another response, or registers a hook of the request's own; else None.
    """
    hooks = iter(plan.after)
    first: Close | None = None
    try:
        for after in hooks:
            answer = after.function(request, response)
            if answer is not None and answer is not response:
                first = partial(_replace, after, answer, request)
                break
            if request._after_hooks:
                break
        else:
            return None
    except BaseException as error:
        return _leave_in_steps(
            plan, request, response, opened, is_shared, None, hooks, partial(_fail, plan, request, [error])
        )
    return _leave_in_steps(plan, request, response, opened, is_shared, None, hooks, first)


def _close_middleware(
    plan: Plan, request: Request, response: Response, opened: Generators, is_shared: bool
) -> Steps[Response] | None:
    """Close the middleware, innermost first, as ``_call_hooks`` calls the hooks, which have been called."""
    first: Close | None = None
    try:
        while opened:
            generator = opened.pop()
            ended = resume(generator, response)
            if ended is not None:
                first = partial(plan.stack.middleware[len(opened)].replace, generator, ended, request)
                break
            if request._after_hooks:
                break
        else:
            return None
    except BaseException as error:
        return _leave_in_steps(
            plan, request, response, opened, is_shared, None, iter(()), partial(_fail, plan, request, [error])
        )
    return _leave_in_steps(plan, request, response, opened, is_shared, None, iter(()), first)


async def _close_in_place(
    plan: Plan, request: Request, response: Response, opened: OpenedMiddleware, hooks: Iterator[Hook]
) -> Close | None:
    """Do what ``_call_hooks`` and ``_close_middleware`` do where hooks and middleware may be async."""
    try:
        for after in hooks:
            answer = after.function(request, response)
            if after.is_async:
                answer = await answer
            if answer is not None and answer is not response:
                return partial(_replace, after, answer, request)
            if request._after_hooks:
                return None
    except BaseException as error:
        return partial(_fail, plan, request, [error])
    while opened and not request._after_hooks:
        part: Any
        generator: Any
        part, generator = opened.pop()
        is_async = part.is_async
        try:
            ended = await generator.asend(response) if is_async else resume(generator, response)
        except BaseException as error:
            if is_async and isinstance(error, StopAsyncIteration):
                continue
            return partial(_fail, plan, request, [error])
        if is_async:
            return partial(part.replace_last, generator, ended, request)
        if ended is not None:
            return partial(part.replace, generator, ended, request)
    return None


def _replace(after: Hook, answer: object, request: Request, _: Response) -> Response | Awaitable[Response]:
    return to_response(answer, after.function, request)


def _fail(plan: Plan, request: Request, raised: list[BaseException], _: Response) -> Awaitable[Response]:
    return answer_failure(plan, request, raised.pop())  # so that who keeps this call does not keep the error


async def _leave_in_steps(
    plan: Plan,
    request: Request,
    response: Response,
    opened: Any,
    is_shared: bool,
    failure: BaseException | None,
    hooks: Iterator[Hook],
    first: Close | None = None,
) -> Response:
    if plan.is_plain:
        opened = [*zip(plan.stack.middleware, opened, strict=False)]
    if plan.late and first is None and _is_late(plan, request, response):
        await _open_late(plan, request, opened)
    if request.consulted:
        response, is_shared = _varied(request, response, is_shared), False
    before, response = response, await _close(plan, request, response, opened, hooks, first)
    is_shared = is_shared or response is not before
    del before
    try:
        failure = _fatal(failure) or _fatal(response.error)
        if request.consulted:
            response, is_shared = _varied(request, response, is_shared), False
        if isinstance(opened, Opening):
            response = opened.end(request, response)
        if failure is not None:
            raise failure
        return _completed(plan, request, response, is_shared) if plan.last else response
    finally:
        del response, failure


def _is_late(plan: Plan, request: Request, response: Response) -> bool:
    """True if a request has read a place, or may read it later, for which middleware is opened late."""
    if request._places and any(place in request for place in plan.late):
        return True
    return bool(request._after_hooks or request._deferred or response.is_streamed)


async def _open_late(plan: Plan, request: Request, opened: OpenedMiddleware) -> None:
    """Open middleware that has nothing to do before the response is there."""
    for middleware in plan.stack.middleware:
        await open_middleware((middleware,), request, opened)


def _completed(plan: Plan, request: Request, response: Response, is_shared: bool) -> Response:
    """Return the response, or a copy of one that is shared, as what completes responses leaves it."""
    if is_shared:
        response = response.__copy__()  # in half the time of ``copy``
    for function in plan.last:
        function(request, response)
    return response


def _varied(request: Request, response: Response, is_shared: bool) -> Response:
    """Have a response, or a copy of one that is shared, say which fields of the request were consulted."""
    if is_shared:
        response = copy(response)
    response._vary(request.consulted)  # noqa: SLF001 - ``vary``, without names to unpack
    return response


def _fatal(error: BaseException | None) -> BaseException | None:
    """Return an error that ends the task or the process, such as a cancellation; None for all others."""
    return error if error is not None and is_leaving(error) else None


async def _close(
    plan: Plan,
    request: Request,
    response: Response,
    opened: OpenedMiddleware,
    hooks: Iterator[Hook],
    first: Close | None,
) -> Response:
    """Call the hooks after the request, then close the middleware and the places. An error becomes the response for
    what is next.

    So does a cancellation on the way to the next one's place: who waits for the response is called all the same.
    """
    if first is None and plan.is_in_place and response.error is None and not request._after_hooks:
        first = await _close_in_place(plan, request, response, opened, hooks)
        if first is None and not request._after_hooks:
            return response
    for place, close, throws in _closers(plan, request, opened, hooks, first):
        if place is not None:
            response = _unless_cancelled(await switch_shielded(place), request, response)
        response = _in_place_of(response, await _closed(plan, request, response, close), request, is_caught=throws)
        if isinstance(opened, Opening) and opened.kept and not is_read_later(request, response):
            opened.take_back()
    try:
        return response
    finally:
        del response  # the frame of a hook that has failed may keep this one


async def _closed(plan: Plan, request: Request, response: Response, close: Close) -> Response:
    """Call what is called with a response; return that response or another one, to its error if it fails.

    An error that was thrown in, and is passed on, is left as it was, without the frames that it has passed here.
    """
    thrown = response.error
    traceback = thrown.__traceback__ if thrown is not None else None
    try:
        made = close(response)
        return made if isinstance(made, Response) else await made
    except BaseException as error:
        if thrown is not None and is_passed_on(error, thrown):
            thrown.__traceback__ = traceback
            return await _unchanged(plan, request, response)
        return await answer_failure(plan, request, error)


def _closers(
    plan: Plan, request: Request, opened: OpenedMiddleware, hooks: Iterator[Hook], first: Close | None
) -> Iterator[Closer]:
    """Yield what is called with the response, ``first``, then from the innermost on: ``hooks``, then what is opened.

    Hooks and middleware may still open places. A hook of the request's own that one of them registers is called right
    after that one.
    """
    if first is not None:
        yield None, first, False
    if request._after_hooks:
        yield from _own_closers(plan, request)
    for each in hooks:
        yield each.place, partial(_after, each, request), False
        if request._after_hooks:
            yield from _own_closers(plan, request)
    is_mixed = plan.runs_on is RunsOn.MIXED
    while opened:
        part, generator = opened.pop()
        yield part.place if is_mixed else None, partial(part.close, generator, request), part.throws
        if request._after_hooks:
            yield from _own_closers(plan, request)


async def _unchanged(plan: Plan, request: Request, response: Response) -> Response:
    """Go back to where what follows is called, as ``answer_failure`` does, with the response that there is."""
    if not plan.is_driven(request):
        return response
    return _unless_cancelled(await switch_shielded(plan.place), request, response)


def _own_closers(plan: Plan, request: Request) -> Iterator[Closer]:
    """Take the hooks that were registered for this request only, in order: the innermost plan calls them, once."""
    functions, request._after_hooks = request._after_hooks, ()
    hooks = [hook(function).for_handler(plan.hooks_block) for function in functions]
    for each in [each.pinned() for each in hooks] if plan.is_driven(request) else hooks:
        yield each.place, partial(_after_own, plan, each, request), False


async def _after_own(plan: Plan, after: Hook, request: Request, response: Response) -> Response:
    """Call a hook of the request's own, and go back to where what follows is called."""
    response = await _after(after, request, response)
    if after.place is None:
        return response
    return _unless_cancelled(await switch_shielded(plan.place), request, response)


async def _after(after: Hook, request: Request, response: Response) -> Response:
    answer = await after.call(request, response)
    return response if answer is None else await respond(answer, after.function, request)


def _unless_cancelled(cancelled: BaseException | None, request: Request, response: Response) -> Response:
    """Return the response, or that to a cancellation, where this is the first that breaks the request off."""
    if cancelled is None or _fatal(response.error) is not None:
        return response
    return _in_place_of(response, failed(request, cancelled), request)


def _in_place_of(before: Response, response: Response, request: Request, *, is_caught: bool = False) -> Response:
    """Return a response that is sent instead of another, with the other's error, unless it has one of its own.

    An error that is caught is over. What ends the task is kept in any case. A stream that nobody reads any more is
    closed.
    """
    if response is before:
        return response
    _close_unsent(request, before, response)
    error = _fatal(before.error) or response.error or (None if is_caught else before.error)
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


def refuse_at_once(plan: Plan, request: Request, error: HTTPError) -> Response | None:
    """Answer an error in a request, which was not raised, where nothing is around the handler; else return None.

    A failure of the server is raised: it is logged with its traceback.
    """
    if plan.refuse is not raise_error or plan.leaves or plan.has_middleware or request.head.has_body:
        return None
    if error.status >= 500:
        return None
    response = answer_unhandled(plan, request, error)
    if response is not None and request.consulted:
        response.vary(*request.consulted)
    return response


def answer_unhandled(plan: Plan, request: Request, error: BaseException) -> Response | None:
    """Answer an error for which there is no handler; return None for all others, and for what ends the task."""
    error = sole_error(error)
    if not isinstance(error, Exception) or find_handler(plan.error_handlers, error) is not None:
        return None
    return failed(request, error)


async def answer_failure(plan: Plan, request: Request, error: BaseException) -> Response:
    """Answer an error where its handler has to be called; in any case, whoever cancels meanwhile.

    Only where nobody drives these steps any more, nothing is called. An error alone in a group is answered as itself.
    """
    if isinstance(error, GeneratorExit):
        raise error
    error = sole_error(error)
    handlers, blocks = plan.error_handlers, plan.hooks_block
    if not plan.is_driven(request):
        return await answer_error(handlers, request, error, blocks, is_driven=False)
    cancelled = await switch_shielded(plan.place)
    response = await answer_error(handlers, request, error, blocks, is_driven=True)
    cancelled = await switch_shielded(plan.place) or cancelled
    try:
        return _unless_cancelled(cancelled, request, response)
    finally:
        del response
