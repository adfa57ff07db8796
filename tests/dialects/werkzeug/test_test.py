"""Builders and clients beside those of Werkzeug."""

from io import BytesIO

import pytest
from werkzeug import test as original
from werkzeug.wrappers import Request as OriginalRequest
from werkzeug.wrappers import Response as OriginalResponse

from antiphon.dialects.werkzeug import test as dialect
from antiphon.dialects.werkzeug.datastructures import FileStorage
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

BUILT = [
    {}, {"path": "/a b?x=1&y=\u00fc"}, {"path": "/p", "query_string": {"a": ["1", "2"], "b": "\u00fc &"}},
    {"path": "/?a", "query_string": "b"}, {"base_url": "https://b\u00fccher.example:8443/r\u00fc/"},
    {"base_url": "http://x/?q"}, {"method": "POST", "data": b"bytes"}, {"method": "POST", "data": "t\u00fc"},
    {"data": BytesIO(b"a file"), "content_type": "a/b"}, {"data": {"a": "\u00fc &", "b": [1, 2]}, "method": "PUT"},
    {"json": {"a": "\u00fc"}}, {"json": {}, "data": "x"}, {"headers": {"X-A": ["1", "2"], "Content-Type": "a/b"}},
    {"headers": [("Cookie", "a=b"), ("X-B", "c")]}, {"content_type": "a/b", "content_length": 7},
    {"mimetype": "text/x"},
    {"input_stream": BytesIO(b"stream")}, {"input_stream": BytesIO(b"s"), "data": "x"}, {"auth": ("a", "b")},
    {"environ_base": {"REMOTE_ADDR": "1", "x": 2}, "environ_overrides": {"PATH_INFO": "/o", "x": 3}},
    {"multithread": True, "run_once": True, "errors_stream": None},
]  # fmt: skip


@rows("values", BUILT, ids=lambda values: ", ".join(values) or "nothing")
def test_environs_of_values(values):
    def make(library):
        for stream in values.values():
            if isinstance(stream, BytesIO):
                stream.seek(0)
        made = library.create_environ(**values)
        return {**made, "wsgi.input": made["wsgi.input"].read()}

    same(outcome(make, original), outcome(make, dialect))


def test_a_builder_may_be_changed():
    def make(library):
        builder = library.EnvironBuilder()
        builder.args["a"] = "1"
        builder.form["b"] = "2"
        builder.path = "/p"
        builder.method = "POST"
        builder.headers["X-A"] = "c"
        seen = builder.mimetype, builder.query_string, builder.base_url, builder.server_port
        builder.mimetype = "text/html"
        seen += builder.content_type, builder.mimetype_params["charset"]
        builder.mimetype_params["x"] = "y"
        made = builder.get_environ()
        builder.close()
        return seen, made["CONTENT_TYPE"], made["PATH_INFO"], made["HTTP_X_A"], made["QUERY_STRING"]

    same(outcome(make, original), outcome(make, dialect))


@rows("library", [original, dialect])
def test_a_stream_and_a_form_exclude_each_other(library):
    builder = library.EnvironBuilder(data=b"x", query_string="a=b")
    for name in ("form", "files", "args"):
        with pytest.raises(AttributeError):
            getattr(builder, name)
    builder.form = {"a": "b"}
    assert builder.input_stream is None
    builder.input_stream = BytesIO()
    builder.close()


def site(request_class, response_class):
    @request_class.application
    def application(request):
        path = request.path
        if path == "/echo":
            text = f"{request.method} {request.url} {request.get_data(as_text=True)} {request.cookies.get('a')}"
            return response_class(text, headers={"X-Type": request.content_type or ""})
        if path == "/set":
            response = response_class("set")
            response.set_cookie("a", "1", path=request.args.get("path", "/"), domain=request.args.get("domain"))
            return response
        if path == "/unset":
            response = response_class("unset")
            response.delete_cookie("a")
            return response
        if path.startswith("/to/"):
            return response_class(status=int(path[4:]), headers={"Location": request.args["at"]})
        return response_class("nothing", status=404)

    return application


SITES = [(original, OriginalRequest, OriginalResponse), (dialect, Request, Response)]


def exchange(library, request_class, response_class, steps, **options):
    client = library.Client(site(request_class, response_class), **options)
    answers = []
    for method, path, *more in steps:
        response = getattr(client, method)(path, **(more[0] if more else {}))
        answers.append(
            (response.status, response.text, response.request.path, [each.status_code for each in response.history])
        )
        response.close()
    return answers


CONVERSATIONS = {
    "methods": [(method, "/echo") for method in ("get", "post", "put", "patch", "delete", "options", "head", "trace")],
    "bodies": [("post", "/echo", {"data": {"a": "b"}}), ("put", "/echo", {"json": [1]}), ("post", "/echo",
    {"data": b"x"})],
    "cookies": [("get", "/set"), ("get", "/echo"), ("get", "/unset"), ("get", "/echo")],
    "a cookie of a path": [("get", "/set?path=/ec"), ("get", "/echo"), ("get", "/set?path=/echo"), ("get", "/echo")],
    "a cookie of a domain": [
        ("get", "/set?domain=example.com", {"base_url": "http://example.com"}),
        ("get", "/echo", {"base_url": "http://a.example.com"}),
        ("get", "/echo", {"base_url": "http://other.com"}),
    ],
    "a redirect": [("get", "/to/302?at=/echo?x=y", {"follow_redirects": True})],
    "a redirect that is not followed": [("get", "/to/302?at=/echo")],
    "a redirect to another host": [("get", "/to/302?at=http://other.com/", {"follow_redirects": True})],
    "a redirect to a subdomain": [("get", "/to/302?at=http://a.localhost/echo", {"follow_redirects": True})],
    "a redirect after a form": [("post", "/to/303?at=/echo", {"data": {"a": "b"}, "follow_redirects": True})],
    "a redirect below a root": [
        ("get", "/to/302?at=/root/echo", {"base_url": "http://h/root", "follow_redirects": True}),
        ("get", "/to/302?at=/elsewhere", {"base_url": "http://h/root", "follow_redirects": True}),
    ],
    "redirects in a circle": [("get", "/to/302?at=/to/302?at=%2Fto%2F302", {"follow_redirects": True})],
}  # fmt: skip


@rows("steps", CONVERSATIONS.values(), ids=CONVERSATIONS)
@rows("options", [{}, {"use_cookies": False}, {"allow_subdomain_redirects": True}], ids=str)
def test_conversations(steps, options):
    theirs, ours = (outcome(lambda s=parts: exchange(*s, steps, **options)) for parts in SITES)
    same(theirs, ours)


def test_a_body_is_sent_again_after_a_redirect_that_keeps_the_method():
    client = dialect.Client(site(Request, Response))
    response = client.post("/to/307?at=/echo", data={"a": "b"}, follow_redirects=True)
    assert response.text.startswith("POST http://localhost/echo a=b")


def test_a_circle_of_redirects_is_told():
    def application(env, start_response):
        return Response(status=302, headers={"Location": "/"})(env, start_response)

    with pytest.raises(dialect.ClientRedirectError, match="loop"):
        dialect.Client(application).get("/", follow_redirects=True)


def test_cookies_may_be_set_and_read():
    def use(library, request_class, response_class):
        client = library.Client(site(request_class, response_class))
        client.set_cookie("a", "\u00fc x", path="/echo")
        text = client.get("/echo").text
        found = client.get_cookie("a", path="/echo")
        kept = found.decoded_value, found.path, found.domain, found.http_only, found.max_age, found.same_site
        client.delete_cookie("a", path="/echo")
        return text, kept, client.get_cookie("a", path="/echo"), client.get("/echo").text

    theirs, ours = (outcome(use, *parts) for parts in SITES)
    same(theirs, ours)


def test_a_client_without_cookies_says_so():
    client = dialect.Client(site(Request, Response), use_cookies=False)
    for call in (client.get_cookie, client.set_cookie, client.delete_cookie):
        with pytest.raises(TypeError, match="use_cookies=True"):
            call("a")


def test_what_a_client_opens():
    client = dialect.Client(site(Request, Response))
    builder = dialect.EnvironBuilder("/echo")
    for opened in (builder, builder.get_environ(), builder.get_request()):
        assert client.open(opened).text.startswith("GET http://localhost/echo")


def test_an_application_that_does_not_begin_is_told():
    with pytest.raises(RuntimeError, match="start_response"):
        dialect.run_wsgi_app(lambda env, start_response: [], dialect.create_environ())


@rows("fields", [{}, {"a": "\u00fc", "b": ["1", "2"]}, {"file": b"content"}], ids=str)
def test_forms_in_parts_are_written_as_by_the_original(fields):
    def written(library):
        data = {
            name: FileStorage(BytesIO(value), "u.txt") if type(value) is bytes else value
            for name, value in fields.items()
        }
        return library.encode_multipart(data, boundary="between")

    assert written(dialect) == written(original)


@rows("library, request_class", [(original, OriginalRequest), (dialect, Request)])
def test_parts_of_a_builder_may_be_set(library, request_class):
    builder = library.EnvironBuilder(method="POST", data={"file": (BytesIO(b"x"), "a.bin")})
    assert builder.files["file"].filename == "a.bin"
    kept = builder.files
    builder.files = kept
    builder.args = None
    builder.args["q"] = "1"
    assert request_class(builder.get_environ()).args["q"] == "1"
    builder.close()
    builder.close()


def test_a_client_shows_its_application_and_takes_a_class_of_test_responses():
    class Own(dialect.TestResponse):
        pass

    client = dialect.Client(Response("x"), Own)
    assert repr(client).startswith("<Client <Response")
    assert type(client.get("/")) is Own
