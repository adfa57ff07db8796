"""One call of a client: a request, the redirects after it, and the response, within limits."""

from collections.abc import Coroutine, Mapping
from typing import Any, NamedTuple, TypeVar

from antiphon.testing.cookie_jar import CookieJar
from antiphon.testing.deadline import within
from antiphon.testing.errors import TooManyRedirects
from antiphon.testing.redirects import MOST, next_request
from antiphon.testing.response import Response
from antiphon.testing.response_body import ResponseBody
from antiphon.testing.sent_request import SentRequest
from antiphon.testing.servers.exchange import Exchange, Head, Transport

T = TypeVar("T")


class Rules(NamedTuple):
    """What a call keeps to.

    ``timeout`` is in seconds, for a whole response or for one step of a stream; ``max_body`` in bytes, for a
    body that is held in memory; ``cookies`` go to the first request's origin, beside those of the jar.
    """

    timeout: float | None
    max_body: int
    follow_redirects: bool
    cookies: Mapping[str, str]


class Call:
    """A request on its way: ``respond`` does it all, ``open``, ``chunk`` and ``leave`` go step by step.

    When one of them fails the application is stopped, and the call is over.
    """

    def __init__(self, transport: Transport, request: SentRequest, jar: CookieJar, rules: Rules) -> None:
        self._transport = transport
        self._origin = request.origin
        self._jar = jar
        self._rules = rules
        self._exchange: Exchange | None = None
        self._over = False
        self.request = request
        self.history: list[Response] = []

    async def respond(self) -> Response:
        """Get the whole response, after redirects, and wait until the application has ended."""
        return await self._limited(self._respond(), "the whole response")

    async def open(self) -> Head:
        """Get the response's head, after redirects."""
        return await self._limited(self._open(), "the head of the response")

    async def chunk(self) -> bytes | None:
        """Get the next chunk of the body, None at its end."""
        return None if self._over else await self._limited(self._body.chunk(), "the next chunk of the body")

    async def rest(self) -> bytes:
        """Get what is left of the body."""
        return b"" if self._over else await self._limited(self._body.read(self._rules.max_body), "the rest of the body")

    async def leave(self, error: BaseException | None = None) -> None:
        """Go away, if the body has not ended, and wait until the application has ended.

        When the test has failed with an error, the application is stopped instead, so that the test's error
        is seen.
        """
        if self._over or self._exchange is None:
            return
        self._over = True
        if error is not None:
            await self._exchange.abort()
        else:
            await self._limited(self._exchange.close(), "the application to end, now that the client has gone away")

    async def _respond(self) -> Response:
        head = await self._open()
        return await self._complete(head)

    async def _complete(self, head: Head) -> Response:
        assert self._exchange is not None  # noqa: S101 - it has given the head
        body = await self._body.read(self._rules.max_body)
        await self._exchange.close()
        return Response(self.request, head, self.history.copy(), body)

    async def _open(self) -> Head:
        while True:
            url = self.request.url
            more = self._rules.cookies if self.request.origin == self._origin else {}
            self.request = request = self.request.with_cookies(self._jar.header(url, more))
            self._exchange = exchange = self._transport.open(request)
            head = await exchange.head()
            self._body = ResponseBody(exchange, request.method, head)
            self._jar.store(url, head.headers.getall("set-cookie"))
            following = next_request(request, head) if self._rules.follow_redirects else None
            if following is None:
                return head
            if len(self.history) == MOST:
                raise TooManyRedirects(f"{url} redirects once more, after {MOST} redirects")
            self.history.append(await self._complete(head))
            self.request = following

    async def _limited(self, work: Coroutine[Any, Any, T], awaited: str) -> T:
        try:
            return await within(self._rules.timeout, work, lambda: self._late(awaited))
        except BaseException:
            self._over = True
            if self._exchange is not None:
                await self._exchange.abort()
            raise

    def _late(self, awaited: str) -> str:
        where = self._exchange.where() if self._exchange is not None else ""
        place = f"; the application is at\n{where}" if where else ""
        return f"{self.request} has waited {self._rules.timeout} seconds for {awaited}{place}"
