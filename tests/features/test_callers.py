"""Callers: two who differ in one sign only are never taken for one, whichever feature asks."""

import itertools
from io import BytesIO
from types import SimpleNamespace

import pytest

from antiphon import App, Dependency, Request
from antiphon.app.store import store_name
from antiphon.features import (
    Basic,
    Bearer,
    Cache,
    IdempotentWrites,
    MemoryStore,
    ProtectedResource,
    RateLimit,
    Recorder,
    SessionLogin,
    Sessions,
    Signatures,
    Users,
    UserSource,
    login,
    login_required,
    logout,
    sign,
)
from antiphon.features.oauth.tokens import AccessToken
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

KEYS = {"a": b"a" * 32, "b": b"b" * 32}
STAGING = {"authorization": "Basic c3RhZ2luZzpzdGFnaW5n"}


class ByKey(UserSource):
    def credentials(self, request):
        key = request.headers.get("x-api-key")
        return None if key is None else (key,)


def user(name):
    return SimpleNamespace(id=name)


def send(app, headers, path="/pay", method="POST", **environ):
    """Send a request as a server would, with what only a server can set; return the status, the fields and the body."""
    fields = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    environ = {
        "REQUEST_METHOD": method, "PATH_INFO": path, "SERVER_NAME": "shop.example", "SERVER_PORT": "443",
        "wsgi.url_scheme": "https", "wsgi.input": BytesIO(b"{}"), "CONTENT_LENGTH": "2", "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "shop.example", "CONTENT_TYPE": "application/json", "QUERY_STRING": "", "wsgi.errors": None,
        **fields, **environ,
    }  # fmt: skip
    started = []
    chunks = app(environ, lambda status, fields, _=None: started.append((status, fields)))
    try:
        body = b"".join(chunks).decode()
    finally:
        getattr(chunks, "close", bool)()
    return int(started[0][0][:3]), started[0][1], body


def with_sessions(app):
    app.use(Sessions(MemoryStore()))
    app.post("/begin/<who>")(lambda request, who: request.session.update(who=who) or "")


def with_logins(app):
    with_sessions(app)
    app.use(Users(SessionLogin(user)))
    app.post("/login/<who>")(lambda request, who: login(request, user(who)) or "")


def with_tokens(app):
    resource = ProtectedResource(["https://id.example"], url="https://shop.example")

    async def verify(token, audience):
        subject, client, _ = token.split(".")
        return AccessToken(token, {"sub": subject, "iss": "https://id.example", "client_id": client})

    resource.verify = verify
    app.use(Users(Bearer(lambda token: user(token.subject)), resource=resource))


def nothing(app):
    pass


def cookie_from(app, path):
    cookies = [value for name, value in send(app, {}, path)[1] if name.lower() == "set-cookie"]
    return {"cookie": cookies[0].partition(";")[0]}


def signed(app, caller, url):
    made = sign(Request.blank(url, "POST", body=b"{}"), KEYS[caller], keyid=caller)
    return {name: made.headers[name] for name in ("signature", "signature-input", "content-digest")}


IDENTITIES = {
    "session": (with_sessions, lambda app, who, _: cookie_from(app, f"/begin/{who}")),
    "login": (with_logins, lambda app, who, _: cookie_from(app, f"/login/{who}")),
    "session behind a login": (with_sessions, lambda app, who, _: cookie_from(app, f"/begin/{who}") | STAGING),
    "basic": (
        lambda app: app.use(Users(Basic(lambda name, _: user(name)))),
        lambda app, who, _: {"authorization": f"Basic {'YTph' if who == 'a' else 'Yjpi'}"},
    ),
    "bearer": (
        lambda app: app.use(Users(Bearer(user))),
        lambda app, who, _: {"authorization": f"Bearer {who}"},
    ),
    "unknown authorization": (nothing, lambda app, who, _: {"authorization": f"Own {who}"}),
    "api key": (lambda app: app.use(Users(ByKey(user))), lambda app, who, _: {"x-api-key": who}),
    "api key and session": (
        lambda app: (with_sessions(app), app.use(Users(ByKey(user)))),
        lambda app, who, _: cookie_from(app, f"/begin/{who}") | {"x-api-key": "shared"},
    ),
    "token": (with_tokens, lambda app, who, _: {"authorization": f"Bearer {who}.web.1"}),
    "signer": (
        lambda app: app.use(Signatures(KEYS, store=False, everywhere=True)),
        signed,
    ),
    "remote user": (nothing, lambda app, who, _: {"REMOTE_USER": who}),
    "certificate": (nothing, lambda app, who, _: {"SSL_CLIENT_VERIFY": "SUCCESS", "SSL_CLIENT_S_DN": f"CN={who}"}),
    "host": (nothing, lambda app, who, _: {"HTTP_HOST": f"{who}.shop.example"}),
}  # fmt: skip


def apps(install, where):
    """Return the app that a server calls, and the one that has the route."""
    outer = App(secret_keys=["k" * 32])
    install(outer)
    if where == "app":
        return outer, outer
    inner = App(secret_keys=["k" * 32])
    outer.mount("/in", inner)
    return outer, inner


def shown(app, make, who, path="/pay"):
    given = make(app, who, f"https://shop.example{path}")
    environ = {name: value for name, value in given.items() if name.isupper()}
    return {name: value for name, value in given.items() if not name.isupper()}, environ


@rows("install, make", IDENTITIES.values(), ids=IDENTITIES)
@rows("where", ["app", "mount"])
def test_an_idempotent_write_is_not_told_to_another_caller(install, make, where):
    app, inner = apps(install, where)
    inner.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)

    @inner.post("/pay", idempotent=True)
    def pay(request):
        return f"payment {next(number)}"

    path = "/pay" if where == "app" else "/in/pay"
    shows = {who: shown(app, make, who) for who in "ab"}

    def attempt(who):
        headers, environ = shown(app, make, who, path) if make is signed else shows[who]
        return send(app, {"idempotency-key": '"order-1"', **headers}, path, **environ)

    (first, _, paid), (other, _, told), (again, _, paid_again) = [attempt(who) for who in "aba"]
    assert (first, paid) == (200, "payment 1")
    assert (other, told) == (200, "payment 2") or (other == 422 and "payment" not in told)
    assert (again, paid_again) == (200, "payment 1")


PROVEN = [each for each in IDENTITIES if each not in ("unknown authorization", "host")]


@rows("name", PROVEN)
def test_a_limit_counts_each_proven_caller(name):
    install, make = IDENTITIES[name]
    app = App(secret_keys=["k" * 32])
    install(app)

    def key(request):
        if request.app.is_provided(Request.user):
            assert request.user is not None or "session" in name
        return request.caller.key

    app.post("/pay", before=RateLimit("1/hour", by=key))(lambda request: "")
    shows = {who: shown(app, make, who) for who in "ab"}
    statuses = []
    for who in "aba":
        headers, environ = shown(app, make, who) if make is signed else shows[who]
        statuses.append(send(app, {"idempotency-key": '"order-1"', **headers}, **environ)[0])
    assert statuses == [200, 200, 429]


@rows("install, make", [each for name, each in IDENTITIES.items() if name != "signer"])
def test_a_cached_page_that_names_its_caller_is_not_shown_to_another(install, make):
    app = App(secret_keys=["k" * 32])
    install(app)
    app.use(Cache(MemoryStore()))
    app.get("/pay")(lambda request: (f"{request.caller.identities} {request.host}", {"cache-control": "max-age=60"}))
    shows = [shown(app, make, who) for who in "ab"]
    first, other = [send(app, headers, method="GET", **environ)[2] for headers, environ in shows]
    assert first != other


def test_a_renewed_token_is_the_same_caller():
    app = App()
    with_tokens(app)
    app.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)
    app.post("/pay", idempotent=True, before=login_required)(lambda request: f"{next(number)}")
    tokens = ["ann.web.1", "ann.web.2", "ann.phone.1", "ben.web.1"]
    paid = [send(app, {"idempotency-key": '"1"', "authorization": f"Bearer {token}"})[2] for token in tokens]
    assert paid == ["1", "1", "2", "3"]


def test_nobody_uses_up_the_key_of_another_user():
    app = App(secret_keys=["k" * 32])
    with_logins(app)
    app.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)
    app.post("/pay", idempotent=True)(lambda request: f"{request.user.id} {next(number)}")
    ann, ben, ann_again = [cookie_from(app, f"/login/{who}") for who in ("ann", "ben", "ann")]
    paid = [send(app, {"idempotency-key": '"order-1001"', **each})[:3:2] for each in (ben, ann, ben, ann)]
    assert paid == [(200, "ben 1"), (200, "ann 2"), (200, "ben 1"), (200, "ann 2")]
    status, _, told = send(app, {"idempotency-key": '"order-1001"', **ann_again})
    assert status == 422, told  # perhaps the same attempt, after another login: it must not be carried out again


def test_a_login_in_the_handler_leaves_the_caller_the_same():
    app = App(secret_keys=["k" * 32])
    with_logins(app)
    app.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)

    @app.post("/pay", idempotent=True)
    def pay(request):
        login(request, user("ann"))
        return f"{next(number)}"

    client = Client(app, "wsgi", base_url="https://shop.example", headers={"idempotency-key": '"1"'})
    client.post("/begin/ann")
    assert [client.post("/pay").text for _ in range(2)] == ["1", "1"]


def test_a_csrf_token_and_a_cookie_of_analytics_identify_nobody():
    app = App()
    app.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)
    app.post("/pay", idempotent=True)(lambda request: f"{next(number)} {request.cookies.get('shop')}")
    outer = App()
    outer.mount("/in", app)
    paid = [
        send(outer, {"idempotency-key": '"1"', "x-csrf-token": f"{n}", "cookie": f"_ga={n}; shop=1"}, "/in/pay")[2]
        for n in range(2)
    ]
    assert paid == ["1 1", "1 1"]
    assert send(outer, {"idempotency-key": '"1"', "cookie": "shop=2"}, "/in/pay")[0] == 422


# Users with several credentials


@rows("headers, status, told", [
    ({"x-api-key": "ann"}, 200, "ann"),
    ({"x-api-key": "ann", "authorization": "Bearer ann"}, 200, "ann"),
    ({"x-api-key": "ann", "authorization": "Bearer bad"}, 401, "not valid"),
    ({"x-api-key": "bad", "authorization": "Bearer ann"}, 401, "not valid"),
    ({"x-api-key": "ann", "authorization": "Bearer ben"}, 401, "belong to different users"),
])  # fmt: skip
@rows("style", ["def", "async def"])
def test_all_credentials_must_be_of_one_user(headers, status, told, style):
    def find(name):
        return None if name == "bad" else user(name)

    async def afind(name):
        return find(name)

    app = App()
    app.use(Users(ByKey(find), Bearer(find if style == "def" else afind)))
    app.post("/pay", before=login_required)(lambda request: request.user.id)
    found, _, body = send(app, headers)
    assert (found, told in body) == (status, True), body


class Admin:
    id = 1


@rows("apart", [False, True])
def test_users_of_two_kinds_with_one_id_are_two_callers(apart):
    app = App()
    tokens, keys = Bearer(lambda _: user(1)), ByKey(lambda _: Admin())
    for each in [Users(tokens), Users(keys, dependency=Dependency("admin"))] if apart else [Users(tokens, keys)]:
        app.use(each)
    app.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)

    @app.post("/pay", idempotent=True)
    def pay(request):
        return f"payment {next(number)}"

    @app.before_request
    def read(request):
        for each in app.features:
            if isinstance(each, Users):
                request[each._dependency]

    shown = [{"authorization": "Bearer a"}, {"x-api-key": "b"}]
    first, other = [send(app, {"idempotency-key": '"1"', **each})[2] for each in shown]
    assert (first, other) == ("payment 1", "payment 2")
    if not apart:
        assert "belong to different users" in send(app, {"idempotency-key": '"2"', **shown[0], **shown[1]})[2]


def test_a_token_logs_the_user_out_everywhere():
    app = App(secret_keys=["k" * 32])
    app.use(Sessions(MemoryStore()))
    app.use(Users(SessionLogin(user), Bearer(user)))
    app.post("/login/<who>")(lambda request, who: login(request, user(who)) or "")
    app.post("/out")(lambda request: logout(request, everywhere=True) or "")
    app.post("/pay", before=login_required)(lambda request: request.user.id)
    thief, other = cookie_from(app, "/login/ann"), cookie_from(app, "/login/ben")
    assert send(app, {"authorization": "Bearer ann"}, "/out")[0] == 200
    assert [send(app, each)[0] for each in (thief, other)] == [401, 200]


# Names in a store


@rows("parts, others", [
    (("a", "b"), ("a\0b",)),
    (("a\0", "b"), ("a", "\0b")),
    (("a\1", "b"), ("a", "b")),
    (("a\1\2b",), ("a\0b",)),
    (("",), ("", "")),
])  # fmt: skip
def test_different_parts_have_different_names(parts, others):
    assert store_name(*parts) != store_name(*others)
    assert store_name("plain: text\n") == "plain: text\n"


@rows("key", ["kept\0requests", "kept\0requests\0", "runs\0runs\0live", "cache\0tag\0news", "__Host-admin\0root"])
def test_a_user_who_logs_out_everywhere_ends_nothing_of_others(key):
    """Whatever the user's key contains."""
    store = MemoryStore()
    app = App(secret_keys=["k" * 32], store=store)
    app.use(Sessions())
    app.use(Users(SessionLogin(user)))
    app.use(keep := Recorder())
    admin = App(secret_keys=["k" * 32], store=store)
    admin.use(sessions := Sessions(cookie="__Host-admin"))
    admin.post("/")(lambda request: request.session.rotate("root"))
    admin.post("/begin")(lambda request: request.session.rotate("root") or "")
    app.mount("/admin", admin)
    app.get("/boom")(lambda request: 1 / 0)
    app.post("/in")(lambda request: login(request, user(key)) or "")
    app.post("/out")(lambda request: logout(request, everywhere=True) or "")
    with Client(app, "wsgi", base_url="https://shop.example", raise_errors=False) as client:
        client.get("/boom")
        client.post("/admin/begin")
        keep.flush()
        assert (len(keep.all()), len(sessions.owned_by("root"))) == (1, 1)
        client.post("/in")
        client.post("/out")
        assert (len(keep.all()), len(sessions.owned_by("root"))) == (1, 1)
