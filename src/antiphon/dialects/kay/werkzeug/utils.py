"""The functions of `werkzeug.utils`, with redirects that send complete URLs."""

from typing import Any

from antiphon.dialects.kay.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug import utils


def redirect(location: str, code: int = 302) -> Response:
    """Return a redirect. When it is sent, its location is joined to the application's root URL."""
    response: Any = utils.redirect(location, code, Response=Response)
    return Response.force_type(response)


def __getattr__(name: str) -> object:
    return getattr(utils, name)


def __dir__() -> list[str]:
    return sorted({*globals(), *dir(utils)})
