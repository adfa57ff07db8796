"""The response head: the status line, Content-Type, Location, and other headers as attributes."""

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from antiphon.dialects._environ.heads import cache_short
from antiphon.dialects.webob.datetime_utils import parse_date_delta, serialize_date_delta
from antiphon.dialects.webob.descriptors import (
    CHARSET_RE,
    SCHEME_RE,
    date_header,
    header_getter,
    header_property,
    list_header,
    parse_auth,
    parse_content_range,
    parse_etag_response,
    parse_int_safe,
    serialize_auth,
    serialize_content_range,
    serialize_etag_response,
    serialize_int,
)
from antiphon.dialects.webob.headers import (
    Lines,
    ResponseHeaders,
    check_line,
    find_control,
    first_value,
    last_value,
    pairs_of,
    put_line,
    remove_lines,
)
from antiphon.dialects.webob.util import status_generic_reasons, status_reasons
from antiphon.http.grammar import format_parameters, parse_parameters

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


_STATUS_LINES = {code: f"{code} {phrase}" for code, phrase in status_reasons.items()}


class ResponseHead:
    """The status and headers, stored in ``_status`` and ``_headerlist``."""

    _status: str
    _headerlist: Lines
    _headers: ResponseHeaders | None = None

    # Status

    @property
    def status(self) -> str:
        """The status line, such as "200 OK".

        It can also be set to a code alone. Raises ValueError if the line contains control characters or does not begin
        with a number, or TypeError if it is neither text nor an int.
        """
        return self._status

    @status.setter
    def status(self, value: Any) -> None:
        self._status = _STATUS_LINES.get(value) or _status_line(value)

    @property
    def status_code(self) -> int:
        """The status code. Setting it also sets the reason phrase."""
        return int(self._status.split(None, 1)[0])

    @status_code.setter
    def status_code(self, code: int) -> None:
        self._status = _STATUS_LINES.get(code) or _line_of(code)

    status_int = status_code

    # Headers

    @property
    def headerlist(self) -> Lines:
        """The list of header lines itself, not a copy.

        Deleting it empties the headers. Setting it raises ValueError if a line contains control characters.
        """
        return self._headerlist

    @headerlist.setter
    def headerlist(self, value: Any) -> None:
        lines = value if isinstance(value, list) else list(pairs_of(value))
        for line in lines:
            check_line(*line)
        self._headers = None
        self._headerlist = lines

    @headerlist.deleter
    def headerlist(self) -> None:
        self.headerlist = []

    @property
    def headers(self) -> ResponseHeaders:
        """The header lines as a multidict with case-insensitive names. It can be set to a mapping or to pairs."""
        if self._headers is None:
            self._headers = ResponseHeaders.view_list(self._headerlist)
        return self._headers

    @headers.setter
    def headers(self, value: Any) -> None:
        self.headerlist = list(pairs_of(value))


def _status_line(value: Any) -> str:
    if isinstance(value, bytes):
        value = value.decode("ascii")
    if isinstance(value, str):
        return _checked_line(value)
    if not isinstance(value, int):
        raise TypeError(f"You must set status to a string or integer (not {type(value)})")
    return _line_of(int(value))


@cache_short(128)
def _checked_line(line: str) -> str:
    code = next(iter(line.split(None, 1)), "")
    if not (code.isascii() and code.isdigit()):
        raise ValueError(f"Invalid status code, integer required: {line[:80]!r}")
    if find_control(line):
        raise ValueError(f"a status must not contain control characters: {line[:80]!r}")
    return line if line.strip() != code else _line_of(int(code))


def _line_of(code: int) -> str:
    known = _STATUS_LINES.get(code)
    if known is None and code // 100 not in status_generic_reasons:
        raise ValueError(f"{code} is not an HTTP status code: to send it anyway, set a line such as '{code} Reason'")
    return known or f"{code} {status_generic_reasons[code // 100]}"


_NAME = "Content-Type"


class MediaTypes(ResponseHead):
    """The parts of Content-Type. Deleting one keeps the others."""

    default_content_type: str | None = "text/html"
    """The default media type of a response."""
    default_charset: str | None = "UTF-8"
    """The default charset of text."""

    @property
    def content_type(self) -> str | None:
        """The media type without parameters, or None if it is missing.

        Setting it removes all parameters. For text and XML, it adds the default charset.
        """
        header = last_value(self._headerlist, "content-type")
        return header.partition(";")[0] if header else None

    @content_type.setter
    def content_type(self, value: str | None) -> None:
        if not value:
            del self.content_type
            return
        if not isinstance(value, str):
            raise TypeError(f"content_type requires value to be of string_types, not {type(value)!r}")
        self.headers[_NAME] = with_charset(value, self.default_charset)

    @content_type.deleter
    def content_type(self) -> None:
        remove_lines(self._headerlist, "content-type")

    @property
    def charset(self) -> str | None:
        """The charset in Content-Type, or None. Setting it raises AttributeError if there is no Content-Type."""
        header = last_value(self._headerlist, "content-type")
        return charset_of(header) if header else None

    @charset.setter
    def charset(self, charset: str | None) -> None:
        if charset is None:
            del self.charset
            return
        header = last_value(self._headerlist, "content-type")
        if header is None:
            raise AttributeError("You cannot set the charset when no content-type is defined")
        put_line(self._headerlist, _NAME, f"{CHARSET_RE.sub('', header, 1)}; charset={charset}")

    @charset.deleter
    def charset(self) -> None:
        header = last_value(self._headerlist, "content-type")
        if header is not None:
            put_line(self._headerlist, _NAME, CHARSET_RE.sub("", header, 1))

    @property
    def content_type_params(self) -> dict[str, str]:
        """The parameters of Content-Type, in a new dictionary. Setting it replaces them all.

        Raises ValueError if a name is not a token or a value contains control characters.
        """
        header = last_value(self._headerlist, "content-type") or ""
        return parse_parameters(header.partition(";")[2])

    @content_type_params.setter
    def content_type_params(self, value_dict: Any) -> None:
        parameters = format_parameters(dict(sorted(value_dict.items()))) if value_dict else ""
        header = last_value(self._headerlist, "content-type") or ""
        put_line(self._headerlist, _NAME, header.partition(";")[0] + parameters)

    @content_type_params.deleter
    def content_type_params(self) -> None:
        self.content_type_params = {}


@cache_short(128)
def charset_of(content_type: str) -> str | None:
    """Return the charset in a Content-Type, or None if it has none."""
    match = CHARSET_RE.search(content_type)
    return match[1].strip().strip('"') if match else None


def with_charset(content_type: str, charset: str | None) -> str:
    """Add a charset to a Content-Type if it can have one but does not."""
    if not charset or not takes_charset(content_type) or CHARSET_RE.search(content_type):
        return content_type
    return f"{content_type}; charset={charset}"


@cache_short(128)
def takes_charset(content_type: str) -> bool:
    """Return True for text and XML media types."""
    kind, _, subtype = content_type.partition(";")[0].strip().lower().partition("/")
    if kind == "text":
        return True
    return (
        subtype.endswith("+xml")
        if kind == "image"
        else kind == "application" and (subtype.startswith("xml") or subtype.endswith("+xml"))
    )


class ResponseFields:
    """Attributes for response headers. None means an absent header."""

    _headerlist: Lines

    accept_ranges = header_getter("Accept-Ranges")
    age = header_property("Age", parse_int_safe, serialize_int)
    allow = list_header("Allow")
    content_disposition = header_getter("Content-Disposition")
    content_encoding = header_getter("Content-Encoding")
    content_language = list_header("Content-Language")
    content_location = header_getter("Content-Location")
    content_range = header_property("Content-Range", parse_content_range, serialize_content_range)
    date = date_header("Date")
    etag = header_property("ETag", parse_etag_response, serialize_etag_response)
    expires = date_header("Expires")
    last_modified = date_header("Last-Modified")
    location = header_getter("Location")
    pragma = header_getter("Pragma")
    retry_after = header_property("Retry-After", parse_date_delta, serialize_date_delta)
    server = header_getter("Server")
    vary = list_header("Vary")
    www_authenticate = header_property("WWW-Authenticate", parse_auth, serialize_auth)

    @property
    def etag_strong(self) -> Any:
        """The entity tag, or None if it is weak or missing."""
        return parse_etag_response(first_value(self._headerlist, "etag"), strong=True)


_is_plain_path = re.compile(r"/(?![/.])(?>(?:[^\t\r\n/]++|/(?!\.))*)").fullmatch
"""Match an absolute path that can be appended as it is, without dot segments or characters that browsers drop."""
_DROPPED_BY_BROWSERS = str.maketrans("", "", "\t\r\n")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def absolute_location(environ: "WSGIEnvironment", location: str) -> str:
    """Return a location as an absolute URL: unchanged if it has a scheme, otherwise as a path on the request's host.

    Only a location with a scheme can lead to another host. Browsers drop tabs and line breaks before they parse a URL,
    so this function drops them too. It percent-encodes control and non-ASCII characters, which not every server
    interface can send. Raises UnicodeEncodeError for a lone surrogate.
    """
    url = _resolved(environ, location)
    if url.isascii() and url.isprintable():
        return url
    from antiphon.http.urls.url import as_uri

    return as_uri(url)


def _resolved(environ: "WSGIEnvironment", location: str) -> str:
    if _is_plain_path(location):
        return _origin(environ) + location
    location = location.translate(_DROPPED_BY_BROWSERS)
    if SCHEME_RE.match(location):
        return location
    if location.startswith("//"):
        location = f"/%2f{location[2:]}"
    from antiphon.http.urls.url import resolve  # imported late, since most locations are plain paths

    return resolve(request_uri(environ), location)


def request_uri(environ: "WSGIEnvironment") -> str:
    """Return a request's URL without its query and without its scheme's default port."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return _origin(environ) + quote(path.encode("latin-1"))


def _origin(environ: "WSGIEnvironment") -> str:
    scheme = environ["wsgi.url_scheme"]
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS.get(scheme, ':'))}"
