"""Other frameworks' WSGI and ASGI applications: calling them with Antiphon's requests, and serving them like Antiphon's
own.
"""

from collections.abc import Callable, MutableMapping
from typing import TYPE_CHECKING, Any, Literal, TypeAlias
from weakref import ref

from antiphon.adapters.asgi import ASGIApplication
from antiphon.explanations import explained
from antiphon.handler.callables import is_async
from antiphon.request.caller import ARRIVAL
from antiphon.request.request import Request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

ForeignApplication: TypeAlias = "WSGIApplication | ASGIApplication"
"""Any application. An Antiphon application has both interfaces."""
ForeignInterface: TypeAlias = Literal["wsgi", "asgi"]


def check_interface(interface: str | None) -> None:
    """Raise ValueError unless the value is "wsgi", "asgi" or None."""
    if interface not in (None, "wsgi", "asgi"):
        raise explained("bad-mount", f"the interface of an application must be 'wsgi' or 'asgi', not {interface!r}")


def interface_of(application: Callable[..., Any]) -> ForeignInterface:
    """Return the interface of another framework's application: ASGI if calling it returns a coroutine."""
    return "asgi" if is_async(application) else "wsgi"


def tell_around(request: Request, given: MutableMapping[str, Any]) -> None:
    """Let code in another framework's application find the request of the application around it, if there is one, by
    the environ or scope that it is given.
    """
    around = request._outer_request or request
    if around.app is not None:
        given[ARRIVAL] = ref(around)
