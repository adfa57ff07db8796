"""The application as a protected resource: tokens of a provider that runs here, its keys, scopes, and forgeries."""

import asyncio
import hmac
import json
import re
import threading
import time
from base64 import urlsafe_b64encode
from contextlib import suppress
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc.jwk import RSAKey

from antiphon import App, Request, Response
from antiphon.features import (
    AccessToken,
    Bearer,
    IdempotentWrites,
    Introspection,
    MemoryStore,
    OpenAPI,
    ProtectedResource,
    SessionLogin,
    Sessions,
    Tools,
    Users,
    login_required,
    scopes_required,
)
from antiphon.features.oauth.protected_resource import ACCESS_TOKEN
from antiphon.features.oauth.tokens import Kept, fetch
from antiphon.http import ServiceUnavailable
from antiphon.testing import Client, ContractError, LifespanError
from tests.features.oauth.identity_provider import served, served_provider
from tests.helpers.ports import free_port
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.once

HERE = "https://shop.example/mcp"
METADATA = "/.well-known/oauth-protected-resource"


@pytest.fixture(scope="module")
def provider():
    with served_provider() as found:
        yield found


def make_app(provider, *, url=HERE, users=None, app=None, **options):
    """Return an application with tools and routes for users of a provider."""
    app = app or App()
    api = OpenAPI("Lamps", prefix="/api")
    app.use(api)
    resource = ProtectedResource([provider.issuer], url=url, scopes=["lamps:read"], **options)
    app.use(users(resource) if users else Users(Bearer(lambda token: token.subject), resource=resource))
    app.use(Tools(api))

    @app.get("/api/me", tool=True, before=login_required)
    def me(request: Request) -> dict[str, str]:
        """Say who I am."""
        return {"user": request.user}

    @app.post("/api/lamps", tool=True, before=scopes_required("lamps:write", "lamps:read"))
    def add_lamp(request: Request) -> dict[str, str]:
        """Add a lamp."""
        return {"user": request.user}

    return app


def client_of(app):
    return Client(app, base_url="https://shop.example")


def status(client, token):
    return client.get("/api/me", headers={"authorization": f"Bearer {token}"}).status


# The document, and the way to it


def test_the_document_tells_clients_where_to_log_in(provider):
    client = client_of(make_app(provider))
    document = client.get(f"{METADATA}/mcp")
    assert document.json == {
        "resource": HERE,
        "authorization_servers": [provider.issuer],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["lamps:read"],
    }
    assert document.headers["access-control-allow-origin"] == "*"
    assert client.get(METADATA).json == document.json
    place = f'resource_metadata="https://shop.example{METADATA}/mcp"'
    assert (
        client.get("/api/me").headers["www-authenticate"] == f'Bearer realm="Restricted", scope="lamps:read", {place}'
    )
    wrong = client.get("/api/me", headers={"authorization": "Bearer x"}).headers["www-authenticate"]
    assert wrong == f'Bearer realm="Restricted", error="invalid_token", scope="lamps:read", {place}'


def test_the_document_is_public_where_all_else_needs_a_login(provider):
    app = make_app(provider)
    app.before_request(login_required)
    assert client_of(app).get(METADATA).status == 200


def test_without_a_url_the_resource_is_the_trusted_host_of_the_request(provider):
    client = client_of(make_app(provider, url=None, app=App(trusted_hosts=["shop.example"])))
    assert client.get(METADATA).json["resource"] == "https://shop.example"
    assert status(client, provider.token(aud="https://shop.example")) == 200
    assert status(client, provider.token(aud="https://evil.example")) == 401
    forged = {"authorization": f"Bearer {provider.token(aud='https://evil.example')}", "host": "evil.example"}
    assert client.get("/api/me", headers=forged).status == 421
    for app in (App(), App(trusted_hosts=["*"]), App(trusted_hosts=["shop.example", "*"])):
        with pytest.raises(LifespanError, match="can't tell which tokens are meant for it"):
            client_of(make_app(provider, url=None, app=app)).__enter__()


# Tokens


FOREIGN = RSAKey.generate_key(2048, {"kid": "foreign"})
TOKENS = [  # what is different about a token, its times in seconds from now, the status
    ("nothing", {}, 200),
    ("several audiences", {"aud": ["https://other.example", HERE]}, 200),
    ("a clock that is behind", {"exp": -30}, 200),
    ("no audience", {"aud": None}, 401),
    ("another audience", {"aud": "https://bank.example"}, 401),
    ("the audience's host only", {"aud": "https://shop.example"}, 401),
    ("the audience and more", {"aud": f"{HERE}/more"}, 401),
    ("an audience of a wrong type", {"aud": {"0": HERE}}, 401),
    ("the id of a client as the audience, as in an ID token", {"aud": "client-7"}, 401),
    ("another issuer", {"iss": "https://evil.example"}, 401),
    ("an issuer that differs in a slash", {"iss": "ISSUER/"}, 401),
    ("no issuer", {"iss": None}, 401),
    ("expired", {"exp": -600}, 401),
    ("no end", {"exp": None}, 401),
    ("an end that is text", {"exp": "tomorrow"}, 401),
    ("not valid yet", {"nbf": 600}, 401),
    ("another key", {"key": FOREIGN, "header": {"kid": "foreign"}}, 401),
    ("another key, of the known name", {"key": FOREIGN}, 401),
    ("the place of the attacker's keys", {"key": FOREIGN, "header": {"jku": "https://evil.example/keys"}}, 401),
    ("no user", {"sub": None}, 401),
    ("an empty user", {"sub": ""}, 401),
    ("a user that is a list", {"sub": ["ann"]}, 401),
    ("no client, in a token of RFC 9068", {"client_id": None}, 401),
    ("no time, in a token of RFC 9068", {"iat": None}, 401),
    ("no id, in a token of RFC 9068", {"jti": None}, 401),
    ("no client, in another token", {"client_id": None, "jti": None, "header": {"typ": "JWT"}}, 200),
    ("no user, in another token", {"sub": None, "header": {"typ": "JWT"}}, 401),
    (
        "a certificate that the client must prove",
        {"cnf": {"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}},
        401,
    ),
    ("a key that the client must prove", {"cnf": {"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}}, 401),
    ("nothing to prove, which is malformed", {"cnf": {}}, 401),
    ("the kind of an access token", {"token_use": "access"}, 200),
    ("the kind of an ID token", {"token_use": "id"}, 401),
    ("the kind of a refresh token", {"typ": "Refresh"}, 401),
    ("the attacker's key itself", {"key": FOREIGN, "header": {"jwk": FOREIGN.as_dict(private=False)}}, 401),
]


@pytest.fixture(scope="module")
def verifying(provider):
    return client_of(make_app(provider))


@rows("what, changes, wanted", TOKENS)
def test_only_tokens_that_were_made_for_this_resource_are_accepted(what, changes, wanted, provider, verifying):
    now = time.time()
    changes = {"aud": HERE, **{name: now + each if isinstance(each, int) else each for name, each in changes.items()}}
    if changes.get("iss") == "ISSUER/":
        changes["iss"] = f"{provider.issuer}/"
    assert status(verifying, provider.token(**changes)) == wanted


@rows("header, wanted", [
    ({"typ": "JWT"}, 200), ({"typ": "application/at+JWT"}, 200), ({"typ": "logout+jwt"}, 401),
    ({"typ": "dpop+jwt"}, 401), ({"typ": "secevent+jwt"}, 401), ({"typ": ""}, 401), ({"crit": []}, 401),
])  # fmt: skip
def test_only_a_token_of_this_kind_is_accepted(header, wanted, provider, verifying):
    assert status(verifying, provider.token(aud=HERE, header=header)) == wanted


def part(**header):
    return urlsafe_b64encode(json.dumps(header).encode()).decode().rstrip("=")


def test_a_token_can_t_choose_how_it_is_verified(provider):
    client = client_of(make_app(provider))
    claims = provider.token(aud=HERE).split(".")[1]
    unsigned = f"{part(alg='none')}.{claims}."
    signed = f"{part(alg='HS256', kid=provider.key.kid)}.{claims}"
    by_public_key = hmac.digest(provider.key.as_pem(private=False), signed.encode(), "sha256")
    signed_with_public = f"{signed}.{urlsafe_b64encode(by_public_key).decode().rstrip('=')}"
    for token in (signed_with_public, unsigned, "a.b.c", "....", "x" * 20_000, provider.token(aud=HERE)[:-4]):
        assert status(client, token) == 401


def test_keys_that_rotate_are_found_and_made_up_ones_are_asked_for_seldom(provider):
    client = client_of(make_app(provider))
    assert status(client, provider.token(aud=HERE)) == 200
    provider.rotate()
    assert status(client, provider.token(aud=HERE)) == 200
    provider.asked.clear()
    for number in range(5):
        made_up = provider.token(aud=HERE, key=FOREIGN, header={"kid": f"made up {number}"})
        assert status(client, made_up) == 401
    assert provider.asked.count("/keys") <= 1


def test_the_loader_gets_what_the_provider_says(provider):
    seen = []

    async def find(token: AccessToken) -> str:
        seen.append((token.subject, token.issuer, token.scopes, token.claims["tenant"], token.count(".")))
        return "Ann"

    app = make_app(provider, users=lambda resource: Users(Bearer(find), resource=resource))
    token = provider.token(aud=HERE, tenant=7, scope="a b")
    assert status(client_of(app), token) == 200
    assert seen == [("ann", provider.issuer, frozenset("ab"), 7, 2)]
    assert "ann" in repr(AccessToken(token, {"sub": "ann"}))
    assert token not in repr(AccessToken(token, {"sub": "ann"}))


def test_a_blocking_loader_runs_on_a_thread(provider):
    def find(token: AccessToken) -> str:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        return "Ann"

    app = make_app(provider, users=lambda resource: Users(Bearer(find), resource=resource, blocking=True))
    assert status(client_of(app), provider.token(aud=HERE)) == 200


def test_a_renewed_token_is_the_same_caller_and_that_of_another_user_is_not(provider):
    app, ordered = App(), []
    app.use(IdempotentWrites(MemoryStore()))

    @app.post("/api/orders", idempotent=True, before=login_required)
    def order(request: Request) -> str:
        ordered.append(request.user)
        return f"order {len(ordered)}"

    client = client_of(make_app(provider, app=app))
    for changes, wanted in ({}, "order 1"), ({}, "order 1"), ({"sub": "bob"}, "order 2"):
        fields = {"authorization": f"Bearer {provider.token(aud=HERE, **changes)}", "idempotency-key": '"1"'}
        assert client.post("/api/orders", headers=fields).text == wanted
    assert ordered == ["ann", "bob"]


# Introspection


def test_the_provider_is_asked_about_each_token(provider):
    client = client_of(make_app(provider, introspection=Introspection("shop", "secret of the shop")))
    token = provider.token(aud=HERE)
    assert status(client, token) == 200
    assert status(client, provider.token(aud="https://bank.example")) == 401
    assert status(client, provider.token(aud=HERE, exp=1)) == 401
    assert status(client, "made up") == 401
    provider.revoked.add(token)
    assert status(client, token) == 401
    assert status(client_of(make_app(provider, introspection=Introspection("shop", "wrong"))), token) == 503
    assert "secret of" not in repr(Introspection("shop", "secret of the shop"))


@pytest.fixture(scope="module")
def asking(provider):
    return client_of(make_app(provider, introspection=Introspection("shop", "secret of the shop")))


@rows("what, said, wanted", [
    ("an access token", {}, 200),
    ("an access token, by another name", {"token_type": "unsaid", "token_use": "access_token"}, 200),
    ("an access token, by two names", {"typ": "Bearer"}, 200),
    ("a token of a kind that is not reported", {"token_type": "unsaid"}, 401),
    ("a refresh token", {"token_type": "unsaid", "token_use": "refresh_token"}, 401),
    ("a refresh token, by another name", {"typ": "Refresh"}, 401),
    ("an ID token", {"token_type": "unsaid", "typ": "ID"}, 401),
    ("an ID token, by another name", {"token_type": "unsaid", "typ": "JWT"}, 401),
    ("a kind that is not text", {"token_type": ["Bearer"]}, 401),
    ("a token for a key", {"token_type": "DPoP", "cnf": {"jkt": "0ZcO"}}, 401),
    ("a token for a certificate", {"cnf": {"x5t#S256": "bwcK"}}, 401),
    ("no user", {"sub": None}, 401),
    ("no end", {"exp": None}, 200),
])  # fmt: skip
def test_the_provider_says_which_tokens_are_access_tokens(what, said, wanted, provider, asking):
    assert status(asking, provider.token(aud=HERE, **said)) == wanted


def test_a_provider_that_does_not_report_kinds_of_tokens_is_named_in_the_log(provider, asking, caplog):
    assert status(asking, provider.token(aud=HERE, token_type="unsaid")) == 401
    assert f"{provider.issuer} does not report the token_type of a token" in caplog.text


def test_a_token_that_the_provider_revokes_ends_what_it_has_opened(provider, monkeypatch):
    monkeypatch.setattr("antiphon.features.ending.RENEWED_FOR", 0.1)
    monkeypatch.setattr("antiphon.features.ends.LOOK_EVERY", 0.1)
    introspection = Introspection("shop", "secret of the shop")
    app = make_app(provider, app=App(store=MemoryStore()), introspection=introspection)
    over, received, token = threading.Event(), [], provider.token(aud=HERE)

    @app.get("/endless", before=login_required)
    def endless(request: Request) -> Response:
        return Response(b"." for _ in iter(lambda: over.wait(0.02), True))

    def follow() -> None:
        headers = {"authorization": f"Bearer {token}"}
        with suppress(ContractError), client_of(app).stream("GET", "/endless", headers=headers) as response:
            for chunk in response:
                received.append(chunk)  # noqa: PERF402 - as it arrives
        received.append(None)

    threading.Thread(target=follow, daemon=True).start()
    try:
        eventually(lambda: received or None, "nothing is received")
        asked = provider.asked.count("/introspect")
        # Asked twice more, so what the first answer could end would have ended.
        is_asked = lambda: None in received or provider.asked.count("/introspect") > asked + 1 or None  # noqa: E731
        eventually(is_asked, "the provider isn't asked again")
        assert None not in received
        provider.revoked.add(token)
        eventually(lambda: received[-1] is None or None, "the stream goes on")
    finally:
        over.set()


# Scopes


def test_a_token_with_too_few_scopes_is_told_which_to_ask_for(provider):
    client = client_of(make_app(provider))
    client.headers["authorization"] = f"Bearer {provider.token(aud=HERE, scope='lamps:read')}"
    place = f'resource_metadata="https://shop.example{METADATA}/mcp"'
    wanted = f'Bearer error="insufficient_scope", scope="lamps:write lamps:read", {place}'
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "add_lamp"}}
    for response in (client.post("/api/lamps"), client.post("/mcp", json=call)):
        assert (response.status, response.headers["www-authenticate"]) == (403, wanted)
    client.headers["authorization"] = f"Bearer {provider.token(aud=HERE, scope='lamps:read lamps:write')}"
    assert client.tools.call("add_lamp").data == {"user": "ann"}
    assert client_of(client.app).post("/api/lamps").status == 401


def test_people_who_logged_in_by_a_session_are_not_limited(provider):
    def users(resource):
        return Users(SessionLogin(lambda key: key, key=str), Bearer(lambda token: token.subject), resource=resource)

    app = App(secret_keys=["of a test, and not secret"])
    app.use(Sessions(MemoryStore()))
    client = client_of(make_app(provider, app=app, users=users))
    client.login("Bob")
    assert client.post("/api/lamps").json == {"user": "Bob"}


# Mistakes, and providers that fail


ISSUER = "https://id.example"
NOT_HTTPS = "must be an https URL"
MISTAKES = [
    (lambda: ProtectedResource([]), ValueError, "needs the issuers that it trusts"),
    (lambda: ProtectedResource(ISSUER), ValueError, "issuers must be a list"),
    (lambda: ProtectedResource(["http://id.example"]), ValueError, NOT_HTTPS),
    (lambda: ProtectedResource(["https://a@id.example"]), ValueError, NOT_HTTPS),
    (lambda: ProtectedResource([ISSUER], url="http://shop.example"), ValueError, NOT_HTTPS),
    (lambda: ProtectedResource([ISSUER], url=f"{HERE}#a"), ValueError, NOT_HTTPS),
    (lambda: ProtectedResource([ISSUER, "https://b.example"], introspection=ASKING), ValueError, "exactly one with"),
    (lambda: Users(resource=ProtectedResource([ISSUER])), TypeError, "needs a source for tokens"),
    (scopes_required, ValueError, "needs the names of scopes"),
]
ASKING = Introspection("shop", "secret")


@rows("make, kind, said", MISTAKES)
def test_a_mistake_in_the_program(make, kind, said):
    with pytest.raises(kind, match=re.escape(said)):
        make()


@rows(
    "metadata",
    {"issuer": "https://evil.example"},
    {"jwks_uri": "http://169.254.169.254/latest"},
    {"jwks_uri": None},
    {"jwks_uri": "file:///etc/passwd"},
)
def test_metadata_can_t_lead_requests_elsewhere(metadata, provider):
    from flask import jsonify

    view = provider.app.view_functions["metadata"]
    said = {"issuer": provider.issuer, "jwks_uri": f"{provider.issuer}/keys"} | metadata
    provider.app.view_functions["metadata"] = lambda: jsonify({key: each for key, each in said.items() if each})
    try:
        assert status(client_of(make_app(provider)), provider.token(aud=HERE)) == 503
    finally:
        provider.app.view_functions["metadata"] = view


def test_redirects_are_not_followed_and_documents_are_bounded(provider):
    from flask import redirect

    app = provider.app
    answers = {
        "/to": lambda: redirect(f"{provider.issuer}/keys"), "/large": lambda: "1" * (1 << 21), "/list": lambda: "[]",
    }  # fmt: skip
    view = app.view_functions["keys"]
    try:
        for answer in answers.values():
            app.view_functions["keys"] = answer
            with pytest.raises(ServiceUnavailable):
                fetch(f"{provider.issuer}/keys")
    finally:
        app.view_functions["keys"] = view
    with pytest.raises(ServiceUnavailable):
        fetch("http://127.0.0.1:1/")


def test_the_certificates_of_the_system_are_not_read_for_each_request_to_the_provider(provider, monkeypatch):
    fetch(f"{provider.issuer}/keys")
    monkeypatch.setattr("ssl.SSLContext.load_default_certs", lambda *_: pytest.fail("they are read again"))
    assert fetch(f"{provider.issuer}/keys")["keys"]


def test_what_is_kept_is_fetched_again_after_minutes_and_used_for_an_hour_while_that_fails():
    now, found, asked = [0.0], [1], []

    def load():
        asked.append(now[0])
        if found[0] is None:
            raise ServiceUnavailable("down")
        return found[0]

    def is_down(kept):
        with pytest.raises(ServiceUnavailable):
            kept.get()
        return True

    kept = Kept(load, lambda: now[0])
    assert [kept.get(), kept.get(), len(asked)] == [1, 1, 1]
    found[0] = 2
    assert [kept.get(), kept.get(anew=True), kept.get(anew=True), len(asked)] == [1, 2, 2, 2]
    now[0], found[0] = 299.0, None
    assert [kept.get(), len(asked)] == [2, 2]
    now[0] = 300.0
    assert [kept.get(), kept.get(), len(asked)] == [2, 2, 3]
    now[0], found[0] = 309.0, 3
    assert [kept.get(), len(asked)] == [2, 3]
    now[0] = 310.0
    assert [kept.get(), len(asked)] == [3, 4]
    now[0], found[0] = 3909.0, None
    assert [kept.get(), len(asked)] == [3, 5]
    now[0] = 3910.0
    assert [is_down(kept), len(asked)] == [True, 5]
    now[0] = 30 * 86400.0
    assert [is_down(kept), is_down(kept), len(asked)] == [True, True, 6]
    found[0] = 4
    now[0] += 10
    assert [kept.get(), len(asked)] == [4, 7]
    down = Kept(load, lambda: now[0])
    found[0] = None
    assert [is_down(down), is_down(down), len(asked)] == [True, True, 8]


def test_a_key_that_the_provider_withdraws_is_refused_soon_and_while_the_provider_is_away(monkeypatch):
    monkeypatch.setattr("antiphon.features.oauth.tokens._PAUSE", 0.0)
    now = [0.0]
    with served_provider() as provider:
        app = make_app(provider)
        (source,) = [source for each in app.features if isinstance(each, Users) for source in each.sources]
        (known,) = source._resource._providers.values()
        known._keys._clock = known._metadata._clock = lambda: now[0]
        client, token = client_of(app), provider.token(aud=HERE)
        assert status(client, token) == 200
        provider.rotate()
        now[0] = 300.0
        assert [status(client, token), status(client, token := provider.token(aud=HERE))] == [401, 200]
    now[0] = 3600.0
    assert status(client, token) == 200
    now[0] = 3900.0
    assert status(client, token) == 503


# The SDK's client, from the 401 to the call


def test_the_sdk_logs_in_and_asks_for_more_rights_when_it_needs_them(provider, monkeypatch):
    from httpx2 import AsyncClient
    from mcp import Client as SDKClient
    from mcp.client.auth import OAuthClientProvider
    from mcp.client.streamable_http import streamable_http_client
    from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

    monkeypatch.setenv("AUTHLIB_INSECURE_TRANSPORT", "1")
    scopes = []

    class Storage:
        tokens = info = None

        async def get_tokens(self):
            return self.tokens

        async def set_tokens(self, tokens):
            self.tokens = tokens
            scopes.append(tokens.scope)

        async def get_client_info(self):
            return self.info

        async def set_client_info(self, client_info):
            self.info = client_info

    visited = []

    async def show_login(url):
        async with AsyncClient() as browser:
            visited.append((await browser.get(url)).headers["location"])

    async def callback():
        query = parse_qs(urlsplit(visited[-1]).query)
        return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0])

    async def use(url):
        about = OAuthClientMetadata(redirect_uris=["http://localhost:9/"], grant_types=["authorization_code"])
        login = OAuthClientProvider(url, about, Storage(), show_login, callback)
        async with (
            asyncio.timeout(30),
            AsyncClient(auth=login) as http,
            SDKClient(streamable_http_client(url, http_client=http)) as client,
        ):
            listed = [each.name for each in (await client.list_tools()).tools]
            return listed, [(await client.call_tool(name, {})).structured_content for name in listed]

    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    with served(make_app(provider, url=url), port):
        assert asyncio.run(use(url)) == (["add_lamp", "me"], [{"user": "ann"}] * 2)
    assert scopes == ["lamps:read", "lamps:read lamps:write"]


def test_the_token_of_a_request_can_be_read(provider):
    app = make_app(provider)

    @app.get("/api/tenant", before=login_required)
    def tenant(request: Request) -> dict[str, object]:
        return {"tenant": request[ACCESS_TOKEN].claims["tenant"]}

    fields = {"authorization": f"Bearer {provider.token(aud=HERE, tenant=7)}"}
    assert client_of(app).get("/api/tenant", headers=fields).json == {"tenant": 7}
