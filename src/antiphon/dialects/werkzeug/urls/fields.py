"""Query strings and urlencoded forms as Werkzeug had them before 3.0: for text, bytes and streams."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, BinaryIO, TextIO, TypeVar, cast, overload

from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict, iter_multi_items
from antiphon.dialects.werkzeug.urls.quoting import url_quote_plus, url_unquote_plus

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
    """Return the fields of a query, as ``cls``, by default a MultiDict. ``include_empty`` includes fields without
    ``=``.
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
    """Return the fields in the next ``limit`` bytes of a stream, or in all of them."""
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
    """Return names and values as a query. None is left out, and a list counts as several values."""
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
    """Write names and values as a query to a stream; without a stream, return an iterator over the fields."""
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
