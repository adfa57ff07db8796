"""`antiphon beside`: the cases of a file, sent to an original and to its dialect in processes of their own."""

import os
import subprocess
import sys
from http.cookies import SimpleCookie

import pytest

from antiphon.cli import beside_program
from antiphon.cli.beside import differences, parse_cases
from antiphon.cli.errors import BadCommand
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

PROGRAM = """
import flask

app = flask.Flask("shop")
app.secret_key = "a key of the tests"


@app.get("/orders")
def orders():
    print("seen by people, and not part of the answer")
    return {"page": flask.request.args.get("page", "1"), "visits": flask.session.get("visits", 0)}


@app.post("/orders")
def order():
    flask.session["visits"] = flask.session.get("visits", 0) + 1
    return flask.request.form["item"], 201, {"X-Count": flask.request.form["count"]}


@app.get("/where")
def where():
    response = flask.make_response(flask.Flask.__module__, 200)
    response.headers["X-Where"] = flask.Flask.__module__
    return response


def make():
    return app
"""
CASES = """
# the list
GET /orders?page=2

### a new order
// whose cookie the next case sends
POST /orders HTTP/1.1
Content-Type: application/x-www-form-urlencoded

item=caf%C3%A9&count=2
### the list again
GET /orders
### nothing
DELETE /nowhere
"""


@pytest.fixture
def beside(tmp_path):
    """A function that runs the command on cases."""
    (tmp_path / "shop.py").write_text(PROGRAM)

    def beside(cases, *options, target="shop:make()", original=sys.executable, dialect="flask"):
        (tmp_path / "cases.http").write_text(cases)
        command = [sys.executable, "-m", "antiphon", "beside", "--original", original, "--dialect", dialect, *options]
        return subprocess.run(
            [*command, target, "cases.http"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    return beside


@pytest.mark.processes
def test_cases_that_a_dialect_answers_alike(beside):
    pytest.importorskip("flask")
    done = beside(CASES, "--ignore", "Set-Cookie")
    assert (done.stdout, done.returncode) == ("4 of 4 cases have the same answer.\n", 0), done.stderr


@pytest.mark.processes
def test_each_difference_is_printed_and_fails_the_command(beside):
    pytest.importorskip("flask")
    done = beside("GET /where\n### same\nGET /orders")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "GET /where",
        "  content-length",
        "    original: '9'",
        "    dialect:  '27'",
        "  x-where",
        "    original: 'flask.app'",
        "    dialect:  'antiphon.dialects.flask.app'",
        "  body",
        "    original: 'flask.app'",
        "    dialect:  'antiphon.dialects.flask.app'",
        "1 of 2 cases have the same answer.",
    ]


@pytest.mark.processes
@rows("options, text", [
    ({"dialect": "lute"}, "'lute' is not a dialect"),
    ({"original": "/nowhere/python"}, "/nowhere/python can't be run"),
    ({"target": "nowhere:app"}, "nowhere:app can't be loaded"),
])  # fmt: skip
def test_a_command_that_can_not_compare_says_why(beside, options, text):
    done = beside("GET /", **options)
    assert done.returncode == 2
    assert text in done.stderr


def test_a_file_has_requests_with_fields_and_bodies():
    assert parse_cases("### one\n\n# a note\nPUT /a\nX-A:  b \nhost: b.example\n\n{\n\n}\n\n### two\nGET /c", "f") == [
        {"method": "PUT", "target": "/a", "body": "{\n\n}",
         "fields": [["X-A", "b"], ["host", "b.example"], ["Content-Length", "4"]]},
        {"method": "GET", "target": "/c", "body": "", "fields": [["Host", "localhost"]]},
    ]  # fmt: skip


@rows("text, said", [
    ("", "f has no cases"),
    ("# only\n###\n", "f has no cases"),
    ("GET http://localhost/", "f, line 1: a request must begin like GET /path"),
    ("###\n\nGET /{{page}}", "f, line 3: a request"),
    ("GET /\nno field", "f, line 2: a header field must be like Name: value"),
])  # fmt: skip
def test_a_malformed_file_is_refused_with_its_line(text, said):
    with pytest.raises(BadCommand, match=said):
        parse_cases(text, "f")


ANSWER = {"status": 200, "fields": [["a", "1"], ["date", "now"]], "body": "hi", "raised": ""}
FAILED = {"status": 0, "fields": [], "body": "", "raised": "KeyError: 'a'"}


@rows("change, parts", [
    ({}, []),
    ({"fields": [["date", "later"], ["a", "1"]]}, []),
    ({"status": 404}, ["status"]),
    ({"fields": [["a", "2"]]}, ["a"]),
    ({"fields": [["a", "1"], ["a", "1"], ["b", ""]]}, ["a", "b"]),
    ({"body": "ho"}, ["body"]),
])  # fmt: skip
def test_parts_of_answers_that_differ(change, parts):
    assert [each.part for each in differences(ANSWER, {**ANSWER, **change})] == parts


@rows("original, dialect, is_same", [
    ("a=b; Path=/x; expires=now", "a=b; Expires=now; path=/x", True),
    ('a=""; SameSite=lax', "a=;samesite=Lax", True),
    ("a=b", "a=B", False),
    ("a=b; Path=/x", "a=b; Path=/X", False),
    ("a=b; HttpOnly", "a=b", False),
    ("a=b; Max-Age=1", "a=b; Max-Age=2", False),
])  # fmt: skip
def test_a_cookie_is_compared_as_browsers_read_it(original, dialect, is_same):
    mine, theirs = ({**ANSWER, "fields": [["set-cookie", each]]} for each in (original, dialect))
    assert (differences(mine, theirs) == []) is is_same


def test_an_error_that_only_one_raises_differs():
    assert differences(FAILED, FAILED) == []
    [found] = differences(ANSWER, FAILED)
    assert (found.original, found.dialect) == ("none", "KeyError: 'a'")


def test_an_asgi_application_gets_each_case_with_the_cookies_of_those_before():
    async def app(scope, receive, send):
        sent = dict(scope["headers"])
        body = (await receive())["body"] + b" " + scope["path"].encode() + b" " + sent.get(b"cookie", b"none")
        fields = [(b"Content-Type", b"text/plain"), (b"Set-Cookie", b"seen=once")]
        await send({"type": "http.response.start", "status": 201, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    async def failing(scope, receive, send):
        raise LookupError("no such order")

    cookies = SimpleCookie()
    case = {"method": "POST", "target": "/a%20b?c=d", "fields": [["Host", "localhost"]], "body": "given"}
    answers = [beside_program.answer(app, case, cookies) for _ in range(2)]
    assert [answer["body"] for answer in answers] == ["given /a b none", "given /a b seen=once"]
    assert answers[0]["status"] == 201
    assert beside_program.answer(failing, case, cookies)["raised"] == "LookupError: no such order"
