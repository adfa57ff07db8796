import asyncio
from contextvars import copy_context
from functools import partial, wraps

import pytest

from antiphon import App, Request
from antiphon.app.dispatch.dependencies import Dependencies
from antiphon.concurrency.background import run_on, serving_loop
from antiphon.handler.callables import describe
from antiphon.handler.drive import run_async
from antiphon.request.dependencies import Dependency
from tests.helpers.rows import rows

User = Dependency[str]("user", fix="app.use(Users())")


class Route:
    name = ""
    app = None

    def __init__(self, dependencies):
        self.dependencies = dependencies


def request_with(dependencies, url="/"):
    request = Request.blank(url)
    request.route = Route(dependencies)
    return request


async def resolve(dependencies, request, pinned=True):
    for source in dependencies.resolving:
        await (source.pinned() if pinned else source).resolve(request)


def resolved(dependencies, request):
    asyncio.run(asyncio.wait_for(run_async(resolve(dependencies, request)), 10))
    return request


def ada(request):
    return f"ada at {request.path}"


async def ada_later(request):
    await asyncio.sleep(0)
    return ada(request)


WAITING = {
    "async": (ada_later, {}), "blocking": (ada, {"blocking": True}), "partial of async": (partial(ada_later), {}),
}  # fmt: skip


@pytest.fixture
def dependencies():
    return Dependencies()


@pytest.fixture(params=WAITING.values(), ids=WAITING)
def waiting(request, dependencies):
    source, options = request.param
    return partial(dependencies.provide, User, source, **options)


class TestASyncSource:
    def test_is_asked_only_when_it_is_wanted(self, dependencies):
        dependencies.provide(User, ada, when=lambda request: request.path == "/in", default=lambda request: "nobody")
        assert request_with(dependencies, "/in")[User] == "ada at /in"
        assert request_with(dependencies, "/out")[User] == "nobody"


class TestASourceThatWaits:
    def test_is_not_called_when_it_is_not_wanted(self, dependencies, waiting):
        waiting(when=lambda request: request.path == "/in", default=lambda request: f"nobody at {request.path}")
        request = resolved(dependencies, request_with(dependencies, "/out"))
        assert User not in request
        assert request[User] == "nobody at /out"
        assert resolved(dependencies, request_with(dependencies, "/in"))[User] == "ada at /in"

    def test_without_anything_otherwise_is_an_error_for_them(self, dependencies, waiting):
        waiting(when=lambda request: False)
        request = resolved(dependencies, request_with(dependencies))
        with pytest.raises(RuntimeError, match=r"has no 'user'.*default"):
            request[User]

    def test_is_not_called_for_a_dependency_that_was_set(self, dependencies, waiting):
        waiting()
        request = request_with(dependencies)
        request[User] = "set"
        assert resolved(dependencies, request)[User] == "set"

    def test_is_called_where_a_thread_reads_it_before(self, dependencies, waiting):
        waiting()
        assert request_with(dependencies)[User] == resolved(dependencies, request_with(dependencies))[User]

    def test_is_an_error_to_read_before_on_a_loop(self, dependencies, waiting):
        waiting()

        async def read():
            return request_with(dependencies)[User]

        with pytest.raises(RuntimeError, match="'user' is not resolved") as refused:
            run_on(serving_loop(), read(), copy_context())
        assert describe(dependencies.resolving[0].hook.function) in str(refused.value)


async def nobody(request):
    return None


def decorated(function):

    @wraps(function)
    def around(request):
        return function(request)

    return around


class Nobody:
    async def __call__(self, request):
        return None


async def forgets_to_await(request):
    return nobody(request)


async def forgets_to_wait(request):
    return asyncio.get_running_loop().create_future()


UNAWAITED = {
    "lambda": (lambda request: nobody(request.path), {}),
    "decorated": (decorated(nobody), {}),
    "partial of a lambda": (partial(lambda request: nobody(request.path)), {}),
    "on a thread": (lambda request: nobody(request.path), {"blocking": True}),
    "async def": (forgets_to_await, {}),
    "a future": (forgets_to_wait, {}),
}
ASYNC = {"async def": nobody, "partial": partial(nobody), "object": Nobody(), "method": Nobody().__call__}


class TestACoroutine:
    """A coroutine is true, and would let everybody in."""

    @pytest.mark.parametrize(("source", "options"), UNAWAITED.values(), ids=UNAWAITED)
    def test_is_never_the_value_of_a_dependency(self, dependencies, source, options):
        dependencies.provide(User, source, **options)
        request = request_with(dependencies)
        with pytest.raises(TypeError, match="await") as refused:
            resolved(dependencies, request)[User]
        assert describe(source) in str(refused.value)
        assert User not in request

    @rows("option", ["when", "default"])
    @rows("function", ASYNC.values(), ids=ASYNC)
    def test_function_is_refused_where_none_is_awaited(self, dependencies, option, function):
        with pytest.raises(TypeError, match=rf"`{option}` .*`def`") as refused:
            dependencies.provide(User, ada, **{option: function})
        assert describe(function) in str(refused.value)

    @pytest.mark.parametrize("option", ["when", "default"])
    def test_is_refused_where_none_is_awaited(self, dependencies, option):
        def mistaken(request):
            return nobody(request)

        dependencies.provide(User, ada, **{"when": lambda request: False} | {option: mistaken})
        with pytest.raises(TypeError, match="await") as refused:
            request_with(dependencies)[User]
        assert describe(mistaken) in str(refused.value)

    def test_is_told_from_a_value_that_may_be_awaited_once(self, dependencies):
        class Database:
            def __await__(self):
                yield

        database = Database()
        dependencies.provide(User, lambda request: database)
        assert request_with(dependencies)[User] is database


class TestFilling:
    def test_twice_is_refused_with_both(self, dependencies):
        dependencies.provide(User, ada)
        with pytest.raises(ValueError, match="'user'") as refused:
            dependencies.provide(User, ada_later)
        assert describe(ada) in str(refused.value)
        assert describe(ada_later) in str(refused.value)
        with pytest.raises(ValueError, match="used twice"):
            dependencies.provide(User, ada)
        assert request_with(dependencies)[User] == "ada at /"
        assert dependencies.resolving == ()

    def test_that_is_none_is_refused(self, dependencies):
        with pytest.raises(TypeError, match=r"app\.provide needs a dependency, not 'user': make one, "):
            dependencies.provide("user", lambda request: "ann")

    def test_is_missed_with_the_fix(self, dependencies):
        with pytest.raises(RuntimeError, match=r"'user'.*app\.use\(Users\(\)\)"):
            request_with(dependencies)[User]

    def test_of_one_application_is_not_that_of_another(self, dependencies):
        dependencies.provide(User, ada)
        with pytest.raises(RuntimeError):
            request_with(Dependencies())[User]


def test_a_value_in_place_of_a_source_is_an_error_that_says_what_to_write():
    message = r"the source of 'settings' must be a function of the request, not {'size': 9}: .*lambda request: value"
    with pytest.raises(TypeError, match=message):
        App().provide(Dependency("settings"), {"size": 9})
