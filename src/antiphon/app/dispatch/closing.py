"""Closing: errors become responses, hooks are called, and everything that was opened around the handler is closed.

At each step, one function owns the response, and with it the response's error, whose traceback refers to the frames
that the error has passed through. Code that passes on the response must therefore not keep it in a variable of a frame
that an error may refer to.

| step | owner of the response | an error that is raised here |
|---|---|---|
| ``leave`` | itself, up to its return | goes to the server, as does a finisher's error |
| ``_pass_back`` | its caller: a part only borrows it | becomes ``Held``, with the steps to a new response |
| ``_go_on`` | itself; a part that settles it may replace it | becomes the response for the parts that follow |
| ``_completed`` | itself; it copies a response that a handler may return again | ends the task, and is raised |

A replaced response is closed, unless the new one reads its stream. The new one takes over its error, unless a part
caught it. The request's body is freed last, when the response is settled.
"""

from collections.abc import Awaitable
from copy import copy
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

from antiphon.app.dispatch.hooks import Closer, Hook, Part, find_handler, hook, respond_to_error
from antiphon.app.dispatch.middleware import close_run
from antiphon.app.dispatch.open_resources import Opened, ResourceStack
from antiphon.app.dispatch.opening import open_in_place, open_in_steps
from antiphon.app.dispatch.plan import Plan
from antiphon.handler.contract import Steps, Switch, switch_shielded
from antiphon.handler.errors import is_leaving, is_passed_on, sole_error
from antiphon.handler.failures import failed
from antiphon.handler.scope import release
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request
from antiphon.response.conditional import close_unsent
from antiphon.response.response import Response


class Held(NamedTuple):
    """A response that a part holds back, with the part's return value and the resources that it closes.

    If ``part`` is None, ``outcome`` contains the steps to the response that replaces a failed one.
    """

    outcome: Any
    part: Part | None
    subject: Any


Halt: TypeAlias = Switch | Held | None
"""The reason why a response pauses on its way out: a switch to where the next part runs, or its settling.

None at the end.
"""


def leave(
    plan: Plan, request: Request, response: Response, opened: Opened, is_shared: bool
) -> Response | Steps[Response]:
    """Close everything around the handler, complete the response, free the body, and return the response.

    If anything has to wait or to make another response, return the steps to the response. ``is_shared`` is True if a
    handler or a hook may return the same response again. Raises an error only if it ends the task or the process.
    """
    try:
        # First, because hooks may read the dependency that this middleware opens.
        if plan.opened_on_read and _is_unopened(plan, request, response, opened):
            opening = _open_on_read(plan, request, opened)
            if opening is not None:
                return _leave_when_open(plan, request, response, opened, is_shared, opening)
        if request.consulted:
            response, is_shared = _varied(request, response, is_shared), False
        if plan.after or opened or request._after_hooks:
            # A copy, from whose end they are taken; the request's own hooks come in between.
            hooks = [*plan.after]
            halt = _pass_back(plan, request, response, hooks, opened)
            if halt is not None:
                response, is_shared, halt = _replace_at_once(plan, request, response, hooks, opened, is_shared, halt)
                if halt is not None:
                    return _go_on(plan, request, response, hooks, opened, is_shared, halt)
        if request.consulted or plan.finishers or response.error is not None or type(opened) is ResourceStack:
            response = _completed(plan, request, response, opened, is_shared, None)
        if request.head.has_body and not request._is_in_bytes:
            release(request, response)
        return response
    finally:
        del response  # the frames of a raised error must not keep it


def _open_on_read(plan: Plan, request: Request, opened: Opened) -> Awaitable[Response | None] | None:
    """Open middleware that has nothing to do before there is a response. Return the steps if any of it waits."""
    openers = iter(plan.opened_on_read)
    stopped = open_in_place(openers, request, opened)
    return None if stopped is None else open_in_steps(stopped, openers, request, opened)


async def _leave_when_open(
    plan: Plan,
    request: Request,
    response: Response,
    opened: Opened,
    is_shared: bool,
    opening: Awaitable[Response | None],
) -> Response:
    """Continue ``leave`` once all late middleware is open."""
    await opening
    left = leave(plan, request, response, opened, is_shared)
    return left if isinstance(left, Response) else await left


def _pass_back(plan: Plan, request: Request, response: Response, hooks: list[Closer], opened: Opened) -> Halt:
    """Call the hooks after the request, last one first, then close everything that is open, innermost first.

    The request's own hooks are called next, and hooks and middleware may open dependencies. Return None when everything
    is closed, the switch to await if a part runs elsewhere, or the holder of the response.
    """
    dependencies = opened if type(opened) is ResourceStack else None
    # Taken before the parts run: an error that is thrown into one gains its frames.
    traceback = None if response.error is None else response.error.__traceback__
    try:
        while True:
            if request._after_hooks:
                hooks += _own_hooks(plan, request)
            if dependencies is not None:
                dependencies.take_back_unread(request, response)
            if hooks:
                (close, (part,)), subject = hooks.pop(), request
                outcome = close(request, response)
                if outcome is None:
                    continue
            elif not opened:
                return None
            elif (held := close_run(opened, request, response)) is None:
                continue
            else:
                part, subject, outcome = held
            if type(outcome) is not Switch:
                return Held(outcome, part, subject)
            arrived: Closer = part.close, (part,)
            # Put back, to be called after the switch, which it no longer needs.
            hooks.append(arrived) if subject is request else opened.append((arrived, [subject]))
            return outcome
    except BaseException as error:
        return Held(_respond_to_late_error(plan, request, response, error, traceback), None, None)


def _replace_at_once(
    plan: Plan, request: Request, response: Response, hooks: list[Closer], opened: Opened, is_shared: bool, halt: Halt
) -> tuple[Response, bool, Halt]:
    """Pass on each response with which a part replaces another, until one has to be made or awaited."""
    instead: Response | None = None
    try:
        # With an error, what a part returns may mean that it was caught: ``settle`` decides.
        while halt is not None and response.error is None and (instead := _given_at_once(halt)) is not None:
            response, is_shared = _in_place_of(response, instead, request), True
            halt = _pass_back(plan, request, response, hooks, opened)
        return response, is_shared, halt
    finally:
        del response, instead  # the frames of a raised error must not keep them


def _given_at_once(halt: Switch | Held) -> Response | None:
    """Return the response with which a part replaces another, or None if it has to be made or awaited."""
    outcome = halt.outcome if type(halt) is Held else None
    if type(outcome) is tuple and len(outcome) == 2 and outcome[0]:
        outcome = outcome[1]
    return outcome if type(outcome) is Response else None


async def _go_on(
    plan: Plan, request: Request, response: Response, hooks: list[Closer], opened: Opened, is_shared: bool, halt: Halt
) -> Response:
    """Continue ``leave`` each time the response has paused.

    An error becomes the response for the functions that are called next, as does a cancellation during a switch.
    """
    before, failure, made = response, response.error, None
    outcome: Any = None
    steps: Any = None
    traceback: TracebackType | None = None
    try:
        while halt is not None:
            if type(halt) is Switch:
                response = _unless_cancelled(await switch_shielded(halt), request, response)
            else:
                outcome, part, subject = halt  # type: ignore[misc]  # not a switch, which has no subclass
                traceback = None if response.error is None else response.error.__traceback__
                try:
                    steps = outcome
                    if part is not None and outcome is not None:
                        steps = part.settle(outcome, subject, request, response)
                    made = response if steps is None else await steps
                    if made is not response and response.error is not None:
                        response.error.__traceback__ = traceback  # without the frames of the code that caught it
                except BaseException as error:
                    # Inside the loop: the parts that are still open get the response to the error.
                    made = await _respond_to_late_error(plan, request, response, error, traceback)
                if made is not response:
                    response = _in_place_of(response, made, request, is_caught=part is not None and part.throws)
            halt = _pass_back(plan, request, response, hooks, opened)
        response = _completed(plan, request, response, opened, is_shared or response is not before, failure)
        # Last: hooks and finishers may read the body.
        if request.head.has_body and not request._is_in_bytes:
            release(request, response)
        return response
    finally:
        outcome = steps = subject = traceback = None  # values of the last part may lead to the response or its error
        del response, before, made, failure, halt  # as above


def _completed(
    plan: Plan, request: Request, response: Response, opened: Opened, is_shared: bool, failure: BaseException | None
) -> Response:
    """Return the response, or a copy of a shared response, completed by the finishers.

    Raises the response's error, or an earlier ``failure``, if that ends the task or the process.
    """
    try:
        failure = _fatal(failure) or _fatal(response.error)
        if request.consulted:  # hooks may have read more, or set Vary
            response, is_shared = _varied(request, response, is_shared), False
        if isinstance(opened, ResourceStack):
            response = opened.end(request, response)
        # Only now, when everything is closed: it ends the task or the process.
        if failure is not None:
            raise failure
        if plan.finishers and is_shared:
            response = response.__copy__()  # in half the time of ``copy``
        for finish in plan.finishers:
            finish(request, response)
        return response
    finally:
        del response, failure


def _is_unopened(plan: Plan, request: Request, response: Response, opened: Opened) -> bool:
    """True if a request has read, or may still read, a dependency whose middleware isn't open yet."""
    if plan.opening:
        present = [part for (_, parts), subjects in opened for part in parts[: len(subjects)]]
        if type(opened) is list and len(present) == plan.opened_count:
            return False
        if all(closer is None or closer[1][0] in present for _, closer, _ in plan.opened_on_read):
            return False
    elif opened:
        return False
    if not plan.read_late.isdisjoint(request._dependencies):
        return True
    return bool(plan.after or request._after_hooks or request._deferred or response.is_streamed)


def _varied(request: Request, response: Response, is_shared: bool) -> Response:
    """Add the request's consulted fields to Vary, in the response or in a copy of a shared one."""
    if is_shared:
        response = copy(response)
    response._vary(request.consulted)  # noqa: SLF001 - ``vary``, without names to unpack
    return response


def _own_hooks(plan: Plan, request: Request) -> list[Closer]:
    """Take the hooks that were registered for this request only, most recent first: the innermost plan calls them.

    If they may run elsewhere, the steps then switch back to where the following code runs.
    """
    functions, request._after_hooks = request._after_hooks, ()
    # Reversed, because the list of hooks is taken from its end.
    hooks = [hook(function).for_handler(plan.hooks_block) for function in reversed(functions)]
    if not plan.is_driven(request):
        return [each.closer for each in hooks]
    back = Hook(_let_pass, False, switch=plan.home)
    return [back.closer, *(each.pinned().closer for each in hooks)]


def _let_pass(_request: Request, _response: Response) -> None:
    """Do nothing with a response, after a switch."""


async def _respond_to_late_error(
    plan: Plan, request: Request, response: Response, error: BaseException, traceback: TracebackType | None
) -> Response:
    """Handle an error that was raised on the way out. Return the response itself if the error belongs to it.

    An error that was thrown into a part and passed on keeps its traceback, without the frames in between.
    """
    thrown = response.error
    if thrown is None or not is_passed_on(error, thrown):
        return await respond_to_failure(plan, request, error)
    thrown.__traceback__ = traceback
    if not plan.is_driven(request):
        return response
    return _unless_cancelled(await switch_shielded(plan.home), request, response)


def _fatal(error: BaseException | None) -> BaseException | None:
    """Return an error that ends the task or the process, such as a cancellation, or None for any other error."""
    return error if error is not None and is_leaving(error) else None


def _unless_cancelled(cancelled: BaseException | None, request: Request, response: Response) -> Response:
    """Return the response, or the response to a cancellation if that is the first one to cut the request off."""
    if cancelled is None or _fatal(response.error) is not None:
        return response
    return _in_place_of(response, failed(request, cancelled), request)


def _in_place_of(before: Response, response: Response, request: Request, *, is_caught: bool = False) -> Response:
    """Return a response that replaces another, with the other's error unless it has its own.

    A caught error is dropped, unless it ends the task. A stream that nothing reads any more is closed.
    """
    if response is before:
        return response
    if type(before._body) is not bytes:  # noqa: SLF001 - ``body``, without a call
        _close_unsent(request, before, response)
    error = _fatal(before.error) or response.error or (None if is_caught else before.error)
    if error is not response.error:
        response = copy(response)  # other requests may get the same response
        response.error = error
    return response


def _close_unsent(request: Request, response: Response, instead: Response) -> None:
    """Close a stream that isn't sent, if the response that replaces it is bytes and therefore can't read the stream."""
    body = response.body
    if not isinstance(body, bytes) and isinstance(instead.body, bytes):
        close_unsent(body, request)


def refuse_at_once(plan: Plan, request: Request, error: HTTPError) -> Response | None:
    """Handle a request's error that was not raised, if nothing surrounds the handler; otherwise return None.

    A server failure is raised, so that it is logged with its traceback.
    """
    if not plan.is_bare or request.head.has_body:
        return None
    if error.status >= 500 or find_handler(plan.error_handlers, error) is not None:
        return None
    response = failed(request, error)
    return _varied(request, response, False) if request.consulted else response


def respond_to_unhandled(plan: Plan, request: Request, error: BaseException) -> Response | None:
    """Handle an error that has no error handler. Return None if it has one, and for exceptions that end the task."""
    error = sole_error(error)
    if not isinstance(error, Exception) or find_handler(plan.error_handlers, error) is not None:
        return None
    return failed(request, error)


async def respond_to_failure(plan: Plan, request: Request, error: BaseException) -> Response:
    """Handle an error where its handler has to run, even while the task is being cancelled.

    If the steps are no longer driven, nothing is called. The only error in a group is handled as if it were alone.
    """
    # A generator that is closed must not await anything.
    if isinstance(error, GeneratorExit):
        raise error
    error = sole_error(error)
    handlers, blocks = plan.error_handlers, plan.hooks_block
    # Awaited directly on a loop, which knows no switches.
    if not plan.is_driven(request):
        return await respond_to_error(handlers, request, error, blocks, is_driven=False)
    cancelled = await switch_shielded(plan.home)
    response = await respond_to_error(handlers, request, error, blocks, is_driven=True)
    cancelled = await switch_shielded(plan.home) or cancelled
    try:
        return _unless_cancelled(cancelled, request, response)
    finally:
        del response
