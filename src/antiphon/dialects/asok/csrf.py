"""CSRF tokens under Asok's names, made and checked by the native feature."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects.asok.session import COOKIE as SESSION_COOKIE
from antiphon.features import BadCSRFToken, CSRFTokens, csrf_token
from antiphon.features import csrf_input as native_input
from antiphon.features.markup import Markup
from antiphon.request.request import Request as NativeRequest
from antiphon.response.response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon.app.application import App
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request_state import RequestState

COOKIE = "asok_csrf"
"""The name of the cookie that has the token for scripts, set with each page that has a token. It is never asked for."""

_NO_INPUT = Markup('<input type="hidden" name="csrf_token" value="">')


def install_csrf(native: "App", config: "Mapping[str, Any]") -> None:
    """Have an application refuse writes without a token, unless the setting CSRF is false."""
    if config["CSRF"]:
        native.use(CSRFTokens())


def advise(app: "Asok", native: NativeRequest, error: Exception) -> None:
    """Log once that a session may be in the memory of another process, where a write was refused for want of it."""
    is_away = isinstance(error, BadCSRFToken) and error.reason == "expired" and SESSION_COOKIE in native.cookies
    if is_away and app.session_store.backend == "memory":
        app.advice.give(
            "A write of a visitor whose session this process does not know",
            'SESSION_BACKEND="file", which the processes of several workers share, and which lasts when they end',
        )


def token_of(request: "RequestState") -> str:
    """Return the token of a request's response; an empty text where the setting CSRF is false."""
    if not request.app.config["CSRF"]:
        return ""
    _tell_scripts(request.native)
    return csrf_token(request.native)


def input_of(request: "RequestState") -> Markup:
    """Return the hidden input with the token, as HTML that templates don't escape."""
    if not request.app.config["CSRF"]:
        return _NO_INPUT
    _tell_scripts(request.native)
    return native_input(request.native)


def _tell_scripts(native: NativeRequest) -> None:
    """Have the response tell scripts the token by a cookie."""
    if not (native.session.is_over or _set_cookie in native._after_hooks):
        native.after_request(_set_cookie)


def _set_cookie(native: NativeRequest, response: Response) -> None:
    token = csrf_token(native)
    response.set_cookie(COOKIE, token, max_age=86400, secure=native.is_secure, samesite="Strict")
