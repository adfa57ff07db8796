"""A WSGI application that forwards requests over HTTP to the server in their environ."""

from collections.abc import Callable, Iterable
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from socket import gaierror
from typing import TYPE_CHECKING, Any, ClassVar

from antiphon.dialects._environ.heads import field_name
from antiphon.dialects.webob.request.head import quoted, split_port

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

__all__ = ["SendRequest", "send_request_app"]

_PORTS = {"http": "80", "https": "443"}
_OF_THIS_MESSAGE = frozenset({"Content-Length", "Transfer-Encoding"})


class SendRequest:
    """A WSGI application that sends a request to SERVER_NAME and SERVER_PORT, keeping the request's Host.

    The environ's `webob.client.timeout` is the maximum wait in seconds. Returns a 502 if the server can't be reached
    or a 504 if it takes too long.
    """

    filtered_headers: ClassVar[tuple[str, ...]] = ("transfer-encoding",)
    """Lowercase names of the server's response headers that are not passed on."""

    def __init__(self, HTTPConnection: Any = HTTPConnection, HTTPSConnection: Any = HTTPSConnection) -> None:  # noqa: N803
        self.HTTPConnection = HTTPConnection
        self.HTTPSConnection = HTTPSConnection

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        connect = self._connection_class(environ["wsgi.url_scheme"])
        _set_server(environ)
        timeout = {"timeout": environ["webob.client.timeout"]} if "webob.client.timeout" in environ else {}
        connection = connect(f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}", **timeout)
        try:
            response = _send(connection, environ)
            body = [response.read()]
        except TimeoutError:
            return _respond("HTTPGatewayTimeout", None)(environ, start_response)
        except gaierror:
            detail = f"Name or service not known (bad domain name: {environ['SERVER_NAME']})"
            return _respond("HTTPBadGateway", detail)(environ, start_response)
        except (OSError, HTTPException) as error:
            refused = isinstance(error, ConnectionRefusedError)
            detail = "Connection refused" if refused else "The server sent no valid response."
            return _respond("HTTPBadGateway", detail)(environ, start_response)
        finally:
            connection.close()
        start_response(f"{response.status} {response.reason}", self.parse_headers(response.msg))
        return body

    def _connection_class(self, scheme: str) -> Any:
        if scheme not in _PORTS:
            raise ValueError(f"Unknown scheme: {scheme!r:.200}")
        return self.HTTPConnection if scheme == "http" else self.HTTPSConnection

    def parse_headers(self, message: Any) -> list[tuple[str, str]]:
        """Return a message's fields, each on one line, without those that are not passed on."""
        return [
            (name, " ".join(value.split("\n")).strip() if "\n" in value else value.strip())
            for name, value in message.items()
            if name.lower() not in self.filtered_headers
        ]


def _set_server(environ: "WSGIEnvironment") -> None:
    """Set the server from Host if the environ names no server. Raises ValueError if both are missing."""
    if "SERVER_NAME" in environ:
        return
    host = environ.get("HTTP_HOST")
    if not host:
        raise ValueError("environ contains neither SERVER_NAME nor HTTP_HOST")
    name, port = split_port(host)
    environ["SERVER_NAME"], environ["SERVER_PORT"] = name, port or _PORTS[environ["wsgi.url_scheme"]]


def _send(connection: HTTPConnection, environ: "WSGIEnvironment") -> HTTPResponse:
    named = [(field_name(key), value) for key, value in environ.items() if isinstance(value, str) and value]
    headers = {name: value for name, value in named if name is not None and name not in _OF_THIS_MESSAGE}
    path = quoted(environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", ""))
    path = path if path[:1] == "/" else f"/{path}"
    query = environ.get("QUERY_STRING")
    body = _body(environ)
    headers["Content-Length"] = str(len(body))
    connection.request(environ["REQUEST_METHOD"], f"{path}?{query}" if query else path, body, headers)
    return connection.getresponse()


def _body(environ: "WSGIEnvironment") -> bytes:
    from antiphon.dialects.webob.request import BaseRequest

    return BaseRequest(environ).body


def _respond(name: str, detail: str | None) -> Callable[..., Iterable[bytes]]:
    from antiphon.dialects.webob import exc

    answer: Callable[..., Iterable[bytes]] = getattr(exc, name)(detail)
    return answer


send_request_app = SendRequest()
"""The application that ``Request.send`` calls by default."""
