"""What is special about a store in a cluster: which keys are together, and what happens while shards move or fail."""

import random
from contextlib import closing, suppress
from functools import partial
from threading import Thread
from time import monotonic, sleep

import pytest
from redis.crc import key_slot

from antiphon.app.store import hash_key
from antiphon.features import StoreUnavailable, ValkeyStore
from tests.helpers.rows import rows
from tests.helpers.valkey import HOST, SentinelSet, ValkeyCluster
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.processes, pytest.mark.once]

LONG = 10_000.0


@pytest.fixture
def store(valkey_cluster, tmp_path):
    with closing(ValkeyStore(valkey_cluster.url, prefix=f"{tmp_path}:", timeout=30)) as store:
        yield store


def names_of(store):
    """Return the names of all keys of a store."""
    prefix = store._commands.entry_key("")[:-2]
    return list(store.client.scan_iter(match=f"{prefix}*"))


class TestKeys:
    def test_that_belong_together_are_on_one_shard(self, store):
        store.change("key", {}, ttl=LONG, owner="Ann")
        store.increment("key", ttl=LONG)
        for kind in b":e:", b":c:":
            together = [name for name in names_of(store) if kind in name]
            assert len(together) == 2  # what is stored, and what is remembered of the call
            assert len({key_slot(name) for name in together}) == 1

    def test_of_many_entries_are_on_all_shards(self, valkey_cluster, store):
        for number in range(50):
            store.change(f"key {number}", {}, ttl=LONG)
        nodes = {store.client.get_node_from_key(name).port for name in names_of(store)}
        assert nodes == {node.port for node in valkey_cluster.primaries}

    def test_are_those_of_one_server(self, valkey, store, tmp_path):
        """So what one server has can be moved to a cluster as it is."""
        with closing(ValkeyStore(valkey.url, prefix=f"{tmp_path}:")) as single:
            entry = single.change("key", {"a": 1}, ttl=LONG, owner="Ann{}")
            single.increment("key", ttl=LONG, by=3)
            for name in names_of(single):
                store.client.restore(name, single.client.pttl(name), single.client.dump(name))
        assert store.load("key") == entry
        assert store.increment("key", ttl=LONG).value == 4
        assert store.change("key", {"b": 2}, ttl=LONG).data == {"a": 1, "b": 2}
        assert store.delete_owned("Ann{}") == 1

    @rows("prefix", ["{shop}:", "a{b}c:"])
    def test_are_all_on_one_shard_if_the_prefix_has_a_hash_tag(self, valkey_cluster, prefix):
        with closing(ValkeyStore(valkey_cluster.url, prefix=prefix)) as store:
            store.change("key", {"a": 1}, ttl=LONG, owner="Ann")
            assert store.rotate("key", "new").data == {"a": 1}
            assert len({key_slot(name) for name in names_of(store)}) == 1
            assert store.delete_owned("Ann") == 1

    @rows("prefix", ["{", "}", "{}:", "a}{b", "{a}{b}"])
    def test_have_no_prefix_whose_braces_are_no_hash_tag(self, prefix):
        with pytest.raises(ValueError, match="braces in the prefix of a cluster must be one hash tag"):
            ValkeyStore("valkey+cluster://localhost", prefix=prefix)

    def test_all_expire_by_themselves(self, store):
        store.change("key", {}, ttl=LONG, owner="Ann")
        store.rotate("key", "new")
        store.increment("key", ttl=LONG)
        left = [store.client.pttl(name) for name in names_of(store)]
        assert all(0 < each <= 2 * LONG * 1000 for each in left)


def test_an_entry_that_gets_new_keys_all_the_time_is_deleted_with_all_of_its_owner(valkey_cluster, store, tmp_path):
    """As a session that logs in while its user logs out everywhere."""
    for turn in range(5):
        keys = [f"{turn}"]
        store.change(keys[0], {}, ttl=LONG, owner="Ann")

        def rotate(keys=keys):
            while store.rotate(keys[-1], f"{keys[-1]}+"):
                keys.append(f"{keys[-1]}+")

        thread = Thread(target=rotate)
        thread.start()
        sleep(random.random() / 100)  # at any moment of a move
        with closing(ValkeyStore(valkey_cluster.url, prefix=f"{tmp_path}:", timeout=30)) as other:
            other.delete_owned("Ann")
        thread.join(DEADLINE)
        assert not thread.is_alive()
        assert [key for key in [*keys, f"{keys[-1]}+"] if store.load(key)] == []


def test_a_move_that_ends_half_way_leaves_the_entry_where_it_was(store, monkeypatch):
    entry = store.change("key", {"a": 1}, ttl=LONG, owner="Ann")
    run = store._commands.run

    def refuse(script, key, *arguments, **options):
        if key == store._commands.entry_key(hash_key("new").hex()):
            raise StoreUnavailable("away")
        return run(script, key, *arguments, **options)

    with monkeypatch.context() as patch:
        patch.setattr(store._commands, "run", refuse)
        with pytest.raises(StoreUnavailable):
            store.rotate("key", "new")
    assert store.load("key") == entry
    assert store.load("new") is None
    assert store.rotate("key", "new").data == {"a": 1}


def test_slots_that_move_are_followed(valkey_cluster, store):
    """MOVED, and while they move ASK and TRYAGAIN."""
    store.change("key", {"count": 0}, ttl=LONG)
    name = store._commands.entry_key(hash_key("key").hex())
    slot = key_slot(name.encode())
    nodes = {node.port: node for node in valkey_cluster.primaries}
    source = nodes.pop(store.client.get_node_from_key(name).port)
    target = next(iter(nodes.values()))
    ids = {node: node.ask("CLUSTER MYID") for node in (source, target)}
    counts = []

    def count():
        counts.extend(store.change("key", {"count": number}, ttl=LONG).data["count"] for number in range(1, 4))

    try:
        target.ask("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
        source.ask("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
        for each in names_of(store):
            if key_slot(each) == slot:
                source.ask("MIGRATE", HOST, target.port, each.decode(), 0, 5000)
        thread = Thread(target=count)
        assert store.load("key").data == {"count": 0}
        thread.start()
    finally:
        for each in (target, source):
            each.ask("CLUSTER SETSLOT", slot, "NODE", ids[target])
    thread.join(DEADLINE)
    assert counts == [1, 2, 3]
    assert store.load("key").data == {"count": 3}
    assert store.client.get_node_from_key(name).port == target.port


class Writer(Thread):
    """One who writes entries of its own, one after another, each until it is acknowledged."""

    def __init__(self, store, number):
        super().__init__(daemon=True)
        self._store, self._number, self.may_end = store, number, False
        self.acknowledged = {}
        """When the call began that was acknowledged, by key."""

    def run(self):
        while not self.may_end:
            self.write()

    def write(self):
        key = f"{self._number} {len(self.acknowledged)}"
        began = monotonic()
        with suppress(StoreUnavailable):
            self._store.change(key, {"by": self._number}, ttl=LONG)
            self.acknowledged[key] = began
            return
        sleep(0.05)


def has_all(server):
    """Have a primary wait until its replicas have all writes that there were."""
    told = server.ask("INFO replication")
    offset = told.partition("master_repl_offset:")[2].split()[0]
    return told.count(f"offset={offset},") >= 1 or None


@pytest.fixture(scope="module")
def replicated(tmp_path_factory, request):
    """A cluster of three primaries with a replica each, which follows if they are away for two seconds."""
    folder = tmp_path_factory.mktemp("replicated")
    with ValkeyCluster(request.getfixturevalue("valkey-server"), folder, replicas=1, timeout=2.0) as cluster:
        yield cluster


def answered(call, *arguments):
    """Return what a call returns as soon as it succeeds."""

    def look():
        with suppress(StoreUnavailable):
            return [call(*arguments)]

    return eventually(look, "the store does not answer", 3 * DEADLINE)[0]


def test_fifty_writers_lose_nothing_that_a_replica_had_when_a_primary_dies(replicated):
    """Valkey promises no more: it acknowledges a write before its replicas have it."""
    with closing(ValkeyStore(replicated.url, timeout=1)) as store:
        writers = [Writer(store, number) for number in range(50)]
        for writer in writers:
            for _ in range(5):
                answered(writer.write)
        for primary in replicated.primaries:
            eventually(lambda primary=primary: has_all(primary), "a replica does not follow")
        safe = {key for writer in writers for key in writer.acknowledged}
        shard = {key: store.client.get_node_from_key(name_of(store, key)).port for key in safe}
        for writer in writers:
            writer.start()
        dead = replicated.primaries[0]
        dead.stop()
        dead_since = monotonic()
        key = next(key for key, port in shard.items() if port == dead.port)
        answered(partial(store.change, key, {}, ttl=LONG))
        for writer in writers:
            writer.may_end = True
        for writer in writers:
            writer.join(3 * DEADLINE)
        acknowledged = {key: began for writer in writers for key, began in writer.acknowledged.items()}
        missing = {key for key in acknowledged if answered(store.load, key) is None}
    assert len(acknowledged) > len(safe)
    assert not missing & safe
    assert all(acknowledged[key] < dead_since for key in missing)


def name_of(store, key):
    return store._commands.entry_key(hash_key(key).hex())


@pytest.fixture
def patient(replicated):
    """That cluster, in which no replica follows a primary that answers nothing."""

    def wait_for(milliseconds):
        for node in replicated.nodes:
            with suppress(OSError):  # of one that is dead
                node.ask("CONFIG SET cluster-node-timeout", milliseconds)

    wait_for(120_000)
    yield replicated
    wait_for(2000)


def test_a_shard_that_answers_nothing_is_a_503_and_others_go_on(patient, caplog):
    with closing(ValkeyStore(patient.url, timeout=0.3)) as store:
        answered(partial(store.change, "key 0", {}, ttl=LONG))
        shards = {store.client.get_node_from_key(name_of(store, f"key {n}")).port: f"key {n}" for n in range(50)}
        port, frozen = shards.popitem()
        [server] = [node for node in patient.nodes if node.port == port]
        server.freeze()
        try:
            for _ in range(20):
                with pytest.raises(StoreUnavailable):
                    store.load(frozen)
                for other in shards.values():
                    assert store.change(other, {}, ttl=LONG)
            store.check()
        finally:
            server.thaw()
        assert 1 <= caplog.text.count("is not available") < 20  # each that waits is logged
        assert answered(partial(store.change, frozen, {"a": 1}, ttl=LONG)).data == {"a": 1}


def test_an_answer_that_comes_late_is_not_that_to_the_next_call(valkey_sentinel):
    with closing(ValkeyStore(valkey_sentinel.url, timeout=1)) as store:
        for key in ("a", "b"):
            store.change(key, {"key": key}, ttl=LONG)
        valkey_sentinel.primary.freeze()
        try:
            with pytest.raises(StoreUnavailable):
                store.load("a")
            name, found = name_of(store, "b"), []
            ask = partial(store._calls.ask, name, lambda client: found.append(client.hget(name, ".key")), waits=True)
            thread = Thread(target=ask)
            thread.start()
            sleep(0.2)  # so that it asks before the late answer comes
        finally:
            valkey_sentinel.primary.thaw()
        thread.join(DEADLINE)
        assert found == [b"\xa1b"]  # the encoded text


def test_a_primary_that_dies_is_followed_by_the_replica_that_sentinel_names(tmp_path, request):
    program = request.getfixturevalue("valkey-server")
    with SentinelSet(program, tmp_path, timeout=1.0) as servers, closing(ValkeyStore(servers.url, timeout=1)) as store:
        store.change("key", {"a": 1}, ttl=LONG)
        servers.wait_until_watched()
        eventually(lambda: has_all(servers.primary), "the replica does not follow")
        servers.primary.stop()
        with pytest.raises(StoreUnavailable):
            store.load("key")
        entry = answered(partial(store.change, "key", {"b": 2}, ttl=LONG))
        assert entry.data == {"a": 1, "b": 2}
