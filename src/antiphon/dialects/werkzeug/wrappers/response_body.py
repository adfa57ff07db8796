"""The body of a response: chunks of bytes or text, at hand in a list, or still to come."""

from collections.abc import Callable, Iterator
from typing import Any, Literal, Self, overload

from antiphon.dialects.werkzeug.datastructures.headers import Headers


class ResponseBody:
    """What is sent as the content of a response, and what is to be done when it was."""

    charset = "utf-8"
    """What text is encoded in."""
    implicit_sequence_conversion = True
    """True if a body that is still to come may be read into a list unasked; if not, RuntimeError is raised."""
    automatically_set_content_length = True
    """True if Content-Length is set where it is known."""

    headers: Headers
    response: Any
    """The chunks."""
    direct_passthrough: bool
    """True if the chunks go to the server as they are."""
    _on_close: list[Callable[[], object]]

    @overload
    def get_data(self, as_text: Literal[False] = False) -> bytes: ...
    @overload
    def get_data(self, as_text: Literal[True]) -> str: ...
    def get_data(self, as_text: bool = False) -> bytes | str:
        """Return the whole body, as bytes or as text; one that is still to come is read. Raises RuntimeError: see
        above.
        """
        self._ensure_sequence()
        data = b"".join(self.iter_encoded())
        return data.decode(self.charset) if as_text else data

    def set_data(self, value: bytes | bytearray | str) -> None:
        """Set the whole body."""
        data = value.encode(self.charset) if isinstance(value, str) else bytes(value)
        self.response = [data]
        if self.automatically_set_content_length:
            self.headers["Content-Length"] = str(len(data))

    @property
    def data(self) -> bytes:
        """The whole body: see ``get_data``."""
        return self.get_data()

    @data.setter
    def data(self, value: bytes | str) -> None:
        self.set_data(value)

    def calculate_content_length(self) -> int | None:
        """How many bytes the body has; None if it may not be read to tell."""
        try:
            self._ensure_sequence()
        except RuntimeError:
            return None
        return sum(map(len, self.iter_encoded()))

    @property
    def is_sequence(self) -> bool:
        """True if the body is at hand, as a list or a tuple."""
        return isinstance(self.response, (list, tuple))

    @property
    def is_streamed(self) -> bool:
        """True if nobody knows in how many chunks the body comes."""
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
            raise RuntimeError("the body is not read unasked (implicit_sequence_conversion): call make_sequence()")
        self.make_sequence()

    def ensure_list(self) -> list[Any]:
        """Return the chunks, as a list that can be changed. Raises RuntimeError if they may not be read."""
        self._ensure_sequence()
        if not isinstance(self.response, list):
            self.response = list(self.response)
        return self.response

    def make_sequence(self) -> None:
        """Read the body into a list of bytes. What it was read from is closed when the response is."""
        if self.is_sequence:
            return
        source = self.response
        self.response = list(self.iter_encoded())
        if close := getattr(source, "close", None):
            self.call_on_close(close)

    def iter_encoded(self) -> Iterator[bytes]:
        """Return the chunks of the body, text encoded."""
        chunks = self.response
        if type(chunks) is list and len(chunks) == 1 and type(chunks[0]) is bytes:
            return iter(chunks)
        return _encoded(chunks, self.charset)

    def freeze(self) -> None:
        """Have the body at hand in bytes, so that it can be pickled, with its Content-Length and an ETag."""
        self.response = list(self.iter_encoded())
        self.headers["Content-Length"] = str(sum(map(len, self.response)))
        self.add_etag()

    def add_etag(self, overwrite: bool = False, weak: bool = False) -> None:
        """Make a tag of the body: what knows tags does."""

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """Have a function called when the response is closed, and return it."""
        self._on_close.append(func)
        return func

    def close(self) -> None:
        """Close the body, if it can be closed, and call what was given to ``call_on_close``."""
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
