"""The current request, for code that does not receive it as an argument."""

from typing import Any, cast

import antiphon
from antiphon.dialects.asok.request import Request


def find_request() -> Request | None:
    """Return the current request, or None."""
    native = antiphon.current_request(None)
    return None if native is None else Request.find(native)


class RequestProxy:
    """A proxy for the current request. It is falsy if there is none.

    Accessing an attribute raises RuntimeError if there is no current request.
    """

    __slots__ = ()

    def _current(self) -> Request:
        request = find_request()
        if request is None:
            raise RuntimeError("no request is being handled here: current_request works only while a page runs")
        return request

    def __getattr__(self, name: str) -> Any:
        return getattr(self._current(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._current(), name, value)

    def __delattr__(self, name: str) -> None:
        delattr(self._current(), name)

    def __bool__(self) -> bool:
        return find_request() is not None

    def __repr__(self) -> str:
        return repr(find_request() or "<no request>")


current_request = cast("Request", RequestProxy())
