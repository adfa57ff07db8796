"""The application as a handler of native requests, which come over ASGI and RSGI.

The steps are those of the WSGI application, on the server's loop until a function needs a thread. If a program replaces
``wsgi_app`` or ``__call__``, that answers, on a thread.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Literal

from antiphon.adapters.foreign.environ_host import EnvironHost
from antiphon.adapters.foreign.wsgi import from_wsgi, started_response
from antiphon.dialects.flask import dispatch, signals
from antiphon.dialects.flask.bodies import NativeBody
from antiphon.dialects.flask.ctx import leave
from antiphon.dialects.werkzeug.routing.converters import DEFAULT_CONVERTERS
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.response.response import Response as NativeResponse

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.dialects.flask.app import Flask
    from antiphon.request.request import Request as NativeRequest


IS_INNER = "antiphon.flask.inner"
"""The key of an environ that was made of a native request, whose observers have been told of it."""


class Served(EnvironHost):
    """An application whose own interface is WSGI, and which answers native requests by the same steps."""

    input_class = NativeBody

    def answer_environ(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Any:
        """Answer a request over WSGI that was made of a native one, whose observers have been told of it."""
        environ[IS_INNER] = True
        return type(self).__call__(self, environ, start_response)

    async def answer_request(self, request: "NativeRequest", environ: "WSGIEnvironment", body: Any) -> NativeResponse:
        """Answer a native request by its environ, in steps.

        The WSGI application that a program has put in place of ``wsgi_app`` or ``__call__`` answers on a thread.
        """
        app: Any = self
        if "wsgi_app" in app.overrides:
            return await super().answer_request(request, environ, body)
        return await answer(app, request, environ, body)

    @property
    def propagates_errors(self) -> bool:
        """True with TESTING, as over WSGI: a test sees the error, whose server is a test client."""
        app: Any = self
        return bool(app.testing)

    @property
    def interface(self) -> Literal["wsgi", "asgi"]:
        """WSGI if all views, hooks and error handlers are plain functions, else ASGI."""
        app: Any = self
        hooks = (app.before_request_funcs, app.after_request_funcs, app.teardown_request_funcs)
        functions = [function for by_name in hooks for each in by_name.values() for function in each]
        functions += [*app.view_functions.values(), *app.teardown_appcontext_funcs, *_methods(app)]
        for by_code in app.error_handler_spec.values():
            functions += [function for by_class in by_code.values() for function in by_class.values()]
        return "asgi" if any(map(dispatch.waits, functions)) else "wsgi"


def _methods(app: Any) -> Iterator[Any]:
    """Yield the methods that answer requests of views that are classes."""
    for view in app.view_functions.values():
        if (view_class := getattr(view, "view_class", None)) is not None:
            names = ("dispatch_request", *(method.lower() for method in getattr(view_class, "methods", None) or ()))
            yield from (getattr(view_class, name) for name in names if hasattr(view_class, name))


async def answer(
    app: "Flask", request: "NativeRequest", environ: "WSGIEnvironment", body: NativeBody | None
) -> NativeResponse:
    """Return the response to a native request. Raises the errors that the application propagates."""
    ctx = app.request_context(environ)
    ctx.is_on_loop, ctx.body = not request.head.blocks, body
    error: BaseException | None = None
    try:
        try:
            if ctx.is_on_loop and _push_may_block(app):
                await dispatch.to_thread(ctx)
            ctx.push()
            response = await dispatch.step(ctx, dispatch.full_dispatch_request)
        except Exception as raised:
            error = raised
            response = await dispatch.step(ctx, dispatch.handle_exception, raised)
        except BaseException as raised:
            error = raised
            raise
        return native_response(request, response, environ)
    finally:
        await leave(ctx, None if error is not None and app.should_ignore_error(error) else error)


def _push_may_block(app: "Flask") -> bool:
    """Return True if the session, or the values of a path, may come from elsewhere than the request."""
    return (
        app.session_may_block
        or len(app.url_map.converters) != len(DEFAULT_CONVERTERS)
        or dispatch.has_receivers(app, signals.appcontext_pushed)
    )


def native_response(request: "NativeRequest", response: Any, environ: "WSGIEnvironment") -> NativeResponse:
    """Return the native response for one of Werkzeug, or for another WSGI application."""
    if not isinstance(response, BaseResponse) or type(response).__call__ is not BaseResponse.__call__:
        return from_wsgi(response)(request)
    chunks, status, fields = response.get_wsgi_response(environ)
    native = started_response(int(status[:3]), [(name.lower(), value) for name, value in fields])
    if response.is_sequence:
        native.body = b"".join(response.iter_encoded())
        if response._on_close:  # noqa: SLF001 - of this package's base class
            request.after(response.close)
    else:
        native.body = chunks
    return native
