"""Renderers, which turn views' return values into text."""

import json
import os
import re
from collections.abc import Callable
from functools import partial
from typing import Any, Self

from zope.interface import implementer, providedBy
from zope.interface.registry import Components

from antiphon.dialects.pyramid.csrf import get_csrf_token
from antiphon.dialects.pyramid.decorator import reify
from antiphon.dialects.pyramid.events import BeforeRender
from antiphon.dialects.pyramid.httpexceptions import HTTPBadRequest
from antiphon.dialects.pyramid.interfaces import IJSONAdapter, IRendererFactory, IRendererInfo
from antiphon.dialects.pyramid.path import caller_package
from antiphon.dialects.pyramid.response import _get_response_factory, response_of_type
from antiphon.dialects.pyramid.threadlocal import get_current_registry
from antiphon.dialects.pyramid.util import hide_attrs

Render = Callable[[Any, Any], Any]

# Functions for programs


def render(renderer_name: str, value: Any, request: Any = None, package: Any = None) -> Any:
    """Render a value with `json`, `string` or a template. Template paths are relative to the caller's package."""
    helper = _helper(renderer_name, caller_package() if package is None else package, request)
    with hide_attrs(request, "response"):
        return helper.render(value, None, request=request)


def render_to_response(
    renderer_name: str, value: Any, request: Any = None, package: Any = None, response: Any = None
) -> Any:
    """Render a value into a new response, or into ``response`` if it is given."""
    helper = _helper(renderer_name, caller_package() if package is None else package, request)
    with hide_attrs(request, "response"):
        if response is not None:
            request.response = response
        return helper.render_to_response(value, None, request=request)


def get_renderer(renderer_name: str, package: Any = None, registry: Any = None) -> Any:
    """Return the renderer with the given name: a function of a value and the system values."""
    package = caller_package() if package is None else package
    return RendererHelper(name=renderer_name, package=package, registry=registry).renderer


def _helper(renderer_name: str, package: Any, request: Any) -> "RendererHelper":
    return RendererHelper(name=renderer_name, package=package, registry=getattr(request, "registry", None))


# Built-in renderers


def string_renderer_factory(info: Any) -> Render:  # noqa: ARG001 - as factories are called
    """Return the text renderer, which calls ``str``."""

    def render(value: Any, system: Any) -> str:
        request = system.get("request")
        if request is not None:
            response_of_type(request, "text/plain")
        return value if isinstance(value, str) else str(value)

    return render


class JSON:
    """A JSON renderer.

    A value of another type is converted by its ``__json__`` method or by an adapter, which is a function of the object
    and the request. ``serializer`` is called with the value, ``default`` and other keywords.
    """

    def __init__(self, serializer: Any = json.dumps, adapters: Any = (), **kw: Any) -> None:
        self.serializer = serializer
        self.kw = kw
        self.components = Components()
        for type_or_iface, adapter in adapters:
            self.add_adapter(type_or_iface, adapter)

    def add_adapter(self, type_or_iface: Any, adapter: Any) -> None:
        """Use a function to convert objects of a type, or objects that provide an interface, for JSON."""
        self.components.registerAdapter(adapter, (type_or_iface,), IJSONAdapter)

    def __call__(self, info: Any) -> Render:  # noqa: ARG002 - as factories are called

        def render(value: Any, system: Any) -> Any:
            request = system.get("request")
            if request is not None:
                response_of_type(request, "application/json")
            return self._dumps(value, request)

        return render

    def _dumps(self, value: Any, request: Any) -> Any:
        if self.serializer is json.dumps and not self.kw:
            try:
                return json.dumps(value)  # caches its encoder
            except TypeError:  # fails for objects of other types
                pass
        return self.serializer(value, default=self._make_default(request), **self.kw)

    def _make_default(self, request: Any) -> Callable[[Any], Any]:
        def default(each: Any) -> Any:
            if hasattr(each, "__json__"):
                return each.__json__(request)
            adapters: Any = self.components.adapters
            adapter = adapters.lookup((providedBy(each),), IJSONAdapter)
            if adapter is None:
                raise TypeError(f"{each!r} is not JSON serializable")
            return adapter(each, request)

        return default


json_renderer_factory = JSON()

JSONP_VALID_CALLBACK = re.compile(r"^[$a-z_][$0-9a-z_.\[\]]+[$0-9a-z_\]]\Z", re.IGNORECASE)


class JSONP(JSON):
    """A JSONP renderer, which wraps JSON in a call to the function named in the query.

    Without a name, it returns plain JSON.
    """

    def __init__(self, param_name: str = "callback", **kw: Any) -> None:
        self.param_name = param_name
        super().__init__(**kw)

    def __call__(self, info: Any) -> Render:  # noqa: ARG002 - as factories are called
        """Return the renderer. It raises HTTPBadRequest if the name isn't a valid function name."""

        def render(value: Any, system: Any) -> Any:
            request = system.get("request")
            text = self._dumps(value, request)
            if request is None:
                return text
            callback = request.GET.get(self.param_name)
            if callback is None:
                response_of_type(request, "application/json")
                return text
            if not JSONP_VALID_CALLBACK.match(callback):
                raise HTTPBadRequest("Invalid JSONP callback function name.")
            response_of_type(request, "application/javascript")
            return f"/**/{callback}({text});"  # the comment keeps Flash from interpreting the response

        return render


# Renderers by name


@implementer(IRendererInfo)
class RendererHelper:
    """A renderer found by name: a factory's name, or a template whose extension is a factory's name."""

    name: Any
    package: Any
    registry: Any
    type: str

    def __init__(self, name: Any = None, package: Any = None, registry: Any = None) -> None:
        self.name = name
        self.package = package
        self.type = os.path.splitext(name)[1] if name and "." in name else name or ""
        self.registry = get_current_registry() if registry is None else registry

    @reify
    def settings(self) -> Any:
        return {} if self.registry.settings is None else self.registry.settings

    @reify
    def renderer(self) -> Any:
        """The renderer. Raises ValueError if no factory has the name or extension."""
        factory = self.registry.queryUtility(IRendererFactory, name=self.type)
        if factory is None:
            raise ValueError(f"No such renderer factory {self.type}")
        return factory(self)

    def get_renderer(self) -> Any:
        return self.renderer

    def _system(self, request: Any, view: Any, context: Any) -> dict[str, Any]:
        """Return the values that renderers receive in addition to the view's."""
        return {
            "view": view,
            "renderer_name": self.name,
            "renderer_info": self,
            "context": context,
            "request": request,
            "req": request,
            "get_csrf_token": partial(get_csrf_token, request),
        }

    def render_view(self, request: Any, response: Any, view: Any, context: Any) -> Any:
        """Render a view's result and return the response to the request."""
        return self.render_to_response(response, self._system(request, view, context), request=request)

    def render(self, value: Any, system_values: Any, request: Any = None) -> Any:
        renderer = self.renderer
        if system_values is None:
            system_values = self._system(request, None, getattr(request, "context", None))
        if getattr(self.registry, "has_listeners", True):
            system_values = BeforeRender(system_values, value)
            self.registry.notify(system_values)
        return renderer(value, system_values)

    def render_to_response(self, value: Any, system_values: Any, request: Any = None) -> Any:
        """Render a value into a response. If there is a request, use its response."""
        return self._make_response(self.render(value, system_values, request=request), request)

    def _make_response(self, result: Any, request: Any) -> Any:
        response = getattr(request, "response", None)
        if response is None:
            response = _get_response_factory(self.registry)(request)
        if isinstance(result, str):
            response.text = result
        elif result is None:
            pass
        elif not isinstance(result, bytes) and hasattr(result, "__iter__"):
            response.app_iter = result
        else:
            response.body = result
        return response

    def clone(self, name: Any = None, package: Any = None, registry: Any = None) -> Self:
        """Return a copy with another name, package or registry."""
        return type(self)(
            name=self.name if name is None else name,
            package=self.package if package is None else package,
            registry=self.registry if registry is None else registry,
        )


class NullRendererHelper(RendererHelper):
    """A stand-in for a missing renderer, so views must return responses."""

    def __init__(self, name: Any = None, package: Any = None, registry: Any = None) -> None:  # noqa: ARG002 - see above
        self.name = self.package = self.registry = None
        self.type = ""

    @property
    def settings(self) -> Any:  # pyright: ignore[reportIncompatibleVariableOverride]
        """None, since there are no settings."""
        return {}

    def render_view(self, request: Any, response: Any, view: Any, context: Any) -> Any:  # noqa: ARG002 - see above
        """Return the view's result unchanged."""
        return response

    def render(self, value: Any, system_values: Any, request: Any = None) -> Any:  # noqa: ARG002 - see above
        return value

    def render_to_response(self, value: Any, system_values: Any, request: Any = None) -> Any:  # noqa: ARG002
        return value

    def clone(self, name: Any = None, package: Any = None, registry: Any = None) -> Self:  # noqa: ARG002 - see above
        return self


null_renderer = NullRendererHelper()
