"""The methods of the dispatch that programs and extensions call, and override.

Each runs the steps of its name. They may be called with the context first, as in Flask 3.2, or without it, as in 3.1:
then it is the current one.
"""

import sys
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, TypeVar

from antiphon.dialects.flask import dispatch
from antiphon.dialects.flask.driving import async_to_sync, drive
from antiphon.dialects.flask.making import made_response
from antiphon.dialects.flask.overriding import given
from antiphon.dialects.flask.sansio.app import App
from antiphon.dialects.werkzeug.routing.exceptions import RequestRedirect

if TYPE_CHECKING:
    from antiphon.dialects.flask.ctx import AppContext
    from antiphon.dialects.flask.wrappers import Request, Response

T = TypeVar("T")


class Dispatching(App):
    """An application that answers requests, by methods that may be overridden one by one."""

    def full_dispatch_request(self, *args: Any, **named: Any) -> "Response":
        """Return the response to the current request. Raises what no error handler takes."""
        ctx, _ = given(args, named)
        return drive(ctx, dispatch.full_dispatch_request(ctx))

    def preprocess_request(self, *args: Any, **named: Any) -> Any:
        """Call the functions for before the request, until one gives an answer, and return that."""
        ctx, _ = given(args, named)
        return drive(ctx, dispatch.preprocess_request(ctx))

    def dispatch_request(self, *args: Any, **named: Any) -> Any:
        """Return the result of the view. Raises the exception of a request without one."""
        ctx, _ = given(args, named)
        return drive(ctx, dispatch.dispatch_request(ctx))

    def process_response(self, *args: Any, **named: Any) -> "Response":
        """Return a response after the functions for after the request, and after the session is saved."""
        ctx, (response,) = given(args, named)
        return drive(ctx, dispatch.process_response(ctx, response))

    def finalize_request(self, *args: Any, **named: Any) -> "Response":
        """Return the response made of a view's result, after the functions for after the request."""
        ctx, rest = given(args, named)
        return drive(ctx, dispatch.finalize_request(ctx, *rest))

    def handle_exception(self, *args: Any, **named: Any) -> "Response":
        """Return the response to an error that no handler took. Raises the error if it shall be propagated."""
        ctx, (error,) = given(args, named)
        return drive(ctx, dispatch.handle_exception(ctx, error))

    def handle_user_exception(self, *args: Any, **named: Any) -> Any:
        """Return the answer of an error handler, or of an HTTP exception. Raises an error without a handler."""
        ctx, (error,) = given(args, named)
        return drive(ctx, dispatch.handle_user_exception(ctx, error))

    def handle_http_exception(self, *args: Any, **named: Any) -> Any:
        """Return the answer of an error handler for an HTTP exception, or the exception itself."""
        ctx, (error,) = given(args, named)
        return drive(ctx, dispatch.handle_http_exception(ctx, error))

    def do_teardown_request(self, *args: Any, **named: Any) -> None:
        """Call the functions for the teardown of the current request. They get the error in hand by default."""
        ctx, rest = given(args, named)
        _raise_noted(ctx, dispatch.do_teardown_request, *rest or [sys.exc_info()[1]])

    def do_teardown_appcontext(self, *args: Any, **named: Any) -> None:
        """Call the functions for the teardown of the current context. They get the error in hand by default."""
        ctx, rest = given(args, named)
        _raise_noted(ctx, dispatch.do_teardown_appcontext, *rest or [sys.exc_info()[1]])

    def log_exception(self, *args: Any, **named: Any) -> None:
        """Log an error, given as ``sys.exc_info()``, that no handler took."""
        ctx, (exc_info,) = given(args, named)
        self.logger.error(f"Exception on {ctx.request.path} [{ctx.request.method}]", exc_info=exc_info)

    def make_default_options_response(self, *args: Any, **named: Any) -> "Response":
        """Return the response to OPTIONS: the methods of the rules for the path."""
        ctx, _ = given(args, named)
        adapter = ctx.request_adapter
        response = self.response_class()
        response.allow.update(adapter.allowed_methods())
        return response

    def raise_routing_exception(self, request: "Request") -> None:
        """Raise the exception of a request without a match; when debugging, an error for a form that is redirected."""
        error: Any = request.routing_exception
        loses_body = isinstance(error, RequestRedirect) and error.code not in {307, 308}
        if self.debug and loses_body and request.method not in {"GET", "HEAD", "OPTIONS"}:
            from antiphon.dialects.flask.debughelpers import FormDataRoutingRedirect

            raise FormDataRoutingRedirect(request)
        raise error

    def make_response(self, rv: Any) -> "Response":
        """Return the response made of a view's result.

        Text, bytes and iterators are bodies; a dict and a list are JSON; other responses and WSGI applications become
        a ``response_class``. A tuple is a body with a status, with headers, or with both. Raises TypeError for
        anything else.
        """
        return made_response(self, rv)

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that waits for the result of a coroutine function; any other as it is."""
        return self.async_to_sync(func) if dispatch.waits(func) else func

    def async_to_sync(self, func: Callable[..., Coroutine[Any, Any, T]]) -> Callable[..., T]:
        """Return a function that runs a coroutine function on the loop of the request, and waits for its result."""
        return async_to_sync(func)


def _raise_noted(ctx: "AppContext", steps: Callable[..., Any], exc: BaseException | None) -> None:
    errors: list[BaseException] = []
    drive(ctx, steps(ctx, exc, errors))
    if errors:
        raise errors[0]
