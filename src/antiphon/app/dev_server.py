"""The development server of a front end's bundler, such as Vite's, which serves a folder's files in debug mode.

| the request below the prefix | in debug mode |
|---|---|
| a path that a route of the application has | the route, as always |
| a path that the bundler's server has | its file |
| another path, and a browser navigates to it | the bundler's index.html |
| another path, and a program asks for it | 404, although Vite would respond with index.html |
| any, and the bundler's server does not respond | 502, which says what to start |
| any, by a client that debug mode shows no errors, such as under an unknown host | 404 |

The WebSocket by which Vite replaces changed modules is not forwarded: its script connects to Vite's server itself.
"""

from http.client import HTTPConnection, HTTPException, HTTPResponse
from urllib.parse import quote, urlsplit

from antiphon.explanations import explained
from antiphon.handler.errors import is_seen_in_debug
from antiphon.http.errors import BadGateway, NotFound
from antiphon.http.urls.url import is_this_machine
from antiphon.request.request import Request
from antiphon.response.response import Response

TIMEOUT = 30.0
"""The seconds for which the bundler's server may be silent: it may compile first."""
LARGEST = 64 << 20
"""The maximum size of a file, in bytes."""

_SENT = ("accept", "if-none-match", "sec-fetch-dest", "sec-fetch-mode", "user-agent")
_RETURNED = ("cache-control", "content-type", "etag", "location", "vary")


class DevServer:
    """A handler that forwards requests for files to a bundler's server on this machine.

    Raises ValueError for anything but an http URL of this machine without a path.
    """

    def __init__(self, url: str) -> None:
        try:
            parts = urlsplit(url)
            self._host, self._port = parts.hostname or "", parts.port or 80
        except ValueError:
            parts, self._host = urlsplit(""), ""
        is_plain = parts.scheme == "http" and parts.path in ("", "/") and not (parts.query or parts.username)
        if not (is_plain and is_this_machine(self._host)):
            message = f'dev_server must be a URL of this machine, such as "http://localhost:5173", not {url!r}'
            raise explained("bad-route-option", ValueError(message))
        self._url = url.rstrip("/")
        self.__name__ = "serve_from_dev_server"  # the default name of its routes

    def __call__(self, request: Request) -> Response:
        """Respond with a file of the bundler's server. Raises NotFound (404), and BadGateway (502)."""
        if not is_seen_in_debug(request):
            raise NotFound("Debug mode does not show this to everyone: the server's terminal explains why.")
        connection = HTTPConnection(self._host, self._port, timeout=TIMEOUT)
        try:
            connection.request(request.method, _target(request), headers=self._fields(request))
            received = connection.getresponse()
            content = received.read(LARGEST + 1)
        except (OSError, HTTPException) as error:
            hint = f"{self._url} does not respond ({error}): start the bundler's server, such as with `npm run dev`"
            raise BadGateway(hint) from error
        finally:
            connection.close()
        if len(content) > LARGEST:
            raise BadGateway(f"{self._url} has sent more than {LARGEST} bytes")
        return _response(request, received, content)

    def _fields(self, request: Request) -> dict[str, str]:
        found = {name: request.head.field(name) for name in _SENT}
        return {"accept-encoding": "identity"} | {name: value for name, value in found.items() if value is not None}


def is_navigation(request: Request) -> bool:
    """Return True if a browser navigates: by Sec-Fetch-Mode or, without that field, if it accepts HTML by name."""
    request.consulted += ("sec-fetch-mode", "accept")
    mode, accepted = request.head.field("sec-fetch-mode"), request.head.field("accept") or ""
    return mode == "navigate" if mode else "text/html" in accepted


def _target(request: Request) -> str:
    path = quote(request.root_path + request.path, safe="/@:~!$&'()*+,;=")  # the bundler's base is where the browser is
    query = request.query_string.decode("latin-1")
    return f"/{path.lstrip('/')}{'?' if query else ''}{query}"


def _response(request: Request, received: HTTPResponse, content: bytes) -> Response:
    kind = (received.getheader("content-type") or "").partition(";")[0].strip().lower()
    is_page = kind == "text/html" and not request.path.endswith((".html", "/"))
    if received.status == 404 or (is_page and not is_navigation(request)):
        raise NotFound
    fields = [(name, value) for name in _RETURNED if (value := received.getheader(name)) is not None]
    return Response(content, received.status, fields)
