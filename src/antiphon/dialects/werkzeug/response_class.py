"""The response class for functions below `wrappers`: the only import inside a function that points upwards.

An HTTP exception answers with a response, and the data structures that responses are made of raise HTTP exceptions.
"""

from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.wrappers.response import Response


@cache
def response_class() -> "type[Response]":
    """Return `wrappers.Response`, imported on first use."""
    from antiphon.dialects.werkzeug.wrappers.response import Response

    return Response
