"""The status of the response to be: a number that can be called to set it."""

from typing import TYPE_CHECKING, overload

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request


class StatusCode(int):
    """The status so far, 200 until it is set: ``request.status_code == 404``. Call it with a status to set it."""

    _request: "Request"

    @classmethod
    def of(cls, request: "Request", code: int) -> "StatusCode":
        """Make the status of a request's response."""
        self = cls(code)
        self._request = request
        return self

    @overload
    def __call__(self, code: None = None) -> int: ...
    @overload
    def __call__(self, code: int) -> "Request": ...
    def __call__(self, code: int | None = None) -> "Request | int":
        """Set the status, and return the request. Without a code, return the current status.

        Raises ValueError for anything that is not a status of a response, from 200 to 599.
        """
        if code is None:
            return int(self)
        self._request.status_code = code
        return self._request
