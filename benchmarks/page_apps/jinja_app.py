"""Jinja2's own rendering, in a WSGI application that does nothing else."""

from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIEnvironment

from jinja2 import Environment, FileSystemLoader

from . import FOLDER, TABLES

ENVIRONMENT = Environment(loader=FileSystemLoader(FOLDER), autoescape=True, auto_reload=False)


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    name = "rows.html" if "HTTP_X_BLOCK" in environ else "page.html"
    rows = TABLES[environ["PATH_INFO"].lstrip("/")]
    text = ENVIRONMENT.get_template(name).render(title="Lamps", rows=rows)
    start_response("200 OK", [("content-type", "text/html")])
    return [text.encode()]
