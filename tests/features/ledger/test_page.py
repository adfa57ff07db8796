"""The page on agents that write: its app, and the command."""

import re
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon.testing import Client
from tests.helpers.postgres import execute

pytestmark = [pytest.mark.once, pytest.mark.processes]

PAGE = (Path(__file__).parents[3] / "docs/how-to/let-agents-write.md").read_text()
CODE = "\n".join(re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL))


@pytest.fixture
def page(postgres, monkeypatch, tmp_path):
    execute(postgres, "create table orders (id int primary key, title text, amount int, card text)")
    execute(postgres, "insert into orders values (7, 'tea', 40, '4111')")
    with suppress(Exception):  # another test's database has it already
        execute(postgres, "create role shop login")
    execute(postgres, "grant all on orders to shop")
    for name, value in {"DATABASE_URL": postgres.replace("antiphon@", "shop@"), "LEDGER_URL": postgres}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SECRET_KEYS", "of-a-test-and-not-secret")
    (tmp_path / "ledger_shop.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    return import_module("ledger_shop")


def test_the_page_does_what_it_says(page, postgres):
    from antiphon_ledger.command import changes

    def command(*arguments):
        done = CliRunner().invoke(changes, arguments, catch_exceptions=False)
        assert done.exit_code == 0
        return done.output

    command("create", "ledger_shop:app", "--role", "shop")
    command("create", "ledger_shop:app", "--role", "shop")  # again
    key = next(each for each in page.app.features if type(each).__name__ == "Users").sources[0].create("ann")
    with Client(page.app, headers={"x-api-key": key}) as client:
        seen = page.see(client)
        assert seen["changes"] == [
            {"table": "public.orders", "change": "delete", "key": {"id": "7"},
             "old": {"amount": "40", "id": "7", "title": "tea"}, "others": "1 more columns"}
        ]  # fmt: skip
        assert client.delete("/orders/7", headers={"if-changes": seen["if-changes"]}).status == 428
        assert client.get(seen["agreement"]).status == 403  # an API key is no login
        asked = []
        called = client.tools.when_asked(lambda question: asked.append(question["params"]["message"]) or True)
        assert called.call("cancel", number=7).data == {"cancelled": 7}
        assert "4111" not in asked[0]
    assert execute(postgres, "select * from orders") == []
    assert '"ann" user' in command("list", "ledger_shop:app")
    assert command("erase", "ledger_shop:app", "public.orders", "id=7") == "1 notes erased\n"
    assert command("prune", "ledger_shop:app") == ""
