import asyncio
import random

import pytest

from antiphon import App, Request
from antiphon.body import receiver as pace
from antiphon.body.content import Content
from antiphon.body.receiver import GRACE
from antiphon.http.errors import RequestTimeout
from antiphon.http.limits import Limits
from tests.features.conftest import Clock
from tests.helpers.rows import rows
from tests.helpers.scripted_heads import Delivery, ScriptedHead, receive_small_body

LARGE = random.Random(3).randbytes(2 << 20)


@pytest.fixture(params=["blocking", "blocking, on a loop", "at once", "awaited"])
def way(request):
    return Delivery(request.param)


@pytest.fixture
def clock(monkeypatch):
    """A clock that heads set forward while they let wait."""
    clock = Clock()
    monkeypatch.setattr("antiphon.body.receiver.monotonic", clock)
    monkeypatch.setattr("antiphon.request.readings.monotonic", clock)
    return clock


class Slow(ScriptedHead):
    """Lets wait for some seconds before each chunk."""

    def __init__(self, clock, seconds, *chunks, **options):
        super().__init__(*chunks, **options)
        self._clock, self._seconds = clock, seconds

    async def next_chunk(self):
        if not self.blocks:
            await asyncio.sleep(0)
        self._clock.now += self._seconds
        return await super().next_chunk()


class TestTimeout:
    @rows("chunks", [(60.0,), (b"ab", 60.0, b"cd")], ids=["at first", "later"])
    def test_is_a_408_that_names_it(self, chunks):
        content = Content(ScriptedHead(*chunks))
        with pytest.raises(RequestTimeout) as refused:
            asyncio.run(content.load(Limits(timeout=0.02)))
        assert refused.value.members == {"limit": "timeout", "maximum": 0.02}
        assert refused.value.type == "urn:antiphon:limit:timeout"
        assert "0.02 seconds" in refused.value.detail
        assert content.is_failure(refused.value)

    def test_begins_anew_with_each_chunk(self):
        content = Content(ScriptedHead(*[0.02, b"a"] * 8))
        asyncio.run(content.load(Limits(timeout=0.1)))
        assert content.data == b"a" * 8

    def test_of_0_is_none(self):
        content = Content(ScriptedHead(0.03, b"a"))
        asyncio.run(content.load(Limits(timeout=0, rate=0)))
        assert content.data == b"a"

    @rows("limits", [Limits(), Limits(timeout=0), Limits(rate=0), Limits(timeout=0, rate=0)])
    def test_is_not_what_a_server_raises(self, limits):
        error = TimeoutError("the server's own")
        content = Content(ScriptedHead(0.01, error))
        with pytest.raises(TimeoutError) as raised:
            asyncio.run(content.load(limits))
        assert raised.value is error

    def test_leaves_what_came_later_to_who_goes_on(self):
        content = Content(ScriptedHead(b"ab", 60.0))

        async def patient():
            with pytest.raises(RequestTimeout):
                await content.load(Limits(timeout=0.01))
            content.head.chunks = [b"cd"]
            await content.load(Limits())

        asyncio.run(patient())
        assert content.data == b"abcd"

    def test_lets_a_cancellation_through(self):
        async def cancel():
            task = asyncio.create_task(Content(ScriptedHead(60.0)).load(Limits()))
            await asyncio.sleep(0.01)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

        asyncio.run(cancel())


def test_the_wait_for_the_first_chunk_of_a_small_body_counts(clock):
    request = Request(Slow(clock, GRACE + 1, b"a", b"bc", content_length=3))
    request.limits = Limits(rate=1 << 20, timeout=0)

    async def load():
        assert not await receive_small_body(request, request.limits)
        await request.aload()

    with pytest.raises(RequestTimeout):
        Delivery("awaited").run(load())


@pytest.mark.parametrize("blocks", [True, False], ids=["blocking", "awaited"])
class TestRate:
    def load(self, head, **limits):
        way = Delivery("blocking" if head.blocks else "awaited")
        content = Content(head)
        way.run(content.load(Limits(**limits)))
        return content.data

    def test_on_average_after_the_grace_is_a_408_that_names_it(self, clock, blocks):
        head = Slow(clock, 2.0, *[b"x" * 10] * 40, blocks=blocks)
        with pytest.raises(RequestTimeout) as refused:
            self.load(head, rate=100, timeout=0)
        assert refused.value.members == {"limit": "rate", "maximum": 100}
        assert refused.value.type == "urn:antiphon:limit:rate"
        assert "100 bytes per second" in refused.value.detail
        assert head.asked in (3, 4)

    def test_may_be_low_for_a_time(self, clock, blocks):
        head = Slow(clock, GRACE - 0.1, b"abc", blocks=blocks, content_length=3)
        assert self.load(head, rate=1 << 20) == b"abc"

    def test_that_is_reached_is_enough(self, clock, blocks):
        chunks = [b"x" * 200] * 40
        assert self.load(Slow(clock, 2.0, *chunks, blocks=blocks), rate=100) == b"".join(chunks)

    def test_of_0_is_none(self, clock, blocks):
        assert self.load(Slow(clock, 20.0, *[b"x"] * 40, blocks=blocks), rate=0) == b"x" * 40

    def test_is_not_held_against_what_has_come_as_a_whole(self, clock, blocks):
        head = Slow(clock, 3600.0, b"abc", blocks=blocks, content_length=3)
        assert self.load(head, rate=240, timeout=0) == b"abc"

    def test_counts_only_the_time_for_which_somebody_waits(self, clock, blocks):
        content = Content(Slow(clock, 0.0, *[b"x"] * 20, blocks=blocks))
        way = Delivery("blocking" if blocks else "awaited")
        while way.run(content.advance(Limits(rate=1000))):
            clock.now += 3600  # the reader's own time
        assert content.data == b"x" * 20

    def test_goes_on_without_a_gap_where_it_is_lowered(self, clock, blocks):
        content = Content(Slow(clock, 2.0, *[bytes([number]) for number in range(40)], blocks=blocks))
        way = Delivery("blocking" if blocks else "awaited")
        with pytest.raises(RequestTimeout):
            way.run(content.load(Limits(rate=100)))
        way.run(content.load(Limits(rate=0)))
        assert content.data == bytes(range(40))


@rows("grace, timeout, limit", (0.02, 0, "rate"), (0.5, 0.02, "timeout"))
def test_the_next_bytes_may_let_wait_until_the_sooner_of_both(monkeypatch, grace, timeout, limit):
    monkeypatch.setattr(pace, "GRACE", grace)
    with pytest.raises(RequestTimeout) as refused:
        asyncio.run(Content(ScriptedHead(b"ab", 60.0)).load(Limits(rate=1000, timeout=timeout)))
    assert refused.value.members["limit"] == limit


def test_a_body_that_comes_at_once_is_never_too_slow(way):
    content = Content(way.head(*[LARGE[:1000]] * 100))
    way.run(content.load(Limits(rate=1 << 40, timeout=1)))
    assert content.size == 100_000


@rows("framing", [(b"transfer-encoding", b"chunked"), (b"content-length", b"99")])
def test_a_client_that_sends_no_more_of_a_broken_coding_is_waited_for_once(monkeypatch, framing):
    """Its refusal needs the length of the rest, and the response is sent after the rest."""
    monkeypatch.setattr(pace, "DRAIN_SECONDS", 0.05)
    waits, sent = [], []

    async def receive():
        if not waits:
            waits.append("first")
            return {"type": "http.request", "body": b"not in this coding", "more_body": True}
        waits.append("rest")
        return await asyncio.Event().wait()

    async def send(message):
        sent.append(message)

    app = App()
    app.post("/")(lambda request: request.text)
    fields = [(b"host", b"a"), (b"content-encoding", b"gzip"), framing]
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/",
        "query_string": b"",
        "headers": fields,
    }
    asyncio.run(app(scope, receive, send))
    assert (waits, sent[0]["status"]) == (["first", "rest"], 400)
