"""Sets of header names, methods or languages, which have no case but an order (Vary, Allow, Content-Language)."""

from collections.abc import Callable, Iterable, Iterator, MutableSet
from typing import Any, SupportsIndex

from antiphon.dialects.werkzeug.http.options import quote_header_value


class HeaderSet(MutableSet[str]):
    """An ordered set of text without regard to case, which calls ``on_update`` with itself after each change."""

    def __init__(self, headers: Iterable[str] | None = None, on_update: Callable[[Any], None] | None = None) -> None:
        self._headers = list(headers or ())
        self.on_update = on_update

    def _tell(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def add(self, value: str) -> None:
        """Add one at the end, unless it is there."""
        self.update((value,))

    def update(self, iterable: Iterable[str]) -> None:
        """Add several."""
        before = len(self._headers)
        for header in iterable:
            if header not in self:
                self._headers.append(header)
        if len(self._headers) != before:
            self._tell()

    def remove(self, value: str) -> None:
        """Remove one. Raises KeyError when it isn't there."""
        if value not in self:
            raise KeyError(value)
        name = value.lower()
        self._headers = [each for each in self._headers if each.lower() != name]
        self._tell()

    def discard(self, value: str) -> None:
        """Remove one, if it is there."""
        if value in self:
            self.remove(value)

    def clear(self) -> None:
        """Remove all."""
        self._headers.clear()
        self._tell()

    def find(self, header: str) -> int:
        """The place of one, or -1."""
        name = header.lower()
        return next((place for place, each in enumerate(self._headers) if each.lower() == name), -1)

    def index(self, header: str) -> int:
        """The place of one. Raises IndexError when it isn't there."""
        place = self.find(header)
        if place < 0:
            raise IndexError(header)
        return place

    def as_set(self, preserve_casing: bool = False) -> set[str]:
        """A set, in lower case or as they are."""
        return set(self._headers) if preserve_casing else {each.lower() for each in self._headers}

    def to_header(self) -> str:
        """The header's value."""
        return ", ".join(map(quote_header_value, self._headers))

    def __getitem__(self, idx: SupportsIndex) -> str:
        return self._headers[idx]

    def __delitem__(self, idx: SupportsIndex) -> None:
        del self._headers[idx]
        self._tell()

    def __setitem__(self, idx: SupportsIndex, value: str) -> None:
        self._headers[idx] = value
        self._tell()

    def __contains__(self, header: object) -> bool:
        return str.lower(header) in [each.lower() for each in self._headers]  # type: ignore[arg-type]  # or TypeError

    def __len__(self) -> int:
        return len(self.as_set())

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._headers!r})"
