"""Sends one request over and over on connections that are kept alive, and checks every answer. Linux only."""

import select
import socket
from collections.abc import Iterable
from itertools import islice

TIMEOUT = 10.0
"""Seconds that an answer may take."""


class LoadError(Exception):
    """An answer was wrong, incomplete or missing."""


class Load:
    """Connections to one server, each with at most one request under way.

    `request` is one as it is sent. The first answer has to have status 200 and `body`; the others have to be as long
    as it, with that status and body.
    """

    def __init__(self, port: int, request: bytes, body: bytes, connections: int) -> None:
        self.request = request
        self.body = body
        self.poll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets[connection.fileno()] = connection
            self.poll.register(connection, select.EPOLLIN)
        self.first = self.first_answer()

    def first_answer(self) -> bytes:
        """Send one request, and return its answer, up to the body that is expected."""
        connection = next(iter(self.sockets.values()))
        connection.sendall(self.request)
        answer = b""
        while not answer.endswith(b"\r\n\r\n" + self.body):
            try:
                chunk = connection.recv(1 << 16)
            except OSError:
                chunk = b""
            if not chunk:
                raise LoadError(f"the first answer ended with {answer[-500:]!r}")
            answer += chunk
        self.check(answer)
        return answer

    def head(self) -> list[bytes]:
        """The status line and the header lines of the first answer, in order of name, without the date."""
        lines = self.first.lower().partition(b"\r\n\r\n")[0].split(b"\r\n")
        return sorted(line for line in lines if not line.startswith(b"date:"))

    def check(self, answer: bytes) -> None:
        if not (answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(self.body)):
            raise LoadError(f"wrong answer: {answer[:500]!r}")

    def send(self, count: int) -> None:
        """Send `count` requests and wait for all answers."""
        unsent = iter(range(count))
        for connection, _ in zip(self.sockets.values(), islice(unsent, len(self.sockets)), strict=False):
            connection.sendall(self.request)
        pending = dict.fromkeys(self.sockets, b"")
        while count:
            for number in self.readable():
                answer = self.received(number, pending)
                if len(answer) < len(self.first):
                    continue
                self.check(answer)
                count -= 1
                if next(unsent, None) is not None:
                    self.sockets[number].sendall(self.request)

    def readable(self) -> Iterable[int]:
        ready = self.poll.poll(TIMEOUT)
        if not ready:
            raise LoadError(f"no answer for {TIMEOUT:.0f} seconds")
        return (number for number, _ in ready)

    def received(self, number: int, pending: dict[int, bytes]) -> bytes:
        """What has come of the answer on a connection; all of it is no more pending."""
        chunk = self.sockets[number].recv(1 << 16)
        if not chunk:
            raise LoadError("the server closed a connection")
        answer = pending[number] + chunk
        if len(answer) > len(self.first):
            raise LoadError(f"an answer is longer than the first one: {answer[:500]!r}")
        pending[number] = answer if len(answer) < len(self.first) else b""
        return answer

    def close(self) -> None:
        self.poll.close()
        for connection in self.sockets.values():
            connection.close()
