"""Templates of applications and blueprints: where they are found, which names they know, how they are rendered."""

import pytest
from jinja2 import pass_context

from antiphon.dialects.flask import (
    Blueprint,
    Flask,
    g,
    get_template_attribute,
    render_template,
    render_template_string,
    request,
    session,
    stream_template,
    stream_template_string,
)
from antiphon.dialects.flask.templating import DispatchingJinjaLoader
from tests.helpers.rows import rows

PAGES = {
    "page.html": "<p>{{ name }}</p>",
    "page.xml": "{{ name }}",
    "page.txt": "{{ name }}",
    "layout.html": "<title>{% block title %}{% endblock %}</title>{{ shared }}",
    "child.html": '{% extends "layout.html" %}{% block title %}{{ title }}{% endblock %}',
    "macros.html": "{% macro hello(name) %}Hello {{ name }}{{ request.path if request }}!{% endmacro %}",
    "imports.html": '{% from "macros.html" import hello %}{{ hello("Ada") }}',
    "includes.html": '{% include "page.html" %}',
}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "templates").mkdir()
    for name, text in PAGES.items():
        (tmp_path / "templates" / name).write_text(text)
    return tmp_path


def make_app(folder):
    app = Flask("pages", root_path=str(folder))
    app.secret_key = "a secret"
    return app


@pytest.fixture
def app(folder):
    return make_app(folder)


def page(app, function, path="/page"):
    app.add_url_rule(path, "page", function)
    return app.test_client().get(path).text


@pytest.mark.feature("flask-069", "flask-091")
@rows("name, text", [("page.html", "<p>&lt;Ada&gt;</p>"), ("page.xml", "&lt;Ada&gt;"), ("page.txt", "<Ada>")])
def test_a_template_beside_the_application_is_escaped_by_its_name(folder, name, text):
    assert page(make_app(folder), lambda: render_template(name, name="<Ada>")) == text


@rows(
    "source, text",
    ("{{ name }}", "&lt;Ada&gt;"),
    ("{% autoescape false %}{{ name }}{% endautoescape %}", "<Ada>"),
    ("{{ request.path }} {{ g.user }} {{ session.theme }}", "/page grace dark"),
    ("{{ config.THEME }} {{ url_for('page') }}", "red /page"),
    ("{{ get_flashed_messages() }}", "[]"),
    ("{{ {'items': 1, 'key': 2}.key }}{{ missing }}", "2"),
    ("{% for n in 'ab' %}{{ see(n) }}{% endfor %}{{ stop() }}", "a&lt;Ada&gt; Trueb&lt;Ada&gt; True"),
    ("{{ {'a': '</script>'}|tojson }}", '{"a": "\\u003c/script\\u003e"}'),
    ("{% set name = 'Eve' %}{{ name }} {% for name in 'ab' %}{{ name }}{% endfor %}", "Eve ab"),
)
def test_names_of_a_template(folder, source, text):
    app = make_app(folder)
    app.config["THEME"] = "red"

    @app.template_global()
    @pass_context
    def see(context, text):
        return f"{text}{context['name']} {'url_for' in context}"

    @app.template_global()
    def stop():
        raise StopIteration

    def show():
        g.user = "grace"
        session["theme"] = "dark"
        return render_template_string(source, name="<Ada>")

    assert page(app, show) == text


def test_the_first_template_that_exists_is_rendered(app):
    assert page(app, lambda: render_template(["none.html", "page.html"], name="Ada")) == "<p>Ada</p>"


def test_filters_tests_and_globals_of_the_application(app):
    app.template_filter()(lambda text: text[::-1])  # whose name is <lambda>

    @app.template_filter("shout")
    def upper(text):
        return text.upper()

    @app.template_test()
    def short(text):
        return len(text) < 4

    @app.template_global()
    def twice(text):
        return text * 2

    app.add_template_filter(len, "length_of")
    part = Blueprint("part", "part")
    part.app_template_filter("whisper")(str.lower)
    app.register_blueprint(part)
    source = "{{ 'ab'|shout }} {{ 'ab' is short }} {{ twice('ab') }} {{ 'ab'|length_of }} {{ 'AB'|whisper }}"
    assert page(app, lambda: render_template_string(source)) == "AB True abab 2 ab"


def test_the_folder_of_the_application_comes_before_that_of_a_blueprint(app, folder):
    for name in ("page.html", "part.html"):
        (folder / "part").mkdir(exist_ok=True)
        (folder / "part" / name).write_text(f"part's {name}")
    part = Blueprint("part", "part", root_path=str(folder), template_folder="part")
    app.register_blueprint(part)
    with app.app_context():
        assert render_template("part.html") == "part's part.html"
        assert render_template("page.html", name="") == "<p></p>"
    assert {"part.html", "page.html"} <= set(app.jinja_env.list_templates())
    assert isinstance(app.jinja_env.loader, DispatchingJinjaLoader)


def test_loading_is_explained_if_the_configuration_says_so(app, caplog):
    app.config["EXPLAIN_TEMPLATE_LOADING"] = True
    caplog.set_level("INFO", "pages")
    with app.app_context():
        assert render_template("page.txt", name="Ada") == "Ada"
    assert "page.txt" in caplog.text


def test_a_macro_is_called_by_python_code(app):
    with app.app_context():
        assert get_template_attribute("macros.html", "hello")("Ada") == "Hello Ada!"


def test_an_error_at_the_beginning_of_a_streamed_template_is_that_of_the_view(app):
    app.add_url_rule("/", "broken", lambda: stream_template_string("{{ 1 // zero }}", zero=0))
    assert app.test_client().get("/").status_code == 500


def test_a_template_is_streamed_outside_of_requests(app):
    with app.app_context():
        assert "".join(stream_template("page.html", name="Ada")) == "<p>Ada</p>"


def test_a_string_is_compiled_again_after_an_extension_was_added(app):
    source = "{% for each in 'ab' %}{{ each }}{% endfor %}"
    with app.app_context():
        assert render_template_string(source) == "ab"
        app.jinja_env.add_extension("jinja2.ext.do")
        assert render_template_string("{% do [] %}" + source) == "ab"
        assert render_template_string(source) == "ab"


def test_a_string_is_rendered_by_what_the_environment_is_now(app):
    languages = iter(["de", "en", "fr"])
    app.template_filter("translate")(lambda text: f"{text} in {next(languages)}")
    app.template_test("late")(lambda number: next(languages) == "fr")
    escaped = "{{ name }}"
    with app.app_context():
        assert [render_template_string("{{ 'hello'|translate }}") for _ in range(2)] == ["hello in de", "hello in en"]
        assert render_template_string("{{ 1 is late }}") == "True"
        assert render_template_string(escaped, name="<") == "&lt;"
        assert app.jinja_env.overlay(autoescape=False).from_string(escaped).render(name="<") == "<"
        app.jinja_env.autoescape = False
        assert render_template_string(escaped, name="<") == "<"


def test_templates_know_the_request_as_it_is(app):
    seen = []
    app.jinja_env.globals["see"] = lambda value: seen.append(value) or ""

    def show():
        rendered = render_template_string("{{ see(request) }}{{ see(g) }}")
        assert seen == [request._get_current_object(), g._get_current_object()]
        return rendered

    assert page(app, show) == ""
    assert seen[0] is not request
