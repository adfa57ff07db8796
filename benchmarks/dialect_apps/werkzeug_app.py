"""The application of `benchmarks.apps.werkzeug_app`, with its imports changed: with less JSON, and a form in parts."""

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

    def upload(request: Any) -> Any:
        file = request.files["file"]
        return module.Response(f"{request.form['title']}: {file.filename}, {len(file.read())} bytes")

    module.VIEWS |= {"order": create, "upload": upload}
    module.URL_MAP.add(module.Rule("/upload", endpoint="upload", methods=["POST"]))
    return module.wsgi
