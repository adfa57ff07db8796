"""The configurator, which makes an application from directives for routes, views and more."""

import inspect
import logging
import os
from types import FunctionType, TracebackType
from typing import Any, Self

import venusian

from antiphon.dialects.pyramid.asset import resolve_asset_spec
from antiphon.dialects.pyramid.config.actions import ActionConfiguratorMixin, ActionInfo, ActionState, action_method
from antiphon.dialects.pyramid.config.adapters import AdaptersConfiguratorMixin
from antiphon.dialects.pyramid.config.assets import AssetsConfiguratorMixin
from antiphon.dialects.pyramid.config.factories import FactoriesConfiguratorMixin
from antiphon.dialects.pyramid.config.i18n import I18NConfiguratorMixin
from antiphon.dialects.pyramid.config.predicates import PredicateConfiguratorMixin, not_
from antiphon.dialects.pyramid.config.rendering import RenderingConfiguratorMixin
from antiphon.dialects.pyramid.config.routes import RoutesConfiguratorMixin, joined_prefix
from antiphon.dialects.pyramid.config.security import SecurityConfiguratorMixin
from antiphon.dialects.pyramid.config.settings import SettingsConfiguratorMixin
from antiphon.dialects.pyramid.config.testing import TestingConfiguratorMixin
from antiphon.dialects.pyramid.config.tweens import TweensConfiguratorMixin
from antiphon.dialects.pyramid.config.views import ViewsConfiguratorMixin
from antiphon.dialects.pyramid.config.zca import ZCAConfiguratorMixin
from antiphon.dialects.pyramid.events import ApplicationCreated
from antiphon.dialects.pyramid.exceptions import ConfigurationConflictError, ConfigurationError
from antiphon.dialects.pyramid.httpexceptions import default_exceptionresponse_view
from antiphon.dialects.pyramid.interfaces import (
    PHASE0_CONFIG,
    PHASE1_CONFIG,
    PHASE2_CONFIG,
    PHASE3_CONFIG,
    IDebugLogger,
    IExceptionResponse,
)
from antiphon.dialects.pyramid.path import caller_package, package_of
from antiphon.dialects.pyramid.registry import Introspectable, Introspector, Registry, global_registry
from antiphon.dialects.pyramid.router import Router
from antiphon.dialects.pyramid.settings import aslist
from antiphon.dialects.pyramid.threadlocal import manager
from antiphon.dialects.pyramid.util import DottedNameResolver, WeakOrderedSet, object_description

__all__ = [
    "PHASE0_CONFIG", "PHASE1_CONFIG", "PHASE2_CONFIG", "PHASE3_CONFIG", "ActionInfo", "ActionState",
    "ConfigurationConflictError", "ConfigurationError", "Configurator", "Router", "action_method", "global_registries",
    "global_registry", "not_",
]  # fmt: skip

_ABSENT: Any = object()

global_registries = WeakOrderedSet()
"""The registries of all applications made so far."""


class Configurator(
    ActionConfiguratorMixin,
    PredicateConfiguratorMixin,
    TestingConfiguratorMixin,
    TweensConfiguratorMixin,
    SecurityConfiguratorMixin,
    ViewsConfiguratorMixin,
    RoutesConfiguratorMixin,
    ZCAConfiguratorMixin,
    I18NConfiguratorMixin,
    RenderingConfiguratorMixin,
    AssetsConfiguratorMixin,
    SettingsConfiguratorMixin,
    FactoriesConfiguratorMixin,
    AdaptersConfiguratorMixin,
):
    """A configurator, which collects the directives that configure an application.

    A directive records actions, which run when they are committed. If ``registry`` is given, it must already be set up.
    Otherwise, a new one is made, and each of the other arguments has the same meaning as in the corresponding
    directive. Names are relative to ``package``, by default the caller's package. With ``autocommit``, actions run
    immediately. In a `with` block, the registry is current, and the actions are committed at the end.
    """

    manager = manager
    venusian = venusian
    inspect = inspect
    info: Any = ""
    basepath: str | None = None
    includepath: tuple[Any, ...] = ()
    introspectable = Introspectable
    object_description = staticmethod(object_description)
    _ainfo: list[Any] | None = None

    def __init__(
        self,
        registry: Any = None,
        package: Any = None,
        settings: Any = None,
        root_factory: Any = None,
        security_policy: Any = None,
        authentication_policy: Any = None,
        authorization_policy: Any = None,
        renderers: Any = None,
        debug_logger: Any = None,
        locale_negotiator: Any = None,
        request_factory: Any = None,
        response_factory: Any = None,
        default_permission: Any = None,
        session_factory: Any = None,
        default_view_mapper: Any = None,
        autocommit: bool = False,
        exceptionresponse_view: Any = default_exceptionresponse_view,
        route_prefix: str | None = None,
        introspection: bool = True,
        root_package: Any = None,
    ) -> None:
        if package is None:
            package = caller_package()
        self.name_resolver = DottedNameResolver(package)
        self.package_name = self.name_resolver.get_package_name()
        self.package = self.name_resolver.get_package()
        self.root_package = package if root_package is None else root_package
        self.autocommit = autocommit
        self.route_prefix = route_prefix
        self.introspection = introspection
        self.registry = Registry(self.package_name) if registry is None else registry
        if registry is None:
            self.setup_registry(
                settings=settings,
                root_factory=root_factory,
                security_policy=security_policy,
                authentication_policy=authentication_policy,
                authorization_policy=authorization_policy,
                renderers=renderers,
                debug_logger=debug_logger,
                locale_negotiator=locale_negotiator,
                request_factory=request_factory,
                response_factory=response_factory,
                default_permission=default_permission,
                session_factory=session_factory,
                default_view_mapper=default_view_mapper,
                exceptionresponse_view=exceptionresponse_view,
            )

    def setup_registry(
        self,
        settings: Any = None,
        root_factory: Any = None,
        security_policy: Any = None,
        authentication_policy: Any = None,
        authorization_policy: Any = None,
        renderers: Any = None,
        debug_logger: Any = None,
        locale_negotiator: Any = None,
        request_factory: Any = None,
        response_factory: Any = None,
        default_permission: Any = None,
        session_factory: Any = None,
        default_view_mapper: Any = None,
        exceptionresponse_view: Any = default_exceptionresponse_view,
    ) -> None:
        """Set up a registry with the settings and the defaults of every application."""
        self._fix_registry()
        self._set_settings(settings)
        logger = logging.getLogger(debug_logger or self.package_name) if _is_name(debug_logger) else debug_logger
        self.registry.registerUtility(logger, IDebugLogger)
        self._add_defaults(exceptionresponse_view)
        self.commit()  # allows later actions to replace it
        if authentication_policy and not authorization_policy:
            from antiphon.dialects.pyramid.authorization import ACLAuthorizationPolicy

            authorization_policy = ACLAuthorizationPolicy()
        given: list[tuple[Any, Any]] = [
            (self.set_authorization_policy, authorization_policy),
            (self.set_authentication_policy, authentication_policy),
            (self.set_security_policy, security_policy),
            (self.set_view_mapper, default_view_mapper),
            (self.set_root_factory, root_factory),
            (self.set_locale_negotiator, locale_negotiator),
            (self.set_request_factory, request_factory),
            (self.set_response_factory, response_factory),
            (self.set_default_permission, default_permission),
            (self.set_session_factory, session_factory),
        ]
        for directive, value in given:
            if value is not None:
                directive(value)
        for name, renderer in renderers or ():
            self.add_renderer(name, renderer)
        for factory in aslist(self.registry.settings.get("pyramid.tweens", [])):
            self._add_tween(factory, explicit=True)
        for program in aslist(self.registry.settings.get("pyramid.includes", [])):
            self.include(program)

    def _add_defaults(self, exceptionresponse_view: Any) -> None:
        self.add_default_response_adapters()
        self.add_default_renderers()
        self.add_default_accept_view_order()
        self.add_default_view_predicates()
        self.add_default_view_derivers()
        self.add_default_route_predicates()
        self.add_default_tweens()
        self.add_default_security()
        if exceptionresponse_view is not None:
            from antiphon.dialects.webob.exc import WSGIHTTPException

            view = self.maybe_dotted(exceptionresponse_view)
            self.add_view(view, context=IExceptionResponse)
            self.add_view(view, context=WSGIHTTPException)

    def _fix_registry(self) -> None:
        """Equip a zope.component registry with everything that an application's registry needs."""
        registry = self.registry
        if not hasattr(registry, "notify"):

            def notify(*events: Any) -> None:
                for _ in registry.subscribers(events, None):
                    pass

            registry.notify = notify
        if not hasattr(registry, "has_listeners"):
            registry.has_listeners = True
        for name in ("queryAdapterOrSelf", "registerSelfAdapter", "_clear_view_lookup_cache"):
            if not hasattr(registry, name):
                setattr(registry, name, getattr(Registry, name).__get__(registry))
        if not hasattr(registry, "_lock"):
            from threading import Lock

            registry._lock = Lock()  # noqa: SLF001 - same package
        if not hasattr(registry, "_view_lookup_cache"):
            registry._view_lookup_cache = {}  # noqa: SLF001

    # Introspection

    @property
    def introspector(self) -> Any:
        """The record of the configuration, by category."""
        found = getattr(self.registry, "introspector", None)
        if found is None:
            found = self.registry.introspector = Introspector()
        return found

    @introspector.setter
    def introspector(self, introspector: Any) -> None:
        self.registry.introspector = introspector

    @introspector.deleter
    def introspector(self) -> None:
        del self.registry.introspector

    # Included programs

    def include(self, callable: Any, route_prefix: str | None = None) -> None:  # noqa: A002 - Pyramid's name
        """Call a function that accepts a configurator, or a module's `includeme` function, once.

        The including program's actions override the included ones. Raises ConfigurationError for a module without such
        a function.
        """
        state = self.action_state
        function = self.maybe_dotted(callable)
        module: Any = inspect.getmodule(function)
        if module is function:
            function = getattr(module, "includeme", None)
            if function is None:
                raise ConfigurationError(f"module {module.__name__!r} has no attribute 'includeme'")
        if not hasattr(function, "__module__"):
            function = function.__call__
        source = inspect.getsourcefile(function)
        if source is None:
            raise ConfigurationError(f"No source file for module {module.__name__!r}: it can't be included without one")
        if not state.processSpec(_spec(function)):
            return
        config = self.__class__(
            registry=self.registry,
            package=package_of(module),
            root_package=self.root_package,
            autocommit=self.autocommit,
            route_prefix=joined_prefix(self.route_prefix, route_prefix),
        )
        config.basepath = os.path.dirname(source)
        config.includepath = (*self.includepath, _spec(function))
        self.begin()
        try:
            function(config)
        finally:
            self.end()

    def add_directive(self, name: str, directive: Any, action_wrap: bool = True) -> None:
        """Turn a function that accepts a configurator and other arguments into a directive.

        With ``action_wrap``, the directive's actions record where the directive was called.
        """
        function = self.maybe_dotted(directive)
        if not hasattr(self.registry, "_directives"):
            self.registry._directives = {}  # noqa: SLF001 - same package
        self.registry._directives[name] = (function, action_wrap)  # noqa: SLF001

    def __getattr__(self, name: str) -> Any:
        directives = getattr(self.__dict__.get("registry"), "_directives", {})
        if name not in directives:
            raise AttributeError(name, name=name, obj=self)
        function, action_wrap = directives[name]
        if action_wrap:
            function = action_method(function)
        if not isinstance(function, FunctionType):
            return lambda *args, **kw: function(self, *args, **kw)
        return function.__get__(self)

    def with_package(self, package: Any) -> "Configurator":
        """Return a configurator for the same application, but with names relative to another package."""
        made = self.__class__(
            registry=self.registry,
            package=package,
            root_package=self.root_package,
            autocommit=self.autocommit,
            route_prefix=self.route_prefix,
            introspection=self.introspection,
        )
        made.basepath, made.includepath, made.info = self.basepath, self.includepath, self.info
        return made

    # Names

    def maybe_dotted(self, dotted: Any) -> Any:
        """Return the object with the given dotted name. An argument that is not a string is returned unchanged. Raises
        ImportError.
        """
        return self.name_resolver.maybe_resolve(dotted)

    def absolute_asset_spec(self, relative_spec: Any) -> Any:
        """Return `package:path` for a relative path. An absolute path is returned unchanged."""
        return self._make_spec(relative_spec) if isinstance(relative_spec, str) else relative_spec

    absolute_resource_spec = absolute_asset_spec

    def _make_spec(self, path_or_spec: str) -> str:
        package, path = resolve_asset_spec(path_or_spec, self.package_name)
        return path if package is None else f"{package}:{path}"

    # Making it current

    def begin(self, request: Any = _ABSENT) -> None:
        """Make the registry and a request current. If the registry is already current, keep its request."""
        if request is _ABSENT:
            current = self.manager.get()
            request = current["request"] if current["registry"] is self.registry else None
        self.manager.push({"registry": self.registry, "request": request})

    def end(self) -> Any:
        """Undo the most recent ``begin``."""
        return self.manager.pop()

    def __enter__(self) -> Self:
        self.begin()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.end()
        if error is None:
            self.commit()

    # Finishing

    def scan(
        self, package: Any = None, categories: Any = ("pyramid",), onerror: Any = None, ignore: Any = None, **kw: Any
    ) -> None:
        """Apply the decorators in and below a package or module, by default the caller's package.

        ``categories`` are venusian's. ``ignore`` lists what to skip, as names or as functions of a name. ``onerror`` is
        called for a module that can't be imported.
        """
        package = caller_package() if package is None else self.maybe_dotted(package)
        context: Any = self
        names = dict(kw, config=context)
        scanner = self.venusian.Scanner(**names)
        scanner.scan(package, categories=categories, onerror=onerror, ignore=ignore)

    def make_wsgi_app(self) -> Any:
        """Commit the actions, notify subscribers, and return the application."""
        self.commit()
        app = Router(self.registry)
        global_registries.add(self.registry)
        self.begin()
        try:
            self.registry.notify(ApplicationCreated(app))
        finally:
            self.end()
        return app


def _is_name(debug_logger: Any) -> bool:
    return debug_logger is None or isinstance(debug_logger, str)


def _spec(function: Any) -> str:
    return f"{function.__module__}:{getattr(function, '__name__', type(function).__name__)}"
