"""Load shedding over WSGI: requests that wait begin one after the other."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from antiphon import App
from antiphon.cli.workers.observed import with_final_responses
from antiphon.cli.workers.shedding import CALM, LATE, ThreadAdmission
from antiphon.concurrency.background import background_loop
from antiphon.features import Health
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.once


class Admission(ThreadAdmission):
    def _tick_for_ever(self):
        """Have no ticks but those of the test."""


class Site:
    """A late worker, with room for one request, whose handler waits."""

    def __init__(self, threads):
        self.threads, self.may_go, self.begun = threads, Event(), []
        self.entrance = with_final_responses(self._handle, "wsgi")
        app = App()
        app.use(Health())
        self.admission = Admission(self.entrance, app, 10.0, 8, 20)
        self.admission._room.running += 1
        self.admission._room.end(time.monotonic() - 10)
        for _ in range(50):
            self.admission._tick(2 * LATE)

    def _handle(self, environ, start_response):
        self.begun.append(environ["PATH_INFO"])
        assert environ["PATH_INFO"] == "/healthz" or self.may_go.wait(DEADLINE)
        start_response("200 OK", [])
        return [b"done"]

    def send(self, path, **more):
        """Send a request on a thread; return the future of its status."""
        environ = {"REQUEST_METHOD": "GET", "PATH_INFO": path, "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http"}
        statuses = []

        def respond():
            self.entrance(
                {**environ, "SERVER_NAME": "a", "SERVER_PORT": "80", **more}, lambda *said: statuses.append(said)
            )
            return statuses[0][0]

        return self.threads.submit(respond)

    def waits(self, number):
        eventually(lambda: len(self.admission._queue) == number or None, f"{number} requests don't wait")


@pytest.fixture
def site():
    with ThreadPoolExecutor(8) as threads:
        site = Site(threads)
        try:
            yield site
        finally:
            site.may_go.set()


def test_a_thread_that_waits_for_the_gil_has_not_got_the_lock(site):
    lock, started, order, interval = site.admission._lock, Event(), [], sys.getswitchinterval()

    def take(name):
        started.set()
        with lock:
            order.append(name)

    sys.setswitchinterval(DEADLINE)  # before the thread waits for the GIL, or it would ask for it after the old one
    try:
        with lock:
            waiting = site.threads.submit(take, "waiting")
            assert started.wait(DEADLINE)
        sum(range(10**6))  # keeps the GIL
        take("running")
    finally:
        sys.setswitchinterval(interval)
    waiting.result(DEADLINE)
    assert order == ["running", "waiting"]


def test_a_tick_is_late_if_the_background_loop_is(site):
    background_loop().loop.call_soon_threadsafe(site.may_go.wait)
    assert site.admission._pause() >= LATE


def test_a_request_waits_until_there_is_room(site):
    first = site.send("/first")
    eventually(lambda: site.begun or None, "the first request does not begin")
    second = site.send("/second")
    site.waits(1)
    assert site.begun == ["/first"]
    site.may_go.set()
    assert (first.result(DEADLINE), second.result(DEADLINE)) == ("200 OK", "200 OK")
    assert site.admission._room.running == 0


def test_a_health_check_never_waits(site):
    site.send("/first")
    eventually(lambda: site.begun or None, "the first request does not begin")
    assert site.send("/healthz").result(DEADLINE) == "200 OK"


def test_requests_pass_again_when_none_has_waited_for_a_while(site):
    site.admission._control._waited_at = time.monotonic() - 2 * CALM
    site.admission._tick(0.0)
    requests = [site.send("/") for _ in range(2)]
    eventually(lambda: len(site.begun) == 2 or None, "both requests don't begin at once")
    site.may_go.set()
    assert {request.result(DEADLINE) for request in requests} == {"200 OK"}
