"""Directives for views."""

import warnings
from inspect import isclass
from typing import Any

from zope.interface import Interface, implementedBy
from zope.interface.interfaces import IInterface

from antiphon.dialects.pyramid import renderers, viewderivers
from antiphon.dialects.pyramid.config.actions import action_method
from antiphon.dialects.pyramid.config.deriving import (
    MultiView,
    ViewDeriverInfo,
    attr_wrapped_view,
    combine_decorators,
    isexception,
    predicated_view,
    runtime_exc_view,
    viewdefaults,
)
from antiphon.dialects.pyramid.config.predicates import DEFAULT_PHASH, MAX_ORDER, normalize_accept_offer
from antiphon.dialects.pyramid.config.static import StaticURLInfo
from antiphon.dialects.pyramid.config.view_directives import SpecialViewsMixin, ViewOrderMixin
from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.interfaces import (
    IAcceptOrder,
    IExceptionViewClassifier,
    IMultiView,
    IRendererFactory,
    IRequest,
    IRouteRequest,
    ISecuredView,
    IView,
    IViewClassifier,
    IViewDerivers,
    IViewMapperFactory,
)
from antiphon.dialects.pyramid.registry import Deferred, predvalseq
from antiphon.dialects.pyramid.util import is_nonstr_iter

__all__ = [
    "DefaultViewMapper", "MultiView", "StaticURLInfo", "ViewDeriverInfo", "ViewsConfiguratorMixin",
    "attr_wrapped_view", "combine_decorators", "isexception", "predicated_view", "preserve_view_attrs", "requestonly",
    "runtime_exc_view", "view_description", "viewdefaults",
]  # fmt: skip

DefaultViewMapper = viewderivers.DefaultViewMapper
preserve_view_attrs = viewderivers.preserve_view_attrs
requestonly = viewderivers.requestonly
view_description = viewderivers.view_description


class ViewsConfiguratorMixin(ViewOrderMixin, SpecialViewsMixin):
    @viewdefaults
    @action_method
    def add_view(
        self,
        view: Any = None,
        name: str = "",
        for_: Any = None,
        permission: Any = None,
        request_type: Any = None,
        route_name: str | None = None,
        request_method: Any = None,
        request_param: Any = None,
        containment: Any = None,
        attr: str | None = None,
        renderer: Any = None,
        wrapper: str | None = None,
        xhr: Any = None,
        accept: Any = None,
        header: Any = None,
        path_info: Any = None,
        custom_predicates: Any = (),
        context: Any = None,
        decorator: Any = None,
        mapper: Any = None,
        http_cache: Any = None,
        match_param: Any = None,
        require_csrf: Any = None,
        exception_only: bool = False,
        **view_options: Any,
    ) -> None:
        """Add a view: a function of a request, or of a context and a request; a class; or the ``attr`` of either.

        It handles requests for ``route_name``, or requests whose context has a given type and whose path continues with
        ``name``. ``renderer`` makes a response from its result, ``permission`` is required, ``decorator`` wraps the
        view, and ``http_cache`` is passed to ``response.cache_expires``. All other keywords are predicates or options
        of view derivers. Raises ConfigurationError if both the view and the renderer are missing.
        """
        config: Any = self
        if custom_predicates:
            warnings.warn(
                'The "custom_predicates" argument to Configurator.add_view is deprecated: use'
                " config.add_view_predicate, and its name as an argument",
                DeprecationWarning,
                stacklevel=4,
            )
        if "effective_principals" in view_options:
            warnings.warn(
                "The new security policy has deprecated effective_principals.", DeprecationWarning, stacklevel=4
            )
        if accept is not None:
            if is_nonstr_iter(accept):
                raise ConfigurationError('A list is not supported in the "accept" view predicate.')
            accept = normalize_accept_offer(accept)
        resolve = config.maybe_dotted
        view, context, mapper = resolve(view), resolve(context) or resolve(for_), resolve(mapper)
        if is_nonstr_iter(decorator):
            decorator = combine_decorators(*map(resolve, decorator))
        if isinstance(renderer, str):
            renderer = renderers.RendererHelper(name=renderer, package=config.package, registry=config.registry)
        predicates = {
            **view_options,
            "xhr": xhr, "request_method": request_method, "path_info": path_info, "request_param": request_param,
            "header": header, "accept": accept, "containment": resolve(containment),
            "request_type": _interface(resolve(request_type)), "match_param": match_param,
            "custom": predvalseq(custom_predicates),
        }  # fmt: skip
        options = {
            "permission": permission, "attr": attr, "renderer": renderer, "wrapper": wrapper, "name": name,
            "accept": accept, "decorator": resolve(decorator), "mapper": mapper, "http_cache": http_cache,
            "context": context, "route_name": route_name, "require_csrf": require_csrf,
        }  # fmt: skip
        registration = _Registration(config, _view_or_renderer(view, renderer), predicates, options, exception_only)
        config.action(registration.discriminator, registration.register, introspectables=registration.introspectables())

    def _check_view_options(self, **kw: Any) -> None:
        """Raise ConfigurationError for options that no deriver accepts."""
        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator defines it
        for deriver in registry.getUtility(IViewDerivers).values():
            for option in getattr(deriver, "options", ()):
                kw.pop(option, None)
        if kw:
            raise ConfigurationError(f"Unknown view options: {kw}")

    def _apply_view_derivers(self, info: Any) -> Any:
        registry: Any = self.registry  # type: ignore[attr-defined]  # the configurator defines it
        view = info.original_view
        innermost_first = [deriver for _, deriver in reversed(registry.getUtility(IViewDerivers).sorted())]
        for deriver in [*innermost_first, predicated_view, attr_wrapped_view]:
            view = viewderivers.wraps_view(deriver)(view, info)
        return view

    def derive_view(self, view: Any, attr: str | None = None, renderer: Any = None) -> Any:
        """Return a view with its renderer, in the form of a function of a context and a request."""
        return self._derive_view(view, attr=attr, renderer=renderer)

    def _derive_view(
        self,
        view: Any,
        predicates: Any = (),
        renderer: Any = None,
        order: int = MAX_ORDER,
        phash: str = DEFAULT_PHASH,
        exception_only: bool = False,
        **options: Any,
    ) -> Any:
        config: Any = self
        view = config.maybe_dotted(view)
        if isinstance(renderer, str):
            renderer = renderers.RendererHelper(name=renderer, package=config.package, registry=config.registry)
        if renderer is None and config.registry.queryUtility(IRendererFactory) is not None:
            renderer = renderers.RendererHelper(name=None, package=config.package, registry=config.registry)
        options["renderer"] = renderer
        for given, name in (("viewname", "name"), ("wrapper_viewname", "wrapper")):
            if given in options:
                options[name] = options.pop(given)
        info = ViewDeriverInfo(view, config.registry, config.package, predicates, exception_only, options)
        info.order, info.phash = order, phash
        return self._apply_view_derivers(info)

    @action_method
    def set_view_mapper(self, mapper: Any) -> None:
        """Set the mapper for views whose functions or classes have no mapper of their own."""
        config: Any = self
        mapper = config.maybe_dotted(mapper)

        def register() -> None:
            config.registry.registerUtility(mapper, IViewMapperFactory)

        intr = config.introspectable(
            "view mappers", IViewMapperFactory, config.object_description(mapper), "default view mapper"
        )
        intr["mapper"] = mapper
        config.action(IViewMapperFactory, register, order=-20, introspectables=(intr,))


def _interface(request_type: Any) -> Any:
    if request_type is not None and not IInterface.providedBy(request_type):
        raise ConfigurationError(f"request_type must be an interface, not {request_type}")
    return request_type


def _view_or_renderer(view: Any, renderer: Any) -> Any:
    if view:
        return view
    if not renderer:
        raise ConfigurationError('"view" was not specified and no "renderer" specified')
    return lambda context, request: {}  # noqa: ARG005 - the signature of views


class _Registration:
    """A call to ``add_view``, and the registrations that it makes on commit."""

    def __init__(self, config: Any, view: Any, predicates: Any, options: Any, exception_only: bool) -> None:
        self.config = config
        self.view = view
        self.predicates = predicates
        self.options = options
        self.exception_only = exception_only
        self.context = context = options["context"]
        self.name, self.route_name = options["name"], options["route_name"]
        self.is_exception = isexception(context)
        if exception_only and not self.is_exception:
            raise ConfigurationError('view "context" must be an exception type when "exception_only" is True')
        self.discriminator = Deferred(self._discriminator)
        self.entry = self._entry()
        self.template: Any = None

    def _discriminator(self) -> Any:
        """Return this view's discriminator. All predicates are known on commit."""
        predicates = self.config.get_predlist("view")
        known = predicates.names()
        self.config._check_view_options(**{k: v for k, v in self.predicates.items() if k not in known})  # noqa: SLF001
        made = predicates.make(self.config, **{k: v for k, v in self.predicates.items() if k in known})
        self.order, self.made, self.phash = made
        self.entry.update(order=self.order, predicates=self.made, phash=self.phash)
        return "view", self.context, self.name, self.route_name, self.phash

    # Introspection

    def _entry(self) -> Any:
        describe = self.config.object_description
        attr = self.options["attr"]
        shown = f"method {attr!r} of {describe(self.view)}" if isclass(self.view) and attr else describe(self.view)
        entry = self.config.introspectable("views", self.discriminator, shown, "view")
        given = {name: value for name, value in self.predicates.items() if name not in ("custom", "request_type")}
        entry.update(
            given,
            callable=self.view,
            name=self.name,
            exception_only=self.exception_only,
            request_methods=given.pop("request_method"),
            **{
                name: self.options[name]
                for name in ("context", "route_name", "attr", "http_cache", "require_csrf", "mapper", "decorator")
            },
        )
        entry.pop("request_method", None)
        if self.route_name:
            entry.relate("routes", self.route_name)
        return entry

    def introspectables(self) -> list[Any]:
        """Return the introspectables for the view, its mapper, template and permission."""
        made = [self.entry]
        renderer, permission, mapper = self.options["renderer"], self.options["permission"], self.options["mapper"]
        if mapper:
            made.append(self._related("view mappers", self.discriminator, "view mapper", mapper=mapper))
        if renderer is not None and "." in (getattr(renderer, "name", None) or ""):
            values = {"name": renderer.name, "type": renderer.type, "renderer": renderer}
            self.template = self._related("templates", self.discriminator, "template", renderer.name, **values)
            made.append(self.template)
        if permission is not None:
            made.append(self._related("permissions", permission, "permission", permission, value=permission))
        return made

    def _related(self, category: str, key: Any, kind: str, title: str | None = None, **values: Any) -> Any:
        title = f"{kind} for {self.entry.title}" if title is None else title
        entry = self.config.introspectable(category, key, title, kind)
        entry.update(values)
        entry.relate("views", self.discriminator)
        return entry

    # Registration

    def register(self) -> None:
        """Register the view. If its context is an exception, also register it as an exception view."""
        request_iface = self._request_iface()
        if self.template is not None:
            kind = self.template["type"]
            if self.config.introspector.get("renderer factories", kind) is not None:
                self.template.relate("renderer factories", kind)
        view = None
        if not self.exception_only:
            view = self._derive(False)
            self._put(IViewClassifier, request_iface, view)
        if self.is_exception:
            of_exceptions = self._derive(True)
            self._put(IExceptionViewClassifier, request_iface, of_exceptions)
            view = of_exceptions if view is None else runtime_exc_view(view, of_exceptions)
        if view is not None:
            view.__discriminator__ = lambda *_: self.discriminator
        self.entry["derived_callable"] = view
        self.config.registry._clear_view_lookup_cache()  # noqa: SLF001 - same package

    def _request_iface(self) -> Any:
        if self.route_name is None:
            return IRequest
        found = self.config.registry.queryUtility(IRouteRequest, name=self.route_name)
        if found is None:
            raise ConfigurationError(f"No route named {self.route_name} found for view registration")
        return found

    def _derive(self, exception_only: bool) -> Any:
        return self.config._derive_view(  # noqa: SLF001 - same package
            self.view,
            **{**self.predicates, **self.options},
            predicates=self.made,
            order=self.order,
            phash=self.phash,
            exception_only=exception_only,
        )

    def _put(self, classifier: Any, request_iface: Any, view: Any) -> None:
        """Register a view alone, in place of an equal view, or together with views that have other predicates."""
        registry = self.config.registry
        context: Any = Interface if self.context is None else self.context
        required = (classifier, request_iface, context if IInterface.providedBy(context) else implementedBy(context))
        kinds = (IView, ISecuredView, IMultiView)
        found = (registry.adapters.registered(required, kind, self.name) for kind in kinds)
        old = next((each for each in found if each is not None), None)
        is_multi = IMultiView.providedBy(old)
        if old is None or (not is_multi and getattr(old, "__phash__", DEFAULT_PHASH) == self.phash):
            self._replace(required, view, ISecuredView if hasattr(view, "__call_permissive__") else IView)
            return
        views = old if is_multi else MultiView(self.name)
        if not is_multi:
            order = getattr(old, "__order__", MAX_ORDER)
            views.add(old, order, getattr(old, "__phash__", DEFAULT_PHASH), getattr(old, "__accept__", None))
        accept_order = registry.queryUtility(IAcceptOrder)
        views.add(view, self.order, self.phash, self.options["accept"], accept_order)
        self._replace(required, views, IMultiView)

    def _replace(self, required: Any, view: Any, kind: Any) -> None:
        registry = self.config.registry
        for other in (IView, ISecuredView):
            if other is not kind:
                registry.adapters.unregister(required, other, name=self.name)
        registry.registerAdapter(view, required, kind, self.name)
