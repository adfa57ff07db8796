"""Applications whose ``__call__`` a program may replace with a function for WSGI alone, as monitoring tools do."""

import sys
from abc import ABCMeta
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from antiphon.embedding import Servable

OUTER = "antiphon.outer"
"""The environ key for the application that made the environ from a native request, and has notified its observers."""


class ApplicationType(ABCMeta):
    """The metaclass of applications.

    It extends ABCMeta so that application classes may be abstract. A program may replace ``__call__`` with a function
    that supports only WSGI, as Sentry does. Even then, calls from ASGI servers, which have a third argument, still
    work.
    """

    own_call: Callable[..., Any]
    """The ``__call__`` of the dialect's class."""

    def __init__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **options: Any) -> None:
        super().__init__(name, bases, namespace, **options)
        if not any(isinstance(base, ApplicationType) for base in bases):
            cls.own_call = namespace["__call__"]
        elif "__call__" in namespace:
            cls.__call__ = namespace["__call__"]  # type: ignore[method-assign]  # by __setattr__

    def __setattr__(cls, name: str, value: Any) -> None:
        super().__setattr__(name, _for_all_servers(cls, value) if name == "__call__" else value)


def _for_all_servers(cls: ApplicationType, call: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method that passes calls from WSGI servers to ``call``, and still accepts calls from ASGI servers.

    ``respond_to_environ`` calls it for those, too. Thus a function that passes all its arguments on is for WSGI alone.
    """
    if call is cls.own_call or not _is_for_wsgi(call):
        return call

    @wraps(call)
    def __call__(self: Any, head: Any, second: Any, send: Any = None, /) -> Any:  # noqa: N807 - the method
        if send is not None:
            return Servable.__call__(self, head, second, send)
        return call.__get__(self, type(self))(head, second)  # New Relic's wrapper has to be bound

    if sys.version_info >= (3, 12):
        from inspect import markcoroutinefunction

        markcoroutinefunction(__call__)  # lets servers distinguish ASGI from WSGI
    return __call__


def _is_for_wsgi(call: Callable[..., Any]) -> bool:
    try:
        signature(call, follow_wrapped=False).bind("self", "environ", "start_response")
    except TypeError:
        return False
    return True
