"""Reading rows as values of a type while they arrive: NDJSON, JSON text sequences, a JSON array, or CSV.

A splitter cuts a body into rows, in time linear in its size, and holds one row. Imported when first used.
"""

import csv
import re
from codecs import getincrementaldecoder
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterable, Iterator
from functools import cache
from inspect import iscoroutinefunction
from os.path import splitext
from typing import Any, Generic, Literal, Protocol, TypeAlias, TypeVar, cast

from antiphon.explanations import explained
from antiphon.http.charset import CODECS
from antiphon.http.errors import BadRequest, ContentTooLarge, UnprocessableContent, UnsupportedMediaType, over_limit
from antiphon.http.limits import NO_BOUND, Limits
from antiphon.http.media_type import MediaType
from antiphon.serialization.faults import COUNTED, Faults, Reason, counted
from antiphon.serialization.json import check_repeats, without_mark
from antiphon.serialization.readers import json_as, reader_of
from antiphon.serialization.unknown_members import OnUnknown, add_unknown, check_unknown

T = TypeVar("T")

OnFault: TypeAlias = Literal["raise", "collect"] | Callable[[UnprocessableContent], object]
"""The option for wrong rows."""

_LINES = ("application/jsonl", "application/x-ndjson", "application/ndjson", "application/x-jsonlines")
_SEQUENCE = "application/json-seq"
CSV = "text/csv"
ACCEPTED_ROWS = (CSV, "application/json", _SEQUENCE, *_LINES)

_BYTES_FOR_EACH = 16 << 10
"""The bytes of the limit of a body for each wrong row, of which a thousand are always collected."""


Row: TypeAlias = tuple[int, str, bytes]
"""A row as it was sent: its first line, counted from 1, its pointer, and its text."""


class Splitter(Protocol):
    """Cuts a body into rows. Raises BadRequest (400) for a body that has none, ContentTooLarge (413) for a long row."""

    def feed(self, data: bytes) -> Iterator[Row]: ...
    def end(self) -> Iterator[Row]: ...


_Kind: TypeAlias = tuple[re.Pattern[bytes], re.Pattern[bytes]]
# First a blank run, or a part and its separator, which the last part lacks; then the end of a part. A repetition of a
# group is possessive and can't fail half-way, and the first pattern matches everywhere, so that their time is linear.
_LINE = re.compile(rb"[ \t\r\n]*\n|([^\n]++)(\n?)"), re.compile(rb"[^\n]*+\n")
_RECORD = (re.compile(rb'[ \t\r\n]*\n|((?:[^"\n]++|"[^"]*+"?+)++)(\n?)'), re.compile(rb'(?:[^"\n]++|"[^"]*+"?+)*+\n'))
_ELEMENT = re.compile(rb"[ \t\r\n\x1e]*\x1e|([^\x1e]++)(\x1e?)"), re.compile(rb"[^\x1e]*+\x1e")


class _Texts:
    """The parts of a body that end with a separator: lines, elements of a sequence, or records of CSV.

    Quoted fields of records may contain line breaks (RFC 4180 §2). Runs of blank parts are skipped.
    """

    def __init__(self, largest: int, kind: _Kind) -> None:
        self._largest, self._kind = largest, kind
        self._rest = bytearray()
        self._line = 1
        self._is_quoted = False

    def feed(self, data: bytes) -> Iterator[Row]:
        begin = data.find(b'"') + 1 if self._is_quoted else 0
        if begin or not self._is_quoted:
            each, end = self._kind
            if self._rest and (found := end.match(data, begin)):
                begin = found.end()
                yield self._row(data[:begin])
            if not self._rest:
                rest = b""
                for found in each.finditer(data, begin):
                    text, separator = found.groups()
                    if not separator:
                        rest = text or b""
                        self._line += 0 if text else found[0].count(b"\n")
                        continue
                    if len(text) > self._largest:
                        _check_size(len(text), self._largest, self._line)
                    yield (self._line, "", text)
                    self._line += text.count(b"\n") + (separator == b"\n")
                data, begin = rest, 0
            self._is_quoted = self._kind is _RECORD and data.count(b'"', begin) % 2 == 1
        self._rest += data
        _check_size(len(self._rest), self._largest, self._line)

    def end(self) -> Iterator[Row]:
        if self._is_quoted:
            raise BadRequest(f"The quotation mark on line {self._line} of the CSV is not closed.")
        if self._rest.strip():
            yield self._row(b"\n")

    def _row(self, ending: bytes) -> Row:
        """Return the row that ends with these bytes, of which the last is its separator."""
        text = bytes(self._rest) + ending[:-1]
        self._rest.clear()
        _check_size(len(text), self._largest, self._line)
        row: Row = (self._line, "", text)
        self._line += text.count(b"\n") + (ending[-1:] == b"\n")
        return row


_INSIDE_TEXT = re.compile(rb'["\\]').search
# Whole strings, and objects and arrays that contain no others, are skipped at once: a row is one match, not one for
# each quotation mark. Atomic, so that their time is linear: what has not arrived as a whole is read mark by mark. Only
# what can't fail half-way is repeated possessively; other repetitions take memory, so a match reads a bounded part.
_STRING = rb'"[^"\\]*+(?:\\.?[^"\\]*+)*+"'
_FLAT = rb'[\[{][^"\[\]{}]*+(?>(?:%s[^"\[\]{}]*+)*)[\]}]' % _STRING
_SKIPPED = rb'[^"\[\]{}%%s]*+(?>(?:(?:%s|%s)[^"\[\]{}%%s]*+)*)(["\[\]{}%%s])' % (_STRING, _FLAT)
_BETWEEN_ITEMS = re.compile(_SKIPPED % (b",", b",", b","), re.DOTALL).match
_INSIDE_ITEM = re.compile(_SKIPPED % (b"", b"", b""), re.DOTALL).match
_AT_ONCE = 64 << 10


class _Items:
    """The items of a JSON array. Only what divides them is read; each is decoded afterwards."""

    def __init__(self, largest: int) -> None:
        self._largest = largest
        self._rest = bytearray()
        self._position = 0
        self._line = 1
        self._number = self._depth = 0
        self._is_text = self._is_over = False

    def feed(self, data: bytes) -> Iterator[Row]:
        self._rest += data
        if not (self._depth or self._is_over):
            self._begin()
        begin = 0
        while not self._is_over and (end := self._next_end()) is not None:
            item, begin = bytes(self._rest[begin:end]), self._position
            if (row := self._row(item)) is not None:
                yield row
        del self._rest[:begin]
        self._position -= begin
        if not self._is_over:
            _check_size(len(self._rest), self._largest, self._line)
        elif self._rest.strip():
            raise BadRequest("The JSON continues after the end of its array.")
        else:
            self._rest.clear()

    def end(self) -> Iterator[Row]:
        if not self._is_over:
            raise BadRequest("The JSON ends before the end of its array." if self._depth else "The body has no rows.")
        return iter(())

    def _begin(self) -> None:
        rest = self._rest.removeprefix(b"\xef\xbb\xbf").lstrip()
        self._line += self._rest.count(b"\n") - rest.count(b"\n")
        self._rest = rest
        if rest[:1] == b"[":
            self._depth = 1
            del rest[:1]
        elif rest and not b"\xef\xbb\xbf".startswith(rest):
            raise BadRequest("The JSON is not an array, and only its items are rows.")

    def _next_end(self) -> int | None:
        """Return the position of the end of the first item, or None if it has not arrived yet."""
        while True:
            search = _INSIDE_TEXT if self._is_text else _INSIDE_ITEM if self._depth > 1 else _BETWEEN_ITEMS
            end = self._position + _AT_ONCE
            if (found := search(self._rest, self._position, end)) is None:
                if end < len(self._rest):
                    self._position = end
                    continue
                self._position = max(self._position, len(self._rest))
                return None
            self._position = found.end()
            match found[found.re.groups]:
                case b"\\":
                    self._position += 1  # may be beyond what has arrived
                case b'"':
                    self._is_text = not self._is_text
                case b"[" | b"{":
                    self._depth += 1
                case b"," if self._depth == 1:
                    return self._position - 1
                case _:
                    self._depth -= 1
                    if self._depth == 0:
                        self._is_over = True
                        return self._position - 1

    def _row(self, item: bytes) -> Row | None:
        _check_size(len(item), self._largest, self._line)
        line, number = self._line, self._number
        if breaks := item.count(b"\n"):
            self._line += breaks
            line += item[: len(item) - len(item.lstrip())].count(b"\n")
        self._number += 1
        is_none = self._is_over and not (number or item.strip())  # an empty array has no items
        return None if is_none else (line, f"/{number}", item)


def _check_size(size: int, largest: int, line: int) -> None:
    if size > largest:
        detail = f"The row on line {line} is longer than {largest} bytes."
        raise over_limit(ContentTooLarge, "json", largest, detail)


class _Recoded:
    """Cuts CSV of another charset into rows of UTF-8. Raises UnsupportedMediaType (415) for an unknown charset."""

    def __init__(self, splitter: Splitter, charset: str) -> None:
        codec = CODECS.get(charset.strip().lower())
        if codec is None:
            raise UnsupportedMediaType(f"The charset of the CSV must be a known one, not {charset[:80]!r}.")
        self._splitter, self._charset = splitter, charset
        self._decode = getincrementaldecoder(codec)().decode

    def feed(self, data: bytes) -> Iterator[Row]:
        return self._splitter.feed(self._in_utf8(data, False))

    def end(self) -> Iterator[Row]:
        yield from self._splitter.feed(self._in_utf8(b"", True))
        yield from self._splitter.end()

    def _in_utf8(self, data: bytes, is_last: bool) -> bytes:
        try:
            return self._decode(data, is_last).encode()
        except UnicodeDecodeError:
            raise BadRequest(f"The body is not text in {self._charset}.") from None


class _Fields:
    """Reads records of CSV (RFC 4180) as a type, whose names are in the first record, unless ``has_header`` is False.

    Raises UnsupportedMediaType (415) for a type that can't be read from text.
    """

    def __init__(self, wanted: Any, unknown: OnUnknown, limits: Limits, delimiter: str, has_header: bool) -> None:
        if re.fullmatch(r'[^"\s\w]|\t', delimiter) is None:
            message = f"delimiter must be one character such as ';', or a tab, not {delimiter!r}"
            raise explained("bad-feature-option", message)
        self._limits = limits
        self._unknown = unknown
        try:
            reader = reader_of(wanted)
        except TypeError as error:
            raise UnsupportedMediaType(
                "These rows can't be sent as CSV: send JSON lines or a JSON array.",
                headers={"accept": ", ".join(ACCEPTED_ROWS[1:])},
            ) from error
        self._known, self._read_texts = [*reader.names], reader.read_texts
        self._delimiter = delimiter
        self._texts: list[str] = []
        self._begin_reader()
        self._has_header = has_header
        self.names: list[str] | None = None
        """The names of the columns; None before the first record, and if that can't be read."""

    def read(self, row: Row) -> Any:
        """Return the value of a record, or None for the names. Raises UnprocessableContent."""
        names = self.names
        fields = self._split(row[2] if names is not None else without_mark(row[2]))
        if names is None:
            if self._has_header:
                self._begin(fields)
                return None
            names = self.names = self._known
        if len(fields) != len(names):
            raise _wrong(f"has {counted(len(fields), 'field')}, not {len(names)}")
        return self._read_texts(dict(zip(names, fields, strict=True)), self._limits)

    def _begin(self, names: list[str]) -> None:
        if len({*names}) < len(names) or not all(names):
            raise BadRequest("The first line of the CSV must have a different name for each column.")
        if {*self._known}.isdisjoint(names):  # all rows would have nothing but defaults
            delimiter = self._delimiter
            for found in ",;\t|":
                if found in names[0] and found != delimiter:
                    raise _wrong(f"has no column that is a field: its delimiter must be {delimiter!r}, not {found!r}")
            raise _wrong("has no column that is a field")
        self.names = names
        faults = Faults()
        for name in names if self._unknown == "refuse" else ():
            if name not in self._known:
                add_unknown(faults, "", name, self._known)
        if faults.total:
            raise faults.error(" of the CSV")

    def _split(self, row: bytes) -> list[str]:
        try:
            text = row.decode().removesuffix("\r")
        except UnicodeDecodeError:
            raise _wrong("is not text in UTF-8") from None
        if '"' not in text and "\r" not in text:
            return text.split(self._delimiter)
        if len(text) > csv.field_size_limit():  # Python's, which binds all readers in the process
            parts = _fields_of(self._delimiter)(text)
            if any(wrong for _, _, wrong in parts):
                raise _wrong(_MALFORMED)
            return [plain or quoted.replace('""', '"') for quoted, plain, _ in parts]
        try:
            self._texts.append(text)
            return next(self._reader)
        except csv.Error:
            self._begin_reader()
            raise _wrong(_MALFORMED) from None

    def _begin_reader(self) -> None:
        # The reader of an object that has it would make a cycle, which only the garbage collector frees.
        self._reader = csv.reader(iter(self._texts.pop, None), delimiter=self._delimiter, strict=True)


_MALFORMED = "is not CSV: a field with a quotation mark or a line break must be quoted, and the mark doubled"


@cache
def _fields_of(delimiter: str) -> Callable[[str], list[tuple[str, str, str]]]:
    """Return a function that finds the fields of a record: quoted ones, plain ones, and what is neither."""
    end = re.escape(delimiter)
    quoted, plain = '"((?:[^"]++|"")*+)"', rf'([^"\r\n{end}][^\r\n{end}]*+|)'
    return re.compile(rf"(?:\A|{end})(?:{quoted}(?={end}|\Z)|{plain}(?={end}|\Z))|(.)", re.DOTALL).findall


def _wrong(detail: str) -> UnprocessableContent:
    faults = Faults()
    faults.add("", Reason(detail))
    return faults.error()


class RowValues(Generic[T]):
    """The rows of a body, or of a file, as values of a type. Iterate over them with ``for`` or ``async for``, once.

    A wrong row raises UnprocessableContent (422), whose errors also have a ``line``. With ``on_fault="collect"``, it is
    left out, and ``error`` is that error for all wrong rows so far; a function is also called with the error of each.
    More wrong rows than 1000, and than one for each 16 KiB of ``limits.body``, raise it at once.
    Raises BadRequest (400) for a body without rows,
    ContentTooLarge (413) for a row with more than ``limits.json`` bytes, and what reading the body raises.
    """

    def __init__(
        self,
        chunks: Iterable[bytes],
        achunks: AsyncIterable[bytes],
        wanted: Any,
        media_type: MediaType,
        limits: Limits,
        on_fault: OnFault,
        unknown: OnUnknown = "ignore",
        delimiter: str = ",",
        charset: str = "utf-8",
    ) -> None:
        if charset.lower() not in CODECS:
            message = f"charset must be a known one, such as 'windows-1252', not {charset!r}"
            raise explained("bad-feature-option", message)
        if on_fault not in ("raise", "collect") and (not callable(on_fault) or iscoroutinefunction(on_fault)):
            message = f"on_fault must be 'raise', 'collect' or a def function, not {on_fault!r}"
            raise explained("bad-feature-option", message)
        self._chunks, self._achunks = chunks, achunks
        check_unknown(unknown)
        self._wanted = wanted
        self._unknown: OnUnknown = unknown
        self._limits = limits
        self._on_fault: OnFault = on_fault
        self._faults = Faults()
        self._wrong = 0
        self._splitter = _splitter(media_type.essence, limits.json)
        self._fields: _Fields | None = None
        if media_type.essence == CSV:
            given = media_type.parameters
            self._fields = _Fields(wanted, unknown, limits, delimiter, given.get("header", "").lower() != "absent")
            if (charset := given.get("charset", charset)).lower() != "utf-8":
                self._splitter = _Recoded(self._splitter, charset)

    @property
    def error(self) -> UnprocessableContent | None:
        """The error for the rows that have been left out so far; None if there are none."""
        return self._faults.error(" of the rows") if self._faults.total else None

    def __iter__(self) -> Iterator[T]:
        for chunk in self._chunks:
            yield from self._values(self._splitter.feed(chunk))
        yield from self._values(self._splitter.end())

    async def __aiter__(self) -> AsyncIterator[T]:
        async for chunk in self._achunks:
            for value in self._values(self._splitter.feed(chunk)):
                yield value
        for value in self._values(self._splitter.end()):
            yield value

    def _values(self, rows: Iterator[Row]) -> Iterator[T]:
        fields = self._fields
        read = self._read_json if fields is None else fields.read
        for row in rows:
            if not row[2].strip() and not row[1]:
                continue
            try:
                value = read(row)
            except UnprocessableContent as error:
                self._refuse(row, error)
            else:
                if value is not None or fields is None:
                    yield cast("T", value)

    def _refuse(self, row: Row, error: UnprocessableContent) -> None:
        line, pointer, _ = row
        for fault in error.errors:
            fault["line"] = line
        # Without the names, no row can be read.
        report = "raise" if self._fields is not None and self._fields.names is None else self._on_fault
        if report != "raise":
            self._faults.add_listed(pointer, error)
            self._wrong += 1
            if self._wrong > max(COUNTED, self._limits.body // _BYTES_FOR_EACH):
                raise self._faults.error(" of the rows") from error
        if report == "collect":
            return
        faults = Faults()
        faults.add_listed(pointer, error)
        if not callable(report):
            raise faults.error(" of a row") from error
        report(faults.error(" of a row"))

    def _read_json(self, row: Row) -> Any:
        _, pointer, text = row
        try:
            if self._limits.json_repeats < NO_BOUND:
                check_repeats(text, self._limits)
            return json_as(text, self._wanted, limits=self._limits, unknown=self._unknown)
        except BadRequest as error:
            if pointer:
                raise BadRequest(f"In item {pointer[1:]} of the array: {error.detail}") from error
            raise _wrong(str(error.detail)) from error


def _splitter(essence: str, largest: int) -> Splitter:
    if essence in _LINES:
        return _Texts(largest, _LINE)
    if essence == _SEQUENCE:
        return _Texts(largest, _ELEMENT)
    return _Texts(largest, _RECORD) if essence == CSV else _Items(largest)


_NAMED = {".csv": CSV, ".jsonl": "application/jsonl", ".ndjson": "application/x-ndjson", ".json": "application/json"}


def type_of_rows(claimed: MediaType | None, filename: str) -> MediaType | None:
    """Return the media type by which to read rows: that of a file's name, or the claimed one. None if it has no rows.

    Browsers claim that CSV is a spreadsheet where one is installed.
    """
    named = _NAMED.get(splitext(filename)[1].lower())
    media_type = claimed
    if named is not None and (claimed is None or claimed.essence != named):
        media_type = MediaType.parse(named)
    if media_type is None or not (media_type.essence in ACCEPTED_ROWS or media_type.is_json):
        return None
    return media_type
