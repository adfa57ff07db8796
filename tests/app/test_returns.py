import asyncio
import dataclasses
import io
import re
import sqlite3
import sys
from collections import OrderedDict, UserString, defaultdict
from contextlib import closing
from decimal import Decimal
from types import MappingProxyType
from typing import NamedTuple

import msgspec
import pytest
from jinja2 import DictLoader

from antiphon import App
from antiphon.app.dispatch.returns import to_response
from antiphon.features import Page, Templates
from antiphon.handler.callables import describe
from antiphon.request.request import Request
from antiphon.response.response import Response
from antiphon.testing import Client
from tests.helpers.deferred_annotations import define
from tests.helpers.markup import Markup, Widget
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")

TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"
JSON = "application/json"
BYTES = "application/octet-stream"

REQUEST = Request.blank()


def source(request):
    """Stand for the handler that is named in errors."""


def says_none(request) -> None:
    pass


class Sentence(str):
    pass


@dataclasses.dataclass
class Point:
    x: int
    y: int


class Order(msgspec.Struct):
    id: int


class Pair(NamedTuple):
    left: int
    right: int


def a_row():
    """Return a row of a database, which is a mapping by its methods alone."""
    with closing(sqlite3.connect(":memory:")) as database:
        database.row_factory = sqlite3.Row
        return database.execute("select 1 as a").fetchone()


@rows(
    "value, content_type, body",
    ("text", TEXT, b"text"),
    ("", TEXT, b""),
    ("<b>é</b>", TEXT, "<b>é</b>".encode()),
    (Sentence("text"), TEXT, b"text"),
    (Markup("<b>"), HTML, b"<b>"),
    (Widget(), HTML, "<b>é</b>".encode()),
    (b"bytes", BYTES, b"bytes"),
    (b"", BYTES, b""),
    (bytearray(b"bytes"), BYTES, b"bytes"),
    (memoryview(b"bytes"), BYTES, b"bytes"),
    ({"a": 1}, JSON, b'{"a":1}'),
    ({}, JSON, b"{}"),
    ([1, None], JSON, b"[1,null]"),
    ([], JSON, b"[]"),
    (OrderedDict(a=1), JSON, b'{"a":1}'),
    (defaultdict(list, a=[1]), JSON, b'{"a":[1]}'),
    (Point(1, 2), JSON, b'{"x":1,"y":2}'),
    (Order(id=1), JSON, b'{"id":1}'),
    ([Point(1, 2)], JSON, b'[{"x":1,"y":2}]'),
    (MappingProxyType({"a": 1}), JSON, b'{"a":1}'),
    (a_row(), JSON, b'{"a":1}'),
    ids=lambda value: type(value).__name__,
)
def test_a_value_becomes_a_response(value, content_type, body):
    response = to_response(value, source, REQUEST)
    assert (response.status, response.content_type, response.body) == (200, content_type, body)


async def waiting():
    yield b"a"


class Iterates:
    def __init__(self):
        self.left = [b"a"]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()


@rows(
    "value",
    [iter([b"a"]), (chunk for chunk in [b"a"]), Iterates(), map(bytes, []), io.BytesIO(b"a"), waiting()],
    ids=lambda value: type(value).__name__,
)
def test_an_iterator_of_either_style_is_streamed(value):
    response = to_response(value, source, REQUEST)
    assert response.is_streamed
    assert response.body is value


TEXT_ONLY = {"content-type": TEXT, "x-content-type-options": "nosniff"}


@rows(
    "value, status, headers, body",
    (("text", 201), 201, {**TEXT_ONLY}, b"text"),
    (({"a": 1}, 201), 201, {"content-type": JSON}, b'{"a":1}'),
    (("text", {"x-a": "1"}), 200, {**TEXT_ONLY, "x-a": "1"}, b"text"),
    (("text", [("x-a", "1")]), 200, {**TEXT_ONLY, "x-a": "1"}, b"text"),
    (("text", {"Content-Type": "text/csv"}), 200, {"content-type": "text/csv"}, b"text"),
    ((b"text", {"Content-Type": TEXT}), 200, {**TEXT_ONLY}, b"text"),
    ((UserString("text"), {"Content-Type": "text/csv"}), 200, {"content-type": "text/csv"}, b"text"),
    ((Response(b"own"), {"Content-Type": TEXT}), 200, {**TEXT_ONLY}, b"own"),
    (("text", 202, {"x-a": "1"}), 202, {**TEXT_ONLY, "x-a": "1"}, b"text"),
    (("text", 202, ()), 202, {**TEXT_ONLY}, b"text"),
    ((None, 204), 204, {}, b""),
    ((None, 303, {"location": "/"}), 303, {"location": "/"}, b""),
    (("", 404), 404, {**TEXT_ONLY}, b""),
    ((Response("own", 418), 201), 201, {**TEXT_ONLY}, b"own"),
    ((Response("own", 418), {"x-a": "1"}), 418, {**TEXT_ONLY, "x-a": "1"}, b"own"),
    (([1], 201), 201, {"content-type": JSON}, b"[1]"),
    ((("text", 201, {"x-a": "1"}), {"x-b": "2"}), 201, {**TEXT_ONLY, "x-a": "1", "x-b": "2"}, b"text"),
    ((("text", {"x-a": "1"}), {"content-type": "a/b"}), 200, {"content-type": "a/b", "x-a": "1"}, b"text"),
    ((Point(1, 2), {"x-a": "1"}), 200, {"content-type": JSON, "x-a": "1"}, b'{"x":1,"y":2}'),
    ids=repr,
)
def test_a_body_may_come_with_status_and_headers(value, status, headers, body):
    response = to_response(value, source, REQUEST)
    assert (response.status, dict(response.headers.items()), response.body) == (status, headers, body)


class TestNone:
    @rows("annotation", [None, "None", type(None)], ids=repr)
    def test_is_a_204_where_it_is_announced(self, annotation):
        def announced(request):
            pass

        announced.__annotations__["return"] = annotation
        response = to_response(None, announced, REQUEST)
        assert (response.status, response.body, response.content_type) == (204, b"", None)

    def test_is_a_204_from_a_method_an_object_and_a_partial_that_announce_it(self):
        import functools

        class Handler:
            def method(self, request) -> None:
                pass

            def __call__(self, request) -> None:
                pass

        for announced in (Handler().method, Handler(), functools.partial(says_none)):
            assert to_response(None, announced, REQUEST).status == 204

    def test_is_a_204_beside_annotations_that_only_type_checkers_understand(self):
        announced = define("def made(request: Unknown, page: Unknown.Page[int] = 1) -> None: ...")
        assert to_response(None, announced, REQUEST).status == 204

    def test_is_a_forgotten_return_where_only_type_checkers_understand_what_was_announced(self):
        forgets = define("def made(request: Unknown) -> Unknown: ...")
        with pytest.raises(TypeError, match="forgotten return"):
            to_response(None, forgets, REQUEST)

    @rows("annotation", [str, "str", Response, "Response | None", None.__class__ | str], ids=repr)
    def test_is_a_forgotten_return_otherwise(self, annotation):
        def forgets(request):
            pass

        forgets.__annotations__["return"] = annotation
        with pytest.raises(TypeError, match="forgotten return"):
            to_response(None, forgets, REQUEST)


def endless():
    value = []
    value.append(value)
    return value


async def coroutine():
    return "x"


MISTAKES = {
    "nothing": lambda: None,
    "number": lambda: 5,
    "float": lambda: 1.5,
    "true": lambda: True,
    "set": lambda: {1, 2},
    "frozenset": frozenset,
    "object": object,
    "class": lambda: Point,
    "class with markup": lambda: Widget,
    "exception": lambda: ValueError("x"),
    "range": lambda: range(3),
    "named tuple": lambda: Pair(1, 2),
    "decimal": lambda: Decimal(1),
    "no tuple": lambda: (),
    "tuple of one": lambda: ("x",),
    "tuple of four": lambda: ("x", 200, {}, {}),
    "status out of range": lambda: ("x", 99),
    "status out of range in three": lambda: ("x", 600, {}),
    "status that is true": lambda: ("x", True),
    "status as text": lambda: ("x", "201"),
    "status as text in three": lambda: ("x", "201", {}),
    "status and phrase": lambda: ("x", "201 Created", {}),
    "headers before status": lambda: ("x", {"x-a": "1"}, 201),
    "headers that are no pairs": lambda: ("x", ["x-a"]),
    "header that is no token": lambda: ("x", {"x a": "1"}),
    "header with a line break": lambda: ("x", {"x-a": "1\r\nx-b: 2"}),
    "header that is no text": lambda: ("x", {"x-a": 1}),
    "headers that are a number": lambda: ("x", 201, 5),
    "body that is a number": lambda: (5, 201),
    "chunks of WSGI": lambda: [b"a", b"b"],
    "chunks of WSGI with a status": lambda: ([b"a"], 201),
    "JSON of an object": lambda: {"a": object()},
    "JSON without end": endless,
    "JSON of a lone surrogate": lambda: {"a": "\ud800"},
    "text with a lone surrogate": lambda: "\ud800",
    "coroutine": coroutine,
}


@rows("make", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_an_error_that_names_the_handler(make):
    value = make()
    with pytest.raises((TypeError, ValueError)) as refused:
        to_response(value, source, REQUEST)
    if asyncio.iscoroutine(value):
        value.close()
    assert describe(source) in str(refused.value)


LONE = "a\ud800b"


@rows(
    "make, handled_by",
    # What a handler returns is a wrong return, as any other one.
    (lambda: LONE, "TypeError"),
    (lambda: Sentence(LONE), "TypeError"),
    (lambda: UserString(LONE), "TypeError"),
    (lambda: Markup(LONE), "TypeError"),
    (lambda: (LONE, 201), "TypeError"),
    (lambda: (LONE, {"x-a": "1"}), "TypeError"),
    (lambda: (LONE, 201, {"x-a": "1"}), "TypeError"),
    (lambda: (LONE, 404, {"x-a": "1"}), "TypeError"),
    (lambda: ("x", 200, {"x-a": LONE}), "TypeError"),
    (lambda: ({"a": 1}, {"x-a": LONE}), "TypeError"),
    (lambda: {"a": LONE}, "TypeError"),
    (lambda: {LONE: 1}, "TypeError"),
    (lambda: [LONE], "TypeError"),
    # What a handler calls fails at that line.
    (lambda: Response(LONE), "ValueError"),
    (lambda: Response.text(LONE), "ValueError"),
    (lambda: Response.html(LONE), "ValueError"),
    (lambda: Response.json({"a": LONE}), "ValueError"),
    (lambda: Response("x", headers={"x-a": LONE}), "ValueError"),
    (lambda: Page("a.html", text=LONE), "ValueError"),
)
@rows("around", [False, True])
def test_text_that_cannot_be_encoded_is_the_same_error_everywhere(make, handled_by, around):
    app = App()
    app.use(Templates(DictLoader({"a.html": "<p>{{ text }}</p>"})))

    @app.get("/async")
    async def at_once(request):
        return make()

    app.get("/def")(lambda request: make())
    if around:
        app.after_request(lambda request, response: None)
    for kind in (TypeError, ValueError):
        app.errorhandler(kind)(lambda request, error, kind=kind: (kind.__name__, 500))
    for interface in ("wsgi", "asgi", "rsgi"):
        client = Client(app, interface, raise_errors=False)
        assert [client.get(path).text for path in ("/def", "/async")] == [handled_by] * 2


def test_the_error_says_what_came_and_what_is_understood():
    with pytest.raises(TypeError, match=r"an int.*text, bytes, a dict.*\(body, status, headers\)"):
        to_response(5, source, REQUEST)
    with pytest.raises(TypeError, match="a tuple of 4"):
        to_response((1, 2, 3, 4), source, REQUEST)


@rows(
    "value, says",
    ((404, "no"), "returned (int, str): the body comes first, write `return body, status`"),
    ((404, {"a": 1}), "returned (int, dict): the body comes first, write `return body, status`"),
    (("no", {"a": "b"}, 404), "(str, dict, int): the body comes first, write `return body, status, headers`"),
    ((404, "no", {"a": "b"}), "(int, str, dict): the body comes first, write `return body, status, headers`"),
)
def test_the_error_for_a_tuple_in_another_order_says_which_it_is(value, says):
    with pytest.raises(TypeError) as refused:
        to_response(value, source, REQUEST)
    assert says in str(refused.value)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="Python 3.14 has template strings")
@rows(
    "source, text",
    ("t''", ""),
    ("t'<b>&amp;{{}}</b>'", "<b>&amp;{}</b>"),
    ("t'<b>{name}</b>{name}'", "<b>&lt;i&gt;</b>&lt;i&gt;"),
    ("t'<p>{markup}</p>'", "<p><b></p>"),
    ("t'{number:.2f} {name!r:>7} {number=}'", "3.14   &#x27;&lt;i&gt;&#x27; number=3.14159"),
    ("t'<p>{t\"<b>{name}</b>\"}</p>'", "<p><b>&lt;i&gt;</b></p>"),
    ("t'<p>{t\"<b>{t\"{markup}\"}</b>\"}</p>' t'<hr>'", "<p><b><b></b></p><hr>"),
)
def test_a_template_string_is_a_page(source, text):
    template = eval(source, {"name": "<i>", "number": 3.14159, "markup": Markup("<b>")})
    for value in (template, (template, 200), Response.html(template)):
        response = to_response(value, source, REQUEST)
        assert (response.body.decode(), response.content_type) == (text, HTML)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="Python 3.14 has template strings")
def test_a_part_of_a_template_string_is_no_page():
    part = next(iter(eval("t'{5}'")))
    with pytest.raises(TypeError, match="an Interpolation"):
        to_response(part, source, REQUEST)


class Money:
    """What JSON has no form for."""

    def __init__(self, amount):
        self.amount = amount


@pytest.mark.parametrize("answer", [{"m": Money(5)}, ({"m": Money(5)}, 201), [Money(5)]], ids=["dict", "tuple", "list"])
def test_an_app_says_how_its_own_values_are_written(interface, answer):
    app = App(json_default=lambda value: f"{value.amount} coins")
    app.get("/handler")(lambda request: answer)
    app.before_request(lambda request: answer if request.path == "/before" else None)
    app.after_request(lambda request, response: answer if request.path == "/after" else None)
    app.errorhandler(404)(lambda request, error: answer)

    @app.middleware
    def around(request):
        if request.path == "/middleware":
            return answer
        yield

    for path in ("/handler", "/before", "/after", "/middleware", "/nothing"):
        assert "5 coins" in Client(app, interface=interface).get(path).text


def test_a_value_of_an_app_that_says_nothing_is_an_error_that_names_it(caplog, app):
    app.get("/")(lambda request: {"m": Money(5)})
    assert Client(app).get("/").status == 500
    assert "Money can't be written as JSON: it is at /m" in caplog.text


def test_a_response_may_say_it_for_itself():
    assert Response.json({"m": Money(5)}, default=lambda value: value.amount).body == b'{"m":5}'


class Greeting:
    """Makes a response itself, at once or awaited."""

    def __init__(self, waits=False, error=None):
        self.waits, self.error = waits, error

    def __response__(self, request):
        if self.error is not None:
            raise self.error
        return self.wait(request) if self.waits else Response(f"Hello, {request.path}")

    async def wait(self, request):
        await asyncio.sleep(0)
        return Response(f"Hello, {request.path}")


@rows("waits", [False, True])
@rows(
    "wrap, status, field",
    (lambda greeting: greeting, 200, None),
    (lambda greeting: (greeting, 201), 201, None),
    (lambda greeting: ((greeting, 201), {"x-a": "1"}), 201, "1"),
    (lambda greeting: (greeting, 418, {"x-a": "1"}), 418, "1"),
)
def test_a_value_may_make_its_response_itself(interface, waits, wrap, status, field):
    app = App()

    @app.get("/me")
    async def greet(request: Request):
        return wrap(Greeting(waits))

    response = Client(app, interface).get("/me")
    assert (response.status, response.text, response.headers.get("x-a")) == (status, "Hello, /me", field)


@rows("status", [204, 205, 304])
@rows(
    "body",
    [{"a": 1}, [], "text", b"bytes", Point(1, 2), Widget(), iter(["a"]), Response("a")],
    ids=lambda body: type(body).__name__,
)
def test_a_body_with_a_status_that_has_no_content_is_an_error_that_names_the_handler(body, status):
    for value in ((body, status), (body, status, {"x-a": "1"})):
        with pytest.raises(TypeError, match=f"a response with status {status} has no content") as refused:
            to_response(value, source, REQUEST)
        assert describe(source) in str(refused.value)


@rows("status", [204, 205, 304])
def test_nothing_is_what_such_a_status_goes_with(status):
    for value in ((None, status), ("", status), (Response(None), status)):
        assert to_response(value, source, REQUEST).status == status


class Row:
    """A row of an ORM: an object with attributes."""

    def __init__(self) -> None:
        self.id, self.title = 1, "Emma"


@dataclasses.dataclass
class BookOut:
    id: int
    title: str


class ForeignResponse:
    """A response of another library, with the attributes that those of Django, Starlette and HTTPX have."""

    def __init__(self):
        self.status_code, self.headers = 200, {}

    def __iter__(self):
        yield b"Hello"


class ForeignStream(ForeignResponse):
    async def __aiter__(self):
        yield b"Hello"


@rows("response", [ForeignResponse(), ForeignStream()], ids=["whole", "stream"])
def test_the_error_for_the_response_of_another_library_says_what_to_return(response, caplog):
    app = App()
    app.get("/")(lambda request: response)
    assert Client(app).get("/").status == 500
    said = "it is another library's response: return its content, such as Response.html(text), or a dict for JSON"
    assert said in caplog.text
    assert "from_attributes" not in caplog.text


@pytest.mark.parametrize("value", [Row(), [Row()], {"book": Row()}], ids=["alone", "in a list", "in a dict"])
def test_the_error_for_an_object_with_attributes_says_how_to_convert_it(value, caplog, app):
    @app.get("/book")
    def book(request):
        return value

    @app.get("/converted")
    def converted(request):
        return msgspec.convert(Row(), BookOut, from_attributes=True)

    client = Client(app)
    assert client.get("/book").status == 500
    assert "msgspec.convert(value, Out, from_attributes=True)" in caplog.text
    assert client.get("/converted").json == {"id": 1, "title": "Emma"}


@rows("value", [42, object(), Row, len, re], ids=repr)
def test_other_values_have_no_attributes_to_convert(value, caplog):
    app = App()
    app.get("/")(lambda request: value)
    assert Client(app).get("/").status == 500
    assert "no response can be made from that" in caplog.text
    assert "from_attributes" not in caplog.text
