"""Answers to probes: 200 while the process lives, and while it is ready."""

import asyncio
import logging
import threading
from contextlib import closing

import pytest

from antiphon import App, abort, get_response
from antiphon.concurrency.process import DRAINING
from antiphon.features import AccessLog, Health, HealthCheck, MemoryStore, ValkeyStore, health
from antiphon.request.request import Request
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = [pytest.mark.once, pytest.mark.axes("interface")]


@pytest.fixture
def probe(interface):
    """Sends a probe to an application with the feature: its status, and its JSON."""

    def probe(feature, path="/readyz", app=None):
        app = App() if app is None else app
        app.use(feature)
        response = Client(app, interface, raise_errors=False).get(path)
        assert response.headers["cache-control"] == "no-store"
        return response.status, response.json

    return probe


def passes():
    return None


async def passes_async():
    await asyncio.sleep(0)
    return True


def fails():
    raise LookupError("the password is secret")


async def fails_async():
    raise LookupError("the password is secret")


def says_no():
    return False


async def never_ends():
    await asyncio.Event().wait()


@pytest.mark.parametrize("feature", [Health(), Health(checks=[fails])], ids=["no check", "a check that fails"])
def test_the_process_lives_whatever_the_checks_say(probe, feature):
    assert probe(feature, "/healthz") == (200, {"status": "ok"})


@rows(
    "checks, status, outcomes",
    ([], 200, {}),
    ([passes, passes_async], 200, {"passes": "ok", "passes_async": "ok"}),
    ([passes, fails], 503, {"passes": "ok", "fails": "failed"}),
    ([fails_async], 503, {"fails_async": "failed"}),
    ({"database": says_no, "queue": passes}, 503, {"database": "failed", "queue": "ok"}),
    ({"forgotten": lambda: passes_async()}, 503, {"forgotten": "failed"}),  # noqa: PLW0108 - it is the mistake
)
def test_it_is_ready_if_all_checks_pass_and_names_are_all_that_is_told(probe, checks, status, outcomes):
    told = {"status": "ok" if status == 200 else "failed", "checks": outcomes}
    assert probe(Health(checks=checks, timeout=DEADLINE)) == (status, told)


def test_a_check_that_never_ends_fails_in_time(probe):
    status, told = probe(Health(checks=[never_ends, passes], timeout=1))
    assert (status, told["checks"]) == (503, {"never_ends": "failed", "passes": "ok"})


def test_it_is_not_ready_while_the_process_drains(probe, monkeypatch):
    monkeypatch.setattr(DRAINING, "is_given", True)
    assert probe(Health(checks=[passes])) == (503, {"status": "draining"})
    assert probe(Health(), "/healthz") == (200, {"status": "ok"})


def test_checks_run_side_by_side(probe):
    together = threading.Barrier(2, timeout=5)

    def one():
        together.wait()

    def other():
        together.wait()

    assert probe(Health(checks=[one, other]))[0] == 200


def test_a_check_that_hangs_on_a_thread_is_not_called_again(interface):
    calls = []
    released = threading.Event()

    def hangs():
        calls.append(1)
        released.wait()

    app = App()
    app.use(Health(checks=[hangs], timeout=0.05))
    client = Client(app, interface)
    assert [client.get("/readyz").status for _ in range(3)] == [503, 503, 503]
    assert len(calls) == 1
    released.set()
    eventually(lambda: client.get("/readyz").status == 200 or None, "the check did not pass")


def test_why_a_check_failed_is_logged_when_that_begins_and_ends(interface, caplog):
    caplog.set_level(logging.INFO, "antiphon.health")
    errors = [LookupError("gone"), LookupError("gone"), None, None]

    def database():
        if error := errors.pop(0):
            raise error

    app = App()
    app.use(Health(checks=[database]))
    client = Client(app, interface)
    assert [client.get("/readyz").status for _ in range(4)] == [503, 503, 200, 200]
    assert caplog.messages == ["the check database failed", "the check database passes again"]
    assert isinstance(caplog.records[0].exc_info[1], LookupError)


class TestAStore:
    @pytest.fixture(autouse=True)
    def _asked_each_time(self, monkeypatch):
        monkeypatch.setattr(health, "STORE_ASKED_EVERY", 0.0)

    @pytest.mark.parametrize(
        "feature", [lambda store: Health(checks=[store]), HealthCheck], ids=["Health", "HealthCheck"]
    )
    def test_that_is_away_is_told_by_its_class(self, probe, feature):
        app, store = App(), ValkeyStore("valkey://127.0.0.1:1")
        brought = feature(store)
        if isinstance(brought, HealthCheck):
            app.use(brought)
            brought = Health()
        assert probe(brought, app=app) == (503, {"status": "failed", "checks": {"ValkeyStore": "failed"}})

    @pytest.mark.processes
    def test_that_comes_back_is_ready_again(self, interface, tmp_path, request):
        with ValkeyServer(request.getfixturevalue("valkey-server"), tmp_path) as server:
            store, app = ValkeyStore(server.url, timeout=0.3), App()
            app.use(Health(checks=[store]))
            with closing(Client(app, interface, raise_errors=False)) as client, closing(store):
                assert client.get("/readyz").status == 200
                server.freeze()
                assert client.get("/readyz").status == 503
                assert client.get("/healthz").status == 200
                server.thaw()
                eventually(lambda: client.get("/readyz").status == 200 or None, "it does not become ready")


def test_a_store_is_asked_once_for_many_probes(interface, monkeypatch):
    class Counting(MemoryStore):
        asked = 0

        def load(self, key):
            self.asked += 1
            return super().load(key)

    now = 100.0
    monkeypatch.setattr(health, "monotonic", lambda: now)
    store, app = Counting(), App()
    app.use(Health(checks=[store]))
    with closing(Client(app, interface)) as client:
        assert [client.get("/readyz").status for _ in range(10)] == [200] * 10
        assert store.asked == 1
        now += health.STORE_ASKED_EVERY
        assert client.get("/readyz").status == 200
        assert store.asked == 2


@rows("before_routing", [False, True])
@rows("path", ["/healthz", "/readyz"])
def test_no_middleware_no_hook_and_no_trusted_host_shuts_probes_out(interface, path, before_routing):
    app = App(trusted_hosts=["shop.example.com"])

    @app.middleware(before_routing=before_routing)
    def login(request):
        abort(401, headers={"www-authenticate": "Basic"})
        yield

    @app.before_request
    def check(request):
        abort(403)

    app.use(Health())
    app.get("/")(lambda request: "x")
    client = Client(app, interface, base_url="http://10.1.2.3:8000", raise_errors=False)
    assert client.get(path).status == 200
    assert client.head(path).status == 200
    assert client.post(path).status == client.get("/").status == 401


@pytest.mark.parametrize(("options", "logged"), [({}, ["/other"]), ({"access_log": True}, ["/healthz", "/other"])])
def test_probes_are_not_in_the_access_log_unless_they_should_be(interface, caplog, options, logged):
    caplog.set_level(logging.INFO, "antiphon.access")
    app = App()
    app.use(AccessLog())
    app.use(Health(**options))
    client = Client(app, interface, raise_errors=False)
    for path in ("/healthz", "/other"):
        client.get(path)
    assert [record.path for record in caplog.records] == logged


def test_a_probe_that_gives_up_during_the_checks_is_not_in_the_access_log(caplog):
    async def give_up():
        checking = asyncio.Event()

        async def check():
            checking.set()
            await asyncio.sleep(10)

        app = App()
        app.use(Health(checks=[check], timeout=20))
        app.use(AccessLog())

        async def receive():
            await checking.wait()
            return {"type": "http.disconnect"}

        async def send(message):
            sent.append(message)

        scope = {"type": "http", "method": "GET", "path": "/readyz", "headers": [(b"host", b"a")]}
        await app(scope, receive, send)

    sent = []
    caplog.set_level("INFO", "antiphon.access")
    asyncio.run(give_up())
    assert sent[0]["status"] == 499
    assert [record for record in caplog.records if record.name == "antiphon.access"] == []


@pytest.mark.parametrize(("options", "found"), [({"live": "/alive"}, "/alive"), ({"ready": "/ready"}, "/ready")])
def test_the_paths_are_one_s_own(probe, options, found):
    assert probe(Health(**options), found)[0] == 200


def test_a_path_may_be_left_out():
    app = App()
    app.use(Health(live=None))
    assert [route.pattern for route in app.routes] == ["/readyz"]
    assert get_response(app, Request.blank("/healthz")).status == 404


@rows(
    "options, error, message",
    ({"timeout": 0}, ValueError, "timeout must be"),
    ({"checks": [passes, passes]}, ValueError, "two checks are named 'passes'"),
    ({"checks": ["database"]}, TypeError, "not a function"),
    ({"checks": [asyncio.sleep]}, TypeError, "is called with"),
)
def test_mistakes_are_errors_at_once(options, error, message):
    with pytest.raises(error, match=message):
        Health(**options)


@rows("pattern, options", [("/<name>", {}), ("/x", {"host": "<tenant>.example.com"})])
def test_an_unguarded_route_is_one_path(pattern, options):
    with pytest.raises(ValueError, match="an unguarded route must be one path"):
        App().get(pattern, unguarded=True, **options)


class Flags:
    """An extension with a check of its own."""

    def __init__(self, check):
        self.check = check

    def install(self, app):
        app.use(HealthCheck(self.check, name="flags"))


@rows("is_first", [True, False])
@rows("check, status, outcome", [(passes_async, 200, "ok"), (says_no, 503, "failed")])
def test_checks_of_other_features_are_asked_too(interface, is_first, check, status, outcome):
    app = App()
    features = [Flags(check), Health(checks=[passes])]
    for feature in features if is_first else reversed(features):
        app.use(feature)
    response = Client(app, interface).get("/readyz")
    assert response.status == status
    assert response.json["checks"] == {"passes": "ok", "flags": outcome}


def test_a_check_of_another_feature_that_hangs_has_the_timeout_of_the_probe(interface):
    app = App()
    app.use(Health(timeout=0.05))
    app.use(HealthCheck(never_ends))
    assert Client(app, interface).get("/readyz").json["checks"] == {"never_ends": "failed"}


def test_checks_of_features_are_those_of_the_app_that_is_asked(interface):
    probes = Health()
    one, other = App(), App()
    for app, check in ((one, passes), (other, fails)):
        app.use(probes)
        app.use(HealthCheck(check, name="own"))
    assert [Client(app, interface).get("/readyz").status for app in (one, other)] == [200, 503]
