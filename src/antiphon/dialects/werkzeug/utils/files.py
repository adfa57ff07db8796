"""Files as responses."""

import io
import os
from collections.abc import Callable, Iterable
from datetime import datetime
from time import time
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast
from zlib import adler32

from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.exceptions.client_errors import NotFound, RequestedRangeNotSatisfiable
from antiphon.dialects.werkzeug.response_class import response_class as default_class
from antiphon.dialects.werkzeug.utils.paths import safe_join
from antiphon.dialects.werkzeug.wsgi.iterators import wrap_file
from antiphon.http import ContentDisposition
from antiphon.http.grammar import encode_extended

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.wrappers.response import Response

MaxAge = int | Callable[[str | None], int | None] | None


class _Source(NamedTuple):
    """The file to send: a path or an open file, and its size and time of change, if known."""

    path: str | None
    file: IO[bytes] | None
    size: int | None
    modified: float | None


def send_file(
    path_or_file: "os.PathLike[str] | str | IO[bytes]",
    environ: "WSGIEnvironment",
    mimetype: str | None = None,
    as_attachment: bool = False,
    download_name: str | None = None,
    conditional: bool = True,
    etag: bool | str = True,
    last_modified: "datetime | float | None" = None,
    max_age: MaxAge = None,
    use_x_sendfile: bool = False,
    response_class: "type[Response] | None" = None,
    _root_path: "os.PathLike[str] | str | None" = None,
) -> "Response":
    """Return a file as a response: by a trusted path, or an open file in binary mode.

    Its name determines the media type, and the name in browsers. ``max_age`` is in seconds, or a function of the path.
    ``conditional`` answers conditions and ranges. Raises TypeError if a name is needed, ValueError for a file in text
    mode, OSError, and RequestedRangeNotSatisfiable.
    """
    source = _source(path_or_file, _root_path)
    name = download_name or (os.path.basename(source.path) if source.path else None)
    headers = Headers()
    mimetype = mimetype or _guess_type(name, headers, as_attachment)
    if name is not None:
        headers["Content-Disposition"] = _disposition("attachment" if as_attachment else "inline", name)
    elif as_attachment:
        raise TypeError("an attachment needs a name: pass download_name, or a path instead of a file")
    body = _body(source, environ, headers, use_x_sendfile)
    make = response_class or default_class()
    response = make(body, mimetype=mimetype, headers=headers, direct_passthrough=True)
    if source.size is not None:
        response.content_length = source.size
    modified = source.modified if last_modified is None else last_modified
    if modified is not None:
        response.last_modified = modified
    _set_lifetime(response, max_age, source.path)
    _set_etag(response, etag, source)
    return _conditional(response, environ, source) if conditional else response


def _source(path_or_file: "os.PathLike[str] | str | IO[bytes]", root: "os.PathLike[str] | str | None") -> _Source:
    if isinstance(path_or_file, str) or hasattr(path_or_file, "__fspath__"):
        given = cast("os.PathLike[str] | str", path_or_file)
        path = os.path.abspath(given) if root is None else os.path.join(root, given)
        status = os.stat(path)
        return _Source(path, None, status.st_size, status.st_mtime)
    file: Any = path_or_file
    if isinstance(file, io.TextIOBase):
        raise ValueError("send_file needs a file that was opened in binary mode")
    if not isinstance(file, io.BytesIO):
        return _Source(None, file, None, None)
    if file.tell():  # ranges count from here
        file = io.BytesIO(file.read())
    return _Source(None, file, file.getbuffer().nbytes, None)


def _guess_type(name: str | None, headers: Headers, as_attachment: bool) -> str:
    if name is None:
        raise TypeError("the media type of a file without a name is not known: pass mimetype, download_name or a path")
    from mimetypes import guess_type

    mimetype, encoding = guess_type(name)
    # A browser decodes an attachment that has a Content-Encoding.
    if encoding is not None and not as_attachment:
        headers["Content-Encoding"] = encoding
    return mimetype or "application/octet-stream"


def _disposition(kind: str, name: str) -> str:
    """Return the header's value with the whole name, but without a path for old clients."""
    flat = name.replace("/", "_").replace("\\", "_")
    printed = str(ContentDisposition(kind, flat))
    if flat == name:
        return printed
    return f"{printed.partition('; filename*=')[0]}; filename*={encode_extended(name)}"


def _body(source: _Source, environ: "WSGIEnvironment", headers: Headers, by_server: bool) -> Iterable[bytes] | None:
    if by_server and source.path is not None:
        headers["X-Sendfile"] = source.path
        return None
    file = source.file or open(cast("str", source.path), "rb")  # noqa: SIM115 - the response closes it
    return wrap_file(environ, file)


def _set_lifetime(response: "Response", max_age: MaxAge, path: str | None) -> None:
    seconds = max_age(path) if callable(max_age) else max_age
    control = response.cache_control
    if seconds is None or seconds <= 0:
        control.no_cache = True
    else:
        control.public = True
    if seconds is not None:
        control.max_age = seconds
        response.expires = int(time() + seconds)


def _set_etag(response: "Response", etag: bool | str, source: _Source) -> None:
    if isinstance(etag, str):
        response.set_etag(etag)
    elif etag and source.path is not None:
        response.set_etag(f"{source.modified}-{source.size}-{adler32(source.path.encode())}")


def _conditional(response: "Response", environ: "WSGIEnvironment", source: _Source) -> "Response":
    try:
        answer = response.make_conditional(environ, accept_ranges=True, complete_length=source.size)
    except RequestedRangeNotSatisfiable:
        response.close()
        raise
    # Some servers would send the file with a 304, too.
    if answer.status_code == 304:
        answer.headers.pop("X-Sendfile", None)
    return answer


def send_from_directory(
    directory: "os.PathLike[str] | str", path: "os.PathLike[str] | str", environ: "WSGIEnvironment", **kwargs: Any
) -> "Response":
    """Return a file below a directory, by an untrusted path. Raises NotFound if that leads out of it.

    The directory must be trusted. ``kwargs`` are those of ``send_file``.
    """
    found = safe_join(os.fspath(directory), os.fspath(path))
    if found is None:
        raise NotFound
    found = os.path.join(kwargs.get("_root_path") or "", found)
    if not os.path.isfile(found):
        raise NotFound
    return send_file(found, environ, **kwargs)
