"""The request handler: the environ of a request and its lines in the log, as a program may override them."""

import traceback
from collections.abc import Callable, Iterable
from functools import cached_property
from http.client import HTTPMessage
from http.server import BaseHTTPRequestHandler
from inspect import getattr_static
from typing import TYPE_CHECKING, Any

from antiphon.dialects.werkzeug import __version__
from antiphon.dialects.werkzeug._internal import _log
from antiphon.dialects.werkzeug.exceptions import InternalServerError
from antiphon.dialects.werkzeug.serving.overriding import WRITE_MIDDLEWARE, refuse_overrides
from antiphon.embedding import find_current_request, one_line, restarting

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

    from antiphon.dialects.werkzeug.serving.server import BaseWSGIServer

_VERSION_NAMES = ("server_version", "sys_version", "version_string")
_HONOURED = frozenset({
    *_VERSION_NAMES, "address_string", "date_time_string", "log", "log_date_time_string", "log_error", "log_message",
    "log_request", "make_environ", "monthname", "port_integer", "protocol_version", "weekdayname",
})  # fmt: skip
_ADVICE = {
    "connection_dropped": "give the body of the response a close(), which is called when the client has left",
    "disable_nagle_algorithm": "leave it out",
    "rbufsize": "leave it out",
    "run_wsgi": WRITE_MIDDLEWARE,
    "timeout": "leave it out, since Granian has timeouts of its own",
    "wbufsize": "leave it out",
    **{f"do_{method}": WRITE_MIDDLEWARE for method in ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")},
}


class WSGIRequestHandler(BaseHTTPRequestHandler):
    """A request as a program may handle it: subclasses override ``make_environ`` and the methods whose names begin
    with `log`, and say ``server_version``, ``sys_version`` or ``version_string``.

    A subclass that overrides what could not be honoured, such as ``do_GET``, raises NotImplementedError when it is
    defined, as does a ``protocol_version`` other than HTTP/1.1; one with a ``run_wsgi`` when it is used. There is no
    socket: no ``connection``, no ``wfile``.
    """

    server: Any
    """The ``BaseWSGIServer`` that received the request."""
    protocol_version = "HTTP/1.1"
    server_version = f"Werkzeug/{__version__}"

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        refuse_overrides(cls, WSGIRequestHandler, _HONOURED | {"run_wsgi"}, _ADVICE)
        if cls.protocol_version != "HTTP/1.1":
            raise NotImplementedError(
                f"{cls.__qualname__}.protocol_version is {cls.protocol_version!r}, and Granian speaks HTTP/1.1:"
                " leave it out"
            )

    @classmethod
    def check(cls) -> None:
        """Refuse a class with a ``run_wsgi`` of its own: programs define such a class, and use it for Unix sockets."""
        refuse_overrides(cls, WSGIRequestHandler, _HONOURED, _ADVICE)

    def __init__(self, request: "WSGIEnvironment", client_address: tuple[str, int], server: "BaseWSGIServer") -> None:
        self._given = request
        self.client_address = client_address
        self.server = server
        self.command = request["REQUEST_METHOD"]
        self.path = request.get("REQUEST_URI", "")
        self.request_version = request.get("SERVER_PROTOCOL", "HTTP/1.1")
        self.requestline = f"{self.command} {self.path} {self.request_version}"
        self.rfile = request["wsgi.input"]

    @cached_property
    def headers(self) -> HTTPMessage:  # type: ignore[override]  # it is computed
        """The fields of the head, including names with an underscore, which an environ can't contain."""
        message = HTTPMessage()
        request = find_current_request()
        for name, value in () if request is None else request.head.fields():
            message.add_header(name, value)
        return message

    def make_environ(self) -> "WSGIEnvironment":
        """Return the environ of the request."""
        environ, server = self._given, self.server
        environ |= {
            "RAW_URI": self.path,
            "REMOTE_PORT": self.port_integer(),
            "SERVER_NAME": server.server_name,
            "SERVER_PORT": str(server.port),
            "SERVER_SOFTWARE": self.server_version,
            "wsgi.multiprocess": server.multiprocess,
            "wsgi.multithread": server.multithread,
        }
        if environ.get("CONTENT_LENGTH"):
            environ.pop("wsgi.input_terminated", None)  # as in Werkzeug, so that a body that breaks off is noticed
        return environ

    def address_string(self) -> str:
        """Return the address of the client."""
        return self.client_address[0]

    def port_integer(self) -> int:
        """Return the port of the client."""
        return self.client_address[1]

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Log a request, when its response starts."""
        self.log("info", '"%s" %s %s', one_line(self.requestline), code, size)

    def log_error(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that callers may give
        """Log an error."""
        self.log("error", format, *args)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Log a message."""
        self.log("info", format, *args)

    def log(self, type: str, message: str, *args: Any) -> None:  # noqa: A002
        """Log a message by the method ``type`` of the logger `werkzeug`, with the client's address and the time."""
        address = self.address_string().replace("%", "%%")  # of an IPv6 address with a scope
        _log(type, f"{address} - - [{self.log_date_time_string()}] {message}\n", *args)

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Call the application. The server logs its errors, and answers them with a 500."""
        started = _Start(self, start_response)
        try:
            chunks: Iterable[bytes] = self.server.app(environ, started)
        except Exception:
            self.server.log("error", f"Error on request:\n{traceback.format_exc()}")
            chunks = InternalServerError()(environ, restarting(started))
        started.is_chosen = True
        started.log()
        return chunks

    def _server_field(self) -> list[tuple[str, str]]:
        """Return the field with the server's name, if a subclass has one: others don't name the program."""
        own = type(self)
        names = [name for name in _VERSION_NAMES if _of(own, name) is not _of(WSGIRequestHandler, name)]
        return [("Server", self.version_string().strip())] if names else []


def _of(kind: type, name: str) -> object:
    return getattr_static(kind, name)


class _Start:
    """The ``start_response`` of an application, which logs the request once it is known how that is answered."""

    def __init__(self, handler: WSGIRequestHandler, start_response: "StartResponse") -> None:
        self._handler = handler
        self._start_response = start_response
        self._code: str | None = None
        self.is_chosen = False
        """True once the application has returned: no other response takes the place of this one."""

    def __call__(
        self, status: str, fields: list[tuple[str, str]], exc_info: Any = None, /
    ) -> Callable[[bytes], object]:
        if own := self._handler._server_field():  # noqa: SLF001 - of this module
            fields = [*fields, *(own if all(name.lower() != "server" for name, _ in fields) else ())]
        write = self._start_response(status, fields, exc_info)
        self._code = status[:3]
        if self.is_chosen:
            self.log()
        return write

    def log(self) -> None:
        """Log the request, if the response has started."""
        if self._code is not None:
            self._handler.log_request(self._code)
