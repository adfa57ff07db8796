"""The application of `benchmarks.apps.werkzeug_app`, with its imports changed, and with less JSON."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

SOURCE = Path(__file__).parents[1] / "apps" / "werkzeug_app.py"


def build(package: str) -> Any:
    """The application, made with the modules of a package: `werkzeug`, or the dialect."""
    module: Any = ModuleType(f"benchmarks.apps.{package.replace('.', '_')}_app")
    module.__package__ = "benchmarks.apps"
    source = SOURCE.read_text().replace("from werkzeug.", f"from {package}.")
    exec(compile(source, SOURCE, "exec"), module.__dict__)

    def create(request: Any) -> Any:
        account = request.get_json()
        created = {"created": account["name"], "tags": len(account["tags"])}
        return module.Response(json.dumps(created), mimetype="application/json")

    module.VIEWS["order"] = create
    return module.wsgi
