"""API keys: made for a user, stored as hashes, with scopes, and documented."""

import asyncio
from types import SimpleNamespace

import pytest

from antiphon import App
from antiphon.features import (
    APIKey,
    Basic,
    Bearer,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    SessionLogin,
    Sessions,
    SQLiteStore,
    Users,
    UserSource,
    login,
    login_required,
    scopes_required,
)
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def find(owner):
    return None if owner == "gone" else SimpleNamespace(id=owner, scopes=["pay"] if owner == "ann" else [])


async def afind(owner):
    await asyncio.sleep(0)
    return find(owner)


def shop(keys, *sources, store=None):
    app = App(store=store or MemoryStore(), secret_keys=["k" * 32])
    app.use(Sessions())
    app.use(Users(keys, *sources))
    app.post("/login/<who>")(lambda request, who: login(request, find(who)) or "")
    app.get("/me", before=login_required)(lambda request: request.user.id)
    app.post("/pay", before=scopes_required("pay"))(lambda request: f"paid by {request.user.id}")
    return app


@pytest.mark.parametrize("loader", [find, afind])
@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_a_key_identifies_its_user_until_it_is_deleted(interface, loader, kind, tmp_path):
    store = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "keys.db")
    keys = APIKey(loader, prefix="shop")
    client = Client(shop(keys, store=store), interface)
    key, other = keys.create("ann", name="CI"), keys.create("ann")
    assert key.startswith("shop_")
    assert client.get("/me", headers={"x-api-key": key}).text == "ann"
    (first, second) = keys.owned_by("ann")
    assert (first.data["name"], key.startswith(first.data["hint"]), len(first.data["hint"])) == ("CI", True, 11)
    assert (first.data["used"] is None, second.data["used"] is None) == (False, True)
    assert [*first.data] == [*second.data]
    assert key not in str(keys.owned_by("ann"))
    assert keys.delete_owned("ann", only=first.id) == 1
    assert [client.get("/me", headers={"x-api-key": each}).status for each in (key, other)] == [401, 200]


@rows("given", ["", "key_", "k" * 5000, "key_\u00e9", "shop\n"[:4]])
def test_a_wrong_key_is_refused(given):
    keys = APIKey(find)
    client = Client(shop(keys))
    refused = client.get("/me", headers={"x-api-key": given})
    assert (refused.status, "APIKey" in refused.headers["www-authenticate"]) == (401, True)
    assert refused.json["detail"] == "The credentials in the X-API-Key header are not valid."


def test_a_key_ends_with_its_time_and_its_user():
    clock = SimpleNamespace(now=1e9)
    keys = APIKey(find)
    client = Client(shop(keys, store=MemoryStore(clock=lambda: clock.now)))
    short, gone = keys.create("ann", ttl=60), keys.create("gone")
    assert [client.get("/me", headers={"x-api-key": each}).status for each in (short, gone)] == [200, 401]
    clock.now += 61
    assert client.get("/me", headers={"x-api-key": short}).status == 401


def test_all_credentials_need_the_scopes():
    keys = APIKey(find)
    app = shop(keys, Bearer(find, scopes=lambda user: user.scopes), SessionLogin(find))
    client = Client(app, base_url="https://shop.example", raise_errors=False)
    may, may_not = keys.create("ann", scopes=["pay", "read"]), keys.create("ann", scopes=["read"])

    def pay(**fields):
        return client.post("/pay", headers={name.replace("_", "-"): value for name, value in fields.items()}).status

    assert [pay(x_api_key=may), pay(x_api_key=may_not)] == [200, 403]
    assert [pay(authorization="Bearer ann"), pay(authorization="Bearer ben")] == [200, 403]
    assert [pay(x_api_key=may, authorization="Bearer ann"), pay(x_api_key=may_not, authorization="Bearer ann")] == [
        200,
        403,
    ]
    client.post("/login/ann")
    assert [pay(), pay(x_api_key=may_not), pay(x_api_key=keys.create("ben", scopes=["pay"]))] == [200, 403, 401]


class Own(UserSource):
    def credentials(self, request):
        return None


@rows("source, kind", [(Own(find), "Own"), (Basic(lambda name, password: None), "Basic"), (Bearer(find), "Bearer")])
def test_credentials_that_know_no_scopes_are_refused_when_the_app_starts(source, kind):
    app = shop(source)
    with pytest.raises(
        RuntimeError, match=rf"/pay requires scopes, but the credentials of {kind} have none.*{kind}\(find"
    ):
        Client(app).get("/me")


def test_the_document_names_the_header_and_the_scopes():
    app = shop(APIKey(find, header="X-Shop-Key"), SessionLogin(find))
    app.use(OpenAPI("Shop"))
    document = Client(app).get("/openapi.json").json
    schemes = document["components"]["securitySchemes"]
    assert schemes["APIKey"] == {"type": "apiKey", "in": "header", "name": "X-Shop-Key"}
    assert document["paths"]["/pay"]["post"]["security"] == [{"APIKey": ["pay"]}, {"session": []}]
    assert document["paths"]["/me"]["get"]["security"] == [{"APIKey": []}, {"session": []}]


@rows("header, key_of", [("X-API-Key", "{}".format), ("Authorization", "Bearer {}".format)])
def test_two_keys_of_one_user_are_two_callers(header, key_of):
    keys = APIKey(find, header=header)
    app = shop(keys)
    for feature in (IdempotentWrites(required=False), OpenAPI("Shop")):
        app.use(feature)
    limit = RateLimit("1/minute", by=lambda request: request.caller.key)
    app.get("/limited", before=(login_required, limit))(lambda request: request.user.id)
    sold = []
    app.post("/sold", idempotent=True, before=login_required)(
        lambda request: sold.append(request.user.id) or str(len(sold))
    )
    one, other = (Client(app, headers={header: key_of(keys.create("ann"))}) for _ in range(2))
    assert [each.get("/limited").status for each in (one, other, one)] == [200, 200, 429]
    again = {"idempotency-key": '"a"'}
    assert [each.post("/sold", headers=again).text for each in (one, other, one, other)] == ["1", "2", "1", "2"]
    challenge = Client(app).get("/me").headers["www-authenticate"]
    assert challenge.partition(" ")[0] == ("Bearer" if header == "Authorization" else "APIKey")
    assert one.get("/me", headers={header: "Basic " + keys.create("ann")}).status == 401


@rows("make, told", [
    (lambda: APIKey(find, header="X Key"), "header must be a token, not 'X Key'"),
    (lambda: APIKey(find, prefix=""), "prefix must be a token, not ''"),
    (lambda: APIKey(find).create("ann", scopes="pay"), r"scopes must be a list: \['pay'\]"),
    (lambda: APIKey(find).create("ann"), "APIKey has no store yet"),
])  # fmt: skip
def test_mistakes_are_told(make, told):
    with pytest.raises((ValueError, TypeError, RuntimeError), match=told):
        make()
