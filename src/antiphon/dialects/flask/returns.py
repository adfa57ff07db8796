"""Responses made from the return values of views."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from antiphon.dialects.flask.globals import _cv_app, request
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse
from antiphon.embedding import describe

if TYPE_CHECKING:
    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.wrappers import Response

_ANSWERS = "text, bytes, a dict, a list, a tuple with a status or headers, a Response or a WSGI application"


def made_response(app: "App", result: Any) -> "Response":
    """Return the response for a view's result. Raises TypeError for an invalid result."""
    if type(result) is str:
        return app.response_class(result)
    status = headers = None
    if isinstance(result, tuple):
        result, status, headers = _parts(result)
    if result is None:
        raise TypeError(f"{_view()} returned None, or ended without `return`: return {_ANSWERS}")
    cls = app.response_class
    if isinstance(result, cls):
        response = result
    elif isinstance(result, (dict, list)):
        response = app.json.response(result)
    elif isinstance(result, (str, bytes, bytearray, Iterator)):
        return cls(result, status=status, headers=headers)  # type: ignore[arg-type]  # an iterator of text or bytes
    else:
        response = _forced(cls, result)
    if status is not None:
        response.status = status.decode() if isinstance(status, (bytes, bytearray)) else status
    if headers:
        response.headers.update(headers)
    return response


def _parts(result: tuple[Any, ...]) -> tuple[Any, Any, Any]:
    """Return the body, the status and the headers of a tuple."""
    if len(result) == 3:
        return result
    if len(result) == 2:
        body, second = result
        return (body, None, second) if isinstance(second, (Headers, dict, tuple, list)) else (body, second, None)
    raise TypeError(
        f"{_view()} returned a tuple of {len(result)}. Such a tuple must have the form (body, status), (body, headers)"
        " or (body, status, headers)."
    )


def _view() -> str:
    """Return the name and the place of the view that is answering, for errors."""
    ctx = _cv_app.get()
    endpoint = ctx.request.endpoint if ctx is not None and ctx.has_request else None
    function = None if ctx is None else ctx.app.view_functions.get(endpoint)  # type: ignore[arg-type]  # None has no view
    return "The view" if function is None else f"{describe(function)}, the view of {endpoint!r},"


def _forced(cls: "type[Response]", result: Any) -> "Response":
    """Return a response of a class, made of another one, or by a WSGI application."""
    kind = type(result).__name__
    wanted = f"{_view()} did not return a valid response, since it was a {kind}: return {_ANSWERS}"
    if not (isinstance(result, BaseResponse) or callable(result)):
        raise TypeError(wanted)
    try:
        return cls.force_type(result, request.environ)
    except TypeError as error:
        raise TypeError(f"{error}\n{wanted}").with_traceback(error.__traceback__) from None
