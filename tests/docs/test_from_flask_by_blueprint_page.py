"""The page on moving a Flask app by blueprints: its apps are one site to visitors, who stay logged in."""

import re
from pathlib import Path

from antiphon.testing import Client
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/from-flask-by-blueprint.md").read_text()
STATES = dict(
    zip(
        ("before", "during"),
        re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL),
        strict=True,
    )
)
FLASKS = {"Flask": "import flask", "the dialect": "from antiphon.dialects import flask"}


def make_app(state, flask="Flask"):
    page: dict = {"__name__": "page"}
    exec(STATES[state].replace("import flask", FLASKS[flask]), page)
    return page["app"]


@rows("flask", FLASKS)
@rows("state", STATES)
def test_visitors_see_one_site(state, flask):
    client = Client(make_app(state, flask), "wsgi")
    assert client.get("/notes").url.path == "/"  # nobody is logged in
    assert 'stranger. <a href="/notes/">' in client.get("/").text
    listing = client.post("/login", form={"name": "Ada"})
    assert listing.url.path == "/notes/"
    assert '<a href="/">Home</a>' in listing.text
    assert "<li>Ada: &lt;tea&gt;</li>" in client.post("/notes/", form={"text": "<tea>"}).text
    assert "Hello, Ada." in client.get("/").text
    client.post("/logout")
    assert client.get("/notes/").url.path == "/"
    assert client.get("/nowhere").status == 404


@rows("first", STATES)
@rows("then", STATES)
def test_a_login_outlives_each_step(first, then):
    visitor, later = Client(make_app(first), "wsgi"), Client(make_app(then), "wsgi")
    visitor.post("/login", form={"name": "Ada"})
    later.cookies.set("session", visitor.cookies["session"])
    assert "Hello, Ada." in later.get("/").text
    assert later.get("/notes/").url.path == "/notes/"


@rows("interface", ["asgi", "rsgi"])
def test_both_apps_write_the_session_over_each_interface(interface):
    client = Client(make_app("during"), interface)
    client.post("/login", form={"name": "Ada"})
    assert "Ada: tea" in client.post("/notes/", form={"text": "tea"}).text
    client.post("/logout")
    assert client.get("/notes/").url.path == "/"


def test_the_blueprint_that_stays_is_not_changed():
    (stays,) = re.findall(r"^accounts = .*?(?=^notes = )", STATES["before"], re.MULTILINE | re.DOTALL)
    assert stays in STATES["during"]
