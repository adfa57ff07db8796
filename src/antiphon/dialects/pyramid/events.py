"""Events of an application and its requests, and the decorator for subscribers."""

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


class subscriber:  # noqa: N801 - its name
    """A decorator that subscribes a function to all events or to some types, when ``scan`` finds it.

    Keywords are predicates of subscribers. ``_depth`` and ``_category`` are for decorators around this one.
    """

    venusian = venusian

    def __init__(self, *ifaces: Any, **predicates: Any) -> None:
        self.ifaces = ifaces
        self.depth = predicates.pop("_depth", 0)
        self.category = predicates.pop("_category", "pyramid")
        self.predicates = predicates

    def register(self, scanner: Any, name: str, wrapped: Callable[..., Any]) -> None:  # noqa: ARG002 - venusian's call
        """Register the function with the configuration that scans."""
        for iface in self.ifaces or (Interface,):
            scanner.config.add_subscriber(wrapped, iface, **self.predicates)

    def __call__(self, wrapped: Callable[..., Any]) -> Callable[..., Any]:
        """Attach this to the function."""
        self.venusian.attach(wrapped, self.register, category=self.category, depth=self.depth + 1)
        return wrapped


class _RequestEvent:
    def __init__(self, request: Any) -> None:
        self.request = request


@implementer(INewRequest)
class NewRequest(_RequestEvent):
    """A new request, before anything is known about it."""


@implementer(IBeforeTraversal)
class BeforeTraversal(_RequestEvent):
    """A request whose route is matched, if there is one, before its root is made."""


@implementer(IContextFound)
class ContextFound(_RequestEvent):
    """A request whose context is found, before its view is."""


AfterTraversal = ContextFound


@implementer(INewResponse)
class NewResponse:
    """A response that a view has given to a request."""

    def __init__(self, request: Any, response: Any) -> None:
        self.request = request
        self.response = response


@implementer(IApplicationCreated)
class ApplicationCreated:
    """An application that is made, as ``app`` and ``object``."""

    def __init__(self, app: Any) -> None:
        self.app = app
        self.object = app


WSGIApplicationCreatedEvent = ApplicationCreated


@implementer(IBeforeRender)
class BeforeRender(dict[str, Any]):
    """The values for a renderer, to be changed, and ``rendering_val``, the view's own."""

    def __init__(self, system: Any, rendering_val: Any = None) -> None:
        super().__init__(system)
        self.rendering_val = rendering_val
