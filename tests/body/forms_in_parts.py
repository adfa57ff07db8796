"""Forms for tests: print them, cut them into chunks, and read them by the parser."""

from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from antiphon.body.multipart import MultipartLimits, MultipartParser
from antiphon.body.part_head import PartHead

BOUNDARY = b"----WebKitFormBoundary7MA4YWxkTrZu0gW8"


class Found(NamedTuple):
    """A part as it was read: its head, where its content ends in the body, and the content."""

    head: PartHead
    end: int
    content: bytes

    @property
    def item(self) -> tuple[bytes | None, bytes | None, bytes]:
        return self.head.name, self.head.filename, self.content


def read(chunks: Iterable[bytes], boundary: bytes = BOUNDARY, **limits: object) -> list[Found]:
    """The parts of the body that comes in these chunks, their content put together from the events."""
    parser = MultipartParser(boundary, limits=MultipartLimits(**limits))
    found: list[Found] = []
    head: PartHead | None = None
    content: list[bytes] = []
    for chunk in chunks:
        for event in parser.feed(chunk):
            if isinstance(event, PartHead):
                assert head is None
                head, content = event, []
                continue
            assert head is not None
            assert 0 <= event.start <= event.end <= len(chunk)
            content.append(event.of(chunk))
            if event.part_end is not None:
                found.append(Found(head, event.part_end, b"".join(content)))
                head = None
    parser.finish()
    assert head is None
    return found


def cut(body: bytes, places: Iterable[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(body) + 1) for place in places), len(body)]
    return [body[start:end] for start, end in pairwise(bounds)]


def evenly(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def print_part(fields: bytes, content: bytes, boundary: bytes = BOUNDARY) -> bytes:
    return b"--%b\r\n%b\r\n\r\n%b\r\n" % (boundary, fields, content)


def print_form(
    parts: Iterable[tuple[bytes, bytes | None, bytes | None, bytes]], boundary: bytes = BOUNDARY, end: bytes = b"\r\n"
) -> bytes:
    """A form of (name, filename, content type, content), as browsers print it."""
    printed = []
    for name, filename, content_type, content in parts:
        fields = b'Content-Disposition: form-data; name="%b"' % name
        if filename is not None:
            fields += b'; filename="%b"' % filename
        if content_type is not None:
            fields += b"\r\nContent-Type: " + content_type
        printed.append(print_part(fields, content, boundary))
    return b"".join(printed) + b"--%b--" % boundary + end
