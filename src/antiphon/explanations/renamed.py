"""Public names that go: each works until a day, and warns of it.

A package is given ``import_on_use(..., renamed={"Old": Renamed("New", since="0.2", until="2027-06-01")})``. In a class
stands ``old = Renamed("new", since="0.2", until="2027-06-01")``. A test fails from that day on, until the line is gone.
"""

from typing import Any


class Renamed:
    """The old name of something, which reads the ``new`` one, and gives a DeprecationWarning.

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
        """Warn of the whole old name, at the line that has called the caller of this."""
        import warnings

        message = f"{old} is called {self.new} since Antiphon {self.since}, and goes on {self.until}"
        warnings.warn(message, DeprecationWarning, stacklevel=3)
