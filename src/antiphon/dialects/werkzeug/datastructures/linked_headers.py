"""Headers over a list of somebody else, who may change it."""

from antiphon.dialects.werkzeug.datastructures.headers import Headers


class LinkedHeaders(Headers):
    """Headers that read and change a given list."""

    def __init__(self, headerlist: list[tuple[str, str]]) -> None:
        self._list = headerlist

    @property
    def _names(self) -> list[str]:  # type: ignore[override]  # made anew: the list may have changed
        return [name.lower() for name, _ in self._list]

    def copy(self) -> Headers:  # type: ignore[override]  # with a list of its own
        """Headers with the same pairs, in a list of their own."""
        return Headers(self._list)
