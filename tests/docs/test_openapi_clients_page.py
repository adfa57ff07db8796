"""The clients that the page generates: they speak to the app of the page, and refuse a wrong field.

`scripts/weekly api-clients` fetches the generators; without them the tests are skipped.
"""

import re
import sys
from pathlib import Path

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.api_clients import (
    TSC,
    are_there,
    has_java,
    make_go_client,
    make_python_client,
    make_typescript_types,
    run,
    run_python,
    run_python_generator,
)

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/how-to/openapi-clients.md").read_text()
BLOCKS = re.findall(r'^```(python|\w+ title="(.+?)")\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
FILES = {name or "shop.py": text for _, name, text in BLOCKS}


@pytest.fixture
def folder(tmp_path):
    """A folder with the files of the page, and the document."""
    if not are_there():
        pytest.skip("scripts/weekly api-clients fetches the generators")
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


NEWER = """
from dataclasses import dataclass

from antiphon import App, Request
from antiphon.features import OpenAPI

app = App()
app.use(OpenAPI("Lamps", openapi="3.2"))


@dataclass
class Lamp:
    id: int


@app.query("/lamps")
def search(request: Request) -> list[Lamp]:
    return [request.json_as(Lamp)]
"""


def test_not_all_generators_read_openapi_3_2(folder):
    """As soon as they do, 3.2 may be the default of ``OpenAPI``, and the page on it says something else."""
    (folder / "newer.py").write_text(NEWER)
    code, document = run(folder, sys.executable, "-m", "antiphon", "openapi", "newer:app", "--strict")
    assert (code, '"query"' in document) == (0, True)
    (folder / "openapi.json").write_text(document)
    make_typescript_types(folder)
    assert "search" not in (folder / "api.d.ts").read_text()
    code, said = run_python_generator(folder)
    assert (code, "Only OpenAPI versions 3.1.* are supported" in " ".join(said.split())) == (1, True), said
    if has_java():
        code, said = make_go_client(folder, "newer")
        assert (code, "attribute openapi is unexpected" in said) == (1, True), said
