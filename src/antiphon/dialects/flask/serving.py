"""The application as a handler of native requests, for ASGI and RSGI."""

from typing import Any

from antiphon.adapters.servable import Servable


class Served(Servable):
    """An application whose own interface is WSGI, and which answers native requests by the same steps."""

    overrides: Any

    def __init__(self) -> None:
        super().__init__()
        self._set_started(True)  # nothing has to be started
