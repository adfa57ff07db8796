import sys
from contextlib import nullcontext
from functools import partial

import pytest

from antiphon.testing import Client, ContractError
from tests.helpers.observed_values import SyncValues
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("timeout")


@pytest.fixture(params=[10, None], ids=["thread", "here"])
def timeout(request):
    """With a timeout the application runs on a thread, without one where the test does."""
    return request.param


@pytest.fixture
def connect(timeout, open_client):
    return partial(open_client, interface="wsgi", timeout=timeout)


def environ_of(connect, *arguments, method="GET", options=None, **settings):
    """The environ that a request brings, with wsgi.input read."""
    environs = []

    def application(environ, start_response):
        environs.append(environ | {"input": environ["wsgi.input"].read()})
        start_response("200 OK", [])
        return []

    connect(application, **settings).request(method, *arguments, **(options or {}))
    return environs[0]


def answering(status="200 OK", headers=(), body=(b"x",)):
    def application(environ, start_response):
        start_response(status, list(headers) if isinstance(headers, tuple) else headers)
        return body

    return application


def test_the_environ_has_what_pep_3333_demands(connect):
    environ = environ_of(
        connect,
        "/a%20b/caf%C3%A9?q=%20x",
        method="POST",
        options={"body": b"body", "content_type": "text/plain", "headers": {"X-One": "1"}},
        base_url="https://shop.example:8443",
        client=("10.0.0.1", 1234),
    )
    assert type(environ) is dict
    assert {key: environ[key] for key in environ if not key.startswith("wsgi.")} == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b/cafÃ©",
        "QUERY_STRING": "q=%20x",
        "REQUEST_URI": "/a%20b/caf%C3%A9?q=%20x",
        "SERVER_NAME": "shop.example",
        "SERVER_PORT": "8443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "10.0.0.1",
        "REMOTE_PORT": "1234",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "4",
        "HTTP_HOST": "shop.example:8443",
        "HTTP_X_ONE": "1",
        "antiphon.names_are_exact": True,
        "input": b"body",
    }
    assert environ["wsgi.version"] == (1, 0)
    assert environ["wsgi.url_scheme"] == "https"
    assert environ["wsgi.errors"] is sys.stderr
    assert (environ["wsgi.multithread"], environ["wsgi.multiprocess"], environ["wsgi.run_once"]) == (True, False, False)


@pytest.mark.parametrize(
    ("url", "script_name", "path_info"),
    [("/caf%C3%A9/a%2Fb", "/cafÃ©", "/a/b"), ("/café/", "/cafÃ©", "/"), ("/caf%c3%a9", "/cafÃ©", "")],
)
def test_the_root_path_is_the_script_name(connect, url, script_name, path_info):
    environ = environ_of(connect, url, root_path="/café")
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, path_info)


def test_a_path_beside_the_root_path_is_refused(connect):
    with pytest.raises(ValueError, match="'/apiary' is not below the root_path '/api'"):
        environ_of(connect, "/apiary", root_path="/api/")


def test_lines_of_one_header_are_joined_and_underscores_dropped(connect):
    headers = [("x-a", "1"), ("X-A", "2"), ("cookie", "a=1"), ("cookie", "b=2"), ("x_forwarded_for", "evil")]
    environ = environ_of(connect, "/", options={"headers": headers})
    assert environ["HTTP_X_A"] == "1, 2"
    assert environ["HTTP_COOKIE"] == "a=1; b=2"
    assert "HTTP_X_FORWARDED_FOR" not in environ


def test_extra_entries_are_added(connect):
    assert environ_of(connect, "/", extra={"REMOTE_USER": "me"})["REMOTE_USER"] == "me"


@pytest.mark.parametrize("body", [b"one\ntwo\nthree", [b"on", b"e\ntw", b"o\nthree"]])
def test_the_input_is_read_as_pep_3333_promises(connect, body):
    def application(environ, start_response):
        stream = environ["wsgi.input"]
        read = [
            stream.read(2),
            stream.readline(),
            stream.readline(1),
            stream.readlines(),
            stream.read(),
            stream.read(5),
        ]
        start_response("200 OK", [])
        return [repr(read).encode()]

    assert connect(application).post("/", body=body).text == repr([b"on", b"e\n", b"t", [b"wo\n", b"three"], b"", b""])


def test_the_input_can_be_iterated(connect):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [repr(list(environ["wsgi.input"])).encode()]

    assert connect(application).post("/", body=b"a\nb").text == repr([b"a\n", b"b"])


def test_the_input_has_no_other_methods(connect):
    def application(environ, start_response):
        start_response("200 OK", [])
        return [b",".join(name.encode() for name in dir(environ["wsgi.input"]) if not name.startswith("_"))]

    assert connect(application).get("/").text == "read,readline,readlines"


def test_a_body_can_break_off(connect):
    def application(environ, start_response):
        try:
            body = environ["wsgi.input"].read()
        except OSError as error:
            body = repr(error).encode()
        start_response("200 OK", [])
        return [body]

    def breaking():
        yield b"one"
        raise ConnectionResetError("gone")

    client = connect(application)
    assert client.post("/", body=b"short", headers={"content-length": "10"}).body == b"short"
    assert client.post("/", body=b"too long", headers={"content-length": "3"}).body == b"too"
    assert client.post("/", body=breaking()).text == "ConnectionResetError('gone')"


def test_asynchronous_chunks_are_refused(connect):
    async def chunks():
        yield b"x"

    with pytest.raises(TypeError, match="over WSGI"):
        connect(answering()).post("/", body=chunks())


@rows(
    "application, complaint",
    (answering(status=200), "the status must be a str, not int"),
    (answering(status="200"), "a code, a space and a phrase"),
    (answering(status="200 "), "a code, a space and a phrase"),
    (answering(status="20 OK"), "a code, a space and a phrase"),
    (answering(status="2000 OK"), "a code, a space and a phrase"),
    (answering(status="200  OK"), "a code, a space and a phrase"),
    (answering(status="100 Continue"), "an int from 200 to 999, not 100"),
    (answering(status="200 O\nK"), "a character that can't be sent"),
    (answering(status="200 Œuvre"), "a character that can't be sent"),
    (answering(headers={"a": "b"}), "the headers must be a list, not dict"),
    (answering(headers=[["a", "b"]]), "a tuple of two str"),
    (answering(headers=[("a", "b", "c")]), "a tuple of two str"),
    (answering(headers=[("a", b"b")]), "a tuple of two str"),
    (answering(headers=[(type("Text", (str,), {})("a"), "b")]), "a tuple of two str"),
    (answering(headers=[("a b", "c")]), "a token, not 'a b'"),
    (answering(headers=[("a", "b\r\nc: d")]), "is not allowed in a header"),
    (answering(headers=[("a", "ŵ")]), "is not allowed in a header"),
    (answering(headers=[("Connection", "close")]), "only servers can set Connection"),
    (answering(headers=[("Transfer-Encoding", "chunked")]), "only servers can set Transfer-Encoding"),
    (answering(headers=[("Content-Length", "one")]), "one number of bytes, not 'one'"),
    (answering(headers=[("Content-Length", "1"), ("Content-Length", "1")]), "one number of bytes, not '1, 1'"),
    (answering(body=b"bytes"), "an iterable of bytes, not bytes"),
    (answering(body="text"), "an iterable of bytes, not str"),
    (answering(body=None), "an iterable of bytes, not NoneType"),
    (answering(body=["text"]), "must be bytes, not str"),
    (answering(body=[bytearray(b"x")]), "must be bytes, not bytearray"),
    (lambda environ, start_response: [b"x"], "before start_response was called"),
    (lambda environ, start_response: [], "without calling start_response"),
)
def test_a_breach_of_contract_is_an_error(connect, application, complaint):
    for raise_errors in (True, False):
        with pytest.raises(ContractError, match=complaint):
            connect(application, raise_errors=raise_errors).get("/")


def swallows(environ, start_response):
    try:
        start_response("200", [])
    except AssertionError:
        start_response("500 Oops", [])
    return []


def starts_twice(environ, start_response):
    start_response("200 OK", [])
    start_response("200 OK", [])
    return []


def writes_text(environ, start_response):
    start_response("200 OK", [])("text")
    return []


@rows(
    "application, complaint",
    (swallows, "a code, a space and a phrase"),
    (starts_twice, "a second time without exc_info"),
    (writes_text, "write takes bytes, not str"),
)
def test_a_breach_of_contract_by_a_call_is_an_error(connect, application, complaint):
    with pytest.raises(ContractError, match=complaint):
        connect(application).get("/")


def test_with_exc_info_the_head_is_replaced_until_it_has_gone_out(connect):
    def application(environ, start_response):
        start_response("200 OK", [("x-a", "1")])
        yield b""
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            start_response("500 Oops", [("x-b", "2")], sys.exc_info())
        yield b"sorry"

    response = connect(application).get("/")
    assert (response.status, response.headers.items(), response.body) == (500, [("x-b", "2")], b"sorry")


def test_with_exc_info_the_error_is_raised_when_the_head_has_gone_out(connect):
    def application(environ, start_response):
        start_response("200 OK", [])
        yield b"started"
        try:
            raise ZeroDivisionError
        except ZeroDivisionError:
            start_response("500 Oops", [], sys.exc_info())
        yield b"never"

    with pytest.raises(ZeroDivisionError):
        connect(application).get("/")


def test_written_data_comes_before_the_iterable(connect):
    def application(environ, start_response):
        write = start_response("200 OK", [("content-length", "6")])
        write(b"one")
        write(b"")
        write(b"two")
        return []

    client = connect(application)
    assert client.get("/").body == b"onetwo"
    with client.stream("GET", "/") as response:
        assert list(response) == [b"one", b"two"]


def test_an_endless_writer_waits_for_its_reader_and_is_told_when_that_goes():
    written = []
    errors = []

    def application(environ, start_response):
        write = start_response("200 OK", [])
        try:
            while True:
                written.append(len(written))
                write(b"%d" % written[-1])
        except OSError as error:
            errors.append(error)
            raise

    client = Client(application, "wsgi", timeout=10)
    with client.stream("GET", "/") as response:
        assert [next(response), next(response)] == [b"0", b"1"]
        assert len(written) <= 3
    assert len(errors) == 1
    client.close()


def test_an_endless_writer_on_the_thread_of_the_test_is_stopped(monkeypatch):
    monkeypatch.setattr("antiphon.testing.servers.wsgi_runners.MAX_WRITTEN", 1000)

    def application(environ, start_response):
        write = start_response("200 OK", [])
        while True:
            write(b"x" * 100)

    with pytest.raises(RuntimeError, match="give the client a timeout"):
        Client(application, "wsgi", timeout=None).get("/")


@rows(
    "method, status, chunks, error",
    ("GET", "200 OK", [b"a", b"b"], None),
    ("HEAD", "200 OK", [b"a", b"b"], None),
    ("GET", "204 No Content", [], None),
    ("GET", "200 OK", [], ZeroDivisionError),
    ("GET", "200 OK", [b"a"], ZeroDivisionError),
    ("GET", "200 OK", ["text"], ContractError),
    ("GET", "204 No Content", [b"a"], ContractError),
    ("GET", "nonsense", [b"a"], ContractError),
)
def test_a_body_is_closed_in_every_case(connect, method, status, chunks, error):
    body = SyncValues(chunks, error if error is ZeroDivisionError else None)

    def application(environ, start_response):
        if status != "nonsense":
            start_response(status, [])
        return body

    with pytest.raises(error) if error else nullcontext():
        connect(application).request(method, "/")
    assert body.closed == 1


def test_an_error_of_close_is_raised(connect):
    class Failing(SyncValues):
        def close(self):
            raise ZeroDivisionError

    client = connect(answering(body=Failing([b"a", b"b"])))
    with pytest.raises(ZeroDivisionError):
        client.get("/")
    with pytest.raises(ZeroDivisionError), client.stream("GET", "/"):
        pass
