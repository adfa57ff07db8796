"""The names of tools, held against the rules of the clients that the page about tools lists."""

import re
from pathlib import Path

import pytest

from antiphon import App, Blueprint, Request
from antiphon.features import OpenAPI, Tools
from antiphon.testing import Client
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[3] / "docs/reference/mcp.md").read_text()
RULES = [
    [cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.splitlines() if "https://" in line and "|" in line
]
"""The rows of the page's table: the client, its pattern and what it does otherwise, its maximum, and the source."""
SERVER = "tracker-of-our-team"
VERBS = ("add", "archive", "assign", "close", "comment-on", "copy", "delete", "find", "label", "list", "lock", "merge",
         "move", "open", "pin", "rate", "rename", "show", "split", "watch")  # fmt: skip


def make_app() -> App:
    app = App()
    app.use(api := OpenAPI("Tracker", prefix="/tracker"))
    app.use(Tools(api))
    for name, thing in (("tracker", "ticket"), ("wiki-pages", "page.of-wiki")):
        blueprint = Blueprint(name, prefix=f"/tracker/{name}")
        for verb in VERBS:
            blueprint.post(f"/{verb}", name=f"{verb}.{thing}", tool=True)(run)
        app.register(blueprint)
    return app


def run(request: Request) -> str:
    """Do it."""
    return request.path


@pytest.fixture(scope="module")
def names() -> list[str]:
    return [*Client(make_app()).tools.list()]


@rows("client, rule, maximum, source", RULES, ids=[each[0] for each in RULES])
def test_two_blueprints_with_forty_tools_keep_the_rules_of_a_client(names, client, rule, maximum, source):
    prefix = SERVER if "with the server's name" in client else ""
    pattern = rule.split("`")[1]
    assert [name for name in names if not re.fullmatch(pattern, prefix + name)] == []
    assert len(names) <= int((re.findall(r"\d+", maximum) or ["40"])[0])
    assert re.search(r"\(https://\S+\), (20\d\d-\d\d|[\d.]+)", source)


def test_the_rules_refuse_what_their_clients_refuse():
    refused = {each[0] for each in RULES if not re.fullmatch(each[1].split("`")[1], "tracker.add_ticket")}
    assert refused == {each[0] for each in RULES} - {"Gemini's API", "Cursor, with the server's name"}
    assert len(RULES) >= 5


def test_each_of_forty_tools_can_be_called_by_its_name_and_its_route_s(names):
    client = Client(make_app())
    assert (len(names), names) == (40, sorted({*names}))
    for name in (*names, "tracker.add.ticket", "wiki-pages.comment-on.page.of-wiki"):
        assert client.tools.call(name).text.startswith("/tracker/"), name
