"""The dispatch of a request in steps: hooks, view, error handlers and response, and overridden methods.

Overridden methods are looked up once per application, not for each request. As in Flask 3.2, they are passed the
context if their first parameter asks for it.

A step stays on its thread or loop until it calls a function that needs the other: a ``def`` needs a thread, and an
``async def`` an event loop. So a request never leaves its thread if all its functions are ``def``, and needs no thread
if all are ``async def``. If the application overrides a method, that is called in place of the step.
"""

from collections.abc import Callable, Coroutine, Iterator
from functools import lru_cache
from inspect import iscoroutinefunction
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.dialects.flask import signals
from antiphon.dialects.flask.bodies import ServerBody
from antiphon.dialects.flask.globals import _app_context, _cv_app, request
from antiphon.dialects.flask.helpers import parents_of
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.exceptions.base import BadRequestKeyError, HTTPException
from antiphon.dialects.werkzeug.exceptions.statuses import InternalServerError
from antiphon.dialects.werkzeug.routing.exceptions import RoutingException
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.embedding import ON_LOOP, ON_THREAD, NotBegun, describe, signature_of

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.ctx import AppContext
    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.wrappers import Request, Response


STEPS = (
    "full_dispatch_request",
    "preprocess_request",
    "dispatch_request",
    "process_response",
    "finalize_request",
    "handle_exception",
    "handle_user_exception",
    "handle_http_exception",
    "log_exception",
    "make_default_options_response",
    "do_teardown_request",
    "do_teardown_appcontext",
)
"""The methods that may accept a context."""

OTHERS = ("make_response", "ensure_sync", "async_to_sync", "wsgi_app")
"""The methods that accept no context, but may block or change how functions are called."""

OVERRIDABLE = frozenset((*STEPS, *OTHERS))


def overrides_of(app: object, own: dict[str, Any]) -> dict[str, Callable[..., Any]]:
    """Return the methods that an application overrides, as functions of a context and arguments.

    A replaced ``__call__``, which Sentry uses to instrument applications, is treated as a replaced ``wsgi_app``.
    """
    found: dict[str, Callable[..., Any]] = {}
    for name in OVERRIDABLE:
        if name in vars(app) or getattr(type(app), name) is not own[name]:
            method = getattr(app, name)
            found[name] = method if name in STEPS and takes_context(method) else _without_context(method)
    if getattr(type(app), "__call__") is not own["__call__"]:  # noqa: B004, B009 - the class's, not the instance's
        found.setdefault("wsgi_app", _without_context(app))  # type: ignore[arg-type]  # applications are callable
    return found


def _without_context(method: Callable[..., Any]) -> Callable[..., Any]:
    return lambda _, *args: method(*args)


def takes_context(method: Callable[..., Any]) -> bool:
    """Return True if the first parameter of a bound method is a context, judging by its name or annotation."""
    try:
        first = next(iter(signature_of(method).parameters.values()), None)
    except (ValueError, TypeError):
        return False
    if first is None or first.kind is first.VAR_POSITIONAL:
        return False
    if first.name == "ctx":
        return True
    annotation = first.annotation
    name = annotation if isinstance(annotation, str) else getattr(annotation, "__name__", "")
    return name.rpartition(".")[2].strip("'\"") == "AppContext"


def given(args: tuple[Any, ...], named: dict[str, Any]) -> "tuple[AppContext, list[Any]]":
    """Split a call's arguments into the context, if they start with one, and the rest."""
    from antiphon.dialects.flask.ctx import AppContext

    rest = [*args, *named.values()]
    if rest and isinstance(rest[0], AppContext):
        return rest[0], rest[1:]
    return _cv_app.get() or _app_context(), rest


def made_response(app: "App", result: Any) -> "Response":
    """Convert a view's result to a response. Raises TypeError for an invalid result."""
    if type(result) is str:
        return app.response_class(result)
    status = headers = None
    if isinstance(result, tuple):
        result, status, headers = _parts(result)
    if result is None:
        endpoint = request.endpoint if request else None
        raise TypeError(
            f"The view function for {endpoint!r} did not return a valid response. The function either returned None or"
            f" ended without a return statement.{_view()}"
        )
    cls = app.response_class
    if isinstance(result, cls):
        response = result
    elif isinstance(result, (dict, list)):
        response = app.json.response(result)
    elif isinstance(result, (str, bytes, bytearray, Iterator)):
        return cls(result, status=status, headers=headers)  # type: ignore[arg-type]  # an iterator of text or bytes
    else:
        response = _forced(cls, result)
    if status is not None:
        response.status = status.decode() if isinstance(status, (bytes, bytearray)) else status
    if headers:
        response.headers.update(headers)
    return response


def _parts(result: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return the body, status and headers of a tuple."""
    if len(result) == 3:
        return result
    if len(result) == 2:
        body, second = result
        return (body, None, second) if isinstance(second, (Headers, dict, tuple, list)) else (body, second, None)
    raise TypeError(
        "The view function did not return a valid response tuple. The tuple must have the form (body, status, headers),"
        f" (body, status), or (body, headers).{_view()}"
    )


def _view() -> str:
    """Return a sentence with the name and location of the current view, for error messages; empty if there is none."""
    ctx = _cv_app.get()
    endpoint = ctx.request.endpoint if ctx is not None and ctx.has_request else None
    function = None if ctx is None else ctx.app.view_functions.get(endpoint)  # type: ignore[arg-type]  # None has no view
    return "" if function is None else f" It is {describe(function)}, the view of {endpoint!r}."


def _forced(cls: "type[Response]", result: Any) -> "Response":
    """Return a response of the given class, made from another response or by a WSGI application."""
    kind = type(result).__name__
    wanted = (
        "The view function did not return a valid response. The return type must be a string, dict, list, tuple with"
        f" headers or status, Response instance, or WSGI callable, but it was a {kind}.{_view()}"
    )
    if not (isinstance(result, BaseResponse) or callable(result)):
        raise TypeError(wanted)
    try:
        return cls.force_type(result, request.environ)
    except TypeError as error:
        raise TypeError(f"{error}\n{wanted}").with_traceback(error.__traceback__) from None


T = TypeVar("T")

_COROUTINE = 0x80
"""The flag that marks the code object of a coroutine function."""


def waits(function: Callable[..., Any]) -> bool:
    """Return True for a coroutine function, or for a function that is marked as one."""
    code = getattr(function, "__code__", None)
    if code is None or getattr(function, "__dict__", None):  # it may be marked
        return iscoroutinefunction(function)
    return bool(code.co_flags & _COROUTINE)


async def to_thread(ctx: "AppContext") -> None:
    """Continue on a thread, where blocking is allowed."""
    if ctx.is_on_loop:
        await ctx.to_thread
        ctx.is_on_loop, ctx.to_thread = False, ON_THREAD


async def call(ctx: "AppContext", function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Call a ``def`` on a thread, or an ``async def`` on the loop, and return the result."""
    if waits(function) and not ctx.app.syncs_itself:
        request = ctx._request
        if request is not None and (ctx.body is not None or not ctx.is_on_loop):
            if ctx.body is None:
                ctx.body = ServerBody.of(request.environ)
            await ctx.body.load(request)
        if not ctx.is_on_loop:
            await ON_LOOP
            ctx.is_on_loop = True
        ctx.to_thread = ON_THREAD
        return await function(*args, **kwargs)
    await to_thread(ctx)
    return (ctx.app.ensure_sync(function) if ctx.app.syncs_itself else function)(*args, **kwargs)


async def send(ctx: "AppContext", signal: Any, **values: Any) -> None:
    if not has_receivers(ctx.app, signal):
        return
    await to_thread(ctx)
    signal.send(ctx.app, _async_wrapper=ctx.app.ensure_sync, **values)


def has_receivers(app: "Flask", signal: Any) -> bool:
    """Return True if a signal has receivers in an application. Garbage-collected ones may count for a while."""
    return bool(signal.receivers) and next(iter(signal.receivers_for(app)), None) is not None


async def replaced(ctx: "AppContext", name: str, *args: Any) -> Any:
    """Call a method that the application overrides. Return its result."""
    await to_thread(ctx)
    return ctx.app.overrides[name](ctx, *args)


async def step(ctx: "AppContext", own: Callable[..., Coroutine[Any, Any, T]], *args: Any) -> T:
    """Run a step in this module, or the application's method of that name if it is overridden. Return the result."""
    if own.__name__ in ctx.app.overrides:
        return await replaced(ctx, own.__name__, *args)  # type: ignore[no-any-return]  # like the replaced method
    return await own(ctx, *args)


async def full_dispatch_request(ctx: "AppContext") -> "Response":
    """Return the response to a context's request. Raises errors that have no error handler."""
    app = ctx.app
    if not app._got_first_request:  # noqa: SLF001 - Flask's name
        app._got_first_request = True  # noqa: SLF001
    result = None
    try:
        if "HTTP_UPGRADE" in ctx.request.environ:
            from antiphon.dialects.flask.websockets import refuse_other_sites

            refuse_other_sites(ctx.request.environ, app.config.get("TRUSTED_ORIGINS") or ())
        if signals.request_started.receivers:
            await send(ctx, signals.request_started)
        if app.before_request_funcs or app.url_value_preprocessors or app.overrides:
            result = await step(ctx, preprocess_request)
        if result is None:
            result = await step(ctx, dispatch_request)
    except NotBegun:
        raise
    except Exception as error:
        result = await step(ctx, handle_user_exception, error)
    try:
        return await step(ctx, finalize_request, result)
    finally:
        del result  # an error that is the response would refer to this frame


async def preprocess_request(ctx: "AppContext") -> Any:
    """Call the before-request functions until one returns a response. Return that response, or None."""
    app, request = ctx.app, ctx.request
    names = hook_names(request)
    if preprocessors := app.url_value_preprocessors:
        for name in names:
            for preprocessor in preprocessors.get(name, ()):
                await to_thread(ctx)
                preprocessor(request.endpoint, request.view_args)
    functions = app.before_request_funcs
    for name in names:
        if name in functions:
            for function in functions[name]:
                result = await call(ctx, function)
                if result is not None:
                    return result
    return None


@lru_cache(maxsize=4096)
def _hooks_of(endpoint: str) -> tuple[str | None, ...]:
    """Return the hook keys for an endpoint: None for the application, then its blueprints, outermost first."""
    blueprint = endpoint.rpartition(".")[0]
    return (None, *reversed(parents_of(blueprint))) if blueprint else (None,)


def hook_names(request: "Request") -> tuple[str | None, ...]:
    """Return the hook keys for a request: None for the application, then its blueprints, outermost first."""
    rule = request.url_rule
    return (None,) if rule is None else _hooks_of(rule.endpoint)


async def dispatch_request(ctx: "AppContext") -> Any:
    """Return the view's result. Raises the routing exception if the request matches no view."""
    app, request = ctx.app, ctx.request
    if request.routing_exception is not None:
        app.raise_routing_exception(request)
    rule: Any = request.url_rule
    if request.method == "OPTIONS" and getattr(rule, "provide_automatic_options", False):
        if "make_default_options_response" in app.overrides:
            return await replaced(ctx, "make_default_options_response")
        return app.make_default_options_response()
    view = app.view_functions[rule.endpoint]
    if ctx.is_on_loop and (find := getattr(view, "__dict__", {}).get("coroutine_function")):
        view = find(view, request.method) or view
    if ctx.is_on_loop or app.syncs_itself or waits(view):
        return await call(ctx, view, **request.view_args)  # type: ignore[arg-type]  # a match provides values
    return view(**request.view_args)  # type: ignore[arg-type]  # a match provides values


async def handle_user_exception(ctx: "AppContext", error: Exception) -> Any:
    """Return the error handler's result, or the HTTP exception itself. Raises an error that has no handler."""
    app = ctx.app
    if isinstance(error, BadRequestKeyError) and (app.debug or app.config["TRAP_BAD_REQUEST_ERRORS"]):
        error.show_exception = True
    if isinstance(error, HTTPException) and not app.trap_http_exception(error):
        return await step(ctx, handle_http_exception, error)
    handler = app._find_error_handler(error, ctx.request.blueprints)  # noqa: SLF001 - Flask's name
    if handler is None:
        raise error
    return await call(ctx, handler, error)


async def handle_http_exception(ctx: "AppContext", error: HTTPException) -> Any:
    """Return the error handler's result, or the exception, which is itself a response."""
    if error.code is None or isinstance(error, RoutingException):
        return error
    handler = ctx.app._find_error_handler(error, ctx.request.blueprints)  # noqa: SLF001 - Flask's name
    return error if handler is None else await call(ctx, handler, error)


async def handle_exception(ctx: "AppContext", error: Exception) -> "Response":
    """Return the response to an unhandled error: the result of the handler for 500, or a default page.

    In debug mode, in tests, or with PROPAGATE_EXCEPTIONS, raises the error instead.
    """
    app = ctx.app
    if signals.got_request_exception.receivers:
        await send(ctx, signals.got_request_exception, exception=error)
    propagates = app.config["PROPAGATE_EXCEPTIONS"]
    if app.testing or app.debug if propagates is None else propagates:
        raise error
    exc_info = (type(error), error, error.__traceback__)
    if "log_exception" in app.overrides:
        await replaced(ctx, "log_exception", exc_info)
    else:
        app.log_exception(exc_info)
    answer: Any = InternalServerError(original_exception=error)
    handler = app._find_error_handler(answer, ctx.request.blueprints)  # noqa: SLF001 - Flask's name
    if handler is not None:
        answer = await call(ctx, handler, answer)
    return await step(ctx, finalize_request, answer, True)


async def finalize_request(ctx: "AppContext", result: Any, from_error_handler: bool = False) -> "Response":
    """Make a response from a view's result, call the after-request functions, and return the response.

    With ``from_error_handler``, errors in those functions are logged, not raised.
    """
    app = ctx.app
    if "make_response" in app.overrides:
        await to_thread(ctx)
    response = app.make_response(result)
    try:
        response = await step(ctx, process_response, response)
        if signals.request_finished.receivers:
            await send(ctx, signals.request_finished, response=response)
    except Exception:
        if not from_error_handler:
            raise
        app.logger.exception("The error's response was made, but code that runs after the request failed")
    return response


async def process_response(ctx: "AppContext", response: "Response") -> "Response":
    """Call the after-request functions, save the session, and return the response."""
    app = ctx.app
    for function in ctx._after_request_functions:  # noqa: SLF001 - Flask's name
        response = await call(ctx, function, response)
    if functions := app.after_request_funcs:
        for name in reversed(hook_names(ctx.request)):
            if name in functions:
                for function in reversed(functions[name]):
                    response = await call(ctx, function, response)
    session: Any = ctx._opened  # noqa: SLF001 - same package; None if the session has not been used
    interface = app.session_interface
    if session is not None and not interface.is_null_session(session):
        if ctx.is_on_loop and app.session_may_block:
            await to_thread(ctx)
        interface.save_session(app, session, response)
    return response
