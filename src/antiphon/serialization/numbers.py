"""Numbers in JSON: integers written with a point, such as ``87.0``, and numbers chosen for their equal hashes.

msgspec reads the former only as floats, so JSON that it has refused is searched for them, alongside its type.

Python's hashes of numbers and UUIDs are predictable, so JSON is searched for collisions before it is decoded to a type
that contains sets of them, or dicts with them as keys. A limit on the number of items wouldn't suffice: 2000 UUIDs with
the same hash take 0.15 s, so the limit would have to be lower than the number that honest clients send, and it would
have to apply to the whole text, because a list can contain many sets.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from antiphon.serialization.faults import Faults, Reason
from antiphon.serialization.types import Decode, items_of, members, members_of, parts

_MOST = 2**53
"""The largest number up to which a float can represent every integer. RFC 8259 §6 advises against larger numbers."""

_strings_and_numbers = re.compile(rb'"(?:[^"\\]++|\\.?)*+"|-?[0-9]++(?:([.eE])[-+.0-9eE]*+)?', re.DOTALL).finditer

_FEW_DIGITS = 16
"""The minimum length, including a sign, of a number that may exceed ``_MOST``."""

_KEPT = 4096
_FRACTIONAL = (inspect.AnyType, inspect.RawType, inspect.FloatType, inspect.DecimalType)


class _Whole:
    """A number without a fraction that is written with a point or an exponent."""

    __slots__ = ("is_integer", "written")

    def __init__(self, written: bytes) -> None:
        self.written = written
        """The number, written as an integer."""
        self.is_integer = False
        """True where the type accepts only integers."""


def with_integers(text: bytes, info: inspect.Type) -> bytes | None:
    """Return JSON in which numbers without a fraction are written as integers where the type needs integers; None if
    nothing changes.

    This applies to numbers up to 2**53 in either direction.
    """
    if not any(_is_integer(part) for _, part in parts("", info)):
        return None
    numbers: list[_Whole | None] = []
    written = lru_cache(_KEPT)(_whole)

    def noted(number: str) -> _Whole | None:
        digits = written(number)
        whole = None if digits is None else _Whole(digits)
        numbers.append(whole)
        return whole

    try:
        value = msgspec.json.Decoder(float_hook=noted).decode(text)
        if not any(numbers):
            return None
        _Marking().mark(value, info)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if any(number is not None and number.is_integer for number in numbers):
        return b"".join(_rewritten(text, numbers))
    return None


def _rewritten(text: bytes, numbers: Iterable[_Whole | None]) -> Iterator[bytes]:
    """Yield the parts of the rewritten text. ``numbers`` are the numbers in the original text that are written with a
    point or an exponent.
    """
    at = 0
    written = (found for found in _strings_and_numbers(text) if found.lastindex)
    for found, number in zip(written, numbers, strict=False):
        if number is not None and number.is_integer:
            yield text[at : found.start()]
            yield number.written
            at = found.end()
    yield text[at:]


def _whole(number: str) -> bytes | None:
    """Return a number without a fraction as an integer; None for any other number."""
    digits, point, fraction = number.partition(".")
    if point and len(digits) < _FEW_DIGITS and not fraction.strip("0"):
        return digits.encode()
    try:
        exact = Decimal(number)
    except InvalidOperation:  # an exponent of twenty digits
        return None
    if abs(exact) > _MOST or exact != exact.to_integral_value():
        return None
    return b"%d" % int(exact)


def _is_integer(info: inspect.Type) -> bool:
    match info:
        case inspect.IntType():
            return True
        case inspect.LiteralType(values=values):
            return any(type(value) is int for value in values)
        case inspect.EnumType(cls=cls):
            return any(type(member.value) is int for member in cls)
    return False


class _Marking:
    """A search for the numbers in a value that must be integers."""

    def __init__(self) -> None:
        self._known: dict[int, bool] = {}

    def mark(self, value: object, info: inspect.Type) -> None:
        """Mark the numbers in a value of the given type."""
        if isinstance(value, _Whole):
            value.is_integer = self._is_integer_alone(info)
            return
        kinds = members(info)
        if isinstance(value, list) and isinstance(kinds[0], inspect.CollectionType):  # in half the time
            item = kinds[0].item_type
            if self._is_integer_alone(item):
                for part in value:
                    if type(part) is _Whole:
                        part.is_integer = True
            for part in [each for each in value if type(each) in (list, dict)]:
                self.mark(part, item)
            return
        for _, part, of in items_of(value, kinds) if isinstance(value, list) else members_of(value, kinds):
            if type(part) is _Whole:
                part.is_integer = self._is_integer_alone(of)
            elif part and type(part) in (list, dict):
                self.mark(part, of)

    def _is_integer_alone(self, info: inspect.Type) -> bool:
        """True for a type that accepts integers and no other numbers."""
        if (known := self._known.get(id(info))) is None:
            kinds = members(info)
            known = any(map(_is_integer, kinds)) and not any(isinstance(kind, _FRACTIONAL) for kind in kinds)
            self._known[id(info)] = known
        return known


_FEW = 500
"""A number of items that is harmless, regardless of their values."""

_SAME = 100
"""The maximum number of numbers that may have the same hash. Unless someone has chosen numbers for their hash, even two
are rare.
"""

_LONG = re.compile(rb'[^\s,:\[\]{}"]{17,}')
"""Match a possible number or UUID. Shorter numbers don't collide in large quantities."""

_HEX = re.compile(r"[0-9a-fA-F-]{32,36}")
_Number: TypeAlias = inspect.IntType | inspect.DecimalType | inspect.UUIDType


def refusing_collisions(decode: Decode, info: inspect.Type) -> Decode:
    """Return ``decode`` or, for a type that hashes numbers, a function that looks for collisions before it decodes.

    That function raises UnprocessableContent for JSON in which many different numbers have the same hash.
    """
    if not any(_hashes_numbers(part) for _, part in parts("", info)):
        return decode

    def decode_without_collisions(text: bytes) -> Any:
        if _has_collisions(text):
            faults = Faults()
            faults.add("", Reason("too many numbers have the same hash"))
            raise faults.error()
        return decode(text)

    return decode_without_collisions


def _hashes_numbers(info: inspect.Type) -> bool:
    """Return True for a set that may contain numbers, and for a dict with numbers as keys."""
    match info:
        case inspect.SetType(item_type=hashed) | inspect.FrozenSetType(item_type=hashed):
            return any(isinstance(part, _Number | inspect.AnyType) for _, part in parts("", hashed))
        case inspect.DictType(key_type=hashed):
            return any(isinstance(part, _Number) for _, part in parts("", hashed))
    return False


def _has_collisions(text: bytes) -> bool:
    if text.count(b",") < _FEW:
        return False
    hashes = Counter(map(_hash, set(_LONG.findall(text))))
    del hashes[None]
    return any(times > _SAME for times in hashes.values())


def _hash(token: bytes) -> int | None:
    """Return the hash of a number or UUID, which may be written with escapes; None for anything else."""
    try:
        text = msgspec.json.decode(b'"%s"' % token, type=str)
        if _HEX.fullmatch(text) and len(digits := text.replace("-", "")) == 32:
            return hash(int(digits, 16))
        return hash(Decimal(text))
    except (ValueError, TypeError, InvalidOperation):
        return None
