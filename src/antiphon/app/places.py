"""Sources of places: called on first read, or before the handler if they wait or block."""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, TypeVar

from antiphon.app.hooks import Hook, hook
from antiphon.handler.callables import check_arguments, check_sync
from antiphon.handler.contract import describe, ready
from antiphon.request.places import Place, check_place
from antiphon.request.request import Request

T = TypeVar("T")


class Source(NamedTuple):
    """The function that computes a place's value, with its condition and the function for when that is false."""

    fills: Any
    """The place; checkers would take an attribute of type ``Place`` for the descriptor that places are."""
    hook: Hook
    when: Callable[[Request], bool] | None
    otherwise: Callable[[Request], Any] | None

    @property
    def is_resolved(self) -> bool:
        """True if it is called before the handler, because it waits or blocks."""
        return self.hook.is_async or self.hook.blocks

    @property
    def blocks(self) -> bool:
        """True if it is called on a thread."""
        return self.hook.blocks

    def pinned(self) -> "Source":
        """Return the source with its place, for a stack of which some parts run on a thread and others on the loop."""
        return self._replace(hook=self.hook.pinned())

    async def resolve(self, request: Request) -> None:
        """Give a request the value, if it has none and the condition is true. Raises what the source does."""
        if self.fills not in request and self._is_wanted(request):
            request[self.fills] = ready(self.hook.function, await self.hook.call(request))

    def read(self, request: Request) -> Any:
        """Return the value for a request that has none yet."""
        name = self.fills.name
        if not self._is_wanted(request):
            if self.otherwise is None:
                raise RuntimeError(f"this request has no {name!r}, and the place was filled without `otherwise`")
            return ready(self.otherwise, self.otherwise(request))
        if self.is_resolved:
            raise RuntimeError(
                f"the place {name!r} is not resolved: {describe(self.hook.function)} is called when the middleware is"
                " open, before the hooks and the handler, after the sources of the places that were filled before it"
            )
        return ready(self.hook.function, self.hook.function(request))

    def _is_wanted(self, request: Request) -> bool:
        return self.when is None or bool(ready(self.when, self.when(request)))


class Places:
    """The places that an application fills.

    ``resolving`` are the sources to be resolved before the handler, in the order in which their places were filled.
    """

    def __init__(self) -> None:
        self._sources: dict[Place[Any], Source] = {}
        self.resolving: tuple[Source, ...] = ()

    def fill(
        self,
        place: Place[T],
        source: Callable[[Request], T] | Callable[[Request], Awaitable[T]],
        *,
        blocking: bool = False,
        when: Callable[[Request], bool] | None = None,
        otherwise: Callable[[Request], T] | None = None,
    ) -> None:
        """Fill a place by a source, which is called at most once a request, if ``when`` is true of the request.

        A sync source is called on first read, wherever that is. One that is async, or that ``blocking`` gives a
        thread, is called before the hooks and the handler, whether the place is read or not. If ``when`` is false,
        the place has the value that ``otherwise`` returns; both are called on the spot, and must not block. Raises
        ValueError for a place that is filled already, TypeError for an object that is no place, for functions that
        can't be called with a request, and for a ``when`` or ``otherwise`` that is async. A coroutine that any of them
        returns without being async is a TypeError, too, for whoever reads the place.
        """
        check_place(place, "app.fill", 'make one, Tenant = Place[str]("tenant")')
        if place in self._sources:
            filled = describe(self._sources[place].hook.function)
            raise ValueError(f"the place {place.name!r} is filled by {filled} already, and now by {describe(source)}")
        for function in filter(None, (source, when, otherwise)):
            check_arguments(function, "request")
        check_sync("when", when)
        check_sync("otherwise", otherwise)
        made = Source(place, hook(source, blocking), when, otherwise)
        self._sources[place] = made
        if made.is_resolved:
            self.resolving += (made,)

    def __contains__(self, place: Place[Any]) -> bool:
        """True if a source fills a place."""
        return place in self._sources

    def read(self, place: Place[T], request: Request) -> T:
        """Return the value of a place for a request that has none yet. Raises RuntimeError if nothing fills it."""
        source = self._sources.get(place)
        if source is None:
            raise place.unfilled()
        value: T = source.read(request)
        return value
