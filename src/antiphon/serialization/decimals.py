"""Numbers in JSON, forms and queries that no program can calculate with: NaN, infinity, and exponents beyond any use.

msgspec makes a Decimal of each of them, and a check in a ``__post_init__`` would then raise an error, or take minutes.
So they are looked for before a value is made.
"""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

import msgspec
from msgspec import inspect

from antiphon.http.numbers import NumberFault, number_fault
from antiphon.serialization.reasons import Reason
from antiphon.serialization.types import Decode, items_of, members, members_of, parts

REASONS: dict[NumberFault, Reason] = {
    "not finite": Reason("expected a finite number", "not_a_number"),
    "too large": Reason("the number is too large", "out_of_range"),
    "too precise": Reason("the number has too many decimal places", "out_of_range"),
}

_FEW_DIGITS = 300
_is_usual = re.compile(rf"[-+]?[0-9.]{{0,{_FEW_DIGITS}}}(?:[eE][-+]?[0-9]{{1,3}})?").fullmatch


def text_fault(text: str) -> Reason | None:
    """Return why a program can't calculate with the number that a text is; None if it can, or for any other text."""
    if _is_usual(text):
        return None
    try:
        fault = number_fault(Decimal(text))
    except InvalidOperation:
        return None
    return REASONS[fault] if fault else None


_MANY_DIGITS = 4096
_ZEROS = b"0" * _MANY_DIGITS
_PLAIN = bytes(48 if chr(byte).isdigit() or byte > 127 else byte for byte in bytes(range(256)).lower())
"""A table that makes letters lower-case, and a zero of each digit and of what may be part of one."""


def _spelled(word: str) -> str:
    """Return a pattern for a word with underscores anywhere, which Decimal ignores; a letter may be an escape."""
    letter = f"[{word[0]}{word[0].upper()}]"
    return letter if len(word) == 1 else rf"{letter}_*+(?:\\|{_spelled(word[1:])})"


_has_word = re.compile(
    rf'"[-+ _\x80-\xff]*+(?:\\|{_spelled("nan")}|{_spelled("snan")}|{_spelled("inf")})'.encode()
).search
_find_long_exponents = re.compile(rb'[eE](?<=[0-9._][eE])[-+_]*+[0-9_]{4,}+(?=[\s",\]}]|\Z)').finditer
_has_hidden_exponent = re.compile(
    rb"[eE](?<=[0-9a-fA-F._\x80-\xff][eE])[-+_]*+[0-9_]*+(?:\\u|[\x80-\xff])|\\u00[46]5"
).search
_has_many_digits = re.compile(rb"(?<![0-9a-fA-Fu_\\\x80-\xff])[0-9a-fA-Fu_\\\x80-\xff]{%d}" % _MANY_DIGITS).search


def _may_be_unusable(text: bytes) -> bool:
    """Return False for JSON without a number that can't be used: most JSON, in little time.

    Such a number has a word, an exponent of four digits, or thousands of digits. Each search is linear.
    """
    plain, has_escapes = text.translate(_PLAIN, b"_+-"), b"\\u" in text
    if (has_escapes or b"nan" in plain or b"inf" in plain) and _has_word(text):
        return True
    if (has_escapes or b"e0000" in plain) and _has_long_exponent(text):
        return True
    return len(text) >= _MANY_DIGITS and (_ZEROS in plain or (has_escapes and _has_many_digits(text) is not None))


def _has_long_exponent(text: bytes) -> bool:
    """Return True for an exponent of four digits in a number, unlike one in the text of a UUID."""
    if _has_hidden_exponent(text):
        return True
    for found in _find_long_exponents(text):
        before = text[max(0, found.start() - _FEW_DIGITS) : found.start()].rstrip(b"0123456789._+-")
        if not before or before[-1:] in b'" \t\r\n,:[':
            return True
    return False


def refusing_unusable(decode: Decode, info: inspect.Type) -> Decode:
    """Return ``decode`` or, for a type that has Decimals, a function that first looks for numbers that can't be used.

    That function raises ValidationError for JSON that has one where the type has a Decimal.
    """
    if not any(isinstance(part, inspect.DecimalType) for _, part in parts("", info)):
        return decode

    def decode_usable(text: bytes) -> Any:
        if next(_unusable_numbers(text, info), None):
            raise msgspec.ValidationError("a number can't be used")
        return decode(text)

    return decode_usable


class Unusable:
    """A number that can't be used, in a decoded value. No type accepts it."""

    __slots__ = ("_text", "reason")

    def __init__(self, text: object, reason: Reason) -> None:
        self._text = text
        self.reason = reason

    def __str__(self) -> str:
        return str(self._text)


def with_unusable_marked(value: Any, text: bytes, info: inspect.Type) -> Any:
    """Return the value of JSON with an Unusable in place of each number that a type with Decimals can't have."""
    whole = [value]
    for path, is_name, reason in _unusable_numbers(text, info):
        container: Any = whole
        for step in path[:-1]:
            container = container[step]
        mark = Unusable(path[-1], reason)
        if is_name:
            container[mark] = container.pop(path[-1])
        else:
            container[path[-1]] = mark
    return whole[0]


class _Written(str):
    """A number as it is written in JSON."""

    __slots__ = ()


def _integer(text: str) -> object:
    return _Written(text) if len(text) > _FEW_DIGITS else int(text)


_Path: TypeAlias = tuple[Any, ...]
_Found: TypeAlias = tuple[_Path, bool, Reason]
"""The names and indices that lead to a number, True if it is the last name itself, and the reason."""


def _unusable_numbers(text: bytes, info: inspect.Type) -> Iterator[_Found]:
    """Yield each Decimal that can't be used; none for malformed JSON."""
    if not _may_be_unusable(text):
        return
    with suppress(ValueError, RecursionError):
        value = json.loads(text.decode(), parse_float=_Written, parse_int=_integer, strict=False)
        yield from list(_unusable(value, info, (0,)))


def _unusable(value: object, info: inspect.Type, path: _Path) -> Iterator[_Found]:
    kinds = members(info)
    if isinstance(value, str):
        if _is_decimal(info) and (reason := text_fault(value)):
            yield path, False, reason
        return
    for name, part, of in items_of(value, kinds) if isinstance(value, list) else members_of(value, kinds):
        if isinstance(part, str | list | dict):
            yield from _unusable(part, of, (*path, name))
    if isinstance(value, dict) and any(
        isinstance(kind, inspect.DictType) and _is_decimal(kind.key_type) for kind in kinds
    ):
        yield from (((*path, name), True, reason) for name in value if (reason := text_fault(name)))


def _is_decimal(info: inspect.Type) -> bool:
    return any(isinstance(kind, inspect.DecimalType) for kind in members(info))
