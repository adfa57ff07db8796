"""A caller's identity, as returned by a function of the application: a feature's ``by``, or ``App(queue_by=...)``."""

import time
from collections.abc import Callable

from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments, check_sync, describe
from antiphon.http.errors import HTTPError
from antiphon.http.head import Head
from antiphon.request.request import Request


def check_by(by: Callable[[Request], str | None] | None) -> None:
    """Check that a function, if given, is sync and can be called with the request. Raises TypeError."""
    if by is not None:
        check_arguments(by, "request")
        check_sync("by", by)


def caller_of(by: Callable[[Request], str | None], request: Request, owner: str) -> str | None:
    """Return the text that a function returns for a request.

    Raises TypeError, with the function and its ``owner``, for any other result.
    """
    caller = by(request)
    if not isinstance(caller, str | None):
        raise explained(
            "bad-feature-option", f"{owner}: {describe(by)} must return text or None, not {caller!r}", TypeError
        )
    return caller


_LOG_EVERY = 60.0
"""The seconds between two log lines about functions that failed."""


class Sharing:
    """The clients among which an overloaded worker shares its time, as identified by the application's function."""

    def __init__(self, by: Callable[[Request], str | None]) -> None:
        check_by(by)
        self._by = by
        self._logged_again_at = 0.0

    def client(self, head: Head, address: str) -> str:
        """Return the client of a request: the caller that the function returns, or the address if it returns None.

        An error in the function must not make an overloaded worker fail, so it is only logged.
        """
        try:
            caller = caller_of(self._by, Request(head), "queue_by")
        except HTTPError:  # a malformed request is refused when it begins
            return address
        except Exception:
            now = time.monotonic()
            if now >= self._logged_again_at:
                import logging

                # An overloaded worker must not also write a line for each request.
                self._logged_again_at = now + _LOG_EVERY
                logging.getLogger("antiphon").exception("queue_by failed: clients share by their addresses")
            return address
        return address if caller is None else f"caller {caller}"
