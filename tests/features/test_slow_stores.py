"""Stores that take long to answer: who waits for them, who does not, and what is left when the client has gone."""

import asyncio
import threading

import pytest

from antiphon import App
from antiphon.features import IdempotentWrites, MemoryStore, RateLimit, SessionLogin, Sessions, Users, login
from antiphon.testing import AsyncClient
from tests.helpers.handlers import in_style
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style")]

HTTPS = "https://shop.example.com"
KEY = {"idempotency-key": '"one"'}


@pytest.fixture(params=["asgi", "rsgi"])
def interface(request):
    return request.param


class Slow(MemoryStore):
    """A store on threads, of which one method waits, before or after it has acted, until a test lets it go on."""

    blocks = True

    def __init__(self):
        super().__init__()
        self.slow = ""
        self.asked = threading.Semaphore(0)
        self.go_on = threading.Event()

    def _wait(self, now):
        if self.slow == now:
            self.asked.release()
            assert self.go_on.wait(DEADLINE)

    async def is_asked(self, count=1):
        for _ in range(count):
            assert await asyncio.to_thread(self.asked.acquire, timeout=DEADLINE)

    def end(self):
        """Let everybody go on, from now on."""
        self.slow = ""
        self.go_on.set()


def _slowly(name):
    method = getattr(MemoryStore, name)

    def call(self, *arguments, **options):
        self._wait(f"before {name}")
        answer = method(self, *arguments, **options)
        self._wait(f"after {name}")
        return answer

    return call


for _name in ("load", "change", "rotate", "add", "replace", "increment"):
    setattr(Slow, _name, _slowly(_name))


@pytest.fixture
def slow():
    store = Slow()
    yield store
    store.end()


@pytest.fixture
def app(slow, style):
    """An app with a page that needs no store, and a way to register handlers of the style."""
    app = App()

    def register(path, methods=("GET",), **options):
        def decorate(answer):
            return app.route(path, methods, **options)(in_style(style, answer))

        return decorate

    app.register_in_style = register
    app.get("/free")(lambda request: "free")
    return app


@pytest.fixture
def visit(app, interface):
    """Run a coroutine function with a client of the app, which knows that of another visitor."""

    def visit(act):
        async def main():
            async with (
                AsyncClient(app, interface, base_url=HTTPS, timeout=None) as client,
                AsyncClient(app, interface, base_url=HTTPS, timeout=None) as other,
            ):
                client.other = other
                return await act(client)

        return asyncio.run(asyncio.wait_for(main(), 3 * DEADLINE))

    return visit


async def free(client):
    """Return True if the other visitor is answered."""
    return (await client.other.get("/free")).text == "free"


@pytest.mark.parametrize("when", ["before increment", "after increment"])
def test_limits_hold_and_nobody_else_waits(app, slow, visit, when):
    app.register_in_style("/", before=RateLimit("2/day", slow))(lambda request: "limited")
    slow.slow = when

    async def act(client):
        waiting = [asyncio.create_task(client.get("/")) for _ in range(6)]
        await slow.is_asked(6)
        is_free = await free(client)
        slow.end()
        return is_free, sorted([answer.status for answer in await asyncio.gather(*waiting)])

    assert visit(act) == (True, [200, 200, 429, 429, 429, 429])


def idempotent_writes(app, store):
    """Give an application a route that writes once; return the list of its writes."""
    app.use(IdempotentWrites(store))
    written = []

    @app.register_in_style("/", ["POST"], idempotent=True)
    def write(request):
        written.append(1)
        return "written"

    return written


@pytest.mark.parametrize("when", ["before add", "after add", "before replace", "after replace"])
def test_writes_happen_once_and_nobody_else_waits(app, slow, visit, when):
    written = idempotent_writes(app, slow)

    async def act(client):
        slow.slow = when
        first = asyncio.create_task(client.post("/", headers=KEY))
        await slow.is_asked()
        slow.slow = ""
        is_free, retry = await free(client), await client.post("/", headers=KEY)
        slow.end()
        return is_free, retry.status, (await first).status, (await client.post("/", headers=KEY)).text

    # Until a claim is made, or after it has ended, a retry is as good as the first one.
    retried, first = {"before add": (200, 200), "after replace": (200, 200)}.get(when, (409, 200))
    assert visit(act) == (True, retried, first, "written")
    assert len(written) == 1


@pytest.mark.parametrize("when", ["before add", "after add", "before replace", "after replace"])
@pytest.mark.parametrize("style", ["async def"])
def test_writes_whose_client_has_gone_are_ended(app, slow, visit, when):
    written = idempotent_writes(app, slow)

    async def act(client):
        slow.slow = when
        first = asyncio.create_task(client.post("/", headers=KEY))
        await slow.is_asked()
        first.cancel()
        slow.end()
        await asyncio.gather(first, return_exceptions=True)
        return await client.post("/", headers=KEY)

    answer = visit(act)
    assert len(written) <= 1
    if answer.status == 409:
        assert "its outcome is unknown" in answer.json["detail"]
    else:
        assert answer.text == "written"


@pytest.mark.parametrize("when", ["before change", "after change", "before rotate", "after rotate", "before load"])
@pytest.mark.parametrize("leaves", [False, True], ids=["stays", "leaves"])
def test_logins_are_whole_or_not_there(app, slow, visit, when, leaves):
    app.use(Sessions(slow))
    app.use(Users(SessionLogin(str, key=str)))

    @app.register_in_style("/login", ["POST"])
    def log_in(request):
        login(request, request.form["name"])
        return "Welcome."

    @app.register_in_style("/cart")
    def cart(request):
        request.session["cart"] = ["tea"]
        return "in the cart"

    @app.register_in_style("/account")
    def account(request):
        return {"user": request.user, "cart": request.session.get("cart")}

    async def act(client):
        await client.get("/cart")
        slow.slow = when
        logging_in = asyncio.create_task(client.post("/login", form={"name": "Ada"}))
        await slow.is_asked()
        is_free = await free(client)
        if leaves:
            logging_in.cancel()
        slow.end()
        await asyncio.gather(logging_in, return_exceptions=True)
        return is_free, (await client.get("/account")).json

    is_free, found = visit(act)
    assert is_free
    whole = {"user": "Ada", "cart": ["tea"]}
    if leaves:  # the browser may have the cookie from before the login, whose key has no session any more
        assert found in (whole, {"user": None, "cart": ["tea"]}, {"user": None, "cart": None})
    else:
        assert found == whole
    assert len(slow._rows.by_id) == 1  # nothing is left beside the one session
