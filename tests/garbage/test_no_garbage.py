"""No request leaves anything to the garbage collector: all that it held is freed as soon as its exchange has ended."""

import gc
import logging

import pytest

from antiphon import App, abort, view
from antiphon.cli.logs import Logs
from antiphon.cli.workers.observed import Counted, observed, with_final_responses
from antiphon.testing import BrokenResponse, Client, HandshakeRefused
from tests.app.conftest import DefStyle
from tests.garbage import mounted_app, plain_app
from tests.garbage.exchanges import post
from tests.helpers.free_threading import frees_at_once
from tests.helpers.garbage import garbage_of
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_files

pytestmark = [pytest.mark.axes("interface", "style", "observer"), frees_at_once]


class AtOnce(DefStyle):
    """Paints functions as ``async def`` that never wait."""

    def __call__(self, function):
        async def answers(*arguments):
            return function(*arguments)

        return answers


STYLES = [DefStyle("def"), DefStyle("async def"), AtOnce("async def that never waits")]


@pytest.fixture(params=["wsgi", "asgi", "rsgi"], scope="module")
def interface(request):
    return request.param


@pytest.fixture(params=STYLES, ids=lambda style: style.name, scope="module")
def style(request):
    return request.param


class Started:
    """Takes note of a startup, as a worker does."""

    def is_starting(self, loop):
        pass

    def has_started(self, loop):
        pass

    def has_failed(self, reason):
        raise AssertionError(reason)


class Foreign:
    """An application that is not known to be one of Antiphon's."""

    def __init__(self, app):
        self._app = app

    def __call__(self, *arguments):
        return self._app(*arguments)

    def __getattr__(self, name):
        return getattr(self._app, name)  # such as __rsgi__


def by_a_worker(app, interface):
    logged = Logs().observe(app, interface)
    return observed(Counted(with_final_responses(logged, interface), 1_000_000, print), interface, Started())


OBSERVERS = {
    "by nobody": lambda app, interface: app,
    "by a worker": by_a_worker,
    "by a worker from outside": lambda app, interface: by_a_worker(Foreign(app), interface),
}


@pytest.fixture(params=OBSERVERS, scope="module")
def observer(request):
    return request.param


@pytest.fixture(scope="module")
def client(request, interface, style, observer):
    app = OBSERVERS[observer](request.param.make(style), interface)
    with Client(app, interface, follow_redirects=False, raise_errors=False, timeout=10.0) as client:
        gc.collect()
        gc.freeze()
        yield client


@pytest.fixture(autouse=True)
def _records_keep_no_errors(caplog):
    caplog.set_level(logging.CRITICAL, "antiphon")


def send(client, exchange):
    """Send a request, and read the response, unless the client leaves or the response breaks off before its end."""
    statuses = exchange.status if isinstance(exchange.status, tuple) else (exchange.status,)
    try:
        with client.stream(exchange.method, exchange.path, **exchange.options) as response:
            assert response.status in statuses, f"{response.status} is not {exchange.status}"
            for chunk in response:
                if exchange.leaves_after and exchange.leaves_after in chunk:
                    break
    except BrokenResponse:
        assert exchange.breaks
    client.cookies.clear()


def exchanges_of(module, parts):
    """Parametrize a test by the exchanges of an application, in parts, each with one combination of the axes."""
    names = [*module.EXCHANGES]
    tables = [{name: module.EXCHANGES[name] for name in names[part::parts]} for part in range(parts)]
    return lambda test: pytest.mark.parametrize("client", [module], ids=[""], indirect=True)(
        pytest.mark.parametrize("exchanges", tables, ids=[f"from {names[part]}" for part in range(parts)])(test)
    )


def leave_no_garbage(client, exchanges):
    """Have each exchange, and name those that leave garbage."""

    @rows("name", exchanges)
    def leaves_no_garbage(name):
        assert not garbage_of(lambda: send(client, exchanges[name]))

    leaves_no_garbage()


@exchanges_of(plain_app, 27)
def test_a_request(client, exchanges):
    leave_no_garbage(client, exchanges)


@exchanges_of(mounted_app, 9)
def test_a_request_to_what_is_mounted(client, exchanges):
    leave_no_garbage(client, exchanges)


@pytest.mark.parametrize("client", [plain_app], ids=[""], indirect=True)
@pytest.mark.parametrize("path", ["body", "unread", "files", "echo"])
def test_a_body_for_which_there_is_no_room(client, path, monkeypatch):
    monkeypatch.setattr("antiphon.body.content.SHARE", 1 << 20)
    options = plain_app.FILES if path == "files" else {"body": plain_app.LARGE}
    with small_files(256 << 10):
        garbage = garbage_of(lambda: send(client, post(f"/{path}", 507, **options)))
    assert not garbage


@pytest.mark.parametrize("body", [b"", b"{}"], ids=["without a body", "with a body"])
@pytest.mark.parametrize("is_async", [False, True], ids=["def", "async def"])
def test_an_error_of_a_view_in_another_framework(interface, is_async, body, app):
    from starlette.applications import Starlette
    from starlette.routing import Route

    async def waits(request):
        abort(409)

    def blocks(request):
        abort(409)

    app.mount("/in", Starlette(routes=[Route("/", view(waits if is_async else blocks), methods=["POST"])]))
    with Client(app, interface) as client:
        assert client.post("/in/", body=body).status == 409
        assert not garbage_of(lambda: client.post("/in/", body=body))


@pytest.mark.parametrize("path", ["/socket", "/in/socket"])
def test_a_handshake_by_a_page_of_another_site(interface, path):
    app, inner = App(), App()
    for each in app, inner:
        each.websocket("/socket")(lambda request, socket: None)
    app.mount("/in", inner)
    with Client(app, interface) as client:

        def refused():
            with pytest.raises(HandshakeRefused), client.websocket(path, headers={"origin": "https://evil.example"}):
                pass

        assert not garbage_of(refused)


@pytest.mark.parametrize(("path", "fields", "status"), [
    ("/in/abort", {}, 409), ("/in/nothing", {}, 404), ("/in/abort", {"upgrade": "websocket", "cookie": "a=b"}, 403),
])  # fmt: skip
def test_an_error_that_is_the_response_of_flask_s_dialect(interface, path, fields, status, app):
    from antiphon.dialects import flask

    inner = flask.Flask(__name__, root_path="/")
    inner.add_url_rule("/abort", view_func=lambda: flask.abort(409))
    app.mount("/in", inner)
    with Client(app, interface) as client:
        assert client.get(path, headers=fields).status == status
        assert not garbage_of(lambda: client.get(path, headers=fields))
