"""The store of an application, ``App(store=...)``: who takes it, who sees whose entries, and who is refused."""

import asyncio
from collections import Counter

import pytest

from antiphon import App, Blueprint, Request, view
from antiphon.concurrency.loop import is_on_loop
from antiphon.features import (
    Cache,
    Channel,
    CookieStore,
    IdempotentWrites,
    MemoryStore,
    RateLimit,
    Recorder,
    Runs,
    SessionLogin,
    Sessions,
    Signatures,
    StandardWebhook,
    StoreUnavailable,
    Users,
    login,
    logout,
    sign,
)
from antiphon.testing import AsyncClient, Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

KEYS = ["a key of more than sixteen bytes"]
SECRET = b"a secret of at least 32 bytes, as keys are"
WRITE = {"idempotency-key": '"1"'}


class Noting(MemoryStore):
    """A store that notes the keys and owners with which it is called, and where it is called."""

    def __init__(self):
        super().__init__()
        self.keys = set()
        self.owners = set()
        self.was_on_loop = set()

    def bounded(self, most):  # as Valkey does, where a cache shares its entries with the rest
        return self


def _noting(name):
    method = getattr(MemoryStore, name)

    def call(self, key, *arguments, **options):
        self.was_on_loop.add(is_on_loop())
        if "own" in name:
            self.owners.add(key)
        else:
            self.keys.add((name == "increment", key))
        if options.get("owner"):
            self.owners.add(options["owner"])
        return method(self, key, *arguments, **options)

    return call


for _name in ("load", "change", "delete", "add", "replace", "increment", "owned_by", "delete_owned"):
    setattr(Noting, _name, _noting(_name))


def use_sessions(app, store=None):
    app.use(Sessions(store))
    app.use(Users(SessionLogin(lambda id_: id_, key=str)))

    @app.get("/in")
    def enter(request: Request):
        login(request, "cache\npath\n/")
        return "in"

    @app.get("/out")
    def leave(request: Request):
        logout(request, everywhere=True)
        return "out"

    with Client(app, base_url="https://shop.example.com") as client:
        assert (client.get("/in").text, client.get("/out").text) == ("in", "out")


def use_writes(app, store=None):
    app.use(IdempotentWrites(store))
    app.post("/", idempotent=True)(lambda request: "written")
    with Client(app) as client:
        assert client.post("/", headers=WRITE).text == "written"


def use_cache(app, store=None):
    app.use(Cache(store))

    @app.get("/")
    def page(request: Request):
        return "page", {"cache-control": "public, max-age=60", "cache-tag": "all"}

    with Client(app) as client:
        assert [client.get("/").text, client.get("/").text] == ["page"] * 2


def use_limit(app, store=None):
    app.use(RateLimit("9/minute", store))
    app.get("/")(lambda request: "page")
    with Client(app) as client:
        assert client.get("/").text == "page"


def use_signatures(app, store=None):
    app.use(Signatures({"a": SECRET}, store=store))
    app.get("/", signed_by="partners")(lambda request: request.signature.key)
    with Client(app, base_url="https://shop.example.com") as client:
        signed = [*sign(Request.blank("https://shop.example.com/"), SECRET, keyid="a").headers.items()]
        assert [client.get("/", headers=signed).status for _ in range(2)] == [200, 401]


def use_webhook(app, store=None):
    app.post("/", before=StandardWebhook(SECRET, store))(lambda request: "taken")
    with Client(app) as client:
        sent = StandardWebhook(SECRET).sign(b"{}") | {"content-type": "application/json"}
        assert [client.post("/", headers=sent, body=b"{}").status for _ in range(2)] == [200, 204]


def use_keep(app, store=None):
    app.use(Recorder(store, secret_keys=KEYS))

    @app.get("/")
    def fail(request: Request):
        raise ValueError("no")

    with Client(app, raise_errors=False) as client:
        assert client.get("/").status == 500


FEATURES = {
    "Sessions": use_sessions, "IdempotentWrites": use_writes, "Cache": use_cache, "RateLimit": use_limit,
    "Recorder": use_keep, "Signatures": use_signatures, "StandardWebhook": use_webhook,
}  # fmt: skip


@rows("use", [*FEATURES.values()], ids=[*FEATURES])
def test_features_take_it_unless_they_have_their_own(use):
    pytest.importorskip("cryptography")
    of_app, own = Noting(), Noting()
    use(App(store=of_app))
    assert of_app.keys
    use(App(store=(other := Noting())), own)
    assert own.keys
    assert not other.keys


def test_features_share_it_without_seeing_entries_of_others():
    pytest.importorskip("cryptography")
    stores = {}
    for name, use in FEATURES.items():
        stores[name] = Noting()
        use(App(store=stores[name]))
    assert max(Counter(key for store in stores.values() for key in store.keys).values()) == 1
    assert max(Counter(owner for store in stores.values() for owner in store.owners).values()) == 1


def test_no_user_owns_what_is_not_of_a_session():
    pytest.importorskip("cryptography")
    for use in (use_cache, use_keep):
        store = Noting()
        use(App(store=store))
        assert store.owners
        assert all("\0" in owner for owner in store.owners)


@rows("use", [use_signatures, use_webhook])
def test_one_that_can_do_without_can_be_told_to(use):
    store = Noting()
    with pytest.raises(AssertionError):  # a second one is accepted
        use(App(store=store), False)
    assert not store.keys


def test_webhooks_of_views_and_of_an_app_without_a_store_are_not_remembered():
    hook = StandardWebhook(SECRET)
    assert view(before=hook)(lambda request: "")
    app, body = App(), b"{}"
    app.post("/", before=hook)(lambda request: "taken")
    with Client(app) as client:
        sent = hook.sign(body) | {"content-type": "application/json"}
        assert [client.post("/", headers=sent, body=body).status for _ in range(2)] == [200, 200]


def test_signatures_of_any_age_can_not_be_remembered():
    signatures = Signatures({"a": SECRET}, max_age=None)
    App().use(signatures)
    with pytest.raises(ValueError, match=r"Signatures: a store of nonces needs a max_age.*store=False"):
        App(store=MemoryStore()).use(signatures)
    App(store=MemoryStore()).use(Signatures({"a": SECRET}, max_age=None, store=False))


class Waiting(Noting):
    """A store that waits for a network, and can fail."""

    blocks = True
    is_there = True

    def check(self):
        if not self.is_there:
            raise StoreUnavailable


def test_channels_and_runs_take_it_when_an_app_uses_them():
    asyncio.run(_test_channels_and_runs_take_it_when_an_app_uses_them())


async def _test_channels_and_runs_take_it_when_an_app_uses_them():
    store = MemoryStore()
    app, news, runs = App(store=store), Channel("news"), Runs()
    app.use(news)
    app.use(runs)
    await news.asend("hello")
    assert [message.value for message in await Channel("news", store).amessages()] == ["hello"]
    run = await runs.astart(iter([1]), owner=7)
    assert (await Runs(store).afind(run.id, owner=7)).id == run.id


def test_channels_and_runs_have_no_store_before():
    asyncio.run(_test_channels_and_runs_have_no_store_before())


async def _test_channels_and_runs_have_no_store_before():
    with pytest.raises(RuntimeError, match=r"Channel has no store yet: pass it to app.use in an App\(store="):
        await Channel("news").asend("hello")
    with pytest.raises(RuntimeError, match="Runs has no store yet"):
        await Runs().afind("id", owner=7)


def test_it_can_be_a_store_of_clients_for_sessions_alone():
    app = App(store=CookieStore(KEYS))
    app.use(Sessions())

    @app.get("/")
    def count(request: Request):
        request.session["count"] = request.session.get("count", 0) + 1
        return str(request.session["count"])

    with Client(app, base_url="https://shop.example.com") as client:
        assert [client.get("/").text, client.get("/").text] == ["1", "2"]
    refused = "IdempotentWrites needs a store on the server.*not a CookieStore.*instead of that of App"
    with pytest.raises(ValueError, match=refused):
        App(store=CookieStore(KEYS)).use(IdempotentWrites())


@rows("make", [Sessions, IdempotentWrites, lambda: Recorder(secret_keys=KEYS), lambda: Channel("a"), Runs])
def test_without_one_a_feature_that_needs_it_names_both_ways(make):
    made = make()
    name = type(made).__name__
    with pytest.raises(RuntimeError, match=rf"{name} needs a store: .*App\(store=.*{name}\(\.\.\., store="):
        App().use(made)


def test_a_view_has_no_app_so_a_feature_needs_its_own():
    with pytest.raises(RuntimeError, match="IdempotentWrites has no store yet"):
        view(idempotent=IdempotentWrites())(lambda request: "")
    assert view(before=RateLimit("5/minute"))(lambda request: "")


def test_a_feature_object_has_one_store():
    sessions, shared = Sessions(), MemoryStore()
    App(store=shared).use(sessions)
    App(store=shared).use(sessions)
    with pytest.raises(ValueError, match="Sessions is used by two applications with different stores"):
        App(store=MemoryStore()).use(sessions)


def test_a_mounted_app_has_its_own_or_none():
    outer, inner, store = App(store=MemoryStore()), App(), Noting()
    with pytest.raises(RuntimeError, match="A mounted App does not use the store of the App around it"):
        inner.use(Sessions())
    inner = App(store=store)
    inner.use(RateLimit("1/minute"))
    inner.get("/")(lambda request: "page")
    outer.mount("/shop", inner)
    with Client(outer) as client:
        assert [client.get("/shop/").status for _ in range(2)] == [200, 429]
    assert store.keys


class TestLimits:
    def test_without_a_name_each_counts_for_itself(self):
        def make():
            app = App(store=store)
            blueprint = Blueprint("shop", prefix="/shop")
            blueprint.use(RateLimit("2/minute"))
            app.get("/a", before=RateLimit("2/minute"))(lambda request: "a")
            limits = [RateLimit("2/minute"), RateLimit("2/minute")]
            app.get("/b", before=limits)(lambda request: "b")
            app.post("/a", before=RateLimit("2/minute"))(lambda request: "a")
            blueprint.get("/")(lambda request: "shop")
            app.register(blueprint)
            inner = App(store=store)
            inner.get("/a", before=RateLimit("2/minute"))(lambda request: "a")
            app.mount("/inner", inner)
            return app

        store = Noting()
        wanted = [("GET", "/a"), ("GET", "/b"), ("POST", "/a"), ("GET", "/shop/"), ("GET", "/inner/a")]
        processes = [Client(make()), Client(make())]
        for expected in (200, 200, 429):
            client = processes[0]
            assert [client.request(method, path).status for method, path in wanted] == [expected] * len(wanted)
            processes.reverse()  # limits at the same place of two processes count together
        assert len({key.split("\0")[0] for _, key in store.keys}) == 6

    def test_with_a_name_they_count_together(self):
        app = App(store=MemoryStore())
        for path in ("/a", "/b"):
            app.get(path, before=RateLimit("1/minute", name="pages"))(lambda request: "page")
        with Client(app) as client:
            assert [client.get(path).status for path in ("/a", "/b")] == [200, 429]

    def test_one_object_counts_in_the_store_of_each_app(self):
        limit, stores = RateLimit("1/minute"), [Noting(), Noting()]
        for store in stores:
            app = App(store=store)
            app.get("/", before=limit)(lambda request: "page")
            with Client(app) as client:
                assert [client.get("/").status, client.get("/").status] == [200, 429]
        assert all(store.keys for store in stores)

    @pytest.mark.parametrize("interface", ["asgi", "rsgi"])
    @pytest.mark.parametrize("where", ["app", "app by", "blueprint", "route", "mount"])
    def test_a_store_that_waits_is_called_on_a_thread(self, interface, where):
        store = Noting()
        store.blocks = True
        app = App(store=store)
        limit = RateLimit("1/minute", by=(lambda request: "all") if where == "app by" else None)
        blueprint = Blueprint("all")
        if where != "route":
            (blueprint if where == "blueprint" else app).use(limit)

        @blueprint.get("/", before=limit if where == "route" else ())
        async def page(request: Request):
            return "on the loop" if is_on_loop() else "on a thread"

        app.register(blueprint)
        if where == "mount":
            outer = App()
            outer.mount("", app)
            app = outer

        async def visit():
            async with AsyncClient(app, interface=interface) as client:
                assert (await client.get("/")).text == "on the loop"
                assert (await client.get("/")).status == 429

        asyncio.run(visit())
        assert store.was_on_loop == {False}

    def test_a_store_that_can_not_count_is_refused_with_the_handler(self):
        app = App(store=CookieStore(KEYS))

        @app.get("/", before=RateLimit("5/minute"))
        def page(request: Request):
            return "page"

        said = r'page \(.*test_store_of_app\.py.* is limited by RateLimit\("5/minute"\): RateLimit needs a store on'
        with pytest.raises(ValueError, match=said):
            Client(app).get("/")
