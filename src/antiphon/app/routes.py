"""What is registered with an application: routes, hooks, middleware and error handlers."""

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, TypeVar, overload

from antiphon.app.error_handlers import ErrorHandlers
from antiphon.app.hooks import Hook, hook
from antiphon.app.middleware import Middleware, Opened, middleware
from antiphon.app.pattern import parse_pattern
from antiphon.body.limits import Limits
from antiphon.http.grammar import is_token
from antiphon.request import Request

F = TypeVar("F", bound=Callable[..., Any])
M = TypeVar("M", bound=Callable[[Request], Opened])


class Route(NamedTuple):
    """A path, the methods that are answered there, and the handler that answers them."""

    pattern: str
    methods: tuple[str, ...]
    name: str
    handler: Hook
    limits: Limits


class Routes:
    """Registers what an application is made of. All methods can be used as decorators."""

    def __init__(self) -> None:
        self.registered: list[Route] = []
        self.error_handlers = ErrorHandlers()
        self._middleware: list[Middleware] = []
        self._before: list[Hook] = []
        self._after: list[Hook] = []

    def check_open(self) -> None:
        """Raise RuntimeError when nothing can be registered any more."""

    def route(
        self,
        pattern: str,
        methods: Iterable[str] = ("GET",),
        *,
        name: str | None = None,
        limits: Limits | None = None,
    ) -> Callable[[F], F]:
        """Register a handler for a path and some methods; it is called with the request.

        ``pattern`` is literal but for segments ``<name>`` and ``<int:name>``. ``name`` is that of the route, by default
        the function's. Raises ValueError for a malformed pattern or method.
        """
        self.check_open()
        if isinstance(methods, str):
            raise ValueError(f"methods is a collection of methods, such as ({methods!r},)")
        wanted = tuple(method.upper() for method in methods)
        if not wanted:
            raise ValueError(f"a route answers at least one method: {pattern!r}")
        if bad := [method for method in wanted if not is_token(method)]:
            raise ValueError(f"{bad[0]!r} is not a method")
        parse_pattern(pattern)

        def register(function: F) -> F:
            self.check_open()
            own: str = name or getattr(function, "__name__", "") or type(function).__name__
            self.registered.append(Route(pattern, wanted, own, hook(function), limits or Limits()))
            return function

        return register

    def get(self, pattern: str, *, name: str | None = None, limits: Limits | None = None) -> Callable[[F], F]:
        """Register a handler for GET, and with it for HEAD (RFC 9110 §9.3.1)."""
        return self.route(pattern, ("GET",), name=name, limits=limits)

    def post(self, pattern: str, *, name: str | None = None, limits: Limits | None = None) -> Callable[[F], F]:
        """Register a handler for POST (RFC 9110 §9.3.3)."""
        return self.route(pattern, ("POST",), name=name, limits=limits)

    def put(self, pattern: str, *, name: str | None = None, limits: Limits | None = None) -> Callable[[F], F]:
        """Register a handler for PUT (RFC 9110 §9.3.4)."""
        return self.route(pattern, ("PUT",), name=name, limits=limits)

    def patch(self, pattern: str, *, name: str | None = None, limits: Limits | None = None) -> Callable[[F], F]:
        """Register a handler for PATCH (RFC 5789)."""
        return self.route(pattern, ("PATCH",), name=name, limits=limits)

    def delete(self, pattern: str, *, name: str | None = None, limits: Limits | None = None) -> Callable[[F], F]:
        """Register a handler for DELETE (RFC 9110 §9.3.5)."""
        return self.route(pattern, ("DELETE",), name=name, limits=limits)

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
