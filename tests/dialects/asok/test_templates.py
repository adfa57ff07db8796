"""Templates of pages: what they know, where they are found, and what of them is sent."""

import pytest

from antiphon.dialects.asok.templates import (
    SafeString,
    render_block_string,
    render_template_string,
    stream_template_string,
)
from tests.helpers.rows import rows

PAGE = "def render(request):\n    return request.html('page.html', name='World', items=[1, 2, 3])\n"


def rendering(call):
    """A page that answers with what a call on its request returns."""
    return f"def render(request):\n    return request.{call}\n"


@pytest.fixture
def error_at(caplog):
    """Returns what is logged of the error that answers a path of a project."""

    def error_at(client, path="/"):
        caplog.clear()
        assert client.get(path).status == 500
        return caplog.text

    return error_at


@pytest.mark.feature("asok-075")
def test_templates_know_the_names_of_their_request(serve):
    files = {
        "page.html": "{{ __('welcome', name='Ann') }}|{{ static('css/base.css') }}|{{ old('name') }}|{{ errors }}|"
        "{{ meta }}|"
        "{{ nonce == request.nonce }}|{{ csrf_input() is string }}|{{ csrf_token == request.csrf_token_value }}|"
        "{{ request.lang }}|{% for msg in get_flashed_messages() %}{% endfor %}",
        "src/locales/en.json": '{"welcome": "Welcome, {name}"}',
        "src/locales/fr.json": '{"welcome": "Bienvenue, {name}"}',
        "src/partials/css/base.css": "",
    }
    client = serve({**files, "page.py": PAGE})
    names = client.get("/?lang=fr&name=<x>").text.split("|")
    assert names[1].startswith("/css/base.")
    assert names[:1] + names[2:] == ["Bienvenue, Ann", "&lt;x&gt;", "{}", "", "True", "True", "True", "fr", ""]


@rows(
    "template, message",
    ("{{ unknown }}", "'unknown' is undefined"),
    ("{{ request.args.unknown }}", "has no attribute 'unknown'"),
    ("{% component 'Counter' %}{% endcomponent %}", "has no components"),
    ("{{ component('Counter') }}", "has no components"),
)
def test_what_is_unknown_is_an_error(serve, error_at, template, message):
    assert message in error_at(serve({"page.py": PAGE, "page.html": template}))


FOUND = {
    "page.html": "beside", "page.asok": "beside", "page": "beside", "html/part.html": "partial", "html/part": "partial",
    "html/other.html": "asok", "src/partials/html/part.html": "partial", "src/pages/user/page.html": "user",
    "../user/page.html": "user",
}  # fmt: skip


@pytest.mark.feature("asok-085")
def test_templates_are_found_beside_the_page_and_in_the_partials(serve):
    client = serve({
        "src/pages/about/page.py": rendering("html(request.args['path'])"),
        "src/pages/about/page.html": "beside",
        "src/pages/user/page.html": "user",
        "src/pages/page.html": "root",
        "src/partials/html/part.html": "partial",
        "src/partials/html/other.asok": "asok",
        "src/partials/page.html": "never",
    })  # fmt: skip
    assert {path: client.get(f"/about?path={path}").text for path in FOUND} == FOUND


@rows("name", ["../secret.html", "/etc/hosts", "src/../../secret.html"])
def test_templates_include_no_files_from_outside(serve, error_at, name):
    files = {"page.py": PAGE, "page.html": f"{{% include '{name}' %}}", "src/secret.html": "secret"}
    assert f"TemplateNotFound: {name}" in error_at(serve(files)).replace("there is no template ", "").replace("'", "")


@rows("is_debug", [False, True])
def test_a_changed_template_is_read_again_in_debug_mode_alone(serve, tmp_path, is_debug):
    files = {"page.py": PAGE, "page.html": "{% include 'part.html' %}", "src/partials/part.html": "one"}
    client = serve(files, prepare=lambda app: app.config.update(DEBUG=is_debug), folder=tmp_path)
    first = client.get("/").text
    (tmp_path / "src/partials/part.html").write_text("two")
    assert (first, client.get("/").text) == ("one", "two" if is_debug else "one")


@pytest.mark.feature("asok-033")
@rows(
    "call, message",
    ("block('page.html', '')", "give the name of a block"),
    ("block('page.html', '#main')", "'#main' is not the name of a block, but 'main' is"),
    ("block('page.html', 'aside')", "the template 'src/pages/page.html' has no block 'aside'; its blocks: 'main'"),
    ("blocks('page.html', ['main', 'aside'])", "the template 'src/pages/page.html' has no block 'aside'"),
)
def test_a_block_needs_a_name_that_the_template_has(serve, error_at, call, message):
    files = {"page.py": rendering(call), "page.html": "{% block main %}m{% endblock %}"}
    assert f"ValueError: {message}" in error_at(serve(files))


def test_templates_of_the_current_request_are_rendered_by_functions(serve):
    page = """
from antiphon.dialects.asok import render_block, render_blocks, render_template

def render(request):
    return "|".join([
        render_template("page.html", name="a"), render_block("page.html", "main", name="b"),
        render_blocks("page.html", ["main"], name="c"),
    ])
"""
    files = {"page.py": page, "page.html": "<{% block main %}{{ name }}{% endblock %}>"}
    assert serve(files).get("/").text == "<a>|b|c"


def test_templates_are_given_as_text(tmp_path, serve):
    (tmp_path / "base.html").write_text("<main>{% block main %}{% endblock %}</main>")
    text = "{% extends 'base' %}{% block main %}{{ a }}{{ unknown }}{% endblock %}"
    assert render_template_string(text, {"a": "<"}, str(tmp_path)) == '<main data-block="main">&lt;</main>'
    assert render_block_string(text, "main", {"a": SafeString("<")}, root_dir=[str(tmp_path)]) == "<"
    assert "".join(stream_template_string(text, {"a": 1}, str(tmp_path))) == '<main data-block="main">1</main>'
    with pytest.raises(ValueError, match="has no block 'aside'"):
        render_block_string(text, "aside", {}, str(tmp_path))
    page = """
from antiphon.dialects.asok.templates import render_template_string

def render(request):
    return render_template_string("{{ request.path }} {{ site }} {% include 'part' %}", {"request": request})
"""
    files = {"page.py": page, "src/partials/part.html": "{{ request.method }}"}
    assert serve(files, prepare=lambda app: app.share(site="S")).get("/").text == "/ S GET"


def test_pages_and_templates_set_the_metadata_of_the_head(serve):
    page = """
def render(request):
    request.meta.title("<Contact>")
    request.meta.property("og:type", "website")
    return request.html("page.html")
"""
    template = (
        '<html><head><title>Old</title><meta name="description" content="old"></head>'
        "<body>{{ meta.description('new') }}{{ meta.link('icon', '/i.svg', type='image/svg+xml') }}{{ meta }}</body>"
        "</html>"
    )
    assert serve({"page.py": page, "page.html": template}).get("/").text == (
        "<html><head><title>&lt;Contact&gt;</title>\n"
        '<meta property="og:type" content="website">\n'
        '<meta name="description" content="new">\n'
        '<link rel="icon" href="/i.svg" type="image/svg+xml">\n'
        "</head><body></body></html>"
    )


def test_metadata_may_be_assigned(serve):
    page = "def render(request):\n    request.meta.title = 'T'\n    return request.html('page.html')\n"
    files = {"page.py": page, "page.html": "<head></head>"}
    assert serve(files).get("/").text == "<head><title>T</title>\n</head>"
