"""Mounts: another application handles the requests below a prefix as if it were standalone."""

from collections.abc import Awaitable, Callable, Coroutine, Iterable
from contextlib import AbstractAsyncContextManager
from functools import cache, partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeAlias, TypeVar, cast

from antiphon.adapters.foreign import check_interface, interface_of
from antiphon.adapters.servable import Servable
from antiphon.app.blueprint import Routes
from antiphon.app.dispatch.dispatch import as_inner, run_nested
from antiphon.app.dispatch.hooks import Hook
from antiphon.explanations import explained
from antiphon.handler.contract import ON_LOOP, ON_THREAD
from antiphon.http.errors import NotFound
from antiphon.http.head import DerivedHead, Head
from antiphon.http.limits import Limits
from antiphon.http.urls.path import hidden_segments, is_misleading
from antiphon.request.caller import AROUND
from antiphon.request.request import Request
from antiphon.request.route import whole_pattern
from antiphon.request.watching import Reads, note_read
from antiphon.response.response import Response

if TYPE_CHECKING:
    from antiphon.adapters.asgi import ASGIApplication
    from antiphon.adapters.foreign.asgi_mount import ASGILifespan
    from antiphon.app.conversations.foreign_sockets import ForeignSockets, Talk
    from antiphon.websockets.connection import Connection

T = TypeVar("T")
A = TypeVar("A", bound="Mounting")
Below: TypeAlias = Callable[[Request], Request]


class Mount(NamedTuple):
    """An application below a prefix, on some hosts or on all."""

    prefix: str
    host: str | None
    application: Any
    interface: Literal["wsgi", "asgi"] | None
    """The interface of the application; None for another ``App``, which checks and limits its requests itself."""
    lifespan: "ASGILifespan | None"
    """The lifespan of an ASGI application."""
    limits: Limits
    """The limits for its requests, if it has none of its own."""
    encoded_slashes: bool
    """True if an encoded slash does not separate the prefix's segments."""
    receive: Literal["load", "delegated"]
    """The time at which a request's body is received: before the application is called, or when the application asks
    for it.
    """

    @property
    def where(self) -> str:
        """The host, if there is one, and the prefix."""
        return (self.host or "").lower() + self.prefix

    @staticmethod
    def all_above(app: A) -> "list[tuple[A, Mount]]":
        """Return the applications in which one is mounted, each with the mount, in the order of the calls."""
        return [(outer, mount) for outer, mount in app._places_above if mount in outer.mounts]

    @staticmethod
    def first_place_of(app: Any) -> str:
        """Return the hosts and prefixes of an App's first mount, outermost first; "" if it isn't mounted."""
        above = Mount.all_above(app)
        return Mount.first_place_of(above[0][0]) + above[0][1].where if above else ""

    @property
    def manager(self) -> AbstractAsyncContextManager[Any] | None:
        """The context manager that starts and stops the application, if it has one."""
        return Started(self.application) if isinstance(self.application, Servable) else self.lifespan

    @property
    def hook(self) -> Hook:
        """The handler, which is called with the outer application's request."""
        if isinstance(self.application, Servable):
            blocks = self.application.interface == "wsgi"
            hand_on = _inside if self.receive == "delegated" else _served
            return Hook(hand_on(self.below, self.application, blocks), True, blocks)
        if self.interface == "wsgi" and self.receive == "delegated":
            from antiphon.adapters.foreign.environ_host import BridgedApplication

            return Hook(_inside(partial(self.below, root=""), BridgedApplication(self.application), True), True, True)
        if self.interface == "wsgi":
            from antiphon.adapters.foreign.wsgi import from_wsgi

            return Hook(self._foreign(from_wsgi(self.application)), False, True)
        from antiphon.adapters.foreign.asgi import from_asgi

        handler = self._foreign(from_asgi(self.application, self._state))
        return Hook(_on_loop(handler) if self.receive == "delegated" else handler, True)

    @property
    def handshake_hook(self) -> Hook:
        """The handler of handshakes, for an application that isn't an ``App`` and handles WebSockets itself."""
        if isinstance(self.application, Servable):
            blocks = self.application.interface == "wsgi"
            return Hook(_own_sockets(self.below, self.application, is_driven=blocks), True, blocks)
        return self.hook if self.interface == "wsgi" else Hook(self._sockets(), True)

    @property
    def _state(self) -> dict[str, Any] | None:
        return self.lifespan.state if self.lifespan else None

    def _sockets(self) -> Callable[[Request], Any]:
        """Return the handshake handler for an ASGI application."""

        def talk(request: Request, connection: "Connection") -> Coroutine[Any, Any, Any]:
            from antiphon.adapters.foreign.asgi_mount import ASGIConversation, make_socket_scope

            scope = make_socket_scope(self.below(request, root=""), self._state)
            return ASGIConversation(self.application, connection).run(scope)

        sockets = _lazily(talk)

        def respond_to_handshake(request: Request) -> Awaitable[Any]:
            return sockets()(request)

        return respond_to_handshake

    def below(self, request: Request, root: str = "/") -> Request:
        """Return the request that the application receives. Both requests share the body, id, ``after_response``
        functions and lifetime.

        Raises NotFound if the values of the prefix's parameters would make redirects below the prefix lead elsewhere.
        """
        inner = request_with(request, self._head_below(request, root) if self.where else request.head)
        if self.host is not None:
            inner._host_is_declared = True
        if isinstance(self.application, Servable) and self.application._observers.all and request._observation:
            # Its observers see the request as the mounted application does.
            request._observation.enter(inner, self.application._observers)
        return inner

    def _head_below(self, request: Request, root: str) -> "MountedHead":
        segments = hidden_segments(request.head) if self.encoded_slashes else None
        head = MountedHead(request.head, self.prefix.count("/"), root, segments)
        # A value may be an empty segment, for example: browsers would read a host after it.
        if "<" in self.prefix and is_misleading(head.above):
            raise NotFound("Browsers would read the path of this application differently.")
        if self.host is not None:
            # For signed URLs: a link on one host is not valid on another.
            head.mount = f"//{request.host.lower().removesuffix('.')}{head.mount}"
        return head

    def _foreign(self, handler: Callable[[Request], T]) -> Callable[[Request], T]:
        """Return a handler that lets another framework's application see whether a slash followed the prefix."""
        return lambda request: handler(self.below(request, root=""))


def make_mount(
    prefix: str,
    host: str | None,
    application: Any,
    interface: Literal["wsgi", "asgi"] | None,
    limits: Limits | None,
    *,
    encoded_slashes: bool,
    receive: Literal["load", "stream"] = "load",
) -> Mount:
    """Make the mount of an Antiphon, WSGI or ASGI application. A coroutine function is treated as ASGI.

    Raises TypeError for an object that isn't an application, and for limits if the application limits its requests
    itself. Raises ValueError for an unknown ``interface`` or ``receive``.
    """
    check_interface(interface)
    if receive not in ("load", "stream"):
        raise explained("bad-mount", f"a mount's receive must be 'load' or 'stream', not {receive!r}")
    if receive == "stream" and limits is not None:
        raise explained(
            "bad-mount",
            "an application that receives its bodies itself also limits them itself: leave out limits",
            TypeError,
        )
    given = Limits.of(limits)
    received: Literal["load", "delegated"] = "delegated" if receive == "stream" else "load"
    if isinstance(application, Servable):
        if limits is not None and isinstance(application, Routes):
            raise explained("bad-mount", "an App limits its requests itself: App(limits=...)", TypeError)
        if isinstance(application, Routes):
            return Mount(prefix, host, application, None, None, given, encoded_slashes, "delegated")
        return Mount(prefix, host, application, application.interface, None, given, encoded_slashes, received)
    if not callable(application) or (isinstance(application, type) and interface is None):
        raise explained(
            "bad-mount",
            f"{application!r} is not an application: mount an App, or a WSGI or ASGI application",
            TypeError,
        )
    if (interface or interface_of(application)) == "wsgi":
        return Mount(prefix, host, application, "wsgi", None, given, encoded_slashes, received)
    from antiphon.adapters.foreign.asgi_mount import ASGILifespan

    lifespan = ASGILifespan(cast("ASGIApplication", application))
    return Mount(prefix, host, application, "asgi", lifespan, given, encoded_slashes, received)


def contains(application: object, other: object) -> bool:
    """True if ``application`` is ``other``, or has it mounted at any depth."""
    mounts: Iterable[Mount] = getattr(application, "mounts", ()) if isinstance(application, Routes) else ()
    return application is other or any(contains(mount.application, other) for mount in mounts)


class Started:
    """An async context manager that starts and stops a mounted Antiphon application."""

    def __init__(self, application: Servable) -> None:
        self._application = application

    async def __aenter__(self) -> None:
        await self._application._lifecycle.startup()
        # An async context manager is awaited on the loop, whatever thread the steps ended on.
        await ON_LOOP

    async def __aexit__(self, *_: object) -> None:
        await self._application._lifecycle.shutdown()
        await ON_LOOP


class MountedHead(DerivedHead):
    """The head of a request below a prefix of ``depth`` segments.

    ``root`` is the path of a request for the prefix itself, without a trailing slash. ``segments`` are the segments of
    the path, if some contain encoded slashes.
    """

    def __init__(self, inner: Head, depth: int, root: str = "/", segments: list[str] | None = None) -> None:
        super().__init__(inner)
        self.received: Head = inner.received if isinstance(inner, MountedHead) else inner
        """The head that the outermost of these mounts was called with."""
        self.above = "/".join((segments or inner.path.split("/", depth + 1))[: depth + 1])
        """The prefix, with the values of its parameters."""
        self.path = inner.path[len(self.above) :] or root
        self.mount = self.above

    @property
    def blocks(self) -> bool:
        """True if ``receive`` blocks the thread."""
        return self.received.blocks  # through each mount, a read would take longer

    @property
    def has_body(self) -> bool:
        """False if the request certainly has no body."""
        return self.received.has_body

    @property
    def root_path(self) -> str:
        """The path at which the application is mounted."""
        return self.inner.root_path + self.above


def request_with(request: Request, head: Head) -> Request:
    """Return a request with a different head that shares everything else."""
    # The same class: the request may be of a subclass.
    inner = type(request)(head, request.content)
    shared = {"_defer_end": request._defer_end, "_defer_first": request._defer_first}
    vars(inner).update(_id=request._id, _outer_request=request, **shared)
    if AROUND in request:
        inner[AROUND] = request[AROUND]
    inner._lifetime = request.lifetime
    inner._host_is_declared = getattr(request, "_host_is_declared", False) or request.route.host is not None
    inner._observation = request._observation
    inner.limits = request.limits
    return inner


def _served(below: Below, application: Servable, blocks: bool) -> Callable[[Request], Awaitable[Response]]:
    async def hand_on(outer: Request) -> Response:
        note_read(outer, Reads.EVERYTHING)  # reads of an environ, for example, can't be recorded
        request = below(outer)
        waits = not (blocks or request.head.blocks)
        response = await as_inner(outer, application._respond(request) if waits else application._handle(request))
        if not waits:
            await (ON_THREAD if blocks else ON_LOOP)  # it may have ended on any thread or loop
        try:
            return response
        finally:
            del response  # an error raised inside keeps this frame

    return hand_on


def _own_sockets(below: Below, application: Servable, *, is_driven: bool) -> Callable[[Request], Awaitable[Response]]:
    """Return the handshake handler for a dialect's application, which handles handshakes itself."""

    async def respond_to_handshake(outer: Request) -> Response:
        if is_driven:
            await ON_LOOP
        result = application._respond_to_handshake(below(outer))
        return result if isinstance(result, Response) else await as_inner(outer, result)

    return respond_to_handshake


def _on_loop(handler: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Wrap a handler that runs on the loop and receives the body itself, so that it can be called anywhere."""

    async def hand_on(request: Request) -> Response:
        await ON_LOOP
        return await as_inner(request, handler(request))

    return hand_on


def _inside(below: Below, application: Servable, blocks: bool) -> Callable[[Request], Awaitable[Response]]:
    async def hand_on(request: Request) -> Response:
        inner = below(request)
        response = await run_nested(request, application._handle(inner), blocks)
        if not isinstance(application, Routes):
            note_read(request, Reads.EVERYTHING)  # as above
        elif getattr(inner.route, "is_guarded", True):
            note_read(request, Reads.HOOKS)
        request._pattern_below = whole_pattern(inner) or None
        try:
            return response
        finally:
            del response  # an error raised inside keeps this frame

    return hand_on


def _lazily(talk: "Talk") -> "Callable[[], ForeignSockets]":
    """Return the function that makes the handler of WebSockets once, when the first one arrives."""

    @cache
    def sockets() -> "ForeignSockets":
        from antiphon.app.conversations.foreign_sockets import ForeignSockets

        return ForeignSockets(talk)

    return sockets


class Mounting(Protocol):
    """An application with mounts, which may be mounted itself."""

    _places_above: "list[tuple[Any, Mount]]"

    @property
    def mounts(self) -> tuple[Mount, ...]: ...


def mounted_together(app: A) -> set[A]:
    """Return an application and all applications that are mounted in it, or together with it, at any depth."""
    found: set[A] = set()
    left = {app}
    while left:
        each = left.pop()
        found.add(each)
        below = {mount.application for mount in each.mounts if mount.interface is None}
        left |= (below | {outer for outer, _ in Mount.all_above(each)}) - found
    return found


def place_of(app: Mounting) -> str:
    """Return the prefixes at which an application is mounted. Raises ValueError for more than one place."""
    above = Mount.all_above(app)
    if not above:
        return ""
    outer, mount = above[0]
    if len(above) > 1 or mount.host is not None or "<" in mount.prefix:
        raise explained(
            "bad-signed-url", "this app is mounted in several places: use request.url_for, or pass _mounted_at"
        )
    return place_of(outer) + mount.prefix
