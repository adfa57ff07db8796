"""The dialect of Flask 3.1: Flask's names and behaviour, over WSGI, ASGI and RSGI.

Names are imported on first use, like the modules that Flask itself imports: ``flask.json.dumps(...)``.
"""

import sys
from importlib import import_module
from typing import Any

from antiphon.embedding import import_on_use

__version__ = "3.1.3"
"""The version of Flask whose names and behaviour the dialect provides."""

__all__, _import_name, _ = import_on_use(
    __name__,
    {
        "dialects.flask.app": "Flask",
        "dialects.flask.blueprints": "Blueprint",
        "dialects.flask.config": "Config",
        "dialects.flask.ctx": "after_this_request copy_current_request_context has_app_context has_request_context",
        "dialects.flask.globals": "current_app g has_websocket_context request session websocket",
        "dialects.flask.helpers": (
            "abort flash get_flashed_messages get_template_attribute make_response redirect send_file"
            " send_from_directory url_for"
        ),
        "dialects.flask.json": "jsonify",
        "dialects.flask.signals": (
            "appcontext_popped appcontext_pushed appcontext_tearing_down before_render_template got_request_exception"
            " message_flashed request_finished request_started request_tearing_down template_rendered"
        ),
        "dialects.flask.running": "stream_with_context",
        "dialects.flask.templating": ("render_template render_template_string stream_template stream_template_string"),
        "dialects.flask.wrappers": "Request Response",
    },
)

_MODULES = {
    *("app", "blueprints", "cli", "config", "ctx", "debughelpers", "globals", "helpers", "json", "logging", "sansio"),
    *("sessions", "signals", "templating", "testing", "typing", "views", "wrappers"),
}


def __getattr__(name: str) -> Any:
    return import_module(f"{__package__}.{name}") if name in _MODULES else _import_name(name)


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules[__name__]), *_MODULES, *__all__})  # includes a module named `globals`
