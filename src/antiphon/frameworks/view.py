"""One function as a view for every framework: each framework sees the ``def`` or ``async def`` that it needs."""

import sys
from collections.abc import Callable, Coroutine, Iterable
from functools import partial, update_wrapper
from inspect import Parameter, Signature
from types import FrameType, FunctionType, MappingProxyType, MethodType
from typing import Any, Literal, TypeAlias, TypeVar, overload

from antiphon.app.dispatch.hooks import BeforeHook
from antiphon.concurrency.loop import running_loop
from antiphon.explanations import explained
from antiphon.frameworks.recognition import is_known, needs_async_views
from antiphon.frameworks.view_function import CheckSignature, View, ViewOptions, WriteOnce
from antiphon.http.limits import Limits

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

    def __init__(self, wanted: list[Parameter]) -> None:
        request = Parameter("request", Parameter.POSITIONAL_OR_KEYWORD)
        others = [
            each.replace(kind=Parameter.KEYWORD_ONLY) for each in wanted if each.kind is Parameter.POSITIONAL_OR_KEYWORD
        ]
        super().__init__([request, *others], return_annotation=Any)

    @property
    def parameters(self) -> MappingProxyType[str, Parameter]:
        """The parameters by name."""
        found = super().parameters
        requests = sys.modules.get("starlette.requests")
        if requests is None:
            return found
        return MappingProxyType({**found, "request": found["request"].replace(annotation=requests.Request)})
