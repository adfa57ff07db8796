"""The clients that the page generates: they speak to the app of the page, and refuse a wrong field.

`make api-clients` fetches the generators; without them the tests are skipped.
"""

import re
import sys
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.api_clients import TSC, are_there, make_python_client, make_typescript_types, run, run_python

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/openapi-clients.md").read_text()
BLOCKS = re.findall(r'^```(python|\w+ title="(.+?)")\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
FILES = {name or "shop.py": text for _, name, text in BLOCKS}


@pytest.fixture
def folder(tmp_path):
    """A folder with the files of the page, and the document."""
    if not are_there():
        pytest.skip("make api-clients fetches the generators")
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    code, document = run(tmp_path, sys.executable, "-m", "antiphon", "openapi", "shop:app", "--strict")
    assert code == 0
    (tmp_path / "openapi.json").write_text(document)
    return tmp_path


@pytest.fixture
def url(folder, monkeypatch):
    """The URL of the app of the page."""
    monkeypatch.chdir(folder)
    with ServerProcess(("-m", "antiphon", "run", "{app}", "--port", "{port}"), "shop:app") as process:
        yield f"http://127.0.0.1:{process.port}"


def test_a_client_in_typescript(folder, url):
    make_typescript_types(folder)
    assert run(folder, *TSC, "client.ts") == (0, "")
    assert run(folder, "node", "js/client.js", url) == (0, "0 Desk\n")
    (told,) = re.findall(r"^(error TS.*)$", PAGE, re.MULTILINE)
    wrong = {
        'name: "Desk"': ('nmae: "Desk"', told),
        "added.data.id": ('"7"', "'string' is not assignable to type 'number'"),
        "/lamps/{number}": ("/lamp/{number}", "is not assignable to parameter"),
        "shown.data.name": ("shown.data.size", "Property 'size' does not exist"),
    }
    for right, (other, error) in wrong.items():
        (folder / "client.ts").write_text(FILES["client.ts"].replace(right, other))
        code, said = run(folder, *TSC, "client.ts")
        assert (code, error in said) == (2, True), said


def test_a_client_in_python(folder, url):
    assert "Warning" not in make_python_client(folder)
    assert run_python(folder, "python", "client.py", url) == (0, "0 Desk\n")
    checks = ("mypy", "--strict", "--follow-imports", "silent", "client.py")
    assert run_python(folder, *checks)[0] == 0
    (folder / "client.py").write_text(FILES["client.py"].replace("name=", "nmae="))
    code, said = run_python(folder, *checks)
    assert (code, 'Unexpected keyword argument "nmae" for "NewLamp"' in said) == (1, True), said
