"""The test client: ``Client`` waits for responses, ``AsyncClient`` is awaited. They send the same requests."""

import re
from abc import ABC, abstractmethod
from collections.abc import Coroutine, Iterable, Mapping
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Never, Self, TypeVar, Unpack

from antiphon.adapters.servable import Servable
from antiphon.explanations import explained
from antiphon.explanations.naming import WORDS, NamesOurs, refuse_unknown_attributes, unknown_setting
from antiphon.http.dates import Duration, seconds_of
from antiphon.http.headers import HeaderFields, Headers, MutableHeaders
from antiphon.http.urls.url import TEST_HOST, URL
from antiphon.request.request import Request
from antiphon.testing.call import AsyncOpening, AsyncStreamedResponse, Call, CallOptions, Opening, StreamedResponse
from antiphon.testing.cookies import CookieJar
from antiphon.testing.errors import within
from antiphon.testing.loop_thread import LoopThread
from antiphon.testing.requests import HTTPVersion, RequestOptions, check_options, compose
from antiphon.testing.responses import ClientResponse
from antiphon.testing.servers.exchange import ClientAddress, Connection
from antiphon.testing.servers.transports import CountedQueries, Interface, TestedApplication, make_transport
from antiphon.testing.websockets import AsyncClientWebSocket, ClientWebSocket, SocketCall, SocketTransport

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager, AbstractContextManager

    from antiphon.testing.sessions import ClientSession, Visitor
    from antiphon.testing.tools import ClientTools, ToolResult

Result = TypeVar("Result")
Opened = TypeVar("Opened")
T = TypeVar("T")

_HANDSHAKE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}
"""The header fields of every handshake (RFC 6455 §1.3)."""

NOTHING: Mapping[str, Any] = MappingProxyType({})


class BaseClient(ABC, Generic[Result, Opened], metaclass=NamesOurs, words=WORDS["Client"]):
    """The base of both clients, which share these methods and differ only in how they wait. A ``Result`` is a response
    or an awaitable of one.

    The client acts as a server that calls ``app`` over ``interface``: ``"wsgi"``, ``"asgi"`` or ``"rsgi"``.

    ``base_url`` provides the scheme, host and port for URLs without them. Secure cookies are stored and sent over https
    and, as in browsers, on localhost; the default ``base_url`` is treated as localhost. ``root_path`` is where the
    application is mounted; URLs must begin with it, as in a browser. ``headers`` and ``cookies`` are sent with every
    request; you can change the attributes with these names. ``client`` is the address from which requests come, and
    ``http_version`` is their HTTP version. ``follow_redirects`` can also be given for each request.

    With ``raise_errors=True``, every error of the application is raised in the test; with False, each becomes a
    response, as on a server. By default, an error that escapes the application is raised, and an error for which an
    ``App`` returns a 500 becomes a response. Errors that escape a WSGI application are also raised over the other
    interfaces.

    ``timeout`` is seconds or a timedelta. It applies to a whole response including redirects, and to each step of a
    stream or of the lifespan; the TimeoutError shows where the application hangs. ``max_body`` is the maximum size, in
    bytes, of bodies that are held in memory. ``extra`` is added to each environ (WSGI) or scope (ASGI), for example
    ``{"extensions": ...}``.

    ``contract=True`` checks whole responses, and what handlers read, against the contracts that ``OpenAPI`` infers from
    the handlers' code. A violation raises a ContractError that names the handler. ``queries=20`` checks that no request
    sends more than 20 statements to a database, whether by SQLAlchemy, Django, psycopg or sqlite3. If one does, an
    AssertionError lists them with their lines. Both raise TypeError for an application that isn't an ``App``.
    """

    _on_loop: ClassVar[bool]

    def __init__(
        self,
        app: TestedApplication,
        interface: Interface = "asgi",
        *,
        base_url: str = f"http://{TEST_HOST}",
        headers: HeaderFields = (),
        cookies: Mapping[str, str] = NOTHING,
        follow_redirects: bool = True,
        raise_errors: bool | None = None,
        client: ClientAddress | None = ("127.0.0.1", 50000),
        http_version: HTTPVersion = "1.1",
        root_path: str = "",
        timeout: Duration | None = 30.0,
        max_body: int = 64 << 20,
        extra: Mapping[str, object] = NOTHING,
        contract: bool = False,
        queries: int | None = None,
        **unknown: Never,
    ) -> None:
        refuse_unknown_attributes(Request)
        if unknown:
            message = unknown_setting(type(self), next(iter(unknown)), WORDS["Client.__init__"])
            raise explained("client-takes-settings", message, TypeError)
        timeout = seconds_of(timeout)
        self.app = app
        self.interface = interface
        self.base_url = _checked_base(base_url)
        self.headers = MutableHeaders(headers)
        self.cookies = CookieJar(self.base_url.host)
        for name, value in cookies.items():
            self.cookies.set(name, value)
        self._client = client
        self._root_path = root_path.rstrip("/")
        self._http_version: HTTPVersion = http_version
        if contract:
            app = _held_to_contract(app)
        if queries is not None:
            app = _held_to_budget(app, queries)
        self._options = CallOptions(timeout, max_body, follow_redirects, NOTHING)
        self._is_inline = interface == "wsgi" and timeout is None and not self._on_loop
        self._transport = make_transport(
            app,
            interface,
            Connection(client, self._root_path, raise_errors is not False),
            extra,
            on_thread=not self._is_inline,
            raise_handled_errors=raise_errors,
        )

    @property
    def session(self) -> "ClientSession":
        """The session that the client's cookie identifies, read from the store of the app's ``Sessions``.

        ``client.session["cart"]`` reads its current value. To change it, use ``with client.session as session:``. The
        changes are written at the end of the block, with the cookie if the session is new. Nothing has to be awaited,
        because no request is sent. Raises TypeError for anything but an ``App``, and RuntimeError for an app without
        ``Sessions``.
        """
        from antiphon.testing.sessions import ClientSession

        return ClientSession(self._visitor)

    def login(self, user: object = None, **unknown: Never) -> None:
        """Log a user in, as a login page does: subsequent requests include the user's session cookie.

        The app finds the user with the loader of its ``SessionLogin``. ``client.cookies.clear()`` makes the client an
        anonymous visitor again. Nothing has to be awaited, because no request is sent. Raises TypeError for an
        application that isn't an ``App`` and for a user without a key, and RuntimeError for an app without ``Users``
        with a ``SessionLogin``.
        """
        if unknown:
            raise explained(
                "bad-test-request",
                f"login() takes a user, not {next(iter(unknown))!r}: pass the user, or send your login form with"
                " client.post(url, form={...})",
                TypeError,
            )
        self._visitor.login(user)

    def get(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a GET request. Its options are those of ``request``, such as ``params``, ``headers`` and ``json``."""
        return self.request("GET", url, *unnamed, **options)

    def head(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a HEAD request, whose response has no body. Its options are those of ``request``."""
        return self.request("HEAD", url, *unnamed, **options)

    def options(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send an OPTIONS request. Its options are those of ``request``, such as ``params`` and ``headers``."""
        return self.request("OPTIONS", url, *unnamed, **options)

    def post(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a POST request. Its options are those of ``request``, such as ``json``, ``form`` and ``files``."""
        return self.request("POST", url, *unnamed, **options)

    def put(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a PUT request. Its options are those of ``request``, such as ``json``, ``form`` and ``files``."""
        return self.request("PUT", url, *unnamed, **options)

    def patch(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a PATCH request. Its options are those of ``request``, such as ``json``, ``form`` and ``files``."""
        return self.request("PATCH", url, *unnamed, **options)

    def delete(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a DELETE request. Its options are those of ``request``, such as ``params``, ``headers`` and ``json``."""
        return self.request("DELETE", url, *unnamed, **options)

    def query(self, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a QUERY request, which is safe and has a body. Its options are those of ``request``."""
        return self.request("QUERY", url, *unnamed, **options)

    def request(self, method: str, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Result:
        """Send a request, follow redirects, and return the whole response.

        ``params`` are added to the query. The body is one of ``json``, ``form`` and ``body``; an iterable of bytes is
        sent in chunks, as the application requests them. With ``files``, a multipart form is sent. A file is bytes or a
        file object, ``(filename, content)`` or ``(filename, content, content_type)``; a field can have a list of files.
        Header fields and cookies passed here replace those of the client. Method and path are sent as written,
        including dot segments, which browsers remove (as redirects do here). OPTIONS can have ``*`` instead of the URL.

        Options: ``params``, ``headers``, ``cookies``, ``body``, ``json``, ``form``, ``files``, ``content_type`` and
        ``follow_redirects``. Raises TypeError for any other option, and for data without one.
        """
        return self._respond(self._call(method, url, options, unnamed))

    def stream(self, method: str, url: str, *unnamed: Never, **options: Unpack[RequestOptions]) -> Opened:
        """Send a request and open a response whose body, which may be endless, is read chunk by chunk.

        Use this in a ``with`` or ``async with`` statement. The client disconnects at the end of the block, unless the
        body has ended. Raises TimeoutError if the application is still running when the timeout expires.
        """
        return self._open(self._call(method, url, options, unnamed))

    def _send_message(self, path: str, fields: Mapping[str, str], message: object) -> Call:
        return self._call("POST", self._root_path + path, {"json": message, "headers": fields})

    def _socket_call(
        self, url: str, subprotocols: Iterable[str], origin: str | None, options: RequestOptions
    ) -> "SocketCall":
        """Make the handshake of a WebSocket, with the header fields that browsers send (RFC 6455 §4.1)."""
        offered = [*subprotocols]
        headers = MutableHeaders(_HANDSHAKE)
        if offered:
            headers["sec-websocket-protocol"] = ", ".join(offered)
        if origin is not None:
            headers["origin"] = origin or f"{self.base_url.scheme}://{self.base_url.netloc}"
        headers.update(options.get("headers", ()))
        call = self._call("GET", re.sub("^ws(?=s?://)", "http", url), {**options, "headers": headers})
        transport = SocketTransport(self._transport, offered)
        return SocketCall(transport, call.request, self.cookies, call.options._replace(follow_redirects=False))

    def _call(self, method: str, url: str, options: RequestOptions, unnamed: tuple[Never, ...] = ()) -> Call:
        check_options(options, BaseClient.__init__.__kwdefaults__ or (), method if unnamed else None)
        headers, http_version = Headers(self.headers), self._http_version
        request = compose(method, url, options, base=self.base_url, headers=headers, http_version=http_version)
        call_options = self._options._replace(
            cookies=options.get("cookies", NOTHING),
            follow_redirects=options.get("follow_redirects", self._options.follow_redirects),
        )
        return Call(self._transport, request, self.cookies, call_options)

    @property
    def _visitor(self) -> "Visitor":
        from antiphon.testing.sessions import Visitor

        return Visitor(self.app, self.base_url, self.headers, self.cookies, self._client)

    async def _startup(self) -> None:
        await within(self._options.timeout, self._transport.startup(), lambda: "the application has not started up")

    async def _shutdown(self, failure: BaseException | None) -> None:
        try:
            await within(self._options.timeout, self._transport.shutdown(), lambda: "the application has not shut down")
        except Exception:
            if failure is None:  # otherwise, show the test's own error
                raise

    @abstractmethod
    def _respond(self, call: Call) -> Result: ...

    @abstractmethod
    def _open(self, call: Call) -> Opened: ...


BaseClient.__init__.__doc__ = BaseClient.__doc__  # so that help() of either client shows the options


class Client(BaseClient[ClientResponse, Opening[Call, StreamedResponse]]):
    """A client for tests that are plain functions.

        client = Client(app)

    The application runs on an event loop in its own thread; over WSGI, it runs on another thread. It can read the
    context variables of the test. With ``timeout=None``, a WSGI application runs on the test's own thread, for
    debuggers and for code that reads thread-locals.

    As a context manager, the client starts up the application and shuts it down.
    """

    _on_loop = False
    _loop: LoopThread | None = None

    def __enter__(self) -> Self:
        try:
            self._run(self._startup())
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._run(self._shutdown(error))
        finally:
            self.close()

    def websocket(
        self, url: str, *, subprotocols: Iterable[str] = (), origin: str | None = "", **options: Unpack[RequestOptions]
    ) -> "AbstractContextManager[ClientWebSocket]":
        """Open a WebSocket: ``with client.websocket("/rooms/7") as socket:``. It is closed at the end of the block.

        The handshake has the Origin that a browser would send from a page of the application. Pass another ``origin``
        to send that one instead, or None to send no Origin. Raises HandshakeRefused, with the ``response``, if the
        handshake is refused, TimeoutError if it isn't completed within the timeout, and any error that escapes the
        application.
        """
        return Opening(self._socket_call(url, subprotocols, origin, options), self._run, ClientWebSocket)

    @property
    def tools(self) -> "ClientTools[ToolResult, dict[str, dict[str, Any]]]":
        """The tools of the application: ``client.tools.call("show_lamp", number=7).data``.

        Raises RuntimeError for an application without ``Tools``.
        """
        from antiphon.testing.tools import ClientTools, path_of

        return ClientTools(path_of(self.app), self._send_message, self._run)

    def close(self) -> None:
        """Stop the client's event loop. A later request starts another one."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.close()

    def _respond(self, call: Call) -> ClientResponse:
        return self._run(call.respond())

    def _open(self, call: Call) -> Opening[Call, StreamedResponse]:
        return Opening(call, self._run, StreamedResponse)

    def _run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._is_inline:
            return _run_inline(coroutine)
        if self._loop is None or not self._loop.is_usable:
            self._loop = LoopThread.of(self.app)
        return self._loop.run(coroutine, self._options.timeout)


class AsyncClient(BaseClient[Coroutine[Any, Any, ClientResponse], AsyncOpening[Call, AsyncStreamedResponse]]):
    """A client for tests that are coroutines: its methods are awaited.

        client = AsyncClient(app, "asgi")

    The application runs on the test's event loop; over WSGI, it runs on another thread.

    As an async context manager, the client starts up the application and shuts it down.
    """

    _on_loop = True

    def websocket(
        self, url: str, *, subprotocols: Iterable[str] = (), origin: str | None = "", **options: Unpack[RequestOptions]
    ) -> "AbstractAsyncContextManager[AsyncClientWebSocket]":
        """Open a WebSocket, as ``Client.websocket`` does: ``async with client.websocket("/rooms/7") as socket:``."""
        return AsyncOpening(self._socket_call(url, subprotocols, origin, options), AsyncClientWebSocket)

    @property
    def tools(self) -> "ClientTools[Coroutine[Any, Any, ToolResult], Coroutine[Any, Any, dict[str, dict[str, Any]]]]":
        """The tools of the application, as in ``Client.tools``: ``await client.tools.call("show_lamp", number=7)``."""
        from antiphon.testing.tools import ClientTools, path_of

        return ClientTools(path_of(self.app), self._send_message, lambda coroutine: coroutine)

    async def __aenter__(self) -> Self:
        await self._startup()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._shutdown(error)

    def _respond(self, call: Call) -> Coroutine[Any, Any, ClientResponse]:
        return call.respond()

    def _open(self, call: Call) -> AsyncOpening[Call, AsyncStreamedResponse]:
        return AsyncOpening(call, AsyncStreamedResponse)


def _held_to_contract(app: TestedApplication) -> TestedApplication:
    """Return an application whose responses, and what is read from its requests, are checked."""
    from antiphon.testing.contract import held_contract

    return held_contract(app).application


def _held_to_budget(app: TestedApplication, queries: int) -> TestedApplication:
    """Return an application whose requests' statements are counted and checked."""
    if not isinstance(app, Servable):
        raise explained("no-contract", f"queries={queries} needs an App, not {app!r}", TypeError)
    return CountedQueries(app, queries)


def _checked_base(text: str) -> URL:
    url = URL(text)
    plain = f"{url.scheme}://{url.netloc}"
    if url.scheme not in ("http", "https") or not url.host or url.userinfo or text.removesuffix("/") != plain:
        raise explained("bad-test-request", f"a base_url must be a scheme and a host, maybe with a port, not {text!r}")
    return url


def _run_inline(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that never suspends."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # StopIteration carries the coroutine's T
    raise RuntimeError("a coroutine waits, but there is no event loop")
