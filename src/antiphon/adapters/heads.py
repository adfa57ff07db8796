"""Request heads: values as servers provide them, the checks that every application needs, early hints (RFC 8297), and
errors that end responses."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, TypeVar

from antiphon.concurrency.loop import is_on_loop
from antiphon.handler.failures import error_told
from antiphon.http.errors import HTTPError, RequestHeaderFieldsTooLarge, over_limit, without_traceback
from antiphon.http.head import Address, Head
from antiphon.http.headers import field_value
from antiphon.http.limits import Limits
from antiphon.http.reads import NamesRead
from antiphon.http.urls.path import check_host
from antiphon.http.urls.url import parse_host
from antiphon.request.watching import unrecorded
from antiphon.speedups import accelerated

if TYPE_CHECKING:
    from asyncio import Task

T = TypeVar("T")


class LengthFields(dict[int, T]):
    """The Content-Length field for each length, as a function makes it. Those of short bodies are kept."""

    def __init__(self, make: Callable[[int], T]) -> None:
        self._make = make

    def __missing__(self, length: int) -> T:
        field = self._make(length)
        if length < 4096:
            self[length] = field
        return field


LENGTHS = LengthFields(lambda length: ("content-length", str(length)))


def address(host: str | None, port: object) -> Address | None:
    """Return one end of the connection; None if the server doesn't provide it. A port must be a number, or it is left
    out.
    """
    if not host:
        return None
    text = str(port or "")
    return Address(host, int(text) or None if text.isascii() and text.isdigit() else None)


def netloc(host: str, port: object) -> str:
    """Return the host and port as in a URL (RFC 3986 §3.2)."""
    bracketed = f"[{host}]" if ":" in host and not host.startswith("[") else host
    return f"{bracketed}:{port}" if port else bracketed


def server_address(head: Head) -> tuple[str, int]:
    """Return the host and port that the client requested, because the server's listening address is unknown."""
    try:
        host, port = parse_host(head.authority)
    except ValueError:
        host, port = "", None
    return host or "localhost", port or (443 if head.scheme == "https" else 80)


def http_version(text: str) -> str:
    """Return ``"1.0"``, ``"1.1"``, ``"2"`` or ``"3"``; servers write 1 or 1.0, 2 or 2.0."""
    major, _, minor = text.partition(".")
    return f"{major}.{minor or 0}" if major == "1" else major


def header_too_large(size: int, limit: int) -> HTTPError:
    """Return the error for a header section that exceeds the application's limit."""
    detail = f"The header section has {size} bytes, but only {limit} are accepted."
    return over_limit(RequestHeaderFieldsTooLarge, "headers", limit, detail)


_MOST_KNOWN = 1024
"""The number of hosts to cache."""
_LONGEST_KNOWN = 255
"""The maximum length of a cached host, in characters."""


@accelerated
class HeadMembers:
    """The base of heads. In C, it has members for their attributes, so functions in C can read a head in one pass."""

    reads: NamesRead | None = None


class HeadChecks:
    """Checks of heads. ``looks_at_heads`` is True if anything in a request head other than Host is checked.

    Most servers limit the header section themselves. It is measured if they don't, or if ``limits`` set its size.
    """

    def __init__(self, limits: Limits) -> None:
        self.most_header = limits.headers
        self._is_limit_set = "headers" in limits.given
        self.known_hosts: dict[str | bytes | None, str | bytes] = {}
        """Host values that were found to be valid, each as its own key. Without the GIL, a lookup in a set locks it,
        and a lookup in a dict with another thread's key locks that key, unless it was read as a value.
        """
        self.looks_at_heads = False
        self.plain_hosts = self.known_hosts
        """The known hosts if nothing else in a head is checked, otherwise none."""
        if self._is_limit_set:
            self.look_at_heads()

    def look_at_heads(self) -> None:
        """Check more than Host in each head from now on."""
        self.looks_at_heads, self.plain_hosts = True, {}

    def head_error(self, head: Head) -> HTTPError | None:
        """Return the error for a head that is too large or whose host is malformed, or None for any other head."""
        line = head.host_line
        if line not in self.known_hosts and (error := self.host_error(head)):
            return error
        return self.size_error(head) if self.looks_at_heads else None

    def host_error(self, head: Head) -> HTTPError | None:
        """Return the error for a head whose Host, as received, is not a single host; cache the Host otherwise."""
        line = head.host_line
        try:
            check_host(line, unrecorded(head, lambda: head.http_version))
        except HTTPError as error:
            return without_traceback(error)
        if line and len(line) <= _LONGEST_KNOWN:
            # Clients choose these values: without a bound, they would fill the memory.
            if len(self.known_hosts) >= _MOST_KNOWN:
                self.known_hosts.clear()
            self.known_hosts[line] = line
        return None

    def size_error(self, head: Head) -> HTTPError | None:
        """Return the error for a head that is too large."""
        if head.has_limited_size and not self._is_limit_set:
            return None
        size = head.header_size
        return header_too_large(size, self.most_header) if size > self.most_header else None


MOST_BYTES = 8 << 10
"""The maximum size of the links for one request, in bytes. Clients and proxies don't accept longer header sections."""

Send: TypeAlias = Callable[[dict[str, Any]], Awaitable[None]]
Callback: TypeAlias = Callable[[list[tuple[str, str]]], object]


def fitting(links: Iterable[str], hinted: int) -> tuple[list[str], int]:
    """Return the links that may still be sent after ``hinted`` bytes of links, and the new total.

    Raises ValueError for a link that is not allowed in a header.
    """
    fit = []
    for link in map(field_value, links):
        if hinted + len(link) <= MOST_BYTES:
            hinted += len(link)
            fit.append(link)
    return fit, hinted


def call_back(callback: Callback, links: list[str]) -> None:
    """Pass links to a WSGI server on its own thread.

    It may block, and with gevent no other thread may use its socket.

    A handler on the background loop leaves this to the thread that waits for it. A task started by such a handler has
    no waiting thread, so its hints are dropped.
    """
    give = partial(_give, callback, [("Link", link) for link in links])
    if not is_on_loop():
        give()
        return
    # Imported late: most processes send no hints, and many have no loop.
    from asyncio import current_task

    from antiphon.concurrency.calls import Call
    from antiphon.concurrency.crossing import WaitedTask

    if isinstance(task := current_task(), WaitedTask):
        task.thread.run(Call(give))


def _give(callback: Callback, fields: list[tuple[str, str]]) -> None:
    with suppress(Exception):  # the client has left, which the response will notice, or the response has already begun
        callback(fields)


class HintedSend:
    """The ``send`` of an ASGI response that is preceded by early hints.

    Calling it sends the start of the response after the hints.
    """

    def __init__(self, send: Send) -> None:
        self._send = send
        self._hints: list[dict[str, Any]] = []
        self._sending: Task[None] | None = None

    def hint(self, message: dict[str, Any]) -> None:
        """Schedule a message with hints."""
        self._hints.append(message)
        if self._sending is None:
            from asyncio import create_task

            self._sending = create_task(self._send_hints())

    async def _send_hints(self) -> None:
        try:
            while self._hints:
                with suppress(Exception):  # the client has left, which the response will notice
                    # One after another, in the order in which they were given.
                    await self._send(self._hints.pop(0))
        finally:
            self._sending = None  # its context may refer to the request, which refers to this object

    async def __call__(self, message: dict[str, Any]) -> None:
        # The head comes after all hints.
        if self._sending is not None:
            await self._sending
        await self._send(message)


MANAGER = "tm.manager"
"""The key of the transactions of ``pyramid_tm`` in an environ."""


def doom(environ: Any, error: BaseException) -> None:
    """Let ``pyramid_tm`` roll back after an error of an application that is mounted in Pyramid, unless it is an
    HTTPError.
    """
    if MANAGER in environ and not isinstance(error_told(error), HTTPError):
        environ[MANAGER].doom()


def raising(head: Any, send: Send, error: BaseException) -> Send:
    """Return a ``send`` that raises an error after the last message of its response, so that transactions of the
    framework in which this application is mounted roll back, as Starlette's applications do.

    It is the same ``send`` for an HTTPError, and for an application that isn't mounted in a framework.
    """
    if "app" not in head.scope:  # frameworks set it
        return send
    told = [error_told(error)]  # popped, because its frames will refer to this function
    if isinstance(told[0], HTTPError):
        return send

    async def send_and_raise(message: dict[str, Any]) -> None:
        await send(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            raise told.pop()

    if head.send is send:  # else early hints come first
        head.send = send_and_raise
    return send_and_raise


class RequestClass(NamedTuple):
    """The class of a request, which determines whether an overloaded server starts it, makes it wait or refuses it."""

    client: str
    """The client's identity: the network of its address, or the name of its user."""
    is_low: bool = False
    """True if it waits until no other requests wait."""
    is_exempt: bool = False
    """True if it is never refused, such as a probe."""
    blocks: bool = False
    """True if it is handled on a worker thread."""
