"""Choosing WSGI, ASGI or RSGI for an application, bridging it if necessary, and detecting what can't be served."""

import inspect
import os
from collections.abc import Callable
from typing import Any, Literal, NamedTuple, TypeAlias

from antiphon.handler.callables import describe, signature_of

Interface: TypeAlias = Literal["wsgi", "asgi", "rsgi"]


class Choice(NamedTuple):
    """An interface, and a short reason for it."""

    interface: Interface
    reason: str


_WHY_ASGI = "so that slow clients hold no thread"
_DECLARED = {
    "wsgi": Choice("wsgi", "its attribute `interface` names it"),
    "asgi": Choice("asgi", "its attribute `interface` names it"),
}


def choose(app: object, requested: Choice | None) -> Choice:
    """Choose an interface.

    The choice is the requested interface, or else ASGI for an Antiphon application, or else `app.interface`, or else
    what the app's signature suggests. An app whose signature is WSGI's is bridged to ASGI.
    """
    if requested is not None:
        return requested
    if _is_servable(app):
        return Choice("asgi", f"the default for an App, {_WHY_ASGI}")
    spoken = _spoken(app)
    if spoken.interface == "wsgi" and spoken not in _DECLARED.values():
        return Choice("asgi", f"{spoken.reason}, bridged from WSGI, {_WHY_ASGI}")
    return spoken


def bridged(app: Any, requested: Choice | None) -> Any:
    """Return the object that a server calls: the application, or a bridge if it doesn't speak the chosen interface.

    An object that might speak the requested interface is assumed to do so.
    """
    if _is_servable(app) or choose(app, requested).interface == "wsgi":
        return app
    if spoken_interface(app, requested) != "wsgi" or (requested is not None and hasattr(app, "__rsgi__")):
        return app
    from antiphon.adapters.foreign.environ_host import BridgedApplication  # imported late: few need it

    return BridgedApplication(app)


def spoken_interface(app: Any, requested: Choice | None) -> Interface:
    """Return the interface that an application itself speaks. If ASGI is possible, the requested interface decides."""
    if requested is not None and requested.interface != "wsgi" and callable(app) and _takes(app, 3):
        return "asgi"
    return _spoken(app).interface


def _is_servable(app: object) -> bool:
    from antiphon.adapters.servable import Servable  # imported late: the supervisor does not need it

    return isinstance(app, Servable)


def _spoken(app: object) -> Choice:
    """Return the interface that an application itself speaks, and how it was recognized."""
    declared = getattr(app, "interface", None)
    if isinstance(declared, str) and declared in _DECLARED:
        return _DECLARED[declared]
    if not callable(app):
        return Choice("rsgi", "it speaks nothing else")
    if _is_async(app):
        return Choice("asgi", f"{_named(app)} is async")
    if _takes(app, 3) and not _takes(app, 2):
        return Choice("asgi", f"{_named(app)} takes three arguments")
    return Choice("wsgi", f"{_named(app)} is a plain callable")


def shorten(described: str) -> str:
    """Return the description of a function, with its file relative to the current directory."""
    return described.replace(f"({os.path.join(os.getcwd(), '')}", "(")


def _named(app: Callable[..., object]) -> str:
    return shorten(describe(app))


def flaw(app: object, requested: Interface | None) -> str | None:
    """Return why `app` can't be served over the requested interface, or at all, as the end of a sentence."""
    if isinstance(app, type) and speaks(app):
        return "is a class: name an instance of it"
    if name := _exported_as(app):
        return f"is antiphon.{name}, not an application"
    if not callable(app):
        if not hasattr(app, "__rsgi__"):
            return f"is of type {type(app).__name__}, not an application"
        return f"only speaks RSGI, not {requested.upper()}" if requested in ("wsgi", "asgi") else None
    if requested == "wsgi" and _speaks_asgi_alone(app):
        return "only speaks ASGI, not WSGI"
    if _takes(app, 2) or _takes(app, 3) or hasattr(app, "__rsgi__") or _takes(app, 2, unwrapped=False):
        return None
    if _takes(app, 0):
        return "is a function without arguments, not an application"
    return "takes neither (environ, start_response) nor (scope, receive, send)"


def speaks(kind: type) -> bool:
    """Return True if the instances of a class can be served."""
    return any(vars(base).keys() & {"__call__", "__rsgi__"} for base in kind.__mro__)


def _exported_as(found: object) -> str:
    """Return the name under which Antiphon exports an object, such as ``env``; empty if it doesn't export it."""
    import antiphon

    return next((name for name in antiphon.__all__ if name in vars(antiphon) and vars(antiphon)[name] is found), "")


def _speaks_asgi_alone(app: Callable[..., object]) -> bool:
    return _takes(app, 3) and not _is_servable(app) and (_is_async(app) or not _takes(app, 2))


def _is_async(app: Callable[..., object]) -> bool:
    return inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(type(app).__call__)


def _takes(app: Callable[..., object], count: int, *, unwrapped: bool = True) -> bool:
    """Return True if `app`, or the function that it wraps, can be called with `count` arguments."""
    try:
        signature_of(app, follow_wrapped=unwrapped).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a callable from an extension module may hide its signature
        return True
    return True
