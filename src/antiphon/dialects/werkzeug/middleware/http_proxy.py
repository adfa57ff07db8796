"""Middleware that forwards requests below given paths to other servers. For development."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import SplitResult, quote, urlsplit

from antiphon.dialects._environ.calling import ClosingIterator
from antiphon.dialects.werkzeug.datastructures.headers import EnvironHeaders
from antiphon.dialects.werkzeug.exceptions.statuses import BadGateway
from antiphon.dialects.werkzeug.http import is_hop_by_hop_header
from antiphon.dialects.werkzeug.wsgi import get_content_length, get_input_stream

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_DEFAULTS: dict[str, Any] = {"remove_prefix": False, "host": "<auto>", "headers": {}, "ssl_context": None}
_PATH_SAFE = "!$&'()*+,/:;=@%"


class ProxyMiddleware:
    """Middleware that forwards requests below the paths in ``targets`` to other servers and passes all others to
    ``app``.

    ``targets`` maps each path to a dictionary with these keys:

    - ``target``: the URL of the other server.
    - ``remove_prefix``: True to remove the path from the request's path.
    - ``host``: the Host to send, "<auto>" for the other server's, or None for the client's.
    - ``headers``: headers to add.
    - ``ssl_context``: determines how the other server's certificate is checked.

    Bodies are forwarded ``chunk_size`` bytes at a time. If the other server can't be reached or sends nothing for
    ``timeout`` seconds, the response is a 502.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        targets: Mapping[str, Mapping[str, Any]],
        chunk_size: int = 2 << 13,
        timeout: int = 10,
    ) -> None:
        self.app = app
        self.targets = {_as_prefix(path): {**_DEFAULTS, **target} for path, target in targets.items()}
        self.chunk_size = chunk_size
        self.timeout = timeout

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        app = self.app
        for prefix, target in self.targets.items():
            if path.startswith(prefix):
                app = self.proxy_to(target, path, prefix)
                break
        return app(environ, start_response)

    def proxy_to(self, opts: Mapping[str, Any], path: str, prefix: str) -> "WSGIApplication":
        """Return an application that forwards requests to a target."""
        url = urlsplit(opts["target"])
        below = path[len(prefix) :] if opts["remove_prefix"] else path
        written = quote(below.encode("latin-1"), safe=_PATH_SAFE)
        return partial(self._respond, opts, url, f"{url.path.rstrip('/')}/{written.lstrip('/')}")

    def _respond(
        self,
        opts: Mapping[str, Any],
        url: SplitResult,
        path: str,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        /,
    ) -> Iterable[bytes]:
        connection = self._connection(url, opts)
        query = environ.get("QUERY_STRING")
        try:
            self._send(connection, f"{path}?{query}" if query else path, environ, _headers(environ, opts, url))
            response = connection.getresponse()
        except (OSError, HTTPException):
            connection.close()
            return BadGateway()(environ, start_response)
        fields = [(name, value) for name, value in response.getheaders() if not is_hop_by_hop_header(name)]
        start_response(f"{response.status} {response.reason}", fields)
        return ClosingIterator(self._chunks(response), connection.close)

    def _connection(self, url: SplitResult, opts: Mapping[str, Any]) -> HTTPConnection:
        if url.scheme == "https":
            return HTTPSConnection(url.hostname or "", url.port, timeout=self.timeout, context=opts["ssl_context"])
        if url.scheme == "http":
            return HTTPConnection(url.hostname or "", url.port, timeout=self.timeout)
        raise RuntimeError(f"a target must be an http or https URL, not {url.geturl()!r}")

    def _send(
        self, connection: HTTPConnection, target: str, environ: "WSGIEnvironment", headers: list[tuple[str, str]]
    ) -> None:
        connection.putrequest(environ["REQUEST_METHOD"], target, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value)
        length = get_content_length(environ)
        is_chunked = length is None and "HTTP_TRANSFER_ENCODING" in environ
        if is_chunked:
            connection.putheader("Transfer-Encoding", "chunked")
        body = self._chunks(get_input_stream(environ))
        connection.endheaders(body if length or is_chunked else None, encode_chunked=is_chunked)

    def _chunks(self, stream: IO[bytes] | HTTPResponse) -> Iterator[bytes]:
        while chunk := stream.read(self.chunk_size):
            yield chunk


def _as_prefix(path: str) -> str:
    return f"/{name}/" if (name := path.strip("/")) else "/"


def _headers(environ: "WSGIEnvironment", opts: Mapping[str, Any], url: SplitResult) -> list[tuple[str, str]]:
    """Return the header fields to send to a target."""
    own = {"connection": "close"} | {name.lower(): value for name, value in opts["headers"].items()}
    if opts["host"] is not None:
        own["host"] = url.netloc if opts["host"] == "<auto>" else opts["host"]
    sent = [(name, value) for name, value in EnvironHeaders(environ) if not is_hop_by_hop_header(name)]
    return [(name, value) for name, value in sent if name.lower() not in own] + list(own.items())
