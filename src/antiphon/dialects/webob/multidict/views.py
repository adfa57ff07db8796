"""Views of a multidict's keys, values and pairs."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

E = TypeVar("E")


class Sequential(Generic[E]):
    """The keys, the values or the pairs of a multidict, in order. They follow its changes, and equal lists of them."""

    def __init__(self, read: Callable[[], Iterable[E]], size: Callable[[], int]) -> None:
        self._read = read
        self._size = size

    def __iter__(self) -> Iterator[E]:
        return iter(self._read())

    def __reversed__(self) -> Iterator[E]:
        return reversed([*self._read()])

    def __len__(self) -> int:
        return self._size()

    def __contains__(self, element: object) -> bool:
        return any(element == each for each in self._read())

    def __getitem__(self, index: Any) -> Any:
        return [*self._read()][index]

    def __eq__(self, other: object) -> bool:
        return [*self._read()] == [*other] if isinstance(other, (list, Sequential)) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # it changes

    def __repr__(self) -> str:
        return repr([*self._read()])
