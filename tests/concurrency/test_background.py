import asyncio
import textwrap
import threading
from concurrent.futures import Future
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from weakref import ref

import pytest

from antiphon.concurrency.background import BackgroundLoop, background_loop
from antiphon.concurrency.calls import Call
from antiphon.concurrency.crossing import Crossing
from tests.helpers import zygote
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE, in_time


def script(text):
    """Run a script in a process of its own, whose end must be a success."""
    program = "import asyncio, os, signal, sys, threading\nfrom contextvars import copy_context\n" + textwrap.dedent(
        text
    )
    ended = zygote.run("-W", "ignore", "-c", program)
    assert ended.returncode == 0, ended.stderr
    return ended


async def where():
    await asyncio.sleep(0)
    return asyncio.get_running_loop(), threading.current_thread()


def run(coroutine):
    return background_loop().run(coroutine, copy_context())


def test_the_loop_is_the_same_each_time_on_a_thread_that_does_not_keep_the_process():
    (loop, thread), (again, _) = run(where()), run(where())
    assert loop is again
    assert thread is not threading.current_thread()
    assert thread.daemon


@pytest.mark.processes
def test_the_loop_is_one_for_all_threads_that_ask_at_once():
    script("""
        from antiphon.concurrency.background import background_loop
        sys.setswitchinterval(1e-6)
        barrier, loops = threading.Barrier(8), set()

        def ask():
            barrier.wait()
            loops.add(background_loop())

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads: thread.start()
        for thread in threads: thread.join()
        assert len(loops) == 1
    """)


@pytest.mark.processes
def test_the_loop_is_not_made_before_it_is_used():
    script("""
        import antiphon.concurrency.background
        assert threading.active_count() == 1
        antiphon.concurrency.background.background_loop()
        assert threading.active_count() == 2
    """)


@pytest.mark.processes
def test_a_forked_child_has_a_loop_of_its_own():
    script("""
        from antiphon.concurrency.background import background_loop

        async def where():
            await asyncio.sleep(0)
            return os.getpid()

        assert background_loop().run(where(), copy_context()) == os.getpid()
        parents = background_loop()
        if pid := os.fork():
            status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            assert background_loop() is parents
            assert background_loop().run(where(), copy_context()) == os.getpid()
            sys.exit(status)
        signal.alarm(5)
        assert background_loop() is not parents
        assert background_loop().run(where(), copy_context()) == os.getpid()
        os._exit(0)
    """)


@pytest.mark.processes
def test_a_forked_child_does_not_wait_for_a_lock_of_its_parent():
    script("""
        from antiphon.concurrency import background
        with background._lock:
            pid = os.fork()
            if not pid:
                signal.alarm(5)
                background.background_loop()
                os._exit(0)
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    """)


@rows("error", [LookupError("boom"), asyncio.CancelledError()], ids=repr)
def test_what_a_coroutine_raises_is_raised(error):
    async def fails():
        await asyncio.sleep(0)
        raise error

    with pytest.raises(type(error)):
        in_time(lambda: run(fails()))


@pytest.mark.processes
@rows("leaving", ["SystemExit(3)", "KeyboardInterrupt()"])
@pytest.mark.parametrize("where", ["leaves", "has_a_task_that_leaves"])
def test_what_ends_the_process_reaches_who_waits_and_the_loop_goes_on(where, leaving):
    script(f"""
        from antiphon.concurrency.background import background_loop

        async def leaves():
            raise {leaving}

        async def has_a_task_that_leaves():
            await asyncio.create_task(leaves())

        async def goes_on():
            await asyncio.sleep(0)
            return "went on"

        signal.alarm(5)
        threading.excepthook = lambda _: None
        try:
            background_loop().run({where}(), copy_context())
        except {leaving.partition("(")[0]}:
            pass
        else:
            sys.exit("nothing was raised")
        assert background_loop().run(goes_on(), copy_context()) == "went on"
    """)


@pytest.mark.processes
def test_an_interrupted_wait_cancels_the_task_which_cleans_up():
    script("""
        from antiphon.concurrency.background import background_loop
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
        cleaned = threading.Event()

        async def forever():
            try:
                os.kill(os.getpid(), signal.SIGINT)
                await asyncio.Event().wait()
            finally:
                await asyncio.sleep(0)
                cleaned.set()

        try:
            background_loop().run(forever(), copy_context())
        except KeyboardInterrupt:
            assert cleaned.is_set()  # the process may end at once
        else:
            sys.exit("not interrupted")
    """)


@pytest.mark.processes
def test_what_does_not_end_is_not_waited_for_when_its_wait_was_interrupted_before_it_began():
    script("""
        from antiphon.concurrency.background import background_loop
        from antiphon.concurrency.bridge import SyncFromAsync
        loop = background_loop().loop

        class Interrupted:
            def call_soon_threadsafe(self, *call):
                loop.call_soon_threadsafe(*call)
                raise KeyboardInterrupt

        async def endless():
            try:
                await asyncio.Event().wait()
                yield
            finally:
                await asyncio.Event().wait()

        signal.alarm(10)
        numbers = SyncFromAsync(endless(), copy_context())
        numbers._loop = Interrupted()
        try:
            next(numbers)
        except KeyboardInterrupt:
            numbers.close()
        else:
            sys.exit("not interrupted")
    """)


@pytest.mark.processes
def test_what_does_not_end_is_not_waited_for_when_the_wait_was_interrupted():
    script("""
        from antiphon.concurrency.bridge import SyncFromAsync
        signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's job in the background ignores it
        seen = []

        async def endless():
            try:
                yield 1
                while True:  # a signal is missed by a thread that is just about to wait for a lock
                    os.kill(os.getpid(), signal.SIGINT)
                    await asyncio.sleep(1)
            finally:
                seen.append("cleaning up")
                await asyncio.Event().wait()

        numbers = SyncFromAsync(endless(), copy_context())
        assert next(numbers) == 1
        try:
            next(numbers)
        except KeyboardInterrupt:
            numbers.close()
            assert seen == ["cleaning up"]
        else:
            sys.exit("not interrupted")
    """)


@rows("leaves", [False, True])
def test_the_thread_that_waits_makes_the_calls_of_the_task_unless_it_leaves(leaves):
    def waits():
        task = background_loop().start(Crossing().run(threading.get_ident), copy_context())
        background_loop().run(asyncio.sleep(0.05), copy_context())  # the call is wanted already
        if leaves:
            task.leave()
        return task.result() == threading.get_ident()

    assert in_time(waits) is not leaves


def test_a_call_that_was_given_up_before_the_thread_came_to_it_is_not_made():
    async def main():
        with suppress(TimeoutError):
            async with asyncio.timeout(0.01):
                await Crossing().run(called.append, "in vain")
        await Crossing().run(called.append, "later")

    def waits():
        task = background_loop().start(main(), copy_context())
        background_loop().run(asyncio.sleep(0.1), copy_context())
        task.result()

    called = []
    in_time(waits)
    assert called == ["later"]


def test_a_thread_may_wait_for_less_than_the_end():
    async def main():
        begun.set_result(await Crossing().run(threading.get_ident))
        await asyncio.wrap_future(go_on)
        return await Crossing().run(threading.get_ident)

    def waits():
        task = background_loop().start(main(), copy_context())
        task.wake_after(begun)
        task.wait(begun)
        task.leave()
        go_on.set_result(None)
        return begun.result() == threading.get_ident(), task.result() == threading.get_ident()

    begun, go_on = Future(), Future()
    assert in_time(waits) == (True, False)


def test_the_wait_for_what_never_comes_ends_with_the_task():
    def waits():
        task = background_loop().start(where(), copy_context())
        task.wait(Future())
        return task.ended.done()

    assert in_time(waits)


def test_a_task_may_be_cancelled_as_soon_as_it_was_started():
    begun = []

    async def forever():
        begun.append(1)
        await asyncio.Event().wait()

    task = background_loop().start(forever(), copy_context())
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        in_time(task.result)


def test_a_loop_does_not_keep_the_context_in_which_it_was_made():
    variable, held = ContextVar("held"), Future()
    context = Context()
    context.run(variable.set, held)
    loop, is_held = context.run(BackgroundLoop), ref(held)
    del context, held
    assert loop.run(where(), copy_context())[0] is loop.loop
    assert is_held() is None


def test_loops_are_independent():
    assert BackgroundLoop().run(where(), copy_context())[0] is not run(where())[0]


@pytest.mark.processes
def test_another_greenlet_wakes_the_loop():
    """asyncio takes gevent's greenlets for the loop's own thread, and some versions of it don't wake the loop then."""
    pytest.importorskip("gevent", reason="gevent is not installed")
    script("""
        from gevent import monkey

        monkey.patch_all()
        from antiphon.concurrency.background import background_loop

        async def wait():
            global answered
            answered = asyncio.get_running_loop().create_future()
            asked.set()
            return await answered

        asked = threading.Event()
        task = background_loop().start(wait(), copy_context())
        asked.wait()
        threading.Event().wait(0.05)  # until the loop sleeps
        answered.set_result(7)
        task.ended.result(10)
        assert task.result() == 7
    """)


def test_the_waiting_thread_makes_calls_that_the_task_leaves_behind():
    threads = []

    async def leave_a_call():
        asyncio.current_task().thread.run(Call(lambda: threads.append(threading.current_thread())))

    task = background_loop().start(leave_a_call(), copy_context())
    task.ended.result(DEADLINE)  # the wait is over before it begins
    task.result()
    assert threads == [threading.current_thread()]
