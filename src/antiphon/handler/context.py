"""The request that is being answered here, for code that nobody hands it to."""

from contextvars import ContextVar

from antiphon.request.request import Request

_current: ContextVar[Request | None] = ContextVar("antiphon.request.request", default=None)


def current_request() -> Request:
    """The request that is being answered: in its handler, its middleware, and all that they call or begin.

    Raises RuntimeError where there is none.
    """
    request = _current.get()
    if request is None:
        raise RuntimeError(
            "no request is being answered here: hand the request on to what runs outside of its handler and"
            " middleware, or begin a thread's work with contextvars.copy_context().run(...)"
        )
    return request


set_current_request = _current.set
"""Make a request the current one in this context. Its token is of use in that only, where a request may not end."""

reset_current_request = _current.reset
"""Take that back in the same context, by the token: for who answers a request within another one's handler."""
