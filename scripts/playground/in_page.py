"""Run examples in a browser, under Pyodide: write their files to a folder, ask their apps, and tell the answers."""

import importlib
import json
import os
import shutil
import sys
import traceback
from pathlib import Path
from typing import Any

from antiphon.testing import Client

FOLDER = Path("/tmp/example")
CURL = {"accept": "*/*", "user-agent": "curl"}


def run(example: str) -> str:
    """Run an example, given as JSON, and return the answers as JSON: for each the command, status, media type and text.

    An example that can't be imported has one answer, with the traceback.
    """
    told: dict[str, Any] = json.loads(example)
    try:
        app = load(told["files"], told["module"])
    except Exception:
        lines = traceback.format_exc().splitlines()
        place = next((n for n, line in enumerate(lines) if str(FOLDER) in line), 1)
        return json.dumps([{"command": "", "head": "", "body": "\n".join([lines[0], *lines[place:]])}])
    # With WSGI and no limit, nothing needs a thread, and browsers have none to give.
    client = Client(app, "wsgi", timeout=None, headers=CURL, raise_errors=False)
    return json.dumps([answer(client, each) for each in told["requests"]])


def load(files: dict[str, str], module: str) -> Any:
    """Write the files to an empty folder, and import the app of a module there."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    for name, text in files.items():
        path = FOLDER / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    os.chdir(FOLDER)
    for name in [name for name, each in sys.modules.items() if str(FOLDER) in str(getattr(each, "__file__", ""))]:
        del sys.modules[name]
    if str(FOLDER) not in sys.path:
        sys.path.insert(0, str(FOLDER))
    importlib.invalidate_caches()
    return importlib.import_module(module).app


def answer(client: Client, request: dict[str, Any]) -> dict[str, str]:
    """Send one request, and tell the answer; of its lines, those that ``only`` names."""
    response = client.request(
        request["method"], request["target"], headers=request["headers"], body=request["body"].encode()
    )
    only = request["only"]
    text = "\n".join(line for line in response.text.splitlines() if only in line)
    if request["is_indented"]:
        text = json.dumps(json.loads(text), indent=2)
    head = f"{response.status} {response.headers.get('content-type', '')}".strip()
    return {"command": request["command"], "head": head, "body": text}
