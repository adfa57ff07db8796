"""Five frameworks answer what docs/explanation/compared.md says: each is served, and asked that page's questions."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest
from httpx2 import Client, Limits, Response

from tests.contract.process import ServerProcess

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
FRAMEWORKS = {"Antiphon": "asgi", "Flask": "wsgi", "FastAPI": "asgi", "Litestar": "asgi", "Django": "asgi"}
PAGE = (ROOT / "docs/explanation/compared.md").read_text()
ROW = re.compile(r"^\| (.+) \|$", re.MULTILINE)
LINES = dict(re.findall(r"^\| \[(\w+)\]\(\S+\) \| (\d+) \|", PAGE, re.MULTILINE))
"""The lines of each program, as the page says."""
ADA = {"name": "Ada", "password": "an oboe in the rain"}
TICKET = {"title": "The lamp is dark"}


def cells() -> dict[str, dict[str, str]]:
    """Return what the page says: for each row of its wide tables, a word of each framework."""
    head = ("", *FRAMEWORKS)
    rows = [found.split(" | ") for found in ROW.findall(PAGE)]
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in rows if len(row) == len(head) and row[0]}


CELLS = cells()


def connected(url: str) -> Client:
    """Return a client with a new connection for each request: Granian closes one whose body nobody has read."""
    return Client(base_url=url, limits=Limits(max_keepalive_connections=0))


class Visitor:
    """A browser with its cookies, which sends the token that Django and Litestar ask pages for."""

    def __init__(self, http: Client) -> None:
        self.http = http
        self.board = http.get("/")
        http.headers["x-csrftoken"] = http.cookies.get("csrftoken", "")

    def log_in(self, **wrong: str) -> Response:
        return self.http.post("/login", data=ADA | wrong)

    def add(self, **request: object) -> Response:
        return self.http.post("/tickets", **request)


def add_text(visitor: Visitor, text: str, content_type: str = "application/json") -> str:
    return str(visitor.add(content=text, headers={"content-type": content_type}).status_code)


def wrong_fields(visitor: Visitor) -> str:
    told = visitor.add(json={"priority": "huge", "title": []}).text
    return "both" if "priority" in told and "title" in told else "the first"


def from_another_site(visitor: Visitor) -> str:
    """Send what a form on another site makes a browser send: with the visitor's cookies, without a token."""
    headers = {"origin": "https://other.example", "sec-fetch-site": "cross-site", "x-csrftoken": ""}
    return str(visitor.add(json=TICKET, headers=headers).status_code)


def openapi(visitor: Visitor) -> str:
    paths = ("/openapi.json", "/schema/openapi.json")
    found = [path for path in paths if visitor.http.get(path).status_code == 200]
    return f"`{found[0]}`" if found else "none"


def seventh_login(visitor: Visitor) -> str:
    return [str(visitor.log_in(password="a guess").status_code) for _ in range(7)][-1]


def error_type(visitor: Visitor) -> str:
    headers = {"accept": "application/json"}
    return f"`{visitor.http.get('/tickets/99', headers=headers).headers['content-type'].partition(';')[0]}`"


QUESTIONS: dict[str, Callable[[Visitor], str]] = {
    "`HEAD /`": lambda visitor: str(visitor.http.head("/").status_code),
    "`GET /tickets?limit=ten`": lambda visitor: str(visitor.http.get("/tickets?limit=ten").status_code),
    "JSON that is cut short": lambda visitor: add_text(visitor, '{"title": "The la'),
    '`{"title": NaN}`': lambda visitor: add_text(visitor, '{"title": NaN}'),
    '`{"title": 7}`': lambda visitor: add_text(visitor, '{"title": 7}'),
    "two invalid fields: the response names": wrong_fields,
    "JSON sent as `text/plain`": lambda visitor: add_text(visitor, '{"title": "Lamp"}', "text/plain"),
    "a write from another site, with the user's cookies": from_another_site,
    "a request for another host": lambda visitor: str(
        visitor.http.get("/", headers={"host": "other.example"}).status_code
    ),
    "OpenAPI document": openapi,
    "a ticket that does not exist, asked for as JSON": error_type,
}
LIMITED = {"Antiphon", "Litestar"}
"""The programs that declare a rate limit for logins, which their frameworks have."""


@pytest.fixture(scope="module", params=FRAMEWORKS)
def served(request):
    """A framework's name, and its application behind Granian."""
    with serving(request.param) as url:
        yield request.param, url


@contextmanager
def serving(name: str) -> Iterator[str]:
    command = ("-m", "granian", "--interface", FRAMEWORKS[name], "--port", "{port}", "--no-log", "{app}")
    with ServerProcess(command, f"examples.compared.{name.lower()}_app:app") as server:
        yield f"http://127.0.0.1:{server.port}"


def test_a_ticket_is_written_and_read(served):
    _, url = served
    with connected(url) as http:
        visitor = Visitor(http)
        assert visitor.add(json=TICKET).status_code == 401
        assert visitor.log_in(password="a guess").status_code == 403
        assert visitor.log_in().status_code == 204
        added = visitor.add(json=TICKET | {"title": "<b>Lamp</b>", "priority": "high"})
        assert added.status_code == 201
        ticket = http.get(added.headers["location"]).json()
        assert ticket == added.json()
        assert (ticket["title"], ticket["priority"], ticket["author"]) == ("<b>Lamp</b>", "high", "Ada")
        assert http.get("/tickets", params={"state": "open", "limit": 1}).json() == [ticket]
        assert http.get("/tickets", params={"state": "closed"}).json() == []
        assert http.get("/tickets/99").status_code == 404
        board = http.get("/")
        assert "Hello, Ada." in board.text
        assert "&lt;b&gt;Lamp" in board.text


def test_the_page_says_what_is_answered(served):
    name, url = served
    with connected(url) as http:
        visitor = Visitor(http)
        visitor.log_in()
        measured = {question: ask(visitor) for question, ask in QUESTIONS.items()}
    assert measured == {question: CELLS[question][name] for question in QUESTIONS}


BUILT_IN = {
    "validation": {
        "FastAPI": "fastapi.exceptions", "Litestar": "litestar.exceptions", "Django": "django.forms",
    },
    "database": {"Django": "django.db.models"},
    "migrations": {"Django": "django.db.migrations"},
    "HTML forms with errors": {"Django": "django.forms"},
    "sessions on the server": {
        "Litestar": "litestar.middleware.session.server_side", "Django": "django.contrib.sessions.backends.base",
    },
    "login": {"Litestar": "litestar.security.session_auth", "Django": "django.contrib.auth"},
    "password hashes, user tables": {"Django": "django.contrib.auth.hashers"},
    "admin pages": {"Django": "django.contrib.admin"},
    "rate limits": {"Litestar": "litestar.middleware.rate_limit"},
    "OpenAPI": {"FastAPI": "fastapi.openapi", "Litestar": "litestar.openapi"},
    "WebSockets": {"FastAPI": "fastapi.websockets", "Litestar": "litestar.handlers.websocket_handlers"},
    "translations": {"Django": "django.utils.translation"},
    "cache of responses": {"Litestar": "litestar.config.response_cache", "Django": "django.middleware.cache"},
    "metrics": {"Litestar": "litestar.plugins.prometheus"},
}  # fmt: skip
"""The part of each framework that is said to have something built in."""


def test_what_is_said_to_be_built_in_can_be_imported():
    others = {row: {name: cell for name, cell in found.items() if name != "Antiphon"} for row, found in CELLS.items()}
    said = {row: {name for name, cell in found.items() if "built in" in cell} for row, found in others.items()}
    assert {row: found for row, found in said.items() if found} == {row: {*found} for row, found in BUILT_IN.items()}
    modules = {module for found in BUILT_IN.values() for module in found.values()}
    assert {module for module in modules if find_spec(module) is None} == set()


@pytest.mark.parametrize("name", FRAMEWORKS)
def test_a_declared_rate_limit_refuses_the_seventh_wrong_password(name):
    # A server of its own: with the one that the other tests share, a login that follows would be refused, too.
    with serving(name) as url, connected(url) as http:
        assert seventh_login(Visitor(http)) == ("429" if name in LIMITED else "403")


def test_the_page_counts_the_lines():
    programs = {name: (ROOT / f"examples/compared/{name.lower()}_app.py").read_text() for name in FRAMEWORKS}
    counts = {name: sum(1 for line in text.splitlines() if line.strip()) for name, text in programs.items()}
    assert {name: int(count) for name, count in LINES.items()} == counts
