"""Headers that are directives by name: Cache-Control and Content-Security-Policy."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from antiphon.dialects.werkzeug.datastructures.dicts import CallbackDict

V = TypeVar("V")


class Directives(CallbackDict[str, V]):
    """Directives by name; the response changes with them. ``provided`` is False for one that was made of None."""

    def __init__(
        self,
        values: Mapping[str, Any] | Iterable[tuple[str, Any]] | None = (),
        on_update: Callable[[Any], None] | None = None,
    ) -> None:
        super().__init__(values, on_update)
        self.provided = values is not None

    def to_header(self) -> str:
        """The header's value."""
        raise NotImplementedError

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {' '.join([f'{name}={value!r}' for name, value in sorted(self.items())])}>"
