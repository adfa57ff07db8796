"""Ordered sets of header names, methods or languages (Vary, Allow, Content-Language)."""

from collections.abc import Callable, Iterable, Iterator, MutableSet
from typing import Any, SupportsIndex

from antiphon.dialects.werkzeug.tokens.options import quote_header_value


class HeaderSet(MutableSet[str]):
    """An ordered, case-insensitive set of texts. It calls ``on_update`` with itself after each change."""

    def __init__(self, headers: Iterable[str] | None = None, on_update: Callable[[Any], None] | None = None) -> None:
        self._headers = list(headers or ())
        self._names = [each.lower() for each in self._headers]
        self.on_update = on_update

    def _tell(self) -> None:
        if self.on_update is not None:
            self.on_update(self)

    def add(self, value: str) -> None:
        """Add an element at the end, unless it is there."""
        self.update((value,))

    def update(self, iterable: Iterable[str]) -> None:
        """Add several elements."""
        before = len(self._names)
        for header in iterable:
            name = header.lower()
            if name not in self._names:
                self._names.append(name)
                self._headers.append(header)
        if len(self._names) != before:
            self._tell()

    def remove(self, value: str) -> None:
        """Remove an element. Raises KeyError if it is missing."""
        name = value.lower()
        if name not in self._names:
            raise KeyError(value)
        self._headers = [each for each in self._headers if each.lower() != name]
        self._names = [each for each in self._names if each != name]
        self._tell()

    def discard(self, value: str) -> None:
        """Remove an element, if it is there."""
        if value in self:
            self.remove(value)

    def clear(self) -> None:
        """Remove all elements."""
        self._headers.clear()
        self._names.clear()
        self._tell()

    def find(self, header: str) -> int:
        """Return the place of an element, or -1."""
        name = header.lower()
        return self._names.index(name) if name in self._names else -1

    def index(self, header: str) -> int:
        """Return the place of an element. Raises IndexError if it is missing."""
        place = self.find(header)
        if place < 0:
            raise IndexError(header)
        return place

    def as_set(self, preserve_casing: bool = False) -> set[str]:
        """Return a plain set, in lower case or with ``preserve_casing``."""
        return set(self._headers if preserve_casing else self._names)

    def to_header(self) -> str:
        """Return the header's value."""
        return ", ".join([quote_header_value(each) for each in self._headers])

    def __getitem__(self, idx: SupportsIndex) -> str:
        return self._headers[idx]

    def __delitem__(self, idx: SupportsIndex) -> None:
        del self._headers[idx], self._names[idx]
        self._tell()

    def __setitem__(self, idx: SupportsIndex, value: str) -> None:
        self._headers[idx] = value
        self._names[idx] = value.lower()
        self._tell()

    def __contains__(self, header: object) -> bool:
        return str.lower(header) in self._names  # type: ignore[arg-type]  # or TypeError

    def __len__(self) -> int:
        return len(set(self._names))

    def __iter__(self) -> Iterator[str]:
        return iter(self._headers)

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._headers!r})"
