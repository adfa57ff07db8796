"""Parts of Microdot that this dialect does not offer: errors that say so on use."""

from collections.abc import Callable
from typing import NoReturn

NO_WEBSOCKETS = (
    "WebSockets come in a later version of Antiphon. Until then send events by `with_sse` of microdot.sse, and take"
    " what clients say by POST; or serve these routes by Microdot itself, in a process of its own:"
    " docs/reference/dialects/microdot.md has more"
)


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


def without_websockets(module: str) -> Callable[[str], NoReturn]:
    """Return the ``__getattr__`` of a module in which Microdot has WebSockets."""

    def absent(name: str) -> NoReturn:
        if "websocket" in name.lower():
            raise not_offered(f"{module.rpartition('.')[2]}.{name}", NO_WEBSOCKETS)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return absent
