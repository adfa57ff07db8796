import asyncio
import random

import pytest

from antiphon import Limits, Request
from antiphon.http.errors import ContentTooLarge
from tests.helpers.request_bodies import in_chunks
from tests.helpers.rows import rows
from tests.helpers.scripted_heads import DELIVERIES, Delivery, ScriptedHead

pytestmark = pytest.mark.axes("way")

LARGE = random.Random(5).randbytes(3 << 20)


def request_of(*chunks, kept=True, **options):
    request = Request(ScriptedHead(*chunks, **options))
    request.content.is_kept = kept
    return request


async def awaited(stream):
    return [chunk async for chunk in stream]


@pytest.fixture(params=DELIVERIES)
def way(request):
    return Delivery(request.param)


def chunks_of(way, request):
    return asyncio.run(awaited(request.stream)) if way.is_on_loop else [*request.stream]


def request_by(way, *chunks, kept=True, **headers):
    request = Request(way.head(*chunks, **headers))
    request.content.is_kept = kept
    return request


@pytest.mark.parametrize("size", [1000, len(LARGE)])
def test_gives_what_is_kept_again_and_again(way, size):
    request = request_by(way, *in_chunks(LARGE[:size], 50_000))
    for _ in range(3):
        chunks = chunks_of(way, request)
        assert b"".join(chunks) == LARGE[:size]
    assert max(map(len, chunks)) <= 256 << 10
    assert request.body == LARGE[:size]
    request.content.close()


def test_begins_at_the_start_when_it_was_left(way):
    request = request_by(way, b"ab", b"cd")

    async def first():
        return await anext(aiter(request.stream))

    assert (asyncio.run(first()) if way.is_on_loop else next(iter(request.stream))) == b"ab"
    assert request.head.asked == 1
    assert chunks_of(way, request) == [b"ab", b"cd"]


def test_that_is_not_kept_is_gone_for_a_second_reader(way):
    request = request_by(way, b"ab", b"cd", kept=False)
    chunks_of(way, request)
    for _ in range(2):
        with pytest.raises(RuntimeError, match=r"4 bytes of the body .* are gone: read the whole body before"):
            chunks_of(way, request)


def test_that_is_not_kept_is_shared_by_nobody():
    request = request_of(b"ab", b"cd", b"ef", kept=False, blocks=True)
    stream = request.stream
    first, second = iter(stream), iter(stream)
    assert [next(first), next(first)] == [b"ab", b"cd"]
    with pytest.raises(RuntimeError, match="are gone"):
        next(second)
    assert next(first) == b"ef"


@rows("reader", ["body", "text", "stream"])
def test_that_is_not_kept_is_gone_for_other_readers_too(reader):
    request = request_of(b"ab", b"cd", kept=False, blocks=True)
    assert [*request.stream] == [b"ab", b"cd"]
    with pytest.raises(RuntimeError, match="receive='lazy'"):
        [*getattr(request, reader)]


def test_that_is_not_kept_says_so_on_a_loop_too():
    request = request_of(b"ab", kept=False)

    async def handler():
        await awaited(request.stream)
        with pytest.raises(RuntimeError, match="receive='lazy'"):
            _ = request.body

    asyncio.run(handler())


def test_of_no_bytes_may_be_streamed_again_also_when_it_is_not_kept(way):
    request = request_by(way, kept=False)
    assert chunks_of(way, request) == chunks_of(way, request) == []


def test_receives_nothing_before_it_is_asked_for(way):
    request = request_by(way, b"ab", b"cd", kept=False)
    stream = request.stream
    chunks = aiter(stream) if way.is_on_loop else iter(stream)
    assert request.head.asked == 0
    if not way.is_on_loop:
        next(chunks)
        assert request.head.asked == 1


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "not kept"])
def test_ends_with_a_413_beyond_the_limit(way, kept):
    request = request_by(way, b"ab", b"cd", b"ef", kept=kept)
    request.limits = Limits(body=3)
    with pytest.raises(ContentTooLarge):
        chunks_of(way, request)
    with pytest.raises(ContentTooLarge):
        chunks_of(way, request)


def test_by_for_on_a_loop_is_an_error_that_says_what_to_do():
    request = request_of(b"ab", waits=True)

    async def handler():
        with pytest.raises(RuntimeError, match=r"`await request\.aload\(\)` first"):
            [*request.stream]  # noqa: B018 - it is iterated
        await request.aload()
        return [*request.stream]

    assert asyncio.run(handler()) == [b"ab"]


def test_by_for_on_a_loop_is_fine_where_there_is_no_body():
    request = request_of(has_body=False)

    async def handler():
        return [*request.stream], request.body, await awaited(request.stream)

    assert asyncio.run(handler()) == ([], b"", [])
    assert request.head.asked == 0
