"""Sources of places: called on first read, or before the handler if they wait or block. Generators are closed."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from antiphon.app.answering.hooks import Hook, Opener, hook, opener
from antiphon.app.answering.open_resources import OpenResource, where
from antiphon.explanations import explained
from antiphon.handler.callables import (
    check_arguments,
    check_returns,
    check_sync,
    is_async_generator,
    is_generator,
)
from antiphon.handler.contract import ON_LOOP, ON_THREAD, describe, ready
from antiphon.request.places import Place, ReadablePlace, check_place
from antiphon.request.request import Request

if TYPE_CHECKING:
    from antiphon.concurrency.capacity_limiter import CapacityLimiter

T = TypeVar("T")

SourceFunction: TypeAlias = (
    Callable[[Request], T]
    | Callable[[Request], Awaitable[T]]
    | Callable[[Request], Iterator[T]]
    | Callable[[Request], AsyncIterator[T]]
)
"""A function that computes a place's value; one that returns an iterator of it is a generator function."""


class Source(NamedTuple):
    """The function that computes a place's value, with its condition and the function for when that is false."""

    fills: Any
    """The place; checkers would take an attribute of type ``Place`` for the descriptor that places are."""
    hook: Hook
    when: Callable[[Request], bool] | None
    otherwise: Callable[[Request], Any] | None
    yields: bool = False
    """True if it is a generator function: the place is closed with the response."""

    @property
    def is_resolved(self) -> bool:
        """True if it is called before the handler, because it waits or blocks."""
        return self.hook.is_async or self.hook.blocks

    @property
    def blocks(self) -> bool:
        """True if it is called on a thread."""
        return self.hook.blocks

    @property
    def opener(self) -> Opener:
        """How the place is resolved; the source itself switches to where it runs."""
        return opener(self.resolve, None, None, True)

    def pinned(self) -> "Source":
        """Return the source with a switch of its own, for a stack that runs on a thread and on the loop."""
        return self._replace(hook=self.hook.pinned())

    async def resolve(self, request: Request) -> None:
        """Give a request the value, if it has none and the condition is true. Raises what the source does."""
        if self.fills in request or not self._is_wanted(request):
            return
        if not self._takes_worker(request):
            await self._resolve(request)
            return
        from antiphon.concurrency.workers import workers

        limiter = workers().resolving
        if not limiter.try_acquire():
            await _acquire_on_loop(limiter)
        try:
            await self._resolve(request)
        finally:
            limiter.release()

    def _takes_worker(self, request: Request) -> bool:
        """True if a worker thread waits for the value. Those that may wait for a body, too, are bounded already."""
        if not self.blocks or request.head.blocks:
            return False
        return not request.head.has_body or request.content.is_complete

    async def _resolve(self, request: Request) -> None:
        if self.yields:
            request[self.fills] = await self._open(request)
        else:
            request[self.fills] = ready(self.hook.function, await self.hook.call(request))

    async def _open(self, request: Request) -> Any:
        if self.hook.switch is not None:
            await self.hook.switch
        resource = OpenResource(
            self.fills, self.hook.function, self.hook.is_async, ON_THREAD if self.blocks else ON_LOOP
        )
        return await resource.aopen(request) if self.hook.is_async else resource.open(request)

    def read(self, request: Request) -> Any:
        """Return the value for a request that has none yet."""
        name = self.fills.name
        if not self._is_wanted(request):
            if self.otherwise is None:
                raise explained(
                    "place-without-value",
                    RuntimeError(f"this request has no {name!r}, and the place was filled without `otherwise`"),
                )
            return ready(self.otherwise, self.otherwise(request))
        if self.is_resolved:
            raise explained(
                "place-not-resolved",
                RuntimeError(
                    f"the place {name!r} is not resolved: {describe(self.hook.function)} is called when the"
                    " middleware is open, before the hooks and the handler, after the sources of the places that"
                    " were filled before it" + (", and closed with the response" if self.yields else "")
                ),
            )
        if self.yields:
            return self._open_on_the_spot(request)
        return ready(self.hook.function, self.hook.function(request))

    def _open_on_the_spot(self, request: Request) -> Any:
        if request._opening is None:
            raise explained(
                "place-is-closed",
                RuntimeError(
                    f"the place {self.fills.name!r} is closed, since the response has been sent: what runs after"
                    f" that has to open one of its own, as {describe(self.hook.function)} does"
                ),
            )
        return OpenResource(self.fills, self.hook.function, False, where(request)).open(request)

    def _is_wanted(self, request: Request) -> bool:
        return self.when is None or bool(ready(self.when, self.when(request)))


async def _acquire_on_loop(limiter: "CapacityLimiter") -> None:
    """Leave the thread to others until a token is free. These are steps."""
    await ON_LOOP
    await limiter.acquire()
    try:
        await ON_THREAD
    except BaseException:
        limiter.release()
        raise


class Places:
    """The places that an application fills.

    ``resolving`` are the sources to be resolved before the handler, in the order in which their places were filled.
    ``yield_values`` is True if any source is a generator function.
    """

    def __init__(self) -> None:
        self._sources: dict[ReadablePlace[Any], Source] = {}
        self.resolving: tuple[Source, ...] = ()
        self.yield_values = False

    def fill(
        self,
        place: Place[T],
        source: SourceFunction[T],
        *,
        blocking: bool = False,
        when: Callable[[Request], bool] | None = None,
        otherwise: Callable[[Request], T] | None = None,
        only_writes: bool = False,
    ) -> None:
        """Fill a place by a source, which is called at most once a request, if ``when`` is true of the request.

        A sync source is called on first read, wherever that is. One that is async, or that ``blocking`` gives a
        thread, is called before the hooks and the handler, whether the place is read or not. If ``when`` is false,
        the place has the value that ``otherwise`` returns; both are called on the spot, and must not block. A generator
        function, sync or async, yields the value, and is resumed when the response has been made, or its stream has
        ended. Raises ValueError for a place that is filled already, TypeError for an object that is no place, for
        functions that can't be called with a request, for context managers, and for a ``when`` or ``otherwise`` that is
        async or yields. A coroutine that any of them returns without being async is a TypeError, too, when the place is
        read.
        """
        check_place(place, "app.fill", 'make one, Tenant = Place[str]("tenant")')
        if place in self._sources:
            filled = describe(self._sources[place].hook.function)
            raise explained(
                "filled-twice",
                ValueError(f"the place {place.name!r} is filled by {filled} already, and now by {describe(source)}"),
            )
        for function in filter(None, (source, when, otherwise)):
            check_arguments(function, "request")
        check_sync("when", when)
        check_sync("otherwise", otherwise)
        check_returns("when", when)
        check_returns("otherwise", otherwise)
        _check_undecorated(source)
        waits = is_async_generator(source)
        made_of = (Hook(source, True) if waits else hook(source, blocking))._replace(only_writes=only_writes)
        made = Source(place, made_of, when, otherwise, waits or is_generator(source))
        self._sources[place] = made
        self.yield_values = self.yield_values or made.yields
        if made.is_resolved:
            self.resolving += (made,)

    def __contains__(self, place: Place[Any]) -> bool:
        """True if a source fills a place."""
        return place in self._sources

    def read(self, place: ReadablePlace[T], request: Request) -> T:
        """Return the value of a place for a request that has none yet. Raises RuntimeError if nothing fills it."""
        source = self._sources.get(place)
        if source is None:
            raise place.unfilled()
        value: T = source.read(request)
        return value


def _check_undecorated(source: Callable[..., Any]) -> None:
    """Check that a source is no function of ``contextlib``, whose context managers nobody would enter."""
    import contextlib

    code = getattr(source, "__code__", None)
    if code is not None and code.co_filename == contextlib.__file__:
        raise explained(
            "place-as-context-manager",
            TypeError(
                f"{describe(source)} fills a place, and would give it a context manager: leave out @contextmanager or"
                " @asynccontextmanager, and the value is what the function yields"
            ),
        )
