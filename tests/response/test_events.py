"""Server-sent events and lines of JSON as responses, over every interface."""

import asyncio
import json
from contextlib import suppress
from dataclasses import dataclass
from itertools import count

import pytest

from antiphon import to_app
from antiphon.handler import failures
from antiphon.http.errors import Conflict
from antiphon.http.event import Event, parse_events
from antiphon.request.request import Request
from antiphon.response import events
from antiphon.response.events import HEARTBEAT, WithHeartbeats
from antiphon.response.response import Response
from antiphon.testing import Client
from tests.helpers.draining import draining_for
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "Source", "heartbeat")

SOON = 0.01
"""Seconds between heartbeats, where a test waits for some."""
LONG = 60.0
"""Seconds in which nothing beats during a test."""
GENERIC = Event('{"title":"Internal Server Error","status":500}', event="error")

SHUTTING_DOWN = Event(
    '{"type":"about:blank","title":"Service Unavailable","status":503,"detail":"The server is shutting down."}',
    event="error",
)

draining = draining_for(events)
grace_over = draining_for(events, failures, name="GRACE_OVER")


@pytest.fixture(params=[SyncValues, AsyncValues], ids=["blocking", "waiting"])
def Source(request):
    return request.param


@pytest.fixture(params=[LONG, None], ids=["beating", "not beating"])
def heartbeat(request):
    return request.param


@pytest.fixture
def connect(interface):

    def connect(function, **options):
        return Client(to_app(function), interface, timeout=10.0, **options)

    return connect


def text_of(response):
    """The body of a response as it comes, up to where it breaks off."""
    chunks = []
    with suppress(Exception):
        chunks.extend(response)
    return b"".join(chunks).decode()


async def busy():
    for number in count():
        await asyncio.sleep(0)
        yield str(number)


@dataclass
class Order:
    id: int


class TestEvents:
    @rows(
        "values, body",
            ([], ""),
            (["a", "é\nb"], "data: a\n\ndata: é\ndata: b\n\n"),
            ([Event("a", event="add", id="1")], "event: add\nid: 1\ndata: a\n\n"),
            ([Event({"é": [1]}, id="1")], 'id: 1\ndata: {"é":[1]}\n\n'),
            ([{"a": "1\n2"}, [1], 2.5], 'data: {"a":"1\\n2"}\n\ndata: [1]\n\ndata: 2.5\n\n'),
            ([True, None], "data: true\n\ndata: null\n\n"),
            ([Order(7), Event(Order(8))], 'data: {"id":7}\n\ndata: {"id":8}\n\n'),
            ([Event(comment="still there"), Event(retry=0.005)], ": still there\n\nretry: 5\n\n"),
        ids=["none", "text", "an event", "an event of a value", "values", "constants", "records", "without data"],
    )  # fmt: skip
    def test_are_sent_as_they_come(self, connect, Source, heartbeat, values, body):
        source = Source(values)
        response = connect(lambda request: Response.events(source, heartbeat=heartbeat)).get("/")
        assert response.text == body
        assert source.closed == 1
        fields = {name: response.headers[name] for name in ("content-type", "cache-control", "x-accel-buffering")}
        assert fields == {
            "content-type": "text/event-stream", "cache-control": "no-store", "x-accel-buffering": "no",
        }  # fmt: skip

    def test_go_with_status_and_headers(self):
        response = Response.events([], status=203, headers={"Cache-Control": "private", "x-a": "b"})
        assert (response.status, response.headers["cache-control"], response.headers["x-a"]) == (203, "private", "b")

    @rows(
        "options, error",
            ({"retry": -1}, ValueError), ({"retry": "1"}, ValueError), ({"heartbeat": 0}, ValueError),
            ({"heartbeat": -1}, ValueError), ({"heartbeat": float("inf")}, ValueError),
            ({"heartbeat": float("nan")}, ValueError), ({"heartbeat": "15"}, TypeError), ({"status": 99}, ValueError),
        ids=repr,
    )  # fmt: skip
    def test_are_refused_with_what_cannot_be(self, options, error):
        with pytest.raises(error):
            Response.events(AsyncValues(), **options)

    @rows("source", ["text", b"bytes", {"a": 1}, 5, None, count], ids=lambda value: type(value).__name__)
    @rows("make", [Response.events, Response.ndjson])
    def test_and_lines_do_not_come_from_what_is_no_iterator_of_values(self, make, source):
        with pytest.raises(TypeError, match="iterator"):
            make(source)


class TestLinesOfJSON:
    def test_are_sent_one_a_value(self, connect, Source):
        source = Source([{"a": "1\n2"}, "é", None, Order(7)])
        response = connect(lambda request: Response.ndjson(source)).get("/")
        assert response.text == '{"a":"1\\n2"}\n"é"\nnull\n{"id":7}\n'
        assert response.content_type == "application/x-ndjson"
        assert source.closed == 1

    def test_break_off_in_a_line_at_a_value_that_cannot_be_written(self, connect, Source, caplog):
        source = Source([1, object(), 3])
        client = connect(lambda request: Response.ndjson(source), raise_errors=False)
        with client.stream("GET", "/") as response:
            whole, cut = text_of(response).split("\n")
        assert whole == "1"
        with pytest.raises(
            ValueError, match=r"delimiter|Unterminated"
        ):  # Granian ends the response as if it were whole
            json.loads(cut)
        assert (source.read, source.closed) == (2, 1)
        assert [type(record.exc_info[1]) for record in caplog.records] == [TypeError]


@rows("make", [Response.events, Response.ndjson])
class TestASource:
    def test_that_is_not_read_is_closed(self, connect, Source, make):
        source = Source()
        response = connect(lambda request: make(source)).head("/")
        assert (response.body, source.read, source.closed) == (b"", 0, 1)

    def test_without_end_is_closed_when_the_client_goes(self, connect, Source, make, caplog):
        source = Source(count())
        with connect(lambda request: make(source)).stream("GET", "/") as response:
            assert [json.loads(next(response).decode().removeprefix("data: ")) for _ in range(3)] == [0, 1, 2]
        assert source.closed == 1
        assert caplog.records == []

    def test_that_is_silent_is_closed_when_the_client_goes(self, make, caplog):
        events = []

        async def silent():
            try:
                yield 1
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                events.append("closed")

        for interface in ("asgi", "rsgi"):
            with Client(to_app(lambda request: make(silent())), interface, timeout=10.0).stream("GET", "/") as response:
                next(response)
        assert events == ["closed", "closed"]
        assert caplog.records == []

    def test_runs_in_one_task_to_its_cleanup(self, connect, make):
        tasks = []

        async def waiting():
            try:
                async with asyncio.timeout(LONG):
                    tasks.append(asyncio.current_task())
                    yield 1
                    await asyncio.sleep(0)
                    tasks.append(asyncio.current_task())
                    yield 2
            finally:
                await asyncio.sleep(0)
                tasks.append(asyncio.current_task())

        connect(lambda request: make(waiting())).get("/")
        assert len(tasks) == 3
        assert len(set(tasks)) == 1


class TestASourceThatFails:
    @pytest.mark.parametrize(
        ("error", "told"),
        [
            (LookupError("secret"), GENERIC),
            (Conflict("sold out", members={"left": 0}), Event(
                '{"type":"about:blank","title":"Conflict","status":409,"detail":"sold out","left":0}', event="error"
            )),
            (Conflict("sold out", members={"bears": object()}), GENERIC),
        ],
        ids=["an error", "an HTTPError", "one that can't be written"],
    )  # fmt: skip
    def test_is_told_closed_logged_and_cut(self, interface, Source, heartbeat, caplog, error, told):
        source, ids = Source(["a"], error), []

        def handler(request):
            ids.append(request.id)
            return Response.events(source, heartbeat=heartbeat)

        client = Client(to_app(handler), interface, raise_errors=False, timeout=10.0)
        with client.stream("GET", "/") as response:
            assert parse_events(text_of(response)) == [Event("a"), told]
        assert source.closed == 1
        assert [record.exc_info[1] for record in caplog.records] == [error]
        assert ids[0] in caplog.text

    def test_raises_the_very_error_in_the_test(self, connect, Source, caplog):
        error = LookupError("boom")
        with pytest.raises(LookupError) as caught:
            connect(lambda request: Response.events(Source([], error))).get("/")
        assert caught.value is error

    @rows(
        "value", [object(), Event(object()), "\ud800", float], ids=["object", "event of an object", "surrogate", "type"]
    )
    def test_or_gives_what_cannot_be_written_is_told(self, connect, Source, heartbeat, caplog, value):
        source = Source([value, "b"])
        client = connect(lambda request: Response.events(source, heartbeat=heartbeat), raise_errors=False)
        with client.stream("GET", "/") as response:
            assert parse_events(text_of(response)) == [GENERIC]
        assert (source.read, source.closed) == (1, 1)
        assert len(caplog.records) == 1

    @pytest.mark.parametrize(("kind", "begin"), [(SyncValues, "__iter__"), (AsyncValues, "__aiter__")])
    def test_when_it_is_begun_is_told(self, connect, kind, begin, caplog):
        def fails(self):
            raise LookupError

        source = type("Broken", (kind,), {begin: fails})()
        client = connect(lambda request: Response.events(source), raise_errors=False)
        with client.stream("GET", "/") as response:
            assert parse_events(text_of(response)) == [GENERIC]
        assert source.closed == 1


class TestReconnection:
    def test_goes_on_after_the_last_event(self, connect, Source):
        def handler(request):
            first = int(request.last_event_id or 0)
            return Response.events(Source(Event(str(n), id=str(n)) for n in count(first + 1)))

        client, last_id = connect(handler), None
        for expected in (["1", "2"], ["3", "4"]):
            headers = {"last-event-id": last_id} if last_id else {}
            with client.stream("GET", "/", headers=headers) as response:
                events = parse_events("".join(next(response).decode() for _ in range(2)))
            assert [event.data for event in events] == expected
            last_id = events[-1].id

    @rows(
        "sent, read",
        [(None, None), ("", None), ("7", "7"), ("a b", "a b"), ("é€".encode().decode("latin-1"), "é€"), ("\xe9", None)],
    )
    def test_reads_the_id_in_utf_8(self, connect, interface, sent, read):
        headers = {} if sent is None else {"last-event-id": sent}
        assert Request.blank(headers=headers).last_event_id == read
        seen = []
        connect(lambda request: seen.append(request.last_event_id) or Response("x")).get("/", headers=headers)
        hidden = interface == "rsgi" and not (sent or "").isascii()  # its servers show ASCII only
        assert seen == [None if hidden else read]


class TestHeartbeats:
    def test_are_sent_while_a_source_is_silent_and_its_step_goes_on(self, connect):
        steps = []

        async def slow():
            for step in range(2):
                steps.append(step)
                await asyncio.sleep(5 * SOON)
                yield str(step)

        events = parse_events(connect(lambda request: Response.events(slow(), heartbeat=SOON)).get("/").text)
        assert [event for event in events if event != HEARTBEAT] == [Event("0"), Event("1")]
        assert events.index(Event("0")) > 0
        assert events.index(Event("1")) > events.index(Event("0")) + 1
        assert steps == [0, 1]

    def test_let_a_client_go_that_left_a_silent_source(self, connect, caplog):
        ended = []

        async def silent():
            try:
                await asyncio.Event().wait()
                yield "never"
            except asyncio.CancelledError:
                ended.append("cancelled")
                raise
            finally:
                await asyncio.sleep(0)
                ended.append("closed")

        with connect(lambda request: Response.events(silent(), heartbeat=SOON)).stream("GET", "/") as response:
            assert [next(response) for _ in range(2)] == [b": \n\n"] * 2
        assert ended == ["cancelled", "closed"]
        assert caplog.records == []

    def test_leave_timeouts_of_the_source_to_the_source(self, connect):
        async def patient():
            for _ in range(2):
                try:
                    async with asyncio.timeout(5 * SOON):
                        await asyncio.Event().wait()
                except TimeoutError:
                    yield "timeout"

        events = parse_events(connect(lambda request: Response.events(patient(), heartbeat=SOON)).get("/").text)
        assert [event for event in events if event != HEARTBEAT] == [Event("timeout")] * 2


class TestAProcessThatDrains:
    @pytest.mark.parametrize("retry", [None, 1])
    def test_ends_the_stream_at_once_with_the_time_to_come_back(self, connect, heartbeat, draining, retry, caplog):
        seen = []

        async def source():
            try:
                yield "first"
                asyncio.get_running_loop().call_later(SOON, draining.give)
                await asyncio.sleep(LONG)
            finally:
                seen.append("closed")

        client = connect(lambda request: Response.events(source(), heartbeat=heartbeat, retry=retry))
        again = f"retry: {retry}000\n\n" if retry else ""
        assert client.get("/").text == f"{again}data: first\n\n{again}"
        assert (seen, caplog.text) == (["closed"], "")

    def test_ends_a_blocking_source_after_its_next_event(self, connect, draining):
        def source():
            yield "first"
            draining.give()
            yield "second"
            yield "third"

        client = connect(lambda request: Response.events(source(), retry=0.005))
        assert client.get("/").text == "retry: 5\n\ndata: first\n\ndata: second\n\nretry: 5\n\n"

    def test_lets_a_stream_finish_that_asks_for_it(self, connect, Source, heartbeat, draining):
        draining.give()
        make = lambda request: Response.events(Source(["a", "b"]), heartbeat=heartbeat, on_drain="finish")  # noqa: E731
        assert connect(make).get("/").text == "data: a\n\ndata: b\n\n"

    @pytest.mark.parametrize("catches", [False, True])
    def test_ends_a_stream_with_an_error_when_its_time_is_over(self, connect, heartbeat, grace_over, catches, caplog):
        """The source is cancelled where it waits, for a value and between values that it has; it may catch that."""

        async def source():
            try:
                yield "first"
                asyncio.get_running_loop().call_later(SOON, grace_over.give)
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                if not catches:
                    raise
                yield "last words"
                await asyncio.sleep(0)
                yield "and more"

        client = connect(lambda request: Response.events(source(), heartbeat=heartbeat, on_drain="finish"))
        with client.stream("GET", "/") as response:
            first, *rest = parse_events(text_of(response))
        told = [Event("last words"), Event("and more")] if catches else [SHUTTING_DOWN]
        assert ((first, rest), caplog.text) == ((Event("first"), told), "")

    @pytest.mark.parametrize("steps", range(6))
    def test_cancels_a_source_only_where_it_waits(self, grace_over, steps):
        """Time is over just before a value comes, or just after."""

        async def source():
            try:
                yield "first"
                asyncio.get_running_loop().call_soon(grace_over.give)
                for _ in range(steps):
                    await asyncio.sleep(0)
                yield "second"
                await asyncio.sleep(LONG)
            except asyncio.CancelledError:
                yield "last words"

        make = lambda request: Response.events(source(), heartbeat=LONG, on_drain="finish")  # noqa: E731
        with Client(to_app(make), "wsgi", timeout=10.0).stream("GET", "/") as response:
            first, *rest = [each.data for each in parse_events(text_of(response))]
        assert (first, rest[-1], {*rest[:-1]} <= {"second"}) == ("first", "last words", True)

    def test_ends_a_busy_stream_when_its_time_is_over(self, connect, Source, heartbeat, grace_over, caplog):
        """It never waits long, or blocks; a client that reads slowly would hide the time from it."""
        grace_over.give()
        source = Source(map(str, count())) if Source is SyncValues else busy()
        make = lambda request: Response.events(source, heartbeat=heartbeat, on_drain="finish")  # noqa: E731
        with connect(make).stream("GET", "/") as response:
            *_, last = parse_events(text_of(response))
        assert (last, caplog.text) == (SHUTTING_DOWN, "")

    def test_has_already_ended_streams_that_begin(self, connect, draining):
        async def source():
            yield "never"

        draining.give()
        assert (
            connect(lambda request: Response.events(source(), retry=0.005)).get("/").text == "retry: 5\n\nretry: 5\n\n"
        )

    def test_knows_two_ways(self):
        with pytest.raises(ValueError, match="on_drain must be 'end' or 'finish', not 'now'"):
            Response.events([], on_drain="now")


class TestASourceWithHeartbeats:
    """What a source sees whose steps are waited for with heartbeats, as it would see it without."""

    def run(self, main):
        async def alone():
            result = await asyncio.wait_for(main(), 10)
            await asyncio.sleep(0)
            assert asyncio.all_tasks() == {asyncio.current_task()}
            return result

        return asyncio.run(alone())

    def test_does_not_run_ahead(self):
        source = AsyncValues(count())

        async def main():
            beating = WithHeartbeats(source, LONG)
            await asyncio.sleep(0)
            seen = [source.read]
            for _ in range(3):
                await anext(beating)
                await asyncio.sleep(SOON)
                seen.append(source.read)
            await beating.aclose()
            return seen

        assert self.run(main) == [0, 1, 2, 3]
        assert source.closed == 1

    def test_beats_when_it_was_quick_and_falls_silent(self):
        async def source():
            for number in range(3):
                yield number
            await asyncio.Event().wait()

        async def main():
            beating = WithHeartbeats(source(), SOON)
            seen = [await anext(beating) for _ in range(5)]
            await beating.aclose()
            return seen

        assert self.run(main) == [0, 1, 2, HEARTBEAT, HEARTBEAT]

    @rows("turns", range(6))
    def test_is_closed_whenever_it_is_cancelled(self, turns):
        source = AsyncValues(count())

        async def main():
            beating = WithHeartbeats(source, LONG)

            async def read():
                async for _ in beating:
                    pass

            task = asyncio.create_task(read())
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await beating.aclose()

        self.run(main)
        assert source.closed == 1

    @rows("outcome, wanted", [(None, asyncio.CancelledError), (LookupError("late"), LookupError)], ids=repr)
    def test_waits_for_a_step_that_is_cancelled(self, outcome, wanted):
        events = []

        async def slow():
            try:
                yield await asyncio.Event().wait()
            finally:
                await asyncio.sleep(3 * SOON)
                events.append("cleaned up")
                if outcome:
                    raise outcome

        async def main():
            beating = WithHeartbeats(slow(), SOON)
            assert await anext(beating) == HEARTBEAT
            task = asyncio.create_task(beating.__anext__())
            await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(wanted):
                await task
            await beating.aclose()

        self.run(main)
        assert events == ["cleaned up"]

    def test_does_not_lose_a_cancellation_that_comes_with_a_value(self):
        ends = []

        async def source():
            try:
                await asyncio.sleep(0)
                asyncio.get_running_loop().call_soon(reader.cancel)
                yield "a"
            except BaseException as error:
                ends.append(type(error))
                raise

        async def main():
            nonlocal reader
            beating = WithHeartbeats(source(), LONG)
            reader = asyncio.create_task(beating.__anext__())
            with pytest.raises(asyncio.CancelledError):
                await reader
            await beating.aclose()

        reader = None
        self.run(main)
        assert ends == [GeneratorExit]

    def test_tells_of_an_error_that_nobody_has_seen_when_it_is_closed(self):
        async def fails():
            await asyncio.sleep(2 * SOON)
            raise LookupError("between heartbeats")
            yield

        async def main():
            beating = WithHeartbeats(fails(), SOON)
            assert await anext(beating) == HEARTBEAT
            await asyncio.sleep(5 * SOON)
            with pytest.raises(LookupError):
                await beating.aclose()
            await beating.aclose()

        self.run(main)
