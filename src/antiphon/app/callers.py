"""A caller's identity, as returned by a function of the application: a feature's ``by``, or ``App(queue_by=...)``."""

import time
from collections.abc import Callable
from functools import wraps
from typing import TypeAlias

from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments, check_sync, describe
from antiphon.http.errors import HTTPError
from antiphon.http.head import Head
from antiphon.request.request import Request

__reads__ = "named"

By: TypeAlias = Callable[[Request], str | None]


def checked_by(by: By, owner: str) -> By:
    """Return a function that identifies callers, so that a result that isn't text or None raises TypeError, with the
    function and its ``owner``. Raises TypeError unless it is sync and can be called with the request.
    """
    check_arguments(by, "request")
    check_sync("by", by)

    @wraps(by)
    def checked(request: Request) -> str | None:
        caller = by(request)
        if not isinstance(caller, str | None):
            raise explained(
                "bad-feature-option", f"{owner}: {describe(by)} must return text or None, not {caller!r}", TypeError
            )
        return caller

    return checked


_LOG_EVERY = 60.0
"""The seconds between two log lines about functions that failed."""


class Sharing:
    """The clients among which an overloaded worker shares its time, as identified by the application's function."""

    def __init__(self, by: By) -> None:
        self._by = checked_by(by, "queue_by")
        self._logged_again_at = 0.0

    def client(self, head: Head, address: str) -> str:
        """Return the client of a request: the caller that the function returns, or the address if it returns None.

        An error in the function must not make an overloaded worker fail, so it is only logged.
        """
        try:
            caller = self._by(Request(head))
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
