"""Logins with passkeys: of a device in software, in any session and by callbacks of both kinds."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import repeat
from threading import Barrier

import pytest

pytest.importorskip("webauthn")

from antiphon import App
from antiphon.features import (
    CookieStore,
    CSRFTokens,
    MemoryStore,
    OpenAPI,
    PasskeyLogin,
    Sessions,
    Users,
    login_required,
    logout,
)
from antiphon.testing import Client
from tests.helpers.authenticator import Authenticator
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows
from tests.helpers.stores import SHARED, place_of, store_at

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style", "kind")]  # the oldest Python lacks webauthn
HTTPS = "https://shop.example.com"
UNKNOWN = "This passkey is not known here, or its signature is wrong."


@pytest.fixture(params=["memory", "sqlite"])
def kind(request):
    return request.param


@dataclass
class User:
    id: str


class Shop:
    """An app whose users and passkeys are in dicts."""

    def __init__(self, sessions, style, *features, store=None, passkeys=None, users=None, **options):
        self.users, self.passkeys = ({} if each is None else each for each in (users, passkeys))
        self.app = App(store=store)
        self.app.use(sessions if isinstance(sessions, Sessions) else Sessions(sessions))

        def sign_up(name):
            return self.users.setdefault(name, User(name))

        def save(passkey):
            self.passkeys[passkey.id] = passkey

        calls = {"find": self.passkeys.get, "save": save, "sign_up": sign_up, "loader": self.users.get}
        calls = {name: in_style(style, call) for name, call in calls.items()}
        loader = calls.pop("loader")
        self.app.use(Users(PasskeyLogin(loader, **{"host": "shop.example.com", **calls, **options})))
        for feature in features:
            self.app.use(feature)
        self.app.get("/account", before=login_required)(lambda request: request.user.id)
        self.app.post("/logout", csrf_exempt=True)(lambda request: logout(request) or "Goodbye.")


class Visitor:
    """What the script does in a browser with a device."""

    def __init__(self, client, device=None):
        self.client, self.device = client, device or Authenticator()

    def register(self, name="ada"):
        options = self.send("/register", {"name": name})
        return options if options.status != 200 else self.send("/register", self.device.create(options.json))

    def sign_in(self):
        return self.send("/sign-in", self.device.get(self.send("/sign-in", {}).json))

    def send(self, path, content):
        return self.client.post(f"/passkeys{path}", json=content)


@pytest.fixture
def client(interface, open_client):
    return lambda shop: open_client(shop.app, interface, base_url=HTTPS)


@pytest.fixture
def shop(store, style):
    return Shop(store, style)


def test_a_visitor_signs_up_and_in(shop, client):
    visitor = Visitor(client(shop))
    assert visitor.register().status == 200
    assert visitor.client.get("/account").text == "ada"
    visitor.client.post("/logout")
    assert visitor.client.get("/account").status == 401
    assert visitor.sign_in().status == 200
    assert visitor.client.get("/account").text == "ada"
    (passkey,) = shop.passkeys.values()
    assert (passkey.owner, passkey.sign_count) == ("ada", 2)


def test_the_passkey_of_a_user_who_is_logged_in_is_added_to_the_account(shop, client):
    visitor = Visitor(client(shop))
    visitor.register()
    visitor.device = Authenticator()
    assert visitor.register("Ada's phone").status == 200
    assert [{*shop.users}, {each.owner for each in shop.passkeys.values()}, len(shop.passkeys)] == [{"ada"}, {"ada"}, 2]


def test_without_sign_up_strangers_register_nothing(store, style, client):
    visitor = Visitor(client(Shop(store, style, sign_up=None)))
    assert visitor.register().status == 401


def test_a_passkey_is_registered_once(shop, client):
    visitor = Visitor(client(shop))
    visitor.register()
    assert Visitor(client(shop), visitor.device).register("eve").status == 409
    assert {*shop.users} == {"ada"}


def test_another_site_has_no_use_of_what_a_device_signs(shop, client):
    visitor = Visitor(client(shop))
    visitor.register()
    for device in (Authenticator("https://evil.example"), Authenticator(host="evil.example")):
        device.id, device._key = visitor.device.id, visitor.device._key
        assert Visitor(client(shop), device).sign_in().json["detail"] == UNKNOWN
        device.id = b"new"
        assert Visitor(client(shop), device).register("eve").status == 403


def test_a_copied_key_is_noticed_by_its_count(shop, client):
    visitor = Visitor(client(shop))
    visitor.register()
    visitor.sign_in()
    visitor.device.uses = iter([1])
    assert visitor.sign_in().json["detail"] == UNKNOWN


def test_a_signature_counts_once_and_in_its_session(shop, client):
    visitor, thief = Visitor(client(shop)), Visitor(client(shop))
    visitor.register()
    signed = visitor.device.get(visitor.send("/sign-in", {}).json)
    thief.send("/sign-in", {})
    assert [thief.send("/sign-in", signed).status, thief.send("/sign-in", signed).status] == [403, 403]
    assert [visitor.send("/sign-in", signed).status, visitor.send("/sign-in", signed).status] == [200, 403]


@rows("made", [Sessions, lambda store: Sessions(CookieStore(["k" * 32]))])
@rows("path", ["/sign-in", "/register"])
def test_copies_of_a_request_count_once_at_the_same_time_and_later(store, made, path):
    told, copies = [], []

    class Seen(dict):
        def get(self, name):
            while copies:  # the first request is under way
                told.append(Client(shop.app, "wsgi", base_url=HTTPS).post(**copies.pop()).status)
            return super().get(name)

    shop = Shop(made(store), "def", store=store, passkeys=Seen())
    visitor = Visitor(Client(shop.app, "wsgi", base_url=HTTPS))
    visitor.device.uses = repeat(0)  # most devices don't count
    visitor.register()
    visitor.client.post("/logout")
    begun = visitor.client.post(f"/passkeys{path}", json={} if path == "/sign-in" else {"name": "ben"})
    cookie = begun.headers["set-cookie"].partition(";")[0]
    signed = visitor.device.get(begun.json) if path == "/sign-in" else Authenticator().create(begun.json)
    copy = {"url": f"/passkeys{path}", "json": signed, "headers": {"cookie": cookie}}
    copies.append(copy)
    told += [Client(shop.app, "wsgi", base_url=HTTPS).post(**copy).status for _ in range(2)]
    assert sorted(told) == [200, 403, 403]


def test_a_challenge_ends(shop, client, clock):
    visitor = Visitor(client(shop))
    visitor.register()
    signed = visitor.device.get(visitor.send("/sign-in", {}).json)
    clock.now += 601
    assert visitor.send("/sign-in", signed).status == 403


def test_challenges_that_only_clients_keep_are_refused_with_the_fix():
    with pytest.raises(ValueError, match=r"App\(store=...\)"):
        Shop(Sessions(CookieStore(["k" * 32])), "def")


def test_a_challenge_counts_for_what_and_for_whom_it_was_made(shop, client):
    visitor = Visitor(client(shop))
    visitor.register()
    signing = visitor.send("/sign-in", {}).json
    assert visitor.send("/register", Authenticator().create(signing)).status == 403
    registering = visitor.send("/register", {"name": "ada"}).json
    assert visitor.send("/sign-in", visitor.device.get(registering)).status == 403
    registering = visitor.send("/register", {"name": "ada"}).json
    visitor.client.post("/logout")
    assert visitor.send("/register", Authenticator().create(registering)).status == 403


@rows("name", ["", "a" * 65, "\ud800", "a\0", 1, None, ["ada"]])
def test_a_name_is_text_that_can_be_shown(shop, client, name):
    body = json.dumps({"name": name}).encode()
    sent = client(shop).post("/passkeys/register", body=body, content_type="application/json")
    assert sent.status in (400, 422)


def test_an_id_that_no_device_has_is_not_looked_up(store, style, client):
    visitor = Visitor(client(Shop(store, style, find=lambda name: 1 / 0)))
    visitor.send("/sign-in", {})
    assert visitor.send("/sign-in", {"rawId": "A" * 1365}).json["detail"] == UNKNOWN


def test_the_passkey_of_a_user_who_is_gone_is_refused(shop, client):
    visitor = Visitor(client(shop))
    visitor.register()
    shop.users.clear()
    assert Visitor(client(shop), visitor.device).sign_in().json["detail"] == UNKNOWN


def test_other_features_do_not_stand_in_its_way(store, style, client):
    visitor = Visitor(client(Shop(store, style, CSRFTokens(), OpenAPI("Shop"))))
    assert visitor.register().status == 200
    assert {*visitor.client.get("/openapi.json").json["paths"]} == {"/account", "/logout"}


def test_the_script_is_checked_for_changes(shop, client):
    visitor = client(shop)
    script = visitor.get("/passkeys/script.js")
    assert "signIn" in script.text
    assert visitor.get("/passkeys/script.js", headers={"if-none-match": script.headers["etag"]}).status == 304


@rows("host", ["", "https://shop.example.com", "localhost:8000", "a b"])
def test_a_host_is_only_that(host):
    with pytest.raises(ValueError, match="host must be a host without a port"):
        PasskeyLogin(User, host=host, find=str, save=str)


@pytest.mark.processes
@rows("kind", ["memory", *SHARED])
def test_of_copies_at_once_in_all_processes_one_logs_in(kind, request, tmp_path):
    where = None if kind == "memory" else place_of(kind, request, tmp_path)
    own, passkeys, users = MemoryStore(), {}, {}
    shared = {"passkeys": passkeys, "users": users}
    shops = [Shop(own if where is None else store_at(where), "def", **shared) for _ in range(4)]
    visitor = Visitor(Client(shops[0].app, "wsgi", base_url=HTTPS))
    visitor.device.uses = repeat(0)
    assert visitor.register().status == 200
    with ThreadPoolExecutor(8) as threads:
        for path in ["/sign-in", "/register"] * 5:
            client = Client(shops[0].app, "wsgi", base_url=HTTPS)
            begun = client.post(f"/passkeys{path}", json={} if path == "/sign-in" else {"name": "ben"})
            cookie = begun.headers["set-cookie"].partition(";")[0]
            signed = visitor.device.get(begun.json) if path == "/sign-in" else Authenticator().create(begun.json)
            at_once = Barrier(8)

            def send(number, path=path, signed=signed, cookie=cookie, at_once=at_once):
                client = Client(shops[number % 4].app, "wsgi", base_url=HTTPS)
                at_once.wait()
                response = client.post(f"/passkeys{path}", json=signed, headers={"cookie": cookie})
                return response.status, response.json.get("detail")

            told = sorted(threads.map(send, range(8)), key=lambda each: each[0])
            assert [status for status, _ in told] == [200] + [403] * 7, (path, {*told})
