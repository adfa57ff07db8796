"""`antiphon tools`: what an application offers to language models."""

import json
import sys

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main

pytestmark = pytest.mark.once

APPS = '''
from antiphon import App, Request
from antiphon.features import OpenAPI, Tool, Tools

app, without, empty, broken = App(secret_keys=["of a test, and not secret"]), App(), App(), App()
for each in (app, empty, broken):
    api = OpenAPI("Lamps", docs=None)
    each.use(api)
    each.use(Tools(api))


@app.get("/lamps", tool=True)
def list_lamps(request: Request) -> list[str]:
    """List all lamps.

    In any order.
    """


@app.delete("/lamps/<int:number>", tool=Tool(confirm="Delete?"))
def delete_lamp(request: Request, number: int) -> None:
    """Delete a lamp."""


@app.get("/secret")
def secret(request: Request) -> str: ...


@broken.post("/photo", tool=True)
def photo(request: Request) -> str:
    return request.files["photo"].filename
'''


@pytest.fixture
def tools(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "with_tools", raising=False)
    (tmp_path / "with_tools.py").write_text(APPS)

    def run(*arguments):
        result = CliRunner().invoke(main, arguments)
        return result.exit_code, result.output

    return run


def test_the_table(tools):
    lines = (
        "delete_lamp  DELETE /lamps/{number}  destroys, asks first  Delete a lamp\n"
        "list_lamps   GET /lamps              reads                 List all lamps\n"
    )
    assert tools("tools", "with_tools:app") == (0, lines)
    assert tools("tools", "with_tools:empty") == (0, "No route is a tool: @app.get(..., tool=True) makes one.\n")


def test_the_tools_as_clients_see_them(tools):
    code, printed = tools("tools", "with_tools:app", "--json")
    assert (code, [each["name"] for each in json.loads(printed)]) == (0, ["delete_lamp", "list_lamps"])


def test_an_application_without_tools_or_with_wrong_ones(tools):
    code, said = tools("tools", "with_tools:without")
    assert (code, "add app.use(Tools(api))." in said) == (2, True)
    code, said = tools("tools", "with_tools:broken")
    assert (code, "accepts files: use JSON." in said) == (2, True)


def test_the_routes_show_which_are_tools(tools):
    _, printed = tools("routes", "with_tools:app")
    assert [line.count("(tool)") for line in printed.splitlines() if "lamps" in line or "secret" in line] == [1, 1, 0]
