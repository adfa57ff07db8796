"""Other implementations of RFC 9421: each verifies what is signed here, and what it signs is let through.

Those of npm are tried where `scripts/weekly interop` has fetched them.
"""

import json
import subprocess
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest

from antiphon import Request
from antiphon.features import SignatureKey, SignatureRefused, Signatures, StandardWebhook, WebhookRefused, sign
from tests.helpers.rows import rows
from tests.helpers.signed_requests import private_keys, public_keys

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import serialization as forms

TOOLS = Path(__file__).parents[3] / "var" / "interop"
"""The folder with the packages of npm."""

URL = "https://shop.example/orders/7?rush=yes&n=1"
BODY = b'{"lamp": 3}'
FIELDS = {"content-type": "application/json"}
COVER = ("@method", "@authority", "@path", "@query", "content-type", "content-digest")
OLD_RSA = "rsa-v1_5-sha256"
ALGORITHMS = (*private_keys(), OLD_RSA)


def key_of(algorithm, keys=None):
    named = "rsa-pss-sha512" if algorithm == OLD_RSA else algorithm
    return SignatureKey((keys or private_keys())[named], algorithm)


def ours(algorithm, body=BODY, cover=COVER, **options):
    request = Request.blank(URL, "POST", FIELDS, body)
    return sign(request, key_of(algorithm), keyid=algorithm, cover=cover, **options)


def is_let_through(headers, algorithm, body=BODY, url=URL):
    partners = Signatures({algorithm: key_of(algorithm, public_keys())}, cover=COVER)
    try:
        return partners.verify(Request.blank(url, "POST", headers, body)).key == algorithm
    except SignatureRefused:
        return False


def with_covered(algorithm):
    """Return signed headers, and those with parts changed, which no implementation may accept."""
    good = dict(ours(algorithm).headers.items())
    return [good, good | {"content-type": "text/plain"}, good | {"signature": "sig1=:AAAA:"}]


# http-message-signatures 3.0.0, of PyPI


def theirs(algorithm):
    library = pytest.importorskip("http_message_signatures")
    kind = getattr(library.algorithms, algorithm.upper().replace("-", "_"))
    resolver = SimpleNamespace(
        resolve_private_key=lambda keyid: _material(private_keys(), keyid),
        resolve_public_key=lambda keyid: _material(public_keys(), keyid),
    )
    return library, {"signature_algorithm": kind, "key_resolver": resolver}


def _material(keys, algorithm):
    return keys["rsa-pss-sha512" if algorithm == OLD_RSA else algorithm]


def message(headers, url=URL):
    return SimpleNamespace(method="POST", url=url, headers=dict(headers))


@rows("algorithm", ALGORITHMS)
def test_http_message_signatures_verifies_ours(algorithm):
    library, options = theirs(algorithm)
    verifier = library.HTTPMessageVerifier(**options)
    good, *bad = with_covered(algorithm)
    (found,) = verifier.verify(message(good), body=BODY, max_age=timedelta(minutes=5), require_components=COVER)
    assert found.parameters["keyid"] == algorithm
    for headers in bad:
        with pytest.raises(library.InvalidSignature):
            verifier.verify(message(headers), body=BODY)
    with pytest.raises(library.InvalidSignature):
        verifier.verify(message(good), body=b"{}")


@rows("algorithm", ALGORITHMS)
def test_what_http_message_signatures_signs_is_let_through(algorithm):
    library, options = theirs(algorithm)
    sent = message(FIELDS)
    library.HTTPMessageSigner(**options).sign(
        sent,
        key_id=algorithm,
        body=BODY,
        covered_component_ids=COVER[:-1],
        created=datetime.now(UTC),
        nonce="n",
        tag="t",
    )
    assert is_let_through(sent.headers, algorithm)
    assert not is_let_through(sent.headers, algorithm, body=b"{}")
    assert not is_let_through(sent.headers, algorithm, url=URL.replace("7", "8"))


COMPONENTS = ("@target-uri", "@request-target", "@scheme", '"@query-param";name="rush"', '"x-dict";key="b"', '"x-a";bs')


def test_http_message_signatures_has_the_same_components():
    library, options = theirs("ed25519")
    fields = [("x-dict", 'a=1, b=(1 "two");c'), ("x-a", "caf\xe9, 1"), ("date", "Tue, 20 Apr 2021 02:07:55 GMT")]
    request = Request.blank(URL, "POST", fields)
    signed = sign(request, key_of("ed25519"), keyid="ed25519", cover=(*COMPONENTS, "date"))
    (found,) = library.HTTPMessageVerifier(**options).verify(message(signed.headers.items()))
    assert len(found.covered_components) == 8


# requests-http-signature 2.0.0, of PyPI


def test_requests_http_signature_works_with_ours():
    library = pytest.importorskip("requests_http_signature")
    requests = pytest.importorskip("requests")
    _, options = theirs("hmac-sha256")
    secret = private_keys()["hmac-sha256"]
    auth = library.HTTPSignatureAuth(
        signature_algorithm=options["signature_algorithm"], key=secret, key_id="hmac-sha256",
        covered_component_ids=COVER[:-1],
    )  # fmt: skip
    sent = requests.Request("POST", URL, headers=FIELDS, data=BODY, auth=auth).prepare()
    assert is_let_through(sent.headers, "hmac-sha256")
    assert not is_let_through(sent.headers, "hmac-sha256", body=b"{}")
    good, *bad = with_covered("hmac-sha256")
    verify = library.HTTPSignatureAuth.verify
    assert verify(requests.Request("POST", URL, headers=good, data=BODY).prepare(), require_components=COVER, **options)
    for headers in bad:
        with pytest.raises(library.InvalidSignature):
            verify(
                requests.Request("POST", URL, headers=headers, data=BODY).prepare(), require_components=COVER, **options
            )


# http-message-signatures 1.0.6, standardwebhooks 1.1.1, of npm


def pem_of(algorithm):
    key = private_keys()["rsa-pss-sha512" if algorithm == OLD_RSA else algorithm]
    if isinstance(key, bytes):
        return {"secret": key.decode()}
    private = key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    public = key.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    return {"private": private.decode(), "public": public.decode()}


@pytest.mark.processes
def test_the_packages_of_npm_work_with_ours():
    if not (TOOLS / "node_modules" / "http-message-signatures").is_dir():
        pytest.skip("scripts/weekly interop fetches the packages")
    hook = StandardWebhook(b"a secret of a webhook, of 32 bytes")
    signed = dict(ours("ed25519").headers.items())
    headers = FIELDS | {"content-digest": signed["content-digest"]}
    webhook = {
        "secret": b64encode(b"a secret of a webhook, of 32 bytes").decode(),
        "body": BODY.decode(),
        "headers": hook.sign(BODY),
    }
    given = {
        "url": URL, "headers": headers, "keys": {name: pem_of(name) for name in ALGORITHMS},
        "ours": {name: with_covered(name) for name in ALGORITHMS}, "webhook": webhook,
    }  # fmt: skip
    script = Path(__file__).with_name("interop.mjs")
    command = ["node", str(script), str(TOOLS)]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert answer["verified"] == {name: [True, False, False] for name in ALGORITHMS}
    for name in ALGORITHMS:
        assert is_let_through(_plain(answer["signed"][name]), name), name
        assert not is_let_through(_plain(answer["signed"][name]), name, body=b"{}"), name
    assert answer["webhook"]["verified"]
    assert takes(hook, answer["webhook"]["headers"])


def _plain(headers):
    return {name.lower(): value if isinstance(value, str) else ", ".join(value) for name, value in headers.items()}


def takes(hook, headers):
    try:
        return hook(Request.blank("/", "POST", headers, BODY)) is None
    except WebhookRefused:
        return False
