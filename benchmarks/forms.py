"""Forms in parts (multipart/form-data), as browsers write them."""

from collections.abc import Mapping
from random import Random

from .apps.work import FIELDS

BOUNDARY = "----WebKitFormBoundaryq3Z8xkT0dVYh2s1A"
CONTENT_TYPE = f"multipart/form-data; boundary={BOUNDARY}"
NAMES = FIELDS
CLOSE = f"\r\n--{BOUNDARY}--\r\n".encode()
PICTURE = Random(7).randbytes(10 << 10)
"""A small file of random bytes, as those of pictures are: where all are equal, a boundary is found far sooner."""


def field(name: str, value: str) -> bytes:
    return f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def file_head(name: str, filename: str, content_type: str) -> bytes:
    """A file's part, up to its content."""
    disposition = f'Content-Disposition: form-data; name="{name}"; filename="{filename}"'
    return f"--{BOUNDARY}\r\n{disposition}\r\nContent-Type: {content_type}\r\n\r\n".encode()


def picture_form() -> bytes:
    """A whole form with a title and a small file."""
    return field("title", "A lamp") + file_head("file", "lamp.jpg", "image/jpeg") + PICTURE + CLOSE


def fields_form(values: Mapping[str, str]) -> bytes:
    """A whole form without a file."""
    return b"".join(field(name, value) for name, value in values.items()).removesuffix(b"\r\n") + CLOSE
