"""The bookstore with mistakes in it: each is caught by the contract client, by the drift check or by ``--strict``."""

import importlib.util
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from antiphon import Request, Response
from antiphon.features.openapi.changes.operations import Comparison, today
from antiphon.features.openapi.document import Info, make_document
from antiphon.testing import Client, ContractError
from tests.features.openapi import bookstore
from tests.features.openapi.test_bookstore import DOCUMENT, RIGHT, TOKEN, send
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

# Answers that differ from what reading has found


def status(code: int) -> Callable[[Response], None]:
    return lambda response: setattr(response, "status", code)


def body(change: Callable[[Any], Any]) -> Callable[[Response], None]:
    def apply(response: Response) -> None:
        response.body = json.dumps(change(json.loads(response.body))).encode()  # type: ignore[arg-type]

    return apply


def text(content: bytes) -> Callable[[Response], None]:
    return lambda response: setattr(response, "body", content)


def media(name: str) -> Callable[[Response], None]:
    return lambda response: response.headers.update({"content-type": name})


def without(name: str) -> Callable[[Response], None]:
    return lambda response: response.headers.pop(name) and None


def field(name: str, value: Any) -> Callable[[Response], None]:
    return body(lambda data: {**data, name: value})


def lacking(name: str) -> Callable[[Response], None]:
    return body(lambda data: {key: each for key, each in data.items() if key != name})


WRONG: list[tuple[str, Callable[[Response], None], str]] = [
    ("GET /api/books", status(206), "returned 206, which its contract lacks: it has 200, 422"),
    ("GET /api/books", body(lambda data: data[0]), "expected an array, got an object"),
    ("GET /api/books", body(lambda data: [*data, None]), "/1 expected an object, got null"),
    ("GET /api/books", body(lambda data: [{**data[0], "isbn": "1"}]), "/0/isbn is not in the contract"),
    ("GET /api/books", media("text/html"), "returned 200 with text/html, but its contract has application/json"),
    ("POST /api/books", status(200), "returned 200, which its contract lacks"),
    ("POST /api/books", without("location"), "returned 201 without the header location"),
    ("POST /api/books", field("price", "1200"), "/price expected an integer, got a string"),
    ("POST /api/books", field("price", -1), "/price"),
    ("POST /api/books", field("genre", "poem"), "/genre"),
    ("POST /api/books", field("title", ""), "/title"),
    ("POST /api/books", field("authors", ["a"] * 6), "/authors"),
    ("POST /api/books", lacking("id"), "/id is missing"),
    ("POST /api/books", lacking("pages"), "/pages is missing"),
    ("GET /api/books/{number}", status(203), "returned 203, which its contract lacks"),
    ("GET /api/books/{number}", text(b"{"), "it is not JSON"),
    ("GET /api/books/{number}", text(b""), "it is not JSON"),
    ("PUT /api/books/{number}", status(204), "returned 204, which its contract lacks"),
    ("PATCH /api/books/{number}", field("secret", 1), "/secret is not in the contract"),
    ("DELETE /api/books/{number}", status(200), "returned 200, which its contract lacks"),
    ("POST /api/books/{number}/cover", lacking("caption"), "/caption is missing"),
    ("GET /api/books/{number}/text", media("text/csv"), "returned 200 with text/csv, but its contract has text/plain"),
    ("GET /api/books/{number}/label.{kind}", media("image/png"), "returned 200 with image/png"),
    ("POST /api/payments", field("is_paid", "yes"), "/is_paid expected true or false, got a string"),
    ("POST /api/payments", field("method", {"type": "Cash"}), "/method"),
    ("GET /api/basket", field("count", None), "/count expected an integer, got null"),
    ("GET /api/basket", field("lines", {}), "expected an array, got an object"),
    ("POST /api/basket", body(lambda data: [data]), "it is not an object"),
    ("POST /api/orders", field("id", "no uuid"), "/id"),
    ("GET /api/events", media("text/plain"), "returned 200 with text/plain"),
    ("GET /api/export", media("application/json"), "returned 200 with application/json"),
    ("POST /api/contact", field("message", 1), "/message expected a string, got an integer"),
    ("POST /api/search", body(lambda data: {**data, "found": [{"id": "1", "title": "Emma"}]}), "/found/0/id"),
    ("GET /api/newest", without("location"), "returned 307 without the header location"),
    ("GET /api/newest", status(302), "returned 302, which its contract lacks"),
    ("POST /api/raw", field("limit", 9), "/limit expected a string, got an integer"),
]
_alter: list[Callable[[Response], None]] = []


def altered(request: Request, response: Response) -> None:
    _alter[0](response)


@pytest.fixture(scope="module")
def sender() -> Client:
    app = bookstore.make_app()
    app.after_request(altered)
    headers = {"authorization": f"Bearer {TOKEN}"}
    return Client(app, contract=True, follow_redirects=False, headers=headers)


@rows("name, alter, told", WRONG, ids=[f"{name}: {told}" for name, _, told in WRONG])
def test_a_wrong_answer_is_told_with_its_handler(
    sender: Client, name: str, alter: Callable[[Response], None], told: str
) -> None:
    bookstore.shelf.__init__()  # type: ignore[misc]
    _alter[:] = [lambda response: None]
    first = "2" if name in RIGHT or "GET" not in name or "newest" not in name else "3"
    assert str(send(sender, name, "200").status)[0] in (first, "3")
    bookstore.shelf.__init__()  # type: ignore[misc]
    _alter[:] = [alter]
    with pytest.raises(ContractError) as caught:
        send(sender, name, "200")
    assert "bookstore.py:" in str(caught.value)
    assert told in str(caught.value)


# Code that was changed

CHANGED: list[tuple[str, str, str]] = [
    ("return book, 201,", "return book, 200,", "contract"),
    ("return placed, 202", "return placed, 201", "contract"),
    ("shelf.books.pop(number, None)", "return shelf.books.pop(number, None)", "contract"),
    (
        "return [book for book in shelf.books.values()",
        "return [book.title for book in shelf.books.values()",
        "contract",
    ),
    ("return Receipt(transfer, False)", 'return Receipt(transfer, "no")', "contract"),
    ('{"name": sent.file.safe_filename, "size"', '{"name": sent.file.safe_filename, "bytes"', "drift"),
    ('"caption": sent.caption}, 201', '"caption": sent.caption}, 200', "drift"),
    ("request.form_as(Line)", "request.json_as(Line)", "drift"),
    ("request.args_as(Search)", "request.args_as(Line)", "drift"),
    ('raise NotFound("There is no such order.")', 'raise Sold("There is no such order.")', "drift"),
    ('abort(409, "The card is refused.")', 'abort(402, "The card is refused.")', "drift"),
    ("request.precondition(etag=etag_of(known))", "etag_of(known)", "drift"),
    ("return response.make_conditional(request, ranges=False)", "return response", "drift"),
    ('made["message"] = form.data.message', 'made["text"] = form.data.message', "drift"),
    ("before=login_required", "before=[]", "drift"),
    ("idempotent=True", "idempotent=False", "drift"),
    ("signed_url=True", "signed_url=False", "drift"),
    ('RateLimit("1000000/minute")', "login_required", "drift"),
    ('request.cookies.get("theme", "light")', '"light"', "drift"),
    ('request.args["q"]', 'request.args.get("q", "")', "drift"),
    ("ge=0, le=10**6", "ge=0, le=10**5", "drift"),
    ("<any(txt,html):kind>", "<kind>", "drift"),
    ("Response.events([", "Response.ndjson([", "drift"),
    ("max(shelf.books)), 307)", "max(shelf.books)), 302)", "drift"),
    ("request.json_as(Changes)", "request.json_as(globals()[request.method])", "strict"),
    ("return shelf.orders[id]", "return globals()['shelf'].orders[id]", "strict"),
    ('return {"name": request.user}', "return globals()[request.user]", "strict"),
    ('raise Sold("It is sold already.")', 'raise globals()["Sold"]()', "strict"),
]


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[[str, str], ModuleType]]:
    source = Path(bookstore.__file__).read_text("utf-8")

    def load_changed(before: str, after: str) -> ModuleType:
        assert before in source
        file = tmp_path / "changed_bookstore.py"
        file.write_text(source.replace(before, after), "utf-8")
        spec = importlib.util.spec_from_file_location("changed_bookstore", file)
        assert spec is not None
        assert spec.loader is not None
        sys.modules["changed_bookstore"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield load_changed
    sys.modules.pop("changed_bookstore", None)


def send_all(sender: Client) -> None:
    for name in ("GET /api/books", "POST /api/books", "POST /api/payments", "POST /api/orders"):
        send(sender, name, "200")
    send(sender, "DELETE /api/books/{number}", "204")


WRITTEN = DOCUMENT.content


@pytest.mark.parametrize(("before", "after", "by"), CHANGED, ids=[each[0] for each in CHANGED])
def test_a_change_of_the_code_is_noticed(
    load: Callable[[str, str], ModuleType], before: str, after: str, by: str
) -> None:
    app = load(before, after).make_app()
    document = make_document(app, Info("Books", prefix="/api"))
    drift = [*Comparison(WRITTEN, document.content, today()).changes()]
    assert ("strict" if document.unknown else "drift" if drift else "contract") == by
    if by == "contract":
        sender = Client(app, contract=True, headers={"authorization": f"Bearer {TOKEN}"})
        with pytest.raises(ContractError, match=r"changed_bookstore\.py"):
            send_all(sender)
