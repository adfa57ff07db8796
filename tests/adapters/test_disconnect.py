import asyncio

import pytest

from antiphon.adapters.disconnect import ClientGone, DisconnectWatcher, disconnect_of, stems_from_disconnect
from antiphon.http.head import DerivedHead, RequestHead


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


async def settled():
    for _ in range(10):
        await asyncio.sleep(0)


@pytest.mark.parametrize("derived", [False, True])
def test_a_client_that_leaves_is_told_of_once(derived):
    async def run():
        head, told = Head(), []
        watcher = DisconnectWatcher(disconnect_of(DerivedHead(head) if derived else head), lambda: told.append(True))
        watcher.watch()
        watcher.watch()
        await settled()
        assert (head.asked, told) == (1, [])
        head.left.set()
        await settled()
        watcher.watch()
        await settled()
        await watcher.stop()
        assert (head.asked, told) == (1, [True])

    asyncio.run(run())


def test_nobody_waits_any_more_once_it_is_stopped():
    async def run():
        head, told = Head(), []
        watcher = DisconnectWatcher(disconnect_of(head), lambda: told.append(True))
        watcher.watch()
        await settled()
        await watcher.stop()
        assert head.waiting == 0
        head.left.set()
        await settled()
        await watcher.stop()
        assert told == []

    asyncio.run(run())


def test_a_server_that_fails_to_tell_is_no_client_that_left():
    async def run():
        head, told = Head(RuntimeError("closed")), []
        watcher = DisconnectWatcher(disconnect_of(head), lambda: told.append(True))
        watcher.watch()
        head.left.set()
        await settled()
        await watcher.stop()
        assert told == []

    asyncio.run(run())


def test_a_head_that_cannot_tell_is_not_asked():
    async def run():
        watcher = DisconnectWatcher(disconnect_of(RequestHead()), lambda: None)
        watcher.watch()
        assert len(asyncio.all_tasks()) == 1
        await watcher.stop()

    asyncio.run(run())


def caused(error, by):
    error.__cause__ = by
    return error


@pytest.mark.parametrize(
    ("error", "stems"),
    [
        (ClientGone(), True),
        (caused(ValueError(), ClientGone()), True),
        (caused(ValueError(), caused(KeyError(), ClientGone())), True),
        (ExceptionGroup("both", [KeyError(), ClientGone()]), True),
        (OSError(), False),
        (caused(ValueError(), OSError()), False),
        (ExceptionGroup("both", [KeyError(), OSError()]), False),
    ],
)
def test_what_stems_from_disconnect(error, stems):
    assert stems_from_disconnect(error) is stems
