"""Numbers that a program can calculate with: finite, and within the range of IEEE 754's decimal128.

A comparison with a Decimal that is NaN raises an error, and ``1E+999999999``, which has twelve characters, becomes a
billion digits as an int or with ``f"{price:.2f}"``.
"""

from math import isfinite
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from decimal import Decimal

LARGEST_EXPONENT = 6144
"""The exponent of the first digit of decimal128's largest number (IEEE 754-2019 §3.6)."""

SMALLEST_EXPONENT = -6176
"""The exponent of the last digit of decimal128's smallest number."""

NumberFault: TypeAlias = Literal["not finite", "too large", "too precise"]


def number_fault(number: "float | Decimal") -> NumberFault | None:
    """Return why a program can't calculate with a number; None if it can."""
    if isinstance(number, int | float):
        return None if isfinite(number) else "not finite"
    if not number.is_finite():
        return "not finite"
    if number.adjusted() > LARGEST_EXPONENT:
        return "too large"
    exponent = number.as_tuple().exponent
    return "too precise" if isinstance(exponent, int) and exponent < SMALLEST_EXPONENT else None
