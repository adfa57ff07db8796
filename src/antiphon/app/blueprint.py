"""Registration with an application or a blueprint: routes, hooks, middleware, error handlers and blueprints."""

from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, Never, Self, TypeVar, Unpack, overload

from antiphon.app.dispatch.hooks import (
    AfterHook,
    BeforeHook,
    ErrorHandlerDecorator,
    Handler,
    Hook,
    MiddlewareFunction,
    WebSocketHandler,
    check_before,
    check_key,
    check_returns,
    hook,
)
from antiphon.app.dispatch.middleware import middleware
from antiphon.app.planning.cross_site import TrustedOrigins
from antiphon.app.registry import Feature, IncludedBlueprint, Registry, Snapshot
from antiphon.app.route import (
    Route,
    RouteOptions,
    SocketOptions,
    check_deadline,
    check_idle_timeout,
    check_options,
    check_subprotocols,
    checked_methods,
    make_route,
)
from antiphon.app.route_keys import KeyHandling, checked_meta
from antiphon.explanations import explained
from antiphon.explanations.naming import ROUTES, ROUTES_ATTRIBUTES, WORDS, NamesOurs, unknown_setting
from antiphon.handler.callables import check_arguments, check_sync
from antiphon.http.dates import Duration
from antiphon.http.errors import HTTPError
from antiphon.http.limits import Limits
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request
from antiphon.request.route import RouteKey
from antiphon.response.response import Response
from antiphon.routing.converters import CONVERTERS, Converter, own_converter
from antiphon.routing.pattern import (
    Parameter,
    distinct_parameters,
    parameters_in,
    parameters_of,
    parse_host_pattern,
    parse_pattern,
)

if TYPE_CHECKING:
    from antiphon.app.static_files import FolderOptions


F = TypeVar("F", bound=Callable[..., Any])
T = TypeVar("T")
ToResponseLike = TypeVar("ToResponseLike", bound=Handler)  # mypy prints its name for any other handler
S = TypeVar("S", bound="WebSocketHandler")
X = TypeVar("X", bound=Exception)
B = TypeVar("B", bound=BeforeHook)
A = TypeVar("A", bound=AfterHook)
M = TypeVar("M", bound=MiddlewareFunction)


class Routes(metaclass=NamesOurs, words=ROUTES, settings=ROUTES_ATTRIBUTES):
    """The methods that build an application or a blueprint. Most can be used as decorators."""

    def __init__(self) -> None:
        self._registry = Registry()

    def _check_open(self) -> None:
        """Check that something can still be registered. Raises RuntimeError otherwise."""

    @property
    def trusted_origins(self) -> TrustedOrigins:
        """The origins of other sites whose pages may send writes to these routes."""
        return self._registry.trusted_origins

    def _converters(self) -> Mapping[str, Converter]:
        """Return the converters that route patterns may use."""
        return {**CONVERTERS, **self._registry.converters}

    # Features

    def use(self, feature: Feature[Self]) -> None:
        """Install a feature: ``app.use(CORS(["https://shop.example.com"]))``.

        If the feature's ``install`` raises an error, everything that it registered is removed. Raises TypeError for an
        object that isn't a feature, and if a blueprint uses a feature that needs the whole application.
        """
        self._check_open()
        if isinstance(feature, type) or not hasattr(feature, "install"):
            fix = f"{feature.__name__}(...)" if isinstance(feature, type) else "CORS([...])"
            if isinstance(feature, Routes):
                fix += "; a blueprint is registered by app.register, and an application by app.mount"
            elif hasattr(feature, "__code__"):
                fix += "; a function is registered by @app.middleware, @app.before_request or @app.after_request"
            message = f"{feature!r} is not a feature: features are objects with install(app), such as {fix}"
            raise explained("not-a-feature", message, TypeError)
        before = Snapshot(self._registered())
        try:
            feature.install(self)
        except BaseException as error:
            before.restore()
            missing = error.__cause__ if isinstance(error, TypeError) else error  # a feature that this one uses
            if not isinstance(missing, AttributeError) or missing.obj is not self or not isinstance(self, Blueprint):
                raise
            name = type(feature).__name__
            raise explained(
                "for-whole-app",
                f"{name} is for a whole application, not for the blueprint {self.name!r}: app.use({name}(...))",
                TypeError,
            ) from missing
        self._registry.features.append(feature)

    @property
    def features(self) -> tuple[object, ...]:
        """The features that were passed to ``use`` here, in order."""
        return tuple(self._registry.features)

    def find_feature(self, kind: type[T]) -> T | None:
        """Return the first feature in use here that is an instance of a class, or None:
        ``app.find_feature(Templates)``.
        """
        return next((each for each in self._registry.features if isinstance(each, kind)), None)

    def handle_key(self, key: RouteKey[Any], handling: KeyHandling) -> None:
        """Let a feature handle the routes here that have a key in their ``meta``, or an option of ``RouteKeys``.

        Raises ValueError if another feature handles them.
        """
        self._check_open()
        self._registry.add_handling(key, handling)

    def _registered(self) -> list[object]:
        """Return the objects that store the registrations here and in the blueprints here."""
        within: list[Routes] = [self]
        for each in within:
            within += [one.blueprint for one in each._registry.blueprints if one.blueprint not in within]
        registries = [each._registry for each in within]
        parts = [part for each in registries for part in (each, each.error_handlers, each.trusted_origins)]
        return [*within, *parts]

    # Routes

    def converter(
        self,
        name: str,
        to_python: Callable[[str], Any],
        to_url: Callable[[Any], str] = str,
        *,
        default: Callable[[], Any] | None = None,
    ) -> None:
        """Register your own converter, ``<name:parameter>``, for routes that are registered later.

        ``to_python`` converts a decoded segment, which is never empty, to a value; if it raises ValueError, the segment
        doesn't match. ``to_url`` converts the value back to a segment. ``default`` returns the value for ``url_for``
        without this parameter. Raises ValueError for a name that is invalid or taken, and TypeError for an async
        function.
        """
        self._check_open()
        if name in CONVERTERS or name in self._registry.converters:
            raise explained("bad-converter", f"there is already a converter {name!r}")
        check_sync("to_python", to_python)
        check_sync("to_url", to_url)
        self._registry.converters[name] = own_converter(name, to_python, to_url, default)

    def route(
        self, pattern: str, methods: Iterable[str] = ("GET",), **options: Unpack[RouteOptions]
    ) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for a path and the given methods; usable as a decorator.

        The handler is called with the same arguments, and returns the same values, as one for ``get``. ``pattern`` is
        literal except for parameters such as ``<name>`` and ``<int:name>``.

        The options, described in ``antiphon.types.RouteOptions``, are ``name``, ``host``, ``defaults``, ``limits``,
        ``redirect_slashes``, ``receive``, ``deadline``, ``cancel_on_disconnect``, ``before``, ``signed_url``,
        ``unguarded``, ``idempotent``, ``resumable``, ``durable``, ``live``, ``csrf_exempt``, ``signed_by``,
        ``check_digest``, ``takes``, ``gives``, ``examples``, ``tool``, ``priority`` and ``meta``.

        Raises ValueError for a malformed pattern, host or method. Raises TypeError for an unknown option, and for a
        handler with an argument that isn't a parameter or whose annotation doesn't match the parameter's value.
        """
        self._check_open()
        own_meta = check_options(pattern, options)
        wanted = checked_methods(methods, pattern)
        parameters = self._parameters(pattern, options.get("host"))

        def register(function: ToResponseLike) -> ToResponseLike:
            self._check_open()
            route = make_route(pattern, wanted, function, options, own_meta)
            self._check_route(route, parameters)
            self._registry.routes.append(route)
            return function

        return register

    def _route_for(
        self, method: str, pattern: str, options: RouteOptions
    ) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for one method. Raises TypeError if the options contain ``methods``."""
        if "methods" in options:
            name = method.lower()
            message = (
                f"app.{name} is for one method: leave out methods, or write @app.route(path, methods): {pattern!r}"
            )
            raise explained("bad-route-option", message, TypeError)
        return self.route(pattern, (method,), **options)

    def _parameters(self, pattern: str, host: str | None) -> list[Parameter]:
        """Return the parameters of a path and a host. Raises ValueError if either is malformed."""
        return parameters_in(pattern, host, self._converters())

    def _check_route(self, route: Route, parameters: list[Parameter]) -> None:
        """Check that a route's handler accepts only parameters of the route."""
        route.arguments.check(route.handler, route.where, parameters, route.defaults or ())

    def _check_prefix(self, prefix: str, host: str | None) -> None:
        """Check a prefix and a host. Raises ValueError for a malformed one."""
        if prefix.endswith("/"):
            raise explained("bad-path", f'a prefix must not end with a slash; to cover all paths, use "": {prefix!r}')
        segments = parse_pattern(prefix or "/", self._converters())
        if any(part.converter.spans for segment in segments for part in parameters_of(segment)):
            raise explained("bad-path", f"{prefix!r}: a prefix can't have a path parameter")
        if host is not None:
            distinct_parameters([*parse_host_pattern(host, self._converters()), *segments], host + prefix)

    def get(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for GET, which also handles HEAD (RFC 9110 §9.3.1).

        The handler is called with the request, and with the path parameters that it declares as arguments. It returns
        text, bytes, a dict, a list, a dataclass (JSON), an iterator of text or bytes (a stream), a ``Page``, a
        ``Response``, ``(body, status)`` or ``(body, status, headers)``; or None if it is annotated ``-> None`` (204).

        The options, described in ``antiphon.types.RouteOptions``, are ``name``, ``host``, ``defaults``, ``limits``,
        ``redirect_slashes``, ``receive``, ``deadline``, ``cancel_on_disconnect``, ``before``, ``signed_url``,
        ``unguarded``, ``idempotent``, ``resumable``, ``durable``, ``live``, ``csrf_exempt``, ``signed_by``,
        ``check_digest``, ``takes``, ``gives``, ``examples``, ``tool``, ``priority`` and ``meta``.
        """
        return self._route_for("GET", pattern, options)

    def post(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for POST (RFC 9110 §9.3.3), with the arguments, results and options of ``get``."""
        return self._route_for("POST", pattern, options)

    def put(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for PUT (RFC 9110 §9.3.4), with the arguments, results and options of ``get``."""
        return self._route_for("PUT", pattern, options)

    def patch(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for PATCH (RFC 5789).

        In response to OPTIONS, the Accept-Patch header lists the media types that the handler reads. Its
        arguments, results and options are those of ``get``.
        """
        return self._route_for("PATCH", pattern, options)

    def delete(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for DELETE (RFC 9110 §9.3.5), with the arguments, results and options of ``get``."""
        return self._route_for("DELETE", pattern, options)

    def query(self, pattern: str, **options: Unpack[RouteOptions]) -> Callable[[ToResponseLike], ToResponseLike]:
        """Register a handler for QUERY, a safe method with the query in its body (RFC 10008).

        In response to OPTIONS, the Accept-Query header lists the media types that the handler reads. Its
        arguments, results and options are those of ``get``.
        """
        return self._route_for("QUERY", pattern, options)

    def websocket(
        self,
        pattern: str,
        *,
        subprotocols: Iterable[str] = (),
        idle_timeout: Duration | None = None,
        **options: Unpack[RouteOptions],
    ) -> Callable[[S], S]:
        """Register a handler for WebSockets (RFC 6455). It is called with the request and the ``WebSocket``.

        The handshake is a GET request. It passes the same checks, hooks and middleware. If the handler raises an error
        or returns a value before the first message, that becomes the response. Handshakes from pages on other sites are
        refused (403), as writes are; a GET that is not a handshake gets a 426.

        The first of ``subprotocols`` that the client also offers is used. ``idle_timeout`` is seconds or a timedelta:
        the socket is closed with 1001 if the client has sent no message for that long. A ``deadline`` applies until the
        handshake is accepted or refused. The other options are those of ``get``. Raises the same errors as ``route``,
        and ValueError for a malformed subprotocol.
        """
        self._check_open()
        own_meta = check_options(pattern, options)
        parameters = self._parameters(pattern, options.get("host"))
        socket_options = SocketOptions(check_subprotocols(subprotocols), check_idle_timeout(idle_timeout))

        def register(function: S) -> S:
            self._check_open()
            route = make_route(pattern, ("GET",), function, options, own_meta, socket_options)
            self._check_route(route, parameters)
            self._registry.routes.append(route)
            return function

        return register

    def static(
        self, prefix: str, folder: str | PathLike[str], *, name: str = "static", **options: "Unpack[FolderOptions]"
    ) -> None:
        """Serve the files of a folder for GET requests below a prefix ("/" means all paths): see ``StaticFolder``.

        Below "/", a folder with an ``index.html`` and no ``404.html`` is that of a single-page app: its page is served
        for "/", and when a browser navigates to a path that nothing else handles.
        ``url_for("static", filename="css/site.css")`` includes the file's hash. Raises ValueError for a malformed
        prefix, and for a folder that is relative or missing.
        """
        from antiphon.app.static_files import StaticFolder, static_files

        self._check_open()
        # Otherwise the route's path would begin with two slashes.
        prefix = "" if prefix == "/" else prefix
        self._check_prefix(prefix, None)
        converter, handler = static_files(StaticFolder(folder, **options), not prefix)
        self._registry.converters[converter.name] = converter
        self.get(f"{prefix}/<{converter.name}:filename>", name=name)(handler)

    # Middleware and hooks

    @overload
    def middleware(self, function: M, /) -> M: ...
    @overload
    def middleware(
        self,
        /,
        *,
        blocking: bool = False,
        loads_body: bool = False,
        before_routing: bool = False,
        errors_at_yield: bool = False,
        when_read: Dependency[Any] | None = None,
    ) -> Callable[[M], M]: ...
    def middleware(
        self,
        function: M | None = None,
        /,
        *,
        blocking: bool = False,
        loads_body: bool = False,
        before_routing: bool = False,
        errors_at_yield: bool = False,
        when_read: Dependency[Any] | None = None,
    ) -> M | Callable[[M], M]:
        """Register middleware, a generator or async generator function, around everything that is registered after it.

        With ``blocking=True``, sync middleware is called on a thread even around async handlers. With
        ``loads_body=True``, the body is loaded before the middleware opens, whatever its size, as long as it is within
        the limits. With ``before_routing=True``, the middleware opens before the route is found, and may set the
        request's ``method`` and ``path``. With ``errors_at_yield=True``, errors of the code that the middleware wraps
        are raised at the ``yield``, which otherwise returns their responses. An error that the middleware doesn't catch
        is handled as usual; if it catches an error, it must make the response.

        ``when_read`` is a dependency, for plain middleware that does nothing before its ``yield``. The middleware then
        opens only if the request has read the dependency by the time the response is made, or may still read it. Raises
        TypeError for any other function, and for a yield inside ``with`` or ``try`` that would miss errors.
        """
        self._check_open()
        if before_routing and isinstance(self, Blueprint):
            raise explained(
                "for-whole-app", "the blueprint of a request is only known after routing: register this with the app"
            )
        parts = self._registry.before_routing if before_routing else self._registry.middleware

        def register(function: M) -> M:
            self._check_open()
            options = {"blocking": blocking, "loads_body": loads_body, "errors_at_yield": errors_at_yield}
            parts.append(middleware(function, **options, when_read=when_read))
            return function

        return register if function is None else register(function)

    @overload
    def before_request(self, function: B, /) -> B: ...
    @overload
    def before_request(self, /, *, blocking: bool = False, only_writes: bool = False) -> Callable[[B], B]: ...
    def before_request(
        self, function: B | None = None, /, *, blocking: bool = False, only_writes: bool = False
    ) -> B | Callable[[B], B]:
        """Register a function that is called with the request before the handler and may return a response instead.

        With ``only_writes``, it isn't called for a route that handles only safe methods, such as GET.
        """
        return self._hook(self._registry.before, function, blocking, "request", only_writes=only_writes)

    @overload
    def after_request(self, function: A, /) -> A: ...
    @overload
    def after_request(self, /, *, blocking: bool = False) -> Callable[[A], A]: ...
    def after_request(self, function: A | None = None, /, *, blocking: bool = False) -> A | Callable[[A], A]:
        """Register a function that is called with the request and the response and may return a different response.

        The last function registered is called first.
        """
        return self._hook(self._registry.after, function, blocking, "request", "response")

    def before_send(self, function: Callable[[Request, Response], None]) -> None:
        """Register a function that completes each response in place once all middleware is closed. For features.

        It is called with the request, and with a response that only this request uses. It must neither wait nor fail.
        Raises TypeError for a function that is async or has the wrong arguments.
        """
        self._check_open()
        check_sync("before_send", function)
        check_arguments(function, "request", "response")
        self._registry.finishers.append(function)

    def _hook(
        self, hooks: list[Hook], function: F | None, blocking: bool, *given: str, only_writes: bool = False
    ) -> F | Callable[[F], F]:
        self._check_open()

        def register(function: F) -> F:
            self._check_open()
            check_arguments(function, *given)
            check_returns(function, "app.middleware")
            if hooks is self._registry.before:
                check_before(function)
            hooks.append(hook(function, blocking)._replace(only_writes=only_writes))
            return function

        return register if function is None else register(function)

    @overload
    def errorhandler(self, key: type[X]) -> ErrorHandlerDecorator[X]: ...
    @overload
    def errorhandler(self, key: Literal[500]) -> ErrorHandlerDecorator[Exception]: ...  # type: ignore[overload-overlap]
    @overload
    def errorhandler(self, key: int) -> ErrorHandlerDecorator[HTTPError]: ...
    def errorhandler(self, key: type[Exception] | int) -> Any:
        """Register a function that handles a class of exceptions or a status. It is called with the request and the
        error.

        For a status, the error is an HTTPError; for 500 it may be any exception, because unhandled exceptions become a
        500. If several functions match, the most specific one is called. The response has the error's status unless the
        function sets a different one.
        """
        self._check_open()
        check_key(key)

        def register(function: F) -> F:
            self._check_open()
            self._registry.error_handlers.add(key, hook(function))
            check_arguments(function, "request", "error")
            return function

        return register

    # Blueprints

    def register(
        self, blueprint: "Blueprint", *, name: str | None = None, prefix: str | None = None, host: str | None = None
    ) -> None:
        """Register a blueprint. Its routes are handled below its prefix, inside the middleware and hooks here.

        ``name``, ``prefix`` and ``host`` default to the blueprint's own. You can register a blueprint several times,
        under different names. Routes that you add to it later, before the first request, are included. Raises
        ValueError for a malformed prefix, host or name, and for a name that another blueprint already has here. Raises
        TypeError for anything but a blueprint.
        """
        self._check_open()
        if not isinstance(blueprint, Blueprint):
            raise explained(
                "not-a-blueprint",
                f"{blueprint!r} is not a blueprint; mount an application: app.mount(prefix, application)",
                TypeError,
            )
        blueprint._check_prefix(
            blueprint.prefix if prefix is None else prefix, blueprint.host if host is None else host
        )
        wanted = blueprint.name if name is None else _blueprint_name(name)
        if any((included.name or included.blueprint.name) == wanted for included in self._registry.blueprints):
            raise explained(
                "bad-blueprint",
                f"a blueprint named {wanted!r} is already registered here: give one of them another name=",
            )
        self._registry.blueprints.append(IncludedBlueprint(blueprint, name, prefix, host))


class Blueprint(Routes, words=WORDS["Blueprint"], settings=ROUTES_ATTRIBUTES | WORDS["Blueprint"]):
    """Routes with their own hooks, middleware, error handlers and limits, registered with an app or another blueprint.

        shop = Blueprint("shop", prefix="/shop")

    ``name`` prefixes the names of its routes: ``url_for("shop.item")``. They are handled below ``prefix``, which may
    contain parameters, and at ``host``; ``limits``, ``deadline`` and ``meta`` apply to all that have no own.
    Raises ValueError for a name with a dot, and a malformed prefix or host, and TypeError for an unknown argument.
    """

    def __init__(
        self,
        name: str,
        *others: Never,
        prefix: str = "",
        host: str | None = None,
        limits: Limits | None = None,
        deadline: Duration | None = None,
        meta: Mapping[RouteKey[Any], object] | None = None,
        **unknown: Never,
    ) -> None:
        if others:
            message = f"a Blueprint takes its name, and settings by name: Blueprint({name!r}), without {others[0]!r}"
            raise explained("blueprint-takes-settings", message, TypeError)
        if unknown:
            message = unknown_setting(Blueprint, next(iter(unknown)), ROUTES | WORDS["Blueprint.__init__"])
            raise explained("blueprint-takes-settings", message, TypeError)
        super().__init__()
        self.name = _blueprint_name(name)
        self.prefix = prefix
        self.host = host
        self.limits = Limits.of(limits)
        self.deadline = check_deadline(deadline)
        self.meta = checked_meta(meta, f"the blueprint {name!r}")
        self._is_frozen = False
        self._check_prefix(prefix, host)

    def _check_open(self) -> None:
        """Check that something can still be registered. Raises RuntimeError once an application that includes it is
        serving requests.
        """
        if self._is_frozen:
            raise explained(
                "registered-too-late",
                f"an app with the blueprint {self.name!r} already serves requests: register before that; a function"
                " that makes several apps, and registers with the blueprint, also has to make the blueprint",
                RuntimeError,
            )

    def _converters(self) -> Mapping[str, Converter]:
        """Return the blueprint's converters, with a stand-in for each name that only the application may have
        registered.
        """
        return _Lenient(super()._converters())

    def _parameters(self, pattern: str, host: str | None) -> list[Parameter]:
        return super()._parameters(pattern or "/", host)

    def _check_route(self, route: Route, parameters: list[Parameter]) -> None:
        """Leave the check to the application's planning, when the parameters of all prefixes are known."""


class _Lenient(dict[str, Converter]):
    """Converters with a stand-in for unknown names: these are checked when the application is planned."""

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> Converter:
        return CONVERTERS["str"]


def _blueprint_name(name: str) -> str:
    if not name or "." in name:
        raise explained("bad-blueprint", f"a blueprint's name must not be empty or contain a dot: {name!r}")
    return name
