"""The application from a server's point of view: calls over each interface, and responses over ASGI and RSGI."""

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from antiphon import Response as NativeResponse
from antiphon import from_wsgi
from antiphon.dialects.flask import dispatch, signals
from antiphon.dialects.flask.globals import _cv_app
from antiphon.dialects.flask.teardown import leave, tear_down
from antiphon.dialects.werkzeug.routing.converters import DEFAULT_CONVERTERS
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.embedding import BEGIN_ON_THREAD, NotBegun, started_response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon import Request as NativeRequest
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.bodies import NativeBody
    from antiphon.dialects.flask.ctx import AppContext


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
        if error is not None and app.keeper is not None and native.status >= 500:
            app.keeper.keep_failure(request, error, native)
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
