"""Shared values: names that an application gives to all of its templates and handlers."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from antiphon.explanations import explained
from antiphon.request.dependencies import OfRequest

if TYPE_CHECKING:
    from antiphon.request.request import Request


class SharedValues(OfRequest, Mapping[str, Any]):
    """The values that ``App.share`` was given, as one request sees them: ``request.shared("cart")``.

    A value that was shared as a function is computed on first use, once per request. It is also a mapping, from which
    templates get the values that they name.
    """

    __slots__ = ("_sources", "_values")

    def __init__(self, request: "Request", sources: Mapping[str, Any]) -> None:
        super().__init__(request)
        self._sources = sources
        self._values: dict[str, Any] = {}

    def __call__(self, name: str) -> Any:
        """Return the value of a name. Raises KeyError, which lists the shared names, for one that is not shared."""
        return self[name]

    def __getitem__(self, name: str) -> Any:
        values = self._values
        if name not in values:
            if name not in self._sources:
                raise explained("unknown-shared-value", KeyError(self._unknown(name)))
            source = self._sources[name]
            values[name] = source(self._request) if callable(source) else source
        return values[name]

    def forget(self, *names: str) -> None:
        """Forget the values of names, so that they are computed again on next use."""
        for name in names:
            self._values.pop(name, None)

    def __contains__(self, name: object) -> bool:
        return name in self._sources

    def __iter__(self) -> Iterator[str]:
        return iter(self._sources)

    def __len__(self) -> int:
        return len(self._sources)

    def _unknown(self, name: str) -> str:
        from difflib import get_close_matches

        near = get_close_matches(str(name), self._sources, 1)
        meant = f"; did you mean {near[0]!r}?" if near else ":"
        return f"nothing is shared as {name!r}{meant} app.share({name}=...)"

    def __repr__(self) -> str:
        return f"<SharedValues {sorted(self._sources)}>"
