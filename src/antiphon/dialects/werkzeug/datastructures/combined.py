"""Several MultiDicts seen as one."""

from collections.abc import Callable, Iterable, Iterator
from copy import deepcopy
from typing import Any, NoReturn, Self, TypeVar

from antiphon.dialects.werkzeug.datastructures.mixins import ImmutableMultiDictMixin
from antiphon.dialects.werkzeug.datastructures.multidict import MultiDict
from antiphon.dialects.werkzeug.exceptions.bad_request import BadRequestKeyError

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")
C = TypeVar("C")


class CombinedMultiDict(ImmutableMultiDictMixin[K, V], MultiDict[K, V]):
    """A read-only view of several MultiDicts, in order."""

    def __init__(self, dicts: Iterable[MultiDict[K, V]] | None = None) -> None:
        super().__init__()
        self.dicts: list[MultiDict[K, V]] = list(dicts or ())

    @classmethod
    def fromkeys(cls, keys: object, value: object = None) -> NoReturn:  # noqa: ARG003 - as a dictionary has it
        """Raise TypeError: a CombinedMultiDict is made of dictionaries."""
        raise TypeError(f"cannot create {cls.__name__!r} instances by fromkeys")

    def __reduce_ex__(self, protocol: object) -> Any:
        return type(self), (self.dicts,)

    def __getitem__(self, key: K) -> V:
        for each in self.dicts:
            if key in each:
                return each[key]
        raise BadRequestKeyError(key)

    def get(  # pyright: ignore[reportIncompatibleMethodOverride]  # one signature for all uses
        self,
        key: K,
        default: Any = None,
        type: Callable[[V], Any] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> Any:
        """Return the first value of a key that ``type`` converts, if it is given; ``default`` if there is none."""
        for each in self.dicts:
            if key in each:
                if type is None:
                    return each[key]
                try:
                    return type(each[key])
                except (ValueError, TypeError):
                    continue
        return default

    def getlist(
        self,
        key: K,
        type: Callable[[V], Any] | None = None,  # noqa: A002 - Werkzeug's word
    ) -> list[Any]:
        """Return all values of a key, without those that ``type`` can't convert, if it is given."""
        return [value for each in self.dicts for value in each.getlist(key, type)]

    def keys(self) -> Any:
        """Return the keys of all dictionaries, without duplicates."""
        return dict.fromkeys(key for each in self.dicts for key in each).keys()

    def items(self, multi: bool = False) -> Iterator[tuple[K, V]]:  # type: ignore[override]  # no view
        """Return each key with its first value; with ``multi``, each key with each of its values, dictionary by
        dictionary.
        """
        found = set()
        for each in self.dicts:
            for key, value in each.items(multi):
                if multi:
                    yield key, value
                elif key not in found:
                    found.add(key)
                    yield key, value

    def values(self) -> Iterator[V]:  # type: ignore[override]  # no view
        """Return the first value of each key."""
        return iter([value for _, value in self.items()])

    def lists(self) -> Iterable[tuple[K, list[V]]]:
        """Return each key with a list of its values in all dictionaries."""
        lists: dict[K, list[V]] = {}
        for each in self.dicts:
            for key, values in each.lists():
                lists.setdefault(key, []).extend(values)
        return lists.items()

    def listvalues(self) -> Iterator[list[V]]:
        """Return a list of the values of each key."""
        return iter([values for _, values in self.lists()])

    def copy(self) -> MultiDict[K, V]:
        """Return a MultiDict with the present values, which can be changed."""
        return MultiDict(self)

    def deepcopy(self, memo: dict[int, Any] | None = None) -> Self:
        """Return a view of copies of the dictionaries."""
        return type(self)(deepcopy(self.dicts, memo))

    def __iter__(self) -> Iterator[K]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self.keys())

    def __contains__(self, key: object) -> bool:
        return any(key in each for each in self.dicts)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, MultiDict):
            return NotImplemented
        return dict(self.lists()) == dict(other.lists())

    def __ne__(self, other: object) -> bool:
        return not self == other  # dict has its own __ne__

    def __hash__(self) -> int:  # type: ignore[override]  # it can't be changed
        return super().__hash__()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.dicts!r})"
