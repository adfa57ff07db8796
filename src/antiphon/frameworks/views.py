"""Views for every framework: a function that each sees as it needs, ``def`` or ``async def``, with path and URL."""

import sys
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import timedelta
from functools import partial, update_wrapper
from inspect import Parameter as Argument
from inspect import Signature
from types import FrameType, FunctionType, MappingProxyType, MethodType
from typing import Any, Literal, TypeAlias, TypeVar, overload

from antiphon.app.application import App
from antiphon.app.blueprint import Blueprint
from antiphon.app.dispatch.hooks import BeforeHook
from antiphon.app.planning.signed_urls import Signing
from antiphon.app.route import Route, make_route
from antiphon.app.url_for import Reverse
from antiphon.concurrency.loop import running_loop
from antiphon.explanations import explained
from antiphon.frameworks.framework import Framework, ViewRoute
from antiphon.frameworks.recognition import framework_of_app, is_known, needs_async_views
from antiphon.frameworks.view_function import CheckSignature, View, ViewOptions, WriteOnce
from antiphon.http.limits import Limits
from antiphon.http.urls.url import quote_path, unquote
from antiphon.request.request import Request
from antiphon.request.route import PLACED_VIEW
from antiphon.routing.converters import CONVERTERS
from antiphon.routing.pattern import Parameter, Segment, parse_pattern
from antiphon.serialization.signing import Signer

Interface: TypeAlias = Literal["wsgi", "asgi", "auto"]
V = TypeVar("V", bound=Callable[..., Any])
_LITESTARS = "__import__('litestar').Request"
"""The annotation for Litestar. It is evaluated in the namespace of the view's module once that is imported."""


@overload
def view(function: Callable[..., Any], /) -> Callable[..., Any]: ...
@overload
def view(
    *,
    methods: Iterable[str] | None = None,
    interface: Interface | None = None,
    limits: Limits | None = None,
    before: BeforeHook | Iterable[BeforeHook] = (),
    idempotent: WriteOnce | None = None,
    signed_by: CheckSignature | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]: ...
def view(
    function: Callable[..., Any] | None = None,
    /,
    *,
    methods: Iterable[str] | None = None,
    interface: Interface | None = None,
    limits: Limits | None = None,
    before: BeforeHook | Iterable[BeforeHook] = (),
    idempotent: WriteOnce | None = None,
    signed_by: CheckSignature | None = None,
) -> Any:
    """Turn a function that takes a ``Request`` into a view for each framework that ``Request.from_framework`` supports.

    You can use this as a decorator. The function is ``def`` or ``async def`` and returns the same values as handlers.
    Its other parameters are those of the route, by name; ``request.path_params`` contains all of them. The body is
    loaded before the call, within ``limits`` and the framework's own limits, and errors become problem details or a
    page. Everything that the framework does around its views, such as sessions and CSRF protection, still works.

    With ``methods``, requests with other methods get a 405 with Allow, whatever the framework accepts. GET includes
    HEAD. Flask and Quart register the view for these methods.

    A parameter with a type, such as ``number: int``, is converted if the framework passes text; if that fails, the
    response is a 404, as for a route ``<int:number>``.

    Frameworks see a ``def`` or an ``async def`` function, as you wrote it, unless ``interface`` says otherwise: "wsgi"
    for an ``async def`` in Flask, or in Falcon without an event loop; "asgi" for a ``def`` in aiohttp, Litestar, Quart,
    or in Falcon with an event loop. Other frameworks accept either. With "auto", the same view works in all of these:
    each framework sees the kind that it needs.

    ``before`` is one or more functions that are called with the request before the body is loaded. Each can return a
    response, which is sent instead, or raise an error, as ``RateLimit("5/minute")`` does. With
    ``idempotent=IdempotentWrites(store)``, a write is executed once for each Idempotency-Key. With
    ``signed_by=Signatures(keys)``, only signed requests are accepted. All of them work as for a route of an ``App``.

    Raises TypeError for functions that can't be called with a request, and ValueError for an unknown interface and for
    an ``idempotent`` view that can't be executed just once, such as a generator.
    """
    if interface not in (None, "wsgi", "asgi", "auto"):
        raise explained("bad-view", f"the interface of a view must be 'wsgi', 'asgi' or 'auto', not {interface!r}")
    options = ViewOptions.of(methods, limits, before, idempotent, signed_by)
    if function is None:
        return partial(_made, options=options, interface=interface)
    return _made(function, options, interface)


def _made(function: Callable[..., Any], options: ViewOptions, interface: Interface | None) -> Callable[..., Any]:
    return shown_as(View(function, options), interface)


def shown_as(called: View, interface: Interface | None) -> Callable[..., Any]:
    """Return a view as the function that a framework sees: an ``async def`` for "asgi", a ``def`` for "wsgi"."""
    looks_async = interface == "asgi" or (interface is None and called.is_async)

    def call(*args: Any, **kwargs: Any) -> Any:
        given, framework, rest = called.find(args, kwargs)
        if looks_async and framework.awaits_coroutine_functions:
            return called.respond_on_loop(given, framework, rest)
        if framework.runs_on_loop(given) and running_loop() is not None:
            if interface != "auto":  # the framework sees an `async def`
                framework.check_awaits()
            return called.respond_on_loop(given, framework, rest)
        if framework.runs_on_loop(given) and (called.is_async or not framework.calls_on_threads):
            return framework.run_on_loop(partial(called.respond_on_loop, given, framework, rest))
        return called.respond(given, framework, rest)

    if interface == "auto":
        seen: Callable[..., Any] = AutoView(call)  # pyright: ignore[reportAssignmentType]
        return _dressed(seen, called)
    return _dressed(_marked(call) if looks_async else call, called)


def _marked(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function that looks like an ``async def``, but responds immediately if nothing awaits it.

    Python 3.11 can't mark a function this way: there, it is an ``async def`` and must always be awaited.
    """
    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        return markcoroutinefunction(call)

    async def acall(*args: Any, **kwargs: Any) -> Any:
        result = call(*args, **kwargs)
        return await result if isinstance(result, Coroutine) else result

    return acall


class AutoView:
    """A view that is a ``def`` for frameworks that call functions, and an ``async def`` for frameworks that await them.

    It can't be both, so its attributes depend on the framework that reads them. Other code sees a callable object.
    """

    def __init__(self, call: Callable[..., Any]) -> None:
        self._call = call

    @property
    def __call__(self) -> Callable[..., Any]:
        """The function that handles requests. Not a method, because Litestar would read the method's own
        annotations.
        """
        return self._call

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else MethodType(self._call, instance)

    def __deepcopy__(self, memo: Any) -> "AutoView":
        """Return this view itself, as for functions, which aren't copied either."""
        return self

    @property  # type: ignore[misc]
    def __class__(self) -> type:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The type of functions, as Starlette and others require. Falcon accepts other callables over WSGI and ASGI."""
        return AutoView if _asking() in ("", "falcon") else FunctionType

    @property
    def __code__(self) -> Any:
        """The code of an ``async def`` for frameworks that await their views, otherwise of a ``def``."""
        return (_awaited if needs_async_views(_asking()) else self._call).__code__

    __defaults__ = __kwdefaults__ = None


_LOOKED_AT_WITH = ("inspect", "asyncio", "functools", "asgiref", "antiphon")


async def _awaited() -> None: ...


def _asking() -> str:
    """Return the package of the framework whose code reads a view; "" for code outside of frameworks."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        package = frame.f_globals.get("__name__", "").partition(".")[0]
        if package not in _LOOKED_AT_WITH:
            return package if is_known(package) or package == "fasthtml" else ""
        frame = frame.f_back
    return ""


def _dressed(call: V, called: View) -> V:
    """Give a view its function's names, and the signature by which FastAPI and Litestar call it."""
    update_wrapper(call, called.function, ("__module__", "__name__", "__qualname__", "__doc__"))
    del call.__wrapped__  # type: ignore[attr-defined]  # they would use the function's own signature
    wanted = called.parameters if called.path is None else [each.replace(annotation=Any) for each in called.parameters]
    signature = _ViewSignature(wanted)
    call.__view__ = called  # type: ignore[attr-defined]
    if called.options.methods:
        call.methods = called.options.methods  # type: ignore[attr-defined]  # Flask and Quart read it
    call.__signature__ = signature  # type: ignore[attr-defined]
    call.__annotations__ = {each.name: each.annotation for each in signature.parameters.values()}
    call.__annotations__ |= {"request": _LITESTARS, "return": Any}
    return call


class _ViewSignature(Signature):
    """The signature of a view: a request, and the parameters of the route.

    FastAPI and FastHTML check the request's type, which is Starlette's once Starlette is imported.
    """

    def __init__(self, wanted: list[Argument]) -> None:
        request = Argument("request", Argument.POSITIONAL_OR_KEYWORD)
        others = [
            each.replace(kind=Argument.KEYWORD_ONLY) for each in wanted if each.kind is Argument.POSITIONAL_OR_KEYWORD
        ]
        super().__init__([request, *others], return_annotation=Any)

    @property
    def parameters(self) -> MappingProxyType[str, Argument]:
        """The parameters by name."""
        found = super().parameters
        requests = sys.modules.get("starlette.requests")
        if requests is None:
            return found
        return MappingProxyType({**found, "request": found["request"].replace(annotation=requests.Request)})


class Views:
    """Views by their paths, all added to an application by one call: ``Views({"/": index}).add_to(app, "/feedback")``.

    A path is written as in an ``App``, ``/<int:number>``, with whole segments as parameters. A view is a function,
    which handles GET and HEAD, or a view with options, made by ``view``. In each view, ``request.url_for("item",
    number=7)`` returns the path of another view, wherever the views have been added, even below a prefix that the
    framework itself adds.

    Raises TypeError for functions that can't be called with a request and the parameters of their path, and ValueError
    for malformed paths.
    """

    def __init__(self, views: Mapping[str, Callable[..., Any]]) -> None:
        self._views = {pattern: _as_view(function) for pattern, function in views.items()}
        routes = [make_route(pattern, each.options.methods, each.function, {}) for pattern, each in self._views.items()]
        self._paths = {route.pattern: _Path(route) for route in routes}
        self.reverse = Reverse(routes, CONVERTERS, _not_signed)
        for path in self._paths.values():
            path.views = self

    def add_to(self, app: Any, prefix: str = "") -> None:
        """Add the views to an application, below a prefix.

        ``app`` is an ``App`` or a ``Blueprint`` of Antiphon; an application of aiohttp, Bottle, Falcon, FastAPI, Flask,
        Litestar, Quart, Sanic, Starlette or Tornado, or its blueprint or router; Pyramid's configurator; or Django's
        list of URL patterns. Each view gets a name for the framework's own ``url_for``, such as ``feedback_item``: the
        prefix and the function's name.

        Raises TypeError for any other object.
        """
        prefix = prefix.rstrip("/")
        if isinstance(app, App | Blueprint):
            for pattern, each in self._views.items():
                options = each.options
                if options.idempotent is not None or options.signed_by is not None:
                    raise explained("bad-view", "idempotent and signed_by must be features of an App, not of its views")
                methods = [method for method in options.methods if method != "HEAD"]
                path = self._paths[pattern]
                name, meta = _name(prefix, path.route.name), {PLACED_VIEW: path}
                app.route(
                    prefix + pattern, methods, name=name, limits=options.limits, before=options.before, meta=meta
                )(each.function)
            return
        framework = framework_of_app(app)
        for pattern, each in self._views.items():
            path = self._paths[pattern]
            written = path.written(prefix, framework)
            called = shown_as(View(each.function, each.options, path), "auto")
            try:
                framework.add_route(app, ViewRoute(written, _name(prefix, path.route.name), called))
            except (NotImplementedError, AttributeError) as error:
                if isinstance(error, AttributeError) and error.obj is not app:
                    raise
                kind = type(app)
                raise explained(
                    "bad-view",
                    f"views can't be added to a {kind.__module__}.{kind.__qualname__}: call them there",
                    TypeError,
                ) from None


def _as_view(function: Callable[..., Any]) -> View:
    made: View = getattr(function, "__view__", None) or view(function).__view__  # type: ignore[attr-defined]
    if made.options.methods:
        return made
    return View(made.function, made.options._replace(methods=("GET", "HEAD")))


def _not_signed(salt: str) -> Signer:  # noqa: ARG001 - the argument of such a function
    raise explained("bad-signed-url", "the URLs of views must not be signed")


def _name(prefix: str, name: str) -> str:
    words = [*prefix.strip("/").split("/"), name] if prefix.strip("/") else [name]
    return "_".join("".join(each if each.isalnum() else "_" for each in word) for word in words)


class _Path:
    """The path of a view, in the syntax of any framework, and the location of the views in a request's path."""

    views: Views

    def __init__(self, route: Route) -> None:
        self.route = route
        self._segments = parse_pattern(route.pattern)
        self._parameters = {each.name: each for each in self._segments if isinstance(each, Parameter)}
        self._spanning = [name for name, each in self._parameters.items() if each.converter.spans]
        if any(not isinstance(each, str | Parameter) for each in self._segments):
            raise explained("bad-path", f"a parameter of a view's path must be a whole segment: {route.pattern!r}")
        route.arguments.check(route.handler, route.where, [*self._parameters.values()], ())

    @property
    def names(self) -> list[str]:
        """The names of the parameters, in the order of the path."""
        return [*self._parameters]

    def written(self, prefix: str, framework: Framework) -> str:
        """Return the path in a framework's syntax, below a prefix."""
        return framework.literal(prefix) + "".join(f"/{_written(each, framework)}" for each in self._segments)

    def texts(self, request: Request, params: Mapping[str, Any], framework: Framework) -> dict[str, str]:
        """Return the decoded values of parameters as text, and tell the request its location for ``url_for``."""
        texts = {name: str(params[name]) for name in self._parameters}
        for name in self._spanning:
            texts[name] = (unquote(texts[name].encode()) if framework.encoded_spans else texts[name]).lstrip("/")
        request._urls = _URLs(self, request.path, texts)
        return texts

    def urls(self, request: Request, wanted: object) -> "_URLs | None":
        """Return the URLs of the views as seen from a request to an application of Antiphon, if they have the route."""
        if not self.views.reverse.has(wanted):
            return None
        return _URLs(self, request.path, {name: str(request.path_params[name]) for name in self._parameters})

    def converted(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Convert parameters with the path's converters. Raises ValueError for an invalid value."""
        return {name: each.converter.to_python(texts[name]) for name, each in self._parameters.items()}

    def prefix_in(self, path: str, texts: Mapping[str, str]) -> str:
        """Return the part of a request's path that precedes the view's path with these parameter values.

        Frameworks add their own prefixes, so only the request reveals it.
        """
        count = len(self._segments) + sum(text.count("/") for text in texts.values())  # some slashes are sent encoded
        segments = path.split("/")
        if self._segments[-1] == "" and segments[-1] != "":  # the framework also accepts the path without its slash
            count -= 1
        elif self._segments[-1] != "" and segments[-1] == "":
            count += 1
        return "/".join(segments[: len(segments) - count])


def _written(segment: Segment, framework: Framework) -> str:
    if isinstance(segment, Parameter):
        return framework.parameters[segment.converter.spans].format(segment.name)
    return framework.literal(str(segment))


class _URLs:
    """The URLs of views, as seen from one request."""

    def __init__(self, path: _Path, requested: str, texts: Mapping[str, str]) -> None:
        self._path = path
        self._requested = requested
        self._texts = texts

    def url_for(
        self,
        route: str | Callable[..., object],
        /,
        *args: object,
        _expires: float | timedelta | None = None,
        _method: str | None = None,
        _mounted_at: str = "",
        **params: object,
    ) -> str:
        """Return the path of a view below the root path. Raises the same errors as ``App.url_for``."""
        reverse = self._path.views.reverse
        named = reverse.named_arguments(route, args, params) if args else params
        below = reverse.url(route, named, Signing(_expires, _method, _mounted_at))
        return quote_path(self._path.prefix_in(self._requested, self._texts)) + below
