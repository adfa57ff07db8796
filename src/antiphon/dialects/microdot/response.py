"""Microdot's response: its names and habits, from which a native one is made when it is sent."""

from collections.abc import AsyncIterable, AsyncIterator, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Self

from antiphon.dialects.microdot.absent import Absent
from antiphon.dialects.microdot.bodies import NamedFile, streamed
from antiphon.dialects.microdot.mappings import NoCaseDict
from antiphon.http.cookies import SetCookie
from antiphon.http.dates import format_date
from antiphon.http.grammar import OWS, find_control
from antiphon.http.headers import write_raw_utf8
from antiphon.http.redirect import redirect_location
from antiphon.response.files import FileBody
from antiphon.response.response import Response as NativeResponse
from antiphon.serialization.json import encode_json

JSON = "application/json; charset=UTF-8"
_LONG_AGO = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
_BEHIND_PATH = {"samesite", "secure", "httponly", "partitioned"}
"""The attributes of a cookie that may stand behind its path: SameSite, which nothing else can say, and the flags."""


class Response:
    """An HTTP response.

    ``body`` is text, bytes, a dict or a list, which are sent as JSON, a file-like object, or a generator or async
    generator. ``headers`` may be changed; the value of one is text, or a list of lines. ``reason``
    is kept for programs that read it: servers write their own.
    """

    types_map: ClassVar[dict[str, str]] = {
        "css": "text/css",
        "gif": "image/gif",
        "html": "text/html",
        "jpg": "image/jpeg",
        "js": "application/javascript",
        "json": "application/json",
        "png": "image/png",
        "svg": "image/svg+xml",
        "txt": "text/plain",
    }
    """The media types that ``send_file`` knows, by the extension of the file's name."""
    send_file_buffer_size = 1024
    """Bytes that are read at once of an object that has no more of a file than ``read``. Of files it is more."""
    default_content_type = "text/plain"
    """The media type of what names none."""
    default_send_file_max_age: int | None = None
    """Seconds for which caches may keep what ``send_file`` sends; None where nothing is said of that."""

    already_handled: "ClassVar[Response]"
    """What a handler returns that has answered otherwise. Nobody can, here: it is an empty answer."""

    write = Absent("servers are spoken to by antiphon's adapters")

    def __init__(
        self,
        body: Any = b"",
        status_code: int = 200,
        headers: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = None,
        reason: str | None = None,
    ) -> None:
        if body is None:
            body, status_code = b"", 204 if status_code == 200 else status_code
        self.status_code = status_code
        self.headers = NoCaseDict(headers)
        self.reason = reason
        self.is_head = False
        if isinstance(body, (dict, list)):
            body = encode_json(body)
            self.headers["Content-Type"] = JSON
        self.body = body.encode() if isinstance(body, str) else body

    # Cookies

    def set_cookie(
        self,
        cookie: str,
        value: str,
        path: str | None = None,
        domain: str | None = None,
        expires: date | str | None = None,
        max_age: int | None = None,
        secure: bool = False,
        http_only: bool = False,
        partitioned: bool = False,
    ) -> None:
        """Set a cookie. ``expires`` is a datetime, in UTC where it does not know its zone, the date of a day, which is
        its start, or text that user agents read as a date. Behind ``path`` may stand "; SameSite=Lax", and flags.

        Raises ValueError for what user agents would drop, and for what can't stand in a header.
        """
        if ";" in value:
            raise ValueError(f"a cookie's value has no semicolon: {value[:80]!r}")
        path, behind = _apart(path or "")
        checked = SetCookie(
            cookie,
            value,
            path=path,
            domain=domain,
            expires=_moment(expires) if expires else None,
            max_age=None if max_age is None else int(max_age),
            secure=secure or "secure" in behind,
            httponly=http_only or "httponly" in behind,
            samesite=behind.get("samesite"),
            partitioned=partitioned or "partitioned" in behind,
        )
        self.headers.setdefault("Set-Cookie", []).append(_printed(checked))

    def delete_cookie(self, cookie: str, **kwargs: Any) -> None:
        """Have the client forget a cookie. Path and domain must be those with which it was set."""
        self.set_cookie(cookie, "", **{**kwargs, "expires": _LONG_AGO, "max_age": 0})

    # Ready-made kinds

    @classmethod
    def redirect(cls, location: str, status_code: int = 302) -> Self:
        """Send the client elsewhere, which may be another site. Raises ValueError for a location with a line end."""
        if "\r" in location or "\n" in location:
            raise ValueError(f"a location has no line end: {location[:80]!r}")
        return cls(status_code=status_code, headers={"Location": redirect_location(location, external=True)})

    @classmethod
    def send_file(
        cls,
        filename: str,
        status_code: int = 200,
        content_type: str | None = None,
        stream: Any = None,
        max_age: int | None = None,
        compressed: bool | str = False,
        file_extension: str = "",
    ) -> Self:
        """A file. Its name must not be the client's to choose.

        ``content_type`` is by default told by the name's extension. ``stream`` is sent instead of the file, if given.
        ``max_age`` is in seconds. ``compressed`` says that the content is: by gzip, or the coding that it names; then
        ``file_extension`` is what the compressed file has behind its name (".gz"). The body is the open file, of which
        what was not read until then is sent. Raises OSError for a file that can't be read.
        """
        headers = {"Content-Type": cls._type_of(filename, compressed) if content_type is None else content_type}
        if max_age is None:
            max_age = cls.default_send_file_max_age
        if max_age is not None:
            headers["Cache-Control"] = f"max-age={max_age}"
        if compressed:
            headers["Content-Encoding"] = compressed if isinstance(compressed, str) else "gzip"
        return cls(stream or NamedFile.at(filename + file_extension), status_code, headers)

    @classmethod
    def _type_of(cls, filename: str, compressed: bool | str) -> str:
        name = filename.removesuffix(".gz") if compressed else filename
        return cls.types_map.get(name.rpartition(".")[2], "application/octet-stream")

    # Sending

    def complete(self) -> None:
        """Have the headers that are implied: Content-Type, and of a body in memory Content-Length."""
        if isinstance(self.body, bytes):
            self.headers.setdefault("Content-Length", str(len(self.body)))
        self.headers.setdefault("Content-Type", self._default_type())

    def _default_type(self) -> str:
        default = self.default_content_type
        return default if "charset=" in default else f"{default}; charset=UTF-8"

    def native(self) -> NativeResponse:
        """What is sent. Raises ValueError for a status or a header that can't be, TypeError for such a body.

        ``complete`` and ``body_iter`` are called where they are a program's own: what Microdot's do is quicker here.
        """
        if getattr(self.complete, "__func__", None) is not Response.complete:
            self.complete()
        body = self.body if type(self).body_iter is Response.body_iter else self.body_iter()
        if type(body) is not bytes:
            body = streamed(body, self.send_file_buffer_size)
        fields = [*_lines(self.headers)] if self.headers else []
        if type(body) is FileBody and "Content-Length" not in self.headers:
            fields.append(("content-length", str(body.length)))
        if "Content-Type" not in self.headers:
            fields.append(("content-type", self._default_type()))
        return NativeResponse(body, self.status_code, fields)

    async def body_iter(self) -> AsyncIterator[bytes | str]:
        """The body in chunks."""
        body: Any = streamed(self.body, self.send_file_buffer_size)
        if isinstance(body, bytes):
            if body:
                yield body
            return
        from antiphon.concurrency.bridge import AsyncFromSync

        chunks: Any = aiter(body) if isinstance(body, AsyncIterable) else AsyncFromSync(body)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            if hasattr(chunks, "aclose"):
                await chunks.aclose()


Response.already_handled = Response()


def to_response(result: Any) -> Response:
    """What a handler returned as a response: the response, a status, a body, or a tuple that begins with either."""
    if isinstance(result, Response):
        return result
    if isinstance(result, int):
        return Response("", result)
    if not isinstance(result, tuple):
        return Response(result)
    body, *rest = ("", *result) if isinstance(result[0], int) else result
    if rest and not isinstance(rest[0], int):
        rest = [200, *rest]
    return Response(body, *rest)


def _lines(headers: NoCaseDict) -> Iterable[tuple[str, str]]:
    for name, value in headers.items():
        for line in value if isinstance(value, list) else (value,):
            yield name, write_raw_utf8(str(line).strip(OWS))


def _apart(path: str) -> tuple[str | None, dict[str, str]]:
    """The path of a cookie, None where it is none, and the attributes that are written behind it.

    Microdot writes a path as it is, which is how its programs have SameSite. Of what begins without a slash user agents
    take the path of the request (RFC 6265bis §5.6.4), as they do where there is none.
    """
    path, *others = (part.strip(OWS) for part in path.split(";"))
    behind = {}
    for attribute in filter(None, others):
        name, _, value = (part.strip(OWS) for part in attribute.partition("="))
        if name.lower() not in _BEHIND_PATH:
            raise ValueError(
                f"behind a cookie's path stand SameSite, Secure, HttpOnly or Partitioned, not {attribute[:80]!r}: what"
                " set_cookie has a parameter for is given by that, and a semicolon of the path itself as %3B"
            )
        behind[name.lower()] = value
    return (path if path.startswith("/") or find_control(path) else None), behind


def _moment(expires: date | str) -> datetime:
    """When a cookie ends. Raises ValueError for text that user agents don't read as a date (RFC 6265bis §5.1.1)."""
    if isinstance(expires, str):
        moment = None if ";" in expires else SetCookie.parse(f"a=b; Expires={expires}").expires
        if moment is None:
            raise ValueError(f"expires is a date that browsers read, not {expires[:80]!r}")
        return moment
    if not isinstance(expires, datetime):
        return datetime(expires.year, expires.month, expires.day, tzinfo=UTC)
    return expires if expires.tzinfo else expires.replace(tzinfo=UTC)


def _printed(cookie: SetCookie) -> str:
    """A cookie with its attributes in Microdot's order."""
    given = {
        "Path": cookie.path,
        "SameSite": cookie.samesite,
        "Domain": cookie.domain,
        "Expires": cookie.expires and format_date(cookie.expires),
        "Max-Age": cookie.max_age,
    }
    parts = [f"{cookie.name}={cookie.coded_value}"]
    parts += [f"{name}={value}" for name, value in given.items() if value is not None]
    flags = {"Secure": cookie.secure, "HttpOnly": cookie.httponly, "Partitioned": cookie.partitioned}
    return "; ".join(parts + [name for name, is_set in flags.items() if is_set])


redirect = Response.redirect
send_file = Response.send_file
