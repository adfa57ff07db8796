"""The refusal of Decimals in JSON, forms and queries that are outside their bounds or unusable in calculations (NaN,
infinity and enormous exponents).

msgspec accepts all of these, and a check in a ``__post_init__`` could then raise an error or take minutes. So they are
detected before a value is created.
"""

import json
import operator
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from itertools import chain, compress, islice
from math import ceil, floor
from typing import Any, Literal, NamedTuple, TypeAlias

import msgspec
from msgspec import inspect

from antiphon.explanations import explained
from antiphon.http.errors import FaultBounds
from antiphon.http.multidict import NumberFault, number_fault
from antiphon.serialization.faults import COUNTED, Reason
from antiphon.serialization.types import AS_STRING, Collection, Decode, is_object, members, parts

REASONS: dict[NumberFault, Reason] = {
    "not finite": Reason("expected a finite number", "not_a_number"),
    "too large": Reason("the number is too large", "out_of_range"),
    "too precise": Reason("the number has too many decimal places", "out_of_range"),
}

_BOUNDS = "antiphon.decimal"
"""The key of a Decimal's bounds in msgspec's metadata of its type."""

_SIGNS: dict[str, tuple[str, Literal["min", "max", "above", "below"], str, Callable[[Decimal, Decimal], bool]]] = {
    "ge": ("of at least", "min", "minimum", operator.ge),
    "gt": ("above", "above", "exclusiveMinimum", operator.gt),
    "le": ("of at most", "max", "maximum", operator.le),
    "lt": ("below", "below", "exclusiveMaximum", operator.lt),
}
"""The wording of each bound, its names in an error and in JSON Schema, and the comparison that must hold."""


class DecimalBounds:
    """The bounds on a Decimal, how many decimal places it may have, and whether JSON must have it as a string."""

    __slots__ = ("_is_plain", "is_string", "limits", "places")

    def __init__(self, limits: Mapping[str, Decimal], places: int | None, is_string: bool = False) -> None:
        self.limits = limits
        self.places = places
        self.is_string = is_string
        self._is_plain = None if places is None else re.compile(self._pattern).fullmatch

    @property
    def _pattern(self) -> str:
        sign = "" if max(self.limits.get("ge", -1), self.limits.get("gt", -1)) >= 0 else "-?"
        return rf"{sign}[0-9]+(\.[0-9]{{1,{self.places}}})?" if self.places else f"{sign}[0-9]+"

    def schema(self) -> dict[str, object]:
        """Return the bounds as JSON Schema, for the Decimal as a string and as a number."""
        text: dict[str, object] = {}
        if self.places is not None:
            text["pattern"] = f"^{_within(self.limits, self.places)}$"
        if self.is_string:
            return text | {"$comment": AS_STRING}
        steps = {} if self.places is None else {"multipleOf": _plain_number(Decimal(10) ** -self.places)}
        return text | steps | {_SIGNS[name][2]: _plain_number(limit) for name, limit in self.limits.items()}

    def fit(self, texts: Iterable[str]) -> bool:
        """Return True if all numbers fit. Raises InvalidOperation for other text."""
        numbers = [*map(Decimal, texts)]
        for name, limit in self.limits.items():
            if numbers and not _SIGNS[name][3](min(numbers) if name[0] == "g" else max(numbers), limit):
                return False
        return self._is_plain is None or all(map(self._is_plain, texts))

    def fault(self, text: str) -> Reason | None:
        """Return the reason why a number is refused; None if it fits or the text isn't a number."""
        try:
            number = Decimal(text)
        except InvalidOperation:
            return None
        for name, limit in self.limits.items():
            words, bound, _, holds = _SIGNS[name]
            if not holds(number, limit):
                known: FaultBounds = {bound: _plain_number(limit)}  # type: ignore[misc]  # a known name
                return Reason(f"expected a decimal number {words} {limit}", "out_of_range", known)
        if self.places is None or self._is_plain is None or self._is_plain(text):
            return None
        digits = f"digits, with at most {self.places} after the point" if self.places else "digits, without a point"
        return Reason(
            f"expected {digits}", "not_a_multiple", {"multiple_of": _plain_number(Decimal(10) ** -self.places)}
        )


# The pattern of the numbers within bounds. It has no lookahead, which Go and Rust refuse.

_DIGIT = "[0-9]"


def _within(limits: Mapping[str, Decimal], places: int) -> str:
    """Return a pattern of the numbers within bounds, written in digits with at most this many after the point."""
    low, high = _ends(limits, places)
    if low is not None and high is not None and low > high:
        return r"[^\s\S]"  # no number
    sides: dict[str, str] = {}
    if high is None or high >= 0:
        sides[""] = _between(max(low or 0, 0), high, places)
    if low is None or low < 0:
        sides["-"] = _between(max(-(high or 0), 0), None if low is None else -low, places)
    if len(sides) == 2 and sides[""] == sides["-"]:
        return f"-?{sides['']}"
    found = [*map("".join, sides.items())]
    return found[0] if len(found) == 1 else f"({'|'.join(found)})"


def _ends(limits: Mapping[str, Decimal], places: int) -> tuple[int | None, int | None]:
    """Return the least and the greatest number within bounds, in the smallest unit; None for an end that is open."""
    scaled = {name: Fraction(limit) * 10**places for name, limit in limits.items()}
    lows = [ceil(each) if name == "ge" else floor(each) + 1 for name, each in scaled.items() if name in ("ge", "gt")]
    highs = [floor(each) if name == "le" else ceil(each) - 1 for name, each in scaled.items() if name in ("le", "lt")]
    return max(lows, default=None), min(highs, default=None)


def _between(low: int, high: int | None, places: int) -> str:
    """Return a pattern of the numbers between two, which count the smallest unit, such as cents."""
    part = _part([_DIGIT] * places)
    if low == 0 and high is None:
        return f"{_DIGIT}+{part}"
    shortest, longest = (max(len(str(each)), places + 1) for each in (low, low if high is None else high))
    found = []
    for size in sorted({shortest, longest}):
        first = low if size == shortest else 10 ** (size - 1)
        last = 10**size - 1 if high is None or size < longest else high
        blocks = _blocks(f"{first:0{size}}", f"{last:0{size}}")
        found += ["".join(each[: size - places]) + _part(each[size - places :]) for each in blocks]
    if high is None or longest - shortest > 1:
        found.append(f"[1-9]{_DIGIT}{{{shortest - places},{'' if high is None else longest - places - 2}}}{part}")
    return f"0*({'|'.join(found)})"


def _blocks(low: str, high: str) -> Iterator[list[str]]:
    """Yield patterns of each digit for the numbers of one length: 17 to 42 are 1[7-9], [2-3][0-9] and 4[0-2]."""
    if not low:
        yield []
        return
    first, last, rest = int(low[0]), int(high[0]), len(low) - 1
    if first == last:
        yield from ([low[0], *each] for each in _blocks(low[1:], high[1:]))
        return
    starts, ends = low[1:].strip("0") != "", high[1:].strip("9") != ""
    if starts:
        yield from ([low[0], *each] for each in _blocks(low[1:], "9" * rest))
    if first + starts <= last - ends:
        yield [f"[{first + starts}-{last - ends}]", *[_DIGIT] * rest]
    if ends:
        yield from ([high[0], *each] for each in _blocks("0" * rest, high[1:]))


def _part(digits: list[str]) -> str:
    """Return a pattern of the digits after the point, without the zeros at their end that may be left out."""
    if {*digits} <= {_DIGIT}:
        return rf"(\.{_DIGIT}{{1,{len(digits)}}})?" if digits else ""
    needed = max((at + 1 for at, each in enumerate(digits) if not each.startswith(("0", "[0"))), default=0)
    rest = ""
    for each in reversed(digits[max(needed, 1) :]):
        rest = f"({each}{rest})?" if rest else f"{each}?"
    text = rf"\.{''.join(digits[: max(needed, 1)])}{rest}"
    return text if needed else f"({text})?"


def _plain_number(number: Decimal) -> float:
    return int(number) if number == number.to_integral_value() else float(number)


def decimal_meta(
    *,
    ge: Decimal | int | str | None = None,
    gt: Decimal | int | str | None = None,
    le: Decimal | int | str | None = None,
    lt: Decimal | int | str | None = None,
    places: int | None = None,
    json: Literal["string"] | None = None,
) -> msgspec.Meta:
    """Return the bounds of a Decimal, for its annotation. ``msgspec.Meta`` has these bounds for other numbers, but
    doesn't support them for Decimals. An example is ``Annotated[Decimal, decimal_meta(ge=0, places=2)]``. With
    ``places``, a number must be written in digits, without an exponent and with at most this many digits after the
    decimal point. With ``json="string"``, JSON must have the number as a string, such as ``"9.99"``, because many
    programs read JSON numbers as floats; a Decimal is always written as a string. Raises TypeError for a float, because
    a float rarely equals the number as it is written. Raises ValueError for a bound that isn't a finite number, for
    negative ``places``, and for any other ``json``.
    """
    given = {"ge": ge, "gt": gt, "le": le, "lt": lt}
    limits = {name: _limit(name, bound) for name, bound in given.items() if bound is not None}
    if places is not None and places < 0:
        raise explained("bad-decimal-bound", f"places must be 0 or more, not {places}")
    if json not in (None, "string"):
        raise explained("bad-decimal-bound", f"json must be 'string', not {json!r}")
    bounds = DecimalBounds(limits, places, json == "string")
    return msgspec.Meta(extra={_BOUNDS: bounds}, extra_json_schema=bounds.schema())


def _limit(name: str, bound: object) -> Decimal:
    if not isinstance(bound, Decimal | int | str):
        kind = type(bound).__name__
        raise explained(
            "bad-decimal-bound", f'{name} must be a Decimal, an int or text, not a {kind}: {name}="{bound}"', TypeError
        )
    try:
        limit = Decimal(bound)
    except InvalidOperation:
        limit = Decimal("nan")
    if number_fault(limit):
        raise explained("bad-decimal-bound", f"{name} must be a finite number, not {bound!r}")
    return limit


def bounds_in(info: inspect.Type, given: DecimalBounds | None = None) -> list[DecimalBounds | None]:
    """Return the bounds of each Decimal type in a type: the type itself, an alternative of a union, or the type of
    items. None stands for a Decimal without bounds.
    """
    match info:
        case inspect.Metadata(type=inner):
            return bounds_in(inner, (info.extra or {}).get(_BOUNDS, given))
        case inspect.UnionType(types=types) | inspect.TupleType(item_types=types):
            return [each for part in types for each in bounds_in(part, given)]
        case inspect.CollectionType(item_type=item):
            return bounds_in(item, given)
        case inspect.DecimalType():
            return [given]
    return []


def decimal_fault(text: str, bounds: Sequence[DecimalBounds | None]) -> Reason | None:
    """Return the reason why a string or number satisfies none of a Decimal's alternative bounds."""
    if (reason := text_fault(text)) is not None:
        return reason
    reasons = [None if each is None else each.fault(text) for each in bounds]
    return None if None in reasons else reasons[0]


_FEW_DIGITS = 300
is_usual = re.compile(rf"[-+]?[0-9.]{{0,{_FEW_DIGITS}}}(?:[eE][-+]?[0-9]{{1,3}})?").fullmatch


def text_fault(text: str) -> Reason | None:
    """Return the reason why a program can't calculate with the number in a string. Return None if it can, or if the
    string isn't a number.
    """
    if is_usual(text):
        return None
    try:
        fault = number_fault(Decimal(text))
    except InvalidOperation:
        return None
    return REASONS[fault] if fault else None


_MANY_DIGITS = 4096
_ZEROS = b"0" * _MANY_DIGITS
_PLAIN = bytes(48 if chr(byte).isdigit() or byte > 127 else byte for byte in bytes(range(256)).lower())
"""A table that converts letters to lower case, and replaces digits, and bytes that may be part of a digit, with
zeros.
"""


def _spelled(word: str) -> str:
    """Return a pattern for a word with underscores anywhere, because Decimal ignores them; a letter may be an
    escape.
    """
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
    """Return False for JSON that certainly contains no unusable number. This is quick, and excludes most JSON.

    Such a number contains a word, an exponent of four digits, or thousands of digits. Each search takes linear time.
    """
    plain, has_escapes = text.translate(_PLAIN, b"_+-"), b"\\u" in text
    if (has_escapes or b"nan" in plain or b"inf" in plain) and _has_word(text):
        return True
    if (has_escapes or b"e0000" in plain) and _has_long_exponent(text):
        return True
    return len(text) >= _MANY_DIGITS and (_ZEROS in plain or (has_escapes and _has_many_digits(text) is not None))


def _has_long_exponent(text: bytes) -> bool:
    """Return True for a number with an exponent of four digits, but not for such text in a UUID."""
    if _has_hidden_exponent(text):
        return True
    for found in _find_long_exponents(text):
        before = text[max(0, found.start() - _FEW_DIGITS) : found.start()].rstrip(b"0123456789._+-")
        if not before or before[-1:] in b'" \t\r\n,:[':
            return True
    return False


def refusing_unusable(decode: Decode, info: inspect.Type) -> Decode:
    """Return ``decode`` or, for a type with Decimals, a function that first searches for unusable numbers.

    That function raises ValidationError if the JSON contains one where the type has a Decimal.
    """
    if not any(isinstance(part, inspect.DecimalType) for _, part in parts("", info)):
        return decode
    is_bounded = _has_bounds(info)

    def decode_usable(text: bytes) -> Any:
        if (is_bounded or _may_be_unusable(text)) and next(_unusable_numbers(text, info), None):
            raise msgspec.ValidationError("a number can't be used")
        return decode(text)

    return decode_usable


def _has_bounds(info: inspect.Type) -> bool:
    return any(isinstance(part, inspect.Metadata) and _BOUNDS in (part.extra or {}) for _, part in parts("", info))


class Unusable:
    """An unusable number in a decoded value. No type accepts it."""

    __slots__ = ("_text", "reason")

    def __init__(self, text: object, reason: Reason) -> None:
        self._text = text
        self.reason = reason

    def __str__(self) -> str:
        return str(self._text)


def with_unusable_marked(value: Any, text: bytes, info: inspect.Type) -> Any:
    """Return the value decoded from JSON, with an Unusable in place of each number that a type with Decimals can't
    contain, until there are more than are told.
    """
    if not (_has_bounds(info) or _may_be_unusable(text)):
        return value
    whole = [value]
    for owner, key, is_name, reason in [*islice(_unusable_numbers(text, info, whole), COUNTED + 1)]:
        mark = Unusable(key if is_name else owner[key], reason)
        if is_name:
            owner[mark] = owner.pop(key)
        else:
            owner[key] = mark
    return whole[0]


class _Written(str):
    """A number as written in JSON."""

    __slots__ = ()


_decode_written = msgspec.json.Decoder(float_hook=_Written).decode


def _integer(text: str) -> object:
    return _Written(text) if len(text) > _FEW_DIGITS else int(text)  # an int may be a tag


def _as_written(text: bytes) -> Any:
    """Return decoded JSON with each fraction as it is written, and None for malformed JSON.

    msgspec takes a third of the time of Python's decoder, but refuses what it skips where a type has no such member.
    """
    with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _decode_written(text)
    with suppress(ValueError, RecursionError):
        return json.loads(text.decode(), parse_float=_Written, parse_int=_integer, strict=False)
    return None


_LEAVES = frozenset({str, int, _Written})
_CHUNK = 64
"""The number of values that are checked one by one if there is an unusable one among them."""
_Found: TypeAlias = tuple[Any, Any, bool, Reason]
"""The array or object that has a number, its index or name there, True if it is the name itself, and the reason."""
_Alike: TypeAlias = tuple[Any, list[Any], list[Any]]
"""A type, arrays and objects as which it is written, and as which it was decoded."""


def _unusable_numbers(text: bytes, info: inspect.Type, whole: list[Any] | None = None) -> Iterator[_Found]:
    """Yield each unusable Decimal; yield nothing for malformed JSON.

    Arrays and objects are those of ``whole``, which has the value as it was decoded before. All that have the same
    depth and type are checked together, in a tenth of the time of a call for each.
    """
    written = [[_as_written(text)]]
    level: dict[int, _Alike] = {0: (inspect.ListType(info), written, written if whole is None else [whole])}
    known: dict[int, bool] = {}
    while level:
        below: dict[int, _Alike] = {}
        for alike in level.values():
            for column in _columns(*alike):
                of = column.info
                if id(of) not in known:
                    known[id(of)] = any(isinstance(part, inspect.DecimalType) for _, part in parts("", of))
                if not known[id(of)]:
                    continue
                yield from column.unusable()
                if not column.is_names and any(_is_array(kind) or _is_map(kind) for kind in members(of)):
                    owners = list[Any]()
                    _, owners, twins = below.setdefault(id(of), (of, owners, owners if whole is None else []))
                    owners += _containers(column.select(column.owners))
                    if whole is not None:
                        twins += _containers(column.select(column.twins))
        level = {name: alike for name, alike in below.items() if alike[1]}


def _containers(values: Iterable[Any]) -> list[Any]:
    return [each for each in values if each and type(each) in (list, dict)]


class _Column(NamedTuple):
    """What one part of a type describes in several arrays or objects, such as all values of one member.

    ``select`` returns it from all of them, and ``pairs`` from one, with the index or name of each value.
    """

    info: inspect.Type
    owners: list[Any]
    twins: list[Any]
    select: Callable[[list[Any]], Iterable[Any]]
    pairs: Callable[[Any], Iterable[tuple[Any, Any]]]
    is_names: bool = False

    def unusable(self) -> Iterator[_Found]:
        """Yield its unusable numbers."""
        bounds, kinds = bounds_in(self.info), members(self.info)
        if not bounds or _fit([each for each in self.select(self.owners) if type(each) in _LEAVES], kinds, bounds):
            return
        leaves = (
            (twin, key, part)
            for owner, twin in zip(self.owners, self.twins, strict=True)
            for key, part in self.pairs(owner)
            if type(part) in _LEAVES
        )
        while chunk := [*islice(leaves, _CHUNK)]:
            if not _fit([part for *_, part in chunk], kinds, bounds):
                faults = [(twin, key, _fault(part, kinds, bounds)) for twin, key, part in chunk]
                yield from [(twin, key, self.is_names, reason) for twin, key, reason in faults if reason]


def _columns(info: inspect.Type, owners: list[Any], twins: list[Any]) -> Iterator[_Column]:
    """Yield the columns of arrays and objects that have the same type."""
    for kind, each, twin in _by_kind(members(info), owners, twins):
        match kind:
            case inspect.CollectionType(item_type=of):
                yield _Column(of, each, twin, chain.from_iterable, enumerate)
            case inspect.DictType(key_type=names, value_type=of):
                yield _Column(of, each, twin, _values, dict.items)
                yield _Column(
                    names, each, twin, chain.from_iterable, lambda owner: zip(owner, owner, strict=True), True
                )
            case inspect.TupleType(item_types=types):
                yield from [_Column(of, each, twin, *_item(at)) for at, of in enumerate(types)]
            case _ if is_object(kind):
                yield from [_Column(field.type, each, twin, *_member(field.encode_name)) for field in kind.fields]
            case _:
                first = 0 if getattr(kind, "tag", None) is None else 1
                yield from [_Column(of.type, each, twin, *_item(at)) for at, of in enumerate(kind.fields, first)]


def _by_kind(kinds: tuple[inspect.Type, ...], owners: list[Any], twins: list[Any]) -> Iterator[_Alike]:
    """Yield the arrays and objects by the first of their alternative types as which they are read."""
    for cls, is_fit in ((list, _is_array), (dict, _is_map)):
        if {*map(type, owners)} == {cls} and kinds and is_fit(kinds[0]) and getattr(kinds[0], "tag", None) is None:
            yield kinds[0], owners, twins  # in a third of the time, without a pair for each
            return
        alike = [pair for pair in zip(owners, twins, strict=True) if type(pair[0]) is cls]
        for kind in filter(is_fit, kinds):
            theirs, others = alike, []
            if getattr(kind, "tag", None) is not None:
                is_theirs = [_has_tag(owner, kind) for owner, _ in alike]
                theirs = [*compress(alike, is_theirs)]
                others = [*compress(alike, map(operator.not_, is_theirs))]
            if theirs:
                yield kind, [owner for owner, _ in theirs], [twin for _, twin in theirs]
            alike = others


def _is_array(kind: inspect.Type) -> bool:
    return isinstance(kind, Collection | inspect.NamedTupleType) or getattr(kind, "array_like", False)


def _is_map(kind: inspect.Type) -> bool:
    return isinstance(kind, inspect.DictType) or is_object(kind)


def _has_tag(value: Any, kind: Any) -> bool:
    return (value[:1] if type(value) is list else [value.get(kind.tag_field)]) == [kind.tag]


def _values(owners: list[Any]) -> Iterable[Any]:
    return chain.from_iterable(map(dict.values, owners))


def _item(at: int) -> tuple[Any, Any]:
    """Return how to select the items at an index."""
    return (
        lambda owners: [owner[at] for owner in owners if len(owner) > at],
        lambda owner: [(at, owner[at])] if len(owner) > at else (),
    )


def _member(name: str) -> tuple[Any, Any]:
    """Return how to select the members with a name."""
    return (
        lambda owners: [owner[name] for owner in owners if name in owner],
        lambda owner: [(name, owner[name])] if name in owner else (),
    )


_is_number = re.compile(
    r"\s*+[-+]?+(?:(?=\.?\d)\d*+\.?+\d*+(?:E[-+]?+\d++)?|Inf(?:inity)?|s?+NaN\d*+)\s*+", re.IGNORECASE
).fullmatch
"""Match what Decimal reads, without underscores, and little else."""


def _looks_like_number(text: str) -> bool:
    return _is_number(text.replace("_", "")) is not None


def _fit(values: list[str | int], kinds: tuple[inspect.Type, ...], bounds: Sequence[DecimalBounds | None]) -> bool:
    """Return True if all strings and numbers can certainly be used as a Decimal, or aren't numbers."""
    texts = {*map(str, values)}  # ints may be chosen for their equal hashes
    if any(text_fault(text) for text in texts if not is_usual(text) and _looks_like_number(text)):
        return False
    if None in bounds:
        return True
    if not all(type(each) is str for each in values):
        if any(isinstance(kind, _OTHER_NUMBERS) for kind in kinds):
            texts = {each for each in values if type(each) is str}
        elif all(each is not None and each.is_string for each in bounds):
            return False
    return _fit_one(texts, bounds)


def _fit_one(texts: set[str] | list[str], bounds: Sequence[DecimalBounds | None]) -> bool:
    """Return True if all that are numbers fit the same one of several bounds."""
    try:
        return any(each is not None and each.fit(texts) for each in bounds)
    except InvalidOperation:
        numbers = [*filter(_looks_like_number, texts)]
        return len(numbers) < len(texts) and _fit_one(numbers, bounds)


def _fault(value: str | int, kinds: tuple[inspect.Type, ...], bounds: Sequence[DecimalBounds | None]) -> Reason | None:
    """Return the reason why a value isn't a valid Decimal; None if it is, or if it has another type in a union."""
    is_number = isinstance(value, int | _Written)
    if is_number and any(isinstance(kind, _OTHER_NUMBERS) for kind in kinds):
        return text_fault(str(value))
    is_string = all(each is not None and each.is_string for each in bounds)
    return _NOT_TEXT if is_number and is_string else decimal_fault(str(value), bounds)


_NOT_TEXT = Reason('expected a decimal number as a string, such as "9.99", got a number', "not_a_string")


_OTHER_NUMBERS = (inspect.IntType, inspect.FloatType)
"""The types that take precedence over a Decimal in the same union when a JSON number is read."""
