"""The body of a response as a file that is written."""

from collections.abc import Iterable
from typing import Any

from antiphon.lazy import lazy


class ResponseStream:
    """A file whose writes append to the body of a response."""

    mode = "wb+"

    def __init__(self, response: Any) -> None:
        self.response = response
        self.closed = False

    def write(self, value: bytes) -> int:
        """Append to the body. Raises ValueError if it is closed."""
        self._check_open()
        self.response.ensure_list().append(value)
        self.response.headers.pop("Content-Length", None)
        return len(value)

    def writelines(self, seq: Iterable[bytes]) -> None:
        """Append several chunks."""
        for chunk in seq:
            self.write(chunk)

    def close(self) -> None:
        """Take no more."""
        self.closed = True

    def flush(self) -> None:
        """Do nothing. Raises ValueError if it is closed."""
        self._check_open()

    def isatty(self) -> bool:
        """False. Raises ValueError if it is closed."""
        self._check_open()
        return False

    def tell(self) -> int:
        """How long the body is."""
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
    """A body that is written."""

    @lazy
    def stream(self) -> ResponseStream:
        """The body as a file that is written."""
        return ResponseStream(self)
