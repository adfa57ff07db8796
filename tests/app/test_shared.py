"""Values that an application shares with all of its handlers and templates."""

import pytest

from antiphon import App, Request
from antiphon.testing import Client
from tests.helpers.rows import rows


def test_plain_values_and_values_of_the_request_are_shared(app):
    app.template_context(site_name="Shop", path=lambda request: request.path)
    app.template_context(answer=42)

    @app.get("/")
    def read(request: Request):
        shared = request.shared
        return {"one": shared("site_name"), "all": dict(shared), "has": ["path" in shared, "cart" in shared]}

    assert Client(app).get("/").json == {
        "one": "Shop", "all": {"site_name": "Shop", "path": "/", "answer": 42}, "has": [True, False],
    }  # fmt: skip


def test_a_function_is_called_once_a_request_and_only_when_its_value_is_used(app):
    calls = []
    app.template_context(cart=lambda request: calls.append(request.path) or [])

    @app.get("/used")
    def used(request: Request):
        return {"same": request.shared("cart") is request.shared["cart"]}

    @app.get("/unused")
    def unused(request: Request):
        return "cart" in request.shared and sorted(request.shared)

    client = Client(app)
    assert client.get("/used").json == {"same": True}
    client.get("/unused")
    assert calls == ["/used"]
    client.get("/used")
    assert calls == ["/used", "/used"]


async def waits(request):
    pass


def yields(request):
    yield


@rows(
    "value, error, text",
    (waits, TypeError, "test_shared.py"), (yields, TypeError, "return the result"),
    (lambda: 1, TypeError, "is called with"), ids=["async", "generator", "without the request"],
)  # fmt: skip
def test_a_function_that_cannot_give_a_value_is_refused(value, error, text):
    with pytest.raises(error, match=text):
        App().template_context(value=value)


def test_a_name_is_shared_once(app):
    app.template_context(cart=1)
    with pytest.raises(ValueError, match="'cart' is already shared"):
        app.template_context(cart=2, other=3)


def test_a_name_that_nobody_shared_is_an_error_that_names_the_near_one(app):
    app.template_context(site_name="Shop")

    @app.get("/")
    def read(request: Request):
        with pytest.raises(KeyError, match="'sitename'; did you mean 'site_name'"):
            request.shared("sitename")
        return "named"

    assert Client(app).get("/").text == "named"
