"""Microdot's response and the types of its body. It is converted to a native response when it is sent."""

import os
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from io import BufferedReader, FileIO, IOBase
from stat import S_ISREG
from types import MethodType
from typing import Any, ClassVar, Self, TypeAlias

from antiphon import Response as NativeResponse
from antiphon import embedding
from antiphon.dialects.microdot.errors import Absent, MissingFileError
from antiphon.dialects.microdot.mappings import NoCaseDict
from antiphon.embedding import FileBody, is_async, response_of
from antiphon.http import Headers, SetCookie, format_http_date
from antiphon.http.grammar import OWS, find_control
from antiphon.http.headers import write_raw_utf8
from antiphon.http.redirect import redirect_location
from antiphon.http.urls.url import as_uri

Body: TypeAlias = bytes | Iterable[bytes | str] | AsyncIterable[bytes | str]

_CHUNK = 64 << 10
"""The number of bytes to read at once."""


def streamed(body: Any, size: int) -> Body:
    """Convert a body to a form that can be sent.

    Raises TypeError for an object that can't be a body. An object with only a file's ``read`` is read ``size`` bytes at
    a time.
    """
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if body is None or isinstance(body, str):  # hooks may set such bodies
        return (body or "").encode()
    if hasattr(body, "__anext__"):
        return body if isinstance(body, AsyncIterable) else _Awaited(body)
    if hasattr(body, "read"):  # checked first: files can also be iterated over, but by line
        return _read(body, size)
    if hasattr(body, "__next__"):
        return body  # type: ignore[no-any-return]  # an iterator
    raise TypeError(f"a body must be text, bytes, a dict, a list, a file or a generator, not {type(body).__name__}")


class NamedFile(BufferedReader):
    """A file that was opened in order to be sent.

    Hooks may read it. If a hook returns another response, the file is closed without a warning when it is no longer
    referenced.
    """

    @classmethod
    def at(cls, path: str) -> Self:
        """Open the regular file at a path. Raises MissingFileError if there is none, or OSError if it can't be read."""
        if not os.path.isfile(path):  # opening a pipe could block forever
            raise MissingFileError(path)
        return cls(FileIO(path, "rb"))

    def __del__(self) -> None:
        self.close()

    def by_path(self) -> FileBody | None:
        """Close the file and return its path, from which servers can send it.

        Return None if servers might send other bytes from the path: if the file was partly read, if its length is
        unknown, as in /proc and /sys, or if the file at the path was replaced or deleted. Raises ValueError if the file
        is closed.
        """
        found = os.fstat(self.fileno())
        says_its_size = S_ISREG(found.st_mode) and found.st_size and getattr(found, "st_blocks", True)
        if not says_its_size or self.tell():
            return None
        try:
            path = os.path.abspath(self.name)
            if not os.path.samestat(found, os.stat(path)):
                return None
        except OSError:
            return None
        self.close()
        return FileBody(path, 0, found.st_size)


def _read(file: Any, size: int) -> Body:
    if isinstance(file, NamedFile):
        return file.by_path() or FileBody.opened(file)
    read = file.read
    if is_async(read):
        return _AsyncFile(file, size)
    has_close = hasattr(file, "close")
    if isinstance(read, MethodType) and not isinstance(file, IOBase):
        return _AsyncFile(_OnThreads(file), _CHUNK if has_close else size, is_at_hand=True)
    return FileBody.opened(file) if has_close else _chunks(file, size)


def _chunks(file: Any, size: int) -> Iterator[bytes | str]:
    while chunk := file.read(size):
        yield chunk


class _Awaited:
    """An async iterable around an object with only ``__anext__``."""

    def __init__(self, source: Any) -> None:
        self._source = source

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: bytes | str = await self._source.__anext__()
        return chunk

    async def aclose(self) -> None:
        if hasattr(self._source, "aclose"):
            await self._source.aclose()


class _AsyncFile:
    """An async iterable around a file with an async ``read``."""

    def __init__(self, file: Any, size: int, is_at_hand: bool = False) -> None:
        self._file = file
        self._size = size
        self.is_at_hand = is_at_hand

    def __aiter__(self) -> AsyncIterator[bytes | str]:
        return self

    async def __anext__(self) -> bytes | str:
        chunk: bytes | str = await self._file.read(self._size)
        if not chunk:
            raise StopAsyncIteration
        return chunk

    async def aclose(self) -> None:
        close = getattr(self._file, "close", None)
        if close is not None:
            closing = close()
            if hasattr(closing, "__await__"):
                await closing


class _OnThreads:
    """A file object of an unknown class with synchronous methods.

    The methods are called on a worker thread because they may block. They may also return awaitables, for example if
    they wrap an async file. That is not known before the call.
    """

    def __init__(self, file: Any) -> None:
        from antiphon.embedding import Crossing

        self._file = file
        self._crossing = Crossing()

    async def read(self, size: int) -> Any:
        chunk = await self._crossing.run(self._file.read, size)
        return await chunk if hasattr(chunk, "__await__") else chunk

    async def close(self) -> None:
        if hasattr(self._file, "close"):
            closing = await self._crossing.run_shielded(self._file.close)
            if hasattr(closing, "__await__"):
                await closing


JSON = "application/json; charset=UTF-8"
_LONG_AGO = datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC)
_BEHIND_PATH = {"samesite", "secure", "httponly", "partitioned"}
"""The attributes that may follow a cookie's path: SameSite, for which there is no parameter, and the flags."""


class Response:
    """An HTTP response.

    ``body`` is text, bytes, a dict or list (sent as JSON), a file-like object, or a sync or async generator.
    ``headers`` may be changed; each value is text or a list of lines. ``reason`` is not sent, since servers write their
    own.
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
    """The media types that ``send_file`` uses, by filename extension."""
    send_file_buffer_size = 1024
    """The number of bytes to read at once from an object with only a file's ``read``.

    Files are read in larger chunks.
    """
    default_content_type = "text/plain"
    """The default media type of a response."""
    default_send_file_max_age: int | None = None
    """The number of seconds for which caches may store files from ``send_file``; None to omit Cache-Control."""

    already_handled: "ClassVar[Response]"
    """The result of a handler that has already responded. Handlers can't do that here, so it is an empty response."""

    write = Absent("antiphon's adapters write to servers")

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
            body = embedding.encode_json(body)
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
        """Set a cookie. Its name and value are not escaped. Its ``path`` may end with "; SameSite=Lax" and flags.

        ``expires`` is a datetime (in UTC if it has no time zone), a date, meaning the start of that day, or text that
        browsers parse as a date. Raises ValueError for malformed attributes, or for a name or value that would be cut
        off.
        """
        path, behind = _apart(path or "")
        attributes = SetCookie(
            "attributes",
            path=path,
            domain=domain,
            expires=_moment(expires) if expires else None,
            max_age=None if max_age is None else int(max_age),
            samesite=behind.get("samesite"),
            secure=True,  # the program decides that itself
        )
        flags = {"Secure": secure, "HttpOnly": http_only, "Partitioned": partitioned}
        flags = {name: is_set or name.lower() in behind for name, is_set in flags.items()}
        printed = "; ".join([_pair(cookie, value), *_printed(attributes), *(name for name in flags if flags[name])])
        self.headers.setdefault("Set-Cookie", []).append(printed)

    def delete_cookie(self, cookie: str, **kwargs: Any) -> None:
        """Tell the client to delete a cookie. Pass the path and domain with which it was set."""
        self.set_cookie(cookie, "", **{**kwargs, "expires": _LONG_AGO, "max_age": 0})

    # Ready-made responses

    @classmethod
    def redirect(cls, location: str, status_code: int = 302) -> Self:
        """Return a redirect, possibly to another site. Raises ValueError for a location that contains a line break."""
        if "\r" in location or "\n" in location:
            raise ValueError(f"invalid redirect URL: {location[:80]!r}")
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
        """Return a response with a file. Never let the client choose its path.

        By default, ``content_type`` follows from the filename extension. If ``stream`` is given, it is sent instead of
        the file. ``max_age`` is in seconds. ``compressed`` is True for gzip, or the name of another content coding;
        ``file_extension`` is then the compressed file's suffix (".gz"). The body is the open file, from its current
        position. Raises FileNotFoundError, which results in a 404, if there is no such regular file, or other OSErrors
        if it can't be read.
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
        """Set the implied headers: Content-Type and, for a body in memory, Content-Length."""
        if isinstance(self.body, bytes):
            self.headers.setdefault("Content-Length", str(len(self.body)))
        self.headers.setdefault("Content-Type", self._default_type())

    def _default_type(self) -> str:
        default = self.default_content_type
        return default if "charset=" in default else f"{default}; charset=UTF-8"

    def native(self) -> NativeResponse:
        """Return the native response.

        Raises ValueError for an invalid status or header, or TypeError for an invalid body. ``complete`` and
        ``body_iter`` are only called if a program overrides them, since this method does their work faster.
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
        made = response_of(body, Headers(fields).items())  # without nosniff, as Microdot
        made.status = self.status_code  # set last, since Microdot allows a body with any status
        return made

    async def body_iter(self) -> AsyncIterator[bytes | str]:
        body: Any = streamed(self.body, self.send_file_buffer_size)
        if isinstance(body, bytes):
            if body:
                yield body
            return
        chunks: Any = aiter(body) if isinstance(body, AsyncIterable) else _on_threads(iter(body))
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            if hasattr(chunks, "aclose"):
                await chunks.aclose()


async def _on_threads(chunks: Any) -> AsyncIterator[bytes | str]:
    from antiphon.embedding import Crossing

    crossing = Crossing()
    try:
        while (chunk := await crossing.run(next, chunks, None)) is not None:
            yield chunk
    finally:
        if hasattr(chunks, "close"):
            await crossing.run_shielded(chunks.close)


Response.already_handled = Response()


def to_response(result: Any) -> Response:
    """Convert a handler's result (a response, a status, a body, or a tuple that starts with one) to a response."""
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
            text = str(line).strip(OWS)
            if not text.isascii():
                text = as_uri(text) if name.lower() == "location" else write_raw_utf8(text)
            yield name, text


def _apart(path: str) -> tuple[str | None, dict[str, str]]:
    """Split a cookie's path from the attributes that follow it. The path is None if it is missing.

    Microdot does not escape the path, so its programs use it to set SameSite. Browsers replace a path without a leading
    slash with the request's path (RFC 6265bis §5.6.4), so such a path is treated as missing.
    """
    path, *others = (part.strip(OWS) for part in path.split(";"))
    behind = {}
    for attribute in filter(None, others):
        name, _, value = (part.strip(OWS) for part in attribute.partition("="))
        if name.lower() not in _BEHIND_PATH:
            raise ValueError(
                f"only SameSite, Secure, HttpOnly and Partitioned can follow a cookie's path, not {attribute[:80]!r}:"
                " set other attributes with the parameters of set_cookie, and write a semicolon in the path as %3B"
            )
        behind[name.lower()] = value
    return (path if path.startswith("/") or find_control(path) else None), behind


def _moment(expires: date | str) -> datetime:
    """Return when a cookie expires.

    Raises ValueError for text that browsers don't parse as a date (RFC 6265bis §5.1.1).
    """
    if isinstance(expires, str):
        moment = None if ";" in expires else SetCookie.parse(f"a=b; Expires={expires}").expires
        if moment is None:
            raise ValueError(f"expires must be a date that browsers can parse, not {expires[:80]!r}")
        return moment
    if not isinstance(expires, datetime):
        return datetime(expires.year, expires.month, expires.day, tzinfo=UTC)
    return expires if expires.tzinfo else expires.replace(tzinfo=UTC)


def _pair(name: str, value: str) -> str:
    """Return a cookie's name and value. Raises ValueError for text that would be parsed differently."""
    if not name or "=" in name or ";" in name + value or find_control(name + value):
        raise ValueError(
            "a cookie's name must not contain an equals sign, and neither its name nor its value a semicolon or control"
            f" characters: {name[:80]!r}, {value[:80]!r}"
        )
    return f"{name}={value}"


def _printed(attributes: SetCookie) -> list[str]:
    """Return the cookie attributes that are set, in Microdot's order."""
    given = {
        "Path": attributes.path,
        "SameSite": attributes.samesite,
        "Domain": attributes.domain,
        "Expires": attributes.expires and format_http_date(attributes.expires),
        "Max-Age": attributes.max_age,
    }
    return [f"{name}={value}" for name, value in given.items() if value is not None]


redirect = Response.redirect
send_file = Response.send_file
