"""Errors that are answered with a status, and errors on use of what this dialect does not offer."""

from errno import ENOENT
from json import JSONDecodeError, loads
from typing import NoReturn, Self

from antiphon.http import BadRequest


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


class HTTPException(Exception):
    """An error that is answered with its status, or by the handler for that status if there is one.

    ``reason`` is the text of the answer without a handler.
    """

    def __init__(self, status_code: int, reason: str | None = None) -> None:
        self.status_code = status_code
        self.reason = reason or f"{status_code} error"

    def __repr__(self) -> str:
        return f"HTTPException: {self.status_code}"


class MalformedJSONError(JSONDecodeError):
    """A body that is declared as JSON and is not. Unless it is handled, the answer is a 400."""

    status_code = 400

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        super().__init__(reason, text, position)
        self.reason = reason

    @classmethod
    def of(cls, error: BadRequest, body: bytes) -> Self:
        """Return the error of a body that could not be decoded.

        Its position is that of the standard library's decoder: 0 if that decodes the body all the same. It is 0 as well
        for JSON that is nested too deep, since versions of Python differ in how far they read.
        """
        text = body.decode(errors="replace")
        is_too_deep = error.members.get("limit") == "json_depth"
        return cls(error.detail or "", text, 0 if is_too_deep else _position_of_mistake(text))


class MissingFileError(FileNotFoundError):
    """A path without a regular file to send. Unless it is handled, the answer is a 404."""

    status_code = 404
    reason = "Not found"

    def __init__(self, path: str) -> None:
        super().__init__(ENOENT, "There is no regular file", path)


def _position_of_mistake(text: str) -> int:
    try:
        loads(text)
    except JSONDecodeError as error:
        return error.pos
    except (RecursionError, ValueError):  # too many digits for an integer, or hardly any stack left
        pass
    return 0


def abort(status_code: int, reason: str | None = None) -> NoReturn:
    """Raise an error that is answered with a status. ``reason`` is the text, unless the status has a handler."""
    raise HTTPException(status_code, reason)
