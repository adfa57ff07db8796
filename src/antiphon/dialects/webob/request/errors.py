"""Errors in client data that are also responses from ``webob.exc``. Imported only when needed."""

from json import JSONDecodeError

from antiphon.dialects.webob.exc import HTTPBadRequest


class MalformedForm(HTTPBadRequest, ValueError):
    """Raised for a form that can't be parsed (400)."""


class MalformedJSON(JSONDecodeError, HTTPBadRequest):
    """Raised for a body that is not JSON (400)."""

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        JSONDecodeError.__init__(self, reason, text, position)
        self._reason = JSONDecodeError.__str__(self)
        HTTPBadRequest.__init__(self, f"The body is not JSON: {self._reason}")

    def __str__(self, detailed: bool = False, /) -> str:
        return self._reason  # as of the json module, which programs show


class MalformedText(UnicodeDecodeError, HTTPBadRequest):
    """Raised for a path, query or body that is not valid text in its charset (400)."""

    def __init__(self, encoding: str, data: bytes, start: int, end: int, reason: str) -> None:
        UnicodeDecodeError.__init__(self, encoding, data, start, end, reason)
        HTTPBadRequest.__init__(self, UnicodeDecodeError.__str__(self))


def decode_text(data: bytes, codec: str) -> str:
    """Decode a request's bytes. Raises MalformedText if they are invalid."""
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        raise MalformedText(error.encoding, error.object, error.start, error.end, error.reason) from None
