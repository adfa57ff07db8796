"""Answers to errors: the project's own pages, such as ``src/pages/404/page.html``, or a few words of HTML."""

from html import escape
from typing import TYPE_CHECKING

from antiphon.app.application import App
from antiphon.dialects.asok.exceptions import AbortException, ValidationError
from antiphon.http.errors import HTTPError
from antiphon.request.request import Request as NativeRequest
from antiphon.response.response import Response as NativeResponse

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok


def install_errors(_app: "Asok", native: App) -> None:
    """Register the answers to errors with the native application."""
    native.errorhandler(HTTPError)(_plain_page)
    native.errorhandler(ValidationError)(_refused)


def _plain_page(_request: NativeRequest, error: HTTPError) -> NativeResponse:
    """Return a page with the status of an error and what it says to the client."""
    message = f"<p>{escape(error.detail)}</p>" if error.detail else ""
    return NativeResponse.html(f"<h1>{error.status}</h1>{message}")


def _refused(request: NativeRequest, error: ValidationError) -> NativeResponse:
    """Return the page for data that breaks rules."""
    response = _plain_page(request, AbortException(400, str(error)))
    response.status = 400
    return response
