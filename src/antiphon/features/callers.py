"""The caller of a request, as returned by a function of the application that features take as ``by``."""

from collections.abc import Callable

from antiphon.explanations import explained
from antiphon.handler.callables import check_arguments, check_sync
from antiphon.handler.contract import describe
from antiphon.request.dependencies import Dependency
from antiphon.request.request import Request

AROUND = Dependency[Request]("request around")
"""The client's request, for one that the application makes of it and handles itself, such as the call of a tool."""


def check_by(by: Callable[[Request], str | None] | None) -> None:
    """Check that a function, if there is one, can be called with the request, and is sync. Raises TypeError."""
    if by is not None:
        check_arguments(by, "request")
        check_sync("by", by)


def caller_of(by: Callable[[Request], str | None], request: Request) -> str | None:
    """Return the text that a function returns for a request. Raises TypeError, which names the function, for anything
    else.
    """
    caller = by(request)
    if not isinstance(caller, str | None):
        raise explained(
            "bad-feature-option", TypeError(f"{describe(by)} returned {caller!r}: `by` must return text or None")
        )
    return caller
