"""The end of a WebSocket: its code and its reason (RFC 6455 §7.4)."""

from typing import Final

from antiphon.explanations import explained

NORMAL: Final = 1000
GOING_AWAY: Final = 1001
NO_CODE: Final = 1005
"""The code of an end that came without one."""
ABNORMAL: Final = 1006
"""The code of a connection that was lost without an end."""
POLICY_VIOLATION: Final = 1008
TOO_BIG: Final = 1009
FAILED: Final = 1011
RESTARTING: Final = 1012

LONGEST_REASON: Final = 123
"""Bytes of the longest reason, as UTF-8 (RFC 6455 §5.5)."""

_NEVER_SENT = (1004, NO_CODE, ABNORMAL, 1015)


class WebSocketClosed(Exception):
    """The end of a WebSocket, with the ``code`` and the ``reason`` of the side that closed it (RFC 6455 §7.4).

    1005 stands for an end without a code, 1006 for a connection that was lost.
    """

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(code, reason)
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return f"the WebSocket is closed, with {self.code}{f': {self.reason}' if self.reason else ''}"


def check_close(code: int, reason: str) -> None:
    """Check a code and a reason that are to be sent.

    Raises ValueError for a code that no application sends, and for a reason of more than 123 bytes.
    """
    is_defined = 1000 <= code <= 1014 and code not in _NEVER_SENT
    if not (is_defined or 3000 <= code <= 4999):
        raise explained(
            "bad-close", ValueError(f"a WebSocket is closed with a code of 1000 to 1014, or 3000 to 4999, not {code!r}")
        )
    if len(reason.encode()) > LONGEST_REASON:
        raise explained("bad-close", ValueError(f"the reason of an end has at most {LONGEST_REASON} bytes of UTF-8"))


def shortened(reason: str) -> str:
    """Return as much of a reason as can be sent."""
    return reason.encode("utf-8", "replace")[:LONGEST_REASON].decode("utf-8", "ignore")
