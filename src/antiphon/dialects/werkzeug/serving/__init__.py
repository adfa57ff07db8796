"""The functions of Werkzeug's development server, based on the server that ``antiphon run`` uses."""

from antiphon.dialects.werkzeug._reloader import is_running_from_reloader
from antiphon.dialects.werkzeug.serving.server import (
    BaseWSGIServer,
    ThreadedWSGIServer,
    WSGIRequestHandler,
    make_server,
    run_simple,
)

__all__ = [
    "BaseWSGIServer", "ThreadedWSGIServer", "WSGIRequestHandler", "is_running_from_reloader", "make_server",
    "run_simple",
]  # fmt: skip
