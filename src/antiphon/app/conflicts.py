"""Routes in each other's way, which are reported before the first request."""

from collections.abc import Iterable

from antiphon.app.routes import Route
from antiphon.handler import describe


def check_route_names(routes: Iterable[Route]) -> None:
    """Raise ValueError when a name that was given to a route is another handler's too.

    One handler may have one name at several routes. Functions may happen to be named alike, and made by one piece of
    code: these are told when their URL is asked for.
    """
    named: dict[str, Route] = {}
    for route in routes:
        earlier = named.setdefault(route.name, route)
        if earlier.handler != route.handler and _is_given(earlier, route):
            raise ValueError(
                f"two routes are named {route.name!r}: {places(earlier, route)}; give one of them another name"
            )


def _is_given(*routes: Route) -> bool:
    return any(getattr(route.handler, "__name__", route.name) != route.name for route in routes)


def places(one: Route, other: Route) -> str:
    """Both handlers with file and line."""
    return f"{describe(one.handler)} and {describe(other.handler)}"
