"""Parts of Microdot that this dialect does not offer: errors that say so on use."""

from typing import NoReturn


class Absent:
    """An attribute that is not offered. Reading it raises AttributeError with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{owner.__name__}.{name}"

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"the Microdot dialect does not offer {self._name}: {self._reason}")


def not_offered(module: str, reason: str) -> ImportError:
    """Return the error for the import of a module that is not offered."""
    return ImportError(f"the Microdot dialect does not offer microdot.{module}: {reason}")
