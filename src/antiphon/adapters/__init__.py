"""How servers reach a handler: WSGI, ASGI and RSGI, and the way back to WSGI applications."""

from antiphon import applications
from antiphon.adapters.environ import from_wsgi, make_environ
from antiphon.adapters.servable import Servable, serve

__all__ = ["Servable", "from_wsgi", "make_environ", "serve"]


def _find() -> applications.Adapters:
    from antiphon.adapters import ask

    return ask


applications.find_adapters = _find
