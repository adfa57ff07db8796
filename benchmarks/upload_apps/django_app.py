"""Django: one module with its settings and views, without middleware."""

import django
from django.conf import settings
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.urls import path

from benchmarks.apps.work import upload
from benchmarks.forms import NAMES
from benchmarks.upload_apps.answers import fields, large_file

TEXT = "text/plain; charset=utf-8"

settings.configure(ALLOWED_HOSTS=["*"], ROOT_URLCONF=__name__, MIDDLEWARE=[], SECRET_KEY="benchmark")
django.setup()


def answered(text: str) -> HttpResponse:
    body = text.encode()
    return HttpResponse(body, content_type=TEXT, headers={"content-length": str(len(body))})


def large(request: HttpRequest) -> HttpResponse:
    file = request.FILES["file"]
    return answered(large_file(request.POST["title"], file.name, file))


def small(request: HttpRequest) -> HttpResponse:
    file = request.FILES["file"]
    return answered(upload(request.POST["title"], file.name, file.read()))


def parts(request: HttpRequest) -> HttpResponse:
    return answered(fields([request.POST[name] for name in NAMES]))


urlpatterns = [path("large", large), path("file", small), path("parts", parts)]
wsgi = WSGIHandler()
asgi = ASGIHandler()
