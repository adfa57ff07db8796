"""The dialect of Werkzeug: `from antiphon.dialects.werkzeug.wrappers import Request`.

Names of the package itself, those of today and those of Werkzeug 0.8, are imported on first use.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from antiphon.dialects.werkzeug.top_level import MODULE_OF, MODULES

if TYPE_CHECKING:
    from antiphon.dialects.werkzeug.serving import run_simple
    from antiphon.dialects.werkzeug.test import Client
    from antiphon.dialects.werkzeug.wrappers import Request, Response

__version__ = "3.1.9"
"""The version of Werkzeug whose names and habits these are."""

__all__ = ["Client", "Request", "Response", "run_simple"]


def __getattr__(name: str) -> object:
    if name in MODULES:
        return import_module(f"{__name__}.{name}")
    if name not in MODULE_OF:
        raise AttributeError(f"the Werkzeug dialect has no werkzeug.{name}", name=name)
    value: object = getattr(import_module(f"{__name__}.{MODULE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *MODULES, *MODULE_OF})
