"""Planted faults in an application's code, and the same code without them: the audit finds these, and spares those."""

import re
import sys
from pathlib import Path

from click.testing import CliRunner

from antiphon import App
from antiphon.cli.main import main
from antiphon.features.openapi.audit.routes import audited_routes
from tests.helpers.rows import rows

START = """
import functools
import logging
from dataclasses import dataclass
from hmac import compare_digest
from tempfile import mkdtemp
from typing import Annotated, Any
from antiphon import App, Blueprint, Dependency, Request, Response, WebSocket, abort
from antiphon.features import (
    Bearer, CSRFTokens, IdempotentWrites, Languages, MemoryStore, OpenAPI, Personal, RateLimit, SessionLogin, Sessions,
    Signatures, Users, login, login_required, scopes_required,
)


@dataclass
class User:
    id: int
    name: str
    email: str
    password_hash: str
    is_admin: bool = False


@dataclass
class Order:
    id: int
    owner_id: int
    total: int


@dataclass
class Lamp:
    id: int
    name: str


@dataclass
class Login:
    name: str
    password: str


@dataclass
class Address:
    email: str


def load(key: str) -> User | None: ...
def send_mail(to: str) -> None: ...


class Orders:
    def find(self, id: int) -> Order: return orders[id]
    def find_of(self, id: int, user: User) -> Order:
        return database.execute("select * from orders where id = ? and owner = ?", [id, user.id]).fetchone()
    def remove(self, id: int) -> None: database.execute("delete from orders where id = ?", [id])


database: Any = None
LOCALES = mkdtemp()
orders: dict[int, Order] = {}
users: dict[int, User] = {}
log = logging.getLogger(__name__)
ORDERS = Dependency[Orders]("orders")
ME = Dependency[User]("me")
app = App(store=MemoryStore(), secret_keys=["x" * 32])
app.use(Sessions())
app.use(Users(SessionLogin(load), required=ME))
app.use(IdempotentWrites())
app.provide(ORDERS, lambda request: Orders())
"""

PLANTED = re.findall(
    r"=== (\w+): (.*)\n((?s:.*?))\n--- spared\n((?s:.*?))(?=\n===|\Z)",
    (Path(__file__).parent / "planted_faults.txt").read_text("utf-8"),
)
"""The rule, the fault's title, its code, and the same without the fault."""
API = "\napi = App(store=MemoryStore())\napi.use(Users(Bearer(load, scopes=lambda user: ['a'])))\n"


def audit(folder, monkeypatch, code, *arguments):
    (folder / "audited.py").write_text(f"{START}{API}\n{code}\n\napp.mount('/api', api)\n")
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "audited", raising=False)
    result = CliRunner().invoke(main, ["audit", "audited:app", *arguments], catch_exceptions=False)
    sys.modules.pop("audited", None)
    assert result.exit_code != 2, result.output
    return result


@rows("rule, title, fault, twin", PLANTED)
def test_planted_faults_are_found_and_their_twins_spared(tmp_path, monkeypatch, rule, title, fault, twin):
    found = audit(tmp_path, monkeypatch, fault)
    assert (found.exit_code, rule in found.stdout.split()) == (1, True), (title, found.output)
    assert "audited.py:" in found.stdout
    spared = audit(tmp_path, monkeypatch, twin)
    assert (spared.exit_code, spared.output) == (0, ""), title


def test_there_are_thirty_of_each():
    assert len({title for _, title, *_ in PLANTED}) >= 30


EXAMPLES = ["guestbook:make_app", "tour.app:app", "compared.antiphon_app:app", "frameworks.antiphon_app:app"]


def test_the_examples_get_few_lines():
    results = [CliRunner().invoke(main, ["audit", f"examples.{each}"], catch_exceptions=False) for each in EXAMPLES]
    assert {each.exit_code for each in results} <= {0, 1, 4}
    lines = [line for each in results for line in each.stdout.splitlines()]
    assert len(lines) <= 3, lines


UNKNOWN = [
    """
@app.get("/people", host="a.example")
def shown(request: Request) -> list[Lamp]: return []
@app.get("/people", host="b.example")
def people(request: Request) -> list[User]: return [*users.values()]
""",
    """
exec("def show(request, id): return orders[id]")
app.get("/orders/<int:id>", before=login_required)(show)
""",
    """
import shop_library
@app.post("/login")
def log_in(request: Request) -> None: shop_library.enter(request.form["password"])
""",
]


@rows("code", UNKNOWN)
def test_what_is_not_known_is_said(tmp_path, monkeypatch, code):
    (tmp_path / "shop_library.py").write_text("enter = print\n")
    found = audit(tmp_path, monkeypatch, code)
    assert (found.exit_code, found.stdout.split()[0], "it is not known" in found.stdout) == (4, "unknown", True), (
        found.output
    )


SILENCED = """
@app.get('/orders/<int:id>', before=login_required)
def show(request: Request, id: int) -> Order:{}
    return orders[id]
"""


def test_a_comment_with_a_reason_silences(tmp_path, monkeypatch):
    silent = audit(tmp_path, monkeypatch, SILENCED.format("  # audit: owner: all staff sees all orders"))
    assert (silent.exit_code, silent.stdout) == (0, "")
    assert silent.stderr == "Silenced: owner GET /orders/{id}: all staff sees all orders\n"
    for comment in ("  # audit: owner", "  # audit: sibling: it is another rule"):
        told = audit(tmp_path, monkeypatch, SILENCED.format(comment) + f"# {len(comment)}")
        assert (told.exit_code, told.stdout.split()[0]) == (1, "owner")


def test_the_record_of_processing_lists_personal_data(tmp_path, monkeypatch):
    code = """
@dataclass
class Signup:
    nick: Annotated[str, Personal]
    password: str
@app.post('/sign-up', before=RateLimit('5/minute'))
def sign_up(request: Request) -> User:
    '''Add a customer.'''
    request.json_as(Signup)
    return users[1]
"""
    lines = audit(tmp_path, monkeypatch, code, "--record").stdout.splitlines()
    assert lines[0].startswith("| route | purpose | personal data in | personal data out | who may call it |")
    assert lines[2].startswith(
        "| POST /sign-up | Add a customer | nick, password | email, password_hash | anyone |"
        " check of other sites, rate limit | audited.py:"
    )


def inner(request):
    return str(request.path)


def middle(request):
    return inner(request) + inner(request)


def outer(request):
    return middle(request) + middle(request)


def test_a_function_that_is_called_again_is_searched_once():
    app = App()
    app.get("/")(outer)
    [route] = audited_routes(app)
    assert [code.source.node.name for code in route.code] == ["outer", "middle", "inner"]
