"""The additions of features to the responses of routes, as plain data, from which documents are made."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, runtime_checkable

from antiphon.app.planning.planner import RouteGroup
from antiphon.app.route import Route
from antiphon.http.errors import HTTPError


class Added(NamedTuple):
    """A response with which a feature responds itself, or header fields that it adds to all responses of a route."""

    status: int | None = None
    """The status of the feature's own response; None for fields of other responses."""
    error: type[HTTPError] | None = None
    """The class of the error that the feature raises, if its own response is an error."""
    detail: str | None = None
    """The error's message, with varying parts in braces."""
    type: str | None = None
    """The type of the error's problem details (RFC 9457)."""
    members: Mapping[str, Any] = {}
    """The types of the further members of the problem details, by name."""
    headers: tuple[str, ...] = ()
    """The names of header fields, in lower case."""
    cookies: tuple[str, ...] = ()
    """The names of cookies that may be set."""
    needs: str | None = None
    """A header field without which a response of the route is left as it is."""


@runtime_checkable
class Adding(Protocol):
    """A feature or hook that declares what it adds, so that its code need not be read."""

    def _adds(self, route: Route, method: str) -> Iterable[Added]:
        """Return what it adds to the responses to a method of a route that it is in use for; nothing if it does not
        concern the route.
        """
        ...


def added_to(group: RouteGroup, route: Route, method: str) -> Iterator[tuple[Adding, Added]]:
    """Yield what features and hooks add to the responses to a route's method, each with the feature, the outermost
    first.
    """
    around: list[object] = [] if route.unguarded else [*_features_around(group), *_hooks(route)]
    for each in dict.fromkeys((*around, *route.meta)):
        if isinstance(each, Adding):
            yield from ((each, added) for added in each._adds(route, method))


def _features_around(group: RouteGroup) -> Iterator[object]:
    if group.above is not None:
        yield from _features_around(group.above)
    yield from group.registry.features


def _hooks(route: Route) -> Iterator[object]:
    for hook in route.before:
        yield hook.function
