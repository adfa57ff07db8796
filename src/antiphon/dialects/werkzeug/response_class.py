"""The class of the responses that functions make which `wrappers`, where it is, imports itself."""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.wrappers.response import Response


@cache
def response_class() -> "type[Response]":
    """`wrappers.Response`, imported when it is first asked for."""
    from antiphon.dialects.werkzeug.wrappers.response import Response

    return Response
