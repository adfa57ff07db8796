"""Directives for factories of roots, sessions, requests and responses, for tweens, subscribers and adapters."""

from functools import update_wrapper
from typing import Any

from zope.interface import Interface, implementer

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import (
    IDefaultRootFactory,
    IExecutionPolicy,
    IRequestExtensions,
    IRequestFactory,
    IResourceURL,
    IResponse,
    IResponseFactory,
    IRootFactory,
    ISessionFactory,
    ITraverser,
    ITweens,
)
from antiphon.dialects.pyramid.traversal import DefaultRootFactory
from antiphon.dialects.pyramid.tweens import EXCVIEW, INGRESS, MAIN, excview_tween_factory
from antiphon.dialects.pyramid.util import (
    InstancePropertyHelper,
    TopologicalSorter,
    get_callable_name,
    is_nonstr_iter,
    is_string_or_iterable,
    takes_one_arg,
)
from antiphon.dialects.webob.response import Response as WebObResponse


@implementer(IRequestExtensions)
class _RequestExtensions:
    def __init__(self) -> None:
        self.descriptors: dict[str, Any] = {}
        self.methods: dict[str, Any] = {}


class FactoriesConfiguratorMixin:
    def _register_one(self, discriminator: Any, component: Any, iface: Any, title: str) -> None:
        """Register the only utility for an interface."""
        config: Any = self

        def register() -> None:
            config.registry.registerUtility(component, iface)

        intr = config.introspectable(title, None, config.object_description(component), title)
        intr["factory"] = component
        config.action(discriminator, register, introspectables=(intr,))

    @action_method
    def set_root_factory(self, factory: Any) -> None:
        """Set the function that returns the root for a request, for all routes that have no factory of their own."""
        config: Any = self
        factory = config.maybe_dotted(factory) or DefaultRootFactory

        def register() -> None:
            config.registry.registerUtility(factory, IRootFactory)
            config.registry.registerUtility(factory, IDefaultRootFactory)  # programs from before 1.0 look it up here

        intr = config.introspectable("root factories", None, config.object_description(factory), "root factory")
        intr["factory"] = factory
        config.action(IRootFactory, register, introspectables=(intr,))

    _set_root_factory = set_root_factory

    @action_method
    def set_session_factory(self, factory: Any) -> None:
        config: Any = self
        self._register_one(ISessionFactory, config.maybe_dotted(factory), ISessionFactory, "session factory")

    @action_method
    def set_request_factory(self, factory: Any) -> None:
        """Set the request class. It is called with an environ and must have a ``blank`` method."""
        config: Any = self
        self._register_one(IRequestFactory, config.maybe_dotted(factory), IRequestFactory, "request factory")

    @action_method
    def set_response_factory(self, factory: Any) -> None:
        config: Any = self
        self._register_one(IResponseFactory, config.maybe_dotted(factory), IResponseFactory, "response factory")

    @action_method
    def set_execution_policy(self, policy: Any) -> None:
        """Set the function that receives an environ and the application and returns the response."""
        config: Any = self
        from antiphon.dialects.pyramid.router import default_execution_policy

        policy = config.maybe_dotted(policy) or default_execution_policy
        self._register_one(IExecutionPolicy, policy, IExecutionPolicy, "execution policy")

    @action_method
    def add_request_method(
        self,
        callable: Any = None,  # noqa: A002 - Pyramid's name
        name: str | None = None,
        property: bool = False,  # noqa: A002 - Pyramid's name
        reify: bool = False,
    ) -> None:
        """Add a method (a function of the request) or property to all requests. With ``reify``, it is computed once.

        Without a function, the name is reserved: no other program may add it.
        """
        config: Any = self
        function = config.maybe_dotted(callable)
        is_property = property or reify
        if is_property:
            name, function = InstancePropertyHelper.make_property(function, name=name, reify=reify)
        elif name is None:
            name = function.__name__
        else:
            name = get_callable_name(name)
        kind = "descriptors" if is_property else "methods"

        def register() -> None:
            extensions = config.registry.queryUtility(IRequestExtensions)
            if extensions is None:
                extensions = _RequestExtensions()
                config.registry.registerUtility(extensions, IRequestExtensions)
            getattr(extensions, kind)[name] = function

        if function is None:
            config.action(("request extensions", name), None)
            return
        intr = config.introspectable(
            "request extensions", name, config.object_description(function),
            "request property" if is_property else "request method",
        )  # fmt: skip
        intr.update(callable=function, property=is_property, reify=reify)
        config.action(("request extensions", name), register, introspectables=(intr,))


@implementer(ITweens)
class Tweens:
    """The tweens in order: those listed in the settings, or else all that were added."""

    def __init__(self) -> None:
        self.sorter = TopologicalSorter(default_before=None, default_after=INGRESS, first=INGRESS, last=MAIN)
        self.explicit: list[tuple[str, Any]] = []

    def add_explicit(self, name: str, factory: Any) -> None:
        self.explicit.append((name, factory))

    def add_implicit(self, name: str, factory: Any, under: Any = None, over: Any = None) -> None:
        """Add a tween, together with the tweens that must be over or under it."""
        self.sorter.add(name, factory, after=under, before=over)

    def implicit(self) -> list[tuple[str, Any]]:
        """Return the tweens that were added, outermost first."""
        return self.sorter.sorted()

    def __call__(self, handler: Any, registry: Any) -> Any:
        for _, factory in reversed(self.explicit or self.implicit()):
            handler = factory(handler, registry)
        return handler


class TweensConfiguratorMixin:
    @action_method
    def add_tween(self, tween_factory: str, under: Any = None, over: Any = None) -> None:
        """Add a tween, given the dotted name of its factory, which is a function of a handler and the registry.

        ``under`` and ``over`` are one or several of these: names of tweens, INGRESS or MAIN. Raises ConfigurationError
        for any other value.
        """
        self._add_tween(tween_factory, under=under, over=over)

    def add_default_tweens(self) -> None:
        """Add the tween that handles exceptions."""
        self._add_tween(EXCVIEW)

    @action_method
    def _add_tween(self, tween_factory: Any, under: Any = None, over: Any = None, explicit: bool = False) -> None:
        config: Any = self
        name = tween_factory
        _check(name, under, over)
        factory = excview_tween_factory if name == EXCVIEW else config.maybe_dotted(name)
        tweens = config.registry.queryUtility(ITweens)
        if tweens is None:
            tweens = Tweens()
            config.registry.registerUtility(tweens, ITweens)

        def register() -> None:
            if explicit:
                tweens.add_explicit(name, factory)
            else:
                tweens.add_implicit(name, factory, under=under, over=over)

        kind = "explicit" if explicit else "implicit"
        discriminator = ("tween", name, explicit)
        intr = config.introspectable("tweens", discriminator, name, f"{kind} tween")
        intr.update(name=name, factory=factory, type=kind, under=under, over=over)
        config.action(discriminator, register, introspectables=(intr,))


def _check(name: Any, under: Any, over: Any) -> None:
    if not isinstance(name, str):
        raise ConfigurationError(
            'The "tween_factory" argument to add_tween must be a dotted name to a globally importable object,'
            f" not {name!r}"
        )
    if name in (MAIN, INGRESS):
        raise ConfigurationError(f"{name} is a reserved tween name")
    for word, place in (("over", over), ("under", under)):
        if place is not None and not is_string_or_iterable(place):
            raise ConfigurationError(f'"{word}" must be a string or iterable, not {place}')
    if INGRESS in (over if is_nonstr_iter(over) else (over,)):
        raise ConfigurationError(f"{name} cannot be over INGRESS")
    if MAIN in (under if is_nonstr_iter(under) else (under,)):
        raise ConfigurationError(f"{name} cannot be under MAIN")


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
