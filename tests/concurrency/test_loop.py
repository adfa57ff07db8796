import asyncio
import subprocess
import sys

import pytest

from antiphon.concurrency.loop import is_on_loop, yield_to_loop


def test_tells_whether_code_is_on_a_loop():
    async def on_loop():
        return is_on_loop(), await asyncio.to_thread(is_on_loop)

    assert not is_on_loop()
    assert asyncio.run(on_loop()) == (True, False)
    assert not is_on_loop()


@pytest.mark.processes
def test_does_not_import_asyncio_for_that():
    code = "import sys; from antiphon.concurrency.loop import is_on_loop; is_on_loop(); print('asyncio' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"


def test_is_not_misled_by_an_import_that_another_thread_has_begun(monkeypatch):
    monkeypatch.setitem(sys.modules, "asyncio", type(sys)("asyncio"))
    assert not is_on_loop()


def test_lets_others_pass_on_a_loop():
    async def main():
        passed = []
        asyncio.get_running_loop().call_soon(passed.append, "other")
        await yield_to_loop()
        return passed

    assert asyncio.run(main()) == ["other"]


def test_does_not_wait_where_there_is_none():
    with pytest.raises(StopIteration):
        yield_to_loop().send(None)
