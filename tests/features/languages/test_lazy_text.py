"""Lazy texts: made anywhere, and in the language of whichever request uses them."""

import copy
import pickle

import pytest
from jinja2 import DictLoader

from antiphon import App, Request, abort
from antiphon.features import Languages, Page, Templates, lazy_gettext
from antiphon.features.languages import texts
from antiphon.testing import Client
from tests.helpers.handlers import in_style

pytestmark = pytest.mark.axes("interface", "style")

WELCOME = lazy_gettext("welcome")
HELLO = lazy_gettext("hello", name="<Ann>")
CATALOGUES = {
    "en": {"welcome": "Welcome", "hello": "Hello {name}", "notes": {"one": "{n} note", "other": "{n} notes"}},
    "de": {"welcome": "Willkommen", "hello": "Hallo {name}"},
}


@pytest.fixture(autouse=True)
def _no_languages_before(monkeypatch):
    monkeypatch.setattr(texts, "_used", [])


@pytest.fixture
def app(folder):
    app = App()
    app.use(Languages(folder(**CATALOGUES)))
    return app


@pytest.fixture
def said(app, interface, style):
    """Return what a function gives that a handler calls, in German."""

    def said(function):
        app.get("/")(in_style(style, function))
        return Client(app, interface, raise_errors=True).get("/?lang=de")

    return said


class TestALazyText:
    def test_is_its_key_where_no_app_has_languages(self):
        assert (str(WELCOME), f"{lazy_gettext('Read {what}', what='this')}") == ("welcome", "Read this")

    def test_is_in_the_default_language_where_no_request_is_answered(self, app):
        assert str(WELCOME) == "Welcome"

    def test_is_in_the_default_language_in_an_app_without_languages(self, app, interface):
        other = App()
        other.get("/")(lambda request: str(WELCOME))
        assert Client(other, interface).get("/?lang=de").text == "Welcome"

    @pytest.mark.parametrize(
        ("use", "made"),
        [
            (lambda: f"{WELCOME}! {WELCOME:>12}", "Willkommen!   Willkommen"),
            (lambda: WELCOME + "!", "Willkommen!"),
            (lambda: "-> " + WELCOME, "-> Willkommen"),
            (lambda: WELCOME + " " + WELCOME, "Willkommen Willkommen"),
            (lambda: lazy_gettext("%s!") % HELLO, "Hallo <Ann>!"),
            (lambda: WELCOME.upper() + WELCOME[:4] + WELCOME.replace("en", ""), "WILLKOMMENWillWillkomm"),
            (lambda: WELCOME * 2, "WillkommenWillkommen"),
            (lambda: " ".join(map(str, [WELCOME, HELLO])), "Willkommen Hallo <Ann>"),
            (lambda: HELLO.format(name="Bob", other=1), "Hallo Bob"),
            (lambda: lazy_gettext("notes", n=2), "2 notes"),
        ],
    )  # fmt: skip
    def test_is_used_as_text_is(self, said, use, made):
        answer = said(lambda request: {"made": use(), "is_text": isinstance(use() + "", str)})
        assert answer.json == {"made": made, "is_text": True}

    def test_tells_what_text_tells(self, said):
        def ask(request):
            assert len(WELCOME) == len("Willkommen")
            assert "komm" in WELCOME
            assert WELCOME == "Willkommen"
            assert WELCOME != "welcome"
            assert bool(WELCOME)
            assert list(lazy_gettext("ab")) == ["a", "b"]
            assert sorted([WELCOME, HELLO]) == [HELLO, WELCOME]
            assert WELCOME.startswith("Will")
            assert (WELCOME.split("k"), WELCOME.find("k")) == (["Will", "ommen"], 4)
            return "yes"

        assert said(ask).text == "yes"

    def test_equals_another_of_its_key_and_values(self):
        assert lazy_gettext("a", n=1) == lazy_gettext("a", n=1)
        assert lazy_gettext("a") != lazy_gettext("b")
        assert {lazy_gettext("a"): 1}[lazy_gettext("a")] == 1
        assert repr(HELLO) == "lazy_gettext('hello', name='<Ann>')"

    @pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda text: pickle.loads(pickle.dumps(text))])
    def test_stays_lazy_when_it_is_copied(self, said, copied):
        assert said(lambda request: copied(HELLO)).text == "Hallo <Ann>"
        assert str(copied(HELLO)) == "Hello <Ann>"

    def test_is_a_string_in_json(self, said):
        assert said(lambda request: {"a": [WELCOME], "b": {"c": HELLO}}).json == {
            "a": ["Willkommen"],
            "b": {"c": "Hallo <Ann>"},
        }

    def test_is_escaped_in_templates(self, app, said):
        app.use(Templates(DictLoader({"page.html": "{{ hello }} {{ hello | upper }} {{ hello ~ '!' }}"})))
        page = said(lambda request: Page("page.html", hello=HELLO)).text
        assert page == "Hallo &lt;Ann&gt; HALLO &lt;ANN&gt; Hallo &lt;Ann&gt;!"

    def test_is_the_detail_of_an_error(self, app, interface):
        @app.get("/lost")
        def lost(request: Request):
            abort(404, HELLO)

        client = Client(app, interface)
        answer = client.get("/lost?lang=de")
        assert (answer.json["detail"], answer.headers["content-language"]) == ("Hallo <Ann>", "de")
        assert "<p>Hallo &lt;Ann&gt;</p>" in client.get("/lost?lang=de", headers={"accept": "text/html"}).text
