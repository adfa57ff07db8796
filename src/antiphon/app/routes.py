"""What is registered with an application: routes, hooks, middleware and error handlers."""

from collections.abc import Callable, Iterable, Mapping
from os.path import basename
from typing import Any, NamedTuple, TypedDict, TypeVar, Unpack, overload

from antiphon.app.converters import CONVERTERS, Converter, own_converter
from antiphon.app.error_handlers import ErrorHandlers
from antiphon.app.hooks import Hook, hook
from antiphon.app.middleware import Middleware, Opened, middleware
from antiphon.app.pattern import check_names, parse_host_pattern, parse_pattern
from antiphon.body.limits import Limits
from antiphon.handler import describe
from antiphon.http.grammar import is_token
from antiphon.request import Request

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=Callable[[Request], Opened])


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
    parameters that the path need not have; ``redirect_slashes`` is the app's unless it is said here.
    """

    name: str | None
    host: str | None
    defaults: Mapping[str, Any] | None
    limits: Limits | None
    redirect_slashes: bool | None


class Routes:
    """Registers what an application is made of. All methods can be used as decorators."""

    def __init__(self) -> None:
        self.registered: list[Route] = []
        self.error_handlers = ErrorHandlers()
        self._converters: dict[str, Converter] = dict(CONVERTERS)
        self._middleware: list[Middleware] = []
        self._before: list[Hook] = []
        self._after: list[Hook] = []

    @property
    def routes(self) -> tuple[Route, ...]:
        """The routes, in the order in which they were registered."""
        return tuple(self.registered)

    def check_open(self) -> None:
        """Raise RuntimeError when nothing can be registered any more."""

    def converter(self, name: str, to_python: Callable[[str], Any], to_url: Callable[[Any], str] = str) -> None:
        """Register a converter of your own for the routes that follow, ``<name:parameter>``.

        ``to_python`` makes a decoded segment, which is not empty, a value; where it raises ValueError, the segment
        doesn't match. ``to_url`` makes the value a segment again. Raises ValueError for a name that is bad or taken.
        """
        self.check_open()
        if name in self._converters:
            raise ValueError(f"there is a converter {name!r} already")
        self._converters[name] = own_converter(name, to_python, to_url)

    def route(
        self, pattern: str, methods: Iterable[str] = ("GET",), **options: Unpack[RouteOptions]
    ) -> Callable[[F], F]:
        """Register a handler for a path and some methods; it is called with the request.

        ``pattern`` is literal but for parameters such as ``<name>`` and ``<int:name>``; see ``RouteOptions`` for the
        rest. Raises ValueError for a malformed pattern, host or method.
        """
        self.check_open()
        wanted = _methods(methods, pattern)
        host = options.get("host")
        segments = parse_pattern(pattern, self._converters)
        if host is not None:
            check_names([*parse_host_pattern(host, self._converters), *segments], host + pattern)
        defaults = options.get("defaults")

        def register(function: F) -> F:
            self.check_open()
            route = Route(
                pattern,
                wanted,
                options.get("name") or getattr(function, "__name__", "") or type(function).__name__,
                function,
                host,
                dict(defaults) if defaults else None,
                options.get("limits") or Limits(),
                options.get("redirect_slashes"),
                hook(function),
            )
            self.registered.append(route)
            return function

        return register

    def get(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a handler for GET, and with it for HEAD (RFC 9110 §9.3.1)."""
        return self.route(pattern, ("GET",), **options)

    def post(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a handler for POST (RFC 9110 §9.3.3)."""
        return self.route(pattern, ("POST",), **options)

    def put(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a handler for PUT (RFC 9110 §9.3.4)."""
        return self.route(pattern, ("PUT",), **options)

    def patch(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a handler for PATCH (RFC 5789)."""
        return self.route(pattern, ("PATCH",), **options)

    def delete(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a handler for DELETE (RFC 9110 §9.3.5)."""
        return self.route(pattern, ("DELETE",), **options)

    def query(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[F], F]:
        """Register a handler for QUERY: safe, with the question as its body (draft-ietf-httpbis-safe-method-w-body)."""
        return self.route(pattern, ("QUERY",), **options)

    @overload
    def middleware(self, function: M, /) -> M: ...
    @overload
    def middleware(self, /, *, blocking: bool = False, body: bool = False) -> Callable[[M], M]: ...
    def middleware(
        self, function: M | None = None, /, *, blocking: bool = False, body: bool = False
    ) -> M | Callable[[M], M]:
        """Register a generator or async generator function around all that was registered after it.

        ``blocking=True`` calls a sync one on a thread even around async handlers; ``body=True`` has the body loaded
        before it opens, however large it is within the limits.
        """
        self.check_open()

        def register(function: M) -> M:
            self.check_open()
            self._middleware.append(middleware(function, blocking, body))
            return function

        return register if function is None else register(function)

    @overload
    def before_request(self, function: F, /) -> F: ...
    @overload
    def before_request(self, /, *, blocking: bool = False) -> Callable[[F], F]: ...
    def before_request(self, function: F | None = None, /, *, blocking: bool = False) -> F | Callable[[F], F]:
        """Register a function that gets the request before the handler. What it returns, unless None, is the answer."""
        return self._hook(self._before, function, blocking)

    @overload
    def after_request(self, function: F, /) -> F: ...
    @overload
    def after_request(self, /, *, blocking: bool = False) -> Callable[[F], F]: ...
    def after_request(self, function: F | None = None, /, *, blocking: bool = False) -> F | Callable[[F], F]:
        """Register a function that gets the request and the response. What it returns, unless None, is the answer.

        The one that was registered last is called first.
        """
        return self._hook(self._after, function, blocking)

    def _hook(self, hooks: list[Hook], function: F | None, blocking: bool) -> F | Callable[[F], F]:
        self.check_open()

        def register(function: F) -> F:
            self.check_open()
            hooks.append(hook(function, blocking))
            return function

        return register if function is None else register(function)

    def errorhandler(self, key: type[Exception] | int) -> Callable[[F], F]:
        """Register a function that gets the request and the error, for a class of exceptions or a status.

        Of several the most specific is called. What it returns has the error's status, unless it says another.
        """
        self.check_open()

        def register(function: F) -> F:
            self.check_open()
            self.error_handlers.add(key, hook(function))
            return function

        return register


def _methods(methods: Iterable[str], pattern: str) -> tuple[str, ...]:
    if isinstance(methods, str):
        raise ValueError(f"methods is a collection of methods, such as ({methods!r},)")
    wanted = tuple(method.upper() for method in methods)
    if not wanted:
        raise ValueError(f"a route answers at least one method: {pattern!r}")
    if bad := [method for method in wanted if not is_token(method)]:
        raise ValueError(f"{bad[0]!r} is not a method")
    return wanted
