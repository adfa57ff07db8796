"""The page of a document: all of it, escaped, small, and without a script."""

import re
from dataclasses import dataclass

import pytest

from antiphon import App, Request
from antiphon.features import OpenAPI, SecurityHeaders
from antiphon.testing import Client
from tests.features.openapi.shop import make_app
from tests.helpers.rows import rows


@pytest.fixture(scope="module")
def page() -> str:
    """The page of the shop."""
    return Client(make_app()).get("/api/docs").text


@rows(
    "shown",
    "<h1>Lamps</h1>",
    "Version 2",
    '<a href="#lamps.show"><span class="method">GET</span><code>/api/lamps/{number}</code></a>',
    "<p>List the lamps.</p><p>The newest come first.</p>",
    "<dt><code>number</code></dt><dd>path: integer (int64, at least 0, at most 9223372036854775807)</dd>",
    '<dt><code>color</code></dt><dd>query, optional: <a href="#type-Color">Color</a> or null</dd>',
    '<dt><code>application/json</code></dt><dd><a href="#type-LampInput">LampInput</a></dd>',
    'There is no such lamp. <code>application/problem+json</code>: <a href="#type-Problem">Problem</a>',
    "Login: bearer, session",
    "string (min. length 1, max. length 40). As people call it.",
    "<dt><code>lamps</code></dt><dd>array of",
    '<link rel="stylesheet" href="/api/docs.css">',
    '<form action="/api/docs/lamps.show" data-method="GET" data-path="/api/lamps/{number}"><label>number',
    '<label>number<input name="number" data-in="path" required type="number" min="0" max="9223372036854775807">',
    "<option></option><option>cold</option><option>warm</option>",
    '<textarea name="tags" data-in="query" rows="2" placeholder="one per line"></textarea>',
    '<form method="post" action="/api/search" data-method="POST" data-path="/api/search">',
    '<form enctype="multipart/form-data" data-method="POST" data-path="/api/lamps/{number}/picture">',
    '<input name="file" data-in="body" required type="file">',
    "<p>This form needs JavaScript. The command below does not.</p><button disabled>Send</button>",
    '<label>Idempotency-Key (header)<input name="Idempotency-Key" data-in="header" required>',
    '<label>Authorization (header), optional<input name="Authorization" data-in="header" placeholder="Bearer ...">',
    "{\n &quot;id&quot;: 0,\n &quot;name&quot;: &quot;text&quot;\n}</textarea>",
    "<code>curl -H &#x27;Authorization: Bearer ...&#x27; http://testserver/api/me</code>",
    "<code>curl -X POST --json &#x27;{&quot;id&quot;: 0, &quot;name&quot;: &quot;text&quot;}&#x27; http://testserver/api/lamps</code>",
    "<code>curl -X POST -F file=@file &#x27;http://testserver/api/lamps/{number}/picture&#x27;</code>",
)
def test_the_page_shows(page: str, shown: str) -> None:
    assert shown in page


def test_errors_are_folded(page: str) -> None:
    show = page.partition('id="lamps.show"')[2].partition("</section>")[0]
    before, _, folded = show.partition("<details><summary>Errors: ")
    assert re.findall(r"<dt><code>(\d+)", before.partition("<h4>Responses</h4>")[2]) == ["200"]
    listed, _, terms = folded.partition("</summary>")
    assert re.findall(r"<dt><code>(\d+)", terms.partition("</details>")[0]) == listed.split(", ")
    assert "404" in listed


def test_it_is_small_and_has_one_script_of_its_own() -> None:
    client = Client(make_app())
    page, *others = (client.get(f"/api/docs{end}").text for end in ("", ".css", ".js"))
    assert sum(map(len, (page, *others))) < 40_000
    assert re.findall(r"<script[^>]*>", page) == ['<script src="/api/docs.js" defer>']
    assert not re.search(r"<style|style=|\son\w+=|(?:src|href|action)=\"?(?:https?:|//)", page)


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


def test_a_policy_lets_it_have_its_own_files_and_nothing_else() -> None:
    app = make_app()
    app.use(SecurityHeaders())
    client = Client(app)
    page, styles = client.get("/api/docs"), client.get("/api/docs.css")
    assert page.headers["content-security-policy"] == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; form-action 'self';"
        " frame-ancestors 'none'; base-uri 'none'"
    )
    assert client.get("/api/docs.js").headers["content-type"] == "text/javascript; charset=utf-8"
    assert styles.headers["content-type"] == "text/css; charset=utf-8"


def test_below_another_application_its_links_have_the_prefix() -> None:
    outer = App()
    outer.mount("/shop", make_app())
    page = Client(outer).get("/shop/api/docs").text
    assert 'href="/shop/api/docs.css"' in page
    assert 'href="/shop/api/openapi.json"' in page
    assert 'action="/shop/api/docs/lamps.show" data-method="GET" data-path="/shop/api/lamps/{number}"' in page
    assert "curl http://testserver/shop/api/events" in page


@rows(
    "form, leads_to",
    ("lamps.show?number=7", "/api/lamps/7"),
    ("lamps.show_picture?id=a%2Fb+c&kind=png", "/api/pictures/a/b%20c.png"),
    ("lamps.signed?name=..%3Fx", "/api/signed/..%3Fx"),
    ("lamps.index?q=a+b&color=&tags=x%0D%0Ay%0D%0A&page=", "/api/lamps?q=a+b&tags=x&tags=y"),
    ("lamps.index?q=&q=b&other=1", "/api/lamps?q=b"),
    ("lamps.show", 400),
    ("lamps.add?id=1", 404),
    ("nothing", 404),
)
def test_without_a_script_the_form_of_a_get_leads_to_its_url(form: str, leads_to: str | int) -> None:
    response = Client(make_app(), follow_redirects=False).get(f"/api/docs/{form}")
    assert leads_to in (response.status, response.headers.get("location"))


def test_a_parameter_is_no_host() -> None:
    outer, app = App(), App()
    app.use(OpenAPI("Files"))
    outer.mount("/a b", app)

    @app.get("/<path:name>")
    def file(request: Request, name: str) -> str:
        return name

    inside, outside = (Client(each, follow_redirects=False) for each in (app, outer))
    assert inside.get("/docs/file?name=/example.com").headers["location"] == "/.//example.com"
    assert outside.get("/a%20b/docs/file?name=x").headers["location"] == "/a%20b/x"


def test_commands_are_those_of_the_first_server() -> None:
    app = App()
    app.use(OpenAPI("Lamps", servers=["https://api.example.com/v1/"]))

    @app.get("/lamps")
    def lamps(request: Request) -> list[int]:
        return [1]

    @app.get("/elsewhere", host="<name>.example.com")
    def elsewhere(request: Request) -> list[int]:
        return [1]

    page = Client(app).get("/docs").text
    assert "<code>curl https://api.example.com/v1/lamps</code>" in page
    assert page.count("<form") == 1


def test_it_can_be_left_out() -> None:
    app = App()
    app.use(OpenAPI("Lamps", docs=None))
    assert [Client(app).get(path).status for path in ("/docs", "/docs.css", "/docs.js", "/docs/x")] == [404] * 4
    assert [route.name for route in app.routes] == ["openapi"]
