"""Large bodies of one loop, one chunk of one of them at a time, so that others are not kept waiting."""

import asyncio
import gc
import threading
import weakref
from contextlib import suppress

from antiphon.body.content import Content
from antiphon.body.receiver import SMALL_BODY
from antiphon.concurrency.fairness import HELD, new_member
from antiphon.http.limits import Limits
from tests.helpers.rows import rows
from tests.helpers.scripted_heads import ScriptedHead
from tests.helpers.waiting import at_once

CHUNK = SMALL_BODY
LIMITS = Limits(body=1 << 30)


class Noted(ScriptedHead):
    """Notes in a common list when it has given a chunk."""

    def __init__(self, notes, name, *chunks, **options):
        super().__init__(*chunks, **options)
        self._notes, self._name = notes, name

    async def next_chunk(self):
        chunk = await super().next_chunk()
        self._notes.append(self._name)
        return chunk


async def tick(notes):
    while True:
        notes.append("tick")
        await asyncio.sleep(0)


async def load_all(notes, contents):
    """Load contents at once, beside a task that notes every pass of the loop."""
    ticking = asyncio.create_task(tick(notes))
    try:
        await asyncio.gather(*[content.load(LIMITS) for content in contents])
    finally:
        ticking.cancel()


def between_ticks(notes):
    """How many chunks came from one pass of the loop to the next, at most."""
    return max(len(passed.split()) for passed in " ".join(notes).split("tick"))


class TestSeveralLargeBodies:
    @rows("waits", [False, True])
    def test_have_one_chunk_between_them_in_a_pass_of_the_loop(self, waits):
        notes = []
        contents = [Content(Noted(notes, str(name), *[bytes(CHUNK)] * 8, waits=waits)) for name in range(10)]
        asyncio.run(load_all(notes, contents))
        # Nobody knows at first that they are large, nor the first one that there are others.
        known = [at for at, note in enumerate(notes) if note == "9"][1]
        assert len(notes) - known > 50
        assert between_ticks(notes[known + 1 :]) == 1
        assert all(content.size == 8 * CHUNK for content in contents)

    def test_come_in_their_order(self):
        notes = []
        contents = [Content(Noted(notes, name, *[bytes(CHUNK)] * 6, waits=True)) for name in "abc"]
        asyncio.run(load_all(notes, contents))
        chunks = [note for note in notes if note != "tick"][9:]
        assert chunks[:9] == chunks[:3] * 3
        assert sorted(chunks[:3]) == ["a", "b", "c"]


class TestSmallBodies:
    def test_never_wait_for_a_turn(self):
        notes = []
        large = [Content(Noted(notes, "large", *[bytes(CHUNK)] * 50)) for _ in range(4)]
        small = Content(Noted(notes, "small", b"a", b"b"))

        async def load_small_later():
            loading = [asyncio.ensure_future(content.load(LIMITS)) for content in large]
            await asyncio.sleep(0.001)
            before = len(notes)
            await small.load(LIMITS)
            await asyncio.gather(*loading)
            return notes[before:]

        assert asyncio.run(load_small_later())[:3] == ["small"] * 3


class TestOneLargeBody:
    def test_has_a_turn_whenever_it_wants_one(self):
        notes = []
        asyncio.run(load_all(notes, [Content(Noted(notes, "a", *[bytes(1024)] * 300))]))
        assert between_ticks(notes) == 301

    def test_is_gone_with_its_loop(self):
        async def load():
            contents = [Content(ScriptedHead(*[bytes(CHUNK)] * 4, waits=True)) for _ in range(3)]
            await asyncio.gather(*[content.load(LIMITS) for content in contents])
            return weakref.ref(asyncio.get_running_loop())

        loop = asyncio.run(load())
        asyncio.run(load())  # the timer of a closed loop stays until another loop has one
        gc.collect()
        assert loop() is None


class TestATurn:
    @rows("was_slow", [False, True])
    def test_is_held_until_its_chunk_comes_again_when_one_came_in_time(self, was_slow):
        async def take_it_in_turns():
            first, second = new_member(), new_member()
            queue = first.queue
            if was_slow:
                first.is_slow = True
                assert queue.try_acquire(first)
                queue.release(first)
            assert queue.try_acquire(first)
            assert not queue.try_acquire(second)
            acquiring = asyncio.ensure_future(queue.acquire(second))
            for _ in range(5):
                await asyncio.sleep(0)
            was_held = not acquiring.done()
            queue.release(first)
            await acquiring
            return was_held

        assert asyncio.run(take_it_in_turns())

    def test_is_not_held_for_long_and_the_next_time_not_at_all(self):
        async def take_it_in_turns():
            slow, other = new_member(), new_member()
            queue = slow.queue
            assert queue.try_acquire(slow)
            await queue.acquire(other)
            queue.release(other)
            await asyncio.sleep(2 * HELD)
            queue.release(slow)
            await queue.acquire(slow)
            acquiring = asyncio.ensure_future(queue.acquire(other))
            for _ in range(3):
                await asyncio.sleep(0)
            return acquiring.done()

        assert asyncio.run(asyncio.wait_for(take_it_in_turns(), 10))

    @rows("passes", [0, 1, 2])
    def test_that_is_cancelled_is_that_of_the_next(self, passes):
        """Before it has begun, when it has and nobody knows yet, and afterwards."""

        async def take_it_in_turns():
            first, second, third = new_member(), new_member(), new_member()
            queue = first.queue
            assert queue.try_acquire(first)
            cancelled = asyncio.ensure_future(queue.acquire(second))
            acquiring = asyncio.ensure_future(queue.acquire(third))
            await asyncio.sleep(0)
            queue.release(first)
            for _ in range(passes):
                await asyncio.sleep(0)
            cancelled.cancel()
            with suppress(asyncio.CancelledError):
                await cancelled
                queue.release(second)
            await acquiring
            queue.release(third)
            assert queue.try_acquire(third)

        asyncio.run(asyncio.wait_for(take_it_in_turns(), 10))


def test_bodies_that_never_come_hold_up_nobody():
    async def load():
        stuck = [Content(ScriptedHead(bytes(CHUNK), b"x", 60.0)) for _ in range(20)]
        loading = [asyncio.ensure_future(content.load(LIMITS)) for content in stuck]
        await asyncio.sleep(0)
        content = Content(ScriptedHead(*[bytes(CHUNK)] * 20))
        await content.load(LIMITS)
        for task in loading:
            task.cancel()
        await asyncio.gather(*loading, return_exceptions=True)
        return content.size

    assert asyncio.run(asyncio.wait_for(load(), 30)) == 20 * CHUNK


def test_each_loop_has_a_queue_of_its_own():
    acquired = []

    async def take():
        member = new_member()
        acquired.append((member.queue.try_acquire(member), member.queue))
        both.wait(10)

    both = threading.Barrier(2)
    at_once(lambda _: asyncio.run(take()), range(2))
    assert [is_first for is_first, _ in acquired] == [True, True]
    assert acquired[0][1] is not acquired[1][1]


@rows("error", [ConnectionResetError("gone"), asyncio.CancelledError()])
def test_a_body_that_breaks_off_leaves_its_turn_to_the_others(error):
    async def load():
        broken = Content(ScriptedHead(bytes(CHUNK), b"x", b"x", error))
        others = [Content(ScriptedHead(*[bytes(CHUNK)] * 10, waits=True)) for _ in range(2)]
        found = await asyncio.gather(*[each.load(LIMITS) for each in (broken, *others)], return_exceptions=True)
        return found[0], [content.size for content in others]

    raised, sizes = asyncio.run(asyncio.wait_for(load(), 30))
    assert isinstance(raised, type(error))
    assert sizes == [10 * CHUNK] * 2
