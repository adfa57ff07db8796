"""Planning: once, before the first request, each registered route and mount becomes a plan."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol, TypeAlias

from antiphon.app.blueprint import IncludedBlueprint, Registry
from antiphon.app.dispatch.arguments import NO_ARGUMENTS, with_arguments
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.app.dispatch.hooks import Hook, MiddlewareFunction, hook
from antiphon.app.dispatch.middleware import middleware
from antiphon.app.dispatch.plan import LOAD, LOOP, AtHand, Body, HandlerStack, Plan
from antiphon.app.mount import Mount
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.planning.matching import (
    MountPlans,
    Routing,
    common_blueprint,
    redirect_to_other_form,
    respond_not_found,
    respond_to_options,
)
from antiphon.app.planning.request_checks import (
    RequestChecks,
    checking_handshakes,
    handshake_check,
    in_place,
    require_digest,
)
from antiphon.app.planning.signed_urls import SALT, check_signature
from antiphon.app.planning.startup_checks import check_filled, check_read_types, media_of
from antiphon.app.planning.streams import LiveRouting, Watching, plan_stream
from antiphon.app.route import Route, SocketOptions
from antiphon.explanations import explained
from antiphon.handler.callables import describe, is_async
from antiphon.handler.scope import in_scope
from antiphon.http.limits import ONE_VALUE, Limits
from antiphon.request.request import Request
from antiphon.request.route import NO_META, FinishingKey, RouteMeta
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter
from antiphon.routing.pattern import parameters_in
from antiphon.routing.router import Prefixes, Resource, Router, SamePathsError, TakenError
from antiphon.serialization.signing import Signer

SurroundIdempotent: TypeAlias = Callable[
    [Route, Callable[[Request], Any]], tuple[MiddlewareFunction, Callable[[Request], Any]]
]
"""A function that receives an idempotent route and its handler, as a function of only the request. It returns the
route's outermost middleware, and the function to call instead of the handler.
"""


class Resuming(Protocol):
    """A feature that continues the uploads to resumable routes."""

    def _upload_routes(self, route: Route) -> Iterable[Route]:
        """Return the routes of the uploads to a route."""
        ...

    def _surround(self, route: Route, handler: Callable[[Request], Any]) -> Callable[[Request], Any]:
        """Return the function to call instead of the handler; it is ``def`` or ``async def`` like the handler."""
        ...

    def _upload_fields(self, route: Route) -> Mapping[str, str]:
        """Return the fields of the response to OPTIONS."""
        ...


SurroundDurable: TypeAlias = Callable[[Route, Plan], Callable[[Request], Any]]
"""A function that receives a durable route, and the plan by which its handler is called, with only its dependencies. It
returns the function to call instead of the handler.
"""

SignatureChecks: TypeAlias = Mapping[str, Callable[[Route], Callable[[Request], Any]]]
"""Functions by the names that ``signed_by`` accepts. Each gets a route and returns the hook that refuses unsigned
requests.
"""


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
                raise explained(
                    "bad-blueprint", ValueError(f"the blueprint {blueprint.name!r} is registered in itself")
                )
            group = group.above
        return RouteGroup(
            self.app,
            blueprint._registry,
            self.stack,
            blueprint.limits.within(self.limits),
            self.dependencies,
            self.deadline if blueprint.deadline is None else blueprint.deadline,
            f"{self.name}.{name}" if self.name else name,
            self.prefix + (blueprint.prefix if included.prefix is None else included.prefix),
            included.host or blueprint.host or self.host,
            self,
            blueprint.meta.within(self.meta),
        )

    def walk(self) -> Iterator["RouteGroup"]:
        """Yield this group, and all groups in it."""
        yield self
        for included in self.registry.blueprints:
            yield from self.below(included).walk()

    def routes(self) -> list[Route]:
        """Return the routes of only this group, with their full names, paths, hosts and limits.

        A resumable route is followed by those of its uploads, which a feature supplies.
        """
        resuming = self.app._resuming
        return [
            each
            for route in self._own_routes()
            for each in (route, *(resuming._upload_routes(route) if route.resumable and resuming else ()))
        ]

    def _own_routes(self) -> list[Route]:
        return [
            self._placed(
                route,
                name=f"{self.name}.{route.name}" if self.name else route.name,
                pattern=self.prefix + route.pattern,
                host=route.host or self.host,
                limits=route.limits.within(self.limits.within(ONE_VALUE) if route.idempotent else self.limits),
                deadline=self.deadline if route.deadline is None else route.deadline,
            )
            for route in self.registry.routes
        ]

    def _placed(self, route: Route, **changes: Any) -> Route:
        changes["meta"] = route.meta.within(self.meta)
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
        route = Route(pattern, methods, "", hook.function, host, None, limits or self.limits, None, hook)
        route = route._replace(is_guarded=self.has_before_routing or self.stack.is_guarded)
        plan = Plan(self._placed(route, deadline=self.deadline), hook, self.stack, body=body)
        plan.checks_writes = checks_writes
        return plan


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
                    ValueError(f"{owners[name]} and {owner} have different converters {name!r}: rename one of them"),
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
                ValueError(
                    f"two routes are named {route.name!r}: {places(earlier, route)}; give one of them another name"
                ),
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


class Planning:
    """The planning of an application's routes and mounts.

    Raises ValueError for routes that conflict, and for patterns that become malformed with their prefixes.
    """

    def __init__(
        self,
        group: RouteGroup,
        checks: RequestChecks,
        *,
        redirect_slashes: bool,
        encoded_slashes: bool,
        signer: Callable[[str], Signer],
        surround_idempotent: SurroundIdempotent | None,
        surround_durable: SurroundDurable | None,
        signature_checks: SignatureChecks,
        resuming: Resuming | None = None,
        watching: Watching | None = None,
    ) -> None:
        self._groups = {each.name: each for each in group.walk()}
        self._routes = [(each, route) for each in self._groups.values() for route in each.routes()]
        self._redirects_slashes = redirect_slashes
        self._signer = signer
        self._surround_idempotent = surround_idempotent
        self._surround_durable = surround_durable
        self._signature_checks = signature_checks
        self._resuming = resuming
        self._watching = watching
        self._router: Router[Plan] = Router(merged_converters(self._groups.values()))
        self._owners: dict[tuple[Resource[Plan], str], Route] = {}
        kind = Routing if watching is None else partial(LiveRouting, watching)
        self._routing: Routing = kind(checks, self._router, encoded_slashes)

    def routing(self, mounts: Iterable[Mount]) -> Routing:
        """Plan all routes, mounts, and responses for requests without either.

        Also raises TypeError for a handler that reads the request as an unsupported type.
        """
        routes = [route for _, route in self._routes]
        check_route_names(routes)
        check_filled((route, self._given_by(route)) for route in routes if route.arguments.defaults)
        for group, route in self._routes:
            self._plan_route(group, route)
        if not self._routing.encoded_slashes:
            self._router.trust_slashes()
        # Reversed, so that the first route of a path is the one that is kept.
        first = {resource: route for (resource, _), route in reversed(self._owners.items())}
        for resource, route in first.items():
            self._complete(resource.methods, route)
        self._plan_refusals()
        self._plan_mounts(mounts)
        return self._routing

    def _plan_route(self, group: RouteGroup, route: Route) -> None:
        resource = self._resource(route)
        check_read_types(route.handler)
        handler = self._handler(route)
        if handler.is_async:
            # The handler itself is kept as ``raw_handler``, for requests in which it never waits.
            function = in_scope(handler.function, route.cancel_on_disconnect)
            handler = handler._replace(function=function, raw_handler=handler.function)
        stack = self._stack(group, route)
        if finishers := [key.finish for key in route.meta if isinstance(key, FinishingKey)]:
            stack = stack._replace(finishers=(*finishers, *stack.finishers))
        route = route._replace(is_guarded=group.has_before_routing or stack.is_guarded)
        handler, stack = self._with_features(route, handler, stack)
        plan = Plan(
            route,
            handler.for_handler(True),
            stack,
            body=Body(route.receive),
            hooks_block=route.websocket is not None and not is_async(route.handler),
        )
        if at_hand := getattr(route.handler, "at_hand", None):
            plan.at_hand = _at_hand(group, plan, stack, *at_hand)
        if route.csrf_exempt:
            plan.checks_writes = False
        if route.live is not None:
            plan_stream(self._routing, plan, stack)
        for method in route.methods:
            earlier = self._owners.setdefault((resource, method), route)
            if earlier is not route:
                raise explained(
                    "handled-twice", ValueError(f"{method} {route.where} is handled by both {places(earlier, route)}")
                )
            resource.methods[method] = plan
            if route.unguarded:
                # HEAD is added to the path later, and is not a method of the route.
                handled = {method, "HEAD"} if method == "GET" else {method}
                self._routing.unguarded.update((route.pattern, each) for each in handled)
        if route.defaults:
            self._routing.defaults[plan] = route.defaults
            # Found by a search, which is where the defaults are added.
            self._router.search_for(route.pattern)
        if self._redirects_slashes if route.redirect_slashes is None else route.redirect_slashes:
            self._routing.redirected.add(plan)

    def _with_features(self, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
        """Return the handler and its stack with what features do for the options of the route."""
        if route.durable:
            return self._durable(route, handler, stack)  # it refuses the other two
        if route.idempotent:
            handler, stack = self._surrounded(route, handler, stack)
        return (self._resumed(route, handler) if route.resumable else handler), stack

    def _stack(self, group: RouteGroup, route: Route) -> HandlerStack:
        """Return the stack around the handler of a route."""
        stack = HandlerStack(error_handlers=group.stack.error_handlers) if route.unguarded else group.stack
        if all(method in SAFE_METHODS for method in route.methods):
            stack = stack.without_writes()
        checks = [*self._checks(route)]
        if not (checks or route.before):
            return stack
        return stack._replace(before=(*checks, *stack.before, *route.before))

    def _checks(self, route: Route) -> Iterator[Hook]:
        """Yield the hooks that a route's options require. They are called before all others."""
        if route.websocket is not None:
            yield self._handshake_check(route)
        if route.signed_url:
            yield self._url_check(route)
        if route.signed_by is not None:
            yield self._signer_check(route, route.signed_by)
        if route.check_digest:
            yield hook(in_place(require_digest) if is_async(route.handler) else require_digest)

    def _signer_check(self, route: Route, name: str) -> Hook:
        """Return the hook, supplied by a feature, that refuses requests without a signature."""
        if name not in self._signature_checks:
            known = f", which has {', '.join(map(repr, self._signature_checks))}" if self._signature_checks else ""
            raise explained(
                "missing-feature",
                RuntimeError(
                    f"{describe(route.handler)} is signed by {name!r}, which needs"
                    f" app.use(Signatures(keys, name={name!r})) in its app{known}"
                ),
            )
        return hook(self._signature_checks[name](route))

    def _url_check(self, route: Route) -> Hook:
        """Return the hook that refuses unsigned URLs. Raises RuntimeError if the app has no keys for it."""
        try:
            return Hook(partial(check_signature, self._signer(SALT)), False)
        except RuntimeError as error:
            raise explained(
                "no-secret-key", RuntimeError(f"{describe(route.handler)} handles signed URLs: {error}")
            ) from None

    def _handshake_check(self, route: Route) -> Hook:
        return handshake_check(None if route.csrf_exempt else self._routing.checks)

    def _surrounded(self, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
        """Return the handler of an idempotent route and the stack around it, as supplied by a feature.

        The feature's middleware is the outermost, so it also sees failures in all other middleware, such as a failed
        commit.
        """
        if self._surround_idempotent is None:
            raise explained(
                "missing-feature",
                RuntimeError(f"{describe(route.handler)} is idempotent, which needs app.use(IdempotentWrites(store))"),
            )
        around, function = self._surround_idempotent(route, handler.function)
        stack = stack._replace(middleware=(middleware(around), *stack.middleware))
        return handler._replace(function=function, raw_handler=None), stack

    def _resumed(self, route: Route, handler: Hook) -> Hook:
        """Return the handler of a resumable route, as supplied by a feature."""
        if self._resuming is None:
            raise explained(
                "missing-feature",
                RuntimeError(f"{describe(route.handler)} is resumable, which needs app.use(ResumableUploads(store))"),
            )
        return handler._replace(function=self._resuming._surround(route, handler.function), raw_handler=None)

    def _durable(self, route: Route, handler: Hook, stack: HandlerStack) -> tuple[Hook, HandlerStack]:
        """Return what accepts the requests of a durable route, as supplied by a feature, and the stack around it.

        The handler is called later, perhaps more than once, so only its dependencies and error handlers are around it,
        and middleware that opens when a dependency is read.
        """
        if self._surround_durable is None:
            raise explained(
                "missing-feature",
                RuntimeError(f"{describe(route.handler)} is durable, which needs app.use(Durable(database_url))"),
            )
        opened = tuple(part for part in stack.middleware if part.when_read is not None)
        within = stack._replace(middleware=opened, before=(), after=(), finishers=())
        plan = Plan(route._replace(deadline=None), handler.for_handler(True), within, body=Body(route.receive))
        function = self._surround_durable(route, plan)
        # What only the handler reads is not opened to accept a request.
        stack = stack.resolving_for(route._replace(handler=respond_not_found))
        return handler._replace(function=function, raw_handler=None), stack

    def _handler(self, route: Route) -> Hook:
        """Return a route's handler as a function of only the request.

        Raises TypeError if it has an argument that isn't a parameter of the route.
        """
        if route.arguments is NO_ARGUMENTS and route.websocket is None:
            return route.hook
        parameters = parameters_in(route.pattern, route.host, self._router.converters)
        route.arguments.check(route.handler, route.where, parameters, route.defaults or ())
        known = self._given_by(route)
        names = route.arguments.given_by(known)
        if route.websocket is not None:
            return self._socket_handler(route, route.websocket, names)
        function = with_arguments(route.handler, names, len(names) < len(known)) if names else route.handler
        return route.hook._replace(function=function)

    def _given_by(self, route: Route) -> set[str]:
        """Return the names of the parameters that a route supplies."""
        parameters = parameters_in(route.pattern, route.host, self._router.converters)
        return {*(part.name for part in parameters), *(route.defaults or ())}

    def _socket_handler(self, route: Route, options: SocketOptions, names: Iterable[str]) -> Hook:
        """Return a WebSocket's handler as a handler of its handshake."""
        from antiphon.app.conversations.conversation import SocketHandler

        return Hook(SocketHandler(route.handler, options, [*names], route.cancel_on_disconnect), True)

    def _resource(self, route: Route) -> Resource[Plan]:
        try:
            return self._router.resource(route.pattern, route.host)
        except SamePathsError as error:
            earlier = next(earlier for (resource, _), earlier in self._owners.items() if resource is error.earlier)
            raise explained("handled-twice", ValueError(f"{error}: {places(earlier, route)}")) from None
        except ValueError as error:
            raise explained("bad-path", ValueError(f"{error}: {describe(route.handler)}")) from None

    def _complete(self, methods: dict[str, Plan], route: Route) -> None:
        """Add HEAD, which is handled like GET, and OPTIONS, whose response lists the allowed methods and, if known, the
        media types of QUERY and PATCH bodies (RFC 9110 §9.3.2, §9.3.7, RFC 10008 §3, RFC 5789 §3.1).
        """
        if "GET" in methods:
            # A route of its own for HEAD stays.
            methods.setdefault("HEAD", methods["GET"])
        if "OPTIONS" not in methods:
            fields = {"allow": ", ".join(sorted({*methods, "OPTIONS"}))}
            for method in ("PATCH", "QUERY"):
                if method in methods and (accepted := media_of(methods[method].route)):
                    fields[f"accept-{method.lower()}"] = ", ".join(accepted)
            for plan in methods.values():
                if plan.route.resumable and self._resuming is not None:
                    fields |= self._resuming._upload_fields(plan.route)
            blocks = not any(plan.handler.is_async for plan in methods.values())
            group = self._groups[common_blueprint(methods)]
            hook = Hook(partial(respond_to_options, fields), False, blocks)
            methods["OPTIONS"] = group.plan_internal(hook, pattern=route.pattern, methods=("OPTIONS",), host=route.host)

    def _plan_refusals(self) -> None:
        """Plan refusals and redirects. They run on a thread, unless the application has an async handler."""
        routing = self._routing
        blocks = not any(route.hook.is_async for _, route in self._routes)
        routing.blueprints = Prefixes({name: _never_fails(each) for name, each in self._router.converters.items()})
        for name, group in self._groups.items():
            routing.refusing[name] = group.plan_internal(Hook(respond_not_found, False, blocks))
            if not (group.prefix or group.host):
                continue  # the application serves all
            try:
                routing.blueprints.add(group.prefix, group.host, name)
            except TakenError:
                pass  # of several blueprints with one prefix, the first handles it
            except ValueError as error:
                raise explained("bad-path", ValueError(f"{error}: the prefix of the blueprint {name!r}")) from None
        redirect = partial(redirect_to_other_form, routing.encoded_slashes)
        routing.redirecting = self._groups[""].plan_internal(Hook(redirect, False, blocks))
        # The response to OPTIONS * lists the methods of all routes (RFC 9110 §9.3.7).
        known = {method for resource in self._router.resources for method in resource.methods}
        asterisk = partial(respond_to_options, {"allow": ", ".join(sorted({*known, "OPTIONS"}))})
        self._router.literal["*"] = {"OPTIONS": self._groups[""].plan_internal(Hook(asterisk, False, blocks))}

    def _plan_mounts(self, mounts: Iterable[Mount]) -> None:
        self._routing.mounts = Prefixes(self._router.converters)
        group = self._groups[""]
        for mount in mounts:
            requests, handshakes = (
                group.plan_internal(
                    hook,
                    pattern=mount.prefix,
                    host=mount.host,
                    limits=mount.limits.within(group.limits),
                    body=Body(mount.receive),
                    checks_writes=mount.interface is not None,
                )
                for hook in (mount.hook, self._handshake_hook(mount))
            )
            requests.mount = mount
            self._routing.mounts.add(mount.prefix, mount.host, MountPlans(requests, handshakes))

    def _handshake_hook(self, mount: Mount) -> Hook:
        """Return a mount's hook for handshakes. An ``App`` checks its handshakes itself."""
        if mount.interface is None:
            return mount.hook
        return checking_handshakes(self._routing.checks, mount.handshake_hook)


def _at_hand(
    group: RouteGroup,
    plan: Plan,
    stack: HandlerStack,
    includes: Callable[[Request], bool],
    function: Callable[[Request], Response],
) -> AtHand | None:
    """Return how a loop handles the requests for which a function hardly blocks the loop.

    Returns None if the loop would then call sync hooks, middleware or error handlers that it doesn't call for any async
    handler, because they may block.
    """
    has_async = any(route.hook.is_async for each in group.walk() for route in each.registry.routes)
    # In an app of ``def`` functions alone, none of them expects to run on a loop.
    if (stack.parts or plan.error_handlers) and not has_async:
        return None
    on_loop = Plan(plan.route, Hook(function, False), stack, body=plan.body)
    return AtHand(includes, on_loop) if on_loop.runs_on is LOOP else None


def _never_fails(converter: Converter) -> Converter:
    """Return a converter that treats a segment on which it fails as one that doesn't match."""

    def to_python(segment: str) -> object:
        try:
            return converter.to_python(segment)
        except Exception as error:
            raise ValueError(str(error)) from error

    return converter._replace(to_python=to_python)
