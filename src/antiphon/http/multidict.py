"""Ordered pairs of a name and a value; names may repeat, and a value can be read as a finite number.

Comparing a NaN Decimal raises an error, and the twelve characters ``1E+999999999`` become a billion digits as an int or
with ``f"{price:.2f}"``.

``[]`` and ``get`` return the last value for a name, ``getall`` all its values, and ``items`` every pair.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, Generic, Literal, Self, TypeAlias, TypeVar, cast, overload

from antiphon.explanations.naming import WORDS, NamesOurs
from antiphon.http.errors import BadRequest, FieldError
from antiphon.speedups import accelerated

if TYPE_CHECKING:
    from decimal import Decimal


LARGEST_EXPONENT = 6144
"""The exponent of the first digit of decimal128's largest number (IEEE 754-2019 §3.6)."""

SMALLEST_EXPONENT = -6176
"""The exponent of the last digit of decimal128's smallest number."""

NumberFault: TypeAlias = Literal["not finite", "too large", "too precise"]


def number_fault(number: "float | Decimal") -> NumberFault | None:
    """Return the reason why a program can't calculate with a number; None if it can."""
    if isinstance(number, int | float):
        return None if isfinite(number) else "not finite"
    if not number.is_finite():
        return "not finite"
    if number.adjusted() > LARGEST_EXPONENT:
        return "too large"
    exponent = number.as_tuple().exponent
    return "too precise" if isinstance(exponent, int) and exponent < SMALLEST_EXPONENT else None


V = TypeVar("V")
D = TypeVar("D")
C = TypeVar("C")


Fields: TypeAlias = dict[str, str] | list[tuple[str, str]]
"""Names and values, in order: a dictionary if no name occurs twice, otherwise pairs."""
Pairs: TypeAlias = "MultiDict[V] | Mapping[str, V] | Iterable[tuple[str, V]]"


class MissingKey(BadRequest, KeyError):
    """The error for an absent name: a KeyError that becomes a 400 if no handler catches it."""

    def __init__(self, name: str, detail: str | None = None) -> None:
        super().__init__(detail or f"{name!r} is missing")
        self.name = name


class MissingFile(FieldError, KeyError):
    """The error for a file missing from a form: a KeyError that becomes a 422 with the field's name if no handler
    catches it.
    """

    def __init__(self, name: str) -> None:
        escaped = name.replace("~", "~0").replace("/", "~1")
        super().__init__(f"/{escaped}", "is missing", code="missing")
        self.name = name


def _each(pairs: "Pairs[V]") -> Iterable[tuple[str, V]]:
    if isinstance(pairs, MultiDict):
        return pairs.items()
    return cast("Mapping[str, V]", pairs).items() if isinstance(pairs, Mapping) else pairs


@accelerated
class ByName:
    """Values that ``[]`` finds by name. For an absent name, it raises the error that ``_absent`` returns."""

    __slots__ = ("_found", "_repeating")

    _found: dict[str, Any]
    """The value that ``[]`` returns for each name."""
    _repeating: list[tuple[str, Any]] | None
    """Every pair, if names may be repeated; None if ``_found`` contains all pairs."""

    @classmethod
    def _holding(cls, fields: Any, /) -> Self:
        """Make an object of a dictionary that no other code changes, without copying it; or of pairs."""
        if type(fields) is not dict:
            return cls(fields)  # type: ignore[call-arg]  # of a MultiDict
        self = cls.__new__(cls)
        self._found, self._repeating = fields, None
        return self

    def __getitem__(self, name: str) -> Any:
        try:
            return self._found[name]
        except KeyError:
            raise self._absent(name) from None

    def _absent(self, name: str) -> KeyError:
        return KeyError(name)


# A class in C tells neither: copies and pickles need its members, and documents its module.
ByName.__slots__ = ("_found", "_repeating")
ByName.__module__ = __name__


class MultiDict(ByName, Generic[V], metaclass=NamesOurs, words=WORDS["MultiDict"]):
    """An immutable collection of names and values, made from pairs or from a mapping.

        fields = MultiDict([("size", "S"), ("size", "M")])

    Two objects are equal if they have the same pairs in the same order. ``[]`` raises MissingKey for an absent name.
    """

    __slots__ = ("_lists",)

    _first_counts = False
    """True if ``[]`` returns the first of several values, False if it returns the last."""
    _lists: dict[str, list[V]]
    """All values of each name; built when ``getall`` first reads a name that may have several."""

    def __init__(self, pairs: "Pairs[V]" = ()) -> None:
        if type(pairs) is dict:
            self._found, self._repeating = pairs.copy(), None
            return
        listed = [*(pairs if isinstance(pairs, (list, tuple)) else _each(pairs))]  # a union would be built on each call
        found = self._found = dict(listed)
        if len(found) == len(listed):
            self._repeating = None
            return
        self._repeating = listed
        if self._first_counts:
            found.update(reversed(listed))

    if TYPE_CHECKING:

        def __getitem__(self, name: str) -> V: ...

    def _absent(self, name: str) -> KeyError:
        return MissingKey(name)

    @overload
    def get(self, name: str, default: None = None) -> V | None: ...
    @overload
    def get(self, name: str, default: D) -> V | D: ...
    @overload
    def get(self, name: str, default: None = None, *, type: Callable[[V], C]) -> C | None: ...
    @overload
    def get(self, name: str, default: D, *, type: Callable[[V], C]) -> C | D: ...
    def get(
        self,
        name: str,
        default: object = None,
        *,
        type: Callable[[V], object] | None = None,  # noqa: A002 - the name that users of MultiDicts know
    ) -> object:
        """Return the value for the given name, converted by ``type``; ``default`` if the name is absent or the value
        can't be converted.

        A float or Decimal that a program can't calculate with, such as NaN or ``1E+999999999``, is treated as a value
        that can't be converted.
        """
        found = self._found
        if name not in found:
            return default
        value = found[name]
        if type is None:
            return value
        try:
            converted: Any = type(value)
        except (ValueError, TypeError, ArithmeticError):
            return default
        if isinstance(converted, int):  # which nearly all are
            return converted
        is_fraction = isinstance(converted, float) or hasattr(converted, "as_tuple")
        return default if is_fraction and number_fault(converted) else converted

    def getone(self, name: str) -> V:
        """Return the only value for the given name. Raises MissingKey (a KeyError that becomes a 400) unless there is
        exactly one.
        """
        values = self.getall(name)
        if len(values) != 1:
            raise MissingKey(name, f"{name!r} must be given exactly once, not {len(values)} times")
        return values[0]

    def getall(self, name: str) -> list[V]:
        """Return all values for the given name, in order; an empty list if it is absent."""
        found = self._found
        if name not in found:
            return []
        if self._repeating is None:
            return [found[name]]
        try:
            lists = self._lists
        except AttributeError:
            lists = self._lists = self.to_lists()
        return lists[name].copy()

    def items(self) -> list[tuple[str, V]]:
        """Return every pair, in order."""
        return list(self._found.items()) if self._repeating is None else self._repeating.copy()

    def keys(self) -> list[str]:
        """Return the distinct names, in the order of their first pairs."""
        return list(self._found)

    def values(self) -> list[V]:
        """Return the value of each pair, in order."""
        return [value for _, value in self.items()]

    def to_lists(self) -> dict[str, list[V]]:
        """Return a dictionary with all values of each name."""
        lists: dict[str, list[V]] = {}
        for name, value in self.items():
            lists.setdefault(name, []).append(value)
        return lists

    def __contains__(self, name: object) -> bool:
        return name in self._found

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        """Return the number of distinct names."""
        return len(self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def __eq__(self, other: object) -> bool:
        return self.items() == other.items() if isinstance(other, MultiDict) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # values may be anything

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.items()!r})"


class Files(MultiDict[V]):
    """The files of a form. ``[]`` raises MissingFile (a KeyError that becomes a 422) for an absent name."""

    __slots__ = ()

    def _absent(self, name: str) -> KeyError:
        return MissingFile(name)


class NoForm(MultiDict[V]):
    """The form of a request with a JSON body: it is empty, and ``[]`` raises a MissingKey that explains why."""

    __slots__ = ()

    def _absent(self, name: str) -> KeyError:
        return MissingKey(name, f"{name!r} is missing: the body must be a form, not JSON")


class FirstMultiDict(MultiDict[V]):
    """A MultiDict whose ``[]`` and ``get`` return the first value: for cookies, that is the most specific one (RFC 6265
    §5.4).
    """

    __slots__ = ()

    _first_counts = True


multidict_of: Callable[[Fields], MultiDict[str]] = MultiDict._holding  # noqa: SLF001 - of a class here
"""Return the MultiDict of fields that no other code refers to."""
first_multidict_of: Callable[[Fields], FirstMultiDict[str]] = FirstMultiDict._holding  # noqa: SLF001
"""Return such a FirstMultiDict."""
