"""Access tokens that are bound to a key (DPoP, RFC 9449): proofs, forged ones, and replays by another process."""

import json
import subprocess
import sys
import time
from base64 import urlsafe_b64encode
from hashlib import sha256
from secrets import token_urlsafe

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, RSAKey

from antiphon import App, Request
from antiphon.features import (
    Bearer,
    Introspection,
    MemoryStore,
    OpenAPI,
    ProtectedResource,
    SQLiteStore,
    Tools,
    Users,
    login_required,
)
from antiphon.testing import Client
from tests.features.oauth.identity_provider import served_provider
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

HERE = "https://shop.example"
URL = f"{HERE}/api/me"
KEY, OTHER, LARGE = ECKey.generate_key("P-256"), ECKey.generate_key("P-256"), RSAKey.generate_key(2048)


@pytest.fixture(scope="module")
def provider():
    with served_provider() as found:
        yield found


def make_app(issuer, store, **options):
    app = App(store=store)
    app.use(api := OpenAPI("Lamps", prefix="/api"))
    resource = ProtectedResource([issuer], url=HERE, **options)
    app.use(Users(Bearer(lambda token: token.subject), resource=resource))
    app.use(Tools(api))

    @app.get("/api/me", tool=True, before=login_required)
    def me(request: Request) -> dict[str, str]:
        """Say who I am."""
        return {"user": request.user}

    return app


def hashed(text):
    return urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b"=").decode()


def proof(token, *, key=KEY, header=None, signer=None, **changes):
    """Return a proof as a client makes it, but for the changes."""
    claims = {
        "jti": token_urlsafe(8),
        "htm": "GET",
        "htu": URL,
        "iat": int(time.time()),
        "ath": hashed(token),
    } | changes
    shown = {"typ": "dpop+jwt", "alg": "ES256", "jwk": key.as_dict(private=False)} | (header or {})
    kept = {name: value for name, value in claims.items() if value is not None}
    algorithms = ["ES256", "ES384", "RS256", "HS256"]
    return jws.serialize_compact(shown, json.dumps(kept), signer or key, algorithms=algorithms)


def bound_to(key, provider, **changes):
    return provider.token(aud=HERE, **{"cnf": {"jkt": key.thumbprint()}, **changes})


def get(client, token, sent, url="/api/me", scheme="DPoP"):
    fields = {"authorization": f"{scheme} {token}", **({} if sent is None else {"dpop": sent})}
    return client.get(url, headers=fields)


@rows("interface", "wsgi", "asgi", "rsgi")
def test_a_bound_token_needs_a_proof_which_counts_once(provider, interface):
    client = Client(make_app(provider.issuer, MemoryStore()), base_url=HERE, interface=interface)
    token = bound_to(KEY, provider)
    sent = proof(token, htu=f"{URL}?ignored#too")
    assert get(client, token, sent, "/api/me?page=2").json == {"user": "ann"}
    again = get(client, token, sent)
    assert (again.status, again.headers["www-authenticate"].partition(",")[0]) == (401, 'DPoP realm="Restricted"')
    assert 'algs="ES256 RS256"' in again.headers["www-authenticate"]
    assert get(client, token, proof(token)).status == 200
    document = client.get("/.well-known/oauth-protected-resource").json
    assert document["dpop_signing_alg_values_supported"] == ["ES256", "RS256"]


def test_a_key_of_rsa_proves_as_well(provider):
    client, token = Client(make_app(provider.issuer, MemoryStore()), base_url=HERE), bound_to(LARGE, provider)
    assert get(client, token, proof(token, key=LARGE, header={"alg": "RS256"})).status == 200


SECRET = OctKey.generate_key(256)
HEADER = {"typ": "dpop+jwt", "jwk": KEY.as_dict(private=False)}


def encoded(header):
    return urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()


FORGED = [
    ("none", lambda token: None),
    ("empty", lambda token: ""),
    ("no token", lambda token: "a.b.c"),
    ("long", lambda token: "a" * 5000),
    ("two", lambda token: f"{proof(token)}, {proof(token)}"),
    ("another key's", lambda token: proof(token, key=OTHER)),
    ("signed by another key than it shows", lambda token: proof(token, signer=OTHER)),
    ("changed after it was signed", lambda token: proof(token)[:-4] + "AAAA"),
    ("not signed", lambda token: f"{encoded({**HEADER, 'alg': 'none'})}.{proof(token).split('.')[1]}."),
    ("signed by a secret that it shows", lambda token: proof(
        token, header={"alg": "HS256", "jwk": SECRET.as_dict()}, signer=SECRET)),
    ("with the private key", lambda token: proof(token, header={"jwk": KEY.as_dict(private=True)})),
    ("of another kind", lambda token: proof(token, header={"typ": "JWT"})),
    ("for another method", lambda token: proof(token, htm="POST")),
    ("for another path", lambda token: proof(token, htu=f"{HERE}/api/other")),
    ("for another host", lambda token: proof(token, htu="https://evil.example/api/me")),
    ("over http", lambda token: proof(token, htu="http://shop.example/api/me")),
    ("for a URL that is none", lambda token: proof(token, htu="http://[::1")),
    ("for another token", lambda token: proof("other")),
    ("for no token", lambda token: proof(token, ath=None)),
    ("too old", lambda token: proof(token, iat=int(time.time()) - 120)),
    ("of the future", lambda token: proof(token, iat=int(time.time()) + 600)),
    ("of an endless time", lambda token: proof(token, iat=float("inf"))),
    ("of a time that is none", lambda token: proof(token, iat=float("nan"))),
    ("of a number without end", lambda token: proof(token, iat=10**400)),
    ("of a time in text", lambda token: proof(token, iat="now")),
    ("without a time", lambda token: proof(token, iat=None)),
    ("without a name", lambda token: proof(token, jti=None)),
    ("with a list as its name", lambda token: proof(token, jti=["a"])),
    ("with other claims that are critical", lambda token: proof(token, header={"crit": ["b64"], "b64": True})),
]  # fmt: skip


@rows("forge", [each[1] for each in FORGED], ids=[each[0] for each in FORGED])
def test_a_forged_proof_is_refused(provider, forge):
    client, token = Client(make_app(provider.issuer, MemoryStore()), base_url=HERE), bound_to(KEY, provider)
    response = get(client, token, forge(token))
    assert response.status == 401
    assert 'error="invalid_' in response.headers["www-authenticate"]
    assert get(client, token, proof(token)).status == 200  # it has spent nothing


@rows(
    "what, changes, scheme, status",
    ("as it is", {}, "DPoP", 200),
    ("sent as a Bearer token", {}, "Bearer", 401),
    ("not bound, with a proof", {"cnf": None}, "DPoP", 401),
    ("not bound", {"cnf": None}, "Bearer", 200),
    ("bound to another key", {"cnf": {"jkt": OTHER.thumbprint()}}, "DPoP", 401),
    ("bound to a certificate", {"cnf": {"x5t#S256": "a"}}, "DPoP", 401),
    ("bound to a certificate, too", {"cnf": {"jkt": KEY.thumbprint(), "x5t#S256": "a"}}, "DPoP", 401),
    ("bound to nothing", {"cnf": {}}, "DPoP", 401),
    ("bound to what is no key", {"cnf": KEY.thumbprint()}, "DPoP", 401),
    ("expired", {"exp": int(time.time()) - 600}, "DPoP", 401),
)
def test_the_token_must_be_bound_to_the_key(provider, what, changes, scheme, status):
    client, token = Client(make_app(provider.issuer, MemoryStore()), base_url=HERE), bound_to(KEY, provider, **changes)
    assert get(client, token, proof(token), scheme=scheme).status == status


@rows("said, status", ("DPoP", 200), ("Bearer", 200), ("refresh_token", 401))
def test_a_provider_that_is_asked_tells_the_key(provider, said, status):
    options = {"introspection": Introspection("shop", "secret of the shop")}
    client = Client(make_app(provider.issuer, MemoryStore(), **options), base_url=HERE)
    token = bound_to(KEY, provider, token_type=said)
    assert get(client, token, proof(token)).status == status
    assert get(client, token, proof(token), scheme="Bearer").status == 401
    free = bound_to(KEY, provider, token_type="DPoP", cnf=None)
    assert [get(client, free, proof(free), scheme=each).status for each in ("DPoP", "Bearer")] == [401, 401]


def test_without_a_store_bound_tokens_are_refused(provider):
    client, token = Client(make_app(provider.issuer, None), base_url=HERE), bound_to(KEY, provider)
    assert get(client, token, proof(token)).status == 401
    assert "dpop_signing_alg_values_supported" not in client.get("/.well-known/oauth-protected-resource").json


def test_a_clock_that_is_set_back_revives_no_proof(provider):
    began, passed = time.time(), [0]
    store = MemoryStore(clock=lambda: began + passed[-1])
    client, token = Client(make_app(provider.issuer, store), base_url=HERE), bound_to(KEY, provider)
    sent = proof(token, iat=int(began))
    assert get(client, token, sent).status == 200
    for seconds in (50, -50, 5, 130, 0):
        passed.append(seconds)
        assert get(client, token, sent).status == 401


def test_calls_inside_a_request_count_with_it(provider):
    """The proof is that of the client's request: above a mounted application, and around a tool call."""
    outer, inner = App(store=MemoryStore()), make_app(provider.issuer, MemoryStore())
    outer.use(Users(Bearer(lambda token: token.subject), resource=ProtectedResource([provider.issuer], url=HERE)))
    outer.before_request(login_required)
    outer.mount("/inner", inner)
    client, token = Client(outer, base_url=HERE), bound_to(KEY, provider)
    assert get(client, token, proof(token, htu=f"{HERE}/inner/api/me"), "/inner/api/me").status == 200
    assert get(client, token, proof(token), "/inner/api/me").status == 401
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "me", "arguments": {}}}
    fields = {"accept": "application/json, text/event-stream", "mcp-protocol-version": "2025-11-25"}
    fields["authorization"] = f"DPoP {token}"
    sent = [proof(token, htm="POST", htu=f"{HERE}/inner/mcp"), proof(token)]
    for each, status in ((sent[0], 200), (sent[0], 401), (sent[1], 401)):
        response = client.post("/inner/mcp", json=call, headers={**fields, "dpop": each})
        assert response.status == status, response.text
        assert status == 401 or '"ann"' in response.text


PROCESS = """
import sys
from antiphon.features import SQLiteStore
from antiphon.testing import Client
from tests.features.oauth.test_dpop import HERE, get, make_app

client = Client(make_app(sys.argv[1], SQLiteStore(sys.argv[2])), base_url=HERE)
client.get("/")
print("ready", flush=True)
sys.stdin.readline()
print(*[get(client, sys.argv[3], sent).status for sent in sys.argv[4:]])
"""


@pytest.mark.processes
def test_two_processes_know_the_proofs_of_each_other(provider, tmp_path):
    token, path = bound_to(KEY, provider), str(tmp_path / "store.db")
    SQLiteStore(path).close()
    sent = [proof(token) for _ in range(12)]
    command = [sys.executable, "-c", PROCESS, provider.issuer, path, token, *sent]
    started = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    assert [each.stdout.readline() for each in started] == ["ready\n"] * 2
    found = [each.communicate("go\n", timeout=60)[0].split() for each in started]
    assert [sorted(each) for each in zip(*found, strict=True)] == [["200", "401"]] * 12
