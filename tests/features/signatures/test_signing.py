"""Signing: requests that are sent, and an app's responses."""

from base64 import b64encode
from datetime import UTC, datetime
from hashlib import sha256

import pytest

from antiphon import App, Request, Response
from antiphon.features import Compression, SignatureKey, Signatures, SignedResponses, sign
from antiphon.features.signatures.components import Components
from antiphon.http import parse_structured_dictionary
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.helpers.signed_requests import private_keys, public_keys

pytest.importorskip("cryptography")
pytestmark = pytest.mark.axes("interface")

SECRET = b"a secret that both sides know"
SITE = "https://shop.example"


def digest_of(body):
    return f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"


USUAL = [
    (Request.blank(f"{SITE}/a"), '("@method" "@authority" "@path")'),
    (Request.blank(f"{SITE}/a?b=1"), '("@method" "@authority" "@path" "@query")'),
    (Request.blank(SITE, "POST", body=b"{}"), '("@method" "@authority" "@path" "content-digest")'),
    (Request.blank(SITE, "PUT", {"content-type": "text/plain"}, b"a"),
     '("@method" "@authority" "@path" "content-type" "content-digest")'),
    (Response("a"), '("@status" "content-type" "content-digest")'),
    (Response(None, 204), '("@status" "content-digest")'),
    (Response(iter([b"a"])), '("@status" "content-type")'),
]  # fmt: skip


@rows("message, covered", USUAL)
def test_what_a_message_has_is_covered(message, covered):
    made = datetime(2027, 1, 15, 8, tzinfo=UTC)
    signed = sign(message, SECRET, keyid="p", created=made, nonce=False)
    if "content-type" in covered and isinstance(message, Response):
        assert signed.headers["content-type"]
    assert signed.headers["signature-input"].startswith(f'sig1={covered};created=1800000000;keyid="p"'), covered
    assert "signature" not in message.headers


def test_a_request_is_copied_with_its_body_and_its_digest():
    request = Request.blank(f"{SITE}/a", "POST", {"x-a": "1"}, b"{}")
    signed = sign(request, SECRET, keyid="p", tag="t", max_age=60, alg=True)
    assert (signed.body, signed.method, str(signed.url)) == (b"{}", "POST", f"{SITE}/a")
    assert signed.headers["content-digest"] == digest_of(b"{}")
    assert "signature" not in request.headers
    parameters = parse_structured_dictionary(signed.headers["signature-input"])["sig1"].parameters
    assert parameters["expires"] == parameters["created"] + 60
    assert (parameters["alg"], parameters["tag"], len(parameters["nonce"])) == ("hmac-sha256", "t", 22)
    own = sign(Request.blank(SITE, "POST", {"content-digest": "sha-512=:AAAA:"}, b"{}"), SECRET, keyid="p", nonce="n")
    assert own.headers["content-digest"] == "sha-512=:AAAA:"
    assert ';nonce="n"' in own.headers["signature-input"]


def test_the_id_of_a_public_key_is_its_thumbprint():
    signed = sign(Request.blank(SITE), private_keys()["ed25519"])
    thumbprint = SignatureKey(public_keys()["ed25519"]).thumbprint
    assert Signatures({thumbprint: public_keys()["ed25519"]}).verify(signed).key == thumbprint


def sign_public():
    sign(Request.blank(SITE), public_keys()["ed25519"])


WRONG = [
    (lambda: sign(Request.blank(SITE), SECRET, keyid="p", cover=["x-none"]), "the message has no field x-none"),
    (lambda: sign(Request.blank(SITE), SECRET, keyid="p", cover=["@status"]), "only a response has a @status"),
    (lambda: sign(Response(iter([b""])), SECRET, keyid="p", cover=["content-digest"]), "a stream's digest"),
    (lambda: sign(Response(""), SECRET, keyid="p", cover=['"@path";req']), "the request of .* is not known"),
    (lambda: sign(sign(Request.blank(SITE), SECRET, keyid="p"), SECRET, keyid="q"), "already has a signature 'sig1'"),
    (lambda: sign(Request.blank(SITE), SECRET), "a secret must not be published"),
    (sign_public, "a public key can't sign"),
    (lambda: SignedResponses(public_keys()["ed25519"]), "a public key can't sign"),
]


@rows("make, message", WRONG)
def test_what_can_not_be_signed_is_an_error(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def is_signed(request, answer, key):
    """True if a response has a valid signature for a request."""
    covered = parse_structured_dictionary(answer.headers["signature-input"])["sig1"]
    signature = parse_structured_dictionary(answer.headers["signature"])["sig1"].value
    base = Components(answer.headers.items(), request.head, answer.status).base(covered)
    return SignatureKey(key).verify(base, signature)


ANSWERS = [
    ("/text", "GET", ("@status", "content-type", "content-digest")),
    ("/page?a=1", "GET", ("@status", "content-type", "content-digest")),
    ("/text", "HEAD", ("@status", "content-type", "content-digest")),
    ("/stream", "GET", ("@status", "content-type")),
    ("/none", "GET", ("@status", "content-type", "content-digest")),
    ("/nothing", "POST", ("@status",)),
    ("/file", "GET", ("@status", "content-type")),
]


@rows("path, method, covered", ANSWERS)
def test_each_response_is_signed(path, method, covered, interface, tmp_path):
    (tmp_path / "a.txt").write_text("a" * 1000)
    app = App()
    app.use(SignedResponses(private_keys()["ed25519"]))
    app.use(Compression())
    app.get("/text")(lambda request: "a" * 2000)
    app.get("/page")(lambda request: Response.html("<p>" * 2000))
    app.get("/stream")(lambda request: iter(["a", "b"]))
    app.get("/file")(lambda request: Response.file(tmp_path / "a.txt"))

    @app.post("/nothing")
    def nothing(request) -> None:
        pass

    request = Request.blank(f"{SITE}{path}", method)
    with Client(app, interface, base_url=SITE) as client:
        answer = client.request(method, path, headers={"accept-encoding": "identity"})
        assert is_signed(request, answer, public_keys()["ed25519"])
        inputs = parse_structured_dictionary(answer.headers["signature-input"])["sig1"]
        assert tuple(item.value for item in inputs.items if "req" not in item.parameters) == covered
        if "content-digest" in covered and method != "HEAD":
            assert answer.headers["content-digest"] == digest_of(answer.body)
        other = Request.blank(f"{SITE}/other", method)
        assert not is_signed(other, answer, public_keys()["ed25519"])


def test_a_compressed_response_is_signed_as_it_is_sent(interface):
    seen, app = [], App()
    app.use(SignedResponses(SECRET, keyid="p", tag="t"))
    app.use(Compression())
    app.get("/")(lambda request: "a" * 5000)
    app.before_send(lambda request, response: seen.append(response.body))
    with Client(app, interface, base_url=SITE) as client:
        answer = client.get("/", headers={"accept-encoding": "gzip"})
    assert is_signed(Request.blank(SITE), answer, SECRET)
    assert (answer.headers["content-encoding"], answer.headers["content-digest"]) == ("gzip", digest_of(seen[0]))
    assert len(seen[0]) < 500
