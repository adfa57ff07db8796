"""`Cache`, `Sessions` and `Tools` as others' packages: copies under another name, on the installed one."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]

FEATURES = Path(__file__).parents[2] / "src/antiphon/features"
COPIED = {
    "cache": ["cache"],
    "sessions": ["sessions.py", "tracked_session.py", "bound_sessions.py"],
    "tools": ["tools"],
}
PUBLIC = re.compile(r"antiphon(\.(embedding|features|features\.stores|http|types))?").fullmatch
PROGRAM = '''
from antiphon import App, Request, Response
from antiphon.features import MemoryStore, OpenAPI
from antiphon.testing import Client
from other_cache.feature import Cache
from other_sessions.sessions import Sessions
from other_tools.feature import Tools

app, made = App(store=MemoryStore()), []
api = OpenAPI("Lamps", docs=None)
for feature in (Sessions(), Cache(), api, Tools(api)):
    app.use(feature)


@app.get("/prices")
def prices(request: Request) -> Response:
    made.append("prices")
    response = Response("12 coins")
    response.cache_for(60, public=True)
    return response


@app.get("/visits", tool=True)
def visits(request: Request) -> dict[str, int]:
    """Count the visits."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return {"visits": request.session["visits"]}


client = Client(app, base_url="https://shop.example")
assert [client.get("/prices").text for _ in range(2)] == ["12 coins"] * 2
assert made == ["prices"]
assert [client.get("/visits").json["visits"] for _ in range(2)] == [1, 2]
asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
[tool] = client.post("/mcp", json=asked).json["result"]["tools"]
assert (tool["name"], tool["description"]) == ("visits", "Count the visits")
'''


def files_of(name):
    paths = [FEATURES / each for each in COPIED[name]]
    return [file for path in paths for file in (path.glob("*.py") if path.is_dir() else [path])]


def copy_to(folder, name):
    """Copy a feature as the package `other_NAME`, whose modules import each other by that name."""
    own = "|".join(each.removesuffix(".py") for each in COPIED[name])
    new = rf"other_{name}" if COPIED[name] == [name] else rf"other_{name}.\1"
    package = folder / f"other_{name}"
    package.mkdir()
    (package / "__init__.py").touch()
    for file in files_of(name):
        (package / file.name).write_text(re.sub(rf"antiphon\.features\.({own})\b", new, file.read_text()))


def test_copies_under_another_name_work_together(tmp_path):
    for name in COPIED:
        copy_to(tmp_path, name)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stderr


@rows("name", list(COPIED))
def test_they_take_public_names_only(name):
    nodes = [node for file in files_of(name) for node in ast.walk(ast.parse(file.read_text()))]
    imports = [node for node in nodes if isinstance(node, ast.ImportFrom) and node.module.startswith("antiphon")]
    taken = {
        (node.module, alias.name)
        for node in imports
        if not PUBLIC(node.module) and not node.module.startswith("antiphon.features.")
        for alias in node.names
    }
    assert taken == set()
