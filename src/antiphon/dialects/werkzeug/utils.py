"""The contents of `werkzeug.utils`: attributes, redirects, file responses, safe paths, and imports by name."""

import html
import io
import os
import posixpath
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import lru_cache
from time import time
from typing import IO, TYPE_CHECKING, Any, Generic, NamedTuple, Self, TypeVar, cast, overload
from unicodedata import normalize
from zlib import adler32

from antiphon.dialects._environ.attributes import Accessor, environ_value
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.exceptions.base import escape_html, response_class
from antiphon.dialects.werkzeug.exceptions.base import response_class as default_class
from antiphon.dialects.werkzeug.exceptions.statuses import NotFound, RequestedRangeNotSatisfiable
from antiphon.dialects.werkzeug.wsgi import wrap_file
from antiphon.http import ContentDisposition
from antiphon.http.grammar import encode_extended

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

    from antiphon.dialects.werkzeug.wrappers.response import Response
    from antiphon.dialects.werkzeug.wrappers.response import Response as WerkzeugResponse


_OTHER_SEPARATORS = [separator for separator in (os.sep, os.altsep) if separator not in (None, "/")]
_DEVICES = {"AUX", "CON", "CONIN$", "CONOUT$", "NUL", "PRN"} | {
    f"{port}{number}" for port in ("COM", "LPT") for number in "123456789¹²³"
}


def safe_join(directory: str, *untrusted: str) -> str | None:
    """Join a directory with names chosen by a client, or return None if the path would be outside the directory.

    The names use slashes on every system. Symbolic links are not resolved, so opening the path follows them.
    """
    parts = [directory or "."]
    for name in filter(None, untrusted):
        path = posixpath.normpath(name)
        if _leaves(path):
            return None
        parts.append(path)
    return posixpath.join(*parts)


def _leaves(path: str) -> bool:
    if path == ".." or path.startswith(("../", "/")) or os.path.isabs(path):
        return True
    return any(separator in path for separator in _OTHER_SEPARATORS) or (os.name == "nt" and _names_device(path))


def _names_device(path: str) -> bool:
    """Return True if Windows would open a device. It recognizes device names in any folder and with any suffix."""
    stems = [name.partition(":")[0].partition(".")[0] for name in path.split("/")]
    return any(stem.strip().upper() in _DEVICES for stem in stems)


_WITH_CHARSET = frozenset({
    "application/ecmascript", "application/javascript", "application/sql", "application/xml", "application/xml-dtd",
    "application/xml-external-parsed-entity",
})  # fmt: skip

_unsafe = re.compile("[^A-Za-z0-9_.-]++")


@lru_cache(256)
def get_content_type(mimetype: str, charset: str) -> str:
    """Return the content type for a media type, with the charset if it is a text type."""
    if mimetype.startswith("text/") or mimetype in _WITH_CHARSET or mimetype.endswith("+xml"):
        return f"{mimetype}; charset={charset}"
    return mimetype


def secure_filename(filename: str) -> str:
    """Return an ASCII filename that is safe in any folder. Empty if no characters remain."""
    plain = normalize("NFKD", filename).encode("ascii", "ignore").decode("ascii")
    plain = plain.replace(os.path.sep, " ")
    if os.path.altsep:
        plain = plain.replace(os.path.altsep, " ")
    name = _unsafe.sub("", "_".join(plain.split())).strip("._")
    if os.name == "nt" and name:
        from antiphon.embedding import safe_filename

        return safe_filename(name)
    return name


def escape(s: object) -> str:
    """Escape `&`, `<`, `>` and quotes for HTML. None becomes "", and markup is unchanged."""
    if s is None:
        return ""
    if markup := getattr(s, "__html__", None):
        return str(markup())
    return html.escape(str(s), quote=True)


def unescape(s: str) -> str:
    """Decode the character references in HTML."""
    return html.unescape(s)


class ImportStringError(ImportError):
    """Raised by ``import_string``. ``exception`` is the reason why ``import_name`` could not be imported."""

    def __init__(self, import_name: str, exception: BaseException) -> None:
        super().__init__(
            f"import_string() failed for {import_name!r} ({type(exception).__name__}: {exception});"
            f" {_progress(import_name)}"
        )
        self.import_name = import_name
        self.exception = exception

    def __repr__(self) -> str:
        return f"<{type(self).__name__}({self.import_name!r}, {self.exception!r})>"


def _progress(import_name: str) -> str:
    """Describe which parts of a dotted name could be imported."""
    found = []
    name = ""
    for part in import_name.replace(":", ".").split("."):
        name = f"{name}.{part}" if name else part
        thing = import_string(name, silent=True)
        if thing is None:
            break
        found.append(f"{name!r} was found in {getattr(thing, '__file__', None)!r}")
    return ", ".join([*found, f"{name!r} was not"])


def import_string(import_name: str, silent: bool = False) -> Any:
    """Import a module, or an object in a module: `package.module:name` or `package.module.name`.

    Raises ImportStringError if the import fails. With ``silent``, returns None instead.
    """
    name = import_name.replace(":", ".")
    try:
        try:
            __import__(name)
        except ImportError:
            if "." not in name:
                raise
        else:
            return sys.modules[name]
        return _attribute(name)
    except ImportError as error:
        if silent:
            return None
        raise ImportStringError(import_name, error).with_traceback(error.__traceback__) from None


def _attribute(name: str) -> Any:
    module_name, _, attribute = name.rpartition(".")
    module = __import__(module_name, fromlist=[attribute])  # raises the error of a submodule that can't be imported
    try:
        return getattr(module, attribute)
    except AttributeError as error:
        raise ImportError(str(error)) from None


def find_modules(import_path: str, include_packages: bool = False, recursive: bool = False) -> Iterator[str]:
    """Yield the names of a package's modules, and optionally of its subpackages and their modules.

    Packages are imported to list their contents. Raises ValueError if the module is not a package.
    """
    from pkgutil import iter_modules

    module = import_string(import_path)
    path = getattr(module, "__path__", None)
    if path is None:
        raise ValueError(f"{import_path!r} is not a package")
    for _, name, is_package in iter_modules(path):
        full = f"{module.__name__}.{name}"
        if not is_package or include_packages:
            yield full
        if is_package and recursive:
            yield from find_modules(full, include_packages, True)


T = TypeVar("T")


class cached_property(property, Generic[T]):  # noqa: N801 - Werkzeug's name
    """A decorator that turns a method into an attribute that is computed once.

    The attribute can be set, or deleted so that it is recomputed. Deleting a value that has not been computed raises
    KeyError, which Flask-Dance relies on. A class with ``__slots__`` needs a slot named ``_cache_`` followed by the
    method's name.
    """

    fget: Callable[[Any], T]  # pyright: ignore[reportIncompatibleVariableOverride]  # never assigned

    def __init__(self, fget: Callable[[Any], T], name: str | None = None, doc: str | None = None) -> None:
        super().__init__(fget, doc=doc)
        self.__name__ = name or fget.__name__
        self.__module__ = fget.__module__

    @overload
    def __get__(self, obj: None, owner: type | None = None) -> Self: ...
    @overload
    def __get__(self, obj: object, owner: type | None = None) -> T: ...
    def __get__(self, obj: object | None, owner: type | None = None) -> Self | T:
        if obj is None:
            return self
        kept: dict[str, T] | None = getattr(obj, "__dict__", None)
        if kept is None:
            return self._in_slot(obj)
        name = self.__name__
        if name not in kept:
            kept[name] = self.fget(obj)
        return kept[name]

    def __set__(self, obj: object, value: T) -> None:
        if hasattr(obj, "__dict__"):
            obj.__dict__[self.__name__] = value
        else:
            setattr(obj, self._slot, value)

    def __delete__(self, obj: object) -> None:
        if hasattr(obj, "__dict__"):
            del obj.__dict__[self.__name__]
        elif hasattr(obj, self._slot):
            delattr(obj, self._slot)

    @property
    def _slot(self) -> str:
        return f"_cache_{self.__name__}"

    def _in_slot(self, obj: object) -> T:
        if not hasattr(obj, self._slot):
            setattr(obj, self._slot, self.fget(obj))
        value: T = getattr(obj, self._slot)
        return value


class environ_property(Accessor[T]):  # noqa: N801 - Werkzeug's name
    """An attribute that reads a key of ``environ`` and sets it if ``read_only=False``."""

    read_only = True

    def lookup(self, instance: Any) -> Any:
        return instance.environ


class header_property(Accessor[T]):  # noqa: N801 - Werkzeug's name
    """An attribute that reads and sets a field of ``headers``."""

    def lookup(self, instance: Any) -> Any:
        return instance.headers


class environ_header(environ_value[T]):  # noqa: N801 - used like property
    """An attribute for the parsed value of an environ key.

    It can be set. A value that is set lasts until the environ's value changes.
    """

    def __set__(self, request: Any, value: T) -> None:
        request.__dict__[self.name] = request.environ.get(self.key), value

    def __delete__(self, request: Any) -> None:
        request.__dict__.pop(self.name, None)


_PAGE = """<!doctype html>
<html lang=en>
<title>Redirecting...</title>
<h1>Redirecting...</h1>
<p>You should be redirected automatically to the target URL: <a href="{0}">{0}</a>. If not, click the link.
"""


def redirect(
    location: str,
    code: int = 302,
    Response: "Callable[..., Any] | None" = None,  # noqa: N803 - Werkzeug's name
) -> "WerkzeugResponse":
    """Return a redirect to any ``location``, with a page for clients that don't follow it.

    ``Response`` is the class of the response.
    """
    make = Response or response_class()
    response: WerkzeugResponse = make(_PAGE.format(escape_html(location)), code, mimetype="text/html")
    response.headers["Location"] = location
    return response


def append_slash_redirect(environ: "WSGIEnvironment", code: int = 308) -> "WerkzeugResponse":
    """Return a relative redirect to the same path with a trailing slash. It includes the query."""
    last = environ["PATH_INFO"].rpartition("/")[2]
    query = environ.get("QUERY_STRING")
    target = f"{last}/" if last else "./"
    if ":" in last or "\\" in last:
        # Otherwise, it would begin with a scheme (RFC 3986 §4.2), or with a host, since browsers convert backslashes.
        target = f"./{target}"
    return redirect(f"{target}?{query}" if query else target, code)


MaxAge = int | Callable[[str | None], int | None] | None


class _Source(NamedTuple):
    """The file to send: a path or an open file, with its size and modification time if known."""

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
    """Return a response that sends a file, given as a trusted path or as an open binary file.

    The file's name determines the media type and the name that browsers show. ``max_age`` is a number of seconds or a
    function of the path that returns one. ``conditional`` evaluates conditions and ranges. Raises TypeError if a name
    is required, ValueError if the file is open in text mode, OSError, or RequestedRangeNotSatisfiable.
    """
    source = _source(path_or_file, _root_path)
    name = download_name or (os.path.basename(source.path) if source.path else None)
    headers = Headers()
    mimetype = mimetype or _guess_type(name, headers, as_attachment)
    if name is not None:
        headers["Content-Disposition"] = _disposition("attachment" if as_attachment else "inline", name)
    elif as_attachment:
        raise TypeError("No name provided for attachment. Either set 'download_name' or pass a path instead of a file.")
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
        raise ValueError("Files must be opened in binary mode or use BytesIO.")
    if not isinstance(file, io.BytesIO):
        return _Source(None, file, None, None)
    if file.tell():  # ranges are relative to this position
        file = io.BytesIO(file.read())
    return _Source(None, file, file.getbuffer().nbytes, None)


def _guess_type(name: str | None, headers: Headers, as_attachment: bool) -> str:
    if name is None:
        raise TypeError("can't detect the MIME type of a file without a name: pass mimetype, download_name or a path")
    from mimetypes import guess_type

    mimetype, encoding = guess_type(name)
    # A browser would decode an attachment that has a Content-Encoding.
    if encoding is not None and not as_attachment:
        headers["Content-Encoding"] = encoding
    return mimetype or "application/octet-stream"


def _disposition(kind: str, name: str) -> str:
    """Return Content-Disposition with the full name and, for old clients, the name without slashes."""
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
    # Some servers would send the file even with a 304.
    if answer.status_code == 304:
        answer.headers.pop("X-Sendfile", None)
    return answer


def send_from_directory(
    directory: "os.PathLike[str] | str", path: "os.PathLike[str] | str", environ: "WSGIEnvironment", **kwargs: Any
) -> "Response":
    """Return a response that sends a file, given as an untrusted path below a trusted directory.

    ``kwargs`` are passed to ``send_file``. Raises NotFound if the file does not exist or is outside the directory.
    """
    found = safe_join(os.fspath(directory), os.fspath(path))
    if found is None:
        raise NotFound
    found = os.path.join(kwargs.get("_root_path") or "", found)
    if not os.path.isfile(found):
        raise NotFound
    return send_file(found, environ, **kwargs)


__all__ = [
    "ImportStringError", "append_slash_redirect", "cached_property", "environ_property", "escape", "find_modules",
    "get_content_type", "header_property", "import_string", "redirect", "safe_join", "secure_filename", "send_file",
    "send_from_directory", "unescape",
]  # fmt: skip
