"""What `werkzeug.utils` has, with redirects that are sent as whole URLs."""

from typing import Any

from antiphon.dialects.kay.werkzeug.wrappers.base_response import Response
from antiphon.dialects.werkzeug import utils


def redirect(location: str, code: int = 302) -> Response:
    """A response that leads to a location, which is joined to the root's URL when it is sent."""
    response: Any = utils.redirect(location, code, Response=Response)
    return Response.force_type(response)


def __getattr__(name: str) -> object:
    return getattr(utils, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(utils)})
