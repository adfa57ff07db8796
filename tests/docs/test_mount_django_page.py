"""The page on mounting Django: its project as WSGI and as ASGI, with the sessions of both sides."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.test import override_settings

from antiphon import App, Request, Response
from antiphon.features import DjangoLogin, Users
from antiphon.testing import Client
from tests.helpers.django_settings import without_settings
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/mount-django.md").read_text()
(CODE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FROM_DJANGO = (Path(__file__).parents[2] / "docs/how-to/from-django.md").read_text()
(LOGIN,) = [each for each in re.findall(r"^```py\n(.*?)^```$", FROM_DJANGO, re.M | re.S) if "/old/login" in each]
PROXY = "127.0.0.1"


@pytest.fixture(scope="module")
def page():
    """The names of the page, which has run."""
    names: dict = {"__name__": "page"}
    with without_settings():
        exec(CODE, names)
        yield names


@pytest.fixture(params=[get_wsgi_application, get_asgi_application], ids=["WSGI", "ASGI"])
def project(request, page):
    return request.param()


def new_app(page, project):
    app = App(trusted_proxies=[PROXY])
    app.use(Users(DjangoLogin()))
    app.use(page["Templates"](page["DictLoader"]({"sign-in.html": page["SIGN_IN"]})))
    app.static("/old/static", settings.STATIC_ROOT)
    app.mount("/old", project)
    app.get("/sign-in")(page["sign_in"])
    app.get("/orders", before=page["login_required"])(page["orders"])
    app.get("/break")(break_connection)
    return app


@pytest.fixture
def client(page, project, interface):
    client = Client(new_app(page, project), interface)
    log_in(client)
    return client


def log_in(client):
    token = client.get("/sign-in").text.split('value="')[1].partition('"')[0]
    assert client.post("/old/login", form={"name": "ada", "csrfmiddlewaretoken": token}).status == 200


@pytest.mark.axes("interface", "project")
def test_each_side_shows_the_user_and_the_messages_of_the_other(client):
    assert client.get("/orders").json == {"user": "ada", "told": []}  # Django's page after the login has shown its own
    assert client.get("/old/").text == "ada /old/ /old/static/site.css You saw your orders."
    assert client.get("/old/static/site.css").content_type == "text/css; charset=utf-8"
    assert [client.get("/orders").json["told"] for _ in range(2)] == [[], ["You saw your orders."]]
    assert client.post("/old/login", headers={"sec-fetch-site": "cross-site"}).status == 403


@pytest.mark.axes("interface", "project")
def test_an_async_handler_reads_the_user_and_queues_a_message(page, project, interface):
    app = App()
    app.use(Users(DjangoLogin(), blocking=True))
    app.use(page["Templates"](page["DictLoader"]({"sign-in.html": page["SIGN_IN"]})))
    app.mount("/old", project)
    app.get("/sign-in")(page["sign_in"])

    @app.get("/who")
    async def who(request):
        request.flash("<Hello>", "warning")
        return str(request.user)

    log_in(client := Client(app, interface))
    assert client.get("/who").text == "ada"
    assert client.get("/old/").text == "ada /old/ /old/static/site.css <Hello>"
    assert client.get("/who").headers["vary"].lower() == "cookie"


@pytest.mark.axes("interface", "project")
def test_what_an_anonymous_visitor_sees_depends_on_cookies(page, project, interface):
    app = new_app(page, project)
    fields = {"cache-control": "private, max-age=60"}
    app.get("/user")(lambda request: (str(request.user), 200, fields))
    app.get("/flash")(lambda request: (str(request.flash.take()), 200, fields))
    app.get("/never")(lambda request: ("Hello", 200, fields))
    with Client(app, interface) as client:
        seen = {path: client.get(path).headers.get("vary") for path in ("/user", "/flash", "/sign-in", "/never")}
    assert {path: str(vary).lower() for path, vary in seen.items()} == {
        "/user": "cookie", "/flash": "cookie", "/sign-in": "cookie", "/never": "none",
    }  # fmt: skip


@pytest.mark.axes("interface", "project")
def test_only_browsers_are_redirected_to_the_login_of_the_project(page, project, interface):
    app = App()
    app.use(Users(DjangoLogin(), login="login"))
    app.mount("/old", project)
    exec(LOGIN, {"app": app, "Response": Response, "Request": Request})
    app.get("/orders", before=page["login_required"])(lambda request: "orders")
    with Client(app, interface, follow_redirects=False) as client:
        assert client.get("/orders", headers={"accept": "application/json"}).status == 401
        sent = client.get("/orders?day=1", headers={"accept": "text/html"})
        assert client.get(sent.headers["location"]).headers["location"] == "/old/login?next=%2Forders%3Fday%3D1"


@pytest.mark.axes("interface", "project")
@pytest.mark.parametrize("change", ["is_active", "password"])
def test_a_user_whom_django_would_refuse_is_nobody(change, client, page):
    ada = page["get_user_model"]().objects.get(username="ada")
    before = {"is_active": True, "password": ada.password}
    try:
        setattr(ada, change, {"is_active": False, "password": "!another"}[change])
        ada.save()
        assert client.get("/orders").status == 401
    finally:
        setattr(ada, change, before[change])
        ada.save()


@pytest.mark.axes("interface", "project")
def test_a_rotated_key_keeps_users_logged_in(client):
    key = settings.SECRET_KEY
    with override_settings(SECRET_KEY="a new key of Django's own", SECRET_KEY_FALLBACKS=[key]):
        assert [client.get("/orders").status for _ in range(2)] == [200, 200]
        assert client.get("/old/").text.startswith("ada ")
        assert client.get("/orders").status == 200
    assert client.get("/orders").status == 401  # Django has renewed the session with the new key
    with override_settings(SECRET_KEY="a new key of Django's own"):
        assert client.get("/orders").status == 200


@pytest.mark.axes("interface", "project")
def test_a_broken_connection_is_replaced(client):
    assert [client.get("/break").status, client.get("/orders").status] == [200, 200]


def break_connection(request):
    """Leave a connection in the state in which a database that has gone leaves it."""
    connection.ensure_connection()
    connection.connection.close()
    connection.errors_occurred = True
    return "broken"


@pytest.mark.axes("project")
@rows("believed, address", [(True, PROXY), (False, "192.0.2.9")])
def test_django_sees_what_the_new_app_believes_of_proxies(believed, address, project, page, monkeypatch):
    seen = []
    monkeypatch.setattr(page["settings"], "ROOT_URLCONF", (page["path"]("who", lambda asked: note(asked, seen, page)),))
    client = Client(new_app(page, project), "asgi", client=(address, 50000))
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1"}
    client.get("/old/who", headers=forwarded)
    assert seen.pop() == ((True, "192.0.2.1") if believed else (False, address))
    with override_settings(SECURE_PROXY_SSL_HEADER=("HTTP_X_FORWARDED_PROTO", "https")):
        client.get("/old/who", headers=forwarded)
    assert seen.pop()[0]  # it believes anybody


def note(asked, seen, page):
    seen.append((asked.is_secure(), asked.META["REMOTE_ADDR"]))
    return page["HttpResponse"]("noted")
