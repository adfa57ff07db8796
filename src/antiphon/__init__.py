"""Antiphon: one HTTP Request and one Response for every Python web app, over WSGI, ASGI and RSGI."""

from antiphon.adapters.servable import serve
from antiphon.app.application import App
from antiphon.body.limits import Limits
from antiphon.http.errors import HTTPError
from antiphon.http.headers import Headers, MutableHeaders
from antiphon.http.multidict import MultiDict, MutableMultiDict
from antiphon.request import Request
from antiphon.response import Response

__version__ = "0.1.0"

__all__ = [
    "App",
    "HTTPError",
    "Headers",
    "Limits",
    "MultiDict",
    "MutableHeaders",
    "MutableMultiDict",
    "Request",
    "Response",
    "serve",
]
