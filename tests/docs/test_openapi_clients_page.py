"""The clients that the page generates: they speak to the app of the page, and refuse a wrong field.

`scripts/weekly api-clients` fetches the generators; without them the tests are skipped.
"""

import json
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

pytestmark = [pytest.mark.once, pytest.mark.processes]

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


VARIED = """
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum
from typing import Annotated, Literal

import msgspec

from antiphon import App, Request, Upload, abort, decimal_meta
from antiphon.features import OpenAPI


class Color(Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Lamp:
    name: str
    watts: int = 40
    color: Color = Color.RED
    tags: list[str] = field(default_factory=list)
    price: Annotated[Decimal, decimal_meta(ge=0, places=2)] = Decimal(1)


class Cat(msgspec.Struct, tag=True):
    name: str


class Dog(msgspec.Struct, tag=True):
    name: str
    good: bool = True


@dataclass
class Photo:
    title: str
    image: Upload


app = App()
app.use(OpenAPI("Varied"))


@app.post("/lamps")
def add_lamp(request: Request) -> tuple[Lamp, Literal[201]]:
    return request.json_as(Lamp), 201


@app.put("/lamps/<int:number>")
def change_lamp(request: Request, number: int) -> Lamp:
    if not request.if_match:
        abort(428, "Send If-Match.")
    return request.json_as(Lamp)


@app.post("/pets")
def add_pet(request: Request) -> Cat | Dog:
    return request.json_as(Cat | Dog)


@app.post("/photos")
def add_photo(request: Request) -> dict[str, int]:
    return {"size": len(request.form_as(Photo).image.read())}


@app.post("/raw")
def raw(request: Request) -> dict[str, int]:
    return {"size": len(request.body)}


@app.post("/bids")
def bid(request: Request) -> Lamp:
    abort(409, "Too low.", type="/problems/bid-too-low", members={"least": 3})
"""
CALL = """
import sys
from varied_client import Client
from varied_client.api.default import add_lamp
from varied_client.models import LampInput

lamp = add_lamp.sync(client=Client(sys.argv[1]), body=LampInput("Desk"))
print(type(lamp).__name__, lamp.watts, lamp.color.value, lamp.price)
"""
"""A call with the defaults of fields that a request leaves out."""


def test_each_operation_has_a_client_where_types_have_defaults_files_and_unions(folder, monkeypatch):
    (folder / "varied.py").write_text(VARIED)
    code, document = run(folder, sys.executable, "-m", "antiphon", "openapi", "varied:app", "--strict")
    assert code == 0
    (folder / "openapi.json").write_text(document)
    operations = {each["operationId"] for item in json.loads(document)["paths"].values() for each in item.values()}
    assert "will not be generated" not in make_python_client(folder)
    made = {module.stem for module in folder.glob("varied-client/varied_client/api/*/*.py")} - {"__init__"}
    assert made == {each.replace(".", "_") for each in operations}
    make_typescript_types(folder)
    assert all(f'operations["{each}"]' in (folder / "api.d.ts").read_text() for each in operations)
    monkeypatch.chdir(folder)
    (folder / "call.py").write_text(CALL)
    with ServerProcess(("-m", "antiphon", "run", "{app}", "--port", "{port}"), "varied:app") as process:
        url = f"http://127.0.0.1:{process.port}"
        called = run_python(folder, "python", "call.py", url)
    assert called == (0, "Lamp 40 red 1\n")


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
