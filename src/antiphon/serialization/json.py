"""Reading and writing JSON. Malformed JSON raises BadRequest; a value that JSON can't express raises TypeError.

Imported when JSON is first used, because it loads msgspec.
"""

import re
import sys
from collections import Counter, UserString
from collections.abc import Callable, Collection, Iterable, Mapping
from collections.abc import Set as AbstractSet
from functools import lru_cache
from itertools import islice
from json import loads as read_names
from math import isinf
from types import FunctionType, ModuleType
from typing import Any, Protocol, TypeAlias, runtime_checkable

import msgspec

from antiphon.explanations import explained
from antiphon.http.cache_control import CacheControl
from antiphon.http.conditional import ETag
from antiphon.http.errors import BadRequest, over_limit
from antiphon.http.limits import Limits
from antiphon.http.media_type import MediaType
from antiphon.http.multidict import MultiDict
from antiphon.http.ranges import ContentRange, Range
from antiphon.serialization.defaults import set_defaults
from antiphon.serialization.json_bounds import (
    ANY_NUMBER,
    DEPTH_BOUND,
    MOST_SLOW_NUMBERS,
    NO_BOUND,
    SHORT,
    crossed_bounds,
)

DEPTH = Limits().json_depth
"""The default maximum depth of nested arrays and objects."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEARCHED = 10_000
"""The maximum number of values examined to locate an invalid one."""

_decode = msgspec.json.Decoder().decode


def _finite(number: str) -> float:
    value = float(number)
    if isinf(value):
        raise msgspec.ValidationError("Number out of range")
    return value


decode_slow_numbers = msgspec.json.Decoder(float_hook=_finite).decode
"""A decoder that reads floats with Python, which takes a fifth of a microsecond for every float."""

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors that msgspec raises for bytes that aren't JSON."""


def decode_json(data: bytes, depth: int = DEPTH) -> object:
    """Decode JSON (RFC 8259). Raises BadRequest with the mistake and its position.

    Integers are exact, up to the number of digits that Python reads (``sys.get_int_max_str_digits()``, by default
    4300). Longer ones are refused, as are numbers beyond a float's range, such as ``1e400``; NaN and Infinity, which
    aren't JSON; half of a surrogate pair; any encoding but UTF-8; and arrays and objects nested more than ``depth``
    deep. A byte order mark is ignored. If a name occurs twice, the last value is used.
    """
    # Short text can't be deep and contains few numbers; this check needs no call.
    is_short = len(data) <= depth and len(data) <= SHORT
    crossed = NO_BOUND if is_short else crossed_bounds(data, depth, MOST_SLOW_NUMBERS, ANY_NUMBER)
    decode = decode_slow_numbers if crossed and check_bounds(data, depth) else _decode
    try:
        return decode(data)
    except UNREADABLE as error:
        if data[:3] != _BYTE_ORDER_MARK:
            raise malformed(data, error) from error
    try:
        return decode(without_mark(data))
    except UNREADABLE as error:
        raise malformed(data, error) from error


def check_bounds(data: bytes, depth: int, nuls: int = ANY_NUMBER) -> int:
    """Return the bounds that JSON exceeds, as one number: ``SLOW_NUMBERS`` and ``NULS``.

    Raises BadRequest if the text is nested more than ``depth`` deep.
    """
    crossed = crossed_bounds(data, depth, MOST_SLOW_NUMBERS, nuls)
    if crossed == DEPTH_BOUND:
        raise over_limit(BadRequest, "json_depth", depth, f"The JSON is nested more than {depth} levels deep.")
    return crossed


def check_repeats(data: bytes, limits: Limits) -> None:
    """Check that the names of JSON objects are not repeated more often than ``limits.json_repeats``.

    Raises BadRequest (400), also for JSON nested more than ``limits.json_depth`` deep. Any other malformed JSON passes:
    the decoder reports it.
    """
    check_bounds(data, limits.json_depth)
    count = 0

    def look(members: list[tuple[str, object]]) -> None:
        nonlocal count
        names = {name for name, _ in members}
        count += len(members) - len(names)
        if count > limits.json_repeats:
            name, _ = Counter([name for name, _ in members]).most_common(1)[0]
            detail = f"The JSON repeats more than {limits.json_repeats} names of members, such as {name[:80]!r}."
            raise over_limit(BadRequest, "json_repeats", limits.json_repeats, detail)

    try:
        read_names(without_mark(data).decode(), object_pairs_hook=look, parse_int=len, parse_float=len, strict=False)
    except ValueError:
        pass
    except RecursionError as error:
        raise malformed(data, error) from error


def json_text(data: bytes, depth: int) -> bytes:
    """Return a body without its byte order mark. Raises BadRequest if it is nested more than ``depth`` deep."""
    check_bounds(data, depth)
    return without_mark(data)


def without_mark(data: bytes) -> bytes:
    """Return text without its byte order mark."""
    return data[3:] if data[:3] == _BYTE_ORDER_MARK else data


def malformed(data: bytes, error: Exception) -> BadRequest:
    """Return the BadRequest for a body that msgspec refused with this error."""
    return BadRequest(_reason(data, error))


_OTHER_UNICODE = re.compile(rb"\xff\xfe|\xfe\xff|\0|[^\0]\0(?:\Z|[^\0]\0|\0\0)", re.DOTALL).match
"""Match text that begins like UTF-16 or UTF-32; no UTF-8 text begins like that."""

_HALF_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}.{0,5}\Z", re.DOTALL)
_MESSAGE = re.compile(r"JSON is malformed: (.+) \(byte (\d+)\)")
_READ_AHEAD = {
    "trailing characters": 1,
    "invalid escape character in string": 1,
    "invalid character in unicode escape": 1,
    "invalid utf-16 surrogate pair": 6,
}
"""The number of bytes by which msgspec has read beyond a mistake when reporting it."""


def _reason(data: bytes, error: Exception) -> str:
    marked = len(_BYTE_ORDER_MARK) if data.startswith(_BYTE_ORDER_MARK) else 0
    if not data[marked:].strip():
        return "the body is empty where JSON was expected"
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if _OTHER_UNICODE(data):
        return "the JSON is not in UTF-8: it looks like UTF-16 or UTF-32 (byte 0)"
    try:
        data.decode()
    except UnicodeDecodeError as undecodable:
        return f"the JSON is not in UTF-8: {undecodable.reason} (byte {undecodable.start})"
    if isinstance(error, msgspec.ValidationError):
        return f"the JSON has a number that is too large{_place_of_large_number(data)}"
    return _malformation(data, marked, str(error))


def _malformation(data: bytes, marked: int, message: str) -> str:
    if message == "Input data was truncated":
        if half := _HALF_PAIR.search(data, max(0, len(data) - 11)):
            return f"the JSON has half of a surrogate pair (byte {half.start()})"
        return f"the JSON ends before it is complete (byte {len(data)})"
    if not (found := _MESSAGE.fullmatch(message)):
        return "the JSON is malformed"
    return f"the JSON is malformed: {found[1]} (byte {int(found[2]) - _READ_AHEAD.get(found[1], 0) + marked})"


_STRING_OR_NUMBER = re.compile(rb'"(?:[^"\\]++|\\.?)*+"|(-?\d++(?:\.\d++)?(?:[eE][+-]?\d++)?)', re.DOTALL)


def _place_of_large_number(data: bytes) -> str:
    for found in islice(_STRING_OR_NUMBER.finditer(data), _SEARCHED):
        if (number := found[1]) and _is_too_large(number):
            return f" (byte {found.start()})"
    return ""


def _is_too_large(number: bytes) -> bool:
    if number.lstrip(b"-").isdigit():
        return 0 < sys.get_int_max_str_digits() < len(number.lstrip(b"-"))
    return isinf(float(number))


class _UnwritableError(TypeError):
    """The error for a value that JSON can't express."""

    def __init__(self, value: object, form: str = "JSON") -> None:
        super().__init__(f"{type(value).__name__} can't be written as {form}")
        self.value = value
        self.reason = ""

    def at(self, place: str) -> str:
        """Return the message, with the location and the reason, if any."""
        parts = (f"it is at {place}" if place else "", self.reason, hint_of_attributes(self.value))
        more = [part for part in parts if part]
        return f"{self}: {'; '.join(more)}" if more else str(self)


def hint_of_attributes(value: object) -> str:
    """Return a hint to write the attributes of an object, such as an ORM row; empty if the object has none."""
    if isinstance(value, type | FunctionType | ModuleType) or not getattr(value, "__dict__", None):
        return ""
    return "convert it to a dataclass with its attributes: msgspec.convert(value, Out, from_attributes=True)"


@runtime_checkable
class _Mapping(Protocol):
    """Any object that ``dict()`` reads as a mapping, whether or not it is registered as one."""

    def keys(self) -> Iterable[object]: ...
    def __getitem__(self, name: object, /) -> object: ...


_OF_HEADERS = (CacheControl, ContentRange, ETag, MediaType, Range)
"""Types of header values that are written as a single string, except those that may contain a secret."""

_PLAIN: tuple[tuple[type | tuple[type, ...], Callable[..., object]], ...] = (
    (MultiDict, MultiDict.to_lists),
    (str, str.__str__),
    (UserString, str),
    (int, int.__int__),
    (float, float.__float__),
    (_OF_HEADERS, str),
    (_Mapping, dict),
    (Collection, list),
)
"""Types that msgspec can't write, each with a function that converts it to a supported type; the first match is
used.
"""


def _plain_model(model: Any) -> object:
    """Return a Pydantic model as JSON types: its fields by their aliases, and its computed fields; or a URL or secret
    of Pydantic's as text.
    """
    if hasattr(model, "model_dump"):
        return model.model_dump(mode="json", by_alias=True)
    return type(model).__pydantic_serializer__.to_python(model, mode="json", by_alias=True)


_NAMELESS = (list, tuple, dict, set, frozenset)
"""Types that msgspec writes itself, but not as dict keys. None and bool are treated the same way."""


def _written_as(value: object) -> object:
    """Return a replacement for a value that msgspec doesn't support, or doesn't accept as a name."""
    if value is None or isinstance(value, bool):
        return _encode(value).decode()
    if isinstance(value, _NAMELESS):
        raise _UnwritableError(value, "a name in JSON")
    if hasattr(type(value), "__pydantic_serializer__"):
        return _plain_model(value)
    for known, plain in _PLAIN:
        if isinstance(value, known):
            return plain(value)
    raise _UnwritableError(value)


Default: TypeAlias = Callable[[object], object]
"""A function that returns a replacement for a value that can't be serialized. Raises TypeError for unknown values."""

_encode = msgspec.json.Encoder(enc_hook=_written_as).encode


def _hook(default: Default | None) -> Default:
    """Return the function that msgspec calls for values that it doesn't support."""
    if default is None:
        return _written_as

    def written_as(value: object) -> object:
        try:
            return _written_as(value)
        except _UnwritableError as unwritable:
            if isinstance(value, msgspec.UnsetType):  # UNSET is left out, not written
                raise
            try:
                return default(value)
            except TypeError as error:
                unwritable.reason = str(error)
                raise unwritable from error

    return written_as


@lru_cache(16)
def _encoder(default: Default) -> Callable[[object], bytes]:
    return msgspec.json.Encoder(enc_hook=_hook(default)).encode


def encode_json(value: object, default: Default | None = None) -> bytes:
    """Encode a value as JSON in UTF-8, without spaces.

    All types that msgspec supports can be written (dict, list, str, numbers, bool, None, dataclasses, Structs, attrs
    classes, tuples, sets, enums, dates and times, UUID; Decimal as a string, bytes in base64). This function also
    writes a MultiDict as lists by name, any mapping (any object with ``keys`` and ``[]``, such as Headers) as an
    object, subclasses of str, int and float like their base classes, a UserString as a string, any other collection as
    an array, a Pydantic model as its fields, and MediaType, ETag, CacheControl, Range and ContentRange as in the
    header. NaN and Infinity, which aren't JSON, become null. Members whose value is msgspec's UNSET are left out.
    Fields that a dataclass made by ``msgspec.convert`` lacks are set to their defaults; in a list of dicts, only the
    first dict is searched for such instances. ``default`` is called with each value of any other type and returns the
    value to write instead.

    Raises TypeError, with the type and location, for a value that can't be written. Raises ValueError for a value that
    contains itself or is nested beyond Python's recursion limit, and for half of a surrogate pair in a str. Errors that
    ``default`` raises are passed on; the type and location are added to a TypeError.
    """
    encode = _encode if default is None else _encoder(default)
    try:
        set_defaults(value)
        try:
            return encode(value)
        except _UnwritableError as error:
            if not isinstance(error.value, msgspec.UnsetType):
                raise
            value = _without_unset(value, _hook(default))
            return encode(value)
    except _UnwritableError as error:
        raise explained("not-json", error.at(_place(value, error.value)), TypeError) from error.__cause__
    except RecursionError:
        name = type(value).__name__
        raise explained(
            "not-json", f"this {name} can't be written as JSON: it contains itself, or is nested too deeply"
        ) from None
    except TypeError as error:
        raise explained(
            "not-json", f"this {type(value).__name__} can't be written as JSON: {error}", TypeError
        ) from error


def _without_unset(value: object, written_as: Default) -> object:
    """Return a value as JSON types, without the members of objects that are UNSET."""
    unset = str(b"UNSET", "ascii")  # recognized by identity, so no program's text matches

    def without(part: object) -> object:
        if isinstance(part, dict):
            return {name: without(inner) for name, inner in part.items() if inner is not unset}
        if isinstance(part, list | tuple):
            return list(map(without, part))
        return msgspec.UNSET if part is unset else part

    def written(part: object) -> object:
        return unset if isinstance(part, msgspec.UnsetType) else written_as(part)

    return without(msgspec.to_builtins(value, enc_hook=written, str_keys=True))


def _place(whole: object, part: object) -> str:
    """Return the JSON Pointer to a nested value (RFC 6901); empty if it is the whole value or isn't found."""
    levels = [("", iter(_children(whole)))]
    for _ in range(_SEARCHED):
        if not levels:
            break
        pointer, children = levels[-1]
        found = next(children, None)
        if found is None:
            levels.pop()
            continue
        name, child = found
        at = pointer + pointer_step(str(name))
        if child is part:
            return at
        if below := _children(child):
            levels.append((at, iter(below)))
    return ""


def _children(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, MultiDict):
        value = value.to_lists()
    if isinstance(value, Mapping):
        return value.items()
    if isinstance(value, list | tuple | AbstractSet):
        return enumerate(value)
    cls = type(value)
    names: Iterable[str] = getattr(cls, "__struct_fields__", getattr(cls, "__dataclass_fields__", ()))
    return [(name, getattr(value, name, None)) for name in names]


def pointer_step(name: str) -> str:
    """Return one step of a JSON Pointer (RFC 6901 §3)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
