"""Channels of processes that are killed, and on servers that freeze, or are killed and come back."""

import asyncio
import subprocess
import sys

import pytest

from antiphon.features import Channel, MissedMessages, StoreUnavailable, ValkeyStore
from tests.features.channels.on_loop import on_loop
from tests.helpers.rows import rows
from tests.helpers.stores import place_of, store_at
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import DEADLINE, in_time

pytestmark = [pytest.mark.once, pytest.mark.processes]


@pytest.fixture
def durable(request, tmp_path):
    """A server that writes each change to its disk before it answers."""
    server = ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path)
    server._command += ["--appendonly", "yes", "--appendfsync", "always"]
    with server:
        yield server


def channel(server, **options):
    return Channel("news", ValkeyStore(server.url, connect_timeout=0.5, timeout=0.5), **options)


async def send_at_last(news, value):
    """Send a message as soon as the store is there again."""
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                return await news.asend(value)
            except StoreUnavailable:
                await asyncio.sleep(0.02)


async def received(messages, count):
    async with asyncio.timeout(2 * DEADLINE):
        return [await anext(messages) for _ in range(count)]


@rows("kind", ["sqlite", "postgres", "valkey"])
def test_killed_processes_lose_nothing_that_was_sent(kind, tmp_path, request):
    url = request.getfixturevalue("server").url if kind == "valkey" else place_of(kind, request, tmp_path)
    store = store_at(url)
    news = Channel("news", store, max_messages=100_000)
    command = [sys.executable, "-m", "tests.features.channels.writer", url]
    with news.listen() as messages:
        writers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
        said = [[writer.stdout.readline() for _ in range(50)] for writer in writers]
        for writer in writers:
            writer.kill()
        said = [
            [*lines, *writer.stdout.read().splitlines(keepends=True)]
            for lines, writer in zip(said, writers, strict=True)
        ]
        for writer in writers:
            writer.wait()
            writer.stdout.close()
        sent = [[line.strip() for line in lines if line.endswith("\n")] for lines in said]
        last = news.send("last")
        heard = []
        while (message := in_time(lambda: next(messages)))[0] != last:
            heard.append(message)
    assert not any(isinstance(message, MissedMessages) for message in heard)
    assert [int(message.id.partition("-")[2]) for message in heard] == [*range(1, len(heard) + 1)]
    assert {message.id for message in heard} >= {each for ids in sent for each in ids}
    numbers = dict(heard)
    for ids in sent:
        assert [numbers[each] for each in ids] == [*range(len(ids))]
    store.close()


@on_loop
async def test_listeners_go_on_after_a_server_froze(server):
    news = channel(server)
    async with news.listen() as messages:
        await news.asend(0)
        server.freeze()
        with pytest.raises(StoreUnavailable):
            await news.asend(1)
        server.thaw()
        await send_at_last(news, 2)
        heard = [message.value for message in await received(messages, 2)]
        if heard[-1] == 1:  # the server has read it before it froze, or when it went on
            heard += [message.value for message in await received(messages, 1)]
        assert heard in ([0, 2], [0, 1, 2])


@on_loop
async def test_listeners_go_on_after_a_server_was_killed_that_writes_all_down(durable):
    news = channel(durable)
    async with news.listen() as messages:
        first = await news.asend(0)
        durable.stop()
        durable.start()
        await send_at_last(news, 1)
        await news.asend(2)
        heard, missed, *rest = await received(messages, 4)
        assert [message.value for message in (heard, *rest)] == [0, 1, 2]
        assert missed == MissedMessages(None, first, rest[0].id)  # nobody knows that it has lost none
    async with news.listen(since=first) as messages:
        assert await received(messages, 3) == [missed, *rest]


@on_loop
async def test_listeners_are_told_that_a_server_has_forgotten_all(server):
    news = channel(server)
    async with news.listen() as messages:
        ids = [await news.asend(value) for value in range(3)]
        assert len(await received(messages, 3)) == 3
        server.stop()
        server.start()
        after = await send_at_last(news, 3)
        missed, message = await received(messages, 2)
        assert (missed.total, missed.after, message.id) == (None, ids[-1], after)
    for number, seen in enumerate(ids):
        async with news.listen(since=seen) as messages:
            *known, missed, message = await received(messages, 4 - number)
            assert [each.id for each in known] == ids[number + 1 :]  # the process has not forgotten them
            assert (missed.total, message.id) == (None, after)
