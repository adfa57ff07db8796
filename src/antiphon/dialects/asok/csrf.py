"""CSRF tokens under Asok's names, made and checked by the native feature."""

from typing import TYPE_CHECKING, Any, cast

from antiphon import Request as NativeRequest
from antiphon.dialects.asok.session import COOKIE as SESSION_COOKIE
from antiphon.features import BadCSRFToken, CSRFTokens, csrf_token
from antiphon.features.csrf import FIELD
from antiphon.features.markup import Markup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from antiphon import App
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request import Request
    from antiphon.dialects.asok.request_state import RequestState

COOKIE = "asok_csrf"
"""The name of the cookie with the token for scripts, set with each page that has a token. It is never read."""


def install_csrf(native: "App", config: "Mapping[str, Any]") -> None:
    """Make an application refuse writes without a token, unless the setting CSRF is false."""
    if config["CSRF"]:
        native.use(CSRFTokens())


def advise(app: "Asok", native: NativeRequest, error: Exception) -> None:
    """Log once that a write was refused because its session may be in the memory of another process."""
    is_away = isinstance(error, BadCSRFToken) and error.reason == "expired" and SESSION_COOKIE in native.cookies
    if is_away and app.session_store.backend == "memory":
        app.advice.give(
            "A write of a visitor whose session this process does not know",
            'SESSION_BACKEND="file", which the processes of several workers share, and which lasts when they end',
        )


def token_of(request: "RequestState") -> str:
    """Return the token for a request's response, or an empty text if the setting CSRF is false."""
    if not request.app.config["CSRF"]:
        return ""
    token = csrf_token(request.native)
    if not request.tells_token:
        request.tells_token = True
        secure = "; Secure" if request.native.is_secure else ""
        cookie = f"{COOKIE}={token}; Max-Age=86400; Path=/{secure}; SameSite=Strict"
        cast("Request", request).header("Set-Cookie", cookie)
    return token


def input_of(request: "RequestState") -> Markup:
    """Return the hidden input with the token, as HTML that templates don't escape."""
    return Markup(f'<input type="hidden" name="{FIELD}" value="{token_of(request)}">')
