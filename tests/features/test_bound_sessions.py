"""Sessions bound to the device, in the eyes of its owner, of thieves, and of browsers that don't know of it."""

from dataclasses import dataclass

import pytest

from antiphon import App, Blueprint, Response
from antiphon.features import (
    CORS,
    Cache,
    Compression,
    CookieStore,
    CSRFTokens,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    SessionLogin,
    Sessions,
    Users,
    bound_required,
    csrf_token,
    login,
    login_required,
    logout,
)
from antiphon.testing import Client
from tests.helpers.bound_browser import EC_KEY, RSA_KEY, BoundBrowser, ECKey, proof
from tests.helpers.rows import rows

HTTPS = "https://shop.example.com"
SESSION, PROOF = "__Host-session", "__Host-session-bound"
NOT_BOUND = "urn:antiphon:problem:session-not-bound"

pytestmark = pytest.mark.axes("interface", "kind")


@pytest.fixture(params=["memory", "sqlite"])
def kind(request):
    return request.param


@dataclass
class User:
    id: str


def shop(store, clock, *features, bound=300, **options):
    """Return an app with logins in bound sessions."""
    app = App(**options)
    app.use(Sessions(store, bound=bound))
    app.use(Users(SessionLogin(User)))
    for feature in features:
        app.use(feature)

    @app.post("/login/<name>")
    def log_in(request, name):
        login(request, User(name))
        return "Welcome."

    @app.post("/logout")
    def log_out(request):
        logout(request, everywhere="everywhere" in request.args)

    @app.get("/account", before=login_required)
    def account(request):
        return request.user.id

    @app.get("/vault", before=[login_required, bound_required])
    def vault(request):
        return "gold"

    return app


@pytest.fixture
def client(interface, open_client):
    """Make clients of an app."""
    return lambda app, **options: open_client(app, interface, **{"base_url": HTTPS, **options})


@pytest.fixture
def app(store, clock):
    return shop(store, clock)


@pytest.fixture
def browser(app, client, clock):
    return BoundBrowser(client(app), clock)


def cookies_of(browser, *names):
    return {name: browser.client.cookies[name] for name in names}


def test_only_the_device_has_the_session_after_its_freshness(app, browser, client, clock):
    browser.post("/login/ada")
    assert [browser.get(path).text for path in ("/account", "/vault")] == ["ada", "gold"]
    thief = client(app, cookies=cookies_of(browser, SESSION, PROOF))
    assert thief.get("/vault").text == "gold"
    clock.now += 299
    assert thief.get("/vault").text == "gold"
    clock.now += 1
    assert [thief.get(path).status for path in ("/account", "/vault")] == [401, 401]
    assert [browser.get(path).text for path in ("/account", "/vault")] == ["ada", "gold"]
    assert [thief.get(path).status for path in ("/account", "/vault")] == [401, 401]
    assert browser.refreshed == [200]


def test_a_thief_who_has_only_the_session_is_not_on_the_device_from_the_beginning(app, browser, client):
    browser.post("/login/ada")
    refused = client(app, cookies=cookies_of(browser, SESSION)).get("/vault")
    assert (refused.status, refused.json["type"]) == (403, NOT_BOUND)


def test_the_key_of_a_thief_is_refused(app, browser, client, clock):
    browser.post("/login/ada")
    thief = BoundBrowser(client(app), clock, ECKey.generate_key("P-256"))
    thief.client.cookies.set(SESSION, browser.client.cookies[SESSION])
    thief.begun, thief.offered = browser.begun, browser.offered
    clock.now += 400
    assert [thief.refresh().status, thief.refresh(is_registration=True).status] == [403, 403]
    assert thief.register().status == 403
    assert PROOF not in thief.client.cookies
    assert browser.get("/vault").text == "gold"


def test_a_browser_that_binds_nothing_stays_logged_in(app, client, clock):
    old = client(app)
    assert old.post("/login/ada").status == 200
    clock.now += 24 * 3600
    assert old.get("/account").text == "ada"
    refused = old.get("/vault")
    assert (refused.status, refused.json["type"]) == (403, NOT_BOUND)


def test_nobody_is_offered_a_registration_but_who_logs_in(app, client):
    visitor = client(app)
    assert "secure-session-registration" not in visitor.get("/account").headers
    assert "secure-session-registration" in visitor.post("/login/ada").headers
    assert "secure-session-registration" not in visitor.get("/account").headers


def test_a_key_in_a_chip_of_Windows_is_longer(app, client, clock):
    browser = BoundBrowser(client(app), clock, RSA_KEY)
    browser.post("/login/ada")
    clock.now += 400
    assert (browser.get("/vault").text, browser.refreshed) == ("gold", [200])


def test_fields_may_be_strings_as_the_specification_has_them(browser, clock):
    browser.post("/login/ada")
    named = {"sec-secure-session-id": f'"{browser.begun["session_identifier"]}";later=1'}
    challenge = browser.ask(named).headers["secure-session-challenge"].split('"')[1]
    renewed = browser.ask({**named, "secure-session-response": f'"{proof(challenge, EC_KEY)}"'})
    assert (renewed.status, renewed.headers["cache-control"]) == (200, "no-store")


PRIVATE = {"jwk": EC_KEY.as_dict(private=True)}
WEAK = {"jwk": {"kty": "RSA", "n": "AQAB" * 20, "e": "AQAB"}}


@rows(
    "changes",
    {"key": RSA_KEY, "header": {"jwk": EC_KEY.as_dict(private=False)}}, {"header": {"typ": "JWT"}},
    {"header": {"typ": None}}, {"header": PRIVATE}, {"header": WEAK}, {"header": {"jwk": {}}},
    {"header": {"jwk": "EC"}}, {"header": {"jwk": {"kty": "oct", "k": "AAAA"}}},
    {"header": {"jwk": {**EC_KEY.as_dict(private=False), "crv": "P-384"}}},
    {"header": {"jwk": {**EC_KEY.as_dict(private=False), "x": "AAAA"}}}, {"header": {"crit": ["exp"]}},
    {"header": {"crit": []}},
    {"payload": {"jti": "1800000120.AAAA.AAAA"}}, {"payload": {"jti": None}}, {"payload": {"jti": ["a"]}},
    {"payload": {"jti": "\udcff"}}, {"payload": {"more": "A" * 5000}},
)  # fmt: skip
def test_a_registration_that_is_not_as_it_should_be_binds_nothing(app, client, clock, changes):
    old = client(app)
    offered = old.post("/login/ada").headers["secure-session-registration"]
    browser = BoundBrowser(client(app), clock)
    browser.offered = {"path": "/bound-session", "challenge": offered.split('challenge="')[1][:-1]}
    assert browser.register(**changes).status == 403
    clock.now += 400
    assert old.get("/account").text == "ada"
    clock.now -= 400
    assert browser.register().status == 200


@rows(
    "sent",
    "",
    "..",
    "a.b.c",
    "é.é.é",
    "eyJhbGciOiJub25lIiwidHlwIjoiZGJzYytqd3QifQ.eyJqdGkiOiJ4In0.",
    "A" * 100_000,
    "W10.W10.W10",
)
def test_what_is_no_proof_is_refused(browser, sent):
    browser.post("/login/ada")
    assert browser.client.post("/bound-session", headers={"secure-session-response": sent}).status in (403, 431)
    named = {"sec-secure-session-id": browser.begun["session_identifier"]}
    assert browser.ask({**named, "secure-session-response": sent}).status in (403, 431)
    assert browser.client.post("/bound-session").status == 403
    assert browser.refresh().status == 200


def test_a_public_key_is_no_secret_key(browser):
    import hmac
    from base64 import urlsafe_b64encode

    browser.post("/login/ada")
    named = {"sec-secure-session-id": browser.begun["session_identifier"]}
    challenge = browser.ask(named).headers["secure-session-challenge"].split('"')[1]
    head, payload, _ = proof(challenge, EC_KEY).split(".")
    head = urlsafe_b64encode(b'{"alg":"HS256","typ":"dbsc+jwt"}').rstrip(b"=").decode()
    mac = hmac.digest(EC_KEY.as_pem(private=False), f"{head}.{payload}".encode(), "sha256")
    forged = f"{head}.{payload}.{urlsafe_b64encode(mac).rstrip(b'=').decode()}"
    assert browser.ask({**named, "secure-session-response": forged}).status == 403


def test_a_challenge_is_spent_once_and_soon_too_old(app, browser, client, clock):
    browser.post("/login/ada")
    assert browser.register().status == 403
    named = {"sec-secure-session-id": browser.begun["session_identifier"]}
    first, second, late = (browser.ask(named).headers["secure-session-challenge"].split('"')[1] for _ in range(3))
    assert browser.ask({**named, "secure-session-response": proof(second, EC_KEY)}).status == 200
    signed = {**named, "secure-session-response": proof(first, EC_KEY)}
    assert browser.ask(signed).status == 200
    replayed = client(app).post("/bound-session", headers=signed)
    assert (replayed.status, "secure-session-challenge" in replayed.headers) == (403, True)
    assert "set-cookie" not in replayed.headers
    clock.now += 120
    assert browser.ask({**named, "secure-session-response": proof(late, EC_KEY)}).status == 403


@pytest.mark.parametrize("how", ["/logout", "/logout?everywhere", "elsewhere"])
def test_a_logout_ends_it(app, browser, client, clock, how):
    browser.post("/login/ada")
    begun = browser.begun
    if how == "elsewhere":
        other = client(app)
        other.post("/login/ada")
        other.post("/logout?everywhere")
    else:
        browser.post(how)
        assert not {SESSION, PROOF} & {*browser.client.cookies}
    assert browser.get("/account").status == 401
    browser.begun = begun
    assert browser.refresh().status == 404


def test_the_binding_stays_at_a_login_of_the_same_user_and_a_new_one_follows_that_of_another(browser, clock):
    browser.post("/login/ada")
    first = browser.begun["session_identifier"]
    key = browser.client.cookies[SESSION]
    browser.post("/login/ada")
    assert browser.client.cookies[SESSION] != key
    clock.now += 400
    assert (browser.get("/vault").text, browser.begun["session_identifier"]) == ("gold", first)
    browser.post("/login/bob")
    assert browser.begun["session_identifier"] != first
    clock.now += 400
    assert browser.get("/vault").text == "gold"
    assert browser.ask({"sec-secure-session-id": first}).status == 404


def test_no_handler_sends_its_secret(store, client, clock):
    app = shop(store, clock)
    sessions = app.find_feature(Sessions)
    app.get("/all")(lambda request: {**request.session, "size": len(request.session)})
    app.get("/devices")(lambda request: [each.data for each in sessions.owned_by("ada")])
    browser = BoundBrowser(client(app), clock)
    browser.post("/login/ada")
    assert browser.get("/all").json == {"_user_id": "ada", "size": 1}
    assert browser.get("/devices").json == [{"_user_id": "ada"}]


def test_a_clock_that_is_set_back_revives_nothing_and_locks_nobody_out(app, browser, client, clock):
    browser.post("/login/ada")
    clock.now += 3600
    browser.get("/vault")
    stolen = cookies_of(browser, SESSION, PROOF)
    clock.now += 400
    browser.get("/vault")
    clock.now -= 3500
    thief = client(app, cookies=stolen)
    assert thief.get("/vault").status == 401
    browser.client.cookies.set(PROOF, stolen[PROOF])
    assert browser.get("/account").status == 401
    assert PROOF not in browser.client.cookies
    assert browser.get("/vault").text == "gold"


def test_requests_that_were_under_way_at_the_registration_see_the_session(app, browser, client, clock):
    browser.post("/login/ada")
    under_way = client(app, cookies=cookies_of(browser, SESSION))
    clock.now += 20
    assert under_way.get("/account").text == "ada"


def test_who_reads_the_store_can_take_over_no_session(store, client, clock):
    written = []

    class Read(type(store)):
        def __init__(self):
            vars(self).update(vars(store))

    for name in ("add", "change"):

        def call(self, key, data, *, _name=name, **options):
            written.append(f"{data}")
            return getattr(super(Read, self), _name)(key, data, **options)

        setattr(Read, name, call)
    browser = BoundBrowser(client(shop(Read(), clock)), clock)
    for _ in range(2):
        browser.post("/login/ada")
        clock.now += 400
        assert browser.get("/vault").text == "gold"
        secrets = [browser.client.cookies[SESSION], browser.begun["session_identifier"], browser.offered["challenge"]]
        assert [each for each in secrets if any(each in text for text in written)] == []


def test_a_pointer_of_an_earlier_version_is_followed(store, client, clock):
    from antiphon.features import bound_sessions

    browser = BoundBrowser(client(shop(store, clock)), clock)
    browser.post("/login/ada")
    key, name = f"session\n{browser.client.cookies[SESSION]}", browser.begun["session_identifier"]
    store.change(bound_sessions._pointer(name), {"session": key})
    store.change(key, {"_bound": {**store.load(key).data["_bound"], "id": name}})
    for _ in range(2):
        clock.now += 400
        assert browser.get("/vault").text == "gold"
        browser.post("/login/ada")
    assert browser.begun["session_identifier"] == name


def test_who_has_lost_the_key_can_log_in_again(store, client, clock):
    app = shop(store, clock, CSRFTokens(exempt=["log_in"]))
    app.get("/form")(csrf_token)
    app.post("/form")(lambda request: login(request, User("ada")) or "Welcome.")
    browser = BoundBrowser(client(app), clock)
    browser.post("/login/ada")
    browser.begun = None
    clock.now += 400
    token = browser.get("/form").text
    assert browser.post("/form", form={"csrf_token": token}).status == 200
    assert browser.get("/vault").text == "gold"


def test_an_earlier_key_is_given_up_once_the_browser_has_another(app, browser, client, clock):
    browser.post("/login/ada")
    earlier = {"sec-secure-session-id": browser.begun["session_identifier"]}
    browser.begun = None
    clock.now += 400
    browser.post("/login/ada")
    assert client(app).post("/bound-session", headers=earlier).status == 403  # a link on another site led to it
    assert browser.ask(earlier).status == 404
    clock.now += 400
    assert browser.get("/vault").text == "gold"


@pytest.mark.parametrize("prefix", ["", "/a b/ü"])
def test_the_path_is_found_where_the_app_is_mounted(app, client, clock, interface, prefix):
    if interface == "rsgi":
        prefix = ""  # RSGI has no root path
    outer = App()
    pages = Blueprint("pages")
    pages.post("/deep/er/login")(lambda request: login(request, User("ada")) or "Welcome.")
    app.register(pages)
    outer.mount("/shop", app)
    browser = BoundBrowser(client(outer, root_path=prefix), clock)
    browser.post(f"{prefix}/shop/deep/er/login")
    assert browser.offered["path"].endswith("/shop/bound-session")
    assert browser.offered["path"].isascii()
    clock.now += 400
    assert browser.get(f"{prefix}/shop/vault").text == "gold"


def test_apps_that_share_sessions_bind_them_alike(store, clock):
    outer, inner = App(), App()
    outer.use(Sessions(store, bound=300))
    inner.use(Sessions(store))
    outer.mount("/inner", inner)
    with pytest.raises(ValueError, match=r"one with bound=(300|None) and one with bound=(300|None)"):
        Client(outer).get("/")


def test_hooks_and_features_around_do_not_stand_in_its_way(store, client, clock):
    app = shop(
        store,
        clock,
        Compression(),
        CORS(origins=["https://elsewhere.example"], credentials=True),
        CSRFTokens(exempt=["log_in"]),
        IdempotentWrites(store, required=True),
        OpenAPI("Shop"),
        trusted_hosts=["shop.example.com"],
    )

    @app.before_request
    def check(request):
        if request.endpoint != "log_in":
            login_required(request)

    browser = BoundBrowser(client(app), clock)
    browser.post("/login/ada")
    clock.now += 400
    assert browser.get("/vault").text == "gold"
    assert "/bound-session" not in browser.get("/openapi.json").json["paths"]
    clock.now += 400
    headers = {"origin": "https://elsewhere.example", "sec-secure-session-id": browser.begun["session_identifier"]}
    assert "access-control-allow-credentials" not in browser.ask(headers).headers


def test_no_cache_keeps_an_offer_or_a_proof(store, client, clock):
    app = shop(store, clock, Cache(store))

    @app.get("/link/<name>")
    def link(request, name):
        login(request, User(name))
        return Response("Welcome.", headers={"cache-control": "max-age=600"})

    browsers = [BoundBrowser(client(app), clock) for _ in range(2)]
    for browser in browsers:
        browser.get("/link/ada")
        assert browser.get("/vault").text == "gold"
    assert browsers[0].offered != browsers[1].offered


def test_a_retry_after_a_renewal_is_the_same_caller(store, client, clock):
    app = shop(store, clock, IdempotentWrites(store))
    paid = []

    @app.post("/pay", before=login_required, idempotent=True)
    def pay(request):
        paid.append(request.cookies.get("theme"))
        return f"{len(paid)}"

    browser = BoundBrowser(client(app), clock)
    browser.post("/login/ada")
    key = {"idempotency-key": '"order-1001"'}
    assert browser.post("/pay", headers=key).text == "1"
    clock.now += 400
    assert browser.post("/pay", headers=key).text == "1"
    assert browser.refreshed == [200]


@pytest.mark.parametrize("interface", ["asgi", "rsgi"])  # over WSGI, only known servers may trust proxies
def test_behind_a_proxy_the_cookie_is_that_of_https(store, client, clock):
    app = shop(store, clock, trusted_proxies=["127.0.0.1"])
    proxied = {"x-forwarded-proto": "https", "x-forwarded-for": "192.0.2.1", "x-forwarded-host": "shop.example.com"}
    browser = BoundBrowser(client(app, base_url="http://localhost", headers=proxied, client=("127.0.0.1", 5000)), clock)
    browser.post("/login/ada")
    assert browser.begun["credentials"] == [
        {"type": "cookie", "name": PROOF, "attributes": "Secure; HttpOnly; Path=/; SameSite=Lax"}
    ]


@rows(
    "make, error, message",
    (lambda: Sessions(CookieStore(["k" * 16]), bound=300), ValueError, "needs a store on the server"),
    (lambda: Sessions(MemoryStore(), bound=0), ValueError, "bound must be 1 or more"),
    (lambda: Sessions(MemoryStore(), bound=float("nan")), ValueError, "bound must be"),
    (lambda: bound_required(lambda request: None), TypeError, "is a hook, not a decorator"),
)
def test_mistakes_are_told(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_route_that_requires_it_in_an_app_without_it_refuses_all(interface):
    app = App()
    app.use(Sessions(MemoryStore()))
    app.get("/vault", before=bound_required)(lambda request: "gold")
    with pytest.raises(RuntimeError, match=r"bound=300"), Client(app, interface, raise_errors=True) as client:
        client.get("/vault")


def test_the_document_has_the_refusal():
    app, api = App(store=MemoryStore()), OpenAPI("Shop")
    app.use(Sessions(bound=300))
    app.use(api)
    app.get("/vault", before=bound_required)(lambda request: "gold")
    assert [*api.document(app).content["paths"]["/vault"]["get"]["responses"]] == ["200", "403"]
