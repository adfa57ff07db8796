"""What is raised to answer with a status, and what a body raises that is no JSON."""

from json import JSONDecodeError, loads
from typing import NoReturn


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

    def __init__(self, reason: str, body: bytes = b"") -> None:
        text = body.decode(errors="replace")
        super().__init__(reason, text, _place_of_mistake(text))
        self.reason = reason


def _place_of_mistake(text: str) -> int:
    """Where Python's decoder meets the first mistake; the start, where another one has met it."""
    try:
        loads(text)
    except JSONDecodeError as error:
        return error.pos
    except (RecursionError, ValueError):
        pass
    return 0


def abort(status_code: int, reason: str | None = None) -> NoReturn:
    """Break off the request, to be answered with a status. ``reason`` is the text, unless the status has a handler."""
    raise HTTPException(status_code, reason)
