"""The fields and files of a form in parts, gathered while its chunks come."""

from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, cast

from antiphon.body.multipart import PartData
from antiphon.body.part_head import PartHead
from antiphon.dialects.werkzeug.datastructures import FileStorage, Headers
from antiphon.dialects.werkzeug.exceptions import RequestEntityTooLarge
from antiphon.dialects.werkzeug.form_file import FormFile
from antiphon.uploads.spool import Spool

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.formparser import MultiPartParser

NO_BOUND = 1 << 62


class GatheredForm:
    """The fields and files of a form, while its chunks come."""

    def __init__(self, parser: "MultiPartParser", content_length: int | None, has_factory: bool) -> None:
        self.fields: list[tuple[str, str]] = []
        self.files: list[tuple[str, FileStorage]] = []
        self._parser = parser
        self._most = NO_BOUND if parser.max_form_memory_size is None else parser.max_form_memory_size
        self._has_factory = has_factory
        self._content_length = content_length
        self._received = 0
        self._spool: Spool | None = None
        self._spool_begins = 0
        self._head: PartHead | None = None
        self._headers: Headers | None = None
        self._field: list[bytes] = []
        self._field_size = 0
        self._file: IO[bytes] | None = None
        self._spooled: list[tuple[PartHead, int]] = []
        """The files that are in the spool, and where they end in the body."""

    def add(self, chunk: bytes, events: Iterable[PartHead | PartData]) -> None:
        """Take a chunk of the body, and what the parser found in it."""
        if self._spool is not None:
            self._spool.write(chunk)
        for event in events:
            if isinstance(event, PartHead):
                self._begin(event, chunk)
            else:
                self._go_on(event, chunk)
        self._received += len(chunk)

    def _begin(self, head: PartHead, chunk: bytes) -> None:
        self._head = head
        self._headers = None
        self._field = []
        self._field_size = 0
        self._file = None
        if head.filename is None:
            return
        if self._has_factory:
            self._file = self._open(head)
        elif self._spool is None:
            self._spool = Spool()
            self._spool_begins = self._received
            self._spool.write(chunk)

    def _open(self, head: PartHead) -> IO[bytes]:
        self._headers = headers = _headers(head)
        return self._parser.stream_factory(
            total_content_length=self._content_length,
            filename=self._decode(head.filename),
            content_type=head.content_type,
            content_length=headers.get("content-length", type=int) or 0,
        )

    def _go_on(self, data: PartData, chunk: bytes) -> None:
        head = self._head
        if head is None:
            return
        if head.filename is None:
            content = data.of(chunk)
            self._field_size += len(content)
            if self._field_size > self._most:
                raise RequestEntityTooLarge
            self._field.append(content)
        elif self._file is not None:
            self._file.write(data.of(chunk))
        if data.part_end is not None:
            self._end(head, data.part_end)

    def _end(self, head: PartHead, end: int) -> None:
        if head.name is None:
            return
        name = self._decode(head.name)
        if head.filename is None:
            self.fields.append((name, self._value(head)))
        elif self._file is None:
            self._spooled.append((head, end))
        else:
            self._file.seek(0)
            self.files.append((name, FileStorage(self._file, self._decode(head.filename), name, headers=self._headers)))

    def finish(self) -> None:
        """Make the files that are in the spool, when it is complete."""
        for head, end in self._spooled:
            name, filename = self._decode(head.name), self._decode(head.filename)
            spool, start = cast("Spool", self._spool), head.offset - self._spool_begins
            upload = FormFile(spool, start, end - head.offset, head, name=name, filename=filename)
            self.files.append((name, FileStorage(upload, filename, name)))

    def _value(self, head: PartHead) -> str:
        charset = self._parser.get_part_charset(_headers(head)) if head.content_type else self._parser.charset
        value = self._field[0] if len(self._field) == 1 else b"".join(self._field)
        return value.decode(charset, "replace")

    def _decode(self, written: bytes | None) -> str:
        return (written or b"").decode(self._parser.charset, "replace")


def _headers(head: PartHead) -> Headers:
    return Headers([(name.decode().title(), value.decode("utf-8", "replace")) for name, value in head.fields])
