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


@pytest.fixture(autouse=True)
def settings():
    with settings_for_views():
        yield


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
