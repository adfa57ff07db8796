"""Earlier states of objects, to restore them if a change fails halfway."""

from collections.abc import Iterable
from typing import Any


class Snapshot:
    """The attributes of some objects, and the contents of those that are lists or dicts, for restoring them."""

    def __init__(self, objects: Iterable[object]) -> None:
        self._attributes = [(vars(each), dict(vars(each))) for each in objects]
        contained = [value for _, attributes in self._attributes for value in attributes.values()]
        self._lists = [(each, [*each]) for each in contained if isinstance(each, list)]
        self._dicts: list[tuple[dict[Any, Any], dict[Any, Any]]] = [
            *self._attributes,
            *((each, dict(each)) for each in contained if isinstance(each, dict)),
        ]

    def restore(self) -> None:
        """Restore the objects in place, so that code that holds one of their lists sees it as it was."""
        for each, before in self._dicts:
            each.clear()
            each.update(before)
        for items, kept in self._lists:
            items[:] = kept
