"""The request that is being answered, for functions that are not told."""

from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from antiphon.dialects.kay.app import KayApp
    from antiphon.dialects.werkzeug.routing.map import MapAdapter


class Call(NamedTuple):
    """An application, a request, and the application's map as it is bound to that."""

    app: "KayApp"
    request: Any
    adapter: "MapAdapter"


answered: ContextVar[Call] = ContextVar("antiphon.kay")


def current_call() -> Call:
    """The call that this belongs to. Raises RuntimeError outside of one."""
    try:
        return answered.get()
    except LookupError:
        raise RuntimeError("no KayApp answers a request here: call this from a view") from None
