"""The page on work after the response: jobs are done once, or again after a crash."""

import re
from pathlib import Path
from threading import Thread

import pytest
from antiphon.testing import Client
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.once

PAGE = (Path(__file__).parents[2] / "docs/how-to/after-the-response.md").read_text()
JOBS = re.findall(
    r"^```python\n(.*?)^```$", PAGE.partition("\n## Work that must be done\n")[2], re.MULTILINE | re.DOTALL
)[0]


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
