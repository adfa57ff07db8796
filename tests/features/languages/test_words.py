"""The table of the framework's texts: it has all that clients see, in nine languages, each with its own forms."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.features import Languages
from antiphon.features.forms.messages import MESSAGES
from antiphon.features.languages.catalogues import rule_of, small_rule
from antiphon.features.languages.texts import Texts
from antiphon.features.languages.words import FORMS, LANGUAGES, table, translated, words_for
from antiphon.http.status import PHRASES
from tests.helpers.rows import rows
from tests.helpers.told_texts import HOLE, told_texts

COLUMNS, ROWS = table()
CATEGORIES = {column[:2]: column[4:].split(FORMS) for column in COLUMNS}
ENGLISH = [form for cells in ROWS for form in cells[0].split(FORMS)]
_placeholder = re.compile(r"\{(\w+)\}")


FOR_PROGRAMMERS = (
    "adapters/websockets/wsgi.py",  # how to set up a server, and what a client's library did wrong
    "features/tools/",  # a protocol of programs
    "app/planning/request_checks.py: f\"This server doesn't support WebSockets",  # servers that support WebSockets
    "frameworks/framework.py: detail or None",  # what code of another framework says
    "body/receiver.py: str(error)",  # "Content-Length must be ...", which is in the table
    "features/forms/form.py: self._said",  # one of the messages
    "features/users.py: self._reason(request)",  # its texts are found
    "serialization/faults.py: reason.detail",  # a part of another reason
    "serialization/faults.py: fault['detail']",
    "serialization/json_fields.py: error.detail or",
    "serialization/patches.py: wrong.detail",  # the fields that are wrong, which are in the table
    "serialization/pydantic_models.py: str(context['error'])",  # the model's own text
    "serialization/pydantic_models.py: message[:1].lower()",  # Pydantic's texts
    "serialization/rows.py: str(error.detail)",
    "serialization/patches.py: error.detail",  # a part of another message
    "features/resumable/messages.py: f'{missing}.'",  # names of header fields
)
"""The beginnings of places whose texts aren't in the table, each for the reason given."""

COMPOSED = {
    "This {} comes from a page on another site, {}.": [
        "This write comes from a page on another site, at https://x.example.",
        "This write comes from a page on another site, whose origin is 'null'.",
        "This handshake comes from a page on another site, that names no origin.",
    ],
    "Cross-site {}": ["Cross-site write", "Cross-site handshake"],
    "The path is malformed: {}.": [
        "The path is malformed: broken percent-escape at byte 3 of the path.",
        "The path is malformed: NUL at byte 3 of the decoded path.",
        "The path is malformed: not UTF-8 at byte 3 of the decoded path.",
    ],
    "The body is refused: {}.": [
        "The body is refused: Content-Digest has neither sha-256 nor sha-512.",
        "The body is refused: Content-Digest has neither sha-256 nor sha-512 that is signed.",
        "The body is refused: the body does not have its sha-256 digest.",
    ],
    "The form has more than {} {}.": [f"The form has more than 9 {what}." for what in ("fields", "files", "parts")],
    "{} {} bytes.": ["The form's fields, not counting files, exceed 9 bytes.", "A file in the form exceeds 9 bytes."],
    "The first request with this Idempotency-Key {} its outcome is unknown. Find out what it did before you send it"
    " again, with a new key.": [
        f"The first request with this Idempotency-Key {why} its outcome is unknown. Find out what it did before you"
        " send it again, with a new key."
        for why in ("was interrupted, and", "has had no response for 9 seconds. If it was interrupted")
    ],
    "This Idempotency-Key was sent with {} before: a new write needs a new key.": [
        f"This Idempotency-Key was sent with {what} before: a new write needs a new key."
        for what in ("other credentials", "another request", "a different Content-Type")
    ],
    "the header {} is missing{}": ["the header 'x-one' is missing"],
    "The body must be {}, {}.": [
        "The body must be a form, not text/plain.",
        "The body must be application/json, but its type is not declared.",
        "The body must be rows (CSV, JSON lines or a JSON array), not text/plain.",
    ],
    "expected a decimal number {} {}": ["expected a decimal number of at least 9.50"],
    "expected {}": [
        'expected "a"',
        "expected a finite number",
        "expected digits, with at most 2 after the point",
        "expected digits, without a point",
    ],
    "expected {} {} {}": [
        "expected a string of at least 1 character",
        "expected a string in base64 of at most 2 bytes",
        "expected an object of at most 1 member",
        "expected an integer above 3",
        "expected a number below -1.5",
        "expected a floating-point number of at least 0.5",
    ],
    "expected {}, got {}": [
        "expected an integer or null, got a boolean",
        "expected true or false, got null",
        "expected an array or an object or null, got a string",
    ],
    "expected an array of {}{} {}, got {}": [
        "expected an array of at least 2 items, got 1",
        "expected an array of at most 2 items, got 3",
        "expected an array of 2 to 3 items, got 1",
    ],
    "expected {}, without an offset from UTC": [
        "expected a date and time such as 2030-12-31T23:59:59, without an offset from UTC"
    ],
    "expected {}, with an offset from UTC": ["expected a time such as 23:59:59, with an offset from UTC"],
    "{}, got nothing": ["expected a date such as 2030-12-31, got nothing"],
    "the name does not fit: {}": ["the name does not fit: expected a UUID", "the name does not fit: is missing"],
    "{}{}{} {} wrong": [
        "1 field is wrong",
        "2 fields of the form are wrong",
        "2 fields of the query are wrong",
        "at least 3 fields of the rows are wrong",
        "more than 1000 fields are wrong, of which the first 100 are listed",
        "1 field of a row is wrong",
    ],
    "has {}, not {}": ["has 1 field, not 2", "has 3 fields, not 2"],
    "the JSON has a number that is too large{}": [
        "the JSON has a number that is too large",
        "the JSON has a number that is too large (byte 9)",
    ],
    "{}": ["Content-Length must be one number of 0 or more, not '-1'"],
    "In item {} of the array: {}": ["In item 3 of the array: the JSON is malformed"],
    "expected a file": ["expected a duration such as PT30S"],
}
"""Texts that the source puts together, and what becomes of them."""


@pytest.fixture
def language(folder):
    """Return an app's texts in a language for which it has an empty catalogue."""
    languages = Languages(folder(**{tag: {} for tag in LANGUAGES}, zh_Hant={}), default="en")
    return lambda tag: Spoken(languages.texts(tag))


class Spoken:
    """Texts that record the keys under which they were looked up."""

    dir = "ltr"

    def __init__(self, texts: Texts) -> None:
        self._texts = texts
        self.keys = set()
        self.has = texts.has

    def gettext(self, key, /, **values):
        self.keys.add(key)
        return self._texts.gettext(key, **values)


def holes(text):
    return _placeholder.sub(HOLE, text)


class TestTheTable:
    def test_has_each_text_that_a_client_sees_and_no_other(self, language):
        """Both in one test: to read the source takes most of its time."""
        told, german = [*told_texts()], language("de")
        known = {holes(form) for form in ENGLISH} | COMPOSED.keys()
        lacking = [
            each.where
            for each in told
            if each.text not in known
            and not each.where.startswith(FOR_PROGRAMMERS)
            and (each.text is None or translated(german, each.text) == each.text)
        ]
        assert lacking == [], "these texts need a row in messages.tsv, for all languages"
        assert len(told) > 200
        texts = {each.text for each in told} | {*MESSAGES.values(), *PHRASES.values(), "request {}"}
        for each in [*(each for made in COMPOSED.values() for each in made), *filter(None, texts)]:
            translated(german, each)
        said = {holes(key) for key in german.keys} | texts | {"Client Error", "Server Error"}
        source = {"{}, of which the first {} are listed", "at most {}", "null", "no header {} is signed", "the patch"}
        source.add("This could not be sent. Please try again.")  # which the script of blocks says
        assert [cells[0] for cells in ROWS if holes(cells[0].split(FORMS)[0]) not in said | source] == []

    def test_has_the_forms_messages_and_the_phrases_of_errors(self):
        phrases = {phrase for code, phrase in PHRASES.items() if code >= 400 and code != 499}
        assert not {*MESSAGES.values(), *phrases, "Client Error", "Server Error"}.difference(ENGLISH)

    def test_translates_what_the_source_puts_together(self, language):
        german = language("de")
        examples = [each for made in COMPOSED.values() for each in made]
        assert [each for each in examples if translated(german, each) == each] == []

    def test_has_each_text_once_in_each_language(self):
        assert len({*ENGLISH}) == len(ENGLISH)
        assert [cells[0] for cells in ROWS if len(cells) != len(COLUMNS)] == []
        assert [column[:2] for column in COLUMNS] == ["en", *LANGUAGES]


class TestEachTranslation:
    def test_has_the_forms_of_its_language(self):
        for rule_for in (rule_of, small_rule):
            for tag, categories in CATEGORIES.items():
                assert {rule_for(tag)(n) for n in (*range(200), 1_000_000, 1.5)} == {*categories}, (tag, rule_for)

    def test_has_one_text_or_all_forms(self):
        for english, *cells in ROWS:
            for tag, cell in zip(LANGUAGES, cells, strict=True):
                forms = cell.split(FORMS)
                assert len(forms) in (1, len(CATEGORIES[tag])), (tag, english)
                if FORMS in english:
                    assert len(forms) == len(CATEGORIES[tag]), (tag, english)

    def test_has_the_placeholders_of_the_english(self):
        for english, *cells in ROWS:
            wanted = {*_placeholder.findall(english)}
            for tag, cell in zip(LANGUAGES, cells, strict=True):
                for category, form in zip(CATEGORIES[tag], cell.split(FORMS), strict=False):
                    counts = {"n", "max", "min"} if tag == "ar" and category in ("zero", "one", "two") else set()
                    found = [*_placeholder.findall(form)]
                    assert wanted - counts <= {*found} <= wanted, (tag, form)
                    assert len(found) == len({*found}), (tag, form)
                    assert _placeholder.sub("", form).count("{") == 0, (tag, form)

    def test_has_no_space_at_its_ends_and_no_mark_of_direction(self):
        for cells in ROWS:
            for form in [form for cell in cells for form in cell.split(FORMS)]:
                assert form
                assert form == form.strip() == unicodedata.normalize("NFC", form)
                assert not [each for each in form if unicodedata.category(each) == "Cf"], form

    def test_ends_as_its_language_ends_a_sentence(self):
        for english, *cells in ROWS:
            for tag, cell in zip(LANGUAGES, cells, strict=True):
                for form in cell.split(FORMS):
                    is_sentence = english.split(FORMS)[0][-1:] == "."
                    end = "。" if tag in ("ja", "zh") else "."
                    if english[-4:] != '."."' and "..." not in english and ' "' not in english:
                        assert form.endswith(end) == is_sentence, (tag, form)

    def test_is_not_english(self):
        words = re.compile(r"\b(?:the|is|are|must|not|and|this|that|with|from|of|be|it|were|please)\b", re.IGNORECASE)
        same = {("null", tag) for tag in LANGUAGES} | {("JSON", tag) for tag in LANGUAGES} | {("No", "es")}
        same |= {("Conflict", "fr"), ("Page {page}", "fr"), ("a UUID", "ja")}
        for english, *cells in ROWS:
            names = f"{english} boundary Cookie CSV IP ID Lines Origin URI URL Webhook WebSocket CSRF JSON UTF".lower()
            for tag, cell in zip(LANGUAGES, cells, strict=True):
                assert cell != english.split(FORMS)[0] or (english, tag) in same, (tag, english)
                assert not words.search(_placeholder.sub("", cell).replace("HTTP", "")), (tag, cell)
                if tag in ("ar", "ja", "zh"):
                    assert {*re.findall(r"[a-z]{2,}", cell.lower())} <= {*re.findall(r"[a-z]{2,}", names)}, cell


class TestATextIs:
    @rows(
        "tag, english, found",
        ("ar", "2 fields of the form are wrong", "حقلان خاطئان في النموذج"),
        ("ar", "11 fields are wrong", "11 حقلًا خاطئًا"),
        ("pl", "5 fields are wrong", "5 pól jest nieprawidłowych"),
        ("pl", "22 fields are wrong", "22 pola są nieprawidłowe"),
        ("fr", "1000000 fields are wrong", "1000000 de champs sont incorrects"),
        ("de", "expected an integer or null, got a string", "erwartet: eine ganze Zahl oder null, erhalten: Text"),
        ("de", "There is nothing at /a {b} c.", "Unter /a {b} c gibt es nichts."),
        ("zh", "Not Found", "未找到"),
    )
    def test_said_in_the_language(self, language, tag, english, found):
        assert translated(language(tag), english) == found

    @rows("text", ["", "expected cake", "at noon", "token is missing", "request denied", "cake or death", "/x"])
    def test_left_as_it_is_if_it_is_not_the_frameworks(self, language, text):
        assert translated(language("de"), text) == text

    def test_isolated_from_arabic_text(self, language):
        arabic = language("ar")
        arabic.dir = "rtl"
        assert translated(arabic, "There is nothing at /a.") == "لا يوجد شيء في \u2068/a\u2069."

    def test_never_in_simplified_characters_for_readers_of_traditional_ones(self, language):
        assert translated(language("zh-Hant"), "Not Found") == "Not Found"
        assert words_for("zh-Hans-CN")
        assert not words_for("zh-TW")

    @given(st.text(max_size=40), st.sampled_from(ENGLISH))
    def test_text_whatever_a_client_puts_into_it(self, text, english):
        languages = GERMAN[0]
        made = _placeholder.sub(lambda _: text, english)
        assert isinstance(translated(languages, made), str)

    @rows(
        "text",
        "expected one of " + "a or " * 900, "an integer or " * 290, "'" * 4000 + " is missing",
        "null or " * 500 + "null", "x" * 10**6,
    )  # fmt: skip
    def test_found_in_linear_time(self, language, text):
        translated(language("de"), text)


GERMAN = [Spoken(Texts("de", words_for("de")))]
