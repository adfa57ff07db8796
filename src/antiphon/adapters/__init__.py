"""How servers reach a handler: WSGI, ASGI and RSGI, and the way back to WSGI applications."""

from antiphon.adapters.foreign.wsgi import from_wsgi, make_environ
from antiphon.adapters.servable import Servable, serve
from antiphon.response import applications

__all__ = ["Servable", "from_wsgi", "make_environ", "serve"]


def _find() -> applications.Adapters:
    from antiphon.adapters.foreign import call as ask

    return ask


applications.find_adapters = _find
