"""The body of a response: chunks of bytes or text, in a list or from an iterator."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, Self, overload

from antiphon.dialects.werkzeug.datastructures.headers import Headers


class ResponseBody:
    """The body of a response, and the functions to call after it."""

    charset: str
    implicit_sequence_conversion = True
    """True if the body of an iterator may be read into a list when needed. If not, RuntimeError is raised."""
    automatically_set_content_length = True
    """True if Content-Length is set when it is known."""

    headers: Headers
    response: Any
    """The chunks of the body."""
    direct_passthrough: bool
    """True if the chunks go to the server unchanged."""
    _on_close: list[Callable[[], object]]

    @overload
    def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    def get_data(self, as_text: Literal[True]) -> str: ...
    def get_data(self, as_text: bool = False) -> bytes | str:
        """Return the whole body, as bytes or as text; that of an iterator is read. Raises RuntimeError if it may not
        be.
        """
        self._ensure_sequence()
        data = b"".join(self.iter_encoded())
        return data.decode(self.charset) if as_text else data

    def set_data(self, value: bytes | bytearray | str) -> None:
        """Set the whole body."""
        data = value.encode(self.charset) if isinstance(value, str) else bytes(value)
        self.response = [data]
        if self.automatically_set_content_length:
            if isinstance(self.headers, Headers):
                self.headers.set_length(len(data))
            else:  # a dict may be set
                self.headers["Content-Length"] = str(len(data))

    @property
    def data(self) -> bytes:
        """The whole body: see ``get_data``."""
        return self.get_data()

    @data.setter
    def data(self, value: bytes | str) -> None:
        self.set_data(value)

    def calculate_content_length(self) -> int | None:
        """Return the number of bytes of the body; None if it may not be read."""
        try:
            self._ensure_sequence()
        except RuntimeError:
            return None
        return sum(map(len, self.iter_encoded()))

    @property
    def is_sequence(self) -> bool:
        """True if the body is a list or a tuple."""
        return isinstance(self.response, (list, tuple))

    @property
    def is_streamed(self) -> bool:
        """True if the number of chunks is unknown."""
        try:
            len(self.response)
        except (TypeError, AttributeError):
            return True
        return False

    def _ensure_sequence(self) -> None:
        if self.is_sequence:
            return
        if self.direct_passthrough:
            raise RuntimeError("the body is passed through to the server, so that it can't be read here")
        if not self.implicit_sequence_conversion:
            raise RuntimeError(
                "implicit_sequence_conversion is False: call make_sequence() to read the body into a list"
            )
        self.make_sequence()

    def ensure_list(self) -> list[Any]:
        """Return the chunks as a list that can be changed. Raises RuntimeError if they may not be read."""
        self._ensure_sequence()
        if not isinstance(self.response, list):
            self.response = list(self.response)
        return self.response

    def make_sequence(self) -> None:
        """Read the body into a list of bytes. Its source is closed with the response."""
        if self.is_sequence:
            return
        source = self.response
        self.response = list(self.iter_encoded())
        if close := getattr(source, "close", None):
            self.call_on_close(close)

    def iter_encoded(self) -> Iterator[bytes]:
        """Return the chunks of the body. Text is encoded."""
        chunks = self.response
        if type(chunks) is list and len(chunks) == 1 and type(chunks[0]) is bytes:
            return iter(chunks)
        return _encoded(chunks, self.charset)

    def freeze(self) -> None:
        """Read the body into bytes, and set its Content-Length and an ETag, so that the response can be pickled."""
        self.response = list(self.iter_encoded())
        self.headers["Content-Length"] = str(sum(map(len, self.response)))
        self.add_etag()

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Do nothing: classes with entity tags override it."""

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Register a function to call when the response is closed, and return it."""
        self._on_close.append(func)
        return func

    def close(self) -> None:
        """Close the body, if possible, and call the functions of ``call_on_close``."""
        if close := getattr(self.response, "close", None):
            close()
        for func in self._on_close:
            func()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _encoded(chunks: Any, charset: str) -> Iterator[bytes]:
    for chunk in chunks:
        yield chunk.encode(charset) if isinstance(chunk, str) else chunk
