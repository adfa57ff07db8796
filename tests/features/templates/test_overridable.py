"""Templates that an extension brings: the app's of the same name come first, and the extension's alone suffice."""

import pytest
from jinja2 import DictLoader

from antiphon import App, Blueprint
from antiphon.features import Page, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

OWN = {
    "flags/list.html": "{% extends 'flags/base.html' %}{% block body %}{{ 2 | twice }}{% endblock %}",
    "flags/base.html": "extension's: {% block body %}{% endblock %}",
    "flags/note.html": "extension's note",
}
APPS = {"flags/base.html": "app's: {% block body %}{% endblock %}", "page.html": "{% include 'flags/note.html' %}"}


class Flags:
    """An extension with a page, whose templates are used by a blueprint or by the application."""

    def __init__(self, where, **options):
        self.where = where
        self.templates = Templates(DictLoader(OWN), **options)
        self.templates.environment.filters["twice"] = lambda value: value * 2

    def install(self, app):
        pages = Blueprint("flags", prefix="/flags")
        pages.get("/")(lambda request: Page("flags/list.html"))
        (pages if self.where == "blueprint" else app).use(self.templates)
        app.register(pages)


@pytest.fixture(params=["blueprint", "app"])
def where(request):
    return request.param


@rows("options", [{}, {"overridable": True}], ids=["plain", "overridable"])
def test_an_app_without_templates_shows_those_of_an_extension(where, interface, options):
    app = App()
    app.use(Flags(where, **options))
    assert Client(app, interface).get("/flags/").text == "extension's: 4"


@rows("is_first", [True, False])
def test_those_of_the_app_come_first(where, interface, is_first):
    app = App()
    features = [Flags(where, overridable=True), Templates(DictLoader(APPS))]
    for feature in features if is_first else reversed(features):
        app.use(feature)
    assert Client(app, interface).get("/flags/").text == "app's: 4"


def test_those_of_the_app_come_first_in_a_blueprint_of_its_own_too(interface):
    app, shop = App(), Blueprint("shop")
    app.use(Templates(DictLoader(APPS)))
    shop.use(Templates(DictLoader({"flags/note.html": "shop's note"})))
    shop.use(Flags("blueprint", overridable=True))
    shop.get("/")(lambda request: Page("flags/note.html"))
    app.register(shop)
    client = Client(app, interface)
    assert client.get("/").text == "shop's note"
    assert client.get("/flags/").text == "app's: 4"


def test_pages_of_the_app_include_those_of_its_extensions(interface):
    app = App()
    app.use(Flags("app", overridable=True))
    app.use(Templates(DictLoader({"flags/note.html": "another's note", "more.html": "more"}), overridable=True))
    app.use(Templates(DictLoader(APPS)))
    app.get("/")(lambda request: Page("page.html"))
    app.get("/more")(lambda request: Page("more.html"))
    client = Client(app, interface)
    assert client.get("/").text == "extension's note"
    assert client.get("/more").text == "more"


def test_templates_of_a_blueprint_that_are_its_own_come_first(interface):
    app = App()
    app.use(Flags("blueprint"))
    app.use(Templates(DictLoader(APPS)))
    assert Client(app, interface).get("/flags/").text == "extension's: 4"


def test_two_that_are_the_apps_own_are_refused():
    app = App()
    app.use(Templates(DictLoader(OWN), overridable=True))
    app.use(Templates(DictLoader(APPS)))
    with pytest.raises(ValueError, match="provided"):
        app.use(Templates(DictLoader(APPS)))
    app.use(Templates(DictLoader(OWN), overridable=True))
    assert len(app.features) == 3


def test_pages_that_wait_are_awaited_where_either_may(interface):
    async def name():
        return "Ada"

    async def show(request):
        return Page("hello.html", name=name)

    app, pages = App(), Blueprint("pages")
    pages.use(Templates(DictLoader({"hello.html": "Hello, {{ name() }}"}), overridable=True, enable_async=True))
    pages.get("/")(show)
    app.register(pages)
    assert Client(app, interface).get("/").text == "Hello, Ada"
