"""The same input to Microdot and to the dialect. What is known to differ is listed in the reference, with reasons."""

import asyncio
from importlib import import_module

import microdot.microdot as theirs
from hypothesis import given
from hypothesis import strategies as st
from microdot.test_client import TestClient as TheirClient

import antiphon.dialects.microdot.microdot as ours
from antiphon.dialects.microdot.response import to_response
from antiphon.dialects.microdot.test_client import TestClient as OurClient
from tests.dialects.exchanges import error_of
from tests.helpers.rows import rows

SEGMENTS = st.sampled_from(["a", "users", "<x>", "<int:n>", "<path:p>", "<string:s>", "<re:[ab]+:r>", ""])
PATHS = st.lists(st.sampled_from(["a", "users", "7", "-1", "abba", "é", "", " "]), max_size=4).map(
    lambda parts: "/" + "/".join(parts)
)


@given(st.lists(SEGMENTS, max_size=4), PATHS)
def test_patterns_match_the_same_paths(segments, path):
    pattern = "/" + "/".join(segments)
    assert ours.URLPattern(pattern).match(path) == theirs.URLPattern(pattern).match(path)


@given(
    st.lists(st.sampled_from(["/a", "/<x>", "/<int:x>", "/<path:x>"]), max_size=5),
    st.sampled_from(["/a", "/7", "/b/c"]),
)
def test_the_same_route_answers(patterns, path):
    def first(library, **options):
        app = library.Microdot()
        for number, pattern in enumerate(patterns):
            app.get(pattern)(lambda request, number=number, x=None: [number, x])
        return asyncio.run(options["client"](app).get(path))

    mine, original = first(ours, client=OurClient), first(theirs, client=TheirClient)
    assert (mine.status_code, mine.json) == (original.status_code, original.json)


NAMES = st.sampled_from(["a", "A", "Content-Type", "content-type", "x"])
OPERATIONS = st.lists(
    st.one_of(
        st.tuples(st.just("__setitem__"), NAMES, st.integers()),
        st.tuples(st.just("__delitem__"), NAMES),
        st.tuples(st.just("__contains__"), NAMES),
        st.tuples(st.just("get"), NAMES),
        st.tuples(st.just("__getitem__"), NAMES),
    )
)


@given(OPERATIONS)
def test_dictionaries_without_regard_to_case(operations):
    start = {"A": -1, "Content-Type": -1, "X": -1}
    mine, original = ours.NoCaseDict(start), theirs.NoCaseDict(start)
    for name, *arguments in operations:
        assert error_of(getattr(mine, name), *arguments) == error_of(getattr(original, name), *arguments)
    assert {key.lower(): value for key, value in mine.items()} == {
        key.lower(): value for key, value in original.items()
    }


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(0, 9).map(str))))
def test_dictionaries_of_several_values(pairs):
    mine, original = ours.MultiDict(), theirs.MultiDict()
    for key, value in pairs:
        mine[key] = original[key] = value
    assert dict(mine) == dict(original) == dict(ours.MultiDict.of(pairs))
    for key in "abc":
        assert error_of(mine.__getitem__, key) == error_of(original.__getitem__, key)
        assert mine.get(key) == original.get(key)
        assert mine.get(key, "x", type=int) == original.get(key, "x", type=int)
        assert mine.getlist(key) == original.getlist(key)
        assert mine.getlist(key, type=int) == original.getlist(key, type=int)
    assert ours.MultiDict({"a": 1}) == theirs.MultiDict({"a": 1})


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cc", "Cs")), max_size=8)


@given(st.lists(st.tuples(TEXT.filter(bool), TEXT), min_size=1))
def test_arguments_and_forms_are_read_the_same(pairs):
    from urllib.parse import urlencode

    query = urlencode(pairs)

    async def read(library, client):
        app = library.Microdot()
        app.post("/")(lambda request: [list(request.args.items()), list(request.form.items())])
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        library.Request.max_readline, before = 1 << 20, library.Request.max_readline
        try:
            return (await client(app).post(f"/?{query}", headers, query)).json
        finally:
            library.Request.max_readline = before

    assert asyncio.run(read(ours, OurClient)) == asyncio.run(read(theirs, TheirClient))


COOKIES = [
    ("a", "1", {}), ("a", "", {"http_only": True}),
    ("a", "x=y", {"path": "/p", "domain": "example.com", "secure": True}),
    ("a", "1", {"max_age": 0, "expires": "Wed, 02 Jan 2030 03:04:05 GMT"}),
    ("a", "1", {"secure": True, "http_only": True, "partitioned": True, "path": "/"}),
    ("a", "1", {"partitioned": True}), ("a", '{"x":1}, "y"', {}), ("__Host-a", "é", {}), ("a b", " ", {}),
]  # fmt: skip


@rows("name, value, options", COOKIES)
def test_cookies_are_printed_the_same(name, value, options):
    printed = []
    for library in (ours, theirs):
        response = library.Response()
        response.set_cookie(name, value, **options)
        response.delete_cookie(name, **options)
        printed.append(response.headers["Set-Cookie"])
    assert printed[0] == printed[1]


RETURNED = [
    "text", b"bytes", 201, ("x", 201), ("x", {"X-A": "1"}), ("x", 201, {"X-A": "1"}), (404,), (302, {"Location": "/"}),
    None, (None, 200), ("", 204), (None, 404), {}, [], {"a": 1}, ({"a": 1}, 201), ([], {"Content-Type": "text/x-own"}),
]  # fmt: skip


@rows("returned", RETURNED, ids=repr)
def test_what_is_returned_becomes_the_same_response(returned):
    async def answered(library, client):
        app = library.Microdot()
        app.get("/")(lambda request: returned)
        response = await client(app).get("/")
        return (
            response.status_code,
            response.json or response.text,
            {key.lower(): value for key, value in response.headers.items() if key != "Content-Length"},
        )

    assert asyncio.run(answered(ours, OurClient)) == asyncio.run(answered(theirs, TheirClient))
    assert isinstance(to_response(returned), ours.Response)


FILES = [
    {}, {"content_type": "text/x-own"}, {"max_age": 0}, {"max_age": 60}, {"compressed": True}, {"compressed": "br"},
    {"status_code": 203},
]  # fmt: skip


@rows("options", FILES, ids=repr)
@rows("name", ["a.css", "a.min.js", "a.json.gz", "noextension", "a.UNKNOWN"])
def test_files_are_described_the_same(tmp_path, name, options):
    (tmp_path / name).write_bytes(b"content")

    def described(library):
        response = library.Response.send_file(str(tmp_path / name), **options)
        headers = {key: value for key, value in response.headers.items() if key != "Content-Length"}
        getattr(response.body, "close", lambda: None)()
        return response.status_code, headers

    assert described(ours) == described(theirs)


SENT = [
    ("get", "/?a=1&a=2&b=", {"headers": {"X-A": "1"}}), ("post", "/", {"body": {"x": 1}}),
    ("put", "/", {"body": [1, "é"]}), ("patch", "/", {"body": "é"}),
    ("query", "/", {"body": b"a=1&b=%C3%A9", "headers": {"Content-Type": "application/x-www-form-urlencoded"}}),
    ("delete", "/", {}), ("get", "/cookies", {"headers": {"Cookie": "z=9"}}), ("get", "/cookies/below", {}),
    ("get", "/cookies", {"headers": {"Cookie": 'z="9"; y={"x":1}; x=a,b; w="a\\"b"'}}),
    ("post", "/", {"body": b"12345", "headers": {"Content-Length": "2"}}),
    ("post", "/", {"body": b"12345", "headers": {"Content-Length": "0"}}),
    ("post", "/", {"headers": {"Content-Length": "5"}}),
    ("post", "/", {"headers": {"Content-Length": "16385"}}),
    ("post", "/", {"body": b"12345", "headers": {"Content-Length": "16385"}}),
    ("get", "/chunks", {}), ("get", "/bytes", {}), ("get", "/status", {}), ("get", "/events", {}),
    ("get", "/fail", {}), ("get", "/nowhere", {}),
]  # fmt: skip


async def shown(library, client, method, path, options):
    """What a client for tests shows of a response, and the cookies that it keeps."""
    app = library.Microdot()
    sse = import_module(f"{library.__name__.rpartition('.')[0]}.sse")

    @app.route("/", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "QUERY"])
    async def index(request):
        facts = [request.method, request.url, request.scheme, request.headers["Host"], list(request.client_addr)]
        return [
            *facts,
            dict(request.args),
            request.headers.get("X-A"),
            request.content_type,
            request.json,
            request.form,
            None if request.json else request.body.decode(),
        ]

    @app.get("/cookies")
    async def cookies(request):
        response = library.Response(request.cookies)
        response.set_cookie("set", "1", max_age=60)
        response.set_cookie("below", "2", path="/cookies")
        response.delete_cookie("kept")
        return response

    @app.get("/events")
    @sse.with_sse
    async def events(request, sse):
        await sse.send({"a": [1]}, event="named", event_id="5", retry=2)
        await sse.send("not read", comment=True)
        await sse.send("text")

    app.get("/cookies/below")(lambda request: request.cookies)
    app.get("/chunks")(lambda request: (chunk for chunk in ("one", b"two")))
    app.get("/bytes")(lambda request: (b"\xff", {"X-B": "b"}))
    app.get("/status")(lambda request: 204)
    app.get("/fail")(lambda request: 1 / 0)
    sender = client(app, cookies={"kept": "k", "low": ("l", "/cookies/below")}, scheme="https", host="h:1")
    response = await getattr(sender, method)(path, **options)
    headers = {name.lower(): value for name, value in response.headers.items() if name != "Content-Length"}
    told = [{name: event[name] for name in event if name != "data"} for event in response.events or ()]
    return response.status_code, headers, response.json or response.text, told, sender.cookies


@rows("method, path, options", SENT, ids=[f"{method} {path}" for method, path, _ in SENT])
def test_clients_for_tests_show_the_same(method, path, options):
    mine = asyncio.run(shown(ours, OurClient, method, path, options))
    original = asyncio.run(shown(theirs, TheirClient, method, path, options))
    if path == "/events":  # as text, the lines of an event come in another order
        mine, original = mine[:2] + mine[3:], original[:2] + original[3:]
    assert mine == original


@given(st.text(st.characters(codec="utf-8"), max_size=8))
def test_what_is_encoded_for_a_query_is_read_by_both(text):
    assert ours.urldecode(ours.urlencode(text)) == theirs.urldecode(ours.urlencode(text)) == text
    assert ours.urldecode(f"{ours.urlencode(text)}+%C3%A9".encode()) == f"{text} é"


def conversations(library, client, seen):
    """What the client's side of some conversations gets, by a library's names, and the answers at their ends."""
    websocket = import_module(f"{library.__name__.rpartition('.')[0]}.websocket")
    app = library.Microdot()

    @app.route("/echo/<name>")
    @websocket.with_websocket
    async def echo(request, ws, name):
        try:
            while True:
                message = await ws.receive()
                await ws.send(f"{name} {request.headers['X-A']} {message}" if isinstance(message, str) else message)
        finally:
            seen.append("left")

    @app.route("/upgrade")
    async def upgrade(request):
        if "full" in request.args:
            return "full", 409
        ws = await websocket.websocket_upgrade(request)
        await ws.send(await ws.receive())
        await ws.close()
        return None

    @app.route("/fail")
    @websocket.with_websocket
    async def fail(request, ws):
        await ws.receive()
        raise LookupError("inside")

    app.errorhandler(LookupError)(lambda request, error: ("lost", 500))

    def words():
        seen.append((yield "hello"))
        seen.append((yield b"\xff" * 300))
        yield "x" * 70_000  # more than a message may have

    async def awaited():
        await asyncio.sleep(0)
        seen.append((yield "hello"))

    async def all_of_them():
        answers = [
            await client.websocket(path, said, headers={"X-A": "a"})
            for path, said in [
                ("/echo/Ada", words), ("/echo/Bob", awaited), ("/upgrade", words), ("/upgrade?full", words),
                ("/fail", words), ("/none", words),
            ]
        ]  # fmt: skip
        return [(answer.status_code, answer.body) for answer in answers]

    client = client(app)
    return asyncio.run(all_of_them())


def test_the_test_client_holds_the_same_conversations():
    mine, original = [], []
    assert conversations(ours, OurClient, mine) == conversations(theirs, TheirClient, original)
    assert mine == original
    assert mine[0] == "Ada a hello"
