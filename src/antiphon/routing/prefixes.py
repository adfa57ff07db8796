"""Prefixes of paths, with a search for the value at the longest prefix of a path, such as a mounted application."""

from collections.abc import Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from antiphon.routing.converters import Converter
from antiphon.routing.router import Params, Router, SamePathsError

T = TypeVar("T")

_ALL = ""


class TakenError(ValueError):
    """The error for a prefix that is already taken."""


class Match(NamedTuple, Generic[T]):
    """The value at a prefix, and the prefix's parameters."""

    found: T
    params: dict[str, Any]


class Prefixes(Generic[T]):
    """Values at prefixes. A path has the value at its longest prefix, which consists of whole segments."""

    def __init__(self, converters: Mapping[str, Converter]) -> None:
        self._router: Router[T] = Router(converters)
        self._router.trust_slashes()
        self._deepest = -1

    def add(self, prefix: str, host: str | None, value: T) -> None:
        """Put a value at a prefix. Raises TakenError if it has one, ValueError if the prefix is malformed."""
        try:
            resource = self._router.resource(prefix or "/", host)
        except SamePathsError as error:
            raise TakenError(str(error)) from None
        if _ALL in resource.methods:
            raise TakenError(f"{host or ''}{prefix or '/'} is already taken")
        resource.methods[_ALL] = value
        self._router.trust_slashes()
        self._deepest = max(self._deepest, prefix.count("/"))

    def __bool__(self) -> bool:
        return self._deepest >= 0

    def find(self, path: str, host: str, segments: list[str] | None = None) -> Match[T] | None:
        """Return the match for the longest prefix of a path, or None.

        ``segments`` are the segments of the path, if some contain encoded slashes.
        """
        all_segments = segments or path.split("/", self._deepest + 1)
        for count in range(min(self._deepest, len(all_segments) - 1), -1, -1):
            above = all_segments[: count + 1]
            prefix = "/".join(above)
            encoded = above if segments and prefix.count("/") > count else None
            methods = None if encoded else self._router.literal.get(prefix or "/")
            found = (methods, Params()) if methods else self._router.search(prefix or "/", encoded, host)
            if found is not None:
                return Match(found[0][_ALL], found[1])
        return None
