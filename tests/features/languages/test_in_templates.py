"""Jinja2's `{% trans %}`, and the extraction of texts by Babel with the mapping that the docs give."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from jinja2 import DictLoader

from antiphon import App, Request
from antiphon.features import Languages, Page, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "is_async")

GERMAN = {
    "Hello <b>%(name)s</b>": "Hallo <b>%(name)s</b>",
    "100%% for %(name)s": "Ganz für %(nme)s",
    "100%%": "100 %%",
    "{braces}": "{Klammern}",
    "%(num)s note": {"one": "%(num)s Notiz", "other": "%(num)s Notizen"},
    "menu\x04Open": "Öffnen",
    "menu\x04%(num)s file": {"one": "%(num)s Datei", "other": "%(num)s Dateien"},
}


@pytest.fixture(params=[False, True])
def is_async(request):
    return request.param


@pytest.fixture
def rendered(folder, interface, is_async):
    """Return what a template makes in German."""

    def rendered(source, name="page.html", **data):
        app = App()
        app.use(Languages(folder(de=GERMAN)))
        app.use(Templates(DictLoader({name: source}), enable_async=is_async))

        def show(request: Request):
            return Page(name, **data)

        async def ashow(request: Request):
            return Page(name, **data)

        app.get("/")(ashow if is_async else show)
        return Client(app, interface, raise_errors=True).get("/?lang=de").text

    return rendered


class TestTrans:
    @rows(
        "source, made",
        ("{% trans name=who %}Hello <b>{{ name }}</b>{% endtrans %}", "Hallo <b>&lt;Ann&gt;</b>"),
        ("{% trans %}100%{% endtrans %}", "100 %"),
        ("{% trans name=who %}100% for {{ name }}{% endtrans %}", "Ganz für %(nme)s"),
        ("{% trans %}{braces}{% endtrans %}", "{Klammern}"),
        ("{% trans %}Not there: 5% {{ who }}{% endtrans %}", "Not there: 5% &lt;Ann&gt;"),
        ("{% trans num=1 %}{{ num }} note{% pluralize %}{{ num }} notes{% endtrans %}", "1 Notiz"),
        ("{% trans count=2 %}{{ count }} cup{% pluralize %}{{ count }} cups{% endtrans %}", "2 cups"),
        ("{% trans 'menu' %}Open{% endtrans %}", "Öffnen"),
        ("{% trans 'menu' num=2 %}{{ num }} file{% pluralize %}{{ num }} files{% endtrans %}", "2 Dateien"),
        ("{{ _('Hello <b>%(name)s</b>', name=who) }}", "Hallo <b>&lt;Ann&gt;</b>"),
        ("{{ gettext('{braces}') }} {{ ngettext('%(num)s note', '', 3) }}", "{Klammern} 3 Notizen"),
        ("{{ pgettext('menu', 'Open') }} {{ npgettext('menu', '%(num)s file', '', 1) }}", "Öffnen 1 Datei"),
    )
    def test_is_in_the_language_of_the_request(self, rendered, source, made):
        assert rendered(source, who="<Ann>") == made

    def test_escapes_nothing_in_plain_text(self, rendered):
        source = "{% trans name=who %}Hello <b>{{ name }}</b>{% endtrans %}"
        assert rendered(source, "mail.txt", who="<Ann>") == "Hallo <b><Ann></b>"

    def test_follows_a_language_that_is_set_while_templates_are_used(self, folder, interface):
        app = App()
        app.use(Languages(folder(de={"hi": "Hallo"}, ar={"hi": "مرحبا"})))
        app.use(Templates(DictLoader({"mail.txt": "{{ lang }} {{ dir }} {{ __('hi') }} {% trans %}hi{% endtrans %}"})))

        @app.get("/")
        def show(request: Request):
            made = [request.templates.render("mail.txt")]
            request.language.tag = "ar"
            return [*made, request.templates.render("mail.txt")]

        assert Client(app, interface).get("/?lang=de").json == ["de ltr Hallo Hallo", "ar rtl مرحبا مرحبا"]


PAGE = Path(__file__).parents[3] / "docs/how-to/languages.md"


@pytest.mark.processes
def test_babel_extracts_what_python_and_templates_name(tmp_path):
    page = PAGE.read_text()
    (tmp_path / "babel.cfg").write_text(re.search(r"```ini\n(.*?)```", page, re.DOTALL)[1])
    command = re.search(r"^pybabel (extract .+)$", page, re.MULTILINE)[1]
    (tmp_path / "shop.py").write_text(
        'LABEL = lazy_gettext("lazy key")\n'
        "def show(request):\n"
        '    request.language.gettext("key", name=1); request.language.ngettext("{n} cup", "{n} cups", 2)\n'
        '    request.language.pgettext("menu", "Open"); request.language.npgettext("menu", "a file", "files", 2)\n'
    )
    templates = tmp_path / "templates"
    templates.mkdir()
    (templates / "page.html").write_text(
        '{{ __("template key") }}{% trans name=who %}Hello {{ name }}{% endtrans %}{{ _("direct") }}'
        "{% trans n=2 %}{{ n }} tea{% pluralize %}{{ n }} teas{% endtrans %}"
    )
    (tmp_path / "locales").mkdir()
    run = [sys.executable, "-m", "babel.messages.frontend", *command.split()]
    subprocess.run(run, cwd=tmp_path, check=True, capture_output=True, timeout=60)
    found = (tmp_path / "locales/messages.pot").read_text()
    for line in [
        'msgid "lazy key"', 'msgid "key"', 'msgid "{n} cup"\nmsgid_plural "{n} cups"',
        'msgctxt "menu"\nmsgid "Open"', 'msgctxt "menu"\nmsgid "a file"\nmsgid_plural "files"',
        'msgid "template key"', 'msgid "Hello %(name)s"', 'msgid "direct"',
        'msgid "%(n)s tea"\nmsgid_plural "%(n)s teas"',
    ]:  # fmt: skip
        assert f"{line}\n" in found
