"""A lifespan that is interrupted, dropped or stopped on a thread."""

import asyncio
import gc
import os
import signal
import sys
import threading
from contextvars import copy_context

import pytest

from antiphon.adapters import lifespan_task as module
from antiphon.adapters.lifespan_task import LifespanTask
from antiphon.concurrency.background import background_loop
from antiphon.handler.contract import ON_LOOP
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually


async def nothing():
    """Neither start nor stop anything."""


async def endless():
    await ON_LOOP
    await asyncio.Event().wait()


@pytest.fixture
def interrupting_alarm():
    """SIGALRM interrupts the main thread as SIGINT does."""

    def interrupt(number, frame):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    yield
    signal.signal(signal.SIGALRM, before)


def starting(events, interrupt):
    """Return the steps of a startup that never ends, and calls ``interrupt`` first.

    Python misses a signal that comes right before a thread waits, until the next one comes: so it calls that again.
    """

    async def startup():
        await ON_LOOP
        events.append("starting")
        interrupt()
        try:
            while True:
                await asyncio.sleep(1)
                interrupt()
        finally:
            events.append("cancelled")

    return startup


def test_a_startup_that_ends_the_process_ends_the_wait_for_it():
    async def startup():
        raise SystemExit

    task = LifespanTask(startup, nothing)
    for wait in (lambda: task.start_on_thread(copy_context()), task.block_until_started):
        with pytest.raises(SystemExit):
            wait()


def test_an_interrupted_startup_is_cancelled(interrupting_alarm):
    events = []
    startup = starting(events, lambda: signal.setitimer(signal.ITIMER_REAL, 0.01))
    with pytest.raises(KeyboardInterrupt):
        LifespanTask(startup, nothing).start_on_thread(copy_context())
    eventually(lambda: events == ["starting", "cancelled"] or None, "the startup goes on")


# Python drops what is raised in a weak reference's callback, and says so.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_startup_that_is_interrupted_as_it_starts_is_cancelled(interrupting_alarm):
    events = []
    startup = starting(events, lambda: os.kill(os.getpid(), signal.SIGALRM))
    for _ in range(200):  # some of which are interrupted before this thread waits
        with pytest.raises(KeyboardInterrupt):
            LifespanTask(startup, nothing).start_on_thread(copy_context())
    eventually(lambda: events.count("cancelled") == events.count("starting") or None, "a startup goes on")


def test_a_shutdown_that_needs_a_loop_runs_on_the_one_that_is_there(seen):
    here = background_loop().run(_thread(), copy_context())

    async def shutdown():
        await ON_LOOP
        seen.append(await _thread())

    task = LifespanTask(nothing, shutdown)
    task.start_on_thread(copy_context())
    task.block_until_started()
    task.stop_on_thread()
    assert seen == [here]
    assert task.is_over


async def _thread():
    return threading.get_ident()


@rows("error", [LookupError("broken"), SystemExit(3)], ids=repr)
def test_what_a_shutdown_raises_is_raised_where_it_is_stopped(error):
    async def shutdown():
        raise error

    task = LifespanTask(nothing, shutdown)
    task.start_on_thread(copy_context())
    with pytest.raises(type(error)):
        task.stop_on_thread()
    assert task.is_over


def test_one_that_is_cancelled_before_its_first_step_leaves_none_unawaited(monkeypatch):
    complaints = []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def live():
        LifespanTask(nothing, nothing).start()
        [task] = asyncio.all_tasks() - {asyncio.current_task()}
        task.cancel()

    asyncio.run(live())
    gc.collect()
    assert complaints == []


@rows("stage", ["starting", "serving", "stopping", "cancelled"])
def test_one_whose_loop_was_closed_is_dropped_without_a_word(stage, monkeypatch, caplog):
    stopped, complaints, waiting = [], [], []
    monkeypatch.setattr(sys, "unraisablehook", complaints.append)

    async def shutdown():
        stopped.append(True)
        await endless()

    def drop():
        task = LifespanTask(endless if stage == "starting" else nothing, shutdown)

        async def live():
            task.start()
            waits = {"starting": task.wait_started, "stopping": task.stop, "cancelled": task.cancel}
            if stage != "starting":
                await task.wait_started()
            if stage in waits:
                waiting.append(asyncio.create_task(waits[stage]()))
            await asyncio.sleep(0.01)

        loop = asyncio.new_event_loop()
        loop.run_until_complete(live())
        loop.close()
        assert task.is_over

    drop()
    module._tasks.clear()
    waiting.clear()
    gc.collect()
    assert complaints == []
    assert stopped == [True] * (stage in ("stopping", "cancelled"))
    assert [record for record in caplog.records if record.name != "asyncio"] == []
