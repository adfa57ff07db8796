"""Middleware that serves files from folders and packages, each below its own path."""

import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatch
from io import BytesIO
from time import time
from typing import IO, TYPE_CHECKING, Any, TypeAlias, cast
from zlib import adler32

from antiphon import Response
from antiphon.dialects.werkzeug.exceptions.statuses import PreconditionFailed, RequestedRangeNotSatisfiable
from antiphon.dialects.werkzeug.tokens import http_date, quote_etag
from antiphon.dialects.werkzeug.utils import safe_join
from antiphon.dialects.werkzeug.wsgi import get_path_info
from antiphon.embedding import FileBody, environ_request
from antiphon.http import errors

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_UNKNOWN = "application/octet-stream"

Opener: TypeAlias = Callable[[], tuple[IO[bytes], datetime, int]]
"""A function that opens a file and returns it with its modification time and its size in bytes."""
Loader: TypeAlias = Callable[[str | None], tuple[str | None, Opener | None]]
"""A function that finds a file by its path below an exported path (None for that path itself).

It returns the file's name and opener.
"""
Source: TypeAlias = str | tuple[str, str]
"""The path of a file or folder, or a package and the path of a folder in it."""


class SharedDataMiddleware:
    """Middleware that serves a file if the path matches one, and otherwise passes the request to ``app``.

    ``exports`` maps each path to a file, a folder, or a package and a folder in it. Files whose names match
    ``disallow`` are not served. With ``cache``, clients cache files for ``cache_timeout`` seconds and then revalidate
    them. ``fallback_mimetype`` is the media type of files with an unknown extension. Raises TypeError for any other
    kind of export.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        exports: Mapping[str, Source] | Iterable[tuple[str, Source]],
        disallow: str | None = None,
        cache: bool = True,
        cache_timeout: int = 60 * 60 * 12,
        fallback_mimetype: str = _UNKNOWN,
    ) -> None:
        self.app = app
        self.cache = cache
        self.cache_timeout = cache_timeout
        self.fallback_mimetype = fallback_mimetype
        self.disallow = disallow
        self.exports = [(path, self._loader(source)) for path, source in _pairs(exports)]

    def _loader(self, source: object) -> Loader:
        if isinstance(source, tuple):
            return self.get_package_loader(*source)
        if not isinstance(source, str):
            raise TypeError(f"unknown def {source!r}")
        return self.get_file_loader(source) if os.path.isfile(source) else self.get_directory_loader(source)

    def is_allowed(self, filename: str) -> bool:
        """Return True if a file may be served. Subclasses may override it."""
        return self.disallow is None or not fnmatch(filename, self.disallow)

    def _opener(self, filename: str) -> Opener:
        def open_file() -> tuple[IO[bytes], datetime, int]:
            file = open(filename, "rb")  # noqa: SIM115 - the response closes it
            found = os.fstat(file.fileno())
            return file, datetime.fromtimestamp(found.st_mtime, UTC), found.st_size

        return open_file

    def get_file_loader(self, filename: str) -> Loader:
        """Return a loader that always loads the same file, whatever the path."""
        return lambda path: (os.path.basename(filename), self._opener(filename))  # noqa: ARG005 - a Loader's parameter

    def get_directory_loader(self, directory: str) -> Loader:
        """Return a loader for the files in a folder and its subfolders."""

        def load(path: str | None) -> tuple[str | None, Opener | None]:
            found = directory if path is None else safe_join(directory, path)
            if found is not None and os.path.isfile(found):
                return os.path.basename(found), self._opener(found)
            return None, None

        return load

    def get_package_loader(self, package: str, package_path: str) -> Loader:
        """Return a loader for the files in a folder of a package, which may be in an archive."""
        from importlib.resources import files

        root = files(package)
        loaded = datetime.now(UTC)

        def load(path: str | None) -> tuple[str | None, Opener | None]:
            joined = path and safe_join(package_path, path)
            found = root.joinpath(joined) if joined else None
            if found is None or not found.is_file():
                return None, None
            if isinstance(found, os.PathLike):
                return found.name, self._opener(os.fspath(found))
            data = found.read_bytes()
            return found.name, lambda: (BytesIO(data), loaded, len(data))

        return load

    def generate_etag(self, mtime: datetime, file_size: int, real_filename: str) -> str:
        """Return the entity tag for the current version of a file."""
        return f"wzsdm-{mtime.timestamp()}-{file_size}-{adler32(os.fsencode(real_filename))}"

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        name, opener = self._find(get_path_info(environ))
        if opener is None or name is None or not self.is_allowed(name):
            return self.app(environ, start_response)
        file, modified, size = opener()
        answer: WSGIApplication
        try:
            answer = self._response(environ, name, file, modified, size)
        except errors.HTTPError as error:
            file.close()
            answer = PreconditionFailed() if error.status == 412 else RequestedRangeNotSatisfiable(size)

        def start(status: str, fields: list[tuple[str, str]], *error: Any) -> Callable[[bytes], object]:
            return start_response(status, [(name.title(), value) for name, value in fields], *error)

        return answer(environ, start)

    def _find(self, path: str) -> tuple[str | None, Opener | None]:
        for exported, load in self.exports:
            name, opener = load(None) if exported == path else (None, None)
            below = f"{exported.removesuffix('/')}/"
            if opener is None and path.startswith(below):
                name, opener = load(path[len(below) :])
            if opener is not None:
                return name, opener
        return None, None

    def _response(
        self, environ: "WSGIEnvironment", name: str, file: IO[bytes], modified: datetime, size: int
    ) -> Response:
        fields = {"date": http_date(), "cache-control": "public", "last-modified": http_date(modified)}
        if self.cache:
            fields["etag"] = quote_etag(self.generate_etag(modified, size, name))
            fields["cache-control"] = f"max-age={self.cache_timeout}, public"
            fields["expires"] = http_date(time() + self.cache_timeout)
        kind = FileBody.guess_type(name)
        content_type = self.fallback_mimetype if kind == _UNKNOWN else kind
        response = Response.file(file, headers=fields, content_type=content_type)
        response.headers.pop("x-content-type-options", None)  # as in Werkzeug
        if self.cache:
            response.make_conditional(environ_request(environ))
        if response.status == 304:
            file.close()
        return response


def _pairs(exports: Mapping[str, Source] | Iterable[tuple[str, Source]]) -> Iterable[tuple[str, Source]]:
    return cast("Mapping[str, Source]", exports).items() if isinstance(exports, Mapping) else exports
