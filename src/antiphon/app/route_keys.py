"""The keys of routes: options that features handle, the library's own and those of other packages.

| key | handled |
|---|---|
| of ``RouteKeys`` | by a feature that has called ``handle_key``; it is an option of its own, as in ``live="orders"`` |
| another ``RouteKey`` | likewise, or by its own functions; it is in ``meta``, as in ``meta={QUOTA: 5}`` |
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias

from antiphon.app.dispatch.hooks import MiddlewareFunction
from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments
from antiphon.lazy import compiled_late
from antiphon.request.caller import CONFIRM, arrivals
from antiphon.request.request import Request
from antiphon.request.route import NO_META, RouteKey, RouteMeta

if TYPE_CHECKING:
    from antiphon.app.route import Route

RequestHandler: TypeAlias = Callable[[Request], Any]
"""A handler as a function of only the request, ``def`` or ``async def``."""

_tool_name = compiled_late(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


Priority: TypeAlias = Literal["normal", "low"]
"""The priority of requests while a worker is overloaded: low-priority requests wait until no others do."""


class KeyHandling(NamedTuple):
    """What a feature does for the routes with a key."""

    value: object = None
    """The value of the key that the feature handles; None for all values."""
    check: "Callable[[Route], RequestHandler] | None" = None
    """A function that returns a route's hook that refuses requests. It is called before all others."""
    around: "Callable[[Route, RequestHandler], RequestHandler] | None" = None
    """A function that receives a route and its handler, and returns the function to call instead: ``def`` or ``async
    def`` like the handler.
    """
    is_later: bool = False
    """True if ``around`` receives a function that carries out a stored request and returns the whole response: the
    handler with only its dependencies and error handlers. It may be called later, and more than once.
    """
    inner: "Callable[[Route, RequestHandler], RequestHandler] | None" = None
    """A function like ``around``, for the handler itself: inside what features do for other keys, or where ``around``
    is later.
    """
    outermost: "Callable[[Route], MiddlewareFunction] | None" = None
    """A function that returns a route's outermost middleware, which sees all failures, such as of a commit."""
    before_routing: MiddlewareFunction | None = None
    """The middleware around the middleware that opens before routing, if there is any."""
    routes: "Callable[[Route], Iterable[Route]] | None" = None
    """A function that returns further routes, which follow a route."""
    options: "Callable[[Route], Mapping[str, str]] | None" = None
    """A function that returns fields of the response to OPTIONS."""
    instead: tuple[Callable[[Request], bool], RequestHandler] | None = None
    """Which GET requests are handled by another function than the handler, with only its error handlers, and that
    function.
    """


class Tool(NamedTuple):
    """The options of a route that is a tool for language models: ``tool=Tool(destructive=True)``. See ``Tools``.
    Provisional.
    """

    name: str | None = None
    """At most 64 letters, digits, ``_`` and ``-``, beginning with a letter or ``_``; by default, the route's name, with
    ``_`` for its other characters."""
    title: str | None = None
    """Shown to users."""
    destructive: bool | None = None
    """Whether the tool deletes, pays, or does something else that can't be undone; by default, tools for DELETE do."""
    confirm: "str | Callable[[Request], str | Awaitable[str]] | None" = None
    """Text with argument names, such as "Delete lamp {number}?", or a function of the request, ``def`` or ``async
    def``, that returns what would happen: the client's user must agree to it before each call."""
    open_world: bool = False
    """Whether the tool reaches people or systems outside the app, such as by sending mail."""
    page: str | None = None
    """The name of a GET route whose page clients show beside the result (MCP Apps)."""
    headers: Mapping[str, str] | None = None
    """The names under which clients repeat arguments in ``Mcp-Param-`` headers, for proxies, by argument."""
    meta: Mapping[str, Any] | None = None
    """Sent as the tool's ``_meta``."""

    @staticmethod
    def of(given: object) -> "Tool | None":
        """Return the options of a tool, or None for a route that isn't one. Raises TypeError for an object of another
        type, and ValueError for an invalid name.
        """
        if given is None or isinstance(given, bool):
            return Tool() if given else None
        if not isinstance(given, Tool):
            raise explained("bad-route-option", f"tool must be True or a Tool, not {given!r}", TypeError)
        if given.name is not None and not _tool_name.fullmatch(given.name):
            message = f"a tool's name must be a letter or _ and up to 63 letters, digits, _ and -, not {given.name!r}"
            raise explained("bad-route-option", message)
        if callable(given.confirm):
            check_arguments(given.confirm, "request")
        elif given.confirm is not None and (not given.confirm or not isinstance(given.confirm, str)):
            message = f"what a tool confirms must be text or a function, not {given.confirm!r}"
            raise explained("bad-route-option", message, TypeError)
        return given


def _priority(given: Any) -> Priority:
    if given not in ("normal", "low"):
        raise explained("bad-route-option", f"priority must be 'normal' or 'low', not {given!r}")
    return given  # type: ignore[no-any-return] # as checked


def _confirmed(route: "Route", handler: RequestHandler) -> RequestHandler:
    """Return the handler of a tool. If a person must agree to each call, it asks when all checks before have passed."""
    tool = route.meta[RouteKeys.tool]
    if tool is None or tool.confirm is None:
        return handler

    def confirmed(request: Request) -> Any:
        confirm = next((each[CONFIRM] for each in arrivals(request) if CONFIRM in each), None)
        steps = None if confirm is None else confirm(request)
        return handler(request) if steps is None else _handled_after(steps, handler, request)

    return update_wrapper(confirmed, handler)


async def _handled_after(steps: Awaitable[None], handler: RequestHandler, request: Request) -> Any:
    await steps
    return await handler(request)


class RouteKeys:
    """The keys of the options of routes that features handle or describe, as in ``route.meta.get(RouteKeys.live)``.

    Where a route has several, each ``around`` is outside the earlier ones.
    """

    redirect_slashes = RouteKey[bool]("redirect_slashes")
    """True if the path's other form, with or without a trailing slash, is redirected here; the default is the app's."""
    durable = RouteKey[bool]("durable", needs="Durable(database_url)")
    """True if a request that was accepted is finished even if its process dies."""
    tool = RouteKey[Tool | None]("tool", parse=Tool.of, around=_confirmed)
    """The options of a tool for language models."""
    idempotent = RouteKey[bool]("idempotent", needs="IdempotentWrites(store)")
    """True if a request is executed once, however often it is sent with the same Idempotency-Key."""
    resumable = RouteKey[bool]("resumable", needs="ResumableUploads(store)")
    """True if an interrupted upload can be continued."""
    live = RouteKey[str]("live", needs="Live()")
    """The name of the block that is sent to clients again whenever it changes."""
    signed_by = RouteKey[str]("signed_by", needs=lambda name: f"Signatures(keys, name={name!r})")
    """The name of the ``Signatures`` whose keys must sign requests."""
    check_digest = RouteKey[bool]("check_digest")
    """True if a request is accepted only if its body matches its Content-Digest."""
    priority = RouteKey[Priority]("priority", parse=_priority)
    """The priority of the requests while a worker is overloaded; "normal" without it."""
    takes = RouteKey[object]("takes")
    """The type of the body, or types for "json", "form", "query" and "headers", as declared for API documents."""
    examples = RouteKey[Mapping[Any, Any]]("examples")
    """Examples of request data, and of responses by status, for API documents."""


KEYWORDS: Mapping[str, RouteKey[Any]] = {
    name: key for name, key in vars(RouteKeys).items() if isinstance(key, RouteKey)
}
"""The keys by the names of the options."""


def is_set(value: object) -> bool:
    """True if the value of a key is one for which something is done."""
    return value is not None and value is not False


def checked_meta(values: object, owner: str) -> RouteMeta:
    """Return the metadata passed to a route or a blueprint. Raises TypeError for keys or values of another type, and
    TypeError or ValueError for values that a key refuses.
    """
    if values is None or values == {}:
        return NO_META
    if not isinstance(values, Mapping) or not all(isinstance(key, RouteKey) for key in values):
        raise explained(
            "bad-route-option",
            f'meta must have RouteKeys, as in FLAG = RouteKey[str]("flag") and {{FLAG: "new"}}: {values!r}',
            TypeError,
        )
    try:
        return RouteMeta({key: None if value is None else key.checked(value) for key, value in values.items()})
    except (TypeError, ValueError) as error:
        raise explained("bad-route-option", f"{error}: {owner}", type(error)) from None
