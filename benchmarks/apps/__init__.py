"""One small application a framework, all with the same responses: `wsgi`, `asgi`, or both.

`asgi_def` responds over ASGI on threads, where it has no body to read; `rsgi` is for servers that speak RSGI.

A case that needs a whole application, since what it measures stands around all of its routes, has one of its own:
`wsgi_hooks` is for the case `hooks`, `asgi_json_msgspec` for the case `json-msgspec`.
"""

import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any


def application(framework: str, interface: str, case: str) -> Any:
    """Return the application of a framework for a case; None if it does not speak the interface."""
    module = import_module(module_of(framework))
    return getattr(module, name_of(framework, interface, case), None)


def module_of(framework: str) -> str:
    return f"benchmarks.apps.{framework}_app"


def name_of(framework: str, interface: str, case: str) -> str:
    """Return the name of the application for a case in a framework's module."""
    own = f"{interface}_{case.replace('-', '_')}"
    return own if hasattr(import_module(module_of(framework)), own) else interface


def handlers(path: Path, *, is_async: bool) -> Any:
    """Return a new module of a file: with its functions as they are, or each as an ``async def``."""
    source = path.read_text()
    module = ModuleType(f"{path.stem}_{'async' if is_async else 'def'}")
    module.__package__ = __name__
    sys.modules[module.__name__] = module  # where dataclasses look for it
    exec(compile(source.replace("\ndef ", "\nasync def ") if is_async else source, path, "exec"), module.__dict__)
    return module
