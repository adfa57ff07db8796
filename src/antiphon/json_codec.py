"""JSON from bytes and to bytes: a client's mistake is a BadRequest, a value that JSON lacks a TypeError.

Imported when JSON is first used, because it loads msgspec.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Protocol, runtime_checkable

import msgspec

from antiphon.http.errors import BadRequest
from antiphon.http.multidict import MultiDict

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_SEARCHED = 10_000
"""How many values are looked at for the place of one that can't be written."""

_decode = msgspec.json.Decoder().decode


def decode_json(data: bytes) -> object:
    """The value of a JSON text (RFC 8259). Raises BadRequest that says what is wrong, and at which byte.

    Integers are exact, up to the digits that Python reads (``sys.get_int_max_str_digits()``, 4300 unless
    set); longer ones are refused, and so are numbers beyond a float's range such as ``1e400``, NaN and
    Infinity (which JSON lacks), a byte order mark, and nesting beyond Python's recursion limit. Of a name
    that comes twice the last value counts.
    """
    try:
        return _decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise malformed(data, error) from error


def malformed(data: bytes, error: Exception) -> BadRequest:
    """The BadRequest for a body in which msgspec met this error."""
    return BadRequest(_fault(data, error))


def _fault(data: bytes, error: Exception) -> str:
    if not data or data.isspace():
        return "the body is empty where JSON was expected"
    if data.startswith(_BYTE_ORDER_MARK):
        return "the JSON starts with a byte order mark, which has no place there (byte 0)"
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    try:
        data.decode()
    except UnicodeDecodeError as undecodable:
        return f"the JSON is not in UTF-8: {undecodable.reason} (byte {undecodable.start})"
    if isinstance(error, msgspec.ValidationError):
        return "the JSON has a number that is too large"
    message = str(error)
    if message == "Input data was truncated":
        return f"the JSON ends before it is complete (byte {len(data)})"
    return f"the {message}" if message.startswith("JSON is malformed") else "the JSON is malformed"


class _UnwritableError(TypeError):
    """A value that has no form in JSON."""

    def __init__(self, value: object, form: str = "JSON") -> None:
        super().__init__(f"{type(value).__name__} can't be written as {form}")
        self.value = value


@runtime_checkable
class _Mapping(Protocol):
    """What ``dict()`` reads as a mapping, whether it is registered as one or not."""

    def keys(self) -> Iterable[object]: ...
    def __getitem__(self, name: object, /) -> object: ...


_PLAIN: tuple[tuple[type, Callable[..., object]], ...] = (
    (MultiDict, MultiDict.to_dict),
    (str, str.__str__),
    (int, int.__int__),
    (float, float.__float__),
    (_Mapping, dict),
    (Collection, list),
)
"""Types that msgspec doesn't write, with what makes one of them that it does; the first that fits counts."""


_NAMELESS = (list, tuple, dict, set, frozenset)
"""What msgspec writes itself, and asks for when it is the key of a dict; so it does with None and bool."""


def _written_as(value: object) -> object:
    """What to write for a value of a type that msgspec doesn't know, or doesn't take for a name."""
    if value is None or isinstance(value, bool):
        return _encode(value).decode()
    if isinstance(value, _NAMELESS):
        raise _UnwritableError(value, "a name in JSON")
    for known, plain in _PLAIN:
        if isinstance(value, known):
            return plain(value)
    raise _UnwritableError(value)


_encode = msgspec.json.Encoder(enc_hook=_written_as).encode


def encode_json(value: object) -> bytes:
    """A value as JSON in UTF-8, without spaces.

    What msgspec writes is written (dict, list, str, numbers, bool, None, dataclasses, Structs, attrs
    classes, tuples, sets, enums, dates and times, UUID; Decimal as a string, bytes in base64), and besides:
    a MultiDict as lists by name, any mapping (what has ``keys`` and ``[]``, so Headers too), subclasses of
    str, int and float as these, any other collection as an array. NaN and Infinity, which JSON lacks,
    become null.

    Raises TypeError that names the type and place of a value that can't be written, ValueError for one that
    contains itself or is nested beyond Python's recursion limit, and for half of a surrogate pair in a str.
    """
    try:
        return _encode(value)
    except _UnwritableError as error:
        place = _place(value, error.value)
        raise TypeError(f"{error}: it is at {place}" if place else str(error)) from None
    except RecursionError:
        name = type(value).__name__
        raise ValueError(f"this {name} can't be written as JSON: it contains itself, or is nested too deeply") from None
    except TypeError as error:
        raise TypeError(f"this {type(value).__name__} can't be written as JSON: {error}") from error


def _place(whole: object, part: object) -> str:
    """A JSON Pointer to a part (RFC 6901); empty when it is the whole, or isn't found."""
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
    if isinstance(value, dict):
        return value.items()
    if isinstance(value, list | tuple):
        return enumerate(value)
    cls = type(value)
    names: Iterable[str] = getattr(cls, "__struct_fields__", getattr(cls, "__dataclass_fields__", ()))
    return [(name, getattr(value, name, None)) for name in names]


def pointer_step(name: str) -> str:
    """One step of a JSON Pointer (RFC 6901 §3)."""
    return "/" + name.replace("~", "~0").replace("/", "~1")
