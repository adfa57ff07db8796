"""Directives for factories of roots, sessions, requests and responses, and for extending requests."""

from typing import Any

from zope.interface import implementer

from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.interfaces import (
    IDefaultRootFactory,
    IExecutionPolicy,
    IRequestExtensions,
    IRequestFactory,
    IResponseFactory,
    IRootFactory,
    ISessionFactory,
)
from antiphon.dialects.pyramid.traversal import DefaultRootFactory
from antiphon.dialects.pyramid.util import InstancePropertyHelper, get_callable_name


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
