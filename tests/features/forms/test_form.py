"""Forms: the value of what was sent, or what is wrong with it, in words."""

import datetime
import enum
from dataclasses import dataclass, field, make_dataclass
from decimal import Decimal
from typing import Annotated, Any, Literal, TypedDict, get_args
from urllib.parse import urlencode

import pytest
from msgspec import Meta, Struct

from antiphon import App, Limits, Request, Upload
from antiphon.features import Field, Form, lazy_gettext
from antiphon.features.forms.messages import MESSAGES
from antiphon.http import FieldProblemCode, MultiDict
from antiphon.testing import Client
from tests.helpers.rows import rows


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


def post(pairs: Any = (), url: str = "/") -> Request:
    body = urlencode([*(pairs.items() if isinstance(pairs, dict) else pairs)]).encode()
    headers = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
    return Request.blank(url, "POST", headers, body)


def made(kind: Any, default: Any = ...) -> Any:
    """A class with one field."""
    return make_dataclass("Record", [("f", kind) if default is ... else ("f", kind, default)])


def sent(wanted: Any, pairs: Any = (), **options: Any) -> Form[Any]:
    form: Form[Any] = Form(wanted, post(pairs), **options)
    form.validate()
    return form


def codes(form: Form[Any]) -> dict[str, list[str]]:
    return {key: [error.code for error in found] for key, found in form.errors.items()}


@dataclass
class Signup:
    name: Annotated[str, Meta(min_length=2)]
    age: int
    news: bool = False


class TestValidation:
    def test_of_what_does_not_fit_gives_the_errors_and_keeps_what_was_typed(self):
        form = Form(Signup, post({"name": "A", "age": "old", "news": "true"}))
        assert not form.validate()
        assert {key: [str(error) for error in found] for key, found in form.errors.items()} == {
            "name": ["This is too short: it must have 2 characters."],
            "age": ["Please enter a whole number."],
        }
        assert codes(form) == {"name": ["too_short"], "age": ["not_an_integer"]}
        assert form.errors["name"][0].bounds == {"min": 2}
        assert [field.value for field in form] == ["A", "old", "true"]
        assert form.status == 422
        with pytest.raises(RuntimeError, match="Signup has no data unless validate"):
            form.data  # noqa: B018

    @rows("method", ["GET", "HEAD", "OPTIONS", "QUERY"])
    def test_of_a_page_that_is_only_shown_is_false_without_errors(self, method):
        form = Form(Signup, Request.blank("/", method))
        assert not form.validate()
        assert (form.errors, form.status, form.is_bound) == ({}, 200, False)

    def test_comes_before_the_question_whether_the_form_is_valid(self):
        form = Form(Signup, post({"name": "Ada", "age": "36"}))
        with pytest.raises(RuntimeError, match=r"Signup .* before form.validate\(\) is called"):
            _ = form.is_valid
        assert form.validate()
        assert form.is_valid
        form.reset()
        assert not form.is_valid
        assert not Form(Signup, Request.blank("/")).is_valid

    def test_again_forgets_the_errors_before(self):
        form = sent(Signup, {"name": "Ada", "age": "36"})
        form.add_error("name", "is taken")
        assert not form.is_valid
        assert form.validate()

    @rows(
        "limits, message",
        (Limits(body=5), "This was too large to receive: the limit is 5 bytes in total."),
        (Limits(fields=1), "This was too much to receive."),
    )
    def test_of_a_body_that_is_too_large_says_so_in_the_form(self, limits, message):
        request = post({"name": "Ada", "age": "36"})
        request.limits = limits
        form = Form(Signup, request)
        for _ in range(2):
            assert not form.validate()
            assert (form.status, form.is_too_large, form["name"].value) == (413, True, "")
            assert [str(error).removesuffix(" Please fill in the form again.") for error in form.errors[""]] == [
                message
            ]
        assert (form.error().status, form.error().errors[0]["code"]) == (413, "body_too_large")

    def test_of_a_body_that_is_too_large_keeps_the_initial_values(self):
        request = post({"name": "Ada", "age": "36"})
        request.limits = Limits(body=5)
        form = Form(Signup, request, initial={"name": "Old", "news": True})
        assert not form.validate()
        assert (form["name"].value, 'value="Old"' in str(form), form["news"].value) == ("Old", True, "true")

    def test_of_a_body_that_is_no_form_is_refused(self):
        request = Request.blank("/", "POST", {"content-type": "application/json"}, b"{}")
        with pytest.raises(Exception, match=r"415 .*must be a form, not application/json"):
            Form(Signup, request).validate()

    def test_can_be_forgotten(self):
        form = sent(Signup, {"name": "A", "age": "36"})
        form.reset()
        assert (form.is_bound, form.errors, form["name"].value) == (False, {}, "")

    def test_gives_problem_details_to_clients_that_want_them(self):
        form = sent(Signup, {"name": "A", "age": "36"})
        form.add_error(None, "Come back later.", "closed")
        assert form.error().status == 422
        assert form.error().errors == [
            {
                "pointer": "/name",
                "detail": "This is too short: it must have 2 characters.",
                "code": "too_short",
                "min": 2,
            },
            {"pointer": "", "detail": "Come back later.", "code": "closed"},
        ]


TODAY = datetime.date(2030, 1, 31)
NOON = datetime.datetime(2030, 1, 31, 12)
Size = Literal["small", "large"]
Short = Annotated[str, Meta(max_length=3)]

# type, default, what was sent, its value or the codes of the errors
FIELDS: list[tuple[Any, Any, list[str], Any]] = [
    (str, ..., [], ["missing"]),
    (str, ..., [""], ["missing"]),
    (str, ..., [" "], " "),
    (str, "", [""], ""),
    (str, "x", [""], ""),
    (str | None, None, [""], None),
    (str | None, None, ["a"], "a"),
    (Short, "", ["abcd"], ["too_long"]),
    (Short | None, None, [""], None),
    (Annotated[str, Meta(pattern="^[a-z]+$")], ..., ["A"], ["pattern_mismatch"]),
    (Annotated[str, Field(widget="email")], ..., ["ada@example.com"], "ada@example.com"),
    (Annotated[str, Field(widget="email")], ..., ["ada"], ["not_an_email"]),
    (Annotated[str, Field(widget="email")], "", [""], ""),
    (Annotated[str, Field(widget="url")], ..., ["https://example.com/a?b"], "https://example.com/a?b"),
    (Annotated[str, Field(widget="url")], ..., ["javascript:alert(1)"], ["not_a_url"]),
    (Annotated[str, Field(widget="textarea")], ..., ["a\r\nb\nc"], "a\nb\nc"),
    (Annotated[str, Field(required=True)], "", [""], ["missing"]),
    (Annotated[str, Field(choices=["tea", "milk"])], ..., ["milk"], "milk"),
    (Annotated[str, Field(choices=["tea", "milk"])], ..., ["gin"], ["not_a_choice"]),
    (Annotated[int, Field(choices={1: "one", 2: "two"})], ..., ["2"], 2),
    (Annotated[int, Field(choices={1: "one", 2: "two"})], ..., ["3"], ["not_a_choice"]),
    (int, ..., [""], ["missing"]),
    (int, ..., ["7"], 7),
    (int, 3, [""], 3),
    (int | None, ..., [""], None),
    (Annotated[int, Meta(ge=1)], ..., ["0"], ["out_of_range"]),
    (float, ..., [".5"], 0.5),
    (float, ..., ["inf"], ["not_a_number"]),
    (Decimal, ..., ["1.50"], Decimal("1.50")),
    (bool, ..., [], False),
    (bool, ..., ["on"], True),
    (bool, True, [], False),
    (bool, True, ["true"], True),
    (bool | None, None, [""], None),
    (bool | None, None, ["false"], False),
    (Annotated[bool, Field(required=True)], ..., [], ["missing"]),
    (Annotated[bool, Field(required=True)], ..., ["false"], ["missing"]),
    (Annotated[bool, Field(required=True)], ..., ["true"], True),
    (Annotated[bool, Field(widget="radio")], ..., [], ["missing"]),
    (Annotated[bool, Field(widget="radio")], ..., ["false"], False),
    (datetime.date, ..., ["2030-01-31"], TODAY),
    (datetime.date, ..., ["31.1.2030"], ["not_a_date"]),
    (datetime.date | None, None, [""], None),
    (datetime.datetime, ..., ["2030-01-31T12:00"], NOON),
    (datetime.time, ..., ["12:00"], datetime.time(12)),
    (Colour, ..., ["red"], Colour.RED),
    (Colour, ..., [""], ["missing"]),
    (Colour, ..., ["green"], ["not_a_choice"]),
    (Colour | None, None, [""], None),
    (Size, "small", ["large"], "large"),
    (list[Colour], [], [], []),
    (list[Colour], ..., [], ["missing"]),
    (list[Colour], ..., ["blue", "red"], [Colour.BLUE, Colour.RED]),
    (list[Colour], ..., ["blue", "green"], ["not_a_choice"]),
    (Annotated[list[Size], Meta(max_length=1)], ..., ["small", "large"], ["too_many"]),
    (list[str], [], ["", ""], []),
    (list[str], ..., ["a", "", "b"], ["a", "b"]),
    (list[int], ..., ["1", "", "2", ""], [1, 2]),
    (list[int], ..., [""], ["missing"]),
    (list[int], ..., ["x", "1", "y"], ["not_an_integer"]),
    (int, ..., ["7", "8"], 8),
]  # fmt: skip


@rows("kind, default, texts, expected", FIELDS, ids=lambda value: str(value)[:40])
def test_a_field_is_read_as_people_mean_it(kind, default, texts, expected):
    default = field(default_factory=list) if default == [] else default
    form = sent(made(kind, default), [("f", text) for text in texts])
    if form.is_valid:
        assert (type(form.data.f), form.data.f) == (type(expected), expected)
    else:
        assert codes(form) == {"f": expected}


def test_every_record_that_form_as_reads_can_be_a_form():
    class Dict(TypedDict):
        name: str

    class Closed(Struct, rename="kebab", forbid_unknown_fields=True):
        first_name: str

    assert sent(Dict, {"name": "Ada"}).data == {"name": "Ada"}
    closed = sent(Closed, {"first-name": "Ada", "csrf_token": "x", "button": ""})
    assert closed.data == Closed("Ada")
    assert closed["first_name"].name == "first-name"
    assert codes(sent(Closed)) == {"first_name": ["missing"]}


class Shop(Struct):
    """A Struct with a mistake."""

    name: str = Field(label="Name")  # type: ignore[assignment]


@dataclass
class Cleaned:
    """A form with a method that another framework calls."""

    name: str

    def clean_name(self):
        raise AssertionError


@rows(
    "wanted, message",
    (int, "int has no named fields"),
    (made(Signup), r"Record.f can't be read from a form"),
    (made(dict[str, str]), r"Record.f can't be read from a form"),
    (made(Annotated[str, Field(widget="radio")]), r"f needs choices: Form\(..., choices={'f'"),
    (made(Annotated[str, Field(widget="checkbox")]), "Record.f: a checkbox needs a bool"),
    (made(Annotated[list[Colour], Field(widget="radio")]), "Record.f: radio buttons choose one value"),
    (made(list[Colour], field(default_factory=lambda: [Colour.RED])), "a list with choices must be empty"),
    (made(Annotated[str, Field(widget="file")]), "Record.f: text can't have the widget 'file'"),
    (made(Annotated[Upload, Field(widget="text")]), "Record.f: a file needs the widget 'file'"),
    (made(str, Field(label="F")), r"Record.f: a Field must be part of the type, not the default: f: Annotated\["),
    (made(str, field(default=Field())), "a Field must be part of the type, not the default"),
    (Shop, "Shop.name: a Field must be part of the type, not the default"),
    (Cleaned, r"Cleaned.name: forms don't call the method clean_name: .* form.validate\(check\)"),
    (made(Annotated[str, Field(choices=[("de", "Germany", 1)])]), r"a pair \(value, label\), not \('de', 'Ge"),
    (made(Annotated[str, Field(choices=[["de", "Germany"]])]), r"a pair \(value, label\), not \['de', "),
    (made(Annotated[str, Field(choices=[("Europe", [("de", "Germany")])])]), r"a pair \(value, label\), not \('Eu"),
)
def test_what_can_not_be_shown_is_a_programmers_error_that_names_it(wanted, message):
    with pytest.raises(TypeError, match=message):
        Form(wanted, Request.blank("/"))


@rows("given", [MultiDict({"name": "Ada"}), {"name": "Ada"}, None])
def test_what_is_no_request_is_a_programmers_error(given):
    with pytest.raises(TypeError, match=rf"a request, not {type(given).__name__}: Form\(Signup, request\)"):
        Form(Signup, given)


def test_a_declaration_can_be_part_of_a_union_which_hashes_it():
    size = Field(label="Size", choices=[1, 2], messages={"missing": "Which size?"}, attributes={"class": "wide"})
    assert get_args(Annotated[int, size] | None) == (Annotated[int, size], type(None))
    assert hash(size) == hash(Field(label="Size"))


@rows(
    "widget, fix",
    ("texarea", "there is no widget 'texarea': did you mean 'textarea'?"),
    ("datetime", "there is no widget 'datetime': did you mean 'datetime-local'?"),
    ("wysiwyg", "there is no widget 'wysiwyg': there are text, textarea, password,"),
)
@rows(
    "where, show", ("Field: ", Field), ("", lambda widget: Form(Signup, Request.blank())["name"].showing(widget=widget))
)
def test_an_unknown_widget_is_an_error_with_those_that_there_are(widget, fix, where, show):
    with pytest.raises(ValueError) as refused:  # noqa: PT011 - its message is compared
        show(widget=widget)
    assert str(refused.value).startswith(where + fix)


@rows("size", ["1MB", 2.5, True, 0, -1])
def test_a_size_that_is_no_number_of_bytes_is_refused_where_it_is_declared(size):
    with pytest.raises(TypeError, match=rf"max_size must be a number of bytes above 0, not {size!r}"):
        Field(max_size=size)


class TestMessages:
    def test_are_there_for_each_code_that_a_form_may_have(self):
        never = {"invalid", "not_a_string", "not_an_array", "not_an_object", "unknown", "wrong_name"}
        assert set(get_args(FieldProblemCode)) - never <= MESSAGES.keys()

    @rows(
        "kind, text, message",
        (Annotated[int, Meta(ge=1, le=8)], "0", "This must be at least 1."),
        (Annotated[int, Meta(ge=1, le=8)], "9", "This must be at most 8."),
        (Annotated[float, Meta(gt=1.5)], "1", "This must be more than 1.5."),
        (int, "9" * 5000, "This number is too large."), (Size, "", "Please choose one."),
        (Annotated[bool, Field(required=True)], "", "Please tick this."), (str, "", "Please fill this in."),
    )  # fmt: skip
    def test_are_in_words_for_people(self, kind, text, message):
        form = sent(made(kind), {"f": text})
        assert [error.message for error in form.errors["f"]] == [message]

    def test_of_the_field_come_before_those_of_the_form_and_these_before_the_usual_ones(self):
        @dataclass
        class Order:
            cups: Annotated[int, Meta(ge=1, le=8), Field(messages={"missing": "How many?"})]
            pots: Annotated[int, Meta(ge=1, le=8)]
            kind: Size

        own = {"missing": "Fehlt.", "out_of_range": "Von {min} bis {max}, nicht {mean}.", "missing.select": "Wählen!"}
        form = sent(Order, {"cups": "", "pots": "9"}, messages=own)
        assert {key: str(found[0]) for key, found in form.errors.items()} == {
            "cups": "How many?",
            "pots": "Von 1 bis 8, nicht {mean}.",
            "kind": "Wählen!",
        }  # fmt: skip


@dataclass
class Trip:
    start: datetime.date
    end: datetime.date

    def __post_init__(self):
        if self.end < self.start:
            raise ValueError("The end is before the start.")

    def check(self, form: "Form[Trip]") -> None:
        if self.start < TODAY:
            form.add_error("start", "This is past.", "past")


class TestOwnChecks:
    def test_of_the_constructor_are_errors_of_the_form(self):
        form = sent(Trip, {"start": "2030-02-02", "end": "2030-02-01"})
        assert {key: [str(error) for error in found] for key, found in form.errors.items()} == {
            "": ["The end is before the start."]
        }
        assert codes(form) == {"": ["invalid"]}

    def test_are_called_with_the_value_if_the_fields_are_right(self):
        def weekend(trip: Trip, form: Form[Trip]) -> None:
            form.add_error(None, f"{trip.start} is a Sunday.")

        form = Form(Trip, post({"start": "2029-12-30", "end": "2030-02-01"}))
        assert not form.validate(Trip.check, weekend)
        assert form.data.start == datetime.date(2029, 12, 30)
        assert {key: [str(error) for error in found] for key, found in form.errors.items()} == {
            "start": ["This is past."],
            "": ["2029-12-30 is a Sunday."],
        }
        wrong = Form(Trip, post({"start": "x", "end": "2030-02-01"}))
        assert not wrong.validate(Trip.check)
        assert codes(wrong) == {"start": ["not_a_date"]}

    def test_that_are_async_are_refused_where_nothing_awaits_them(self):
        async def check(trip: Trip, form: Form[Trip]) -> None: ...

        form = Form(Trip, post({"start": "2030-02-01", "end": "2030-02-02"}))
        with pytest.raises(TypeError, match=r"check.* is async: await form.avalidate"):
            form.validate(check)

    def test_of_a_field_that_is_not_there_are_a_programmers_error(self):
        with pytest.raises(ValueError, match="Trip has no field 'begin'; it has start, end"):
            sent(Trip).add_error("begin", "is late")

    @rows("interface", ["wsgi", "asgi", "rsgi"])
    @rows("body", ["load", "lazy"])
    def test_may_be_async(self, interface, body):
        async def is_free(signup: Signup, form: Form[Signup]) -> None:
            if signup.name == "Ada":
                form.add_error("name", "is taken", "taken")

        app = App()

        @app.post("/", receive=body)
        async def index(request: Request):
            form = Form(Signup, request)
            if await form.avalidate(is_free, lambda signup, form: None):
                return form.data
            return {key: str(found[0]) for key, found in form.errors.items()}, form.status

        client = Client(app, interface)
        assert client.post("/", form={"name": "Ada", "age": "1"}).json == {"name": "is taken"}
        assert client.post("/", form={"name": "Bob", "age": "1"}).json == {"name": "Bob", "age": 1, "news": False}
        assert client.post("/", form={"name": "Bob"}).status == 422

    def test_on_a_loop_is_an_error_without_await(self):
        form = Form(Signup, post({"name": "A"}))
        with pytest.raises(TypeError, match=r"avalidate\(\) was not awaited: write `await form.avalidate\(\)`"):
            assert form.avalidate()


class TestChoices:
    def test_of_long_texts_take_linear_time(self):
        kinds = made(Annotated[str, Field(widget="url")]), made(Annotated[str, Field(widget="email")])
        for wanted in kinds:
            assert codes(sent(wanted, {"f": "http://" + "a" * 500_000 + " @" + "a." * 100_000 + "-"})) != {}

    def test_may_be_those_of_a_request(self):
        wanted = made(str)
        form = sent(wanted, {"f": "de"}, choices={"f": {"de": "Germany", "fr": "France"}})
        assert (form.data.f, form["f"].widget) == ("de", "select")
        assert codes(sent(wanted, {"f": "xx"}, choices={"f": {"de": "Germany"}})) == {"f": ["not_a_choice"]}

    def test_may_be_pairs_of_a_value_and_its_label(self):
        pairs = [(Colour.RED, "Rot"), (Colour.BLUE, lazy_gettext("Blau")), (None, "Keine")]
        form = sent(made(Colour | None), {"f": "red"}, choices={"f": pairs})
        assert form.data.f is Colour.RED
        assert '<option value="red" selected>Rot</option>' in form["f"].input
        assert sent(made(Annotated[int, Field(choices=[(1, "one"), 2])]), {"f": "1"}).data.f == 1

    @rows("options", [{"choices": {"g": []}}, {"order": ["g"]}])
    def test_and_order_of_a_field_that_is_not_there_are_a_programmers_error(self, options):
        with pytest.raises(ValueError, match="no field 'g'; it has f"):
            Form(made(str), Request.blank("/"), **options)


def test_a_form_of_a_query_is_read_from_there():
    @dataclass
    class Search:
        words: str
        page: int = 1

    def searched(url: str) -> Form[Search]:
        form = Form(Search, Request.blank(url), method="get")
        form.validate()
        return form

    assert searched("/?words=tea&page=2").data == Search("tea", 2)
    assert codes(searched("/?words=&page=x")) == {"words": ["missing"], "page": ["not_an_integer"]}
    assert not searched("/?sort=up").is_bound


@dataclass
class Album:
    title: str
    cover: Annotated[Upload, Field(accept="image/*, .heic", max_size=10)]
    more: list[Upload] = field(default_factory=list)


class TestFiles:
    @rows(
        "cover, expected",
        (("a.png", b"1234567890", "image/png"), []),
        (("a.HEIC", b"1", "application/octet-stream"), []),
        (("a.png", b"12345678901", "image/png"), ["file_too_large"]),
        (("a.pdf", b"1", "application/pdf"), ["wrong_file_type"]),
        (("a.pdf", b"12345678901", "application/pdf"), ["file_too_large", "wrong_file_type"]),
        (("", b""), ["missing"]),
    )
    def test_are_checked_by_size_and_by_their_declared_kind(self, cover, expected):
        app = App()

        @app.post("/")
        def add(request: Request):
            form = Form(Album, request)
            if form.validate():
                return {"cover": form.data.cover.filename, "more": [file.filename for file in form.data.more]}
            assert form["cover"].values == ()
            return codes(form), form.status

        more = {"more": [("b.txt", b""), ("c.txt", b"1")], "other": ("d.txt", b"1")}
        answer = Client(app).post("/", form={"title": "x"}, files={"cover": cover, **more})
        if expected:
            assert answer.json == {"cover": expected}
        else:
            assert answer.json == {"cover": cover[0], "more": ["b.txt", "c.txt"]}

    def test_have_messages_that_say_sizes_as_people_do(self):
        from antiphon.features.forms.messages import in_bytes

        sizes = [999, 1000, 1500, 5 << 20, 16 << 20, 10**9]
        assert [*map(in_bytes, sizes)] == ["999 bytes", "1 kB", "1.5 kB", "5.2 MB", "16.7 MB", "1 GB"]


@rows(
    "kind, default, value",
    (str | None, ..., None),
    (str | None, None, None),
    (str | None, "a", None),
    (Annotated[str | None, Field(widget="textarea")], ..., None),
    (int | None, 5, None),
    (Colour | None, Colour.RED, None),
    (Literal["", "a"] | None, None, ""),
    (str, "", ""),
    (str, "a", ""),
    (int, 5, 5),
    (Colour, Colour.RED, Colour.RED),
)
def test_an_input_that_is_left_empty_is_none_if_its_type_allows_that(kind, default, value):
    form = sent(made(kind, default), {"f": ""})
    assert (form.errors, form.data.f) == ({}, value)


@rows("widget", ["text", "search", "tel", "email", "url", "password"])
@rows("text", ["a@b.example\r\nBcc: x@y.example", "a\nb", "a\rb", "http://a/\0", "\n"])
def test_an_input_of_one_line_takes_no_others(widget, text):
    kind = Annotated[str, Field(widget=widget)]
    assert codes(sent(made(kind), {"f": text})) == {"f": ["not_a_line"]}
    assert codes(sent(made(list[kind]), [("f", "a@b.example"), ("f", text)]))["f"][-1] == "not_a_line"


@rows("widget", ["textarea", "hidden", "color", "select"])
@rows("kind", [str, str | None, list[str]])
def test_no_text_has_nul(kind, widget):
    kind = Annotated[kind, Field(widget=widget, choices=["a\0b"] if widget == "select" else None)]
    assert codes(sent(made(kind), {"f": "a\0b"})) == {"f": ["pattern_mismatch"]}


MOMENT = datetime.datetime(2026, 1, 31, 12, 30, 15, 123456)
TENTHS, MINUTES = MOMENT.replace(microsecond=100_001), MOMENT.replace(second=0, microsecond=1)


@rows(
    "kind, value, text, expected",
        (datetime.datetime, MOMENT, "2026-01-31T12:30:15.123", MOMENT),
        (datetime.datetime, TENTHS, "2026-01-31T12:30:15.1", TENTHS),
        (datetime.datetime, MINUTES, "2026-01-31T12:30", MINUTES),
        (datetime.datetime, MOMENT, "2026-01-31T12:30:15.124", MOMENT.replace(microsecond=124000)),
        (datetime.datetime | None, None, "", None),
        (datetime.time, MOMENT.time(), "12:30:15.123", MOMENT.time()),
        (datetime.time, MOMENT.time(), "12:30:15", datetime.time(12, 30, 15)),
        (list[datetime.time], [MOMENT.time()], "12:30:15.123", [MOMENT.time()]),
)  # fmt: skip
def test_a_time_that_was_not_changed_keeps_its_microseconds(kind, value, text, expected):
    wanted = made(kind)
    assert sent(wanted, {"f": text}, initial=wanted(value)).data.f == expected


@dataclass
class Picture:
    title: str
    file: Upload
    thumb: Upload | None = None


class TestChosenFiles:
    def sent(self, **options: Any) -> Any:
        app = App()

        @app.post("/")
        def add(request: Request) -> Any:
            form = Form(Picture, request)
            form.validate()
            return form, form.status

        return Client(app).post("/", **options).text

    def test_that_were_chosen_have_to_be_chosen_again_after_an_error_elsewhere(self):
        again = '<p class="error" id="picture-file-error">Please choose the file again.</p>'
        page = self.sent(form={"title": ""}, files={"file": ("a.png", b"x"), "thumb": ("", b"")})
        assert again in page
        assert 'aria-describedby="picture-file-error"' in page
        assert "picture-thumb-error" not in page
        assert again not in self.sent(form={"title": "x"}, files={"file": ("a.png", b"x")})


@dataclass
class OnePicture:
    title: str
    file: Upload


def test_a_body_above_the_limit_is_said_beside_the_only_file():
    for wanted, key in ((OnePicture, "file"), (Picture, ""), (Signup, "")):
        request = post({"name": "Ada", "title": "a"})
        request.limits = Limits(body=5)
        form = Form(wanted, request)
        assert not form.validate()
        assert codes(form) == {key: ["body_too_large"]}
