"""Two callers who differ in one sign only: no feature takes them for one, in an app and in one mounted in it."""

import json
import logging
import re

import pytest

from antiphon import App, Request
from antiphon.adapters.wsgi import WSGIHead
from antiphon.features import (
    AccessLog,
    Cache,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    RateLimit,
    Recorder,
    Runs,
    SessionLogin,
    Sessions,
    Tool,
    Tools,
    Users,
    login,
    login_required,
    logout,
)
from antiphon.http import NotFound
from tests.features.tools.test_protocol import META, MODERN
from tests.features.tools.test_protocol import fields as fields_of_call
from tests.helpers.callers import (
    COUNTED,
    SIGNS,
    ByKey,
    Site,
    cookie_from,
    environ_of,
    of_secret,
    send,
    user,
    with_sessions,
)
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

WAYS = ["app", "mount"]
OF_USERS = [name for name, sign in SIGNS.items() if sign.user]
KEY = {"idempotency-key": '"order-1"'}


def knows_its_users(site):
    """Let the application look its users up for each request, as ``login_required`` does."""

    @site.app.before_request
    def look_up(request):
        if request.app.is_provided(type(request).user):
            assert request.user is not None or not site.sign.user or "/begin/" in request.path or "/log" in request.path


def paid_once_each(first, other, again):
    """Check what ann, ben and ann again are told."""
    assert first == (200, "payment 1")
    assert other == (200, "payment 2") or (other[0] == 422 and "payment" not in other[1])
    assert again == first


@rows("name", SIGNS)
@rows("where", WAYS)
def test_an_idempotent_write_is_not_told_to_another_caller(name, where):
    site, payments = Site(name, where), []
    site.inner.use(IdempotentWrites(MemoryStore()))

    @site.inner.post("/pay", idempotent=True)
    def pay(request):
        payments.append(request)
        return f"payment {len(payments)}"

    paid_once_each(*[site.ask(who, headers=KEY) for who in ("ann", "ben", "ann")])


@rows("name", SIGNS)
@rows("where", WAYS)
@rows("cached_in", ["app", "inner"])
def test_a_page_that_depends_on_its_caller_is_not_shown_to_another(name, where, cached_in):
    site = Site(name, where)
    getattr(site, cached_in).use(Cache(MemoryStore()))
    reads = {
        "identities": lambda caller: caller.identities,
        "key": lambda caller: caller.key,
        "fields": lambda caller: caller.fields({"*"}),
    }

    def page(request, what):
        return f"{reads[what](request.caller)} {request.host}"

    site.inner.get("/made/<what>")(page)
    site.inner.get("/<what>")(lambda request, what: (page(request, what), {"cache-control": "max-age=60, public"}))
    for what in reads:
        told = [site.ask(who, f"/{what}", "GET") for who in ("ann", "ben", "ann")]
        assert told == [site.ask(who, f"/made/{what}", "GET") for who in ("ann", "ben", "ann")]
    ann, ben = [site.ask(who, "/identities", "GET") for who in ("ann", "ben")]
    assert (ann[0], ann != ben) == (200, True)


@rows("name", [each for each in SIGNS if each not in ("signer", "host")])
@rows("where", WAYS)
def test_a_page_that_reads_no_caller_is_made_once_for_all(name, where):
    """Whatever the analytics' cookies are."""
    site, made = Site(name, where), []
    site.inner.use(Cache(MemoryStore()))

    @site.inner.get("/pay")
    def page(request):
        made.append(1)
        return "prices", {"cache-control": "max-age=60, public"}

    for number, who in enumerate(("ann", "ben", "ann")):
        cookies = {} if "cookie" in site.shows(who)[0] else {"cookie": f"_ga={number}"}
        assert site.ask(who, method="GET", headers=cookies) == (200, "prices")
    assert len(made) == 1


@rows("name", [*COUNTED, "api key and session"])
@rows("where", WAYS)
def test_a_limit_counts_a_caller_whatever_session_it_begins(name, where):
    site, begin = Site(name, where), "login" if name == "login" else "begin"
    if not site.app.is_provided(Request.session):
        with_sessions(site.app)
    knows_its_users(site)
    limit = RateLimit("2/hour", by=lambda request: request.caller.key)
    site.inner.post("/pay", before=limit)(lambda request: "")
    asked = []
    for who in ("ann", "ben") * 3:
        path = f"/{begin}/{who}"
        asked.append(site.ask(who, headers=cookie_from(site.app, path, site.shows(who, path)[0]))[0])
    one_user = name == "api key and session"
    assert asked == ([200, 200, 429, 429, 429, 429] if one_user else [200, 200, 200, 200, 429, 429])


@rows("name", [name for name in SIGNS if name not in (*COUNTED, "api key and session")])
@rows("where", WAYS)
def test_a_limit_counts_all_others_by_their_addresses(name, where):
    site = Site(name, where)
    limit = RateLimit("2/hour", by=lambda request: request.caller.key)
    site.inner.post("/pay", before=limit)(lambda request: "")
    for address in ("192.0.2.1", "2001:db8::1", None):
        environ = {} if address is None else {"REMOTE_ADDR": address}
        assert [site.ask(who, **environ)[0] for who in ("ann", "ben", "ann")] == [200, 200, 429]


def test_a_limit_counts_all_clients_of_a_user():
    site = Site("token")
    site.app.post("/pay", before=lambda request: request.user and None)(lambda request: request.caller.key)
    other_client = {"authorization": "Bearer ann.other.1"}
    assert site.ask("ann") == site.ask("ann", headers=other_client) != site.ask("ben")


@rows("name", SIGNS)
@rows("where", WAYS)
def test_a_run_is_found_by_its_owner_only(name, where):
    site = Site(name, where)
    knows_its_users(site)
    site.inner.use(runs := Runs(MemoryStore()))

    def owner(request):
        return str([request.host, *request.caller.identities])

    @site.inner.post("/start")
    def start(request):
        return runs.start(iter([1]), owner=owner(request)).id

    @site.inner.post("/find")
    def find(request):
        try:
            runs.find(request.json, owner=owner(request))
        except NotFound:
            return "nothing"
        return f"{len(runs.owned_by(owner(request)))}"

    wanted = json.dumps(site.ask("ann", "/start")[1]).encode()
    assert [site.ask(who, "/find", body=wanted)[1] for who in ("ann", "ben")] == ["1", "nothing"]


def call(site, who, **params):
    meta = {f"{META}protocolVersion": MODERN, f"{META}clientCapabilities": {"elicitation": {"form": {}}}}
    params = {"name": "pay", "arguments": {}, "_meta": meta, **params}
    message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    _, text = site.ask(
        who, "/mcp", body=json.dumps(message).encode(), headers=fields_of_call("tools/call", mcp_name="pay") | KEY
    )
    return json.loads(text)


@rows("name", SIGNS)
@rows("where", WAYS)
def test_a_confirmation_is_not_used_by_another_caller(name, where):
    site, payments = Site(name, where), []
    site.inner.use(Tools(OpenAPI("Shop")))
    site.inner.post("/pay", tool=Tool(name="pay", confirm="Pay?"))(lambda request: payments.append(1) or "paid")
    state = call(site, "ann")["result"]["requestState"]
    agreed = {"requestState": state, "inputResponses": {"confirmation": {"action": "accept", "content": {}}}}
    assert "another call" in call(site, "ben", **agreed)["error"]["message"]
    assert not payments
    assert not call(site, "ann", **agreed)["result"]["isError"]
    assert len(payments) == 1


@rows("name", SIGNS)
@rows("where", WAYS)
def test_kept_requests_of_a_user_are_forgotten_and_no_others(name, where):
    site = Site(name, where)
    knows_its_users(site)
    site.inner.use(keep := Recorder(MemoryStore()))
    site.inner.get("/ann")(lambda request: 1 / 0)
    site.inner.get("/ben")(lambda request: {}[0])
    for who in ("ann", "ben"):
        assert site.ask(who, f"/{who}", "GET")[0] == 500
    keep.flush()
    assert keep.forget("ann") == int(site.sign.user)
    kept = [each.last.path for each in keep.all()]
    assert (f"{site.prefix}/ben" in kept, f"{site.prefix}/ann" in kept) == (True, not site.sign.user)


@rows("name", SIGNS)
@rows("where", WAYS)
def test_the_access_log_names_the_caller_and_no_secret(name, where, caplog):
    site = Site(name, where)
    knows_its_users(site)
    site.inner.post("/pay")(lambda request: "")
    site.app.use(AccessLog(extra=lambda exchange: {"caller": exchange.request.caller.key}))
    caplog.set_level(logging.INFO, "antiphon.access")
    logged = []
    for who in ("ann", "ben", "ann"):
        sent = str(site.shows(who, f"{site.prefix}/pay")[0].values())
        assert site.ask(who)[0] == 200
        logged.append(caplog.records[-1].caller)
        assert not any(secret in str(logged[-1]) for secret in re.findall(r"[\w.+/-]{6,}", sent))
    ann, ben, ann_again = logged
    assert (ann == ann_again, ann != ben) == (True, name in COUNTED)


def test_a_user_that_is_the_secret_itself_is_not_logged(caplog):
    app = App()
    app.use(Users(ByKey(lambda key: key)))
    app.use(AccessLog(extra=lambda exchange: {"caller": exchange.request.caller.key}))
    app.post("/pay", before=login_required)(lambda request: "")
    caplog.set_level(logging.INFO, "antiphon.access")
    keys = []
    for key in ("ann-secret", "ben-secret", "ann-secret"):
        send(app, {"x-own-key": key})
        keys.append(caplog.records[-1].caller)
    assert keys[0] == keys[2] != keys[1]
    assert not any("secret" in key for key in keys)


@rows("name", [name for name in OF_USERS if SIGNS[name].source])
def test_a_logout_everywhere_ends_the_sessions_of_its_own_user(name):
    app = App(secret_keys=["k" * 32])
    app.use(Sessions(MemoryStore()))
    app.use(Users(SessionLogin(user), SIGNS[name].source))
    app.post("/login/<who>")(lambda request, who: login(request, user(who)) or "")
    app.post("/out")(lambda request: logout(request, everywhere=True) or "")
    app.post("/pay", before=login_required)(lambda request: request.user.id)
    sessions = {who: cookie_from(app, f"/login/{who}") for who in ("ann", "ben")}
    assert send(app, SIGNS[name].shown(app, "ann"), "/out")[0] == 200
    assert [send(app, cookie)[0] for cookie in sessions.values()] == [401, 200]


@rows("name", SIGNS)
def test_the_admission_queue_shares_by_what_the_server_has_proven(name):
    """Everything else is checked later, and must not be believed by an overloaded worker."""
    site, app = Site(name), App(queue_by=lambda request: request.caller.key)
    shown = [site.shows(who) for who in ("ann", "ben", "ann")]
    heads = [WSGIHead(environ_of(headers, **environ)) for headers, environ in shown]
    ann, ben, ann_again = [app._sharing.client(head, "192.0.2.1") for head in heads]
    assert ann == ann_again
    assert (ann != ben) == (name in ("remote user", "certificate"))


def by_own_key(request):
    return of_secret(request.headers.get("x-own-key", ""))


def set_user(request):
    request.user = by_own_key(request)


@rows("install", [lambda app: app.provide(Request.user, by_own_key), lambda app: app.before_request(set_user)])
def test_a_user_whom_the_application_finds_without_users_is_a_caller(install):
    app, payments = App(), []
    install(app)
    app.use(IdempotentWrites(MemoryStore()))

    @app.post("/pay", idempotent=True, before=lambda request: None if request.user else "")
    def pay(request):
        payments.append(request.caller.key)
        return f"payment {len(payments)}"

    paid_once_each(*[send(app, {"x-own-key": f"{who}-secret", **KEY})[::2] for who in ("ann", "ben", "ann")])
    assert "ann" in payments[0]
