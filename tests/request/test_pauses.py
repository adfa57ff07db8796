"""Features read requests without making the response depend on it: in their thread, and without hiding other reads."""

import ast
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

import antiphon
from antiphon import App
from antiphon.embedding import unwatched
from antiphon.features import Cache
from antiphon.testing import Client
from tests.helpers.rows import rows

FIELDS = {"authorization": "Basic YTpi", "cookie": "one=1", "accept": "text/html", "x-one": "1"}
READS = {
    "x-one": lambda request: request.headers["x-one"],
    "cookie": lambda request: request.cookies["one"],
    "authorization": lambda request: request.authorization,
}


@pytest.fixture
def elsewhere():
    """A function that calls others in another thread."""
    with ThreadPoolExecutor(1) as pool:
        yield lambda function, *given: pool.submit(function, *given).result()


def vary(interface, handler, *features):
    app = App()
    for feature in features:
        app.use(feature())
    app.get("/")(handler)
    return Client(app, interface=interface).get("/", headers=FIELDS).headers.getall("vary")


def shared(request):
    return "shared", {"cache-control": "public, max-age=60"}


@rows("name", READS)
@rows("features", [(), (Cache,)])
def test_what_another_thread_reads_meanwhile_is_told(name, features, interface, elsewhere):
    def handle(request):
        with unwatched(request):
            READS[name](request)  # which must not leave the value to the other thread
            elsewhere(READS[name], request)
        return shared(request)

    assert vary(interface, handle, *features) == [name]


@rows("name", READS)
def test_what_this_thread_reads_is_not_told(name, interface, elsewhere):
    def handle(request):
        with unwatched(request), unwatched(request):
            READS[name](request)
        return shared(request)

    assert vary(interface, handle) == []


@rows("first_out", (0, 1))
def test_reads_outlive_pauses_that_overlap(first_out, interface, elsewhere):
    def handle(request):
        request.headers["x-one"]
        pauses = ExitStack(), ExitStack()
        pauses[0].enter_context(unwatched(request))
        elsewhere(lambda: pauses[1].enter_context(unwatched(request)))
        pauses[first_out].close()
        pauses[1 - first_out].close()
        request.headers["accept"]
        return shared(request)

    assert vary(interface, handle) == ["accept", "x-one"]


def test_a_gateway_is_not_told_of_what_its_handler_reads_in_any_thread(interface, elsewhere):
    def handle(request):
        elsewhere(READS["x-one"], request)
        return shared(request)

    assert vary(interface, handle, lambda: Cache(gateway=True)) == []


@rows("first_out", (0, 1))
def test_the_own_cache_knows_what_another_thread_reads_meanwhile(first_out, interface, elsewhere):
    app = App()
    app.use(Cache())

    @app.get("/")
    def handle(request):
        pauses = ExitStack(), ExitStack()
        pauses[0].enter_context(unwatched(request))
        elsewhere(lambda: pauses[1].enter_context(unwatched(request)))
        pauses[first_out].close()
        pauses[1 - first_out].close()
        with unwatched(request):
            return elsewhere(READS["x-one"], request), {"cache-control": "public, max-age=60"}

    client = Client(app, interface=interface)
    assert [client.get("/", headers={"x-one": each}).text for each in "121"] == ["1", "2", "1"]


def test_code_that_waits_pauses_all_threads():
    """While it waits, others would read in its thread, unseen."""
    waiting = ast.Await, ast.AsyncFor, ast.AsyncWith, ast.Yield, ast.YieldFrom
    for path in sorted(Path(antiphon.__file__).parent.rglob("*.py")):
        if "unwatched(" in (text := path.read_text("utf-8")):
            for block in ast.walk(ast.parse(text)):
                begin = ast.unparse(block.items[0]) if isinstance(block, ast.With) else ""
                if begin.startswith("unwatched(") and "in_all_threads" not in begin:
                    assert not any(isinstance(each, waiting) for each in ast.walk(block)), (path, block.lineno)
