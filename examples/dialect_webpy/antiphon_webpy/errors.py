"""The responses that handlers raise, each with its status."""

from typing import Any
from urllib.parse import urljoin


class HTTPError(Exception):
    """A response that is raised. Its header fields are added to those of the context."""

    def __init__(self, status: str, headers: dict[str, str] | None = None, data: Any = "") -> None:
        super().__init__(status)
        self.status = status
        self.headers = {} if headers is None else headers
        self.data = data


class _Status(HTTPError):
    line = "500 Internal Server Error"
    message: Any = ""
    content_type = "text/html"

    def __init__(self, message: Any = None, headers: dict[str, str] | None = None) -> None:
        fields = {"Content-Type": self.content_type} if headers is None else headers
        super().__init__(self.line, fields, self.message if message is None else message)


def _status(name: str, line: str, message: str) -> type[_Status]:
    return type(name, (_Status,), {"line": line, "message": message, "__doc__": f"{line}."})


OK = ok = _status("OK", "200 OK", "")
Created = created = _status("Created", "201 Created", "Created")
Accepted = accepted = _status("Accepted", "202 Accepted", "Accepted")
NoContent = nocontent = _status("NoContent", "204 No Content", "")
BadRequest = badrequest = _status("BadRequest", "400 Bad Request", "bad request")
Unauthorized = unauthorized = _status("Unauthorized", "401 Unauthorized", "unauthorized")
Forbidden = forbidden = _status("Forbidden", "403 Forbidden", "forbidden")
NotFound = notfound = _status("NotFound", "404 Not Found", "not found")
NotFound.content_type = "text/html; charset=utf-8"
Conflict = conflict = _status("Conflict", "409 Conflict", "conflict")
InternalError = internalerror = _status("InternalError", "500 Internal Server Error", "internal server error")


class NotModified(HTTPError):
    """304 Not Modified."""

    def __init__(self) -> None:
        super().__init__("304 Not Modified")


class NoMethod(HTTPError):
    """405 Method Not Allowed, with the methods of a class in Allow."""

    def __init__(self, cls: Any = None) -> None:
        methods = [name for name in ("GET", "HEAD", "POST", "PUT", "DELETE") if hasattr(cls, name)]
        fields = {"Content-Type": "text/html"} | ({"Allow": ", ".join(methods)} if cls else {})
        super().__init__("405 Method Not Allowed", fields, "method not allowed")


class Redirect(HTTPError):
    """A redirect, by default with 301, to a URL that may be relative to the request's."""

    line = "301 Moved Permanently"

    def __init__(self, url: str, status: str | None = None, absolute: bool = False) -> None:
        from antiphon_webpy.context import ctx

        if url.startswith("/"):
            url = (ctx.realhome if not absolute else ctx.homedomain) + url
        else:
            url = urljoin(ctx.home + ctx.path, url)
        super().__init__(status or self.line, {"Content-Type": "text/html", "Location": url})


class _RedirectWith(Redirect):
    def __init__(self, url: str, absolute: bool = False) -> None:
        super().__init__(url, None, absolute)


Found = found = type("Found", (_RedirectWith,), {"line": "302 Found"})
SeeOther = seeother = type("SeeOther", (_RedirectWith,), {"line": "303 See Other"})
TempRedirect = tempredirect = type("TempRedirect", (_RedirectWith,), {"line": "307 Temporary Redirect"})
notmodified, nomethod, redirect = NotModified, NoMethod, Redirect
_RAISED = {name: each for name, each in dict(vars()).items() if isinstance(each, type) and issubclass(each, HTTPError)}
__all__ = [name for name in _RAISED if name[0] != "_"]
