"""What somebody may try with templates who means harm: names of blocks and files, values, texts that take long."""

import json
import re
import sys
from html.parser import HTMLParser
from typing import ClassVar
from urllib.parse import urlencode

import pytest

from antiphon.dialects.asok.templating import syntax
from tests.helpers.rows import rows

PAGE = "def render(request):\n    return request.html('page.html', **request.args)\n"
BLOCK = "x-block"


class TestABlock:
    FILES: ClassVar = {
        "page.py": PAGE,
        "page.html": """{% extends "html/base.html" %}
{% block main %}main {{ name }}{% block inner %}inner{% endblock %}{% endblock %}
{% block secret %}the secret{% endblock %}
{% block looped %}loop{% endblock %}""",
        "src/partials/html/base.html": """<title>base</title>{% block main %}{% endblock %}
{% if request.is_authenticated %}{% block secret %}{% endblock %}{% block own %}own secret{% endblock %}{% endif %}
{% for each in [] %}{% block looped %}{% endblock %}{% endfor %}""",
    }

    @pytest.fixture
    def client(self, serve):
        return serve(self.FILES)

    def test_is_given_alone_where_the_page_gives_it(self, client):
        assert client.get("/?name=Ada", headers={BLOCK: "main"}).text == "main Adainner"
        assert client.get("/", headers={BLOCK: "inner"}).text == "inner"

    @rows("name", ["secret", "own", "looped", "main,secret", "#secret", "own ,"])
    def test_that_stands_in_a_condition_is_not_given_without_it(self, client, name):
        text = client.get("/?name=Ada", headers={BLOCK: name}).text
        assert "secret" not in text
        assert "loop" not in text
        assert text.startswith("<title>")

    def test_of_a_stream_is_neither(self, serve):
        page = "def render(request):\n    return request.stream('page.html', name='Ada')\n"
        client = serve({**self.FILES, "page.py": page})
        assert "main Ada" in client.get("/", headers={BLOCK: "main"}).text
        for name in ("secret", "looped", "main,own", "nothing"):
            response = client.get("/", headers={BLOCK: name})
            assert (response.status, response.text[:7]) == (200, "<title>")
            assert "secret" not in response.text

    def test_that_a_page_leaves_to_the_client_is_neither(self, serve):
        page = "def render(request):\n    return request.block('page.html', name='Ada')\n"
        client = serve({**self.FILES, "page.py": page})
        assert client.get("/", headers={BLOCK: "inner"}).text == "inner"
        assert "secret" not in client.get("/", headers={BLOCK: "secret"}).text

    def test_makes_caches_keep_pages_and_blocks_apart(self, client):
        for headers in ({}, {BLOCK: "main"}, {BLOCK: "nothing"}):
            assert "x-block" in client.get("/?name=Ada", headers=headers).headers["vary"].lower()


OUTSIDE = [
    "../../../secret.html", "../secret.html", "secret.html", "/etc/passwd", "src/../secret.html", "page.py", "page",
    "..", "", "page.html\0", "src/pages/../../secret.html", "html/../../../secret.html",
]  # fmt: skip


@rows("how", ["request.html(name)", "include name", "import name as x", "extends name"])
def test_no_file_outside_of_the_templates_is_rendered(serve, how):
    page = PAGE
    if how == "request.html(name)":
        page = "def render(request):\n    return request.html(request.args['name'])\n"
    files = {
        "page.py": f"{page}# the secret of the program",
        "page.html": "the page" if how == "request.html(name)" else f"{{% {how} %}}{{{{ x }}}}",
        "secret.html": "the secret",
        "src/partials/html/a.html": "",
    }
    client = serve(files)
    texts = {name: client.get(f"/?{urlencode({'name': name})}").text for name in OUTSIDE}
    assert [name for name, text in texts.items() if "secret" in text or "root:" in text] == []


@pytest.fixture
def printing(serve):
    """A client of a page that prints its argument in each place."""
    return serve({
        "page.py": PAGE,
        "page.html": """<p>{{ value }}</p><p title="{{ value }}"></p><p title='{{ value }}'></p>
<script>const value = {{ value|tojson }};</script><p data-value='{{ value|tojson }}'></p>""",
    })  # fmt: skip


@rows(
    "value",
    ["{{ 7777 * 7777 }}", "{% include 'x' %}", "</script><script>alert(1)</script>", "' onerror='alert(1)",
     '" onerror="alert(1)', "<!--", "\u2028", "]]>"],
)  # fmt: skip
def test_a_value_is_text_wherever_it_is_printed(printing, value):
    text = printing.get(f"/?{urlencode({'value': value})}").text
    found = []
    parser = HTMLParser()
    parser.handle_starttag = lambda tag, attributes: found.append((tag, dict(attributes)))
    parser.feed(text)
    paragraph, double, single, (script, _), (_, data) = found
    assert (paragraph, script) == (("p", {}), "script")
    assert double == single == ("p", {"title": value})
    assert json.loads(data["data-value"]) == value
    assert data.keys() == {"data-value"}
    assert "60481729" not in text


LONG = {
    "striptags": "<" * 100_000, "striptags|length": "<a" * 100_000, "markdown": "[" * 100_000,
    "markdown|length": "[a](#" * 20_000, "e|length": "data-block " * 100_000, "title|length": "a'" * 100_000,
    "wordwrap|length": "a" * 100_000, "urlize|length": "www." * 20_000,
}  # fmt: skip


@rows("filters", LONG)
def test_no_text_of_a_client_takes_long(serve, filters, monkeypatch):
    monkeypatch.setitem(sys.modules, "markdown", None)
    page = f"def render(request):\n    return request.html('page.html', value={LONG[filters]!r})\n"
    template = f"<main>{{{{ value }}}}</main>{{{{ value|{filters} }}}}"
    assert serve({"page.py": page, "page.html": template}).get("/").status == 200


def test_a_link_of_markdown_runs_no_script(serve, monkeypatch):
    monkeypatch.setitem(sys.modules, "markdown", None)
    client = serve({"page.py": PAGE, "page.html": "{{ value|markdown }}"})
    for url in ("javascript:alert(1)", "JaVaScript:x", "data:text/html,x", '"onclick="x', "//evil"):
        text = client.get(f"/?{urlencode({'value': f'[a]({url})'})}").text
        assert not re.search(r'href="(javascript|data)|onclick="', text, re.IGNORECASE)


def test_scripts_and_styles_of_templates_have_the_nonce_of_the_policy(serve):
    template = """<script src="/js/a.js" defer></script><script>go("<script>" + '<style>')</script><style>p {}</style>
<script nonce="{{ nonce }}">own</script>{% set x = "<script>" %}{{ x }}{# <script> #}
{% raw %}<script>{{ x }}{% endraw %}
{% if 2 > 1 %}<SCRIPT type="module">x</SCRIPT>{% endif %}<scripture>"""
    response = serve({"page.py": PAGE, "page.html": template}).get("/")
    nonce = re.search(r"'nonce-([\w-]+)'", response.headers["content-security-policy"])[1]
    given = f"nonce={nonce}"
    assert response.text == (
        f"""<script {given} src="/js/a.js" defer></script>"""
        f"""<script {given}>go("<script {given}>" + '<style {given}>')</script>"""
        f"""<style {given}>p {{}}</style>\n<script nonce="{nonce}">own</script>&lt;script&gt;\n<script>{{{{ x }}}}\n"""
        f"""<SCRIPT {given} type="module">x</SCRIPT><scripture>"""
    )


def test_parts_that_are_kept_by_what_clients_send_are_the_newest(serve, monkeypatch):
    monkeypatch.setattr(syntax, "MOST_PARTS", 9)
    template = "{% cache request.args.key 60 %}{{ request.args.text }}{% endcache %}"
    client = serve({"page.py": PAGE, "page.html": template})
    assert [client.get(f"/?key=first&text={text}").text for text in "ab"] == ["a", "a"]
    for number in range(9):
        client.get(f"/?key={number}&text=x")
    assert [client.get(f"/?key={key}&text=c").text for key in ("first", 8)] == ["c", "x"]
