"""The test that is written of a kept request stays inert text, whatever the request holds."""

import ast
import json
from typing import Any

from antiphon import App
from antiphon.features.recorder.as_test import AppSource, written_test
from antiphon.features.recorder.disguise import LONGEST_TEXT, MOST_SEARCHED, Disguise
from antiphon.features.recorder.record import Record
from tests.helpers.rows import rows


def test_a_hostile_host_is_text_in_the_test():
    authority = 'x.example", request_id=__import__("os").getcwd(), http_version="1.1'
    call = _client_call(_record(scheme="https", authority=authority))
    assert [keyword.arg for keyword in call.keywords] == ["base_url"]
    assert ast.literal_eval(call.keywords[0].value) == f"https://{authority}"


@rows("error", ["nul \0", "carriage \r return", 'quotes """', "backslash \\", "surrogate \udcff", "separator \u2028"])
def test_an_error_of_any_characters_leaves_a_test_that_can_be_saved_and_parsed(error: str):
    ast.parse(_text(_record(error=error)).encode())


def _record(*, scheme: str = "http", authority: str = "localhost", error: str = "") -> Record:
    return Record(
        request_id="abc123", time=0.0, interface="asgi", method="GET", path="/", raw_path=None, query=b"",
        scheme=scheme, authority=authority, root_path="", http_version="1.1", client=None, fields=[], body=b"",
        status=500, error=error,
    )  # fmt: skip


def _text(record: Record) -> str:
    return written_test(App(), record, "abc123", AppSource("shop", "app"), needs_clock=False)


def _client_call(record: Record) -> ast.Call:
    calls: list[Any] = [node for node in ast.walk(ast.parse(_text(record))) if isinstance(node, ast.Call)]
    return next(call for call in calls if getattr(call.func, "id", "") == "Client")


@rows(
    "content_type, body",
    ("application/json", b'"%spassword=hunter22hunter"' % (b"a long text " * 2000)),
    ("application/json", json.dumps({f"password{n}": f"hunter22hunter{n}" for n in range(2000)}).encode()),
    ("application/x-www-form-urlencoded", b"&".join(b"token%d=hunter22hunter%d" % (n, n) for n in range(2000))),
)
def test_what_takes_too_long_to_search_is_replaced_as_a_whole(content_type, body):
    hidden = Disguise()
    hidden.body(body, content_type)
    hidden.search_again()
    made = hidden.body(body, content_type)
    assert len(made) == len(body)
    assert b"hunter22" not in made
    assert hidden.text("a text") != "a text" or body.startswith(b'"')


def test_text_is_searched_up_to_the_limits_of_each_and_of_all():
    longest, hidden = ("a text " * LONGEST_TEXT)[:LONGEST_TEXT], Disguise()
    assert hidden.text(f"{longest}a") != f"{longest}a"
    hidden.search_again()
    assert {hidden.text(longest) for _ in range(MOST_SEARCHED // LONGEST_TEXT)} == {longest}
    assert hidden.text("a") != "a"


@rows("parameters, body", ("", b"x"), ("; boundary=", b"----"), ("; boundary=b", b"--b\r\nContent-Disp"))
def test_a_malformed_form_is_not_kept(parameters, body):
    assert Disguise().body(body, f"multipart/form-data{parameters}") is None
