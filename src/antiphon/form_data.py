"""A form in parts: where in the body each of them is, found while it arrives, and what they mean when it is there."""

from typing import NamedTuple

from antiphon.body.limits import Limits
from antiphon.body.multipart import MultipartLimits, MultipartParser, PartEvent, parse_boundary
from antiphon.body.part_head import PartHead
from antiphon.http.charset import decode, form_codec
from antiphon.http.errors import BadRequest, ContentTooLarge
from antiphon.http.multidict import MultiDict
from antiphon.http.over_limit import over_limit
from antiphon.uploads.spool import Spool
from antiphon.uploads.upload import Upload


class Form(NamedTuple):
    """The fields of a form, and its files."""

    fields: MultiDict[str]
    files: MultiDict[Upload]


class FormBounds:
    """Counts what a form has. Raises ContentTooLarge (413) beyond a limit, as soon as that is clear."""

    __slots__ = ("_fields", "_files", "_in_fields", "_in_file", "_is_file", "_limits")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._fields = self._files = self._in_fields = self._in_file = 0
        self._is_file = False

    def count(self, events: list[PartEvent]) -> None:
        """Count what has come."""
        for event in events:
            if isinstance(event, PartHead):
                self._begin(event.filename is not None)
            else:
                self._grow(len(event.held) + event.end - event.start)

    def _begin(self, is_file: bool) -> None:
        limits = self._limits
        self._is_file = is_file
        if is_file:
            self._files += 1
            self._in_file = 0
            if self._files > limits.files:
                raise _too_many("files", limits.files)
        else:
            self._fields += 1
            if self._fields > limits.fields:
                raise _too_many("fields", limits.fields)

    def _grow(self, size: int) -> None:
        limits = self._limits
        if self._is_file:
            self._in_file += size
            if self._in_file > limits.file:
                detail = f"A file of the form has more than {limits.file} bytes."
                raise over_limit(ContentTooLarge, "file", limits.file, detail)
        else:
            self._in_fields += size
            if self._in_fields > limits.form:
                detail = f"The fields of the form that are no files have more than {limits.form} bytes."
                raise over_limit(ContentTooLarge, "form", limits.form, detail)


class FormData:
    """Is fed the body of a form (RFC 7578), and remembers where its parts are."""

    __slots__ = ("_bounds", "_failure", "_parser", "_parts")

    def __init__(self, content_type: str, limits: Limits) -> None:
        self._bounds = FormBounds(limits)
        self._parts: list[tuple[PartHead, int]] = []
        """The parts, and where they end."""
        self._failure: BadRequest | None = None
        try:
            self._parser = MultipartParser(parse_boundary(content_type), limits=MultipartLimits(limits.parts))
        except BadRequest as error:
            self._failure = error

    def feed(self, data: bytes) -> None:
        """Read on. Raises ContentTooLarge (413) beyond a limit. A body that is no such form is told to who reads it."""
        if self._failure is not None:
            return
        try:
            events = self._parser.feed(data)
        except BadRequest as error:
            self._failure = error
            return
        self._bounds.count(events)
        for event in events:
            if isinstance(event, PartHead):
                self._parts.append((event, event.offset))
            elif event.part_end is not None:
                self._parts[-1] = self._parts[-1][0], event.part_end

    def read(self, spool: Spool, charset: str | None) -> Form:
        """The form, when all of it was fed, from where it is kept. ``charset`` is what the request declares.

        Raises BadRequest (400) for a body that is no such form, or was cut off.
        """
        if self._failure is not None:
            raise self._failure
        self._parser.finish()
        parts = [(head, end - head.offset) for head, end in self._parts if head.name is not None]
        values = [(head, spool.read_at(head.offset, size)) for head, size in parts if head.filename is None]
        named = next((value.decode("latin-1") for head, value in values if head.name == b"_charset_"), None)
        codec = form_codec(named, charset)
        fields = [
            (decode(head.name or b"", codec), decode(value, form_codec(own, named, charset) if own else codec))
            for head, value in values
            for own in (_own_charset(head),)
        ]
        files = [
            (name := decode(head.name or b"", codec), _upload(spool, head, size, name, codec))
            for head, size in parts
            if head.filename is not None
        ]
        return Form(MultiDict(fields), MultiDict(files))


def _own_charset(head: PartHead) -> str | None:
    """The charset in which a field says that it is (RFC 7578 §5.1.2)."""
    if head.content_type is None:
        return None
    from antiphon.http.media_type import MediaType

    try:
        return MediaType.parse(head.content_type).charset
    except ValueError:
        return None


def _upload(spool: Spool, head: PartHead, size: int, name: str, codec: str) -> Upload:
    return Upload(spool, head.offset, size, head, name=name, filename=decode(head.filename or b"", codec))


def _too_many(limit: str, maximum: int) -> ContentTooLarge:
    return over_limit(ContentTooLarge, limit, maximum, f"The form has more than {maximum} {limit}.")
