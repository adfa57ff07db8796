"""An application that stores something of each kind: what a version writes, and whether another one finds it.

``make`` returns what clients and the application's author keep of each kind, and ``find`` asserts that it still counts.
"""

import time
from contextlib import ExitStack
from datetime import UTC, datetime

from antiphon import App, Request, Signer
from antiphon.embedding import FeatureStore
from antiphon.features import (
    APIKey,
    Cache,
    Channel,
    CookieStore,
    IdempotentWrites,
    RateLimit,
    Recorder,
    RefreshTokens,
    ResumableUploads,
    Runs,
    Sessions,
    Signatures,
    StandardWebhook,
    Users,
    sign,
)
from antiphon.testing import Client

SECRETS = ["a key of a museum, which opens nothing"]
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
EVERYTHING = {
    "none": None, "yes": True, "int": -(2**40), "float": 1.5, "text": "ä\0", "bytes": b"\0\xff",
    "moment": datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), "list": [1, [2], {"x": {}}], "": {},
}  # fmt: skip
"""Each kind of value that a store keeps."""
PART = {"content-type": "application/partial-upload", "upload-offset": "3", "upload-complete": "?1"}
PAYMENT = {"idempotency-key": '"1"', "x-customer": "Ann"}


class Shop(ExitStack):
    """The application, its features, its client over WSGI, and what its handlers did."""

    def __init__(self, store, folder):
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
                              "/by": IdempotentWrites(by=lambda request: request.headers["x-customer"]),
                              "/light": Sessions(CookieStore(SECRETS), cookie="light")}.items():  # fmt: skip
            mounted = App(store=store, secret_keys=SECRETS)
            mounted.use(feature)
            mounted.post("/payments", idempotent=path == "/by")(self._pay)
            if path == "/light":
                mounted.get("/visits")(visit)
            self.app.mount(path, mounted)
        self.client = self.enter_context(Client(self.app, "wsgi", raise_errors=False))

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
        kept["paid"] = [client.post(f"{path}/payments", headers=PAYMENT).text for path in ("", "/by")]
        kept["hook"] = StandardWebhook(SECRET).sign(b"{}", id="msg_1")
        assert client.post("/hooks", body=b"{}", headers=kept["hook"]).status == 200
        kept["upload"] = client.post("/films", body=b"fra", headers={"upload-complete": "?0"}).headers["location"]
        kept["link"] = self.app.url_for("film", _expires=3600)
        kept["signed"] = Signer(SECRETS, salt="museum").sign({"user": 7})
        kept["key"], kept["token"] = self.keys.create("Ann"), self.tokens.issue("Ann")
        kept["run"] = client.post("/reports", body=b"one two").text
        assert client.get(f"/reports/{kept['run']}").json == ["one", "two"]
        self.news.send("good")
        order = Request.blank(f"{client.base_url.origin}/partners/payments", "POST")
        kept["order"] = dict(sign(order, b"1" * 32, keyid="one").headers)
        assert client.post("/partners/payments", headers=kept["order"]).status == 200
        statuses = [client.get(f"/{path}").status for path in ("limited", "limited", "page", "broken")]
        assert statuses == [200, 200, 200, 500]
        self.recorder.flush()
        self.store.change("everything", EVERYTHING, owner="Ann")
        assert self._spend()
        return kept

    def find(self, kept):
        """Assert that all of it counts, and that nothing was done again."""
        client, before = self.client, len(self.done)
        for name, value in kept["cookies"].items():
            client.cookies.set(name, value, path="/light" if name == "light" else "/")
        assert [client.get(f"{path}/visits").text for path in ("", "/light")] == ["2", "2"]
        paid = [client.post(f"{path}/payments", headers=PAYMENT).text for path in ("", "/by")]
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
        assert [message.value for message in self.news.messages()] == ["good"]
        assert client.get("/limited").status == 429
        assert client.post("/partners/payments", headers=kept["order"]).status == 401
        assert "hit" in client.get("/page").headers["cache-status"]
        assert [each.count for each in self.recorder.all()] == [1]
        [owned] = self.store.owned_by("Ann")
        assert self.store.load("everything").data == owned.data == EVERYTHING
        assert not self._spend()
        assert len(self.done) == before

    def _spend(self):
        now = time.time()
        return FeatureStore.spend(self.store, "passkey", "a challenge", now=now, until=now + 60, longest=600)


def visit(request):
    """Count the visits of a session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return str(request.session["visits"])
