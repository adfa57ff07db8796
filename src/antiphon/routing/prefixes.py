"""What stands at a prefix, and answers for everything below it."""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from antiphon.routing.converters import Converter
from antiphon.routing.router import Router, SamePathsError

T = TypeVar("T")

_ALL = ""


class TakenError(ValueError):
    """Something stands at a prefix already."""


class Below(NamedTuple, Generic[T]):
    """What was found, and the values of the prefix' parameters."""

    found: T
    params: dict[str, Any]


class Prefixes(Generic[T]):
    """Finds the longest prefix of a path at which something stands. Whole segments are compared."""

    def __init__(self, converters: Mapping[str, Converter]) -> None:
        self._router: Router[T] = Router(converters)
        self._router.trust_slashes()
        self._deepest = -1

    def add(self, prefix: str, host: str | None, value: T) -> None:
        """Have something stand at a prefix. Raises TakenError where something does, ValueError for a malformed one."""
        try:
            resource = self._router.resource(prefix or "/", host)
        except SamePathsError as error:
            raise TakenError(str(error)) from None
        if _ALL in resource.methods:
            raise TakenError(f"two stand at {host or ''}{prefix or '/'}")
        resource.methods[_ALL] = value
        self._router.trust_slashes()
        self._deepest = max(self._deepest, prefix.count("/"))

    def find(self, path: str, host: str, segments: list[str] | None = None) -> Below[T] | None:
        """What stands at the longest prefix, or None.

        ``segments`` are those of the path, where slashes hide in them.
        """
        parted = segments or path.split("/", self._deepest + 1)
        for count in range(min(self._deepest, len(parted) - 1), -1, -1):
            above = parted[: count + 1]
            prefix = "/".join(above)
            hidden = above if segments and prefix.count("/") > count else None
            methods = None if hidden else self._router.literal.get(prefix or "/")
            found = (methods, {}) if methods else self._router.search(prefix or "/", hidden, host)
            if found is not None:
                return Below(found[0][_ALL], found[1])
        return None
