"""The application: routes, hooks and error handlers for any server, and methods that programs may override."""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import cached_property
from types import MappingProxyType, MethodType
from typing import TYPE_CHECKING, Any, Literal, NoReturn, TypeVar

from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.dialects.microdot.dispatch import (
    call_in_steps,
    call_on_loop,
    dispatch,
    dispatch_by,
    error_result,
    native_response,
    own_response,
    raised,
    waits,
)
from antiphon.dialects.microdot.errors import Absent, abort
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import Response
from antiphon.dialects.microdot.routing import Entry, RouteTable, URLMap, URLPattern
from antiphon.embedding import ON_LOOP, Host, RequestState, run_async, set_current_request

if TYPE_CHECKING:
    from antiphon.dialects.microdot.serving import EmbeddedServer
    from antiphon.dialects.microdot.session import Session
    from antiphon.embedding import ForeignSockets
    from antiphon.websockets.connection import Connection


LifespanFunction = Callable[[dict[str, Any]], Awaitable[object]]


class Lifespan:
    """Two optional coroutine functions for startup and shutdown. Each receives a lifespan scope as in ASGI."""

    def __init__(
        self, lifespan_startup: LifespanFunction | None = None, lifespan_shutdown: LifespanFunction | None = None
    ) -> None:
        self._startup = lifespan_startup
        self._shutdown = lifespan_shutdown

    async def startup(self) -> None:
        await _call(self._startup)

    async def shutdown(self) -> None:
        await _call(self._shutdown)


async def _call(function: LifespanFunction | None) -> None:
    if function is not None:
        await ON_LOOP
        await function({"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}})


F = TypeVar("F", bound=Callable[..., Any])


class Overridable:
    """A method that a program may override, in a subclass or by assignment to an application.

    An application records once which methods are overridden, not for each request.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.function = function

    def __set_name__(self, owner: type["Microdot"], name: str) -> None:
        self._name = name

    def __get__(self, app: "Microdot | None", owner: type["Microdot"]) -> Callable[..., Any]:
        if app is None:
            return self.function
        return app.assigned.get(self._name) or MethodType(self.function, app)

    def __set__(self, app: "Microdot", function: Callable[..., Any]) -> None:
        app.assigned = {**app.assigned, self._name: function}
        app.note_overridden()

    def __delete__(self, app: "Microdot") -> None:
        app.assigned = {name: function for name, function in app.assigned.items() if name != self._name}
        app.note_overridden()


def overridable(method: F) -> F:
    """Declare a method as overridable. Used as a decorator."""
    return Overridable(method)  # type: ignore[return-value]  # reads like the method itself


def overridden_by(cls: type["Microdot"]) -> set[str]:
    members = [item for base in cls.__mro__ for item in vars(base).items()]
    methods = {name: member.function for name, member in members if isinstance(member, Overridable)}
    return {name for name, function in methods.items() if getattr(cls, name) is not function}


ANY = "0.0.0.0"  # noqa: S104 - Microdot's default: boards should be reachable


def _failed(native: NativeRequest, error: BaseException) -> NativeResponse:
    return RequestState(native).failed(error)


class Microdot(Host):
    """A web application.

    Handlers and hooks may be coroutine functions, which run on the server's loop, or plain functions, which run on a
    thread and may block. Routes and hooks can be added at any time.
    """

    assigned: Mapping[str, Callable[..., Any]] = MappingProxyType({})
    """The functions that override methods for this application only, by method name."""
    blocks = False
    """True if requests are handled in steps: some functions are plain and share a thread, or one is overridden."""

    _session: "Session | None" = None

    handle_request = Absent("antiphon's adapters connect to servers, and app.run() serves on Granian")

    def __init__(self) -> None:
        super().__init__()
        self.url_map: list[Entry] = URLMap()
        self.before_request_handlers: list[Callable[..., Any]] = []
        self.after_request_handlers: list[Callable[..., Any]] = []
        self.after_error_request_handlers: list[Callable[..., Any]] = []
        self.error_handlers: dict[int | type[BaseException], Callable[..., Any]] = {}
        self.options_handler: Callable[[Request], dict[str, str]] | None = self.default_options_handler
        self.debug = False
        self.server: EmbeddedServer | None = None
        self._table = RouteTable()
        self.note_overridden()

    def note_overridden(self) -> None:
        """Record which overridable methods are overridden."""
        self.overridden = overridden_by(type(self)) | self.assigned.keys()
        self.blocks = self.blocks or "dispatch_request" in self.overridden

    # Registration

    def route(self, url_pattern: str, methods: list[str] | None = None) -> Callable[[F], F]:
        """Register a handler for a path (see ``URLPattern``) and methods, by default GET.

        The handler is called with the request, and with the path's variable segments as keyword arguments.
        """

        def register(function: F) -> F:
            self._note(function)
            wanted = [method.upper() for method in methods or ["GET"]]
            self.url_map.append((wanted, URLPattern(url_pattern), function, "", None))
            return function

        return register

    def get(self, url_pattern: str) -> Callable[[F], F]:
        """Register a handler for GET and HEAD."""
        return self.route(url_pattern, ["GET"])

    def post(self, url_pattern: str) -> Callable[[F], F]:
        return self.route(url_pattern, ["POST"])

    def put(self, url_pattern: str) -> Callable[[F], F]:
        return self.route(url_pattern, ["PUT"])

    def patch(self, url_pattern: str) -> Callable[[F], F]:
        return self.route(url_pattern, ["PATCH"])

    def delete(self, url_pattern: str) -> Callable[[F], F]:
        return self.route(url_pattern, ["DELETE"])

    def query(self, url_pattern: str) -> Callable[[F], F]:
        return self.route(url_pattern, ["QUERY"])

    def before_request(self, f: F) -> F:
        """Register a function to call with the request before its handler.

        A value that it returns becomes the response.
        """
        self._note(f)
        self.before_request_handlers.append(f)
        return f

    def after_request(self, f: F) -> F:
        """Register a function that receives the request and response and may return a replacement."""
        self._note(f)
        self.after_request_handlers.append(f)
        return f

    def after_error_request(self, f: F) -> F:
        """Register a function that receives the request and the response to an error, including a missing route."""
        self._note(f)
        self.after_error_request_handlers.append(f)
        return f

    def errorhandler(self, status_code_or_exception_class: int | type[BaseException]) -> Callable[[F], F]:
        """Register a handler for a status, called with the request, or for an exception, called with both.

        Its response has the status 200 unless it sets another.
        """

        def register(function: F) -> F:
            self._note(function)
            self.error_handlers[status_code_or_exception_class] = function
            return function

        return register

    def mount(self, subapp: "Microdot", url_prefix: str = "", local: bool = False) -> None:
        """Add the current routes of another application below a prefix.

        The other application's hooks and error handlers are moved to this one. With ``local``, they apply only to its
        routes.
        """
        for methods, pattern, handler, prefix, owner in subapp.url_map:
            below = URLPattern(url_prefix + pattern.url_pattern)
            self.url_map.append((methods, below, handler, url_prefix + prefix, owner or subapp))
        self.blocks = self.blocks or subapp.blocks
        if not local:
            self._take_over(subapp)

    def _take_over(self, subapp: "Microdot") -> None:
        self.before_request_handlers += subapp.before_request_handlers
        self.after_request_handlers += subapp.after_request_handlers
        self.after_error_request_handlers += subapp.after_error_request_handlers
        self.error_handlers |= subapp.error_handlers
        subapp.before_request_handlers = []
        subapp.after_request_handlers = []
        subapp.after_error_request_handlers = []
        subapp.error_handlers = {}

    def _note(self, function: Callable[..., Any]) -> None:
        self.blocks = self.blocks or not waits(function)

    @staticmethod
    def abort(status_code: int, reason: str | None = None) -> NoReturn:
        """Raise an error that results in a response with the given status."""
        abort(status_code, reason)

    # Dispatch

    def find_route(self, req: Request) -> tuple[Callable[..., Any] | dict[str, str] | int, str, "Microdot | None"]:
        """Find the route for a request.

        Returns a handler with its prefix and mounted application, or the headers for OPTIONS, or the status if there is
        no route.
        """
        method = req.method.upper()
        if method == "OPTIONS" and self.options_handler:
            return self.options_handler(req), "", None
        handler, prefix, subapp, values = self._routes().find("GET" if method == "HEAD" else method, req.path)
        req.url_args = None if values is None else values.copy()
        return handler, prefix, subapp

    def _routes(self) -> RouteTable:
        url_map, known = self.url_map, self._table.version
        version = url_map.version if type(url_map) is URLMap else tuple(url_map)
        if version is not known and version != known:
            self._table = RouteTable([*url_map], version)
        return self._table

    def default_options_handler(self, req: Request) -> dict[str, str]:
        """Return headers that list the methods for a path."""
        methods = self._routes().methods(req.path)
        implied = ["HEAD", "OPTIONS"] if "GET" in methods else ["OPTIONS"]
        return {"Allow": ", ".join(dict.fromkeys(methods + implied))}

    @overridable
    def get_request_handlers(self, req: Request, attr: str, local_first: bool = True) -> list[Callable[..., Any]]:
        """Return one kind of hooks for a request, in calling order."""
        handlers: list[Callable[..., Any]] = getattr(self, f"{attr}_handlers")
        if req.subapp is None:
            return handlers.copy()  # a hook may remove itself
        local: list[Callable[..., Any]] = getattr(req.subapp, f"{attr}_handlers")
        return local + handlers if local_first else handlers + local

    @overridable
    async def error_response(self, req: Request, status_code: int, reason: str | None = None) -> Any:
        """Return the result for a status: the result of its handler, or else the reason and status."""
        return await error_result(self, req, call_on_loop, status_code, reason)

    @overridable
    async def dispatch_request(self, req: Request) -> Response:
        """Return the response to a request on a running loop. Raises errors from error handlers."""
        token = set_current_request(req.native)
        try:
            return await dispatch(self, req, call_on_loop, own_response, raised)
        finally:
            token.var.reset(token)

    def _handle(self, request: NativeRequest) -> Coroutine[Any, Any, NativeResponse]:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Return the steps that handle a server's request."""
        if "dispatch_request" in self.overridden:
            return dispatch_by(self.dispatch_request, Request(self, request))
        return dispatch(self, Request(self, request), call_in_steps, native_response, _failed)

    def _respond(self, request: NativeRequest) -> Awaitable[NativeResponse]:
        """Return an awaitable for the response, to be awaited on an event loop."""
        if self.blocks:
            return run_async(self._handle(request), request=request)
        return dispatch(self, Request(self, request), call_on_loop, native_response, _failed)

    def _respond_to_handshake(self, request: NativeRequest) -> Awaitable[NativeResponse]:
        """Respond to a WebSocket handshake by running its handler, which may start a conversation."""
        return self._sockets.respond(request)

    @cached_property
    def _sockets(self) -> "ForeignSockets":
        from antiphon.embedding import ForeignSockets

        return ForeignSockets(self._talk)

    async def _talk(self, native: NativeRequest, connection: "Connection") -> NativeResponse:
        request = Request(self, native)
        request.connection = connection
        response = await dispatch(self, request, call_on_loop, native_response, _failed)
        if connection.is_demanded and response.status >= 500:
            await connection.end(1011, "The server failed.")
        return response

    # Serving

    @property
    def _lifecycle(self) -> "Lifespan":
        """The functions to run before the first request and after the last one.

        Not to be confused with the ``shutdown`` method, which is for programs.
        """
        return Lifespan()

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """The interface: "wsgi" if all handlers, hooks and overriding methods are plain functions, otherwise "asgi"."""
        functions = [entry[2] for entry in self.url_map] + [getattr(self, name) for name in self.overridden]
        for app in {self, *(owner for *_, owner in self.url_map if owner)}:
            functions += [*app.before_request_handlers, *app.after_request_handlers]
            functions += [*app.after_error_request_handlers, *app.error_handlers.values()]
        return "asgi" if any(map(waits, functions)) else "wsgi"

    async def start_server(
        self, host: str = ANY, port: int = 5000, debug: bool = False, ssl: Any = None, start_serving: bool = True
    ) -> "EmbeddedServer | None":
        """Serve on Granian, in this task and loop, until ``shutdown`` is called or the task is cancelled.

        Without ``start_serving``, returns a server whose socket is bound. Call its ``serve_forever`` to serve. Raises
        OSError for an address that can't be used.
        """
        from antiphon.dialects.microdot.serving import EmbeddedServer  # imported late: other servers don't need it

        self.debug = debug
        server = self.server = EmbeddedServer(self, host, port, ssl)
        if not start_serving:
            return server
        await server.serve_until_closed()
        return None

    def run(self, host: str = ANY, port: int = 5000, debug: bool = False, ssl: Any = None) -> None:
        """Serve on Granian until ``shutdown`` is called, or Ctrl-C or SIGTERM arrives."""
        from antiphon.dialects.microdot.serving import EmbeddedServer, serve

        self.debug = debug
        self.server = EmbeddedServer(self, host, port, ssl)
        serve(self.server)

    def shutdown(self) -> None:  # type: ignore[override]  # Microdot's name; servers use ``_lifecycle``
        """Stop the server started by ``run`` or ``start_server``, or else the process that is serving."""
        if self.server is not None:
            self.server.close()
        else:
            from antiphon.dialects.microdot.serving import end_process_group

            end_process_group()
