"""What a handler reads of the request."""

import gc
import json
import weakref

import pytest

from antiphon import Request as NativeRequest
from antiphon import get_response
from antiphon.dialects.microdot import Microdot, Request
from antiphon.dialects.microdot.microdot import MultiDict, NoCaseDict
from antiphon.http.head import RequestHead
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@pytest.fixture
def seen(serve):
    """Sends a request, and gives what an expression is in the handler of `/seen`."""

    def see(read, method="GET", url="/seen", app=None, **options):
        app, found = app or Microdot(), []

        @app.route("/seen", methods=[method])
        async def handler(request):
            found.append(read(request))
            return "seen"

        response = serve(app).request(method, url, **options)
        assert response.text == "seen"
        return found[0]

    return see


@pytest.mark.feature("microdot-008")
@pytest.mark.parametrize("url", ["/seen", "/seen?"])
def test_without_a_query_string_the_arguments_are_an_empty_multidict(seen, url):
    args = seen(lambda request: request.args, url=url)
    assert isinstance(args, MultiDict)
    assert dict(args) == {}


def test_lines_of_one_header_are_joined(seen):
    headers = seen(lambda request: dict(request.headers), headers=[("x-a", "1"), ("x-b", "2"), ("x-a", "3")])
    assert headers["X-A"].replace(" ", "") == "1,3"


def test_headers_of_one_request_are_not_those_of_another(app, serve):
    @app.get("/")
    async def handler(request):
        before = "X-Mark" in request.headers
        request.headers["X-Mark"] = "1"
        return str(before)

    client = serve(app)
    assert [client.get("/").text for _ in range(2)] == ["False", "False"]


@pytest.mark.feature("microdot-012")
def test_the_content_type_may_be_set_before_the_body_is_read(app, serve):
    @app.before_request
    async def declare(request):
        assert request.headers["Content-Type"] == request.content_type
        request.content_type = request.args["as"]

    @app.post("/")
    async def handler(request):
        return [request.content_type, request.json, dict(request.form or {})]

    client = serve(app)
    text = {"body": b'{"a":1}', "content_type": "text/plain"}
    assert client.post("/?as=application/json", **text).json == ["application/json", {"a": 1}, {}]
    form = {"body": b"a=1", "content_type": "text/plain"}
    wanted = "application/x-www-form-urlencoded"
    assert client.post(f"/?as={wanted}", **form).json == [wanted, None, {"a": ["1"]}]


def test_what_is_called_after_a_request_is_a_list(app, serve):
    @app.get("/")
    async def handler(request):
        def first(request, response):
            response.headers["X-First"] = "1"
            request.after_request_handlers.append(second)

        def second(request, response):
            response.headers["X-Second"] = "2"

        request.after_request_handlers.append(first)
        return "x"

    headers = serve(app).get("/").headers
    assert (headers["x-first"], headers["x-second"]) == ("1", "2")


@pytest.mark.feature("microdot-014")
@pytest.mark.parametrize("value", [{"a": [1, 2.5, "ü"]}, [], "text", 0, None])
def test_a_json_body_is_an_attribute(seen, value):
    assert seen(lambda request: (request.json, request.json), "POST", json=value) == (value, value)


@pytest.mark.feature("microdot-015")
@pytest.mark.parametrize("content_type", [None, "text/plain", "text/json", "application/x-www-form-urlencoded"])
def test_json_is_none_unless_the_type_says_json(seen, content_type):
    headers = {"content-type": content_type} if content_type else {}
    assert seen(lambda request: (request.json,), "POST", body=b"[1]", headers=headers) == (None,)


@pytest.mark.feature("microdot-015")
@pytest.mark.parametrize("content_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_the_type_may_have_parameters_and_any_case(seen, content_type):
    assert seen(lambda request: request.json, "POST", body=b"[1]", headers={"content-type": content_type}) == [1]


@pytest.mark.feature("microdot-015")
@pytest.mark.parametrize("body", [b"{", b"", b"\xff", b"NaN"])
def test_broken_json_is_a_400_where_nobody_handles_it(app, serve, body):
    @app.post("/")
    async def handler(request):
        return {"got": request.json}

    response = serve(app).post("/", body=body, headers={"content-type": "application/json"})
    assert response.status == 400


@pytest.mark.feature("microdot-015")
def test_broken_json_raises_what_the_json_module_does(app, serve):
    from json import JSONDecodeError

    @app.post("/")
    async def handler(request):
        try:
            return request.json
        except JSONDecodeError:
            return "broken", 422

    @app.errorhandler(ValueError)
    async def failed(request, error):
        return "handled", 418

    @app.post("/unhandled")
    async def unhandled(request):
        return request.json

    client = serve(app)
    sent = {"body": b"{", "headers": {"content-type": "application/json"}}
    assert client.post("/", **sent).status == 422
    assert client.post("/unhandled", **sent).status == 418


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1,\n "b": x}', b'["\xc3\xab", tru]', b'"\xff" 1'], ids=repr)
def test_broken_json_says_where_as_the_json_module_does(seen, body):
    from json import JSONDecodeError, loads

    def place(request):
        with pytest.raises(JSONDecodeError) as raised:
            _ = request.json
        return raised.value.pos, raised.value.lineno, raised.value.colno, raised.value.doc

    text = body.decode(errors="replace")
    with pytest.raises(JSONDecodeError) as expected:
        loads(text)
    error = expected.value
    found = seen(
        place, "POST", body=body, headers={"content-type": "application/json", "content-length": str(len(body))}
    )
    assert found == (error.pos, error.lineno, error.colno, text)


@pytest.mark.parametrize("body", [b"[" * 9000, b"[NaN]", b"1e999"], ids=["deep", "NaN", "large"])
def test_json_that_only_the_json_module_reads_is_broken_at_its_start(seen, body):
    def place(request):
        with pytest.raises(ValueError, match="JSON") as raised:
            _ = request.json
        return raised.value.pos

    assert seen(place, "POST", body=body, headers={"content-type": "application/json"}) == 0


@pytest.mark.feature("microdot-020")
def test_the_client_s_address_is_host_and_port(app, serve):
    found = []

    @app.get("/")
    async def handler(request):
        found.append(request.client_addr)
        return ""

    serve(app, client=("192.0.2.7", 4711)).get("/")
    assert found == [("192.0.2.7", 4711)]
    assert isinstance(found[0], tuple)


@pytest.mark.feature("microdot-021")
def test_the_application_is_an_attribute(app, seen):
    assert seen(lambda request: request.app, app=app) is app


@pytest.mark.feature("microdot-021")
def test_the_application_is_the_outer_one_in_a_mounted_route(app, serve):
    inner = Microdot()
    found = []

    @inner.get("/x")
    async def handler(request):
        found.append((request.app, request.subapp, request.url_prefix))
        return ""

    app.mount(inner, "/in")
    assert serve(app).get("/in/x").status == 200
    assert found == [(app, inner, "/in")]


@pytest.mark.feature("microdot-024")
def test_the_body_in_bytes(seen):
    assert seen(lambda request: request.body, "POST", body=b"\x00raw\xff") == b"\x00raw\xff"


@pytest.mark.feature("microdot-024")
def test_without_a_body_it_is_empty(seen):
    assert seen(lambda request: request.body) == b""


def test_the_url_and_its_parts(seen):
    read = seen(
        lambda request: (request.url, request.query_string, request.scheme, request.http_version, request.url_args),
        url="/seen?a=1&b",
    )
    assert read == ("/seen?a=1&b", "a=1&b", "http", "HTTP/1.1", {})


def test_the_route_is_the_handler(app, serve):
    @app.get("/<int:number>")
    async def handler(request, number):
        return str((request.route is handler, request.url_args))

    assert serve(app).get("/-5").text == "(True, {'number': -5})"


@rows("name", ["create", "sock"])
def test_what_is_not_offered_says_so(name):
    with pytest.raises(AttributeError, match=f"does not offer Request.{name}"):
        getattr(Request, name)


@rows("size, is_kept", [(20, True), (4096, False)])
def test_names_of_headers_are_kept_unless_they_are_long(size, is_kept):
    class Name(str):
        """Text that can be referred to weakly."""

    name = Name("x-" + "a" * size)
    kept = weakref.ref(name)
    assert NoCaseDict.of_request([(name, "1")])["X-" + "A" * size] == "1"
    del name
    gc.collect()
    assert (kept() is not None) == is_kept


def test_headers_can_be_worked_with_as_a_dictionary():
    headers = NoCaseDict({"Content-Type": "a", "X-B": "b"})
    headers["content-type"] = "c"
    assert dict(headers) == {"Content-Type": "c", "X-B": "b"}
    assert headers.setdefault("x-b", "z") == headers.pop("X-b") == "b"
    assert headers.pop("x-b", None) is None
    del headers["CONTENT-TYPE"]
    assert not headers
    headers.update({"Content-Type": "d"})
    assert headers.copy() == {"Content-Type": "d"}
    headers.clear()
    assert "content-type" not in headers


@pytest.mark.parametrize("interface", ["wsgi", "asgi"], indirect=True)  # RSGI's headers are text already
@pytest.mark.parametrize(("name", "sent"), [("Zoë 日本", "Zoë 日本".encode()), ("\xff Zoë", b"\xff Zo\xeb")])
def test_headers_are_utf_8_in_both_directions(app, serve, name, sent):
    @app.get("/")
    async def handler(request):
        assert request.headers["X-Plain"] == "plain"
        return {"name": request.headers["X-Name"]}, {"X-Name": request.headers["X-Name"]}

    response = serve(app).get("/", headers={"x-plain": "plain", "x-name": sent.decode("latin-1")})
    assert response.json == {"name": name}
    assert response.headers["x-name"].encode("latin-1") == name.encode()


def test_what_was_read_before_the_type_was_set_is_read_anew(app, serve):
    @app.before_request
    async def retype(request):
        assert request.json is None
        assert request.form is None
        request.content_type = request.args["as"]

    @app.post("/")
    async def handler(request):
        return [request.json, dict(request.form or {})]

    client = serve(app)
    sent = {"headers": {"content-type": "text/plain"}}
    assert client.post("/?as=application/json", body=b"[1]", **sent).json == [[1], {}]
    assert client.post("/?as=application/x-www-form-urlencoded", body=b"a=1", **sent).json == [None, {"a": ["1"]}]


def test_the_class_of_g_may_be_another(app, serve, monkeypatch):
    class Named:
        name = "nobody"

    monkeypatch.setattr("antiphon.dialects.microdot.Request.G", Named)
    app.get("/")(lambda request: request.g.name)
    assert serve(app).get("/").text == "nobody"


@pytest.mark.parametrize(("sent", "text"), [("é".encode(), "é"), (b"\xff", "\N{REPLACEMENT CHARACTER}")])
def test_the_query_string_is_utf_8(app, sent, text):
    app.get("/")(lambda request: [request.query_string, request.url])
    head = RequestHead(query_string=b"a=" + sent)  # clients would escape it
    assert json.loads(get_response(app, NativeRequest(head)).body) == [f"a={text}", f"/?a={text}"]


def test_a_request_shows_its_method_and_its_url(app, serve):
    app.get("/a")(repr)
    assert serve(app).get("/a?b=c").text == "<Request GET '/a?b=c'>"


def test_the_scope_and_the_environ_are_those_of_the_server(app, serve, interface):
    @app.get("/a")
    def handler(request):
        return [getattr(request, "environ", {}).get("PATH_INFO"), getattr(request, "asgi_scope", {}).get("path")]

    expected = {"wsgi": ["/a", None], "asgi": [None, "/a"], "rsgi": [None, None]}
    assert serve(app).get("/a").json == expected[interface]


def test_json_with_a_number_of_too_many_digits_is_broken_at_its_start(seen):
    def place(request):
        with pytest.raises(ValueError, match="JSON") as raised:
            _ = request.json
        return raised.value.pos

    assert seen(place, "POST", body=b"1" * 5000, headers={"content-type": "application/json"}) == 0
