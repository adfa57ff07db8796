"""The dialect of Flask 3.1: Flask's names and behaviour, over WSGI, ASGI and RSGI.

Names are imported on first use, like the modules that Flask itself imports: ``flask.json.dumps(...)``.
"""

import sys
from importlib import import_module
from typing import Any

from antiphon.embedding import import_on_use

__version__ = "3.1.3"
"""The version of Flask whose names and behaviour the dialect provides."""

__all__, _import_name, _ = import_on_use(__name__)

_MODULES = {
    *("app", "blueprints", "cli", "config", "ctx", "debughelpers", "globals", "helpers", "json", "logging", "sansio"),
    *("sessions", "signals", "templating", "testing", "typing", "views", "wrappers"),
}


def __getattr__(name: str) -> Any:
    return import_module(f"{__package__}.{name}") if name in _MODULES else _import_name(name)


def __dir__() -> list[str]:
    return sorted({*vars(sys.modules[__name__]), *_MODULES, *__all__})  # includes a module named `globals`
