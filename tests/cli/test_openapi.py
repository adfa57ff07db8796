"""`antiphon openapi`: the document, what is not known of it, and the drift from one that was written."""

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

SHOP = """
from dataclasses import dataclass
from antiphon import App, Request, abort
from antiphon.features import OpenAPI

app, two = App(), App()
app.use(OpenAPI("Lamps", version="2", prefix="/api"))
two.use(OpenAPI("One", prefix="/v1"))
two.use(OpenAPI("Two", prefix="/v2"))
plain = App()


@dataclass
class Lamp:
    id: int


@app.get("/api/lamps/<int:number>")
@plain.get("/lamps/<int:number>")
def show(request: Request, number: int) -> Lamp:
    return Lamp(number) if number else abort(404, "There is no such lamp.")
"""
UNKNOWN = """

@app.get("/api/unknown")
def unknown(request):
    return request.json_as(globals()[request.args["type"]])
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with an application, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "lamps", raising=False)
    (tmp_path / "lamps.py").write_text(SHOP)
    return tmp_path


def run(*arguments):
    sys.modules.pop("lamps", None)
    return CliRunner().invoke(main, ["openapi", *arguments], catch_exceptions=False)


@rows(
    "arguments, title, paths",
    (["lamps:app"], "Lamps", ["/api/lamps/{number}"]),
    (["lamps:plain"], "lamps", ["/lamps/{number}"]),
    (["lamps:two", "--prefix", "/v2"], "Two", []),
    (["lamps:plain", "--prefix", "/other"], "lamps", []),
)
@pytest.mark.usefixtures("folder")
def test_the_document_is_printed(arguments, title, paths):
    result = run(*arguments, "--strict")
    content = json.loads(result.stdout)
    assert (result.exit_code, content["info"]["title"], [*content["paths"]]) == (0, title, paths)


@pytest.mark.usefixtures("folder")
def test_one_of_several_documents_is_named():
    result = run("lamps:two")
    assert (result.exit_code, "add --prefix, one of '/v1', '/v2'" in result.output) == (2, True)


def test_strict_fails_for_what_is_not_known_and_names_it(folder):
    (folder / "lamps.py").write_text(SHOP + UNKNOWN)
    lenient, strict = run("lamps:app"), run("lamps:app", "--strict")
    assert (lenient.exit_code, strict.exit_code) == (0, 1)
    assert f"Unknown: GET /api/unknown: unknown ({folder}/lamps.py:26): " in strict.stderr


CHANGES = [
    ("Lamp(number) if", "Lamp(number) if", 0, ""),
    ("id: int", "id: str", 1, "BREAKS  GET /api/lamps/{number} 200/id: integer is now string   lamps.py:15   "),
    ("id: int", "id: int\n    colour: str = ''", 0, "safe    GET /api/lamps/{number} 200/colour: new"),
    ("no such lamp", "lamp like this", 0, ""),
    ("abort(404", "abort(410", 0, "safe    GET /api/lamps/{number} 410: new"),
    ("-> Lamp", "-> tuple[Lamp, int]", 4, "unknown GET /api/lamps/{number} 200: no longer application/json   "),
    ("@app.get", "@app.put", 1, "BREAKS  GET /api/lamps/{number}: gone, and was not deprecated   "),
]


@pytest.mark.parametrize(("before", "after", "code", "told"), CHANGES)
def test_the_document_in_a_file_is_compared(folder, before, after, code, told):
    (folder / "openapi.json").write_text(run("lamps:app").stdout)
    # Another length: Python takes a file of the same length and second for the one that it has compiled.
    (folder / "lamps.py").write_text(SHOP.replace(before, after) + "\n")
    result = run("lamps:app", "--check", "openapi.json")
    assert (result.exit_code, result.stdout.startswith(told)) == (code, True), result.output
    state = "is out of date" if told else "differs in descriptions only" if before != after else ""
    assert (f"openapi.json {state}: to update it, run this without --check" in result.stderr) == bool(state)


@pytest.mark.usefixtures("folder")
def test_a_document_that_is_written_is_not_reported_as_different():
    (Path.cwd() / "openapi.json").write_text(run("lamps:two", "--prefix", "/v1").stdout)
    same, other = (run("lamps:two", "--prefix", prefix, "--check", "openapi.json") for prefix in ("/v1", "/v2"))
    assert (same.exit_code, same.output) == (0, "")
    assert (other.exit_code, other.stdout, "differs in descriptions only" in other.stderr) == (0, "", True)


def test_a_file_that_is_no_json_is_a_mistake(folder):
    (folder / "openapi.json").write_text("openapi: 3.1.0")
    result = run("lamps:app", "--check", "openapi.json")
    assert (result.exit_code, "can't be read as JSON" in result.output) == (2, True)
