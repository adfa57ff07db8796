"""Reading JSON, forms and queries as values of a type. An invalid value results in a 422 that lists each invalid field.

The 422 is an UnprocessableContent whose ``errors`` are dicts of a ``pointer`` (a JSON Pointer, RFC 6901), a
``detail`` and a ``code`` with its bounds, such as ``{"pointer": "/items/0/price", "detail": "expected a number, got a
string", "code": "not_a_number"}``; it lists the first hundred, with at most about 130 KiB.

Imported when first used, because it loads msgspec.
"""

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import date, time
from decimal import Decimal
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar, cast, overload

import msgspec
from msgspec import inspect

from antiphon.explanations import explained
from antiphon.http.errors import BadRequest, HTTPError
from antiphon.http.headers import Headers
from antiphon.http.limits import DEFAULT_LIMITS, NO_BOUND, Limits
from antiphon.http.multidict import MultiDict
from antiphon.lazy import lazy
from antiphon.serialization.decimals import bounds_in, refusing_unusable, with_unusable_marked
from antiphon.serialization.defaults import with_defaults
from antiphon.serialization.faults import Faults
from antiphon.serialization.fields import FieldsReader
from antiphon.serialization.json import (
    UNREADABLE,
    check_bounds,
    decode_slow_numbers,
    encode_json,
    malformed,
    pointer_step,
    without_mark,
)
from antiphon.serialization.json_bounds import MOST_SLOW_NUMBERS, NULS, SHORT, SLOW_NUMBERS
from antiphon.serialization.json_fields import is_json
from antiphon.serialization.numbers import refusing_collisions, with_integers
from antiphon.serialization.pydantic_models import check_bounds_are_read, has_model, model_reader
from antiphon.serialization.search import PLAIN, FaultSearch, refusal
from antiphon.serialization.types import (
    Decode,
    Record,
    described,
    json_schemas,
    members,
    parts,
    python_type,
    translated,
    type_name,
)
from antiphon.serialization.unknown_members import DeclaredMembers, OnUnknown, check_has_no_model, check_unknown

if TYPE_CHECKING:
    from typing_extensions import TypeForm

T = TypeVar("T")

_KEPT = 256
"""The number of types whose readers are cached."""

_REFUSALS = (*UNREADABLE, *PLAIN)
"""The errors that msgspec raises for JSON that it can't read as a type."""

OWN = Limits(nuls=NO_BOUND)
"""The limits for values of the program itself, which may have any text."""

_decode_any = msgspec.json.Decoder(float_hook=float).decode
"""A decoder like decode_json, but numbers beyond a float's range become infinity, because the type may be Decimal."""


_json_readers: dict[Any, tuple[Decode, inspect.Type]] = {}
"""For each type, the function that decodes it, and its description."""


def _json_reader(wanted: Any) -> tuple[Decode, inspect.Type]:
    if has_model(wanted):
        reader = model_reader(wanted)
    else:
        info = described(wanted)
        check_bounds_are_read(wanted, info)
        reader = _completed(msgspec.json.Decoder(wanted).decode, info), info
    if len(_json_readers) >= _KEPT:
        _json_readers.clear()
    with suppress(TypeError):  # some types can't be hashed
        _json_readers[wanted] = reader
    return reader


def _completed(decode: Decode, info: inspect.Type) -> Decode:
    return refusing_collisions(refusing_unusable(with_defaults(decode, info), info), info)


_READ_AS_FLOATS = {inspect.FloatType, inspect.AnyType}
_READ_AS_WRITTEN = {inspect.DecimalType, inspect.RawType}


def _for_slow_numbers(wanted: Any, decode: Decode, info: inspect.Type) -> Decode:
    """Return a function that decodes a type from JSON with many numbers that ``decode`` reads slowly.

    Raises BadRequest if the type has both floats and numbers that must keep every digit (Decimal, Raw).
    """
    kinds = {type(part) for _, part in parts("", info)}
    if inspect.CustomType in kinds:  # a Pydantic model
        return decode
    if kinds.isdisjoint(_READ_AS_FLOATS):
        return decode
    if not kinds.isdisjoint(_READ_AS_WRITTEN):
        raise BadRequest(f"the JSON has more than {MOST_SLOW_NUMBERS} numbers with an exponent of three digits")
    return _completed(lambda text: msgspec.convert(decode_slow_numbers(text), wanted, str_keys=True), info)


@overload
def json_as(data: bytes, wanted: type[T], *, limits: Limits = DEFAULT_LIMITS, unknown: OnUnknown = "ignore") -> T: ...
@overload  # a union is not a ``type`` to type checkers
def json_as(
    data: bytes, wanted: "TypeForm[T]", *, limits: Limits = DEFAULT_LIMITS, unknown: OnUnknown = "ignore"
) -> T: ...
def json_as(data: bytes, wanted: Any, *, limits: Limits = DEFAULT_LIMITS, unknown: OnUnknown = "ignore") -> Any:
    """Decode JSON as a value of a type.

    The type is a dataclass, TypedDict, NamedTuple (an array in JSON), Struct or attrs class, a JSON type, an enum,
    Literal, date, time or UUID, or a list, tuple, set, dict or union of these. Pydantic reads its own models, and types
    that contain one.

    A number without a fraction, up to 2**53, is also accepted as an int, as in JSON Schema: ``87.0``. A Decimal may be
    sent as a string. NaN and infinity are refused, as are Decimals beyond the range of IEEE 754's decimal128: exponents
    to 6144, and 6176 decimal places. Text is refused if it has more NULs than ``limits.nuls``, also in a member that
    the type doesn't declare. Members that the type doesn't declare are ignored, unless it is a Struct with
    ``forbid_unknown_fields``; with ``unknown="refuse"``, they are invalid at any depth.

    Raises UnprocessableContent with every invalid field, BadRequest for anything but JSON (like decode_json), and
    TypeError for a type that can't be read.
    """
    try:
        decode, info = _json_readers[wanted]
    except (KeyError, TypeError):
        decode, info = _json_reader(wanted)
    # A short body can't be deep, and has no NUL without a backslash. A right one needs no other check.
    if unknown == "ignore" and len(data) <= limits.json_depth and len(data) <= SHORT and 92 not in data:
        try:
            return decode(data)
        except (*_REFUSALS, HTTPError):
            pass
    crossed = check_bounds(data, limits.json_depth, limits.nuls)
    if crossed & SLOW_NUMBERS:
        decode = _for_slow_numbers(wanted, decode, info)
    text = without_mark(data)
    checks: list[_Check] = []
    if crossed & NULS:
        checks.append(Faults.add_nuls)
    if unknown != "ignore":
        check_unknown(unknown)
        checks.append(declared_members(wanted).add_faults)
    if checks:
        decode = _checked(decode, checks)
    try:
        return decode(text)
    except _REFUSALS as error:
        written = with_integers(text, info) if isinstance(error, msgspec.ValidationError) else None
        if written is None:
            raise _refused(data, text, info, error, checks) from error
    try:
        return decode(written)
    except _REFUSALS as error:
        raise _refused(data, written, info, error, checks) from error


@lru_cache(_KEPT)
def _declared_members(wanted: Any) -> DeclaredMembers:
    check_has_no_model(wanted)
    return DeclaredMembers(described(wanted))


def declared_members(wanted: Any) -> DeclaredMembers:
    """Return the members that a type declares. Raises TypeError for a type with a Pydantic model."""
    try:
        return _declared_members(wanted)
    except TypeError:
        return _declared_members.__wrapped__(wanted)  # some types can't be hashed


_Check: TypeAlias = Callable[[Faults, Any], object]
"""A function that adds faults of decoded JSON that its type doesn't see."""


def _checked(decode: Decode, checks: Collection[_Check]) -> Decode:
    """Return a function that decodes JSON and makes further checks. It raises UnprocessableContent."""

    def decode_checked(text: bytes) -> Any:
        value = decode(text)
        faults, untyped = Faults(), _decode_any(text)
        for add in checks:
            add(faults, untyped)
        if faults.total:
            raise faults.error()
        return value

    return decode_checked


def _refused(data: bytes, text: bytes, info: inspect.Type, error: Exception, checks: Collection[_Check]) -> HTTPError:
    """Return the error for a body that msgspec refused with ``error``. Raises ``error`` itself if it is the developer's
    fault.
    """
    try:
        if isinstance(error, UNREADABLE) and not isinstance(error, msgspec.ValidationError):
            return malformed(data, error)
        fault = error if isinstance(error, msgspec.ValidationError) else refusal(error, info)
        return _misfit(text, info, fault, checks)
    finally:
        del error  # a re-raised error refers to this frame


def _misfit(data: bytes, info: inspect.Type, error: msgspec.ValidationError, checks: Collection[_Check]) -> HTTPError:
    """Return the error for JSON that msgspec refused with ``error``."""
    try:
        value = with_unusable_marked(_decode_any(data), data, info)
        search = FaultSearch(size=len(data))
        search.check(value, info, "")
    except UNREADABLE as unreadable:
        return malformed(data, unreadable)
    for add in checks:
        add(search.faults, value)
    if not search.faults.total:  # for example, a name occurs twice and its last value is valid
        search.note(error, value, info, "")
    return search.faults.error()


@lru_cache(_KEPT)
def _fields_reader(wanted: Any, file_type: type | None) -> FieldsReader:
    return FieldsReader(wanted, file_type, json_as)


def reader_of(wanted: Any, file_type: type | None = None) -> FieldsReader:
    """Return the reader of a record from text. Raises TypeError for a type that can't be read from text."""
    try:
        return _fields_reader(wanted, file_type)
    except TypeError:
        return _fields_reader.__wrapped__(wanted, file_type)  # some types can't be hashed


def fields_as(
    pairs: MultiDict[str],
    wanted: type[T],
    source: str,
    *,
    files: MultiDict[Any] | None = None,
    file_type: type | None = None,
    limits: Limits = DEFAULT_LIMITS,
    unknown: OnUnknown = "ignore",
    others: Collection[str] = (),
) -> T:
    """Read the pairs of a form or query as a record: a dataclass, TypedDict, NamedTuple, Struct or attrs class.

    - A field whose type is a list, tuple or set gets all values with its name; any other field gets the last one.
    - If a name is missing, its field gets the default; without a default, this is an error.
    - Empty text that the type doesn't accept (str does) is treated as missing if the field has a default, otherwise as
    None if the type allows it.
    - A bool is ``true``, ``1`` or a checkbox's ``on``, or else ``false``, ``0`` or ``off``, in upper or lower case. An
      unticked checkbox sends nothing, so give its field the default False.
    - Numbers, dates, times, durations, UUIDs and enums are written as in JSON. As browsers send them, numbers may also
      begin with zeros or a point, and times may lack seconds. An int may be ``1.0`` or ``1e3``. None may be sent as
      ``null`` if the type doesn't accept str. NaN and infinity are refused.
    - A field of the type ``file_type``, or of a list, tuple or set of it, gets the ``files`` that have the field's name
      and this type: all of them, or the last one. Falsy files, from empty file inputs, are ignored. If there is no
      file, a field without a default whose type allows None is None.
    - A field of the type ``JSON[...]`` is read as ``json_as`` reads a body, with the same ``limits``.
    - Names that the record doesn't have are ignored, unless it is a Struct with ``forbid_unknown_fields``; with
    ``unknown="refuse"``, they are invalid, except those in ``others``.

    ``source`` is where the pairs come from, ``form`` or ``query``, for the error's detail.

    Raises UnprocessableContent with every invalid field, and TypeError for a type that isn't a record, or has a field
    that can be read from neither text nor a file.
    """
    reader = reader_of(wanted, file_type)
    if unknown == "ignore":
        return cast(T, reader.read(pairs, source, files, limits))
    check_unknown(unknown)
    return cast(T, reader.read(pairs, source, files, limits, others))


def headers_as(headers: Headers, wanted: type[T]) -> T:
    """Read headers as a record, as ``fields_as`` reads a query. The record's ``x_user`` field is read from X-User."""
    reader = reader_of(wanted)
    return cast(T, reader.read(reader.pairs_of(headers), "headers"))


@overload
def check_as(wanted: type[T], value: object, *, strings: bool = False, unknown: OnUnknown = "ignore") -> T: ...
@overload  # a union is not a ``type`` to type checkers
def check_as(wanted: "TypeForm[T]", value: object, *, strings: bool = False, unknown: OnUnknown = "ignore") -> T: ...
def check_as(wanted: Any, value: object, *, strings: bool = False, unknown: OnUnknown = "ignore") -> Any:
    """Return a value as a type, without a request: a dict, the payload of a job, or a message.

    The value consists of what JSON has, and may also have dates, Decimals, UUIDs and bytes. With ``strings=True``, it
    is a dict of strings, such as a row of CSV, and is read like a form. With ``unknown="refuse"``, members that the
    type doesn't declare are invalid. Raises UnprocessableContent with every invalid field, as ``json_as`` and
    ``form_as`` do, BadRequest for values nested too deeply, and TypeError for a type or a value that can't be read.
    """
    if strings:
        return _texts_as(wanted, value, unknown)
    if unknown == "ignore":
        try:  # ``suppress`` takes half a microsecond
            if (convert := _converter(wanted)) is not None:
                return convert(value)
        except _REFUSALS:
            pass
    # Only what is written as JSON is searched for faults, and may have 87.0 for an int.
    return json_as(encode_json(value), wanted, limits=OWN, unknown=unknown)


def _texts_as(wanted: Any, value: object, unknown: str) -> Any:
    if type(value) is not dict and not isinstance(value, Mapping):
        raise explained("unreadable-type", f"strings=True reads a dict of strings, not {value!r:.80}", TypeError)
    if unknown == "ignore":
        return reader_of(wanted).read_texts(value)
    check_unknown(unknown)
    return reader_of(wanted).read_texts(value, others=())


@lru_cache(_KEPT)
def _converter(wanted: Any) -> Callable[[Any], Any] | None:
    """Return a function for values of a type; None for a type whose models or numbers are read from JSON only."""
    if has_model(wanted):
        return None
    info = described(wanted)
    check_bounds_are_read(wanted, info)
    convert = partial(msgspec.convert, type=wanted, str_keys=True)
    is_read_as_text = refusing_collisions(refusing_unusable(convert, info), info) is not convert
    return None if is_read_as_text else with_defaults(convert, info)


def check_json(wanted: Any) -> None:
    """Check that JSON can be read as a type. Raises TypeError."""
    _json_reader(wanted)


def names_read(wanted: type) -> Collection[str] | None:
    """Return the names that reading pairs as a record depends on; None for all names, if it refuses unknown ones."""
    reader = reader_of(wanted)
    return None if reader.refuses_others else reader.names


class TypeDescription:
    """A type, or a part of one that ``msgspec.inspect`` describes: what it consists of, and how it is read and written.

    ``file_type`` and its subclasses may be parts of it, although they can't be read from text.
    """

    schemas_of = staticmethod(json_schemas)
    pointer_step = staticmethod(pointer_step)

    @staticmethod
    def texts_of(value: object) -> list[str]:
        """Return a field's strings: one for each item of a list, tuple or set; none for None; one for any other value.

        The strings of a set, which has no order, are sorted.
        """
        if isinstance(value, list | tuple):
            return _texts(value)
        if isinstance(value, set | frozenset):
            return sorted(_texts(value))
        return _texts((value,))

    def __init__(self, wanted: object, file_type: type | None = None) -> None:
        self._wanted = wanted
        self._file_type = file_type

    @property
    def name(self) -> str:
        """The name of the type, for messages."""
        return type_name(self._wanted)

    @lazy
    def info(self) -> inspect.Type:
        """The description of the type by msgspec, whether or not it can be read."""
        return self._wanted if isinstance(self._wanted, inspect.Type) else translated(self._wanted)

    @property
    def alternatives(self) -> tuple[inspect.Type, ...]:
        """The types of a union, or any other type alone."""
        return members(self.info)

    @property
    def fields(self) -> tuple[inspect.Field, ...]:
        """The fields of a record; empty for any other type."""
        return getattr(self.info, "fields", ())

    @property
    def records(self) -> list[type]:
        """The classes of all records in the type, which may be one itself."""
        return [part.cls for _, part in parts("", self.info) if isinstance(part, Record)]

    @property
    def is_json(self) -> bool:
        """True for the type of a form's field that is sent as JSON: ``JSON[...]``."""
        return is_json(self.info)

    @property
    def has_model(self) -> bool:
        """True if the type is a Pydantic model, or contains one."""
        return has_model(self._wanted)

    @property
    def decimal_bounds(self) -> Mapping[str, Decimal] | None:
        """The bounds of the first Decimal in the type by their names in ``msgspec.Meta``, or None."""
        found = next(iter(bounds_in(self.info)), None)
        if found is None:
            return None
        return {**found.limits, **({} if found.places is None else {"multiple_of": Decimal(10) ** -found.places})}

    @property
    def python_type(self) -> Any:
        """A type that is read in the same way, but may be written differently."""
        return python_type(self.info)

    def check(self, *, is_read: bool = True) -> None:
        """Raise TypeError for a type that can't be read, or, if ``is_read`` is False, can't be written."""
        described(self._wanted, self._file_type, is_read=is_read)

    def check_form(self) -> Collection[str]:
        """Return the names of the fields of a form or query. Raises TypeError if it can't be read as this type."""
        return reader_of(self._wanted, self._file_type).names

    def read_form(self, texts: MultiDict[str], files: MultiDict[Any], limits: Limits) -> Any:
        """Return the value of a form. Raises UnprocessableContent (422), naming each invalid field."""
        wanted = cast("type[Any]", self._wanted)
        return fields_as(texts, wanted, "form", files=files, file_type=self._file_type, limits=limits)


def _texts(values: Collection[object]) -> list[str]:
    return [_text(value) for value in values if value is not None]


def _text(value: object) -> str:
    """Return a value as text: enums as their value, durations as ISO 8601, bytes as base64, anything else as in JSON.

    A value without a JSON string or number is converted with ``str()``.
    """
    try:
        plain = msgspec.to_builtins(value)
    except TypeError:
        return value.isoformat() if isinstance(value, date | time) else str(value)
    if isinstance(plain, bool):
        return "true" if plain else "false"
    return str(plain if isinstance(plain, str | int | float) else value)
