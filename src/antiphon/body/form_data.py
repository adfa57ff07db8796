"""multipart/form-data forms: an index of their parts, built while they arrive, and their fields and files."""

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeVar

from antiphon.body.multipart import MultipartLimits, MultipartParser, Part, PartData, PartEvent, parse_boundary, part_of
from antiphon.body.part_head import PartHead
from antiphon.http.charset import decode, form_codec
from antiphon.http.errors import BadRequest, ContentTooLarge, over_limit, without_traceback
from antiphon.http.limits import Limits
from antiphon.http.media_type import MediaType
from antiphon.http.multidict import Files, MultiDict
from antiphon.uploads.spool import Spool
from antiphon.uploads.upload import Upload

V = TypeVar("V")


class FormData(NamedTuple):
    """The fields of a form, and its files."""

    fields: MultiDict[str]
    files: MultiDict[Upload]


class FormBounds:
    """A counter of a form's parts and bytes. Raises ContentTooLarge (413) as soon as a limit is exceeded."""

    __slots__ = ("_fields", "_files", "_head", "_in_fields", "_in_file", "_limits")

    _head: PartHead

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fields = self._files = self._in_fields = self._in_file = 0

    def count(self, events: Iterable[PartEvent]) -> list[Part]:
        """Count the events of one chunk. Return the parts that ended in it."""
        ended: list[Part] = []
        for event in events:
            if isinstance(event, PartHead):
                self._begin(event)
                continue
            start, end, part_end, held = event
            self.count_content(len(held) + end - start)
            if part_end is not None:
                ended.append(part_of(self._head, part_end))
        return ended

    def count_content(self, size: int) -> None:
        """Count this many bytes for the part that began last."""
        limits = self._limits
        if self._head.filename is None:
            self._in_fields += size
            if self._in_fields > limits.form:
                raise _too_large("form", limits.form, "The form's fields, not counting files, exceed")
        else:
            self._in_file += size
            if self._in_file > limits.file:
                raise _too_large("file", limits.file, "A file in the form exceeds")

    def _begin(self, head: PartHead) -> None:
        self._head = head
        limits = self._limits
        if head.filename is None:
            if head.has_extended_filename:  # a file of other libraries, whose bytes are not text
                raise BadRequest("A part of the form has only filename*, which forms must not have (RFC 7578 §4.2).")
            self._fields += 1
            if self._fields > limits.fields:
                raise _too_many("fields", limits.fields)
        else:
            self._files += 1
            # The limit is for each file; that of the fields is for all of them.
            self._in_file = 0
            if self._files > limits.files:
                raise _too_many("files", limits.files)


class FormIndex:
    """An index of a form's parts (RFC 7578), built from the whole body, or from chunks as they are fed.

    Raises ContentTooLarge (413) as soon as a limit is exceeded. A malformed form is an error only for code that reads
    the form: other code may want its bytes.
    """

    __slots__ = ("_bounds", "_data", "_failure", "_limits", "_parser", "_parts")

    def __init__(self, content_type: str, limits: Limits, data: bytes | None = None) -> None:
        self._data = data
        self._limits = limits
        self._failure: BadRequest | None = None
        self._parser: MultipartParser | None = None
        self._parts: list[Part] = []
        try:
            boundary = parse_boundary(content_type)
        except BadRequest as error:
            self._failure = without_traceback(error)
            return
        # In one call, for forms as browsers write them; the parser reads all others.
        parts = None if data is None else MultipartParser.read_whole(data, boundary, limits)
        if parts is not None:
            self._parts = parts
            return
        self._bounds = FormBounds(limits)
        self._parser = MultipartParser(boundary, limits=_within(limits.parts))
        if data is not None:
            self.feed(data)

    @classmethod
    def of(cls, content_type: str, spool: Spool, limits: Limits) -> "FormIndex":
        """Return the index of the parts that a spool contains so far. More chunks can be fed to it.

        Raises ContentTooLarge (413) for a form beyond a limit.
        """
        form, offset = cls(content_type, limits), 0
        while chunk := spool.chunk_at(offset):
            form.feed(chunk)
            offset += len(chunk)
        return form

    def feed(self, data: bytes) -> None:
        """Index the next chunk. Raises ContentTooLarge (413) beyond a limit."""
        parser = self._parser
        if self._failure is not None or parser is None:
            return
        if parser.pass_content(data):
            self._bounds.count_content(len(data))
            return
        try:
            self._parts += self._bounds.count(parser.events_in(data))
        except BadRequest as error:
            self._failure = without_traceback(error)

    def check(self, limits: Limits) -> None:
        """Check the parts so far against limits that were set later. Raises ContentTooLarge (413) beyond one."""
        # The same object: nothing has been set since.
        if limits is self._limits:
            return
        if len(self._parts) > limits.parts:
            raise _too_many("parts", limits.parts)
        bounds = FormBounds(limits)
        for *head, end in self._parts:
            begun = PartHead._make(head)
            bounds.count([begun, PartData(begun.offset, end, end, b"")])
        self._limits = limits

    def read(self, spool: Spool, charset: str | None) -> FormData:
        """Return the form, once all of it has been fed. ``spool`` contains its bytes; ``charset`` is the charset that
        the request declares.

        Raises BadRequest (400) for a malformed or incomplete form.
        """
        if self._failure is not None:
            raise without_traceback(self._failure)
        if self._parser is not None:
            self._parser.finish()
        data = self._data
        stated: tuple[str | None, ...] = (charset,)
        for written, filename, _, start, _, end in self._parts:
            # The field with which a form names its charset (RFC 7578 §4.6).
            if written == b"_charset_" and filename is None:
                stated = (spool.read_at(start, end - start).decode("latin-1"), charset)
                break
        codec = form_codec(*stated)
        is_utf8 = codec == "utf-8"  # as nearly all forms are: parts are decoded without a call
        fields: list[tuple[str, str]] = []
        files: list[tuple[str, Upload]] = []
        for part in self._parts:
            written, filename, content_type, start, _, end = part
            if written is None:
                continue
            name = written.decode("utf-8", "replace") if is_utf8 else decode(written, codec)
            if filename is not None:
                head = tuple.__new__(PartHead, part[:5])
                sent = filename.decode("utf-8", "replace") if is_utf8 else decode(filename, codec)
                files.append((name, Upload(spool, start, end - start, head, name, sent)))
                continue
            value = spool.read_at(start, end - start) if data is None else data[start:end]
            own = _charset(content_type) if content_type else None
            if is_utf8 and own is None:
                fields.append((name, value.decode("utf-8", "replace")))
            else:
                fields.append((name, decode(value, form_codec(own, *stated))))
        # In half the time of its constructor.
        return tuple.__new__(FormData, (_by_name(MultiDict, fields), _by_name(Files, files)))


def _by_name(kind: type[MultiDict[V]], pairs: list[tuple[str, V]]) -> MultiDict[V]:
    """Return pairs by name, in a third of the time that ``kind`` takes if no name is repeated."""
    values = dict(pairs)
    return kind._holding(values if len(values) == len(pairs) else pairs)  # noqa: SLF001 - no other code has them


@lru_cache(16)
def _within(parts: int) -> MultipartLimits:
    """Return the limits of a form, which are always the same for a route."""
    return MultipartLimits(parts)


def _charset(content_type: str) -> str | None:
    """Return the charset that a field's own Content-Type declares (RFC 7578 §5.1.2)."""
    try:
        return MediaType.parse(content_type).charset
    except ValueError:
        return None


def _too_many(limit: str, maximum: int) -> ContentTooLarge:
    return over_limit(ContentTooLarge, limit, maximum, f"The form has more than {maximum} {limit}.")


def _too_large(limit: str, maximum: int, what_exceeds: str) -> ContentTooLarge:
    return over_limit(ContentTooLarge, limit, maximum, f"{what_exceeds} {maximum} bytes.")
