"""The messages that an ASGI application sends, checked. What is wrong with one is raised as ValueError."""

from collections.abc import Iterable, Iterator, Mapping
from os.path import isabs
from typing import Any

from antiphon.testing.servers.checks import checked_head, file_chunks
from antiphon.testing.servers.exchange import Head


def read_head(message: Mapping[str, Any]) -> Head:
    """The head in "http.response.start"."""
    if message.get("trailers"):
        raise ValueError("trailers are an extension that was not offered")
    return checked_head(message.get("status"), [_field(field) for field in _fields(message.get("headers", ()))])


def read_body(message: Mapping[str, Any]) -> tuple[bytes, bool]:
    """The chunk in "http.response.body", and whether more come."""
    chunk, more = message.get("body", b""), message.get("more_body", False)
    if type(chunk) is not bytes:
        raise ValueError(f"'body' is bytes, not {type(chunk).__name__}")
    if type(more) is not bool:
        raise ValueError(f"'more_body' is a bool, not {more!r}")
    return chunk, more


def read_file(message: Mapping[str, Any]) -> Iterator[bytes]:
    """The bytes of the file that "http.response.pathsend" names."""
    path = message.get("path")
    if type(path) is not str or not isabs(path):
        raise ValueError(f"'path' is an absolute path, as a str, not {path!r}")
    try:
        return file_chunks(path)
    except OSError as error:
        raise ValueError(f"the file can't be sent: {error}") from error


def _fields(headers: object) -> Iterable[object]:
    if isinstance(headers, str | bytes | Mapping) or not isinstance(headers, Iterable):
        raise ValueError(f"'headers' are an iterable of [name, value], not {headers!r}")
    return headers


def _field(field: Any) -> tuple[str, str]:
    try:
        name, value = field
    except (TypeError, ValueError):
        raise ValueError(f"a header is [name, value], not {field!r}") from None
    if type(name) is not bytes or type(value) is not bytes:
        raise ValueError(f"a header's name and value are bytes, not {name!r}: {value!r}")
    if name != name.lower():
        raise ValueError(f"a header's name is in lower case, not {name!r}")
    return name.decode("latin-1"), value.decode("latin-1")
