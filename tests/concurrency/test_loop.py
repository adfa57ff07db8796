import asyncio
import subprocess
import sys
import threading
from contextvars import Context

import pytest

from antiphon.concurrency import loop
from antiphon.concurrency.background import background_loop
from antiphon.concurrency.loop import drop_withdrawn_cancellation, is_on_background_loop, is_on_loop


def test_tells_whether_code_is_on_a_loop():
    async def on_loop():
        return is_on_loop(), await asyncio.to_thread(is_on_loop)

    assert not is_on_loop()
    assert asyncio.run(on_loop()) == (True, False)
    assert not is_on_loop()


def test_tells_the_background_loop_from_others():
    async def look():
        return is_on_loop(), is_on_background_loop()

    assert background_loop().run(look(), Context()) == (True, True)
    assert asyncio.run(look()) == (True, False)
    assert not is_on_background_loop()


def test_is_not_misled_by_the_loop_of_another_greenlet(monkeypatch):
    async def look():
        with monkeypatch.context() as patch:
            patch.setattr(loop, "_background", {})
            patch.setattr(threading, "get_ident", lambda: 1)
            loop.note_background_loop(asyncio.get_running_loop())
            patch.setattr(threading, "get_ident", lambda: 2)
            return is_on_loop(), is_on_background_loop()

    assert asyncio.run(look()) == (False, False)


@pytest.mark.processes
def test_does_not_import_asyncio_for_that():
    code = "import sys; from antiphon.concurrency.loop import is_on_loop; is_on_loop(); print('asyncio' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_is_not_misled_by_an_import_that_another_thread_has_begun(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncio", type(sys)("asyncio"))
    assert not is_on_loop()


class TestACancellationThatWasWithdrawn:
    def test_is_dropped(self):
        async def work():
            task = asyncio.current_task()
            task.cancel()
            task.uncancel()
            await drop_withdrawn_cancellation()
            await asyncio.sleep(0)
            return "done"

        assert asyncio.run(work()) == "done"

    def test_leaves_that_of_somebody_else(self):
        async def work():
            task = asyncio.current_task()
            task.cancel()
            task.cancel("of the server")
            task.uncancel()
            await drop_withdrawn_cancellation()

        async def outcome():
            task = asyncio.create_task(work())
            await asyncio.wait([task])
            return task.cancelled()

        assert asyncio.run(outcome())
