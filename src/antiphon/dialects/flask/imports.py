"""Importing names on first use, so that a program loads only what it uses."""

from collections.abc import Callable
from typing import Any

from antiphon.embedding import import_on_use

_REEXPORTED = {
    "app": {
        "dialects.flask.globals": "current_app request request_ctx session",
        "dialects.flask.helpers": "get_debug_flag get_flashed_messages get_load_dotenv send_from_directory",
        "dialects.flask.sessions": "SecureCookieSessionInterface SessionInterface",
        "dialects.flask.signals": (
            "appcontext_tearing_down got_request_exception request_finished request_started request_tearing_down"
        ),
        "dialects.flask.templating": "Environment",
        "dialects.werkzeug.datastructures": "Headers ImmutableDict",
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
        "dialects": "werkzeug",
        "dialects.flask.globals": "request",
        "dialects.werkzeug.wrappers": "BaseResponse",
    },
    "logging": {"dialects.flask.globals": "request"},
    "templating": {"dialects.flask.globals": "current_app"},
    "testing": {"dialects.flask.sessions": "SessionMixin", "dialects.werkzeug.wrappers": "BaseRequest"},
    "wrappers": {"dialects.flask.globals": "current_app", "dialects.werkzeug.exceptions": "HTTPException"},
}
"""Names that Flask's modules only use, but that programs import from them: `from flask.app import Rule`."""


def reexports(module: str) -> Callable[[str], Any]:
    """Return a ``__getattr__`` (PEP 562) that imports the names that a module reexports."""
    return import_on_use(module, _REEXPORTED[module.rpartition(".")[2]])[1]


def deferred(make: Callable[[], Any]) -> Any:
    """Declare a class attribute that is replaced on first use with the result of a function."""
    return _Deferred(make)


class _Deferred:
    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._owner = owner
        self._name = name

    def __get__(self, instance: object | None, owner: type) -> Any:
        made = self._make()
        if vars(self._owner).get(self._name) is self:
            setattr(self._owner, self._name, made)
        return getattr(self._owner, self._name)
