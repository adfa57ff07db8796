"""The parts of load shedding: the room on threads, clients that have left, refusals, and the place of the check."""

import socket
import time
from contextlib import closing

import pytest

from antiphon import App
from antiphon.adapters.heads import RequestClass
from antiphon.adapters.wsgi import WSGIHead
from antiphon.cli.workers.observed import with_final_responses
from antiphon.cli.workers.shedding import LATE, Completion, Peers, Refusals, Room
from antiphon.features import Health
from antiphon.http.errors import BadRequest
from antiphon.request.caller import client_of
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def taken(room):
    """The number of requests for which there is room."""
    while room.is_left:
        room.running += 1
    count, room.running = room.running, 0
    return count


def adapted(ticks, late=0.0, took=0.0, computed=0.0):
    room = Room(40, Completion(0.05))
    for _ in range(20):
        room.running = 5
        room.end(time.monotonic() - took, computed)
    for _ in range(ticks):
        room.adapt(late)
    room.running = 0
    return room


@rows(
    "ticks, late, took, computed, expected",
    (100, 0.0, 0.0, 0.0, 40),
    (1, LATE, 1.0, 0.0, 18),
    (100, LATE, 1.0, 0.0, 1),
    (1, 20 * LATE, 1.0, 0.0, 1),  # a very late tick counts as many
    (1000, 1.0, 1.0, 0.0, 1),  # there is always room for one
    (100, 0.0, 1.0, 0.0, 40),  # threads that wait for a database hold nobody up
    (100, LATE, 0.001, 0.0, 40),  # another process may make a worker late, or a task of its loop
    (1, 0.0, 1.0, 1.0, 5),  # threads that compute hold all up: one more than are running
    (1, LATE, 0.001, 1.0, 1),
)
def test_room_shrinks_while_the_worker_is_late_and_requests_take_long(ticks, late, took, computed, expected):
    assert taken(adapted(ticks, late, took, computed)) == expected


def test_room_grows_by_one_with_each_tick_in_time():
    room = adapted(100, LATE, 1.0)
    before = taken(room)
    for _ in range(20):
        room.adapt(0.0)
    assert before < taken(room) <= before + 20


def test_requests_that_began_before_are_counted_for_a_while():
    room = Room(10, Completion(0.05))
    room.count_others(4)
    before = taken(room)
    for _ in range(20):
        room.adapt(0.0)
    assert (before, taken(room)) == (6, 10)


def test_a_client_that_is_connected_has_not_left():
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        client = socket.create_connection(listener.getsockname())
        accepted, (_, port) = listener.accept()
        assert not Peers().has_left(port, time.monotonic())
        accepted.close()
        client.close()
        assert Peers().has_left(port, time.monotonic())


def test_a_client_without_a_port_is_not_known_to_have_left():
    assert not Peers().has_left(None, time.monotonic())


def test_connections_are_not_looked_up_all_the_time():
    peers = Peers()
    peers.has_left(1, time.monotonic())
    peers._next = time.monotonic() + 60
    assert not peers.has_left(1, time.monotonic())  # the last look may have been before the connection


def test_clients_are_asked_to_return_at_different_times():
    refusals = Refusals(10.0)
    retries = {int(dict(refusals.fields())["retry-after"]) for _ in range(200)}
    assert retries <= {*range(5, 21)}
    assert len(retries) > 5


def test_the_next_request_alone_passes_what_comes_before_it():
    calls = []
    entrance = with_final_responses(lambda *_: calls.append("app"), "wsgi")
    entrance.call_before_next(lambda: calls.append("first"))
    entrance.call_before_next(lambda: calls.append("second"))
    environ = {"SERVER_PROTOCOL": "HTTP/1.1"}
    entrance(environ, None)
    entrance(environ, None)
    assert calls == ["first", "second", "app", "app"]


def test_requests_pass_to_another_callable_even_if_something_comes_before_the_next():
    calls = []
    entrance = with_final_responses(lambda *_: calls.append("app"), "wsgi")
    entrance.call_before_next(lambda: calls.append("before"))
    entrance.pass_to(lambda *_: calls.append("check"))
    for _ in range(2):
        entrance({"SERVER_PROTOCOL": "HTTP/1.1"}, None)
    assert calls == ["before", "check", "check"]


def shop():
    app = App(trusted_proxies=["10.0.0.1"])
    app.use(Health())

    @app.get("/report/<int:year>", priority="low")
    def report(request, year):
        """Answer on a thread."""

    @app.get("/")
    async def index(request):
        """Answer on the loop."""

    return app


FORWARDED = {"HTTP_X_FORWARDED_FOR": "198.51.100.1"}
GUNICORN = {"SERVER_SOFTWARE": "gunicorn/27.0.1"}


@rows(
    "path, headers, expected",
    ("/", {}, RequestClass("192.0.2.7")),
    ("/report/2026", {}, RequestClass("192.0.2.7", is_low=True, blocks=True)),
    ("/healthz", {}, RequestClass("", is_exempt=True)),
    ("/none", {}, RequestClass("192.0.2.7")),
    ("/report/x", {}, RequestClass("192.0.2.7")),
    (
        "/",
        {"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "198.51.100.1", **GUNICORN},
        RequestClass("198.51.100.1"),
    ),
    ("/", FORWARDED, RequestClass("192.0.2.7")),
)
def test_the_route_and_the_client_decide_the_class_of_a_request(path, headers, expected):
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "x"}
    head = WSGIHead({**environ, "wsgi.url_scheme": "http", **headers})
    assert shop()._class_of(head) == expected


@rows(
    "address, expected",
    ("192.0.2.7", "192.0.2.7"),
    ("2001:db8:1:2::7", "20010db800010002"),  # one customer has 2 ** 64 addresses
    ("2001:db8:1:2:ffff::1", "20010db800010002"),
    ("::ffff:192.0.2.7", "192.0.2.7"),
    ("", ""),
)
def test_a_client_is_an_address_or_the_network_of_a_customer(address, expected):
    head = WSGIHead({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": address, "HTTP_HOST": "x"})
    assert client_of(head) == expected


def named(request):
    return request.cookies.get("user")


def fails(request):
    raise ZeroDivisionError


def refuses(request):
    raise BadRequest("There is no user.")


@rows(
    "queue_by, headers, expected, is_logged",
    (None, {"HTTP_COOKIE": "user=ada"}, "192.0.2.7", False),
    (named, {"HTTP_COOKIE": "user=ada"}, "caller ada", False),
    (named, {"HTTP_COOKIE": "user=192.0.2.7"}, "caller 192.0.2.7", False),  # not the client with this address
    (named, {}, "192.0.2.7", False),
    (refuses, {}, "192.0.2.7", False),
    (fails, {}, "192.0.2.7", True),
    (lambda request: 7, {}, "192.0.2.7", True),
)
def test_an_application_may_name_the_client(caplog, queue_by, headers, expected, is_logged):
    app = App(queue_by=queue_by)
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.7", "HTTP_HOST": "x"}
    clients = [app._class_of(WSGIHead({**environ, "wsgi.url_scheme": "http", **headers})).client for _ in range(3)]
    assert {*clients} == {expected}
    assert len(caplog.records) == is_logged  # not for each request


def test_a_function_that_names_clients_is_checked_at_once():
    async def by(request): ...

    with pytest.raises(TypeError, match="without `await`"):
        App(queue_by=by)
    with pytest.raises(TypeError, match=r"is called with \(request\)"):
        App(queue_by=lambda: None)


def test_routes_are_planned_once_for_all_classes():
    app = shop()
    head = WSGIHead({"REQUEST_METHOD": "GET", "PATH_INFO": "/", "HTTP_HOST": "x", "wsgi.url_scheme": "http"})
    app._class_of(head)
    planned = app._routing
    app._class_of(head)
    assert app._routing is planned


def test_a_priority_is_normal_or_low():
    with pytest.raises(ValueError, match=r"priority must be 'normal' or 'low', not 'high': '/'"):
        App().get("/", priority="high")(lambda request: "")
