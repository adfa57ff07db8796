"""The current application, request, session and ``g``, as proxies over one context variable.

The variable is None while nothing is pushed. It is restored with ``set``, never with a token, because a context may be
popped in a copy of the ``contextvars.Context`` in which it was pushed.
"""

from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug.local import LocalProxy

if TYPE_CHECKING:
    from antiphon.dialects.flask.app import Flask
    from antiphon.dialects.flask.ctx import AppContext, _AppCtxGlobals
    from antiphon.dialects.flask.sessions import SessionMixin
    from antiphon.dialects.flask.websockets import Websocket
    from antiphon.dialects.flask.wrappers import Request

_no_app_msg = (
    "Working outside of application context.\n\n"
    "This code needs the current application: run it in `with app.app_context():`, or while a request is handled."
)
_no_req_msg = (
    "Working outside of request context.\n\n"
    "This code needs the current request: run it while one is handled, or in `with app.test_request_context():`."
)

_no_websocket_msg = (
    "Working outside of websocket context.\n\n"
    "This code needs the current WebSocket: run it in a view of `@app.websocket`."
)

SOCKET = "antiphon.flask.websocket"
"""The environ key for the WebSocket of a handshake's view."""

PRESERVE = "werkzeug.debug.preserve_context"
"""The environ key for the function to which a test client lets requests give their contexts."""

_cv_app: "ContextVar[AppContext | None]" = ContextVar("flask.app_ctx", default=None)

_current = _cv_app.get


def _app_context() -> "AppContext":
    ctx = _current()
    if ctx is None:
        raise RuntimeError(_no_app_msg)
    return ctx.host or ctx


def _request_context() -> "AppContext":
    ctx = _current()
    holder = None if ctx is None else ctx.holder
    if holder is None:
        raise RuntimeError(_no_req_msg)
    return holder


def _app() -> "Flask":
    ctx = _current()
    if ctx is None:
        raise RuntimeError(_no_app_msg)
    return ctx.app


def _g() -> "_AppCtxGlobals":
    return _app_context().g


def _request() -> "Request":
    ctx = _current()
    request = None if ctx is None else ctx._request
    return _request_context().request if request is None else request


def _session() -> "SessionMixin":
    return _request_context().session


def has_websocket_context() -> bool:
    """Return True in a WebSocket view and in its hooks."""
    ctx = _cv_request.get(None)
    return ctx is not None and SOCKET in ctx.request.environ


def _websocket() -> "Websocket":
    if not has_websocket_context():
        raise RuntimeError(_no_websocket_msg)
    return _request().environ[SOCKET]  # type: ignore[no-any-return]  # ``SocketViews`` puts it there


class _RequestVariable:
    """A stand-in for Flask 3.1's request context variable. It contains the current context if that has a request."""

    name = "flask.request_ctx"

    def get(self, *default: Any) -> Any:
        """Return the current request's context, or ``default``. Raises LookupError if there is neither."""
        ctx = _current()
        holder = None if ctx is None else ctx.holder
        if holder is not None:
            return holder
        if not default:
            raise LookupError(self)
        return default[0]

    def set(self, ctx: "AppContext | None") -> "Token[AppContext | None]":
        """Make a context the current one, and return a token for ``reset``."""
        return _cv_app.set(ctx)

    def reset(self, token: "Token[AppContext | None]") -> None:
        """Restore the context that was current before ``set``."""
        _cv_app.reset(token)


_cv_request = _RequestVariable()

app_ctx: "AppContext" = LocalProxy(_app_context)  # type: ignore[assignment]
current_app: "Flask" = LocalProxy(_app)  # type: ignore[assignment]
g: "_AppCtxGlobals" = LocalProxy(_g)  # type: ignore[assignment]
request_ctx: "AppContext" = LocalProxy(_request_context)  # type: ignore[assignment]
request: "Request" = LocalProxy(_request)  # type: ignore[assignment]
session: "SessionMixin" = LocalProxy(_session)  # type: ignore[assignment]
websocket: "Websocket" = LocalProxy(_websocket)  # type: ignore[assignment]
