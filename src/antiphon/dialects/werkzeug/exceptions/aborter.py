"""The `abort` function, which raises the HTTP exception for a status: `abort(404)`."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon.dialects._environ.heads import head_error
from antiphon.dialects.werkzeug.exceptions import statuses
from antiphon.dialects.werkzeug.exceptions.base import BadRequest, HTTPException

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


def _errors_of(module: object) -> dict[int, type[HTTPException]]:
    errors = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, HTTPException)]
    return {each.code: each for each in errors if each.code is not None}


default_exceptions = {400: BadRequest} | _errors_of(statuses)
"""The exception class for each status."""


def refused_head(environ: "WSGIEnvironment") -> HTTPException | None:
    """Return the exception for an environ whose Host or query is invalid."""
    error = head_error(environ)
    return default_exceptions[error.status](error.detail) if error else None


class Aborter:
    """A function that raises the HTTP exception for a status, or one with a given response.

    ``extra`` adds exception classes to ``mapping``.
    """

    def __init__(
        self,
        mapping: Mapping[int, type[HTTPException]] | None = None,
        extra: Mapping[int, type[HTTPException]] | None = None,
    ) -> None:
        self.mapping: dict[Any, type[HTTPException]] = {
            **(default_exceptions if mapping is None else mapping),
            **(extra or {}),
        }

    def __call__(self, code: Any, *args: Any, **kwargs: Any) -> NoReturn:
        if code not in self.mapping and (callable(code) or hasattr(code, "status_code")):
            response: Any = code  # a response or any WSGI application
            raise HTTPException(response=response)
        if code not in self.mapping:
            raise LookupError(f"no exception for {code!r}")
        raise self.mapping[code](*args, **kwargs)


_aborter = Aborter()


def abort(status: Any, *args: Any, **kwargs: Any) -> NoReturn:
    """Raise the HTTP exception for a status, created with the given arguments, or one with a given response.

    Raises LookupError if the status has no exception.
    """
    _aborter(status, *args, **kwargs)
