"""The response, with Bottle's names, and the responses that handlers return or raise."""

import os
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any

from antiphon import MutableHeaders
from antiphon import Request as NativeRequest
from antiphon import Response as NativeResponse
from antiphon.embedding import RequestLocal, served_names
from antiphon.http import SetCookie
from antiphon_bottle.request import request

_is_served = served_names(dotfiles=True)


class BaseResponse:
    """The status, header and body of a response."""

    default_status = 200
    default_content_type = "text/html; charset=UTF-8"

    def __init__(self, body: Any = "", status: int | str | None = None, headers: Any = (), **more: str) -> None:
        self.body = body
        self.status = status or self.default_status
        self.headers = MutableHeaders(dict(headers or {}) | {name.replace("_", "-"): more[name] for name in more})
        self.cookies: dict[str, SetCookie] = {}

    @property
    def status(self) -> int:
        """The status. Set it to a number, or to a line such as ``404 Not Found``."""
        return self._status

    @status.setter
    def status(self, status: int | str) -> None:
        self._status = int(status.partition(" ")[0]) if isinstance(status, str) else status

    status_code = status

    @property
    def status_line(self) -> str:
        """The status with its phrase."""
        return f"{self._status} {HTTPStatus(self._status).phrase}"

    @property
    def content_type(self) -> str:
        """The Content-Type."""
        return self.headers.get("content-type", self.default_content_type)

    @content_type.setter
    def content_type(self, value: str) -> None:
        self.headers["content-type"] = value

    @property
    def charset(self) -> str:
        """The charset of text."""
        return (
            self.content_type.rpartition("charset=")[2].partition(";")[0]
            if "charset=" in self.content_type
            else "UTF-8"
        )

    def get_header(self, name: str, default: Any = None) -> Any:
        """Return a header field."""
        return self.headers.get(name, default)

    def set_header(self, name: str, value: Any) -> None:
        """Set a header field. Raises ValueError for line ends in it."""
        self.headers[name] = str(value)

    def add_header(self, name: str, value: Any) -> None:
        """Add a header field, and keep others with its name."""
        self.headers.add(name, str(value))

    def set_cookie(self, name: str, value: str, secret: Any = None, **options: Any) -> None:
        """Set a cookie. Signed cookies are refused, since Bottle pickles them."""
        if secret:
            raise NotImplementedError("this dialect signs no cookies: keep a session instead")
        if "maxage" in options:
            options["max_age"] = options.pop("maxage")
        if isinstance(options.get("max_age"), timedelta):
            options["max_age"] = int(options["max_age"].total_seconds())
        if isinstance(options.get("expires"), int | float):
            options["expires"] = datetime.fromtimestamp(options["expires"]).astimezone()
        self.cookies[name] = SetCookie(name, value, **{"path": None, **options})

    def delete_cookie(self, key: str, **options: Any) -> None:
        """Tell the client to forget a cookie."""
        self.set_cookie(key, "", max_age=-1, expires=0, **options)

    def fields(self) -> list[tuple[str, str]]:
        """Return all header fields."""
        own = (
            []
            if self._status in (204, 304) or "content-type" in self.headers
            else [("content-type", self.content_type)]
        )
        return [*own, *self.headers.items(), *(("set-cookie", str(cookie)) for cookie in self.cookies.values())]


class HTTPResponse(BaseResponse, Exception):
    """A response that a handler returns or raises."""

    def apply(self, response: BaseResponse) -> None:
        """Copy this status, header and cookies to the current response."""
        response.status, response.headers, response.cookies = self.status, self.headers, self.cookies


class HTTPError(HTTPResponse):
    """An error, answered by the error handler of its status."""

    default_status = 500

    def __init__(self, status: int | None = None, body: Any = None, exception: Any = None, **more: str) -> None:
        super().__init__(body, status, **more)
        self.exception = exception


class StaticFile(HTTPResponse):
    """A file. Antiphon's own response answers conditions and ranges of a request."""

    def __init__(self, native: NativeResponse) -> None:
        super().__init__(status=native.status)
        self._native = native

    def sent(self, request: NativeRequest) -> NativeResponse:
        """Return the native response to a request, with what has been set on this one."""
        for name, value in self.headers.items():
            self._native.headers[name] = value
        return self._native.conditional(request)


response: Any = RequestLocal(lambda native: BaseResponse())


def abort(code: int = 500, text: str = "Unknown Error.") -> None:
    """Raise the error for a status."""
    raise HTTPError(code, text)


def redirect(url: str, code: int | None = None) -> None:
    """Raise a redirect, by default with 303, to a URL that may be relative. It keeps the cookies that were set."""
    answer = HTTPResponse("", code or 303, Location=f"{request.native.url.join(url)}")
    answer.cookies = response.cookies
    raise answer


def static_file(filename: str, root: str, mimetype: str | bool = True, download: bool | str = False) -> HTTPResponse:
    """Return a file in a folder, or an error if it does not exist or is outside of the folder."""
    name = filename.strip("/\\")
    path = os.path.join(os.path.abspath(root), name)
    if not _is_served(name):
        return HTTPError(403, "Access denied.")
    if not os.path.isfile(path):
        return HTTPError(404, "File does not exist.")
    if not os.access(path, os.R_OK):
        return HTTPError(403, "You do not have permission to access this file.")
    shown = download if isinstance(download, str) else None
    content_type = mimetype if isinstance(mimetype, str) else None
    return StaticFile(
        NativeResponse.file(path, filename=shown, as_attachment=bool(download), content_type=content_type)
    )
