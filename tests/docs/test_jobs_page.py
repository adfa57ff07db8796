"""The pages on jobs and durable requests: their programs, on a PostgreSQL server."""

import re
import sys
from pathlib import Path
from types import ModuleType
from urllib.request import urlopen

import pytest

from antiphon.testing import Client
from tests.helpers.pasted import served
from tests.helpers.postgres import PostgresServer, execute
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.processes

HOW_TO = Path(__file__).parents[2] / "docs/how-to"
PAGE = (HOW_TO / "jobs.md").read_text()
PROGRAM = re.compile(r"^```py\n# shop\.py\n(.*?)^```$", re.MULTILINE | re.DOTALL)
FIRST, INSIDE = PROGRAM.findall(PAGE)
[ORDERS] = PROGRAM.findall((HOW_TO / "durable-requests.md").read_text())
[REMINDERS] = re.findall(r"^```sql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
[DUE] = re.findall(r"^```py\n(@durable.every\(\"1 minute.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
[TABLE] = re.findall(r"^createdb shop && psql shop -c '(.*)'$", PAGE, re.MULTILINE)
[KEY] = re.findall(r"^\$ export SECRET_KEYS=(\S+)$", PAGE, re.MULTILINE)
[TEST] = re.findall(r"^```py\n(def test_.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)

_postgres_program = required_program("postgres-server", "postgres")


def test_the_app_pays_once_and_sends_its_mail(request, monkeypatch, capsys):
    head, used, orders = ORDERS.partition("app.use(durable)\n")
    assert FIRST.startswith(head + used)
    with PostgresServer(request.getfixturevalue("postgres-server")) as server:
        url = server.database()
        execute(url, TABLE)
        execute(url, REMINDERS)
        for who, when, state in ("due", "-1", "planned"), ("late", "1", "planned"), ("none", "-1", "cancelled"):
            execute(
                url,
                "insert into reminders (due, email, text, state)"
                f" values (now() + interval '{when} hour', '{who}@example.com', 'Remember.', '{state}')",
            )
        monkeypatch.setenv("DATABASE_URL", url)
        monkeypatch.setenv("SECRET_KEYS", "k" * 32)
        module = ModuleType("shop_of_the_page")
        monkeypatch.setitem(sys.modules, module.__name__, module)
        exec(compile(INSIDE + DUE + orders, "jobs.md", "exec"), vars(module))
        with Client(module.app) as client, monkeypatch.context() as replacing:
            exec(TEST, vars(module) | {"client": client}, tests := {})
            replacing.setitem(sys.modules, "shop", module)
            tests["test_a_reader_is_welcomed"](replacing)
            replacing.undo()
            sent = {"json": {"card": "4111", "email": "ada@example.com"}, "headers": {"idempotency-key": '"k1"'}}
            responses = [client.post("/orders", **sent) for _ in range(2)]
            assert [each.status for each in responses] == [201, 201]
            assert {each.text for each in responses} == {'{"payment":"payment k1"}'}
            assert client.post("/newsletter", form={"email": "bob@example.com"}).status == 201
            module.take_due()
            module.take_due()
            said = ""

            def welcome():
                nonlocal said
                said += capsys.readouterr().out
                return ("Welcome." in said and "Remember." in said) or None

            eventually(welcome, "no mail was sent")
    assert sorted(said.splitlines()) == [
        "To ada@example.com: You have paid: payment k1.", "To bob@example.com: Welcome.", "To due@example.com: Remember.",
        "charged 100",
    ]  # fmt: skip


def test_the_app_sends_its_mail_from_two_workers_and_after_a_restart(request, monkeypatch, tmp_path):
    (tmp_path / "shop.py").write_text(FIRST)
    monkeypatch.setenv("SECRET_KEYS", KEY)
    with PostgresServer(request.getfixturevalue("postgres-server")) as databases:
        monkeypatch.setenv("DATABASE_URL", databases.database())
        for reader in ("ada", "bob"):
            with served(tmp_path, "shop:app", "--workers", "2") as server:
                sent = f"email={reader}@example.com".encode()
                with urlopen(f"http://127.0.0.1:{server.port}/newsletter", sent, DEADLINE) as response:
                    assert response.read() == b"Thank you.\n"
                line = f"To {reader}@example.com: Welcome."
                eventually(lambda server=server, line=line: line in server.stderr or None, "no mail was sent")
