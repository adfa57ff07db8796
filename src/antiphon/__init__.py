"""Antiphon: one HTTP Request and one Response for every Python web app, over WSGI, ASGI and RSGI."""

from antiphon.adapters.servable import serve
from antiphon.app.application import App
from antiphon.app.blueprint import Blueprint
from antiphon.handler.context import current_request
from antiphon.http.errors import HTTPError, abort
from antiphon.http.headers import Headers, MutableHeaders
from antiphon.http.limits import Limits
from antiphon.http.multidict import MultiDict, MutableMultiDict
from antiphon.http.redirect import Redirect
from antiphon.request.places import Place
from antiphon.request.request import Request
from antiphon.response.response import Response

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
