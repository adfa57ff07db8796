"""What a handler reads of the request."""

import gc
import weakref

import pytest

from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot.microdot import NoCaseDict
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

        assert serve(app).request(method, url, **options).text == "seen"
        return found[0]

    return see


def test_headers_of_one_request_are_not_those_of_another(app, serve):
    @app.get("/")
    async def handler(request):
        before = "X-Mark" in request.headers
        request.headers["X-Mark"] = "1"
        return str(before)

    client = serve(app)
    assert [client.get("/").text for _ in range(2)] == ["False", "False"]


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
