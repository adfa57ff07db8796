"""Forms in the language of the request: labels, choices and messages."""

from dataclasses import dataclass
from typing import Annotated, Literal

import pytest
from msgspec import Meta

from antiphon import App, Request
from antiphon.features import Field, Form, Languages, lazy_gettext
from antiphon.http import UnprocessableContent
from antiphon.testing import Client

pytestmark = pytest.mark.axes("interface")

GERMAN = {
    "name": "Ihr Name",
    "hint": "Wie man Sie ruft",
    "tea": "Tee & Kuchen",
    "four": "Genau {digits}: {min.__class__} {min} und {max}",
    "form": {
        "missing": "Bitte ausfüllen.",
        "missing.select": "Bitte wählen.",
        "too_long": {"one": "Höchstens ein Zeichen.", "other": "Höchstens {max} Zeichen."},
        "summary": "Bitte prüfen:",
        "error": "Bitte prüfen.",
        "submit": "Absenden",
    },
}


@dataclass
class Visit:
    name: Annotated[
        str,
        Meta(max_length=4),
        Field(label=lazy_gettext("name"), help=lazy_gettext("hint"), placeholder=lazy_gettext("hint")),
    ]
    drink: Annotated[Literal["tea", "water"], Field(choices={"tea": lazy_gettext("tea"), "water": "Wasser"})]
    code: Annotated[
        str,
        Meta(min_length=4, max_length=6),
        Field(messages={"too_short": lazy_gettext("four", digits="vier Ziffern")}),
    ] = "1234"
    age: Annotated[int, Meta(ge=16)] = 16


@pytest.fixture
def client(folder, interface):
    app = App()
    app.use(Languages(folder(de=GERMAN)))

    @app.get("/")
    @app.post("/")
    def visit(request: Request):
        form = Form(Visit, request)
        if not form.validate() and request.accept.best(["text/html", "application/json"]) == "application/json":
            raise form.error()
        return form, form.status

    app.post("/json")(lambda request: request.json_as(Visit).name)

    @app.errorhandler(UnprocessableContent)
    def wrong(request: Request, error: UnprocessableContent):
        for fault in error.errors:
            key = f"form.{fault.get('code')}"
            if request.language.has(key):
                fault["detail"] = request.language.gettext(key, **fault)
        return error.problem()

    return Client(app, interface)


class TestAForm:
    def test_has_labels_help_choices_and_button_in_the_language(self, client):
        page = client.get("/?lang=de").text
        for part in [
            '<label for="visit-name">Ihr Name ', 'placeholder="Wie man Sie ruft"',
            '<p class="help" id="visit-name-help">Wie man Sie ruft</p>',
            '<option value="tea">Tee &amp; Kuchen</option>', '<button type="submit">Absenden</button>',
        ]:  # fmt: skip
            assert part in page
        assert '<label for="visit-name">name ' in client.get("/?lang=en").text
        assert '<button type="submit">Send</button>' in client.get("/?lang=en").text

    def test_has_messages_by_their_codes_with_their_bounds(self, client):
        page = client.post("/?lang=de", form={"name": "Annette", "code": "1", "age": "12"}).text
        for part in [
            '<a href="#visit-name">Ihr Name: Höchstens 4 Zeichen.</a>',
            '<p class="error" id="visit-drink-error">Bitte wählen.</p>',
            "Genau vier Ziffern: {min.__class__} 4 und 6",
            "<p>Bitte prüfen:</p>",
            "Dies muss mindestens 16 sein.",
        ]:
            assert part in page

    def test_has_them_in_problem_details(self, client):
        answer = client.post("/?lang=de", form={}, headers={"accept": "application/json"})
        assert answer.json["detail"] == "Bitte prüfen."
        assert answer.json["errors"][0] == {"pointer": "/name", "detail": "Bitte ausfüllen.", "code": "missing"}

    def test_varies_by_what_its_texts_were_chosen_by(self, client):
        assert client.post("/", form={}).headers["vary"].lower() == "cookie, accept-language, accept"


def test_problem_details_of_typed_values_are_said_by_an_error_handler(client):
    answer = client.post("/json?lang=de", json={"name": "Annette", "drink": "tea"})
    assert answer.status == 422
    assert answer.json["errors"][0]["detail"] == "Höchstens 4 Zeichen."
