"""The request head: attributes for the method, target, server, client, URL and charset, stored in the environ."""

import re
from collections.abc import Callable
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING, Any, TypeAlias
from urllib.parse import quote

from antiphon.dialects._environ.heads import cache_short
from antiphon.dialects.webob.descriptors import converter, environ_decoder, environ_getter
from antiphon.dialects.webob.exc import decode_text
from antiphon.dialects.webob.headers import EnvironHeaders
from antiphon.dialects.webob.util import also_called, urljoin
from antiphon.http.charset import CODECS

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.webob.descriptors import Attribute


Decode: TypeAlias = Callable[[bytes], str]

UTF_8 = "UTF-8"
"""The charset of a request that declares none."""

LATIN_1 = frozenset({
    "ascii", "latin-1", "latin", "latin_1", "l1", "latin1", "iso-8859-1", "iso8859_1", "iso_8859_1", "iso8859", "8859",
})  # fmt: skip
"""Names of the charsets that need no decoding in an environ (PEP 3333)."""

_SAFE = frozenset([codec.replace("-", "_") for codec in CODECS.values()] + ["ascii", "latin_1"])

_parameter = re.compile(r';\s*charset\s*=\s*("[^"]*"|[^;]*)', re.IGNORECASE)


def declared_charset(content_type: str) -> str | None:
    """Return the charset in a Content-Type, or None if it has none."""
    if ";" not in content_type:
        return None
    found = _parameter.search(content_type)
    return (found[1].strip('" \t') or None) if found else None


def with_charset(content_type: str, charset: str) -> str:
    named = f'; charset="{charset}"'
    if _parameter.search(content_type):
        return _parameter.sub(lambda _: named, content_type, count=1)
    return content_type + named


def is_utf_8(charset: str | None) -> bool:
    return not charset or charset.lower().replace("-", "").replace("_", "") == "utf8"


def named_charset(charset: str | None) -> str:
    """Return a charset's name, normalized if it is UTF-8."""
    return UTF_8 if is_utf_8(charset) else str(charset)


def codec_of(charset: str) -> str:
    """Return the Python codec for a charset that a request may declare.

    Raises LookupError for others: some Python codecs are not charsets, or don't include ASCII.
    """
    if charset == UTF_8:
        return "utf-8"
    label = charset.strip().lower()
    name = normalize_encoding(label)
    codec = aliases.get(name, name)
    if codec in _SAFE:
        return codec
    if label not in CODECS:
        raise LookupError(f"a request can't be decoded with the charset {charset[:80]!r}")
    return CODECS[label]


def decoder(charset: str) -> Decode | None:
    """Return a function that decodes text in a charset, replacing invalid bytes with U+FFFD, or None for UTF-8.

    Text in an unsupported charset, such as UTF-16 (which no browser sends), is decoded as UTF-8.
    """
    try:
        codec = codec_of(charset)
    except LookupError:
        return None
    return None if codec.startswith("utf") else lambda data: data.decode(codec, "replace")


def as_latin_1(data: bytes) -> str:
    """Convert bytes to text with one character per byte, as in an environ (PEP 3333)."""
    return data.decode("latin-1")


_MOST_DIGITS = 18
_CHARSET = "webob.charset"


class _NoDefault:
    def __repr__(self) -> str:
        return "(No Default)"


NoDefault: Any = _NoDefault()
"""The default that makes ``encget`` raise KeyError for a missing key."""


@cache_short(256)
def _charset_of(content_type: str) -> str:
    return named_charset(declared_charset(content_type))


def _length(written: object) -> int | None:
    """Parse a Content-Length. Return None for anything but digits."""
    if type(written) is str and written.isdecimal() and written.isascii() and len(written) <= _MOST_DIGITS:
        return int(written)
    if not written and written != 0:
        return None
    digits = str(written).strip()
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= _MOST_DIGITS else None


def _number(written: str | None) -> int | None:
    return int(written) if written else None


class RequestHead:
    """A request's method, target and headers. All attributes read and write the environ directly."""

    environ: "WSGIEnvironment"
    _headers: EnvironHeaders | None = None

    method = environ_getter("REQUEST_METHOD", "GET")
    scheme: "Attribute[str]" = environ_getter("wsgi.url_scheme")
    http_version: "Attribute[str]" = environ_getter("SERVER_PROTOCOL")
    query_string = environ_getter("QUERY_STRING", "")
    server_name: "Attribute[str]" = environ_getter("SERVER_NAME")
    server_port = converter(environ_getter("SERVER_PORT"), _number, str, "a number")
    remote_user: "Attribute[str | None]" = environ_getter("REMOTE_USER", None)
    remote_host: "Attribute[str | None]" = environ_getter("REMOTE_HOST", None)
    remote_addr: "Attribute[str | None]" = environ_getter("REMOTE_ADDR", None)
    content_length = converter(environ_getter("CONTENT_LENGTH", None), _length, str, "a number of bytes")
    url_encoding = environ_getter("webob.url_encoding", UTF_8)
    script_name = environ_decoder("SCRIPT_NAME", "", encattr="url_encoding")
    path_info = environ_decoder("PATH_INFO", encattr="url_encoding")
    uscript_name = script_name
    upath_info = path_info
    _content_type_raw = environ_getter("CONTENT_TYPE", "")

    def encget(self, key: str, default: Any = NoDefault, encattr: str | None = None) -> Any:
        """Return an environ value, decoded with the charset in the attribute named by ``encattr``.

        Raises KeyError if it is missing and no default is given, or a UnicodeDecodeError that is also a 400.
        """
        value = self.environ.get(key, default)
        if value is NoDefault:
            raise KeyError(key)
        if value is default or not encattr or (value.isascii() and getattr(self, encattr) == UTF_8):
            return value
        encoding = getattr(self, encattr)
        if encoding in LATIN_1:
            return value
        return decode_text(value.encode("latin-1"), encoding)

    def encset(self, key: str, val: str | bytes, encattr: str | None = None) -> None:
        """Set an environ value to text, encoded with the charset in the attribute named by ``encattr``, or else as
        ASCII.
        """
        raw = val.encode(getattr(self, encattr) if encattr else "ascii") if isinstance(val, str) else val
        self.environ[key] = raw.decode("latin-1")

    # The media type of the body

    @property
    def content_type(self) -> str:
        """The body's media type without parameters. Empty if the request declares none.

        It can be set with parameters; otherwise, the current parameters are kept. None removes it.
        """
        return self._content_type_raw.split(";", 1)[0]

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        if value is None:
            del self.content_type
        elif ";" in value:
            self._content_type_raw = value
        else:
            _, semicolon, parameters = self._content_type_raw.partition(";")
            self._content_type_raw = f"{value}{semicolon}{parameters}"

    @content_type.deleter
    def content_type(self) -> None:
        self.environ.pop("CONTENT_TYPE", None)

    @property
    def charset(self) -> Any:
        """The charset of text: the one that was set, or else the one in Content-Type, or else UTF-8.

        Setting it also changes Content-Type. A class may define its own attribute with this name instead.
        """
        environ = self.environ
        written = environ.get("CONTENT_TYPE", "")
        if _CHARSET in environ:
            described, charset = environ[_CHARSET]
            if described == written:
                return charset
        return _charset_of(written) if ";" in written else UTF_8

    @charset.setter
    def charset(self, charset: str | None) -> None:
        named = named_charset(charset)
        written = self._content_type_raw
        if written and (named != UTF_8 or declared_charset(written)) and named != self.charset:
            self._content_type_raw = written = with_charset(written, named)
        self.environ[_CHARSET] = written, named

    @charset.deleter
    def charset(self) -> None:
        self.environ.pop(_CHARSET, None)

    @property
    def _query_charset(self) -> str:
        """The query's charset, as set on the request or its class. Content-Type describes only the body."""
        if type(self).charset is not RequestHead.charset:
            return named_charset(self.charset)
        if _CHARSET not in self.environ:
            return UTF_8
        described, charset = self.environ[_CHARSET]
        return str(charset) if described == self.environ.get("CONTENT_TYPE", "") else UTF_8

    # Headers

    @property
    def headers(self) -> Any:
        """The header fields as a dictionary with case-insensitive names.

        It can be set to another dictionary or to pairs.
        """
        headers = self._headers
        if headers is None:
            headers = vars(self)["_headers"] = EnvironHeaders(self.environ)
        return headers

    @headers.setter
    def headers(self, value: Any) -> None:
        given = dict(value)
        self.headers.clear()
        self.headers.update(given)

    @property
    def is_xhr(self) -> bool:
        """True if X-Requested-With says that a script sent the request. Clients may omit or fake it."""
        return bool(self.environ.get("HTTP_X_REQUESTED_WITH", "") == "XMLHttpRequest")


PATH_SAFE = "/~!$&'()*+,;=:@"
"""The characters that are not escaped in a URL's path, besides letters and digits."""

_needs_no_quoting = re.compile(r"[-A-Za-z0-9._/~!$&'()*+,;=:@]*+").fullmatch
_DEFAULT_PORTS = {"http": "80", "https": "443"}


def quoted(path: str) -> str:
    """Percent-encode an environ path for a URL."""
    return path if _needs_no_quoting(path) else quote(path.encode("latin-1"), PATH_SAFE)


def split_port(host: str) -> tuple[str, str | None]:
    """Split a host into its name (or an IPv6 address in brackets) and its port."""
    name, colon, port = host.rpartition(":")
    return (name, port) if colon and host[-1] != "]" else (host, None)


class RequestTarget(RequestHead):
    """A request's URL, reconstructed from the environ."""

    # Host

    @property
    def host(self) -> str:
        """The Host header, or the server's name and port if it is missing. It can be set and deleted."""
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
        return split_port(self.host)[0]

    @property
    def host_port(self) -> str:
        """The port in Host, or the scheme's default port. If Host is missing, the server's port."""
        environ = self.environ
        host = environ.get("HTTP_HOST")
        if host is None:
            server_port: str = environ["SERVER_PORT"]
            return server_port
        port = split_port(host)[1]
        return _DEFAULT_PORTS["https" if environ["wsgi.url_scheme"] == "https" else "http"] if port is None else port

    @property
    def host_url(self) -> str:
        """The scheme and host, without a trailing slash. The port is omitted if it is the scheme's default."""
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
        """The first address in X-Forwarded-For, which any client can fake, or else ``remote_addr``."""
        forwarded = self.environ.get("HTTP_X_FORWARDED_FOR")
        if forwarded is not None:
            first: str = forwarded.split(",")[0].strip()
            return first
        return self.remote_addr

    # URLs

    @property
    def application_url(self) -> str:
        """The application's URL, without a trailing slash."""
        return self.host_url + self._quoted(self.environ.get("SCRIPT_NAME", ""))

    @property
    def path_url(self) -> str:
        environ = self.environ
        return self.host_url + self._quoted(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"])

    @property
    def path(self) -> str:
        """The full path, including the application's own, as in the URL."""
        environ = self.environ
        return self._quoted(environ.get("SCRIPT_NAME", "") + environ["PATH_INFO"])

    @property
    def path_qs(self) -> str:
        """The full path with the query, if any."""
        return self._with_query(self.path)

    @property
    def url(self) -> str:
        return self._with_query(self.path_url)

    def _quoted(self, path: str) -> str:
        """Percent-encode an environ path. Raises a UnicodeDecodeError that is also a 400 if its bytes are not text."""
        if not path.isascii():
            decode_text(path.encode("latin-1"), self.url_encoding)
        return quoted(path)

    def _with_query(self, url: str) -> str:
        query = self.environ.get("QUERY_STRING")
        return f"{url}?{query}" if query else url

    @also_called("url", "other_url")
    def relative_url(self, other_url: str, to_application: bool = False) -> str:
        """Resolve a reference against this URL, or against the application's URL (RFC 3986 §5.2)."""
        if not to_application:
            return urljoin(self.path_url, other_url)
        base = self.application_url
        return urljoin(base if base.endswith("/") else f"{base}/", other_url)

    # Path segments

    def path_info_peek(self) -> str | None:
        """Return the next segment of the path, or None if the path is empty."""
        path = self.path_info
        return path.lstrip("/").split("/", 1)[0] if path else None

    def path_info_pop(self, pattern: "str | re.Pattern[str] | None" = None) -> str | None:
        """Move the next path segment to the application's path and return it, or return None if the path is empty.

        Slashes before the segment are moved too. If a ``pattern`` is given and does not match, return None and move
        nothing.
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
    """The values that a router found in the URL, stored under `wsgiorg.routing_args` or `paste.urlvars`."""

    environ: Any

    @property
    def urlvars(self) -> Any:
        """The URL variables by name. The dictionary can be changed, replaced and deleted."""
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
        """The positional URL variables as a tuple, which can be replaced and deleted."""
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
