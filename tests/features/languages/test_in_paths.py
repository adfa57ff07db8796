"""A language in the path: which one a page is in, and what ``url_for`` fills in."""

import pytest
from jinja2 import DictLoader

from antiphon import App, Blueprint, Request, Response
from antiphon.features import Languages, Page, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]

PAGE = "{{ lang }} {{ __('hi') }} {{ url_for('shop.show', id=8) }} {{ url_for('shop.show', id=8, lang='ar') }}"


@pytest.fixture
def client(folder, interface):
    app, shop = App(), Blueprint("shop")
    app.use(Languages(folder(de={"hi": "Hallo"}, de_AT={"hi": "Servus"}, ar={"hi": "مرحبا"})))
    app.use(Templates(DictLoader({"page.html": PAGE})))

    @shop.get("/lamps/<int:id>")
    def show(request: Request, id: int):
        return Page("page.html")

    @shop.get("/with/<int:id>")
    def with_language(request: Request, lang: str, id: int):
        return [lang, id, request.url_for("shop.with_language", id=id + 1, page=2)]

    @app.get("/", name="home")
    def home(request: Request):
        return Response.redirect(request.url_for("shop.show", id=7))

    app.register(shop, prefix="/<language:lang>")
    return Client(app, interface, follow_redirects=False)


@rows(
    "path, accepted, said, vary",
    ("/de/lamps/7", "ar", "de Hallo /de/lamps/8 /ar/lamps/8", None),
    ("/de-AT/lamps/7", None, "de-AT Servus /de-AT/lamps/8 /ar/lamps/8", None),
    ("/en/lamps/7?lang=de", "de", "en hi /en/lamps/8 /ar/lamps/8", None),
)  # fmt: skip
def test_a_page_is_in_the_language_of_its_path(path, accepted, said, vary, client):
    response = client.get(path, headers={"accept-language": accepted} if accepted else {})
    assert (response.text, response.headers.get("vary")) == (said, vary)
    assert response.headers["content-language"] == said.split()[0]


@rows("path", ["/fr/lamps/7", "/DE/lamps/7", "/de-CH/lamps/7", "/../lamps/7", "/lamps/7", "/de%00/lamps/7"])
def test_there_is_nothing_in_languages_without_a_catalogue(path, client):
    assert client.get(path).status in (400, 404)


@pytest.fixture
def errors(folder, interface):
    app, shop, other = App(), Blueprint("shop"), Blueprint("other")
    app.use(Languages(folder(de={"hi": "Hallo"})))

    def show(request: Request):
        return request.language.tag

    shop.get("/lamps")(show)
    other.post("/lamps", name="write")(show)
    app.register(shop, prefix="/<language:lang>")
    app.register(other, prefix="/<language:lang>/more")
    app.get("/speak/<language:tongue>", name="speak")(show)
    app.get("/about/<tongue>", name="about")(show)
    return Client(app, interface)


@rows(
    "method, path, status, tag",
    ("GET", "/de/lamps", 200, "de"),
    ("GET", "/de/nowhere", 404, "de"),
    ("GET", "/de", 404, "de"),
    ("GET", "/de/more/nowhere", 404, "de"),
    ("POST", "/de/lamps", 405, "de"),
    ("GET", "/de/more/lamps", 405, "de"),
    ("POST", "/speak/de", 405, "en"),  # the name is not always a language, as below
    ("POST", "/about/de", 405, "en"),
    ("GET", "/nowhere/de", 404, "en"),
    ("GET", "/fr/nowhere", 404, "en"),
)
def test_an_error_is_in_the_language_of_its_path(method, path, status, tag, errors):
    response = errors.request(method, path, headers={"accept": "application/json"})
    assert (response.status, response.headers["content-language"]) == (status, tag)


def test_elsewhere_urls_are_in_the_language_of_the_request(client):
    assert client.get("/", headers={"accept-language": "ar"}).location == "/ar/lamps/7"
    assert client.get("/?lang=de").location == "/de/lamps/7"
    assert client.app.url_for("shop.show", id=7) == "/en/lamps/7"  # outside of requests


def test_a_converter_may_have_a_default_of_its_own(interface):
    app = App()
    app.converter("year", int, default=lambda: 2030)

    @app.get("/<year:year>/news")
    def news(request: Request, year: int):
        return [request.url_for("news"), request.url_for(news, 1999)]

    assert Client(app, interface).get("/2024/news").json == ["/2030/news", "/1999/news"]
