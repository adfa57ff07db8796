"""What a client may send in any header: it is read as nothing or refused, never a failure of ours, in linear time."""

import re
from datetime import UTC, datetime
from inspect import getattr_static

import pytest

from antiphon import App, Request, Response
from antiphon.explanations.naming import OtherWord
from antiphon.http.head import RequestHead
from antiphon.testing import Client
from antiphon.testing.servers.rsgi import RSGIHeaders
from tests.helpers.growth import is_slow
from tests.helpers.rows import rows
from tests.http.header_table import HEADER_FIELDS

pytestmark = [pytest.mark.once, pytest.mark.axes("client")]

SIZE = 100 << 10
FIELDS = {field.name: field for field in HEADER_FIELDS if field.request_attribute}
FRAMING = ("content-length", "host")
"""The headers that end a request if they are malformed, so that nothing else would be looked at."""


def filled(unit, start=""):
    return start + unit * ((SIZE - len(start)) // len(unit))


HOSTILE = {
    "nothing": "",
    "a space": " ",
    "a NUL": "\0",
    "NULs": filled("\0"),
    "a line break": "a\r\nset-cookie: stolen=1\r\n\r\n<script>",
    "a carriage return": "a\rb",
    "a line feed": "a\nb",
    "a delete": "a\x7fb",
    "a line break in quotes": '"a\r\nset-cookie: stolen=1"',
    "a NUL in a list": 'a, "\0", W/"\0", b;q=\0, c=\0',
    "a NUL in credentials": "Basic AA==",
    "media ranges": filled("text/html;level=1;q=0.1, "),
    "media ranges with quotes": filled('a/b;c="d,e;q=1";q=0.5,'),
    "languages": filled("de-AT-1996;q=0.9,"),
    "a long language": filled("a-"),
    "weights that are none": "a;q=nan, b;q=inf, c;q=-1, d;q=1e999, e;q=, f;q=0x1, g;q=1_0, h;q=٣, */*;q=nan",
    "entity tags": ", ".join(f'"{number}"' for number in range(10_000)),
    "weak entity tags without space": filled('W/"a",'),
    "ranges": "bytes=" + ",".join(f"{number}-{number}" for number in range(1_000)),
    "ranges that overlap": "bytes=" + ",".join(["0-", "-1"] * 500),
    "a range far away": filled("9", "bytes=") + "-",
    "a range backwards": "bytes=9-0",
    "the year 0": "Sat, 01 Jan 0000 00:00:00 GMT",
    "the year 99999": "Fri, 20 Nov 99999 12:00:00 GMT",
    "the last second": "Fri, 31 Dec 9999 23:59:60 GMT",
    "a day that is none": "Fri, 31 Feb 2026 25:61:61 GMT",
    "a short year": "Friday, 00-Jan-00 00:00:00 GMT",
    "an old date": "Thu Jan  0 00:00:00 0000",
    "a long name of a day": filled("a") + ", 20 Nov 2026 12:00:00 GMT",
    "digits": filled("9"),
    "a minus": "-1",
    "digits of other scripts": "\xb2\xb3\xb9",
    "commas": filled(","),
    "semicolons": filled(";"),
    "spaces": filled(" "),
    "tabs": filled("\t"),
    "equals signs": filled("="),
    "slashes": filled("/"),
    "backslashes": filled("\\"),
    "quotes": filled('"'),
    "escaped quotes": filled('\\"', 'a="'),
    "quotes in quotes": filled('"\\', 'a="'),
    "a quote that nothing closes": filled("x", 'a="'),
    "a quote that nothing closes, in a list": filled(", a", 'a/b;c="'),
    "parameters": filled("; a=b", "text/plain"),
    "parameters of many names": "text/plain" + "".join(f"; a{number}=b" for number in range(10_000)),
    "a long charset": filled("x", "text/plain; charset="),
    "a charset that is a codec": "text/plain; charset=zlib",
    "controls in a charset": 'text/plain; charset="\0\r\n"',
    "a long boundary": filled("x", "multipart/form-data; boundary="),
    "a form without boundary": "multipart/form-data",
    "extended values": filled("%", "Digest username*=UTF-8''"),
    "credentials": filled("A", "Basic "),
    "credentials that are no Base64": "Basic \xff",
    "padding": filled("=", "Basic QTpC"),
    "a scheme alone": "Bearer",
    "parameters of credentials": filled('a="b", ', "Digest "),
    "directives": filled("max-age=1,"),
    "directives of many names": ", ".join(f"x{number}={number}" for number in range(10_000)),
    "directives with lists": filled('no-cache="a, b", '),
    "seconds": filled("9", "max-age="),
    "cookies": filled("a=b; "),
    "cookies with escapes": filled("\\377", 'a="') + '"',
    "brackets": filled("["),
    "hosts": filled("a."),
    "a port": filled("9", "example.com:"),
    "parentheses": filled("(", "Mozilla/5.0 "),
    "products": filled("Chrome/1 "),
    "bots": filled("bot-", "Mozilla/5.0 "),
    "a trace": filled("0", "00-"),
    "a trace of zeros": f"00-{'0' * 32}-{'0' * 16}-00",
    "structured items": filled('a;b="c";d=?1, ').rstrip(", "),
    "structured inner lists": filled('("a" b;c=1 :aGk=:), ').rstrip(", "),
    "structured escapes": filled("\\\\", '"') + '"',
    "a structured display string": filled("%c3%bc", '%"') + '"',
    "a structured date far away": "@999999999999999",
    "percent signs": filled("%"),
    "Latin-1": filled("\xe9"),
    "broken UTF-8": filled("\xff\xc3"),
    "UTF-8 that is too long": filled("\xc0\x80"),
}


def public_parts(value):
    str(value), repr(value), bool(value)
    if type(value).__hash__ is not None:
        hash(value)
    for name in dir(type(value)):
        if name[0] == "_" or name in ("min", "max", "resolution") or isinstance(getattr_static(value, name), OtherWord):
            continue
        if not callable(part := getattr(value, name)):
            repr(part)
    if hasattr(value, "best"):
        value.best(["text/html", "a/b; c=d"]), list(value), value.items()
    return value


def is_of_type(value, written):
    """Whether a value is of the type that the table of headers names."""
    names = {"None"} if value is None else {each.__name__ for each in type(value).__mro__}
    return not names.isdisjoint(re.findall("[A-Za-z]+", written))


def look(request, looked):
    for field in FIELDS.values():
        value = public_parts(getattr(request, field.request_attribute))
        looked[field.name] = is_of_type(value, field.request_type)
    public_parts(request.url), request.port, request.ip, request.mimetype, request.charset, request.content_length
    request.headers.keys(), request.headers.getall("accept"), request.headers.getall("date")


class Injected:
    """An application of all three interfaces, which sees header fields that no client of ours would send."""

    def __init__(self, app):
        self.app = app
        self.fields = {}

    def wsgi(self, environ, start_response):
        variables = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.fields.items()}
        for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
            if f"HTTP_{name}" in variables:
                variables[name] = variables.pop(f"HTTP_{name}")
        return self.app({**environ, **variables}, start_response)

    async def asgi(self, scope, receive, send):
        if scope["type"] == "http":
            kept = [field for field in scope["headers"] if field[0].decode() not in self.fields]
            added = [(name.encode(), value.encode("latin-1", "replace")) for name, value in self.fields.items()]
            scope = {**scope, "headers": kept + added}
        await self.app(scope, receive, send)

    async def __rsgi__(self, scope, protocol):
        kept = [(name, value) for name, value in scope.headers.items() if name not in self.fields]
        await self.app.__rsgi__(scope._replace(headers=RSGIHeaders([*kept, *self.fields.items()])), protocol)


@pytest.fixture(scope="module")
def looked():
    return {}


@pytest.fixture(scope="module")
def injected(looked):
    app = App(trusted_proxies=["127.0.0.1"])

    @app.get("/")
    def answer(request):
        look(request, looked)
        return version(request)

    @app.get("/version")
    @app.post("/version")
    def version(request):
        response = Response("content" * 100)
        response.etag = "v1"
        response.last_modified = datetime(2026, 11, 20, tzinfo=UTC)
        return response.make_conditional(request)

    @app.post("/body")
    def body(request):
        return f"{request.text!r} {list(request.form)} {request.json!r}"

    return Injected(app)


@pytest.fixture(scope="module", params=["wsgi", "asgi", "rsgi"])
def client(request, injected):
    app = {"wsgi": injected.wsgi, "asgi": injected.asgi, "rsgi": injected}[request.param]
    extra = {"SERVER_SOFTWARE": "waitress"} if request.param == "wsgi" else {}  # whose names of headers are trusted
    with Client(app, request.param, extra=extra) as client:
        yield client


def send(client, injected, method, path, fields):
    injected.fields = fields
    return client.request(method, path, body=b"{}" if method == "POST" else b"", follow_redirects=False)


def check(response):
    """Whatever escaped the application has been raised by the client."""
    assert response.status < 500
    assert "set-cookie" not in response.headers
    assert not any(set(value) & set("\r\n\0") for value in response.headers.values())


@rows("value", HOSTILE.values(), ids=HOSTILE)
class TestAnyHeader:
    def test_is_read_as_what_it_may_be(self, client, injected, looked, value):
        looked.clear()
        check(send(client, injected, "GET", "/", {name: value for name in FIELDS if name not in FRAMING}))
        assert [name for name in FIELDS if not looked.get(name)] == []

    def test_asks_for_parts_or_for_the_whole(self, client, injected, value):
        names = ("accept", "if-modified-since", "if-none-match", "if-range", "range")
        for left_out in names:
            fields = {name: value for name in names if name != left_out}
            response = send(client, injected, "GET", "/version", fields)
            check(response)
            assert response.status in (200, 206, 304, 416)

    def test_says_who_writes_or_is_refused(self, client, injected, value):
        response = send(client, injected, "POST", "/version", {"origin": value, "sec-fetch-site": value})
        check(response)
        assert response.status in (200, 403)

    def test_says_what_a_body_is_or_is_refused(self, client, injected, value):
        check(send(client, injected, "POST", "/body", {"content-type": value, "accept": value}))

    def test_says_which_host_is_asked_or_is_refused(self, client, injected, value):
        check(send(client, injected, "GET", "/", {"host": value}))

    def test_says_how_long_a_body_is_or_is_refused(self, client, injected, value):
        check(send(client, injected, "POST", "/version", {"content-length": value}))

    def test_says_from_where_a_request_comes_or_is_passed_over(self, client, injected, value):
        names = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-port")
        check(send(client, injected, "GET", "/", dict.fromkeys(names, value)))


UNITS = [
    ",", ";", " ", "=", "\\", '"', '"\\', 'a="', '"a", ', "a, ", "a;q=0.1,", "a/b;c=d,", "a=b; ", "9", "0-,", "-", "a-",
    "a.", "%", "(", "Chrome/1 ", "bot", "\xe9", "[", ":", "W/", "\t,", "; a",
]  # fmt: skip
STARTS = {
    "authorization": ["Basic ", "Digest ", "Bearer "],
    "content-range": ["bytes "],
    "content-type": ["text/plain; charset=", "text/plain"],
    "priority": ["u=1", "u=(", 'u="', 'u=%"', "u=:"],
    "range": ["bytes="],
    "traceparent": ["00-"],
}
"""What leads further into a parser."""

PARSED = {field.request_type: field for field in reversed(FIELDS.values())} | {
    name: FIELDS[name] for name in ("content-length", "host", "if-modified-since", "last-event-id")
}
"""One header of each type, and those that are read in a way of their own."""


def reading(field):

    def prepare(value):
        request = Request(RequestHead(headers=[(field.name, value.strip(" \t"))]))
        return lambda: public_parts(getattr(request, field.request_attribute))

    return prepare


@rows("field", PARSED.values(), ids=[field.name for field in PARSED.values()])
def test_the_time_grows_with_the_input_and_no_faster(field):
    slow = [
        (start, unit)
        for start in ["", *STARTS.get(field.name, [])]
        for unit in UNITS
        if is_slow(reading(field), unit, start)
    ]
    assert slow == []
