"""Bottle's everyday API: `antiphon run --dialect bottle shop:app` uses it instead of Bottle.

An import of a name that is missing here is an error that names it.
"""

from typing import Any

from antiphon.embedding import absent
from antiphon_bottle.app import Bottle
from antiphon_bottle.request import FileUpload, FormsDict, request
from antiphon_bottle.response import HTTPError, HTTPResponse, abort, redirect, response, static_file

__version__ = "0.13.4"
"""The version of Bottle that this API follows."""

__all__ = [
    "Bottle", "FileUpload", "FormsDict", "HTTPError", "HTTPResponse", "abort", "default_app", "delete", "error", "get",
    "hook", "patch", "post", "put", "redirect", "request", "response", "route", "run", "static_file",
]  # fmt: skip

_app = Bottle()
delete, error, get, hook, patch = _app.delete, _app.error, _app.get, _app.hook, _app.patch
post, put, route = _app.post, _app.put, _app.route


def default_app() -> Bottle:
    """Return the application of functions such as ``route``."""
    return _app


def run(app: Bottle | None = None, **options: Any) -> None:
    """Serve an application, by default that of functions such as ``route``: see ``Bottle.run``."""
    (app or _app).run(**options)


_JINJA = "Jinja2, and return the text"
__getattr__ = absent(__name__, dict.fromkeys(
    ("template", "view", "SimpleTemplate", "mako_template", "jinja2_template", "TEMPLATE_PATH"), _JINJA
))  # fmt: skip
