"""The page on new pages beside Django: its programs on PostgreSQL, with a model of a project."""

import re
import unittest
from pathlib import Path

import psycopg
import pytest
from jinja2 import DictLoader

from antiphon.features import Live, Templates
from antiphon.testing import Client
from tests.helpers.django_settings import without_settings
from tests.helpers.postgres import PostgresServer
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import at_once, eventually

pytestmark = pytest.mark.processes
PAGE = (Path(__file__).parents[2] / "docs/how-to/beside-django.md").read_text()
TOGETHER, LIVE, TESTS = re.findall(r"^```py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
LIST = "<main data-block=orders>{% block orders %}{% for item in items %}<li>{{ item }}{% endfor %}{% endblock %}</main>"
_program = required_program("postgres-server", "postgres")


@pytest.fixture(scope="module")
def page(request):
    """The names of the page, whose programs have run in a project with a table of orders."""
    with PostgresServer(request.getfixturevalue("postgres-server")) as server, without_settings():
        url = server.database()
        given = psycopg.conninfo.conninfo_to_dict(url)
        import django
        from django.conf import settings
        from django.db import connection, models
        from django.test import TransactionTestCase

        settings.configure(
            SECRET_KEY="x" * 50,
            DATABASES={"default": {
                "ENGINE": "django.db.backends.postgresql", "NAME": given["dbname"], "USER": given["user"],
                "HOST": given["host"],
            }},
            INSTALLED_APPS=["django.contrib.sessions"],
        )  # fmt: skip
        django.setup(set_prefix=False)

        class Order(models.Model):
            item = models.CharField(max_length=20)

            class Meta:
                app_label = "sessions"  # one that is installed
                db_table = "orders"

        names = {
            "__name__": __name__, "URL": url, "KEY": "x" * 40, "Order": Order, "sent": [], "Client": Client,
            "TransactionTestCase": TransactionTestCase,
        }  # fmt: skip
        exec(TOGETHER, names)
        globals()["send_bill"] = names["send_bill"]  # a job is found by its module
        app = names["app"]
        app.use(Templates(DictLoader({"orders.html": LIST})))
        app.use(Live())
        exec(LIVE + TESTS, names)
        with connection.schema_editor() as editor:
            editor.create_model(Order)
        with Client(app) as client:
            yield {**names, "client": client}


def create(client, key, item="tea"):
    return client.post("/orders", form={"item": item}, headers={"idempotency-key": f'"{key}"'})


def test_thirty_retries_at_once_make_one_order_and_one_job(page):
    before = page["Order"].objects.count()
    numbers = {response.json["number"] for response in at_once(lambda _: create(page["client"], "one"), range(30))}
    assert (len(numbers), page["Order"].objects.count()) == (1, before + 1)
    eventually(lambda: page["sent"] or None, "the job has not run")
    assert page["sent"] == ["tea"]


def test_a_list_changes_when_the_orm_writes(page):
    with page["client"].stream("GET", "/orders", headers={"accept": "text/event-stream"}) as events:
        next(events)
        page["Order"].objects.create(item="oats")
        assert b"<li>oats" in next(events)


def test_the_test_of_the_page_passes(page):
    result = unittest.TestResult()
    page["Order"].objects.all().delete()
    unittest.defaultTestLoader.loadTestsFromTestCase(page["OrderTests"]).run(result)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])
