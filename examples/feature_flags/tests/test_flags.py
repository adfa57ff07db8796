"""Tests of the package: `pip install pytest .`, then `pytest tests`."""

import pytest
from antiphon_flags import FLAG, SWITCHES, Flags
from antiphon_flags.command import flags as command
from click.testing import CliRunner
from jinja2 import DictLoader

from antiphon import App, Request
from antiphon.features import CSRFTokens, Health, MemoryStore, Page, Sessions, Templates
from antiphon.testing import Client

KEYS = ["a key of sixteen bytes or more"]


@pytest.fixture
def flags(tmp_path):
    return Flags("dark", "new-checkout", folder=tmp_path)


@pytest.fixture
def app(flags):
    app = App(secret_keys=KEYS)
    app.use(flags)

    @app.get("/checkout", meta={FLAG: "new-checkout"})
    def checkout(request: Request):
        return "The new one."

    @app.get("/")
    def home(request: Request):
        return "dark" if request[SWITCHES].is_on("dark") else "light"

    return app


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def client(app, request):
    with Client(app, request.param) as client:
        yield client


def switch(client, *names):
    return client.post("/flags", form=[("flag", name) for name in names])


def test_a_route_is_there_for_those_who_have_switched_its_flag_on(client):
    assert client.get("/checkout").status == 404
    assert switch(client, "new-checkout").url.path == "/flags"
    response = client.get("/checkout")
    assert (response.text, response.headers["vary"]) == ("The new one.", "cookie")
    switch(client)
    assert client.get("/checkout").status == 404


def test_the_page_shows_what_is_on(client):
    switch(client, "dark")
    page = client.get("/flags").text
    assert page.count("<input") == 2
    assert 'value="dark" checked' in page
    assert client.get("/").text == "dark"


@pytest.mark.parametrize("value", ["dark", "", "WyJkYXJrIl0.x.y"])
def test_a_cookie_that_is_not_signed_switches_nothing_on(client, value):
    assert client.get("/", headers={"cookie": f"flags={value}"}).text == "light"


def test_a_name_that_is_no_flag_is_left_out(client):
    switch(client, "other", "dark")
    assert client.get("/").text == "dark"


def order(client, text):
    return client.post("/flags/everyone", headers={"sec-fetch-site": "cross-site"}, body=text.encode()).status


def test_a_service_switches_for_everyone_by_a_signed_order(client, flags):
    assert order(client, flags.order_for_everyone("dark", True) + "x") == 403
    assert client.get("/").text == "light"
    assert order(client, flags.order_for_everyone("dark", True)) == 204
    assert client.get("/").text == "dark"
    assert order(client, flags.order_for_everyone("dark", False)) == 204
    assert client.get("/").text == "light"


def test_a_cookie_is_no_order(client):
    switch(client, "dark")
    assert order(client, client.cookies["flags"]) == 403


def test_the_app_shows_a_page_of_its_own(app):
    app.use(Templates(DictLoader({"flags/base.html": "<h1>Our shop</h1>{% block main %}{% endblock %}"})))
    page = Client(app).get("/flags").text
    assert page.startswith("<h1>Our shop</h1>")
    assert 'value="dark"' in page


def test_templates_of_the_app_know_the_flags(app):
    app.use(Templates(DictLoader({"page.html": "{{ flags.is_on('dark') }}"})))
    app.get("/page")(lambda request: Page("page.html"))
    assert Client(app).get("/page").text == "False"


def test_it_works_beside_tokens_against_forged_forms(flags):
    app = App(secret_keys=KEYS)
    app.use(Sessions(MemoryStore()))
    app.use(CSRFTokens())
    app.use(flags)
    client = Client(app)
    token = client.get("/flags").text.partition('name="csrf_token" value="')[2].partition('"')[0]
    assert switch(client, "dark").status == 403
    client.post("/flags", form=[("flag", "dark"), ("csrf_token", token)])
    assert 'value="dark" checked' in client.get("/flags").text
    assert order(client, flags.order_for_everyone("dark", True)) == 204


def test_probes_tell_that_the_folder_is_gone(app, tmp_path):
    app.use(Health())
    client = Client(app)
    assert client.get("/readyz").json["checks"] == {"flags": "ok"}
    tmp_path.rename(tmp_path.with_name("gone"))
    assert client.get("/readyz").json["checks"] == {"flags": "failed"}


def test_an_unknown_flag_is_an_error_at_the_start_that_is_explained(app):
    app.get("/typo", meta={FLAG: "drak"})(lambda request: "never")
    with pytest.raises(LookupError, match="there is no flag 'drak', but dark, new-checkout") as raised:
        Client(app, "wsgi").get("/")
    assert raised.value.__notes__ == ["To read more: antiphon explain flags.unknown-flag"]


def test_an_app_without_keys_is_as_it_was(flags):
    app = App()
    with pytest.raises(RuntimeError, match="no key to sign with"):
        app.use(flags)
    assert (app.routes, app.features) == ((), ())


def test_the_command_lists_them(tmp_path, monkeypatch):
    (tmp_path / "flagged_shop.py").write_text(
        "from antiphon import App\n"
        "from antiphon_flags import Flags\n"
        f"app = App(secret_keys={KEYS})\n"
        f"app.use(Flags('dark', 'new-checkout', folder={str(tmp_path)!r}))\n"
        "bare = App()\n"
    )
    (tmp_path / "dark").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    told = CliRunner().invoke(command, ["list", "flagged_shop:app"])
    assert told.output == "dark  on for everyone\nnew-checkout  by visitor\n"
    assert "This app does not use Flags" in CliRunner().invoke(command, ["list", "flagged_shop:bare"]).output
