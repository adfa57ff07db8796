"""What channels promise, with each store."""

import asyncio
import threading
from datetime import UTC, datetime

import pytest

from antiphon.features import Channel, MissedMessages
from antiphon.features.stores.valkey.log import GROUPS
from antiphon.http import Event
from antiphon.types import ChannelMessage
from tests.features.channels.on_loop import on_loop
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, PAUSE, eventually, in_time

pytestmark = pytest.mark.usefixtures("open_store")  # each test runs with each of the stores: they are its subject


async def received(messages, count):
    async with asyncio.timeout(DEADLINE):
        return [await anext(messages) for _ in range(count)]


def values(items):
    return [item.value for item in items]


async def send_all(channel, sent):
    return [await channel.asend(value) for value in sent]


@on_loop
async def test_each_listener_gets_each_message_in_order(open_store):
    news, same = Channel("news", open_store()), Channel("news", open_store())
    async with news.listen() as ada, same.listen() as bob:
        ids = await send_all(news, range(100))
        for listener in (ada, bob):
            assert await received(listener, 100) == [
                ChannelMessage(*each) for each in zip(ids, range(100), strict=True)
            ]


@on_loop
async def test_messages_are_values_of_json_as_responses_have_them(open_store):
    news = Channel("news", open_store())
    async with news.listen() as messages:
        await send_all(news, [{"id": 7}, "Tea!", None, [1.5], datetime(2026, 1, 2, tzinfo=UTC)])
        assert values(await received(messages, 5)) == [{"id": 7}, "Tea!", None, [1.5], "2026-01-02T00:00:00Z"]
        with pytest.raises(TypeError):
            await news.asend(object())


@on_loop
async def test_listeners_have_values_of_their_own(open_store):
    news = Channel("news", open_store())
    async with news.listen() as ada, news.listen() as bob:
        await news.asend({"id": 7})
        for listener in (ada, bob):
            [message] = await received(listener, 1)
            assert message.value.pop("id") == 7


@on_loop
async def test_a_client_that_comes_back_gets_what_it_has_missed_and_then_what_comes(open_store):
    news = Channel("news", open_store())
    ids = await send_all(news, range(10))
    async with news.listen(since=ids[3]) as messages:
        await news.asend(10)
        assert values(await received(messages, 7)) == [4, 5, 6, 7, 8, 9, 10]


@on_loop
async def test_it_is_told_how_many_are_kept_no_more(open_store):
    news = Channel("news", open_store(), max_messages=5)
    ids = await send_all(news, range(10))
    for seen, missed in [(4, []), (3, [MissedMessages(1, ids[3], ids[5])]), (0, [MissedMessages(4, ids[0], ids[5])])]:
        async with news.listen(since=ids[seen]) as messages:
            items = await received(messages, len(missed) + 5)
            assert (items[: len(missed)], values(items[len(missed) :])) == (missed, [5, 6, 7, 8, 9])


@rows("made_up", ["", "x", "7", "-", "1-0", "01-1", "1-1", f"{9**18}-1", f"{9**50}-1", "\uff11-1", "{other}-2"])
@on_loop
async def test_an_id_of_no_message_of_this_channel_is_told_and_begins_with_the_oldest(open_store, made_up):
    news = Channel(f"news of {made_up}", open_store())
    ids = await send_all(news, range(3))
    epoch = int(ids[0].partition("-")[0])
    made_up = made_up.format(epoch=epoch, other=epoch - 1)
    async with news.listen(since=made_up) as messages:
        missed, *rest = await received(messages, 4)
        assert (missed, values(rest)) == (MissedMessages(None, made_up, ids[0]), [0, 1, 2])


@on_loop
async def test_an_id_that_may_have_been_lost_with_a_server_is_told_and_nothing_comes_twice(open_store):
    news = Channel("news", open_store())
    epoch = (await send_all(news, range(3)))[0].partition("-")[0]
    async with news.listen(since=f"{epoch}-99") as messages:
        await news.asend(3)
        missed, message = await received(messages, 2)
        assert (missed, message.value) == (MissedMessages(None, f"{epoch}-99", None), 3)


@on_loop
async def test_an_id_of_a_channel_without_messages_is_told(open_store):
    async with Channel("news", open_store()).listen(since="1764000000000-7") as messages:
        assert await received(messages, 1) == [MissedMessages(None, "1764000000000-7", None)]


@on_loop
async def test_a_slow_listener_misses_the_oldest_and_is_told(open_store):
    news = Channel("news", open_store(), max_messages=5)
    async with news.listen() as slow, news.listen() as quick:
        ids = []
        for value in range(20):
            ids.append(await news.asend(value))
            assert values(await received(quick, 1)) == [value]
        missed, *rest = await received(slow, 6)
        assert (missed, values(rest)) == (MissedMessages(15, None, ids[15]), [15, 16, 17, 18, 19])
        await news.asend(20)
        assert values(await received(slow, 1)) == [20]


@on_loop
async def test_only_so_many_messages_are_kept(open_store):
    news = Channel("news", open_store(), max_messages=5)
    ids = await send_all(news, range(300))
    assert await news.amessages() == [ChannelMessage(*each) for each in zip(ids[-5:], range(295, 300), strict=True)]


@on_loop
async def test_a_message_has_so_many_bytes_of_json(open_store):
    news = Channel("news", open_store(), max_message_size=10)
    await send_all(news, ["12345678", "éééé", 1234567890])
    for value in ["123456789", "ééééé", ["12345678"]]:
        with pytest.raises(ValueError, match=r"of channel 'news' has 1[12] bytes of JSON, more than 10: send less"):
            await news.asend(value)
        with pytest.raises(ValueError, match="max_message_size"):
            await asyncio.to_thread(news.send, value)
    assert values(await news.amessages()) == ["12345678", "éééé", 1234567890]


@rows("one, other", [("a", "A"), ("a:m", "a"), ("a}", "a"), ("{a}", "a"), ("a\0b", "a"), ("é", "e\u0301"), ("a ", "a")])
@on_loop
async def test_other_names_are_other_channels(open_store, one, other):
    channels = [Channel(one, open_store()), Channel(other, open_store())]
    async with channels[0].listen() as first, channels[1].listen() as second:
        for channel in channels:
            await channel.asend(channel.name)
        assert values(await received(first, 1)) == [one]
        assert values(await received(second, 1)) == [other]
    async with channels[0].present("ann"):
        assert (await channels[0].amembers(), await channels[1].amembers()) == (["ann"], [])


@on_loop
async def test_events_have_ids_and_say_what_was_missed(open_store):
    news = Channel("news", open_store(), max_messages=2)
    ids = await send_all(news, [{"id": 7}, "Tea!", [8]])
    events = news.follow("x")
    assert await received(events, 4) == [
        Event(comment=""), Event({"total": None, "after": "x", "before": ids[1]}, event="missed"),
        Event("Tea!", id=ids[1]), Event("[8]", id=ids[2]),
    ]  # fmt: skip
    await events.aclose()


def test_threads_send_and_listen(open_store):
    news = Channel("news", open_store())
    first = news.send(0)

    def listen():
        with news.listen(since=first) as messages:
            return [next(messages).value for _ in range(3)]

    senders = [threading.Thread(target=news.send, args=[1]) for _ in range(3)]
    for each in senders:
        each.start()
    assert in_time(listen) == [1, 1, 1]
    for each in senders:
        each.join()


def test_a_thread_that_waits_is_woken_when_its_listener_is_closed(open_store):
    listener = Channel("news", open_store()).listen()
    with listener:
        ends = threading.Thread(target=listener.close)

        def listen():
            ends.start()
            return next(listener, "no message")

        assert in_time(listen) == "no message"


def test_loops_and_threads_hear_each_other(open_store):
    news = Channel("news", open_store())
    first = news.send(0)

    async def send_one():
        await news.asend(1)

    async def hear():
        async with news.listen(since=first) as messages:
            return values(await received(messages, 2))

    asyncio.run(send_one())
    news.send(2)
    assert asyncio.run(hear()) == [1, 2]


@on_loop
async def test_one_thread_reads_for_all_listeners_and_in_a_cluster_one_for_each_group(open_store, request):
    most = GROUPS if request.node.callspec.params["open_store"] == "cluster" else 1
    before = threading.enumerate()
    async with asyncio.timeout(DEADLINE):
        listeners = [Channel(f"news {number % 50}", open_store()).listen() for number in range(100)]
        for each in listeners:
            await each.__aenter__()
        started = {*threading.enumerate()} - {*before}
        assert len([thread for thread in started if thread.name == "antiphon-channels"]) <= most
        for each in listeners:
            await each.__aexit__(None, None, None)


@on_loop
async def test_a_listener_that_has_left_is_gone(open_store):
    news = Channel("news", open_store())
    async with news.listen() as messages:
        feed = messages._feed
        waiting = asyncio.create_task(anext(messages))
        while not feed._loops:
            await asyncio.sleep(0)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert not feed._loops
    assert not feed.users
    assert [message async for message in messages] == []
    with pytest.raises(RuntimeError, match="in a block"):
        await anext(news.listen())


@on_loop
async def test_those_who_are_present_are_named_once(open_store):
    here, there = Channel("room", open_store()), Channel("room", open_store())
    async with here.present("bob"), here.present("ann"), there.present("ann"):
        assert await there.amembers() == ["ann", "bob"]
        async with there.present("ann"):
            pass
        assert await here.amembers() == ["ann", "bob"]
    assert await there.amembers() == []


CANCELLED = {"as they enter": 1, "while present": 1, "twice": 2, "as they leave": 0}
"""How often others cancel the tasks of members."""


@pytest.mark.axes("when")
@pytest.mark.parametrize("when", CANCELLED)
@on_loop
async def test_those_whose_tasks_are_cancelled_leave(open_store, when):
    room = Channel("room", open_store())

    async def stay(member):
        async with room.present(member):
            if when == "as they leave":
                asyncio.current_task().cancel()
            else:
                await asyncio.sleep(DEADLINE)
        await asyncio.sleep(0)

    tasks = [asyncio.create_task(stay(f"member {number}")) for number in range(20)]
    while CANCELLED[when] and when != "as they enter" and len(await room.amembers()) < len(tasks):
        await asyncio.sleep(PAUSE)
    for _ in range(CANCELLED[when]):
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
    await asyncio.wait(tasks)
    assert all(task.cancelled() for task in tasks)
    assert await room.amembers() == []


def test_threads_are_present_too(open_store):
    room = Channel("room", open_store())
    with room.present("ann"):
        assert room.members() == ["ann"]
    assert room.members() == []


@on_loop
async def test_a_lease_is_renewed(open_store):
    room = Channel("room", open_store(), lease=0.1)
    async with room.present("ann"):
        await asyncio.sleep(0.4)
        await asyncio.to_thread(eventually, lambda: room.members() == ["ann"] or None, "the lease has ended")
