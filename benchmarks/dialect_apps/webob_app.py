"""The application of `benchmarks.apps.webob_app`, with its imports changed."""

from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE = Path(__file__).parents[1] / "apps" / "webob_app.py"


def build(package: str) -> Any:
    """The application, made with the modules of a package: `webob`, or the dialect."""
    module: Any = ModuleType(f"benchmarks.apps.{package.replace('.', '_')}_app")
    module.__package__ = "benchmarks.apps"
    source = SOURCE.read_text().replace("from webob", f"from {package}")
    exec(compile(source, SOURCE, "exec"), module.__dict__)

    return module.wsgi
