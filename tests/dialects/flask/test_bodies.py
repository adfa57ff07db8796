"""Bodies of requests, over each interface: as they come on a thread, and loaded for code on an event loop."""

import asyncio
from io import BytesIO

import pytest

from antiphon import App
from antiphon.dialects.flask import Flask, copy_current_request_context, request
from antiphon.dialects.werkzeug.middleware.proxy_fix import ProxyFix
from antiphon.dialects.werkzeug.test import EnvironBuilder
from antiphon.testing import Client
from tests.adapters.conftest import scope
from tests.helpers.request_bodies import FORM_DATA, form_data
from tests.helpers.rows import rows

INTERFACES = ["wsgi", "asgi", "rsgi"]
TEXT = {"content-type": "text/plain"}


def reading():
    app = Flask(__name__)
    app.logger.disabled = True

    @app.post("/sync")
    def sync():
        return str(len(request.get_data()))

    @app.post("/async")
    async def asynchronous():
        return str(len(request.get_data()))

    @app.post("/own/<int:limit>")
    async def own(limit):
        request.max_content_length = limit
        return str(len(request.get_data()))

    @app.post("/unread")
    async def unread():
        return "unread"

    @app.teardown_request
    @app.teardown_appcontext
    async def closed(error):
        await asyncio.sleep(0)

    return app


def mounted(app):
    outer = App()
    outer.mount("", app)
    return outer


def wrapped(app):
    """An application around which is middleware of WSGI."""
    app.wsgi_app = ProxyFix(app.wsgi_app)
    return app


AROUND = rows("around", [lambda app: app, mounted, wrapped], ids=["alone", "mounted", "wrapped"])


@AROUND
@rows("interface", INTERFACES)
@rows("path", ["/sync", "/async"])
@rows("size", [0, 100_000, 2_000_000])
def test_bodies_of_any_size_are_read(interface, path, size, around):
    with Client(around(reading()), interface) as client:
        assert client.post(path, body=b"x" * size, headers=TEXT).text == str(size)


@AROUND
@rows("interface", INTERFACES)
@rows("path, status", [("/sync", 413), ("/async", 413), ("/own/2000", 200), ("/own/1400", 413), ("/unread", 200)])
def test_a_limit_counts_when_the_body_is_read(interface, path, status, around):
    app = reading()
    app.config["MAX_CONTENT_LENGTH"] = 1000
    with Client(around(app), interface, raise_errors=False) as client:
        assert client.post(path, body=b"x" * 1500, headers=TEXT).status == status


PLAIN = {"data": b"x" * 1000, "content_type": "text/plain"}
URLENCODED = {"data": b"a=" + b"x" * 1000, "content_type": "application/x-www-form-urlencoded"}


def parts(*sizes):
    fields = [(f"f{number}", None, b"x" * size) for number, size in enumerate(sizes)]
    return {"data": form_data(*fields), "content_type": FORM_DATA}


@pytest.mark.feature("flask-039", "flask-040", "flask-041")
@rows(
    "setting, limit, sent, status",
    ("MAX_CONTENT_LENGTH", None, PLAIN, 200), ("MAX_CONTENT_LENGTH", 1000, PLAIN, 200),
    ("MAX_CONTENT_LENGTH", 999, PLAIN, 413), ("MAX_CONTENT_LENGTH", 999, URLENCODED, 413),
    ("MAX_FORM_MEMORY_SIZE", 999, URLENCODED, 200), ("MAX_FORM_MEMORY_SIZE", 1000, parts(500, 500), 200),
    ("MAX_FORM_MEMORY_SIZE", 999, parts(500, 500), 413), ("MAX_FORM_PARTS", 3, parts(1, 1, 1), 200),
    ("MAX_FORM_PARTS", 2, parts(1, 1, 1), 413),
)  # fmt: skip
def test_limits_of_the_application(setting, limit, sent, status):
    app = Flask(__name__)
    app.config[setting] = limit
    app.add_url_rule("/", view_func=lambda: str([request.form, request.get_data()]), endpoint="i", methods=["POST"])
    assert app.test_client().post("/", **sent).status_code == status


def test_a_view_on_the_loop_is_told_of_a_body_that_is_not_there():
    app = reading()
    app.config["MAX_CONTENT_LENGTH"], app.config["PROPAGATE_EXCEPTIONS"] = 1000, True
    with Client(app, "asgi", raise_errors=True) as client, pytest.raises(RuntimeError, match="max_content_length in a"):
        client.post("/own/30000000", body=b"x" * 20_000_000, headers=TEXT)


class Waiting(BytesIO):
    """What a WSGI server reads from a connection: it may not be waited for on an event loop."""

    def read(self, size=-1):
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return super().read(size)


@rows("declared", [True, False])
@rows(
    "path, limit, size, answer",
    ("/async", None, 10, "10"), ("/async", None, 20_000_000, "20000000"), ("/async", 1000, 1000, "1000"),
    ("/async", 1000, 1001, "413"),
    ("/async", 1000, 20_000_000, "413"), ("/own/2000", 1000, 2000, "2000"), ("/own/2000", 1000, 2001, "413"),
)  # fmt: skip
def test_the_loop_of_a_wsgi_server_waits_for_no_body(path, limit, size, answer, declared):
    environ = EnvironBuilder(path, method="POST", input_stream=Waiting(b"x" * size), content_length=size).get_environ()
    if not declared:
        del environ["CONTENT_LENGTH"]
        environ["wsgi.input_terminated"] = True
    app = reading()
    app.config["MAX_CONTENT_LENGTH"] = limit
    app.errorhandler(413)(lambda error: "413")
    started = []
    body = app(environ, lambda status, headers, exc_info=None: started.append(status))
    assert (b"".join(body), started) == (answer.encode(), ["200 OK"])
    if declared and answer != "413":
        assert environ["wsgi.input"].closed


def sent_by(app, path, length, messages):
    """The messages of ASGI that an application sends when it gets these."""

    async def receive():
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    sent = []
    headers = [(b"host", b"localhost"), (b"content-type", b"text/plain"), length]
    asyncio.run(app(scope("POST", path, headers), receive, send))
    return sent


CHUNKED = (b"transfer-encoding", b"chunked")


@rows("path", ["/sync", "/async"])
@rows("length", [(b"content-length", b"10"), CHUNKED])
def test_a_client_that_leaves_is_answered_by_nobody(path, length):
    """The view gets a 400 for a body that breaks off, as Werkzeug gives it, and not the beginning of the body."""
    sent = sent_by(reading(), path, length, [{"type": "http.request", "body": b"some", "more_body": True}])
    assert not sent or sent[0]["status"] == 400


@AROUND
def test_a_body_that_was_refused_is_received_to_its_end(around):
    """Many clients listen only when they have sent all."""
    app = reading()
    app.config["MAX_CONTENT_LENGTH"] = 10
    messages = [{"type": "http.request", "body": b"x" * 100_000, "more_body": left > 0} for left in reversed(range(5))]
    sent = sent_by(around(app), "/sync", CHUNKED, messages)
    assert (sent[0]["status"], messages) == (413, [])


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("size", [1001, 200_000])
def test_a_body_above_the_limit_is_refused_before_it_has_come(interface, size):
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = 1000
    app.post("/")(lambda: str(len(request.get_data())))
    taken, refused = [], []

    @app.errorhandler(413)
    def refuse(error):
        refused.append(len(taken))
        return error

    def chunks():  # which may be taken once the response has begun, to notice that the client has left
        taken.append(True)
        yield bytes(size)

    with Client(app, interface) as client:
        headers = {"content-length": str(size), "expect": "100-continue"}
        assert client.post("/", headers=headers, body=chunks()).status == 413
    assert refused == [0]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("size", [10, 200_000])
def test_contexts_of_one_request_share_its_body(interface, size):
    """A copied context is torn down first, and leaves the body to what comes after it."""
    app = Flask(__name__)
    lengths = []

    @app.teardown_request
    async def teardown(error):
        lengths.append(len(request.get_data()))

    @app.after_request
    async def after(response):
        lengths.append(len(request.get_data()))
        return response

    @app.post("/")
    def index():
        return copy_current_request_context(lambda: request.path)()

    with Client(app, interface) as client:
        assert client.post("/", body=bytes(size)).text == "/"
    assert lengths == [size] * 3
