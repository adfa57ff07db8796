"""Answers to errors: the project's own pages, such as ``src/pages/404/page.html``, or a short HTML page."""

from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING, Any

from antiphon import App, is_debug
from antiphon import Request as NativeRequest
from antiphon.dialects.asok.content_types import HTML
from antiphon.dialects.asok.csrf import advise
from antiphon.dialects.asok.exceptions import AbortException, ValidationError
from antiphon.dialects.asok.middlewares import result_of, waits
from antiphon.dialects.asok.request import Request
from antiphon.dialects.asok.response import answer
from antiphon.dialects.asok.templating.rendering import asked_blocks
from antiphon.embedding import as_http_error
from antiphon.http import HTTPError

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.pages import AsokPages, PageFunction

Handler = Callable[[NativeRequest, Exception], Any]


def install_errors(app: "Asok", native: App, pages: "AsokPages") -> None:
    """Register the answers to errors: the pages that are named after their status, or else a short page.

    In the command's debug mode, an unexpected error is answered with the page of that mode.
    """
    plain = _handler(app, None, _plain_page)
    handlers: dict[type[Exception] | int, Handler] = {HTTPError: plain, 500: plain}
    handlers |= {status: _handler(app, *page) for status, page in pages.of_errors.items()}
    handlers[ValidationError] = handlers.get(400, plain)
    if is_debug():
        del handlers[500]
    for key, handler in handlers.items():
        native.errorhandler(key)(handler)


def _handler(app: "Asok", path: str | None, function: "PageFunction") -> Handler:
    """Return the native error handler that calls a page's function, sync or async like it."""
    if waits(function):

        async def async_handler(native: NativeRequest, error: Exception) -> Any:
            request = _prepared(app, native, error, path)
            return answer(request, await result_of(function, request), function)

        return async_handler

    def handler(native: NativeRequest, error: Exception) -> Any:
        request = _prepared(app, native, error, path)
        return answer(request, function(request), function)

    return handler


def _prepared(app: "Asok", native: NativeRequest, error: Exception, path: str | None) -> Request:
    """Return the request for the page of an error: with the error's status, and without the page's type."""
    advise(app, native, error)
    request = Request.of(app, native)
    told = AbortException(400, str(error)) if isinstance(error, ValidationError) else as_http_error(error)
    request.page_file = path
    request.own_status = told.status
    request.content_type = HTML
    told_to_page = {"title": f"Error {told.status}", "description": told.detail or "An error occurred."}
    request.params.update(told_to_page)
    request.page_context = {"error_message": told.detail, **told_to_page}
    return request


def _plain_page(request: Request) -> str:
    """Return a page with the status and the message of an error.

    A request for blocks gets only the text, which the page's script shows in place. A program whose write below
    ``/api`` is refused gets JSON.
    """
    message = request.page_context["error_message"]
    if request.code == 403 and f"{request.path}/".startswith("/api/"):
        return request.api_error(message or "Forbidden", 403)
    if asked_blocks(request):
        return request.text(message or request.status, request.code)
    return f"<h1>{request.code}</h1>" + (f"<p>{escape(message)}</p>" if message else "")
