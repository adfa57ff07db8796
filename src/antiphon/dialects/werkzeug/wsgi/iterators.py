"""Iterables that applications return to servers: files and parts of files."""

from collections.abc import Callable, Iterable, Iterator
from functools import update_wrapper
from typing import IO, TYPE_CHECKING, Any

from antiphon.dialects._environ.chunks import ClosingIterator, part_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication, WSGIEnvironment

_BLOCK = 8 << 10


class SentBody(ClosingIterator):
    """An iterator with a single function to call on close."""

    __slots__ = ()

    def __init__(self, iterator: Iterator[bytes], close: Callable[[], object]) -> None:
        self._iterator = iterator
        self._callbacks = (close,)

    def __iter__(self) -> Iterator[bytes]:  # type: ignore[override]  # a server then runs through a list in C
        return self._iterator


class FileWrapper:
    """A file in blocks, for servers without a `wsgi.file_wrapper`."""

    def __init__(self, file: IO[bytes], buffer_size: int = _BLOCK) -> None:
        self.file = file
        self.buffer_size = buffer_size

    def close(self) -> None:
        """Close the file, if possible."""
        if close := getattr(self.file, "close", None):
            close()

    def seekable(self) -> bool:
        """Return True if the file has positions."""
        seekable = getattr(self.file, "seekable", None)
        return bool(seekable()) if seekable else hasattr(self.file, "seek")

    def seek(self, *position: int) -> None:
        """Move to a position, if the file has positions."""
        if seek := getattr(self.file, "seek", None):
            seek(*position)

    def tell(self) -> int | None:
        """Return the position; None if the file has none."""
        tell = getattr(self.file, "tell", None)
        return tell() if tell else None

    def __iter__(self) -> "FileWrapper":
        return self

    def __next__(self) -> bytes:
        if data := self.file.read(self.buffer_size):
            return data
        raise StopIteration


def wrap_file(environ: "WSGIEnvironment", file: IO[bytes], buffer_size: int = _BLOCK) -> Iterable[bytes]:
    """Return a file as an iterable that the server can send fast. For a response with ``direct_passthrough``."""
    wrapped: Iterable[bytes] = environ.get("wsgi.file_wrapper", FileWrapper)(file, buffer_size)
    return wrapped


class RangeWrapper:
    """A part of an iterable: ``length`` bytes from ``start``, or all up to the end if ``length`` is None.

    An iterable with positions is sought, any other is read up to the start. Closing the part closes the iterable.
    """

    def __init__(self, iterable: Iterable[bytes], start: int = 0, length: int | None = None) -> None:
        self._iterable = iterable
        self._chunks = part_of(iterable, start, length)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __next__(self) -> bytes:
        return next(self._chunks)

    def close(self) -> None:
        """Close the iterable, if possible."""
        if close := getattr(self._iterable, "close", None):
            close()


def responder(f: "Callable[..., WSGIApplication]") -> "WSGIApplication":
    """Decorate a function of (environ, start_response) that returns a WSGI application, which then answers."""

    def application(*arguments: Any) -> Iterable[bytes]:
        return f(*arguments)(*arguments[-2:])

    return update_wrapper(application, f)
