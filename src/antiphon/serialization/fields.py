"""Reading records from named strings: form fields, query arguments, or headers."""

import re
from collections.abc import Callable, Container, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import partial
from typing import Any, TypeAlias, Union

import msgspec
from msgspec import inspect

from antiphon.explanations import explained
from antiphon.http.errors import UnprocessableContent
from antiphon.http.headers import Headers
from antiphon.http.limits import DEFAULT_LIMITS, Limits
from antiphon.http.multidict import MultiDict
from antiphon.serialization.decimals import Unusable, bounds_in, decimal_fault, is_usual
from antiphon.serialization.defaults import with_defaults
from antiphon.serialization.faults import MISSING, Reason
from antiphon.serialization.json import pointer_step
from antiphon.serialization.json_fields import REFUSED, JSONField, ReadJSON, is_json
from antiphon.serialization.pydantic_models import check_bounds_are_read, check_is_no_model
from antiphon.serialization.search import PLAIN, FaultSearch, refusal
from antiphon.serialization.types import Collection, Record, described, members, python_type, type_name
from antiphon.serialization.unknown_members import add_unknown

_TEXT_FOR_FILE = Reason("expected a file, got text", "not_a_file")
_FILE_FOR_TEXT = Reason("expected text, got a file", "wrong_type")


class FileField:
    """A field of a record for one file, or for a collection of files."""

    __slots__ = ("info", "is_nullable", "kinds", "many", "name", "required")

    def __init__(self, field: inspect.Field, kinds: tuple[type, ...]) -> None:
        alternatives = members(field.type)
        self.info = field.type
        self.kinds = kinds
        self.many = any(isinstance(member, Collection) for member in alternatives)
        self.is_nullable = any(isinstance(member, inspect.NoneType) for member in alternatives)
        self.name = field.encode_name
        self.required = field.required

    def take(self, files: MultiDict[Any], taken: dict[str, object]) -> None:
        """Put this field's files into ``taken``. A falsy file comes from an empty file input."""
        found = [file for file in files.getall(self.name) if isinstance(file, self.kinds) and file]
        if found:
            taken[self.name] = found if self.many else found[-1]
        elif self.is_nullable and self.required:
            taken[self.name] = None

    def check(self, taken: dict[str, object], has_text: bool, search: FaultSearch) -> None:
        """Add the faults of the value to the search."""
        pointer = pointer_step(self.name)
        if self.name in taken:
            search.check(taken[self.name], self.info, pointer)
        elif self.required:
            search.faults.add(pointer, _TEXT_FOR_FILE if has_text else MISSING)


def _never(_text: str) -> bool:
    return False


def file_kinds(texts: list[inspect.Type], place: str) -> tuple[type, ...]:
    """Return the file classes among a value's types; none if it is text. Raises TypeError for a mix of both."""
    kinds = tuple(info.cls for info in texts if isinstance(info, inspect.CustomType))
    others = [info for info in texts if not isinstance(info, inspect.CustomType | inspect.NoneType)]
    if kinds and others:
        raise explained("unreadable-type", f"{place} can't be both a file ({type_name(kinds[0])}) and text", TypeError)
    return kinds


_CHECKBOX = {"on": "true", "off": "false"}
_NO_SECONDS = re.compile(r"(?:\d{4}-\d\d-\d\d[T ])?\d\d:\d\d")
_LEADING_ZEROS = re.compile(r"(-?)0+(?=\d)")
_LEADING_POINT = re.compile(r"(-?)(?=\.\d)")


def _checkbox(text: str) -> str:
    return _CHECKBOX.get(text.lower(), text)


def _time(text: str) -> str:
    return f"{text}:00" if _NO_SECONDS.fullmatch(text) else text


def _number(text: str) -> str:
    for leading, instead in ((_LEADING_ZEROS, ""), (_LEADING_POINT, "0")):
        if found := leading.match(text):
            text = found[1] + instead + text[found.end() :]
    return text


_SPELLINGS: dict[type[inspect.Type], Callable[[str], str]] = {
    inspect.BoolType: _checkbox,
    inspect.DateTimeType: _time,
    inspect.TimeType: _time,
    inspect.IntType: _number,
    inspect.FloatType: _number,
    inspect.DecimalType: _number,
}
"""For each type, a function that converts the text that browsers send for its inputs to the form that msgspec reads."""

_WORDS = {inspect.AnyType, inspect.StrType, inspect.LiteralType, inspect.EnumType}
_FRACTIONS = {inspect.FloatType, inspect.DecimalType}
_NUMBERS = _FRACTIONS | {inspect.IntType, inspect.BoolType, inspect.NoneType}

_TIMES = (inspect.DateTimeType, inspect.DateType, inspect.TimeType, inspect.TimeDeltaType)
_begins_like_a_time = re.compile(r"\d{4}-|\d\d:|-?P").match
_is_number = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?").fullmatch


class TimeTexts:
    """The strings that one of several types is read from. msgspec would read the number 2026 as a time in 1970."""

    __slots__ = ("_others", "may_be_times")

    def __init__(self, kinds: list[inspect.Type]) -> None:
        self.may_be_times = any(isinstance(kind, _TIMES) for kind in kinds)
        others = [python_type(kind) for kind in kinds if not isinstance(kind, _TIMES)]
        self._others = Union[(None, *others)]

    def marked(self, text: str) -> str:
        """Return the text, with a plus sign before a number that only a time could be: no type is written so."""
        is_unfit = _is_number(text) and not FaultSearch(as_text=True).fits(text, self._others)
        return f"+{text}" if self.may_be_times and is_unfit else text


_NO_FILES: MultiDict[Any] = MultiDict()
_NOTHING: dict[str, object] = {}

Values: TypeAlias = dict[str, str | list[str] | None]


class _Field:
    """A field of a record that is read from text. Raises TypeError if no text can represent a value of its type."""

    __slots__ = (
        "bounds", "empty", "info", "is_fraction", "is_marked", "is_nullable", "is_text", "is_usual", "many", "name",
        "required", "spellings", "times", "words",
    )  # fmt: skip

    def __init__(self, field: inspect.Field, record: Record) -> None:
        kinds = {type(info) for info in _texts(field.type)}
        if any(issubclass(kind, Collection | Record | inspect.DictType) for kind in kinds):
            name = f"{type_name(record.cls)}.{field.name}"
            wanted = type_name(python_type(field.type))
            raise explained(
                "unreadable-type",
                f"{name} can't be read from a form or query, which consists of text: its type is {wanted};"
                " use a type that can be read from text, a list of such a type, or antiphon.JSON[...] in a"
                " form, or read JSON with json_as",
                TypeError,
            )
        self.name = field.encode_name
        self.info = field.type
        self.required = field.required
        self.many = any(isinstance(member, Collection) for member in members(field.type))
        self.is_nullable = any(isinstance(member, inspect.NoneType) for member in members(field.type))
        self.is_fraction = kinds <= _NUMBERS and not kinds.isdisjoint(_FRACTIONS)
        self.times = TimeTexts(_texts(field.type))
        self.is_text = not kinds.isdisjoint((inspect.StrType, inspect.AnyType))
        self.is_marked = self.is_fraction or self.times.may_be_times
        self.bounds = bounds_in(field.type) or [None]
        self.is_usual = _begins_like_a_time if not self.is_fraction else is_usual if self.bounds == [None] else _never
        """Returns something true for most text that ``marked`` returns unchanged: looking takes less time."""
        self.spellings = [_SPELLINGS[kind] for kind in kinds & _SPELLINGS.keys() if kinds.isdisjoint(_WORDS)]
        empty: str | list[str] = [""] if self.many else ""
        self.empty = None if FaultSearch(as_text=True).fits(empty, python_type(field.type)) else empty
        self.words = _Words(_texts(field.type))

    def settle(self, values: Values) -> None:
        """Convert the value to the form that msgspec reads; treat empty text as missing if the type has no empty
        value.
        """
        value = values.get(self.name)
        if value is None:
            return
        if value != self.empty:
            values[self.name] = self._spelled(value) if isinstance(value, str) else list(map(self._spelled, value))
        elif not self.required:
            del values[self.name]
        elif self.is_nullable:
            values[self.name] = None

    def _spelled(self, text: str) -> str:
        for spell in self.spellings:
            text = spell(text)
        return text

    def check(self, values: Values, has_file: bool, search: FaultSearch) -> None:
        """Add the faults of the value to the search."""
        pointer = pointer_step(self.name)
        if self.name not in values:
            if self.required:
                search.faults.add(pointer, _FILE_FOR_TEXT if has_file else MISSING)
            return
        value = self.words.replaced_in(values[self.name])
        search.check(self.marked(value) if self.is_marked else value, self.info, pointer)

    def marked(self, value: str | list[str] | None) -> object:
        """Return the value with each text replaced that is an unusable number, or a number instead of a time."""
        if isinstance(value, list):
            return list(map(self.marked, value))
        if value is None or not self.is_fraction:
            return value and self.times.marked(value)
        reason = decimal_fault(value, self.bounds)
        return Unusable(value, reason) if reason else value


class _Words:
    """A field's choices that are text, but that msgspec would read as a number or None: ``"3"`` in ``Literal[1, "3"]``.

    msgspec keeps them as text only if it converts no text at all, so the other values are converted first.
    """

    __slots__ = ("_item", "_number", "_words")

    def __init__(self, kinds: list[inspect.Type]) -> None:
        self._item = Union[tuple(map(python_type, kinds))]  # noqa: UP007 - made at run time
        choices = [choice for kind in kinds for choice in _choices(kind)]
        self._number = next((str(choice) for choice in choices if isinstance(choice, int)), None)
        self._words = {word for word in choices if isinstance(word, str) and not self._reads(word)}

    def _reads(self, word: str) -> bool:
        try:
            return bool(msgspec.to_builtins(msgspec.convert(word, self._item, strict=False)) == word)
        except msgspec.ValidationError:
            return False

    def __bool__(self) -> bool:
        return bool(self._words)

    def are_in(self, value: str | list[str] | None) -> bool:
        """Return True if the value contains such text."""
        return not self._words.isdisjoint(value if isinstance(value, list) else (value,))

    def replaced_in(self, value: str | list[str] | None) -> str | list[str] | None:
        """Return the value with each such text replaced with the number that it represents, for a search for faults."""
        if isinstance(value, list):
            return [self._number or text if text in self._words else text for text in value]
        return self._number or value if value in self._words else value

    def converted(self, value: str | list[str] | None) -> object:
        """Return the value as it would be in JSON. Raises ValidationError for invalid text."""
        if isinstance(value, list):
            return list(map(self.converted, value))
        if value in self._words:
            return value
        return msgspec.to_builtins(msgspec.convert(value, self._item, strict=False))


def _choices(kind: inspect.Type) -> list[object]:
    match kind:
        case inspect.LiteralType(values=values):
            return list(values)
        case inspect.EnumType(cls=cls):
            return [member.value for member in cls]
    return []


class FieldsReader:
    """A reader that makes one type of record from pairs of name and text, and from files of ``file_type``.

    ``read_json`` reads the JSON fields. Raises TypeError if the type isn't a record, or has a field that can be read
    from neither text nor a file.
    """

    __slots__ = (
        "_fields", "_files", "_info", "_json", "_lines", "_lists", "_make", "_make_converted", "_many", "_marked",
        "_names", "_worded",
    )  # fmt: skip

    def __init__(self, wanted: type, file_type: type | None, read_json: ReadJSON) -> None:
        info = described(wanted, file_type)
        if not isinstance(info, Record):
            raise explained(
                "unreadable-type",
                f"{type_name(wanted)} has no named fields: a form or query is read into a dataclass, "
                "TypedDict, NamedTuple, Struct or attrs class",
                TypeError,
            )
        check_is_no_model(info.cls)
        check_bounds_are_read(wanted, info)
        self._json = [JSONField(field, read_json) for field in info.fields if is_json(field.type)]
        if self._json and file_type is None:
            name = f"{type_name(info.cls)}.{self._json[0].name}"
            raise explained("unreadable-type", f"{name} is JSON, which only a form has: use form_as", TypeError)
        others = [field for field in info.fields if not is_json(field.type)]
        kinds = [file_kinds(_texts(field.type), f"{type_name(info.cls)}.{field.name}") for field in others]
        self._info = info
        self._names = dict.fromkeys(field.encode_name for field in info.fields)
        self._files = [FileField(field, files) for field, files in zip(others, kinds, strict=True) if files]
        self._fields = [_Field(field, info) for field, files in zip(others, kinds, strict=True) if not files]
        texts = [field for field in self._fields if field.is_text]
        self._lines = [field.name for field in texts if not field.many]
        self._lists = [field.name for field in texts if field.many]
        self._many = [field.name for field in self._fields if field.many]
        self._marked = [(field.name, field.is_usual, field) for field in self._fields if field.is_marked]
        self._worded = [field for field in self._fields if field.words]
        self._make = _maker(wanted, info, strict=False)
        self._make_converted = _maker(wanted, info, strict=True) if self._worded else self._make

    @property
    def names(self) -> AbstractSet[str]:
        """The names of the fields, in their order."""
        return self._names.keys()

    @property
    def refuses_others(self) -> bool:
        """True for a Struct that forbids fields of other names."""
        return isinstance(self._info, inspect.StructType) and self._info.forbid_unknown_fields

    def read(
        self,
        pairs: MultiDict[str],
        source: str,
        files: MultiDict[Any] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        others: Container[str] | None = None,
    ) -> object:
        """Return the record. Raises UnprocessableContent with every invalid field, and, unless ``others`` is None, with
        each name that is neither a field nor one of the others.
        """
        values: Values = dict(pairs.items())
        for name in self._many:
            if name in values:
                values[name] = pairs.getall(name)
        return self._read(values, source, _NO_FILES if files is None else files, limits, others)

    def read_texts(
        self, texts: Mapping[str, str], limits: Limits = DEFAULT_LIMITS, others: Container[str] | None = None
    ) -> object:
        """Return the record whose fields have one text each. Raises the same errors as ``read``."""
        if others is None and not (self._many or self._files or self._json):
            try:  # nearly all rows are right
                return self._record(texts, _NOTHING, limits)
            except msgspec.ValidationError:
                pass
        values: Values = dict(texts)
        for name in self._many:
            if name in values:
                values[name] = [texts[name]]
        return self._read(values, "value", _NO_FILES, limits, others)

    def _read(
        self, values: Values, source: str, sent: MultiDict[Any], limits: Limits, others: Container[str] | None
    ) -> object:
        names = {*values} if self._files else ()
        unknown = () if others is None else [each for each in (*values, *sent) if self._is_unknown(each, others)]
        taken = self._taken(values, sent) if self._files or sent else {}
        for json in self._json:
            taken.pop(json.name, None)
            json.take(values.pop(json.name, None), sent, limits, taken, is_strict=others is not None)
        try:
            record = self._record(values, taken, limits)
        except msgspec.ValidationError:
            for field in self._fields:
                field.settle(values)
        else:
            if not unknown:
                return record
        try:
            record = self._record(values, taken, limits)
        except msgspec.ValidationError as error:
            raise self._misfit(values, taken, error, (names, sent, source), unknown, limits) from error
        if unknown:
            raise self._misfit(values, taken, None, (names, sent, source), unknown, limits)
        return record

    def _is_unknown(self, name: str, others: Container[str]) -> bool:
        return name not in self._names and name not in others

    def pairs_of(self, headers: Headers) -> MultiDict[str]:
        """Return the headers that correspond to fields: ``x_user`` is X-User. A list header becomes one pair per
        element.
        """
        found: list[tuple[str, str]] = []
        for name in self._names:
            header = name.replace("_", "-")
            values = headers.getall(header) if name in self._many else [headers[header]] if header in headers else []
            found += [(name, value) for value in values]
        return MultiDict(found)

    def _taken(self, values: Values, files: MultiDict[Any]) -> dict[str, object]:
        """Return the values of the file fields, and None for each uploaded name that is not a field."""
        taken: dict[str, object] = {name: None for name in files if name not in self._names}
        for field in self._files:
            values.pop(field.name, None)
            field.take(files, taken)
        return taken

    def _nuls(self, values: Mapping[str, Any], most: int) -> dict[str, Any]:
        """Return the values of fields for text if all together have more NULs than ``most``; otherwise none."""
        texts = {name: values[name] for name in (*self._lines, *self._lists) if values.get(name)}
        return texts if sum("".join(text).count("\0") for text in texts.values()) > most else _NOTHING

    def _record(self, values: Mapping[str, Any], taken: dict[str, object], limits: Limits) -> object:
        for name in self._lines:
            if (text := values.get(name)) and "\0" in text and self._nuls(values, limits.nuls):
                raise msgspec.ValidationError("text has NUL")
        if self._lists and self._nuls(values, limits.nuls):
            raise msgspec.ValidationError("text has NUL")
        for name, needs_no_look, field in self._marked:
            value = values.get(name)
            if not (isinstance(value, str) and needs_no_look(value)) and field.marked(value) != value:
                raise msgspec.ValidationError(f"{name} can't be used")
        if self._json:
            _check_json(taken)
        try:
            if self._worded and self._has_words(values):
                return self._make_converted(self._converted(values) | taken)
            return self._make({**values, **taken} if taken else values)
        except msgspec.ValidationError:
            raise
        except PLAIN as error:
            raise refusal(error, self._info) from error

    def _has_words(self, values: Mapping[str, Any]) -> bool:
        return any(field.words.are_in(values.get(field.name)) for field in self._worded)

    def _converted(self, values: Mapping[str, Any]) -> dict[str, object]:
        """Return the values as they would be in JSON."""
        converted = {each.name: each.words.converted(values[each.name]) for each in self._fields if each.name in values}
        return {**values, **converted}

    def _misfit(
        self,
        values: Values,
        taken: dict[str, object],
        error: msgspec.ValidationError | None,
        sent: tuple[Container[str], MultiDict[Any], str],
        unknown: Iterable[str],
        limits: Limits,
    ) -> UnprocessableContent:
        texts, files, source = sent
        search = FaultSearch(as_text=True)
        search.unknown(values | taken, self._info, "")
        for field in self._fields:
            field.check(values, field.name in files, search)
        for file in self._files:
            file.check(taken, file.name in texts, search)
        search.faults.add_nuls(self._nuls(values, limits.nuls))
        for json in self._json:
            json.check(taken, search)
        for name in unknown:
            add_unknown(search.faults, "", name, self._names)
        if error is not None and not search.faults.total:
            search.note(error, values | taken, self._info, "")
        return search.faults.error(f" of the {source}")


def _check_json(taken: Mapping[str, object]) -> None:
    if any(isinstance(value, REFUSED) for value in taken.values()):
        raise msgspec.ValidationError("a field that is JSON doesn't fit")


def _texts(info: inspect.Type) -> list[inspect.Type]:
    """Return the types that a single string of a field may represent. For a collection, these are the item types."""
    found: list[inspect.Type] = []
    for member in members(info):
        match member:
            case inspect.CollectionType(item_type=item):
                found += members(item)
            case inspect.TupleType(item_types=items):
                found += [part for item in items for part in members(item)]
            case _:
                found.append(member)
    return found


def _maker(wanted: type, info: Record, *, strict: bool) -> Callable[[Mapping[str, object]], object]:
    """Return a function that makes the record from its values by name, or raises ValidationError.

    Values that were read from JSON stay unchanged.
    """
    if (
        any(is_json(field.type) for field in info.fields)
        or isinstance(info, inspect.NamedTupleType)
        or (isinstance(info, inspect.StructType) and info.array_like)
    ):
        return _maker_by_name(info, strict=strict)
    return with_defaults(partial(msgspec.convert, type=wanted, strict=strict), info)


def _maker_by_name(info: Record, *, strict: bool) -> Callable[[Mapping[str, object]], object]:
    """Return a function like the one from ``_maker``, for a type that msgspec reads from arrays. The function uses a
    Struct with the same fields.
    """
    kinds = [Any if is_json(field.type) else python_type(field.type) for field in info.fields]
    fields: list[tuple[str, Any, Any]] = [
        (field.name, kind, _same(field)) for field, kind in zip(info.fields, kinds, strict=True)
    ]
    forbids = isinstance(info, inspect.StructType) and info.forbid_unknown_fields
    by_name = msgspec.defstruct(info.cls.__name__, fields, kw_only=True, forbid_unknown_fields=forbids)

    def make(values: Mapping[str, object]) -> object:
        found = msgspec.structs.asdict(msgspec.convert(values, by_name, strict=strict))
        try:
            return info.cls(**{name: value for name, value in found.items() if value is not msgspec.UNSET})
        except ValueError as error:
            raise msgspec.ValidationError(str(error)) from error

    return make


def _same(field: inspect.Field) -> Any:
    """Return a Struct field with the same name and default."""
    if field.default is not msgspec.NODEFAULT:
        return msgspec.field(name=field.encode_name, default_factory=lambda: field.default)
    if not field.required and field.default_factory is msgspec.NODEFAULT:
        return msgspec.field(name=field.encode_name, default=msgspec.UNSET)
    return msgspec.field(name=field.encode_name, default_factory=field.default_factory)
