"""What is used by an application, not built in: an object that installs itself."""

from typing import Protocol, TypeVar

A_contra = TypeVar("A_contra", contravariant=True)


class Feature(Protocol[A_contra]):
    """Adds routes, hooks, middleware or error handlers to an application when it is used."""

    def install(self, app: A_contra, /) -> None:
        """Register what the feature is made of."""
        ...
