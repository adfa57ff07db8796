"""The targets of an application's routes, looked up once, until something is registered."""

from typing import Any

from zope.interface import implementedBy

from antiphon.dialects.pyramid.interfaces import IRequest, IRouteRequest, ITraverser
from antiphon.dialects.pyramid.traversal import DefaultRootFactory
from antiphon.dialects.pyramid.view import _find_views


class Plan:
    """Facts about the requests of one route, or of none, that are known in advance.

    Without a root of its own, a route needs no traversal: its context is the default root, and ``views`` are those that
    it has.
    """

    __slots__ = ("is_without_traversal", "request_iface", "root_factory", "views")

    def __init__(self, registry: Any, route: Any, root_factory: Any) -> None:
        self.request_iface: Any = IRequest
        self.root_factory = root_factory
        if route is not None:
            self.request_iface = registry.queryUtility(IRouteRequest, name=route.name, default=IRequest)
            self.root_factory = route.factory or root_factory
        provided = implementedBy(DefaultRootFactory)
        has_traverser = registry.adapters.lookup((provided,), ITraverser) is not None
        self.is_without_traversal = route is not None and self.root_factory is DefaultRootFactory and not has_traverser
        self.views: list[Any] = []
        if self.is_without_traversal:
            self.views = _find_views(registry, self.request_iface, provided, "")


class Plans:
    """The plans of all routes, as long as the registry has this ``generation``."""

    def __init__(self, registry: Any, root_factory: Any) -> None:
        self.generation: Any = getattr(registry, "generation", None)
        self._registry = registry
        self._root_factory = root_factory
        self._made: dict[Any, Plan] = {}

    def of_route(self, route: Any) -> Plan:
        """Return the plan of a route, or of requests without one."""
        plan = self._made.get(route)
        if plan is None:
            plan = self._made[route] = Plan(self._registry, route, self._root_factory)
        return plan
