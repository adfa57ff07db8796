"""From what was registered to what is answered: done once, before the first request."""

from collections.abc import Callable, Iterable
from functools import partial

from antiphon.app.conflicts import check_route_names, merged_converters, places
from antiphon.app.default_answers import answer_nothing, answer_options, redirect_to_other_form
from antiphon.app.guard import Guard
from antiphon.app.hooks import Hook
from antiphon.app.matching import Routing, common_blueprint
from antiphon.app.mount import Mount
from antiphon.app.plan import Plan
from antiphon.app.route import Route
from antiphon.app.scope import Scope
from antiphon.handler.contract import describe
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.routing.converters import Converter
from antiphon.routing.prefixes import Prefixes, TakenError
from antiphon.routing.router import Resource, Router, SamePathsError


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
        for resource in self._router.resources:
            self._complete(resource.methods)
        self._plan_refusals()
        self._plan_mounts(mounts)
        return self._routing

    def _plan_route(self, scope: Scope, route: Route) -> None:
        resource = self._resource(route)
        plan = scope.plan(route.hook.around(True), route.name, route.limits, body=route.body)
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

    def _complete(self, methods: dict[str, Plan]) -> None:
        """HEAD is answered as GET is, and OPTIONS with what is allowed (RFC 9110 §9.3.2, §9.3.7)."""
        if "GET" in methods:
            methods.setdefault("HEAD", methods["GET"])
        if "OPTIONS" not in methods:
            allow = ", ".join(sorted({*methods, "OPTIONS"}))
            blocks = not any(plan.is_async for plan in methods.values())
            scope = self._scopes[common_blueprint(methods)]
            methods["OPTIONS"] = scope.plan(Hook(partial(answer_options, allow), False, blocks))

    def _plan_refusals(self) -> None:
        """What has no route is answered where all of the application's handlers are: on a thread, or on the loop."""
        routing = self._routing
        blocks = not any(route.hook.is_async for _, route in self._routes)
        routing.blueprints = Prefixes({name: _never_fails(each) for name, each in self._router.converters.items()})
        for name, scope in self._scopes.items():
            routing.refusing[name] = scope.plan(Hook(answer_nothing, False, blocks))
            try:
                routing.blueprints.add(scope.prefix, scope.host, name)
            except TakenError:
                pass  # of several blueprints with one prefix the first answers for it
            except ValueError as error:
                raise ValueError(f"{error}: the prefix of the blueprint {name!r}") from None
        redirect = partial(redirect_to_other_form, routing.encoded_slashes)
        routing.redirecting = self._scopes[""].plan(Hook(redirect, False, blocks))
        self._router.literal["*"] = {"OPTIONS": self._scopes[""].plan(Hook(self._asterisk_answer(), False, blocks))}

    def _asterisk_answer(self) -> Callable[[Request], Response]:
        """What answers ``OPTIONS *``: the methods that any route knows (RFC 9110 §9.3.7)."""
        known = {method for resource in self._router.resources for method in resource.methods}
        return partial(answer_options, ", ".join(sorted({*known, "OPTIONS"})))

    def _plan_mounts(self, mounts: Iterable[Mount]) -> None:
        self._routing.mounts = Prefixes(self._router.converters)
        scope = self._scopes[""]
        for mount in mounts:
            plan = scope.plan(mount.hook, None, mount.limits.within(scope.limits), hands_on=mount.interface is None)
            self._routing.mounts.add(mount.prefix, mount.host, plan)


def _never_fails(converter: Converter) -> Converter:
    """The same converter, for which a segment on which it fails is one that doesn't fit."""

    def to_python(segment: str) -> object:
        try:
            return converter.to_python(segment)
        except Exception as error:
            raise ValueError(str(error)) from error

    return converter._replace(to_python=to_python)
