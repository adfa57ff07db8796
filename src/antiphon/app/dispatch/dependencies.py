"""Sources of dependencies. They are called on first read, or before the handler if they wait or block. Generators are
closed.
"""

import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeAlias, TypeVar

from antiphon.app.dispatch.hooks import Hook, Opener, hook, opener
from antiphon.app.dispatch.open_resources import OpenResource, atomic_blocks, refuse_block_of_thread, where
from antiphon.app.dispatch.readings import Readings
from antiphon.explanations import explained
from antiphon.handler.callables import (
    check_arguments,
    check_returns,
    check_sync,
    describe,
    is_async_generator,
    is_generator,
    ready,
)
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.handler.scope import localize_errors
from antiphon.request.dependencies import Dependency, ReadableDependency, check_dependency
from antiphon.request.request import Request

if TYPE_CHECKING:
    from antiphon.concurrency.workers import CapacityLimiter
    from antiphon.request.caller import Identify

T = TypeVar("T")

SourceFunction: TypeAlias = (
    Callable[[Request], T]
    | Callable[[Request], Awaitable[T]]
    | Callable[[Request], Iterator[T]]
    | Callable[[Request], AsyncIterator[T]]
)
"""A function that computes a dependency's value. A generator function yields the value."""


class Fixed(Generic[T]):
    """A source that returns one value for all requests."""

    def __init__(self, value: T) -> None:
        self.value = value

    def __call__(self, request: Request) -> T:  # noqa: ARG002
        return self.value


class Source(NamedTuple):
    """The function that computes a dependency's value, its condition, and the function to call if the condition is
    false.
    """

    provides: Any
    """The dependency; type checkers would treat an attribute of type ``Dependency`` as a descriptor."""
    hook: Hook
    when: Callable[[Request], bool] | None
    default: Callable[[Request], Any] | None
    yields: bool = False
    """True if the source is a generator function: the dependency is closed with the response."""
    ahead: Callable[[Request], bool] | None = None
    """For a source that is called before all middleware and hooks, although it may neither wait nor block: the
    condition for code that visibly leads to the dependency. For other code, it is ``when``.
    """

    @property
    def is_resolved(self) -> bool:
        """True if the source is called before the handler, usually because it waits or blocks."""
        return self.hook.is_async or self.hook.blocks or self.ahead is not None

    @property
    def blocks(self) -> bool:
        """True if the source is called on a thread."""
        return self.hook.blocks

    @property
    def openers(self) -> tuple[Opener, ...]:
        """The openers that resolve the dependency; the source itself switches to where it runs."""
        return (opener(self.resolve, None, None, True),)

    def pinned(self) -> "Source":
        """Return the source with its own switch, for a stack that runs partly on a thread and partly on the loop."""
        return self._replace(hook=self.hook.pinned())

    async def resolve(self, request: Request) -> None:
        """Set the value on a request that has none yet, if the condition is true. Raises the source's errors."""
        if self.provides in request or not self._is_wanted(request):
            return
        # Only what occupies a worker thread is limited: over WSGI the server's own thread waits.
        if not self._takes_worker(request):
            await self._resolve(request)
            return
        from antiphon.concurrency.workers import workers

        limiter = workers().resolving
        # Without a switch to the loop if a token is free.
        if not limiter.try_acquire():
            await _acquire_on_loop(limiter)
        try:
            await self._resolve(request)
        finally:
            limiter.release()

    def _takes_worker(self, request: Request) -> bool:
        """True if a worker thread waits for the value. Sources that may also wait for a body are limited elsewhere."""
        if not self.blocks or request.head.blocks:
            return False
        return not request.head.has_body or request.content.is_complete

    async def _resolve(self, request: Request) -> None:
        if self.yields:
            request[self.provides] = await self._open(request)
        else:
            request[self.provides] = ready(self.hook.function, await self.hook.call(request))

    async def _open(self, request: Request) -> Any:
        if self.hook.switch is not None:
            await self.hook.switch
        resource = OpenResource(
            self.provides, self.hook.function, self.hook.is_async, ON_THREAD if self.blocks else ON_LOOP
        )
        if self.hook.is_async:
            return await resource.aopen(request)
        before = atomic_blocks()
        value = resource.open(request)
        refuse_block_of_thread(request, before, self.hook.function)
        return value

    def read(self, request: Request) -> Any:
        """Return the value for a request that has none yet: on a thread, also that of a source that waits or blocks.

        An async generator has to end in the task in which it began, so it is only resolved.
        """
        name = self.provides.name
        if not self._is_wanted(request):
            if self.default is None:
                raise explained(
                    "dependency-without-value",
                    f"this request has no {name!r}, and the dependency was provided without `default`",
                    RuntimeError,
                )
            return ready(self.default, self.default(request))
        waits = self.hook.is_async
        if self.is_resolved and ((waits and self.yields) or where(request) is ON_LOOP):
            closing = ", and is closed with the response" if self.yields else ""
            raise explained(
                "dependency-not-resolved",
                f"the dependency {name!r} is not resolved, but read at {_reading_place()}:"
                f" {describe(self.hook.function)} is called once the middleware is open, before the first hook or"
                " handler that may read it, and after the sources of dependencies that were provided"
                f" earlier{closing}. If an earlier source reads it, such as a"
                f" loader of Users, move the line that provides {name!r} above the line that provides that source,"
                " such as app.use(Users(...)). If"
                f" {_handler_of(request)} reads it in a way that its code doesn't show, name the dependency in that"
                " code, as in request[dependency], or in the __reads__ of the code that reads it",
                RuntimeError,
            )
        if self.yields:
            return self._open_on_the_spot(request)
        if waits:
            from antiphon.concurrency.background import run_on, serving_loop

            return ready(self.hook.function, run_on(serving_loop(), self._wait(request), copy_context()))
        return ready(self.hook.function, self.hook.function(request))

    async def _wait(self, request: Request) -> Any:
        return await self.hook.function(request)

    def _open_on_the_spot(self, request: Request) -> Any:
        if request._opening is None:
            raise explained(
                "dependency-is-closed",
                f"the dependency {self.provides.name!r} is closed, because the response has been sent: code that"
                f" runs later has to open its own, as {describe(self.hook.function)} does",
                RuntimeError,
            )
        return OpenResource(self.provides, self.hook.function, False, where(request)).open(request)

    def _is_wanted(self, request: Request) -> bool:
        return self.when is None or bool(ready(self.when, self.when(request)))


def _reading_place() -> str:
    """Return the file and line of the code that reads a dependency."""
    frame = sys._getframe(2)  # noqa: SLF001 - there is no public name
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("antiphon."):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def _handler_of(request: Request) -> str:
    handler = getattr(request.route, "handler", None)  # some programs set a route of their own
    return "the handler" if handler is None else describe(handler)


async def _acquire_on_loop(limiter: "CapacityLimiter") -> None:
    """Leave the thread to other requests until a token is free."""
    await ON_LOOP
    await limiter.acquire()
    try:
        await ON_THREAD
    except BaseException:
        # Cancelled on the way back to the thread: nobody else would return the token.
        limiter.release()
        raise


class Dependencies:
    """The dependencies that an application provides, and the sources that currently override others."""

    def __init__(self, sources: Iterable[Source] = (), identifiers: "Iterable[Identify]" = ()) -> None:
        self._sources: dict[ReadableDependency[Any], Source] = {source.provides: source for source in sources}
        self._overrides: list[Source] = []
        self._readings: Readings | None = None
        self.identifiers = [*identifiers]
        """The statements of features about the caller of a request."""

    @property
    def resolving(self) -> tuple[Source, ...]:
        """The sources that wait or block, in the order in which their dependencies were provided."""
        return tuple(source for source in self._sources.values() if source.is_resolved)

    @property
    def readings(self) -> Readings:
        """The dependencies that functions may read."""
        if self._readings is None:
            # Made when the first plan needs it: all sources are provided by then.
            self._readings = Readings(self._sources.values(), self.identifiers)
        return self._readings

    def forget_readings(self) -> None:
        """Let go of what was followed to find out what functions read, which may be other applications."""
        self._readings = None

    @property
    def yield_values(self) -> bool:
        """True if any source is a generator function."""
        return any(source.yields for source in self._sources.values())

    def provide(
        self,
        dependency: Dependency[T],
        source: SourceFunction[T],
        *,
        blocking: bool = False,
        when: Callable[[Request], bool] | None = None,
        default: Callable[[Request], T] | None = None,
        only_writes: bool = False,
        ahead: Callable[[Request], bool] | None = None,
    ) -> None:
        """Let a source provide a dependency, as ``App.provide`` does.

        An async source, or a source that ``blocking`` runs on a thread, or that is called ``ahead``, is called before
        the first hook or handler that may read the dependency, and not at all if none may: code may read what it names,
        and what the functions that it names may read, as far as they can be followed.
        """
        check_dependency(dependency, "app.provide", 'make one, Tenant = Dependency[str]("tenant")')
        if dependency in self._sources:
            provided, other = describe(self._sources[dependency].hook.function), describe(source)
            told = "and now again, as when a feature is used twice" if other == provided else f"and now by {other}"
            raise explained(
                "provided-twice", f"the dependency {dependency.name!r} is already provided by {provided}, {told}"
            )
        for function in filter(None, (when, default)):
            check_arguments(function, "request")
        check_sync("when", when)
        check_sync("default", default)
        check_returns("when", when)
        check_returns("default", default)
        self._sources[dependency] = _checked_source(dependency, source, blocking, when, default, only_writes)._replace(
            ahead=ahead
        )
        if dependency is Request.language:
            localize_errors()

    def override(self, dependency: Dependency[T], source: SourceFunction[T]) -> Source:
        """Let a different source provide a dependency until ``restore``, and return that source.

        It is called only for writes if the replaced source is. Raises TypeError as ``provide`` does.
        """
        provided = self._sources.get(dependency)
        made = _checked_source(dependency, source, only_writes=provided is not None and provided.hook.only_writes)
        self._overrides.append(made)
        return made

    def restore(self, override: Source) -> None:
        """End an override."""
        self._overrides = [other for other in self._overrides if other is not override]

    @property
    def has_overrides(self) -> bool:
        """True while any dependency is overridden."""
        return bool(self._overrides)

    def overridden(self) -> "Dependencies":
        """Return the dependencies as currently provided, for a plan; this object itself if nothing is overridden."""
        if not self.has_overrides:
            return self
        last = {override.provides: override for override in self._overrides}
        return Dependencies((self._sources | last).values(), self.identifiers)

    def fixed(self, dependency: Dependency[T]) -> Fixed[T] | None:
        """Return the fixed value from the last override of a dependency, if any."""
        last = [override.hook.function for override in self._overrides if override.provides is dependency][-1:]
        return last[0] if last and isinstance(last[0], Fixed) else None

    def __contains__(self, dependency: Dependency[Any]) -> bool:
        """True if a source provides a dependency."""
        return dependency in self._sources

    @property
    def sources(self) -> tuple[Source, ...]:
        """The sources of all dependencies, in the order in which they were provided."""
        return tuple(self._sources.values())

    def source_of(self, dependency: Dependency[Any]) -> Source | None:
        """Return the source of a dependency, or None."""
        return self._sources.get(dependency)

    def read(self, dependency: ReadableDependency[T], request: Request) -> T:
        """Return a dependency's value for a request that has none yet. Raises RuntimeError if there is no source."""
        source = self._sources.get(dependency)
        if source is None:
            raise dependency.not_provided()
        value: T = source.read(request)
        return value


def _checked_source(
    dependency: Dependency[Any],
    source: Callable[..., Any],
    blocking: bool = False,
    when: Callable[[Request], bool] | None = None,
    default: Callable[[Request], Any] | None = None,
    only_writes: bool = False,
) -> Source:
    """Make a source from a function. Raises TypeError if it can't be called with a request."""
    if not callable(source):
        raise explained(
            "wrong-arguments",
            f"the source of {dependency.name!r} must be a function of the request, not {source!r:.80}: for a value"
            " of all requests, write lambda request: value",
            TypeError,
        )
    check_arguments(source, "request")
    _check_undecorated(source)
    waits = is_async_generator(source)
    made_of = (Hook(source, True) if waits else hook(source, blocking))._replace(only_writes=only_writes)
    return Source(dependency, made_of, when, default, is_generator(source))


def _check_undecorated(source: Callable[..., Any]) -> None:
    """Check that a source isn't decorated by ``contextlib``: nothing would enter its context managers."""
    import contextlib

    code = getattr(source, "__code__", None)
    if code is not None and code.co_filename == contextlib.__file__:
        raise explained(
            "dependency-as-context-manager",
            f"{describe(source)} provides a dependency, and would give it a context manager: leave out"
            " @contextmanager or @asynccontextmanager, and the value is what the function yields",
            TypeError,
        )
