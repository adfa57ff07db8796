"""Channels in Valkey: the connections and the rights that they need, and what a failover may lose."""

import asyncio
from contextlib import closing, suppress

import pytest

from antiphon.features import Channel, MissedMessages, StoreUnavailable, ValkeyStore
from antiphon.features.stores.valkey.store import NEEDS
from tests.features.channels.crowd import try_out
from tests.features.channels.on_loop import on_loop
from tests.helpers.rows import rows
from tests.helpers.valkey import HOST, Node, SentinelSet, free_ports
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.processes]


async def received(messages, count):
    async with asyncio.timeout(2 * DEADLINE):
        return [await anext(messages) for _ in range(count)]


@rows("kind", ["valkey", "valkey_cluster"])
@on_loop
async def test_readers_leave_all_connections_to_others(kind, request, tmp_path):
    """Also in a cluster, where there are more readers than calls may be made at once."""
    url = request.getfixturevalue(kind).url
    with closing(ValkeyStore(url, prefix=f"{tmp_path}:", max_connections=1, timeout=30)) as store:
        channels = [Channel(f"news {number}", store) for number in range(50)]
        listeners = [await each.listen().__aenter__() for each in channels]
        async with asyncio.timeout(DEADLINE):
            for turn in range(3):
                await asyncio.gather(*(each.asend(turn) for each in channels))
        for each in listeners:
            assert [message.value for message in await received(each, 3)] == [0, 1, 2]
            each.close()


@pytest.fixture
def server(request, tmp_path):
    node = Node(request.getfixturevalue("valkey-server"), tmp_path / "server", *free_ports(1), "--save", "")
    node.start()
    yield node
    node.stop()


def open_as_user(server, rights):
    server.ask("ACL SETUSER app on >password", rights)
    return closing(ValkeyStore(f"valkey://app:password@{HOST}:{server.port}"))


@on_loop
async def test_a_user_needs_the_rights_that_are_told(server):
    with open_as_user(server, NEEDS.format(prefix="antiphon:")) as store:
        room = Channel("room", store)
        async with room.present("ann"), room.listen() as messages, Channel("other", store).listen():
            first = await room.asend(0)
            await room.asend(1)
            assert await room.amembers() == ["ann"]
            assert [message.value for message in await received(messages, 2)] == [0, 1]
        async with room.listen(since=first) as messages:
            assert [message.value for message in await received(messages, 1)] == [1]


@on_loop
async def test_a_user_who_may_not_ask_for_the_replication_id_is_told_so(server, caplog):
    """Without it an id might be given to two messages."""
    with open_as_user(server, NEEDS.format(prefix="antiphon:").replace("+info", "")) as store:
        news = Channel("news", store)
        async with news.listen():
            with pytest.raises(StoreUnavailable):
                await news.asend(0)
    assert "the store's user needs: ~antiphon:* " in caplog.text


@pytest.fixture
def servers(request, tmp_path):
    with SentinelSet(request.getfixturevalue("valkey-server"), tmp_path, timeout=1.0) as servers:
        servers.wait_until_watched()
        yield servers


async def answered(call, *arguments):
    """Return what a call returns as soon as it succeeds."""
    async with asyncio.timeout(3 * DEADLINE):
        while True:
            with suppress(StoreUnavailable):
                return await call(*arguments)
            await asyncio.sleep(0.05)


def lag(servers):
    """Have the replica get nothing any more, while the primary goes on."""
    offset = servers.primary.ask("INFO replication").partition("master_repl_offset:")[2].split()[0]
    eventually(lambda: f"slave_repl_offset:{offset}" in servers.replica.ask("INFO replication") or None, "it lags")
    servers.replica.freeze()
    servers.primary.ask("CLIENT KILL TYPE replica")


@on_loop
async def test_what_a_failover_has_lost_is_told_and_no_id_is_given_to_two_messages(servers):
    heard, unheard = (Channel(name, ValkeyStore(servers.url, timeout=1)) for name in ("heard", "unheard"))
    async with heard.listen() as messages, unheard.listen() as quiet:
        kept = [await heard.asend(value) for value in range(3)]
        seen = [await unheard.asend(value) for value in range(3)]
        assert len(await received(quiet, 3)) == 3
        lag(servers)
        lost = [await heard.asend(value) for value in (3, 4)]
        assert [message.id for message in await received(messages, 5)] == kept + lost
        servers.primary.stop()
        servers.replica.thaw()
        ids = [await answered(heard.asend, "new"), *[await heard.asend(value) for value in (5, 6)]]
        again = await unheard.asend(3)
        assert not {*ids} & {*kept, *lost}
        missed, *rest = await received(messages, 4)
        assert (missed, [message.id for message in rest]) == (MissedMessages(None, lost[-1], ids[0]), ids)
        missed, message = await received(quiet, 2)
        assert (missed, message.id) == (MissedMessages(None, seen[-1], again), again)
    hosts = ",".join(reversed(servers.hosts.split(",")))  # as another process, which has not heard what was lost
    elsewhere = Channel("heard", ValkeyStore(f"valkey+sentinel://{hosts}/shop"))
    for since, expected in [(kept[1], [kept[2], None, *ids]), (kept[2], [None, *ids]), (lost[1], [None, *ids])]:
        async with elsewhere.listen(since=since) as messages:
            items = await received(messages, len(expected))
            assert [None if isinstance(item, MissedMessages) else item.id for item in items] == expected


def test_a_crowd_gets_each_message_once_while_processes_are_replaced_and_the_primary_freezes(
    request, tmp_path, monkeypatch
):
    """`python -m tests.features.channels.crowd` has 500 clients and three processes, also in a cluster."""
    monkeypatch.setenv("STORE", "")  # and restore it
    program = request.getfixturevalue("valkey-server")
    outcome = try_out("sentinel", program, tmp_path, clients=12, rate=60, interfaces=("asgi", "rsgi"), freezes=True)
    assert (outcome.lost, outcome.twice, outcome.disordered) == (0, 0, 0)
    assert outcome.received + outcome.lost_and_told >= 12 * outcome.acknowledged
    assert outcome.connections > 12
