"""Forms in Asok's words: their definitions, what is sent of them, and their markup."""

from typing import Any

import pytest
from jinja2 import Environment

from antiphon.dialects.asok import Form
from antiphon.http import UnsupportedMediaType
from tests.dialects.asok.beside_forms import Package, request_of_the_dialect
from tests.features.forms.markup import parsed, submission
from tests.helpers.rows import rows

ASKED = Package("antiphon.dialects.asok")


class Contact(Form):
    name = Form.text("Your <name>", "required|min:2", placeholder="Ada")
    email = Form.email("E-mail", "required|email", {"email": "Not {field}"})


def sent(form: Any, **values: str) -> Any:
    """A form of a class, or of definitions, that was sent and checked."""
    request = ASKED.request("POST", values)
    made = form(request) if isinstance(form, type) else Form(form, request)
    made.validate()
    return made


def test_a_form_asks_for_the_token_unless_it_is_told_not_to():
    request = ASKED.request("POST", {"name": "Ada", "email": "ada@example.com"})
    calls: list[str] = []
    vars(request)["verify_csrf"] = lambda: calls.append("asked")
    form = Contact(request)
    assert (form.validate(csrf=False), calls, form.is_valid(), calls) == (True, ["asked"], True, ["asked"])


@pytest.mark.feature("asok-045")
def test_a_field_in_a_template_is_its_input_with_label_and_error():
    template = Environment(autoescape=True).from_string("{{ form.name }}|{{ form.email.input(class_='wide', rows=2) }}")
    whole, _, part = template.render(form=sent(Contact, name='"', email="<i>")).partition("|")
    assert whole == (
        '<div class="form-group"><label for="name">Your &lt;name&gt;</label>'
        '<input type="text" value="&quot;" id="name" name="name" required placeholder="Ada" minlength="2"'
        ' class="input-error" aria-describedby="name-error" aria-invalid="true">'
        '<div class="form-error" id="name-error">Minimum 2 characters.</div></div>'
    )
    field = parsed(part).all("input")[0]
    assert (field.get("value"), field.get("class"), field.get("rows"), field.get("type")) == (
        "<i>",
        "wide",
        "2",
        "email",
    )


def test_a_message_is_set_by_a_program_and_shown():
    form = sent(Contact, name="Ada", email="ada@example.com")
    form.email._error = "Taken <already>."
    assert (form.errors, form.error("email")) == ({"email": "Taken <already>."}, "Taken <already>.")
    assert "Taken &lt;already&gt;." in str(form)
    form.email.message = ""
    assert not form.has_errors


TRANSLATED = """
from antiphon.dialects.asok import Form

def render(request):
    form = Form({"first_name": Form.text("Name", "required|min:3"), "mail": Form.text("Mail", "email")}, request)
    form.validate()
    by_rules = request.validate({"age": "required"}, raise_error=False)
    return request.json([form.errors, by_rules])
"""


def test_messages_are_in_the_language_of_the_request(serve, caplog):
    texts = '{"v_required": "{field} fehlt.", "v_min": "{name}: {min}!"}'
    app = {"page.py": TRANSLATED, "src/locales/de.json": texts, "src/locales/en.json": "{}"}
    client = serve(app, prepare=lambda app: app.config.update(CSRF=False))
    name_and_mail = {"first_name": "Bo", "mail": "x"}
    asked = [client.post(url, form=name_and_mail).json[0] for url in ("/?lang=de", "/?lang=en")]
    english = {"first_name": "Minimum 3 characters.", "mail": "Invalid email address."}
    assert asked == [{"first_name": "first name: 3!", "mail": "Invalid email address."}, english]
    assert not [record for record in caplog.records if "has no value" in record.getMessage()]


class TestAFormWithoutARequest:
    def test_is_shown_and_bound_later(self):
        form = Contact()
        assert "csrf_token" not in str(form)
        assert not form.validate(ASKED.request("POST", {"name": "Ada"}))
        assert form.errors == {"email": "This field is required."}

    def test_says_what_it_lacks(self):
        with pytest.raises(RuntimeError, match=r"a form needs a request for validation: Form\(\{\.\.\.\}, request\)"):
            Contact().validate()


def test_a_form_of_a_model_is_refused_with_what_to_do_instead():
    with pytest.raises(NotImplementedError, match="models of Asok's ORM, which this dialect does not offer"):
        Form.from_model(object)
    with pytest.raises(NotImplementedError, match=r"Form\.signature\('Sign', \.\.\.\) draws with Asok's script"):
        Form.signature("Sign", "required")


TREE = [{"id": 1, "name": "Tea", "children": [{"id": 2, "name": "Green"}]}, {"pk": 3, "name": "Cake"}]

COMPOSED = {
    "dropdown": (Form.dropdown("D", TREE[:1], title="name", required=True), {"f": "1"}, "1", [("f", "1")]),
    "cascading": (Form.cascading("C", {"France": ["Paris"]}), {"f": "France > Paris"}, "France > Paris", None),
    "treeselect": (Form.treeselect("T", TREE), {"f": "2"}, "2", None),
    "treeselect of pk": (Form.treeselect("T", TREE), {"f": "3"}, "3", None),
    "autocomplete": (Form.autocomplete("A", ["Paris", "Rome"]), {"f": "Ro"}, "Ro", None),
    "rating": (Form.rating("R", max_stars=3), {"f": "2"}, "2", None),
    "otp": (Form.otp("O", length=4), {"f": "1234"}, "1234", None),
    "phone": (Form.phone("P"), {"f": "+49 30 1"}, "+49 30 1", None),
    "wysiwyg": (Form.wysiwyg("W", height=9), {"f": "<b>"}, "<b>", None),
    "toggle": (Form.toggle("T"), {"f": "on"}, "1", [("f", "")]),
    "daterange": (
        Form.daterange("D", start_label="In"),
        {"f_start": "2030-01-01", "f_end": "2030-01-02"},
        '{"start": "2030-01-01", "end": "2030-01-02"}',
        [("f_start", "2030-01-01"), ("f_end", "2030-01-02")],
    ),
    "timerange, empty": (Form.timerange("T"), {"f_start": "", "f_end": ""}, "", [("f_start", ""), ("f_end", "")]),
    "timerange, by a script": (
        Form.timerange("T"),
        {"f": '{"start": "10:00", "end": ""}'},
        '{"start": "10:00", "end": ""}',
        [("f_start", "10:00"), ("f_end", "")],
    ),
    "tags": (Form.tags("T", [("a", "A"), ("b", "B")]), {"f": '["b"]'}, '["b"]', [("f", "b")]),
    "tags of one's own": (Form.tags("T", allow_custom=True), {"f": "x, y"}, '["x", "y"]', [("f", "x, y")]),
    "transfer": (Form.transfer("T", [{"id": 1, "name": "R"}, "b"]), {"f": "1"}, '["1"]', [("f", "1")]),
}


class TestAFieldThatAsokShowsByAScript:
    """Each sends what Asok's does, from inputs that need no script."""

    @rows("definition, values, value, again", COMPOSED.values(), ids=COMPOSED)
    def test_has_inputs_of_html_that_send_its_value(self, definition, values, value, again):
        form = sent({"f": definition}, **values)
        page = parsed(form.f)
        assert (form.data, form.errors) == ({"f": value}, {})
        assert submission(page) == (again or [*values.items()])
        assert f"asok-{definition.type}" in [each.get("class") for each in page.all("div")]


def test_attributes_of_parts_go_to_the_parts():
    choices = [("a", "A")]
    select = parsed(Form({"f": Form.select("F", choices, option__class="o", class_="s")}).f)
    radio = parsed(Form({"f": Form.radio("F", choices, label__class="l", input__class="i")}).f)
    toggle = parsed(Form({"f": Form.toggle("F", container__class="c", slider__class="s", input__class="i")}).f)
    assert [each.get("class") for each in select.all("select", "option")] == ["s", "o"]
    assert [each.get("class") for each in radio.all("label", "input")][1:] == ["l", "i"]
    assert [each.get("class") for each in toggle.all("div", "input", "label")] == [
        *("form-group", None, "asok-toggle c", "peer sr-only i", "asok-toggle-slider s")
    ]


def test_choices_are_asked_for_when_they_are_shown():
    form = Form({"f": Form.select("F", lambda: [("a", "A")])})
    form.f.choices = [("b", "B")]
    assert [option.text for option in parsed(form.f).all("option")] == ["B"]
    form.f.choices = ["c", ["d", "D"]]
    assert [option.text for option in parsed(form.f).all("option")] == ["c", "D"]


def test_a_field_has_the_name_of_something_that_the_form_has():
    class Odd(Form):
        data = Form.text("Data")
        text = Form.text("Text")

    form = Odd(ASKED.request("POST", {"data": "1", "text": "2"}))
    assert (form.data, form["data"].value, form.text.value) == ({"data": "1", "text": "2"}, "1", "2")


def test_a_password_and_a_file_are_not_shown_again():
    definitions = {"secret": Form.password("Secret", "required"), "file": Form.file("File")}
    form = sent(definitions, secret="hunter2")
    assert form.data == {"secret": "hunter2", "file": ""}
    assert "hunter2" not in str(form)


class TestWhereFormsAreNotAsAsoks:
    def test_only_the_body_fills_in_a_form_that_is_posted(self):
        request = request_of_the_dialect(
            "POST", {"content-type": "application/x-www-form-urlencoded"}, b"a=1", "/?b=on"
        )
        form = Form({"a": Form.text("A"), "b": Form.checkbox("B")}, request)
        assert (form.data, request.form["b"]) == ({"a": "1", "b": "0"}, "on")

    def test_json_is_no_form(self):
        with pytest.raises(UnsupportedMediaType, match="a form"):
            Contact(request_of_the_dialect("POST", {"content-type": "application/json"}, b"{}"))

    def test_a_subclass_has_the_fields_of_its_base(self):
        class Letter(Contact):
            words = Form.textarea("Words")

        assert [field.name for field in Letter()] == ["name", "email", "words"]

    @rows("rule, pattern", [("regex:^[a-z]+$", "[a-z]+"), ("regex:[a-z]", ".*(?:^(?:[a-z])).*"), (r"regex:\Aa", None)])
    def test_a_pattern_is_that_of_javascript(self, rule, pattern):
        (control,) = parsed(Form({"f": Form.text("F", rule)}).f).all("input")
        assert control.get("pattern") == pattern


PAGE = """
from antiphon.dialects.asok import Form

def render(request):
    form = request.shared("newsletter")
    if form.validate():
        saved = form.data["mail"]
        form.reset()
        return f"{saved}, {form.data['mail']}."
    return str(form.csrf) + str(form.mail)
"""


@rows("method", ["POST", "PUT"])
def test_a_form_that_the_application_shares_is_each_requests_own(serve, method):
    template = Form({"mail": Form.email("Newsletter", "required|email")})
    client = serve({"page.py": PAGE}, prepare=lambda app: app.share(newsletter=template))
    token = dict(submission(parsed(client.get("/").text)))["csrf_token"]
    assert client.request(method, "/", form={"mail": "a@b.de"}).status == 403
    assert client.request(method, "/", form={"mail": "a@b.de", "csrf_token": token}).text == "a@b.de, ."
    wrong = parsed(client.request(method, "/", form={"mail": "<wrong>", "csrf_token": token}).text)
    assert (dict(submission(wrong))["mail"], "Invalid email address." in wrong.text) == ("<wrong>", True)
    assert dict(submission(parsed(client.get("/").text)))["mail"] == template.data["mail"] == ""
