"""The call of an application by servers, even where a program replaces it by a function that knows WSGI alone.

Sentry does so: `Flask.__call__ = function`. Servers for ASGI call an application with a third argument.
"""

import sys
from abc import ABCMeta
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from antiphon.adapters.servable import Servable


class ApplicationType(ABCMeta):
    """The class of application classes. It is abstract classes' one, so that subclasses may be abstract, too."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> None:
        super().__init__(name, bases, namespace, **options)
        if "__call__" in namespace:
            cls.__call__ = namespace["__call__"]  # type: ignore[method-assign]  # by __setattr__

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, _for_all_servers(value) if name == "__call__" else value)


def _for_all_servers(call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method for servers of WSGI, which it leaves to ``call``, and of ASGI."""
    try:
        signature(call, follow_wrapped=False).bind("self", "scope", "receive", "send")
    except TypeError:
        pass
    else:
        return call

    @wraps(call)
    def __call__(self: Any, head: Any, second: Any, send: Any = None, /) -> Any:  # noqa: N807 - the method
        return call(self, head, second) if send is None else Servable.__call__(self, head, second, send)

    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        markcoroutinefunction(__call__)  # by which servers tell ASGI from WSGI
    return __call__
