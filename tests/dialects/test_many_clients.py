"""Many clients at once: each dialect answers on threads, keeps no loop waiting, and in several processes."""

import asyncio
import http.client
import os
import signal
from contextlib import closing, suppress
from pathlib import Path

import pytest

from antiphon.testing import AsyncClient
from tests.cli.conftest import Command
from tests.dialects import programs
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

ROOT = Path(__file__).parents[2]


@rows("program", [programs.asok, programs.flask, programs.pyramid])
@rows("interface", ["asgi", "rsgi"])
def test_views_that_block_keep_neither_the_loop_nor_each_other_waiting(program, interface):
    """Ten views block until all of them and another page have run; each has its own request then."""
    names = {f"client-{number}" for number in range(10)}
    programs.released.clear()

    async def main():
        async with AsyncClient(program(), interface) as client:
            waiting = [asyncio.create_task(client.get(f"/wait?name={name}")) for name in names]
            try:
                for _ in names:
                    assert await asyncio.to_thread(programs.arrived.acquire, timeout=DEADLINE)
                hello = await asyncio.wait_for(client.get("/hello"), DEADLINE)
            finally:
                programs.released.set()
            return hello.text, {answer.text for answer in await asyncio.gather(*waiting)}

    assert asyncio.run(main()) == ("hello", names)


SERVED = """
import os, sys
sys.path.insert(0, {root!r})
from tests.dialects import programs
app = programs.flask()
open(f"started-{{os.getpid()}}", "w").close()
"""


@pytest.mark.processes
@pytest.mark.once
def test_another_process_answers_when_one_hangs_or_dies(tmp_path):
    (tmp_path / "served.py").write_text(SERVED.format(root=str(ROOT)))
    command = Command(tmp_path, "run", ("served:app", "--workers", "2"))

    def is_answered():
        with (
            suppress(OSError, http.client.HTTPException),
            closing(http.client.HTTPConnection("127.0.0.1", command.port, timeout=0.5)) as client,
        ):
            client.request("POST", "/read", body=b"12345")
            return client.getresponse().read() == b"5"

    try:
        command.serving().wait_until(lambda: len(command.workers()) == 2)
        for worker in command.workers():
            os.kill(worker, signal.SIGSTOP)
            command.wait_until(is_answered)
            os.kill(worker, signal.SIGCONT)
        os.kill(command.workers()[0], signal.SIGKILL)
        command.wait_until(is_answered)
        command.wait_until(lambda: len(command.workers()) == 3)
        command.wait_until(is_answered)
    finally:
        command.end()
