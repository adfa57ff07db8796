"""Runs while their store is full, frozen or gone, and while clocks are wrong."""

import asyncio
import sqlite3
import time
from contextlib import closing, suppress

import pytest

from antiphon.features import Runs, SQLiteStore, StoreUnavailable, ValkeyStore
from antiphon.features.runs import production
from antiphon.features.runs.worker import Observed
from antiphon.http import NotFound
from tests.features.channels.on_loop import on_loop
from tests.features.runs.test_contract import Gate, ended, events, numbers, told
from tests.helpers.rows import rows
from tests.helpers.small_disks import small_file_system
from tests.helpers.waiting import DEADLINE

pytestmark = [pytest.mark.once, pytest.mark.processes]


@on_loop
async def test_runs_go_on_after_a_server_froze(server):
    """Nobody looks dead while it is frozen, for longer than a lease, and no value is lost or comes twice."""
    store = ValkeyStore(server.url, connect_timeout=0.3, timeout=0.3)
    here, there = Runs(store, lease=1), Runs(ValkeyStore(server.url, connect_timeout=0.3, timeout=0.3), lease=1)
    run = await here.astart(numbers(60, 0.02), owner=7)
    following = asyncio.create_task(told(await there.afind(run.id, owner=7)))
    await asyncio.sleep(0.4)
    server.freeze()
    with pytest.raises(StoreUnavailable):
        await there.astart(numbers(1), owner=7)
    await asyncio.sleep(2)
    server.thaw()
    assert await following == ([str(n) for n in range(1, 61)], "done")


@on_loop
async def test_followers_are_told_what_a_server_has_forgotten(server):
    """It keeps nothing on a disk, and is killed: the producer writes the run down again."""
    store = ValkeyStore(server.url, connect_timeout=0.3, timeout=0.3)
    runs = Runs(store, lease=1)
    run = await runs.astart(numbers(100, 0.02), owner=7)
    following = asyncio.create_task(events(run))
    await asyncio.sleep(0.5)
    server.stop()
    server.start()
    heard = await following
    values = [int(event.data) for event in heard if event.event is None]
    missed = sum(event.data["total"] for event in heard if event.event == "missed")
    assert values == sorted({*values})
    assert len(values) + missed == heard[-1].data["total"] == 100
    assert (await ended(runs, run)).state == "done"
    late = await events(await runs.afind(run.id, owner=7))
    assert (
        sum(event.data["total"] for event in late if event.event == "missed")
        + len([event for event in late if event.event is None])
        == 100
    )


@on_loop
async def test_a_store_that_stays_away_fails_the_run_and_the_source_waits(server, monkeypatch):
    monkeypatch.setattr(production, "PATIENCE", 1)
    runs = Runs(ValkeyStore(server.url, connect_timeout=0.2, timeout=0.2), lease=1)
    given = []

    async def source():
        try:
            for n in range(10_000):
                given.append(n)
                yield n
                await asyncio.sleep(0.01)
        finally:
            given.append("closed")

    run = await runs.astart(source(), owner=7)
    await asyncio.sleep(0.3)
    server.freeze()
    await asyncio.sleep(0.5)
    count = len(given)
    async with asyncio.timeout(DEADLINE):
        while given[-1] != "closed":
            await asyncio.sleep(0.05)
    assert len(given) <= count + 2
    server.thaw()
    async with asyncio.timeout(DEADLINE):
        while True:
            with suppress(StoreUnavailable):
                assert (await told(await runs.afind(run.id, owner=7)))[1] == "failed"
                break
            await asyncio.sleep(0.1)


def test_a_full_disk_holds_up_a_run_until_there_is_room(tmp_path, request):
    with small_file_system("tmpfs", tmp_path) as disk, closing(SQLiteStore(disk / "runs.db", timeout=0.5)) as store:

        async def fill():
            runs = Runs(store, lease=1, max_bytes=1 << 30, max_value_size=1 << 20)
            gate = Gate()
            run = await runs.astart(gate, owner=7)
            gate.give("small")
            following = asyncio.create_task(events(run))
            await asyncio.sleep(0.3)
            filler = disk / "filler"
            with filler.open("wb") as file, pytest.raises(OSError, match="space"):  # noqa: PT012
                while True:
                    file.write(bytes(4096))
                    file.flush()
            gate.give("x" * 100_000, None)
            await asyncio.sleep(1)
            assert not following.done()
            with pytest.raises(StoreUnavailable):
                await runs.astart(iter(["x" * 100_000]), owner=8)
            filler.unlink()
            return await following

        assert [len(event.data) for event in asyncio.run(fill())] == [5, 100_000, 1]


class Clock:
    shift = 0.0

    def __call__(self):
        return time.time() + self.shift


@rows("shift", [-3600, 3600, -(10**8), 10**8])
def test_a_clock_that_is_set_ends_no_run_and_hides_no_dead_worker(tmp_path, shift):
    async def watch():
        clock = Clock()
        store, other = (SQLiteStore(tmp_path / "runs.db", clock=clock) for _ in range(2))
        here, there = Runs(store, lease=1.5), Runs(other, lease=1.5)
        gate = Gate()
        run = await here.astart(gate, owner=7)
        following = asyncio.create_task(told(await there.afind(run.id, owner=7)))
        gate.give(1)
        await asyncio.sleep(0.5)
        clock.shift = shift
        await asyncio.sleep(2)
        gate.give(2)
        assert not following.done()
        here._own().worker._ledger.beat = lambda *_: None  # it is dead
        assert await following == (["1", "2"], "interrupted")
        gate.give(None)
        for each in (store, other):
            await asyncio.sleep(0.1)
            each.close()

    asyncio.run(watch())


@on_loop
async def test_an_end_that_was_not_told_is_told_by_a_follower(tmp_path):
    """A process was killed after it had written the state, and before the log."""
    store = SQLiteStore(tmp_path / "runs.db")
    here, there = Runs(store, lease=0.6), Runs(store, lease=0.6)
    gate = Gate()
    run = await here.astart(gate, owner=7)
    following = asyncio.create_task(told(await there.afind(run.id, owner=7)))
    gate.give(1)
    await asyncio.sleep(0.2)
    ledger = here._own().ledger
    assert await asyncio.to_thread(ledger._change, run.id, None, "stopped", None)
    assert await following == (["1"], "stopped")
    gone = asyncio.create_task(told(await there.astart(other := Gate(), owner=7)))
    other.give(2)
    await asyncio.sleep(0.2)
    [run] = [run for run in await there.aowned_by(7) if run.state == "running"]
    there._own().worker.discard(run.id)
    await asyncio.to_thread(ledger.remove, run._record)
    assert (await gone)[1] == "interrupted"
    with pytest.raises(NotFound):
        await there.afind(run.id, owner=7)


def test_what_is_observed_counts_from_the_last_change(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("antiphon.features.runs.worker.time.monotonic", lambda: now[0])
    observed = Observed()
    assert observed.unchanged("a", 1) == 0
    now[0] = 5
    assert (observed.unchanged("a", 1), observed.unchanged("b", None)) == (5, 0)
    assert observed.unchanged("a", 2) == 0
    observed.keep({"b"})
    now[0] = 9
    assert (observed.unchanged("a", 2), observed.unchanged("b", None)) == (0, 4)
    observed.clear()
    assert observed.unchanged("b", None) == 0


def test_a_database_of_an_earlier_release_gets_the_table_for_expiry(tmp_path):
    path = tmp_path / "runs.db"
    store = SQLiteStore(path)
    asyncio.run(_one(Runs(store)))
    store.close()
    with closing(sqlite3.connect(path)) as database:
        database.execute("drop table channel_expiry")
    asyncio.run(_one(Runs(store)))
    store.close()


async def _one(runs):
    assert await told(await runs.astart(numbers(2), owner=7)) == (["1", "2"], "done")
