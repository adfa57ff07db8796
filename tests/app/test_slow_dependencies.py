"""Sources of dependencies that block for a long time: how they leave threads to requests that don't need them."""

import asyncio
import threading

import pytest

from antiphon import App, Dependency, Limits
from antiphon.concurrency.workers import RECEIVING, RESOLVING, WORKERS, workers
from antiphon.testing import AsyncClient
from tests.helpers.handlers import in_style
from tests.helpers.waiting import DEADLINE, eventually

COOKIE = {"cookie": "session=1"}
FORM = {"content-type": "application/x-www-form-urlencoded", "sec-fetch-site": "same-origin", **COOKIE}

pytestmark = pytest.mark.axes("interface")


@pytest.fixture(params=["asgi", "rsgi"])
def interface(request):
    return request.param


class Slow:
    """An app with a dependency whose source waits until a test lets it go on, if a request has a cookie."""

    def __init__(self, style):
        self.style = style
        self.app = App(limits=Limits(rate=0))
        self.go_on = threading.Event()
        self.asked = threading.Semaphore(0)
        self.closed = []
        self.most = self._now = 0
        self._lock = threading.Lock()
        dependency = Dependency[str]("slow")
        self.app.provide(
            dependency,
            self.load,
            blocking=True,
            when=lambda request: "session" in request.cookies,
            default=lambda request: "",
        )

        @self.app.middleware
        def around(request):
            response = yield
            self.closed.append(threading.current_thread())
            return response

        def handler(request):
            return f"handled {request[dependency]}"

        self.app.route("/", methods=["GET", "POST"])(in_style(style, handler))

    def load(self, request):
        if request.method == "POST":
            return request.form["a"]
        with self._lock:
            self._now += 1
            self.most = max(self.most, self._now)
        self.asked.release()
        assert self.go_on.wait(DEADLINE)
        with self._lock:
            self._now -= 1
        return "dependency"

    async def wait_for(self, count):
        for _ in range(count):
            assert await asyncio.to_thread(self.asked.acquire, timeout=DEADLINE)


@pytest.fixture(params=["def", "async def"])
def slow(request):
    return Slow(request.param)


def run(main):
    return asyncio.run(asyncio.wait_for(main, 3 * DEADLINE))


def test_leave_half_of_the_threads_to_requests_without(slow, interface):
    slow.app.get("/quick")(lambda request: "quick")

    async def main():
        async with AsyncClient(slow.app, interface, timeout=None) as client:
            waiting = [asyncio.create_task(client.get("/", headers=COOKIE)) for _ in range(2 * WORKERS)]
            await slow.wait_for(RESOLVING)
            quick = await asyncio.gather(*(client.get(path) for path in ("/", "/quick") * 5))
            slow.go_on.set()
            return {answer.text for answer in quick}, [answer.text for answer in await asyncio.gather(*waiting)]

    assert run(main()) == ({"handled ", "quick"}, ["handled dependency"] * 2 * WORKERS)
    assert slow.most == RESOLVING


def test_are_not_asked_for_a_request_that_was_cancelled_in_line(slow, interface):
    limiter = workers().resolving

    async def main():
        async with AsyncClient(slow.app, interface, timeout=None) as client:
            waiting = [asyncio.create_task(client.get("/", headers=COOKIE)) for _ in range(RESOLVING)]
            await slow.wait_for(RESOLVING)
            gone = [asyncio.create_task(client.get("/", headers=COOKIE)) for _ in range(5)]
            await asyncio.to_thread(eventually, lambda: len(limiter._waiting) == 5 or None, "nobody waits in line")
            for task in gone:
                task.cancel()
            await asyncio.gather(*gone, return_exceptions=True)
            slow.go_on.set()
            return [answer.text for answer in await asyncio.gather(*waiting)]

    assert run(main()) == ["handled dependency"] * RESOLVING
    assert limiter._free == RESOLVING
    assert not slow.asked.acquire(blocking=False)
    assert len(slow.closed) == RESOLVING + 5
    assert (threading.main_thread() in slow.closed) == (slow.style != "def")


def test_do_not_wait_for_those_that_wait_for_a_body(slow, interface):
    """Clients that send a form slowly hold up one another, and nobody's session."""

    async def main():
        sent, finish = asyncio.Semaphore(0), asyncio.Event()

        async def form():
            yield b"a"
            sent.release()
            await finish.wait()
            yield b"=sent"

        slow.go_on.set()
        async with AsyncClient(slow.app, interface, timeout=None) as client:
            forms = [asyncio.create_task(client.post("/", body=form(), headers=FORM)) for _ in range(WORKERS)]
            for _ in range(RECEIVING):
                await sent.acquire()
            dependencies = await asyncio.gather(*(client.get("/", headers=COOKIE) for _ in range(5)))
            finish.set()
            return {answer.text for answer in dependencies}, {answer.text for answer in await asyncio.gather(*forms)}

    assert run(main()) == ({"handled dependency"}, {"handled sent"})
