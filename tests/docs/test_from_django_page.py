"""The page on moving from Django: what it says about Django's threads, forms, errors and tokens."""

import re
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from asgiref.sync import sync_to_async
from django import forms
from django.core.exceptions import PermissionDenied
from django.core.files.storage import FileSystemStorage
from django.db import models
from django.http import Http404, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import RequestFactory
from django.utils.datastructures import MultiValueDict

from antiphon import App, Request
from antiphon.testing import Client
from tests.helpers.django_settings import settings_for_views
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/from-django.md").read_text()
(FORMS,) = [code for code in re.findall(r"^```py\n(.*?)^```$", PAGE, re.M | re.S) if "UploadedFile" in code]


@pytest.fixture(autouse=True)
def settings():
    with settings_for_views():
        yield


def test_djangos_forms_read_several_values_and_save_files(tmp_path):
    class Photo(models.Model):
        sizes = models.CharField(max_length=10)
        file = models.FileField(upload_to="photos", storage=FileSystemStorage(tmp_path))

        class Meta:
            app_label = "page"

        def save(self, **_):
            """Save the file as Django does before it saves the row, for which there is no table here."""
            self._meta.get_field("file").pre_save(self, add=True)

    class PhotoForm(forms.ModelForm):
        sizes = forms.MultipleChoiceField(choices=[("s", "small"), ("l", "large")])

        class Meta:
            model = Photo
            fields = ("sizes", "file")

    app = App()
    exec(FORMS, {"app": app, "Request": Request, "PhotoForm": PhotoForm})
    with Client(app) as client:
        content = b"a photo" * 20_000
        made = client.post("/photos", form={"sizes": ["s", "l"]}, files={"file": ("a.png", content)})
        assert (made.status, made.json) == (201, {"name": "photos/a.png"})
        assert (tmp_path / "photos/a.png").read_bytes() == content
        missing = client.post("/photos", form={"sizes": ["s"]}, files={"other": ("a.png", b"")})
        assert (missing.status, [*missing.json]) == (422, ["file"])


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
