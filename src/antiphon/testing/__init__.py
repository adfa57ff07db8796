"""Testing applications without a server: a client that plays a WSGI, ASGI or RSGI server in the same process."""

from antiphon.lazy import import_on_use

__reads__ = "anything"

__all__, __getattr__, __dir__ = import_on_use(__name__)
