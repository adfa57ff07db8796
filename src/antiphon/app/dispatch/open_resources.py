"""Open dependencies: generators that have yielded their value and are resumed when the response has been made.

For a stream, they are resumed when it has ended.
"""

import sys
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import suppress
from contextvars import copy_context
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from antiphon.app.dispatch.hooks import Closer, closer
from antiphon.concurrency.iterables import AsyncByteGenerator, BlockingChunks, ByteGenerator
from antiphon.concurrency.loop import is_on_background_loop, is_on_loop
from antiphon.explanations import explained
from antiphon.handler.callables import describe, is_async, ready
from antiphon.handler.contract import ON_LOOP, ON_THREAD, Switch, switch_shielded
from antiphon.handler.errors import is_leaving, is_passed_on, note_task
from antiphon.handler.failures import log_failure
from antiphon.http.errors import ClientDisconnected
from antiphon.http.head import server_head
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request
from antiphon.response.files import is_for_any_thread
from antiphon.response.message import WITHOUT_CONTENT, PassedChunks, Stream
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.app.commit_hooks import Awaited, CommitHooks
    from antiphon.app.dispatch.middleware import AnyGenerator
    from antiphon.concurrency.crossing import Tokens

Generating: TypeAlias = Callable[[Request], Generator[Any, None, object] | AsyncGenerator[Any, None]]


Opened: TypeAlias = list[tuple[Closer, list[Any]]]
"""The open middleware and dependencies, outermost first: for each run of sync middleware, and for each other part, how
it is closed, and the generators or the dependency.
"""


class ResourceStack(Opened):
    """The open middleware and dependencies of a request, outermost first. Dependencies are added as they are read.

    ``switches`` means that each is closed where it was opened, after a switch. ``kept`` contains the dependencies that
    a stream may read. ``around`` contains everything that is open around this, because a request may be handled by one
    plan inside another.
    """

    def __init__(self, request: Request, switches: bool) -> None:
        super().__init__()
        self._switches = switches
        self.kept: list[OpenResource] = []
        self.around: ResourceStack | None = request._opening
        self._is_over = False
        request._opening = self

    def add(self, resource: "OpenResource") -> None:
        """Register a dependency to be closed before those already open or, while a stream is being sent, before those
        kept for it.
        """
        if self._is_over:
            self.kept.append(resource)
        else:
            self._push(resource)

    def _push(self, resource: "OpenResource") -> None:
        self.append((closer(resource, resource.switch if self._switches else None), [resource]))

    def keep(self, resource: "OpenResource") -> None:
        """Close a dependency later, after those already kept."""
        # At the start, because the last one is closed first.
        self.kept.insert(0, resource)

    def in_transactions(self, of: object = None) -> "list[OpenResource]":
        """Return the dependencies of several database connections whose transactions are open, outermost first: these
        are committed last. Otherwise, return the first connection that we know, or any dependency, or that ``of`` a
        connection.
        """
        from antiphon.app.connections import DatabaseConnection

        found: list[OpenResource] = []
        stack: ResourceStack | None = self
        while stack is not None:
            subjects = [subject for _, (subject, *_) in stack if isinstance(subject, OpenResource)]
            found = [*stack.kept, *subjects, *found]
            stack = stack.around
        if of is not None:
            return [each for each in found if each.value is of][:1]
        known = [(each, known) for each in found if (known := DatabaseConnection.of(each.value)) is not None]
        opened: dict[int, OpenResource] = {}
        for each, connection in known if len(known) > 1 else ():
            if (driver := connection.open_driver) is not None:
                opened.setdefault(id(driver), each)
        return [*opened.values()] or [each for each, _ in known][:1] or found[:1]

    def take_back_unread(self, request: Request, response: Response) -> None:
        """Close the next kept dependency, unless the response is a stream that may read it."""
        if self.kept and not is_read_later(request, response):
            self.hand_to(self)

    def hand_to(self, other: "ResourceStack") -> None:
        """Let another stack close the kept dependencies."""
        for resource in self.kept:
            other._push(resource)  # noqa: SLF001 - of this very class
        self.kept.clear()

    def end(self, request: Request, response: Response) -> Response:
        """Let the kept dependencies be closed after the response's stream, or by the plan around this one.

        Return the response, or a copy that records how its stream ends.
        """
        around = request._opening = self.around
        if around is not None:
            self.hand_to(around)
        elif is_read_later(request, response):
            self._is_over, request._opening = True, self
            ending = StreamEnd()
            response = copy(response)  # other requests may get the same response
            response.body = ending.watching(response.body)
            request._defer_first(partial(self._close_kept, request, ending))
        return response

    async def _close_kept(self, request: Request, ending: "StreamEnd") -> None:
        """Close all dependencies that a stream could read, even if one fails. Log errors."""
        fatal: BaseException | None = None
        while self.kept:
            resource = self.kept.pop()
            error = resource.error or ending.error
            traceback = error.__traceback__ if error is not None else None
            # Shielded: all of them are closed, even if the task is cancelled.
            fatal = await switch_shielded(resource.switch) or fatal
            try:
                await resource.end(request, error)
            except GeneratorExit:
                raise
            except BaseException as raised:
                if error is not None and is_passed_on(raised, error):
                    continue
                ending.error = ending.error or raised
                if is_leaving(raised):
                    fatal = raised
                else:
                    resource.log(request, raised)
            finally:
                if error is not None:
                    error.__traceback__ = traceback  # without the frames here, which refer to the error
        # From now on, reading a dependency raises an error, instead of opening it.
        request._opening = ending.error = None
        if fatal is not None:
            raise fatal


class OpenResource:
    """A dependency whose generator has yielded the value. Closed like middleware that throws, without a response."""

    __slots__ = (
        "_context", "_tokens", "commit_hooks", "error", "function", "generator", "is_async", "provides", "switch",
        "value",
    )  # fmt: skip
    throws = False

    def __init__(self, provides: Dependency[Any], function: Generating, is_async: bool, switch: Switch) -> None:
        self.provides: Any = provides
        self.function = function
        self.is_async = is_async
        self.switch = switch
        """The switch to where the generator was started and has to be resumed."""
        self.error: BaseException | None = None
        """The error to throw into the generator, if the dependency is closed after the error became known."""
        self.commit_hooks: CommitHooks | None = None
        self._context = copy_context()
        self._tokens: Tokens = {}

    def open(self, request: Request) -> Any:
        """Start a sync generator in place and return the value."""
        generator: Any = self.function(request)
        try:
            value = self._run(next, generator)
        except StopIteration:
            raise self._never_yields() from None
        return self._opened(request, generator, value)

    async def aopen(self, request: Request) -> Any:
        """Start an async generator and return the value."""
        generator: Any = self.function(request)
        try:
            value = await anext(generator)
        except StopAsyncIteration:
            raise self._never_yields() from None
        return self._opened(request, generator, value)

    def _opened(self, request: Request, generator: "AnyGenerator", value: Any) -> Any:
        self.generator = generator
        self.value = value
        request._opening.add(self)
        return ready(self.function, value)

    def after_commit(self, function: Callable[[], object] | None, *, must_commit: bool = True) -> "Awaited":
        """Call a function once the transaction that the generator holds is committed and, unless it ``must_commit``,
        if nobody knows how it has ended. Return an object that knows whether it was committed.
        """
        if self.commit_hooks is None:
            from antiphon.app.commit_hooks import CommitHooks
            from antiphon.app.connections import DatabaseConnection

            self.commit_hooks = CommitHooks(DatabaseConnection.of(self.value))
        return self.commit_hooks.add(function, must_commit=must_commit)

    def close(self, _place: object, _response: Response) -> bool:
        """Return True, so that every response is settled."""
        return True

    async def settle(self, _outcome: object, _self: object, request: Request, response: Response) -> Response:
        """Resume the generator, or throw the response's error into it, and return the response. Raises the generator's
        errors.

        The dependency is kept if the response is a stream that may read it.
        """
        try:
            if is_read_later(request, response):
                self.error = self.error or response.error
                request._opening.keep(self)
            elif self.error is None and response.error is None:
                await self.end(request, None)
            else:
                await self._throw(request, self.error or response.error)  # type: ignore[arg-type]  # one of both
            return response
        finally:
            del response  # an error that the generator has caught keeps these frames

    async def _throw(self, request: Request, error: BaseException) -> None:
        try:
            await self.end(request, error)
            must_raise = not isinstance(error, Exception) and not is_leaving(error)
        finally:
            del error
        if must_raise:
            raise explained(
                "cancellation-taken-back",
                f"{describe(self.function)} suppressed a cancellation, but a dependency can't respond: let"
                " the TimeoutError pass, or hold the deadline in middleware that throws",
                RuntimeError,
            )

    async def end(self, request: Request, error: BaseException | None) -> None:
        """Resume the generator where it runs, or throw an error into it. Afterwards, the request no longer has the
        value, and what waits for its commit is called.
        """
        hooks, self.commit_hooks = self.commit_hooks, None
        is_error = error is not None
        if hooks is not None:
            await hooks.before_end(is_error=is_error)
        try:
            if self.is_async:
                await self._end_async(self.generator, error)
            else:
                self._end_sync(self.generator, error)
        except GeneratorExit:
            hooks = None
            raise
        except BaseException:
            is_error = True
            raise
        finally:
            request._dependencies.pop(self.provides, None)
            self.value = None
            if error is not None:
                note_task(error)
            del error
            if hooks is not None:
                await hooks.end(request, where(request), self.function, is_error=is_error)

    def log(self, request: Request, error: BaseException) -> None:
        """Log an error that closing the dependency raised too late to affect the response."""
        fault = f"got its response, but the dependency {self.provides.name!r} failed to close"
        log_failure(request, error, f": {describe(self.function)}", fault=fault)

    def _end_sync(self, generator: Any, error: BaseException | None) -> None:
        from antiphon.concurrency.crossing import copy_variables

        self._context.run(copy_variables, copy_context(), {})
        try:
            if error is None:
                self._run(next, generator)
            else:
                self._run(generator.throw, error)
        except StopIteration:
            return
        finally:
            del error
        # It has yielded twice, and would stay open in the traceback of the error.
        generator.close()
        raise self._yields_twice()

    async def _end_async(self, generator: Any, error: BaseException | None) -> None:
        try:
            await (anext(generator) if error is None else generator.athrow(error))
        except StopAsyncIteration:
            return
        finally:
            del error
        await generator.aclose()
        raise self._yields_twice()

    def _run(self, function: Callable[[Any], Any], argument: Any) -> Any:
        """Call a function in a sync generator's own context, because it may reset tokens, and copy the variables that
        it sets.
        """
        from antiphon.concurrency.crossing import copy_variables

        try:
            return self._context.run(function, argument)
        finally:
            del argument  # it may be an error
            with suppress(ValueError):  # another context, whose variables are not read after a stream
                copy_variables(self._context, self._tokens)

    def _never_yields(self) -> RuntimeError:
        return explained(
            "dependency-never-yields",
            f"{describe(self.function)} ended before its yield: it provides the dependency {self.provides.name!r},"
            " so it must yield the value, or raise an error",
            RuntimeError,
        )

    def _yields_twice(self) -> RuntimeError:
        return explained(
            "yields-twice",
            f"{describe(self.function)} yields twice: a generator that provides a dependency"
            f" ({self.provides.name!r}) yields its value once; if the value is an iterator, return it from a"
            " function without a yield",
            RuntimeError,
        )


def atomic_blocks() -> int:
    """Return the number of Django's atomic blocks that are open on this thread, whose connections nobody else has."""
    connections = getattr(sys.modules.get("django.db"), "connections", None)  # or it is being imported
    if connections is None or not sys.modules["django.conf"].settings.configured:
        return 0
    return sum(len(each.savepoint_ids) + each.in_atomic_block for each in connections.all(initialized_only=True))


def refuse_block_of_thread(request: Request, before: float, function: Callable[..., Any]) -> None:
    """Raise RuntimeError if a function has opened an atomic block on this thread, around a handler on the loop."""
    handler = request.route.handler
    if atomic_blocks() > before and handler is not None and is_async(handler):
        raise explained(
            "bad-inside",
            f"{describe(function)} opens a transaction of Django on a thread, so what {request.route.handled_by}, an"
            " async def handler, writes would not be in it: write the handler as def",
            RuntimeError,
        )


def where(request: Request) -> Switch:
    """Return the switch to where code that reads a request's dependencies runs."""
    is_there = is_on_background_loop() if request.head.blocks else is_on_loop()
    return ON_LOOP if is_there else ON_THREAD


def is_read_later(request: Request, response: Response) -> bool:
    """True if the response is a stream that may read dependencies. A file's stream doesn't read any."""
    return (
        response.is_streamed
        and not is_for_any_thread(response.body)
        and response.status not in WITHOUT_CONTENT
        and server_head(request.head).method != "HEAD"
    )


class StreamEnd:
    """How a stream ended. ``error`` is the error that cut it off, or None if it was read to the end."""

    def __init__(self) -> None:
        self.error: BaseException | None = ClientDisconnected("The response was cut off.")

    def watching(self, body: Any) -> Stream:
        """Return a stream of a body's chunks that records its end."""
        if isinstance(body, AsyncIterable):
            return PassedChunks(body, self._async_chunks)
        return BlockingChunks(body, self._chunks)

    def _chunks(self, chunks: Iterable[bytes]) -> ByteGenerator:
        try:
            yield from chunks
        # The stream was closed early: ``error`` stays the one for that.
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error
            raise
        self.error = None

    async def _async_chunks(self, chunks: AsyncIterable[Any]) -> AsyncByteGenerator:
        try:
            async for chunk in chunks:
                yield chunk
        except GeneratorExit:
            raise
        except BaseException as error:
            self.error = error
            raise
        self.error = None
