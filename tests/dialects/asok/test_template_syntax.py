"""The syntax, filters and tests of Asok's templates: what they render, as Asok 0.8 does."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from jinja2 import TemplateSyntaxError

from antiphon.dialects.asok.templating.environment import AsokEnvironment, ProjectLoader
from antiphon.dialects.asok.templating.filters import TEMPLATE_FILTERS, SafeString
from antiphon.features.templates.environment import render
from tests.dialects.asok.generated_templates import GENERATED
from tests.dialects.asok.template_table import TABLE, context, write_files
from tests.helpers.rows import rows


@pytest.fixture(scope="module")
def of_asok():
    """What Asok makes of each template of the table, in a process of its own, since it changes the process."""
    command = [sys.executable, "-B", "-m", "tests.dialects.asok.template_table"]
    done = subprocess.run(command, capture_output=True, check=True, cwd=Path(__file__).parents[3], text=True)
    return dict(zip([*TABLE, *GENERATED], json.loads(done.stdout), strict=True))


@pytest.fixture(scope="module")
def rendered(tmp_path_factory):
    root = tmp_path_factory.mktemp("project")
    write_files(root / "partials")
    environment = AsokEnvironment(ProjectLoader(str(root), "partials"))
    return lambda text: render(environment.from_string(text), context(SafeString))


@pytest.mark.processes
@rows("text", TABLE)
def test_templates_render_as_in_asok(of_asok, rendered, text):
    assert re.sub(r' data-block="\w+"', "", rendered(text)) == of_asok[text]


@pytest.mark.processes
def test_generated_templates_render_as_in_asok(of_asok, rendered):
    valid = {text: of_asok[text] for text in GENERATED if not of_asok[text].startswith("TemplateError: ")}
    assert len(valid) > 300
    assert {text: rendered(text) for text in valid} == valid


@rows(
    "text, expected",
        ("{{ text | e }}", "&lt;a &quot;b&quot; &#x27;c&#x27; &amp; d&gt;"),
        ("{{ html | e }}", "<i>"),
        ("{% set part %}<b>{{ key }}</b>{% endset %}{{ part }}", "<b>age</b>"),
        ("{% macro m() %}{{ caller() }}{% endmacro %}{% call m() %}<b>{{ text }}</b>{% endcall %}",
         "<b>&lt;a &quot;b&quot; &#x27;c&#x27; &amp; d&gt;</b>"),
        ("{% filter upper %}<b>{{ key }}</b>{% endfilter %}", "<B>AGE</B>"),
        ("{% raw %}{{ key }}{% endraw %}", "{{ key }}"),
        ("{% if truth %}{% set n = 1 %}{% endif %}{{ n }}", "1"),
        ("{% for i in items %}{% for i in 'ab' %}{{ i }}{% endfor %}{{ i }} {% endfor %}", "ab1 ab2 ab3 "),
        ("{% if 0 %}{% include 'nowhere.html' %}{% endif %}", ""),
        ("{{ sorted(items, reverse=True) | join }}", "3, 2, 1"),
        ("{{ 'a,b'.split(',') | join('-') }}", "a-b"),
        ("{% import 'html/macros.html' as forms %}{{ forms.button('y') }}", "<button>y3</button>"),
        ("<!-- {% cache 'again' 60 %}{{ key }}{% endcache %} -->{% cache 'again' %}{{ text }}{% endcache %}",
         "<!-- age -->age"),
)  # fmt: skip
def test_templates_render_better_than_in_asok(rendered, text, expected):
    assert rendered(text) == expected


@rows(
    "text, message",
    ("{% foo %}", "unknown tag 'foo'"),
    ("{{ number | upper + 1 }}", "expected token 'end of print statement', got '\\+'"),
    ("{{ number | nothing }}", "No filter named 'nothing'"),
    ("{{ number", "unexpected"),
)
def test_bad_templates_are_refused(rendered, text, message):
    with pytest.raises(TemplateSyntaxError, match=message):
        rendered(text)


LINK = '<a href="{}" target="_blank" rel="noopener" class="underline hover:opacity-80">a</a>'


@rows(
    "text, expected",
        ("[a](/b?c) <d>", LINK.format("/b?c") + " &lt;d&gt;"),
        ("[a](javascript:b)", "[a](javascript:b)"),
        ('[a](/"onclick=b)', LINK.format("/&quot;onclick=b")),
        ("", ""),
)  # fmt: skip
def test_links_are_made_where_there_is_no_package_for_markdown(monkeypatch, text, expected):
    monkeypatch.setitem(sys.modules, "markdown", None)
    assert TEMPLATE_FILTERS["markdown"](text) == expected


def test_markdown_is_made_by_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "markdown", SimpleNamespace(markdown=lambda text: f"<p>{text}!</p>"))
    assert TEMPLATE_FILTERS["markdown"]("a") == "a!"
