"""Texts: found in a language and those behind it, with values filled in, plural forms chosen, and nothing reached."""

import logging
import sys
from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jinja2 import DictLoader

from antiphon import App, Request
from antiphon.features import Languages, Page, Templates
from antiphon.features.languages.catalogues import _BY_LANGUAGE, CATEGORIES, declared_rule, rule_of, small_rule
from antiphon.features.languages.texts import filled
from antiphon.testing import Client
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

CATALOGUES = {
    "en": {"hi": "Hello, {name}!", "only": "only English", "note": {"one": "{n} note", "other": "{n} notes"}},
    "de": {"hi": "Hallo {name}!", "nav": {"home": "Start", "more": {"help": "Hilfe"}}, "braces": "{{x}} {n}"},
    "de-AT": {"bye": "Pfiat di"},
    "ru": {"note": {"one": "{n} заметка", "few": "{n} заметки", "many": "{n} заметок"}},
    "ar": {"note": {"zero": "-", "one": "1", "two": "2", "few": "few", "many": "many", "other": "other"}},
}


@pytest.fixture
def languages(folder):
    return Languages(folder(**CATALOGUES), default="en")


class TestAText:
    @rows(
        "tag, key, values, text",
            ("de", "hi", {"name": "Ann"}, "Hallo Ann!"),
            ("de-AT", "hi", {"name": "Ann"}, "Hallo Ann!"),
            ("de-AT", "bye", {}, "Pfiat di"),
            ("de-AT", "only", {}, "only English"),
            ("de", "bye", {}, "bye"),
            ("de", "nav.home", {}, "Start"),
            ("de", "nav.more.help", {}, "Hilfe"),
            ("de", "nav", {}, "nav"),
            ("de", "braces", {"n": 3}, "{x} 3"),
            ("de", "", {}, ""),
            ("de", "Read {what}", {"what": "this"}, "Read this"),
            ("de", "key", {"key": 1, "self": 2}, "key"),
            ("en", "note", {"n": 1}, "1 note"),
            ("en", "note", {"n": 0}, "0 notes"),
            ("en", "note", {"n": 1.5}, "1.5 notes"),
            ("en", "note", {"n": "many"}, "many notes"),
            ("en", "note", {"n": -1}, "-1 note"),
            ("en", "note", {"n": Decimal("1.5")}, "1.5 notes"),
            ("en", "note", {"n": float("inf")}, "inf notes"),
            ("en", "note", {"n": float("nan")}, "nan notes"),
            ("ru", "note", {"n": -22}, "-22 заметки"),
            ("ru", "note", {"n": 1}, "1 заметка"),
            ("ru", "note", {"n": 22}, "22 заметки"),
            ("ru", "note", {"n": 11}, "11 заметок"),
            ("ru", "note", {"n": 1.5}, "1.5 заметок"),
            ("de", "note", {"n": 2}, "2 notes"),
            ("ar", "note", {"n": 0}, "-"),
            ("ar", "note", {"n": 103}, "few"),
    )  # fmt: skip
    def test_is_that_of_its_key(self, languages, tag, key, values, text):
        assert languages.texts(tag).gettext(key, **values) == text

    def test_has_the_functions_of_gettext(self, languages):
        texts = languages.texts("ru")
        assert texts.ngettext("note", "notes", 5) == "5 заметок"
        assert texts.ngettext("{n} cup", "{n} cups", 1) == "1 cup"
        assert texts.ngettext("{n} cup of {what}", "{n} cups of {what}", 3, what="tea") == "3 cups of tea"
        assert texts.pgettext("menu", "Open {what}", what="it") == "Open it"
        assert texts.npgettext("menu", "{n} file", "{n} files", 2) == "2 files"


class Secret:
    """A value with something that no text may reach."""

    password = "an oboe"

    def __str__(self):
        return "Ann"

    def __getitem__(self, name):
        return self.password


class TestAPlaceholder:
    @rows(
        "text, shown",
        ("{who}", "Ann"),
        ("{who:>5}", "{who:>5}"),
        ("{price:.2f} {price:>8}", "3.50      3.5"),
        ("{who.password}", "{who.password}"),
        ("{who[password]}", "{who[password]}"),
        ("{who.__class__.__init__.__globals__}", "{who.__class__.__init__.__globals__}"),
        ("{who!r}", "{who!r}"),
        ("{} {0} { who } {who", "{} {0} { who } {who"),
        ("{nobody}", "{nobody}"),
        ("{price:999999999}", "{price:999999999}"),
        ("{price:.999999f}", "{price:.999999f}"),
        ("{price:{who}}", "{price:Ann}"),
        ("{price:%Y}", "{price:%Y}"),
        ("{huge:.2f}", "{huge:.2f}"),
        ("{{who}} }} {{", "{who} } {"),
        ("} {{{who}}}", "} {Ann}"),
        ("100 %", "100 %"),
    )
    def test_is_filled_or_left_as_it_is(self, text, shown):
        assert filled(text, {"who": Secret(), "price": 3.5, "huge": 10**400}) == shown

    def test_that_is_left_is_logged_once(self, caplog, languages):
        for _ in range(2):
            assert languages.texts("en").gettext("hi", nme="Ann") == "Hello, {name}!"
        (record,) = caplog.records
        assert record.levelno == logging.WARNING
        assert record.message == "{name} in the text 'Hello, {name}!' has no value: give it as name=..."

    @given(text=st.text(alphabet="{}nab:.0!r[] ", max_size=30), value=st.text(max_size=5))
    @example(text="{{n}", value="")
    def test_never_fails(self, text, value):
        shown = filled(text, {"n": value, "a": Secret(), "b": 1})
        assert Secret.password not in shown

    @given(text=st.text(max_size=30))
    def test_of_a_text_with_its_braces_doubled_gives_the_text(self, text):
        assert filled(text.replace("{", "{{").replace("}", "}}"), {}) == text


class TestAPluralRule:
    @rows("language", sorted({*_BY_LANGUAGE, "en", "de", "tr", "sv"}))
    def test_of_the_table_is_that_of_cldr(self, language):
        from babel import Locale

        theirs, ours = Locale.parse(language).plural_form, small_rule(language)
        numbers = [*range(210), 1_000_000, 1_000_001, 2_000_000, 0.5, 1.5, 2.5, 10.1]
        assert [ours(n) for n in numbers] == [theirs(n) for n in numbers]

    def test_is_looked_up_for_languages_whose_plural_forms_are_read(self, tmp_path, monkeypatch):
        from babel import localedata

        for tag in ("de", "sk", "fi"):
            (tmp_path / f"{tag}.json").write_text('{"stars": {"one": "a", "other": "b"}, "title": "c"}')
        asked = []
        exists = localedata.exists
        monkeypatch.setattr(localedata, "exists", lambda name: asked.append(name) or exists(name))
        languages = Languages(tmp_path)
        assert [languages.texts(tag).gettext("title") for tag in ("de", "sk", "fi")] == ["c"] * 3
        assert not asked
        assert [languages.texts("sk").gettext("stars", n=n) for n in (1, 2)] == ["a", "b"]
        assert {*asked} == {"sk"}

    def test_is_that_of_the_table_without_babel(self, monkeypatch):
        assert rule_of("ar") is not small_rule("ar")
        assert rule_of("tlh") is small_rule("tlh")
        monkeypatch.setitem(sys.modules, "babel", None)
        assert rule_of("ar") is small_rule("ar")

    def test_of_another_language_is_that_of_english(self):
        assert [small_rule("tlh")(n) for n in (0, 1, 2)] == ["other", "one", "other"]

    def test_that_a_file_declares_counts_its_categories(self):
        rule = declared_rule("nplurals=3; plural=(n==1 ? 0 : n<5 ? 1 : 2);", ["many", "few", "one"])
        assert [rule(n) for n in (1, 2, 9, 1.5)] == ["one", "few", "many", "few"]

    @rows(
        "declared, error",
        ("nplurals=2", "is not a rule"),
        ("nplurals=2; plural=__import__('os')", "is not a rule"),
        ("nplurals=3; plural=n", "has 3 forms"),
    )
    def test_that_a_file_declares_is_checked(self, declared, error):
        with pytest.raises(ValueError, match=error):
            declared_rule(declared, CATEGORIES[1:3])


@pytest.mark.axes("interface", "style")
class TestATemplate:
    def test_knows_the_language_and_its_texts(self, languages, interface, style):
        source = '<html lang="{{ lang }}" dir="{{ dir }}">{{ __("note", n=2) }} {{ __("hi", name="<b>") }}'
        app = App()
        app.use(Templates(DictLoader({"page.html": source})))
        app.use(languages)

        def show(request: Request):
            return Page("page.html")

        app.get("/")(in_style(style, show))
        answer = Client(app, interface).get("/?lang=ar")
        assert answer.text == '<html lang="ar" dir="rtl">2 Hello, &lt;b&gt;!'
        assert answer.headers["content-language"] == "ar"
