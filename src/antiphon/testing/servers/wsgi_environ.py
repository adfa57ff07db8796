"""The environ of a request, its input, and its file wrapper (PEP 3333)."""

import io
import sys
from collections.abc import Iterator
from typing import IO, Any

from antiphon.http.grammar import percent_decode
from antiphon.http.headers import combine
from antiphon.testing.requests import ClientRequest
from antiphon.testing.servers.exchange import Connection
from antiphon.testing.servers.request_body import RequestBody

FILE_BLOCK = 64 << 10


def make_environ(request: ClientRequest, connection: Connection) -> dict[str, Any]:
    """Return the environ of a server that runs requests on threads of one process.

    REQUEST_URI has the target as it was sent, as on several servers. Header names with an underscore are
    dropped, as by gunicorn and waitress, because WSGI can't distinguish them from those with a hyphen.
    """
    _, host, port = request.origin
    root = connection.root_path
    path = percent_decode(request.raw_path.encode()).decode("latin-1")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": request.method,
        "SCRIPT_NAME": root.encode().decode("latin-1"),
        "PATH_INFO": path.removeprefix(root.encode().decode("latin-1")),
        "QUERY_STRING": request.raw_query,
        "REQUEST_URI": request.target,
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "SERVER_PROTOCOL": f"HTTP/{request.http_version}",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": request.scheme,
        "wsgi.input": Input(RequestBody(request)),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        "wsgi.file_wrapper": FileWrapper,
    }
    if connection.client is not None:
        environ["REMOTE_ADDR"], environ["REMOTE_PORT"] = connection.client[0], str(connection.client[1])
    if "transfer-encoding" in request.headers or request.http_version == "2":
        environ["wsgi.input_terminated"] = True
    return environ | _variables(request)


def _variables(request: ClientRequest) -> dict[str, str]:
    """Return the header fields as variables; the lines of one field are joined."""
    lines: dict[str, list[str]] = {}
    for name, value in request.headers.items():
        if "_" not in name:
            lines.setdefault(name, []).append(value)
    variables = {}
    for name, values in lines.items():
        variable = name.upper().replace("-", "_")
        if name not in ("content-type", "content-length"):
            variable = f"HTTP_{variable}"
        variables[variable] = combine(name, values)
    return variables


class Input:
    """The wsgi.input, with the four methods that PEP 3333 promises and no others. It ends where the body ends."""

    __slots__ = ("_buffered", "read", "readline", "readlines")

    def __init__(self, body: RequestBody) -> None:
        self._buffered = io.BufferedReader(_RawBody(body))
        self.read = self._buffered.read
        self.readline = self._buffered.readline
        self.readlines = self._buffered.readlines

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._buffered)


class _RawBody(io.RawIOBase):
    def __init__(self, body: RequestBody) -> None:
        self._body = body
        self._chunk = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        chunk = self._chunk or self._body.read()
        taken = chunk[: len(buffer)]
        buffer[: len(taken)] = taken
        self._chunk = chunk[len(taken) :]
        return len(taken)


class FileWrapper:
    """The wsgi.file_wrapper: a file as an iterable. A server sends as many bytes as Content-Length says."""

    def __init__(self, file: IO[bytes], block_size: int = FILE_BLOCK) -> None:
        self._file = file
        self._block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return iter(lambda: self._file.read(self._block_size), b"")

    def close(self) -> None:
        """Close the file, if it can be closed."""
        if (close := getattr(self._file, "close", None)) is not None:
            close()
