"""The current request, for functions that don't get it as an argument."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.werkzeug.routing.map import MapAdapter


class Call(NamedTuple):
    """The call of an application: the application, the request, and the application's map bound to the request."""

    app: "KayApp"
    request: Any
    adapter: "MapAdapter"


answered: ContextVar[Call] = ContextVar("antiphon.kay")


def current_call() -> Call:
    """Return the current call. Raises RuntimeError if no application is answering a request here."""
    try:
        return answered.get()
    except LookupError:
        raise RuntimeError("no KayApp answers a request here: call this from a view") from None
