"""A test client, which calls an application on the loop of the test."""

from collections.abc import Mapping
from typing import Any, NoReturn

from antiphon import Request as NativeRequest
from antiphon.dialects.microdot.application import Microdot
from antiphon.dialects.microdot.dispatch import receive_ahead
from antiphon.dialects.microdot.mappings import NoCaseDict
from antiphon.dialects.microdot.request import Request
from antiphon.dialects.microdot.response import Response
from antiphon.embedding import RequestHead, as_bytes, decode_json, encode_json, finish, run_async
from antiphon.http import Address, Event, SetCookie, parse_events
from antiphon.http.urls.url import unquote

__all__ = ["TestClient", "TestResponse"]

Cookie = str | tuple[str, str]
"""The value of a cookie, or its value and its path, if that is not the root."""


class _SentHead(RequestHead):
    """The head of a request that is made on an event loop, with no more content than Content-Length declares."""

    blocks = False

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(*values, **named)
        declared = self.uncoded_length
        self._content = self._content[:declared]
        self._has_body = bool(self._content) or (declared or 0) > Request.max_content_length

    @property
    def has_body(self) -> bool:
        """True if there was content, or more is declared than is accepted."""
        return self._has_body


class TestResponse:
    """A response with its whole body."""

    __test__ = False

    def __init__(self) -> None:
        self.status_code: int | None = None
        self.reason: str | None = None
        """The reason that the application gave, else None."""
        self.headers: NoCaseDict = NoCaseDict()
        self.body: bytes | None = None
        self.text: str | None = None
        """The body as text; None if it is not UTF-8."""
        self.json: Any = None
        """The value of a JSON body, else None."""
        self.events: list[dict[str, Any]] | None = None
        """The events of a body that is an event stream, else None."""

    @classmethod
    async def create(cls, res: Response) -> "TestResponse":
        """Return a response with the body read to its end."""
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
    """Return a body in bytes, and set its Content-Length, and the Content-Type of JSON, in the headers."""
    if isinstance(body, (dict, list)):
        headers.setdefault("Content-Type", "application/json")
        body = encode_json(body)
    content: bytes = body.encode() if isinstance(body, str) else body or b""
    if content:
        headers.setdefault("Content-Length", str(len(content)))
    return content


class TestClient:
    """A client that sends requests to an application, and keeps its cookies."""

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
        """Send a GET request."""
        return await self.request("GET", path, headers)

    async def post(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a POST request. A dict or a list is sent as JSON, text as UTF-8."""
        return await self.request("POST", path, headers, body)

    async def put(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a PUT request. The body is as for ``post``."""
        return await self.request("PUT", path, headers, body)

    async def patch(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a PATCH request. The body is as for ``post``."""
        return await self.request("PATCH", path, headers, body)

    async def delete(self, path: str, headers: Mapping[str, str] | None = None) -> TestResponse:
        """Send a DELETE request."""
        return await self.request("DELETE", path, headers)

    async def query(self, path: str, headers: Mapping[str, str] | None = None, body: Any = None) -> TestResponse:
        """Send a QUERY request. The body is as for ``post``."""
        return await self.request("QUERY", path, headers, body)

    async def websocket(self, path: str, client: Any, headers: Any = None) -> NoReturn:
        """Raise NotImplementedError: ``Client(app).websocket(path)`` of antiphon.testing opens a WebSocket."""
        raise NotImplementedError(
            "the Microdot dialect does not offer TestClient.websocket: Client(app).websocket(path) of antiphon.testing"
            " opens a WebSocket"
        )

    async def request(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: Any = None, sock: Any = None
    ) -> TestResponse:
        """Send a request."""
        if sock is not None:
            raise NotImplementedError("the Microdot dialect does not offer sockets")
        sent = {name: str(value).strip() for name, value in (headers or {}).items()}
        native = NativeRequest(self._head(method, path, NoCaseDict(sent), body))
        request = Request(self.app, native)
        try:
            await receive_ahead(request)
            response = await self.app.dispatch_request(request)
            if response is Response.already_handled:
                return TestResponse()
            response.is_head = method == "HEAD"
            response.complete()
            self._keep_cookies(response)
            return await TestResponse.create(response)
        finally:
            await run_async(finish(native))

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
