"""Antiphon: one HTTP Request and one Response for every Python web app, over WSGI, ASGI and RSGI."""

from antiphon.lazy import import_on_use

__version__ = "0.1.0"

__all__, __getattr__ = import_on_use(
    __name__,
    {
        "adapters.exchange": "Exchange Observer",
        "adapters.foreign.call": "aget_response get_response",
        "adapters.foreign.asgi": "from_asgi",
        "adapters.foreign.wsgi": "from_wsgi",
        "app.application": "App",
        "app.blueprint": "Blueprint",
        "app.answering.returns": "ResponseLike",
        "app.served_function": "to_app",
        "body.form_parts": "FormPart",
        "environment.variables": "Environment env",
        "frameworks.view": "view",
        "explanations": "explained",
        "handler.scope": "current_request",
        "handler.errors": "is_debug",
        "http.errors": "HTTPError abort",
        "http.head": "Address",
        "http.headers": "Headers MutableHeaders",
        "http.limits": "Limits",
        "http.multidict": "MultiDict MutableMultiDict",
        "http.redirect": "Redirect",
        "request.dependencies": "Dependency",
        "request.proxies": "TrustedProxies",
        "request.request": "Request",
        "request.route": "RouteKey",
        "request.interfaces": "Session",
        "response.response": "Response",
        "serialization.decimals": "decimal_meta",
        "serialization.json_fields": "JSON",
        "serialization.signing": "BadSignature SignatureExpired Signer",
        "uploads.upload": "Upload",
        "websockets.websocket": "BlockingWebSocket WebSocket",
        "websockets.channel": "WebSocketClosed",
    },
)
