"""What a client sees of the document, row by row: over each interface, as on Flask itself."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from threading import Barrier, Event

import pytest

from tests.dialects.exchanges import INTERFACES, ORIGINAL, Exchange, ask, check, each, serving
from tests.dialects.flask.beside import DIALECT, FLASK, Package
from tests.dialects.flask.served_exchanges import EXCHANGES
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.once


def program(f, folder):
    app = f.Flask("served", root_path=str(folder))
    app.config.update(MAX_CONTENT_LENGTH=5000, MAX_FORM_MEMORY_SIZE=1000, MAX_FORM_PARTS=5, OWN="configured")
    app.logger.disabled = True

    @app.after_request
    def seen(response):
        response.headers["X-Custom-Header"] = f.request.path
        return response

    for number, exchange in enumerate(EXCHANGES):
        if exchange.view is not None:
            app.add_url_rule(exchange.path, f"view{number}", answering(exchange.view, f), methods=exchange.view_methods)
    at_once = Barrier(2)

    @app.get("/at-once/<int:number>")
    def at_once_with_another(number):
        at_once.wait(DEADLINE)
        return repr((number, f.request.args["number"]))

    @app.get("/events")
    def events():
        return f.Response((f"data: {number}\n\n" for number in first_and_after(goes_on)), mimetype="text/event-stream")

    admin, inner = f.Blueprint("admin", "served", url_prefix="/admin"), f.Blueprint("inner", "served")
    admin.add_url_rule("/users", "users", lambda: repr((f.request.blueprint, f.request.endpoint)))
    inner.add_url_rule("/inner", "list", lambda: repr((f.request.blueprints, f.request.endpoint)))
    admin.register_blueprint(inner)
    app.register_blueprint(admin)
    return app


def first_and_after(event):
    yield 1
    assert event.wait(DEADLINE)
    yield 2


goes_on = Event()
"""Set when a client has the first of two events."""


def answering(view, f):
    return lambda **values: view(f, **values)


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("served")
    for path, text in {"templates/page.html": "Hello, {{ name }}!", "files/a.txt": "a file"}.items():
        (folder / path).parent.mkdir()
        (folder / path).write_text(text)
    with serving(lambda: program(Package(DIALECT), folder), lambda: program(Package(FLASK), folder)) as addresses:
        yield addresses


@each(EXCHANGES)
def test_a_client_sees_the_answer_of_flask(servers, exchange):
    check(servers, exchange)


SERVERS = rows("server", [*INTERFACES, ORIGINAL])


@pytest.mark.feature("flask-085")
@pytest.mark.served("flask-085")
@SERVERS
def test_requests_at_once_have_their_own_data(servers, server):
    exchanges = [Exchange("", f"GET /at-once/{number}?number={number}", None) for number in range(2)]
    with ThreadPoolExecutor() as threads:
        answers = [*threads.map(lambda exchange: ask(servers[server], exchange).body, exchanges)]
    assert answers == ["(0, '0')", "(1, '1')"]


@pytest.mark.feature("flask-074", "flask-075")
@pytest.mark.served("flask-074", "flask-075")
@SERVERS
def test_an_event_comes_when_it_is_made(servers, server):
    goes_on.clear()
    with closing(HTTPConnection(*servers[server], timeout=DEADLINE)) as connection:
        connection.request("GET", "/events")
        response = connection.getresponse()
        assert response.headers["Content-Type"].startswith("text/event-stream")
        assert response.read(len(b"data: 1\n\n")) == b"data: 1\n\n"
        goes_on.set()
        assert response.read() == b"data: 2\n\n"
