"""A form in parts that is there as a whole, written as browsers do it: most are, and are read in half the time."""

from antiphon.body.part_head import HeadLimits, PartHead, read_usual_head
from antiphon.http.limits import Limits

_LONGEST_HEAD = min(HeadLimits().size, HeadLimits().name)
_CLOSING = frozenset({b"--\r\n", b"--"})


def read_whole_form(data: bytes, boundary: bytes, limits: Limits) -> list[tuple[PartHead, int]] | None:
    """The parts, and where in ``data`` they end.

    None for a form that is written otherwise, or not well, or might be beyond a limit: those are for MultipartParser.
    """
    delimiter = b"\r\n--" + boundary
    size, most = len(data), limits.parts
    if size > limits.form or size > limits.file or not data.startswith(delimiter[2:]):
        return None
    # The last part is the largest of most forms, and to search from the end takes half the time.
    last = data.rfind(delimiter)
    last_but_one = data.rfind(delimiter, 0, last)
    parts: list[tuple[PartHead, int]] = []
    start, end = len(delimiter) - 2, -1
    while end != last:
        head = read_usual_head(data, start, 0, _LONGEST_HEAD)
        if head is None or len(parts) == most:
            return None
        end = last if head.offset > last_but_one else data.find(delimiter, head.offset)
        if end < head.offset:
            return None
        parts.append((head, end))
        start = end + len(delimiter)
    if len(parts) > limits.fields or len(parts) > limits.files or data[start : start + 5] not in _CLOSING:
        return None
    return parts
