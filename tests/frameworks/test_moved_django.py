"""A Django project with an admin site moves to an app, step by step, and at each step its visitors notice nothing."""

import re
from importlib import import_module

import django
import pytest
from django.conf import settings
from django.contrib import auth
from django.core.asgi import get_asgi_application
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.db import transaction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import path as url
from jinja2 import DictLoader

from antiphon import App, Blueprint, Limits, Response
from antiphon.features import DjangoLogin, Page, Templates, Users, login, login_required, logout
from antiphon.testing import Client
from tests.frameworks.django_shop import settings_in
from tests.helpers.django_settings import without_settings
from tests.helpers.rows import rows

FORM = "<form method=post action={}>{{{{ csrf_input() }}}}<input name=item><button>Go</button></form>"
TEMPLATES = {
    "home.html": "{% set user = request.user %}{{ user.username if user else 'nobody' }}: "
    "{% for each in orders %}{{ each }}. {% endfor %}"
    "{% for each in request.flash.take() %}[{{ each.category }}: {{ each }}]{% endfor %}"
    + FORM.format("/orders")
    + FORM.format("/logout"),
    "login.html": "{{ error }}" + FORM.format("/login"),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with without_settings():
        settings.configure(**settings_in(tmp_path_factory.mktemp("shop")))
        django.setup()
        from django.contrib import admin

        from tests.frameworks.django_shop.models import Order

        if not admin.site.is_registered(Order):
            admin.site.register(Order)
        call_command("migrate", run_syncdb=True, verbosity=0)
        call_command("collectstatic", verbosity=0)
        auth.get_user_model().objects.create_superuser("ada", password="antiphon")
        yield Order


def mount(app, project):
    app.static("/static", settings.STATIC_ROOT)
    app.mount("", project)


def move_home(pages, Order):
    pages.get("/")(lambda request: Page("home.html", orders=[*Order.objects.all()]))


def move_orders(pages, Order):
    @pages.post("/orders", before=login_required)
    def order(request):
        order = Order.objects.create(item=request.form["item"], by=request.user)
        if order.item == "coffee":
            raise ValueError("the machine is broken")
        request.flash(f"You ordered {order}.", "success")
        return Response.redirect("/")


def move_login(pages, Order):
    @pages.route("/login", ["GET", "POST"])
    def log_in(request):
        if request.method == "GET":
            return Page("login.html", error="")
        user = auth.authenticate(username=request.form["username"], password=request.form["password"])
        if user is None:
            return Page("login.html", error="Please enter a correct username and password.")
        login(request, user)
        return Response.redirect("/")


def move_logout(pages, Order):
    @pages.post("/logout")
    def log_out(request):
        logout(request)
        return Response.redirect("/")


MOVES = (move_home, move_orders, move_login, move_logout)


def moved(project, shop, moves):
    app = App(limits=Limits(body=1 << 20))
    app.use(Users(DjangoLogin()))
    app.use(Templates(DictLoader(TEMPLATES)))

    app.errorhandler(401)(lambda request, error: Response.redirect(f"/login?next={request.path}"))
    mount(app, project)
    pages = Blueprint("pages")
    pages.middleware(errors_at_yield=True)(atomic)
    for move in moves:
        move(pages, shop)
    app.register(pages)
    return app


def atomic(request):
    with transaction.atomic():
        yield


@pytest.mark.axes("interface", "kind")
@pytest.mark.parametrize("kind", ["wsgi", "asgi"])
@pytest.mark.parametrize("moves", range(-1, len(MOVES) + 1))
def test_visitors_notice_nothing(moves, kind, interface, shop):
    project, before = {"wsgi": get_wsgi_application, "asgi": get_asgi_application}[kind](), moves < 0
    app, interface = (get_wsgi_application(), "wsgi") if before else (moved(project, shop, MOVES[:moves]), interface)
    shop.objects.all().delete()
    visit(Client(app, interface, follow_redirects=False, raise_errors=False), has_files=not before)


@pytest.mark.axes("interface", "path")
@pytest.mark.parametrize("path", ["/old", "/new"])
def test_a_logout_during_a_request_ends_it_with_400(path, interface, shop):
    from django.contrib.sessions.models import Session

    def leave(request):
        assert request.user.username == "ada"
        Session.objects.all().delete()
        return HttpResponse("left")

    urls = import_module(settings.ROOT_URLCONF).urlpatterns
    app = moved(get_wsgi_application(), shop, MOVES)
    app.get("/new")(lambda request: leave(request) and "left")
    client = Client(app, interface, follow_redirects=False)
    send(client, "/login", ADA, "/login")
    with override_settings(SESSION_SAVE_EVERY_REQUEST=True, ROOT_URLCONF=(*urls, url("old", leave))):
        assert client.get(path).status == 400


def token(page):
    return re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)[1]


def send(client, path, form, page="/"):
    return client.post(path, form={**form, "csrfmiddlewaretoken": token(client.get(page))})


def visit(client, has_files):
    assert client.get("/").text.startswith("nobody: <form")
    if has_files:
        assert client.get("/static/admin/css/base.css").content_type == "text/css; charset=utf-8"
    assert client.get("/admin/").headers["location"] == "/admin/login/?next=/admin/"
    assert client.post("/login", form=ADA, headers={"sec-fetch-site": "cross-site"}).status == 403
    assert "correct username" in send(client, "/login", ADA | {"password": "wrong"}, "/login").text
    assert "sessionid" not in client.cookies
    assert send(client, "/login", ADA, "/login").status in {302, 303}
    assert client.get("/").text.startswith("ada: <form")
    order(client)
    use_admin(client)
    assert client.post("/logout", headers={"sec-fetch-site": "cross-site"}).status == 403
    old = client.cookies["sessionid"]
    assert send(client, "/logout", {}).status in {302, 303}
    assert client.get("/").text.startswith("nobody: ")
    assert client.get("/admin/").status == 302
    client.cookies.set("sessionid", old)
    assert client.get("/").text.startswith("nobody: ")


ADA = {"username": "ada", "password": "antiphon"}


def order(client):
    assert send(client, "/orders", {"item": "tea", "note": "x" * 200_000}).status in {302, 303}
    assert client.get("/").text.startswith("ada: tea. [success: You ordered tea.]<form")
    assert send(client, "/orders", {"item": "coffee"}).status == 500
    assert send(client, "/orders", {"item": "coffee", "note": "x" * 200_000}).status == 500
    assert client.get("/").text.startswith("ada: tea. <form")
    assert client.post("/orders", form={"item": "milk"}, headers={"sec-fetch-site": "cross-site"}).status == 403


def use_admin(client):
    """Use the admin site, which stays where it is, with the login of either side."""
    added = "/admin/django_shop/order/add/"
    page = client.get(added)
    assert page.status == 200
    ada = re.search(r'<option value="(\d+)"[^>]*>ada', page.text)[1]
    assert send(client, added, {"item": "oats", "by": ada}, added).headers["location"] == "/admin/django_shop/order/"
    assert client.get("/").text.startswith("ada: tea. oats. [success: The order “")
    assert send(client, "/orders", {"item": "soup"}).status in {302, 303}
    assert "You ordered soup." in client.get("/admin/").text
    assert client.post(added, form={"item": "milk", "by": ada}).status == 403


@pytest.mark.axes("interface")
@rows("call, option", [(login, "end_others"), (logout, "everywhere")])
def test_sessions_that_django_can_not_end_are_an_error(call, option, interface, shop):
    app = moved(get_wsgi_application(), shop, MOVES)
    app.get("/end")(lambda request: call(request, *[request.user] * (call is login), **{option: True}))
    client = Client(app, interface, raise_errors=True)
    send(client, "/login", ADA, "/login")
    with pytest.raises(NotImplementedError, match="only when the password changes"):
        client.get("/end")
