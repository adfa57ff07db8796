"""One small application a framework, all with the same answers: `wsgi`, `asgi`, or both.

A case that needs a whole application, since what it measures stands around all of its routes, has one of its own:
`wsgi_hooks` answers the case `hooks`, `asgi_json_msgspec` the case `json-msgspec`.
"""

from importlib import import_module
from typing import Any


def application(framework: str, interface: str, case: str) -> Any:
    """Return the application of a framework that answers a case; None if it does not speak the interface."""
    module = import_module(f"benchmarks.apps.{framework}_app")
    return getattr(module, f"{interface}_{case.replace('-', '_')}", getattr(module, interface, None))
