"""The set of requests that a shutdown waits for."""

import asyncio
from threading import Thread

import pytest

from antiphon.concurrency.process import Announcement
from antiphon.handler import contract as module
from antiphon.handler.contract import Unfinished
from antiphon.handler.drive import advance

pytestmark = pytest.mark.once


@pytest.fixture
def grace_over(monkeypatch):
    """The announcement that the grace is over, which a process gives but once."""
    monkeypatch.setattr(module, "GRACE_OVER", Announcement())
    return module.GRACE_OVER


def on_thread(unfinished):
    advance(unfinished.wait())


def on_loop(unfinished):
    asyncio.run(unfinished.wait())


EACH_PLACE = pytest.mark.parametrize("wait", [on_thread, on_loop])


@EACH_PLACE
def test_an_empty_one_is_not_waited_for(wait):
    unfinished = Unfinished()
    unfinished.add(1)
    unfinished.discard(1)
    unfinished.discard(1)
    wait(unfinished)


@EACH_PLACE
def test_the_last_one_is_waited_for(wait, grace_over):
    unfinished = Unfinished()
    left = []
    unfinished.add(1)
    unfinished.add(2)

    def leave():
        for request in (1, 2):
            left.append(request)
            unfinished.discard(request)

    thread = Thread(target=leave)
    original = grace_over.subscribe
    grace_over.subscribe = lambda function: (thread.start(), original(function))[1]  # once it waits
    wait(unfinished)
    assert left == [1, 2]
    thread.join()


@EACH_PLACE
def test_nothing_is_waited_for_when_the_grace_is_over(wait, grace_over):
    unfinished = Unfinished()
    unfinished.add(1)
    grace_over.give()
    wait(unfinished)


@EACH_PLACE
def test_the_grace_may_end_meanwhile(wait, grace_over):
    unfinished = Unfinished()
    unfinished.add(1)
    original = grace_over.subscribe
    thread = Thread(target=grace_over.give)
    grace_over.subscribe = lambda function: (original(function), thread.start())[0]
    wait(unfinished)
    thread.join()
