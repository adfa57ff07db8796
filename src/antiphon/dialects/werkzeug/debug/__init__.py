"""`werkzeug.debug` without the debugger, since this dialect never runs code that is sent over the network."""

import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class DebuggedApplication:
    """An application that passes each request to ``app`` and warns, when it is created, that there is no debugger.

    The server logs the application's errors. The other arguments are those of Werkzeug's debugger and have no effect.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        evalex: bool = False,  # noqa: ARG002 - Werkzeug's parameter, like the following ones
        request_key: str = "werkzeug.request",  # noqa: ARG002
        console_path: str = "/console",  # noqa: ARG002
        console_init_func: object = None,  # noqa: ARG002
        show_hidden_frames: bool = False,  # noqa: ARG002
        pin_security: bool = True,  # noqa: ARG002
        pin_logging: bool = True,  # noqa: ARG002
    ) -> None:
        warnings.warn(
            "antiphon.dialects.werkzeug has no interactive debugger: errors are logged with their tracebacks, and"
            " the response is a page without tracebacks",
            stacklevel=2,
        )
        self.app = app

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        return self.app(environ, start_response)
