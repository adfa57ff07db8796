"""Django with Ninja, its templates rendered by Jinja, its sessions in signed cookies."""

from hashlib import file_digest

import django
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from . import shop

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1"],
    INSTALLED_APPS=["django.contrib.sessions"],
    MIDDLEWARE=["django.contrib.sessions.middleware.SessionMiddleware", "django.middleware.common.CommonMiddleware"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=shop.KEY,
    SESSION_ENGINE="django.contrib.sessions.backends.signed_cookies",
    TEMPLATES=[{"BACKEND": "django.template.backends.jinja2.Jinja2", "DIRS": [shop.FOLDER]}],
    USE_TZ=True,
)
django.setup()

from ninja import File, NinjaAPI, Schema  # noqa: E402 - reads the settings
from ninja.files import UploadedFile  # noqa: E402

api = NinjaAPI()


class Row(Schema):
    id: int
    name: str
    price: float
    is_new: bool
    tags: list[str]


class Item(Schema):
    name: str
    price: float
    count: int


class Order(Schema):
    customer: str
    items: list[Item]


def page(request: HttpRequest) -> HttpResponse:
    return render(request, "page.html", {"lamps": shop.lamps()})


def visit(request: HttpRequest) -> HttpResponse:
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse("welcome", content_type="text/plain")


@api.get("/rows", response=list[Row])
def rows(request: HttpRequest):  # noqa: ARG001 - Ninja passes it
    return shop.ROWS


@api.post("/orders")
def orders(request: HttpRequest, order: Order):  # noqa: ARG001 - Ninja passes it
    return {"total": shop.total(order.items)}


@api.post("/upload")
def upload(request: HttpRequest, file: File[UploadedFile]):  # noqa: ARG001 - Ninja passes it
    return {"sha256": file_digest(file.file, "sha256").hexdigest()}


urlpatterns = [path("page", page), path("visit", visit), path("", api.urls)]
app = WSGIHandler()
