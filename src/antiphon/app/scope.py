"""Where routes are registered, seen from the application: the application itself, or a blueprint in it."""

from collections.abc import Iterator
from typing import Any

from antiphon.app.blueprint import Blueprint, Nested, Registered
from antiphon.app.hooks import Hook
from antiphon.app.plan import Around, Plan
from antiphon.app.route import BodyPolicy, Route
from antiphon.http.limits import Limits


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
        name: str = "",
        prefix: str = "",
        host: str | None = None,
        above: "Scope | None" = None,
    ) -> None:
        self.app = app
        self.registered = registered
        self.limits = limits
        self.name = name
        self.prefix = prefix
        self.host = host
        self.above = above
        self.around = Around(
            (*around.middleware, *registered.middleware),
            (*around.before, *registered.before),
            (*around.after, *registered.after),
            (registered.error_handlers, *around.error_handlers),
            around.places,
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
            route._replace(
                name=f"{self.name}.{route.name}" if self.name else route.name,
                pattern=self.prefix + route.pattern,
                host=route.host or self.host,
                limits=route.limits.within(self.limits),
            )
            for route in self.registered.routes
        ]

    def plan(
        self,
        handler: Hook,
        endpoint: str | None = None,
        limits: Limits | None = None,
        *,
        body: BodyPolicy = "load",
        hands_on: bool = False,
    ) -> Plan:
        """How requests are answered by a handler of this scope."""
        return Plan(
            self.app,
            handler,
            limits or self.limits,
            self.around,
            endpoint=endpoint,
            blueprint=self.name or None,
            body=body,
            hands_on=hands_on,
        )
