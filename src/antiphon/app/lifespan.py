"""An application's startup and shutdown, and the resources that it keeps open in between."""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
    nullcontext,
)
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.app.dispatch.hooks import Hook, check_returns, hook
from antiphon.concurrency.loop import running_loop, serves_elsewhere
from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments, describe, innermost, is_async, is_pending, wrong_return
from antiphon.handler.contract import ON_LOOP, ON_THREAD, switch_shielded
from antiphon.request.dependencies import Dependency

if TYPE_CHECKING:
    from asyncio import AbstractEventLoop

T = TypeVar("T")

Manager: TypeAlias = AbstractContextManager[T] | AbstractAsyncContextManager[T]
Yielding: TypeAlias = Manager[T] | Iterator[T] | AsyncIterator[T]
"""The return value of a lifespan function: a context manager, or a generator that is turned into one."""


class Maker(NamedTuple):
    """A function that makes a context manager; ``is_async`` if it is called on the loop."""

    function: Callable[[], Manager[Any]]
    is_async: bool


class Lifespan:
    """Context managers that are entered at startup and exited at shutdown, and functions that are called at these
    times.

    Sync functions run on a thread, async functions on the loop. From startup to shutdown, the value that a context
    manager yields is a dependency's value, available in each request and through ``state``.
    """

    def __init__(self, dependencies: Dependencies) -> None:
        self._dependencies = dependencies
        self._makers: dict[Dependency[Any], Maker] = {}
        self._on_startup: list[Hook] = []
        self._on_shutdown: list[Hook] = []
        self._entered: list[tuple[Dependency[Any], Manager[Any]]] = []
        self._values: dict[Dependency[Any], Any] = {}
        self._left_out: set[Dependency[Any]] = set()
        """The dependencies whose values were overridden at startup, so there is nothing to exit."""
        self._loops: dict[Dependency[Any], AbstractEventLoop] = {}
        """The loop on which each async context manager produced its value."""
        self._started: set[Lifespan] = set()
        """The lifespans of mounted applications that have been started, by this application or one mounted in it."""
        self.around: set[Lifespan] | None = None
        """The outer application's set, while that application is starting this one."""

    def on_startup(self, function: Callable[[], object]) -> None:
        """Register a function that is called, or awaited, after the context managers have been entered."""
        _check(function)
        self._on_startup.append(hook(function, blocking=True).pinned())

    def on_shutdown(self, function: Callable[[], object]) -> None:
        """Register a function that is called, or awaited, before the context managers are exited; the last one
        first.
        """
        _check(function)
        # The last one is called first.
        self._on_shutdown.insert(0, hook(function, blocking=True).pinned())

    def add(self, function: Callable[[], Yielding[T]]) -> Dependency[T]:
        """Register a context manager to enter at startup and exit at shutdown. Return the dependency for its value.

        ``function`` has no parameters. It is a generator or an async generator function, which yields once, or it
        returns a sync or an async context manager. It is called on a thread, unless it is visibly async. Raises
        TypeError for a coroutine function, and for a function with parameters.
        """
        _check_maker(function)
        name = getattr(function, "__name__", None) or type(function).__name__
        dependency = Dependency[T](name, fix=f"app.lifespan({name})")
        self._makers[dependency] = _maker(function)
        self._dependencies.provide(dependency, lambda _: self._entered_value(dependency))
        return dependency

    def add_mounted(self, below: "Lifespan", manager: AbstractAsyncContextManager[Any]) -> None:
        """Start and stop a mounted application with this one, unless another application has already started it.

        The application that started it also stops it, so the mounted application keeps running as long as any
        application in which it is mounted.
        """

        def once() -> AbstractAsyncContextManager[Any]:
            # Whoever has started it also stops it.
            if below in self._started:
                return nullcontext()
            self._started.add(below)
            below.around = self._started
            return manager

        self.add(once)

    def __contains__(self, dependency: object) -> bool:
        """True for the dependency of a context manager's value."""
        return dependency in self._makers

    def state(self, dependency: Dependency[T]) -> T:
        """Return the value that a dependency's context manager yielded, or the value that overrides it.

        Raises RuntimeError if it has not been entered, or if it is async and was entered on a different event loop.
        """
        fixed = self._dependencies.fixed(dependency)
        return self._entered_value(dependency) if fixed is None else fixed.value

    def _entered_value(self, dependency: Dependency[T]) -> T:
        if dependency not in self._values:
            if dependency not in self._makers:
                raise dependency.not_provided()
            reason = "was overridden at startup" if dependency in self._left_out else "the application is not running"
            raise explained(
                "not-started",
                f"{dependency.name!r} is available only from startup to shutdown, but {reason}",
                RuntimeError,
            )
        if dependency in self._loops and serves_elsewhere(self._loops[dependency]):
            raise explained(
                "not-started",
                f"{describe(self._makers[dependency].function)} was entered on a different event loop,"
                " and its value may belong to that loop: serve the application on one loop, or make one"
                " application per loop",
                RuntimeError,
            )
        value: T = self._values[dependency]
        return value

    async def startup(self) -> None:
        """Enter the context managers in the order in which they were added, then call the functions in their order.

        A context manager whose value is overridden is not entered. If one fails, those already entered are exited with
        its error.
        """
        self._entered.clear()  # resources that were lost with a loop can't be exited any more
        self._values.clear()
        self._loops.clear()
        # Shared with the outer application, so that one mounted in both is started once.
        self._started = set() if self.around is None else self.around
        self.around = None
        try:
            self._left_out = {dependency for dependency in self._makers if self._dependencies.fixed(dependency)}
            for dependency, maker in self._makers.items():
                if dependency not in self._left_out:
                    await self._enter(dependency, maker)
            for function in self._on_startup:
                await _call(function)
        except GeneratorExit:
            raise
        except BaseException as error:
            errors = await self._leave_all(error)
            _raise([error, *(other for again in errors if (other := _without(error, again)))], "the startup failed")

    @property
    def has_shutdown(self) -> bool:
        """True if anything is called or exited at shutdown."""
        return bool(self._makers or self._on_shutdown)

    async def shutdown(self) -> None:
        """Call the functions, then exit the context managers, the last one first, even if some of them fail.

        Raises the error, or an ExceptionGroup of several errors.
        """
        errors: list[BaseException] = []
        for function in self._on_shutdown:
            try:
                if cancelled := await switch_shielded(ON_LOOP if function.is_async else ON_THREAD):
                    errors.append(cancelled)
                await _call(function)
            except GeneratorExit:
                raise
            except BaseException as error:
                errors.append(error)
        _raise([*errors, *await self._leave_all(None)], "the shutdown failed")

    async def _enter(self, dependency: Dependency[Any], maker: Maker) -> None:
        await (ON_LOOP if maker.is_async else ON_THREAD)
        manager = maker.function()
        if isinstance(manager, AbstractAsyncContextManager):
            await ON_LOOP
            with _named(maker.function):
                value = await manager.__aenter__()
            if loop := running_loop():
                self._loops[dependency] = loop
        elif isinstance(manager, AbstractContextManager):
            await ON_THREAD
            with _named(maker.function):
                value = manager.__enter__()
        else:
            raise wrong_return(maker.function, manager, "it must return a context manager")
        self._entered.append((dependency, manager))
        self._values[dependency] = value

    async def _leave_all(self, error: BaseException | None) -> list[BaseException]:
        """Exit everything that was entered and return the errors that this raised."""
        errors = []
        while self._entered:
            dependency, manager = self._entered.pop()
            try:
                with _named(self._makers[dependency].function):
                    await _leave(manager, error)
            except GeneratorExit:
                raise
            except BaseException as again:
                errors.append(again)
            # Only now: code that exits may still read its value.
            del self._values[dependency]
        return errors


def _check_maker(function: Any) -> None:
    """Check that a lifespan is a function without parameters, even if it is decorated with ``@asynccontextmanager``.

    Raises TypeError, naming the fix.
    """
    if isinstance(function, AbstractContextManager | AbstractAsyncContextManager):
        raise explained(
            "wrong-arguments",
            "app.lifespan takes the function that makes a context manager, not the context manager",
            TypeError,
        )
    is_of_contextlib = getattr(function, "__globals__", {}).get("__name__") == "contextlib"
    try:
        check_arguments(function.__wrapped__ if is_of_contextlib else function)
    except TypeError as error:
        error.add_note("Leave out the parameters: the lifespan is registered with its app, which it can use directly")
        raise


def _check(function: Callable[[], object]) -> None:
    check_arguments(function)
    check_returns(function, "app.lifespan")


async def _call(function: Hook) -> None:
    """Call a function where it runs. If it returns a coroutine, await it."""
    # A function that is not visibly async may return a coroutine.
    result = await function.call()
    if is_pending(result):
        cancelled = await switch_shielded(ON_LOOP)
        await result
        if cancelled is not None:
            raise cancelled


def _maker(function: Callable[[], Any]) -> Maker:
    from inspect import isasyncgenfunction, isgeneratorfunction

    if isasyncgenfunction(function):
        return Maker(asynccontextmanager(function), True)
    if isgeneratorfunction(function):
        return Maker(contextmanager(function), False)
    if is_async(function):
        raise explained(
            "lifespan-yields-once",
            f"{describe(function)} never yields: write `yield` where the application serves",
            TypeError,
        )
    return Maker(function, hasattr(function, "__aenter__") or isasyncgenfunction(innermost(function)))


@contextmanager
def _named(function: Callable[..., Any]) -> Iterator[None]:
    """Add the function's name to ``contextlib``'s error for a generator that doesn't yield exactly once."""
    try:
        yield
    except RuntimeError as error:
        if str(error).startswith("generator didn't"):
            raise explained(
                "lifespan-yields-once", f"the lifespan {describe(function)} has to yield once: {error}", RuntimeError
            ) from error
        raise


async def _leave(manager: Manager[Any], error: BaseException | None) -> None:
    raised = (None, None, None) if error is None else (type(error), error, error.__traceback__)
    if isinstance(manager, AbstractAsyncContextManager):
        await ON_LOOP
        await manager.__aexit__(*raised)
        return
    cancelled = await switch_shielded(ON_THREAD)
    manager.__exit__(*raised)
    if cancelled is not None:
        raise cancelled


def _without(error: BaseException, again: BaseException) -> BaseException | None:
    """Return an error without the one thrown into the context manager, which task groups re-raise inside a group."""
    if isinstance(again, BaseExceptionGroup):
        return again.split(lambda part: part is error)[1]
    return None if again is error else again


def _raise(errors: list[BaseException], message: str) -> None:
    """Raise the errors; cancellations are raised only if there are no other errors."""
    if not all(isinstance(error, Exception) for error in errors):
        from asyncio import CancelledError

        # A cancellation beside a failure says nothing more.
        errors = [error for error in errors if not isinstance(error, CancelledError)] or errors[:1]
    if len(errors) > 1:
        raise BaseExceptionGroup(message, errors)
    if errors:
        raise errors[0]
