"""`antiphon jobs`: durable work is listed, shown, retried and cancelled, with workers beside it or without."""

import sys

import pytest
from click.testing import CliRunner

from antiphon.cli.main import main
from antiphon.testing import Client
from tests.helpers.postgres import execute
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes
pytest.importorskip("dbos")

SHOP = """
import os
from antiphon import App
from antiphon.features import Durable

app = App(secret_keys=[os.environ.get("SHOP_KEY", "k" * 32)])
durable = Durable(os.environ["SHOP_URL"], retries=0, lease=1)
app.use(durable)
FAILS, DONE = [True], []


class Letter:
    pass


def send_mail(to, letter=None):
    if FAILS:
        raise ConnectionRefusedError("no mail server")
    DONE.append(to)


def print_bill(to):
    send_mail(to)


@app.post("/orders", durable=True)
def order(request):
    durable.step(send_mail, "an order")
    return "Thank you."
"""


@pytest.fixture
def shop(postgres, tmp_path, monkeypatch):
    """A module with an application, of which five works have failed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SHOP_URL", postgres)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "jobs_shop.py").write_text(SHOP)
    monkeypatch.delitem(sys.modules, "jobs_shop", raising=False)
    import jobs_shop

    with Client(jobs_shop.app, raise_errors=False) as client:
        client.post("/orders", headers={"idempotency-key": '"1"'})
        enqueue = jobs_shop.durable.enqueue
        jobs_shop.ids = [enqueue(jobs_shop.send_mail, "Ann"), enqueue(jobs_shop.send_mail, "Bob", jobs_shop.Letter())]
        jobs_shop.ids += [enqueue(jobs_shop.print_bill, "Cid"), enqueue(jobs_shop.print_bill, "Dan")]
        eventually(lambda: len(listed()) == 5 or None, "not all have failed")
    return jobs_shop


def antiphon(*arguments):
    result = CliRunner().invoke(main, ["jobs", *arguments, "jobs_shop:app"], catch_exceptions=False)
    return result.exit_code, result.output


def listed(*options):
    """Return the names, errors and IDs of what is listed, the latest first."""
    return [line.split("  ", 1)[1].split() for line in antiphon("list", *options)[1].splitlines() if "None" not in line]


def test_what_has_failed_is_listed_by_name_and_shown(shop):
    assert len(listed()) == 5
    assert [row[-1] for row in listed("--name", "jobs_shop:send_mail")] == shop.ids[1::-1]
    [order] = listed("--name", "POST /orders")
    assert order[:-1] == ["POST", "/orders", "500", "ConnectionRefusedError"]
    shown = antiphon("show", order[-1])[1].splitlines()
    assert shown[0] == f"request POST /orders, id {order[-1]}"
    assert shown[1].startswith("failed, began 20")
    assert shown[1].endswith("500 ConnectionRefusedError")
    assert [line.split()[:2] for line in shown[2:]] == [["step", "send_mail"], ["step", "given"]]
    assert listed("--state", "queued") == []
    status, message = antiphon("show", "none")
    assert (status, message.partition(". ")[0]) == (
        2, "Error: No request or job has the ID none, and none of that name has failed"
    )  # fmt: skip
    assert message.endswith(": antiphon jobs list --state open\n")


def test_one_or_all_of_a_name_are_retried_once_and_others_cancelled(shop):
    assert antiphon("retry", shop.ids[0]) == (0, f"{shop.ids[0]} jobs_shop:send_mail is queued\n")
    assert antiphon("retry", shop.ids[0]) == (
        1,
        f"{shop.ids[0]} is left as it is: it has not failed, or is queued by now\n",
    )
    assert antiphon("retry", "jobs_shop:send_mail") == (0, f"{shop.ids[1]} jobs_shop:send_mail is queued\n")
    assert antiphon("retry", "POST /orders")[0] == 0
    assert antiphon("cancel", "jobs_shop:print_bill")[0] == 0
    assert {len(listed("--state", state)) for state in ("queued", "cancelled")} == {3, 2}
    assert listed() == []
    shop.FAILS.clear()
    with Client(shop.app) as client:
        eventually(lambda: len(shop.DONE) == 3 or None, "they are not carried out")
        assert client.post("/orders", headers={"idempotency-key": '"1"'}).text == "Thank you."
        assert antiphon("retry", shop.ids[2])[0] == 0
        eventually(lambda: shop.DONE[3:] == ["Cid"] or None, "what was cancelled is not carried out when asked")
        assert [row[-1] for row in listed("--state", "cancelled")] == [shop.ids[3]]
    assert sorted(shop.DONE) == ["Ann", "Bob", "Cid", "an order"]


def test_what_this_version_can_not_carry_out_is_left_with_a_reason(shop, monkeypatch):
    monkeypatch.delattr(shop, "print_bill")
    status, said = antiphon("retry", "jobs_shop:print_bill")
    assert (status, said.count("is left as it is: this version of the app can't carry it out")) == (1, 2)
    assert "module 'jobs_shop' has no attribute 'print_bill'" in said
    monkeypatch.delattr(shop, "Letter")
    assert "Letter" in antiphon("show", shop.ids[1])[1].splitlines()[-1]
    assert [row[-1] for row in listed("--name", "that can't be read")] == [shop.ids[1]]
    monkeypatch.delitem(sys.modules, "jobs_shop")
    monkeypatch.setenv("SHOP_KEY", "another" * 5)
    assert "none of the app's secret_keys opens" in antiphon("retry", shop.ids[0])[1]
    assert len(listed()) == 5


def test_failed_work_is_kept_and_other_work_is_deleted(shop, monkeypatch):
    shop.durable._engine._ttl = 0.0
    shop.FAILS.clear()
    with Client(shop.app):
        for id_ in shop.ids[:2]:
            antiphon("retry", id_) if id_ == shop.ids[0] else antiphon("cancel", id_)
        eventually(lambda: shop.DONE or None, "it is not carried out")

        def kept():
            shop.durable._engine._clean()
            return (
                len(listed()) == 3 and listed("--state", "finished") == listed("--state", "cancelled") == []
            ) or None

        eventually(kept, "what has ended is kept, or what has failed is not")


def test_a_database_that_is_away_is_told(shop, monkeypatch):
    execute(shop.durable._engine.url, "drop schema dbos cascade")
    status, said = antiphon("list")
    assert (status, said.startswith("Error: The database of Durable can't be used: ")) == (3, True)
