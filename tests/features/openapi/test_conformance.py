"""What breaks a contract, in words, by what is known of the answers that the contract has."""

from typing import Any

import pytest

from antiphon.app.application import App
from antiphon.features.openapi.code.responses import JSON
from antiphon.features.openapi.code.values import UNKNOWN, Either, Fields, Items, Known, Of, Statuses, Tuple
from antiphon.features.openapi.conformance import breach_of
from antiphon.features.openapi.contract import Contract
from antiphon.features.openapi.responses import Given
from antiphon.http.headers import Headers
from tests.helpers.rows import rows

NUMBER, TEXT = Of(int), Of(str)
LAMP = Fields((("id", NUMBER), ("name", TEXT)))


def contract(*answers: Given) -> Contract:
    app = App()
    app.get("/")(lambda request: None)
    return Contract(next(iter(app.routes)), "GET", responses=[*answers])


def breach(body: Any, content: bytes) -> str | None:
    return breach_of(contract(Given(200, JSON, body)), 200, Headers([("content-type", JSON)]), content, "GET")


@rows(
    "body, content, wrong",
    (NUMBER, b"7", None),
    (NUMBER, b'"7"', "a body that does not fit int: expected an integer, got a string"),
    (NUMBER, b"{", "a body that does not fit int: it is not JSON"),
    (Known("on"), b'"off"', None),
    (Known(1), b'"off"', "a body that does not fit the contract's value: expected an integer, got a string"),
    (LAMP, b'{"id": 1, "name": "a"}', None),
    (LAMP, b"[]", "a body that does not fit the contract's object: it is not an object"),
    (LAMP, b'{"id": 1}', "a body that does not fit the contract's object: /name is missing"),
    (
        LAMP,
        b'{"id": 1, "name": "a", "b/c": 2}',
        "a body that does not fit the contract's object: /b~1c is not in the contract",
    ),
    (
        LAMP,
        b'{"id": "1", "name": "a"}',
        "a body that does not fit the contract's object: /id expected an integer, got a string",
    ),
    (Items(LAMP), b"[]", None),
    (Items(UNKNOWN), b"[1, null]", None),
    (Items(NUMBER), b"{}", "a body that does not fit the contract's value: it is not an array"),
    (
        Items(LAMP),
        b'[{"id": 1, "name": "a"}, {"id": 2}]',
        "a body that does not fit the contract's value: /1/name is missing",
    ),
    (
        Fields((("lamps", Items(NUMBER)),)),
        b'{"lamps": 1}',
        "a body that does not fit the contract's object: /lamps is not an array",
    ),
    (Tuple((NUMBER, TEXT)), b'[1, "a"]', None),
    (Tuple((NUMBER, TEXT)), b"[1]", "a body that does not fit the contract's value: it is not an array of 2"),
    (Statuses((200, 404)), b"200", None),
    (Statuses((200, 404)), b"null", "a body that does not fit the contract's value: expected an integer, got null"),
    (Either((LAMP, NUMBER)), b"7", None),
    (Either((NUMBER, TEXT)), b"null", "a body that does not fit int or str: expected an integer, got null"),
    (Of(list[int]), b"[1]", None),
    (Of(list[int]), b'["a"]', "a body that does not fit list[int]: /0 expected an integer, got a string"),
    (Of(dict[str, int]), b'{"a": 1}', None),
    (Of(object()), b"7", None),  # a type that can't be read holds nothing
)
def test_a_body_is_compared_with_what_is_known_of_it(body, content, wrong):
    assert breach(body, content) == (wrong and f"returned 200 with {wrong}")


PLAIN = Headers([("content-type", "text/plain; charset=utf-8")])


@pytest.mark.parametrize(
    ("answers", "status", "headers", "content", "method", "wrong"),
    [
        ([Given(204)], 204, Headers([]), b"", "GET", None),
        (
            [Given(204)], 201, Headers([]), b"", "GET",
            "returned 201, which its contract lacks: it has 204; declare it with gives={..., 201: ...}",
        ),
        (
            [], 200, Headers([]), b"", "GET",
            "returned 200, which its contract lacks: it has none; declare it with gives={..., 200: ...}",
        ),
        ([Given(200, JSON, NUMBER)], 200, PLAIN, b"7", "HEAD", None),
        (
            [Given(200, JSON, NUMBER)], 200, PLAIN, b"7", "GET",
            "returned 200 with text/plain, but its contract has application/json",
        ),
        ([Given(204)], 204, PLAIN, b"a", "GET", "returned 204 with text/plain, but its contract has no content"),
        ([Given(200, "text/plain", TEXT)], 200, Headers([]), b"a", "GET",
         "returned 200 with no media type, but its contract has text/plain"),
        ([Given(200, "text/plain", TEXT, ("etag",))], 200, PLAIN, b"a", "GET", "returned 200 without the header etag"),
        ([Given(200, "text/plain", TEXT, is_conditional=True)], 304, Headers([]), b"", "GET", None),
        ([Given(204)], 500, PLAIN, b"a", "GET", None),
    ],
)  # fmt: skip
def test_the_head_of_an_answer_is_compared_too(answers, status, headers, content, method, wrong):
    assert breach_of(contract(*answers), status, headers, content, method) == wrong
