"""Delimiters of multipart forms next to a bare LF, which the originals read and the parser does not."""

import re
from collections.abc import Iterable, Iterator

from antiphon.http import BadRequest

_AFTER_BOUNDARY = (b"\r\n", b"--", b"\n", b" ", b"\t")
_may_begin_delimiter = re.compile(rb"[\r\n-]").search


def follows_bare_line_feed(data: bytes, boundary: bytes) -> bool:
    """Return True if a boundary in the data follows LF without CR."""
    return data.count(b"\n--" + boundary) != data.count(b"\r\n--" + boundary)


class DelimiterLines:
    """The delimiter lines of one form, and what is known about them after its chunks are read.

    - ``has_boundary``: True if the boundary occurred, anywhere.
    - ``has_delimiter``: True if there was a line that is a delimiter.
    - ``has_end``: True if the last delimiter occurred, anywhere.
    - ``has_bare_line_feed``: True if a bare LF came before or after a boundary.
    """

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._opening = b"--" + boundary
        self._longest = len(b"\r\n" + self._opening + b"\r\n")
        self.has_boundary = self.has_delimiter = self.has_end = self.has_bare_line_feed = False
        self._has_bare_end = False

    def in_crlf(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a form with CRLF for each bare LF before and after a delimiter, in one pass.

        Raises BadRequest for a delimiter after the last one, if it follows a bare LF: the originals lose the data
        between them.
        """
        held = b"\r\n"  # the first delimiter of most forms follows no line break
        added = len(held)
        for chunk in chunks:
            read, position = self._replaced(held + chunk)
            possible = _may_begin_delimiter(read, max(position, len(read) - self._longest))
            cut = possible.start() if possible else len(read)
            yield read[added:cut]
            added = max(0, added - cut)
            held = read[cut:]
        if follows_bare_line_feed(held, self._boundary):
            self.has_bare_line_feed = True
        yield held[added:]

    def _replaced(self, read: bytes) -> tuple[bytes, int]:
        """Return the bytes with CRLF around the delimiters, and where the last of these ends."""
        opening = self._opening
        pieces: list[bytes] = []
        start = position = 0
        at = read.find(opening)
        while at >= 0:
            self.has_boundary = True
            end = at + len(opening)
            after = read[end : end + 2]
            if after == b"--":
                self.has_end = True
            if read[at - 1 : at] == b"\n" and after.startswith(_AFTER_BOUNDARY):
                bare = [at - 1] if read[at - 2 : at] != b"\r\n" else []
                self._pass_delimiter(is_bare_end=bool(bare) and after == b"--")
                if after.startswith(b"\n"):
                    bare.append(end)
                for line_feed in bare:
                    pieces += read[start:line_feed], b"\r"
                    start = line_feed
                position = end + len(pieces) // 2 + 2 * (after == b"--")
            at = read.find(opening, end)
        if not pieces:
            return read, position
        self.has_bare_line_feed = True
        return b"".join((*pieces, read[start:])), position

    def _pass_delimiter(self, *, is_bare_end: bool) -> None:
        if self._has_bare_end:
            raise BadRequest("The lines between the parts of the form end in LF, not in CRLF.")
        self.has_delimiter = True
        self._has_bare_end = is_bare_end
