"""A test client that calls a project's application over WSGI, and requests made from an environ."""

import os
import sys
from collections.abc import Iterable, Mapping
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes, urlencode
from wsgiref.util import setup_testing_defaults

from antiphon import Request as NativeRequest
from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.asok.app import Asok
from antiphon.embedding import decode_json, encode_json, environ_request

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


APP = "asok.app"
ROOT = "asok.root"
"""The environ keys for the application and for its folder."""

_LEFT_OUT: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http",
}
"""Defaults for the keys that an environ lacks."""


def of_environ(environ: "WSGIEnvironment") -> tuple[Asok, NativeRequest]:
    """Return the application and the native request for an environ.

    The application is the value of ``asok.app``; without it, one is made for the project in ``asok.root`` or the
    current folder.
    """
    app = environ.get(APP) or _project_in(os.path.abspath(environ.get(ROOT) or os.getcwd()))
    whole = _LEFT_OUT | environ
    whole["wsgi.input"] = whole.get("wsgi.input") or BytesIO()
    native = environ_request(whole)
    if app.has_pages:
        native.route = app.unrouted
    return app, native


@cache
def _project_in(root: str) -> Asok:
    app = Asok(root)
    if not app.has_pages:
        app.config["CSRF"] = False  # without a project, no session holds a token
    return app


__all__ = ["TestClient", "TestResponse"]

_FORM = "application/x-www-form-urlencoded"
_JSON = "application/json"


class _Fields(dict[str, str]):
    """The header fields of a response, by case-insensitive name. The last of repeated names wins."""

    def __init__(self, fields: Iterable[tuple[str, str]]) -> None:
        super().__init__((name.lower(), value) for name, value in fields)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name.lower() if isinstance(name, str) else name)

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)


class TestResponse:
    """A response with ``status_code``, ``headers`` and ``body``, or ``text``. ``"word" in response`` searches it."""

    __test__ = False

    def __init__(self, status: str, headers: Iterable[tuple[str, str]], body: bytes) -> None:
        self.status = status
        """The status line: "404 Not Found"."""
        self.status_code = int(status.partition(" ")[0])
        self.headers: dict[str, str] = _Fields(headers)
        self.body = body
        self.text = body.decode(errors="replace")

    @property
    def json(self) -> Any:
        """The body decoded from JSON. Raises ValueError if it is not JSON."""
        return decode_json(self.body)

    def __contains__(self, text: str) -> bool:
        return text in self.text


class TestClient:
    """A client that keeps cookies: ``TestClient(app).get("/about")``.

    Each method accepts form fields as ``data``, a value to send as JSON as ``json_body``, and ``headers``. As in a
    browser, writes need the CSRF token unless the CSRF setting is false: send ``client.cookies["asok_csrf"]`` in the
    ``X-CSRF-Token`` header. ``app`` is an Asok application or any other WSGI application.
    """

    __test__ = False

    def __init__(self, app: "WSGIApplication") -> None:
        self.app = app
        self.cookies: dict[str, str] = {}
        """The cookies to send, by name."""

    def get(self, path: str, **options: Any) -> TestResponse:
        return self._request("GET", path, **options)

    def post(self, path: str, **options: Any) -> TestResponse:
        return self._request("POST", path, **options)

    def put(self, path: str, **options: Any) -> TestResponse:
        return self._request("PUT", path, **options)

    def patch(self, path: str, **options: Any) -> TestResponse:
        return self._request("PATCH", path, **options)

    def delete(self, path: str, **options: Any) -> TestResponse:
        return self._request("DELETE", path, **options)

    def _request(
        self,
        method: str,
        path: str,
        *,
        data: Mapping[str, Any] | None = None,
        json_body: Any = None,
        headers: Mapping[str, str] | None = None,
        content_type: str | None = None,
    ) -> TestResponse:
        body = b""
        if json_body is not None:
            body, content_type = encode_json(json_body), _JSON
        elif data is not None:
            body, content_type = urlencode(data).encode(), content_type or _FORM
        environ = _environ(method, path, body, content_type or "")
        if self.cookies:
            environ["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        environ |= {_key(name): value for name, value in (headers or {}).items()}
        chunks, status, fields = call_application(self.app, environ, buffered=True)
        self._keep_cookies(value for name, value in fields if name.lower() == "set-cookie")
        return TestResponse(status, fields, b"".join(chunks))

    def _keep_cookies(self, lines: Iterable[str]) -> None:
        for line in lines:
            pair, *attributes = line.split(";")
            name, equals, value = pair.strip().partition("=")
            if any(attribute.strip().lower() == "max-age=0" for attribute in attributes):
                self.cookies.pop(name, None)
            elif equals:
                self.cookies[name] = value


def _environ(method: str, path: str, body: bytes, content_type: str) -> "WSGIEnvironment":
    path, _, query = path.partition("?")
    environ: WSGIEnvironment = {
        "REQUEST_METHOD": method,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_HOST": "localhost",
        "REMOTE_ADDR": "127.0.0.1",
        "SERVER_NAME": "localhost",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.input": BytesIO(body),
        "wsgi.errors": sys.stderr,
    }
    setup_testing_defaults(environ)
    return environ


def _key(name: str) -> str:
    """Return the environ key for a header field."""
    key = name.upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
