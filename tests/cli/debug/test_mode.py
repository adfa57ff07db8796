"""The answers to errors while the debug mode is on, and that they are what they were while it is off."""

import logging

import pytest

import antiphon
from antiphon import App, HTTPError, abort
from antiphon.cli.debug.mode import switch_on
from antiphon.handler.errors import set_debug_page
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")


@pytest.fixture(params=["def", "async def"])
def style(request):
    return request.param


def app_of(style, **settings):
    """An app that fails in these ways, by handlers of this style."""
    app = App(**settings)

    def fails(path, error):
        if style == "def":

            @app.route(path, methods=["GET", "POST"], name=path)
            def blocks(request):
                raise error()
        else:

            @app.route(path, methods=["GET", "POST"], name=path)
            async def waits(request):
                raise error()

    fails("/bug", lambda: LookupError("<script>alert('lost')</script>"))
    fails("/missing", lambda: HTTPError(404, "There is no such page."))
    fails("/unavailable", lambda: HTTPError(503, "Come back.", headers={"retry-after": "9"}))
    fails("/handled", lambda: ArithmeticError("handled"))
    fails("/late", lambda: TimeoutError("late"))
    app.errorhandler(ArithmeticError)(lambda request, error: ("It was handled.", 500))
    return app


def test_it_is_off_unless_the_command_switches_it_on(interface, style):
    assert not antiphon.is_debug()
    with Client(app_of(style), interface, base_url="http://localhost") as client:
        response = client.get("/bug", headers={"accept": "text/html"})
    assert "lost" not in response.text


def test_an_error_is_answered_by_a_page_that_shows_it(pages, interface, style):
    response = pages(app_of(style), interface).page("/bug")
    assert (response.status, response.content_type) == (500, "text/html; charset=utf-8")
    assert (
        "<h1><b>LookupError</b> <span>&lt;script&gt;alert(&#x27;lost&#x27;)&lt;/script&gt;</span></h1>" in response.text
    )
    assert "<script>alert" not in response.text
    assert "raise error()" in response.shown
    assert response.headers["x-request-id"] in response.text


def test_a_page_is_kept_by_nobody_and_runs_nothing_but_its_own_scripts(pages, interface, style):
    headers = pages(app_of(style), interface).page("/bug").headers
    assert headers["cache-control"] == "no-store"
    assert headers["x-frame-options"] == "DENY"
    policy = dict(each.strip().split(" ", 1) for each in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in headers["content-security-policy"]
    assert "nonce" not in policy["script-src"]


def test_an_error_is_answered_by_problem_details_to_clients_of_an_api(pages, interface, style):
    response = pages(app_of(style), interface).problem("/bug")
    assert (response.status, response.content_type) == (500, "application/problem+json")
    assert (response.json["status"], response.json["request_id"]) == (500, response.headers["x-request-id"])
    debug = response.json["debug"]
    [error] = debug["errors"]
    assert (error["type"], error["message"]) == ("LookupError", "<script>alert('lost')</script>")
    frame = error["frames"][-1]
    assert (frame["file"], frame["code"], frame["is_own"]) == (__file__, "raise error()", True)
    assert frame["line"] > 0
    assert frame["variables"]["request"] == "<Request GET '/bug'>"
    assert debug["traceback"].startswith("Traceback (most recent call last):\n")
    assert debug["traceback"].endswith("LookupError: <script>alert('lost')</script>")


def test_an_error_of_status_500_and_above_keeps_its_status_and_its_headers(pages, interface, style):
    client = pages(app_of(style), interface)
    for response in (client.page("/unavailable"), client.problem("/unavailable")):
        assert (response.status, response.headers["retry-after"]) == (503, "9")
        assert "HTTPError" in response.text
    assert client.problem("/unavailable").json["detail"] == "Come back."


@pytest.mark.parametrize(("path", "status"), [("/missing", 404), ("/handled", 500)])
def test_what_is_an_answer_stays_as_it_is(pages, interface, style, path, status):
    with Client(app_of(style), interface, base_url="http://localhost:8000") as client:
        set_debug_page(None)
        usual = client.get(path)
        switch_on(is_for_loopback=True)
        response = client.get(path)
    assert response.status == usual.status == status
    assert response.headers.keys() == usual.headers.keys()
    assert "Traceback" not in response.text


def test_head_has_no_body(pages, interface, style):
    response = pages(app_of(style), interface).page("/bug", "HEAD")
    assert (response.status, response.body) == (500, b"")


HOSTS = [
    ("localhost", True), ("localhost:8000", True), ("shop.localhost", True), ("127.0.0.1:8000", True), ("[::1]", True),
    ("192.168.0.7", True), ("evil.example", False), ("localhost.evil.example", False), ("", False),
]  # fmt: skip


@pytest.mark.parametrize(("host", "is_shown"), HOSTS)
def test_names_that_others_may_lead_to_this_machine_get_the_usual_answer(pages, interface, style, host, is_shown):
    client = pages(app_of(style), interface)
    assert ("LookupError" in client.page("/bug", headers={"host": host}).text) is is_shown
    assert ("debug" in client.problem("/bug", headers={"host": host}).json) is is_shown


def test_the_log_says_once_why_a_name_gets_the_usual_answer(pages, interface, style, caplog):
    client = pages(app_of(style), interface)
    for _ in range(2):
        client.page("/bug", headers={"host": "shop.test:8000"})
    [message] = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert message == (
        "Debug mode shows nothing under the host 'shop.test', since it may not be a name of this machine: open the"
        " app under localhost or an IP address, or accept other machines with --host."
    )


@rows("is_for_loopback", [True, False])
@rows(
    "sent",
        {"x-forwarded-for": "203.0.113.7"}, {"X-Forwarded-Host": "shop.example"}, {"x-forwarded-proto": "https"},
        {"forwarded": "for=203.0.113.7"}, {"x-real-ip": "203.0.113.7"}, {"via": "1.1 tunnel"},
        {"x-client-ip": "203.0.113.7"}, {"x-cluster-client-ip": "203.0.113.7"}, {"fastly-client-ip": "203.0.113.7"},
        {"do-connecting-ip": "203.0.113.7"}, {"cf-ray": "230b030023ae2822-SJC"}, {"cdn-loop": "cloudflare"},
        {"x-envoy-external-address": "203.0.113.7"}, {"x-azure-clientip": "203.0.113.7"}, {"x-original-url": "/bug"},
        {"x-rewrite-url": "/bug"}, {"x-appengine-user-ip": "203.0.113.7"}, {"x-amzn-trace-id": "Root=1-67891233"},
        {"x-vercel-forwarded-for": "203.0.113.7"}, {"x-nf-client-connection-ip": "203.0.113.7"},
        {"x-forwarded": "for=203.0.113.7"}, {"front-end-https": "on"}, {"x-scheme": "https"}, {"x-url-scheme": "https"},
        {"cloudfront-viewer-address": "203.0.113.7:1"}, {"x-remote-addr": "203.0.113.7"},
    ids=lambda sent: next(iter(sent)),
)  # fmt: skip
def test_clients_of_a_proxy_that_is_not_declared_get_the_usual_answer(
    pages, interface, style, sent, is_for_loopback, caplog
):
    switch_on(is_for_loopback=is_for_loopback)
    with Client(app_of(style), interface, base_url="http://localhost", timeout=10.0) as client:
        for accept in ("text/html", "application/json"):
            assert "lost" not in client.get("/bug", headers={"accept": accept, **sent}).text
        assert "lost" in client.get("/bug").text
    assert caplog.text.count("App(trusted_proxies=[...])") == 1


def test_clients_of_a_declared_proxy_are_shown_errors(pages, style):
    app = app_of(style, trusted_proxies=["127.0.0.0/8"])
    sent = {"accept": "text/html", "x-forwarded-for": "192.0.2.7"}
    with Client(app, "asgi", base_url="http://localhost", timeout=10.0) as client:
        assert "lost" in client.get("/bug", headers=sent).text


def test_where_others_are_served_too_every_name_is_shown_errors(pages, interface, style):
    client = pages(app_of(style), interface)
    switch_on(is_for_loopback=False)
    assert "LookupError" in client.page("/bug", headers={"host": "shop.example"}).text


@pytest.mark.parametrize(
    ("site", "mode", "is_shown"),
    [
        ("cross-site", "cors", False),
        ("cross-site", "no-cors", False),
        ("cross-site", "navigate", True),
        ("same-site", "cors", True),
        ("same-origin", "cors", True),
        ("none", "navigate", True),
    ],
)
def test_a_script_of_another_site_gets_the_usual_answer(pages, interface, style, site, mode, is_shown):
    fetched = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    assert ("LookupError" in pages(app_of(style), interface).page("/bug", headers=fetched).text) is is_shown


@pytest.mark.parametrize(
    ("origin", "host", "is_shown"),
    [
        ("http://evil.example", "127.0.0.1:8000", False),
        ("null", "127.0.0.1:8000", False),
        ("http://[", "127.0.0.1:8000", False),
        ("http://127.0.0.1:5173", "127.0.0.1:8000", True),
        ("http://[::1]:5173", "[::1]:8000", True),
    ],
)
def test_where_browsers_do_not_tell_of_sites_another_origin_gets_the_usual_answer(
    pages, interface, style, origin, host, is_shown
):
    page = pages(app_of(style), interface).page("/bug", headers={"origin": origin, "host": host})
    assert ("LookupError" in page.text) is is_shown


def test_where_no_route_is_the_nearest_ones_are_listed(pages, interface, style, app):
    app.get("/users/<int:number>")(lambda request, number: "")
    app.post("/<b>")(lambda request: "")
    inner = app_of(style)
    app.mount("/shop", inner)
    client = pages(app, interface)
    page = client.page("/user/7")
    assert (page.status, "Traceback" in page.text) == (404, False)
    assert page.shown.index("/users/<int:number>") < page.shown.index("/<b>")
    assert "<b>" not in page.text
    assert "/users/<int:number>" in client.problem("/user/7").json["debug"]["routes"][0]
    assert "GET,POST  /shop/bug" in client.problem("/shop/bugs").json["debug"]["routes"][0]
    assert "Routes" not in client.page("/shop/missing").text
    assert "Routes" not in pages(App(), interface).page("/").text
    assert "routes" not in client.page("/user/7", headers={"host": "evil.example"}).text


def test_a_failure_of_the_debug_mode_itself_leaves_the_usual_answer(pages, interface, style, caplog, monkeypatch):
    client = pages(app_of(style), interface)
    monkeypatch.setattr("antiphon.cli.debug.mode.report_of", lambda *arguments: 1 / 0)
    response = client.problem("/bug")
    assert (response.status, "debug" in response.json) == (500, False)
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 2


def test_the_reason_of_a_word_of_another_framework_is_in_the_page(pages, interface, app):
    app.get("/")(lambda request: request.json())
    assert "request.json is an attribute" in pages(app, interface).problem("/").text  # also without JSON
    response = pages(app, interface).problem("/", "GET", json={})
    assert "request.json is an attribute" in response.json["debug"]["errors"][0]["notes"][0]


def test_abort_with_a_status_of_a_bug_is_shown(pages, interface, app):
    @app.get("/")
    def index(request):
        abort(500, "on purpose")

    assert "on purpose" in pages(app, interface).page("/").text
