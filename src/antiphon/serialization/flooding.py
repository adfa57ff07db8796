"""Numbers that were chosen to fill one place of a set, where each takes as many steps as are there already.

Python's hash of an int, Decimal or UUID is known beforehand, unlike that of a str: the number modulo 2**61 - 1. So a
body could hold thousands that have the same. msgspec makes a set before it looks at any bound of its length; so the
text is looked at first, as a whole, since of a name that comes twice only the last value would be seen in the parts.
"""

import re
from collections import Counter
from decimal import Decimal, InvalidOperation
from typing import TypeAlias

import msgspec
from msgspec import inspect

from antiphon.serialization.types import parts

_MANY = 500
"""How many items do no harm, whatever they are."""

_SAME = 100
"""How many numbers may have the same hash. Of those that nobody chose for it, two would be rare."""

_LONG = re.compile(rb'[^\s,:\[\]{}"]{17,}')
"""What may be a number or a UUID, and is no shorter than those are of which many have the same hash."""

_HEX = re.compile(r"[0-9a-fA-F-]{32,36}")
_Known: TypeAlias = inspect.IntType | inspect.DecimalType | inspect.UUIDType


def hashes_numbers(info: inspect.Type) -> bool:
    """Whether a value of this type may have sets of numbers, or dicts with numbers for names."""
    for _, part in parts("", info):
        match part:
            case inspect.SetType(item_type=inner) | inspect.FrozenSetType(item_type=inner):
                if any(isinstance(found, _Known | inspect.AnyType) for _, found in parts("", inner)):
                    return True
            case inspect.DictType(key_type=inner):
                if any(isinstance(found, _Known) for _, found in parts("", inner)):
                    return True
    return False


def is_flood(text: bytes) -> bool:
    """Whether a JSON text has many numbers with the same hash."""
    if text.count(b",") < _MANY:
        return False
    hashes = Counter(map(_hash, set(_LONG.findall(text))))
    return any(times > _SAME for number, times in hashes.items() if number is not None)


def _hash(token: bytes) -> int | None:
    """The hash of a number or UUID, if it is one, which may be spelled with escapes."""
    try:
        text = msgspec.json.decode(b'"%s"' % token, type=str) if b"\\" in token else token.decode()
        if _HEX.fullmatch(text) and len(digits := text.replace("-", "")) == 32:
            return hash(int(digits, 16))
        return hash(Decimal(text))
    except (ValueError, TypeError, InvalidOperation):
        return None
