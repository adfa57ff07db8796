"""What tests of features run on: interfaces, kinds of handlers and of stores, and real servers that keep them."""

from contextlib import ExitStack, closing, suppress

import pytest

from antiphon.features import CookieStore, MemoryStore, SQLiteStore
from antiphon.features.stores import circuit_breaker
from antiphon.testing import Client
from tests.helpers.django_settings import settings_for_views
from tests.helpers.stores import SHARED, place_of
from tests.helpers.system_programs import required_program
from tests.helpers.valkey import SentinelSet, ValkeyCluster, ValkeyServer

_valkey_server = required_program("valkey-server", "redis-server")
SERVERS = {
    "postgres": "postgres_server", "valkey": "valkey", "cluster": "valkey_cluster", "sentinel": "valkey_sentinel",
}  # fmt: skip
"""Fixtures of servers, by the kind of the store."""

_postgres_program = required_program("postgres-server", "postgres")
_pooler_program = required_program("pgbouncer-server", "pgbouncer")


@pytest.fixture(params=["def", "async def"])
def style(request):
    """The kind of handlers."""
    return request.param


@pytest.fixture(params=["memory", "sqlite", "cookie"])
def kind(request):
    """The kind of a store."""
    return request.param


@pytest.fixture(params=["sync", "blocking", "async"])
def loading(request):
    """The kind of a function that finds a user."""
    return request.param


@pytest.fixture
def open_client():
    """Make clients that are closed after the test."""
    with ExitStack() as stack:

        def open_client(*arguments, **options):
            client = Client(*arguments, **{"timeout": 10.0, **options})
            stack.callback(client.close)
            return client

        yield open_client


class Clock:
    """Seconds since 1970, which a test turns on or back. ``runs`` are those that pass with each look at it."""

    now = 1_800_000_000.0
    runs = 0.0

    def __call__(self):
        self.now += self.runs
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def monotonic(monkeypatch):
    """The clock that nobody sets, by which pauses are measured. A test turns it on."""
    clock = Clock()
    monkeypatch.setattr(circuit_breaker, "monotonic", clock)
    with suppress(ModuleNotFoundError):  # it is taken out
        monkeypatch.setattr("antiphon.features.rate_limits.monotonic", clock)
    return clock


@pytest.fixture
def store(kind, tmp_path, clock):
    """A store of that kind, which goes by the clock."""
    makers = {
        "memory": lambda: MemoryStore(clock=clock),
        "sqlite": lambda: SQLiteStore(tmp_path / "store.db", clock=clock),
        "cookie": lambda: CookieStore(["k" * 16], clock=clock),
    }
    with closing(makers[kind]()) as store:
        yield store


@pytest.fixture(scope="session")
def valkey(tmp_path_factory, request):
    program = request.getfixturevalue("valkey-server")
    with ValkeyServer(program, tmp_path_factory.mktemp("valkey")) as server:
        yield server


@pytest.fixture
def server(request, tmp_path):
    """A server of the test's own, to be frozen or stopped."""
    with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as server:
        yield server


@pytest.fixture(scope="session")
def valkey_cluster(tmp_path_factory, request):
    """A cluster of three primaries."""
    with ValkeyCluster(request.getfixturevalue("valkey-server"), tmp_path_factory.mktemp("cluster")) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def valkey_sentinel(tmp_path_factory, request):
    """A primary, a replica and three Sentinels."""
    with SentinelSet(request.getfixturevalue("valkey-server"), tmp_path_factory.mktemp("sentinel")) as servers:
        yield servers


@pytest.fixture(scope="session")
def postgres_server(request):
    from tests.helpers.postgres import PostgresServer  # here, so that the other tests need no psycopg

    with PostgresServer(request.getfixturevalue("postgres-server")) as server:
        yield server


@pytest.fixture
def postgres(postgres_server, request):
    """The URL of a database of the test's own, on a server that other tests use, too."""
    return postgres_server.lend(request)


@pytest.fixture
def url(request, tmp_path):
    """The URL of a database, or the path of a file, in which there are payments."""
    from tests.helpers.databases import CREATE, rows_of  # it needs the packages of all databases

    found = str(tmp_path / "shop.db") if request.param == "sqlite" else request.getfixturevalue("postgres")
    rows_of(found, CREATE)
    with settings_for_views():
        yield found


@pytest.fixture(scope="session")
def pgbouncer_server(postgres_server, request):
    from tests.helpers.postgres import PgBouncer

    with PgBouncer(request.getfixturevalue("pgbouncer-server"), postgres_server) as server:
        yield server


@pytest.fixture
def pgbouncer(pgbouncer_server, postgres):
    """The URL of a database of the test's own, behind PgBouncer in transaction mode."""
    return pgbouncer_server.url_of(postgres)


@pytest.fixture(params=SHARED)
def shared_store(request, tmp_path, monkeypatch):
    """The store of the workers, and the server that it is on, if there is one."""
    if request.param != "valkey":
        monkeypatch.setenv("STORE", place_of(request.param, request, tmp_path))
        yield None if request.param == "sqlite" else request.getfixturevalue("postgres_server")
        return
    with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as server:
        monkeypatch.setenv("STORE", server.url)
        yield server
