"""The application that stands in for one that can't be loaded."""

import json
from html import unescape

import pytest

from antiphon.cli.workers.unloaded import Report
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

TEXT = "The module 'shop' failed:\n  shop.py, line 1: <script>alert('\"&')</script>\nValueError: </p>\udcff"
SHOWN = TEXT.replace("\udcff", "?")
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


def client_of(report):
    return Client(report.load(None), base_url="http://localhost:8000")


@pytest.fixture
def client(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_PASSWORD", "opensesame")
    return client_of(Report(f"{TEXT}"))


@rows(
    "accept, content_type",
    (BROWSER, "text/html; charset=utf-8"),
    ("*/*", "text/plain; charset=utf-8"),
    ("image/png", "text/plain; charset=utf-8"),
    ("application/json", "application/json"),
    ("application/json, text/plain, */*", "text/plain; charset=utf-8"),
    ("application/problem+json", "application/problem+json"),
)
@rows("method, path", [("GET", "/"), ("POST", "/orders"), ("DELETE", "/orders/7")])
def test_every_request_gets_the_report_as_it_likes(client, method, path, accept, content_type):
    response = client.request(method, path, headers={"accept": accept})
    assert (response.status, response.content_type) == (500, content_type)
    assert response.headers["cache-control"] == "no-store"
    if content_type.startswith("text/plain"):
        assert response.text == f"{SHOWN}\n"
    if content_type.endswith("json"):
        assert json.loads(response.text)["detail"] == SHOWN


def test_a_body_that_is_sent_is_of_no_interest(client):
    assert client.post("/", body=b"x" * (1 << 21)).status == 500


def test_the_page_has_nothing_but_escaped_text_and_may_run_its_own_scripts_alone(client):
    response = client.get("/", headers={"accept": BROWSER})
    assert "<script>alert" not in response.text
    assert all(line in unescape(response.text) for line in SHOWN.splitlines()[1:])
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_page_that_a_worker_has_made_is_shown_as_it_is():
    made = client_of(Report("A report", "<!doctype html>made")).get("/", headers={"accept": BROWSER})
    assert made.text == "<!doctype html>made"


@pytest.mark.parametrize("accept", [BROWSER, "application/json", "*/*"])
def test_secrets_are_masked(tmp_path, monkeypatch, accept):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KNOWN", "x")  # so that it is put back
    (tmp_path / ".env").write_text("DATABASE_PASSWORD=opensesame\n")
    monkeypatch.delenv("DATABASE_PASSWORD", raising=False)
    try:
        shown = client_of(Report("It failed:\nValueError: opensesame is too short")).get(
            "/", headers={"accept": accept}
        )
    finally:
        monkeypatch.delenv("DATABASE_PASSWORD")
    assert "ValueError: [masked] is too short" in unescape(shown.text)


@pytest.mark.parametrize(
    ("host", "headers", "is_shown"),
    [
        ("localhost:8000", {}, True),
        ("127.0.0.1:8000", {}, True),
        ("rebound.example:8000", {}, False),
        ("localhost:8000", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "cors"}, False),
        ("localhost:8000", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
    ],
)
def test_pages_of_other_sites_can_t_read_it(client, host, headers, is_shown):
    response = client.get("/", headers={"host": host, **headers})
    assert response.status == 500
    assert ("ValueError" in response.text) is is_shown


def test_where_others_are_served_too_they_see_it():
    client = client_of(Report("ValueError", is_for_loopback=False))
    assert client.get("/", headers={"host": "shop.example"}).text == "ValueError\n"
