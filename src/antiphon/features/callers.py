"""The caller of a request, as returned by the function that an application passes to features as ``by``."""

from collections.abc import Callable

from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments, check_sync
from antiphon.handler.contract import describe
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request

AROUND = Dependency[Request]("request around")
"""The client's request from which the application makes the current one, such as a tool call."""


def check_by(by: Callable[[Request], str | None] | None) -> None:
    """Check that a function, if there is one, can be called with the request, and is sync. Raises TypeError."""
    if by is not None:
        check_arguments(by, "request")
        check_sync("by", by)


def caller_of(by: Callable[[Request], str | None], request: Request) -> str | None:
    """Return the text that a function returns for a request.

    Raises TypeError, naming the function, for any other result.
    """
    caller = by(request)
    if not isinstance(caller, str | None):
        raise explained(
            "bad-feature-option", TypeError(f"{describe(by)} returned {caller!r}: `by` must return text or None")
        )
    return caller
