"""How servers reach a handler: WSGI, ASGI and RSGI."""

from antiphon.adapters.servable import Servable, serve

__all__ = ["Servable", "serve"]
