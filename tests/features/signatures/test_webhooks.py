"""Webhooks: by Standard Webhooks in both directions, and of senders that sign in their own way."""

import gzip
import hmac
import json
import socket
import ssl
import threading
import time
from base64 import b64encode
from contextlib import closing
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address

import pytest

from antiphon import App, Request, view
from antiphon.features import (
    CookieStore,
    MemoryStore,
    SQLiteStore,
    StandardWebhook,
    Webhook,
    WebhookRefused,
    WebhookSignature,
)
from antiphon.features.signatures import public_requests
from antiphon.testing import Client
from tests.features.signatures.conftest import at
from tests.helpers.handlers import in_style
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface", "style")

BODY = b'{"type": "paid", "id": "evt_1", "event_id": "Ev1"}'
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
OTHER = "whsec_" + b64encode(b"another secret of 32 bytes or so").decode()


def app_of(hook, style="def"):
    app, seen = App(), []

    def take(request: Request):
        seen.append(len(request.body))
        return request.headers.get("x-answer", "taken"), int(request.headers.get("x-status", "200"))

    app.post("/hook", before=hook)(in_style(style, take))
    return app, seen


def post(client, headers, body=BODY, **more):
    return client.post("/hook", headers={"content-type": "application/json", **headers, **more}, body=body)


def standard(body=BODY, secret=SECRET, **options):
    return StandardWebhook(secret).sign(body, **options)


def test_its_library_verifies_what_is_sent():
    library = pytest.importorskip("standardwebhooks")  # 1.1.0
    for body in (BODY, b"{}", '{"caf\xe9": 1}'.encode()):
        assert library.Webhook(SECRET).verify(body, standard(body)) == json.loads(body)
    both = StandardWebhook([OTHER, SECRET]).sign(BODY, id="msg_1")
    assert library.Webhook(SECRET).verify(BODY, both)
    assert library.Webhook(OTHER).verify(BODY, both)
    with pytest.raises(library.WebhookVerificationError):
        library.Webhook(SECRET).verify(b"{}", both)


def test_what_its_library_sends_is_taken(interface, style):
    library = pytest.importorskip("standardwebhooks")
    sent = datetime.now(UTC)
    signature = library.Webhook(SECRET).sign("msg_1", sent, BODY.decode())
    fields = {"webhook-id": "msg_1", "webhook-timestamp": str(int(sent.timestamp())), "webhook-signature": signature}
    app, seen = app_of(StandardWebhook(SECRET), style)
    with Client(app, interface) as client:
        assert post(client, fields).status == 200
        assert post(client, fields, b"{}").status == 403
    assert seen == [len(BODY)]


def test_the_example_of_the_specification():
    hook = StandardWebhook("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    body = b'{"test": 2432232314}'
    fields = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    with at(1614265330):
        assert hook(Request.blank("/", "POST", fields, body)) is None
        assert hook.sign(body, id="msg_p5jXN8AQM9LWM0D4loKWxJek") == fields


def sent(seconds, **options):
    with at(time.time() + seconds):
        return standard(**options)


def now(seconds=0):
    return str(int(time.time() + seconds))


FORGED = [
    ("no id", lambda good: {**good, "webhook-id": ""}),
    ("another id", lambda good: {**good, "webhook-id": "msg_2"}),
    ("an id with a dot", lambda good: {**good, "webhook-id": "msg.1"}),
    ("another time", lambda good: {**good, "webhook-timestamp": now(1)}),
    ("a time that is none", lambda good: {**good, "webhook-timestamp": "now"}),
    ("a time with a sign", lambda good: {**good, "webhook-timestamp": f"+{now()}"}),
    ("a time in other digits", lambda good: {**good, "webhook-timestamp": "\xb2" * 10}),
    ("old", lambda good: sent(-301)),
    ("of the future", lambda good: sent(302)),
    ("no signature", lambda good: {**good, "webhook-signature": ""}),
    ("an empty signature", lambda good: {**good, "webhook-signature": "v1,"}),
    ("half a signature", lambda good: {**good, "webhook-signature": good["webhook-signature"][:20]}),
    ("no base64", lambda good: {**good, "webhook-signature": "v1,%%%"}),
    ("another version", lambda good: {**good, "webhook-signature": good["webhook-signature"].replace("v1,", "v2,")}),
    ("another secret", lambda good: standard(secret=OTHER)),
    ("another body", lambda good: standard(b"{}")),
    ("too many signatures", lambda good: {**good, "webhook-signature": "v1,AAAA " * 16 + good["webhook-signature"]}),
]


@rows("name, forge", FORGED)
def test_a_forged_webhook_is_refused(name, forge, interface, style):
    app, seen = app_of(StandardWebhook(SECRET, MemoryStore()), style)
    with Client(app, interface) as client:
        good = standard()
        answer = post(client, forge(good))
        assert (answer.status, seen) == (403, [])
        assert answer.json["detail"] == "The webhook does not have a valid signature."
        assert post(client, good).status == 200


@rows("kind", ["memory", "sqlite"])
def test_each_id_is_carried_out_once(kind, interface, style, tmp_path):
    store = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "hooks.db")
    app, seen = app_of(StandardWebhook([SECRET, OTHER], store), style)
    with closing(store), Client(app, interface) as client:
        first, retry = standard(id="msg_1"), sent(30, id="msg_1")
        assert [post(client, each).status for each in (first, first, retry)] == [200, 204, 204]
        assert post(client, standard(id="msg_2")).status == 200
        assert post(client, standard(id="msg_1", secret=OTHER)).status == 204  # its other signature
        failed = standard(id="msg_3")
        assert post(client, failed, **{"x-status": "500"}).status == 500
        assert post(client, failed, **{"x-status": "422"}).status == 422
        assert [post(client, failed).status for _ in range(2)] == [200, 204]
    assert len(seen) == 5


def test_each_route_and_each_view_carries_out_an_id_once(interface):
    store, app, seen = MemoryStore(), App(), []
    hook = StandardWebhook(SECRET, store)

    def take(request, number=0):
        seen.append(request.path)
        return "taken"

    for pattern in ("/orders/<int:number>", "/stock"):
        app.post(pattern, before=hook)(take)
    fields = standard(id="msg_1")
    with closing(store), Client(app, interface) as client:
        paths = ["/orders/1", "/stock", "/orders/1", "/orders/2", "/stock"]  # nor is it replayed at another path
        statuses = [client.post(path, headers=fields, body=BODY).status for path in paths]
    assert (statuses, seen) == ([200, 200, 204, 204, 204], ["/orders/1", "/stock"])

    @view(before=hook)
    def bills(request: Request):
        return "taken"

    @view(before=hook)
    def mails(request: Request):
        return "taken"

    requests = pytest.importorskip("werkzeug.test")
    sent = [requests.EnvironBuilder("/hook", method="POST", headers=fields, data=BODY).get_request() for _ in range(3)]
    views = (bills, mails, bills)
    assert [each(request).status_code for each, request in zip(views, sent, strict=True)] == [200, 200, 204]


def taken(request):
    return "taken"


def test_an_id_is_carried_out_once_by_two_deploys_between_which_its_handler_was_renamed():
    store, statuses = MemoryStore(), []
    for handler in (lambda request: "taken", taken):
        app = App()
        app.post("/hook", before=StandardWebhook(SECRET, store))(handler)
        statuses.append(Client(app, "wsgi").post("/hook", headers=standard(id="msg_1"), body=BODY).status)
    assert statuses == [200, 204]


def test_a_repetition_waits_for_the_first_one():
    began, goes_on, app = threading.Event(), threading.Event(), App()

    @app.post("/hook", before=StandardWebhook(SECRET, MemoryStore()))
    def take(request):
        began.set()
        assert goes_on.wait(10)
        return "taken"

    fields, answers = standard(id="msg_1"), []
    first = threading.Thread(target=lambda: answers.append(post(Client(app, "wsgi"), fields).status))
    first.start()
    assert began.wait(10)
    again = post(Client(app, "wsgi"), fields)
    goes_on.set()
    first.join()
    assert (again.status, again.headers["retry-after"], answers) == (409, "2", [200])


def test_a_large_body_is_checked(interface, style):
    body = bytes(3 << 20)
    app, seen = app_of(StandardWebhook(SECRET), style)
    with Client(app, interface) as client:
        fields = standard(body)
        assert post(client, fields, body).status == 200
        assert post(client, fields, body[1:] + b"1").status == 403
    assert seen == [3 << 20]


# Senders of their own kind


def hex_of(secret, data):
    return hmac.digest(secret, data, "sha256").hex()


class ByBody(Webhook):
    """Webhooks whose signature covers only the body, as GitHub's."""

    def signature(self, request):
        return WebhookSignature([bytes.fromhex(request.headers["x-body"])])


class ById(Webhook):
    """Webhooks of events with an id in the body, as Stripe's, whose time is signed."""

    def signature(self, request):
        sent, _, code = request.headers["x-event"].partition(",")
        return WebhookSignature(
            [bytes.fromhex(code)], f"{sent}.".encode(), int(sent), lambda request: request.json["id"]
        )


def by_body(body=BODY, secret="a secret of a body"):
    return {"x-body": hex_of(secret.encode(), body)}


def by_id(body=BODY, secret="a secret of events"):
    sent = now()
    return {"x-event": f"{sent},{hex_of(secret.encode(), sent.encode() + b'.' + body)}"}


@rows("body", b"[]", b"1", b'"id"', b"null", b"{}", b'{"id": 1}', b'[{"id": 1}]', b"{", b"\xff")
def test_the_body_of_a_stranger_is_refused_before_it_is_parsed(body, interface, style):
    app, seen = app_of(ById("a secret of events", MemoryStore()), style)
    with Client(app, interface) as client:
        assert post(client, by_id(body, secret="another secret"), body).status == 403
        assert post(client, by_id(b"{"), b"{").status == 400  # of the sender
    assert seen == []


def takes(hook, request):
    try:
        hook(request)
    except WebhookRefused:
        return False
    return True


SENDERS = [(ByBody, "a secret of a body", by_body), (ById, "a secret of events", by_id)]


@rows("kind, secret, make", SENDERS)
def test_a_sender_is_known_by_its_signature(kind, secret, make, interface, style):
    app, seen = app_of(kind([secret, "an older secret of it"], MemoryStore()), style)
    with Client(app, interface) as client:
        assert post(client, make(secret="an older secret of it")).status == 200
        assert post(client, make()).status == 204  # its other signature
        assert post(client, make(secret="the secret of a stranger")).status == 403
        assert post(client, make(b"{}")).status == 403
        assert post(client, {}).status == 403
        assert post(client, {name: f"!{value}" for name, value in make().items()}).status == 403
    assert len(seen) == 1


SAME_EVENT = [
    (ById, "a secret of events", by_id, b'{"id": "evt_1", "n": %d}', 204),
    (ByBody, "a secret of a body", by_body, b'{"id": "evt_1", "n": %d}', 200),
]


@rows("kind, secret, make, body, status", SAME_EVENT)
def test_an_event_is_known_by_its_id(kind, secret, make, body, status, interface, style):
    app, _ = app_of(kind(secret, MemoryStore()), style)
    with Client(app, interface) as client:
        assert post(client, make(body % 1), body % 1).status == 200
        assert post(client, make(body % 2), body % 2).status == status


def sent_again(fields):
    """Yield header fields with which somebody sends a captured webhook again."""
    for kind in ("text/plain", "application/json; charset=utf-16", "application/x-www-form-urlencoded", "", "x"):
        yield {"content-type": kind}
    for coding in ("identity", "gzip"):
        yield {"content-encoding": coding}
    yield {"webhook-id": fields.get("webhook-id", "msg_9"), "x-github-delivery": "9"}
    yield {"idempotency-key": '"9"'}
    for name, value in fields.items():
        for changed in (f"{value},", f"{value}, {value}", value.upper(), value.replace("=", " =")):
            yield {name: changed}
    if (both := fields.get("webhook-signature")) is not None:
        for changed in (f"v1,AAAA {both}", f"{both} v2,AAAA", f"{both} {both}", both.rstrip("=")):
            yield {"webhook-signature": changed}


@rows("kind, secret, make", [SENDERS[0], (StandardWebhook, SECRET, standard)])
@rows("body", [BODY, b'{"id": "evt_2", "event_id": "Ev2", "id": "evt_3"}', b"n=1&id=evt_4", b"[1", bytes(2 << 20)])
def test_a_captured_webhook_is_never_carried_out_again(body, kind, secret, make):
    seen, app = [], App()

    @app.post("/hook", before=kind(secret, MemoryStore()))
    def take(request: Request):
        seen.append(1)
        return "taken"

    fields, client = make(body), Client(app)
    assert post(client, fields, body).status == 200
    for changed in sent_again(fields):
        sent = gzip.compress(body) if changed.get("content-encoding") == "gzip" else body
        assert post(client, {**fields, **changed}, sent).status in (204, 400, 403, 415), changed
    assert seen == [1]


def test_a_webhook_is_remembered_for_as_long_as_it_is_recent():
    clock = [time.time()]
    store = MemoryStore(clock=lambda: clock[0])
    hook = StandardWebhook(SECRET, store, ttl=60)
    app, seen = app_of(hook)
    fields = sent(290)
    client = Client(app)
    assert post(client, fields).status == 200
    for seconds in (100, 400, 80):
        clock[0] += seconds
        with at(clock[0]):
            assert post(client, fields).status == 204
    with at(clock[0] + 20):
        assert post(client, fields).status == 403
    assert len(seen) == 1


@rows(
    "hook, store, count",
    (lambda: StandardWebhook(SECRET), None, 1), (lambda: StandardWebhook(SECRET, store=False), None, 0),
    (lambda: StandardWebhook(SECRET, MemoryStore()), None, 0), (lambda: StandardWebhook(SECRET), MemoryStore(), 0),
)  # fmt: skip
def test_a_hook_without_a_store_is_told(hook, store, count, caplog):
    app = App(store=store)
    app.post("/hook", before=hook())(view_of_hook)
    client = Client(app)
    for _ in range(2):
        post(client, standard())
    told = [each.getMessage() for each in caplog.records if "captured" in each.getMessage()]
    assert len(told) == count
    assert all("view_of_hook" in each and "StandardWebhook" in each for each in told)


def view_of_hook(request):
    return "taken"


WRONG = [
    (lambda: StandardWebhook([]), ValueError, "a webhook needs a secret"),
    (lambda: StandardWebhook(SECRET, ttl=0), ValueError, "ttl must be a number above 0"),
    (lambda: StandardWebhook("whsec_%"), ValueError, "a secret must be base64, after whsec_"),
    (lambda: StandardWebhook("whsec_AAAA"), ValueError, "at least 16 bytes, not 3"),
    (lambda: ByBody(7), TypeError, "a secret must be text or bytes, not 7"),
    (lambda: ByBody([7]), TypeError, "a secret must be text or bytes, not 7"),
    (lambda: ByBody("a secret of a body", CookieStore(["k" * 20])), ValueError, "ByBody needs a store"),
    (lambda: StandardWebhook(SECRET).sign(b"", id="a.b"), ValueError, "without a dot"),
    (lambda: StandardWebhook(SECRET).sign(b"", id=""), ValueError, "without a dot"),
    (lambda: StandardWebhook(SECRET).send("http://shop.example/", {}), ValueError, "a public URL"),
    (lambda: StandardWebhook(SECRET)(app_of), TypeError, "is a hook, not a decorator"),
]


@rows("make, kind, message", WRONG)
def test_mistakes_are_told(make, kind, message):
    with pytest.raises(kind, match=message):
        make()


# Sending


PUBLIC_IPV6 = "2606:4700::1111"


@pytest.fixture
def receiver(monkeypatch, tmp_path):
    """A server over TLS that stands for one on the public internet, with what it has received."""
    pytest.importorskip("cryptography")
    received = []

    class Handler(BaseHTTPRequestHandler):
        answer = 200, b"ok"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            received.append((self.path, {name.lower(): value for name, value in self.headers.items()}, body))
            status, text = self.answer
            self.send_response(status)
            self.send_header("location", "https://10.0.0.1/")
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_):
            pass

    certificate, key = certificate_for("shop.example", tmp_path)
    asked = Handler.asked = []
    server = HTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    connect = socket.create_connection
    monkeypatch.setattr(public_requests, "_public_address", lambda host: host if ":" in host else "93.184.215.14")
    port = server.server_address[1]

    def connect_here(address, timeout):
        asked.append(address)
        return connect(("127.0.0.1", port), timeout)

    monkeypatch.setattr(public_requests.socket, "create_connection", connect_here)
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(public_requests.ssl, "create_default_context", lambda: trusting)
    yield Handler, received
    server.shutdown()
    thread.join()
    server.server_close()


def certificate_for(host, folder):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key, today = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.DNSName(host), x509.IPAddress(ip_address(PUBLIC_IPV6))]), False
        )
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
        .sign(key, hashes.SHA256())
    )
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    (folder / "key.pem").write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    return folder / "cert.pem", folder / "key.pem"


def test_a_webhook_is_sent(receiver):
    handler, received = receiver
    hook = StandardWebhook(SECRET)
    assert hook.send("https://shop.example/hook?a=1", {"paid": True}, id="msg_1", headers={"x-a": "1"}) == 200
    path, fields, body = received[0]
    assert (path, body, fields["content-type"], fields["x-a"]) == (
        "/hook?a=1", b'{"paid":true}', "application/json", "1",
    )  # fmt: skip
    assert takes(hook, Request.blank("/", "POST", fields, body))
    assert hook.send("https://shop.example/", b"raw") == 200
    assert received[1][1]["content-type"] == "application/octet-stream"
    handler.answer = 302, b""
    assert hook.send("https://shop.example/", {}) == 302  # and it is not followed
    handler.answer = 200, bytes(100_000)
    assert hook.send("https://shop.example/", {}) == 200  # it has arrived, whatever follows
    with pytest.raises(OSError, match=r"shop\.example\.evil does not respond"):  # the certificate is of another host
        hook.send("https://shop.example.evil/", {})


@rows(
    "url, address, host",
    ("https://shop.example/hook", ("93.184.215.14", 443), "shop.example"),
    ("https://shop.example:443/hook", ("93.184.215.14", 443), "shop.example"),
    ("https://shop.example:8443/hook", ("93.184.215.14", 8443), "shop.example:8443"),
    ("https://SHOP.example:8443/hook", ("93.184.215.14", 8443), "shop.example:8443"),
    (f"https://[{PUBLIC_IPV6}]/hook", (PUBLIC_IPV6, 443), f"[{PUBLIC_IPV6}]"),
    (f"https://[{PUBLIC_IPV6}]:8443/hook", (PUBLIC_IPV6, 8443), f"[{PUBLIC_IPV6}]:8443"),
)
def test_a_webhook_is_sent_to_any_port_and_over_ipv6(url, address, host, receiver):
    handler, received = receiver
    assert StandardWebhook(SECRET).send(url, {}) == 200
    assert (handler.asked[-1], received[-1][0], received[-1][1]["host"]) == (address, "/hook", host)


@rows(
    "url", ["https://shop.example:0/", "https://shop.example:65536/", "https://a@shop.example:1/", "https://[::1%1]/"]
)
def test_a_webhook_has_a_public_url(url):
    with pytest.raises(ValueError, match="a public URL"):
        StandardWebhook(SECRET).send(url, {})


def test_no_webhook_is_sent_to_ones_own_network():
    for url in ("https://localhost/", "https://127.0.0.1/", "https://169.254.169.254/latest/", "https://10.0.0.1/"):
        with pytest.raises(OSError, match="not on the public internet"):
            StandardWebhook(SECRET).send(url, {})


def test_it_does_not_block_a_loop():
    app = App()
    app.post("/")(sends)
    with pytest.raises(RuntimeError, match=r"event loop: await asyncio.to_thread\(webhook.send, url, data\) instead"):
        Client(app, raise_errors=True).post("/")


async def sends(request):
    StandardWebhook(SECRET).send("https://shop.example/", {})
