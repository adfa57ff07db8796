"""`antiphon compare`: the cases of a file, sent to an original and to its dialect in processes of their own."""

import os
import re
import subprocess
import sys

import pytest

from antiphon.cli.compare import differences, masked, parse_cases
from antiphon.cli.compare_program import Visitor
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
SERVED_BY_THE_DIALECT_ONLY = """
import flask

class Reed:
    pass

app = Reed() if flask.__package__ == "flask" else flask.Flask("shop")
"""
FAILS_ON_THE_DIALECT = (
    PROGRAM
    + """

@app.get("/fails")
def fails():
    if flask.Flask.__module__ != "flask.app":
        raise LookupError("no such order")
    return "fine"
"""
)
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

    def beside(cases, *options, target="shop:make()", original=sys.executable, dialect="flask", program=PROGRAM):
        (tmp_path / "shop.py").write_text(program)
        (tmp_path / "cases.http").write_bytes(cases.encode() if isinstance(cases, str) else cases)
        command = [sys.executable, "-m", "antiphon", "compare", "--original", original, "--dialect", dialect, *options]
        return subprocess.run(
            [*command, target, "cases.http"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )  # fmt: skip

    return beside


@pytest.mark.processes
def test_cases_that_a_dialect_answers_alike(beside):
    pytest.importorskip("flask")
    done = beside(CASES, "--ignore", "Set-Cookie")
    assert (done.stdout, done.returncode) == ("4 of 4 cases have the same response.\n", 0), done.stderr


@pytest.mark.processes
def test_each_difference_is_printed_and_fails_the_command(beside):
    pytest.importorskip("flask")
    done = beside("GET /where\n### same\nGET /orders")
    assert done.returncode == 1
    assert done.stdout.splitlines() == [
        "GET /where (line 1)",
        "  content-length",
        "    original: '9'",
        "    dialect:  '27'",
        "  x-where",
        "    original: 'flask.app'",
        "    dialect:  'antiphon.dialects.flask.app'",
        "  body",
        "    original: 'flask.app'",
        "    dialect:  'antiphon.dialects.flask.app'",
        "1 of 2 cases have the same response.",
    ]


@pytest.mark.processes
@rows("options, text", [
    ({"dialect": "lute"}, "'lute' is not a dialect"),
    ({"original": "/nowhere/python"}, "/nowhere/python can't be run"),
    ({"target": "nowhere:app"}, "nowhere:app can't be run"),
    ({"target": "shop"}, "'shop' is not a target: write MODULE:APP, such as shop:app"),
    ({"target": "shop:nix"}, "There is no 'nix' in the module 'shop'"),
    ({"target": "shop:nix"}, "These look like applications: shop:app"),
    ({"target": "shop:make().nix"}, "There is no 'make().nix' in the module 'shop'"),
    ({"program": "app = 3", "target": "shop:app"}, "shop:app "),
    ({"program": SERVED_BY_THE_DIALECT_ONLY, "target": "shop:app"}, "name that with (), such as shop:app.wsgifunc()"),
])  # fmt: skip
def test_a_command_that_can_not_compare_says_why(beside, options, text):
    done = beside("GET /", **options)
    assert done.returncode == 2
    assert text in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.processes
def test_a_function_that_makes_the_application_is_called(beside):
    pytest.importorskip("flask")
    assert beside("GET /orders", target="shop:make").returncode == 0


@pytest.mark.processes
def test_a_difference_has_its_title_and_line_and_what_the_program_logged(beside):
    pytest.importorskip("flask")
    done = beside("### fine\nGET /orders\n\n### Preis in €\n\nGET /fails?€", program=FAILS_ON_THE_DIALECT)
    lines = done.stdout.splitlines()
    assert lines[:2] == ["GET /fails?€ (line 6, Preis in €)", "  status"], done.stderr
    assert "  logged by the dialect" in lines
    assert "    LookupError: no such order" in lines
    assert "  logged by the original" not in lines


def changed(tmp_path, folder, greeting, length=4):
    """Write a program without any library, whose tokens differ in their length and whose pages have a number."""
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "shop.py").write_text(
        f"""
from pathlib import Path

def app(environ, start_response):
    path, token, here = environ["PATH_INFO"], "t" * {length}, Path.cwd().name
    pages = {{"/login": f"<token={{token}}>", "/page": "<a={length}> 4 or 6", "/where": here}}
    body = pages.get(path, {greeting!r}).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]
"""
    )


def compared(tmp_path, cases, *options):
    (tmp_path / "cases.http").write_text(cases)
    command = [sys.executable, "-m", "antiphon", "compare", *options, "new/shop:app", "cases.http"]
    return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.processes
@rows("case, lines", [
    ("GET /greeting", [
        "GET /greeting (line 1)",
        "  content-length", "    program before: '5'", "    program after:  '3'",
        "  body", "    program before: 'Hello'", "    program after:  'Hey'",
        "0 of 1 cases have the same response.",
    ]),
    ("GET /where", [
        "GET /where (line 1)",
        "  body", "    program before: 'old'", "    program after:  'new'",
        "0 of 1 cases have the same response.",
    ]),
    ("# @keep token token=(t+)\nGET /login", ["1 of 1 cases have the same response."]),
    ("# @keep number <a=(.)>\nGET /page", ["1 of 1 cases have the same response."]),
])  # fmt: skip
def test_two_programs_are_compared_before_and_after_a_change(tmp_path, case, lines):
    changed(tmp_path, "old", "Hello")
    changed(tmp_path, "new", "Hey", 6)
    done = compared(tmp_path, case, "--before", "old/shop:app")
    assert done.stdout.splitlines() == lines, done.stderr


@pytest.mark.processes
def test_the_length_of_a_masked_body_is_not_compared(tmp_path):
    changed(tmp_path, "old", "Hello")
    changed(tmp_path, "new", "Hey", 6)
    done = compared(tmp_path, "GET /greeting", "--before", "old/shop:app", "--mask", "Hello|Hey")
    assert (done.stdout, done.returncode) == ("1 of 1 cases have the same response.\n", 0), done.stderr


@pytest.mark.processes
@rows("options, text", [
    ((), "--before or --dialect is missing"),
    (("--before", "nowhere/shop:app"), "nowhere can't be run: No such file or directory"),
])  # fmt: skip
def test_a_program_before_is_needed_and_found(tmp_path, options, text):
    changed(tmp_path, "new", "Hey")
    done = compared(tmp_path, "GET /", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert text in done.stderr


def read(text):
    """The cases of a file, and of each the parts that most of the tests are about."""
    return [
        {name: case[name] for name in ("method", "target", "fields", "body", "environ", "keep")}
        for case in parse_cases(text.encode(), "f")
    ]


def test_a_file_has_requests_with_fields_and_bodies():
    assert read("### one\n\n# a note\nPUT /a\nX-A:  b \nhost: b.example\n\n{\n\n}\n\n### two\nGET /c") == [
        {"method": "PUT", "target": "/a", "body": "{\n\n}",
         "fields": [["X-A", "b"], ["host", "b.example"]], "environ": {}, "keep": {}},
        {"method": "GET", "target": "/c", "body": "", "fields": [], "environ": {}, "keep": {}},
    ]  # fmt: skip


@rows("text, said", [
    ("", "f has no cases"),
    ("# only\n###\n", "f has no cases"),
    ("GET http://localhost/", "f, line 1: a request must begin like GET /path"),
    ("###\n\nGET /{{page}}", "f, line 3: 'page' has no value: write # @keep page"),
    ("GET /\nX-A: {{a}}", "f, line 1: 'a' has no value"),
    ("# @environ\nGET /", "f, line 1: write # @environ NAME VALUE"),
    ("# @keep a\nGET /", "f, line 1: write # @keep NAME PATTERN"),
    ("\n// @keep a (\nGET /", r"f, line 2: '\(' is not a regular expression"),
    ("GET /\nno field", "f, line 2: a header field must be like Name: value"),
])  # fmt: skip
def test_a_malformed_file_is_refused_with_its_line(text, said):
    with pytest.raises(BadCommand, match=said):
        parse_cases(text.encode(), "f")


def test_a_case_has_its_title_and_the_line_of_its_request():
    cases = parse_cases(b"GET /\n### the list ###\n\n# a note\nGET /list\n", "f")
    assert [(case["title"], case["line"]) for case in cases] == [("", 1), ("the list", 5)]


@rows("content_type, written, sent", [
    ("text/plain", b"a\r\n\r\nb\n\n", b"a\n\nb"),
    ("text/plain", b"a\xff\x85\x0cb\xe2\x80\xa8c\rd\r\n", b"a\xff\x85\x0cb\xe2\x80\xa8c\rd"),
    ("text/plain", b"< a\n< b", b"< a\n< b"),
    ("text/plain", b"<a>", b"<a>"),
    ("multipart/form-data; boundary=b", b"--b\nX: y\r\n\na\n--b--\n", b"--b\r\nX: y\r\n\r\na\r\n--b--"),
    ("multipart/form-data; boundary=b", b"< body\n", b"### a\n\r\n\xff{{a}}\n"),
])  # fmt: skip
def test_a_body_has_the_bytes_of_the_file_except_for_line_ends(content_type, written, sent, tmp_path):
    (tmp_path / "body").write_bytes(b"### a\n\r\n\xff{{a}}\n")
    text = b"\xef\xbb\xbfPOST /\r\nContent-Type: " + content_type.encode() + b"\r\n\r\n" + written
    [case] = parse_cases(text, str(tmp_path / "cases.http"))
    assert case["body"].encode("latin-1") == sent


def test_a_body_from_a_file_has_kept_values_only_if_it_says_so(tmp_path):
    (tmp_path / "body").write_bytes(b"t={{t}}")
    text = b"# @keep t t=([\\w-]+);\nGET /\n###\nPOST /\n\n< body\n###\nPOST /\n\n<@ body"
    cases = parse_cases(text, str(tmp_path / "cases.http"))
    sent = []

    def application(environ, start_response):
        sent.append(environ["wsgi.input"].read())
        start_response("200 OK", [])
        return [b"t=one;"]

    visitor = Visitor(application)
    for case in cases:
        visitor.send(case)
    assert sent == [b"", b"t={{t}}", b"t=one"]


def test_a_file_that_is_missing_is_an_error_with_its_line(tmp_path):
    with pytest.raises(BadCommand, match=r"line 3: .*nowhere can't be read: No such file"):
        parse_cases(b"POST /\n\n< nowhere", str(tmp_path / "cases.http"))


def test_text_is_sent_as_servers_give_it():
    [case] = parse_cases("# @environ REMOTE_USER à€\nGET /à€?q=à€\nX-A: à€".encode(), "f")
    seen = {}

    def application(environ, start_response):
        seen.update(environ)
        start_response("200 OK", [])
        return []

    Visitor(application).send(case)
    values = [seen[name] for name in ("PATH_INFO", "QUERY_STRING", "HTTP_X_A", "REMOTE_USER")]
    assert [value.encode("latin-1").decode() for value in values] == ["/à€", "q=à€", "à€", "à€"]


def test_an_asgi_application_gets_the_same_bytes():
    [case] = parse_cases("GET /à€?q=à€\nX-A: à€".encode(), "f")
    seen = {}

    async def app(scope, receive, send):
        seen.update(scope)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    assert Visitor(app).send(case)["raised"] == ""
    assert (seen["path"], seen["raw_path"].decode(), seen["query_string"].decode()) == ("/à€", "/à€", "q=à€")
    assert dict(seen["headers"])[b"x-a"].decode() == "à€"


ANSWER = {"status": 200, "reason": "OK", "fields": [["a", "1"], ["date", "now"]], "body": "hi", "raised": ""}
FAILED = {"status": 0, "fields": [], "body": "", "raised": "KeyError: 'a'"}


@rows("change, parts", [
    ({}, []),
    ({"fields": [["date", "later"], ["a", "1"]]}, []),
    ({"status": 404}, ["status"]),
    ({"reason": "Fine"}, ["reason"]),
    ({"reason": ""}, []),
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
    ("a=b; Expires=Wed, 25 Nov 2026 22:00:00 GMT", "a=b; expires=Wed, 25-Nov-2026 22:00:02 GMT", True),
    ("a=b; Expires=Wed, 25 Nov 2026 22:00:00 GMT", "a=b; expires=Wed, 25 Nov 2026 23:00:00 GMT", False),
    ("a=b; Expires=Wed, 25 Nov 2026 22:00:00 GMT", "a=b", False),
    ("a=b; Expires=never", "a=b; Expires=later", False),
    ("a=b; Expires=Wed, 25 Nov 2026 22:00:00 GMT", "a=c; Expires=Wed, 25 Nov 2026 22:00:00 GMT", False),
])  # fmt: skip
def test_a_cookie_is_compared_as_browsers_read_it(original, dialect, is_same):
    mine, theirs = ({**ANSWER, "fields": [["set-cookie", each]]} for each in (original, dialect))
    assert (differences(mine, theirs) == []) is is_same


def test_one_cookie_can_be_ignored():
    mine, theirs = ({**ANSWER, "fields": [["set-cookie", f"A={n}"], ["set-cookie", f"b={n}"]]} for n in (1, 2))
    found = differences(mine, theirs, {"set-cookie:a"})
    assert [each.original for each in found] == ["'b=1'"]


def test_bodies_are_shown_around_their_first_difference():
    mine, theirs = ({**ANSWER, "body": "é".encode().decode("latin-1") * 500 + each + "x" * 500} for each in ("a", "b"))
    [found] = differences(mine, theirs)
    assert found.original == f"...'{'é' * 60}a{'x' * 139}'... (1001 characters)"
    assert found.dialect == f"...'{'é' * 60}b{'x' * 139}'... (1001 characters)"


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

    visitor = Visitor(app)
    case = {"method": "POST", "target": "/a%20b?c=d", "fields": [], "body": "given"}
    answers = [visitor.send(case) for _ in range(2)]
    assert [answer["body"] for answer in answers] == ["given /a b none", "given /a b seen=once"]
    assert answers[0]["status"] == 201
    assert Visitor(failing).send(case)["raised"] == "LookupError: no such order"


TOKENS = iter(range(100, 999))


def application_with_tokens(environ, start_response):
    token = f"token-{next(TOKENS)}"
    body = f"{environ['QUERY_STRING']} {environ['wsgi.input'].read()} {environ.get('REMOTE_USER')} t={token};"
    start_response("200 OK", [("X-Token", token)])
    return [body.encode()]


def test_a_case_sends_values_of_earlier_responses_and_of_its_environ():
    cases = parse_cases(
        """
        # @keep t t=([\\w-]+);
        GET /?a
        ###
        # @environ REMOTE_USER ada
        POST /?{{t}}
        X-A: {{t}}

        t={{t}}&u={{u}}
        """.replace(" " * 8, "").encode(),
        "f",
    )
    visitor = Visitor(application_with_tokens)
    first, second = map(visitor.send, cases)
    assert first == {
        "status": 200, "reason": "OK", "fields": [["x-token", "{{t}}"]], "body": "a b'' None t={{t}};", "raised": "",
        "kept": visitor.kept, "is_masked": True,
    }  # fmt: skip
    assert second["body"] == f"{{{{t}}}} b't={{{{t}}}}&u={{{{u}}}}' ada t=token-{next(TOKENS) - 1};"
    assert visitor.kept["t"] != second["fields"][0][1]


def test_a_value_that_is_not_in_the_response_ends_the_comparison():
    [case] = parse_cases(b"# @keep t nothing=(.*)\nGET /form", "f")
    with pytest.raises(SystemExit, match=r"The response to GET /form has no 'nothing=\(\.\*\)'"):
        Visitor(application_with_tokens).send(case)


def test_an_asgi_application_gets_the_part_of_an_environ_that_it_knows():
    async def app(scope, receive, send):
        body = repr([scope["root_path"], scope["path"], scope["raw_path"], scope["client"], scope["scheme"]])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body.encode()})

    environ = {"SCRIPT_NAME": "/a", "REMOTE_ADDR": "192.0.2.1", "wsgi.url_scheme": "https", "REMOTE_USER": "ada"}
    case = {"method": "GET", "target": "/b", "fields": [], "body": "", "environ": environ}
    assert Visitor(app).send(case)["body"] == "['/a', '/a/b', b'/a/b', ('192.0.2.1', 1), 'https']"


@rows("name, original, dialect, is_same", [
    ("allow", ["GET, HEAD"], ["HEAD,GET"], True),
    ("vary", ["Cookie", "Accept"], ["accept, cookie"], True),
    ("vary", ["Cookie"], ["Cookie, Accept"], False),
    ("allow", ["GET"], ["get"], False),
    ("x-allow", ["GET, HEAD"], ["HEAD, GET"], False),
])  # fmt: skip
def test_fields_that_are_sets_have_no_order(name, original, dialect, is_same):
    mine, theirs = ({**ANSWER, "fields": [[name, each] for each in values]} for values in (original, dialect))
    assert (differences(mine, theirs) == []) is is_same


def test_what_a_mask_matches_is_not_compared():
    answers = [{**ANSWER, "fields": [["csp", f"nonce-{n}a"]], "body": f"<script nonce={n}a>"} for n in range(2)]
    assert [each.part for each in differences(*answers)] == ["csp", "body"]
    assert differences(*(masked(each, [re.compile(r"(?<=nonce.)\w+")]) for each in answers)) == []


@pytest.mark.processes
def test_masks_and_malformed_ones(beside):
    pytest.importorskip("flask")
    done = beside("GET /where", "--mask", r"(antiphon\.dialects\.)?flask\.app", "--ignore", "Content-Length")
    assert done.stdout == "1 of 1 cases have the same response.\n", done.stderr
    assert "--mask: '(' is not a regular expression" in beside("GET /where", "--mask", "(").stderr
