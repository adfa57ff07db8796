"""The body of a response as text, and as the value that is written in it as JSON."""

from typing import Any

from antiphon.explanations import explained
from antiphon.http.media_type import MediaType


def text_of(body: bytes, content_type: str | None) -> str:
    """Return a body as text in the charset of its content type; in UTF-8 if there is none that Python knows.

    Raises ValueError for other bytes.
    """
    try:
        return body.decode(_charset(content_type))
    except LookupError:
        return body.decode()


def json_of(body: bytes, response: object) -> Any:
    """Return the value of a response's body as JSON. Raises ValueError, which shows the response, for other bytes."""
    from antiphon.serialization.json import decode_json

    try:
        return decode_json(body)
    except Exception as error:
        raise explained("response-not-json", ValueError(f"{response!r} is not JSON: {error}")) from error


def _charset(content_type: str | None) -> str:
    try:
        return MediaType.parse(content_type or "").charset or "utf-8"
    except ValueError:
        return "utf-8"
