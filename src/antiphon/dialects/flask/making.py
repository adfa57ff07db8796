"""Responses made of what views return."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from antiphon.dialects.flask.globals import request
from antiphon.dialects.werkzeug.datastructures.headers import Headers
from antiphon.dialects.werkzeug.wrappers.base_response import BaseResponse

if TYPE_CHECKING:
    from antiphon.dialects.flask.sansio.app import App
    from antiphon.dialects.flask.wrappers import Response


def made_response(app: "App", result: Any) -> "Response":
    """Return the response for a view's result. Raises TypeError for what can't be one."""
    if type(result) is str:
        return app.response_class(result)
    status = headers = None
    if isinstance(result, tuple):
        result, status, headers = _parts(result)
    if result is None:
        raise TypeError(
            f"The view function for {request.endpoint!r} did not return a valid response. The function either returned"
            " None or ended without a return statement."
        )
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
        "The view function did not return a valid response tuple. The tuple must have the form (body, status, headers),"
        " (body, status), or (body, headers)."
    )


def _forced(cls: "type[Response]", result: Any) -> "Response":
    """Return a response of a class, made of another one, or by a WSGI application."""
    kind = type(result).__name__
    wanted = (
        "The view function did not return a valid response. The return type must be a string, dict, list, tuple with"
        f" headers or status, Response instance, or WSGI callable, but it was a {kind}."
    )
    if not (isinstance(result, BaseResponse) or callable(result)):
        raise TypeError(wanted)
    try:
        return cls.force_type(result, request.environ)
    except TypeError as error:
        raise TypeError(f"{error}\n{wanted}").with_traceback(error.__traceback__) from None
