"""The head of a request: method, target, server and client, each a key of the environ."""

from typing import TYPE_CHECKING, Any

from antiphon.dialects._environ.caching import cache_short
from antiphon.dialects.webob.environ_properties import converter, environ_decoder, environ_getter
from antiphon.dialects.webob.headers import EnvironHeaders
from antiphon.dialects.webob.request.charsets import (
    LATIN_1,
    UTF_8,
    declared_charset,
    named_charset,
    with_charset,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.webob.environ_properties import Attribute

_MOST_DIGITS = 18
_CHARSET = "webob.charset"


class _NoDefault:
    def __repr__(self) -> str:
        return "(No Default)"


NoDefault: Any = _NoDefault()
"""The default of ``encget`` for a key that has to be there."""


@cache_short(256)
def _charset_of(content_type: str) -> str:
    return named_charset(declared_charset(content_type))


def _length(written: object) -> int | None:
    """Return a Content-Length, or None for anything but digits."""
    if type(written) is str and written.isdecimal() and written.isascii() and len(written) <= _MOST_DIGITS:
        return int(written)
    if not written and written != 0:
        return None
    digits = str(written).strip()
    return int(digits) if digits.isdecimal() and digits.isascii() and len(digits) <= _MOST_DIGITS else None


def _number(written: str | None) -> int | None:
    return int(written) if written else None


class RequestHead:
    """The method, the target and the headers of a request. All access goes directly to the environ."""

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
        """Return a value of the environ, decoded in the charset that the attribute ``encattr`` has.

        Raises KeyError without a value and a default, and UnicodeDecodeError, which is a 400, too.
        """
        value = self.environ.get(key, default)
        if value is NoDefault:
            raise KeyError(key)
        if value is default or not encattr or (value.isascii() and getattr(self, encattr) == UTF_8):
            return value
        encoding = getattr(self, encattr)
        if encoding in LATIN_1:
            return value
        from antiphon.dialects.webob.request.errors import decode_text

        return decode_text(value.encode("latin-1"), encoding)

    def encset(self, key: str, val: str | bytes, encattr: str | None = None) -> None:
        """Set a value of the environ to text in the charset that the attribute ``encattr`` has, else in ASCII."""
        raw = val.encode(getattr(self, encattr) if encattr else "ascii") if isinstance(val, str) else val
        self.environ[key] = raw.decode("latin-1")

    # The media type of the body

    @property
    def content_type(self) -> str:
        """The media type of the body, without parameters; empty without one.

        It may be set with parameters. Set without any, it keeps those that it has. None removes it.
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
        """The charset of text: one that was set, else that of Content-Type, else UTF-8.

        Setting it also changes the one that Content-Type names. A class may have an attribute of this name instead.
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
        """The charset of the query, set on the request or the class, since Content-Type only describes the body."""
        if type(self).charset is not RequestHead.charset:
            return named_charset(self.charset)
        if _CHARSET not in self.environ:
            return UTF_8
        described, charset = self.environ[_CHARSET]
        return str(charset) if described == self.environ.get("CONTENT_TYPE", "") else UTF_8

    # Headers

    @property
    def headers(self) -> Any:
        """The header fields, as a dictionary by names in any case. It can be set to another dictionary, or pairs."""
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
        """True if X-Requested-With says so, which scripts may send."""
        return bool(self.environ.get("HTTP_X_REQUESTED_WITH", "") == "XMLHttpRequest")
