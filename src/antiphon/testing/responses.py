"""Responses as the client receives them: head, cookies and body."""

from typing import Any, NoReturn

from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.http.cookies import SetCookie
from antiphon.http.status import has_body, phrase
from antiphon.http.urls.url import URL
from antiphon.lazy import lazy
from antiphon.response.message import json_of, text_of
from antiphon.testing.errors import ContractError, TooMuch
from antiphon.testing.requests import ClientRequest
from antiphon.testing.servers.exchange import Exchange, Head


class JSONObject(dict[str, Any]):
    """A JSON object. Calling it, like ``response.json()`` in other clients, raises an error with a hint."""

    __slots__ = ()

    def __call__(self) -> NoReturn:
        raise _no_method()


class JSONArray(list[Any]):
    """A JSON array. Calling it raises the same error."""

    __slots__ = ()

    def __call__(self) -> NoReturn:
        raise _no_method()


def _no_method() -> TypeError:
    message = "response.json is an attribute, not a method: leave out the ()"
    return explained("json-is-an-attribute", message, TypeError)


class ResponseHead(metaclass=NamesOurs, words=WORDS["ResponseHead"]):
    """A response before its body: ``status``, ``headers``, and the ``request`` that was handled.

    ``early_hints`` contains the links that were sent before it, as a tuple of ``Link``; RSGI has no early hints.
    ``history`` contains the redirects that led here, oldest first.
    """

    def __init__(self, request: ClientRequest, head: Head, history: "list[ClientResponse]") -> None:
        self.request = request
        self.status = head.status
        self.headers = head.headers
        self.early_hints = head.early_hints
        self.history = history

    @property
    def reason(self) -> str:
        """The reason phrase of the status."""
        return phrase(self.status)

    @property
    def url(self) -> URL:
        """The URL of this response: the last one after redirects."""
        return self.request.url

    @property
    def content_type(self) -> str | None:
        """The Content-Type header; None if there is none."""
        return self.headers.get("content-type")

    @property
    def location(self) -> str | None:
        """The Location header; None if there is none."""
        return self.headers.get("location")

    @lazy
    def set_cookies(self) -> list[SetCookie]:
        """The cookies that this response sets, with their attributes.

        Raises ValueError for a cookie that browsers drop.
        """
        return [SetCookie.parse(line) for line in self.headers.getall("set-cookie")]

    @property
    def cookies(self) -> dict[str, str]:
        """The names and values of the cookies that this response sets."""
        return {cookie.name: cookie.value for cookie in self.set_cookies}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.status} {self.reason}: {self.request.method} {self.url}>"


class ClientResponse(ResponseHead, words=WORDS["ClientResponse"]):
    """A response with its ``body``, the bytes as they were sent: a content coding is not decoded."""

    def __init__(self, request: ClientRequest, head: Head, history: "list[ClientResponse]", body: bytes) -> None:
        super().__init__(request, head, history)
        self.body = body

    @lazy
    def text(self) -> str:
        """The body as text in the charset of its Content-Type, by default UTF-8.

        Raises ValueError if the body is not in that charset.
        """
        return text_of(self.body, self.content_type)

    @lazy
    def json(self) -> Any:
        """The value decoded from the body's JSON. Raises ValueError if the body is not JSON."""
        value = json_of(self.body, self)
        if type(value) is dict:
            return JSONObject(value)
        return JSONArray(value) if type(value) is list else value

    @lazy
    def slots(self) -> dict[str, str]:
        """The HTML of each ``Slot`` of the page, by its name, or of the error that is shown instead, in the order in
        which they were sent. A client with ``raise_errors=True`` raises the error instead.

        Empty if their HTML is in its place, as in a block. Raises ValueError as ``text`` does.
        """
        from antiphon.features.templates.slots import parts_in

        return parts_in(self.text)


class ResponseBody:
    """A body while it is received, which is checked against its head. For HEAD it is dropped, as servers do."""

    def __init__(self, exchange: Exchange, method: str, head: Head) -> None:
        self._exchange = exchange
        self._is_dropped = method == "HEAD"
        self._status = head.status
        length = head.headers.get("content-length")
        self._length = int(length) if length is not None else None
        self._received = 0

    async def chunk(self) -> bytes | None:
        """Return the next non-empty chunk; None at the end. Raises ContractError for a wrong length."""
        while (chunk := await self._exchange.chunk()) is not None:
            if chunk and not self._is_dropped:
                self._count(len(chunk))
                return chunk
        await self._check_end()
        return None

    async def read(self, limit: int) -> bytes:
        """Return the rest of the body. Raises TooMuch if the rest is longer than ``limit`` bytes."""
        chunks = []
        size = 0
        while (chunk := await self.chunk()) is not None:
            size += len(chunk)
            if size > limit:
                raise TooMuch(f"the body has more than {limit} bytes: read it with stream, or raise max_body")
            chunks.append(chunk)
        return b"".join(chunks)

    def _count(self, size: int) -> None:
        self._received += size
        if not has_body(self._status):
            raise explained(
                "application-breaks-contract",
                ContractError(f"a {self._status} response has no body, but {size} bytes were sent"),
            )
        if self._length is not None and self._received > self._length:
            raise explained(
                "application-breaks-contract",
                ContractError(f"{self._received} bytes were sent, but the Content-Length is {self._length}"),
            )

    async def _check_end(self) -> None:
        if self._is_dropped or not has_body(self._status) or self._length in (None, self._received):
            return
        await self._exchange.close()  # this raises the error that may have cut the body short
        raise explained(
            "application-breaks-contract",
            ContractError(f"the body ended after {self._received} bytes, but the Content-Length is {self._length}"),
        )
