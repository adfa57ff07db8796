"""multipart/form-data forms (RFC 7578, RFC 2046 §5.1): the positions of their parts in the body.

``MultipartParser`` is fed the body in chunks of any size and returns events; its ``read_whole`` reads most small forms
at once. Both return offsets in the body, so a caller that keeps the body needs no copies of the parts. This module does
no I/O.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple, TypeAlias

from antiphon.body.part_head import HeadLimits, IncompleteForm, PartHead, read_head, read_usual_head, too_large_head
from antiphon.http.errors import BadRequest, ContentTooLarge, over_limit
from antiphon.http.grammar import MOST_PARAMETERS, TCHARS, parse_parameters, split_parameters
from antiphon.http.limits import Limits as RequestLimits
from antiphon.speedups import accelerated

LONGEST_BOUNDARY = 70
"""The maximum number of characters in a boundary (RFC 2046 §5.1.1)."""
UNUSABLE_BOUNDARY = (
    f"A boundary must have 1 to {LONGEST_BOUNDARY} printable ASCII characters, and must not end with a space."
)
"""The detail of the error for an invalid boundary."""

_USUAL = "multipart/form-data; boundary="
_multipart = re.compile(rf"[ \t]*+multipart/{TCHARS}[ \t]*+(?:;(.*))?", re.DOTALL | re.IGNORECASE).fullmatch
_boundary = re.compile(rb"[!-~](?:[ -~]{0,%d}[!-~])?" % (LONGEST_BOUNDARY - 2)).fullmatch

# The parser's states: what it is reading.
_PREAMBLE, _HEAD, _CONTENT, _EPILOGUE = range(4)
# Used instead of a state if more bytes are needed to know whether this is a delimiter.
_CUT = 4

# The state after a boundary, by the two bytes that follow it. The first may be padding (RFC 2046 §5.1.1). After any
# other bytes, the boundary only begins a longer line, which is content.
_AFTER_BOUNDARY = {b"\r\n": _HEAD, b" ": _HEAD, b"\t": _HEAD, b"--": _EPILOGUE, b"": _CUT, b"\r": _CUT, b"-": _CUT}
_AFTER_BOUNDARY |= {bytes((padding, byte)): _HEAD for padding in b" \t" for byte in range(256)}
_AFTER_LAST_BOUNDARY = frozenset({b"--\r\n", b"--"})


class MultipartLimits(NamedTuple):
    """Upper bounds on a multipart form.

    - ``parts``: fields and files; 1000.
    - ``head``: bounds of the header fields of one part.
    - ``outside``: meaningless bytes before the first part, and the same number after the last one; 8 KiB.
    """

    parts: int = RequestLimits().parts
    head: HeadLimits = HeadLimits()
    outside: int = 8 << 10


class PartData(NamedTuple):
    """Some content of the part with the latest head: ``held``, then the bytes from ``start`` to ``end`` of the chunk
    just fed.

    ``held`` is from earlier chunks, and nearly always empty: bytes that could have begun a delimiter but did not.
    ``part_end`` is the offset in the body at which the part's content ends; None if more follows.
    """

    start: int
    end: int
    part_end: int | None
    held: bytes

    def of(self, chunk: bytes) -> bytes:
        """Return the content's bytes. ``chunk`` is the one just fed."""
        content = chunk[self.start : self.end]
        return self.held + content if self.held else content


Part: TypeAlias = tuple[bytes | None, bytes | None, str | None, int, bytes, int]
"""The head of a part, and the offset in the body at which its content ends."""

PartEvent: TypeAlias = PartHead | PartData

_USUAL_HEAD_SIZE = min(HeadLimits().size, HeadLimits().name)


def part_of(head: PartHead, end: int) -> Part:
    """Return the part with this head, whose content ends at ``end``."""
    name, filename, content_type, offset, section = head
    return name, filename, content_type, offset, section, end


def parse_boundary(content_type: str) -> bytes:
    """Return the boundary in a Content-Type (RFC 2046 §5.1.1, RFC 7578 §4.1). Raises BadRequest if there is none."""
    # As browsers and common libraries write it.
    if content_type.startswith(_USUAL) and content_type.isascii():
        usual = content_type.encode()[len(_USUAL) :]
        if len(usual) <= LONGEST_BOUNDARY and usual.lstrip(b"-").isalnum():
            return usual
    match = _multipart(content_type)
    if match is None:
        raise BadRequest("A form with parts needs the Content-Type multipart/form-data.")
    written = match[1] or ""
    if [name for name, _ in split_parameters(written)].count("boundary") > 1:
        raise BadRequest("The Content-Type has two boundaries.")
    boundary = parse_parameters(written).get("boundary")
    if not boundary or written.count(";") >= MOST_PARAMETERS:  # a second boundary would not be read
        raise BadRequest("The Content-Type has no boundary. It must be like this: multipart/form-data; boundary=...")
    if not boundary.isascii() or not _boundary(boundary.encode()):
        raise BadRequest(UNUSABLE_BOUNDARY)
    return boundary.encode()


class MultipartParser:
    """A parser that finds the parts of one form.

    Between two chunks, it keeps at most a head and a boundary. It reads every byte a constant number of times. It must
    not be fed again after an error. Raises ValueError for an invalid boundary.
    """

    Limits: TypeAlias = MultipartLimits
    Head: TypeAlias = PartHead
    Data: TypeAlias = PartData
    Incomplete: TypeAlias = IncompleteForm
    parse_boundary = staticmethod(parse_boundary)

    __slots__ = ("_delimiter", "_end", "_gathered", "_held", "_limits", "_offset", "_parts", "_state", "_usual_size")

    def __init__(self, boundary: bytes, *, limits: MultipartLimits = MultipartLimits()) -> None:  # noqa: B008 - immutable
        if not _boundary(boundary):
            raise ValueError(UNUSABLE_BOUNDARY)
        self._limits = limits
        self._delimiter = b"\r\n--" + boundary
        self._state = _PREAMBLE
        self._offset = 0
        self._parts = 0
        self._usual_size = min(limits.head.size, limits.head.name)  # so that no part of a usual head is too large
        self._end = 0
        self._gathered = bytearray()
        self._held = b""

    @staticmethod
    def read_whole(data: bytes, boundary: bytes, limits: RequestLimits) -> list[Part] | None:
        """Return the parts of a form in the format that browsers and common libraries use.

        Return None for any other form, and for a form that may be malformed or exceed a limit: feed those to a parser.
        """
        parts = split_usual_form(data, b"\r\n--" + boundary, min(limits.parts, limits.fields), _USUAL_HEAD_SIZE)
        if parts is None or (len(data) <= limits.form and len(data) <= limits.file and len(parts) <= limits.files):
            return parts
        return parts if _are_within(parts, limits) else None

    @property
    def boundary(self) -> bytes:
        """The boundary between the parts."""
        return self._delimiter[4:]

    def pass_content(self, data: bytes) -> bool:
        """Read the next chunk of the body if all of it belongs to the same part, like most chunks of a large file.

        Return True if it was read.
        """
        delimiter = self._delimiter
        if self._state != _CONTENT or self._held or data.rfind(delimiter) >= 0 or self._cut(data, 0) < len(data):
            return False
        self._offset += len(data)
        return True

    def feed(self, data: bytes) -> list[PartEvent]:
        """Read the next chunk of the body and return its events, in order.

        Each part is one PartHead, then one PartData or more; the last of these has ``part_end``. Raises BadRequest for
        a malformed form, and ContentTooLarge if a limit is exceeded; its member ``limit`` is the limit's name.
        """
        return [*self.events_in(data)]

    def events_in(self, data: bytes) -> Iterator[PartEvent]:
        """Yield the events of ``feed``, each before the error of what comes after it. Read all of them."""
        events: list[PartEvent] = []
        position = 0
        while position < len(data):
            try:
                if self._state == _HEAD:
                    position = self._read_parts(data, position, events)
                elif self._state == _CONTENT:
                    position = self._read_content(data, position, events)
                elif self._state == _PREAMBLE:
                    position = self._read_preamble(data)
                else:
                    position = self._pass_epilogue(data)
            finally:
                yield from events
            events.clear()
        self._offset += len(data)

    def finish(self) -> None:
        """End the body. Raises IncompleteForm, or BadRequest for lines that end in LF, if the form is incomplete."""
        if self._state == _EPILOGUE:
            return
        if self._state == _PREAMBLE:
            raise IncompleteForm("The form has no parts: its body has no line with the boundary of the Content-Type.")
        # Its head ended for the client, but not for the parser: say so, instead of a form that was cut off.
        if self._state == _HEAD and b"\n\n" in self._gathered:
            raise BadRequest("The lines in a part of the form end in LF, not in CRLF.")
        raise IncompleteForm("The form was cut off: its last delimiter is missing.")

    def _read_preamble(self, data: bytes) -> int:
        """Read up to the first delimiter. It must be a whole line and is the only one without a line break before it.

        If a later line were mistaken for it, the parts in between would be lost without an error.
        """
        opening = self._delimiter[2:]
        if not self._offset and data.startswith(opening + b"\r\n"):
            self._pass_delimiter(0, _HEAD)
            return len(opening)
        written = self._gathered
        before = len(written)
        # No more than the limit is kept.
        written += data[: self._limits.outside + len(opening) + 2 - before]
        # From where a boundary may begin that the chunks before have cut: each byte is searched once.
        at = written.find(opening, max(0, before - len(opening) - 1))
        after = at + len(opening)
        follows = _CUT if at < 0 else _AFTER_BOUNDARY.get(bytes(written[after : after + 2]))
        self._check_outside(at if at >= 0 else len(written) - len(opening))
        if follows is None or (at > 0 and not written.endswith(b"\r\n", 0, at)):
            raise BadRequest("The form's first boundary is not on its own line.")
        if follows == _CUT:
            return len(data)
        self._pass_delimiter(after, follows)
        written[:] = written[after:before]
        return max(0, after - before)

    def _read_parts(self, data: bytes, start: int, events: list[PartEvent]) -> int:
        """Read parts that are complete and in the usual form, from ``start``, where a boundary ended."""
        if self._gathered:
            return self._read_head(data, start, events)
        delimiter = self._delimiter
        offset = self._offset
        while head := read_usual_head(data, start, offset, self._usual_size):
            events.append(head)
            content = head.offset - offset
            end = data.find(delimiter, content)
            start = end + len(delimiter)
            follows = _AFTER_BOUNDARY.get(data[start : start + 2]) if end >= 0 else None
            if follows is None or follows == _CUT:
                self._state = _CONTENT
                return self._end_content(data, content, end, events)
            # A named tuple's own constructor takes twice as long.
            events.append(tuple.__new__(PartData, (content, end, offset + end, b"")))
            self._pass_delimiter(offset + start, follows)
            if follows == _EPILOGUE:
                return start
        return self._read_head(data, start, events)

    def _read_head(self, data: bytes, start: int, events: list[PartEvent]) -> int:
        """Read a head in any form, which may have begun in earlier chunks."""
        written = self._gathered
        limits = self._limits.head
        before = len(written)
        most = start + limits.size - before
        found = data.find(b"\r\n\r\n", start, most)
        written += data[start : most if found < 0 else found + 4]
        # The end may begin in the three bytes before: each byte is searched once.
        end = written.find(b"\r\n\r\n", max(0, before - 3))
        if end < 0:
            if len(written) >= limits.size:
                raise too_large_head(limits)
            return len(data)
        content = start + end + 4 - before
        events.append(read_head(bytes(written[:end]), self._offset + content, limits))
        written.clear()
        self._state = _CONTENT
        return content

    def _read_content(self, data: bytes, start: int, events: list[PartEvent]) -> int:
        delimiter = self._delimiter
        if self._held:
            # Two bytes more, which show whether it is a delimiter.
            seam = self._held + data[: len(delimiter) + 2 - len(self._held)]
            end, follows = self._settle(seam, 0, seam.find(delimiter))
            if end == 0:
                return self._pass_seam(seam, follows, events, len(data))
        # Most chunks of a large file have no delimiter, and a search from their end establishes that in half the time.
        # For parts that begin within a chunk, however, this would take quadratic time.
        if not start and data.rfind(delimiter) < 0:
            return self._pass_content(data, 0, self._cut(data, 0), events)
        return self._end_content(data, start, data.find(delimiter, start), events)

    def _pass_seam(self, seam: bytes, follows: int, events: list[PartEvent], fed: int) -> int:
        """Skip a delimiter that begins in the held bytes. Return the position in the chunk after it."""
        held = self._held
        if follows == _CUT:
            self._held = seam
            return fed
        self._held = b""
        events.append(PartData(0, 0, self._offset - len(held), b""))
        self._pass_delimiter(self._offset + len(self._delimiter) - len(held), follows)
        # What was held after the boundary is the beginning of the head.
        self._gathered += held[len(self._delimiter) :]
        return max(0, len(self._delimiter) - len(held))

    def _end_content(self, data: bytes, start: int, found: int, events: list[PartEvent]) -> int:
        """Read up to the delimiter found at ``found``, if it is one, or to the end of the data."""
        end, follows = self._settle(data, start, found)
        if follows == _CUT:
            return self._pass_content(data, start, end, events)
        events.append(PartData(start, end, self._offset + end, self._held))
        self._held = b""
        self._pass_delimiter(self._offset + end + len(self._delimiter), follows)
        return end + len(self._delimiter)

    def _pass_content(self, data: bytes, start: int, end: int, events: list[PartEvent]) -> int:
        """Read content up to ``end``, and hold the rest, which may begin a delimiter."""
        if end > start or self._held:
            events.append(tuple.__new__(PartData, (start, end, None, self._held)))
        self._held = data[end:]
        return len(data)

    def _settle(self, data: bytes, start: int, found: int) -> tuple[int, int]:
        """Return the position of the next delimiter, and the state after it. ``found`` is the position to check first,
        or -1.

        The state is _CUT if more bytes are needed; the position is then where a delimiter may begin, or the end of the
        data.
        """
        delimiter = self._delimiter
        while found >= 0:
            after = found + len(delimiter)
            follows = _AFTER_BOUNDARY.get(data[after : after + 2])
            if follows is not None:
                return found, follows
            found = data.find(delimiter, after)
        return self._cut(data, start), _CUT

    def _cut(self, data: bytes, start: int) -> int:
        """Return the position of a possible delimiter that the next chunk may complete, otherwise the end of the
        data.
        """
        delimiter = self._delimiter
        # A delimiter contains one CR, at its beginning.
        cut = data.rfind(b"\r", max(start, len(data) - len(delimiter) + 1))
        return cut if cut >= 0 and delimiter.startswith(data[cut:]) else len(data)

    def _pass_delimiter(self, offset: int, follows: int) -> None:
        """Enter the state after a delimiter whose boundary ends at ``offset`` in the body."""
        self._state = follows
        if follows == _EPILOGUE:
            self._end = offset
            return
        parts = self._parts = self._parts + 1
        if parts > self._limits.parts:
            most = self._limits.parts
            raise over_limit(ContentTooLarge, "parts", most, f"The form has more than {most} parts.")

    def _pass_epilogue(self, data: bytes) -> int:
        self._check_outside(self._offset + len(data) - self._end)
        return len(data)

    def _check_outside(self, length: int) -> None:
        if length > self._limits.outside:
            outside = self._limits.outside
            detail = f"The form has more than {outside} bytes before or after its parts."
            raise over_limit(ContentTooLarge, "outside", outside, detail)


@accelerated
def split_usual_form(data: bytes, delimiter: bytes, most: int, longest: int, /) -> list[Part] | None:
    """Return the parts of a form whose heads are in the usual form and have ``longest`` bytes or less.

    Return None for any other form, and for a form with more than ``most`` parts. The delimiter contains one CR, at its
    beginning.
    """
    if not data.startswith(delimiter[2:]):
        return None
    parts: list[Part] = []
    start = len(delimiter) - 2
    while data[start : start + 5] not in _AFTER_LAST_BOUNDARY:
        head = read_usual_head(data, start, 0, longest)
        # Any other form is left to ``MultipartParser``, which names the fault.
        if head is None or len(parts) == most:
            return None
        end = data.find(delimiter, head.offset)
        if end < 0:
            return None
        parts.append(part_of(head, end))
        start = end + len(delimiter)
    return parts


def _are_within(parts: list[Part], limits: RequestLimits) -> bool:
    files = [end - start for _, filename, _, start, _, end in parts if filename is not None]
    fields = sum([end - start for _, filename, _, start, _, end in parts if filename is None])
    return len(files) <= limits.files and max(files, default=0) <= limits.file and fields <= limits.form
