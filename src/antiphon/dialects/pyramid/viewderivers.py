"""View derivers. Each turns a view, which is a function of a context and a request, into another view."""

from collections.abc import Callable, Coroutine
from inspect import isclass, isroutine
from typing import Any

from zope.interface import implementedBy, implementer, provider

from antiphon.dialects.pyramid.exceptions import ConfigurationError
from antiphon.dialects.pyramid.httpexceptions import HTTPForbidden
from antiphon.dialects.pyramid.interfaces import (
    IDebugLogger,
    IDefaultCSRFOptions,
    IDefaultPermission,
    IResponse,
    ISecurityPolicy,
    IViewMapper,
    IViewMapperFactory,
)
from antiphon.dialects.pyramid.response import Response
from antiphon.dialects.pyramid.security import NO_PERMISSION_REQUIRED
from antiphon.dialects.pyramid.util import is_bound_method, is_unbound_method, object_description, takes_one_arg
from antiphon.embedding import describe

INGRESS = "INGRESS"
"""The name that stands for the outermost deriver."""
VIEW = "VIEW"
"""The name that stands for the view itself."""

View = Callable[[Any, Any], Any]

_PLAIN = (dict, list, tuple, str, int, float, bool, type(None))
"""Types whose instances can't be declared to be responses."""

_KEPT = (
    "__permitted__", "__call_permissive__", "__permission__", "__predicated__", "__predicates__", "__accept__",
    "__order__", "__text__",
)  # fmt: skip


def view_description(view: Any) -> str:
    """Return a description of a view that developers will recognize."""
    text: str | None = getattr(view, "__text__", None)
    return object_description(view) if text is None else text


def requestonly(view: Any, attr: str | None = None) -> bool:
    """Return True if a view or its method accepts a request but no context."""
    return takes_one_arg(view, attr=attr, argname="request")


@implementer(IViewMapper)
@provider(IViewMapperFactory)
class DefaultViewMapper:
    """A mapper that makes a view from a function, an object, or a class that is instantiated for each request."""

    def __init__(self, **kw: Any) -> None:
        self.attr = kw.get("attr")

    def __call__(self, view: Any) -> Any:
        if is_unbound_method(view) and self.attr is None:
            raise ConfigurationError(
                "Unbound method calls are not supported, please set the class as your `view` and the method as your"
                " `attr`"
            )
        return self.map_class(view) if isclass(view) else self.map_nonclass(view)

    def map_class(self, view: Any) -> View:
        """Return a view that makes an instance, and calls it or its method."""
        attr = self.attr or "__call__"
        is_request_only = requestonly(view, self.attr)

        def class_view(context: Any, request: Any) -> Any:
            instance = view(request) if is_request_only else view(context, request)
            request.__view__ = instance
            return getattr(instance, attr)()

        class_view.__text__ = f"method {attr} of {object_description(view)}"  # type: ignore[attr-defined]
        return class_view

    def map_nonclass(self, view: Any) -> Any:
        """Return a view that calls a function, an object, or an object's method.

        A function of context and request is returned unchanged.
        """
        mapped: Any
        if requestonly(view, self.attr):
            mapped = self._of_request(view)
        elif self.attr:
            mapped = self._of_both(view, self.attr)
        elif is_bound_method(view):
            mapped = self._of_both(view, "__call__")  # methods can't have their own attributes
        else:
            mapped = view
        if isroutine(mapped):
            before = f"attr {self.attr} of " if self.attr is not None else ""
            setattr(mapped, "__text__", before + object_description(view))  # noqa: B010 - functions take any
        return mapped

    def _of_request(self, view: Any) -> View:
        if self.attr is None:
            return lambda context, request: view(request)  # noqa: ARG005 - the signature of views
        attr = self.attr
        return lambda context, request: getattr(view, attr)(request)  # noqa: ARG005

    def _of_both(self, view: Any, attr: str) -> View:
        def call(context: Any, request: Any) -> Any:
            return getattr(view, attr)(context, request)

        return call


def wraps_view(wrapper: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """Make a deriver copy the inner view's attributes to the view that it returns."""

    def inner(view: Any, info: Any) -> Any:
        return preserve_view_attrs(view, wrapper(view, info))

    return inner


def preserve_view_attrs(view: Any, wrapper: Any) -> Any:
    """Copy the inner view's attributes to a wrapper. Return the wrapper."""
    if view is None or wrapper is view:
        return wrapper
    wrapper.__wraps__ = view
    original = getattr(view, "__original_view__", None)
    wrapper.__original_view__ = view if original is None else original
    wrapper.__module__ = view.__module__
    wrapper.__doc__ = view.__doc__
    wrapper.__name__ = getattr(view, "__name__", None) or repr(view)
    for name in _KEPT:
        value = getattr(view, name, wrapper)
        if value is not wrapper:
            setattr(wrapper, name, value)
    return wrapper


def mapped_view(view: Any, info: Any) -> Any:
    """Apply the view's own mapper, or else the application's, or else the default."""
    mapper = info.options.get("mapper") or getattr(view, "__view_mapper__", None)
    if mapper is None:
        mapper = info.registry.queryUtility(IViewMapperFactory) or DefaultViewMapper
    return mapper(**info.options)(view)


mapped_view.options = ("mapper", "attr")  # type: ignore[attr-defined]  # the options that this deriver uses


def owrapped_view(view: Any, info: Any) -> Any:
    """Wrap a view in the view named by the ``wrapper`` option."""
    wrapper_name = info.options.get("wrapper")
    name = info.options.get("name")
    if not wrapper_name:
        return view

    def owrapped(context: Any, request: Any) -> Any:
        from antiphon.dialects.pyramid.view import render_view_to_response

        response = view(context, request)
        request.wrapped_response, request.wrapped_body, request.wrapped_view = response, response.body, view
        wrapped = render_view_to_response(context, request, wrapper_name)
        if wrapped is None:
            raise ValueError(f"No wrapper view named {wrapper_name!r} found when executing view named {name!r}")
        return wrapped

    return owrapped


owrapped_view.options = ("name", "wrapper")  # type: ignore[attr-defined]


def http_cached_view(view: Any, info: Any) -> Any:
    """Make a view's responses cacheable according to the ``http_cache`` option (see ``response.cache_expires``)."""
    seconds = info.options.get("http_cache")
    if seconds is None or info.settings.get("prevent_http_cache", False):
        return view
    options: dict[str, Any] = {}
    if isinstance(seconds, (tuple, list)):
        if len(seconds) != 2:
            raise ConfigurationError(
                f"If http_cache parameter is a tuple or list, it must be in the form (seconds, options); not {seconds}"
            )
        seconds, options = seconds

    def http_cached(context: Any, request: Any) -> Any:
        response = view(context, request)
        if not getattr(response.cache_control, "prevent_auto", False):
            response.cache_expires(seconds, **options)
        return response

    return http_cached


http_cached_view.options = ("http_cache",)  # type: ignore[attr-defined]


def secured_view(view: Any, info: Any) -> Any:
    """Make a view check its ``permission`` option, or the default permission, with the security policy."""
    for wrapper in (_secured_view, _authdebug_view):
        view = wraps_view(wrapper)(view, info)
    return view


secured_view.options = ("permission",)  # type: ignore[attr-defined]


def _secured_view(view: Any, info: Any) -> Any:
    permission = info.options.get("permission")
    if permission is None and not info.exception_only:
        permission = info.registry.queryUtility(IDefaultPermission)
    policy = info.registry.queryUtility(ISecurityPolicy)
    if policy is None or permission is None or permission == NO_PERMISSION_REQUIRED:
        return view

    def permitted(context: Any, request: Any) -> Any:
        return policy.permits(request, context, permission)

    def secured(context: Any, request: Any) -> Any:
        result = permitted(context, request)
        if result:
            return view(context, request)
        name = getattr(view, "__name__", view)
        message = getattr(request, "authdebug_message", f"Unauthorized: {name} failed permission check")
        raise HTTPForbidden(message, result=result)

    described: Any = secured
    described.__call_permissive__ = view
    described.__permitted__ = permitted
    described.__permission__ = permission
    return secured


def _authdebug_view(view: Any, info: Any) -> Any:
    settings, permission = info.settings, info.options.get("permission")
    if not settings or not settings.get("debug_authorization", False):
        return view
    if info.exception_only and permission in (None, NO_PERMISSION_REQUIRED):
        return view
    if permission is None:
        permission = info.registry.queryUtility(IDefaultPermission)
    policy = info.registry.queryUtility(ISecurityPolicy)
    logger = info.registry.queryUtility(IDebugLogger)

    def authdebug(context: Any, request: Any) -> Any:
        if policy is None:
            verdict = "Allowed (no security policy in use)"
        elif permission == NO_PERMISSION_REQUIRED:
            verdict = "Allowed (NO_PERMISSION_REQUIRED)"
        elif permission is None:
            verdict = "Allowed (no permission registered)"
        else:
            verdict = str(policy.permits(request, context, permission))
        url, name = getattr(request, "url", None), getattr(request, "view_name", None)
        message = f"debug_authorization of url {url} (view name {name!r} against context {context!r}): {verdict}"
        if logger:
            logger.debug(message)
        if request is not None:
            request.authdebug_message = message
        return view(context, request)

    return authdebug


def csrf_view(view: Any, info: Any) -> Any:
    """Protect a view from CSRF according to the ``require_csrf`` option or the application's default."""
    wanted = info.options.get("require_csrf")
    defaults = info.registry.queryUtility(IDefaultCSRFOptions)
    is_default = defaults is not None and defaults.require_csrf and not info.exception_only
    if not (wanted is True or (wanted is not False and is_default)):
        return view
    safe_methods = frozenset(("GET", "HEAD", "OPTIONS", "TRACE")) if defaults is None else defaults.safe_methods
    token, header = ("csrf_token", "X-CSRF-Token") if defaults is None else (defaults.token, defaults.header)
    callback = None if defaults is None else defaults.callback
    checks_origin = True if defaults is None else defaults.check_origin
    allow_no_origin = False if defaults is None else defaults.allow_no_origin

    def checked(context: Any, request: Any) -> Any:
        from antiphon.dialects.pyramid import csrf

        if request.method not in safe_methods and (callback is None or callback(request)):
            if checks_origin:
                csrf.check_csrf_origin(request, raises=True, allow_no_origin=allow_no_origin)
            csrf.check_csrf_token(request, token, header, raises=True)
        return view(context, request)

    return checked


csrf_view.options = ("require_csrf",)  # type: ignore[attr-defined]


def decorated_view(view: Any, info: Any) -> Any:
    """Apply the decorator from the ``decorator`` option to a view."""
    decorator = info.options.get("decorator")
    return view if decorator is None else decorator(view)


decorated_view.options = ("decorator",)  # type: ignore[attr-defined]


def rendered_view(view: Any, info: Any) -> Any:
    """Make a view return responses: its own, or those made by an adapter or by the ``renderer`` option."""
    from antiphon.dialects.pyramid import renderers

    renderer = info.options.get("renderer")
    if renderer is renderers.null_renderer:
        return view
    registry = info.registry
    if renderer is None:

        def with_response(context: Any, request: Any) -> Any:
            result = view(context, request)
            if result.__class__ is Response:
                return result
            response = registry.queryAdapterOrSelf(result, IResponse)
            if response is None:
                raise _no_response(view, result)
            return response

        return with_response
    planned: list[Any] = [None, None, ()]  # the registry's generation, a renderer, and types that are not responses

    def plan(generation: Any) -> None:
        adapters = registry.adapters
        plain = {kind for kind in _PLAIN if adapters.lookup((implementedBy(kind),), IResponse) is None}
        planned[:] = generation, renderer.clone(), plain

    def rendered(context: Any, request: Any) -> Any:
        result = view(context, request)
        kind = result.__class__
        if kind is Response:
            return result
        generation = getattr(registry, "generation", None)
        if planned[0] != generation or generation is None:
            plan(generation)
        if kind not in planned[2]:
            response = registry.queryAdapterOrSelf(result, IResponse)
            if response is not None:
                return response
            if isinstance(result, Coroutine):
                raise _no_response(view, result)
        attrs = getattr(request, "__dict__", {})
        if "override_renderer" in attrs:
            name = attrs.pop("override_renderer")
            helper = renderers.RendererHelper(name=name, package=info.package, registry=registry)
        else:
            helper = planned[1]
        instance = attrs.pop("__view__", None)
        if instance is None:
            instance = getattr(view, "__original_view__", view)
        return helper.render_view(request, result, instance, context)

    return rendered


rendered_view.options = ("renderer",)  # type: ignore[attr-defined]


def _no_response(view: Any, result: Any) -> Exception:
    if isinstance(result, Coroutine):
        original = getattr(view, "__original_view__", view)
        result.close()
        return TypeError(f"{describe(original)} returned a coroutine: Pyramid's views are `def`, and none is awaited")
    hint = ""
    if result is None:
        hint = " You may have forgotten to return a value from the view callable."
    elif isinstance(result, dict):
        hint = " You may have forgotten to define a renderer in the view configuration."
    return ValueError(
        f"Could not convert return value of the view callable {view_description(view)} into a response object. "
        f"The value returned was {result!r}.{hint}"
    )
