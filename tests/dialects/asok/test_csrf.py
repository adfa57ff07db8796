"""CSRF tokens: which writes need one, and how pages get it."""

import re

import pytest

from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

FORM = """
calls = []
def render(request):
    if request.method != "GET":
        calls.append(request.method)
        return f"{request.method} {len(calls)}"
    return f"<form>{request.csrf_input()}</form>" if "token" in request.args else "no form"
def options(request): return "safe"
"""
HEADER = "x-csrf-token"


def token_in(page):
    return re.search(r'<input type="hidden" name="csrf_token" value="([\w=-]{64})">', page.text)[1]


@pytest.mark.feature("asok-064", "asok-065")
@rows("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_write_without_a_token_that_counts_reaches_no_page(serve, interface, clients, method):
    client = serve({"page.py": FORM}, interface)
    of_another_visitor = token_in(clients(client.app, interface).get("/?token"))
    token_in(client.get("/?token"))
    assert client.request(method, "/").status == 403
    for given in ("", "wrong", "A" * 64, of_another_visitor):
        assert client.request(method, "/", headers={HEADER: given}).status == 403
        assert client.request(method, "/", form={"csrf_token": given}).status == 403
    assert client.request(method, "/", headers={HEADER: token_in(client.get("/?token"))}).text == f"{method} 1"


@pytest.mark.feature("asok-066", "asok-067", "asok-068")
def test_the_token_is_in_an_input_or_a_header(serve, interface):
    page = """
def render(request):
    if request.method == "POST":
        request.verify_csrf()
        return "done"
    return request.json([request.csrf_input().__html__(), request.csrf_token_value, request.csrf_token()])
"""
    client = serve({"page.py": page}, interface)
    element, token, again = client.get("/").json
    assert token == again
    assert element == f'<input type="hidden" name="csrf_token" value="{token}">'
    assert client.post("/", form={"csrf_token": token}).text == "done"
    assert client.post("/", headers={HEADER: token}, json={}).text == "done"
    assert client.post("/", headers={HEADER: client.cookies["asok_csrf"]}).text == "done"
    assert client.post("/", files={"file": ("a.txt", b"x" * 100_000)}, form={"csrf_token": token}).text == "done"


def test_the_cookie_that_scripts_read_counts_for_nothing_by_itself(serve, interface):
    client = serve({"page.py": FORM}, interface)
    client.cookies.set("asok_csrf", "0123456789abcdef")
    assert client.post("/", headers={HEADER: "0123456789abcdef"}).status == 403
    assert "set-cookie" not in client.get("/").headers


def test_without_the_setting_nothing_is_asked_for_but_that_no_other_site_has_sent_it(serve, interface):
    client = serve({"page.py": FORM}, interface, lambda app: app.config.update(CSRF=False))
    assert 'value=""' in client.get("/?token").text
    assert client.post("/").text == "POST 1"
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert client.post("/", headers=headers).status == 403


@rows(
    "origin, cors, status",
    ("https://evil.example", None, 403),
    ("https://evil.example", "https://partner.example", 403),
    ("https://evil.example", "*", 403),
    ("null", "*", 403),
    ("https://partner.example", "https://partner.example", 200),
)
def test_a_token_does_not_help_a_page_of_another_site(serve, interface, origin, cors, status):
    client = serve({"page.py": FORM}, interface, lambda app: app.config.update(CORS_ORIGINS=cors))
    token = token_in(client.get("/?token"))
    assert client.post("/", headers={HEADER: token, "origin": origin}).status == status


@pytest.mark.parametrize(("backend", "said"), [("memory", 1), ("file", 0)])
def test_a_session_that_another_process_may_have_is_said_once(serve, interface, write, caplog, backend, said):
    config = {"SESSION_BACKEND": backend}
    client = serve({"page.py": FORM}, interface, lambda app: app.config.update(config))
    token = token_in(client.get("/?token"))
    client.cookies.set("asok_sid", "of-another-process")
    for _ in range(2):
        assert client.post("/", headers={HEADER: token}).status == 403
    assert caplog.text.count('SESSION_BACKEND="file"') == said


def test_a_login_and_a_logout_end_tokens_that_were_given_out_before(serve, interface):
    page = """
class User: id = 1
def get(request): return request.csrf_token_value
def post(request): request.login(User()); return "in"
def delete(request): request.logout(); return "out"
"""
    client = serve({"page.py": page}, interface)
    before = client.get("/").text
    assert client.post("/", headers={HEADER: before}).text == "in"
    assert client.delete("/", headers={HEADER: before}).status == 403
    after = client.get("/").text
    assert client.delete("/", headers={HEADER: after}).text == "out"
    assert client.delete("/", headers={HEADER: after}).status == 403
