"""What runs promise, with each store."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from dataclasses import dataclass

import pytest

from antiphon.features import RunEnded, Runs, ValuesMissed, current_run
from antiphon.features.runs.record import Line, Record, part_name, read_line
from antiphon.features.runs.run import read_all
from antiphon.features.runs.runs import stored_owner
from antiphon.http import Event, NotFound, ServiceUnavailable, TooManyRequests
from tests.features.channels.on_loop import on_loop
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.usefixtures(
    "open_store", "all_end"
)  # each test runs with each of the stores: they are its subject


async def numbers(count, pause=0.0):
    for number in range(1, count + 1):
        await asyncio.sleep(pause)
        yield number


def numbers_of_def(count):
    yield from range(1, count + 1)


async def events(run, since=None):
    async with asyncio.timeout(DEADLINE):
        return [event async for event in run.follow(since)][1:]


async def told(run, since=None):
    """Return the data of the values, and the name of the last event."""
    *values, end = await events(run, since)
    return [event.data for event in values], end.event


async def ended(runs, run):
    async with asyncio.timeout(DEADLINE):
        while (found := await runs.afind(run.id, owner=run.owner)).ended is None:
            await asyncio.sleep(0.02)
    return found


class Gate:
    """A source that gives a number each time that it is let."""

    def __init__(self):
        self.given = asyncio.Queue()
        self.is_closed = asyncio.Event()

    async def __aiter__(self):
        try:
            while (value := await self.given.get()) is not None:
                yield value
        finally:
            self.is_closed.set()

    def give(self, *values):
        for value in values:
            self.given.put_nowait(value)


@rows("make", [numbers, numbers_of_def])
def test_each_follower_gets_each_value_once_and_in_order(open_store, make):
    async def follow():
        here, there = Runs(open_store()), Runs(open_store())
        run = await here.astart(make(200), owner=7)
        same = await there.afind(run.id, owner=7)
        followed = [told(each) for each in (run, same, run, same)]
        assert await asyncio.gather(*followed) == [([str(n) for n in range(1, 201)], "done")] * 4
        assert await told(await there.afind(run.id, owner=7)) == ([str(n) for n in range(1, 201)], "done")

    asyncio.run(follow())


@on_loop
async def test_a_client_that_comes_back_goes_on_after_its_last_event(open_store):
    here, there = Runs(open_store()), Runs(open_store())
    gate = Gate()
    run = await here.astart(gate, owner=7)
    gate.give("a", "b", {"c": 1})
    following = run.follow()
    async with asyncio.timeout(DEADLINE):
        first = [await anext(following) for _ in range(3)]
    assert [event.data for event in first] == [None, "a", "b"]
    await following.aclose()
    rest = asyncio.create_task(events(await there.afind(run.id, owner=7), first[1].id))
    gate.give("d", None)
    *values, end = await rest
    assert [event.data for event in values] == ["b", '{"c":1}', "d"]
    assert end == Event({"total": 4}, event="done")
    assert await events(await there.afind(run.id, owner=7), values[-1].id) == [end]


@on_loop
async def test_an_id_of_another_run_or_none_begins_at_the_start(open_store):
    runs = Runs(open_store())
    run, other = [await runs.astart(numbers(3), owner=owner) for owner in (7, 8)]
    foreign = (await events(other))[1].id
    for since in (foreign, "", "x", "1", run.id, f"{run.id[:8]}.0-1", f"{run.id[:8]}.1-0", f"{run.id[:8]}.1-{9**30}"):
        assert await told(run, since) == (["1", "2", "3"], "done")
    assert await told(run, f"{run.id[:8]}.1-999") == ([], "done")


@on_loop
async def test_nothing_waits_for_a_reader_and_a_late_one_is_told_what_it_missed(open_store):
    runs = Runs(open_store(), max_values=50, max_bytes=1000)
    gate = Gate()
    run = await runs.astart(gate, owner=7)
    slow = run.follow()
    gate.give(*range(10))
    async with asyncio.timeout(DEADLINE):
        while (await anext(slow)).data != "9":
            pass
    gate.give(*range(10, 500), None)
    await ended(runs, run)
    last = [event async for event in slow]
    late = await events(await runs.afind(run.id, owner=7))
    for heard, before in ((last, 10), (late, 0)):
        number = before
        for event in heard[:-1]:
            assert event.event == "missed" or event.data == str(number)
            number += event.data["total"] if event.event else 1
        assert number == 500
        assert heard[-1] == Event({"total": 500}, event="done")
    assert sum(event.data["total"] for event in late if event.event == "missed") >= 300


@on_loop
async def test_what_is_kept_is_bounded_in_bytes_too(open_store):
    runs = Runs(open_store(), max_bytes=20_000)
    run = await runs.astart(("x" * 990 for _ in range(200)), owner=7)
    await ended(runs, run)
    missed, *values, _ = await events(await runs.afind(run.id, owner=7))
    assert 10 <= len(values) <= 40  # Valkey drops in blocks
    assert missed.data["total"] + len(values) == 200


@rows(
    "error, problem",
        (ValueError("secret"), {"type": "about:blank", "title": "Internal Server Error", "status": 500}),
        (NotFound("None."), {"type": "about:blank", "title": "Not Found", "status": 404, "detail": "None."}),
        (SystemExit("secret"), {"type": "about:blank", "title": "Internal Server Error", "status": 500}),
        (KeyboardInterrupt("secret"), {"type": "about:blank", "title": "Internal Server Error", "status": 500}),
)  # fmt: skip
def test_a_failure_is_told_without_its_reason(open_store, error, problem, caplog):
    async def broken():
        yield 1
        raise error

    def broken_of_def():
        yield 1
        raise error

    async def fail():
        runs = Runs(open_store())
        for source in (broken(), broken_of_def()):
            run = await runs.astart(source, owner=7)
            values, end = [*await events(run)]
            assert (values.data, end) == ("1", Event({"total": 1, "problem": problem}, event="failed"))
            assert (await ended(runs, run)).state == "failed"
            with pytest.raises(RunEnded) as caught:
                [value async for value in run.values()]
            assert (caught.value.state, caught.value.problem) == ("failed", problem)

    asyncio.run(fail())
    assert caplog.text.count(str(error)) >= 2


@rows(
    "value, reason",
    [(object(), "object can't be written"), ("x" * 400, "402 bytes of JSON, more than 300: yield less")],
)
def test_a_value_that_can_not_be_kept_fails_the_run(open_store, value, reason, caplog):
    async def fail():
        run = await Runs(open_store(), max_bytes=300).astart(iter([value]), owner=7)
        return await told(run)

    assert asyncio.run(fail()) == ([], "failed")
    assert reason in caplog.text


@on_loop
async def test_a_run_is_stopped_from_any_process_and_its_source_is_closed(open_store):
    here, there = Runs(open_store(), lease=1.5), Runs(open_store(), lease=1.5)
    for runs in (here, there):
        gate = Gate()
        run = await here.astart(gate, owner=7)
        gate.give(1)
        following = asyncio.create_task(told(await there.afind(run.id, owner=7)))
        async with asyncio.timeout(DEADLINE), aclosing(run.follow()) as begun:
            assert [(await anext(begun)).data for _ in range(2)] == [None, "1"]
        assert await (await runs.afind(run.id, owner=7)).astop()
        assert (await following)[1] == "stopped"
        async with asyncio.timeout(DEADLINE):
            await gate.is_closed.wait()
        assert not await run.astop()
        assert (await ended(there, run)).state == "stopped"
        gate.give(2)
        assert (await told(run))[1] == "stopped"


def test_threads_start_find_follow_and_stop(open_store):
    go_on = threading.Event()
    closed = threading.Event()

    def source():
        try:
            yield 1
            go_on.wait(DEADLINE)
            yield 2
            yield 3
        finally:
            closed.set()

    runs = Runs(open_store())
    run = runs.start(source(), owner="ann")
    assert [each.id for each in runs.owned_by("ann")] == [run.id]
    assert runs.find(run.id, owner="ann").stop()
    go_on.set()
    assert closed.wait(DEADLINE)
    assert asyncio.run(told(run))[1] == "stopped"
    run = runs.start(numbers(3), owner="ann")  # on the background loop
    eventually(lambda: runs.find(run.id, owner="ann").ended, "it has not ended")
    assert asyncio.run(told(run)) == (["1", "2", "3"], "done")


@on_loop
async def test_runs_are_found_and_listed_by_their_owner_alone(open_store):
    runs = Runs(open_store())
    ann, bob = [await runs.astart(numbers(1), owner=owner) for owner in ("ann", "bob")]
    gate = Gate()
    live = await runs.astart(gate, owner="ann")
    free = await runs.astart(numbers(1))
    for _ in range(2):
        assert [run.id for run in await runs.aowned_by("ann")] == [ann.id, live.id]
        assert [run.id for run in await runs.aowned_by("bob")] == [bob.id]
        assert await runs.aowned_by("eve") == []
        for id_, owner in [(ann.id, "bob"), (ann.id, None), (free.id, "ann"), ("x", "ann"), ("", None),
                           (ann.id[:-1], "ann"), (f"{ann.id}\0", "ann"), ("\ud800", "ann"),
                           ("x" * 100_000, "ann")]:  # fmt: skip
            with pytest.raises(NotFound):
                await runs.afind(id_, owner=owner)
        assert (await runs.afind(free.id, owner=None)).id == free.id
        await ended(runs, ann)
        await ended(runs, bob)
        await ended(runs, free)
    gate.give(None)
    assert len({ann.id, bob.id, live.id, free.id}) == 4
    assert min(len(run.id) for run in (ann, bob, live, free)) >= 22
    assert min(run.started for run in (ann, bob, live, free)) > 1e9


@rows("owner, error", [(True, TypeError), (b"ann", TypeError), (object(), TypeError), ("", ValueError)])
def test_an_owner_is_an_id(open_store, owner, error):
    async def start():
        closed = []

        async def source():
            yield closed.append(1)

        for call in (Runs(open_store()).astart(source(), owner=owner), Runs(open_store()).afind("x", owner=owner)):
            with pytest.raises(error, match="an owner"):
                await call
        with pytest.raises(TypeError, match="the owner can't be None"):
            await Runs(open_store()).aowned_by(None)

    asyncio.run(start())


@on_loop
async def test_so_many_runs_are_live_at_once_in_all_processes_and_for_each_owner(open_store):
    here, there = (
        Runs(open_store(), max_runs=3, max_runs_per_owner=2),
        Runs(open_store(), max_runs=3, max_runs_per_owner=2),
    )
    gates = [Gate() for _ in range(3)]
    for gate, owner in zip(gates, ("ann", "ann", "bob"), strict=True):
        await here.astart(gate, owner=owner)
    refused = Gate()
    with pytest.raises(ServiceUnavailable) as busy:
        await there.astart(refused, owner="eve")
    assert busy.value.headers["retry-after"]
    gates[2].give(None)
    await gates[2].is_closed.wait()
    await asyncio.sleep(0.1)
    with pytest.raises(TooManyRequests) as busy:
        await there.astart(refused, owner="ann")
    assert busy.value.headers["retry-after"]
    gates[0].give(None)
    async with asyncio.timeout(DEADLINE):
        while True:
            try:
                run = await there.astart(numbers(1), owner="ann")
                break
            except (ServiceUnavailable, TooManyRequests):
                await asyncio.sleep(0.05)
    assert await told(run) == (["1"], "done")
    gates[1].give(None)


@on_loop
async def test_many_that_start_at_once_are_never_too_many(open_store):
    processes = [Runs(open_store(), max_runs=5) for _ in range(4)]
    gates = [Gate() for _ in range(20)]

    async def start(number):
        try:
            return await processes[number % 4].astart(gates[number], owner=number)
        except ServiceUnavailable:
            return None

    started = [run for run in await asyncio.gather(*map(start, range(20))) if run is not None]
    assert len(started) <= 5
    for gate in gates:
        gate.give(None)


@on_loop
async def test_a_run_fails_at_its_deadline(open_store):
    runs = Runs(open_store(), deadline=0.2)
    gate = Gate()
    run = await runs.astart(gate, owner=7)
    *_, end = await events(run)
    assert (end.event, end.data["problem"]["title"]) == ("failed", "The run took too long")
    await gate.is_closed.wait()
    may_go = threading.Event()

    def stuck():
        may_go.wait(DEADLINE)
        yield may_go.is_set()

    assert (await told(await runs.astart(stuck(), owner=7)))[1] == "failed"
    may_go.set()


@on_loop
async def test_an_ended_run_is_forgotten(open_store):
    runs = Runs(open_store(), ttl=0.3)
    run = await runs.astart(numbers(3), owner=7)
    assert (await told(run))[1] == "done"
    async with asyncio.timeout(DEADLINE):
        while await runs.aowned_by(7):
            await asyncio.sleep(0.05)
    with pytest.raises(NotFound):
        await runs.afind(run.id, owner=7)
    async with asyncio.timeout(DEADLINE):
        while True:  # its values go with one of the next runs
            await (await runs.astart(numbers(1), owner=7)).astop()
            hub, log = runs._own().ledger.hub(run.id), runs._own().ledger.log(run.id)
            feed = await asyncio.to_thread(hub.join, log, runs._bounds.keep)
            found = feed.all()
            hub.leave(feed)
            if not found:
                break
            await asyncio.sleep(0.1)


@dataclass
class Token:
    text: str


@on_loop
async def test_values_come_back_as_their_type(open_store):
    async def tokens() -> AsyncIterator[Token]:
        yield Token("a")
        yield Token("b")

    runs = Runs[Token](open_store())
    run = await runs.astart(tokens(), owner=7)
    assert [value async for value in run.values()] == [Token("a"), Token("b")]
    assert [value async for value in run.values((await events(run))[0].id)] == [Token("b")]
    late = Runs[Token](open_store(), max_values=1, max_bytes=100)
    run = await late.astart((Token(str(n)) for n in range(500)), owner=7)
    await ended(late, run)
    with pytest.raises(ValuesMissed):
        [value async for value in (await late.afind(run.id, owner=7)).values()]


@on_loop
async def test_a_source_has_no_request_and_knows_its_run(open_store):
    async def source():
        yield [current_run().id, current_run().earlier_values(), current_run().is_draining]

    def source_of_def():
        yield [current_run().id, current_run().earlier_values(), current_run().is_draining]

    runs = Runs(open_store())
    for made in (source(), source_of_def()):
        run = await runs.astart(made, owner=7)
        assert [value async for value in run.values()] == [[run.id, [], False]]
    with pytest.raises(RuntimeError, match="no run"):
        current_run()


@rows("source", ["text", b"bytes", {"a": 1}, 7, None, numbers])
def test_others_are_not(open_store, source):
    async def start():
        with pytest.raises(TypeError, match="made from an iterator"):
            await Runs(open_store()).astart(source, owner=7)

    asyncio.run(start())


def taken_over(runs, run):
    """Let a run look like that of a worker that was killed: another one begins the next attempt."""
    own = runs._own()

    def take():
        return own.ledger.take(own.ledger.load(run.id), own.worker.token, is_crash=True)

    return eventually(take, "the run was not taken over")  # its own process may renew its lease in between


@on_loop
async def test_a_worker_that_was_given_up_and_does_not_know_it_changes_nothing(open_store):
    here, there = Runs(open_store()), Runs(open_store())

    def make(runs):
        @runs.restartable
        async def count(to: int) -> AsyncIterator[int]:
            for number in range(len(current_run().earlier_values()) + 1, to + 1):
                await asyncio.sleep(0.02)
                yield number

        return count

    count, _ = make(here), make(there)
    run = await here.astart(count(30), owner=7)
    following = asyncio.create_task(events(run))
    await asyncio.sleep(0.2)
    record = await asyncio.to_thread(taken_over, there, run)
    await asyncio.to_thread(there._start_again, record)
    heard = await following
    values = [int(event.data) for event in heard if event.event is None]
    again = [event for event in heard if event.event == "missed"]
    assert heard[-1] == Event({"total": 30}, event="done")
    if not again:  # the first worker wrote nothing between the look of the second one and its beginning
        assert values == [*range(1, 31)]
    assert values[-1] == 30
    assert [event.id.partition(".")[2][0] for event in heard if event.id] == sorted(
        event.id.partition(".")[2][0] for event in heard if event.id
    )


@rows("count, values", [(4, [b"1"]), (5, [b"1", b"3"]), (6, [b"1", b"3", b"4"])])
def test_what_a_given_up_worker_wrote_last_is_replaced(open_store, count, values):
    ledger = Runs(open_store())._own().ledger
    lines = [
        ("b", 1, 0, b""), ("v", 1, 1, b"1"), ("v", 1, 2, b"2"), ("b", 2, 1, b""), ("v", 2, 2, b"3"), ("v", 2, 3, b"4"),
    ]  # fmt: skip
    for line in lines[:count]:
        ledger.tell(f"run {count}", Line(*line))
    total, _, found = read_all(ledger, f"run {count}")
    assert (total, [line.text for line in found]) == (len(values), values)


@rows("attempts, kept", [([1], 1), ([1, 2], 2), ([2, 1], 2), ([2, 2], 2)])
def test_a_part_of_a_log_is_kept_from_the_latest_attempt(open_store, attempts, kept):
    ledger = Runs(open_store())._own().ledger
    record = Record("a", None, "running", "worker")
    for attempt in attempts:
        ledger.put_part(record._replace(attempt=attempt), part_name(0), {"lines": b"%d" % attempt})
    assert [each["lines"] for each in ledger.beside("a")] == [b"%d" % kept]


@rows("crashes, end", [(0, ("123", "done")), (1, ("123", "done")), (2, ("", "interrupted"))])
def test_a_run_whose_process_was_killed_three_times_is_not_started_again(open_store, crashes, end):
    """It may be what kills them."""

    async def watch():
        runs = Runs(open_store(), lease=0.5)

        @runs.restartable
        async def count() -> AsyncIterator[int]:
            for number in (1, 2, 3):
                yield number

        record = Record(
            f"run {crashes}", stored_owner(7), "running", "a dead worker", crashes=crashes, function=count().name
        )
        await asyncio.to_thread(runs._own().ledger.add, record._replace(arguments=b"{}"))
        values, last = await told(await runs.afind(record.id, owner=7))
        return "".join(values), last

    assert asyncio.run(watch()) == end


@rows("annotation, given", [(int, ("1",)), (int, ()), (Token, ({"text": 1},))])
def test_arguments_that_can_not_be_kept_are_refused_where_they_are_given(open_store, annotation, given):
    runs = Runs(open_store())

    def source(value) -> Iterator[int]:
        yield 1

    with pytest.raises(TypeError, match="needs a name and an annotation"):
        runs.restartable(source)
    source.__annotations__["value"] = annotation
    call = runs.restartable(source)
    with pytest.raises(TypeError):
        call(*given)
    with pytest.raises(ValueError, match="two functions"):
        runs.restartable(source)


def test_lines_are_read_as_they_were_written():
    for written in (b'v 1 2 "a b"', b"b 3 0 ", b'e 1 5 ["done",null]'):
        assert read_line(written).written == written


# What is kept


@on_loop
async def test_more_values_than_a_log_holds_are_kept_beside_it(open_store):
    """Whoever comes late or in the middle gets each of them, and so does a second process."""
    here, there = (Runs(open_store(), max_values=40, max_value_size=500) for _ in range(2))
    values = [str(number) * (400 if number % 90 == 0 else 1) for number in range(1, 1001)]
    run = await here.astart((value for value in values), owner=7)
    heard = await asyncio.gather(*[events(await each.afind(run.id, owner=7)) for each in (here, there)])
    await ended(here, run)
    heard += [await events(await there.afind(run.id, owner=7))]
    for each in heard:
        assert [event.data for event in each[:-1]] == values
        assert each[-1] == Event({"total": 1000}, event="done")
    for number in (1, 17, 35, 36, 500, 999):
        rest = await events(await there.afind(run.id, owner=7), heard[0][number - 1].id)
        assert [event.data for event in rest[:-1]] == values[number:]
    assert await asyncio.to_thread(len, there._own().ledger.beside(run.id)) > 100


@on_loop
async def test_large_values_and_parts_are_dropped_oldest_first_and_nothing_is_left_of_them(open_store):
    runs = Runs(open_store(), max_values=16, max_value_size=100, max_bytes=6000)
    run = await runs.astart(("x" * (1000 if n % 5 == 0 else 10) for n in range(60)), owner=7)
    await ended(runs, run)
    missed, *values, _ = await events(await runs.afind(run.id, owner=7))
    assert missed.event == "missed"
    assert [len(event.data) for event in values] == [1000 if n % 5 == 0 else 10 for n in range(60)][-len(values) :]
    kept = await asyncio.to_thread(runs._own().ledger.beside, run.id)
    assert sum(len(each.get("value", b"")) for each in kept) <= 6000
    assert len([each for each in kept if "value" in each]) == sum(len(event.data) == 1000 for event in values)


@on_loop
async def test_a_run_that_is_started_again_knows_all_of_its_values(open_store):
    here, there = (Runs(open_store(), max_values=16, max_value_size=100, lease=0.6) for _ in range(2))
    known, has_stopped = [], threading.Event()

    def make(runs, stops_at):
        @runs.restartable
        async def count(to: int) -> AsyncIterator[str]:
            known.append([*current_run().earlier_values()])
            for number in range(len(known[-1]) + 1, to + 1):
                if number == stops_at:  # the values before it are stored
                    has_stopped.set()
                    await asyncio.Event().wait()
                yield str(number) * (100 if number % 20 == 0 else 1)

        return count

    count = make(here, 150)
    make(there, None)
    run = await here.astart(count(300), owner=7)
    async with asyncio.timeout(DEADLINE):
        while not has_stopped.is_set():
            await asyncio.sleep(0.02)
    record = await asyncio.to_thread(taken_over, there, run)
    await asyncio.to_thread(there._start_again, record)
    values = [str(number) * (100 if number % 20 == 0 else 1) for number in range(1, 301)]
    assert await told(await there.afind(run.id, owner=7)) == (values, "done")
    assert known == [[], values[:149]]


@on_loop
async def test_a_repeated_key_of_an_owner_is_the_same_run(open_store):
    here, there = Runs(open_store()), Runs(open_store())
    gates = [Gate() for _ in range(20)]
    started = [runs.astart(gate, owner="ann", key="one") for gate, runs in zip(gates, [here, there] * 10, strict=True)]
    runs = await asyncio.gather(*started)
    assert len({run.id for run in runs}) == 1
    others = {
        (await here.astart(gate, owner=owner, key=key)).id
        for gate, owner, key in [(Gate(), "bob", "one"), (Gate(), "ann", "two"), (Gate(), "ann", None)]
    }
    assert len(others - {runs[0].id}) == 3
    for gate in gates:  # of which one is read
        gate.give("a", None)
    assert await told(runs[0]) == (["a"], "done")
    again = await there.astart(Gate(), owner="ann", key="one")
    assert (again.id, again.owner) == (runs[0].id, "ann")
    assert await told(again) == (["a"], "done")
    with pytest.raises(TypeError, match="a key belongs to an owner"):
        await here.astart(Gate(), key="one")
    for production in _productions(here, there):
        await asyncio.to_thread(production.end, "stopped")


def _productions(*runs):
    return [production for each in runs for production in [*each._own().worker.productions.values()]]


@on_loop
async def test_the_key_of_a_run_that_could_not_start_is_free_again(open_store):
    runs = Runs(open_store(), max_runs_per_owner=1)
    gate = Gate()
    await runs.astart(gate, owner="ann")
    with pytest.raises(TooManyRequests):
        await runs.astart(Gate(), owner="ann", key="one")
    gate.give(None)
    async with asyncio.timeout(DEADLINE):
        while (await runs.aowned_by("ann"))[0].ended is None:
            await asyncio.sleep(0.02)
    assert await told(await runs.astart(iter("b"), owner="ann", key="one")) == (["b"], "done")


@rows("is_live", [True, False])
def test_a_deleted_run_is_gone(open_store, is_live):
    async def delete():
        here, there = Runs(open_store(), lease=0.5), Runs(open_store(), lease=0.5)
        gate = Gate()
        run = await here.astart(gate, owner="ann", key="one")
        following = asyncio.create_task(told(await there.afind(run.id, owner="ann")))
        gate.give("a", *([] if is_live else [None]))
        await (asyncio.sleep(0.2) if is_live else ended(here, run))
        await (await there.afind(run.id, owner="ann")).adelete()
        assert (await following)[1] == ("stopped" if is_live else "done")
        async with asyncio.timeout(DEADLINE):
            while run.id in here._own().worker.productions:
                await asyncio.sleep(0.02)
        await asyncio.sleep(0.6)
        for runs in (here, there):
            with pytest.raises(NotFound):
                await runs.afind(run.id, owner="ann")
            assert await runs.aowned_by("ann") == []
        ledger = here._own().ledger
        assert await asyncio.to_thread(ledger.beside, run.id) == []
        async with asyncio.timeout(DEADLINE):  # this process forgets what it had read for its followers
            while not is_live and await asyncio.to_thread(read_all, ledger, run.id) != (0, [], []):
                await asyncio.sleep(0.02)
        assert await told(await there.astart(iter("b"), owner="ann", key="one")) == (["b"], "done")
        await run.adelete()

    asyncio.run(delete())


@on_loop
async def test_functions_for_the_end_are_called_once_before_it_is_told(open_store, caplog):
    stored, heard = [], []
    here, there = (Runs(open_store(), lease=0.6) for _ in range(2))
    for runs in (here, there):

        @runs.on_end
        async def store(run, values):
            await asyncio.sleep(0.05)
            stored.append((run.id, run.state, values, [*heard]))

        @runs.on_end
        def fail(run, values):
            raise SystemExit("a broken function")

        @runs.on_end
        async def afail(run, values):
            raise SystemExit("a broken function")

    run = await here.astart(iter("ab"), owner="ann")
    heard.append(await told(await there.afind(run.id, owner="ann")))
    assert heard == [(["a", "b"], "done")]
    stopped = await here.astart(gate := Gate(), owner="ann")
    gate.give("c")
    following = asyncio.create_task(told(stopped))
    await asyncio.sleep(0.2)
    assert await (await there.afind(stopped.id, owner="ann")).astop()
    assert await following == (["c"], "stopped")
    await asyncio.sleep(1)
    assert stored == [(run.id, "done", ["a", "b"], []), (stopped.id, "stopped", ["c"], heard)]
    assert caplog.text.count("failed at the end of the run") == 4


@on_loop
async def test_functions_for_the_end_are_called_by_another_process_if_the_first_one_dies(open_store):
    here, there = (Runs(open_store(), lease=0.6) for _ in range(2))
    stored = []
    here.on_end(lambda run, values: stored.append("here"))
    there.on_end(lambda run, values: stored.append((run.state, values)))
    worker = here._own().worker
    worker._settle = lambda *_: True  # it is killed before they are called
    run = await here.astart(iter("ab"), owner="ann")
    following = await there.afind(run.id, owner="ann")
    assert await told(following) == (["a", "b"], "done")
    assert stored == [("done", ["a", "b"])]
    assert (await ended(there, following)).state == "done"


@on_loop
async def test_no_owner_is_in_the_store(open_store, tmp_path):
    store = open_store()
    run = await Runs(store).astart(iter("a"), owner="ann@example.com", key="a secret key")
    await told(run)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    record = await asyncio.to_thread(Runs(store)._own().ledger.load, run.id)
    for written in (*files, repr(record).encode()):
        assert b"ann@example.com" not in written
        assert b"a secret key" not in written
