"""WSGI and ASGI applications of other frameworks: called with our requests, and served like our own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from antiphon.adapters.asgi import ASGIApplication
from antiphon.explanations import explained
from antiphon.handler.contract import is_async

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ForeignApplication: TypeAlias = "WSGIApplication | ASGIApplication"
"""Any application; one of Antiphon's has both interfaces."""
ForeignInterface: TypeAlias = Literal["wsgi", "asgi"]


def check_interface(interface: str | None) -> None:
    """Raise ValueError unless the value is an interface that a foreign application can have, or None."""
    if interface not in (None, "wsgi", "asgi"):
        raise explained(
            "bad-mount", ValueError(f"the interface of an application must be 'wsgi' or 'asgi', not {interface!r}")
        )


def interface_of(application: Callable[..., Any]) -> ForeignInterface:
    """Return a foreign application's interface: ASGI if calling it returns a coroutine."""
    return "asgi" if is_async(application) else "wsgi"
