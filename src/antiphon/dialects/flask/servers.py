"""The application from a server's point of view: calls over each interface, responses over ASGI and RSGI, and the end
of a context, step by step.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from antiphon import Response as NativeResponse
from antiphon import from_wsgi
from antiphon.dialects._environ.heads import forget_frames
from antiphon.dialects.flask import dispatch, signals
from antiphon.dialects.flask.bodies import SERVER_BODY
from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.flask.running import drive
from antiphon.dialects.werkzeug.routing.converters import DEFAULT_CONVERTERS
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.embedding import BEGIN_ON_THREAD, NotBegun, Steps, started_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon import Request as NativeRequest
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.bodies import NativeBody
    from antiphon.dialects.flask.ctx import AppContext
    from antiphon.dialects.flask.wrappers import Request


async def leave(ctx: "AppContext", exc: BaseException | None) -> None:
    """Pop a context and tear it down, step by step."""
    if ctx._leave_at_once():  # noqa: SLF001 - same package
        return
    try:
        if len(ctx._outer) == 1:  # noqa: SLF001 - same package
            if ctx._pins:  # noqa: SLF001
                ctx._leaves_later = True  # noqa: SLF001
            else:
                await tear_down(ctx, exc)
    finally:
        current = _take_off(ctx)
    if signals.appcontext_popped.receivers and ctx.host is None:
        await dispatch.send(ctx, signals.appcontext_popped)
    if current is not ctx:
        raise AssertionError(f"Popped wrong context. ({current!r} instead of {ctx!r})")


def _take_off(ctx: "AppContext") -> "AppContext | None":
    """Make the outer context current, or take this one from below the requests that it hosts, which stay current.

    Return this context, or the one that was current in its place.
    """
    current = upper = _cv_app.get()
    outer = ctx._pop_outer()  # noqa: SLF001 - same package, here and below
    while upper is not None and upper.host is ctx and ctx._request is None and (below := upper._outer):  # noqa: SLF001
        if below[-1] is ctx:
            below[-1] = outer
            return ctx
        upper = below[-1]
    _cv_app.set(outer)
    return current


async def tear_down(ctx: "AppContext", exc: BaseException | None) -> None:
    """Call the teardown functions of a request and of the application, step by step.

    All of them are called, even if one fails. A single error is raised unchanged, and several are raised as a group.
    """
    errors: list[BaseException] = []
    request = ctx._request
    if request is not None:
        await tear_down_request(ctx, request, exc, errors)
        ctx._request = None
    try:
        if ctx.host is None:
            await tear_down_app(ctx, exc, errors)
    finally:
        ctx._request = request
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise BaseExceptionGroup("errors of teardown functions", errors)


def run(ctx: "AppContext", steps: Callable[..., Steps[None]], exc: BaseException | None) -> None:
    """Run ``do_teardown_request`` or ``do_teardown_appcontext`` on this thread.

    Raises the first error in the functions that it calls.
    """
    errors: list[BaseException] = []
    drive(ctx, steps(ctx, exc, errors))
    if errors:
        raise errors[0]


def has_teardown(app: "Flask") -> bool:
    """Return True if there is anything to call at the end of a context."""
    return bool(
        app.teardown_appcontext_funcs
        or app.teardown_request_funcs
        or signals.request_tearing_down.receivers
        or signals.appcontext_tearing_down.receivers
        or signals.appcontext_popped.receivers
        or app.overrides
    )


async def tear_down_request(
    ctx: "AppContext", request: "Request", exc: BaseException | None, errors: list[BaseException]
) -> None:
    """Call a request's teardown functions, then close it. Errors are appended to ``errors``."""
    app = ctx.app
    if "do_teardown_request" in app.overrides:
        await _noting(errors, dispatch.replaced(ctx, "do_teardown_request", exc))
    else:
        await do_teardown_request(ctx, exc, errors)
    try:
        close(ctx, request)
    except Exception as error:
        errors.append(error)


def close(ctx: "AppContext", request: "Request") -> None:
    """Close a request and release it, since its environ and its exception's traceback refer to it, too."""
    if (error := request.routing_exception) is not None:
        forget_frames(error)
    if not ctx.is_copy and (body := ctx.body or request.environ.get(SERVER_BODY)) is not None:
        body.close()
    request.close()
    request.environ["werkzeug.request"] = None


async def do_teardown_request(ctx: "AppContext", exc: BaseException | None, errors: list[BaseException]) -> None:
    """Call a request's teardown functions. Errors are appended to ``errors``."""
    functions = ctx.app.teardown_request_funcs
    if functions:
        for name in reversed(dispatch.hook_names(ctx.request)):
            await _call_all(ctx, functions.get(name, ()), exc, errors)
    if signals.request_tearing_down.receivers:
        await _noting(errors, dispatch.send(ctx, signals.request_tearing_down, exc=exc))


async def tear_down_app(ctx: "AppContext", exc: BaseException | None, errors: list[BaseException]) -> None:
    """Call the teardown functions of an application context. Errors are appended to ``errors``."""
    if "do_teardown_appcontext" in ctx.app.overrides:
        await _noting(errors, dispatch.replaced(ctx, "do_teardown_appcontext", exc))
    else:
        await do_teardown_appcontext(ctx, exc, errors)


async def do_teardown_appcontext(ctx: "AppContext", exc: BaseException | None, errors: list[BaseException]) -> None:
    """Call the teardown functions of an application context. Errors are appended to ``errors``."""
    await _call_all(ctx, ctx.app.teardown_appcontext_funcs, exc, errors)
    if signals.appcontext_tearing_down.receivers:
        await _noting(errors, dispatch.send(ctx, signals.appcontext_tearing_down, exc=exc))


async def _call_all(
    ctx: "AppContext", functions: Iterable[Callable[..., Any]], exc: BaseException | None, errors: list[BaseException]
) -> None:
    for function in reversed([*functions]):
        await _noting(errors, dispatch.call(ctx, function, exc))


async def _noting(errors: list[BaseException], steps: Any) -> None:
    try:
        await steps
    except Exception as error:
        errors.append(error)


def interface_of(app: "Flask") -> Literal["wsgi", "asgi"]:
    """Return WSGI if all views, hooks and error handlers are plain functions and none is for WebSockets, else ASGI."""
    if any(rule.websocket for rule in app.url_map.iter_rules()):
        return "asgi"
    hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
    functions = [function for by_name in hooks for each in by_name.values() for function in each]
    functions += [*app.view_functions.values(), *app.teardown_appcontext_funcs, *_methods(app)]
    for by_code in app.error_handler_spec.values():
        functions += [function for by_class in by_code.values() for function in by_class.values()]
    return "asgi" if any(map(dispatch.waits, functions)) else "wsgi"


def _methods(app: "Flask") -> Iterator[Any]:
    """Yield the request-handling methods of class-based views."""
    for view in app.view_functions.values():
        if (view_class := getattr(view, "view_class", None)) is not None:
            names = ("dispatch_request", *(method.lower() for method in getattr(view_class, "methods", None) or ()))
            yield from (getattr(view_class, name) for name in names if hasattr(view_class, name))


async def respond(
    app: "Flask", request: "NativeRequest", environ: "WSGIEnvironment", body: "NativeBody | None"
) -> NativeResponse:
    """Return the response to a native request. Raises the errors that the application propagates.

    The steps are the same as in ``Flask.wsgi_app``. They run on the server's loop until a function needs a thread.
    """
    ctx = app.request_context(environ)
    ctx.is_on_loop, ctx.body = not request.head.blocks, body
    ctx.to_thread = BEGIN_ON_THREAD
    if _push_may_block(app):
        await dispatch.to_thread(ctx)
    error: BaseException | None = None
    try:
        try:
            ctx.push()
            response = await dispatch.step(ctx, dispatch.full_dispatch_request)
        except NotBegun:
            ctx.is_refused = True
            raise
        except Exception as raised:
            error = raised
            response = await dispatch.step(ctx, dispatch.handle_exception, raised)
        except BaseException as raised:
            error = raised
            raise
        native = native_response(request, response, environ)
        if error is not None and app._keeper is not None and native.status >= 500:
            app._keeper.keep_failure(request, error, native)
        return native
    finally:
        await leave(ctx, None if error is not None and app.should_ignore_error(error) else error)
        if ctx._leaves_later and not request.head.blocks:  # noqa: SLF001 - same package
            ctx.at_end = partial(_tear_down_after, request, ctx)


def _tear_down_after(request: "NativeRequest", ctx: "AppContext", exc: BaseException | None) -> None:
    """Tear a context down in the task that ran the request's functions, once the response has been sent."""

    async def tear_down_at_end() -> None:
        _cv_app.set(ctx)
        try:
            await tear_down(ctx, exc)
        finally:
            _cv_app.set(None)

    ctx.at_end, ctx.is_on_loop = None, True
    request.after_response(tear_down_at_end)


def _push_may_block(app: "Flask") -> bool:
    """Return True if opening the session or reading the path values may block."""
    return (
        app.session_may_block
        or len(app.url_map.converters) != len(DEFAULT_CONVERTERS)
        or dispatch.has_receivers(app, signals.appcontext_pushed)
    )


def native_response(request: "NativeRequest", response: Any, environ: "WSGIEnvironment") -> NativeResponse:
    """Convert a Werkzeug response or any other WSGI application to a native response."""
    if not isinstance(response, BaseResponse) or type(response).__call__ is not BaseResponse.__call__:
        return from_wsgi(response)(request)
    chunks, status, fields = response.get_wsgi_response(environ)
    native = started_response(request, status, [(name.lower(), value) for name, value in fields])
    if response.is_sequence:
        native.body = b"".join(response.iter_encoded())
        if response._on_close:  # noqa: SLF001 - the base class is in this package
            request.after_response(response.close)
    else:
        native.body = chunks
    return native
