"""The page of the last requests in debug mode, beside applications of each kind and interface."""

import re
import socket
import sqlite3
from contextlib import closing

import pytest

from antiphon import App
from antiphon.cli.debug.mode import switch_on
from antiphon.cli.debug.requests import PLACE, WithLastRequests
from antiphon.cli.target import Target
from antiphon.dialects.flask import Flask
from antiphon.dialects.pyramid.config import Configurator
from antiphon.handler.errors import set_debug_page
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@pytest.fixture(autouse=True)
def debug():
    switch_on(is_for_loopback=True)
    yield
    set_debug_page(None)


def native():
    app = App()

    @app.post("/pay")
    def pay(request):
        return {"left": 1 // request.json["n"]}

    return app


def flask():
    app = Flask("shop", static_folder=None)

    @app.post("/pay")
    def pay():
        from antiphon.dialects.flask import request

        return {"left": 1 // request.get_json()["n"]}

    return app


def pyramid():
    with Configurator() as config:
        config.add_route("pay", "/pay")
        config.add_view(lambda request: {"left": 1 // request.json_body["n"]}, route_name="pay", renderer="json")
        return config.make_wsgi_app()


def plain(environ, start_response):
    start_response("500 Internal Server Error", [("content-type", "text/plain")])
    return [b"it failed"]


@rows("make", [native, flask, pyramid, lambda: plain])
@rows("interface", ["wsgi", "asgi"])
def test_a_failed_request_is_shown_and_becomes_a_test(make, interface):
    app = make()
    if app is plain and interface == "asgi":
        return
    served = WithLastRequests(app, interface, Target("shop", "app"))
    client = Client(served, interface, base_url="http://localhost", raise_errors=False)
    assert client.post("/pay", json={"n": 0, "password": "hunter22"}).status == 500
    page = client.get(PLACE)
    assert page.status == 200
    assert "POST /pay</dt><dd>500, " in page.text
    [test] = re.findall(f"{PLACE}/[0-9a-f]+/test", page.text)
    written = client.post(test)
    assert "from shop import app" in written.text
    assert "client.post(" in written.text
    assert "hunter22" not in written.text
    assert client.post(f"{PLACE}/{'0' * 32}/test").status == 404


def account():
    app = App()

    @app.post("/account")
    def show(request):
        seen.append((request.cookies["session"], request.authorization.token, request.json["password"]))
        return f"the account of {request.cookies['session']}"

    seen = app.seen = []
    return app


SECRETS = ("of-the-developer", "bearer-0123456789", "hunter22hunter")


@rows("interface", ["wsgi", "asgi"])
@rows("is_for_loopback", [True, False])
def test_a_request_is_handled_again_in_this_process(interface, is_for_loopback):
    """The listener at the address in Host gets nothing, and a neighbour who presses the button only what he may get."""
    app = account()
    switch_on(is_for_loopback=is_for_loopback)
    client = Client(WithLastRequests(app, interface, Target("shop", "app")), interface, base_url="http://127.0.0.1")
    session, token, password = SECRETS
    headers = {"authorization": f"Bearer {token}"}
    sent = client.post("/account", json={"password": password}, headers=headers, cookies={"session": session})
    assert sent.text == f"the account of {session}"
    client.cookies.clear()
    page = client.get(PLACE)
    [again] = re.findall(f"{PLACE}/[0-9a-f]+/again", page.text)
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        host = f"127.0.0.1:{elsewhere.getsockname()[1]}"
        response = client.post(again, headers={"host": host}, cookies={"session": "of-a-neighbour"})
        with pytest.raises(BlockingIOError):
            elsewhere.accept()
    assert response.text == f"the account of {session if is_for_loopback else 'of-a-neighbour'}"
    assert (set(app.seen[1]) == {*SECRETS}) is is_for_loopback
    assert is_for_loopback or not {*app.seen[1]} & {*SECRETS}


def test_the_page_masks_secrets_in_addresses_and_errors(app):
    @app.get("/reset/<token>")
    def fail(request, token):
        raise ValueError(token)

    client = Client(
        WithLastRequests(app, "asgi", Target("shop", "app")), base_url="http://localhost", raise_errors=False
    )
    client.get("/reset/planted-1234?code=planted-5678")
    assert "planted" not in client.get(PLACE).text


@rows(
    "headers, status",
    ({}, 200),
    ({"host": "shop.example.com"}, 404),
    ({"x-forwarded-for": "192.0.2.1"}, 404),
    ({"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, 404),
)
def test_only_developers_see_the_page(headers, status):
    client = Client(WithLastRequests(native(), "asgi", Target("shop", "app")), base_url="http://localhost")
    assert client.get(PLACE, headers=headers).status == status


def test_nobody_sees_the_page_outside_of_debug_mode():
    set_debug_page(None)
    client = Client(WithLastRequests(native(), "asgi", Target("shop", "app")), base_url="http://localhost")
    assert client.get(PLACE).status == 404


def test_other_sites_send_nothing_again():
    client = Client(WithLastRequests(native(), "asgi", Target("shop", "app")), base_url="http://localhost")
    refused = client.post(f"{PLACE}/{'0' * 32}/again", headers={"origin": "https://evil.example"})
    assert refused.status in (403, 404)


@rows("interface", ["wsgi", "asgi"])
def test_a_repeated_statement_is_logged_once_and_shown(tmp_path, caplog, interface):
    app = App()

    @app.get("/")
    def show(request):
        with closing(sqlite3.connect(tmp_path / "shop.db")) as connection:
            return [connection.execute(f"select '<secret {n}>'").fetchone()[0] for n in range(6)]

    client = Client(WithLastRequests(app, interface, Target("shop", "app")), interface, base_url="http://localhost")
    assert [len(client.get("/").json) for _ in range(2)] == [6, 6]
    (line,) = [each.getMessage() for each in caplog.records]
    caplog.clear()
    assert line.startswith("GET '/' sent one statement 6 times, tests/cli/debug/test_requests.py, line ")
    assert line.endswith(": select ?. To send it once, ask once before the loop, with IN or a join.")
    page = client.get(PLACE).text
    assert "6 statements" in page
    assert "6 x select ? (tests/cli/debug/test_requests.py, line " in page
    assert "secret" not in page.replace("secret {n}", "")
