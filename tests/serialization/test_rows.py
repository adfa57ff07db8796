"""Rows of a body or a file, as values of a type while they arrive, and values without a request."""

import csv
import datetime
import io
import itertools
import json
import tracemalloc
import uuid
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from antiphon import App, Limits, Request, check_as
from antiphon.http import BadRequest, HTTPError, MediaType, UnprocessableContent
from antiphon.http.head import RequestHead
from antiphon.serialization.rows import RowValues
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.serialization.named_faults import unprocessable

NDJSON, SEQUENCE, ARRAY, CSV = "application/x-ndjson", "application/json-seq", "application/json", "text/csv"


@dataclass
class Lamp:
    name: str
    price: Annotated[float, Meta(ge=0)] = 1.0


def read(media_type, *chunks, wanted=Lamp, on_fault="raise", limits=Limits(), **options):  # noqa: B008 - immutable
    values = RowValues(chunks, chunks, wanted, MediaType.parse(media_type), limits, on_fault, **options)
    return [*values], values.error


def written_as_csv(values):
    text = io.StringIO()
    writer = csv.DictWriter(text, ["name", "price"])
    writer.writeheader()
    writer.writerows(values)
    return text.getvalue().encode()


WRITTEN = {
    NDJSON: lambda values: b"".join(json.dumps(each).encode() + b"\n" for each in values),
    SEQUENCE: lambda values: b"".join(b"\x1e" + json.dumps(each).encode() + b"\n" for each in values),
    ARRAY: lambda values: json.dumps(values, indent=1).encode(),
    CSV: written_as_csv,
}


TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"))  # JSON may not have NUL
NAMES = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=20).map(lambda name: f"{name}.")
LAMPS = st.lists(st.fixed_dictionaries({"name": NAMES, "price": st.floats(0, 1e9)}), max_size=8)


@given(st.sampled_from([*WRITTEN]), LAMPS, st.lists(st.integers(0, 200), max_size=6))
def test_rows_are_those_that_were_written_wherever_chunks_end(media_type, values, cuts):
    body = WRITTEN[media_type](values)
    places = sorted({0, len(body), *[min(cut, len(body)) for cut in cuts]})
    chunks = [body[start:end] for start, end in itertools.pairwise(places)]
    assert read(media_type, *chunks)[0] == [Lamp(**each) for each in values]


JSON = st.recursive(st.none() | st.integers() | TEXTS, lambda each: st.lists(each) | st.dictionaries(TEXTS, each))


@given(st.lists(JSON, max_size=5), st.lists(st.integers(0, 200), max_size=6))
def test_items_of_any_depth_are_divided_wherever_chunks_end(values, cuts):
    body = json.dumps(values, ensure_ascii=False).encode()
    places = sorted({0, len(body), *[min(cut, len(body)) for cut in cuts]})
    chunks = [body[start:end] for start, end in itertools.pairwise(places)]
    assert read(ARRAY, *chunks, wanted=Any)[0] == values


@given(st.sampled_from([*WRITTEN]), st.lists(st.binary(max_size=30), max_size=5))
def test_any_bytes_are_rows_or_an_error_for_clients(media_type, chunks):
    with suppress(BadRequest, UnprocessableContent):
        read(media_type, *chunks, on_fault="collect")


WRONG = [
    (NDJSON, b'\n{"name": 1}\n', [("/name", "not_a_string", 2)]),
    (NDJSON, b'{"name": "a"}\n{"name', [("", "invalid", 2)]),
    (NDJSON, b'{"name": "\xff"}', [("", "invalid", 1)]),
    (SEQUENCE, b'\x1e{"name": "a"}\n\x1e{}\n', [("/name", "missing", 2)]),
    (ARRAY, b'[{"name": "a"},\n{"name": "b", "price": -1}]', [("/1/price", "out_of_range", 2)]),
    (ARRAY, b'\n[\n {\n  "name": "a"\n },\n {"name": "b",\n  "price": -1}\n]\n', [("/1/price", "out_of_range", 6)]),
    (CSV, b'name,price\n"a\nb",1\nc,x\n', [("/price", "not_a_number", 4)]),
    (CSV, b"name,price\na\n", [("", "invalid", 2)]),
    (CSV, b"name,price\n\xff,1\n", [("", "invalid", 2)]),
    (CSV, b'name,price\n"b"x,1\n', [("", "invalid", 2)]),
]


@rows("media_type, body, faults", WRONG)
def test_a_wrong_row_is_named_with_its_line(media_type, body, faults):
    raised = unprocessable(read, media_type, body)
    assert [(each["pointer"], each["code"], each["line"]) for each in raised.errors] == faults
    values, error = read(media_type, body, on_fault="collect")
    assert error.errors == raised.errors
    assert len(values) == body.count(b'"a')


def test_those_that_are_wrong_are_left_out_and_the_first_hundred_are_listed():
    body = b"".join(b'{"name": "%d", "price": %d}\n' % (number, number % 3 - 1) for number in range(900))
    values, error = read(NDJSON, body, on_fault="collect")
    assert (len(values), len(error.errors), error.errors[99]["line"]) == (600, 100, 298)
    assert error.detail == "300 fields of the rows are wrong, of which the first 100 are listed"


def test_a_function_gets_the_error_of_each_wrong_row():
    wrong = []
    body = b"".join(b'{"name": %s, "price": -1}\n' % (b"1" if number % 2 else b'"a"') for number in range(300))
    values, error = read(NDJSON, body, on_fault=wrong.append)
    assert (values, error.detail[:35], len(wrong)) == ([], "450 fields of the rows are wrong, o", 300)
    assert [(each["line"], each["pointer"]) for each in wrong[299].errors] == [(300, "/name"), (300, "/price")]
    assert [each["pointer"] for each in read_wrong(ARRAY, b'[{"name": "a"}, {}]')[0].errors] == ["/1/name"]


def read_wrong(media_type, body):
    wrong = []
    read(media_type, body, on_fault=wrong.append)
    return wrong


@rows("on_fault", ["ignore", None, 5, lambda: None])
def test_the_option_for_faults_is_checked(on_fault):
    async def awaited(error):
        pass

    given = awaited if callable(on_fault) else on_fault
    with pytest.raises(ValueError, match="on_fault must be 'raise', 'collect' or a def function"):
        read(NDJSON, b"", on_fault=given)


@dataclass
class Spare:
    name: str = "?"
    price: float = 1.0


LONG = "x" * 200_000
CSVS = [
    ("text/csv", ";", "name;price\na,b;2\n", [Spare("a,b", 2)]),
    ("text/csv", "\t", 'name\tprice\n"a\tb"\t2\n', [Spare("a\tb", 2)]),
    ("text/csv; header=present", ",", "price,name\n2,a\n", [Spare("a", 2)]),
    ("text/csv; header=absent", ",", "\ufeffa,2\nb,3\n", [Spare("a", 2), Spare("b", 3)]),
    ("text/csv; charset=windows-1252", ",", "name\n\u20ac\n", [Spare("\u20ac")]),
    ("text/csv; charset=UTF-16; header=Absent", ",", "\ufeff\u20ac\U0001f4a1,2\n", [Spare("\u20ac\U0001f4a1", 2)]),
    ("text/csv", ",", f'name\n{LONG}\n"{LONG}"\n"{LONG}"""\n', [Spare(LONG), Spare(LONG), Spare(LONG + '"')]),
]


@rows("media_type, delimiter, text, values", CSVS, ids=[str(number) for number in range(len(CSVS))])
def test_csv_is_read_as_it_is_declared_wherever_chunks_end(media_type, delimiter, text, values):
    charset = MediaType.parse(media_type).parameters.get("charset", "utf-8")
    body = text.encode({"UTF-16": "utf-16-le"}.get(charset, charset))
    for size in (len(body), 7 if len(body) < 100 else 70_001):
        chunks = [body[start : start + size] for start in range(0, len(body), size)]
        assert read(media_type, *chunks, wanted=Spare, delimiter=delimiter)[0] == values


MALFORMED = "is not CSV: a field with a quotation mark or a line break must be quoted, and the mark doubled"
NOT_CSV = [
    (b"name;price\na;1\nb;2\n", 1, "has no column that is a field: its delimiter must be ',', not ';'"),
    (b"naam,prijs\na,1\nb,2\n", 1, "has no column that is a field"),
    (b"na\xffme\na\n", 1, "is not text in UTF-8"),
    (b"name\n\xff\n", 2, "is not text in UTF-8"),
    (b'name\n"a"b\n', 2, MALFORMED),
    (b"name\na\rb\n", 2, MALFORMED),
    (f'name\n"{LONG}"b\n'.encode(), 2, MALFORMED),
]


@rows("body, line, detail", NOT_CSV, ids=[str(number) for number in range(len(NOT_CSV))])
def test_csv_that_can_not_be_read_is_one_fault_in_our_words(body, line, detail):
    """The names can't be left out, since no row can be read without them."""
    wrong = unprocessable(read, CSV, body, wanted=Spare, on_fault="collect" if line == 1 else "raise")
    assert [(each["line"], each["pointer"], each["detail"]) for each in wrong.errors] == [(line, "", detail)]


CHARSETS = [("klingon", b"name\na\n", 415, "not 'klingon'"), ("shift_jis", b"name\n\x81", 400, "not text in shift_jis")]


@rows("charset, body, status, detail", CHARSETS)
def test_a_charset_that_is_unknown_or_wrong_is_refused(charset, body, status, detail):
    with pytest.raises(HTTPError, match=detail) as raised:
        read(f"text/csv; charset={charset}", body)
    assert raised.value.status == status


@rows("delimiter", ["", ";;", '"', "\n", " ", "a"])
def test_a_delimiter_is_one_character(delimiter):
    with pytest.raises(ValueError, match="delimiter must be one character such as ';', or a tab, not"):
        read(CSV, b"", delimiter=delimiter)


NO_ROWS = [
    (ARRAY, b"", "no rows"), (ARRAY, b"{}", "not an array"), (ARRAY, b"[1, 2", "before the end"),
    (ARRAY, b"[] 1", "after the end"), (ARRAY, b'[{"name": "a"},]', "In item 1"), (ARRAY, b"\xef\xbb", "no rows"),
    (CSV, b"name,name\n", "different name"), (CSV, b"name,\n", "different name"), (CSV, b'name\n"a', "line 2"),
]  # fmt: skip


@rows("media_type, body, detail", NO_ROWS)
def test_a_body_without_rows_is_refused(media_type, body, detail):
    with pytest.raises(BadRequest, match=detail):
        read(media_type, body, on_fault="collect")


@rows("media_type", WRITTEN)
def test_rows_of_any_number_need_the_memory_of_one(media_type):
    body = WRITTEN[media_type]([{"name": "x" * 900, "price": 2}])
    first = body.partition(b"x" * 900)[0]
    chunks = {
        ARRAY: [b"[", *[body.strip(b"[\n ]") + b"," for _ in range(3_000)], body.strip(b"[")],
        CSV: [first, *[b"x" * 900 + b",2\r\n" for _ in range(3_000)]],
    }.get(media_type, [body] * 3_000)
    values = RowValues(chunks, chunks, Lamp, MediaType.parse(media_type), Limits(), "raise")
    tracemalloc.start()
    assert sum(1 for _ in values) >= 2_999
    assert tracemalloc.get_traced_memory()[1] < 1 << 20
    tracemalloc.stop()


def test_an_item_of_many_strings_takes_little_memory_beyond_its_own():
    body = b"[[" + b",".join([b'""'] * 200_000) + b"]]"
    tracemalloc.start()
    ((value,), _) = read(ARRAY, body, wanted=list[str], limits=Limits(json=1 << 20))
    assert tracemalloc.get_traced_memory()[1] < 16 * len(body)
    tracemalloc.stop()
    assert len(value) == 200_000


@rows("media_type", WRITTEN)
def test_a_row_may_not_be_larger_than_json(media_type):
    with pytest.raises(HTTPError, match="The row on line 1 is longer than 100 bytes") as raised:
        read(media_type, b"[\x1e" if media_type == ARRAY else b"\x1e", *[b"x"] * 200, limits=Limits(json=100))
    assert raised.value.status == 413


def app_of(style, **options):
    app = App()
    if style == "def":

        @app.post("/", **options)
        def take(request: Request):
            values = request.values_as(Lamp, file=request.files.get("file"), on_fault="collect")
            found = [each.name for each in values]
            return {"names": found, "lines": [each["line"] for each in values.error.errors] if values.error else []}
    else:

        @app.post("/", **options)
        async def atake(request: Request):
            values = request.values_as(Lamp, file=request.files.get("file"), on_fault="collect")
            found = [each.name async for each in values]
            return {"names": found, "lines": [each["line"] for each in values.error.errors] if values.error else []}

    return app


SENT = b"name,price\r\na,1\r\nb,x\r\nc,2\r\n"


@rows(
    "media_type, charset, status, said",
    ("application/vnd.ms-excel", "windows-1252", 200, ["\u20ac"]),
    ("text/csv", "Windows-1252", 200, ["\u20ac"]),
    ("text/csv; charset=shift_jis", "windows-1252", 200, ["\x80"]),
    ("text/csv", "utf-8", 422, "1 field of a row is wrong"),
)  # fmt: skip
def test_the_charset_of_a_file_is_the_handlers_unless_its_type_has_one(media_type, charset, status, said):
    app = App()

    @app.post("/")
    def take(request: Request):
        return [each.name for each in request.values_as(Spare, file=request.files["file"], charset=charset)]

    response = Client(app).post("/", files={"file": ("a.csv", b"name\n\x80\n", media_type)})
    assert response.status == status
    assert said == (response.json if status == 200 else response.json["detail"])


@rows(
    "options, error, said",
    ({"file": io.BytesIO(SENT)}, TypeError, r"values_as\(file=...\) reads an Upload, such as .*, not BytesIO"),
    ({"file": "lamps.csv"}, TypeError, "reads an Upload, such as .*, not str"),
    ({"charset": "klingon"}, ValueError, "charset must be a known one, such as 'windows-1252', not 'klingon'"),
)  # fmt: skip
def test_a_mistake_of_the_program_is_an_error_in_it(options, error, said):
    request = Request(RequestHead("POST", headers={"content-type": CSV}, content=SENT))
    with pytest.raises(error, match=said):
        request.values_as(Lamp, **options)


@rows(
    "receive, interface, style",
    [*itertools.product(["load", "stream"], ["wsgi", "asgi", "rsgi"], ["def", "async def"])],
)
def test_a_handler_reads_them(receive, interface, style):
    with Client(app_of(style, receive=receive), interface) as client:
        if receive == "load":
            given = {"file": ("lamps.csv", SENT, "application/vnd.ms-excel")}
            assert client.post("/", files=given).json == {"names": ["a", "c"], "lines": [3]}
            refused = client.post("/", files={"file": ("lamps.png", SENT, "image/png")})
            assert refused.json["detail"] == "The body must be rows (CSV, JSON lines or a JSON array), not image/png."
        else:
            response = client.post("/", body=SENT, headers={"content-type": "text/csv; charset=utf-8"})
            assert response.json == {"names": ["a", "c"], "lines": [3]}
            assert client.post("/", body=SENT, headers={"content-type": "text/plain"}).status == 415


def test_rows_that_have_no_form_as_csv_are_a_415(app):
    @app.post("/")
    def take(request: Request):
        return [len(each) for each in request.values_as(dict[str, list[Lamp]])]

    client = Client(app)
    assert client.post("/", body=b'{"a": []}\n', headers={"content-type": NDJSON}).json == [1]
    refused = client.post("/", body=b"a\nb\n", headers={"content-type": CSV})
    assert (refused.status, refused.json["detail"]) == (
        415,
        "These rows can't be sent as CSV: send JSON lines or a JSON array.",
    )


@dataclass
class Order:
    id: uuid.UUID
    at: datetime.datetime
    total: Decimal
    count: int
    tags: list[str]


ID, AT = uuid.UUID(int=7), datetime.datetime(2030, 1, 2, tzinfo=datetime.UTC)
ORDER = Order(ID, AT, Decimal("1.10"), 3, ["a"])
VALUES = [
    ({"id": ID, "at": AT, "total": Decimal("1.10"), "count": 3, "tags": ["a"]}, False),
    ({"id": str(ID), "at": "2030-01-02T00:00:00Z", "total": "1.10", "count": 3.0, "tags": ("a",)}, False),
    ({"id": str(ID), "at": "2030-01-02T00:00:00Z", "total": "1.10", "count": "3", "tags": "a"}, True),
]


@rows("value, strings", VALUES)
def test_a_value_is_checked_without_a_request(value, strings):
    assert check_as(Order, value, strings=strings) == ORDER


FAULTS = [
    (Lamp, {"price": -1}, False, [("/name", "missing"), ("/price", "out_of_range")]),
    (Lamp, {"name": "a", "price": "NaN"}, True, [("/price", "not_a_number")]),
    (list[Lamp], [{"name": "a"}, {"name": 1}], False, [("/1/name", "not_a_string")]),
    (Order | None, 5, False, [("", "not_an_object")]),
    (Decimal, "1e9999", False, [("", "out_of_range")]),
]


@rows("wanted, value, strings, faults", FAULTS)
def test_a_wrong_value_has_the_faults_of_json(wanted, value, strings, faults):
    raised = unprocessable(check_as, wanted, value, strings=strings)
    assert [(each["pointer"], each["code"]) for each in raised.errors] == faults


@rows("value, strings", [(5, True), (object(), False), ({"name": {1: object()}}, False)])
def test_a_value_that_is_none_of_these_is_the_programs_mistake(value, strings):
    with pytest.raises(TypeError):
        check_as(dict[str, object] if not strings else Lamp, value, strings=strings)


@given(st.fixed_dictionaries({"name": TEXTS, "price": st.floats(allow_nan=False, allow_infinity=False) | TEXTS}))
def test_a_value_is_right_where_its_json_is(value):
    def outcome(read):
        try:
            return read()
        except UnprocessableContent as error:
            return error.errors

    def from_json():
        app = App()
        app.post("/")(lambda request: vars(request.json_as(Lamp)))
        response = Client(app).post("/", json=value)
        return Lamp(**response.json) if response.status == 200 else response.json["errors"]

    assert outcome(lambda: check_as(Lamp, value)) == from_json()
    assert msgspec.to_builtins(value) == value
