from antiphon.adapters.exchange import Exchange, Observer
from antiphon.adapters.foreign.asgi import from_asgi
from antiphon.adapters.foreign.call import aget_response, get_response
from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.app.application import App
from antiphon.app.blueprint import Blueprint
from antiphon.app.served_function import to_app
from antiphon.body.form_parts import FormPart
from antiphon.environment import env
from antiphon.explanations import explained
from antiphon.frameworks.views import Views, view
from antiphon.handler.errors import is_debug
from antiphon.handler.scope import current_request
from antiphon.http.errors import HTTPError, abort
from antiphon.http.limits import Limits
from antiphon.http.redirect import Redirect
from antiphon.request.dependencies import Dependency
from antiphon.request.interfaces import Session
from antiphon.request.proxies import TrustedProxies
from antiphon.request.request import Request
from antiphon.request.route import RouteKey
from antiphon.response.response import Response
from antiphon.serialization.decimals import decimal_meta
from antiphon.serialization.json_fields import JSON
from antiphon.serialization.readers import check_as
from antiphon.serialization.signing import BadSignature, SignatureExpired, Signer
from antiphon.uploads.upload import Upload
from antiphon.websockets.channel import WebSocketClosed
from antiphon.websockets.websocket import BlockingWebSocket, WebSocket

__version__: str

__all__ = [
    "JSON", "App", "BadSignature", "BlockingWebSocket", "Blueprint", "Dependency", "Exchange", "FormPart",
    "HTTPError", "Limits", "Observer", "Redirect", "Request", "Response", "RouteKey", "Session", "SignatureExpired",
    "Signer", "TrustedProxies", "Upload", "Views", "WebSocket", "WebSocketClosed", "abort", "aget_response",
    "check_as", "current_request", "decimal_meta", "env", "explained", "from_asgi", "from_wsgi", "get_response",
    "is_debug", "to_app", "view",
]  # fmt: skip
