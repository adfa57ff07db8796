"""Errors that result in a response with a status, and errors for unsupported features."""

from errno import ENOENT
from json import JSONDecodeError, loads
from typing import NoReturn, Self

from antiphon.http import BadRequest


class Absent:
    """An unsupported attribute. Reading it raises AttributeError with the reason."""

    def __init__(self, reason: str) -> None:
        self._reason = reason

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = f"{owner.__name__}.{name}"

    def __get__(self, instance: object, owner: type) -> NoReturn:
        raise AttributeError(f"the Microdot dialect does not offer {self._name}: {self._reason}")


def not_offered(module: str, reason: str) -> ImportError:
    """Return the error for importing an unsupported module."""
    return ImportError(f"the Microdot dialect does not offer microdot.{module}: {reason}")


class HTTPException(Exception):
    """An error with a status. If that status has a handler, the handler makes the response.

    Otherwise, ``reason`` is the text of the response.
    """

    def __init__(self, status_code: int, reason: str | None = None) -> None:
        self.status_code = status_code
        self.reason = reason or f"{status_code} error"

    def __repr__(self) -> str:
        return f"HTTPException: {self.status_code}"


class MalformedJSONError(JSONDecodeError):
    """Raised for a body that is declared as JSON but isn't. It results in a 400 unless it is handled."""

    status_code = 400

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        super().__init__(reason, text, position)
        self.reason = reason

    @classmethod
    def of(cls, error: BadRequest, body: bytes) -> Self:
        """Make the error for a body that could not be decoded.

        The position is the one that the standard library's decoder reports, or 0 if that decoder accepts the body. It
        is also 0 for JSON that is nested too deeply, since Python versions differ in how far they read.
        """
        text = body.decode(errors="replace")
        is_too_deep = error.members.get("limit") == "json_depth"
        return cls(error.detail or "", text, 0 if is_too_deep else _position_of_mistake(text))


class MissingFileError(FileNotFoundError):
    """Raised for a path without a regular file. It results in a 404 unless it is handled."""

    status_code = 404
    reason = "Not found"

    def __init__(self, path: str) -> None:
        super().__init__(ENOENT, "There is no regular file", path)


def _position_of_mistake(text: str) -> int:
    try:
        loads(text)
    except JSONDecodeError as error:
        return error.pos
    except (RecursionError, ValueError):  # too many digits for an integer, or little stack left
        pass
    return 0


def abort(status_code: int, reason: str | None = None) -> NoReturn:
    """Raise an error that results in a response with the given status.

    ``reason`` is the response's text unless the status has a handler.
    """
    raise HTTPException(status_code, reason)
