"""A streaming parser of multipart forms (RFC 7578) that accepts the same delimiters as the original frameworks."""

import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import IO, TypeAlias, cast

from antiphon import Upload
from antiphon.embedding import MultipartParser, Spool, Window, over_limit
from antiphon.http import BadRequest, ContentTooLarge

_AFTER_BOUNDARY = (b"\r\n", b"--", b"\n", b" ", b"\t")
_may_begin_delimiter = re.compile(rb"[\r\n-]").search


def follows_bare_line_feed(data: bytes, boundary: bytes) -> bool:
    """Return True if a boundary in the data follows an LF without CR."""
    return data.count(b"\n--" + boundary) != data.count(b"\r\n--" + boundary)


class DelimiterLines:
    """The delimiter lines of one form. The attributes are set as its chunks are read.

    - ``has_boundary``: True if the boundary occurred anywhere.
    - ``has_delimiter``: True if the form contained a delimiter line.
    - ``has_end``: True if the closing delimiter occurred anywhere.
    - ``has_bare_line_feed``: True if a bare LF came before or after a boundary.
    """

    def __init__(self, boundary: bytes) -> None:
        self._boundary = boundary
        self._opening = b"--" + boundary
        self._longest = len(b"\r\n" + self._opening + b"\r\n")
        self.has_boundary = self.has_delimiter = self.has_end = self.has_bare_line_feed = False
        self._has_bare_end = False

    def in_crlf(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield the chunks of a form, replacing each bare LF before or after a delimiter with CRLF, in one pass.

        Raises BadRequest if a bare LF comes before the closing delimiter and more delimiters follow: the original
        frameworks lose the data between them.
        """
        held = b"\r\n"  # in most forms, no line break comes before the first delimiter
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
        """Return the bytes with CRLF around the delimiters, and the position where the last delimiter ends."""
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
            raise BadRequest("The lines between the parts of the form must end in CRLF, not LF.")
        self.has_delimiter = True
        self._has_bare_end = is_bare_end


FIELD = "field"
"""The value of the error's ``limit`` when a single field is too large."""


class FormFile(Upload):
    """A file uploaded with a form, stored on the form's spool. Closing all files of the form frees the space."""

    def __init__(
        self, spool: Spool, offset: int, size: int, head: MultipartParser.Head, *, name: str, filename: str
    ) -> None:
        self._shared = spool.share()
        self._start = offset
        super().__init__(self._shared, offset, size, head, name=name, filename=filename)

    def open(self) -> Window:
        """Return the file's bytes as a file object. Closing that object closes the file."""
        return _ClosingWindow(self._shared, self._start, self.size)


class _ClosingWindow(Window):
    def __init__(self, spool: Spool, offset: int, length: int) -> None:
        super().__init__(spool, offset, length)
        self._shared = spool

    def close(self) -> None:
        super().close()
        self._shared.close()


Part: TypeAlias = tuple[str, MultipartParser.Head, bytes | FormFile | IO[bytes]]
"""A part's decoded name, its head, and its content: the bytes of a field, or a file."""


class FormReader:
    """A reader of one multipart form. It skips parts without a name.

    ``decode`` decodes the names of fields and files. ``open_file``, if given, opens a file for each upload; the upload
    is written to that file instead of to the spool. ``max_fields``, if given, limits the total size of all fields in
    bytes. ``name_file``, if given, returns a filename for a part whose head has no ``filename``, or None if it is a
    field.
    """

    def __init__(
        self,
        decode: Callable[[bytes], str],
        open_file: Callable[[MultipartParser.Head], IO[bytes]] | None = None,
        max_fields: int | None = None,
        name_file: Callable[[MultipartParser.Head], bytes | None] | None = None,
    ) -> None:
        self._decode = decode
        self._open_file = open_file
        self._max_fields = max_fields
        self._name_file = name_file
        self._parts: list[
            tuple[MultipartParser.Head, bytes | IO[bytes] | int]
        ] = []  # an int is a file's end on the spool
        self._received = 0
        self._spool: Spool | None = None
        self._spool_start = 0
        self._head: MultipartParser.Head | None = None
        self._field: list[bytes] = []
        self._fields_size = 0
        self._file: IO[bytes] | None = None

    def read(self, stream: IO[bytes], parser: MultipartParser, chunk_size: int) -> list[Part]:
        """Read a stream to its end and return the parts in order.

        Raises the parser's BadRequest and ContentTooLarge, and ContentTooLarge for fields that are too large. On any
        error, including a body that is cut short, the files are closed, since the traceback may be kept for a long
        time.
        """
        lines = DelimiterLines(parser.boundary)
        chunks = lines.in_crlf(iter(partial(stream.read, chunk_size), b""))
        try:
            for chunk in chunks:
                self._add(chunk, parser.events_in(chunk))
            _finish(parser, lines)
        except ContentTooLarge as error:
            self._close()
            if self._head is None and error.members.get("limit") == "outside":
                deque(chunks, maxlen=0)
                if not lines.has_boundary:
                    raise MultipartParser.Incomplete("The form has many bytes, but no parts.") from None
            raise
        except BaseException:
            self._close()
            raise
        return [self._finished(head, content) for head, content in self._parts]

    def _close(self) -> None:
        contents = [content for _, content in self._parts]
        for file in (self._spool, self._file, *contents):
            if file is not None and not isinstance(file, (bytes, int)):
                file.close()

    def _add(self, chunk: bytes, events: Iterable[MultipartParser.Head | MultipartParser.Data]) -> None:
        if self._spool is not None:
            self._spool.write(chunk)
        for event in events:
            if isinstance(event, MultipartParser.Head):
                self._start(event, chunk)
            elif self._head is not None:
                self._continue(self._head, event, chunk)
        self._received += len(chunk)

    def _start(self, head: MultipartParser.Head, chunk: bytes) -> None:
        if head.filename is None and self._name_file is not None:
            head = head._replace(filename=self._name_file(head))
        self._head = head
        self._field = []
        self._file = None
        if head.filename is None:
            return
        if self._open_file is not None:
            self._file = self._open_file(head)
        elif self._spool is None:
            self._spool = Spool()
            self._spool_start = self._received
            self._spool.write(chunk)

    def _continue(self, head: MultipartParser.Head, data: MultipartParser.Data, chunk: bytes) -> None:
        if head.filename is None:
            self._add_to_field(data.of(chunk))
        elif self._file is not None:
            self._file.write(data.of(chunk))
        if data.part_end is not None and head.name is not None:
            self._parts.append((head, self._content(head, data.part_end)))

    def _add_to_field(self, content: bytes) -> None:
        self._fields_size += len(content)
        if self._max_fields is not None and self._fields_size > self._max_fields:
            detail = f"The fields of the form exceed {self._max_fields} bytes."
            raise over_limit(ContentTooLarge, FIELD, self._max_fields, detail)
        self._field.append(content)

    def _content(self, head: MultipartParser.Head, end: int) -> bytes | IO[bytes] | int:
        if head.filename is None:
            return self._field[0] if len(self._field) == 1 else b"".join(self._field)
        if self._file is None:
            return end
        self._file.seek(0)
        return self._file

    def _finished(self, head: MultipartParser.Head, content: bytes | IO[bytes] | int) -> Part:
        name = self._decode(head.name or b"")
        if not isinstance(content, int):
            return name, head, content
        spool, start = cast("Spool", self._spool), head.offset - self._spool_start
        filename = self._decode(head.filename or b"")
        return name, head, FormFile(spool, start, content - head.offset, head, name=name, filename=filename)


def _finish(parser: MultipartParser, lines: DelimiterLines) -> None:
    """Finish parsing. Raises MultipartParser.Incomplete if the body is cut short.

    Raises BadRequest instead if the original framework might regard part of the body as the form's end.
    """
    try:
        parser.finish()
    except MultipartParser.Incomplete:
        if lines.has_end or lines.has_bare_line_feed:
            raise BadRequest("The form's last delimiter is missing, or not on a line of its own.") from None
        raise
