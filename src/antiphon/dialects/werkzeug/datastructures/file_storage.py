"""A file in a form: a stream of bytes with a name, a filename and headers."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from antiphon import Upload
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.datastructures.structures import MultiDict
from antiphon.dialects.werkzeug.tokens import parse_options_header
from antiphon.embedding import lazy
from antiphon.http.grammar import OWS

_whole_number = re.compile("-?[0-9]{1,18}").fullmatch


class FileStorage:
    """A ``stream`` with a ``filename``, the ``name`` of its field, and ``headers``.

    It is falsy if it has no filename, and it also has the stream's attributes. The stream may be any file object or an
    `Upload`. An upload's bytes are not copied, and its name, filename and headers are the defaults.
    """

    stream: IO[bytes]
    headers: Headers

    def __init__(
        self,
        stream: IO[bytes] | Upload | None = None,
        filename: str | os.PathLike[str] | bytes | None = None,
        name: str | None = None,
        content_type: str | None = None,
        content_length: int | None = None,
        headers: Headers | None = None,
    ) -> None:
        self._upload = stream if isinstance(stream, Upload) else None
        if stream and not isinstance(stream, Upload):
            self.stream = stream
        self.name = self._upload.field_name if name is None and self._upload else name
        self.filename = _name_of(stream) if filename is None else os.fsdecode(filename)
        if headers is not None:
            self.headers = headers
        if content_type is not None:
            self.headers["Content-Type"] = content_type
        if content_length is not None:
            self.headers["Content-Length"] = str(content_length)

    def _open(self) -> IO[bytes]:
        if self._upload is not None:
            return self._upload.open()
        from io import BytesIO

        return BytesIO()

    def _said(self) -> Headers:
        if self._upload is None:
            return Headers()
        return Headers([(name.title(), value) for name, value in self._upload.headers.items()])

    @property
    def content_type(self) -> str | None:
        """The Content-Type header with its parameters, or None if it is missing."""
        return self.headers.get("content-type")

    @property
    def content_length(self) -> int:
        """The Content-Length header, or 0 if it is missing. Clients rarely send it for a file."""
        said = self.headers.get("content-length", "").strip(OWS)
        return int(said) if _whole_number(said) else 0

    @property
    def mimetype(self) -> str:
        """The media type without parameters, in lower case. Empty if it is missing."""
        return self._parsed_content_type[0].lower()

    @property
    def mimetype_params(self) -> dict[str, str]:
        return self._parsed_content_type[1]

    @lazy
    def _parsed_content_type(self) -> tuple[str, dict[str, str]]:
        return parse_options_header(self.content_type)

    def save(self, dst: str | os.PathLike[str] | IO[bytes], buffer_size: int = 16384) -> None:
        """Copy the rest of the stream to a path or an open file, ``buffer_size`` bytes at a time.

        An open file is not closed.
        """
        from shutil import copyfileobj

        if isinstance(dst, str | os.PathLike):
            with open(dst, "wb") as file:
                copyfileobj(self.stream, file, buffer_size)
        else:
            copyfileobj(self.stream, dst, buffer_size)

    def close(self) -> None:
        with suppress(Exception):
            self.stream.close()

    def __bool__(self) -> bool:
        return bool(self.filename)

    def __getattr__(self, name: str) -> Any:
        if name == "stream":
            self.stream = self._open()
            return self.stream
        if name == "headers":
            self.headers = self._said()
            return self.headers
        if name == "_upload":  # not set yet while the object is copied or unpickled
            raise AttributeError(name)
        return getattr(self.stream, name)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.stream)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.filename!r} ({self.content_type!r})>"


def _name_of(stream: object) -> str | None:
    """Return a stream's name, or None for names such as `<stdin>`."""
    if isinstance(stream, Upload):
        return stream.filename
    name = getattr(stream, "name", None)
    if name is None:
        return None
    name = os.fsdecode(name)
    return None if name.startswith("<") and name.endswith(">") else name


class FileMultiDict(MultiDict[str, FileStorage]):
    """A MultiDict of files for building forms."""

    def add_file(
        self,
        name: str,
        file: str | os.PathLike[str] | IO[bytes] | FileStorage,
        filename: str | None = None,
        content_type: str | None = None,
    ) -> None:
        """Add a file, given as a path to open, a file object, or a FileStorage.

        By default, the filename determines the media type.
        """
        if isinstance(file, FileStorage):
            self.add(name, file)
            return
        stream: Any = file
        if isinstance(file, str | os.PathLike):
            filename = os.fspath(file) if filename is None else filename
            stream = open(file, "rb")  # noqa: SIM115 - the owner of the FileStorage closes it
        if filename and content_type is None:
            from mimetypes import guess_type

            content_type = guess_type(filename)[0] or "application/octet-stream"
        self.add(name, FileStorage(stream, filename, name, content_type))
