import asyncio
import threading
from contextvars import ContextVar, copy_context

import pytest

from antiphon.concurrency.calls import Call
from antiphon.concurrency.workers import Home, Workers
from tests.helpers import zygote
from tests.helpers.rows import rows


async def called(function, threads):
    call = Call(function)
    threads.run(call)
    while not call.is_done:
        await call.wait()
    return call


@pytest.fixture
def threads():
    threads = Workers(2)
    yield threads
    threads.end()


def test_a_call_keeps_what_it_raises(threads):
    assert isinstance(asyncio.run(called(lambda: {}["x"], threads)).error, KeyError)


def test_a_thread_is_used_again(threads):
    async def main():
        return {(await called(threading.get_ident, threads)).result for _ in range(20)}

    assert len(asyncio.run(main())) == 1


def test_a_thread_keeps_nothing_of_the_context_in_which_it_was_started(threads):
    """From Python 3.14 on threads inherit it if asked to, as they are where there is no GIL."""
    variable = ContextVar("variable", default="unset")

    def run():
        variable.set("set")
        return asyncio.run(called(variable.get, threads))

    assert copy_context().run(run).result == "unset"


def test_a_second_thread_begins_when_the_first_is_at_work(threads):
    async def main():
        meeting = threading.Barrier(2, timeout=20)
        await asyncio.gather(called(meeting.wait, threads), called(meeting.wait, threads))
        return not meeting.broken

    assert asyncio.run(main())


def test_calls_wait_for_a_thread_in_order(threads):
    order, both, hold = [], threading.Barrier(3, timeout=20), threading.Event()

    def occupy():
        both.wait()
        hold.wait()

    async def main():
        calls = [asyncio.create_task(called(occupy, threads)) for _ in range(2)]
        await asyncio.to_thread(both.wait)
        calls += [asyncio.create_task(called(lambda each=each: order.append(each), threads)) for each in range(50)]
        await asyncio.sleep(0)
        nobody = not order
        hold.set()
        await asyncio.gather(*calls)
        return nobody

    assert asyncio.run(main())
    assert sorted(order) == [*range(50)]
    assert order[0] in (0, 1)  # with two threads, the first two may change places


def test_a_call_that_was_claimed_is_not_called(threads, seen):
    async def main():
        dropped = Call(lambda: seen.append("dropped"))
        first = dropped.claim(), dropped.claim()
        threads.run(dropped)
        for _ in range(3):
            await called(lambda: seen.append("called"), threads)
        return first

    assert asyncio.run(main()) == (True, False)
    assert seen == ["called"] * 3


def test_a_call_that_has_begun_can_be_claimed_by_nobody(threads):
    async def main():
        begun, hold = threading.Event(), threading.Event()
        call = Call(lambda: (begun.set(), hold.wait()))
        threads.run(call)
        await asyncio.to_thread(begun.wait)
        claimed = call.claim()
        hold.set()
        await call.wait()
        return claimed

    assert asyncio.run(main()) is False


def test_a_call_outlives_its_loop(threads):
    hold, done = threading.Event(), threading.Event()

    async def main():
        threads.run(Call(lambda: (hold.wait(), done.set())))

    asyncio.run(main())
    hold.set()
    assert done.wait(20)
    assert asyncio.run(called(lambda: "x", threads)).result == "x"


def test_a_call_after_the_end_runs_here(threads):
    async def main():
        return (await called(threading.get_ident, threads)).result

    threads.end()
    assert asyncio.run(main()) == threading.get_ident()


def test_without_a_thread_a_call_runs_here(threads, monkeypatch):
    def start(_thread):
        raise RuntimeError("can't start new thread")

    async def main():
        here = (await called(threading.get_ident, threads)).result
        monkeypatch.undo()
        return here, (await called(threading.get_ident, threads)).result

    monkeypatch.setattr(threading.Thread, "start", start)
    here, there = asyncio.run(main())
    assert here == threading.get_ident() != there


def test_a_thread_that_was_refused_is_begun_later(threads, monkeypatch):
    real, refused = threading.Thread.start, []

    def start(thread):
        if not refused and threading.active_count() > before:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        real(thread)

    async def main():
        hold, meeting = threading.Event(), threading.Barrier(2, timeout=20)
        first = asyncio.create_task(called(hold.wait, threads))
        await asyncio.sleep(0)
        second = asyncio.create_task(called(int, threads))  # waits for the first, as it gets no thread
        await asyncio.sleep(0)
        hold.set()
        await asyncio.gather(first, second)
        await asyncio.gather(called(meeting.wait, threads), called(meeting.wait, threads))
        return not meeting.broken

    before = threading.active_count()
    monkeypatch.setattr(threading.Thread, "start", start)
    assert asyncio.run(main())
    assert refused


def test_a_call_that_comes_at_the_end_is_called(threads):
    done = []

    async def main():
        ending = threading.Thread(target=threads.end)
        await called(int, threads)
        ending.start()
        calls = [asyncio.create_task(called(lambda: done.append(1), threads)) for _ in range(200)]
        await asyncio.wait_for(asyncio.gather(*calls), 20)
        ending.join()

    asyncio.run(main())
    assert len(done) == 200


def identified(home):
    return called(threading.get_ident, home)


class TestAHome:
    def test_is_the_thread_of_the_first_call_though_others_are_idle(self):
        threads = Workers(8)

        async def main():
            homes = [Home(threads) for _ in range(4)]
            firsts = [(await identified(home)).result for home in homes]
            later = [await asyncio.gather(*[identified(home) for home in homes]) for _ in range(5)]
            return firsts, [[call.result for call in calls] for calls in later]

        firsts, later = asyncio.run(main())
        threads.end()
        assert later == [firsts] * 5

    def test_is_no_thread_for_others_as_long_as_there_are_more(self):
        threads = Workers(3)

        async def main():
            kept = [Home(threads), Home(threads)]
            owned = [(await identified(home)).result for home in kept]
            others = {(await called(threading.get_ident, threads)).result for _ in range(5)}
            return owned, others

        owned, others = asyncio.run(main())
        threads.end()
        assert len({*owned}) == 2
        assert len(others) == 1
        assert not others & {*owned}

    def test_is_shared_where_there_are_no_more(self):
        threads = Workers(1)

        async def main():
            return {(await identified(Home(threads))).result for _ in range(3)}

        assert len(asyncio.run(main())) == 1
        threads.end()

    def test_is_the_thread_that_has_been_idle_for_longest_where_there_are_no_more(self):
        threads = Workers(4)

        async def main():
            return [(await identified(Home(threads))).result for _ in range(12)]

        idents = asyncio.run(main())
        threads.end()
        assert idents == idents[:4] * 3
        assert len({*idents}) == 4

    def test_whose_thread_is_at_work_has_calls_that_wait(self):
        threads, may_go = Workers(2), threading.Event()

        async def main():
            home = Home(threads)
            await identified(home)
            calls = [asyncio.create_task(called(may_go.wait, home)) for _ in range(3)]
            while threads.load()[0] < 1:
                await asyncio.sleep(0)
            load = threads.load()
            may_go.set()
            await asyncio.wait_for(asyncio.gather(*calls), 20)
            return load

        assert asyncio.run(main()) == (1, 2)
        threads.end()

    def test_takes_turns_with_calls_for_any_thread(self):
        threads, order = Workers(1), []

        async def main():
            home, hold = Home(threads), threading.Event()
            await called(int, home)
            calls = [asyncio.create_task(called(hold.wait, home))]
            await asyncio.sleep(0)
            for name, where in [("own", home)] * 4 + [("any", threads)] * 4:
                calls.append(asyncio.create_task(called(lambda name=name: order.append(name), where)))
            await asyncio.sleep(0)
            hold.set()
            await asyncio.wait_for(asyncio.gather(*calls), 20)

        asyncio.run(main())
        threads.end()
        assert order in (["own", "any"] * 4, ["any", "own"] * 4)


class TestReceiving:
    def receiver(self, threads):
        home = Home(threads)
        home.wait_to_receive()
        return home

    def test_is_for_a_few_at_once_and_then_for_the_next(self):
        threads = Workers(4, most_receiving=2)

        async def main():
            homes = [self.receiver(threads) for _ in range(4)]
            hold, begun = threading.Event(), threading.Semaphore(0)
            calls = [asyncio.create_task(called(lambda: (begun.release(), hold.wait(20)), home)) for home in homes]
            for _ in range(2):
                await asyncio.to_thread(begun.acquire)
            other = (await called(lambda: "other", threads)).result
            is_held = not begun.acquire(blocking=False)
            homes[0].end_receiving()
            await asyncio.to_thread(begun.acquire)
            homes[1].leave()
            await asyncio.to_thread(begun.acquire)
            hold.set()
            await asyncio.gather(*calls)
            return other, is_held

        assert asyncio.run(asyncio.wait_for(main(), 20)) == ("other", True)
        threads.end()

    def test_is_not_for_a_task_that_has_ended_meanwhile(self):
        threads = Workers(4, most_receiving=1)

        async def main():
            first, gone, last = (self.receiver(threads) for _ in range(3))
            await called(int, first)
            calls = [asyncio.create_task(called(lambda: "x", home)) for home in (gone, last)]
            await asyncio.sleep(0)
            gone.leave()
            first.leave()
            done, _ = await asyncio.wait(calls, timeout=20, return_when=asyncio.FIRST_COMPLETED)
            calls[0].cancel()
            return [task.result().result for task in done] == ["x"], calls[1] in done

        assert asyncio.run(main()) == (True, True)
        threads.end()

    def test_what_waits_for_it_is_called_at_the_end(self):
        threads = Workers(4, most_receiving=1)

        async def main():
            first, last = self.receiver(threads), self.receiver(threads)
            await called(int, first)
            waiting = asyncio.create_task(called(lambda: "last", last))
            await asyncio.sleep(0)
            await asyncio.to_thread(threads.end)
            return (await waiting).result

        assert asyncio.run(asyncio.wait_for(main(), 20)) == "last"


AT_EXIT = r"""
import asyncio, multiprocessing, sys, time
from antiphon.concurrency.calls import Call
from antiphon.concurrency.workers import file_workers, workers

async def main():
    for pool in (workers(), file_workers(), workers()):
        pool.run(Call(lambda: (time.sleep(0.2), sys.stdout.write("done\n"), sys.stdout.flush())))

def work():
    asyncio.run(main())

"""
HERE = AT_EXIT + "work()"
IN_A_PROCESS = (
    AT_EXIT + "worker = multiprocessing.get_context('fork').Process(target=work); worker.start(); worker.join()"
)


@pytest.mark.processes
@rows("script", [HERE, IN_A_PROCESS], ids=["here", "in a process of multiprocessing"])
def test_what_has_begun_is_waited_for_at_exit(script):
    ended = zygote.run("-c", script)
    assert (ended.stdout.split(), ended.stderr, ended.returncode) == (["done"] * 3, "", 0)


BLOCKED = """
import queue, sys
from antiphon import App
from antiphon.concurrency import process
from antiphon.testing import Client

process.SECONDS_AT_EXIT = 0.3
app = App()

@app.get("/")
def live(request):
    def letters():
        yield "a"
        queue.Queue().get()
        yield "b"
    return letters()

try:
    with Client(app, sys.argv[1], timeout=0.5).stream("GET", "/") as response:
        list(response)
except TimeoutError:
    print("timed out")
"""


@pytest.mark.processes
@rows("interface", ["asgi", "rsgi"])
def test_what_is_blocked_for_ever_is_named_and_left_behind_at_exit(interface):
    ended = zygote.run("-c", BLOCKED, interface)
    assert (ended.stdout, ended.returncode) == ("timed out\n", 0)
    assert ended.stderr == (
        "the process ends without waiting longer for live.<locals>.letters (<string>:14),"
        " which has not returned after 0.3 seconds\n"
    )


SLOW = r"""
import asyncio, sys, time
from antiphon.concurrency import process
from antiphon.concurrency.calls import Call
from antiphon.concurrency.workers import workers

async def main():
    workers().run(Call(lambda: (time.sleep(1), sys.stdout.write("done"), sys.stdout.flush())))

process.SECONDS_AT_EXIT = 0.1
process.limit_exit_elsewhere()
asyncio.run(main())
"""


@pytest.mark.processes
def test_what_is_slow_is_waited_for_where_something_else_ends_the_process():
    ended = zygote.run("-c", SLOW)
    assert (ended.stdout, ended.stderr) == ("done", "")
