"""Multipart forms (RFC 7578), read part by part as they arrive, or completely before the handler is called."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from functools import wraps
from typing import IO, Any, Protocol

from antiphon import FormPart, Upload
from antiphon.dialects.microdot.dispatch import call_decorated
from antiphon.dialects.microdot.request import BodyReader, Request
from antiphon.embedding import Crossing, Spool, Window, lazy
from antiphon.http.charset import decode

CHUNK = 256 << 10
"""The number of bytes to read at once when a file is copied."""


class Read(Protocol):
    """An async ``read`` that returns up to ``n`` bytes."""

    def __call__(self, n: int = -1, /) -> Awaitable[bytes]: ...


class FileUpload:
    """A file in a form. During iteration, read, save or copy it before requesting the next part."""

    max_memory_size = 1024
    """The maximum number of bytes that ``copy`` keeps in memory. It stores larger files in a temporary file."""
    _copy: Spool | None = None

    def __init__(self, filename: str, content_type: str | None, read: Read) -> None:
        self.filename = filename
        self.content_type = content_type
        self._read = read

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all remaining ones if ``n`` is -1."""
        return await self._read(n)

    async def save(self, path_or_file: str | os.PathLike[str] | IO[bytes]) -> None:
        if isinstance(path_or_file, str | os.PathLike):
            with open(path_or_file, "wb") as file:
                while chunk := await self.read(CHUNK):
                    await Crossing().run(file.write, chunk)
        else:
            while chunk := await self.read(CHUNK):
                path_or_file.write(chunk)

    async def copy(self, max_memory_size: int | None = None) -> "FileUpload":
        """Store the rest of the file, on disk if it is large, so that the next part can be read."""
        spool = self._copy = Spool(threshold=max_memory_size or self.max_memory_size)
        while chunk := await self.read(CHUNK):
            spool.add(chunk)
            if spool.is_due:
                await Crossing().run(spool.flush)
        window = Window(spool, 0, spool.size)

        async def read(n: int = -1) -> bytes:
            return window.read(n) if spool.in_memory else await Crossing().run(window.read, n)

        self._read = read
        return self

    async def close(self) -> None:
        if self._copy is not None:
            self._copy.close()


class FormDataIter:
    """The parts of a form as they arrive: pairs of a name and either text or a FileUpload.

    A body of any other type has no parts.
    """

    buffer_size = 256
    """An option without effect, since the server decides how much is read at once."""

    def __init__(self, request: Request) -> None:
        self._parts: AsyncIterator[FormPart] | None = None
        if _is_form(request):
            self._parts = aiter(request.native.parts())

    def __aiter__(self) -> "FormDataIter":
        return self

    async def __anext__(self) -> tuple[str, str | FileUpload]:
        if self._parts is None:
            raise StopAsyncIteration
        part = await anext(self._parts)
        if part.filename is None:
            return part.name, decode(await part.aread(), "utf-8")
        return part.name, FileUpload(part.filename, part.headers.get("content-type"), BodyReader(part).read)


def with_form_data(f: Callable[..., Any]) -> Callable[..., Any]:
    """Receive a multipart form before calling the handler, for ``request.form`` and ``request.files``.

    ``form`` is a plain dict with the last value of each field. The files can be read until the request ends.
    """

    @wraps(f)
    async def handler(request: Request, *args: Any, **kwargs: Any) -> Any:
        if _is_form(request):
            content = request.native.content
            if not content.is_complete:
                content.is_kept = content.is_kept or not content.received
                await request.native.aload()
            _load_form(request)
        return await call_decorated(f, request, *args, **kwargs)

    return handler


def _is_form(request: Request) -> bool:
    return request.native.mimetype == "multipart/form-data"


def _load_form(request: Request) -> None:
    """Set the request's form and files from the received body, with the last value of each name."""
    fields, files = request.native.form, request.native.files
    if fields or files:
        object.__setattr__(request, "form", dict(fields.items()))  # the lazy attribute
        request.files = {name: UploadedFile(upload) for name, upload in files.items()}


class UploadedFile(FileUpload):
    """A file in a completely received form. It can be read until the request ends."""

    def __init__(self, upload: Upload) -> None:
        self.filename = upload.filename
        self._upload = upload

    async def read(self, n: int = -1) -> bytes:
        """Return the next ``n`` bytes, or all remaining ones if ``n`` is -1."""
        return await self._upload.aread(n)

    async def copy(self, max_memory_size: int | None = None) -> FileUpload:  # noqa: ARG002 - nothing is copied
        """Return this file, which is already stored."""
        return self

    @lazy
    def content_type(self) -> str | None:
        """The media type declared by the client."""
        return self._upload.headers.get("content-type")
