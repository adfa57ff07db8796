"""The application that stands in for one that can't be loaded."""

import json
import re

import pytest

from antiphon.cli.unloaded import Unloaded
from antiphon.testing import Client

pytestmark = pytest.mark.once

REPORT = "The module 'shop' failed:\n  shop.py, line 1: <script>alert('\"&')</script>\nValueError: </pre>\udcff"
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"


@pytest.fixture
def client():
    return Client(Unloaded(REPORT))


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (BROWSER, "text/html; charset=utf-8"),
        ("*/*", "text/plain; charset=utf-8"),
        ("image/png", "text/plain; charset=utf-8"),
        ("application/json", "application/json"),
        ("application/json, text/plain, */*", "text/plain; charset=utf-8"),
        ("application/problem+json", "application/problem+json"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/"), ("POST", "/orders"), ("DELETE", "/antiphon-reload/other")])
def test_every_request_gets_the_report_as_it_likes(client, method, path, accept, content_type):
    response = client.request(method, path, headers={"accept": accept})
    assert (response.status, response.content_type) == (500, content_type)
    assert response.headers["cache-control"] == "no-store"
    if content_type.startswith("text/plain"):
        assert response.text == REPORT.replace("\udcff", "?") + "\n"
    if content_type.endswith("json"):
        assert json.loads(response.text)["detail"] == REPORT.replace("\udcff", "?")


def test_a_body_that_is_sent_is_of_no_interest(client):
    assert client.post("/", body=b"x" * (1 << 21)).status == 500


def test_the_page_has_nothing_but_escaped_text(client):
    page = client.get("/", headers={"accept": BROWSER}).text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(&#x27;&quot;&amp;&#x27;)" in page
    assert page.count("</pre>") == 1


def test_the_page_may_run_its_own_script_alone(client):
    response = client.get("/", headers={"accept": BROWSER})
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_a_page_looks_whether_its_own_failure_is_still_there(client):
    page = client.get("/", headers={"accept": BROWSER}).text
    [look] = re.findall('data-look="(.*?)"', page)
    assert client.get(look).status == 204
    assert Client(Unloaded("Another failure")).get(look).status == 500


@pytest.mark.parametrize(
    ("method", "told"), [("GET", "GET"), ("POST", "POST"), ('"><script>', "&quot;&gt;&lt;script&gt;")]
)
def test_a_page_knows_by_which_method_it_came(method, told):
    assert f'data-method="{told}"' in Unloaded(REPORT)._page(method)
