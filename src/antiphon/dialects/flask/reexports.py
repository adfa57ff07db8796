"""Names that Flask's modules only use, and that programs import from there: `from flask.app import Rule`."""

from collections.abc import Callable
from typing import Any

from antiphon.lazy import import_on_use

_MODULES = {
    "app": {
        "dialects.flask.globals": "current_app request request_ctx session",
        "dialects.flask.helpers": "get_debug_flag get_flashed_messages get_load_dotenv send_from_directory",
        "dialects.flask.sessions": "SecureCookieSessionInterface SessionInterface",
        "dialects.flask.signals": (
            "appcontext_tearing_down got_request_exception request_finished request_started request_tearing_down"
        ),
        "dialects.flask.templating": "Environment",
        "dialects.werkzeug.datastructures": "Headers",
        "dialects.werkzeug.exceptions": "BadRequestKeyError HTTPException InternalServerError",
        "dialects.werkzeug.routing": "MapAdapter Rule",
        "dialects.werkzeug.routing.exceptions": "BuildError RequestRedirect RoutingException",
        "dialects.werkzeug.serving": "is_running_from_reloader",
        "dialects.werkzeug.wrappers": "BaseResponse",
        "dialects.werkzeug.wsgi": "get_host",
    },
    "blueprints": {
        "dialects.flask.cli": "AppGroup",
        "dialects.flask.globals": "current_app",
        "dialects.flask.helpers": "send_from_directory",
    },
    "cli": {
        "dialects.werkzeug.serving": "is_running_from_reloader run_simple",
        "dialects.werkzeug.utils": "import_string",
    },
    "ctx": {"dialects.flask.signals": "appcontext_popped appcontext_pushed"},
    "debughelpers": {
        "dialects.flask.blueprints": "Blueprint",
        "dialects.flask.globals": "request_ctx",
        "dialects.flask.sansio.app": "App",
        "dialects.werkzeug.routing": "RequestRedirect",
    },
    "helpers": {
        "dialects.flask.globals": "request session",
        "dialects.flask.signals": "message_flashed",
        "dialects.werkzeug.wrappers": "BaseResponse",
    },
    "logging": {"dialects.flask.globals": "request"},
    "templating": {"dialects.flask.globals": "current_app request"},
    "testing": {"dialects.flask.sessions": "SessionMixin", "dialects.werkzeug.wrappers": "BaseRequest"},
    "wrappers": {"dialects.flask.globals": "current_app", "dialects.werkzeug.exceptions": "HTTPException"},
}


def reexports(module: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a module of this package, which imports such names on first use (PEP 562)."""
    return import_on_use(module, _MODULES[module.rpartition(".")[2]])[1]
