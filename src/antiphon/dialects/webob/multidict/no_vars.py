"""An empty multidict that says why it is empty."""

from collections.abc import Iterator
from typing import Any, NoReturn, Self

from antiphon.dialects.webob.multidict.views import Sequential


class NoVars:
    """No variables, for a ``reason``. They can't be changed."""

    def __init__(self, reason: str | None = None) -> None:
        self.reason = reason or "N/A"

    def __getitem__(self, key: object) -> NoReturn:
        raise KeyError(f"there is no {key!r}: {self.reason}")

    def _refuse_to_add(self, *args: object, **kw: object) -> NoReturn:  # noqa: ARG002
        raise KeyError(f"variables can't be added: {self.reason}")

    def _refuse_to_remove(self, *args: object, **kw: object) -> NoReturn:  # noqa: ARG002
        raise KeyError(f"there are no variables to remove: {self.reason}")

    __setitem__ = add = setdefault = update = extend = _refuse_to_add
    __delitem__ = clear = pop = popitem = _refuse_to_remove

    def get(self, key: object, default: Any = None) -> Any:  # noqa: ARG002 - there is none
        """Return ``default``."""
        return default

    def getall(self, key: object) -> list[Any]:  # noqa: ARG002
        """Return no values."""
        return []

    def getone(self, key: object) -> NoReturn:
        """Raise KeyError."""
        raise KeyError(f"there is no {key!r}: {self.reason}")

    def mixed(self) -> dict[Any, Any]:
        """Return an empty dictionary."""
        return {}

    dict_of_lists = mixed

    def __contains__(self, key: object) -> bool:
        return False

    def has_key(self, key: object) -> bool:  # noqa: ARG002
        """Return False."""
        return False

    def copy(self) -> Self:
        """Return these, since they never change."""
        return self

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {self.reason}>"

    def __len__(self) -> int:
        return 0

    def __iter__(self) -> Iterator[Any]:
        return iter(())

    def iterkeys(self) -> Iterator[Any]:
        """Return an empty iterator."""
        return iter(())

    itervalues = iteritems = iterkeys

    def keys(self) -> Any:
        """Return nothing."""
        return Sequential(self.iterkeys, self.__len__)

    values = items = keys
