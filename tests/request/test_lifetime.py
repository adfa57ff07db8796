"""The lifetime of a request: the time that is left, the client, and what waits for the end of either."""

import asyncio
from functools import partial

import pytest

from antiphon import Request
from antiphon.http.head import DerivedHead, RequestHead
from antiphon.request import lifetime as module
from tests.helpers.draining import draining_for
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


class Head(RequestHead):
    """A head whose server tells that the client has left, or fails to."""

    def __init__(self, error=None):
        super().__init__()
        self.left = asyncio.Event()
        self.asked = self.waiting = 0
        self.error = error

    async def wait_disconnect(self):
        self.asked += 1
        self.waiting += 1
        try:
            await self.left.wait()
            if self.error:
                raise self.error
        finally:
            self.waiting -= 1


draining = draining_for(module)


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


class TestADeadline:
    def test_the_earlier_one_counts(self):
        lifetime = Request.blank().lifetime
        lifetime._limit(50)
        lifetime._limit(100)
        assert 40 < lifetime.remaining <= 50
        lifetime._limit(10)
        assert lifetime.remaining <= 10

    def test_no_time_is_left_when_it_has_passed(self):
        lifetime = Request.blank().lifetime
        lifetime._limit(-1)
        assert lifetime.remaining == 0


class TestAClientThatLeaves:
    @rows("derived", [False, True])
    def test_is_told_of_once(self, derived):
        async def main():
            head, told = Head(), []
            lifetime = Request(DerivedHead(head) if derived else head).lifetime
            lifetime._on_disconnect(partial(told.append, 1))
            lifetime._on_disconnect(partial(told.append, 2))
            await settled()
            assert (head.asked, told) == (1, [])
            head.left.set()
            await settled()
            assert (told, lifetime.is_client_gone) == ([1, 2], True)

        asyncio.run(main())

    def test_is_told_of_later_too(self):
        async def main():
            head, told = Head(), []
            lifetime = Request(head).lifetime
            lifetime._on_disconnect(bool)
            head.left.set()
            await settled()
            lifetime._on_disconnect(partial(told.append, 1))
            lifetime._on_disconnect(partial(told.append, 2))()
            assert told == []
            await settled()
            assert (head.asked, told) == (1, [1])

        asyncio.run(main())

    def test_is_not_waited_for_when_nobody_asks_any_more(self):
        async def main():
            head, told = Head(), []
            lifetime = Request(head).lifetime
            first, second = (lifetime._on_disconnect(partial(told.append, number)) for number in (1, 2))
            await settled()
            first()
            first()
            await settled()
            assert head.waiting == 1
            second()
            await settled()
            assert head.waiting == 0
            lifetime._on_disconnect(partial(told.append, 3))
            head.left.set()
            await settled()
            assert (head.asked, told) == (2, [3])

        asyncio.run(main())

    def test_is_not_one_whose_server_fails_to_tell(self):
        async def main():
            head, told = Head(RuntimeError("closed")), []
            lifetime = Request(head).lifetime
            lifetime._on_disconnect(partial(told.append, 1))
            head.left.set()
            await settled()
            assert (told, lifetime.is_client_gone) == ([], False)

        asyncio.run(main())

    def test_is_not_seen_where_the_server_cannot_tell(self):
        async def main():
            lifetime = Request.blank().lifetime
            lifetime._on_disconnect(bool)()
            assert not lifetime.is_client_gone
            assert len(asyncio.all_tasks()) == 1

        asyncio.run(main())

    def test_is_watched_from_the_first_question_to_the_end_of_the_request(self):
        async def main():
            head = Head()
            request = Request(head)
            assert not request.lifetime.is_client_gone
            assert not request.lifetime.is_client_gone
            await settled()
            assert head.waiting == 1
            (stop,) = request._deferred
            await stop()
            await settled()
            assert head.waiting == 0

        asyncio.run(main())


class TestTheEnd:
    def ended_by(self, act, head=None, seconds=None):
        async def main():
            request = Request(head() if head else RequestHead())
            if seconds is not None:
                request.lifetime._limit(seconds)
            waiting = asyncio.create_task(request.lifetime.ended())
            await settled()
            assert seconds is not None or not waiting.done()
            act(request)
            reason = await asyncio.wait_for(waiting, 10)
            assert len(asyncio.all_tasks()) == 1
            return reason

        return asyncio.run(main())

    def test_comes_with_the_deadline(self):
        assert self.ended_by(lambda request: None, seconds=0.01) == "deadline"

    def test_comes_with_a_client_that_leaves(self):
        assert self.ended_by(lambda request: request.head.left.set(), Head) == "disconnect"

    def test_comes_when_the_process_drains(self, draining):
        assert not Request.blank().lifetime.is_draining
        assert self.ended_by(lambda request: draining.give()) == "drain"
        assert Request.blank().lifetime.is_draining
        assert self.ended_by(lambda request: None, seconds=100) == "drain"

    def test_a_wait_that_is_cancelled_leaves_nothing_behind(self):
        async def main():
            head = Head()
            waiting = asyncio.create_task(Request(head).lifetime.ended())
            await settled()
            waiting.cancel()
            await settled()
            assert waiting.cancelled()
            assert head.waiting == 0

        asyncio.run(main())


def test_a_shield_without_a_loop_does_nothing():
    lifetime = Request.blank().lifetime
    with lifetime.shield():
        assert not lifetime.is_client_gone
