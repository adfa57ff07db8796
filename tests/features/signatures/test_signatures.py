"""Signed requests: who is let through, what is demanded, and what a client is told."""

import hashlib
import json
import logging
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime

import pytest

from antiphon import App, Blueprint, Limits, Request, TrustedProxies
from antiphon.features import (
    CookieStore,
    IdempotentWrites,
    MemoryStore,
    OpenAPI,
    SignatureKey,
    SignatureRefused,
    Signatures,
    SQLiteStore,
    Tools,
    sign,
)
from antiphon.http import ServiceUnavailable
from antiphon.testing import Client, LifespanError
from tests.features.signatures.conftest import at
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows
from tests.helpers.signed_requests import app_of, private_keys, public_keys

pytest.importorskip("cryptography")
pytestmark = pytest.mark.axes("interface", "style")

SITE = "https://shop.example"
SECRET = b"a secret that both sides know"
NOW = datetime(2027, 1, 15, 8, tzinfo=UTC)


def signed(path="/orders/7", key="hmac-sha256", body=b"", method="POST", fields=(), **options):
    request = Request.blank(SITE + path, method, fields, body)
    return sign(request, private_keys()[key], keyid=options.pop("keyid", key), **options)


def send(client, request):
    return client.request(request.method, str(request.url), headers=request.headers.items(), body=request.body)


@rows("algorithm", public_keys())
def test_a_signed_request_is_let_through(algorithm, interface, style):
    with Client(app_of(style), interface, base_url=SITE) as client:
        answer = send(client, signed(key=algorithm, body=b"{}", fields={"content-type": "text/plain"}))
    said = {"by": algorithm, "algorithm": algorithm, "label": "sig1", "body": 2}
    assert said.items() <= answer.json.items(), answer.text
    assert answer.json["headers"].keys() == {"content-type", "content-digest"}


def test_a_large_body_is_compared_with_its_digest(interface, style):
    with Client(app_of(style, "/orders"), interface, base_url=SITE) as client:
        request = signed("/orders", body=bytes(3 << 20))
        assert send(client, request).json["body"] == 3 << 20
        assert send(client, Request(request.head, bytes((3 << 20) - 1) + b"\1")).status == 401


@rows("component", ["content-digest", '"content-digest";key="sha-256"'])
def test_a_digest_that_is_covered_is_checked_though_nobody_demands_it(component, interface, style):
    with Client(app_of(style, "/orders", cover=["@method"]), interface, base_url=SITE) as client:
        request = signed("/orders", body=bytes(3 << 20), cover=["@method", component])
        assert send(client, request).json["body"] == 3 << 20
        assert send(client, Request(request.head, bytes((3 << 20) - 1) + b"\1")).status == 401


REFUSED = [
    ({}, "POST", b"", 'sig1=("@method" "@authority" "@path");keyid;created', None),
    ({}, "POST", b"{}", 'sig1=("@method" "@authority" "@path" "content-digest");keyid;created',
     "sha-256=10, sha-512=5"),
    ({"cover": ["@target-uri"], "max_age": None}, "GET", b"", 'sig1=("@target-uri");keyid', None),
    ({"tag": "orders", "store": MemoryStore(), "cover": ["X-Tenant"]}, "GET", b"",
     'sig1=("x-tenant");keyid;created;nonce;tag="orders"', None),
]  # fmt: skip


@rows("options, method, body, wanted, digest", REFUSED)
def test_a_client_is_told_what_is_missing(options, method, body, wanted, digest, interface, style):
    with Client(app_of(style, **options), interface, base_url=SITE) as client:
        answer = client.request(method, "/orders/7", body=body)
    assert answer.status == 401
    assert answer.headers["accept-signature"] == wanted
    assert answer.headers.get("want-content-digest") == digest
    assert answer.headers["www-authenticate"] == "Signature"


def test_a_client_is_told_the_same_whatever_is_wrong(interface, style, caplog):
    caplog.set_level(logging.INFO, "antiphon.signatures")
    good = signed()
    bad = [
        Request.blank(f"{SITE}/orders/7", "POST"),
        signed(keyid="unknown"),
        signed(keyid="ed25519"),
        Request.blank(f"{SITE}/orders/7", "POST", good.headers.items()[:1]),
        signed(created=datetime(2020, 1, 1, tzinfo=UTC)),
    ]
    with Client(app_of(style), interface, base_url=SITE) as client:
        answers = [send(client, each) for each in bad]
    told = [{name: value for name, value in each.json.items() if name != "request_id"} for each in answers]
    assert all(each == told[0] for each in told)
    assert len({each.headers["accept-signature"] for each in answers}) == 1
    reasons = [record.getMessage() for record in caplog.records]
    assert [each.partition(" was refused: ")[2][:45] for each in reasons[:3]] == [
        "the request has no signature",
        "sig1: there is no key 'unknown'",
        "sig1: it is not the signature by 'ed25519' of",
    ]


CONTAINED = [
    (["@path", "@query"], ["@target-uri"], True), (["@path", "@query"], ["@request-target"], True),
    (["@authority"], ["@request-target"], False), (["@scheme"], ["@target-uri"], True),
    (['"x-list";key="a"'], ["x-list"], False), (["x-list"], ['"x-list";key="a"'], False),
    (["X-List"], ["x-list"], True), ([], [], True),
]  # fmt: skip


@rows("demanded, covered, is_let_through", CONTAINED)
def test_what_is_demanded_may_be_covered_by_more(demanded, covered, is_let_through):
    partners = Signatures({"p": SECRET}, cover=demanded)
    request = sign(Request.blank(f"{SITE}/a?b=1", headers={"x-list": "a=1"}), SECRET, keyid="p", cover=covered)
    assert is_valid(partners, request) == is_let_through


def is_valid(partners, request):
    try:
        partners.verify(request)
    except SignatureRefused:
        return False
    return True


def test_only_what_is_covered_whole_is_trusted():
    fields = {"x-user": "ada", "x-role": "admin", "x-list": "a=1, b=2", "x-other": "1"}
    cover = ["x-user", '"x-role";bs', '"x-list";key="a"']
    request = sign(Request.blank(SITE, headers=fields), SECRET, keyid="p", cover=cover)
    signer = Signatures({"p": SECRET}, cover=[]).verify(request)
    assert signer.headers.items() == [("x-user", "ada"), ("x-role", "admin")]
    assert signer.components == ('"x-user"', '"x-role";bs', '"x-list";key="a"')


def test_one_valid_signature_of_several_is_enough():
    request = sign(Request.blank(SITE), b"the secret of the proxy", keyid="proxy", label="proxy", tag="ours")
    request = sign(request, SECRET, keyid="p", cover=["@path", '"signature";key="proxy"'], label="client")
    assert Signatures({"p": SECRET}, cover=["@path"]).verify(request).label == "client"
    assert Signatures({"proxy": b"the secret of the proxy"}, cover=["@path"]).verify(request).label == "proxy"
    assert Signatures({"p": SECRET, "proxy": b"the secret of the proxy"}, tag="ours").verify(request).label == "proxy"
    with pytest.raises(SignatureRefused) as refused:
        Signatures({"p": b"another secret of them"}, cover=["@path"]).verify(request)
    assert [part.partition(":")[0] for part in refused.value.reason.split("; ")] == ["proxy", "client"]


def test_a_request_without_a_signature_may_pass(interface, style):
    with Client(app_of(style, required=False), interface, base_url=SITE) as client:
        assert client.get("/orders/7").json["label"] == ""
        assert send(client, signed()).json["by"] == "hmac-sha256"
        assert send(client, signed(keyid="unknown")).status == 401
        assert client.get("/orders/7", headers={"signature": "a=:AAAA:"}).status == 401
    with Client(app_of(style, required=False, tag="web-bot-auth"), interface, base_url=SITE) as client:
        assert send(client, signed(tag="other")).json["label"] == ""


def test_a_nonce_passes_once_for_each_key_and_not_before_it_is_valid(interface, style, tmp_path):
    for store in (MemoryStore(), SQLiteStore(tmp_path / f"{interface}{style}.db")):
        with closing(store), Client(app_of(style, store=store), interface, base_url=SITE) as client:
            request = signed(nonce="n1", body=b"{}")
            assert send(client, Request(request.head, b"[]")).status == 401  # which does not use up the nonce
            assert [send(client, request).status for _ in range(2)] == [200, 401]
            assert send(client, signed(nonce="n1", key="ed25519")).status == 200
            assert send(client, signed(nonce="n2")).status == 200


def test_a_store_that_fails_lets_nobody_through(interface, style):
    class Down(MemoryStore):
        def add(self, key, data, *, ttl):
            raise ServiceUnavailable("down", retry_after=1)

    with Client(app_of(style, store=Down()), interface, base_url=SITE) as client:
        assert send(client, signed()).status == 503


TIMES = [
    ({}, 0, True), ({}, 300, True), ({}, 301, False), ({}, -60, True), ({}, -61, False),
    ({"max_age": 10}, 11, False), ({"max_age": None}, 10**8, True),
]  # fmt: skip


@rows("options, age, passes", TIMES)
def test_a_signature_is_valid_for_some_time(options, age, passes):
    now = NOW.timestamp()
    partners = Signatures({"p": SECRET}, **options)
    expiring = sign(Request.blank(SITE), SECRET, keyid="p", created=NOW, max_age=1000)
    with at(now + age):
        assert is_valid(partners, sign(Request.blank(SITE), SECRET, keyid="p", created=NOW)) == passes
        assert is_valid(partners, expiring) == (passes and age < 1000)
    with at(now):
        signer = Signatures({"p": SECRET}).verify(expiring)
    assert (signer.created, signer.expires) == (NOW, datetime(2027, 1, 15, 8, 16, 40, tzinfo=UTC))


def keys_def(keyid):
    return {"p": SECRET}.get(keyid)


async def keys_async(keyid):
    return keys_def(keyid)


@rows("keys, blocking", [(keys_def, False), (keys_def, True), (keys_async, False)])
def test_keys_may_be_found_by_a_function(keys, blocking, interface, style):
    app = app_of(style, keys=keys, blocking=blocking)
    with Client(app, interface, base_url=SITE) as client:
        assert send(client, signed(keyid="p")).json["by"] == "p"
        assert send(client, signed(keyid="q")).status == 401


def test_behind_a_trusted_proxy_the_request_is_what_was_signed(interface, style):
    # over RSGI and ASGI, since servers over WSGI may mix up the names of headers
    app = App(trusted_proxies=TrustedProxies(["10.0.0.0/8"], headers=["x-forwarded-proto", "x-forwarded-host"]))
    app.use(Signatures({"p": SECRET}, cover=["@target-uri"]))
    app.get("/a", signed_by="partners")(lambda request: request.signature.key)
    request = sign(Request.blank(f"{SITE}/a"), SECRET, keyid="p", cover=["@target-uri"])
    fields = [*request.headers.items(), ("x-forwarded-proto", "https"), ("x-forwarded-host", "shop.example")]
    with Client(app, "asgi", base_url="http://10.0.0.9:8000", client=("10.0.0.1", 1)) as client:
        assert client.get("/a", headers=fields).text == "p"
    with Client(app, "asgi", base_url="http://10.0.0.9:8000", client=("192.0.2.1", 1)) as client:
        assert client.get("/a", headers=fields).status == 401


def test_a_mounted_app_and_a_blueprint_see_the_whole_path(interface, style):
    inner, outer = app_of(style), App()
    blueprint = Blueprint("shop", prefix="/shop")
    blueprint.get("/a%20b", signed_by="partners")(lambda request: request.signature.key)
    outer.use(Signatures(public_keys()))
    outer.register(blueprint)
    outer.mount("/in", inner)
    with Client(outer, interface, base_url=SITE) as client:
        assert send(client, signed("/in/orders/7")).json["by"] == "hmac-sha256"
        assert client.get("/in/orders/7").status == 401
        moved = client.post("/in/orders/7", headers=signed("/orders/7").headers.items())
        assert moved.status == 401


@rows("prefix, host", ("", None), ("/in", None), ("", "shop.example"))
def test_a_body_that_is_too_large_for_an_app_is_not_received_for_its_digest(prefix, host, interface, style):
    own, outer, called = App(limits=Limits(body=100_000)), App(), []
    own.use(Signatures(public_keys()))
    own.post("/orders", signed_by="partners", before=called.append)(app_of(style).routes[0].handler)
    outer.mount(prefix, own, host=host)
    large = signed(f"{prefix}/orders", body=bytes(150_000))
    with Client(outer, interface, base_url=SITE) as client:
        assert (send(client, large).status, called) == (413, [])


def test_everything_may_have_to_be_signed(interface):
    def old(environ, start_response):
        start_response("200 OK", [("content-type", "text/plain")])
        return [b"old: ", environ["wsgi.input"].read()]

    async def new(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"new"})

    for keys in (public_keys(), public_keys().get, keys_async):
        app = App()
        app.use(Signatures(keys, everywhere=True))
        app.mount("/old", old)
        app.mount("/new", new, interface="asgi")
        app.get("/own")(lambda request: request.signature.key)
        keyid = "p" if keys is keys_async else "hmac-sha256"
        with Client(app, interface, base_url=SITE) as client:
            assert send(client, signed("/old/a", body=b"hello", keyid=keyid)).text == "old: hello"
            assert send(client, signed("/new/a", keyid=keyid)).text == "new"
            assert send(client, signed("/own", method="GET", keyid=keyid)).text == keyid
            large = signed("/old/a", body=bytes(3 << 20), keyid=keyid)
            assert len(send(client, large).body) == 5 + (3 << 20)
            assert send(client, Request(large.head, bytes(3 << 20)[1:] + b"1")).status == 401
            assert [client.get(path).status for path in ("/old/", "/new/", "/own", "/none")] == [401] * 4


def test_it_comes_before_other_hooks_and_idempotent_writes(interface, style):
    app, called = app_of(style), []
    app.use(IdempotentWrites(MemoryStore()))

    @app.before_request
    def note(request):
        called.append(request.signature.key)

    app.post("/pay", signed_by="partners", idempotent=True)(lambda request: f"paid by {request.signature.key}")
    key = {"idempotency-key": '"8e03978e-40d5-43dd-bc93-6894a57f9324"'}
    with Client(app, interface, base_url=SITE) as client:
        assert client.post("/pay", headers=key).status == 401
        assert send(client, signed("/pay", fields=key)).text == "paid by hmac-sha256"
        again = signed("/pay", fields=key)
        assert send(client, again).status in (200, 422)
        assert client.post("/pay", headers=key).status == 401
    assert called == ["hmac-sha256", "hmac-sha256"]


def test_a_socket_may_have_to_be_signed():
    app = App()
    app.use(Signatures({"p": SECRET}))

    @app.websocket("/chat", signed_by="partners")
    async def chat(request, socket):
        await socket.send(request.signature.key)

    request = sign(Request.blank("http://shop.example/chat"), SECRET, keyid="p")
    client = Client(app, base_url="http://shop.example")
    with client, client.websocket("/chat", headers=request.headers.items()) as socket:
        assert socket.receive() == "p"


def test_a_coded_body_has_no_digest_to_check(interface, style):
    from gzip import compress

    body = compress(b"{}")
    request = signed(body=body, fields={"content-encoding": "gzip"})
    with Client(app_of(style), interface, base_url=SITE) as client:
        answer = send(client, request)
    assert (answer.status, answer.headers["accept-encoding"]) == (415, "identity")


@rows("component", ['"content-digest";key="sha-256"', '"content-digest";sf', '"content-digest";bs'])
def test_a_digest_is_checked_however_it_is_covered(component):
    fields = {"content-digest": "sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:"}  # of {}
    partners = Signatures({"p": SECRET}, cover=[component])
    request = sign(Request.blank(SITE, "POST", fields, b"{}"), SECRET, keyid="p", cover=[component])
    assert is_valid(partners, request)
    assert not is_valid(partners, Request(request.head, b"[]"))


def test_mistakes_are_told_at_once():
    def app_with(**options):
        app = App()
        app.use(Signatures({"p": SECRET}))
        app.post("/", **options)(lambda request: "")
        return Client(app, raise_errors=True)

    wrong = [
        (
            lambda: Signatures({"p": SECRET}, cover="@path"),
            TypeError,
            r"cover must be a list of components: \['@path'\]",
        ),
        (lambda: Signatures({"p": SECRET}, cover=["@body"]), ValueError, "'@body' is not a component"),
        (lambda: Signatures({"p": SECRET}, cover=["@path", "@path"]), ValueError, "covers a component twice"),
        (lambda: Signatures(7), TypeError, "keys must be a dict or a function, not 7"),
        (lambda: Signatures({"p": "secret"}), TypeError, "an HMAC secret must be bytes"),
        (lambda: Signatures({"p": SECRET}, max_age=0), ValueError, "max_age must be a number above 0"),
        (lambda: Signatures({}, store=MemoryStore(), max_age=None), ValueError, "a store of nonces"),
        (lambda: Signatures({}, store=CookieStore(["k" * 20])), ValueError, "Signatures needs a store on the server"),
        (lambda: Signatures(keys_async).verify(signed()), TypeError, r"verify\(\) can't await"),
        (lambda: app_with(signed_by="agents").post("/"), RuntimeError, "name='agents'"),
        (lambda: app_with(signed_by="partners", receive="stream").post("/"), ValueError, "streams its body"),
        (lambda: app_with(signed_by="partners", unguarded=True).post("/"), ValueError, "is unguarded"),
    ]
    for make, kind, message in wrong:
        with pytest.raises(kind, match=message):
            make()
    app = App()
    app.use(Signatures({"p": SECRET}))
    with pytest.raises(ValueError, match="already handles the signed_by='partners' routes"):
        app.use(Signatures({"p": SECRET}))


def test_a_request_that_nobody_checked_has_no_signer():
    app = App()
    app.use(Signatures({"p": SECRET}))
    app.get("/")(lambda request: request.signature.headers)
    with pytest.raises(RuntimeError, match=r"signed_by=\"partners\" of its route"):
        Client(app, raise_errors=True).get("/")


def test_a_header_that_no_signature_covers_is_a_400():
    app = App()
    app.use(Signatures({"p": SECRET}))
    app.use(Signatures({"p": SECRET}, name="anyone", required=False))
    app.get("/p", signed_by="partners")(lambda request: request.signature.headers["x-tenant"])
    app.get("/a", signed_by="anyone")(lambda request: request.signature.headers["x-tenant"])
    client = Client(app, base_url="https://shop.example")
    signed = sign(Request.blank("https://shop.example/p"), SECRET, keyid="p")
    for answer in (
        client.get("/p", headers={**dict(signed.headers.items()), "x-tenant": "north"}),
        client.get("/a", headers={"x-tenant": "north"}),
    ):
        assert (answer.status, answer.json["detail"]) == (400, "no header 'x-tenant' is signed")


def test_a_key_of_another_package_is_found_as_it_is():
    key = SignatureKey(SECRET)
    assert Signatures(lambda keyid: key).verify(sign(Request.blank(SITE), key, keyid="any")).key == "any"


def test_a_nonce_is_spent_once_by_a_request(interface, style):
    outer = App(store=MemoryStore())
    partners = Signatures(public_keys(), everywhere=True)
    inner, own = App(store=outer.store), App(store=outer.store)
    for app, store in ((outer, None), (inner, False), (own, None)):
        app.use(partners if app is outer else Signatures(public_keys(), store=store))
        handler = in_style(style, lambda request: request.signature.key)
        app.post("/orders/<int:number>", signed_by="partners")(handler)
    outer.mount("/in", inner)
    outer.mount("/own", own)
    with Client(outer, interface, base_url=SITE) as client:
        for path in ("/orders/7", "/in/orders/7", "/own/orders/7"):
            request = signed(path, nonce=f"once for {path}")
            assert send(client, request).text == "hmac-sha256"
            assert send(client, request).status == 401


@rows("everywhere", [True, False])
def test_the_signature_of_a_tool_s_message_is_that_of_its_call(everywhere, interface, style):
    app = App(store=MemoryStore())
    app.use(Signatures(public_keys(), everywhere=everywhere))
    app.use(Tools(OpenAPI("Test")))

    def pay(request: Request) -> str:
        return f"paid by {request.signature.key}"

    app.post("/pay", tool=True, name="pay", signed_by="partners")(in_style(style, pay))
    params = {"name": "pay", "arguments": {}}
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
    kind = {"content-type": "application/json"}
    with Client(app, interface, base_url=SITE) as client:
        request = signed("/mcp", body=body, fields=kind)
        assert "paid by hmac-sha256" in send(client, request).text
        assert send(client, request).status == 401  # its nonce is spent
        assert client.post("/mcp", headers=kind, body=body).status == 401
        moved = signed("/pay", body=body, fields=kind).headers.items()
        assert client.post("/mcp", headers=moved, body=body).status == 401


@rows("receive", ["load", "lazy"])
def test_everywhere_says_which_bodies_it_can_t_check(receive):
    app = App()
    app.use(Signatures(public_keys(), everywhere=True))
    app.post("/stream", receive="stream")(lambda request: b"".join(request.stream))
    with pytest.raises(LifespanError, match=r"streams its body.*receive='lazy'"), Client(app):
        pass
    app = App()
    app.use(Signatures(public_keys(), everywhere=True))
    app.post("/stream", receive=receive)(lambda request: b"".join(request.stream))
    app.get("/health", unguarded=True)(lambda request: "well")
    with Client(app, base_url=SITE) as client:
        assert send(client, signed("/stream", body=b"hello")).text == "hello"
        assert client.get("/health").text == "well"


@rows("cover", ['"content-digest";key="md5"', '"content-digest";key="sha"'])
def test_a_digest_that_can_t_be_checked_is_not_demanded(cover):
    with pytest.raises(ValueError, match="proves nothing"):
        Signatures(public_keys(), cover=["@method", cover])


def digests_of(body, names):
    members = [f"{name}=:{b64encode(hashlib.new(name.replace('-', ''), body).digest()).decode()}:" for name in names]
    return {"content-digest": ", ".join(members)}


@rows("covered", [["sha1"], ["sha-256"], ["sha-512"], ["sha-512", "sha1"], []])
def test_only_a_digest_that_is_signed_proves_a_body(covered):
    app, names = App(), ["sha-256", "sha-512", "sha1"]
    app.use(Signatures(public_keys(), cover=["@method", "@path"]))
    app.post("/orders/<int:number>", signed_by="partners")(lambda request: request.text)
    cover = ["@method", "@path", *(f'"content-digest";key="{name}"' for name in covered)]
    good = signed(body=b"pay 1", fields=digests_of(b"pay 1", names), cover=cover)
    kept = digests_of(b"pay 1", covered)["content-digest"]
    forged = digests_of(b"pay 9", [name for name in names if name not in covered])["content-digest"]
    fields = {**dict(good.headers.items()), "content-digest": ", ".join(filter(None, [kept, forged]))}
    client = Client(app, base_url=SITE)
    assert send(client, good).status == (401 if covered == ["sha1"] else 200)
    assert client.post("/orders/7", headers=fields, body=b"pay 9").status == (401 if covered else 200)
