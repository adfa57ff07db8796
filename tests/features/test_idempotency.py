"""Idempotent writes: what is carried out, and what a retry is answered."""

import asyncio
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from antiphon import App, Dependency, Redirect, Request, Response, abort
from antiphon.app.dispatch.plan import Surroundings
from antiphon.features import IdempotentWrites, MemoryStore, RateLimit, Sessions, SQLiteStore, StoreUnavailable
from antiphon.http import Conflict, Forbidden
from antiphon.testing import AsyncClient, Client

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "kind")]

KEY = "8e03978e-40d5-43dd-bc93-6894a57f9324"
DAY = 24 * 3600.0
HTTPS = "https://bank.example.com"


@pytest.fixture(params=["memory", "sqlite"])
def kind(request):
    return request.param


class Bank:
    """An app that pays once more with each request that is carried out, and answers as a test says."""

    def __init__(self, store, interface, style, route=None, **options):
        self.app = App()
        self.store = store
        self.paid = 0
        self.answer = lambda request: ({"paid": self.paid}, 201)
        self.clients = []
        self._interface = interface

        def pay(request):
            self.paid += 1
            return self.answer(request)

        async def apay(request):
            self.paid += 1
            await asyncio.sleep(0)
            answer = self.answer(request)
            return await answer if asyncio.iscoroutine(answer) else answer

        self.app.use(IdempotentWrites(store, **options))
        handler = pay if style == "def" else apay
        for method in "POST", "PUT":
            self.app.route("/payments/<payee>", [method], name=method, idempotent=True, **(route or {}))(handler)

    def client(self, **options):
        options.setdefault("base_url", HTTPS)
        self.clients.append(Client(self.app, self._interface, timeout=10.0, follow_redirects=False, **options))
        return self.clients[-1]

    def pay(self, key=KEY, *, method="POST", path="/payments/ada", body=b"5 pounds", client=None, headers=()):
        given = {} if key is None else {"idempotency-key": f'"{key}"'}
        return (client or self.client()).request(method, path, body=body, headers={**given, **dict(headers)})


@pytest.fixture
def opening(store, interface, style, clock):
    banks = []

    def opening(store=store, **options):
        banks.append(Bank(store, interface, style, **options))
        return banks[-1]

    yield opening
    for bank in banks:
        for client in bank.clients:
            client.close()


@pytest.fixture
def bank(opening):
    return opening()


KINDS = {400: ("missing", "malformed"), 409: ("in-use", "broken-off"), 422: ("reused",)}


def told(response):
    """What a client of an API reads of a refusal."""
    assert response.headers["content-type"] == "application/problem+json"
    kind = response.json["type"].removeprefix("urn:antiphon:problem:idempotency-key-")
    assert kind in KINDS[response.status]
    assert ("retry-after" in response.headers) == (kind == "in-use")
    return response.status, response.json["detail"]


class TestARetry:
    def test_is_given_the_first_answer(self, bank):
        first, second = bank.pay(), bank.pay()
        assert (first.status, first.json) == (second.status, second.json) == (201, {"paid": 1})
        assert bank.paid == 1

    def test_with_another_key_is_another_write(self, bank):
        assert [bank.pay(key).json for key in ("a", "b", "a")] == [{"paid": 1}, {"paid": 2}, {"paid": 1}]

    @pytest.mark.parametrize(
        "answer",
        [
            Response(None, 204),
            Response(b"\x00\xff", 200, {"x-own": "a", "etag": '"1"'}),
            Response.html("<p>paid", 201, [("link", "</a>; rel=a"), ("link", "</b>; rel=b")]),
            Redirect("/payments/1", status=303),
            Conflict("There is no money left.", headers={"x-own": "a"}),
            Response.json({"error": "no"}, 422),
        ],
        ids=["no content", "bytes", "several lines", "a redirect", "an error", "a client's error"],
    )
    def test_has_status_fields_and_body_of_the_first(self, bank, answer):
        def give(request):
            if isinstance(answer, Exception):
                raise answer
            return answer

        bank.answer = give
        first, second = bank.pay(), bank.pay()
        assert (second.status, second.body) == (first.status, first.body)
        assert [*second.headers.items()] == [*first.headers.items()]
        assert bank.paid == 1

    def test_has_none_of_the_first_visitors_cookies_and_dates(self, bank):
        def give(request):
            response = Response("paid", headers={"date": "Sun, 06 Nov 1994 08:49:37 GMT", "x-own": "a"})
            response.set_cookie("name", "value")
            return response

        bank.answer = give
        assert {"date", "set-cookie"} <= {*bank.pay().headers.keys()}
        assert {*bank.pay().headers.keys()} & {"date", "set-cookie", "x-own"} == {"x-own"}

    def test_passes_the_middleware_as_the_first_did(self, bank):
        @bank.app.middleware
        def count(request):
            response = yield
            response.headers["x-seen"] = response.headers.get("x-seen", "") + "once"

        assert [bank.pay().headers["x-seen"] for _ in range(2)] == ["once", "once"]

    def test_is_told_its_own_limits_and_not_those_of_the_first(self, opening):
        bank = opening(route={"before": RateLimit("5/minute")})
        told = [bank.pay().headers["ratelimit"] for _ in range(2)]
        assert [limit.partition(";t=")[0] for limit in told] == ['"5/minute";r=4', '"5/minute";r=3']
        assert "," not in told[1]

    def test_is_carried_out_when_the_answer_has_expired(self, bank, clock):
        bank.pay()
        clock.now += DAY - 1
        assert bank.pay().json == {"paid": 1}
        clock.now += 2
        assert bank.pay().json == {"paid": 2}

    @pytest.mark.parametrize(
        "other",
        [
            {"method": "PUT"},
            {"path": "/payments/bob"},
            {"path": "/payments/ada?now=1"},
            {"body": b"6 pounds"},
            {"body": b"5 pounds" * 100_000},
            {"body": b""},
        ],
        ids="".join,
    )
    def test_that_is_another_request_is_refused(self, bank, other):
        bank.pay()
        status, detail = told(bank.pay(**other))
        assert (status, detail) == (422, UNLIKE)
        assert bank.paid == 1

    def test_at_another_place_of_a_mounted_app_is_refused(self, bank, interface):
        bank.answer = lambda request: "paid"
        outer = App()
        for prefix in "/here", "/there":
            outer.mount(prefix, bank.app)
        with Client(outer, interface, base_url=HTTPS) as client:
            statuses = [bank.pay(path=f"/{place}/payments/ada", client=client).status for place in ("here", "there")]
        assert (statuses, bank.paid) == ([200, 422], 1)

    def test_may_have_a_body_that_is_kept_in_a_file(self, bank):
        large = b"5 pounds" * 100_000
        assert [bank.pay(body=large).json for _ in range(2)] == [{"paid": 1}] * 2
        assert bank.pay(body=large[:-1] + b"z").status == 422

    def test_may_have_a_body_that_is_read_late(self, opening):
        bank = opening(route={"receive": "lazy"})
        large = b"5 pounds" * 100_000
        assert [bank.pay(body=large).json for _ in range(2)] == [{"paid": 1}] * 2
        assert bank.pay(body=b"other").status == 422


UNLIKE = "This Idempotency-Key was sent with another request before: a new write needs a new key."


class TestAKey:
    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (None, 400),
            ('"abc"', 201),
            ("abc", 201),
            (f'"{"k" * 255}"', 201),
            (f'"{"k" * 256}"', 400),
            ('""', 400),
            ('"abc', 400),
            ("a b", 400),
            ('"ä"', 400),
            ('"a", "b"', 400),
            ("?1", 400),
        ],
    )
    def test_is_one_text_of_bounded_length(self, bank, sent, status):
        response = bank.pay(None, headers={} if sent is None else {"idempotency-key": sent})
        assert response.status == status
        if status == 400:
            assert "Idempotency-Key" in told(response)[1]
            if sent is None or sent.isascii():  # RSGI servers drop a header that is not
                assert response.json["type"].endswith("missing" if sent is None else "malformed")
        assert bank.paid == (status == 201)

    def test_is_the_same_with_and_without_quotes(self, bank):
        assert bank.pay("abc").json == bank.pay(None, headers={"idempotency-key": "abc"}).json

    def test_need_not_be_sent_where_it_is_not_required(self, opening):
        bank = opening(required=False)
        assert [bank.pay(None).json for _ in range(2)] == [{"paid": 1}, {"paid": 2}]
        assert bank.pay(None, headers={"idempotency-key": '"'}).status == 400
        assert [bank.pay().json for _ in range(2)] == [{"paid": 3}, {"paid": 3}]


class TestACaller:
    def test_is_never_given_the_answer_of_another(self, bank):
        bank.pay(headers={"authorization": "Bearer ada"})
        for other in {"authorization": "Bearer bob"}, {}:
            status, detail = told(bank.pay(headers=other))
            assert status == 422
            assert detail == "This Idempotency-Key was sent with other credentials before: a new write needs a new key."
        assert bank.pay(headers={"authorization": "Bearer ada"}).json == {"paid": 1}
        assert bank.paid == 1

    def test_has_keys_of_its_own_where_the_app_knows_it(self, opening):
        bank = opening(by=lambda request: request.headers.get("x-account"))
        accounts = [{"x-account": "ada"}, {"x-account": "bob"}, {}]
        for _ in range(2):
            assert [bank.pay(headers=account).json["paid"] for account in accounts] == [1, 2, 3]

    def test_must_not_have_to_be_awaited(self, store):
        async def by(request):
            return "ada"

        with pytest.raises(TypeError, match="`by` is called without `await`"):
            IdempotentWrites(store, by=by)

    def test_is_a_visitor_where_there_are_sessions(self, opening, store, clock):
        bank = opening()
        bank.app.use(Sessions(store))

        @bank.app.post("/login")
        def log_in(request):
            request.session.rotate(owner="ada")
            request.session["user"] = "ada"
            return "Hello"

        visitor, other = bank.client(), bank.client()
        for client in visitor, other:
            clock.now += 1
            client.post("/login")
        before = visitor.cookies["__Host-session"]
        assert bank.pay(client=visitor).json == {"paid": 1}
        visitor.post("/login")  # gives the session a new key
        assert visitor.cookies["__Host-session"] != before
        assert bank.pay(client=visitor).json == {"paid": 1}
        late = bank.client(cookies={"__Host-session": before})
        assert [bank.pay(client=client).status for client in (other, late, bank.client())] == [422, 422, 422]
        assert bank.paid == 1


class TestAFailure:
    @pytest.mark.parametrize("failure", [503, 500, 429, 408, 425, ZeroDivisionError])
    def test_is_carried_out_again(self, bank, failure):
        def fail(request):
            if failure is ZeroDivisionError:
                raise ZeroDivisionError
            abort(failure)

        right, bank.answer = bank.answer, fail
        assert bank.pay().status == (500 if failure is ZeroDivisionError else failure)
        bank.answer = right
        assert bank.pay(body=b"other").status == 422
        assert [bank.pay().json for _ in range(2)] == [{"paid": 2}, {"paid": 2}]

    @pytest.mark.parametrize("error", [ZeroDivisionError(), Conflict("Somebody else was faster.")], ids=["500", "409"])
    @pytest.mark.parametrize("where", ["a dependency", "middleware"])
    def test_of_a_commit_is_carried_out_again(self, bank, error, where):
        errors = [error]

        def transaction(request):
            yield None if where == "middleware" else 1
            if errors:
                raise errors.pop()

        if where == "middleware":
            bank.app.middleware(transaction)
        else:
            bank.app.provide(Dependency("transaction"), transaction, blocking=True)
        assert bank.pay().status == (409 if isinstance(error, Conflict) else 500)
        assert [bank.pay().json for _ in range(2)] == [{"paid": 2}, {"paid": 2}]

    def test_before_the_handler_claims_nothing(self, bank):
        refused = [True]

        @bank.app.before_request
        def refuse(request):
            if refused.pop():
                raise Forbidden("Log in first.")
            refused.append(False)

        refused[:] = [False, True]
        assert bank.pay().status == 403
        assert [bank.pay().json for _ in range(2)] == [{"paid": 1}, {"paid": 1}]

    def test_of_the_guard_claims_nothing(self, bank):
        assert bank.pay(headers={"sec-fetch-site": "cross-site"}).status == 403
        assert bank.pay().json == {"paid": 1}


class TestAnAnswerThatCannotBeKept:
    @pytest.mark.parametrize(
        "answer",
        [lambda: Response.stream(iter(["a", "b"])), lambda: Response(b"a" * 101), lambda: iter(["a", "b"])],
        ids=["a stream", "a large body", "an iterator"],
    )
    def test_is_an_error_that_names_the_handler(self, opening, answer, caplog):
        bank = opening(max_body=100)
        bank.answer = lambda request: answer()
        assert bank.pay().status == 500
        assert re.search(r"pay \(.* is idempotent, .* IdempotentWrites\(store, max_body=\.\.\.\)", caplog.text)
        assert told(bank.pay()) == (409, UNKNOWN)
        assert bank.paid == 1

    def test_is_no_small_file(self, opening, tmp_path):
        bank = opening(max_body=100)
        path = tmp_path / "receipt.txt"
        path.write_bytes(b"a" * 100)
        bank.answer = lambda request: Response.file(path)
        first = bank.pay()
        path.write_bytes(b"b" * 100)
        second = bank.pay()
        assert (second.body, sorted(second.headers.items())) == (first.body, sorted(first.headers.items()))
        assert first.body == b"a" * 100
        path.write_bytes(b"a" * 101)
        assert bank.pay("another").status == 500


UNKNOWN = (
    "The first request with this Idempotency-Key was interrupted, and its outcome is unknown. Find out what it did"
    " before you send it again, with a new key."
)
SILENT = "has had no response for 61 seconds. If it was interrupted"
RUNNING = "The first request with this Idempotency-Key is still being carried out. Send it again in a moment."


class Leaving(MemoryStore):
    """A store that is away from a call on."""

    def __init__(self, calls, **options):
        super().__init__(**options)
        self.calls = calls

    def _count(self):
        self.calls -= 1
        if self.calls < 0:
            raise StoreUnavailable("Please try again in a moment.", retry_after=2)

    def add(self, *args, **options):
        self._count()
        return super().add(*args, **options)

    def replace(self, *args, **options):
        self._count()
        return super().replace(*args, **options)


class Watched(SQLiteStore):
    """A store that is to be called on threads only."""

    def _check(self):
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()

    def add(self, *args, **options):
        self._check()
        return super().add(*args, **options)

    def replace(self, *args, **options):
        self._check()
        return super().replace(*args, **options)


@pytest.mark.parametrize("style", ["async def"])
@pytest.mark.parametrize("kind", ["sqlite"])
def test_a_store_that_waits_is_asked_on_a_thread(opening, tmp_path, kind):
    with closing(Watched(tmp_path / "store.db")) as store:
        bank = opening(store)
        assert [bank.pay().json for _ in range(2)] == [{"paid": 1}, {"paid": 1}]


class TestAStoreThatIsAway:
    def test_is_a_503_before_anything_is_carried_out(self, opening, clock):
        bank = opening(store=Leaving(0, clock=clock))
        response = bank.pay()
        assert (response.status, response.headers["retry-after"]) == (503, "2")
        assert bank.paid == 0

    def test_after_the_effect_changes_no_answer_and_the_effect_is_not_had_again(self, opening, clock, caplog):
        bank = opening(store=Leaving(1, clock=clock))
        assert bank.pay().json == {"paid": 1}
        assert "which can't be kept for retries" in caplog.text
        bank.store.calls = 100
        assert told(bank.pay()) == (409, RUNNING)
        clock.now += 61
        assert told(bank.pay()) == (409, UNKNOWN.replace("was interrupted, and", SILENT))
        assert bank.paid == 1

    def test_may_be_carried_out_again_where_a_write_can_bear_it(self, opening, clock):
        bank = opening(store=Leaving(1, clock=clock), takeover=30)
        bank.pay()
        bank.store.calls = 100
        clock.now += 29
        assert told(bank.pay()) == (409, RUNNING)
        clock.now += 1
        assert [bank.pay().json for _ in range(2)] == [{"paid": 2}, {"paid": 2}]


class TestARequestThatIsBrokenOff:
    """The end of a process is tested with real ones."""

    @pytest.mark.parametrize("takeover", [None, 30.0])
    @pytest.mark.parametrize("style", ["async def"])
    def test_may_have_had_its_effect(self, opening, takeover):
        bank, without_deadline = opening(route={"deadline": 0.05}), opening(takeover=takeover)
        bank.answer = lambda request: asyncio.sleep(1000)
        assert bank.pay().status == 504
        if takeover is None:
            assert told(without_deadline.pay()) == (409, UNKNOWN)
        else:
            assert without_deadline.pay().json == {"paid": 1}

    @pytest.mark.parametrize("style", ["async def"])
    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    def test_by_its_server_may_have_had_it_too(self, bank, interface):
        begun = asyncio.Event()

        async def hang():
            begun.set()
            await asyncio.sleep(1000)

        async def cancel():
            async with AsyncClient(bank.app, interface, base_url=HTTPS) as client:
                headers = {"idempotency-key": KEY}
                first = asyncio.create_task(client.post("/payments/ada", headers=headers, body=b"5 pounds"))
                await begun.wait()
                first.cancel()
                await asyncio.wait([first])

        right, bank.answer = bank.answer, lambda request: hang()
        asyncio.run(cancel())
        bank.answer = right
        assert told(bank.pay()) == (409, UNKNOWN)
        assert bank.paid == 1


class TestRetriesAtOnce:
    @pytest.mark.parametrize("style", ["def"])
    def test_of_threads_have_one_effect(self, bank):
        begun, go_on = threading.Event(), threading.Event()

        def wait(request):
            begun.set()
            assert go_on.wait(10)
            return {"paid": bank.paid}

        bank.answer = wait
        clients = [bank.client() for _ in range(51)]
        with ThreadPoolExecutor(51) as threads:
            first = threads.submit(bank.pay, client=clients.pop())
            assert begun.wait(10)
            others = [*threads.map(lambda client: bank.pay(client=client), clients)]
            go_on.set()
            assert first.result().json == {"paid": 1}
        assert {told(other) for other in others} == {(409, RUNNING)}
        assert {other.headers["retry-after"] for other in others} == {"2"}
        assert bank.pay().json == {"paid": 1}

    def test_of_threads_are_answered_alike(self, bank):
        barrier = threading.Barrier(50)

        def pay(client):
            barrier.wait()
            while (response := bank.pay(client=client)).status == 409:
                pass
            return response.json["paid"]

        with ThreadPoolExecutor(50) as threads:
            assert {*threads.map(pay, [bank.client() for _ in range(50)])} == {1}
        assert bank.paid == 1

    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    def test_of_tasks_have_one_effect(self, bank, interface):
        async def pay_all():
            async with AsyncClient(bank.app, interface, base_url=HTTPS) as client:

                async def pay():
                    while True:
                        response = await client.post(
                            "/payments/ada", headers={"idempotency-key": KEY}, body=b"5 pounds"
                        )
                        if response.status != 409:
                            return response.json["paid"]

                return await asyncio.gather(*[pay() for _ in range(50)])

        assert {*asyncio.run(pay_all())} == {1}
        assert bank.paid == 1


class TestAMistake:
    def test_a_route_without_the_feature_names_itself_and_the_line(self, interface):
        app = App()

        @app.post("/", idempotent=True)
        def pay(request):
            return "paid"

        with pytest.raises(RuntimeError, match=r"pay \(.*\) has idempotent=True, which needs app\.use\(Idem"):
            app._freeze()

    @pytest.mark.parametrize(
        ("method", "options", "said"),
        [
            ("GET", {}, "handles GET, which writes nothing"),
            ("POST", {"receive": "stream"}, "use receive='lazy'"),
            ("POST", {"unguarded": True}, "is unguarded"),
        ],
    )
    def test_a_route_that_can_not_be_is_an_error_that_names_it(self, store, method, options, said):
        app = App()
        app.use(IdempotentWrites(store))

        @app.route("/", [method], idempotent=True, **options)
        def pay(request):
            return "paid"

        with pytest.raises(ValueError, match=rf"pay \(.*\) is idempotent, and .*{said}"):
            app._freeze()

    def test_a_handler_that_streams_is_an_error_before_it_is_called(self, store, style):
        app = App()
        app.use(IdempotentWrites(store))

        def pay(request):
            yield "paid"

        async def apay(request):
            yield "paid"

        app.post("/", idempotent=True)(pay if style == "def" else apay)
        with pytest.raises(ValueError, match=r"pay \(.*\) is idempotent, and returns a stream"):
            app._freeze()

    def test_a_wrong_return_is_told_of_the_handler(self, bank, caplog):
        bank.answer = lambda request: object()
        assert bank.pay().status == 500
        assert re.search(r"pay \(.* returned an object", caplog.text)


def test_other_routes_have_nothing_around_them(store):
    app = App()
    app.use(IdempotentWrites(store))
    app.get("/")(lambda request: "hello")
    assert app._freeze().find(Request.blank("/"))[0].surroundings is Surroundings.BARE
