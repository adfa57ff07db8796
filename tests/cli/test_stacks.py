"""Where tasks wait: down to the innermost await."""

import asyncio

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
