"""What is raised to answer with a status, and what a body raises that is no JSON."""

from json import JSONDecodeError, loads
from typing import NoReturn, Self

from antiphon.http.errors import BadRequest


class HTTPException(Exception):
    """Raised in the handling of a request, it is answered with its status: by that status's handler, if any.

    ``reason`` is the text of the answer where there is none.
    """

    def __init__(self, status_code: int, reason: str | None = None) -> None:
        self.status_code = status_code
        self.reason = reason or f"{status_code} error"

    def __repr__(self) -> str:
        return f"HTTPException: {self.status_code}"


class MalformedJSONError(JSONDecodeError):
    """A body that says it is JSON and is not. Where nobody handles it, the answer is a 400."""

    status_code = 400

    def __init__(self, reason: str, text: str = "", position: int = 0) -> None:
        super().__init__(reason, text, position)
        self.reason = reason

    @classmethod
    def of(cls, error: BadRequest, body: bytes) -> Self:
        """Return the error of a body that could not be decoded.

        Its position is that of the standard library's decoder: 0 where that reads the body all the same. It is 0 for
        JSON that is nested too deep as well, of which each version of Python reads another part.
        """
        text = body.decode(errors="replace")
        is_too_deep = error.members.get("limit") == "json_depth"
        return cls(error.detail or "", text, 0 if is_too_deep else _position_of_mistake(text))


def _position_of_mistake(text: str) -> int:
    try:
        loads(text)
    except JSONDecodeError as error:
        return error.pos
    except (RecursionError, ValueError):  # too many digits for an integer, or hardly any stack left
        pass
    return 0


def abort(status_code: int, reason: str | None = None) -> NoReturn:
    """Break off the request, to be answered with a status. ``reason`` is the text, unless the status has a handler."""
    raise HTTPException(status_code, reason)
