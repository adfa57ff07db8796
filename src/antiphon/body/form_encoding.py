"""Forms with files, encoded as browsers do: ``multipart/form-data`` (RFC 7578, WHATWG HTML §4.10.21.8)."""

from collections.abc import Iterable
from typing import NamedTuple

_ESCAPES = str.maketrans({'"': "%22", "\r": "%0D", "\n": "%0A"})


class EncodedPart(NamedTuple):
    """A part of a form. ``filename`` and ``content_type`` are None for a field that is not a file."""

    name: str
    content: bytes
    filename: str | None = None
    content_type: bytes | None = None

    @property
    def head(self) -> bytes:
        """The header fields of the part. Raises UnicodeEncodeError for a name that UTF-8 can't encode."""
        line = f'Content-Disposition: form-data; name="{self.name.translate(_ESCAPES)}"'
        if self.filename is not None:
            line += f'; filename="{self.filename.translate(_ESCAPES)}"'
        if self.content_type is None:
            return line.encode()
        return b"%s\r\nContent-Type: %s" % (line.encode(), self.content_type)


def encode_multipart(parts: Iterable[EncodedPart], boundary: bytes) -> bytes:
    """Return the body of a form. Raises UnicodeEncodeError for a name that UTF-8 can't encode."""
    start = b"--%s\r\n" % boundary
    chunks = [chunk for part in parts for chunk in (start, part.head, b"\r\n\r\n", part.content, b"\r\n")]
    return b"".join([*chunks, b"--%s--\r\n" % boundary])
