"""Requests that code makes from a WSGI environ, as in tests, with an application but without a page."""

import os
from functools import cache
from io import BytesIO
from typing import TYPE_CHECKING, Any

from antiphon import Request as NativeRequest
from antiphon.dialects.asok.app import Asok
from antiphon.embedding import WSGIHead

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

APP = "asok.app"
ROOT = "asok.root"
"""The keys of the application, and of its folder."""

_LEFT_OUT: dict[str, Any] = {
    "REQUEST_METHOD": "GET",
    "PATH_INFO": "/",
    "SERVER_NAME": "localhost",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "wsgi.url_scheme": "http",
}
"""The values of keys that are missing in an environ."""


def of_environ(environ: "WSGIEnvironment") -> tuple[Asok, NativeRequest]:
    """Return the application and the native request of an environ.

    The application is that of the key ``asok.app``, else one of the project in ``asok.root`` or the current folder.
    """
    app = environ.get(APP) or _project_in(os.path.abspath(environ.get(ROOT) or os.getcwd()))
    whole = _LEFT_OUT | environ
    whole["wsgi.input"] = whole.get("wsgi.input") or BytesIO()
    native = NativeRequest(WSGIHead(whole))
    if app.has_pages:
        native.route = app.unrouted
    return app, native


@cache
def _project_in(root: str) -> Asok:
    app = Asok(root)
    if not app.has_pages:
        app.config["CSRF"] = False  # without a project there is no session that could have a token
    return app
