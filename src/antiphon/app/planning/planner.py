"""Planning: once, before the first request, each registered route and mount becomes a plan."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from antiphon.app.dispatch.arguments import NO_ARGUMENTS, with_arguments
from antiphon.app.dispatch.hooks import Hook, hook
from antiphon.app.dispatch.plan import LOOP, AtHand, Body, HandlerStack, Plan
from antiphon.app.mount import Mount
from antiphon.app.planning.cross_site import SAFE_METHODS
from antiphon.app.planning.features import RoutingInstead, check_needs, planned_for_keys
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
    arequire_digest,
    check_handshake,
    checking_handshakes,
    require_digest,
)
from antiphon.app.planning.signed_urls import SALT, check_signature
from antiphon.app.planning.startup_checks import check_filled, check_read_types, media_of
from antiphon.app.registry import RouteGroup, check_route_names, merged_converters, places
from antiphon.app.route import Route, SocketOptions
from antiphon.app.route_keys import RouteKeys
from antiphon.explanations import explained
from antiphon.handler.callables import describe, is_async
from antiphon.handler.scope import in_scope
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.routing.converters import Converter
from antiphon.routing.pattern import Parameter, parameters_in
from antiphon.routing.router import Prefixes, Resource, Router, SamePathsError, TakenError
from antiphon.serialization.signing import Signer


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
    ) -> None:
        self._groups = {each.name: each for each in group.walk()}
        self._routes = [(each, route) for each in self._groups.values() for route in each.routes()]
        self.routes = [route for _, route in self._routes]
        """The routes of all groups, with their whole names, paths and hosts."""
        self._has_threads = {name: _has_threads(each) for name, each in self._groups.items()}
        self._redirects_slashes = redirect_slashes
        self._signer = signer
        self._router: Router[Plan] = Router(merged_converters(self._groups.values()))
        self._owners: dict[tuple[Resource[Plan], str], Route] = {}
        handlings = (each for group in self._groups.values() for _, each in group.registry.handlings)
        kind = RoutingInstead if any(each.instead is not None for each in handlings) else Routing
        self._routing: Routing = kind(checks, self._router, encoded_slashes)

    def routing(self, mounts: Iterable[Mount]) -> Routing:
        """Plan all routes, mounts, and responses for requests without either.

        Also raises TypeError for a handler that reads the request as an unsupported type.
        """
        check_route_names(self.routes)
        check_filled((route, self._given_by(route)) for route in self.routes if route.arguments.defaults)
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
        handler = self._handler(route, resource.parameters)
        if handler.is_async:
            # The handler itself is kept as ``raw_handler``, for requests in which it never waits.
            function = in_scope(handler.function, route.cancel_on_disconnect)
            handler = handler._replace(function=function, raw_handler=handler.function)
        stack = self._stack(group, route)
        if finishers := [finish for key in route.meta if (finish := getattr(key, "finish", None))]:
            stack = stack._replace(finishers=(*finishers, *stack.finishers))
        route = route._replace(is_guarded=group.has_before_routing or stack.is_guarded)
        handler, stack = planned_for_keys(group, route, handler, stack)
        check_needs(group, route)  # last: a feature may refuse the key of another
        plan = Plan(
            route,
            handler.for_handler(True),
            stack := stack.at(route),
            body=Body(route.receive),
            hooks_block=route.websocket is not None and not is_async(route.handler),
        )
        if at_hand := getattr(route.handler, "at_hand", None):
            plan.at_hand = _at_hand(group, plan, stack, *at_hand)
        plan.checks_writes = not (route.csrf_exempt or {*SAFE_METHODS}.issuperset(route.methods))
        if isinstance(self._routing, RoutingInstead):
            self._routing.add(plan, stack, group.handlings(route))
        for method in route.methods:
            earlier = self._owners.setdefault((resource, method), route)
            if earlier is not route:
                raise explained("handled-twice", f"{method} {route.where} is handled by both {places(earlier, route)}")
            resource.methods[method] = plan
            if route.unguarded:
                # HEAD is added to the path later, and is not a method of the route.
                handled = {method, "HEAD"} if method == "GET" else {method}
                self._routing.unguarded.update((route.pattern, each) for each in handled)
        if route.defaults:
            self._routing.defaults[plan] = route.defaults
            # Found by a search, which is where the defaults are added.
            self._router.search_for(route.pattern)
        if route.meta.get(RouteKeys.redirect_slashes, self._redirects_slashes):
            self._routing.redirected.add(plan)

    def _stack(self, group: RouteGroup, route: Route) -> HandlerStack:
        """Return the stack around the handler of a route."""
        stack = group.stack_of(route)
        checks = [*self._checks(group, route)]
        # After the hooks, as an error of the handler: a limit counts what is no handshake, too.
        last = () if route.websocket is None else (Hook(check_handshake, False),)
        if not (checks or route.before or last):
            return stack
        return stack._replace(before=(*checks, *stack.before, *route.before, *last))

    def _checks(self, group: RouteGroup, route: Route) -> Iterator[Hook]:
        """Yield the hooks that a route's options require. They are called before all others."""
        if route.websocket is not None and not route.csrf_exempt:
            yield Hook(self._routing.checks.check_handshake, False)
        if route.signed_url:
            yield self._url_check(route)
        yield from (hook(each.check(route)) for each in group.handlings(route) if each.check is not None)
        if route.meta.get(RouteKeys.check_digest):
            yield hook(arequire_digest if is_async(route.handler) else require_digest)

    def _url_check(self, route: Route) -> Hook:
        """Return the hook that refuses unsigned URLs. Raises RuntimeError if the app has no keys for it."""
        try:
            return Hook(partial(check_signature, self._signer(SALT)), False)
        except RuntimeError as error:
            raise explained(
                "no-secret-key", f"{describe(route.handler)} handles signed URLs: {error}", RuntimeError
            ) from None

    def _handler(self, route: Route, parameters: list[Parameter]) -> Hook:
        """Return a route's handler as a function of only the request.

        Raises TypeError if it has an argument that isn't a parameter of the route.
        """
        if route.arguments is NO_ARGUMENTS and route.websocket is None:
            return route.hook
        route.arguments.check(route.handler, route.where, parameters, route.defaults or ())
        known = {*(part.name for part in parameters), *(route.defaults or ())}
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
            raise explained("handled-twice", f"{error}: {places(earlier, route)}") from None
        except ValueError as error:
            raise explained("bad-path", f"{error}: {describe(route.handler)}") from None

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
                for each in self._groups[plan.route.blueprint or ""].handlings(plan.route):
                    fields |= each.options(plan.route) if each.options is not None else {}
            name = common_blueprint(methods)
            group, hook = self._groups[name], Hook(partial(respond_to_options, fields), False, self._has_threads[name])
            methods["OPTIONS"] = group.plan_internal(hook, pattern=route.pattern, methods=("OPTIONS",), host=route.host)

    def _plan_refusals(self) -> None:
        """Plan refusals and redirects."""
        routing, blocks = self._routing, self._has_threads[""]
        routing.blueprints = Prefixes({name: _never_fails(each) for name, each in self._router.converters.items()})
        for name, group in self._groups.items():
            refusing = group.plan_internal(Hook(respond_not_found, False, self._has_threads[name]))
            routing.refusing[name] = refusing.arrange()[0]
            if not (group.prefix or group.host):
                continue  # the application serves all
            try:
                routing.blueprints.add(group.prefix, group.host, name)
            except TakenError:
                pass  # of several blueprints with one prefix, the first handles it
            except ValueError as error:
                raise explained("bad-path", f"{error}: the prefix of the blueprint {name!r}") from None
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


def _has_threads(group: RouteGroup) -> bool:
    """Return True if a group has ``def`` handlers, whose middleware may block, or no handlers at all."""
    handlers = [route.hook for each in group.walk() for route in each.registry.routes]
    return not handlers or any(not each.is_async for each in handlers)


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
    if (stack.parts or any(stack.error_handlers)) and not has_async:
        return None
    on_loop = Plan(plan.route, Hook(function, False), stack, body=plan.body).arrange()[0]
    return AtHand(includes, on_loop) if on_loop.runs_on is LOOP else None


def _never_fails(converter: Converter) -> Converter:
    """Return a converter that treats a segment on which it fails as one that doesn't match."""

    def to_python(segment: str) -> object:
        try:
            return converter.to_python(segment)
        except Exception as error:
            raise ValueError(str(error)) from error

    return converter._replace(to_python=to_python)
