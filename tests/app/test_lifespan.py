import asyncio
import threading
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar
from functools import partial

import pytest

from antiphon import App
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.app.lifespan import Lifespan
from antiphon.concurrency.crossing import Crossing
from antiphon.concurrency.workers import WORKERS
from antiphon.handler.callables import describe
from antiphon.handler.drive import driven
from antiphon.request.dependencies import Dependency
from antiphon.testing import AsyncClient, Client
from tests.app.test_dependencies import request_with
from tests.helpers.driving import drive, run_lifespan
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("style")

variable = ContextVar("variable", default="unset")


class Managed:
    """A context manager that is a class of its own."""

    def __enter__(self):
        return "pool"

    def __exit__(self, *raised):
        return None


class AsyncManaged:
    def __init__(self):
        asyncio.get_running_loop()

    async def __aenter__(self):
        await asyncio.sleep(0)
        return "pool"

    async def __aexit__(self, *raised):
        await asyncio.sleep(0)


def generator():
    yield "pool"


async def async_generator():
    await asyncio.sleep(0)
    yield "pool"


def returns_manager():
    return Managed()


def returns_async_manager():
    return asynccontextmanager(async_generator)()


KINDS = {
    "generator": generator, "async generator": async_generator, "partial generator": partial(generator),
    "partial async generator": partial(async_generator), "contextmanager": contextmanager(generator),
    "asynccontextmanager": asynccontextmanager(async_generator), "class": Managed, "async class": AsyncManaged,
    "returned manager": returns_manager, "returned async manager": returns_async_manager,
}  # fmt: skip


@pytest.fixture
def lifespan():
    return Lifespan(Dependencies())


@pytest.fixture
def manager(style):
    """A generator function of either kind that notes what comes."""

    def manager(called, name, at_exit=None, at_enter=None):
        def blocks():
            called.append(name)
            if at_enter:
                raise at_enter
            try:
                yield name
            except BaseException as error:
                called.append(error)
                raise
            finally:
                called.append(f"{name} left")
            if at_exit:
                raise at_exit

        @asynccontextmanager
        async def waits():
            with contextmanager(blocks)() as value:
                await asyncio.sleep(0)
                try:
                    yield value
                finally:
                    await asyncio.sleep(0)

        return waits if style.is_async else blocks

    return manager


class TestWhatIsAdded:
    @rows("kind", KINDS.values(), ids=KINDS)
    def test_is_a_dependency_for_what_it_gives(self, kind):
        lifespan = Lifespan(dependencies := Dependencies())
        dependency = lifespan.add(kind)
        seen = []

        def between():
            request = request_with(dependencies)
            seen.extend([lifespan.state(dependency), request[dependency]])

        run_lifespan(lifespan, between)
        assert isinstance(dependency, Dependency)
        assert seen == ["pool", "pool"]

    def test_has_the_function_s_name(self, lifespan):
        assert lifespan.add(generator).name == "generator"
        assert lifespan.add(Managed).name == "Managed"
        assert lifespan.add(partial(generator)).name == "partial"

    def test_cannot_be_a_coroutine_function(self, lifespan):
        async def pool():
            return "pool"

        with pytest.raises(TypeError, match="never yields") as refused:
            lifespan.add(pool)
        assert describe(pool) in str(refused.value)

    def test_has_no_parameters_such_as_the_app_of_other_frameworks(self, lifespan):
        async def pool(app):
            yield "pool"

        for function in (pool, asynccontextmanager(pool), contextmanager(lambda app: iter(["pool"]))):
            with pytest.raises(TypeError, match=r" takes \(app\), but is called with \(\)") as refused:
                lifespan.add(function)
            assert refused.value.__notes__[-1].startswith("Leave out the parameters: ")
        with pytest.raises(TypeError, match="takes the function that makes a context manager, not the context manager"):
            lifespan.add(asynccontextmanager(pool)(None))
        lifespan.add(asynccontextmanager(async_generator))

    def test_has_to_return_a_context_manager(self, lifespan):
        def pool():
            return "pool"

        lifespan.add(pool)
        with pytest.raises(TypeError, match="returned a str; it must return a context manager") as refused:
            run_lifespan(lifespan)
        assert describe(pool) in str(refused.value)

    def test_goes_where_its_style_has_to_be(self, lifespan):
        threads = []

        def note():
            threads.append(threading.current_thread() is threading.main_thread())

        def blocks():
            note()
            yield
            note()

        async def waits():
            note()
            yield
            note()

        def maker():
            note()
            return contextmanager(blocks)()

        for function in (blocks, waits, maker, asynccontextmanager(waits)):
            lifespan.add(function)
        lifespan.on_startup(note)
        lifespan.on_shutdown(note)
        run_lifespan(lifespan)
        assert threads == [False, True, False, False, True, False, False, True, False, True, False]

    def test_that_is_sync_needs_no_loop(self, lifespan):
        lifespan.add(generator)
        lifespan.add(Managed)
        lifespan.on_startup(lambda: None)
        lifespan.on_shutdown(lambda: None)
        for steps in (lifespan.startup(), lifespan.shutdown()):
            assert {effect.name for effect in drive(steps)[0]} == {"ON_THREAD"}

    def test_may_reset_the_variables_that_it_has_set(self, lifespan):
        def blocks():
            token = variable.set("blocks")
            yield
            variable.reset(token)

        async def waits():
            token = variable.set("waits")
            yield
            variable.reset(token)

        for function in (blocks, waits):
            lifespan = Lifespan(Dependencies())
            lifespan.add(function)
            run_lifespan(lifespan)


class TestTheState:
    def test_is_there_from_startup_to_shutdown(self, lifespan):
        dependency = lifespan.add(generator)
        for _ in range(2):
            with pytest.raises(RuntimeError, match="'generator' is available only from startup to shutdown"):
                lifespan.state(dependency)
            run_lifespan(lifespan, lambda: lifespan.state(dependency))
        with pytest.raises(RuntimeError, match="not running"):
            lifespan.state(dependency)

    def test_of_another_application_is_not_this_one_s(self, lifespan):
        other = Lifespan(Dependencies()).add(generator)
        with pytest.raises(RuntimeError, match=r"nothing provides.*'generator'.*app\.lifespan\(generator\)"):
            lifespan.state(other)


class TestTheOrder:
    def test_is_that_of_registration_and_at_shutdown_its_reverse(self, lifespan, manager, style):
        called = []
        lifespan.on_startup(style(lambda: called.append("startup 1")))
        lifespan.on_shutdown(style(lambda: called.append("shutdown 1")))
        lifespan.add(manager(called, "first"))
        lifespan.on_startup(style(lambda: called.append("startup 2")))
        lifespan.add(manager(called, "second"))
        lifespan.on_shutdown(style(lambda: called.append("shutdown 2")))
        run_lifespan(lifespan, lambda: called.append("serving"))
        assert called == [
            "first", "second", "startup 1", "startup 2", "serving",
            "shutdown 2", "shutdown 1", "second left", "first left",
        ]  # fmt: skip

    def test_holds_for_a_coroutine_that_a_function_returns(self, lifespan):
        called = []

        async def waits(name):
            await asyncio.sleep(0)
            called.append(name)

        for name in ("startup 1", "startup 2"):
            lifespan.on_startup(lambda name=name: waits(name))
        for name in ("shutdown 1", "shutdown 2"):
            lifespan.on_shutdown(lambda name=name: waits(name))
        run_lifespan(lifespan)
        assert called == ["startup 1", "startup 2", "shutdown 2", "shutdown 1"]


class TestAStartupThatFails:
    @pytest.mark.parametrize("where", ["manager", "hook"])
    def test_leaves_what_was_entered_with_its_error(self, lifespan, manager, style, where):
        called = []
        error = LookupError("cannot start")

        def fails():
            raise error

        dependency = lifespan.add(manager(called, "first"))
        lifespan.add(manager(called, "second"))
        if where == "manager":
            lifespan.add(manager(called, "third", at_enter=error))
        else:
            lifespan.on_startup(style(fails))
        lifespan.on_startup(style(lambda: called.append("last")))
        with pytest.raises(LookupError) as raised:
            run_lifespan(lifespan)
        assert raised.value is error
        assert [name for name in called if name != "third"] == [
            "first", "second", error, "second left", error, "first left",
        ]  # fmt: skip
        with pytest.raises(RuntimeError, match="not running"):
            lifespan.state(dependency)

    def test_is_told_together_with_what_fails_then(self, lifespan, manager):
        def fails():
            raise LookupError("cannot start")

        @lifespan.add
        def fails_then():
            try:
                yield
            finally:
                raise OSError("cannot leave")

        left = []
        lifespan.on_startup(fails)
        lifespan.add(manager(left, "first"))
        with pytest.raises(ExceptionGroup) as raised:
            run_lifespan(lifespan)
        assert [str(error) for error in raised.value.exceptions] == ["cannot start", "cannot leave"]
        assert "first left" in left

    def test_is_not_told_twice_by_a_task_group(self, lifespan):
        ended = []

        async def forever():
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("forever")

        @lifespan.add
        async def group():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(forever())
                await asyncio.sleep(0)
                yield tasks

        def fails():
            raise LookupError("cannot start")

        lifespan.on_startup(fails)
        with pytest.raises(LookupError, match="cannot start"):
            run_lifespan(lifespan)
        assert ended == ["forever"]

    def test_is_raised_though_a_manager_swallows_it(self, lifespan):
        class Swallows(Managed):
            def __exit__(self, *raised):
                return True

        def fails():
            raise LookupError("cannot start")

        lifespan.add(Swallows)
        lifespan.on_startup(fails)
        with pytest.raises(LookupError, match="cannot start"):
            run_lifespan(lifespan)

    def test_by_a_cancellation_leaves_what_was_entered(self, lifespan, manager):
        called = []
        lifespan.add(manager(called, "first"))

        @lifespan.on_startup
        async def waits():
            await asyncio.Event().wait()

        async def main():
            task = asyncio.create_task(driven(lifespan.startup()))
            while "first" not in called:
                await asyncio.sleep(0.001)
            await asyncio.sleep(0.01)
            task.cancel()
            await asyncio.wait([task], timeout=10)
            return task.cancelled()

        assert asyncio.run(main())
        assert called[-1] == "first left"


class TestAShutdownThatFails:
    def test_goes_on_and_raises_the_error_itself(self, lifespan, manager, style):
        called = []
        error = LookupError("cannot stop")

        def fails():
            raise error

        lifespan.add(manager(called, "first"))
        lifespan.on_shutdown(style(lambda: called.append("shutdown")))
        lifespan.on_shutdown(style(fails))
        with pytest.raises(LookupError) as raised:
            run_lifespan(lifespan)
        assert raised.value is error
        assert called == ["first", "shutdown", "first left"]

    def test_raises_several_errors_as_a_group(self, lifespan, manager, style):
        errors = [LookupError(name) for name in ("hook", "second", "first")]

        def fails():
            raise errors[0]

        called = []
        lifespan.add(manager(called, "first", at_exit=errors[2]))
        lifespan.add(manager(called, "second", at_exit=errors[1]))
        lifespan.on_shutdown(style(fails))
        with pytest.raises(ExceptionGroup, match="the shutdown failed") as raised:
            run_lifespan(lifespan)
        assert list(raised.value.exceptions) == errors
        assert called == ["first", "second", "second left", "first left"]

    def test_tells_of_a_cancellation_only_where_there_is_nothing_else(self, lifespan):
        @lifespan.on_shutdown
        async def cancelled():
            raise asyncio.CancelledError

        async def main():
            task = asyncio.create_task(driven(lifespan.shutdown()))
            await asyncio.wait([task], timeout=10)
            return "cancelled" if task.cancelled() else str(task.exception())

        assert asyncio.run(main()) == "cancelled"

        @lifespan.on_shutdown
        def fails():
            raise LookupError("cannot stop")

        assert asyncio.run(main()) == "cannot stop"


class TestAShutdownThatIsCancelled:
    def test_on_the_way_to_a_thread_still_calls_what_is_left(self, lifespan, manager):
        called, are_free = [], threading.Event()
        lifespan.add(manager(called, "first"))
        lifespan.on_shutdown(lambda: called.append("shutdown"))

        @lifespan.on_shutdown
        async def keeps_all_threads_busy():
            busy = [asyncio.create_task(Crossing().run(are_free.wait, 10)) for _ in range(WORKERS)]
            await asyncio.sleep(0)
            loop = asyncio.get_running_loop()
            loop.call_soon(asyncio.current_task().cancel)
            loop.call_soon(loop.call_soon, are_free.set)
            called.append(busy)

        async def main():
            await driven(lifespan.startup())
            task = asyncio.create_task(driven(lifespan.shutdown()))
            await asyncio.wait([task], timeout=10)
            return task.cancelled()

        assert asyncio.run(main())
        assert [each for each in called if isinstance(each, str)] == ["first", "shutdown", "first left"]


class TestAGeneratorThatDoesNotYieldOnce:
    def never(self):
        if self is None:
            yield

    def twice(self):
        yield "once"
        yield "again"

    async def async_never(self):
        if self is None:
            yield

    async def async_twice(self):
        yield "once"
        yield "again"

    @pytest.mark.parametrize("name", ["never", "twice", "async_never", "async_twice"])
    def test_is_named_with_the_fix(self, lifespan, name):
        function = getattr(self, name)
        lifespan.add(function)
        with pytest.raises(RuntimeError, match="has to yield once") as raised:
            run_lifespan(lifespan)
        assert describe(function) in str(raised.value)


class TestTwoLoops:
    """Two servers, on threads of one process, that serve one application."""

    def app(self):
        app = App()

        @app.lifespan
        async def pool():
            yield asyncio.get_running_loop()

        @app.lifespan
        def settings():
            yield "settings"

        app.get("/async")(self.handler(pool, settings))
        app.get("/def")(lambda request: request[settings])
        return app

    def handler(self, pool, settings):
        async def handler(request):
            assert request[pool] is asyncio.get_running_loop()
            return request[settings]

        return handler

    async def answers(self, app):
        async with AsyncClient(app, raise_errors=False) as client:
            here = [(await client.get(path)).text for path in ("/async", "/def")]
            there = await asyncio.to_thread(lambda: asyncio.run(self.elsewhere(app)))
            return here, there

    async def elsewhere(self, app):
        client = AsyncClient(app, raise_errors=False)
        return [(await client.get(path)).status for path in ("/async", "/def")]

    def test_do_not_share_what_an_async_lifespan_gave_to_one(self, caplog):
        assert asyncio.run(self.answers(self.app())) == (["settings"] * 2, [500, 200])
        assert "pool" in caplog.text
        assert "was entered on a different event loop" in caplog.text
        assert "make one application per loop" in caplog.text

    def test_are_not_made_by_two_clients_of_a_test(self):
        app = self.app()
        one, other = Client(app), Client(app)
        assert [client.get("/async").text for client in (one, other)] == ["settings"] * 2
        one.close()
        assert other.get("/async").text == "settings"
        other.close()
