"""Registrations: all that an application and its blueprints were given, and the groups of routes that it makes."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, TypeAlias, TypeVar

from antiphon.app.dispatch.arguments import arguments_of
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.app.dispatch.hooks import ErrorHandlers, Hook, MiddlewareFunction, hook
from antiphon.app.dispatch.middleware import Middleware
from antiphon.app.dispatch.plan import LOAD, Body, HandlerStack, Plan
from antiphon.app.planning.cross_site import SAFE_METHODS, TrustedOrigins
from antiphon.app.route import Route, before_hooks
from antiphon.app.route_keys import KEYWORDS, KeyHandling, RouteKeys, is_set
from antiphon.app.work import InTask, OnThread, around_tasks
from antiphon.explanations import explained
from antiphon.handler.callables import describe
from antiphon.http.limits import Limits
from antiphon.lazy import lazy
from antiphon.request.dependencies import ReadableDependency
from antiphon.request.request import Request
from antiphon.request.route import NO_META, RouteKey, RouteMeta
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter
from antiphon.routing.pattern import path_template

if TYPE_CHECKING:
    from antiphon.app.blueprint import Blueprint


class Snapshot:
    """A snapshot of some objects' attributes, and of the contents of their lists and dicts, for restoring them."""

    def __init__(self, objects: Iterable[object]) -> None:
        self._attributes = [(vars(each), dict(vars(each))) for each in objects]
        contained = [value for _, attributes in self._attributes for value in attributes.values()]
        self._lists = [(each, [*each]) for each in contained if isinstance(each, list)]
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
            *self._attributes,
            *((each, dict(each)) for each in contained if isinstance(each, dict)),
        ]

    def restore(self) -> None:
        """Restore the objects in place, so that code that refers to one of their lists sees its former contents."""
        for each, before in self._dicts:
            each.clear()
            each.update(before)
        for items, kept in self._lists:
            items[:] = kept


A_contra = TypeVar("A_contra", contravariant=True)


class Feature(Protocol[A_contra]):
    """An object that adds routes, hooks, middleware or error handlers to an application: ``app.use(feature)``."""

    def install(self, app: A_contra, /) -> None:
        """Register the feature's routes, hooks and handlers with an application."""
        ...


class IncludedBlueprint(NamedTuple):
    """A blueprint as it was registered. A value is None if the blueprint's own name, prefix or host applies."""

    blueprint: "Blueprint"
    name: str | None = None
    prefix: str | None = None
    host: str | None = None


class Registry:
    """Everything that was registered with an application or a blueprint, in order."""

    def __init__(self) -> None:
        self.routes: list[Route] = []
        self.middleware: list[Middleware] = []
        self.before_routing: list[Middleware] = []
        self.before: list[Hook] = []
        self.after: list[Hook] = []
        self.finishers: list[Callable[[Request, Response], None]] = []
        self.error_handlers = ErrorHandlers()
        self.converters: dict[str, Converter] = {}
        self.blueprints: list[IncludedBlueprint] = []
        self.trusted_origins = TrustedOrigins()
        self.features: list[object] = []
        self.handlings: list[tuple[RouteKey[Any], KeyHandling]] = []
        """What features do for the keys of routes."""
        self.outermost: list[tuple[Middleware, MiddlewareFunction]] = []
        """Middleware around all other, each with the one that makes it needless where that is the outermost."""
        self.around_threads: list[OnThread] = []
        self.around_tasks: list[InTask] = []

    def around_all(self) -> tuple[Middleware, ...]:
        """Return the middleware around all other."""
        first = next(iter((*self.before_routing, *self.middleware)), None)
        return tuple(each for each, inside in self.outermost if first is None or first.function != inside)

    def add_handling(self, key: RouteKey[Any], handling: KeyHandling) -> None:
        """Add what a feature does for a key. Raises ValueError if another feature does it for the same value."""
        others = [each.value for other, each in self.handlings if other is key]
        if handling.value in others or (others and None in (handling.value, *others)):
            name = key.name if handling.value is None else f"{key.name}={handling.value!r}"
            raise explained(
                "feature-used-twice", f"another feature already handles the {name} routes of this app: use one"
            )
        self.handlings.append((key, handling))


class RouteGroup:
    """The routes of an application or a blueprint, with their full names, paths and limits, and their handler stack.

    The stack contains the parts of the outer groups, outermost first, then the group's own. ``name`` consists of the
    names of all blueprints, separated by dots; it is empty for the application.
    """

    def __init__(
        self,
        app: Any,
        registry: Registry,
        stack: HandlerStack,
        limits: Limits,
        dependencies: Dependencies,
        deadline: float | None = None,
        name: str = "",
        prefix: str = "",
        host: str | None = None,
        above: "RouteGroup | None" = None,
        meta: RouteMeta = NO_META,
    ) -> None:
        self.app = app
        self.registry = registry
        self.limits = limits
        self.dependencies = dependencies
        self.deadline = deadline
        self.name = name
        self.prefix = prefix
        self.host = host
        self.above = above
        self.features: list[object] = [*(above.features if above else ()), *registry.features]
        self.meta = meta
        self.stack = HandlerStack(
            (*stack.middleware, *registry.middleware),
            dependencies.resolving,
            (*stack.before, *registry.before),
            after=(*stack.after, *registry.after),
            error_handlers=(registry.error_handlers, *stack.error_handlers),
            opens_dependencies=dependencies.yield_values,
            finishers=(*self._own_finishers(), *stack.finishers),
            is_in_blueprint=stack.is_in_blueprint or (above is not None and bool(registry.middleware)),
        )

    def _own_finishers(self) -> Iterable[Callable[[Request, Response], None]]:
        """Return the group's finishers; none if it is inside middleware that opens before routing, because that
        middleware closes later.
        """
        # Completed once, when the outermost middleware is closed.
        return () if self.above is None and self.has_before_routing else self.registry.finishers

    @property
    def has_before_routing(self) -> bool:
        """True if middleware is opened before a route is found."""
        return bool(self.app._registry.before_routing)

    def below(self, included: IncludedBlueprint) -> "RouteGroup":
        """Return the group of a blueprint inside this group.

        Raises ValueError if a blueprint is registered in itself.
        """
        blueprint = included.blueprint
        name = included.name or blueprint.name
        group: RouteGroup | None = self
        while group is not None:
            if group.registry is blueprint._registry:
                raise explained("bad-blueprint", f"the blueprint {blueprint.name!r} is registered in itself")
            group = group.above
        return RouteGroup(
            self.app,
            blueprint._registry,
            self.stack,
            self._checked(blueprint.limits, f"the blueprint {blueprint.name!r}").within(self.limits),
            self.dependencies,
            self.deadline if blueprint.deadline is None else blueprint.deadline,
            f"{self.name}.{name}" if self.name else name,
            self.prefix + (blueprint.prefix if included.prefix is None else included.prefix),
            included.host or blueprint.host or self.host,
            self,
            blueprint.meta.within(self.meta),
        )

    def stack_of(self, route: Route) -> HandlerStack:
        """Return the stack around a route's handler, without what its own options add."""
        stack = HandlerStack(error_handlers=self.stack.error_handlers) if route.unguarded else self.stack
        if self.app._registry.around_tasks and (route.hook.is_async or route.websocket is not None):
            stack = stack._replace(middleware=(around_tasks(self.app.work), *stack.middleware))
        if not {*route.methods}.issubset(SAFE_METHODS):
            return stack
        return self._safe_stack if stack is self.stack else stack.without_writes()

    @lazy
    def _safe_stack(self) -> HandlerStack:
        """The stack around handlers of safe methods, which is the same for most routes."""
        return self.stack.without_writes()

    def walk(self) -> Iterator["RouteGroup"]:
        """Yield this group, and all groups in it."""
        yield self
        for included in self.registry.blueprints:
            yield from self.below(included).walk()

    def routes(self) -> list[Route]:
        """Return the routes of only this group, with their full names, paths, hosts and limits.

        Each is followed by the further routes that features return for its keys.
        """
        return [each for route in self._own_routes() for each in (route, *self._further(route))]

    def _further(self, route: Route) -> Iterator[Route]:
        for handling in self.handlings(route):
            for each in handling.routes(route) if handling.routes is not None else ():
                arguments = arguments_of(each.handler, ("request",))
                yield each._replace(hook=hook(each.handler), arguments=arguments)

    def handlings(self, route: Route) -> Iterator[KeyHandling]:
        """Yield what features do for the keys of a route, the innermost first."""
        if not route.meta:
            return
        for key in (*KEYWORDS.values(), *[key for key in route.meta if KEYWORDS.get(key.name) is not key]):
            if not is_set(value := route.meta.get(key)):
                continue
            if key.around is not None:
                yield KeyHandling(around=key.around)
            if (found := self.handling(key, value)) is not None:
                yield found

    def handling(self, key: RouteKey[Any], value: object) -> KeyHandling | None:
        """Return what the nearest feature does for a key's value, or None."""
        group: RouteGroup | None = self
        while group is not None:
            for other, each in group.registry.handlings:
                if other is key and each.value in (None, value):
                    return each
            group = group.above
        return None

    def _own_routes(self) -> list[Route]:
        return [
            self._placed(
                route,
                name=f"{self.name}.{route.name}" if self.name else route.name,
                pattern=self.prefix + route.pattern,
                host=route.host or self.host,
                limits=self._checked(route.limits, describe(route.handler)).within(
                    self.limits.within(Limits(json_repeats=0)) if route.meta.get(RouteKeys.idempotent) else self.limits
                ),
                deadline=self.deadline if route.deadline is None else route.deadline,
            )
            for route in self.registry.routes
        ]

    def _checked(self, limits: Limits, owner: str) -> Limits:
        """Return the limits of a route or a blueprint. Raises ValueError for a limit that only the app can have."""
        most = self.app.limits.headers
        if limits.given.get("headers", most) != most:
            raise explained(
                "bad-limit",
                f"{owner} has Limits(headers={limits.headers}), but headers are limited before a route is found:"
                f" App(limits=Limits(headers={limits.headers})) limits them for all routes",
            )
        return limits

    def _placed(self, route: Route, **changes: Any) -> Route:
        changes["meta"] = meta = route.meta.within(self.meta)
        hooks = [key.before for key in meta if key.before is not None and is_set(meta[key])]
        changes["before"] = (*before_hooks(hooks), *route.before) if hooks else route.before
        return route._replace(app=self.app, blueprint=self.name or None, dependencies=self.dependencies, **changes)

    def plan_internal(
        self,
        hook: Hook,
        *,
        pattern: str = "",
        methods: tuple[str, ...] = (),
        host: str | None = None,
        limits: Limits | None = None,
        body: Body = LOAD,
        checks_writes: bool = True,
    ) -> Plan:
        """Plan responses to requests without a matching route. They still have a ``route``, which describes the
        response.
        """
        route = Route(
            pattern, methods, "", hook.function, host, None, limits or self.limits, hook,
            deadline=self.deadline, meta=self.meta, blueprint=self.name or None, app=self.app,
            dependencies=self.dependencies, is_guarded=self.has_before_routing or self.stack.is_guarded,
        )  # fmt: skip
        plan = Plan(route, hook, self.stack.at(route), body=body)
        plan.checks_writes = checks_writes
        return plan


PathTemplate: TypeAlias = tuple[str, dict[str, str]]
Providers: TypeAlias = Mapping[ReadableDependency[Any], Callable[..., Any]]


class PlannedRoute:
    """A route of an application and the functions around its handler, for code that describes or checks them.

    ``prefix`` is where the application is mounted. ``path`` is the whole path as in OpenAPI, and ``parameters`` are the
    names of its parameters and of their converters. ``providers`` are the functions that provide dependencies.
    """

    def __init__(self, group: RouteGroup, route: Route, prefix: str, path: PathTemplate, providers: Providers) -> None:
        stack = group.stack_of(route)
        first = [] if route.unguarded else group.app._registry.before_routing
        self.app: Any = group.app
        self.route = route
        self.prefix = prefix
        self.path, self.parameters = path
        self.providers = providers
        self.features: list[object] = [] if route.unguarded else group.features
        """The features in use for the route, outermost first; none if it is unguarded."""
        self.middleware = [each.function for each in (*first, *stack.middleware)]
        """The middleware around the handler, outermost first."""
        self.before = [each.function for each in (*stack.before, *route.before)]
        """The hooks before the handler."""
        self.after = [each.function for each in stack.after]
        """The hooks after the handler."""
        self.resolved = [each.hook.function for each in group.dependencies.resolving]
        """The providers that are called before the handler, because they wait or block."""
        self.handled_errors = [kind for each in stack.error_handlers for kind in each.classes]
        """The classes of errors that have a handler."""
        self.error_handler = stack.error_handler
        """A function that returns the function that handles an error, or None."""

    @classmethod
    def of(cls, app: Any, prefix: str = "") -> Iterator["PlannedRoute"]:
        """Yield the routes of an application, and those of the applications mounted in it."""
        groups: tuple[RouteGroup, ...] = app._route_groups
        converters = merged_converters(groups)
        providers = {each.provides: each.hook.function for each in groups[0].dependencies.sources}
        for group in groups:
            for route in group.routes():
                yield cls(group, route, prefix, path_template(prefix + route.pattern, converters), providers)
        for mount in app.mounts:
            if hasattr(mount.application, "_route_groups"):
                yield from cls.of(mount.application, prefix + mount.prefix)

    @staticmethod
    def route_of(app: Any, request: Request) -> Route:
        """Return the route of an application for a request that was accepted before, without any checks."""
        return app._plan_of(request).route  # type: ignore[no-any-return]


def merged_converters(groups: Iterable[RouteGroup]) -> dict[str, Converter]:
    """Return the converters of an application and all its blueprints. Raises ValueError if two have the same name."""
    merged = dict(CONVERTERS)
    owners: dict[str, str] = {}
    for group in groups:
        owner = f"the blueprint {group.name!r}" if group.name else "the app"
        for name, converter in group.registry.converters.items():
            if merged.setdefault(name, converter) is not converter:
                raise explained(
                    "bad-converter",
                    f"{owners[name]} and {owner} have different converters {name!r}: rename one of them",
                )
            owners.setdefault(name, owner)
    return merged


def check_route_names(routes: Iterable[Route]) -> None:
    """Check that no explicit route name is also the name of another handler.

    Raises ValueError if one is. A handler may have the same name at several routes, and the handlers of one path may
    share a name. Functions that happen to have the same name cause an error only when ``url_for`` is called with that
    name.
    """
    named: dict[str, Route] = {}
    for route in routes:
        earlier = named.setdefault(route.name, route)
        if are_apart(earlier, route) and _is_given(earlier, route):
            raise explained(
                "ambiguous-route-name",
                f"two routes are named {route.name!r}: {places(earlier, route)}; give one of them another name",
            )


def are_apart(one: Route, other: Route) -> bool:
    """True if two routes share neither a handler nor a path."""
    return one.handler != other.handler and one.where != other.where


def _is_given(*routes: Route) -> bool:
    """True if one of the routes has a name, within its blueprint, that differs from its function's name."""
    names = [(route.name.rpartition(".")[2], route.handler) for route in routes]
    return any(getattr(handler, "__name__", name) != name for name, handler in names)


def places(one: Route, other: Route) -> str:
    """Return the handlers of two routes, each with its file and line."""
    return f"{describe(one.handler)} and {describe(other.handler)}"
