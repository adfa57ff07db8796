import asyncio
import threading
from functools import partial, wraps

import pytest

from antiphon import Request
from antiphon.app.answering.places import Places
from antiphon.handler.contract import describe
from antiphon.handler.drive import run_async
from antiphon.http.errors import ServiceUnavailable
from antiphon.request.places import Place
from tests.helpers.driving import drive

User = Place[str]("user", fix="app.use(Users())")
Session = Place[dict]("session")


class Route:
    endpoint = app = None

    def __init__(self, places):
        self.places = places


def request_with(places, url="/"):
    request = Request.blank(url)
    request.route = Route(places)
    return request


async def resolve(places, request, pinned=True):
    for source in places.resolving:
        await (source.pinned() if pinned else source).resolve(request)


def resolved(places, request):
    asyncio.run(asyncio.wait_for(run_async(resolve(places, request)), 10))
    return request


def ada(request):
    return f"ada at {request.path}"


async def ada_later(request):
    await asyncio.sleep(0)
    return ada(request)


WAITING = {
    "async": (ada_later, {}),
    "blocking": (ada, {"blocking": True}),
    "partial of async": (partial(ada_later), {}),
}


@pytest.fixture
def places():
    return Places()


@pytest.fixture(params=WAITING.values(), ids=WAITING)
def waiting(request, places):
    """Fills User with a source that waits."""
    source, options = request.param
    return partial(places.fill, User, source, **options)


class TestASyncSource:
    def test_is_called_on_first_read(self, places):
        called = []
        places.fill(User, lambda request: called.append(request) or "ada")
        request = request_with(places)
        assert called == []
        assert [request[User], request[User]] == ["ada", "ada"]
        assert called == [request]

    def test_is_not_resolved(self, places):
        places.fill(User, ada)
        assert places.resolving == ()

    def test_raises_where_it_is_read(self, places):
        error = ServiceUnavailable("no users today")

        def fails(request):
            raise error

        places.fill(User, fails)
        with pytest.raises(ServiceUnavailable) as raised:
            request_with(places)[User]
        assert raised.value is error

    def test_may_read_another_place(self, places):
        places.fill(User, lambda request: request[Session]["user"])
        places.fill(Session, lambda request: {"user": "ada"})
        assert request_with(places)[User] == "ada"

    def test_is_asked_only_when_it_is_wanted(self, places):
        places.fill(User, ada, when=lambda request: request.path == "/in", otherwise=lambda request: "nobody")
        assert request_with(places, "/in")[User] == "ada at /in"
        assert request_with(places, "/out")[User] == "nobody"


class TestASourceThatWaits:
    def test_gives_its_value_before_the_handler(self, places, waiting):
        waiting()
        request = resolved(places, request_with(places, "/in"))
        assert User in request
        assert request[User] == "ada at /in"

    def test_is_told_from_others(self, places, waiting):
        waiting()
        places.fill(Session, lambda request: {})
        assert [source.fills for source in places.resolving] == [User]

    def test_is_not_called_when_it_is_not_wanted(self, places, waiting):
        waiting(when=lambda request: request.path == "/in", otherwise=lambda request: f"nobody at {request.path}")
        request = resolved(places, request_with(places, "/out"))
        assert User not in request
        assert request[User] == "nobody at /out"
        assert resolved(places, request_with(places, "/in"))[User] == "ada at /in"

    def test_changes_no_place_for_those_who_don_t_want_it(self, places, waiting):
        waiting(when=lambda request: False)
        assert drive(resolve(places, request_with(places)))[0] == []

    def test_without_anything_otherwise_is_an_error_for_them(self, places, waiting):
        waiting(when=lambda request: False)
        request = resolved(places, request_with(places))
        with pytest.raises(RuntimeError, match=r"has no 'user'.*otherwise"):
            request[User]

    def test_is_not_called_for_a_place_that_was_set(self, places, waiting):
        waiting()
        request = request_with(places)
        request[User] = "set"
        assert resolved(places, request)[User] == "set"

    def test_is_an_error_to_read_before(self, places, waiting):
        waiting()
        with pytest.raises(RuntimeError, match="'user' is not resolved") as refused:
            request_with(places)[User]
        assert describe(places.resolving[0].hook.function) in str(refused.value)

    def test_raises_where_it_is_resolved(self, places):
        error = ServiceUnavailable("no users today")

        async def fails(request):
            raise error

        places.fill(User, fails)
        request = request_with(places)
        with pytest.raises(ServiceUnavailable) as raised:
            resolved(places, request)
        assert raised.value is error
        assert User not in request

    def test_may_read_the_places_that_were_filled_before(self, places):
        async def session(request):
            return {"user": "ada"}

        async def user(request):
            return request[Session]["user"]

        places.fill(Session, session)
        places.fill(User, user)
        assert resolved(places, request_with(places))[User] == "ada"


class TestWhereItRuns:
    def test_each_goes_to_its_place(self, places):
        threads = {}

        async def waits(request):
            threads["async"] = threading.current_thread()

        def blocks(request):
            threads["blocking"] = threading.current_thread()

        places.fill(User, waits)
        places.fill(Session, blocks, blocking=True)
        resolved(places, request_with(places))
        assert threads["async"] is threading.main_thread()
        assert threads["blocking"] is not threading.main_thread()

    def test_of_one_style_they_need_no_driver(self, places):
        places.fill(User, ada_later)
        request = request_with(places)
        asyncio.run(asyncio.wait_for(resolve(places, request, pinned=False), 10))
        assert request[User] == "ada at /"

    def test_a_plan_can_tell(self, places):
        places.fill(User, ada_later)
        places.fill(Session, lambda request: {}, blocking=True)
        assert [source.blocks for source in places.resolving] == [False, True]


async def nobody(request):
    return None


def decorated(function):
    """A sync decorator, which gives the coroutine on."""

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
ASYNC = {
    "async def": nobody,
    "partial": partial(nobody),
    "object": Nobody(),
    "method": Nobody().__call__,
}


class TestACoroutine:
    """A coroutine is true, and would let everybody in."""

    @pytest.mark.parametrize(("source", "options"), UNAWAITED.values(), ids=UNAWAITED)
    def test_is_never_the_value_of_a_place(self, places, source, options):
        places.fill(User, source, **options)
        request = request_with(places)
        with pytest.raises(TypeError, match="await") as refused:
            resolved(places, request)[User]
        assert describe(source) in str(refused.value)
        assert User not in request

    @pytest.mark.parametrize("source", ASYNC.values(), ids=ASYNC)
    def test_is_awaited_where_the_source_is_async(self, places, source):
        places.fill(User, source)
        assert resolved(places, request_with(places))[User] is None

    @pytest.mark.parametrize("option", ["when", "otherwise"])
    @pytest.mark.parametrize("function", ASYNC.values(), ids=ASYNC)
    def test_function_is_refused_where_none_is_awaited(self, places, option, function):
        with pytest.raises(TypeError, match=rf"`{option}` .*`def`") as refused:
            places.fill(User, ada, **{option: function})
        assert describe(function) in str(refused.value)

    @pytest.mark.parametrize("option", ["when", "otherwise"])
    def test_is_refused_where_none_is_awaited(self, places, option):
        def mistaken(request):
            return nobody(request)

        places.fill(User, ada, **{"when": lambda request: False} | {option: mistaken})
        with pytest.raises(TypeError, match="await") as refused:
            request_with(places)[User]
        assert describe(mistaken) in str(refused.value)

    def test_is_told_from_a_value_that_may_be_awaited_once(self, places):
        class Database:
            def __await__(self):
                yield

        database = Database()
        places.fill(User, lambda request: database)
        assert request_with(places)[User] is database


class TestFilling:
    def test_twice_is_refused_with_both(self, places):
        places.fill(User, ada)
        with pytest.raises(ValueError, match="'user'") as refused:
            places.fill(User, ada_later)
        assert describe(ada) in str(refused.value)
        assert describe(ada_later) in str(refused.value)
        assert request_with(places)[User] == "ada at /"
        assert places.resolving == ()

    def test_that_is_none_is_refused(self, places):
        with pytest.raises(TypeError, match=r"app\.fill is for places, not for 'user': make one, "):
            places.fill("user", lambda request: "ann")

    def test_can_be_asked_for(self, places):
        assert User not in places
        places.fill(User, ada)
        assert User in places

    def test_is_missed_with_the_fix(self, places):
        with pytest.raises(RuntimeError, match=r"'user'.*app\.use\(Users\(\)\)"):
            request_with(places)[User]

    def test_of_one_application_is_not_that_of_another(self, places):
        places.fill(User, ada)
        with pytest.raises(RuntimeError):
            request_with(Places())[User]
