"""WebOb's response: status, headers, cookies and a body, as attributes and as a WSGI application."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import IO, Any, Self

from antiphon.dialects.webob.cookies import make_cookie
from antiphon.dialects.webob.datetime_utils import parse_date
from antiphon.dialects.webob.headers import Lines, check_line
from antiphon.dialects.webob.response.content import (
    AppIterRange,
    EmptyResponse,
    ResponseBodyFile,
    gzip_app_iter,
    iter_close,
    iter_file,
    to_json,
)
from antiphon.dialects.webob.response.head import charset_of, with_charset
from antiphon.dialects.webob.response.sending import SentResponse, filter_headers
from antiphon.dialects.webob.util import also_called

__all__ = [
    "AppIterRange", "EmptyResponse", "Response", "ResponseBodyFile", "filter_headers", "gzip_app_iter",
    "iter_close", "iter_file",
]  # fmt: skip

_NAME = "Set-Cookie"


class ResponseCookies:
    """Cookies, each in its own header line."""

    _headerlist: Lines

    @also_called("key", "name")
    def set_cookie(
        self,
        name: str,
        value: str | bytes | None = "",
        max_age: int | timedelta | None = None,
        path: str | None = "/",
        domain: str | None = None,
        secure: bool = False,
        httponly: bool = False,
        comment: str | None = None,
        expires: datetime | timedelta | int | str | None = None,
        overwrite: bool = False,
        samesite: str | None = None,
    ) -> None:
        """Set a cookie that lasts for ``max_age`` (seconds or a timedelta) or until it ``expires``.

        Either argument sends both Max-Age and Expires. A value of None deletes the cookie. Other cookies with this name
        are kept unless ``overwrite`` is True. Raises ValueError if ``samesite`` is not strict, lax or none, or if an
        argument contains CR, LF or NUL.
        """
        if overwrite:
            self.unset_cookie(name, strict=False)
        if expires is not None and not max_age:
            max_age = _until(expires)
        content = value.encode() if isinstance(value, str) and not value.isascii() else value
        cookie = make_cookie(name, content, max_age, path, domain, secure, httponly, comment, samesite)
        self._headerlist.append((_NAME, cookie))

    @also_called("key", "name")
    def delete_cookie(self, name: str, path: str | None = "/", domain: str | None = None) -> None:
        """Tell the client to delete a cookie that was set with this path and domain."""
        self.set_cookie(name, None, path=path, domain=domain)

    def unset_cookie(self, name: str | bytes, strict: bool = True) -> None:
        """Remove a cookie from the response. Raises KeyError if it is missing, unless ``strict`` is False."""
        wanted = name.decode() if isinstance(name, bytes) else name
        lines = self._headerlist
        others = [line for line in lines if line[0].lower() != "set-cookie" or _cookie_name(line[1]) != wanted]
        if strict and len(others) == len(lines):
            raise KeyError(f"No cookie has been set with the name {name!r}")
        lines[:] = others

    def merge_cookies(self, resp: Any) -> Any:
        """Add the cookies to another response, in place, or to the responses of a WSGI application.

        Returns that response, or an application that wraps the given one.
        """
        cookies = [line for line in self._headerlist if line[0].lower() == "set-cookie"]
        if not cookies:
            return resp
        if isinstance(resp, ResponseCookies):
            resp._headerlist += cookies  # noqa: SLF001 - of the same class
            return resp

        def with_cookies(environ: Any, start_response: Any) -> Any:
            def start(status: str, headers: Lines, exc_info: Any = None) -> Any:
                return start_response(status, headers + cookies, exc_info)

            return resp(environ, start)

        return with_cookies


def _cookie_name(value: str) -> str:
    return value.partition("=")[0].strip()


def _until(expires: Any) -> timedelta | None:
    """Return the time until an expiry given as a datetime (UTC if naive), a duration, seconds, or text."""
    if isinstance(expires, str):
        expires = parse_date(expires)
    if isinstance(expires, datetime):
        moment = expires if expires.tzinfo else expires.replace(tzinfo=UTC)
        return moment - datetime.now(UTC)
    return timedelta(seconds=expires) if isinstance(expires, (int, float)) else expires


_DEFAULT: Any = object()
_WITHOUT_BODY = frozenset({"204", "205", "304"})


class Response(ResponseCookies, SentResponse):
    """A response: a status line, a list of header lines, and an iterable of bytes.

    Everything else is derived from these.

    ``body`` is bytes, or text in the ``charset``. ``app_iter`` is an iterable of bytes to use instead. Without a
    ``headerlist``, the Content-Type is ``content_type`` or the class's default, with a charset if it is text or XML.
    Any other attribute of the class, including ``json``, can be set with a keyword argument.

    Raises TypeError for an unknown keyword argument, for text without a charset, or if both ``body`` and ``app_iter``
    are given. Raises ValueError if the status or a header contains CR, LF or NUL.
    """

    default_conditional_response = False
    """The default of ``conditional_response``: True if responses evaluate the request's conditions and ranges."""
    request: Any = None
    """The request that this response belongs to, if a program sets it."""
    environ: Any = None
    """The environ of the request that this response belongs to, if a program sets it."""

    def __init__(
        self,
        body: bytes | str | None = None,
        status: Any = None,
        headerlist: Lines | None = None,
        app_iter: Any = None,
        content_type: str | None = None,
        conditional_response: bool | None = None,
        charset: str | None = _DEFAULT,
        **kw: Any,
    ) -> None:
        if kw and app_iter is None and body is None:
            body, content_type = _json_of(kw, content_type)
        if app_iter is not None and body is not None:
            raise TypeError("You may only give one of the body and app_iter arguments")
        self.conditional_response = (
            self.default_conditional_response if conditional_response is None else bool(conditional_response)
        )
        has_body = True
        if status is None:
            self._status = "200 OK"
        else:
            self.status = status
            has_body = self._status[0] != "1" and self._status[:3] not in _WITHOUT_BODY
        encoding = None if charset is _DEFAULT else charset
        if headerlist is not None:
            self.headerlist = headerlist
        else:
            self._headerlist = []
            given = content_type or self.default_content_type
            if has_body and given:
                line, own = _content_type_line(given, self.default_charset if charset is _DEFAULT else charset)
                self._headerlist.append(line)
                encoding = own or encoding
        self._app_iter = [b""] if app_iter is None else app_iter
        if app_iter is None and has_body:
            if body is None and isinstance(kw.get("text"), str) and (encoding or self.charset):
                body = kw.pop("text")
            self._start_body(body, encoding, headerlist is not None)
        if kw:
            self._set_attributes(kw)

    def _start_body(self, body: bytes | str | None, encoding: str | None, replace_length: bool) -> None:
        if isinstance(body, str):
            encoding = encoding or self.charset
            if encoding is None:
                raise TypeError("You cannot set the body to a text value without a charset")
            body = body.encode(encoding)
        data = b"" if body is None else body
        self._app_iter = [data]
        if replace_length:
            del self.content_length
        self._headerlist.append(("Content-Length", str(len(data))))

    def _set_attributes(self, values: dict[str, Any]) -> None:
        for name, value in values.items():
            if not hasattr(type(self), name):
                raise TypeError(f"Unexpected keyword: {name}={value!r}")
            setattr(self, name, value)

    @classmethod
    def from_file(cls, fp: IO[Any]) -> Self:
        """Read a response from a file in the format that ``str`` returns.

        The status may follow an HTTP version. Content-Length gives the length of the body. Raises ValueError if a line
        is not a header.
        """
        status = _native(fp.readline()).strip()
        if status.startswith("HTTP/"):
            status = status.partition(" ")[2].lstrip()
        response = cls(status=status, headerlist=_read_lines(fp), app_iter=())
        body = fp.read(response.content_length or 0)
        if isinstance(body, str):
            response.text = body
        else:
            response.body = body
        return response

    def copy(self) -> Self:
        """Return a copy of the response. This reads the body into a list."""
        chunks = list(self._app_iter)
        iter_close(self._app_iter)
        self._app_iter = chunks
        twin = type(self).__new__(type(self))
        twin.__dict__.update(self.__dict__, _app_iter=[*chunks], _headerlist=[*self._headerlist])
        for view in ("_headers", "_cache_control_obj"):
            twin.__dict__.pop(view, None)
        return twin

    def __repr__(self) -> str:
        return f"<{type(self).__name__} at {id(self):#x} {self.status}>"

    def __str__(self, skip_body: bool = False) -> str:
        body = "" if skip_body else self._body_as_text()
        head = [self.status, *[f"{name}: {value}" for name, value in self._headerlist]]
        return "\r\n".join([*head, "", body] if body else head)

    def _body_as_text(self) -> str:
        return self.text if self.body else ""


def _json_of(keywords: dict[str, Any], content_type: str | None) -> tuple[bytes | None, str | None]:
    """Remove a JSON value from the keyword arguments and return it as a body with its content type."""
    name = "json_body" if "json_body" in keywords else "json"
    if name not in keywords:
        return None, content_type
    return to_json(keywords.pop(name)), content_type or "application/json"


@lru_cache(256)
def _content_type_line(content_type: str, charset: str | None) -> tuple[tuple[str, str], str | None]:
    """Return the Content-Type line, with a charset if it can have one, and that charset.

    Raises ValueError for CR, LF or NUL.
    """
    value = with_charset(content_type, charset)
    check_line("Content-Type", value)
    return ("Content-Type", value), charset_of(value)


def _native(line: Any) -> str:
    return line if isinstance(line, str) else line.decode("latin-1")


def _read_lines(fp: IO[Any]) -> Lines:
    lines = []
    while line := _native(fp.readline()).strip():
        name, colon, value = line.partition(":")
        if not colon:
            raise ValueError(f"Bad header line: {line!r}")
        lines.append((name, value.strip()))
    return lines
