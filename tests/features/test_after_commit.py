"""request.after_commit: what is called once the transaction is committed, with each library and database."""

import asyncio
import subprocess
import sys
import threading
from contextlib import closing

import pytest

from antiphon import App, Dependency, Response
from antiphon.features import Cache, MemoryStore, SQLiteStore
from antiphon.testing import Client
from tests.helpers.databases import CREATE, DATABASE, KINDS, LIBRARIES, PAY, of_each, rows_of

pytestmark = [pytest.mark.once, pytest.mark.processes]


class Shop:
    """An app whose handlers write a payment and name what is called after the commit."""

    def __init__(self, library, url):
        self.url = url
        rows_of(url, CREATE)
        self.database = LIBRARIES[library](url)
        self.app = App()
        self.app.provide(DATABASE, self.database.source)
        self.seen = []

    def note(self, name):
        """Note who is called, and which payments others can see by then."""
        self.seen.append((name, len(rows_of(self.url, "select * from payments"))))

    async def anote(self, name):
        await asyncio.sleep(0)
        self.note(name)

    def post(self, then, interface="wsgi"):
        """Send a request to a handler that writes a payment, and then calls ``then`` with the request."""

        def pay(request):
            self.database.execute(request[DATABASE], PAY.format(item="tea"))
            return then(request)

        async def apay(request):
            await self.database.execute(request[DATABASE], PAY.format(item="tea"))
            result = then(request)
            return await result if asyncio.iscoroutine(result) else result

        self.app.post("/")(apay if self.database.is_async else pay)
        with Client(self.app, interface) as client:
            return client.post("/")


@pytest.fixture
def shop(library, url):
    return Shop(library, url)


@of_each
def test_functions_are_called_after_the_commit_and_in_order(shop, interface):
    def then(request):
        request.after_commit(shop.note, "first")
        request.after_commit(shop.anote, name="second")
        request.after_commit(lambda: shop.anote("third"))
        request.after_commit(shop.note, "fourth")
        assert shop.seen == []
        return "Paid."

    assert shop.post(then, interface).text == "Paid."
    assert shop.seen == [("first", 1), ("second", 1), ("third", 1), ("fourth", 1)]


@pytest.mark.parametrize(("library", "url"), KINDS[:2], indirect=["url"])
def test_a_failed_function_is_logged_and_the_others_are_called(shop, caplog):
    def then(request):
        request.after_commit(lambda: 1 / 0)
        request.after_commit(shop.note, "second")
        return "Paid."

    assert shop.post(then).text == "Paid."
    assert shop.seen == [("second", 1)]
    [record] = caplog.records
    assert "was committed, but a function given to after_commit failed: " in record.getMessage()


def test_a_commit_that_fails_calls_nothing(postgres):
    rows_of(postgres, "create table payments (item text not null unique deferrable initially deferred)")
    rows_of(postgres, PAY.format(item="tea"))
    shop = Shop("psycopg", postgres)
    assert shop.post(lambda request: request.after_commit(shop.note, "never") or "Paid.").status == 500
    assert shop.seen == []


def test_of_two_dependencies_the_outer_one_decides(tmp_path):
    app, ended = App(), []
    outer, inner = Dependency("outer"), Dependency("inner")

    def source(name):
        def connect(request):
            yield name
            ended.append(name)

        return connect

    app.provide(outer, source("outer"))
    app.provide(inner, source("inner"))

    @app.get("/")
    def index(request):
        assert [request[outer], request[inner]] == ["outer", "inner"]
        request.after_commit(ended.append, "called")
        return "Hello"

    with Client(app) as client:
        client.get("/")
    assert ended == ["inner", "outer", "called"]


def test_of_several_dependencies_a_connection_decides(tmp_path):
    shop = Shop("sqlite3", str(tmp_path / "shop.db"))
    folder = Dependency("folder")

    def make(request):
        yield "folder"
        shop.seen.append("removed")

    shop.app.provide(folder, make)

    @shop.app.get("/")
    def index(request):
        assert request[folder] == "folder"
        request[DATABASE].execute(PAY.format(item="tea"))
        request.after_commit(shop.note, "committed")
        return "Hello"

    with Client(shop.app) as client:
        client.get("/")
    assert shop.seen == [("committed", 1), "removed"]


def test_a_stream_keeps_them_until_its_end(tmp_path):
    shop = Shop("sqlite3", str(tmp_path / "shop.db"))

    def then(request):
        request.after_commit(shop.note, "committed")

        def stream():
            yield "a"
            assert shop.seen == []
            yield "b"

        return stream()

    assert shop.post(then).text == "ab"
    assert shop.seen == [("committed", 1)]


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])
def test_a_def_function_of_an_async_handler_runs_on_a_thread(tmp_path, interface):
    shop = Shop("async SQLAlchemy", str(tmp_path / "shop.db"))
    threads = []

    async def then(request):
        threads.append(threading.get_ident())
        request.after_commit(lambda: threads.append(threading.get_ident()))
        return "Paid."

    shop.post(then, interface)
    assert len({*threads}) == 2


def test_a_mounted_app_has_the_transaction_of_the_outer_app(tmp_path):
    shop = Shop("sqlite3", str(tmp_path / "shop.db"))
    inner = App()

    @inner.post("/pay")
    def pay(request):
        request.after_commit(shop.note, "committed")
        return "Paid."

    @shop.app.middleware(before_routing=True)
    def begin(request):
        request[DATABASE].execute(PAY.format(item="tea"))
        yield

    shop.app.mount("/shop", inner)
    with Client(shop.app) as client:
        assert client.post("/shop/pay").text == "Paid."
    assert shop.seen == [("committed", 1)]


def test_what_need_not_delay_the_response_follows_it(tmp_path):
    shop = Shop("sqlite3", str(tmp_path / "shop.db"))

    def then(request):
        request.after_commit(request.after_response, shop.note, "last")
        request.after_commit(shop.note, "first")
        return "Paid."

    shop.post(then)
    assert shop.seen == [("first", 1), ("last", 1)]


def test_without_a_transaction_the_error_says_how_to_open_one():
    app = App()
    app.get("/")(lambda request: request.after_commit(print))
    with Client(app, raise_errors=True) as client, pytest.raises(RuntimeError, match="no open dependency"):
        client.get("/")


def test_what_is_not_callable_is_refused():
    app = App()
    app.get("/")(lambda request: request.after_commit("mail"))
    with Client(app, raise_errors=True) as client, pytest.raises(TypeError, match=r"request\.after_commit"):
        client.get("/")


@pytest.mark.parametrize("style", ["def", "async def"])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_cache_is_purged_after_the_commit_too(tmp_path, style, kind):
    """A response that was stored between the purge and the commit shows the old row."""
    with closing(MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "cache.db")) as store:
        library = "sqlite3" if style == "def" else "async SQLAlchemy"
        shop = Shop(library, str(tmp_path / "shop.db"))
        cache = Cache(store)
        shop.app.use(cache)
        reader = Client(shop.app, "asgi")

        @shop.app.get("/payments")
        def payments(request):
            response = Response.json({"paid": len(rows_of(shop.url, "select * from payments"))})
            response.cache_for(3600, public=True)
            return response

        def then(request):
            cache.purge("/payments")
            assert reader.get("/payments").json == {"paid": 0}
            return "Paid."

        async def athen(request):
            await cache.apurge("/payments")
            found = await asyncio.to_thread(reader.get, "/payments")
            assert found.json == {"paid": 0}
            return "Paid."

        assert shop.post(then if style == "def" else athen).text == "Paid."
        assert reader.get("/payments").json == {"paid": 1}
        reader.close()


def test_an_app_without_any_of_it_does_not_load_it():
    code = """
import sys
from antiphon import App, Dependency
from antiphon.testing import Client
app, value = App(), Dependency("value")
def source(request):
    yield "Hello"
app.provide(value, source)
app.get("/")(lambda request: request[value])
with Client(app) as client:
    assert client.get("/").text == "Hello"
assert "antiphon.app.connections" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
