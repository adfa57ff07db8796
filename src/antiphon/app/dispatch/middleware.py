"""Middleware: a generator that surrounds everything inside it. It is opened with the request and closed with the
response.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Iterable
from sys import get_asyncgen_hooks, set_asyncgen_hooks
from types import AsyncGeneratorType, coroutine
from typing import Any, NamedTuple, Self, TypeAlias

from antiphon.app.dispatch.hooks import Close, Closer, Opener, Part, closer, opener
from antiphon.app.dispatch.open_resources import Opened
from antiphon.app.dispatch.returns import respond
from antiphon.concurrency.iterables import resume
from antiphon.explanations import explained
from antiphon.handler.callables import READS_CODE, check_arguments, describe
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch
from antiphon.handler.errors import is_leaving, note_task
from antiphon.handler.scope import rest
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.speedups import accelerated

SyncFunction: TypeAlias = Callable[[Request], Generator[Any, Any, Any]]
AsyncFunction: TypeAlias = Callable[[Request], AsyncGenerator[Any, Any]]
AnyGenerator: TypeAlias = Generator[Any, Response, Any] | AsyncGenerator[Any, Response]


class Middleware(NamedTuple):
    """A generator function or an async generator function, called with the request.

    The generator yields once, without a value, and receives the response of the code that it wraps. If it returns a
    value before the yield, that code isn't called; a value that it yields or returns becomes the response. If it
    ``throws``, a response's error is raised at the yield instead; if the generator doesn't catch the error, the
    response stays unchanged.
    """

    function: Callable[[Request], AnyGenerator]
    is_async: bool
    blocks: bool = False
    """True if the middleware runs on a thread."""
    reads_body: bool = False
    switch: Switch | None = None
    """The switch to await before the middleware runs; None if the request is there already."""
    throws: bool = False
    when_read: Any = None
    """The middleware is opened only if the request has read, or may still read, this ``Dependency``."""
    early: Callable[[Request], Response | None] | None = None
    """A function that is called first and may return the response without any generator."""
    where_hooked: "tuple[Middleware, Middleware] | None" = None
    """The middleware that replaces this one if there are hooks before the handler, and the one inside those hooks."""
    drops_response: bool = False
    """True if the generator function visibly makes nothing of what its ``yield`` returns."""
    blocks_at: Callable[[Any], bool] | None = None
    """A function that is called with the planned route and returns True if the middleware runs on a thread there."""

    def at(self, route: Any) -> Self:
        """Return the middleware for a planned route."""
        return self if self.blocks_at is None else self._replace(blocks=self.blocks or self.blocks_at(route))

    def for_handler(self, handler_blocks: bool) -> Self:
        """Return the middleware for a handler: sync middleware runs where the handler does."""
        return self._replace(blocks=not self.is_async and (self.blocks or handler_blocks))

    def pinned(self) -> Self:
        """Return the middleware with its own switch, for a stack that runs partly on a thread and partly on the
        loop.
        """
        return self._replace(switch=ON_THREAD if self.blocks else ON_LOOP)

    @property
    def openers(self) -> tuple[Opener, ...]:
        """How the middleware is opened: its generator, after the function that may return the response."""
        own = opener((self.function,), self.closer, self.switch, self.is_async)
        return (own,) if self.early is None else (opener(self.early, None, self.switch, False), own)

    @property
    def closer(self) -> Closer:
        """How the middleware is closed: it is sent the response and run to its end."""
        return closer(self, self.switch)

    @property
    def close(self) -> Close:
        """The function that sends a generator the response."""
        return _send_or_throw if self.throws else send_in_place if self.is_async else resume

    async def settle(self, outcome: Any, generator: Any, request: Request, response: Response) -> Response:
        """Return the response with which the middleware replaces another. Raises RuntimeError if it yields again."""
        try:
            if self.throws and response.error is not None and outcome is response.error:
                instead = await self._throw(generator, response.error)
            elif self.is_async:
                if len(outcome) == 2:
                    outcome = await _end_of_step(*outcome)
                instead = None if outcome is None else await self._end_last(generator, outcome[0])
            else:
                instead = self._instead(generator, outcome)
            return response if instead is None else await respond(instead, self.function, request)
        finally:
            del outcome, response  # an error that the middleware has caught keeps this frame

    async def _throw(self, generator: AnyGenerator, error: BaseException) -> object:
        """Throw an error into the generator. Record if this undoes a cancellation, as an inner timeout's end does."""
        try:
            if self.is_async:
                instead = await self._end_async(generator, generator.athrow(error))  # type: ignore[arg-type,union-attr]  # async
            else:
                instead = self._end_sync(generator, error)  # type: ignore[arg-type]  # not async
        finally:
            note_task(error)
            # After ``note_task``: a cancellation that was taken back no longer ends the task.
            must_respond = not isinstance(error, Exception) and not is_leaving(error)
            del error
        if instead is None and must_respond:
            raise explained(
                "cancellation-taken-back",
                f"the middleware {describe(self.function)} suppressed a cancellation without a response:"
                " yield or return one after the block that timed out",
                RuntimeError,
            )
        return instead

    def _end_sync(self, generator: Generator[Any, Any, Any], error: BaseException) -> object:
        """Throw an error into the generator and return the replacement for the response."""
        try:
            yielded = generator.throw(error)
        except StopIteration as end:
            return end.value
        finally:
            del error
        return self._instead(generator, (False, yielded))

    def _instead(self, generator: Generator[Any, Any, Any], ended: tuple[bool, object]) -> object:
        """Return a response that the middleware has returned, or yielded as its last act."""
        has_returned, instead = ended
        if has_returned:
            return instead
        last = resume(generator, None)
        if instead is not None and (last is None or last[0]):
            return instead if last is None else last[1]
        # The traceback of the error would keep open what it holds.
        generator.close()
        raise self._yields_again()

    async def _end_async(self, generator: AsyncGenerator[Any, Any], resumed: Awaitable[object]) -> object:
        """Return the middleware's replacement for the response."""
        try:
            instead = await resumed
        except StopAsyncIteration:
            return None
        finally:
            del resumed  # it refers to the error that was thrown into the generator
        return await self._end_last(generator, instead)

    async def _end_last(self, generator: AsyncGenerator[Any, Any], instead: object) -> object:
        """Return the value that the middleware has yielded to replace the response. The yield must be its last act."""
        try:
            await generator.asend(None)
        except StopAsyncIteration:
            if instead is not None:
                return instead
        # As above, in an async generator.
        await generator.aclose()
        raise self._yields_again()

    def _yields_again(self) -> RuntimeError:
        return explained(
            "yields-twice",
            f"the middleware {describe(self.function)} yields again after it has received the response;"
            " it yields once, and may then yield or return another response as its last act",
            RuntimeError,
        )


@accelerated
def send_in_place(generator: AsyncGenerator[Any, Response], response: Response) -> tuple[Any, ...] | None:
    """Send the response to an async generator and drive it until it waits.

    Return None if it ends, the yielded value in a tuple, or the rest of the step and what it waits for.
    """
    steps = generator.asend(response)
    try:
        stopped = resume(steps, None)
    except StopAsyncIteration:
        return None
    if stopped is None or stopped[0]:
        return (None if stopped is None else stopped[1],)
    return steps, stopped[1]


@coroutine
def _end_of_step(steps: Any, effect: object) -> Generator[Any, Any, tuple[object] | None]:
    """Await the rest of a step: return the value that it yields, in a tuple, or None if the generator ends."""
    try:
        return ((yield from rest(steps, effect)),)
    except StopAsyncIteration:
        return None


def _send_or_throw(generator: Any, response: Response) -> object:
    """Send the response to the generator, or return the error to throw into it instead."""
    if response.error is not None:
        return response.error
    return (
        send_in_place(generator, response) if isinstance(generator, AsyncGeneratorType) else resume(generator, response)
    )


_IN_PLACE = (None, True)
"""What the opener of async middleware says that is awaited without a switch."""


@accelerated
def open_in_turn(
    functions: tuple[SyncFunction, ...], closer: Closer, request: Request, opened: Opened
) -> tuple[SyncFunction, object] | None:
    """Open sync middleware, outermost first, and record what is open as one run.

    Return the function of the first that doesn't just yield, and its response, or None if it ends without one.
    """
    generators: list[Generator[Any, Any, Any]] = []
    try:
        for function in functions:
            generator = function(request)
            try:
                early = next(generator)
            except StopIteration as end:
                return function, end.value
            generators.append(generator)
            if early is not None:
                return function, early
        return None
    finally:
        if generators:  # not before: a dependency that the first one opens is closed after it
            opened.append((closer, generators))


@accelerated
def close_run(opened: Opened, request: Request, response: Response | None) -> tuple[Part, Any, object] | None:
    """Close the run that was opened last, its last part first, unless the request gets hooks: these come in between.

    If a part doesn't just let the response pass, return it, with its subject and the outcome. Parts that drop the
    response may get None.
    """
    (close, parts), subjects = run = opened.pop()
    try:
        while True:
            subject = subjects.pop()
            outcome = close(subject, response)
            if outcome is not None:
                return parts[len(subjects)], subject, outcome
            if not subjects or request._after_hooks:
                return None
    finally:
        if subjects:
            opened.append(run)


def close_unseen(opened: Opened, request: Request) -> bool:
    """Close middleware that drops the response before there is one. Return False if one is needed after all: for hooks
    of the request, or for a part that replaces it, which is then open again.
    """
    held = None
    while opened and not request._after_hooks and held is None:
        held = close_run(opened, request, None)
    if held is not None:
        opened.append(_closed_again(request, *held))
    return not (opened or request._after_hooks)


def _closed_again(request: Request, part: Part, subject: Any, outcome: object) -> tuple[Closer, list[Any]]:
    """Return the run of a part whose outcome is known. The request's hooks get the response that comes of it."""
    hooks, request._after_hooks = request._after_hooks, ()

    def close(*_: object) -> object:
        request._after_hooks = hooks
        return outcome

    return (close, (part,)), [subject]


async def open_async(
    functions: tuple[AsyncFunction, ...], closer: Closer, request: Request, opened: Opened
) -> Response | None:
    """Open async middleware in turn, and record what is open as one run, until one returns a response.

    The event loop isn't told of the generators. It would keep a set of those that are unfinished, to close them at its
    own end, in half of the time of a generator that does nothing. Requests have ended by then.
    """
    told = get_asyncgen_hooks()[0]
    set_asyncgen_hooks(None)
    try:
        begun = iter([(each, generator := each(request), generator.asend(None)) for each in functions])
    finally:
        set_asyncgen_hooks(told)
    generators: list[AsyncGenerator[Any, Any]] = []
    try:
        for function, generator, step in begun:
            try:
                early = await step
            except StopAsyncIteration:
                early = early_response(function, None)
            if not generators:
                opened.append((closer, generators))
            generators.append(generator)
            if early is not None:
                return await respond(early, function, request)
        return None
    finally:
        for _, _, step in begun:
            step.close()  # otherwise Python warns that nobody has awaited it


def grouped(openers: Iterable[Opener]) -> tuple[Opener, ...]:
    """Return the openers, with middleware that opens in place one after the other, and closes alike, joined in one."""
    groups: list[Opener] = []
    for each in openers:
        function, closer, apart = groups[-1] if groups else each
        if groups and closer and each[1] and apart == each[2] in (None, _IN_PLACE) and closer[0] is each[1][0]:
            groups[-1] = (function + each[0], (closer[0], closer[1] + each[1][1]), apart)
        else:
            groups.append(each)
    return tuple(groups)


def early_response(function: Callable[..., Any], early: Any) -> Any:
    """Return the response of middleware that ended before its yield. Raises RuntimeError without a response."""
    if early is None:
        raise explained(
            "middleware-without-response",
            f"the middleware {describe(function)} ended before its yield, without a response: to let the"
            " request through, `yield`; to refuse it, return or yield a response, or raise an error",
            RuntimeError,
        ) from None
    return early


def middleware(
    function: Callable[[Request], AnyGenerator],
    *,
    blocking: bool = False,
    loads_body: bool = False,
    errors_at_yield: bool = False,
    when_read: object = None,
) -> Middleware:
    """Make middleware from a generator function or an async generator function.

    Raises TypeError for any other function, for a function that can't be called with the request, and for a function
    that needs errors to be raised at its yield.
    """
    from inspect import isasyncgenfunction, isgeneratorfunction

    if not callable(function):
        raise explained(
            "middleware-never-yields",
            f"middleware must be a generator function, not {function!r}: write `@app.middleware` above it",
            TypeError,
        )
    is_async = isasyncgenfunction(function)
    if not is_async and not isgeneratorfunction(function):
        raise explained(
            "middleware-never-yields",
            f"the middleware {describe(function)} never yields: write `response = yield` where everything inside"
            " is to run, or register it with before_request or after_request",
            TypeError,
        )
    check_arguments(function, "request")
    is_dropped = False
    if READS_CODE and not errors_at_yield:
        # Imported here, with ``ast``: programs without middleware need neither.
        from antiphon.app.dispatch.yields import check_yields, drops_response

        check_yields(function)
        is_dropped = not is_async and drops_response(function)
    if when_read is not None and (is_async or blocking or loads_body or errors_at_yield):
        raise explained(
            "bad-middleware",
            f"the middleware {describe(function)} has when_read: it must be sync, without other options",
            TypeError,
        )
    return Middleware(
        function,
        is_async,
        blocking,
        loads_body,
        throws=errors_at_yield,
        when_read=when_read,
        drops_response=is_dropped,
        blocks_at=getattr(function, "blocking_at", None),
    )
