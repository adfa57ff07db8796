"""Forms as HTML: their markup, for people and for assistive technology; and what was rendered, sent again."""

import datetime
import enum
import re
import uuid
from collections import Counter
from dataclasses import dataclass, field, make_dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import Environment
from msgspec import Meta

from antiphon import App, Request, Response, Upload, decimal_meta
from antiphon.features import Field, Form
from antiphon.features.forms.inputs import pattern_of_html
from antiphon.features.html import Markup
from antiphon.testing import Client
from tests.features.forms.markup import Element, parsed, submission
from tests.features.forms.test_form import Colour, made, post
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

Many = Annotated[list[Colour], Field(widget="checkbox", help="Any.")]


@dataclass
class Everything:
    name: Annotated[str, Meta(min_length=2, max_length=9), Field(label="Your name", help="As others call you.")]
    password: Annotated[str, Field(widget="password", autocomplete="new-password")]
    age: Annotated[int, Meta(ge=0, lt=150)]
    colour: Annotated[Colour, Field(widget="radio")]
    size: Literal["small", "large"]
    cover: Annotated[Upload, Field(accept="image/*")]
    tags: Many = field(default_factory=list)
    news: Annotated[bool, Field(help="Once a month.")] = False
    note: Annotated[str | None, Field(widget="textarea", attributes={"rows": 5, "data-x": '"'})] = None
    lines: list[str] = field(default_factory=list)
    step: Annotated[int, Field(widget="hidden")] = 1


def form(request: Request | None = None, wanted: Any = Everything, **options: Any) -> Form[Any]:
    made: Form[Any] = Form(wanted, request or Request.blank("/"), **options)
    made.validate()
    return made


WRONG = {"name": "<", "age": "-1", "colour": "x", "news": "maybe", "password": "hunter2", "tags": "x", "step": "x"}


@rows("request_", [Request.blank("/"), post(WRONG)], ids=["new", "wrong"])
class TestAForm:
    def test_has_ids_that_are_unique_and_every_reference_leads_to_one(self, request_):
        page = parsed(form(request_))
        ids = Counter(element.get("id") for element in page.all() if element.get("id"))
        assert set(ids.values()) == {1}
        referring = [(element.get("aria-describedby") or "").split() for element in page.all()]
        targets = [target for targets in referring for target in targets]
        targets += [element.get("for") for element in page.all("label") if element.get("for")]
        targets += [(element.get("href") or "").removeprefix("#") for element in page.all("a")]
        assert set(targets) <= ids.keys()

    def test_gives_every_input_a_name_for_people(self, request_):
        page = parsed(form(request_))
        labelled = {label.get("for") for label in page.all("label")}
        inside = {each.get("id") for label in page.all("label") for each in label.all("input")}
        for control in page.all("input", "select", "textarea"):
            if control.get("type") != "hidden":
                assert control.get("id") in labelled | inside or control.get("aria-label")

    def test_never_shows_a_password(self, request_):
        shown = form(request_, initial={"password": "hunter2", "cover": "hunter2"})
        assert "hunter2" not in str(shown)


class TestAField:
    def test_that_is_wrong_is_tied_to_its_message_and_listed_in_an_alert(self):
        page = parsed(form(post(WRONG)))
        name = page.by_id("everything-name")
        assert (name.get("aria-invalid"), name.get("value")) == ("true", "<")
        assert name.get("aria-describedby") == "everything-name-help everything-name-error"
        assert page.by_id("everything-name-error").text == "This is too short: it must have 2 characters."
        (alert,) = [element for element in page.all() if element.get("role") == "alert"]
        links = {link.get("href"): link.text for link in alert.all("a")}
        assert links["#everything-name"] == "Your name: This is too short: it must have 2 characters."
        assert links["#everything-colour-0"] == "Colour: Please choose one of the options."
        assert links["#everything-cover"] == "Cover: Please choose a file."
        assert page.by_id("everything-password").get("aria-invalid") is None
        assert "Step: Please enter a whole number." in alert.text
        assert page.by_id("everything-step").attributes == {
            "type": "hidden", "id": "everything-step", "name": "step", "value": "x",
        }  # fmt: skip

    def test_of_choices_is_a_group_with_a_legend(self):
        page = parsed(form(post(WRONG)))
        colours, tags = page.by_id("everything-colour"), page.by_id("everything-tags")
        assert (colours.tag, colours.all("legend")[0].text, tags.all("legend")[0].text) == (
            "fieldset", "Colour *", "Tags",
        )  # fmt: skip
        assert (colours.get("role"), colours.get("aria-required"), colours.get("aria-invalid")) == (
            "radiogroup", "true", "true",
        )  # fmt: skip
        assert colours.get("aria-describedby") == "everything-colour-error"
        assert [(box.get("value"), box.get("aria-invalid")) for box in tags.all("input")] == [
            ("red", "true"),
            ("blue", "true"),
        ]
        assert [label.text for label in tags.all("label")] == [" Red", " Blue"]

    @rows(
        "key, tag, expected",
            ("name", "input", {"type": "text", "required": None, "minlength": "2", "maxlength": "9", "name": "name"}),
            ("password", "input", {"type": "password", "autocomplete": "new-password", "required": None}),
            ("age", "input", {"type": "number", "min": "0", "max": "149", "inputmode": "numeric"}),
            ("size", "select", {"required": None}),
            ("cover", "input", {"type": "file", "accept": "image/*", "required": None}),
            ("news", "input", {"type": "checkbox", "value": "true"}),
            ("note", "textarea", {"rows": "5", "data-x": '"'}),
    )  # fmt: skip
    def test_has_the_attributes_of_its_type(self, key, tag, expected):
        control = parsed(form()).by_id(f"everything-{key}")
        assert control.tag == tag
        assert {name: control.attributes.get(name, "absent") for name in expected} == expected
        assert ("required" in control.attributes) == ("required" in expected or key == "age")

    @rows(
        "kind, expected",
        (Annotated[str, Field(widget="email")], {"type": "email", "autocomplete": "email"}),
        (Annotated[str, Field(widget="tel", placeholder="+49")], {"type": "tel", "placeholder": "+49"}),
        (Annotated[str, Field(inputmode="numeric")], {"type": "text", "inputmode": "numeric"}),
        (Annotated[int, Meta(gt=0, multiple_of=1)], {"type": "number", "min": "1", "step": "1"}),
        (Annotated[int, Meta(ge=5, multiple_of=5)], {"min": "5", "step": "5"}),
        (Annotated[int, Meta(ge=3, multiple_of=5)], {"min": "3", "step": "absent"}),
        (Annotated[float, Meta(gt=0.5, le=9)], {"min": "0.5", "max": "9", "step": "any", "inputmode": "decimal"}),
        (Annotated[int, Meta(ge=-5)], {"min": "-5", "inputmode": "absent"}),
        (Decimal, {"type": "number", "step": "any"}),
        (
            Annotated[Decimal, decimal_meta(ge=0, le="99.5", places=2)],
            {"type": "number", "min": "0", "max": "99.5", "step": "0.01", "inputmode": "decimal"},
        ),
        (Annotated[Decimal, decimal_meta(gt=-1, places=0)], {"min": "-1", "step": "1", "inputmode": "absent"}),
        (Annotated[Decimal, decimal_meta(ge="0.005", places=2)], {"min": "0.005", "step": "any"}),
        (Annotated[int, Field(widget="range"), Meta(ge=0, le=9)], {"type": "range", "min": "0", "max": "9"}),
        (datetime.date, {"type": "date"}),
        (datetime.time, {"type": "time"}),
        (datetime.datetime, {"type": "datetime-local"}),
        (Annotated[datetime.datetime, Meta(tz=True)], {"type": "text"}),
        (uuid.UUID, {"type": "text"}),
        (list[Upload], {"type": "file", "multiple": None}),
        (int | str, {"type": "text"}),
        (Annotated[str, Meta(pattern="^[a-z]{3}$")], {"pattern": "[a-z]{3}", "title": "absent"}),
        (
            Annotated[str, Meta(pattern="^a$"), Field(messages={"pattern_mismatch": "Only an a."})],
            {"pattern": "a", "title": "Only an a."},
        ),
        ids=str,
    )
    def test_has_the_input_of_its_type(self, kind, expected):
        control = parsed(form(wanted=made(kind))["f"].input).all("input")[0]
        assert {name: control.attributes.get(name, "absent") for name in expected} == expected

    @rows(
        "value, kind, shown",
        (datetime.datetime(2030, 1, 31, 12), "datetime-local", "2030-01-31T12:00:00"),
        (datetime.datetime(2030, 1, 31, 12, microsecond=123456), "datetime-local", "2030-01-31T12:00:00.123"),
        (datetime.datetime(2030, 1, 31, 12, tzinfo=datetime.UTC), "text", "2030-01-31T12:00:00Z"),
    )
    def test_of_a_time_has_a_value_that_browsers_show(self, value, kind, shown):
        (control,) = parsed(form(wanted=made(datetime.datetime), initial={"f": value})).all("input")
        assert (control.get("type"), control.get("value")) == (kind, shown)

    @rows("widget", ["color", "range"])
    def test_that_is_never_empty_is_not_required(self, widget):
        kind = Annotated[int if widget == "range" else str, Field(widget=widget)]
        assert "required" not in parsed(form(wanted=made(kind))).all("input")[0].attributes

    def test_that_was_sent_repeatedly_has_its_last_value_or_an_input_for_each_and_one_more(self):
        pairs = [("f", "7"), ("f", "x")]
        (control,) = parsed(form(post(pairs), made(int))).all("input")
        assert (control.get("id"), control.get("value"), control.attributes["required"]) == ("record-f", "x", None)
        many = parsed(form(post(pairs), made(list[int]))).all("input")
        assert [(each.get("id"), each.get("value"), "required" in each.attributes) for each in many] == [
            ("record-f", "7", True), ("record-f-1", "x", False), ("record-f-2", None, False),
        ]  # fmt: skip

    def test_takes_title_and_description_of_meta_where_it_has_no_label_and_help(self):
        shown = form(wanted=made(Annotated[str, Meta(title="Town", description="Where you live.")]))["f"]
        assert (shown.text, parsed(shown.help).text) == ("Town", "Where you live.")


@rows(
    "pattern, expected",
        ("^[a-z]+$", "[a-z]+"), ("[a-z]", ".*(?:[a-z]).*"), ("^a|b$", ".*(?:^a|b$).*"),
        (r"^a\$", r".*(?:^a\$).*"), (r"^\w+-\d$", r"[\p{L}\p{N}_]+-\p{Nd}"), (r"^\\w$", r"\\w"),
        (r"\Aa\Z", None), (r"(?P<a>b)", None), (r"(?i)a", None), (r"\bword\b", None), (r"^a++$", None),
)  # fmt: skip
def test_a_pattern_is_said_to_browsers_where_they_understand_it_as_python_does(pattern, expected):
    assert pattern_of_html(pattern) == expected


HOSTILE = [
    '"><script>alert(1)</script>', "' onfocus='alert(1)", "</textarea><script>", "&lt;b&gt; &amp;", "{{ 7*7 }}",
    "`$\x00\\",
]  # fmt: skip


@rows("text", HOSTILE)
def test_nothing_that_comes_from_outside_is_markup(text):
    @dataclass
    class Form1:
        plain: Annotated[str, Field(label=text, help=text, placeholder=text)]
        area: Annotated[str, Field(widget="textarea")]
        choice: Annotated[str, Field(choices={text: text, "b": text})]
        radio: Annotated[str, Field(widget="radio", choices={text: text})]
        secret: Annotated[str, Field(widget="hidden", attributes={"data-x": text})]
        number: int

    shown = form(
        post([(name, text) for name in ("plain", "area", "choice", "radio", "secret", "number")]),
        Form1, action=text, submit=text, id="f",
    )  # fmt: skip
    shown.add_error("plain", text)
    shown.add_error(None, text)
    page = parsed(shown.render(data_more=text))
    safe = text.replace("\x00", "\ufffd")
    assert not page.all("script")
    assert not [name for element in page.all() for name in element.attributes if name.startswith("on")]
    read = {element.get("id"): element for element in page.all()}
    assert {read["f-plain"].get("value"), page.all("textarea")[0].text[1:]} <= {text, safe}
    assert read["f"].get("action") in (text, safe)
    assert read["f"].get("data-more") in (text, safe)


# Round trips


NO_TOKEN = uuid.UUID(int=0)


class Kind(enum.Enum):
    A = "a & b"
    B = "<b>"


@dataclass
class Values:
    text: Annotated[str, Field(required=False)] = ""
    area: Annotated[str, Field(widget="textarea")] = ""
    optional: str | None = None
    number: int = 0
    part: float | None = None
    exact: Decimal = Decimal(0)
    day: datetime.date | None = None
    moment: datetime.datetime | None = None
    clock: datetime.time | None = None
    kind: Kind = Kind.A
    kinds: list[Kind] = field(default_factory=list)
    boxes: Annotated[set[Literal[1, 2, 3]], Field(widget="checkbox")] = field(default_factory=set)
    radio: Annotated[Literal["x", "y"], Field(widget="radio")] = "x"
    ticked: bool = True
    answer: bool | None = None
    words: list[str] = field(default_factory=list)
    token: uuid.UUID = NO_TOKEN
    secret: Annotated[str, Field(widget="hidden")] = ""


letters = st.characters(exclude_categories=("Cs", "Cc"))
texts = st.text(letters, max_size=8)
lines = st.lists(texts, max_size=3).map("\n".join)
moments = st.datetimes(datetime.datetime(1000, 1, 1)).map(lambda moment: moment.replace(microsecond=500_000))
values = st.builds(
    Values,
    text=texts,
    area=lines,
    optional=st.none() | st.text(letters, min_size=1, max_size=8),
    number=st.integers(),
    part=st.none() | st.floats(allow_nan=False, allow_infinity=False),
    exact=st.decimals(allow_nan=False, allow_infinity=False),
    day=st.none() | st.dates(),
    moment=st.none() | moments,
    clock=st.none() | st.times().map(lambda time: time.replace(microsecond=0)),
    kind=st.sampled_from(Kind),
    kinds=st.lists(st.sampled_from(Kind), unique=True).map(lambda kinds: [kind for kind in Kind if kind in kinds]),
    boxes=st.sets(st.sampled_from([1, 2, 3])),
    radio=st.sampled_from(["x", "y"]),
    ticked=st.booleans(),
    answer=st.none() | st.booleans(),
    words=st.lists(st.text(letters, min_size=1, max_size=8), max_size=3),
    token=st.uuids(),
    secret=texts,
)


@given(values)
def test_values_that_are_shown_and_sent_again_are_the_same(value):
    shown = form(wanted=Values, initial=value)
    again = form(post(submission(parsed(shown))), Values)
    assert again.errors == {}
    assert again.data == value
    assert submission(parsed(again)) == submission(parsed(shown))


any_texts = st.text(st.characters(exclude_categories=("Cs",)), max_size=8)
pairs = st.lists(st.tuples(st.sampled_from([*Values.__dataclass_fields__]), any_texts), max_size=12)


@given(pairs)
def test_whatever_is_sent_is_answered_by_a_form_that_is_well_formed(sent):
    shown = form(post(sent), Values)
    page = parsed(shown)
    invalid = {element.get("name") or element.get("id") for element in page.all() if element.get("aria-invalid")}
    hidden = {element.get("name") for element in page.all() if element.get("type") == "hidden"}
    assert {name.removeprefix("values-") for name in invalid if name} == shown.errors.keys() - hidden
    for name in hidden & shown.errors.keys():  # told in the summary, since nobody sees the field
        assert f"{name.capitalize()}: {shown.errors[name][0].message}" in page.text
    assert not shown.errors or shown.status == 422


# Where forms are shown


def element_of(page: Element, tag: str) -> Element:
    return page.all(tag)[0]


class TestTemplates:
    def test_of_jinja_show_the_whole_and_the_parts(self):
        templates = Environment(autoescape=True)
        shown = form(post({"name": "<"}), action="/sign?a=1&b=2")
        names = {"form": shown}
        whole = templates.from_string("{{ form }}").render(names)
        assert whole == str(shown)
        page = parsed(
            templates.from_string(
                "<form {{ form.attributes }}>{{ form.summary }}{{ form.hidden }}"
                "{{ form.fields.name }}{{ form['age'].label }}{{ form['age'].input }}{{ form['age'].help }}"
                "{{ form['age'].error }}{% for field in form %}<i>{{ field.text }}</i>{% endfor %}</form>"
            ).render(names)
        )
        assert element_of(page, "form").attributes == {
            "id": "everything", "method": "post", "action": "/sign?a=1&b=2", "enctype": "multipart/form-data",
        }  # fmt: skip
        assert page.by_id("everything-name").get("value") == "<"
        assert page.by_id("everything-age-error").text == "Please fill this in."
        assert len(page.all("i")) == 11

    def test_may_rename_the_button_and_add_attributes(self):
        page = parsed(form().render(submit="Sign up", data_block="main", class_="wide"))
        assert (element_of(page, "button").text, element_of(page, "form").get("data-block")) == ("Sign up", "main")
        assert element_of(page, "form").get("class") == "wide"


def test_a_field_that_is_not_there_is_an_attribute_error_that_names_those_that_are():
    with pytest.raises(AttributeError, match="no field 'nmae'; it has f"):
        form(wanted=made(str)).fields.nmae  # noqa: B018


def test_fields_have_the_order_that_is_asked_for():
    names = [each.key for each in form(order=["size", "name"])]
    assert names[:4] == ["size", "name", "password", "age"]


def test_a_form_edits_an_object():
    @dataclass
    class Person:
        name: str
        age: int = 36

    page = parsed(form(wanted=Person, initial=Person("Ada")))
    assert submission(page) == [("name", "Ada"), ("age", "36")]
    assert submission(parsed(form(wanted=Person, initial={"name": "Bob"}))) == [("name", "Bob"), ("age", "36")]
    assert submission(parsed(form(wanted=Person))) == [("name", ""), ("age", "36")]


class TestWhatTheApplicationShares:
    @rows("shared", [Markup('<input type="hidden" name="csrf_token" value="x">'), "<i>"])
    @rows("is_function", [True, False])
    def test_stands_in_each_form_that_is_posted(self, shared, is_function):
        app = App()
        app.template_context(csrf_input=lambda request: (lambda: shared) if is_function else shared)
        app.get("/")(lambda request: Response.html(form(request, made(str)).hidden))

        @app.get("/search")
        def search(request: Request):
            return Response.html(form(request, made(str), method="get").hidden)

        client = Client(app)
        assert client.get("/").text == (shared if isinstance(shared, Markup) else "&lt;i&gt;")
        assert client.get("/search").text == ""


@rows(
    "kind, default, shown",
    (Literal["a", "b"], "b", ["b"]), (Annotated[Literal["a", "b"], Field(widget="radio")], "b", ["b"]),
    (str, "b", ["b"]), (bool, True, []), ids=["select", "radio buttons", "text", "checkbox"],
)  # fmt: skip
def test_a_field_that_was_not_submitted_shows_its_default_unless_that_means_not_ticked(kind, default, shown):
    record = make_dataclass("Record", [("f", kind, default)])
    wrong = form(post({}), record)
    wrong.add_error(None, "No.")
    assert list(wrong["f"].values) == shown


class TestAFieldShownOtherwise:
    """``showing`` gives a copy of a field; what the form reads and checks stays as it is declared."""

    def test_has_other_texts_widget_choices_and_attributes(self):
        size = form(post({"f": "a"}), made(str), id="")["f"]
        other = size.showing("b", widget="select", choices={"a": "A", "b": "B"}, attributes={"class": "wide"})
        shown = element_of(parsed(other.input), "select")
        assert (shown.get("id"), shown.get("name"), shown.get("class")) == ("f", "f", "wide")
        assert [each.get("value") for each in shown.all("option") if "selected" in each.attributes] == ["b"]
        assert 'value="a"' in size.input

    @rows("widget, around", [("select", "option"), ("radio", "label")], ids=["select", "radio buttons"])
    def test_has_attributes_for_each_choice(self, widget, around):
        field = form(wanted=made(str))["f"].showing(
            widget=widget, choices=["a"], attributes={"data-x": "1"}, choice_attributes={"class": "one"}
        )
        assert [each.get("class") for each in parsed(field.input).all(around)] == ["one"] * len(
            parsed(field.input).all(around)
        )
        assert 'data-x="1"' in field.input

    def test_keeps_what_it_was_given_when_it_is_shown_otherwise_again(self):
        field = form(wanted=made(str))["f"].showing("b", attributes={"class": "wide"})
        assert 'value="b" id="record-f" name="f" required class="wide" rows="2"' in str(
            field.showing(attributes={"rows": 2}).input
        )


def test_an_empty_id_leaves_the_ids_of_inputs_to_be_their_names():
    page = parsed(form(post({}), made(str), id="").render())
    assert (element_of(page, "form").get("id"), page.by_id("f").get("aria-describedby")) == (None, "f-error")


def test_errors_of_a_field_can_be_taken_back():
    shown = form(post({}), made(str))
    shown.clear_errors("f")
    assert not shown.errors
    shown.clear_errors("f")


@rows(
    "kind, default, has_empty",
    (Colour, ..., True),
    (Colour, Colour.RED, False),
    (Colour | None, ..., True),
    (Colour | None, Colour.RED, True),
    (Annotated[Colour, Field(placeholder="As usual")], Colour.RED, True),
    (Annotated[Colour, Field(attributes={"placeholder": False})], ..., False),
)
def test_a_select_offers_an_empty_choice_where_it_means_something(kind, default, has_empty):
    assert ('<option value="">' in str(form(wanted=made(kind, default))["f"].input)) is has_empty


def test_a_select_has_no_attributes_of_a_number_or_text():
    number, text = Annotated[int, Meta(ge=1, le=9)], Annotated[str, Meta(max_length=3, pattern="^[a-z]+$")]
    for kind in (number, text, Annotated[number, Field(attributes={"data-x": "y"})]):
        chosen = form(wanted=made(kind), choices={"f": [1, 2]})["f"]
        for shown in (chosen, form(wanted=made(kind))["f"].showing(widget="select", choices=[1, 2])):
            opening = str(shown.input).partition(">")[0]
            assert {*re.findall(r" ([\w-]+)(?==| |$)", opening)} <= {"id", "name", "required", "data-x"}
