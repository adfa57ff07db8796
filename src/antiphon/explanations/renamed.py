"""Public names that will be removed: each works until a certain day, and warns about it.

For a package, write ``import_on_use(..., renamed={"Old": Renamed("New", since="0.2", until="2027-06-01")})``. In a
class, write ``old = Renamed("new", since="0.2", until="2027-06-01")``. A test fails from that day on, until the line is
removed.
"""

from typing import Any


class Renamed:
    """The old name of an attribute, which returns the ``new`` one and gives a DeprecationWarning.

    ``since`` is the version that has the new name, ``until`` the first day without the old one, as YYYY-MM-DD.
    """

    def __init__(self, new: str, *, since: str, until: str) -> None:
        self.new = new
        self.since = since
        self.until = until

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, instance: object, owner: type) -> Any:
        self.warn(f"{owner.__name__}.{self.name}")
        return getattr(owner if instance is None else instance, self.new)

    def warn(self, old: str) -> None:
        """Warn about the full old name, at the line that called the caller of this method."""
        import warnings

        message = f"{old} has been called {self.new} since Antiphon {self.since}, and will be removed on {self.until}"
        warnings.warn(message, DeprecationWarning, stacklevel=3)
