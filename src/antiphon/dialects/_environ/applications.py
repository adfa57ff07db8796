"""Applications whose ``__call__`` a program may replace with a function for WSGI alone, as monitoring tools do."""

import sys
from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Any

from antiphon.embedding import EnvironHost, Servable

OUTER = "antiphon.outer"
"""The environ key for the application that made the environ from a native request, and has notified its observers."""


class EnvironApplication(EnvironHost):
    """An application whose ``__call__`` a program may replace with a function that supports only WSGI, as Sentry does.

    Even then, calls from ASGI servers, which have a third argument, still work: ``respond_to_environ`` calls the
    function for those, too. Thus a function that passes all its arguments on is for WSGI alone.
    """

    def __init__(self) -> None:
        self.freeze()
        super().__init__()

    def freeze(self) -> None:
        """Make each ``__call__`` that is for WSGI alone accept calls from ASGI servers, too.

        ``antiphon run`` calls this again for what a program has replaced since it made the application.
        """
        for owner in type(self).__mro__:
            call = vars(owner).get("__call__")
            if call is not None and _is_for_wsgi(call):
                owner.__call__ = _for_all_servers(call)  # type: ignore[method-assign]


def _for_all_servers(call: Callable[..., Any]) -> Callable[..., Any]:
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
        found = signature(call, follow_wrapped=False)
        found.bind("self", "environ", "start_response")
    except TypeError:
        return False
    return "send" not in found.parameters
