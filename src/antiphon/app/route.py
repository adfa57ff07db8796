"""A route: a path, the methods that are handled there, their handler, and the options."""

from collections.abc import Callable, Collection, Iterable, Mapping
from math import inf
from os.path import basename
from sys import intern
from typing import Any, Literal, NamedTuple, TypeAlias, TypedDict

from antiphon.app.dispatch.arguments import NO_ARGUMENTS, Arguments, arguments_of
from antiphon.app.dispatch.declared import Gives, by_status
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.app.dispatch.hooks import BeforeHook, Hook, check_before, check_returns, hook
from antiphon.app.route_keys import KEYWORDS, Priority, Tool, checked_meta
from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS
from antiphon.handler.callables import check_arguments, describe, is_async, is_generator
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.grammar import is_token
from antiphon.http.limits import Limits
from antiphon.request.route import NO_META, RouteKey, RouteMeta


class SocketOptions(NamedTuple):
    """The options of a WebSocket route."""

    subprotocols: tuple[str, ...] = ()
    idle_timeout: float | None = None

    def agreed(self, offered: Collection[str]) -> str | None:
        """Return the first subprotocol that the client also offers; None if there is none (RFC 6455 §4.2.2)."""
        return next((name for name in self.subprotocols if name in offered), None)


def check_subprotocols(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of subprotocols. Raises ValueError for a single text, and for a name that isn't a token (RFC
    6455).
    """
    if isinstance(names, str):
        raise explained("list-wanted", f"subprotocols must be a list: [{names!r}]")
    checked = tuple(names)
    if bad := [name for name in checked if not (isinstance(name, str) and is_token(name))]:
        raise explained("bad-route-option", f"a subprotocol must be a token, not {bad[0]!r}")
    return checked


def check_idle_timeout(given: Duration | None) -> float | None:
    """Return an idle timeout in seconds, greater than 0, or None. Raises ValueError for anything else."""
    seconds = seconds_of(given)
    if seconds is not None and not (isinstance(seconds, int | float) and seconds > 0):
        raise explained("bad-route-option", f"an idle_timeout must be a number of seconds above 0, not {given!r}")
    return seconds


BodyPolicy: TypeAlias = Literal["load", "lazy", "stream"]
"""The time at which a body is received: before the handler is called, when it is first read, or while it is streamed
without being stored.
"""


class Route(NamedTuple):
    """A path, its methods, and their handler.

    Each request has a route (``request.route``), even if none matches. In that case, it is false in ``if
    request.route:``, and ``name`` and ``methods`` are empty, as is ``pattern`` except at the prefix of a mount, while
    ``blueprint``, ``limits`` and ``app`` still describe where the request is handled.
    """

    pattern: str
    """The path with its parameters and all prefixes: ``/users/<int:id>``."""
    methods: tuple[str, ...]
    name: str
    """The route's name for ``url_for``, including the names of its blueprints: ``shop.item``."""
    handler: Callable[..., Any]
    host: str | None
    """The host pattern, if the route is limited to some hosts."""
    defaults: Mapping[str, Any] | None
    """Default values of parameters."""
    limits: Limits
    hook: Hook
    receive: BodyPolicy = "load"
    deadline: float | None = None
    """The seconds within which an ``async def`` handler must respond; None for no deadline."""
    cancel_on_disconnect: bool | None = None
    """True if an ``async def`` handler is cancelled when the client disconnects; None means True for GET and HEAD
    only.
    """
    signed_url: bool = False
    """True if only URLs that ``url_for`` has signed are accepted."""
    unguarded: bool = False
    """True if the route is handled outside all middleware and hooks, for every host."""
    csrf_exempt: bool = False
    """True if writes are accepted from pages of any site, and without a token of ``CSRFTokens``."""
    before: tuple[Hook, ...] = ()
    """The hooks for this route only, called after those of the blueprint and the application."""
    gives: Mapping[int, Gives] | None = None
    """What is declared of the response with each status, for API documents; None if nothing is."""
    meta: RouteMeta = NO_META
    """The metadata of the route and its blueprints, for hooks and features: also the options that are ``RouteKeys``."""
    blueprint: str | None = None
    """The name of the blueprint, prefixed with the names of the enclosing blueprints: ``shop.admin``."""
    app: Any = None
    """The application that handles the requests; None until the route is registered with one."""
    dependencies: Dependencies = Dependencies()
    """The dependencies that the application provides."""
    arguments: Arguments = NO_ARGUMENTS
    """The handler's arguments besides the request."""
    websocket: SocketOptions | None = None
    """The options of a WebSocket route, or None for any other route."""
    is_guarded: bool = False
    """True if hooks or middleware of its application may refuse a request. An outer application's cache doesn't store
    the route's responses, because a hit would bypass the hooks.
    """
    is_before_routing: bool = False
    """True until the route is found, so that the request's method and path may be set."""

    def __bool__(self) -> bool:
        """True unless no route matches."""
        return bool(self.name)

    @property
    def where(self) -> str:
        """The host and the path."""
        return f"{self.host or ''}{self.pattern}"

    @property
    def yields(self) -> bool:
        """True if the handler is a generator function, whose values are a stream."""
        return is_generator(self.handler)

    @property
    def handled_by(self) -> str:
        """The handler's name with its file and line, for error messages to developers."""
        return describe(self.handler)

    def __str__(self) -> str:
        place = basename(self.handled_by.rpartition(" (")[2].removesuffix(")"))
        methods = "WebSocket" if self.websocket else ",".join(self.methods)
        return f"{methods}  {self.where}  {self.name} ({place})"


class RouteOptions(TypedDict, total=False):
    """The options of a route, in addition to its path and methods.

    @app.get("/lamps/<int:number>", before=login_required, deadline=5)
    """

    name: str | None
    """The route's name; by default, that of the function."""
    host: str | None
    """A pattern such as ``<tenant>.example.com``."""
    defaults: Mapping[str, Any] | None
    """Values of parameters that need not be in the path."""
    limits: Limits | None
    """The bounds of requests; those that aren't set are the app's."""
    redirect_slashes: bool | None
    """Whether to redirect to a path with its trailing slash added or removed; by default, as the app is set."""
    receive: BodyPolicy
    """When the body is received: "load" means before the handler is called; "lazy" means when it is first read, and
    then it is kept; "stream" means while ``request.stream`` or ``request.parts()`` is iterated, and it isn't kept."""
    deadline: Duration | None
    """The seconds or timedelta after which an ``async def`` handler is cancelled and its client gets a 504. ``inf``
    means no deadline, even if the blueprint or the app has one. A ``def`` handler can't be cancelled, so setting its
    deadline raises TypeError."""
    cancel_on_disconnect: bool | None
    """Whether an ``async def`` handler is cancelled when the client disconnects; by default, it is for GET and HEAD."""
    before: BeforeHook | Iterable[BeforeHook]
    """One or more functions for this route only. They are called like ``before_request`` functions, and after them:
    each receives the request, and may return a response or raise an error."""
    signed_url: bool
    """Accept only URLs made by ``url_for``, which signs them with the app's ``secret_keys``. Other URLs are refused
    with 403, or with 410 after the ``_expires`` passed to ``url_for``."""
    unguarded: bool
    """Handle requests outside all middleware and hooks, and for every host. Use it for probes, which don't log in and
    use an IP address as the host. The path can't have parameters."""
    idempotent: bool
    """Execute a write once for each Idempotency-Key, and send the first response to retries. Needs the feature
    ``IdempotentWrites``."""
    durable: bool
    """As ``idempotent``, and finish an accepted request even if its process dies. Needs the feature ``Durable``."""
    resumable: bool
    """Accept uploads in parts, which can be continued after an interruption; the handler gets one whole request. Needs
    the feature ``ResumableUploads``."""
    live: str | None
    """The name of a block of a GET route's page: it is rendered again, and sent to the clients that watch it, when a
    table that the handler reads is written. Needs the feature ``Live``."""
    csrf_exempt: bool
    """Accept writes from pages of any site, without a token of ``CSRFTokens``. Use it for webhooks. The handler must
    identify clients in another way, for example by a signature of the body."""
    signed_by: str | None
    """Accept only requests signed with the keys of the ``Signatures`` feature with this name (RFC 9421). Others are
    refused with 401, before all other hooks."""
    check_digest: bool
    """Accept only requests whose body matches its Content-Digest (RFC 9530). Others are refused with 400."""
    priority: Priority
    """With "low", requests wait until no others do, and are refused first, while a worker of `antiphon run` is
    overloaded."""
    takes: object
    """The type of the JSON body for API documents (``OpenAPI``), or a mapping of "json", "form", "query" and "headers"
    to types, if the handler's code and annotations don't suffice."""
    gives: object
    """The type of the response with status 200, or a mapping of statuses to types, with None for no content, or to
    ``Gives`` with header fields, in addition to the responses that the code determines. Fields of a returned value that
    it doesn't declare are not sent."""
    examples: Mapping[str | int, object]
    """Example values by the keys of ``takes``, "path" and statuses: ``{"json": NewLamp("Desk"), 201: Lamp(7,
    "Desk")}``."""
    tool: bool | Tool
    """Let language models call the handler as a tool, if the app uses ``Tools``: True, or a ``Tool``."""
    meta: Mapping[RouteKey[Any], object]
    """Values by keys of type ``RouteKey``, which hooks and features read as ``request.route.meta[KEY]``."""


def make_route(
    pattern: str,
    methods: tuple[str, ...],
    function: Callable[..., Any],
    options: RouteOptions,
    meta: RouteMeta = NO_META,
    websocket: SocketOptions | None = None,
) -> Route:
    """Make a route from a pattern, methods, a handler, checked options and their metadata.

    Raises TypeError for a handler that can't be called with the request, and for a deadline that wouldn't cancel the
    handler.
    """
    deadline = check_deadline(options.get("deadline"))
    if deadline is not None and deadline != inf and not is_async(function):
        raise explained(
            "deadline-without-effect",
            f"{describe(function)}: deadline={deadline:g} would cancel nothing, because only an `async def` handler"
            " that returns its response can be cancelled",
            TypeError,
        )
    defaults = options.get("defaults")
    return Route(
        pattern,
        methods,
        options.get("name") or getattr(function, "__name__", "") or type(function).__name__,
        function,
        options.get("host"),
        dict(defaults) if defaults else None,
        Limits.of(options.get("limits")),
        hook(function),
        options.get("receive", "load"),
        deadline,
        options.get("cancel_on_disconnect"),
        options.get("signed_url", False),
        options.get("unguarded", False),
        options.get("csrf_exempt", False),
        before_hooks(options.get("before", ())),
        gives=by_status(options.get("gives")),
        meta=meta,
        arguments=arguments_of(function, ("request",) if websocket is None else ("request", "socket")),
        websocket=websocket,
    )


def check_options(pattern: object, options: Mapping[str, Any]) -> RouteMeta:
    """Check the path and the options of a route. Return its metadata: what ``meta`` maps, and options of ``RouteKeys``.

    Raises TypeError for a path that isn't text, an unknown option and wrong limits. Raises ValueError for an unknown
    body policy, and for an unguarded route that isn't a single path.
    """
    if not isinstance(pattern, str):
        several = ": several paths are a line each, one above the other" if isinstance(pattern, list | tuple) else ""
        raise explained(
            "bad-path", f'a route\'s path must be text, as in @app.get("/users"), not {pattern!r}{several}', TypeError
        )
    known = RouteOptions.__annotations__
    if unknown := [name for name in options if name not in known]:
        ours = WORDS["a route's option"].get(unknown[0])
        fix = f"; use {ours}" if ours else f", only {', '.join(known)}; a feature's own are in meta"
        raise explained("bad-route-option", f"a route has no option {unknown[0]!r}{fix}: {pattern!r}", TypeError)
    Limits.of(options.get("limits"))
    receive = options.get("receive", "load")
    if options.get("unguarded") and ("<" in pattern or options.get("host")):
        raise explained(
            "bad-route-option", f"an unguarded route must be one path, without parameters and host: {pattern!r}"
        )
    if receive not in ("load", "lazy", "stream"):
        raise explained("bad-route-option", f"receive must be 'load', 'lazy' or 'stream', not {receive!r}: {pattern!r}")
    if options.get("check_digest") and receive == "stream":
        raise explained(
            "bad-route-option",
            f"a streamed body can't be checked against its digest first: use receive='lazy': {pattern!r}",
        )
    check_deadline(options.get("deadline"))
    _check_declared(pattern, options)
    before_hooks(options.get("before", ()))
    own = {key: options[name] for name, key in KEYWORDS.items() if options.get(name) is not None}
    return checked_meta(own, repr(pattern)).within(checked_meta(options.get("meta"), repr(pattern)))


_PARTS = ("json", "form", "query", "headers")


def _check_declared(pattern: str, options: Mapping[str, Any]) -> None:
    """Check the keys of ``takes``, ``gives`` and ``examples``. Raises ValueError."""
    takes, gives = options.get("takes"), options.get("gives")
    if isinstance(takes, Mapping) and (unknown := [part for part in takes if part not in _PARTS]):
        raise explained(
            "bad-route-option",
            f"takes must be a type, or have types for {', '.join(_PARTS)}, not for {unknown[0]!r}: {pattern!r}",
        )
    if isinstance(gives, Mapping) and (
        wrong := [status for status in gives if not isinstance(status, int) or not 200 <= status <= 599]
    ):
        raise explained(
            "bad-route-option",
            f"gives must be a type, or have types for statuses of 200 to 599, not for {wrong[0]!r}: {pattern!r}",
        )
    known = (*_PARTS, "path")
    if wrong := [key for key in options.get("examples") or () if not isinstance(key, int) and key not in known]:
        raise explained(
            "bad-route-option",
            f"examples must be for {', '.join(known)} or for statuses, not for {wrong[0]!r}: {pattern!r}",
        )


def before_hooks(before: BeforeHook | Iterable[BeforeHook]) -> tuple[Hook, ...]:
    """Return hooks that call the given function or functions.

    Raises TypeError for a function that can't be called with the request.
    """
    if isinstance(before, str) or not (callable(before) or isinstance(before, Iterable)):
        fix = f": before=RateLimit({before!r})" if isinstance(before, str) else ""
        raise explained("wrong-arguments", f"before must be a function or a RateLimit, not {before!r}{fix}", TypeError)
    functions = [before] if callable(before) else [*before]
    for function in functions:
        check_arguments(function, "request")
        check_returns(function, "app.middleware")
        check_before(function)
    return tuple([hook(function) for function in functions])


def check_deadline(deadline: Duration | None) -> float | None:
    """Return a deadline in seconds, greater than 0, or None. Raises TypeError or ValueError for anything else."""
    seconds = seconds_of(deadline)
    if seconds is None:
        return None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool):
        raise explained("bad-route-option", f"a deadline must be a number of seconds, not {seconds!r}", TypeError)
    if not seconds > 0:
        raise explained("bad-route-option", f"a deadline must be a number of seconds above 0, not {seconds!r}")
    return float(seconds)


def checked_methods(methods: Iterable[str], pattern: str) -> tuple[str, ...]:
    """Return methods in upper case. Raises ValueError for no methods, a single text, or a malformed method."""
    if isinstance(methods, str):
        raise explained("list-wanted", f"methods must be a collection of methods, such as ({methods!r},)")
    if not isinstance(methods, Iterable):
        raise explained(
            "list-wanted",
            f'methods must be a collection of methods, such as ("POST",), not {methods!r}; app.register(blueprint,'
            " prefix=...) adds a blueprint, app.mount(prefix, application) an application",
            TypeError,
        )
    wanted = tuple(intern(method.upper()) for method in methods)  # interned keys are found without a lock on any thread
    if not wanted:
        raise explained("bad-route-option", f"a route needs at least one method: {pattern!r}")
    if bad := [method for method in wanted if not is_token(method)]:
        raise explained("bad-route-option", f"a method must be a token, not {bad[0]!r}")
    return wanted
