"""The request and the response, with Bottle's names, and the responses that handlers return or raise."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import cached_property
from http import client, cookies
from io import BytesIO
from typing import Any

import antiphon.http
from antiphon.embedding import FileBody, RequestLocal, make_environ, served_names
from antiphon.http import BadRequest, ContentTooLarge, SetCookie, parse_query


def _latin1(value: Any) -> Any:
    """Return text in Bottle's default form: its UTF-8 bytes as Latin-1 characters."""
    return value.encode("utf-8", "replace").decode("latin-1") if isinstance(value, str) else value


class FormsDict(Mapping[str, Any]):
    """Values by name, of which the last one wins. Attributes are decoded, and "" if missing."""

    def __init__(self, pairs: Iterable[tuple[str, Any]] = ()) -> None:
        self.decoded: antiphon.http.MultiDict[Any] = antiphon.http.MultiDict(pairs)
        self.getunicode = self.decoded.get

    def __getitem__(self, name: str) -> Any:
        return _latin1(self.decoded[name])

    def __iter__(self) -> Iterator[str]:
        return iter(self.decoded)

    def __len__(self) -> int:
        return len(self.decoded)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.getunicode(name, "")

    def get(self, name: str, default: Any = None, index: int = -1, type: Callable[[Any], Any] | None = None) -> Any:
        """Return a value, converted by ``type``, or the default if it is missing or can't be converted."""
        try:
            value = self.getall(name)[index]
            return value if type is None else type(value)
        except (LookupError, ValueError):
            return default

    def getall(self, name: str) -> list[Any]:
        return [_latin1(value) for value in self.decoded.getall(name)]

    getlist = getall

    def decode(self) -> dict[str, Any]:
        return {name: self.decoded[name] for name in self}


class FileUpload:
    """A file of a form."""

    def __init__(self, native: antiphon.Upload) -> None:
        self.file, self.name, self.headers = native, native.field_name, native.headers
        self.raw_filename, self.filename, self.content_type = native.filename, native.safe_filename, native.mimetype

    def save(self, destination: str, overwrite: bool = False) -> None:
        """Write the file to a path, or under its name into a folder. Raises OSError if the file already exists."""
        self.file.save(os.path.abspath(destination), overwrite=overwrite)


class Request:
    """One request."""

    def __init__(self, native: antiphon.Request) -> None:
        self.native, self.method, self.headers = native, native.method, native.headers
        self.get_header = native.headers.get
        self.path = "/" + native.path.lstrip("/")
        self.query_string = native.query_string.decode("latin-1")
        self.content_type = native.headers.get("content-type", "").lower()
        self.content_length = native.content_length or -1
        self.script_name = f"/{native.root_path.strip('/')}/".replace("//", "/")
        self.remote_addr = native.client.host if native.client else None
        self.is_xhr = native.headers.get("x-requested-with", "").lower() == "xmlhttprequest"
        self.url_args: dict[str, Any] = {}

    environ = cached_property(lambda self: make_environ(self.native))
    url = cached_property(lambda self: str(self.native.url))
    body = cached_property(lambda self: BytesIO(self.native.body))
    cookies = cached_property(lambda self: FormsDict(self.native.cookies.items()))
    query = cached_property(lambda self: FormsDict(self.native.args.items()))
    GET = property(lambda self: self.query)
    params = cached_property(lambda self: FormsDict([*self.query.decoded.items(), *self.forms.decoded.items()]))
    files = cached_property(lambda self: FormsDict((f.field_name, FileUpload(f)) for f in self.native.files.values()))

    @cached_property
    def forms(self) -> FormsDict:
        """The fields of the form. A malformed form raises a 400, one that is too large a 413."""
        if self.native.mimetype in ("application/x-www-form-urlencoded", "multipart/form-data"):
            return FormsDict(self.native.form.items())
        try:  # Bottle reads any other body as a form
            return FormsDict(parse_query(self.native.body, self.native.limits.fields))
        except ValueError:
            raise ContentTooLarge from None

    @property
    def json(self) -> Any:
        """The value of a JSON body, or None for another type and for an empty body."""
        if self.native.mimetype not in ("application/json", "application/json-rpc") or not self.native.body:
            return None
        try:
            return self.native.json
        except BadRequest:
            raise BadRequest("Invalid JSON") from None

    @property
    def auth(self) -> tuple[str | None, str | None] | None:
        """The name and the password of HTTP Basic."""
        given = self.native.authorization
        return (given.username, given.password) if given and given.scheme == "basic" else None

    def get_cookie(self, key: str, default: Any = None, secret: Any = None) -> Any:
        """Return a cookie's value. Signed cookies are not read, since Bottle unpickles them."""
        if secret:
            raise NotImplementedError("this dialect reads no signed cookies: keep a session instead")
        return self.cookies.get(key) or default


class HTTPResponse(Exception):
    """The status, header and body of a response. A handler can return or raise it."""

    default_status = 200

    def __init__(self, body: Any = "", status: int | str | None = None, headers: Any = (), **more: str) -> None:
        self.body = body
        self.status = status or self.default_status
        self.headers = antiphon.http.MutableHeaders(headers or ())
        self.headers.update({name.replace("_", "-"): value for name, value in more.items()})
        self.cookies: dict[str, SetCookie] = {}

    def _set_status(self, status: int | str) -> None:
        code, _, phrase = str(status).partition(" ")
        self.status_code = int(code)
        self.status_line = f"{code} {phrase or client.responses.get(self.status_code, 'Unknown')}"

    status = property(lambda self: self.status_line, _set_status)
    content_type = property(
        lambda self: self.get_header("content-type", "text/html; charset=UTF-8"),
        lambda self, value: self.set_header("content-type", value),
    )
    charset = property(lambda self: self.content_type.partition("charset=")[2].partition(";")[0] or "UTF-8")

    def get_header(self, name: str, default: Any = None) -> Any:
        return self.headers.get(name, default)

    def set_header(self, name: str, value: Any) -> None:
        self.headers[name] = str(value)

    def add_header(self, name: str, value: Any) -> None:
        self.headers.add(name, str(value))

    def set_cookie(self, name: str, value: str, secret: Any = None, maxage: Any = None, **options: Any) -> None:
        """Set a cookie. Signed cookies are refused, since Bottle pickles them."""
        if secret:
            raise NotImplementedError("this dialect signs no cookies: keep a session instead")
        if isinstance(options.get("expires"), int | float):
            options["expires"] = datetime.fromtimestamp(options["expires"]).astimezone()
        cookie = SetCookie(name, value, **{"path": None, "max_age": maxage, **options})
        self.cookies[name] = cookie._replace(coded_value=cookies.SimpleCookie().value_encode(value)[1])

    def delete_cookie(self, key: str, **options: Any) -> None:
        self.set_cookie(key, "", max_age=-1, expires=0, **options)

    def apply(self, response: "HTTPResponse") -> None:
        response.status, response.headers, response.cookies = self.status, self.headers, self.cookies


class HTTPError(HTTPResponse):
    """An error, handled by the error handler of its status."""

    default_status = 500

    def __init__(self, status: int | None = None, body: Any = None, exception: Any = None, **more: str) -> None:
        super().__init__(body, status, **more)
        self.exception = exception


request: Any = RequestLocal(Request)
response: Any = RequestLocal(lambda native: HTTPResponse())


def abort(code: int = 500, text: str = "Unknown Error.") -> None:
    raise HTTPError(code, text)


def redirect(url: str, code: int | None = None) -> None:
    """Raise a redirect, by default with 303, to a URL that may be relative, with the fields and cookies set before."""
    raised = HTTPResponse("", code or 303, response.headers, Location=f"{request.native.url.join(url)}")
    raised.cookies = response.cookies
    raise raised


def static_file(filename: str, root: str, mimetype: str | bool = True, download: bool | str = False) -> HTTPResponse:
    """Return a file in a folder, or an error if it does not exist or is outside of the folder."""
    name = filename.strip("/\\")
    path = os.path.join(os.path.abspath(root), name)
    if not served_names(dotfiles=True)(name):
        return HTTPError(403, "Access denied.")
    if not os.path.isfile(path):
        return HTTPError(404, "File does not exist.")
    if not os.access(path, os.R_OK):
        return HTTPError(403, "You do not have permission to access this file.")
    kind = mimetype if isinstance(mimetype, str) else FileBody.guess_type(path).replace("utf-8", "UTF-8")
    kind += "; charset=UTF-8" if kind.startswith("text/") and "charset" not in kind else ""
    shown = download if isinstance(download, str) else None
    file = antiphon.Response.file(path, filename=shown, as_attachment=bool(download), content_type=kind)
    return HTTPResponse(file.make_conditional(request.native), file.status)
