"""The page on moving from Django: what it says about Django's threads, forms, errors and tokens."""

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict

from antiphon import App, abort
from antiphon.testing import Client
from tests.helpers.django_settings import settings_for_views
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/from-django.md").read_text()
(OWN_THREAD,) = [code for code in re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S) if "own_thread" in code]


@pytest.fixture(autouse=True)
def settings():
    with settings_for_views():
        yield


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_async_handlers_have_a_thread_and_a_connection_of_their_own(interface):
    names: dict = {"__name__": "page"}
    exec(OWN_THREAD, names)
    app, seen = names["app"], []

    @app.get("/")
    async def index(request):
        seen.append(await sync_to_async(threading.current_thread)())
        return "Hello"

    closed = []
    names["connections"] = SimpleNamespace(close_all=lambda: closed.append(threading.current_thread()))
    client = Client(app, interface)
    assert [client.get("/").text for _ in range(2)] == ["Hello", "Hello"]
    assert closed == seen
    assert not any(thread.is_alive() for thread in seen)


def test_djangos_forms_read_several_values():
    class Order(forms.Form):
        sizes = forms.MultipleChoiceField(choices=[("s", "small"), ("l", "large")])

    app = App()

    @app.post("/")
    def order(request):
        form = Order(MultiValueDict(request.form.to_lists()))
        return form.cleaned_data if form.is_valid() else form.errors

    assert Client(app).post("/", form={"sizes": ["s", "l"]}).json == {"sizes": ["s", "l"]}


@rows("error, status", [(Http404, 404), (PermissionDenied, 403)])
def test_djangos_errors_become_responses(error, status):
    app = App()
    app.errorhandler(error)(lambda request, error: abort(status))

    @app.get("/")
    def index(request):
        raise error

    assert Client(app).get("/").status == status


def test_an_old_view_takes_its_cookie_as_the_token():
    given = RequestFactory().get("/")
    get_token(given)
    token = given.META["CSRF_COOKIE"]
    check = CsrfViewMiddleware(lambda request: HttpResponse())
    for sent, refused in ((token, False), ("x" * len(token), True)):
        post = RequestFactory().post("/", {"csrfmiddlewaretoken": sent})
        post.COOKIES["csrftoken"] = token
        check.process_request(post)
        assert (check.process_view(post, lambda request: None, (), {}) is not None) == refused
