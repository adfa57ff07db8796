"""A browser's part: a page is asked for until it is there, and streams are held open until they end."""

import select
import socket
from contextlib import suppress
from time import monotonic, sleep
from typing import Literal, NamedTuple, TypeAlias

PAUSE = 0.01
"""Seconds between two requests, while a new answer is waited for."""
LAST_CHUNK = b"0\r\n\r\n"
End: TypeAlias = Literal["clean", "cut", "open"]


class Page(NamedTuple):
    """An answer; where there was none, status 0 and the reason in place of a body."""

    status: int
    body: str


def get(port: int, within: float = 0.5) -> Page:
    """Return the first page. A server that is about to end may have the connection and not answer."""
    received = b""
    try:
        with socket.create_connection(("127.0.0.1", port), within) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n")
            deadline = monotonic() + within
            while (chunk := connection.recv(65536)) and monotonic() < deadline:
                received += chunk
    except ConnectionRefusedError:
        return Page(0, "refused")
    except TimeoutError:
        return Page(0, f"no answer in {within:g} s")
    except OSError:
        return Page(0, "cut")
    if not received:
        return Page(0, "cut")
    head, _, body = received.partition(b"\r\n\r\n")
    return Page(int(head.split()[1]), body.decode(errors="replace"))


class Awaited(NamedTuple):
    """How long an answer took to come, None if it did not; and how requests failed meanwhile."""

    seconds: float | None
    failures: set[str]


def await_page(port: int, greeting: str, since: float, within: float) -> Awaited:
    """Ask for the page until it has the greeting, `within` seconds from `since`."""
    failures: set[str] = set()
    while monotonic() < since + within:
        page = get(port)
        if page.status == 200 and greeting in page.body.split():
            return Awaited(monotonic() - since, failures)
        if page.status != 200:
            failures.add(str(page.status or page.body))
        sleep(PAUSE)
    return Awaited(None, failures)


class Streams:
    """Open streams of a server."""

    def __init__(self, port: int, count: int, within: float) -> None:
        self._received: dict[socket.socket, bytes] = {}
        self._ended: dict[socket.socket, End] = {}
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), within)
            connection.sendall(b"GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n")
            self._received[connection] = b""
        deadline = monotonic() + within
        while not all(b"tick" in received for received in self._received.values()):
            if monotonic() > deadline:
                raise TimeoutError("the streams did not begin")
            self.read()

    def read(self, within: float = 0.05) -> None:
        """Read what has come on those that are open, waiting for it a little."""
        still = [each for each in self._received if each not in self._ended]
        if not still:
            sleep(PAUSE)
        for connection in select.select(still, [], [], within)[0]:
            try:
                chunk = connection.recv(65536)
            except OSError:
                self._ended[connection] = "cut"
                continue
            self._received[connection] = (self._received[connection] + chunk)[-4096:]
            if not chunk:
                self._ended[connection] = "clean" if self._received[connection].endswith(LAST_CHUNK) else "cut"
            elif self._received[connection].endswith(b"\r\n" + LAST_CHUNK):
                self._ended[connection] = "clean"  # the connection may stay, for a next request

    def read_to_end(self, within: float) -> None:
        """Read until all streams have ended, or `within` seconds have passed."""
        deadline = monotonic() + within
        while len(self._ended) < len(self._received) and monotonic() < deadline:
            self.read()

    def ends(self) -> list[End]:
        """Return how each stream has ended."""
        return [self._ended.get(each, "open") for each in self._received]

    def close(self) -> None:
        """Leave, as a browser does that is closed."""
        for connection in self._received:
            with suppress(OSError):
                connection.close()
