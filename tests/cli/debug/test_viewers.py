"""Everything that debug mode adds, wherever it is added, and the clients that may not see it."""

import pytest

from antiphon import App, Request
from antiphon.cli.debug.requests import DOCS, PLACE, WithLastRequests
from antiphon.cli.target import Target
from antiphon.cli.workers.unloaded import Report
from antiphon.features import Cache, CSRFTokens, MemoryStore, OpenAPI, Page, Sessions, Slot, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@pytest.fixture
def client(in_debug, tmp_path):
    (tmp_path / "page.html").write_text("{{ slot('a') }}")
    app = App(store=MemoryStore())
    app.use(Sessions())
    app.use(CSRFTokens())
    app.use(Templates(tmp_path))
    app.use(OpenAPI("Lamps", docs="/docs"))
    app.use(Cache())
    app.get("/bug")(lambda request: 1 / 0)
    app.get("/name")(lambda request: request.args["missing"])
    app.post("/write")(lambda request: "")
    app.get("/slot")(lambda request: Page("page.html", a=Slot(lambda: 1 / 0)))
    app.get("/cached")(lambda request: str(request.cookies.get("a")))

    @app.get("/breach")
    def breach(request: Request) -> list[int]:
        return ["not a number"]

    return Client(WithLastRequests(app, None, Target.parse("shop:app")), base_url="http://localhost:8000")


ADDED = [
    ("GET", "/bug", "ZeroDivisionError"),
    ("GET", "/name?sent=1", "query: sent"),
    ("GET", "/nowhere", "/breach"),
    ("POST", "/write", "There is no token"),
    ("GET", "/slot", "ZeroDivisionError"),
    ("GET", "/cached", 'detail="reads-cookie"'),
    ("GET", "/docs", "expected an integer"),
    ("GET", PLACE, "The last requests"),
    ("GET", f"{DOCS}/how-to/forms.md", "<h1"),
]
FOREIGN = [{"host": "evil.example"}, {"origin": "http://evil.example"}, {"via": "1.1 tunnel"}]


@rows("sent", FOREIGN)
@rows("method, path, shown", ADDED)
def test_what_is_added_is_shown_to_the_developer_alone(client, method, path, shown, sent):
    client.get("/breach")
    own = {"sec-fetch-site": "same-origin"}
    seen, hidden = (client.request(method, path, headers={"accept": "*/*", **each}) for each in (own, sent))
    assert shown in seen.text + str(seen.headers.items())
    assert shown not in hidden.text + str(hidden.headers.items())


@rows("sent", FOREIGN)
def test_why_an_app_can_not_be_loaded_is_shown_to_the_developer_alone(sent):
    client = Client(Report("No module named shop").load(None), base_url="http://localhost:8000")
    assert "shop" in client.get("/").text
    assert "shop" not in client.get("/", headers=sent).text
