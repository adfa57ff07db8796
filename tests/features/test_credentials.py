"""What each kind of credential makes: never another kind, unless a person has logged in, and never another user's."""

from base64 import b64encode
from functools import partial
from types import SimpleNamespace

import pytest

pytest.importorskip("webauthn")

from antiphon import App
from antiphon.features import (
    APIKey,
    Basic,
    Bearer,
    MemoryStore,
    PasskeyLogin,
    ProtectedResource,
    RefreshTokens,
    Sessions,
    Users,
    UserSource,
    login,
    login_required,
)
from antiphon.testing import Client
from tests.features.oauth.identity_provider import served_provider
from tests.helpers.authenticator import Authenticator
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("interface", "style")]

HTTPS = "https://shop.example.com"
DAY = 24 * 3600.0
READ = {"scopes": lambda user: ["read"]}


def find(key):
    return SimpleNamespace(id=int(key))


def check(name, password):
    return find(name)


class Header(UserSource):
    """A user whom a proxy has logged in."""

    header = "X-Remote-User"

    def credentials(self, request):
        name = request.headers.get("x-remote-user")
        return None if name is None else (name,)


class Login(Header):
    def login_age(self, request):
        return float(request.headers["x-login-age"])


class Shop:
    """An app with each step that makes a credential. User 1 may act as any other."""

    def __init__(self, clock, style="def", *sources, **options):
        self.app, self.passkeys = App(store=MemoryStore(clock=clock), trusted_proxies=["127.0.0.1"]), {}
        clock.runs = 1e-6
        self.keys, self.tokens, self.sessions = APIKey(find), RefreshTokens(), Sessions(bound=300)
        calls = {"find": self.passkeys.get, "save": self.save, "delete": self.delete}
        self.login = PasskeyLogin(find, host="shop.example.com", **calls)
        self.users = Users(self.login, self.keys, *sources, **options)
        for feature in (self.sessions, self.users, self.tokens):
            self.app.use(feature)
        steps = {
            "/key": (lambda request: self.keys.create(str(request.user.id), scopes=["pay"]), login_required),
            "/token": (lambda request: self.tokens.issue(str(request.user.id), scopes=["pay"]), login_required),
            "/login": (lambda request: login(request, request.user) or "", login_required),
            "/recent": (lambda request: "", login_required(within=600)),
            "/as/<who>": (self.act_as, login_required),
            "/as-late/<who>": (lambda request: self.act_as(request) or self.users.end(find(1)), login_required),
            "/become/<who>": (self.become, login_required),
            "/password": (self.set_password, login_required),
            "/form/<who>": (lambda request: login(request, find(request.path_params["who"])) or "", ()),
            "/half/<who>": (lambda request: request.session.update(half=request.path_params["who"]) or "", ()),
            "/code": (lambda request: login(request, find(request.session["half"])) or "", ()),
            "/code-of-app": (lambda request: self.tokens.issue(request.session["half"]), ()),
        }
        for path, (step, before) in steps.items():
            self.app.post(path, before=before, csrf_exempt=True)(in_style(style, step))
        self.app.get("/me", before=login_required)(lambda request: f"{request.user.id}")

    def save(self, passkey):
        self.passkeys[passkey.id] = passkey

    def delete(self, owner):
        found = [name for name, passkey in self.passkeys.items() if passkey.owner == owner]
        return len([self.passkeys.pop(name) for name in found])

    def set_password(self, request):
        return login(request, request.user, end_others=True, keep=request.args.getall("keep")) or ""

    def act_as(self, request):
        return login(request, find(request.path_params["who"])) or ""

    def become(self, request):
        self.users.become(request, find(request.path_params["who"]))
        return self.keys.create(str(request.user.id))

    def made(self, who):
        """Return how many sessions, keys, refresh tokens and passkeys a user has."""
        owned = [len(each.owned_by(who)) for each in (self.sessions, self.keys, self.tokens)]
        return [*owned, sum(each.owner == who for each in self.passkeys.values())]


class Holder:
    """A client with one kind of credentials, and with all that comes of them."""

    def __init__(self, shop, interface, **fields):
        self.shop, self.fields = shop, {name.replace("_", "-"): value for name, value in fields.items()}
        self.client = Client(shop.app, interface, base_url=HTTPS)

    def post(self, path, content=None):
        return self.client.post(path, json=content or {}, headers=self.fields)

    def register(self, device=None):
        options = self.post("/passkeys/register", {"name": "ada"})
        if options.status != 200:
            return options
        return self.post("/passkeys/register", (device or Authenticator()).create(options.json))

    def steps(self):
        """Return the statuses of the steps."""
        return [each.status for each in (self.register(), *map(self.post, ("/key", "/token", "/login", "/recent")))]


def nothing(shop, interface, clock):
    return Holder(shop, interface)


def session(shop, interface, clock):
    holder = Holder(shop, interface)
    holder.post("/form/7")
    return holder


def old_session(shop, interface, clock):
    holder = session(shop, interface, clock)
    clock.now += DAY
    return holder


def session_of_an_earlier_version(shop, interface, clock):
    holder = session(shop, interface, clock)
    shop.app.store.change("session\n" + holder.client.cookies["__Host-session"], {}, remove=["_login"])
    return holder


def session_of_an_administrator(shop, interface, clock):
    holder = Holder(shop, interface)
    holder.post("/form/1")
    holder.post("/as/7")
    return holder


def key(shop, interface, clock, scopes=("read",)):
    return Holder(shop, interface, x_api_key=shop.keys.create("7", scopes=scopes))


def session_and_key(shop, interface, clock):
    holder = session(shop, interface, clock)
    holder.fields |= key(shop, interface, clock).fields
    return holder


def bearer(shop, interface, clock):
    return Holder(shop, interface, authorization="Bearer 7")


def password(shop, interface, clock):
    return Holder(shop, interface, authorization=f"Basic {b64encode(b'7:x').decode()}")


def remote_user(shop, interface, clock, age=None):
    return Holder(shop, interface, x_remote_user="7", **({} if age is None else {"x_login_age": f"{age}"}))


NONE, REFUSED = [401] * 5, [403] * 5
ALL, OLD = [200] * 5, [401, 200, 200, 200, 200]  # the last step comes after a login


@rows("hold, sources, wanted, made", [
    (nothing, [], NONE, [0, 0, 0, 0]),
    (session, [], ALL, [1, 1, 1, 1]),
    (old_session, [], OLD, [1, 1, 1, 0]),
    (session_of_an_earlier_version, [], OLD, [1, 1, 1, 0]),
    (session_of_an_administrator, [], [403, 403, 403, 200, 403], [1, 0, 0, 0]),
    (key, [], REFUSED, [0, 1, 0, 0]),
    (partial(key, scopes=()), [], REFUSED, [0, 1, 0, 0]),
    (session_and_key, [], REFUSED, [1, 1, 0, 0]),
    (bearer, [Bearer(find)], REFUSED, [0, 0, 0, 0]),
    (bearer, [Bearer(find, **READ)], REFUSED, [0, 0, 0, 0]),
    (password, [Basic(check)], ALL, [1, 1, 1, 1]),
    (password, [Basic(check, **READ)], REFUSED, [0, 0, 0, 0]),
    (remote_user, [Header(find)], REFUSED, [0, 0, 0, 0]),
    (partial(remote_user, age=DAY), [Login(find)], [401, 200, 200, 200, 401], [1, 1, 1, 0]),
    (partial(remote_user, age=-DAY), [Login(find)], [401, 200, 200, 200, 401], [1, 1, 1, 0]),
    (partial(remote_user, age=60), [Login(find)], ALL, [1, 1, 1, 1]),
    (partial(remote_user, age=60), [Login(find, **READ)], REFUSED, [0, 0, 0, 0]),
])  # fmt: skip
def test_only_a_persons_login_makes_other_credentials(hold, sources, wanted, made, interface, style, clock):
    shop = Shop(clock, style, *sources)
    assert hold(shop, interface, clock).steps() == wanted
    assert (shop.made("7"), shop.made("8")) == (made, [0, 0, 0, 0])


def test_an_access_token_of_a_third_party_makes_no_other_credentials(interface, style, clock):
    with served_provider() as provider:
        resource = ProtectedResource([provider.issuer], url=HTTPS)
        shop = Shop(clock, style, Bearer(lambda token: find(7)), resource=resource)
        holder = Holder(shop, interface, authorization=f"Bearer {provider.token(aud=HTTPS)}")
        assert holder.client.get("/me", headers=holder.fields).text == "7"
        assert (holder.steps(), shop.made("7")) == (REFUSED, [0, 0, 0, 0])


def test_nobody_makes_credentials_of_a_user_as_whom_the_code_acts(interface, style, clock):
    shop = Shop(clock, style)
    holder = Holder(shop, interface)
    holder.post("/form/1")
    assert holder.post("/become/7").status == 403
    assert (shop.made("1"), shop.made("7")) == ([1, 0, 0, 0], [0, 0, 0, 0])


def test_who_returns_from_acting_as_another_has_an_old_login(interface, style, clock):
    shop = Shop(clock, style)
    holder = session_of_an_administrator(shop, interface, clock)
    assert holder.post("/form/1").status == 200
    assert [holder.post(path).status for path in ("/key", "/recent")] == [200, 401]
    assert (shop.made("1"), shop.made("7")) == ([1, 1, 0, 0], [0, 0, 0, 0])


def test_a_passkey_logs_in_its_user_alone_in_the_session_of_another(interface, style, clock):
    shop, device = Shop(clock, style), Authenticator()
    session(shop, interface, clock).register(device)
    other = Holder(shop, interface)
    other.post("/form/1")
    assert other.post("/passkeys/sign-in", device.get(other.post("/passkeys/sign-in").json)).status == 200
    assert (other.post("/key").status, other.client.get("/me").text) == (200, "7")


def end(shop, interface):
    """End all of user 7 in another process."""
    return shop.users.end(find(7))


def change_password(shop, interface):
    holder = Holder(shop, interface)
    holder.post("/form/7")
    assert holder.post("/password").status == 200


ENDS = [end, change_password]


@rows("finish", ["/code", "/code-of-app"])
@rows("end", ENDS)
def test_half_a_login_ends_with_the_user_and_the_next_one_is_whole(finish, end, interface, style, clock):
    shop = Shop(clock, style)
    half, next_one = Holder(shop, interface), Holder(shop, interface)
    half.post("/half/7")
    clock.now += DAY
    end(shop, interface)
    clock.now += DAY  # later than requests last
    before = shop.made("7")
    half.post(finish)
    assert (shop.made("7"), half.client.get("/me").status) == (before, 401)
    assert [next_one.post(path).status for path in ("/half/7", finish)] == [200, 200]
    assert sum(shop.made("7")) == sum(before) + 1


@rows("end", ENDS)
def test_a_registration_that_began_before_the_end_leaves_no_passkey(end, interface, style, clock):
    shop = Shop(clock, style)
    holder, device = session(shop, interface, clock), Authenticator()
    save = shop.login._save

    def save_late(passkey):
        end(shop, interface)  # while the request is under way
        save(passkey)

    shop.login._save = save_late
    assert holder.register(device).status == 401
    shop.login._save = save
    holder = session(shop, interface, clock)
    options = holder.post("/passkeys/register", {"name": "ada"}).json
    end(shop, interface)  # between its two requests
    assert holder.post("/passkeys/register", device.create(options)).status in (401, 403)
    assert shop.passkeys == {}


@rows("end", ENDS)
def test_a_session_as_another_user_ends_with_both(end, interface, style, clock):
    shop = Shop(clock, style)
    shop.users.end(find(8))  # which was before, and stops nobody
    clock.now += 1
    as_other, of_other = Holder(shop, interface), Holder(shop, interface)
    for path in ("/form/7", "/as/8"):
        as_other.post(path)
    of_other.post("/form/8")
    assert [each.client.get("/me").text for each in (as_other, of_other)] == ["8", "8"]
    assert [each.data for each in shop.sessions.owned_by("7")] == [{"as": "8"}]
    end(shop, interface)
    assert [each.client.get("/me").status for each in (as_other, of_other)] == [401, 200]
    for path in ("/form/7", "/as/8"):
        as_other.post(path)
    shop.users.end(find(8))
    assert as_other.client.get("/me").status == 401


def test_an_administrator_who_ends_while_a_session_as_another_begins_has_none(interface, style, clock):
    shop = Shop(clock, style)
    holder = Holder(shop, interface)
    assert [holder.post(path).status for path in ("/form/1", "/as-late/7")] == [200, 200]
    assert (holder.client.get("/me").status, shop.made("7")) == (401, [0, 0, 0, 0])


@rows("kept, left", [
    ((), [1, 0, 0, 0]),
    (("API keys",), [1, 1, 0, 0]),
    (("refresh tokens", "passkeys"), [1, 0, 1, 1]),
])  # fmt: skip
def test_a_new_password_ends_all_but_what_is_named(kept, left, interface, style, clock):
    shop = Shop(clock, style)
    holder = session(shop, interface, clock)
    assert holder.steps() == ALL
    session(shop, interface, clock)
    assert shop.made("7") == [2, 1, 1, 1]
    assert holder.post("/password?" + "&".join(f"keep={each}" for each in kept)).status == 200
    assert (shop.made("7"), holder.client.get("/me").text) == (left, "7")


def test_a_kind_that_is_not_known_is_refused(clock):
    with pytest.raises(ValueError, match="keep lists 'keys', but users have: sessions, passkeys, API keys, refresh to"):
        Shop(clock).users.end(find(7), keep=["keys"])


class Badges:
    """The feature of a stranger, which holds badges for users."""

    def __init__(self):
        self.owners = ["7", "8", "7"]

    def install(self, app):
        pass

    def __ends__(self, user, key):
        return [("badges", lambda: self.end(key))]

    def end(self, key):
        ended = self.owners.count(key)
        self.owners = [each for each in self.owners if each != key]
        return ended


def test_the_credentials_of_a_stranger_join_the_list(clock):
    shop, badges = Shop(clock), Badges()
    shop.app.use(badges)
    kinds = ["sessions", "passkeys", "API keys", "refresh tokens"]
    assert shop.users.end(find(7)) == {**dict.fromkeys(kinds, 0), "badges": 2}
    assert badges.owners == ["8"]


def test_passkeys_that_nothing_deletes_are_named(clock, caplog):
    app = App(store=MemoryStore(clock=clock))
    app.use(Sessions())
    users = Users(PasskeyLogin(find, host="shop.example.com", find={}.get, save=print), revoke=lambda user: 0)
    app.use(users)
    assert users.end(find(7)) == {"sessions": 0, "passkeys": None, "revoked": 0}
    assert "can't end a user's passkeys" in caplog.text
