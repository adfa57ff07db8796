"""Raw HTTP/1.1 over a socket: bytes out, and all the answers that come back until the server ends the connection."""

import re
import socket
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

from tests.helpers.waiting import DEADLINE


@dataclass(frozen=True)
class Answer:
    status: int
    fields: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name):
        return [value for field, value in self.fields if field == name]

    def get(self, name):
        """The first value of a field; an empty text if there is none."""
        return next(iter(self.all(name)), "")


@dataclass(frozen=True)
class Conversation:
    answers: tuple[Answer, ...]
    rest: bytes
    """What came after the last answer, or an answer that is cut off or malformed."""
    is_hanging: bool
    """True if the server neither answered all nor ended the connection in time."""

    @property
    def first(self):
        """The first answer; None if the connection was closed without one."""
        return self.answers[0] if self.answers else None


def converse(address, *pieces, is_half_closed=False, methods=("GET",), patience=DEADLINE, tries=3):
    """Send pieces of bytes, and return the conversation. ``methods`` are those of the requests, in their order.

    A reset discards what had arrived but wasn't read: if that cut an answer off, the conversation begins again.
    """
    received = bytearray()
    is_hanging = was_reset = False
    with socket.create_connection(address, patience) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with suppress(ConnectionError):  # the server has read enough
            for piece in pieces:
                client.sendall(piece)
            if is_half_closed:
                client.shutdown(socket.SHUT_WR)
        try:
            while chunk := client.recv(1 << 16):
                received += chunk
        except ConnectionError:
            was_reset = True
        except TimeoutError:
            is_hanging = True
    answers, rest = parsed(bytes(received), methods)
    if was_reset and rest and tries > 1:
        return converse(
            address, *pieces, is_half_closed=is_half_closed, methods=methods, patience=patience, tries=tries - 1
        )
    return Conversation(answers, rest, is_hanging)


def parsed(data, methods):
    """The answers to requests with these methods, and what is left: strictly read, as RFC 9112 has it."""
    answers, methods = [], [*methods]
    while data:
        head, end, rest = data.partition(b"\r\n\r\n")
        lines = head.split(b"\r\n")
        started = re.fullmatch(rb"HTTP/1\.[01] (\d{3}) [\x20-\x7e]*", lines[0])
        fields = [
            re.fullmatch(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+): ?([^\x00-\x08\x0a-\x1f\x7f]*)", line) for line in lines[1:]
        ]
        if not end or not started or not all(fields):
            break
        named = tuple((field[1].decode().lower(), field[2].decode("latin-1")) for field in fields)
        answer = Answer(int(started[1]), named, b"")
        if answer.status < 200:
            data = rest
            continue
        method = methods.pop(0) if methods else "GET"
        body = body_of(answer, rest, method)
        if body is None:
            break
        answers.append(Answer(answer.status, named, body[0]))
        data = body[1]
    return tuple(answers), data


def body_of(answer, data, method):
    """The body of an answer and what comes after it; None if it is cut off."""
    if method == "HEAD" or answer.status in (204, 304):
        return b"", data
    if "chunked" in answer.get("transfer-encoding"):
        return unchunked(data)
    if answer.get("content-length"):
        length = int(answer.get("content-length"))
        return (data[:length], data[length:]) if len(data) >= length else None
    return data, b""


def unchunked(data):
    """The content of a chunked body and what comes after it; None if it is cut off."""
    content = bytearray()
    while True:
        line, end, data = data.partition(b"\r\n")
        if not end:
            return None
        size = int(line.partition(b";")[0], 16)
        if not size:
            return bytes(content), data.partition(b"\r\n")[2]
        if len(data) < size + 2:
            return None
        content += data[:size]
        data = data[size + 2 :]


def host_of(location, base="http://localhost/"):
    """The host to which a browser goes: as the URL Standard reads a Location."""
    text = re.sub(r"[\t\r\n]", "", location.strip("".join(map(chr, range(33)))))
    path, mark, rest = text.partition("?")
    path = path.replace("\\", "/")
    path = re.sub(r"^(https?:)?/{2,}", lambda match: (match[1] or "") + "//", path, flags=re.IGNORECASE)
    if (scheme := re.match(r"[a-z][a-z0-9+.-]*:", path, re.IGNORECASE)) and scheme[0].lower() not in (
        "http:",
        "https:",
    ):
        return scheme[0]
    path = re.sub(r"^https:/?(?!/)", "https://", path, flags=re.IGNORECASE)
    return urlsplit(urljoin(base, path + mark + rest)).hostname
