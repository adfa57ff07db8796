"""Calls that block an event loop are logged with their lines, and what only waits is not."""

import asyncio
import logging
import time
from threading import Thread

import pytest
import uvloop

from antiphon.cli.blocking_calls import LIMIT, watch


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


def block():
    time.sleep(4 * LIMIT)  # the line that blocks


def spin():
    end = time.monotonic() + 4 * LIMIT
    while time.monotonic() < end:
        pass


async def call(function):
    function()


@pytest.mark.parametrize(
    ("function", "line"), [(block, "in block: time.sleep(4 * LIMIT)  # the line"), (spin, "in spin")]
)
def test_a_call_that_blocks_is_logged_with_its_line(loop, caplog, function, line):
    on(loop, call(function))
    [message] = wait_for(caplog, 1)
    assert message.startswith("The event loop was blocked for ")
    assert "tests/cli/test_blocking_calls.py, line " in message
    assert line in message


def test_a_line_is_logged_once(loop, caplog):
    for _ in range(3):
        on(loop, call(block))
    on(loop, call(lambda: time.sleep(4 * LIMIT)))
    assert len(wait_for(caplog, 2)) == 2


def test_a_call_that_goes_on_is_logged_before_its_end(loop, caplog, monkeypatch):
    monkeypatch.setattr("antiphon.cli.blocking_calls._LONGEST", LIMIT * 1.5)
    on(loop, call(block))
    assert "has been blocked for 0.15 s, and still is" in wait_for(caplog, 1)[0]


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
