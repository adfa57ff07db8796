"""A test client that calls an application on the test's loop."""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from typing import Any
from urllib.parse import unquote

from antiphon import Limits, WebSocketClosed
from antiphon import Request as NativeRequest
from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.dispatch import receive_ahead
from antiphon.dialects.microdot.mappings import NoCaseDict
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import Response
from antiphon.dialects.microdot.websocket import UNBOUNDED_MESSAGE
from antiphon.embedding import RequestHead, RequestState, as_bytes, decode_json, encode_json, run_async
from antiphon.http import Address, Event, SetCookie, parse_events
from antiphon.websockets.connection import Connection

__all__ = ["TestClient", "TestResponse"]

Cookie = str | tuple[str, str]
"""A cookie's value, or its value and its path if that is not the root."""
ClientMessages = Generator[str | bytes, Any, Any] | AsyncGenerator[str | bytes, Any]
"""The messages that a client sends over a WebSocket."""

_HANDSHAKE = {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}  # fmt: skip
"""The header fields of a WebSocket handshake (RFC 6455 §4.1)."""


class _SentHead(RequestHead):
    """The head of a request made on an event loop. Its content is at most as long as Content-Length declares."""

    blocks = False

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        declared = self.uncoded_length
        self._content = self._content[:declared]
        self._has_body = bool(self._content) or (declared or 0) > Request.max_content_length

    @property
    def has_body(self) -> bool:
        """True if content was sent, or if the declared length exceeds the limit."""
        return self._has_body


class TestResponse:
    """A response with its complete body."""

    __test__ = False

    def __init__(self) -> None:
        self.status_code: int | None = None
        self.reason: str | None = None
        """The reason that the application gave, or None."""
        self.headers: NoCaseDict = NoCaseDict()
        self.body: bytes | None = None
        self.text: str | None = None
        """The body as text; None if it is not UTF-8."""
        self.json: Any = None
        """The decoded body if it is JSON, otherwise None."""
        self.events: list[dict[str, Any]] | None = None
        """The events if the body is an event stream, otherwise None."""

    @classmethod
    async def create(cls, res: Response) -> "TestResponse":
        """Read a response's body to its end and return the result."""
        self = cls()
        self.status_code, self.reason, self.headers = res.status_code, res.reason, res.headers
        if not res.is_head:
            self.body = b"".join([as_bytes(chunk) async for chunk in res.body_iter()])
            self._read_body(res.headers.get("Content-Type", "").partition(";")[0])
        return self

    def _read_body(self, media_type: str) -> None:
        try:
            self.text = (self.body or b"").decode()
        except UnicodeDecodeError:
            return
        if media_type == "application/json":
            self.json = decode_json(self.body or b"")
        elif media_type == "text/event-stream":
            self.events = [_described(event) for event in parse_events(self.text) if event.data]


def _described(event: Event) -> dict[str, Any]:
    try:
        value = decode_json(event.data.encode())
    except Exception:
        value = None
    return {
        "data": event.data.encode(), "data_json": value, "event": event.event, "event_id": event.id,
        "retry": event.retry,
    }  # fmt: skip


def _content(body: Any, headers: NoCaseDict) -> bytes:
    """Return a body as bytes, and set its Content-Length and, for JSON, its Content-Type in the headers."""
    if isinstance(body, (dict, list)):
        headers.setdefault("Content-Type", "application/json")
        body = encode_json(body)
    content: bytes = body.encode() if isinstance(body, str) else body or b""
    if content:
        headers.setdefault("Content-Length", str(len(content)))
    return content


class _ScriptedChannel:
    """A test WebSocket driven by a generator, which receives each message and yields the next one to send."""

    limit = UNBOUNDED_MESSAGE
    subprotocols = ()

    def __init__(self, client: ClientMessages) -> None:
        self._client = client
        self._sent: deque[str | bytes] = deque()
        self._has_begun = False

    async def receive(self) -> str | bytes:
        """Wait for the next message. Raises WebSocketClosed when the generator has ended."""
        if not self._sent:
            await self._go_on(None)
        return self._sent.popleft()

    async def send(self, message: str | bytes) -> None:
        if not self._has_begun:
            await self._go_on(None)
        await self._go_on(message)

    async def close(self, code: int, reason: str) -> None:
        """Do nothing, since a generator is not notified of the end."""

    async def _go_on(self, received: str | bytes | None) -> None:
        self._has_begun = True
        client = self._client
        try:
            sent = await client.asend(received) if isinstance(client, AsyncGenerator) else client.send(received)
        except (StopIteration, StopAsyncIteration):
            raise WebSocketClosed(1000) from None
        self._sent.append(sent)


class TestClient:
    """A client that sends requests to an application and keeps its cookies."""

    __test__ = False

    def __init__(
        self,
        app: Microdot,
        cookies: dict[str, Cookie] | None = None,
        scheme: str | None = None,
        host: str | None = None,
    ) -> None:
        self.app = app
        self.cookies: dict[str, Cookie] = cookies or {}
        self.scheme = scheme or "http"
        self.host = host or "example.com:1234"

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse:
        return await self.request("GET", path, headers)

    async def post(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a POST request. A dict or list is sent as JSON, and text as UTF-8."""
        return await self.request("POST", path, headers, body)

    async def put(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a PUT request. The body works as in ``post``."""
        return await self.request("PUT", path, headers, body)

    async def patch(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a PATCH request. The body works as in ``post``."""
        return await self.request("PATCH", path, headers, body)

    async def delete(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse:
        return await self.request("DELETE", path, headers)

    async def query(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a QUERY request. The body works as in ``post``."""
        return await self.request("QUERY", path, headers, body)

    async def websocket(
        self, path: str, client: Callable[[], ClientMessages], headers: Mapping[str, str] | None = None
    ) -> TestResponse:
        """Open a WebSocket and return the response after the handler has ended. Only a refusal has a body.

        ``client`` is a generator function, defined with ``def`` or ``async def``. It yields the messages to send, and
        ``yield`` returns the handler's messages. When the function ends, the client disconnects.
        """
        connection = Connection(_ScriptedChannel(client()), limits=Limits(message=_ScriptedChannel.limit))
        connection.on_demand(connection.accepted)
        origin = f"{self.scheme}://{NoCaseDict(headers or {}).get('Host', self.host)}"  # browsers always send it
        handshake = {**_HANDSHAKE, "Origin": origin, **(headers or {})}
        return await self._respond("GET", path, handshake, None, connection)

    async def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None, sock: Any = None
    ) -> TestResponse:
        if sock is not None:
            raise NotImplementedError("the Microdot dialect does not support sockets")
        return await self._respond(method, path, headers, body)

    async def _respond(
        self, method: str, path: str, headers: Mapping[str, str] | None, body: Any, connection: Connection | None = None
    ) -> TestResponse:
        sent = {name: str(value).strip() for name, value in (headers or {}).items()}
        native = NativeRequest(self._head(method, path, NoCaseDict(sent), body))
        request = Request(self.app, native)
        request.connection = connection
        try:
            await receive_ahead(request)
            response = await self.app.dispatch_request(request)
            if response is Response.already_handled or (connection is not None and connection.is_demanded):
                return TestResponse()
            response.is_head = method == "HEAD"
            response.complete()
            self._keep_cookies(response)
            return await TestResponse.create(response)
        finally:
            await run_async(RequestState(native).finish())

    def _head(self, method: str, path: str, headers: NoCaseDict, body: Any) -> RequestHead:
        content = _content(body, headers)
        headers.setdefault("Host", self.host)
        raw, _, query = path.partition("?")
        if cookies := self._cookies_for(raw):
            headers["Cookie"] = "; ".join([headers["Cookie"], cookies] if "Cookie" in headers else [cookies])
        return _SentHead(
            method,
            unquote(raw),
            query.encode(),
            headers,
            content,
            scheme=self.scheme,
            raw_path=raw.encode(),
            http_version="1.0",
            client=Address("127.0.0.1", 1234),
        )

    def _cookies_for(self, path: str) -> str:
        pairs = []
        for name, cookie in self.cookies.items():
            value, below = cookie if isinstance(cookie, tuple) else (cookie, "/")
            if path.startswith(below):
                pairs.append(f"{name}={value}")
        return "; ".join(pairs)

    def _keep_cookies(self, response: Response) -> None:
        for line in response.headers.get("Set-Cookie", []):
            cookie = SetCookie.parse(line)
            path = cookie.path or "/"
            if (cookie.max_age is not None and cookie.max_age <= 0) or (cookie.expires and cookie.expires.year == 1970):
                kept = self.cookies.get(cookie.name, "")
                if path == (kept[1] if isinstance(kept, tuple) else "/"):
                    self.cookies.pop(cookie.name, None)
            else:
                value = cookie.coded_value
                self.cookies[cookie.name] = value if path == "/" else (value, path)
