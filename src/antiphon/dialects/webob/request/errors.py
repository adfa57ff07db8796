"""Errors of a request's body, as responses of ``webob.exc``."""

from functools import cache
from typing import Any

from antiphon.dialects.webob.environ_properties import imported


def malformed_form(detail: str) -> Exception:
    """Return the error of a malformed form: HTTPBadRequest, and a ValueError too."""
    error: Exception = _class()(detail)
    return error


@cache
def _class() -> type[Any]:
    return type(
        "MalformedForm",
        (imported("exc", "HTTPBadRequest"), ValueError),
        {"__doc__": "A form that can't be read (400)."},
    )
