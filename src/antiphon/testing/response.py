"""A response as the client got it."""

from typing import Any

from antiphon.http.cookies import SetCookie
from antiphon.http.headers import Headers
from antiphon.http.media_type import MediaType
from antiphon.http.status import phrase
from antiphon.http.url import URL
from antiphon.lazy import lazy
from antiphon.testing.sent_request import SentRequest
from antiphon.testing.servers.exchange import Head


class ResponseHead:
    """What is known before the body: ``status``, ``headers``, and the ``request`` that they answer.

    ``history`` has the redirects that led here, oldest first.
    """

    def __init__(self, request: SentRequest, head: Head, history: "list[Response]") -> None:
        self.request = request
        self.status = head.status
        self.headers = head.headers
        self.history = history

    @property
    def reason(self) -> str:
        """The phrase that goes with the status."""
        return phrase(self.status)

    @property
    def url(self) -> URL:
        """The URL that gave this response: the last one, after redirects."""
        return self.request.url

    @property
    def content_type(self) -> str | None:
        """The Content-Type header; None without one."""
        return self.headers.get("content-type")

    @property
    def location(self) -> str | None:
        """The Location header; None without one."""
        return self.headers.get("location")

    @lazy
    def set_cookies(self) -> list[SetCookie]:
        """The cookies that this response sets, with their attributes.

        Raises ValueError for one that browsers drop.
        """
        return [SetCookie.parse(line) for line in self.headers.getall("set-cookie")]

    @property
    def cookies(self) -> dict[str, str]:
        """The names and values of the cookies that this response sets."""
        return {cookie.name: cookie.value for cookie in self.set_cookies}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.reason}: {self.request.method} {self.url}>"


class Response(ResponseHead):
    """A response with its ``body``, in bytes as sent: no content coding is undone."""

    def __init__(self, request: SentRequest, head: Head, history: "list[Response]", body: bytes) -> None:
        super().__init__(request, head, history)
        self.body = body

    @lazy
    def text(self) -> str:
        """The body as text in the charset of its Content-Type, by default UTF-8.

        Raises ValueError if it isn't that.
        """
        return self.body.decode(charset(self.headers))

    @lazy
    def json(self) -> Any:
        """The value that the body has as JSON. Raises ValueError when it is none."""
        from antiphon.serialization.json import decode_json

        try:
            return decode_json(self.body)
        except Exception as error:
            raise ValueError(f"{self!r} is not JSON: {error}") from error


def charset(headers: Headers) -> str:
    """The charset of a body; UTF-8 where none is named."""
    try:
        return MediaType.parse(headers.get("content-type", "")).charset or "utf-8"
    except ValueError:
        return "utf-8"
