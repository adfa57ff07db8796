"""Packages that are not installed: what does not need them works, and the rest says what to install."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.helpers import taken_out

pytestmark = [pytest.mark.once, pytest.mark.processes]

ROOT = Path(__file__).parents[1]
CLIENT = """
import antiphon, antiphon.http, antiphon.features
from antiphon.testing import Client

app = antiphon.App()


@app.get("/")
async def index(request):
    return "served"


for interface in ("wsgi", "asgi", "rsgi"):
    assert Client(app, interface).get("/").text == "served"
"""
DOCUMENT = """
from antiphon import App, Request, Response
from antiphon.features import OpenAPI
from antiphon.testing import Client

app = App()
app.use(OpenAPI(title="Lamps", version="1"))


@app.get("/lamps")
def lamps(request: Request) -> dict[str, int]:
    return {"brass": 3}


@app.get("/page")
def page(request: Request):
    return Response.html("<h1>Lamps</h1>")


client = Client(app, contract=True)
assert client.get("/lamps").json == {"brass": 3}
paths = client.get("/openapi.json").json["paths"]
assert [*paths["/page"]["get"]["responses"]["200"]["content"]] == ["text/html"]
"""
DOORS = {
    "from antiphon.features import Templates": ("jinja2", "templates"),
    "from antiphon.features import Page": ("jinja2", "templates"),
    "from antiphon.features.templates.environment import render": ("jinja2", "templates"),
    "from antiphon.dialects.asok.templates import SafeString": ("jinja2", "asok"),
    "from antiphon.dialects.flask import Flask": ("blinker", "flask"),
    "from antiphon.dialects.flask.templating import Environment": ("jinja2", "flask"),
    "from antiphon.dialects.microdot.jinja import Template": ("jinja2", "templates"),
    "from antiphon.dialects.pyramid.config import Configurator": ("venusian", "pyramid"),
}
"""An import, a package that it needs, and the extra that has it."""

ROOM = """
import importlib
from tests.helpers.taken_out import FEATURES, modules_of

for file in [file for room in {rooms} for file in modules_of(room)]:
    importlib.import_module(".".join(file.relative_to(FEATURES.parents[1]).with_suffix("").parts))
"""
OF_ROOMS = {
    "durable": {"antiphon[durable]": "how-to/jobs.md"},
    "languages": {"antiphon[languages]": "how-to/languages.md", "antiphon[templates]": "how-to/languages.md"},
    "openapi": {"pydantic": "reference/typed-values.md"},
    "stores": {"antiphon[postgres]": "reference/stores.md", "antiphon[valkey]": "reference/stores.md"},
    "templates": {"antiphon[templates]": "how-to/templates.md"},
}
"""The features with modules that need more than the library's own requirements, and the pages that name it."""


@pytest.fixture
def run(tmp_path):
    """A function that runs code without some packages, from a file, since its source is read."""

    def run(code, *missing):
        program = tmp_path / "program.py"
        program.write_text(f"import sys; sys.modules |= dict.fromkeys({missing})\n{code}")
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, program], capture_output=True, text=True, check=False, env=environment)

    return run


def test_the_client_needs_no_server(run):
    done = run(CLIENT, "granian")
    assert done.returncode == 0, done.stderr


def test_the_command_says_what_to_install(run):
    done = run("from antiphon.cli.main import main; main(['run', 'shop:app'])", "granian")
    assert done.returncode == 3
    assert done.stderr.startswith("Error: This command serves on Granian, which is not installed. Install it:")


def test_commands_that_serve_nothing_need_no_server(run):
    done = run("from antiphon.cli.main import main; main(['routes', 'examples.tour:app', '/'])", "granian")
    assert done.stdout.startswith("GET  /  index")
    assert done.returncode == 0


def test_an_api_is_described_without_templates(run):
    done = run(DOCUMENT, "jinja2", "markupsafe")
    assert done.returncode == 0, done.stderr


def test_an_import_names_the_extra_that_it_needs(run):
    lines = [
        f"try:\n    {door}\nexcept ModuleNotFoundError as error:\n    print(error)\nelse:\n    print('imported')"
        for door in DOORS
    ]
    done = run("\n".join(lines), *{package for package, _ in DOORS.values()})
    said = [f"{package} is not installed: pip install 'antiphon[{extra}]'" for package, extra in DOORS.values()]
    assert done.stdout.splitlines() == said, done.stderr


_project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS = {
    f"antiphon[{extra}]": {re.match(r"[\w.]+", each)[0] for each in packages}
    for extra, packages in _project["optional-dependencies"].items()
} | {"pydantic": {"pydantic"}}


@pytest.mark.parametrize("room", [None, *OF_ROOMS])
def test_a_feature_is_imported_with_what_its_page_names(run, room):
    needs = OF_ROOMS.get(room, {})
    for name, page in needs.items():
        assert re.search(f"pip install '?{re.escape(name)}", (ROOT / "docs" / page).read_text()), page
    rooms = [room] if room else [each for each in taken_out.ROOMS if each not in OF_ROOMS]
    missing = set().union(*EXTRAS.values()).difference(*[EXTRAS[name] for name in needs])
    missing -= {"psycopg"} if room == "durable" else set()  # dbos installs it
    told = run(ROOM.format(rooms=rooms), *sorted(missing)).stderr
    assert told.rpartition("Error: ")[2] == ""  # or it would be taken for a package that this machine lacks
