"""Bottle's everyday API: `antiphon run --dialect bottle shop:app` uses it instead of Bottle."""

from antiphon.embedding import absent
from antiphon_bottle.app import Bottle, HTTPError, HTTPResponse
from antiphon_bottle.context import FileUpload, FormsDict, abort, redirect, request, response, static_file

__version__ = "0.13.4"  # the version of Bottle that this API follows
__all__ = [
    "Bottle", "FileUpload", "FormsDict", "HTTPError", "HTTPResponse", "abort", "default_app", "delete", "error", "get",
    "hook", "patch", "post", "put", "redirect", "request", "response", "route", "run", "static_file",
]  # fmt: skip

_app = Bottle()
delete, error, get, hook, patch = _app.delete, _app.error, _app.get, _app.hook, _app.patch
post, put, route, run = _app.post, _app.put, _app.route, _app.run


def default_app() -> Bottle:
    return _app


_engines = ("template", "view", "SimpleTemplate", "mako_template", "jinja2_template", "TEMPLATE_PATH")
__getattr__ = absent(__name__, dict.fromkeys(_engines, "Jinja2, and return the text"))
