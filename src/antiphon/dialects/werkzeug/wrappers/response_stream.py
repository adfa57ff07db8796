"""The body of a response as a writable file."""

from collections.abc import Iterable
from typing import Any

from antiphon.embedding import lazy


class ResponseStream:
    """A file whose writes append to the body of a response."""

    mode = "wb+"

    def __init__(self, response: Any) -> None:
        self.response = response
        self.closed = False

    def write(self, value: bytes) -> int:
        """Append to the body, and return the number of bytes. Raises ValueError if the stream is closed."""
        self._check_open()
        self.response.ensure_list().append(value)
        self.response.headers.pop("Content-Length", None)
        return len(value)

    def writelines(self, seq: Iterable[bytes]) -> None:
        """Append several chunks to the body."""
        for chunk in seq:
            self.write(chunk)

    def close(self) -> None:
        """Refuse further writes."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing. Raises ValueError if the stream is closed."""
        self._check_open()

    def isatty(self) -> bool:
        """Return False. Raises ValueError if the stream is closed."""
        self._check_open()
        return False

    def tell(self) -> int:
        """Return the number of bytes in the body."""
        return sum(map(len, self.response.ensure_list()))

    @property
    def encoding(self) -> str:
        """The charset of text in the body."""
        charset: str = self.response.charset
        return charset

    def _check_open(self) -> None:
        if self.closed:
            raise ValueError("the stream of the response is closed")


class ResponseStreamMixin:
    """A mixin for a body that can be written."""

    @lazy
    def stream(self) -> ResponseStream:
        """The body as a writable file."""
        return ResponseStream(self)
