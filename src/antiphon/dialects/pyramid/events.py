"""The events of an application and its requests, and a decorator for subscribers."""

from collections.abc import Callable
from typing import Any

import venusian
from zope.interface import Interface, implementer

from antiphon.dialects.pyramid.interfaces import (
    IApplicationCreated,
    IBeforeRender,
    IBeforeTraversal,
    IContextFound,
    INewRequest,
    INewResponse,
)

__all__ = [
    "AfterTraversal", "ApplicationCreated", "BeforeRender", "BeforeTraversal", "ContextFound", "NewRequest",
    "NewResponse", "WSGIApplicationCreatedEvent", "subscriber",
]  # fmt: skip


class subscriber:  # noqa: N801 - Pyramid's name
    """A decorator that subscribes a function to all events, or to those of the given types, once ``scan`` finds it.

    Keyword arguments are subscriber predicates. ``_depth`` and ``_category`` are used by decorators built on this one.
    """

    venusian = venusian

    def __init__(self, *ifaces: Any, **predicates: Any) -> None:
        self.ifaces = ifaces
        self.depth = predicates.pop("_depth", 0)
        self.category = predicates.pop("_category", "pyramid")
        self.predicates = predicates

    def register(self, scanner: Any, name: str, wrapped: Callable[..., Any]) -> None:  # noqa: ARG002 - venusian's call
        for iface in self.ifaces or (Interface,):
            scanner.config.add_subscriber(wrapped, iface, **self.predicates)

    def __call__(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        self.venusian.attach(wrapped, self.register, category=self.category, depth=self.depth + 1)
        return wrapped


class _RequestEvent:
    def __init__(self, request: Any) -> None:
        self.request = request


@implementer(INewRequest)
class NewRequest(_RequestEvent):
    """Sent when a request has arrived, before it is routed."""


@implementer(IBeforeTraversal)
class BeforeTraversal(_RequestEvent):
    """Sent when a request's route, if any, is matched, before its root is made."""


@implementer(IContextFound)
class ContextFound(_RequestEvent):
    """Sent when a request's context is found, before its view is."""


AfterTraversal = ContextFound


@implementer(INewResponse)
class NewResponse:
    """Sent when a response to a request has been made."""

    def __init__(self, request: Any, response: Any) -> None:
        self.request = request
        self.response = response


@implementer(IApplicationCreated)
class ApplicationCreated:
    """Sent when an application has been created. The application is available as ``app`` and ``object``."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.object = app


WSGIApplicationCreatedEvent = ApplicationCreated


@implementer(IBeforeRender)
class BeforeRender(dict[str, Any]):
    """Sent before rendering. Contains the renderer's values, which may be changed, and the view's ``rendering_val``."""

    def __init__(self, system: Any, rendering_val: Any = None) -> None:
        super().__init__(system)
        self.rendering_val = rendering_val
