"""PostgreSQL under a store: tables that make themselves, servers that stop, freeze and come back, and no bloat."""

import itertools
import logging
import os
import shutil
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest

from antiphon.features import Channel, MissedMessages, PostgresStore, Store, StoreUnavailable
from antiphon.features.stores import postgres_connections
from antiphon.testing.stores.entries import at_once
from tests.features.conftest import Clock
from tests.helpers.lossy_proxy import LossyProxy
from tests.helpers.postgres import PostgresServer, execute, execute_as_another, plant_functions, set_default
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_file_system
from tests.helpers.waiting import eventually, in_time

pytestmark = [pytest.mark.once, pytest.mark.processes]

LONG = 10_000.0
BEGIN = """
import sys
from antiphon.features import PostgresStore
sys.stdin.readline()
store = PostgresStore(sys.argv[1], timeout=30)
store.increment("begun", ttl=10_000)
store.close()
"""


@pytest.fixture
def store(postgres):
    with closing(PostgresStore(postgres)) as store:
        yield store


@pytest.fixture
def server(request):
    """A server of the test's own."""
    with PostgresServer(request.getfixturevalue("postgres-server")) as server:
        yield server


class TestTables:
    def test_are_made_once_by_processes_that_begin_at_once(self, postgres, store):
        begun = [
            subprocess.Popen([sys.executable, "-c", BEGIN, postgres], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
            for _ in range(8)
        ]
        for process in begun:
            process.stdin.write(b"\n")
            process.stdin.flush()
        assert [process.communicate()[1] for process in begun] == [b""] * 8
        assert store.increment("begun", ttl=LONG, by=0).value == 8

    def test_are_brought_up_to_date_while_an_older_release_goes_on(self, postgres, store, monkeypatch):
        store.add("key", {"a": 1}, ttl=LONG)
        newer = [*postgres_connections.MIGRATIONS, "alter table {s}.entries add column note text"]
        monkeypatch.setattr(postgres_connections, "MIGRATIONS", newer)
        with closing(PostgresStore(postgres)) as later:
            assert later.load("key").data == {"a": 1}
            assert store.change("key", {"b": 2}, ttl=LONG).data == {"a": 1, "b": 2}
        monkeypatch.setattr(postgres_connections, "MIGRATIONS", newer[:-1])
        with closing(PostgresStore(postgres)) as earlier:
            assert earlier.load("key").data == {"a": 1, "b": 2}
        assert execute(postgres, "select version from antiphon.migrations") == [(len(newer),)]

    def test_that_someone_drops_are_made_again(self, postgres, store):
        store.add("key", {}, ttl=LONG)
        execute(postgres, "drop schema antiphon cascade")
        with pytest.raises(StoreUnavailable):
            store.load("key")
        assert store.add("key", {}, ttl=LONG)

    def test_of_two_schemas_are_apart(self, postgres, store):
        store.change("key", {"a": 1}, owner="Ann")
        for schema in "other_tenant", "user", "order":
            with closing(PostgresStore(postgres, schema=schema)) as other:
                assert other.load("key") is None
                assert other.delete_owned("Ann") == 0
                assert not other.shares_entries(store)

    @rows(
        "made, what, schema",
        ("create schema antiphon", "schema antiphon", "antiphon"),
        ("create table public.migrations (version int)", "table public.migrations", "public"),
        ("create view public.entries as select 1", "table public.entries", "public"),
    )
    def test_of_another_role_are_not_used(self, postgres_server, caplog, made, what, schema):
        url = postgres_server.database()
        execute_as_another(url, made)
        with closing(PostgresStore(url, schema=schema)) as store:
            with pytest.raises(StoreUnavailable):
                store.load("key")
            assert f"the {what} belongs to the role 'mallory'" in caplog.text
            assert f"`alter {what} owner to <this user>`, or drop it" in caplog.text
            execute(url, "drop owned by mallory")
            assert store.add("key", {}, ttl=LONG)

    def test_need_rights_that_the_log_names(self, postgres, caplog):
        execute(postgres, "create role guest login")
        with closing(PostgresStore(postgres.replace("antiphon@", "guest@"))) as guest:
            with pytest.raises(StoreUnavailable):
                guest.load("key")
            assert 'create schema "antiphon" authorization <this user>' in caplog.text
            execute(postgres, "create schema antiphon authorization guest")
            assert guest.add("key", {}, ttl=LONG)

    def test_do_not_grow_with_changes(self, postgres, store):
        store.bounded(10**6).add("key", {}, ttl=LONG)
        for number in range(400):
            store.change(f"key {number % 20}", {"number": number}, ttl=LONG, owner="Ann")
            store.increment("counter", ttl=LONG)
        store.close()  # only then is the server told what all was done
        query = "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = '{}'"

        def updates(table):
            [(updated, in_place)] = execute(postgres, query.format(table))
            return (updated, in_place) if updated >= 380 else None

        for table in "entries", "counters":
            updated, in_place = eventually(lambda table=table: updates(table), "the server counts no updates")
            assert in_place > updated * 0.8
        assert execute(postgres, "select pg_relation_size('antiphon.entries') < 100000") == [(True,)]

    @rows("bounded", [False, True])
    def test_lose_what_has_expired(self, postgres, bounded):
        clock = Clock()
        with closing(PostgresStore(postgres, schema=f"expired_{bounded}".lower(), clock=clock)) as whole:
            store = whole.bounded(10**9) if bounded else whole
            for number in range(100):
                store.add(f"short {number}", {"text": "x" * 1000}, ttl=10)
                store.increment(f"short {number}", ttl=10)
            store.add("long", {}, ttl=LONG)
            clock.now += 11
            for _ in range(64):
                store.increment("counter", ttl=LONG)
            tables = "bounded" if bounded else "entries", "counters"
            counted = f"select count(*) from {store._database.schema}."
            assert [execute(postgres, counted + table) for table in tables] == [[(1,)], [(1,)]]
            if bounded:
                counted = "select sum(sum) = (select sum(size) from {0}.bounded) from {0}.bounded_bytes"
                assert execute(postgres, counted.format(store._database.schema)) == [(True,)]


class TestAServer:
    def test_that_restarts_loses_nothing_and_fails_no_call(self, server):
        with closing(PostgresStore(server.url)) as store:
            for number in range(20):
                store.change(f"key {number}", {"a": number}, ttl=LONG)
            server.restart()
            assert [store.load(f"key {number}").data["a"] for number in range(20)] == [*range(20)]
            server.stop()
            with pytest.raises(StoreUnavailable):
                store.load("key 1")
            server.start()
            eventually(lambda: _loaded(store), "the store does not come back")

    def test_that_freezes_is_waited_for_by_few(self, server, caplog):
        with closing(PostgresStore(server.url, timeout=0.3)) as store:
            version = store.add("key", {}, ttl=LONG).version
            server.freeze()
            for _ in range(50):
                with pytest.raises(StoreUnavailable):
                    store.load("key")
            assert "no reply in 0.3 seconds" in caplog.text
            assert caplog.text.count("is not available") < 25
            server.thaw()
            assert eventually(lambda: _loaded(store), "the store does not come back").version == version

    def test_that_is_a_replica_is_no_store(self, postgres, store):
        store.add("key", {}, ttl=LONG)
        name = postgres.partition("@/")[2].partition("?")[0]
        execute(postgres, f"alter database {name} set default_transaction_read_only = on")
        store.close()
        assert store.load("key")
        with pytest.raises(StoreUnavailable):
            store.add("other", {}, ttl=LONG)
        again = f"begin read write; alter database {name} reset default_transaction_read_only; commit"
        execute(postgres, again)
        assert eventually(lambda: _loaded(store), "the store does not come back")
        assert store.add("other", {}, ttl=LONG)

    def test_that_fails_is_followed_by_its_replica_and_listeners_are_told(self, request):
        program = request.getfixturevalue("postgres-server")
        replicates = {"wal_level": "replica", "max_wal_senders": "4"}
        with (
            PostgresServer(program, **replicates) as primary,
            PostgresServer(program, primary=primary, **replicates) as replica,
        ):
            hosts = f"host={primary.folder},{replica.folder}"
            url = f"postgresql://antiphon@/postgres?{hosts}&target_session_attrs=read-write"
            with closing(PostgresStore(url, timeout=30)) as store:
                news = Channel("news", store)
                store.change("key", {"a": 1}, ttl=LONG)
                with news.listen() as messages:
                    first = news.send(1)
                    assert next(messages).id == first
                    replayed = "select 1 from pg_stat_replication where replay_lsn >= pg_current_wal_lsn()"
                    eventually(lambda: primary.execute(replayed) or None, "the replica does not follow")
                    primary.stop()
                    replica.promote()
                    second = eventually(lambda: _sent(news, 2), "the replica takes no message")
                    assert isinstance(missed := in_time(lambda: next(messages)), MissedMessages)
                    assert (missed.after, missed.before) == (first, second)
                    assert in_time(lambda: next(messages)).value == 2
                    assert [message.value for message in news.messages()] == [1, 2]
                assert int(second.partition("-")[0]) > int(first.partition("-")[0])
                assert store.load("key").data == {"a": 1}

    def test_whose_disk_is_full_is_still_read(self, server):
        url = server.database()
        with small_file_system("tmpfs", server.folder) as disk:
            for folder in disk, disk / "tables":
                folder.mkdir(exist_ok=True)
                shutil.chown(folder, server.folder.owner())
            server.execute(f"create tablespace small location '{disk}/tables'")
            server.execute(f"alter database {url.partition('@/')[2].partition('?')[0]} set default_tablespace = small")
            with closing(PostgresStore(url)) as store:
                store.add("key", {"a": 1}, ttl=LONG)

                def is_full():
                    try:
                        store.add(store.new_key(), {"bytes": os.urandom(10_000)}, ttl=LONG)
                    except StoreUnavailable:
                        return True

                eventually(is_full, "the disk is never full")
                assert store.load("key").data == {"a": 1}
            server.stop()


def _sent(news, value):
    try:
        return news.send(value)
    except StoreUnavailable:
        return None


def _loaded(store):
    try:
        return store.load("key") or store.load("key 1")
    except StoreUnavailable:
        return None


@pytest.fixture(params=["postgres", "pgbouncer"])
def around(request):
    """The URL of a database, and what leads to it: nothing, or a pooler."""
    return request.getfixturevalue("postgres"), request.getfixturevalue(request.param)


class TestDefaultsOfTheDatabase:
    @pytest.mark.parametrize("isolation", ["repeatable read", "serializable"])
    def test_fail_no_call(self, around, isolation):
        url, way = around
        set_default(url, f"default_transaction_isolation = '{isolation}'")
        with closing(PostgresStore(way, timeout=30)) as store:
            counts = at_once(lambda _: [store.increment("counter", ttl=LONG).value for _ in range(10)], 16)
            assert sorted(itertools.chain(*counts)) == [*range(1, 161)]
            at_once(lambda number: store.change("key", {str(number): number}, ttl=LONG), 16)
            assert len(store.load("key").data) == 16

    def test_have_no_statement_call_the_code_of_other_roles(self, around, monkeypatch):
        url, way = around
        plant_functions(url)
        monkeypatch.setattr("antiphon.features.stores.postgres.CLEAN_EVERY", 1)
        with closing(PostgresStore(way, timeout=30)) as store:
            for each in store, store.bounded(1000):
                version = each.add("key", {"a": 1}, ttl=100).version
                version = each.replace("key", {"b": b"x" * 1000}, ttl=100, version=version).version
                for create in True, False:
                    assert each.change("key", {"c": 1}, remove=["b"], ttl=100, create=create, owner="Ann")
                assert each.reload(each.load("key")).data == {"c": 1}
                assert each.rotate("key", "new") == each.load("new")
                [owned] = each.owned_by("Ann")
                assert each.delete_owned("Ann", only=owned.id, keep="key") == 1
                assert not each.delete("key")
                assert [each.increment("key", ttl=100, by=by).value for by in (2, -1)] == [2, 1]
                each.increment("key", ttl=100, by=-1)
            news, log = Channel("news", store), store.channel_log("news")
            with news.listen() as messages:
                news.send(1)
                assert in_time(lambda: next(messages)).value == 1
            for seconds in 10, -1:
                log.expire("news", seconds)
            log.renew("news", "token", ["Ann"], 10)
            assert log.members("news") == ["Ann"]
            log.withdraw("news", "token", "Ann")


class TestAReplyThatIsLost:
    @pytest.fixture
    def proxy(self, postgres_server, tmp_path):
        with LossyProxy(f"{tmp_path}/.s.PGSQL.5432", f"{postgres_server.folder}/.s.PGSQL.5432") as proxy:
            yield proxy

    @pytest.fixture
    def lossy(self, postgres, postgres_server, proxy, tmp_path):
        with closing(PostgresStore(postgres.replace(str(postgres_server.folder), str(tmp_path)))) as store:
            store.change("key", {"a": 1}, ttl=LONG, owner="Ann")
            yield store

    @rows(
        "call, found",
        (lambda store, _: store.load("key"), {"a": 1}),
        (lambda store, _: store.owned_by("Ann")[0], {"a": 1}),
        (lambda store, _: store.add("new", {"b": 2}, ttl=LONG), {"b": 2}),
        (lambda store, version: store.replace("key", {"c": 3}, version=version, ttl=LONG), {"c": 3}),
        (lambda store, _: store.rotate("key", "another key"), {"c": 3}),
    )
    def test_is_asked_for_again_where_that_is_safe(self, proxy, lossy, call, found):
        version = lossy.load("key").version
        proxy.lose_next_answer()
        before = proxy.lost
        assert call(lossy, version).data == found
        assert proxy.lost == before + 1

    @rows(
        "call",
        lambda store: store.change("key", {"a": 2}, ttl=LONG), lambda store: store.increment("counter", ttl=LONG),
        lambda store: store.delete("key"), lambda store: store.delete_owned("Ann"),
    )  # fmt: skip
    def test_is_a_503_where_nobody_knows_what_was_done(self, proxy, lossy, call):
        proxy.lose_next_answer()
        with pytest.raises(StoreUnavailable):
            call(lossy)

    def test_does_not_hide_that_others_acted_since(self, proxy, lossy, postgres):
        with closing(PostgresStore(postgres)) as other:
            version = lossy.load("key").version
            proxy.lose_next_answer(lambda: other.change("key", {"a": 9}, ttl=LONG))
            with pytest.raises(StoreUnavailable):
                lossy.replace("key", {"a": 2}, version=version, ttl=LONG)
            assert other.load("key").data == {"a": 9}


class TestTheStore:
    def test_starts_no_thread(self, store):
        before = threading.enumerate()
        store.add("key", {}, ttl=LONG)
        assert {*threading.enumerate()} <= {*before}  # one of another test may end

    def test_goes_by_the_clock_of_the_server(self, store, postgres):
        entry = store.add("key", {}, ttl=100)
        assert entry.expires - entry.created == pytest.approx(100)
        [(now,)] = execute(postgres, "select extract(epoch from clock_timestamp())::float8")
        assert entry.created <= now

    def test_has_the_clock_of_the_server_whatever_the_process_has(self, postgres, monkeypatch):
        monkeypatch.setattr(Store, "clock", staticmethod(lambda: time.time() - 300))
        with closing(PostgresStore(postgres)) as store:
            entry = store.add("key", {}, ttl=100)
            assert 0 <= store.clock() - entry.created < 100

    def test_waits_for_a_connection_and_then_is_a_503(self, postgres, caplog):
        with closing(PostgresStore(postgres, max_connections=1, timeout=0.2)) as store:
            store.add("key", {}, ttl=LONG)
            with store._database.own.turns, pytest.raises(StoreUnavailable):
                store.load("key")
            assert "all 1 connections are in use" in caplog.text
            assert store.load("key")

    def test_tells_no_password(self, caplog):
        with closing(PostgresStore("postgresql://ann:secret@127.0.0.1:1/shop")) as store:
            with pytest.raises(StoreUnavailable):
                store.load("key")
            assert "antiphon in postgresql://127.0.0.1/shop is not available" in caplog.text
            assert "secret" not in caplog.text

    @rows(
        "options, message",
        ({"url": "valkey://localhost"}, "the URL must be one of libpq"),
        ({"url": "postgresql+psycopg://ann:secret@localhost/shop"}, "the URL must be one of libpq"),
        ({"url": "postgresql:///shop", "schema": "No Name"}, "schema must be up to 40 lowercase letters"),
        ({"url": "postgresql:///shop", "schema": "pg_shop"}, "and must not begin with pg_, not 'pg_shop'"),
        ({"url": "postgresql:///shop", "max_connections": 0}, "max_connections must be 1 or more, not 0"),
    )
    def test_refuses_what_it_can_not_use(self, options, message):
        with pytest.raises(ValueError, match=message) as refused:
            PostgresStore(**options)
        assert "secret" not in str(refused.value)


def test_channels_say_that_they_poll_behind_a_pooler(pgbouncer, caplog):
    with caplog.at_level(logging.WARNING), closing(PostgresStore(pgbouncer)) as store:
        news = Channel("news", store)
        with news.listen() as messages:
            news.send(1)
            assert next(messages).value == 1
        assert "a pooler such as PgBouncer is before antiphon in" in caplog.text
