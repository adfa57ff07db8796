"""`antiphon kept` and `antiphon replay`: the table, the replay in this process and over a socket, and the test."""

import sys

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from antiphon.testing import Client
from tests.contract.process import ServerProcess
from tests.helpers.processes import RUN
from tests.helpers.rows import rows

pytest.importorskip("cryptography")

pytestmark = pytest.mark.once

SHOP = """
from antiphon import App
from antiphon.features import Keep, SQLiteStore

app = App(secret_keys=["0123456789abcdef0123456789abcdef"])
keep = Keep(SQLiteStore("kept.db"), release="1.2")
app.use(keep)
plain = App()


@app.post("/orders")
def create(request):
    return {"price": {"tea": 2}[request.json["item"]]}
"""


@pytest.fixture
def antiphon(tmp_path, monkeypatch):
    """A function that calls a command where an application has kept two requests of one cause."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.delitem(sys.modules, "kept_shop", raising=False)
    (tmp_path / "kept_shop.py").write_text(SHOP)

    def run(*arguments):
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return result.exit_code, result.output

    import kept_shop

    run.app = kept_shop.app
    client = Client(kept_shop.app, raise_errors=False)
    for item in ("milk", "oil"):
        run.response = client.post("/orders", json={"item": item})
        kept_shop.keep.flush()
    run.id = kept_shop.keep.all()[0].id
    yield run
    sys.modules.pop("kept_shop", None)


def test_the_table(antiphon):
    code, output = antiphon("kept", "kept_shop:app")
    assert code == 0
    when, *row = output.split("  ")
    assert len(when) == len("14:02")
    assert [cell.strip() for cell in row] == [
        "500", "POST /orders", "KeyError: 'oil'", "kept_shop.py:13", "2 times", antiphon.id,
    ]  # fmt: skip


def test_an_answer_by_the_code_of_today(antiphon):
    code, output = antiphon("replay", antiphon.id, "kept_shop:app")
    assert code == 1
    assert "POST /orders\nkept at " in output
    assert ", release 1.2, request " in output
    assert 'File "' in output
    assert "It fails as it did: KeyError: 'oil' at kept_shop.py:13." in output
    assert "- The database and other services are this machine's, in their current state." in output


def test_the_first_request(antiphon):
    _, output = antiphon("replay", antiphon.id, "kept_shop:app", "--first")
    assert "KeyError: 'milk'" in output


def test_a_request_is_found_by_its_own_id(antiphon):
    code, output = antiphon("replay", antiphon.response.json["request_id"], "kept_shop:app")
    assert code == 1
    assert "KeyError: 'oil'" in output


def test_a_replay_is_not_kept(antiphon):
    antiphon("replay", antiphon.id, "kept_shop:app")
    _, output = antiphon("kept", "kept_shop:app")
    assert "2 times" in output


def test_a_test_does_not_overwrite_a_file(antiphon, tmp_path):
    file = tmp_path / "tests" / "test_orders.py"
    code, output = antiphon("replay", antiphon.id, "kept_shop:app", "--as-test", str(file))
    assert (code, "The request fails again" in output) == (0, True)
    assert "json={'item': 'oil'}" in file.read_text()
    code, output = antiphon("replay", antiphon.id, "kept_shop:app", "--as-test", str(file))
    assert (code, "was not overwritten" in output) == (2, True)


@pytest.mark.processes
def test_a_request_to_a_server(antiphon, tmp_path):
    with ServerProcess(RUN, "kept_shop:app") as process:
        url = f"http://127.0.0.1:{process.port}"
        code, output = antiphon("replay", antiphon.id, "kept_shop:app", "--url", url)
    assert (code, "The status is 500, and was 500." in output) == (1, True)
    code, output = antiphon("replay", antiphon.id, "kept_shop:app", "--url", url)
    assert (code, "can't be reached" in output) == (2, True)


@rows(
    "arguments, message",
    [
        (("kept", "kept_shop:plain"), "keeps no requests"),
        (("replay", "ffffff", "kept_shop:app"), "No request is kept as 'ffffff'"),
        (("replay", "", "kept_shop:app"), "No request is kept as ''"),
        (("replay", "ID", "kept_shop:app", "--user", "make_user"), "is not a function"),
        (("replay", "ID", "kept_shop:app", "--user", "kept_shop:nothing"), "is not a function"),
        (("replay", "ID", "kept_shop:app", "--url", "http://127.0.0.1:1", "--as-test", "t.py"), "Leave out"),
    ],
)
def test_mistakes(arguments, message, antiphon):
    code, output = antiphon(*(antiphon.id if each == "ID" else each for each in arguments))
    assert code == 2
    assert message in output
