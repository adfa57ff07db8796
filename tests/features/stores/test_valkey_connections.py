"""How a store reaches Valkey: URLs, TLS, users with few rights, and connections that are bounded."""

import asyncio
from contextlib import closing
from threading import Barrier, Thread

import pytest

from antiphon.features import MemoryStore, StoreUnavailable, ValkeyStore
from antiphon.features.stores.valkey.store import NEEDS
from tests.features.conftest import Clock
from tests.features.stores.test_lost_answers import CALLS, everything, prepared, without_version
from tests.helpers.authority import Authority
from tests.helpers.rows import rows
from tests.helpers.valkey import HOST, Node, ValkeyCluster, free_ports

pytestmark = [pytest.mark.processes, pytest.mark.once]

LONG = 10_000.0


@rows(
    "url, reason",
    ("valkey+ring://localhost", "its scheme must be valkey"),
    ("unix+cluster:///run/valkey.sock", "its scheme must be valkey"),
    ("valkey://one,two", "for several hosts, the scheme must be"),
    ("valkey+cluster://one:port", "'one:port' is not a host with a port"),
    ("valkey+cluster://one,,two", "'' is not a host with a port"),
    ("valkey+cluster://one/3", "a cluster has only database 0"),
    ("valkey+sentinel://one,two", "the name of the primary must follow Sentinel's hosts"),
    ("valkey+sentinel://one/shop/first", "the database must be a number, not 'first'"),
    ("valkey://localhost/shop", "the database must be a number, not 'shop'"),
    ("valkey://localhost?colour=red", "can't read the options of its URL.*colour"),
    ("valkey://localhost?socket_timeout=soon", "can't read the options of its URL.*socket_timeout"),
)
def test_a_url_that_is_wrong_says_where(url, reason):
    with pytest.raises(ValueError, match=reason):
        ValkeyStore(url)


def test_no_error_of_a_url_has_its_password():
    with pytest.raises(ValueError, match="not a host") as raised:
        ValkeyStore("valkey+cluster://ann:secret@one:port")
    assert "secret" not in str(raised.value)


@rows("scheme", ["valkey+cluster", "valkeys+sentinel", "redis+sentinel", "rediss+cluster"])
def test_nothing_is_connected_until_it_is_used(scheme):
    ValkeyStore(f"{scheme}://localhost:1,localhost:2/{'shop' if 'sentinel' in scheme else ''}")


@rows("url", ["valkey+cluster://127.0.0.1:1,127.0.0.1:2", "valkey+sentinel://:secret@127.0.0.1:1/shop"])
def test_servers_that_are_all_away_are_a_503(url, caplog):
    with closing(ValkeyStore(url, connect_timeout=0.2)) as store:
        for _ in range(20):
            with pytest.raises(StoreUnavailable):
                store.load("key")
            with pytest.raises(StoreUnavailable):
                store.check()
    assert "127.0.0.1:1" in caplog.text
    assert caplog.text.count("is not available") < 20
    assert "secret" not in caplog.text


def test_options_that_can_not_be_are_refused():
    with pytest.raises(ValueError, match="max_connections must be 1 or more"):
        ValkeyStore("valkey://localhost", max_connections=0)
    with pytest.raises(ValueError, match="TLS files need a scheme such as valkeys"):
        ValkeyStore("valkey://localhost", ca_file=__file__)
    with pytest.raises(ValueError, match="finds no file '/no/such/file'"):
        ValkeyStore("valkeys://localhost", ca_file="/no/such/file")


@pytest.fixture
def authority(tmp_path):
    return Authority(tmp_path)


def tls_options(authority, host=HOST):
    certificate, key = authority.issue(host)
    return ["--tls-cert-file", certificate, "--tls-key-file", key, "--tls-ca-cert-file", authority.ca_file]


@pytest.fixture
def starting(request, tmp_path):
    """Start a server on a port of its own, with options."""
    program, started = request.getfixturevalue("valkey-server"), []

    def start(*options):
        [port] = free_ports(1)
        node = Node(program, tmp_path / f"server-{port}", port, "--save", "", *options)
        started.append(node)
        node.start()
        return node

    yield start
    for node in started:
        node.stop()


class TestTLS:
    @pytest.fixture
    def port(self, starting, authority):
        """The port of a server that speaks TLS, for this address, and asks for a certificate."""
        [port] = free_ports(1)
        starting("--tls-port", str(port), *tls_options(authority))
        return port

    def test_shows_a_certificate_and_looks_at_that_of_the_server(self, port, authority):
        certificate, key = authority.issue("the app")
        url = f"valkeys://{HOST}:{port}"
        with closing(ValkeyStore(url, ca_file=authority.ca_file, certificate=certificate, private_key=key)) as store:
            assert store.change("key", {"a": 1}, ttl=LONG).data == store.load("key").data == {"a": 1}

    @pytest.mark.parametrize("lacks", ["the authority", "its certificate", "the name of the server"])
    def test_is_nothing_less(self, port, authority, caplog, lacks):
        certificate, key = authority.issue("the app")
        options = {"ca_file": authority.ca_file, "certificate": certificate, "private_key": key}
        if lacks == "the authority":
            del options["ca_file"]
        elif lacks == "its certificate":
            options = {"ca_file": authority.ca_file}
        host = "localhost" if lacks == "the name of the server" else HOST
        with closing(ValkeyStore(f"valkeys://{host}:{port}", **options)) as store, pytest.raises(StoreUnavailable):
            store.load("key")
        assert "is not available" in caplog.text

    def test_is_spoken_with_a_cluster(self, request, tmp_path, authority):
        program, folder = request.getfixturevalue("valkey-server"), tmp_path / "cluster"
        folder.mkdir()
        options = [*tls_options(authority), "--tls-auth-clients", "no"]
        with (
            ValkeyCluster(program, folder, tls=options) as cluster,
            closing(ValkeyStore(cluster.url, ca_file=authority.ca_file)) as store,
        ):
            for number in range(20):
                assert store.increment(f"key {number}", ttl=LONG).value == 1


class TestAUser:
    NAME = "app"

    @pytest.fixture
    def server(self, starting):
        return starting()

    def open(self, server, password="word%2Fpass"):
        return ValkeyStore(f"valkey://{self.NAME}:{password}@{HOST}:{server.port}", clock=Clock())

    def test_needs_the_rights_that_are_told(self, server):
        server.ask("ACL SETUSER", self.NAME, "on >word/pass", NEEDS.format(prefix="antiphon:"))
        for call in CALLS.values():
            with closing(self.open(server)) as store:
                server.ask("FLUSHALL")
                call(prepared(store))
                store.check()

    @pytest.mark.parametrize("rights", ["~other:* +@all", "~* +@all -evalsha", "~* +@all -hset", "~* +@all -hgetall"])
    def test_that_lacks_one_is_a_503_and_the_log_tells_them(self, server, caplog, rights):
        server.ask("ACL SETUSER", self.NAME, "on >word/pass", rights)
        with closing(self.open(server)) as store, pytest.raises(StoreUnavailable):
            store.load(store.change("key", {"a": 1}, ttl=LONG).key)
        assert "the store's user needs: ~antiphon:* " in caplog.text

    def test_with_the_wrong_password_is_a_503(self, server, caplog):
        server.ask("ACL SETUSER", self.NAME, "on >word/pass ~* +@all")
        with closing(self.open(server, "guessed")) as store, pytest.raises(StoreUnavailable):
            store.load("key")
        assert "guessed" not in caplog.text


class TestConnections:
    def test_are_not_more_than_there_may_be(self, starting):
        server = starting()
        with closing(ValkeyStore(f"valkey://{HOST}:{server.port}", max_connections=3)) as store:
            begin = Barrier(20)

            def work():
                begin.wait()
                for number in range(30):
                    store.increment(f"key {number}", ttl=LONG)

            threads = [Thread(target=work) for _ in range(20)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            assert store.increment("key 29", ttl=LONG, by=0).value == 20
            assert len(store.client.client_list()) <= 4

    def test_that_are_all_in_use_are_waited_for_and_then_a_503(self, starting, caplog):
        server = starting()
        with closing(ValkeyStore(f"valkey://{HOST}:{server.port}", max_connections=1, timeout=0.2)) as store:
            store.increment("key", ttl=LONG)
            with store._calls.own.turns, pytest.raises(StoreUnavailable):
                store.load("key")
            assert "all 1 connections are in use" in caplog.text
            assert store.increment("key", ttl=LONG).value == 2  # at once: the server was not away


@rows("servers", ["valkey", "valkey_cluster", "valkey_sentinel"])
class TestAClientOfYourOwn:
    def test_asks_the_node_of_each_key(self, servers, request):
        store = ValkeyStore(request.getfixturevalue(servers).url)
        with closing(store), closing(store.open_client()) as client:
            for number in range(20):
                client.set(f"own {number}", number)
                assert store.client.get(f"own {number}") == str(number).encode()

    def test_is_also_for_an_event_loop(self, servers, request):
        store = ValkeyStore(request.getfixturevalue(servers).url)

        async def use():
            client = store.open_async_client(timeout=5)
            try:
                for number in range(20):
                    await client.set(f"own {number}", number)
                return [await client.get(f"own {number}") for number in range(20)]
            finally:
                await client.aclose()

        with closing(store):
            assert asyncio.run(use()) == [str(number).encode() for number in range(20)]


@rows("servers", ["valkey_cluster", "valkey_sentinel"])
def test_every_method_does_what_it_does_in_memory(servers, request, tmp_path):
    url = request.getfixturevalue(servers).url
    for name, call in CALLS.items():
        with closing(ValkeyStore(url, prefix=f"{tmp_path}{name}:", clock=Clock())) as store:
            model = prepared(MemoryStore(clock=Clock()))
            assert without_version(call(prepared(store))) == without_version(call(model))
            assert everything(store) == everything(model)
