"""The page on moving a Flask app by blueprints: its apps are one site to visitors, who stay logged in."""

import re
from pathlib import Path

from antiphon import App
from antiphon.features import CookieStore, Sessions
from antiphon.testing import Client
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/from-flask-by-blueprint.md").read_text()
[MOVED] = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
FLASKS = {"Flask": "import flask", "the dialect": "from antiphon.dialects import flask"}


def make_apps(flask="Flask"):
    """The new app, and the old one that it mounts."""
    page: dict = {"__name__": "page"}
    exec(MOVED.replace("import flask", FLASKS[flask]), page)
    return page["app"], page["old"]


@rows("flask", FLASKS)
def test_visitors_see_one_site(flask):
    client = Client(make_apps(flask)[0], "wsgi")
    assert client.get("/notes").url.path == "/"  # nobody is logged in
    assert 'stranger. <a href="/notes/">' in client.get("/").text
    listing = client.post("/login", form={"name": "Ada"})
    assert listing.url.path == "/notes/"
    assert '<a href="/#top">Home</a> Welcome!' in listing.text
    assert "<li>Ada: &lt;tea&gt;</li>" in client.post("/notes/", form={"text": "<tea>"}, follow_redirects=True).text
    client.post("/notes/", form={"text": "milk"}, follow_redirects=False)
    home = client.get("/").text
    assert "Hello, Ada." in home
    assert "Added." in home
    client.post("/logout")
    assert client.get("/notes/").url.path == "/"
    assert client.get("/nowhere").status == 404


@rows("flask", FLASKS)
@rows("first, then", (0, 1), (1, 0))
def test_a_login_outlives_the_step_and_its_way_back(flask, first, then):
    apps = make_apps(flask)
    visitor, later = Client(apps[first], "wsgi", follow_redirects=False), Client(apps[then], "wsgi")
    visitor.post("/login", form={"name": "Ada"})
    later.cookies.set("session", visitor.cookies["session"])
    assert "Hello, Ada." in later.get("/").text


@rows("flask", FLASKS)
def test_urls_have_the_options_of_flask_on_both_sides(flask):
    _, old = make_apps(flask)
    with old.test_request_context():
        for name, path in (("accounts.home", "/"), ("notes.listing", "/notes/")):
            assert old.url_for(name, _anchor="a b", _external=True) == f"http://localhost{path}#a%20b"


def test_visitors_stay_logged_in_when_the_last_blueprint_has_moved():
    visitor = Client(make_apps()[0], "wsgi")
    visitor.post("/login", form={"name": "Ada"})
    [after] = re.findall(r"`app.use\((Sessions\(.*?\))\)`", PAGE, re.DOTALL)
    app = App(secret_keys=["the key that you have"])
    app.use(eval(after, {"app": app, "Sessions": Sessions, "CookieStore": CookieStore}))
    app.get("/")(lambda request: request.session["user"])
    later = Client(app, "wsgi")
    later.cookies.set("session", visitor.cookies["session"])
    assert later.get("/").text == "Ada"


@rows("interface", ["asgi", "rsgi"])
def test_both_apps_write_the_session_over_each_interface(interface):
    client = Client(make_apps()[0], interface)
    client.post("/login", form={"name": "Ada"})
    assert "Ada: tea" in client.post("/notes/", form={"text": "tea"}).text
    client.post("/logout")
    assert client.get("/notes/").url.path == "/"
