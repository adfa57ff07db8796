"""An application that stores something of each kind: what a version writes, and whether another one finds it.

``make`` returns what clients and the application's author keep of each kind, and ``find`` asserts that it still counts.
"""

import asyncio
import sqlite3
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime

from joserfc.jwk import ECKey

from antiphon import App, Dependency, Request, Signer
from antiphon.embedding import FeatureStore
from antiphon.features import (
    APIKey,
    Cache,
    Channel,
    CookieStore,
    Durable,
    IdempotentWrites,
    RateLimit,
    Recorder,
    RefreshTokens,
    ResumableUploads,
    Runs,
    SessionLogin,
    Sessions,
    Signatures,
    StandardWebhook,
    Users,
    bound_required,
    login,
    sign,
)
from antiphon.features.tools.exchange import Sessions as Questions
from antiphon.testing import Client
from tests.helpers.bound_browser import BoundBrowser
from tests.helpers.waiting import eventually

SECRETS = ["a key of a museum, which opens nothing"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERYTHING = {
    "none": None, "yes": True, "int": -(2**40), "float": 1.5, "text": "ä\0", "bytes": b"\0\xff",
    "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), "list": [1, [2], {"x": {}}], "": {},
}  # fmt: skip
"""Each kind of value that a store keeps."""
PART = {"content-type": "application/partial-upload", "upload-offset": "3", "upload-complete": "?1"}
PAYMENT = {"idempotency-key": '"1"', "x-customer": "Ann"}
DATABASE = Dependency[sqlite3.Connection]("database")
LIMITED = ("limited", "limited-by")
LIVE = "a run that is live"
PAID = ("", "/by", "/inside")


MAILED = []


class Shop(ExitStack):
    """The application, its features, its client over WSGI, and what its handlers did.

    ``database`` is a file of SQLite; ``durable`` is the URL of a database for what is durable.
    """

    def __init__(self, store, folder, database, durable=None):
        super().__init__()
        self.done = []
        self.store = store
        self.app = App(store=store, secret_keys=SECRETS)
        self.runs, self.news, self.recorder = Runs(name="reports"), Channel("news"), Recorder(errors=True)
        self.tokens, self.keys = RefreshTokens(), APIKey(str)
        features = [Sessions(), IdempotentWrites(), Users(self.keys), self.tokens, self.runs, self.news, self.recorder]
        for feature in (*features, ResumableUploads(folder=folder), Cache()):
            self.app.use(feature)
        self._add_routes()
        for path, feature in {"/partners": Signatures({"one": b"1" * 32}, everywhere=True),
                              "/by": IdempotentWrites(by=customer),
                              "/light": Sessions(CookieStore(SECRETS), cookie="light")}.items():  # fmt: skip
            mounted = App(store=store, secret_keys=SECRETS)
            mounted.use(feature)
            mounted.post("/payments", idempotent=path == "/by")(self._pay)
            if path == "/light":
                mounted.get("/visits")(visit)
            self.app.mount(path, mounted)
        self._add_transactions(database)
        self._add_devices()
        self.durable = Durable(durable, name="museum", by=customer) if durable else None
        if durable:
            self.app.use(self.durable)
            self.app.post("/durable", durable=True)(self._pay_in_steps)
        self.client = self.enter_context(Client(self.app, "wsgi", raise_errors=False))
        self.browser = BoundBrowser(Client(self.devices, "wsgi", base_url="https://shop.example"), time.time)

    def _add_transactions(self, database):
        def connect(request):
            with closing(sqlite3.connect(database)) as connection, connection:
                yield connection

        mounted = App(secret_keys=SECRETS)
        mounted.provide(DATABASE, connect)
        mounted.use(IdempotentWrites(inside=DATABASE, by=customer))
        mounted.post("/payments", idempotent=True)(self._pay)
        self.app.mount("/inside", mounted)

    def _add_devices(self):
        self.devices = App(store=self.store, secret_keys=SECRETS)
        self.people = Users(SessionLogin(str, key=str))
        for feature in (Sessions(bound=300), self.people):
            self.devices.use(feature)
        self.devices.post("/login")(lambda request: login(request, "Eve") or "")
        self.devices.get("/vault", before=bound_required)(lambda request: "gold")

    def _pay_in_steps(self, request):
        self.durable.step(self.done.append, "charged")
        self.durable.enqueue(mail, "Ann")
        return "paid"

    def _pay(self, request):
        self.done.append(request.path)
        return f"paid {len(self.done)}"

    def _add_routes(self):
        app = self.app
        app.get("/visits")(visit)
        app.post("/payments", idempotent=True)(self._pay)
        app.post("/hooks", before=StandardWebhook(SECRET))(self._pay)
        app.post("/films", resumable=True)(lambda request: request.text)
        app.get("/film", signed_url=True, name="film")(lambda request: "a film")
        app.get("/name")(lambda request: str(request.user))
        app.get("/limited", before=RateLimit("2/day"))(lambda request: "")
        app.get("/limited-by", before=RateLimit("2/day", by=customer))(lambda request: "")
        app.get("/page")(lambda request: ("a page", 200, {"cache-control": "public, max-age=3600"}))
        app.post("/reports")(lambda request: self.runs.start(iter(request.text.split()), owner="Ann", key="7").id)

        @app.get("/reports/<id>")
        async def report(request, id):
            run = await self.runs.afind(id, owner="Ann")
            return [value async for value in run.values()]

        app.get("/broken")(lambda request: 1 / 0)

    def make(self):
        """Have everything stored and return what others keep of it."""
        client, kept = self.client, {}
        assert [client.get(f"{path}/visits").text for path in ("", "/light")] == ["1", "1"]
        kept["cookies"] = {name: client.cookies.get(name) for name in ("host-session", "light")}
        kept["paid"] = [client.post(f"{path}/payments", headers=PAYMENT).text for path in PAID]
        kept["hook"] = StandardWebhook(SECRET).sign(b"{}", id="msg_1")
        assert client.post("/hooks", body=b"{}", headers=kept["hook"]).status == 200
        kept["upload"] = client.post("/films", body=b"fra", headers={"upload-complete": "?0"}).headers["location"]
        kept["link"] = self.app.url_for("film", _expires=3600)
        kept["signed"] = Signer(SECRETS, salt="museum").sign({"user": 7})
        kept["key"], kept["token"] = self.keys.create("Ann"), self.tokens.issue("Ann")
        kept["run"] = client.post("/reports", body=b"one two").text
        assert client.get(f"/reports/{kept['run']}").json == ["one", "two"]
        self._begin_live(kept["run"])
        self.news.send("good")
        order = Request.blank(f"{client.base_url.origin}/partners/payments", "POST")
        kept["order"] = dict(sign(order, b"1" * 32, keyid="one").headers)
        assert client.post("/partners/payments", headers=kept["order"]).status == 200
        statuses = [client.get(f"/{path}", headers=PAYMENT).status for path in (*2 * LIMITED, "page", "broken")]
        assert statuses == [200, 200, 200, 200, 200, 500]
        self.recorder.flush()
        self.store.change("everything", EVERYTHING, owner="Ann")
        assert self._spend()
        asyncio.run(Questions(self.store, "/tools").write("question 1", "Ann", {"reply": None}, ttl=600))
        self.people.end("Bob")
        self.browser.post("/login")
        kept["device"] = [self.browser.key.as_dict(private=True), self.browser.begun, self.browser.offered["path"]]
        kept["device"].append(dict(self.browser.client.cookies))
        if self.durable:
            kept["durable"] = client.post("/durable", headers=PAYMENT).text
            eventually(self._is_all_done, "the job is not done")
        return kept

    def _begin_live(self, ended):
        """Store a run as a process does that is killed while it produces it."""
        ledger = self.runs._new_ledger(self.store)
        ledger.add(ledger.load(ended)._replace(id=LIVE, state="running", worker="killed", key=None))

    def _has_ended(self):
        state = self.runs.find(LIVE, owner="Ann").state
        return None if state == "running" else state

    def _is_all_done(self):
        with closing(self.durable._administration()) as administration:
            return (MAILED and not any(map(administration.works, ("queued", "open", "failed")))) or None

    def find(self, kept):
        """Assert that all of it counts, and that nothing was done again."""
        client, before, mailed = self.client, len(self.done), [*MAILED]
        for name, value in kept["cookies"].items():
            client.cookies.set(name, value, path="/light" if name == "light" else "/")
        assert [client.get(f"{path}/visits").text for path in ("", "/light")] == ["2", "2"]
        paid = [client.post(f"{path}/payments", headers=PAYMENT).text for path in PAID]
        assert paid == kept["paid"], paid
        assert client.post("/hooks", body=b"{}", headers=kept["hook"]).status == 204
        assert client.head(kept["upload"]).headers["upload-offset"] == "3"
        assert client.patch(kept["upload"], body=b"mes", headers=PART).text == "frames"
        assert client.get(kept["link"]).text == "a film"
        assert Signer(SECRETS, salt="museum").unsign(kept["signed"]) == {"user": 7}
        assert client.get("/name", headers={"x-api-key": kept["key"]}).text == "Ann"
        assert self.tokens.rotate(kept["token"]).owner == "Ann"
        assert client.get(f"/reports/{kept['run']}").json == ["one", "two"]
        assert client.post("/reports", body=b"one two").text == kept["run"]
        assert {each.id for each in self.runs.owned_by("Ann")} == {kept["run"], LIVE}
        assert eventually(self._has_ended, "the run whose process died goes on") == "interrupted"
        assert [message.value for message in self.news.messages()] == ["good"]
        assert [client.get(f"/{path}", headers=PAYMENT).status for path in LIMITED] == [429, 429]
        assert client.post("/partners/payments", headers=kept["order"]).status == 401
        assert "hit" in client.get("/page").headers["cache-status"]
        assert [each.count for each in self.recorder.all()] == [1]
        [owned] = self.store.owned_by("Ann")
        assert self.store.load("everything").data == owned.data == EVERYTHING
        assert not self._spend()
        assert asyncio.run(Questions(self.store, "/tools").read("question 1", "Ann")) == {"reply": None}
        assert self.people._ending._of_apps[self.devices]._look() == 1
        self._find_device(*kept["device"])
        assert not self.durable or client.post("/durable", headers=PAYMENT).text == kept["durable"]
        assert len(self.done) == before
        assert mailed == MAILED

    def _find_device(self, key, begun, path, cookies):
        browser = self.browser
        browser.key, browser.begun, browser.offered = ECKey.import_key(key), begun, {"path": path}
        for name, value in cookies.items():
            browser.client.cookies.set(name, value)
        assert browser.refresh().status == 200
        assert browser.get("/vault").text == "gold"

    def _spend(self):
        now = time.time()
        return FeatureStore.spend(self.store, "passkey", "a challenge", now=now, until=now + 60, longest=600)


def customer(request):
    """Return whose write it is."""
    return request.headers["x-customer"]


def mail(to):
    """Do a durable job."""
    MAILED.append(to)


def visit(request):
    """Count the visits of a session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return str(request.session["visits"])
