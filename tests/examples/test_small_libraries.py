"""A feature in less than 90 lines, and a library in less than 50, with two lines for each framework."""

import importlib
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from antiphon import App
from antiphon.features import Health, MemoryStore
from antiphon.testing import Client
from tests.frameworks import apps
from tests.frameworks.exchanges import FORM, asking
from tests.helpers.django_settings import settings_for_views
from tests.helpers.rows import rows

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture
def maintenance(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES / "maintenance")
    return importlib.import_module("antiphon_maintenance")


@pytest.fixture
def library(monkeypatch):
    monkeypatch.syspath_prepend(EXAMPLES / "feedback")
    library = importlib.import_module("antiphon_feedback")
    library.said.clear()
    return library


@rows("path, most", [("maintenance/antiphon_maintenance", 90), ("feedback/antiphon_feedback", 50)])
def test_it_is_short(path, most):
    assert sum(len(file.read_text().splitlines()) for file in (EXAMPLES / path).glob("*.py")) < most


def test_a_switch_closes_an_app_except_to_its_people_and_keeps_who_did_it(maintenance, interface):
    feature = maintenance.Maintenance(MemoryStore(), allow=lambda request: request.args.get("key") == "office")
    app = App()
    app.use(feature)
    app.use(Health())
    app.get("/")(lambda request: "open")
    app.get("/status", meta={maintenance.OPEN: True})(lambda request: "alive")
    client = Client(app, interface)
    assert client.get("/").text == "open"
    feature.switch(True, "ann", "a new disk")
    closed = client.get("/")
    assert (closed.status, closed.headers["retry-after"]) == (503, "300")
    assert client.get("/nowhere").status == 503
    assert [client.get(path).text for path in ("/?key=office", "/status")] == ["open", "alive"]
    assert client.get("/readyz").status == 503
    feature.switch(False, "zoe")
    assert client.get("/").text == "open"
    log = client.get("/maintenance/log?key=office").json
    assert [(each["is_on"], each["by"], each["reason"]) for each in log] == [
        (True, "ann", "a new disk"),
        (False, "zoe", ""),
    ]
    assert client.get("/maintenance/log").status == 404


def test_its_command_finds_the_feature(maintenance, monkeypatch, tmp_path):
    (tmp_path / "closed_shop.py").write_text(
        "from antiphon import App\nfrom antiphon.features import MemoryStore\n"
        "from antiphon_maintenance import Maintenance\napp, bare = App(), App()\napp.use(Maintenance(MemoryStore()))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    run = CliRunner().invoke(maintenance.command, ["on", "--by", "ann", "closed_shop:app"])
    assert run.output == "Maintenance is on.\n"
    feature = sys.modules["closed_shop"].app.find_feature(maintenance.Maintenance)
    assert (feature.is_on, feature.log[0]["by"]) == (True, "ann")
    bare = CliRunner().invoke(maintenance.command, ["on", "--by", "ann", "closed_shop:bare"])
    assert (bare.exit_code, "does not use Maintenance" in bare.output) == (1, True)


def flask(feedback):
    from flask import Flask

    app = Flask("shop")
    feedback.add_to(app, "/feedback")
    return app


def fastapi(feedback):
    from fastapi import FastAPI

    app = FastAPI()
    feedback.add_to(app, "/feedback")
    return app


def aiohttp(feedback):
    from aiohttp import web

    app = web.Application()
    feedback.add_to(app, "/feedback")
    return app


def django_wsgi(feedback):
    from django.core.handlers.wsgi import WSGIHandler

    from tests.frameworks import django_urls

    django_urls.urlpatterns = []
    feedback.add_to(django_urls.urlpatterns, "/feedback")
    return WSGIHandler()


def used(asked):
    posted = asked("POST", "/feedback/", FORM, b"text=Nice+%3C3&stars=4")
    assert (posted[0], dict(posted[1])["location"]) == (303, "/feedback/0")
    assert asked("GET", "/feedback/0", {}, b"")[2] == (
        '{"text":"Nice <3","stars":4,"author":"anonymous","all":"/feedback/"}'
    )
    assert '<li><a href="/feedback/0">Nice &lt;3</a>' in asked("GET", "/feedback/", {}, b"")[2]
    assert asked("POST", "/feedback/", FORM, b"text=a&stars=many")[0] == 422
    assert [asked("GET", path, {}, b"")[0] for path in ("/feedback/9", "/feedback/x")] == [404, 404]
    status, fields, _ = asked("PUT", "/feedback/", {}, b"")
    assert (status, dict(fields)["allow"]) == (405, "GET, HEAD, OPTIONS, POST")


@pytest.mark.parametrize("make", [flask, fastapi, aiohttp, django_wsgi])
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_widget_works_in_each_framework(make, library, monkeypatch):
    apps.need(make)
    with settings_for_views():
        if make is django_wsgi:
            from tests.frameworks import django_urls

            monkeypatch.setattr(django_urls, "urlpatterns", [])
        with asking(make(library.feedback), make.__name__) as ask_app:
            used(ask_app)


SHOPKIT = """
from antiphon import Request
from antiphon.embedding import Framework


class ShopRequest:
    def __init__(self, path, visitor):
        self.path, self.visitor = path, visitor


class Shop:
    def __init__(self):
        self.routes = {}

    def visit(self, path, visitor="nobody"):
        return self.routes[path](ShopRequest(path, visitor))


class Shopkit(Framework):
    gives = frozenset({"user"})

    def owns(self, given):
        return isinstance(given, ShopRequest)

    def request(self, given, second=None):
        return Request.blank("http://localhost" + given.path)

    def user(self, given):
        return given.visitor

    def add_route(self, app, route):
        app.routes[route.path] = route.view

    def response(self, answer, given):
        return answer.status, answer.body
"""


def test_a_framework_of_another_package_is_found_by_its_entry_point(tmp_path, monkeypatch):
    from antiphon import Views
    from antiphon.frameworks import recognition

    info = tmp_path / "shopkit-1.0.dist-info"
    info.mkdir()
    (tmp_path / "shopkit.py").write_text(SHOPKIT)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: shopkit\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[antiphon.frameworks]\nshopkit = shopkit:Shopkit\n")
    monkeypatch.syspath_prepend(tmp_path)
    recognition._brought.cache_clear()
    recognition._of_type.cache_clear()
    try:
        app = importlib.import_module("shopkit").Shop()
        Views({"/who": lambda request: f"{request.framework.user} {request.url_for('<lambda>')}"}).add_to(app, "/about")
        assert app.visit("/about/who", "ann") == (200, b"ann /about/who")
    finally:
        recognition._brought.cache_clear()
        recognition._of_type.cache_clear()
