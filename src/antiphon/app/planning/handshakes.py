"""The checks of each WebSocket handshake: that it is valid, and does not come from another site's page."""

from functools import partial
from typing import Any

from antiphon.app.answering.hooks import Hook
from antiphon.app.planning.request_checks import RequestChecks
from antiphon.http.errors import NotImplementedByServer, UpgradeRequired
from antiphon.request.request import Request
from antiphon.websockets.channel import is_handshake, refusal_of

SERVERS = "`antiphon run` with --interface asgi, Uvicorn, Hypercorn, Granian, or Gunicorn with threads"


def handshake_check(checks: RequestChecks | None) -> Hook:
    """Return the hook that refuses all but handshakes and, with ``checks``, handshakes by other sites' pages."""
    return Hook(partial(check_handshake, checks=checks), False)


def check_handshake(request: Request, checks: RequestChecks | None = None) -> None:
    """Check that a request is a handshake through a server that supports WebSockets; ``checks`` refuse other sites.

    Raises UpgradeRequired (426), and NotImplementedByServer (501), which names the servers; over WSGI also BadRequest
    (400) for a handshake that is malformed, and ServiceUnavailable (503) if the server has no thread for it.
    """
    if getattr(request.head, "channel", None) is None:
        if refusal := refusal_of(request.head):
            raise refusal
        if is_handshake(request.head.method, request.head.field("upgrade")):
            raise NotImplementedByServer(
                f"This server doesn't support WebSockets: serve the application with {SERVERS}."
            )
        raise UpgradeRequired("This URL is for WebSockets.", upgrade="websocket")
    if checks is not None and (error := checks.refused_handshake(request)):
        raise error


def checking_handshakes(checks: RequestChecks, hook: Hook) -> Hook:
    """Return the hook of a mounted application for handshakes, which refuses those of other sites' pages."""
    hand_on = hook.function

    def check(request: Request) -> Any:
        if error := checks.refused_handshake(request):
            raise error
        return hand_on(request)

    return hook._replace(function=check)
