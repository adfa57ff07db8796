"""One route: a path, the methods that are answered there, and the handler that answers them."""

from collections.abc import Callable, Mapping
from os.path import basename
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict

from antiphon.app.hooks import Hook
from antiphon.handler.contract import describe
from antiphon.http.limits import Limits

BodyPolicy: TypeAlias = Literal["load", "lazy", "stream"]
"""When a body is received: before the handler is called; when it is first read; or as it is streamed, without being
kept.
"""


class Route(NamedTuple):
    """A path, the methods that are answered there, and the handler that answers them."""

    pattern: str
    methods: tuple[str, ...]
    name: str
    handler: Callable[..., Any]
    host: str | None
    """The pattern of the host, where the route is one of some hosts only."""
    defaults: Mapping[str, Any] | None
    """Parameters that a request has unless its path says otherwise."""
    limits: Limits
    redirect_slashes: bool | None
    """Whether the path's other form, with or without a slash at its end, leads here; None as the app says."""
    hook: Hook
    body: BodyPolicy = "load"

    @property
    def where(self) -> str:
        """The host and the path."""
        return f"{self.host or ''}{self.pattern}"

    def __str__(self) -> str:
        place = basename(describe(self.handler).rpartition(" (")[2].removesuffix(")"))
        return f"{','.join(self.methods)}  {self.where}  {self.name} ({place})"


class RouteOptions(TypedDict, total=False):
    """What may be said of a route besides its path and methods.

    ``name`` is by default the function's, ``host`` a pattern such as ``<tenant>.example.com``; ``defaults`` are
    parameters that the path need not have; ``redirect_slashes`` is the app's unless it is said here. ``body`` says when
    the body is received: "load", before the handler is called, "lazy", when it is first read, and kept, or "stream", as
    ``request.stream`` or ``request.parts()`` are iterated, and not kept.
    """

    name: str | None
    host: str | None
    defaults: Mapping[str, Any] | None
    limits: Limits | None
    redirect_slashes: bool | None
    body: BodyPolicy
