"""Antiphon: one HTTP Request and one Response for every Python web app, over WSGI, ASGI and RSGI."""

from antiphon.adapters.servable import serve
from antiphon.app.application import App
from antiphon.app.routes import Blueprint
from antiphon.body.limits import Limits
from antiphon.context import current_request
from antiphon.http.errors import HTTPError, abort
from antiphon.http.headers import Headers, MutableHeaders
from antiphon.http.multidict import MultiDict, MutableMultiDict
from antiphon.http.redirect import Redirect
from antiphon.place import Place
from antiphon.request import Request
from antiphon.response import Response

__version__ = "0.1.0"

__all__ = [
    "App",
    "Blueprint",
    "HTTPError",
    "Headers",
    "Limits",
    "MultiDict",
    "MutableHeaders",
    "MutableMultiDict",
    "Place",
    "Redirect",
    "Request",
    "Response",
    "abort",
    "current_request",
    "serve",
]
