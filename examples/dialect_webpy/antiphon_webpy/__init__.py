"""web.py's everyday API: `antiphon run --dialect web shop:app` uses it instead of web.py."""

from antiphon.embedding import absent
from antiphon_webpy.application import application, loadhook, unloadhook
from antiphon_webpy.context import Storage, cookies, ctx, data, header, input, setcookie, storage  # noqa: A004
from antiphon_webpy.errors import *  # noqa: F403 - its __all__ is the public API
from antiphon_webpy.errors import __all__ as _errors

__version__ = "0.62"
"""The version of web.py that this API follows."""
__distribution__ = "web.py"

__all__ = [  # noqa: PLE0604
    "Storage", "application", "config", "cookies", "ctx", "data", "header", "input", "loadhook", "setcookie", "storage",
    "unloadhook", *_errors,
]  # fmt: skip

config = Storage(debug=False)
__getattr__ = absent(__name__, {
    "template": "Jinja2", "database": "SQLAlchemy", "form": "web.input", "session": "a session of your own",
    "httpserver": "antiphon run", "profiler": "cProfile", "browser": "app.request", "autodelegate": "methods",
})  # fmt: skip
