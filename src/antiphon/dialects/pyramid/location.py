"""Resources in a tree. Each has a parent and a name."""

from collections.abc import Iterator
from typing import Any


def inside(resource1: Any, resource2: Any) -> bool:
    """Return True if the first resource is the second one or one of its descendants."""
    return any(each is resource2 for each in lineage(resource1))


def lineage(resource: Any) -> Iterator[Any]:
    """Yield a resource and its ancestors, up to the root."""
    while resource is not None:
        yield resource
        resource = getattr(resource, "__parent__", None)
