"""The page of a document: all of it, escaped, small, and without a script."""

import re
from dataclasses import dataclass

import pytest

from antiphon import App, Request
from antiphon.features import OpenAPI, SecurityHeaders
from antiphon.testing import Client
from tests.features.openapi.shop import make_app


@pytest.fixture(scope="module")
def page() -> str:
    """The page of the shop."""
    return Client(make_app()).get("/api/docs").text


@pytest.mark.parametrize(
    "shown",
    [
        "<h1>Lamps</h1>",
        "Version 2",
        '<a href="#lamps.show"><span class="method">GET</span><code>/api/lamps/{number}</code></a>',
        "<p>List the lamps.</p><p>The newest come first.</p>",
        "<dt><code>number</code></dt><dd>path: integer (at least 0, at most 9223372036854775807)</dd>",
        '<dt><code>color</code></dt><dd>query, optional: <a href="#type-Color">Color</a> or null</dd>',
        '<dt><code>application/json</code></dt><dd><a href="#type-LampInput">LampInput</a></dd>',
        'There is no such lamp. <code>application/problem+json</code>: <a href="#type-Problem">Problem</a>',
        "Login: bearer, session",
        "string (min. length 1, max. length 40). As people call it.",
        "<dt><code>lamps</code></dt><dd>array of",
        '<link rel="stylesheet" href="/api/docs.css">',
    ],
)
def test_the_page_shows(page: str, shown: str) -> None:
    assert shown in page


def test_it_is_small_and_has_no_script(page: str) -> None:
    assert len(page) < 40_000
    assert not re.search(r"<script|<style|style=|\son\w+=|https?:", page)


def test_its_links_lead_somewhere(page: str) -> None:
    assert {*re.findall(r'href="#([^"]+)"', page)} <= {*re.findall(r'id="?([^">\s]+)', page)}


def test_what_the_code_says_is_escaped() -> None:
    app = App()
    app.use(OpenAPI("<b>Lamps</b>", description="<i>All</i> of them."))

    @dataclass
    class Lamp:
        """A <u>lamp</u>."""

        id: int

    @app.get("/")
    def handler(request: Request) -> Lamp:
        """Show <s>a lamp</s>."""
        return Lamp(1)

    page = Client(app).get("/docs").text
    assert not re.search(r"<[biu]>|<s>", page)
    assert "&lt;b&gt;Lamps" in page
    assert "A &lt;u&gt;lamp&lt;/u&gt;." in page


def test_a_policy_lets_it_have_its_stylesheet_and_nothing_else() -> None:
    app = make_app()
    app.use(SecurityHeaders())
    client = Client(app)
    page, styles = client.get("/api/docs"), client.get("/api/docs.css")
    assert page.headers["content-security-policy"].startswith("default-src 'none'; style-src 'self';")
    assert styles.headers["content-type"] == "text/css; charset=utf-8"


def test_below_another_application_its_links_have_the_prefix() -> None:
    outer = App()
    outer.mount("/shop", make_app())
    page = Client(outer).get("/shop/api/docs").text
    assert 'href="/shop/api/docs.css"' in page
    assert 'href="/shop/api/openapi.json"' in page


def test_it_can_be_left_out() -> None:
    app = App()
    app.use(OpenAPI("Lamps", docs=None))
    assert Client(app).get("/docs").status == 404
