"""From what was registered to what is answered: done once, before the first request."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any

from antiphon.app.blueprint import Blueprint, Nested, Registered
from antiphon.app.default_answers import answer_nothing, answer_options, redirect_to_other_form
from antiphon.app.guard import Guard
from antiphon.app.hooks import Hook
from antiphon.app.matching import Routing, common_blueprint
from antiphon.app.mount import Mount
from antiphon.app.places import Places
from antiphon.app.plan import Around, Plan
from antiphon.app.route import Route
from antiphon.handler.contract import describe
from antiphon.http.limits import Limits
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter
from antiphon.routing.prefixes import Prefixes, TakenError
from antiphon.routing.router import Resource, Router, SamePathsError


class Scope:
    """The routes of one place with their whole names, paths and limits, and what is around them.

    That is what the scopes around it have, outermost first, then its own. ``name`` has the names of all blueprints,
    with dots between them; it is empty for the application.
    """

    def __init__(
        self,
        app: Any,
        registered: Registered,
        around: Around,
        limits: Limits,
        places: Places,
        name: str = "",
        prefix: str = "",
        host: str | None = None,
        above: "Scope | None" = None,
    ) -> None:
        self.app = app
        self.registered = registered
        self.limits = limits
        self.places = places
        self.name = name
        self.prefix = prefix
        self.host = host
        self.above = above
        self.around = Around(
            (*around.middleware, *registered.middleware),
            (*around.before, *registered.before),
            (*around.after, *registered.after),
            (registered.error_handlers, *around.error_handlers),
        )

    def below(self, nested: Nested) -> "Scope":
        """The scope of a blueprint in this one. Raises ValueError for a blueprint that is registered in itself."""
        blueprint = nested.blueprint
        name = nested.name or blueprint.name
        scope: Scope | None = self
        while scope is not None:
            if scope.registered is blueprint.registered:
                raise ValueError(f"the blueprint {blueprint.name!r} is registered in itself")
            scope = scope.above
        return Scope(
            self.app,
            blueprint.registered,
            self.around,
            blueprint.limits.within(self.limits),
            self.places,
            f"{self.name}.{name}" if self.name else name,
            self.prefix + (blueprint.prefix if nested.prefix is None else nested.prefix),
            nested.host or blueprint.host or self.host,
            self,
        )

    def walk(self) -> Iterator["Scope"]:
        """This scope, and all in it."""
        yield self
        for nested in self.registered.blueprints:
            yield from self.below(nested).walk()

    def blueprints(self) -> list[Blueprint]:
        """All blueprints in it."""
        return [nested.blueprint for scope in self.walk() for nested in scope.registered.blueprints]

    def routes(self) -> list[Route]:
        """The routes of this scope alone, with their whole names, paths, hosts and limits."""
        return [
            self._placed(
                route,
                name=f"{self.name}.{route.name}" if self.name else route.name,
                pattern=self.prefix + route.pattern,
                host=route.host or self.host,
                limits=route.limits.within(self.limits),
            )
            for route in self.registered.routes
        ]

    def _placed(self, route: Route, **changes: Any) -> Route:
        return route._replace(app=self.app, blueprint=self.name or None, places=self.places, **changes)

    def plan(self, route: Route) -> Plan:
        """How requests are answered by a route of this scope."""
        return Plan(route, route.hook.around(True), self.around)

    def plan_answer(
        self,
        hook: Hook,
        *,
        pattern: str = "",
        methods: tuple[str, ...] = (),
        host: str | None = None,
        limits: Limits | None = None,
        hands_on: bool = False,
    ) -> Plan:
        """How requests are answered by what is no route, but has one that tells of them."""
        route = Route(pattern, methods, "", hook.function, host, None, limits or self.limits, None, hook)
        return Plan(self._placed(route), hook, self.around, hands_on=hands_on)


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


class Planning:
    """Plans the routes and mounts of an application.

    Raises ValueError for what is in each other's way, and for patterns that are malformed where they stand.
    """

    def __init__(self, scope: Scope, guard: Guard, *, redirect_slashes: bool, encoded_slashes: bool) -> None:
        self._scopes = {each.name: each for each in scope.walk()}
        self._routes = [(each, route) for each in self._scopes.values() for route in each.routes()]
        self._redirects_slashes = redirect_slashes
        self._router: Router[Plan] = Router(merged_converters(self._scopes.values()))
        self._owners: dict[tuple[Resource[Plan], str], Route] = {}
        self._routing = Routing(guard, self._router, encoded_slashes)

    def routing(self, mounts: Iterable[Mount]) -> Routing:
        """All that is answered, planned."""
        check_route_names([route for _, route in self._routes])
        for scope, route in self._routes:
            self._plan_route(scope, route)
        if not self._routing.encoded_slashes:
            self._router.trust_slashes()
        first = {resource: route for (resource, _), route in reversed(self._owners.items())}
        for resource, route in first.items():
            self._complete(resource.methods, route)
        self._plan_refusals()
        self._plan_mounts(mounts)
        return self._routing

    def _plan_route(self, scope: Scope, route: Route) -> None:
        resource = self._resource(route)
        plan = scope.plan(route)
        for method in route.methods:
            earlier = self._owners.setdefault((resource, method), route)
            if earlier is not route:
                raise ValueError(f"{method} {route.where} is answered by both {places(earlier, route)}")
            resource.methods[method] = plan
        if route.defaults:
            self._routing.defaults[plan] = route.defaults
            self._router.search_for(route.pattern)
        if self._redirects_slashes if route.redirect_slashes is None else route.redirect_slashes:
            self._routing.redirected.add(plan)

    def _resource(self, route: Route) -> Resource[Plan]:
        try:
            return self._router.resource(route.pattern, route.host)
        except SamePathsError as error:
            earlier = next(earlier for (resource, _), earlier in self._owners.items() if resource is error.earlier)
            raise ValueError(f"{error}: {places(earlier, route)}") from None
        except ValueError as error:
            raise ValueError(f"{error}: {describe(route.handler)}") from None

    def _complete(self, methods: dict[str, Plan], route: Route) -> None:
        """HEAD is answered as GET is, and OPTIONS with what is allowed (RFC 9110 §9.3.2, §9.3.7)."""
        if "GET" in methods:
            methods.setdefault("HEAD", methods["GET"])
        if "OPTIONS" not in methods:
            allow = ", ".join(sorted({*methods, "OPTIONS"}))
            blocks = not any(plan.is_async for plan in methods.values())
            scope = self._scopes[common_blueprint(methods)]
            hook = Hook(partial(answer_options, allow), False, blocks)
            methods["OPTIONS"] = scope.plan_answer(hook, pattern=route.pattern, methods=("OPTIONS",), host=route.host)

    def _plan_refusals(self) -> None:
        """What has no route is answered where all of the application's handlers are: on a thread, or on the loop."""
        routing = self._routing
        blocks = not any(route.hook.is_async for _, route in self._routes)
        routing.blueprints = Prefixes({name: _never_fails(each) for name, each in self._router.converters.items()})
        for name, scope in self._scopes.items():
            routing.refusing[name] = scope.plan_answer(Hook(answer_nothing, False, blocks))
            try:
                routing.blueprints.add(scope.prefix, scope.host, name)
            except TakenError:
                pass  # of several blueprints with one prefix the first answers for it
            except ValueError as error:
                raise ValueError(f"{error}: the prefix of the blueprint {name!r}") from None
        redirect = partial(redirect_to_other_form, routing.encoded_slashes)
        routing.redirecting = self._scopes[""].plan_answer(Hook(redirect, False, blocks))
        asterisk = Hook(self._asterisk_answer(), False, blocks)
        self._router.literal["*"] = {"OPTIONS": self._scopes[""].plan_answer(asterisk)}

    def _asterisk_answer(self) -> Callable[[Request], Response]:
        """What answers ``OPTIONS *``: the methods that any route knows (RFC 9110 §9.3.7)."""
        known = {method for resource in self._router.resources for method in resource.methods}
        return partial(answer_options, ", ".join(sorted({*known, "OPTIONS"})))

    def _plan_mounts(self, mounts: Iterable[Mount]) -> None:
        self._routing.mounts = Prefixes(self._router.converters)
        scope = self._scopes[""]
        for mount in mounts:
            plan = scope.plan_answer(
                mount.hook,
                pattern=mount.prefix,
                host=mount.host,
                limits=mount.limits.within(scope.limits),
                hands_on=mount.interface is None,
            )
            self._routing.mounts.add(mount.prefix, mount.host, plan)


def _never_fails(converter: Converter) -> Converter:
    """The same converter, for which a segment on which it fails is one that doesn't fit."""

    def to_python(segment: str) -> object:
        try:
            return converter.to_python(segment)
        except Exception as error:
            raise ValueError(str(error)) from error

    return converter._replace(to_python=to_python)
