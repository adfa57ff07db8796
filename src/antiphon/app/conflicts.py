"""Routes in each other's way, which are reported before the first request."""

from collections.abc import Iterable

from antiphon.app.route import Route
from antiphon.app.scope import Scope
from antiphon.handler.contract import describe
from antiphon.routing.converters import CONVERTERS, Converter


def merged_converters(scopes: Iterable[Scope]) -> dict[str, Converter]:
    """The converters of an application and all its blueprints. Raises ValueError when two have one name."""
    merged = dict(CONVERTERS)
    owners: dict[str, str] = {}
    for scope in scopes:
        owner = f"the blueprint {scope.name!r}" if scope.name else "the app"
        for name, converter in scope.registered.converters.items():
            if merged.setdefault(name, converter) is not converter:
                raise ValueError(f"{owners[name]} and {owner} have different converters {name!r}: rename one of them")
            owners.setdefault(name, owner)
    return merged


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
    """Whether the name of one of them, within its blueprint, is not just its function's."""
    names = [(route.name.rpartition(".")[2], route.handler) for route in routes]
    return any(getattr(handler, "__name__", name) != name for name, handler in names)


def places(one: Route, other: Route) -> str:
    """Both handlers with file and line."""
    return f"{describe(one.handler)} and {describe(other.handler)}"
