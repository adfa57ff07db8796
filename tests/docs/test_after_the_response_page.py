"""The page on work after the response: mail waits for the commit; jobs are done once, or again after a crash."""

import re
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import event

from antiphon.testing import Client
from tests.helpers.waiting import eventually
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PAGE = (Path(__file__).parents[2] / "docs/how-to/after-the-response.md").read_text()
JOBS = re.findall(
    r"^```python\n(.*?)^```$", PAGE.partition("\n## Work that must be done\n")[2], re.MULTILINE | re.DOTALL
)[0]
AFTER_COMMIT = re.findall(
    r"^```python\n(.*?)^with Client", PAGE.partition("\n## After the commit\n")[2], re.MULTILINE | re.DOTALL
)[0]


def shop():
    page: dict = {"__name__": "page"}
    exec(AFTER_COMMIT, page)
    return page


def ordered(client):
    return client.post("/orders", form={"name": "tea", "email": "ada"}).status


def test_a_commit_that_fails_sends_no_mail():
    page = shop()

    def fail(session):
        raise OSError("the disk is full")

    with Client(page["app"], raise_errors=False) as client:
        assert ordered(client) == 201
        event.listen(page["Session"], "before_commit", fail)
        try:
            assert ordered(client) == 500
        finally:
            event.remove(page["Session"], "before_commit", fail)
    assert page["sent"] == ["ada"]


@rows("fails, sent", [(False, ["ada"]), (True, [])], ids=["kept", "undone"])
def test_a_savepoint_is_not_the_commit(fails, sent):
    page = shop()

    @page["app"].post("/gifts")
    def gift(request):
        page["after_commit"](request, page["send_mail"], "ada")
        with request[page["SESSION"]].begin_nested():
            request[page["SESSION"]].add(page["Order"](name="cup"))
        if fails:
            page["abort"](409)
        return ""

    with Client(page["app"]) as client:
        assert client.post("/gifts").status == (409 if fails else 200)
    assert page["sent"] == sent


def page_with(*recipients):
    page: dict = {"__name__": "page"}
    exec(JOBS, page)
    page["sent"].clear()
    with page["transaction"]() as database:
        database.executemany("insert into jobs (recipient) values (?)", [[each] for each in recipients])
    return page


def test_a_process_that_serves_does_the_jobs():
    page = page_with("ada")
    with Client(page["app"]):
        eventually(lambda: page["sent"] == ["ada"] or None, "no job is done")


def test_a_job_is_done_once_however_many_work():
    recipients = [str(number) for number in range(12)]
    page = page_with(*recipients)
    workers = [Thread(target=page["do_jobs"]) for _ in range(3)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    assert sorted(page["sent"]) == sorted(recipients)


def test_a_job_that_nobody_finished_is_taken_again_after_a_minute(monkeypatch):
    page = page_with("ada")
    taken = page["take_job"]()
    assert page["take_job"]() is None
    later = page["time"].time() + 61
    monkeypatch.setattr(page["time"], "time", lambda: later)
    assert page["take_job"]() == taken
