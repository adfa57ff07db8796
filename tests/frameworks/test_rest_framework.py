"""Django REST framework, whose requests contain Django's: its views and ours read the same user and body."""

import pytest

from antiphon import App, Request, view
from antiphon.testing import Client
from tests.helpers.django_settings import settings_for_views
from tests.helpers.rows import rows

rest_framework = pytest.importorskip("rest_framework")


@pytest.fixture(autouse=True)
def settings():
    from django.test import override_settings

    with settings_for_views(), override_settings(REST_FRAMEWORK={"UNAUTHENTICATED_USER": None}):
        yield


@view
def shout(request: Request):
    return {"item": request.json["item"].upper()}


def before(request):
    return request.data["item"], shout(request)


def after(request):
    made = shout(request)
    return request.data["item"], made


def alone(request):
    return None, shout(request)


def by_hand(request):
    made = Request.from_framework(request)
    assert (made.method, made.path, made.headers["x-own"]) == ("POST", "/orders", "1")
    return request.data["item"], shout(request)


@rows("read", [alone, before, after, by_hand])
@pytest.mark.parametrize("interface", ["wsgi", "asgi"])
def test_a_view_reads_the_body_that_the_framework_reads(read, interface):
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application
    from django.test import override_settings
    from django.urls import path
    from rest_framework.decorators import api_view

    seen: list[str] = []
    version = tuple(map(int, rest_framework.VERSION.split(".")[:2]))

    @api_view(["POST"])
    def endpoint(request):
        item, made = read(request)
        seen.append(item)
        return made

    with override_settings(ROOT_URLCONF=(path("orders", endpoint),), ALLOWED_HOSTS=["testserver"]):
        app = App()
        app.mount("", get_wsgi_application() if interface == "wsgi" else get_asgi_application())
        with Client(app, raise_errors=False) as client:
            response = client.post("/orders", json={"item": "tea"}, headers={"x-own": "1"})
    if read is before and version < (3, 18):  # it reads the body as a stream, which nobody keeps
        assert response.status == 500
    else:
        assert (response.status, response.json) == (200, {"item": "TEA"})
        assert seen == [None if read is alone else "tea"]
