"""Catalogues: what files may have, where they lie, which of them counts, and what is wrong with others."""

import sys

import pytest
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from antiphon import App, Request
from antiphon.features import Languages
from antiphon.handler import errors
from antiphon.testing import Client
from tests.helpers.rows import rows

PO = """
msgid ""
msgstr ""
"Content-Type: text/plain; charset=UTF-8\\n"
"Language: de\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

msgid "Hello, {name}!"
msgstr "Hallo {name}!"

msgctxt "menu"
msgid "Open"
msgstr "Öffnen"

msgid "Open"
msgstr "Offen"

msgid "{n} note"
msgid_plural "{n} notes"
msgstr[0] "{n} Notiz"
msgstr[1] "{n} Notizen"

msgctxt "menu"
msgid "{n} file"
msgid_plural "{n} files"
msgstr[0] "{n} Datei"
msgstr[1] "{n} Dateien"

#, fuzzy
msgid "Save"
msgstr "Sichern?"

msgid "Untranslated"
msgstr ""
"""


@pytest.fixture
def po(tmp_path):
    """Write a .po, and return the folder of catalogues."""

    def po(text=PO, tag="de", domain="messages"):
        path = tmp_path / tag / "LC_MESSAGES" / f"{domain}.po"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
        return tmp_path

    return po


def compile_po(folder):
    for path in folder.rglob("*.po"):
        with path.open("rb") as written, path.with_suffix(".mo").open("wb") as compiled:
            write_mo(compiled, read_po(written))


class TestGettextFiles:
    @pytest.mark.parametrize("is_compiled", [True, False])
    def test_have_texts_contexts_and_plurals(self, po, is_compiled):
        folder = po()
        if is_compiled:
            compile_po(folder)
            (folder / "de/LC_MESSAGES/messages.po").unlink()
        texts = Languages(folder).texts("de")
        assert texts.gettext("Hello, {name}!", name="Ann") == "Hallo Ann!"
        assert texts.gettext("Open") == "Offen"
        assert texts.pgettext("menu", "Open") == "Öffnen"
        assert texts.ngettext("{n} note", "{n} notes", 1) == "1 Notiz"
        assert texts.ngettext("{n} note", "{n} notes", 2.5) == "2.5 Notizen"
        assert texts.gettext("{n} note", n=3) == "3 Notizen"
        assert texts.gettext("{n} note") == "{n} Notiz"
        assert texts.npgettext("menu", "{n} file", "{n} files", 2) == "2 Dateien"
        assert [texts.gettext(key) for key in ("Save", "Untranslated", "")] == ["Save", "Untranslated", ""]

    def test_need_babel_or_to_be_compiled(self, po, monkeypatch):
        folder = po()
        monkeypatch.setitem(sys.modules, "babel.messages.pofile", None)
        monkeypatch.delitem(sys.modules, "babel.messages", raising=False)
        with pytest.raises(ImportError, match=r"messages\.po needs Babel .* pip install 'antiphon\[languages\]', or"):
            Languages(folder)


class TestOfSeveral:
    def test_the_first_counts(self, folder, po, tmp_path):
        po('msgid "a"\nmsgstr "de/messages"\nmsgid "c"\nmsgstr "de/messages"\nmsgid "d"\nmsgstr "de/messages"\n')
        po('msgid "c"\nmsgstr "de/forms"\nmsgid "e"\nmsgstr "de/forms"\n', domain="forms")
        folder(de={"a": "de.json", "b": "de.json"}, en={"f": "en.json", "b": "en.json"})
        more = tmp_path / "more"
        more.mkdir()
        (more / "de.json").write_text('{"b": "more/de.json", "g": "more/de.json"}')
        texts = Languages(tmp_path, more).texts("de")
        assert {key: texts.gettext(key) for key in "abcdefgh"} == {
            "a": "de.json", "b": "de.json", "c": "de/forms", "d": "de/messages", "e": "de/forms", "f": "en.json",
            "g": "more/de.json", "h": "h",
        }  # fmt: skip

    def test_that_which_is_compiled_counts(self, po):
        folder = po()
        compile_po(folder)
        po("this is not read")
        assert Languages(folder).texts("de").gettext("Open") == "Offen"

    def test_other_files_are_left_alone(self, folder):
        here = folder(de={})
        (here / "README.md").write_text("x")
        (here / "messages.pot").write_text("x")
        (here / "de").mkdir()
        assert Languages(here).tags == ("en", "de")


class TestAMalformedFile:
    @rows(
        "text, error",
        ('{\n"a": "b"\n"c": "d"}', r"de\.json, line 3: "),
        ("", r"de\.json, line 1: "),
        ("[]", r"de\.json, line 1: translations must be an object, not list"),
        (
            '{"a": "b",\n\n"c": 3}',
            r"de\.json, line 3: 'c' is 3: it must be text, or an object with plural forms as text",
        ),
        ('{"a": {\n"ä": ["x"]}}', r"de\.json, line 2: 'a\.ä' is \['x'\]: it must be text"),
        ('{"a": "b",\n"a": "c"}', r"de\.json, line 2: the key 'a' occurs twice in one object"),
        ('{"": {"plural-forms": "n"},\n "a": {"one": "x"}}', r"de\.json, line 1: 'n' is not a rule"),
        ('{"a": {"one": null}}', r"de\.json, line 1: 'a\.one' is None"),
    )
    def test_is_an_error_at_start_that_names_file_and_line(self, folder, text, error):
        with pytest.raises(ValueError, match=error):
            Languages(folder(de=text))

    def test_in_another_encoding_names_the_line(self, tmp_path):
        (tmp_path / "de.json").write_bytes('{\n"a": "ä"}'.encode("latin-1"))
        with pytest.raises(ValueError, match=r"de\.json, line 2: not in UTF-8"):
            Languages(tmp_path)

    def test_for_translators_names_file_and_line(self, po):
        with pytest.raises(ValueError, match=r"messages\.po, line 3: "):
            Languages(po('msgid "a"\nmsgstr "b"\nnonsense\n'))

    @rows("data", [b"", b"\xde\x12\x04\x95\0\0", b"no catalogue at all, but some text"])
    def test_that_is_compiled_names_the_file(self, tmp_path, data):
        path = tmp_path / "de/LC_MESSAGES/messages.mo"
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        with pytest.raises(ValueError, match=r"messages\.mo: not a compiled gettext file"):
            Languages(tmp_path)

    @pytest.mark.parametrize("name", ["messages", "de.texts", "schema"])
    def test_whose_name_is_no_language_is_an_error(self, folder, name):
        with pytest.raises(ValueError, match=rf"{name}\.json: '{name}' is not a language tag"):
            Languages(folder(**{name: {}}))

    def test_may_begin_with_a_byte_order_mark(self, tmp_path):
        (tmp_path / "de.json").write_bytes(b'\xef\xbb\xbf{"hi": "Hallo"}')
        assert Languages(tmp_path).texts("de").gettext("hi") == "Hallo"


class TestInTheDebugMode:
    @pytest.fixture(autouse=True)
    def _debug(self, monkeypatch):
        monkeypatch.setattr(errors, "_debug_page", lambda request, error, response: None)

    def test_changed_files_are_read_again(self, folder):
        app = App()
        app.use(Languages(folder(de={"hi": "Hallo"})))

        @app.get("/")
        def hi(request: Request):
            return f"{request.language.tag}: {request.language.gettext('hi')}"

        client = Client(app)
        assert client.get("/?lang=de").text == "de: Hallo"
        folder(de={"hi": "Servus"}, fr={"hi": "Salut"})
        assert [client.get(f"/?lang={tag}").text for tag in ("de", "fr")] == ["de: Servus", "fr: Salut"]
        folder(de="{")
        assert client.get("/").status == 500
        folder(de={"hi": "Hallo"})
        assert client.get("/?lang=de").text == "de: Hallo"

    def test_missing_texts_are_logged_once(self, folder, caplog):
        languages = Languages(folder(de={"hi": "Hallo"}))
        for _ in range(2):
            assert languages.texts("de").gettext("bye") == "bye"
            assert languages.texts("de").pgettext("menu", "bye") == "bye"
            assert languages.texts("en").gettext("Source texts are English.") == "Source texts are English."
        assert [record.message for record in caplog.records] == [
            "the text 'bye' is missing in 'de'",
            "the text 'menu: bye' is missing in 'de'",
        ]


def test_nothing_is_logged_of_missing_texts_elsewhere(folder, caplog):
    assert Languages(folder(de={"hi": "Hallo"})).texts("de").gettext("bye") == "bye"
    assert not caplog.records
