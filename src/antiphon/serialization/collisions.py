"""Numbers chosen to have the same hash: building a set or dict of n of them takes n * n comparisons.

Python's hashes of numbers and UUIDs are predictable, so JSON is searched before it is decoded to a type with such sets
or names. A limit on the number of items would not suffice. 2000 UUIDs with one hash take 0.15 s, so the limit would
have to be lower than what honest clients send, and apply to the whole text, since a list can have many sets.
"""

import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from antiphon.serialization.faults import Faults
from antiphon.serialization.reasons import Reason
from antiphon.serialization.types import Decode, parts

_FEW = 500
"""The number of items that do no harm, regardless of their values."""

_SAME = 100
"""How many numbers may have the same hash. Among numbers that were not chosen for this, even two would be rare."""

_LONG = re.compile(rb'[^\s,:\[\]{}"]{17,}')
"""A possible number or UUID. Numbers of which many have the same hash are not shorter than this."""

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
    """Return True for a set that may contain numbers, and for a dict with numbers as names."""
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
