"""The current request, for code that does not get it as an argument."""

from contextvars import ContextVar

from antiphon.explanations import explained
from antiphon.request.request import Request

_current: ContextVar[Request | None] = ContextVar("antiphon.request.request", default=None)


def current_request() -> Request:
    """Return the request that is being answered: in its handler, its middleware, and everything that they call or
    start.

    Raises RuntimeError where no request is being answered.
    """
    request = _current.get()
    if request is None:
        raise explained(
            "no-current-request",
            RuntimeError(
                "no request is being answered here: pass the request on to code that runs outside its handler and"
                " middleware, or start a thread's work with contextvars.copy_context().run(...)"
            ),
        )
    return request


find_current_request = _current.get
"""Return the request that is being answered, or None."""

set_current_request = _current.set
"""Make a request the current one in this context. The token that it returns is valid in this context only."""

reset_current_request = _current.reset
"""Restore the request that was current before, by the token, in the same context: for nested requests."""
