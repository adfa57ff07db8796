"""Calls that block an event loop are logged with their lines, and what only waits is not."""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import time
from functools import partial
from threading import Thread
from threading import enumerate as enumerate_threads

import pytest
import uvloop

from antiphon.cli.workers.blocking_calls import LIMIT, _ran, _Reading, watch


@pytest.fixture(params=[asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])
def loop(request):
    """A loop that runs on a thread and is watched."""
    loop = request.param()
    thread = Thread(target=loop.run_forever)
    thread.start()
    watch(loop)
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def on(loop, coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(20)


def messages(caplog):
    return [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]


def wait_for(caplog, count):
    end = time.monotonic() + 20
    while len(messages(caplog)) < count and time.monotonic() < end:
        time.sleep(0.01)
    return messages(caplog)


def until_logged(loop, caplog, function, count=1):
    """Call a function until there are so many messages: the watching thread may come too late under load."""
    for _ in range(20):
        on(loop, call(function))
        if len(messages(caplog)) >= count:
            break
    return wait_for(caplog, count)


def block():
    time.sleep(4 * LIMIT)  # the line that blocks


def spin():
    spin_for(4 * LIMIT)


def spin_for(seconds):
    """Compute for some seconds, without those in which other programs have the processor."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


async def call(function):
    function()


@pytest.mark.parametrize(
    ("function", "line"), [(block, "in block: time.sleep(4 * LIMIT)  # the line"), (spin, "in spin_for")]
)
def test_a_call_that_blocks_is_logged_with_its_line(loop, caplog, function, line):
    [message] = until_logged(loop, caplog, function)
    assert message.startswith("The event loop was blocked for ")
    assert "tests/cli/test_blocking_calls.py, line " in message
    assert line in message


def test_a_loop_in_a_coroutine_itself_is_logged(loop, caplog):
    async def compute():
        end = time.thread_time() + 8 * LIMIT
        while time.thread_time() < end:
            pow(3, 10_000, 10_007)
            len(str(end))

    on(loop, compute())
    assert "in compute: " in wait_for(caplog, 1)[0]


def test_a_line_is_logged_once(loop, caplog):
    until_logged(loop, caplog, block)
    on(loop, call(block))
    assert len(until_logged(loop, caplog, lambda: time.sleep(4 * LIMIT), 2)) == 2


def test_a_call_that_goes_on_is_logged_before_its_end(loop, caplog, monkeypatch):
    monkeypatch.setattr("antiphon.cli.workers.blocking_calls._LONGEST", LIMIT * 1.5)
    on(loop, call(lambda: wait_for(caplog, 1)))
    assert "has been blocked for 0.15 s, and still is" in messages(caplog)[0]


def test_many_short_calls_are_no_call_that_blocks(loop, caplog):
    async def many():
        await asyncio.gather(*(call(partial(spin_for, LIMIT / 20)) for _ in range(80)))

    on(loop, many())
    assert messages(caplog) == []


def test_an_import_is_no_call_that_blocks(loop, caplog, tmp_path, monkeypatch):
    (tmp_path / "slow_to_import.py").write_text(f"import time\ntime.sleep({4 * LIMIT})\n")
    monkeypatch.syspath_prepend(tmp_path)
    on(loop, call(partial(__import__, "slow_to_import")))
    sys.modules.pop("slow_to_import")
    assert messages(caplog) == []


def test_a_loop_whose_thread_has_ended_is_watched_until_it_is_closed():
    loop = asyncio.new_event_loop()
    thread = Thread(target=loop.run_until_complete, args=(asyncio.sleep(0.1),))
    thread.start()
    before = {*enumerate_threads()}
    watch(loop)
    [watcher] = {*enumerate_threads()} - before
    thread.join()
    watcher.join(0.2)
    assert watcher.is_alive()
    loop.close()
    watcher.join(30)
    assert not watcher.is_alive()


@pytest.mark.processes
def test_a_process_that_was_stopped_blames_no_call(tmp_path):
    (tmp_path / "stopped.py").write_text(
        "import asyncio, logging, sys, time\n"
        "from antiphon.cli.workers.blocking_calls import watch\n"
        "logging.basicConfig(stream=sys.stdout)\n"
        "async def main():\n"
        "    watch(asyncio.get_running_loop())\n"
        "    await asyncio.sleep(0.2)\n"
        "    print('runs', flush=True)\n"
        "    end = time.monotonic() + 1\n"
        "    while time.monotonic() < end:\n"
        "        time.sleep(0.001)\n"
        "        await asyncio.sleep(0)\n"
        "asyncio.run(main())\n"
    )
    command = [sys.executable, "stopped.py"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "runs\n"
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(1)
        os.kill(process.pid, signal.SIGCONT)
        assert process.stdout.read() == ""


@pytest.mark.parametrize(
    ("passed", "used", "delayed", "expected"),
    [
        (0.02, 0.0, 0.0, 0.02),  # the thread sleeps
        (0.02, 0.02, 0.0, 0.02),  # it computes
        (1.0, 1.0, 0.0, 1.0),  # it computes, and holds the interpreter
        (1.0, 0.0, 0.0, 0.02),  # the process was stopped
        (1.0, 0.5, 0.0, 0.5),  # others had the processor half of the time
        (0.02, 0.005, 0.015, 0.005),  # others had it, as the system says
    ],
)
def test_time_in_which_the_process_did_not_run_does_not_count(passed, used, delayed, expected):
    assert _ran(_Reading(5.0, 1.0, 2.0), _Reading(5.0 + passed, 1.0 + used, 2.0 + delayed)) == pytest.approx(expected)


async def wait_idle():
    await asyncio.sleep(4 * LIMIT)
    await asyncio.to_thread(block)


def test_what_waits_without_blocking_is_not(loop, caplog):
    on(loop, wait_idle())
    on(loop, wait_idle())
    assert messages(caplog) == []


def test_a_loop_that_is_closed_is_watched_no_longer():
    loop = asyncio.new_event_loop()
    loop.close()
    watch(loop)
