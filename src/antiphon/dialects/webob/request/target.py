"""The URL of a request, in whole and in parts."""

import re
from typing import Any
from urllib.parse import quote

from antiphon.dialects.webob.keywords import also_called
from antiphon.dialects.webob.request.errors import decode_text
from antiphon.dialects.webob.request.head import RequestHead

PATH_SAFE = "/~!$&'()*+,;=:@"
"""Characters that stay as they are in the path of a URL, in addition to letters and digits."""

_needs_no_quoting = re.compile(r"[-A-Za-z0-9._/~!$&'()*+,;=:@]*+").fullmatch
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def quoted(path: str) -> str:
    """Return a path of an environ as a URL has it."""
    return path if _needs_no_quoting(path) else quote(path.encode("latin-1"), PATH_SAFE)


def split_port(host: str) -> tuple[str, str | None]:
    """Return a host, an IPv6 address in its brackets, and its port."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and host[-1] != "]" else (host, None)


class RequestTarget(RequestHead):
    """The URL of a request, made from the environ."""

    # Host

    @property
    def host(self) -> str:
        """The value of Host; without one, the server's name and port. It may be set and deleted."""
        environ = self.environ
        host: str | None = environ.get("HTTP_HOST")
        return f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}" if host is None else host

    @host.setter
    def host(self, value: str) -> None:
        self.environ["HTTP_HOST"] = value

    @host.deleter
    def host(self) -> None:
        self.environ.pop("HTTP_HOST", None)

    @property
    def domain(self) -> str:
        """The host without its port."""
        return split_port(self.host)[0]

    @property
    def host_port(self) -> str:
        """The port in Host, which is the scheme's if there is none; without Host, the server's port."""
        environ = self.environ
        host = environ.get("HTTP_HOST")
        if host is None:
            server_port: str = environ["SERVER_PORT"]
            return server_port
        port = split_port(host)[1]
        return _DEFAULT_PORTS["https" if environ["wsgi.url_scheme"] == "https" else "http"] if port is None else port

    @property
    def host_url(self) -> str:
        """Scheme and host, with a port that is not the scheme's, without a slash."""
        environ = self.environ
        scheme = environ.get("wsgi.url_scheme")
        host = environ.get("HTTP_HOST")
        if host is None:
            host, port = environ.get("SERVER_NAME"), environ.get("SERVER_PORT")
        elif ":" in host:
            host, port = split_port(host)
        else:
            return f"{scheme}://{host}"
        return f"{scheme}://{host}:{port}" if port and port != _DEFAULT_PORTS.get(str(scheme)) else f"{scheme}://{host}"

    @property
    def client_addr(self) -> str | None:
        """The first address in X-Forwarded-For, which anybody may send; without that, ``remote_addr``."""
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            first: str = forwarded.split(",")[0].strip()
            return first
        return self.remote_addr

    # URLs

    @property
    def application_url(self) -> str:
        """The URL of the application, without a slash at its end."""
        return self.host_url + self._quoted(self.environ.get("SCRIPT_NAME", ""))

    @property
    def path_url(self) -> str:
        """The URL without the query."""
        environ = self.environ
        return self.host_url + self._quoted(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"])

    @property
    def path(self) -> str:
        """The path of application and request together, as in the URL."""
        environ = self.environ
        return self._quoted(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"])

    @property
    def path_qs(self) -> str:
        """The path and the query, if there is one."""
        return self._with_query(self.path)

    @property
    def url(self) -> str:
        """The whole URL."""
        return self._with_query(self.path_url)

    def _quoted(self, path: str) -> str:
        """Return a path of the environ as a URL has it. Raises UnicodeDecodeError, a 400, if its bytes are not text."""
        if not path.isascii():
            decode_text(path.encode("latin-1"), self.url_encoding)
        return quoted(path)

    def _with_query(self, url: str) -> str:
        query = self.environ.get("QUERY_STRING")
        return f"{url}?{query}" if query else url

    @also_called("url", "other_url")
    def relative_url(self, other_url: str, to_application: bool = False) -> str:
        """Return the URL of a reference found at this one, or at the application's URL (RFC 3986 §5.2)."""
        from antiphon.dialects.webob.util import urljoin

        if not to_application:
            return urljoin(self.path_url, other_url)
        base = self.application_url
        return urljoin(base if base.endswith("/") else f"{base}/", other_url)

    # Segments of the path

    def path_info_peek(self) -> str | None:
        """Return the next segment of the path, or None if the path is empty."""
        path = self.path_info
        return path.lstrip("/").split("/", 1)[0] if path else None

    def path_info_pop(self, pattern: "str | re.Pattern[str] | None" = None) -> str | None:
        """Move the next segment of the path to the application's, and return it; None if there is none.

        Slashes before it are moved, too. With a ``pattern`` that doesn't match, nothing is moved, and None returned.
        """
        path = self.path_info
        if not path:
            return None
        rest = path.lstrip("/")
        segment, slash, after = rest.partition("/")
        if pattern is not None and not re.match(pattern, segment):
            return None
        self.script_name += path[: len(path) - len(rest)] + segment
        self.path_info = slash + after
        return segment


class RoutingArguments:
    """What a router found in the URL, under the keys `wsgiorg.routing_args`, or `paste.urlvars`."""

    environ: Any

    @property
    def urlvars(self) -> Any:
        """The variables by name. They may be changed, set and deleted."""
        environ = self.environ
        if "paste.urlvars" in environ:
            return environ["paste.urlvars"]
        return environ.setdefault("wsgiorg.routing_args", ((), {}))[1]

    @urlvars.setter
    def urlvars(self, value: Any) -> None:
        environ = self.environ
        if "paste.urlvars" in environ and "wsgiorg.routing_args" not in environ:
            environ["paste.urlvars"] = value
            return
        environ.pop("paste.urlvars", None)
        environ["wsgiorg.routing_args"] = self.urlargs, value

    @urlvars.deleter
    def urlvars(self) -> None:
        self.environ.pop("paste.urlvars", None)
        self._keep(self.urlargs, {})

    @property
    def urlargs(self) -> Any:
        """The variables by position, in a tuple. It may be set and deleted."""
        return self.environ.get("wsgiorg.routing_args", ((),))[0]

    @urlargs.setter
    def urlargs(self, value: Any) -> None:
        environ = self.environ
        named = environ.pop("paste.urlvars", None)
        if named is None:
            named = environ.get("wsgiorg.routing_args", ((), {}))[1]
        environ["wsgiorg.routing_args"] = value, named

    @urlargs.deleter
    def urlargs(self) -> None:
        self._keep((), self.environ.get("wsgiorg.routing_args", ((), {}))[1])

    def _keep(self, positional: Any, named: Any) -> None:
        environ = self.environ
        if "wsgiorg.routing_args" in environ:
            if positional or named:
                environ["wsgiorg.routing_args"] = positional, named
            else:
                del environ["wsgiorg.routing_args"]
