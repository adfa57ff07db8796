"""A test client that calls an application and keeps its cookies."""

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Self
from urllib.parse import urlsplit

from antiphon.dialects._environ.calling import call_application
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.http import parse_cookie
from antiphon.dialects.werkzeug.test.builder import EnvironBuilder
from antiphon.dialects.werkzeug.tokens import dump_cookie, parse_date
from antiphon.dialects.werkzeug.utils import cached_property
from antiphon.dialects.werkzeug.wrappers.request import Request
from antiphon.dialects.werkzeug.wrappers.response import Response
from antiphon.dialects.werkzeug.wsgi import get_current_url

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment


class Cookie(NamedTuple):
    """A cookie. Its key and value are available both as sent and decoded.

    ``max_age`` is in seconds. A cookie without a Domain attribute is ``origin_only``, which means that it is sent only
    to the host that set it.
    """

    key: str
    value: str
    decoded_key: str
    decoded_value: str
    expires: datetime | None
    max_age: int | None
    domain: str
    origin_only: bool
    path: str
    secure: bool
    http_only: bool
    same_site: str | None

    @classmethod
    def parse(cls, server_name: str, path: str, header: str) -> Self:
        """Parse a Set-Cookie header from a response to a request for this path."""
        pair, _, attributes = header.partition(";")
        key, _, value = pair.partition("=")
        decoded_key, decoded_value = next(iter(parse_cookie(pair).items()))
        said: dict[str, str | None] = {}
        for attribute in attributes.split(";"):
            name, equals, text = attribute.partition("=")
            said[name.strip().lower()] = text.strip() if equals else None
        return cls(
            key=key.strip(),
            value=value.strip(),
            decoded_key=decoded_key,
            decoded_value=decoded_value,
            expires=parse_date(said.get("expires")),
            max_age=int(said["max-age"] or 0) if "max-age" in said else None,
            domain=said.get("domain") or server_name,
            origin_only="domain" not in said,
            path=said.get("path") or path.rpartition("/")[0] or "/",
            secure="secure" in said,
            http_only="httponly" in said,
            same_site=said.get("samesite"),
        )

    @property
    def place(self) -> tuple[str, str, str]:
        """The cookie's key in a jar."""
        return self.domain, self.path, self.decoded_key

    @property
    def is_deleted(self) -> bool:
        """True if the cookie tells the client to delete it."""
        return self.max_age == 0 or (self.expires is not None and self.expires.timestamp() == 0)

    @property
    def pair(self) -> str:
        """The name and value as they are sent back."""
        return f"{self.key}={self.value}"

    def is_sent_to(self, server_name: str, path: str) -> bool:
        """Return True if the cookie is sent to a host and path."""
        is_host = server_name == self.domain or (not self.origin_only and server_name.endswith(f".{self.domain}"))
        folder = self.path if self.path.endswith("/") else f"{self.path}/"
        return is_host and (path == self.path or path.startswith(folder))


Jar = dict[tuple[str, str, str], Cookie]
"""The cookies, by ``place``."""


def keep(jar: Jar, cookie: Cookie) -> None:
    """Store a cookie in a jar, or remove it if it has expired."""
    if cookie.is_deleted:
        jar.pop(cookie.place, None)
    else:
        jar[cookie.place] = cookie


class TestResponse(Response):
    """A response with its ``request`` and the ``history`` of redirects that led to it."""

    __test__ = False
    default_mimetype = None

    def __init__(
        self,
        response: Iterable[bytes],
        status: str,
        headers: Headers,
        request: Request,
        history: "tuple[TestResponse, ...]" = (),
        **kwargs: Any,
    ) -> None:
        super().__init__(response, status, headers, **kwargs)
        self.request = request
        self.history = history

    @cached_property
    def text(self) -> str:
        """The body as text."""
        text: str = self.get_data(as_text=True)
        return text


def run_wsgi_app(
    app: "WSGIApplication", environ: "WSGIEnvironment", buffered: bool = False
) -> tuple[Iterable[bytes], str, Headers]:
    """Call an application and return the body, status and headers of its response.

    The application receives a copy of the environ. The body includes everything passed to ``write``. It is read until
    the response has started; with ``buffered``, it is read to the end and then closed. Raises the application's errors,
    or RuntimeError if it never starts a response.
    """
    environ = dict(getattr(environ, "environ", environ))
    if (path := environ.get("PATH_INFO")) and not path.startswith("/"):
        environ["PATH_INFO"] = f"/{path}"  # tests may omit the slash, clients of servers may not
    body, status, fields = call_application(app, environ, buffered)
    return body, status, Headers(fields)


_REDIRECTS = frozenset({301, 302, 303, 305, 307, 308})


class ClientRedirectError(Exception):
    """Raised if redirects form a loop."""


class Client:
    """A client that calls an application. Methods such as ``get`` accept the arguments of ``EnvironBuilder``.

    Its responses are instances of both ``response_wrapper`` and ``TestResponse``. Following a redirect to another host
    raises RuntimeError, as does one to a subdomain unless ``allow_subdomain_redirects`` is True.
    """

    def __init__(
        self,
        application: "WSGIApplication",
        response_wrapper: type[Response] | None = None,
        use_cookies: bool = True,
        allow_subdomain_redirects: bool = False,
    ) -> None:
        self.application = application
        self.response_wrapper = _wrapper(response_wrapper)
        self.allow_subdomain_redirects = allow_subdomain_redirects
        self._cookies: Jar | None = {} if use_cookies else None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.application!r}>"

    # Cookies

    @property
    def _jar(self) -> Jar:
        if self._cookies is None:
            raise TypeError("this client has no cookies: create it with use_cookies=True")
        return self._cookies

    def get_cookie(self, key: str, domain: str = "localhost", path: str = "/") -> Cookie | None:
        """Return a cookie, or None if it does not exist. Raises TypeError if the client has no cookies."""
        return self._jar.get((domain, path, key))

    def set_cookie(
        self,
        key: str,
        value: str = "",
        *,
        domain: str = "localhost",
        origin_only: bool = True,
        path: str = "/",
        **kwargs: Any,
    ) -> None:
        """Set a cookie as ``Response.set_cookie`` does. Raises TypeError if the client has no cookies."""
        cookie = Cookie.parse(domain, "/", dump_cookie(key, value, domain=domain, path=path, **kwargs))
        keep(self._jar, cookie._replace(origin_only=origin_only))

    def delete_cookie(self, key: str, *, domain: str = "localhost", path: str = "/") -> None:
        """Delete a cookie if it exists. Raises TypeError if the client has no cookies."""
        self._jar.pop((domain, path, key), None)

    def _add_cookies_to_wsgi(self, environ: "WSGIEnvironment") -> None:
        if self._cookies is None:
            return
        server_name, path = _place(environ)
        pairs = [cookie.pair for cookie in self._cookies.values() if cookie.is_sent_to(server_name, path)]
        environ.pop("HTTP_COOKIE", None)
        if pairs:
            environ["HTTP_COOKIE"] = "; ".join(pairs)

    def _update_cookies_from_response(self, server_name: str, path: str, headers: Iterable[str]) -> None:
        if self._cookies is not None:
            for header in headers:
                keep(self._cookies, Cookie.parse(server_name, path, header))

    # Calls

    def run_wsgi_app(self, environ: "WSGIEnvironment", buffered: bool = False) -> tuple[Iterable[bytes], str, Headers]:
        """Call the application, sending the matching cookies and storing the cookies that it sets."""
        self._add_cookies_to_wsgi(environ)
        answer = run_wsgi_app(self.application, environ, buffered=buffered)
        self._update_cookies_from_response(*_place(environ), answer[2].getlist("Set-Cookie"))
        return answer

    def open(self, *args: Any, buffered: bool = False, follow_redirects: bool = False, **kwargs: Any) -> TestResponse:
        """Send a request, given as a builder, an environ, a request, or the arguments of ``EnvironBuilder``.

        ``buffered`` runs the application to its end. Raises ClientRedirectError if redirects form a loop.
        """
        request = _request(args, kwargs)
        response = self.response_wrapper(*self.run_wsgi_app(request.environ, buffered=buffered), request=request)
        if follow_redirects:
            response = self._follow(response, buffered)
        if close := getattr(request.input_stream, "close", None):
            response.call_on_close(close)
        return response

    def _follow(self, response: TestResponse, buffered: bool) -> TestResponse:
        history: list[TestResponse] = []
        seen: set[tuple[str | None, int]] = set()
        while response.status_code in _REDIRECTS:
            if not buffered:
                response.make_sequence()
                response.close()
            step = response.location, response.status_code
            if step in seen:
                raise ClientRedirectError(f"the redirects form a loop: a {step[1]} to {step[0]} was already followed")
            seen.add(step)
            response.history = tuple(history)
            history.append(response)
            response = self.resolve_redirect(response, buffered=buffered)
        response.history = tuple(history)
        return response

    def resolve_redirect(self, response: TestResponse, buffered: bool = False) -> TestResponse:
        target = urlsplit(response.location or "")
        builder = EnvironBuilder.from_environ(response.request.environ, path=target.path, query_string=target.query)
        self._check_host(target.netloc, builder.server_name)
        if target.netloc:
            builder.url_scheme, builder.host = target.scheme, target.netloc
        root = builder.script_root
        if root and (target.path == root or target.path.startswith(f"{root}/")):
            builder.path = target.path[len(root) :]
        else:
            builder.path, builder.script_root = target.path, ""
        if response.status_code not in (307, 308):
            _without_body(builder)
        elif builder.input_stream is not None:
            builder.input_stream.seek(0)
        return self.open(builder, buffered=buffered)

    def _check_host(self, netloc: str, server_name: str) -> None:
        host = netloc.partition(":")[0] or server_name
        if host == server_name:
            return
        if not host.endswith(f".{server_name}"):
            raise RuntimeError(f"the client can't follow a redirect to another site: {host}")
        if not self.allow_subdomain_redirects:
            raise RuntimeError(f"set allow_subdomain_redirects=True to follow a redirect to the subdomain {host}")

    def _open_as(self, method: str, args: tuple[Any, ...], kw: dict[str, Any]) -> TestResponse:
        kw["method"] = method
        return self.open(*args, **kw)

    def get(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("GET", args, kw)

    def post(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("POST", args, kw)

    def put(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("PUT", args, kw)

    def patch(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("PATCH", args, kw)

    def delete(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("DELETE", args, kw)

    def head(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("HEAD", args, kw)

    def options(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("OPTIONS", args, kw)

    def trace(self, *args: Any, **kw: Any) -> TestResponse:
        return self._open_as("TRACE", args, kw)


def _wrapper(wrapper: type[Response] | None) -> type[TestResponse]:
    if wrapper is None or wrapper is Response:
        return TestResponse
    if issubclass(wrapper, TestResponse):
        return wrapper
    return type("WrapperTestResponse", (TestResponse, wrapper), {})


def _request(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    if len(args) == 1 and not kwargs:
        (given,) = args
        if isinstance(given, EnvironBuilder):
            return given.get_request()
        if isinstance(given, dict):
            return EnvironBuilder.from_environ(given).get_request()
        if isinstance(given, Request):
            return given
    builder = EnvironBuilder(*args, **kwargs)
    try:
        return builder.get_request()
    finally:
        builder.close()


def _place(environ: "WSGIEnvironment") -> tuple[str, str]:
    url = urlsplit(get_current_url(environ))
    return url.hostname or "localhost", url.path


def _without_body(builder: EnvironBuilder) -> None:
    """Drop the body of the request after a redirect, and make it a GET request unless it is a HEAD request."""
    if builder.method != "HEAD":
        builder.method = "GET"
    if builder.input_stream is not None:
        builder.input_stream.close()
        builder.input_stream = None
    builder.content_type = None
    builder.content_length = None
    builder.headers.remove("Transfer-Encoding")
