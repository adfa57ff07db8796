"""WSGI applications that send a file or the files in a folder."""

import mimetypes
import os
from collections.abc import Iterator
from stat import S_ISREG
from typing import IO, Any

from antiphon.dialects.webob import exc
from antiphon.dialects.webob.dec import wsgify
from antiphon.dialects.webob.response import Response

__all__ = ["DirectoryApp", "FileApp", "FileIter"]

BLOCK_SIZE = 1 << 16
"""The number of bytes to read at once."""

_TYPES = {".js": "text/javascript", ".ico": "image/x-icon"}
"""Media types whose names differ in older Python versions and on some systems."""


class FileApp:
    """An application that sends one file in response to GET and HEAD. It supports ranges and conditions.

    Keyword arguments set attributes of the response. The content type is guessed from the filename.
    """

    def __init__(self, filename: str, **kw: Any) -> None:
        self.filename = filename
        content_type, content_encoding = mimetypes.guess_type(filename)
        known = _TYPES.get(os.path.splitext(filename)[1].lower())
        kw.setdefault("content_type", known or content_type)
        kw.setdefault("content_encoding", content_encoding)
        kw.setdefault("accept_ranges", "bytes")
        self.kw = kw
        self._open = open

    @wsgify
    def __call__(self, req: Any) -> Any:
        """Handle a request. Returns a 404 for a missing or irregular file, or a 403 for an unreadable one."""
        if req.method not in ("GET", "HEAD"):
            return exc.HTTPMethodNotAllowed(f"You cannot {req.method} a file", headers={"Allow": "GET, HEAD"})
        try:
            if not S_ISREG(os.stat(self.filename).st_mode):  # opening a pipe would block
                return exc.HTTPNotFound()
            file = self._open(self.filename, "rb")
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError, ValueError):
            return exc.HTTPNotFound()
        except OSError:
            return exc.HTTPForbidden("You are not permitted to view this file")
        status = os.fstat(file.fileno())
        response = Response(
            app_iter=_chunks_of(file, req.environ),
            content_length=status.st_size,
            last_modified=int(status.st_mtime),
            **self.kw,
        )
        return response.conditional_response_app


def _chunks_of(file: IO[bytes], environ: dict[str, Any]) -> Any:
    """Return a file's content, in the server's own file wrapper if it has one and the whole file is requested."""
    wrapper = environ.get("wsgi.file_wrapper")
    return FileIter(file) if wrapper is None or "HTTP_RANGE" in environ else wrapper(file, BLOCK_SIZE)


class FileIter:
    """The content of an open file in blocks. The file is closed at the end."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def app_iter_range(
        self, seek: int | None = None, limit: int | None = None, block_size: int | None = None
    ) -> Iterator[bytes]:
        """Yield the content from ``seek`` up to ``limit`` in blocks of ``block_size`` bytes, by default 64 KiB."""
        if seek:
            self.file.seek(seek)
        left = None if limit is None else limit - (seek or 0)
        size = block_size or BLOCK_SIZE
        try:
            while data := self.file.read(size if left is None else min(size, left)):
                yield data
                left = None if left is None else left - len(data)
        finally:
            self.file.close()

    def __iter__(self) -> Iterator[bytes]:
        return self.app_iter_range()

    def close(self) -> None:
        self.file.close()


class DirectoryApp:
    """An application that sends the files in a folder. Unless ``index_page`` is None, that page is sent for folders.

    With ``hide_index_with_redirect``, a request for the index page itself is redirected to its folder. Keyword
    arguments are passed to ``FileApp``. Subclasses may override ``make_fileapp``. Raises OSError if the folder does not
    exist.
    """

    def __init__(
        self, path: str, index_page: str | None = "index.html", hide_index_with_redirect: bool = False, **kw: Any
    ) -> None:
        self.path = os.path.join(os.path.abspath(path), "")
        if not os.path.isdir(self.path):
            raise OSError(f"Path does not exist or is not directory: {self.path!r}")
        self.index_page = index_page
        self.hide_index_with_redirect = hide_index_with_redirect
        self.fileapp_kw = kw

    def make_fileapp(self, path: str) -> Any:
        return FileApp(path, **self.fileapp_kw)

    @wsgify
    def __call__(self, req: Any) -> Any:
        """Handle a request. Returns a 403 if the path is outside the folder, or a 404 if the file is missing."""
        try:
            asked = req.path_info.lstrip("/")
        except UnicodeDecodeError:
            return exc.HTTPNotFound()
        path = os.path.abspath(os.path.join(self.path, asked))
        if not os.path.join(path, "").startswith(self.path):
            return exc.HTTPForbidden()
        if "\0" in path:
            return exc.HTTPNotFound()
        if self.index_page and os.path.isdir(path):
            return self.index(req, path)
        if self.index_page and self.hide_index_with_redirect and os.path.basename(path) == self.index_page:
            return _redirect(req, req.path_url.rpartition("/")[0] + "/")
        return self.make_fileapp(path) if os.path.isfile(path) else exc.HTTPNotFound()

    def index(self, req: Any, path: str) -> Any:
        """Handle a request for a folder. If its path has no trailing slash, redirect to the path with one."""
        index_path = os.path.join(path, self.index_page or "")
        if not os.path.isfile(index_path):
            return exc.HTTPNotFound()
        return self.make_fileapp(index_path) if req.path_info.endswith("/") else _redirect(req, req.path_url + "/")


def _redirect(req: Any, url: str) -> Response:
    return Response(status=301, location=f"{url}?{req.query_string}" if req.query_string else url)
