"""Directives for subscribers, and for adapters that make responses, traversers and resource URLs."""

from functools import update_wrapper
from typing import Any

from zope.interface import Interface

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.interfaces import IResourceURL, IResponse, ITraverser
from antiphon.dialects.pyramid.util import takes_one_arg
from antiphon.dialects.webob.response import Response as WebObResponse


class AdaptersConfiguratorMixin:
    """Directives for subscribers and adapters."""

    @action_method
    def add_subscriber(self, subscriber: Any, iface: Any = None, **predicates: Any) -> Any:
        """Call a function for all events, for events of one type, or for combinations of the types of several objects.

        Keyword arguments are subscriber predicates.
        """
        config: Any = self
        subscriber, iface = config.maybe_dotted(subscriber), config.maybe_dotted(iface)
        required = tuple(iface) if isinstance(iface, (tuple, list)) else (Interface if iface is None else iface,)

        def register() -> None:
            _, made, _ = config.get_predlist("subscriber").make(config, **predicates)
            derived = self._derive_subscriber(subscriber, [self._derive_predicate(each) for each in made])
            intr.update(predicates=made, derived_predicates=made, derived_subscriber=derived)
            config.registry.registerHandler(derived, required)

        intr = config.introspectable("subscribers", id(subscriber), config.object_description(subscriber), "subscriber")
        intr.update(subscriber=subscriber, interfaces=required)
        config.action(None, register, introspectables=(intr,))
        return subscriber

    def _derive_predicate(self, predicate: Any) -> Any:
        if not takes_one_arg(getattr(predicate, "__call__", predicate)):  # noqa: B004 - the method itself is inspected
            return predicate
        return lambda *args: predicate(args[0])

    def _derive_subscriber(self, subscriber: Any, predicates: list[Any]) -> Any:
        call = subscriber
        if takes_one_arg(subscriber, argname="event"):

            def of_first(*args: Any) -> Any:
                return subscriber(args[0])

            call = of_first
        if not predicates:
            derived = call
        else:

            def of_matching(*args: Any) -> Any:
                return call(*args) if all(predicate(*args) for predicate in predicates) else None

            derived = of_matching
        if derived is not subscriber:
            update_wrapper(derived, subscriber)
        return derived

    @action_method
    def add_subscriber_predicate(
        self, name: str, factory: Any, weighs_more_than: Any = None, weighs_less_than: Any = None
    ) -> None:
        """Add a subscriber predicate: a class called with a value and information about the application."""
        config: Any = self
        config._add_predicate(  # noqa: SLF001 - same class
            "subscriber", name, factory, weighs_more_than=weighs_more_than, weighs_less_than=weighs_less_than
        )

    @action_method
    def add_response_adapter(self, adapter: Any, type_or_iface: Any) -> None:
        """Set the function that converts view results of the given type to responses. None removes it."""
        config: Any = self
        adapter, type_or_iface = config.maybe_dotted(adapter), config.maybe_dotted(type_or_iface)

        def register() -> None:
            if adapter is None:
                config.registry.registerSelfAdapter((type_or_iface,), IResponse)
            else:
                config.registry.registerAdapter(adapter, (type_or_iface,), IResponse)

        discriminator = (IResponse, type_or_iface)
        intr = config.introspectable(
            "response adapters", discriminator, config.object_description(adapter), "response adapter"
        )
        intr.update(adapter=adapter, type=type_or_iface)
        config.action(discriminator, register, introspectables=(intr,))

    def add_default_response_adapters(self) -> None:
        """Register WebOb's responses, which need no conversion."""
        config: Any = self
        config.add_response_adapter(None, WebObResponse)

    @action_method
    def add_traverser(self, adapter: Any, iface: Any = None) -> None:
        """Use a traverser to find contexts, either below all roots or below roots of the given type."""
        config: Any = self
        iface, adapter = config.maybe_dotted(iface), config.maybe_dotted(adapter)

        def register(required: Any = iface) -> None:
            config.registry.registerAdapter(adapter, (Interface if required is None else required,), ITraverser)

        discriminator = ("traverser", iface)
        shown = f"traverser for {iface!r}"
        intr = config.introspectable("traversers", discriminator, shown, "traverser")
        intr.update(adapter=adapter, iface=iface)
        config.action(discriminator, register, introspectables=(intr,))

    @action_method
    def add_resource_url_adapter(self, adapter: Any, resource_iface: Any = None) -> None:
        """Use an adapter of a resource and a request to build the URLs of resources."""
        config: Any = self
        adapter, resource_iface = config.maybe_dotted(adapter), config.maybe_dotted(resource_iface)

        def register(required: Any = resource_iface) -> None:
            required = Interface if required is None else required
            config.registry.registerAdapter(adapter, (required, Interface), IResourceURL)

        discriminator = ("resource url adapter", resource_iface)
        intr = config.introspectable(
            "resource url adapters",
            discriminator,
            f"resource url adapter for resource iface {resource_iface!r}",
            "resource url adapter",
        )
        intr.update(adapter=adapter, resource_iface=resource_iface)
        config.action(discriminator, register, introspectables=(intr,))
