"""What makes text of the values that views return."""
# ruff: noqa: ARG001, ARG002

import json
import re
from typing import Any

from zope.interface import implementer, providedBy
from zope.interface.registry import Components

from antiphon.dialects.pyramid.interfaces import IJSONAdapter, IRendererFactory, IRendererInfo, IResponseFactory
from antiphon.dialects.pyramid.response import Response, response_of_type


def string_renderer_factory(info: Any) -> Any:
    """Return a renderer of text."""

    def render(value: Any, system: Any) -> str:
        request = system.get("request")
        if request is not None:
            response_of_type(request, "text/plain")
        return value if isinstance(value, str) else str(value)

    return render


class JSON:
    """A renderer of JSON, with adapters by type."""

    def __init__(self, serializer: Any = json.dumps, adapters: Any = (), **kw: Any) -> None:
        self.serializer = serializer
        self.kw = kw
        self.components = Components()
        for type_or_iface, adapter in adapters:
            self.add_adapter(type_or_iface, adapter)

    def add_adapter(self, type_or_iface: Any, adapter: Any) -> None:
        """Have a function of an object and a request make what JSON has of a type."""
        self.components.registerAdapter(adapter, (type_or_iface,), IJSONAdapter)

    def __call__(self, info: Any) -> Any:
        def render(value: Any, system: Any) -> Any:
            request = system.get("request")
            if request is not None:
                response_of_type(request, "application/json")
            if self.serializer is json.dumps and not self.kw:
                try:
                    return json.dumps(value)  # which keeps its encoder
                except TypeError:
                    pass
            return self.serializer(value, default=self._make_default(request), **self.kw)

        return render

    def _make_default(self, request: Any) -> Any:
        def default(each: Any) -> Any:
            if hasattr(each, "__json__"):
                return each.__json__(request)
            found = self.components.adapters.lookup((providedBy(each),), IJSONAdapter, default=None)
            if found is None:
                raise TypeError(f"{each!r} is not JSON serializable")
            return found(each, request)

        return default


json_renderer_factory = JSON()


@implementer(IRendererInfo)
class RendererHelper:
    """A renderer by name."""

    def __init__(self, name: Any = None, package: Any = None, registry: Any = None) -> None:
        self.name = name or ""
        self.package = package
        self.registry = registry
        match = re.search(r"(\.[a-zA-Z0-9_]+)(\.mako)?$", self.name)
        self.type = match[1] if match else self.name
        self._renderer: Any = None

    @property
    def settings(self) -> Any:
        return self.registry.settings

    @property
    def renderer(self) -> Any:
        if self._renderer is None:
            factory = self.registry.queryUtility(IRendererFactory, name=self.type)
            if factory is None:
                raise ValueError(f"No such renderer factory {self.type}")
            self._renderer = factory(self)
        return self._renderer

    def render_view(self, request: Any, response: Any, view: Any, context: Any) -> Any:
        system = {
            "view": view,
            "renderer_name": self.name,
            "renderer_info": self,
            "context": context,
            "request": request,
        }
        return self.render_to_response(response, system, request=request)

    def render(self, value: Any, system_values: Any, request: Any = None) -> Any:
        return self.renderer(value, system_values)

    def render_to_response(self, value: Any, system_values: Any, request: Any = None) -> Any:
        result = self.render(value, system_values, request)
        response = getattr(request, "response", None)
        if response is None:
            factory = self.registry.queryUtility(IResponseFactory)
            response = factory(request) if factory else Response()
        if result is not None:
            if isinstance(result, str):
                response.text = result
            else:
                response.body = result
        return response

    def clone(self, name: Any = None, package: Any = None, registry: Any = None) -> Any:
        return type(self)(name or self.name, package or self.package, registry or self.registry)


class NullRendererHelper(RendererHelper):
    """No renderer: views return responses."""

    def render_view(self, request: Any, value: Any, view: Any, context: Any) -> Any:
        return value

    def render(self, value: Any, system_values: Any, request: Any = None) -> Any:
        return value

    def render_to_response(self, value: Any, system_values: Any, request: Any = None) -> Any:
        return value


null_renderer = NullRendererHelper()
