"""Callers: what makes two requests those of one caller, and users with several credentials."""

import itertools
from hashlib import sha1

import pytest

from antiphon import App, Dependency
from antiphon.app.store import FeatureStore
from antiphon.features import (
    Bearer,
    CookieStore,
    IdempotentWrites,
    MemoryStore,
    SessionLogin,
    Sessions,
    Users,
    login,
    login_required,
)
from antiphon.testing import Client
from tests.helpers.callers import ByKey, cookie_from, send, user, with_logins, with_tokens
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def test_a_renewed_token_is_the_same_caller():
    app = App()
    with_tokens(app)
    app.use(IdempotentWrites(MemoryStore()))
    number = itertools.count(1)
    app.post("/pay", idempotent=True, before=login_required)(lambda request: f"{next(number)}")
    tokens = ["ann.web.1", "ann.web.2", "ann.phone.1", "ben.web.1"]
    paid = [send(app, {"idempotency-key": '"1"', "authorization": f"Bearer {token}"})[2] for token in tokens]
    assert paid == ["1", "1", "2", "3"]


@rows("token, is_known", ("ann", True), ("no such token", False))
def test_a_caller_says_if_its_key_is_proven(token, is_known):
    app = App()
    app.use(Users(Bearer({"ann": "ann"}.get)))

    @app.get("/who")
    def who(request):
        before = request.caller.is_proven, request.caller.key
        assert (request.user is not None) == is_known
        after = request.caller.is_proven, request.caller.key
        assert (before != after) == is_known
        return [before[0], after[0]]

    assert Client(app, headers={"authorization": f"Bearer {token}"}).get("/who").json == [False, is_known]


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
    ({"x-own-key": "ann"}, 200, "ann"),
    ({"x-own-key": "ann", "authorization": "Bearer ann"}, 200, "ann"),
    ({"x-own-key": "ann", "authorization": "Bearer bad"}, 401, "not valid"),
    ({"x-own-key": "bad", "authorization": "Bearer ann"}, 401, "not valid"),
    ({"x-own-key": "ann", "authorization": "Bearer ben"}, 401, "belong to different users"),
])  # fmt: skip
@rows("style", ["def", "async def"])
def test_all_credentials_must_be_of_one_user(headers, status, told, style):
    def find(name):
        return None if name == "bad" else user(name)

    app = App()
    app.use(Users(ByKey(find), Bearer(in_style(style, find))))
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

    shown = [{"authorization": "Bearer a"}, {"x-own-key": "b"}]
    first, other = [send(app, {"idempotency-key": '"1"', **each})[2] for each in shown]
    assert (first, other) == ("payment 1", "payment 2")
    if not apart:
        assert "belong to different users" in send(app, {"idempotency-key": '"2"', **shown[0], **shown[1]})[2]


# Names in a store


@rows("parts, others", [
    (("a", "b"), ("a\0b",)),
    (("a\0", "b"), ("a", "\0b")),
    (("a\1", "b"), ("a", "b")),
    (("a\1\2b",), ("a\0b",)),
    (("",), ("", "")),
])  # fmt: skip
def test_different_parts_have_different_names(parts, others):
    assert FeatureStore.name_of(*parts) != FeatureStore.name_of(*others)
    assert FeatureStore.name_of("plain: text\n") == "plain: text\n"


def test_sessions_that_began_at_one_moment_are_two_callers_also_after_a_login():
    """The clocks of some systems tick 64 times a second."""
    app = App(secret_keys=["k" * 32])
    app.use(Sessions(MemoryStore(clock=lambda: 1000.0)))
    app.use(Users(SessionLogin(user)))
    app.post("/begin/<who>")(lambda request, who: request.session.update(who=who) or "")
    app.post("/login/<who>")(lambda request, who: login(request, user(who)) or "")
    app.post("/pay")(lambda request: str(next(iter(request.caller.identities))))
    sessions = [cookie_from(app, f"/begin/{who}") for who in ("ann", "ben")]
    ann, ben = [send(app, each)[2] for each in sessions]
    assert ann != ben
    fields = send(app, sessions[0], "/login/ann")[1]
    after = next(value for name, value in fields if name.lower() == "set-cookie").partition(";")[0]
    assert after != sessions[0]["cookie"]
    assert send(app, {"cookie": after})[2] == ann
    assert sessions[0]["cookie"].partition("=")[2][:12] not in ann


def test_sessions_that_flask_began_in_one_second_are_two_callers():
    from itsdangerous import URLSafeTimedSerializer

    serializer = URLSafeTimedSerializer(
        "k" * 32, salt="cookie-session", signer_kwargs={"key_derivation": "hmac", "digest_method": sha1}
    )
    app = App(secret_keys=["k" * 32])
    app.use(Sessions(CookieStore(["k" * 32])))
    app.post("/pay")(lambda request: str(next(iter(request.caller.identities))))
    app.post("/change")(lambda request: request.session.update(more=1) or "")
    cookies = [f"__Host-session={serializer.dumps({'who': who})}" for who in ("ann", "ben")]
    ann, ben = [send(app, {"cookie": each})[2] for each in cookies]
    assert ann.startswith("session ")
    assert ann != ben
    changed = next(value for name, value in send(app, {"cookie": cookies[0]}, "/change")[1] if name == "set-cookie")
    assert send(app, {"cookie": changed.partition(";")[0]})[2] == ann
