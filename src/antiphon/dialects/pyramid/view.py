"""Views: the decorators that configure them, and functions that call them by context and name."""

import sys
from collections.abc import Iterable
from itertools import product
from typing import Any

import venusian
from zope.interface import providedBy

from antiphon.dialects.pyramid.exceptions import ConfigurationError, PredicateMismatch
from antiphon.dialects.pyramid.httpexceptions import HTTPNotFound, HTTPTemporaryRedirect, default_exceptionresponse_view
from antiphon.dialects.pyramid.interfaces import (
    IExceptionViewClassifier,
    IMultiView,
    IRequest,
    IRoutesMapper,
    ISecuredView,
    IView,
    IViewClassifier,
)
from antiphon.dialects.pyramid.threadlocal import get_current_registry, manager
from antiphon.dialects.pyramid.util import hide_attrs
from antiphon.dialects.pyramid.util import reraise as reraise_

_VIEW_TYPES = (IView, ISecuredView, IMultiView)


# Calling views


def render_view_to_response(context: Any, request: Any, name: str = "", secure: bool = True) -> Any:
    """Call the view with the given name for a context, and return its response; None if there is no such view.

    ``secure`` checks its permission. Raises PredicateMismatch if no view's predicates match, or Forbidden.
    """
    registry = getattr(request, "registry", None) or get_current_registry()
    # Views of routes are left out, since the request is looked up by its interfaces instead of its route.
    return _call_view(
        registry, request, context, providedBy(context), name, secure=secure, request_iface=providedBy(request)
    )


def render_view_to_iterable(context: Any, request: Any, name: str = "", secure: bool = True) -> Iterable[bytes] | None:
    """Return the response body in chunks, or None if there is no such view."""
    response = render_view_to_response(context, request, name, secure)
    return None if response is None else response.app_iter


def render_view(context: Any, request: Any, name: str = "", secure: bool = True) -> bytes | None:
    """Return the response body, or None if there is no such view."""
    chunks = render_view_to_iterable(context, request, name, secure)
    return None if chunks is None else b"".join(chunks)


def _find_views(
    registry: Any,
    request_iface: Any,
    context_iface: Any,
    view_name: str,
    view_types: Any = None,
    view_classifier: Any = None,
) -> list[Any]:
    """Return a context's views, from the most to the least specific.

    They are cached until the registry changes.
    """
    classifier = IViewClassifier if view_classifier is None else view_classifier
    key = (classifier, request_iface, context_iface, view_name, view_types)
    cache = registry._view_lookup_cache  # noqa: SLF001 - same package
    generation = getattr(registry, "generation", None)
    found: list[Any] | None
    if cache.get("generation") == generation and generation is not None:
        found = cache.get(key)
        if found is not None:
            return found
    else:
        made: dict[Any, Any] = {"generation": generation}
        cache = registry._view_lookup_cache = made  # noqa: SLF001
    found = [
        view
        for requested, provided in product(request_iface.__sro__, context_iface.__sro__)
        for view_type in view_types or _VIEW_TYPES
        if (view := registry.adapters.registered((classifier, requested, provided), view_type, name=view_name))
        is not None
    ]
    if found:  # failed lookups are not cached, since clients may request any number of names
        cache[key] = found
    return found


def _call_view(
    registry: Any,
    request: Any,
    context: Any,
    context_iface: Any,
    view_name: str,
    view_types: Any = None,
    view_classifier: Any = None,
    secure: bool = True,
    request_iface: Any = None,
) -> Any:
    """Return the first matching view's response, or None if there are no views.

    Raises PredicateMismatch if none of the views matches.
    """
    if request_iface is None:
        request_iface = getattr(request, "request_iface", IRequest)
    views = _find_views(registry, request_iface, context_iface, view_name, view_types, view_classifier)
    if not secure:
        views = [getattr(view, "__call_permissive__", view) for view in views]
    return call_first(views, context, request)


def call_first(views: list[Any], context: Any, request: Any) -> Any:
    """Return the first matching view's response, or None if there are no views.

    Raises PredicateMismatch if none of the views matches.
    """
    mismatch = None
    for view in views:
        try:
            return view(context, request)
        except PredicateMismatch as error:
            mismatch = error
    try:
        if mismatch is not None:
            raise mismatch
        return None
    finally:
        del mismatch  # the error refers to this frame


class ViewMethodsMixin:
    """A mixin that lets requests call exception views."""

    def invoke_exception_view(
        self, exc_info: Any = None, request: Any = None, secure: bool = True, reraise: bool = False
    ) -> Any:
        """Call an exception view, by default for the current exception, and return its response.

        If there is no such view, raises HTTPNotFound, or the exception itself with ``reraise``.
        """
        if request is None:
            request = self
        registry = getattr(request, "registry", None) or get_current_registry()
        if registry is None:
            raise RuntimeError("Unable to retrieve registry")
        if exc_info is None:
            exc_info = sys.exc_info()
        exc = exc_info[1]
        attrs = request.__dict__
        with hide_attrs(request, "response", "exc_info", "exception"):
            attrs["exception"], attrs["exc_info"] = exc, exc_info
            combined = attrs.get("request_iface", IRequest).combined
            manager.push({"request": request, "registry": registry})
            try:
                response = _call_view(
                    registry,
                    request,
                    exc,
                    providedBy(exc),
                    "",
                    view_classifier=IExceptionViewClassifier,
                    secure=secure,
                    request_iface=combined,
                )
            except Exception:
                if not reraise:
                    raise
                response = None
            finally:
                manager.pop()
        if response is None:
            if reraise:
                reraise_(*exc_info)
            raise HTTPNotFound
        attrs["exception"], attrs["exc_info"] = exc, exc_info
        return response


# Decorators


class view_config:  # noqa: N801 - Pyramid's name
    """A decorator that registers a function, class or method as a view once ``scan`` finds it.

    Keywords are passed to ``add_view``. ``_depth`` and ``_category`` are used by decorators built on this one.
    """

    venusian = venusian
    _directive = "add_view"

    def __init__(self, **settings: Any) -> None:
        if "for_" in settings and settings.get("context") is None:
            settings["context"] = settings["for_"]
        self.__dict__.update(settings)
        self._get_info()

    def _get_info(self) -> None:
        """Record where the decorator is used. Subclasses may override it."""

    def __call__(self, wrapped: Any) -> Any:
        settings = self.__dict__.copy()
        depth = settings.pop("_depth", 0)
        category = settings.pop("_category", "pyramid")

        def callback(context: Any, name: str, ob: Any) -> None:  # noqa: ARG001 - venusian's call
            config = context.config.with_package(info.module)
            getattr(config, self._directive)(view=ob, **settings)

        info: Any = self.venusian.attach(wrapped, callback, category=category, depth=depth + 1)
        if info.scope == "class" and settings.get("attr") is None:
            settings["attr"] = wrapped.__name__
        settings["_info"] = info.codeinfo
        return wrapped


bfg_view = view_config


class notfound_view_config(view_config):  # noqa: N801 - Pyramid's name
    """A decorator that registers a function, class or method as the not-found view.

    Accepts the keywords of ``add_notfound_view``.
    """

    _directive = "add_notfound_view"


class forbidden_view_config(view_config):  # noqa: N801 - Pyramid's name
    """A decorator that registers a function, class or method as the forbidden view.

    Accepts the keywords of ``add_forbidden_view``.
    """

    _directive = "add_forbidden_view"


class exception_view_config(view_config):  # noqa: N801 - Pyramid's name
    """A decorator that registers a function, class or method as an exception view.

    Accepts the keywords of ``add_exception_view``.
    """

    _directive = "add_exception_view"

    def __init__(self, *args: Any, **settings: Any) -> None:
        if args and "context" not in settings:
            settings["context"], *args = args  # type: ignore[assignment]  # a list at this point
        if args:
            raise ConfigurationError("unknown positional arguments")
        super().__init__(**settings)


def view_defaults(**settings: Any) -> Any:

    def wrap(wrapped: Any) -> Any:
        wrapped.__view_defaults__ = settings.copy()
        return wrapped

    return wrap


# Not found


class AppendSlashNotFoundViewFactory:
    """A not-found view that redirects to the path with a slash if a route matches it.

    Otherwise, ``notfound_view`` handles the request. ``redirect_class`` is the class of the redirect.
    """

    def __init__(self, notfound_view: Any = None, redirect_class: Any = HTTPTemporaryRedirect) -> None:
        self.notfound_view = default_exceptionresponse_view if notfound_view is None else notfound_view
        self.redirect_class = redirect_class

    def __call__(self, context: Any, request: Any) -> Any:
        path = request.path_info or "/"
        registry = getattr(request, "registry", None) or get_current_registry()
        mapper = registry.queryUtility(IRoutesMapper)
        if mapper is not None and not path.endswith("/"):
            with_slash = f"{path}/"
            if any(route.match(with_slash) is not None for route in mapper.get_routes()):
                query = f"?{request.query_string}" if request.query_string else ""
                # A path with two leading slashes would be interpreted as another host.
                path = request.path_url if request.path.startswith("//") else request.path
                return self.redirect_class(location=f"{path}/{query}")
        return self.notfound_view(context, request)


append_slash_notfound_view = AppendSlashNotFoundViewFactory()
