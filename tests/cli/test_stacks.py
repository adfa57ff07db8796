"""Where tasks wait: down to the innermost await."""

import asyncio
from threading import Event, Thread

from antiphon.cli.workers.worker import write_stacks


async def innermost(event):
    await event.wait()


async def outermost(event):
    await innermost(event)


def test_the_stack_of_each_task_is_written(capsys):
    async def look():
        event = asyncio.Event()
        task = asyncio.create_task(outermost(event), name="waiting")
        await asyncio.sleep(0)
        write_stacks(asyncio.get_running_loop())
        event.set()
        await task

    asyncio.run(look())
    _, _, stack = capsys.readouterr().err.partition("Task waiting waits (most recent call last):\n")
    assert stack.index("in outermost") < stack.index("in innermost") < stack.index("await event.wait()")


def test_without_a_loop_nothing_is_written(capsys):
    write_stacks(None)
    assert capsys.readouterr().err == ""


def test_the_call_that_blocks_a_loop_comes_first(capsys):
    has_begun, may_end, loops = Event(), Event(), []

    def block():
        has_begun.set()
        may_end.wait()

    async def handle():
        loops.append(asyncio.get_running_loop())
        asyncio.create_task(outermost(asyncio.Event()), name="waiting")  # noqa: RUF006 - it ends with the loop
        await asyncio.sleep(0)
        block()

    thread = Thread(target=lambda: asyncio.run(handle()))
    thread.start()
    has_begun.wait()
    write_stacks(*loops)
    may_end.set()
    thread.join()
    written = capsys.readouterr().err
    assert written.startswith("The loop is blocked (most recent call last):\n")
    assert written.index("in handle") < written.index("in block") < written.index("may_end.wait()")
    assert written.index("may_end.wait()") < written.index("Task waiting waits")
