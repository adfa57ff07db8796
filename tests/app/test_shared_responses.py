"""A response that a handler gives again and again: what is done to one answer is not in the next."""

import pytest

from antiphon import App, Request, Response
from antiphon.features.cors import CORS
from antiphon.testing import Client

pytestmark = pytest.mark.once

FIRST, SECOND = "https://a.example", "https://b.example"


@pytest.fixture
def page():
    return Response.text("shared")


def headers(page):
    return sorted(page.headers.items())


@pytest.mark.parametrize(
    "more",
    [(404, {"set-cookie": "sid=alice"}), ({"set-cookie": "sid=alice"},), (404,)],
    ids=["both", "headers", "status"],
)
def test_in_a_tuple_stays_as_it_was(page, more):
    app, before = App(), headers(page)
    app.get("/a")(lambda request: (page, *more))
    app.get("/b")(lambda request: page)
    client = Client(app)
    client.get("/a")
    again = client.get("/b")
    assert (again.status, again.text, "set-cookie" in again.headers) == (200, "shared", False)
    assert headers(page) == before


def test_varies_only_for_the_handler_that_has_chosen(page, app):
    @app.get("/chosen")
    def chosen(request: Request):
        return page if request.accept_languages.best(["en"], "en") else None

    app.get("/plain")(lambda request: page)
    client = Client(app)
    assert client.get("/chosen").headers["vary"] == "accept-language"
    assert "vary" not in client.get("/plain").headers


def test_is_opened_to_the_origin_that_asks_and_no_other(page, app):
    app.use(CORS([FIRST, SECOND], credentials=True))
    app.get("/")(lambda request: page)
    client = Client(app)
    allowed = [
        client.get("/", headers={"origin": origin} if origin else {}).headers.get("access-control-allow-origin")
        for origin in (FIRST, SECOND, None, "https://c.example")
    ]
    assert allowed == [FIRST, SECOND, None, None]
