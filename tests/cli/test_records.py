"""`antiphon records` and `antiphon replay`: the table, the replay in this process and over a socket, and the test."""

import sys
from urllib.parse import quote

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
from antiphon.features import Recorder, OpenAPI, SQLiteStore, Tools

app = App(secret_keys=["0123456789abcdef0123456789abcdef"])
keep = Recorder(SQLiteStore("kept.db"), release="1.2")
app.use(keep)
plain = App()


calls = []
api = OpenAPI("Shop")
app.use(api)
app.use(Tools(api))


@app.post("/orders")
def create(request):
    calls.append(request.path)
    return {"price": {"tea": 2}[request.json["item"]]}


@app.get("/items/<name>", tool=True)
def item(request, name: str):
    '''Return an item.'''
    raise ValueError(name)
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

    run.app, run.keep, run.calls = kept_shop.app, kept_shop.keep, kept_shop.calls
    client = Client(kept_shop.app, raise_errors=False)
    for item in ("milk", "oil"):
        run.response = client.post("/orders", json={"item": item})
        kept_shop.keep.flush()
    run.id = kept_shop.keep.all()[0].id
    yield run
    sys.modules.pop("kept_shop", None)


def test_the_table(antiphon):
    code, output = antiphon("records", "kept_shop:app")
    assert code == 0
    when, *row = output.split("  ")
    assert len(when) == len("14:02")
    assert [cell.strip() for cell in row] == [
        "500", "POST /orders", "KeyError: 'oil'", "kept_shop.py:20", "2 times", antiphon.id,
    ]  # fmt: skip


def test_an_answer_by_the_code_of_today(antiphon):
    code, output = antiphon("replay", antiphon.id, "kept_shop:app")
    assert code == 1
    assert "POST /orders\nkept at " in output
    assert ", release 1.2, request " in output
    assert 'File "' in output
    assert "It fails as it did: KeyError: 'oil' at kept_shop.py:20." in output
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
    _, output = antiphon("records", "kept_shop:app")
    assert "2 times" in output


def test_a_test_is_written_to_a_new_file_without_a_replay(antiphon, tmp_path):
    file, elsewhere = tmp_path / "tests" / "test_orders.py", tmp_path / "elsewhere.py"
    sent = len(antiphon.calls)
    code, output = antiphon("replay", antiphon.id, "kept_shop:app", "--as-test", str(file))
    assert (code, output.startswith(f"Wrote {file}.\nRun it")) == (0, True)
    assert len(antiphon.calls) == sent
    assert "json={'item': 'oil'}" in file.read_text()
    link = tmp_path / "link.py"
    link.symlink_to(elsewhere)
    for each in (file, link):
        code, output = antiphon("replay", antiphon.id, "kept_shop:app", "--as-test", str(each))
        assert (code, "was not overwritten" in output) == (2, True)
    assert not elsewhere.exists()


def test_a_tool_that_failed_is_replayed_not_the_message_that_called_it(antiphon, tmp_path):
    params = {"name": "item", "arguments": {"name": "tea"}}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-06-18"}
    client = Client(antiphon.app, base_url="http://localhost", raise_errors=False)
    assert client.post("/mcp", json=message, headers=headers).status == 200
    antiphon.keep.flush()
    id_ = antiphon.keep.all()[0].id
    code, output = antiphon("replay", id_, "kept_shop:app")
    assert (code, "It fails as it did: ValueError: tea" in output) == (1, True), output
    file = tmp_path / "test_item.py"
    antiphon("replay", id_, "kept_shop:app", "--as-test", str(file))
    assert "client.get(" in file.read_text()
    assert "'/items/tea'," in file.read_text()


ESCAPES = "\x1b]52;c;ZWNobw==\x07\x9b2J\u202e\x1b[31m"


def test_a_client_does_not_control_the_terminal(antiphon):
    Client(antiphon.app, raise_errors=False).get(f"/items/{quote(ESCAPES, safe='')}")
    antiphon.keep.flush()
    id_ = antiphon.keep.all()[0].id
    for arguments in (("records",), ("replay", id_)):
        _, output = antiphon(*arguments, "kept_shop:app")
        assert not {"\x1b", "\x07", "\x9b", "\u202e"} & {*output}, output
        assert "ZWNobw" in output


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
    (("records", "kept_shop:plain"), "keeps no requests"),
    (("replay", "ffffff", "kept_shop:app"), "No request is kept as 'ffffff'"),
    (("replay", "", "kept_shop:app"), "No request is kept as ''"),
    (("replay", "ID", "kept_shop:app", "--user", "make_user"), "is not a function"),
    (("replay", "ID", "kept_shop:app", "--user", "kept_shop:nothing"), "is not a function"),
    (("replay", "ID", "kept_shop:app", "--url", "http://127.0.0.1:1", "--as-test", "t.py"), "Leave out"),
)
def test_mistakes(arguments, message, antiphon):
    code, output = antiphon(*(antiphon.id if each == "ID" else each for each in arguments))
    assert code == 2
    assert message in output
