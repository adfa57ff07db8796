"""Sends one request over and over on connections that are kept alive, and checks every answer. Linux only."""

import select
import socket
from collections.abc import Callable, Iterable, Sequence
from itertools import islice

TIMEOUT = 10.0
"""Seconds that an answer may take."""
WITHOUT_LENGTH = {204, 304}
"""Statuses of answers that end with their head (RFC 9110 §8.6)."""

Check = Callable[[int, Sequence[tuple[str, str]], bytes], None]
"""Raises an error unless this is the answer: status, fields with names in lower case, body."""


class LoadError(Exception):
    """An answer was wrong, incomplete or missing."""


class Load:
    """Connections to one server, each with at most one request under way.

    `request` is one as it is sent. The first answer is verified; the others have to be as long as it, with its status
    and body, unless answers vary.
    """

    varies = False

    def __init__(self, port: int, request: bytes, connections: int) -> None:
        self.request = request
        self.poll = select.epoll()
        self.sockets: dict[int, socket.socket] = {}
        for _ in range(connections):
            connection = socket.create_connection(("127.0.0.1", port), TIMEOUT)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.sockets[connection.fileno()] = connection
            self.poll.register(connection, select.EPOLLIN)

    def verify(self, check: Check, *, varies: bool = False) -> None:
        """Send the first request; raise an error unless its answer is right. Answers that vary are not compared."""
        self.varies = varies
        self.first = self.first_answer()
        head, end, body = self.first.partition(b"\r\n\r\n")
        self.start, self.end = head[: len("HTTP/1.1 200")], b"" if varies else end + body
        check(int(self.start[-3:]), fields_of(head), body)

    def first_answer(self) -> bytes:
        """Send one request, and return its answer."""
        connection = next(iter(self.sockets.values()))
        connection.sendall(self.request)
        answer = b""
        while not is_whole(answer):
            try:
                chunk = connection.recv(1 << 16)
            except OSError:
                chunk = b""
            if not chunk:
                raise LoadError(f"the first answer ended with {answer[-500:]!r}")
            answer += chunk
        return answer

    def check(self, answer: bytes) -> None:
        if not (answer.startswith(self.start) and answer.endswith(self.end)):
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
                if not self.is_complete(answer):
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
        if len(answer) > len(self.first) and not self.varies:
            raise LoadError(f"an answer is longer than the first one: {answer[:500]!r}")
        pending[number] = b"" if self.is_complete(answer) else answer
        return answer

    def is_complete(self, answer: bytes) -> bool:
        return is_whole(answer) if self.varies else len(answer) >= len(self.first)

    def close(self) -> None:
        self.poll.close()
        for connection in self.sockets.values():
            connection.close()


def is_whole(answer: bytes) -> bool:
    """True if an answer has come to its end, by its Content-Length or its status."""
    head, end, body = answer.partition(b"\r\n\r\n")
    if not end:
        return False
    if int(head.split(b" ", 2)[1]) in WITHOUT_LENGTH:
        return True
    fields = dict(fields_of(head))
    if fields.get("transfer-encoding") == "chunked":
        return body.endswith(b"\r\n0\r\n\r\n")
    if (length := fields.get("content-length")) is None:
        raise LoadError(f"an answer without a Content-Length: {head!r}")
    return len(body) >= int(length)


def fields_of(head: bytes) -> list[tuple[str, str]]:
    """The fields of an answer's head, their names in lower case."""
    lines = head.decode("latin-1").split("\r\n")[1:]
    return [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
