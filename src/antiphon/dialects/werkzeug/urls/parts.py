"""URLs as tuples of five parts, functions that build URLs, and query strings, as in Werkzeug before 3.0."""

import ntpath
import os
import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, NamedTuple, Self, TextIO, TypeVar, cast, overload

from antiphon.dialects.werkzeug.datastructures.structures import MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.urls.iri import (
    iri_to_uri,
    unicode_host,
    unquote_user,
    uri_to_iri,
    url_quote,
    url_quote_plus,
    url_unparse,
    url_unquote,
    url_unquote_plus,
)
from antiphon.http.urls import url as uri

D = TypeVar("D")


def url_decode(
    s: str | bytes,
    charset: str = "utf-8",
    include_empty: bool = True,
    errors: str = "replace",
    separator: str | bytes = "&",
    cls: Callable[[Iterator[tuple[str, str]]], D] | None = None,
    **options: object,  # noqa: ARG001 - decode_keys, which has had no effect since Python 3
) -> "D | MultiDict[str, str]":
    """Parse the fields of a query as a ``cls``, by default a MultiDict.

    ``include_empty`` includes fields without ``=``.
    """
    raw = s.encode(charset or "utf-8") if isinstance(s, str) else s
    between = separator.encode() if isinstance(separator, str) else separator
    make = cast("Callable[[Iterator[tuple[str, str]]], Any]", cls or MultiDict)
    decoded: D | MultiDict[str, str] = make(_decoded(raw.split(between), charset, include_empty, errors))
    return decoded


def url_decode_stream(
    stream: BinaryIO,
    charset: str = "utf-8",
    include_empty: bool = True,
    errors: str = "replace",
    separator: bytes = b"&",
    cls: Callable[[Iterator[tuple[str, str]]], D] | None = None,
    limit: int | None = None,
    **options: object,
) -> "D | MultiDict[str, str]":
    """Parse the fields in a stream's next ``limit`` bytes, by default all of them."""
    return url_decode(
        stream.read(-1 if limit is None else limit), charset, include_empty, errors, separator, cls, **options
    )


def _decoded(pieces: list[bytes], charset: str, include_empty: bool, errors: str) -> Iterator[tuple[str, str]]:
    for piece in pieces:
        name, equals, value = piece.partition(b"=")
        if piece and (equals or include_empty):
            yield url_unquote_plus(name, charset, errors), url_unquote_plus(value, charset, errors)


def url_encode(
    obj: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    charset: str = "utf-8",
    sort: bool = False,
    key: Callable[[tuple[Any, Any]], Any] | None = None,
    separator: str | bytes = "&",
    **options: object,  # noqa: ARG001 - encode_keys, which has had no effect since Python 3
) -> str:
    """Encode names and values as a query. None is omitted, and a list becomes several values."""
    between = separator if isinstance(separator, str) else separator.decode("ascii")
    return between.join(_encoded(obj, charset, sort, key))


@overload
def url_encode_stream(
    obj: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    stream: None = None,
    charset: str = "utf-8",
    sort: bool = False,
    key: Callable[[tuple[Any, Any]], Any] | None = None,
    separator: str | bytes = "&",
) -> Iterator[str]: ...
@overload
def url_encode_stream(
    obj: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    stream: TextIO,
    charset: str = "utf-8",
    sort: bool = False,
    key: Callable[[tuple[Any, Any]], Any] | None = None,
    separator: str | bytes = "&",
) -> None: ...
def url_encode_stream(
    obj: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    stream: TextIO | None = None,
    charset: str = "utf-8",
    sort: bool = False,
    key: Callable[[tuple[Any, Any]], Any] | None = None,
    separator: str | bytes = "&",
) -> Iterator[str] | None:
    """Write names and values to a stream as a query. Without a stream, return an iterator over the encoded fields."""
    if stream is None:
        return _encoded(obj, charset, sort, key)
    stream.write(url_encode(obj, charset, sort, key, separator))
    return None


def _encoded(
    obj: Mapping[Any, Any] | Iterable[tuple[Any, Any]],
    charset: str,
    sort: bool,
    key: Callable[[tuple[Any, Any]], Any] | None,
) -> Iterator[str]:
    items = iter_multi_items(cast("Mapping[Any, Any]", obj))
    for name, value in sorted(items, key=key) if sort else items:
        if value is not None:
            yield f"{url_quote_plus(name, charset)}={url_quote_plus(value, charset)}"


_beginning = re.compile(r"(?:([A-Za-z0-9+\-.,]+):(?![0-9]+\Z))?(?://([^/?#]*))?", re.DOTALL).match
_host = re.compile(
    r"\[(?P<ipv6>[^\]]*)\](?::(?P<port_of_ipv6>.*))?.*|(?P<name>[^:]*)(?::(?P<port>.*))?", re.DOTALL
).fullmatch


class _Parts(NamedTuple):
    """The five parts, all text or all bytes."""

    scheme: Any
    netloc: Any
    path: Any
    query: Any
    fragment: Any


class BaseURL(_Parts):
    """The base class of ``URL`` and ``BytesURL``. Missing parts are empty, and missing attributes are None."""

    __slots__ = ()

    def replace(self, **parts: Any) -> Self:
        return self._replace(**parts)

    def _own(self, text: str | None) -> Any:
        """Convert text to the type of the parts."""
        return text if text is None or isinstance(self.netloc, str) else text.encode("latin-1")

    @property
    def _netloc(self) -> tuple[str | None, str]:
        """The user information and the rest of the authority."""
        netloc = self.netloc if isinstance(self.netloc, str) else self.netloc.decode("latin-1")
        user, at, host = netloc.partition("@")
        return (user, host) if at else (None, netloc)

    @property
    def _host_and_port(self) -> tuple[str | None, str | None]:
        netloc = self._netloc[1]
        if not netloc:
            return None, None
        found = _host(netloc)
        if found is None:
            return netloc, None
        is_ipv6 = found["ipv6"] is not None
        return (found["ipv6"], found["port_of_ipv6"]) if is_ipv6 else (found["name"], found["port"])

    @property
    def host(self) -> Any:
        """The host, without the port and without the brackets around an IPv6 address."""
        return self._own(self._host_and_port[0])

    @property
    def ascii_host(self) -> str | None:
        """The host in ASCII, without characters that can't be encoded."""
        host = self._host_and_port[0]
        if host is None:
            return None
        try:
            return host.encode("ascii" if isinstance(self.netloc, bytes) else "idna").decode("ascii")
        except UnicodeError:
            return host.encode("ascii", "ignore").decode()

    @property
    def port(self) -> int | None:
        """The port, or None if it is missing or not between 0 and 65535."""
        try:
            port = int(self._host_and_port[1] or "")
        except ValueError:
            return None
        return port if 0 <= port <= 65535 else None

    @property
    def auth(self) -> Any:
        """The user information before the host, as ``user:password``."""
        return self._own(self._netloc[0])

    @property
    def _user(self) -> tuple[str | None, str | None]:
        user, colon, password = (self._netloc[0] or "").partition(":")
        return (user if user or colon else None), (password if colon else None)

    @property
    def raw_username(self) -> Any:
        return self._own(self._user[0])

    @property
    def raw_password(self) -> Any:
        return self._own(self._user[1])

    @property
    def username(self) -> str | None:
        """The percent-decoded user name."""
        return _decoded_user(self._user[0])

    @property
    def password(self) -> str | None:
        return _decoded_user(self._user[1])

    def decode_query(self, *args: Any, **kwargs: Any) -> "MultiDict[str, str]":
        """Parse the query's fields. See ``url_decode``."""
        return cast("MultiDict[str, str]", url_decode(self.query, *args, **kwargs))

    def join(self, *args: Any, **kwargs: Any) -> "BaseURL":
        """Resolve a reference against this URL. See ``url_join``."""
        return url_parse(url_join(self.to_url(), *args, **kwargs))

    def to_url(self) -> Any:
        return url_unparse(self)

    def decode_netloc(self) -> str:
        """Return the decoded authority as text."""
        return self._netloc_of(unicode_host(self._host_and_port[0] or ""), unquote_user)

    def to_uri_tuple(self) -> "BaseURL":
        """Return the URL in ASCII."""
        return url_parse(iri_to_uri(_text(self.to_url())))

    def to_iri_tuple(self) -> "BaseURL":
        return url_parse(uri_to_iri(_text(self.to_url())))

    def get_file_location(self, pathformat: str | None = None) -> tuple[str | None, str | None]:
        """Return the server and path of a ``file:`` URL (RFC 8089) for a "windows" or "posix" system.

        The server is None if it is this machine. For other URLs, both are None.
        """
        if _text(self.scheme) != "file":
            return None, None
        return file_location(_text(self.netloc) or None, url_unquote(self.path), pathformat)

    def ascii_netloc(self) -> str:
        return self._netloc_of(self.ascii_host or "", lambda user: url_quote(user, safe="/:%"))

    def _netloc_of(self, host: str, written: Callable[[str], str]) -> str:
        host = f"[{host}]" if ":" in host else host
        port = "" if self.port is None else f":{self.port}"
        users = [written(user) for user in self._user if user]
        return f"{':'.join(users)}@{host}{port}" if users else f"{host}{port}"


class URL(BaseURL):
    __slots__ = ()

    def __str__(self) -> str:
        return f"{self.to_url()}"

    def encode_netloc(self) -> str:
        """Return the authority in ASCII."""
        return self.ascii_netloc()

    def encode(self, charset: str = "utf-8", errors: str = "replace") -> "BytesURL":
        return BytesURL(*[part.encode(charset, errors) for part in (*self[:1], self.encode_netloc(), *self[2:])])


class BytesURL(BaseURL):
    __slots__ = ()

    def __str__(self) -> str:
        return _text(self.to_url())

    def encode_netloc(self) -> bytes:
        return bytes(self.netloc)

    def decode(self, charset: str = "utf-8", errors: str = "replace") -> URL:
        url = URL(*[part.decode(charset, errors) for part in self])
        return url.replace(netloc=url.decode_netloc())


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode("utf-8", "replace")


def _decoded_user(user: str | None) -> str | None:
    if user is None:
        return None
    try:
        return url_unquote(user, errors="strict")
    except UnicodeError:
        return url_unquote(user, "latin-1")


def url_parse(url: Any, scheme: Any = None, allow_fragments: bool = True) -> BaseURL:
    """Split a URL in text or bytes. ``scheme`` is the default scheme. Raises ValueError for an unmatched bracket."""
    if isinstance(url, bytes):
        parts = url_parse(url.decode("latin-1"), scheme and scheme.decode("latin-1"), allow_fragments)
        return BytesURL(*[part.encode("latin-1") for part in parts])
    found = _beginning(url)
    assert found is not None  # noqa: S101 - it matches any text, even empty
    netloc = found[2] or ""
    if ("[" in netloc) != ("]" in netloc):
        raise ValueError("Invalid IPv6 URL")
    rest, _, fragment = url[found.end() :].partition("#") if allow_fragments else (url[found.end() :], "", "")
    path, _, query = rest.partition("?")
    return URL(found[1].lower() if found[1] else scheme or "", netloc, path, query, fragment)


def url_join(base: Any, url: Any, allow_fragments: bool = True) -> Any:
    """Resolve a reference against a base, in text or bytes (RFC 3986 §5.2).

    Both may be tuples. Raises ValueError if browsers would not interpret the URL as it looks, for example because of
    control characters.
    """
    base, url = (url_unparse(each) if isinstance(each, tuple) else each for each in (base, url))
    if isinstance(base, bytes):
        return url_join(base.decode("latin-1"), url.decode("latin-1"), allow_fragments).encode("latin-1")
    if not base or not url:
        return url or base
    return str(uri.URL(base).join(url if allow_fragments else url.replace("#", "%23")))


_HERE = ("127.0.0.1", "::1", "localhost")


def file_location(host: str | None, path: str, system: str | None) -> tuple[str | None, str]:
    """Return the server and path for a "windows" or "posix" system, by default the current one.

    Raises TypeError for any other system.
    """
    system = system or ("windows" if os.name == "nt" else "posix")
    if system == "windows":
        host, path = _on_windows(host, path)
    elif system == "posix":
        path = posixpath.normpath(path)
    else:
        raise TypeError(f"Invalid path format {system!r}")
    return (None if host in _HERE else host), path


def _on_windows(host: str | None, path: str) -> tuple[str | None, str]:
    if path[:1] == "/" and path[1:2].isalpha() and path[2:3] in ("|", ":"):
        path = f"{path[1]}:{path[3:]}"
    is_share = path.startswith(("///", "\\\\\\"))
    path = ntpath.normpath(path)
    if is_share and host is None:
        host, _, path = path.lstrip("\\").partition("\\")
    return host, path


def url_fix(s: str | bytes, charset: str = "utf-8") -> str:
    """Fix a URL by escaping spaces and other characters and replacing backslashes with slashes."""
    text = (s.decode(charset, "replace") if isinstance(s, bytes) else s).replace("\\", "/")
    if text.startswith("file://") and text[7:8].isalpha() and text[8:10] in (":/", "|/"):
        text = f"file:///{text[7:]}"
    url = url_parse(text)
    path = url_quote(url.path, charset, safe="/%+$!*'(),")
    query = url_quote_plus(url.query, charset, safe=":&%=+$!*'(),")
    fragment = url_quote_plus(url.fragment, charset, safe=":&%=+$!*'(),")
    fixed: str = url_unparse((url.scheme, url.ascii_netloc(), path, query, fragment))
    return fixed


class Href:
    """A function that builds URLs below a base from path segments and named query values.

    Any attribute is an Href below the segment with that name.
    """

    def __init__(
        self,
        base: str = "./",
        charset: str = "utf-8",
        sort: bool = False,
        key: Callable[[tuple[Any, Any]], Any] | None = None,
    ) -> None:
        self.base = base or "./"
        self.charset = charset
        self.sort = sort
        self.key = key

    def __getattr__(self, name: str) -> "Href":
        if name.startswith("__"):
            raise AttributeError(name)
        return Href(url_join(f"{self.base.removesuffix('/')}/", name), self.charset, self.sort, self.key)

    def __call__(self, *path: Any, **query: Any) -> str:
        """Return the URL.

        Segments and values that are None are omitted. A trailing underscore is removed from names. The query may also
        be given as a mapping in the last positional argument. Raises TypeError if both kinds of query are given.
        """
        fields: Mapping[Any, Any] = {name.removesuffix("_") or name: value for name, value in query.items()}
        if path and isinstance(path[-1], dict):
            if query:
                raise TypeError("keyword arguments and query-dicts can't be combined")
            *path, fields = path  # type: ignore[assignment]  # a list instead of a tuple
        segments = [url_quote(segment, self.charset) for segment in path if segment is not None]
        url = self.base
        if below := "/".join(segments).lstrip("/"):
            url = url_join(f"{url.removesuffix('/')}/", f"./{below}")
        return f"{url}?{url_encode(fields, self.charset, self.sort, self.key)}" if fields else url
