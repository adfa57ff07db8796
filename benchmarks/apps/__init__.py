"""One small application a framework, all with the same answers: `wsgi`, `asgi`, or both.

`asgi_def` answers over ASGI on threads, where it has no body to read; `rsgi` is for servers that speak RSGI.

A case that needs a whole application, since what it measures stands around all of its routes, has one of its own:
`wsgi_hooks` answers the case `hooks`, `asgi_json_msgspec` the case `json-msgspec`.
"""

from importlib import import_module
from typing import Any


def application(framework: str, interface: str, case: str) -> Any:
    """Return the application of a framework that answers a case; None if it does not speak the interface."""
    module = import_module(module_of(framework))
    return getattr(module, name_of(framework, interface, case), None)


def module_of(framework: str) -> str:
    return f"benchmarks.apps.{framework}_app"


def name_of(framework: str, interface: str, case: str) -> str:
    """Return the name of the application that answers a case in a framework's module."""
    own = f"{interface}_{case.replace('-', '_')}"
    return own if hasattr(import_module(module_of(framework)), own) else interface
