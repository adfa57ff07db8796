"""Inputs of a request as dictionaries: the query's arguments, and JSON; and the browser that sent it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from antiphon import Request as NativeRequest
from antiphon.http import HTTPError, UserAgent

if TYPE_CHECKING:
    from antiphon.dialects.asok.request import Request


_UNKNOWN = "Unknown"


class Browser:
    """A browser's ``name``, its system ``os``, and ``is_mobile``, from the User-Agent, which is in ``raw``."""

    def __init__(self, user_agent: UserAgent) -> None:
        self.raw = str(user_agent)
        self.name = user_agent.browser or _UNKNOWN
        self.os = user_agent.os or _UNKNOWN
        self.is_mobile = user_agent.is_mobile

    def __str__(self) -> str:
        return self.raw


_JSON = "application/json"


class QueryDict(dict[str, str]):
    """A dictionary with the last value of each name. ``getlist("tag")`` returns all values."""

    def __init__(self, pairs: Iterable[tuple[str, str]]) -> None:
        self._pairs = [*pairs]
        super().__init__(self._pairs)

    def getlist(self, key: str, default: list[str] | None = None) -> list[str]:
        """Return all values of a name in order, or ``default`` or an empty list if there is none."""
        return [value for name, value in self._pairs if name == key] or (default if default is not None else [])


def is_json(native: NativeRequest) -> bool:
    """Return True if the content type is JSON."""
    declared = native.head.field("content-type")
    if declared is None or declared == _JSON:
        return declared is not None
    content_type = native.content_type
    return content_type is not None and content_type.is_json


def json_body_of(native: NativeRequest) -> Any:
    """Return the content decoded from JSON, or None if it has another type or is malformed."""
    if not is_json(native):
        return None
    try:
        return native.json
    except HTTPError as error:
        if error.status == 400:
            return None
        raise


class JsonAccessor(dict[str, Any]):
    """The members of the object that a request has in JSON. Called with data, it answers with JSON."""

    def __init__(self, request: "Request") -> None:
        self._request = request
        if isinstance(request.json_body, dict):
            self.update(request.json_body)

    def __call__(self, data: Any = None, status: int = 200) -> str:
        """Return data, by default those that the request has, as JSON, which is answered with a status.

        Raises TypeError, which names type and place, for a value that can't be written.
        """
        request = self._request
        if data is None:
            data = request.json_body if request.json_body is not None else {}
        request.content_type = _JSON
        if status != 200:
            request.status_code(status)
        from antiphon.embedding import encode_json  # late: it loads msgspec

        return encode_json(data).decode()
