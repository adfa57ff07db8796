"""Keys: what they are made of, the one algorithm of each, and what is no key."""

import base64
import subprocess
import sys

import pytest

from antiphon.features import SignatureKey
from tests.helpers.rows import rows
from tests.helpers.signed_requests import private_keys, public_keys

pytest.importorskip("cryptography")
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec, ed448, rsa


@rows("algorithm", private_keys())
def test_a_key_verifies_what_it_signs(algorithm):
    private, public = SignatureKey(private_keys()[algorithm]), SignatureKey(public_keys()[algorithm])
    made = private.sign(b"base")
    assert (private.algorithm, public.algorithm) == (algorithm, algorithm)
    assert public.verify(b"base", made)
    assert private.verify(b"base", made)
    wrong = [(b"other", made), (b"base", made[:-1]), (b"base", made + b"\0"), (b"base", b""), (b"base", made[::-1])]
    assert not any(public.verify(data, signature) for data, signature in wrong)


@rows("algorithm", [name for name in private_keys() if name != "hmac-sha256"])
def test_a_key_is_read_from_files_and_jwks(algorithm):
    private = private_keys()[algorithm]
    pem = private.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    public_pem = private.public_key().public_bytes(forms.Encoding.PEM, forms.PublicFormat.SubjectPublicKeyInfo)
    made = SignatureKey(pem.decode()).sign(b"base")
    public = SignatureKey(public_pem)
    assert public.verify(b"base", made)
    assert SignatureKey(dict(public.jwk)).verify(b"base", made)
    assert (public.is_private, SignatureKey(pem).is_private) == (False, True)
    with pytest.raises(ValueError, match="a public key can't sign"):
        public.sign(b"base")


def test_a_private_jwk_signs():
    numbers = private_keys()["ecdsa-p256-sha256"].private_numbers()
    public = SignatureKey(private_keys()["ecdsa-p256-sha256"])
    d = base64.urlsafe_b64encode(numbers.private_value.to_bytes(32)).decode().rstrip("=")
    assert public.verify(b"base", SignatureKey({**public.jwk, "d": d}).sign(b"base"))
    private = private_keys()["rsa-pss-sha512"]
    numbers = private.private_numbers()
    parts = {
        "p": numbers.p, "q": numbers.q, "d": numbers.d, "dp": numbers.dmp1, "dq": numbers.dmq1, "qi": numbers.iqmp,
    }  # fmt: skip
    jwk = {
        name: base64.urlsafe_b64encode(part.to_bytes((part.bit_length() + 7) // 8)).decode().rstrip("=")
        for name, part in parts.items()
    }
    public = SignatureKey(private)
    assert public.verify(b"base", SignatureKey({**public.jwk, **jwk}).sign(b"base"))
    secret = base64.urlsafe_b64encode(b"a secret that both sides know").decode()
    assert SignatureKey({"kty": "oct", "k": secret}).algorithm == "hmac-sha256"


# RFC 8037 A.3, and the key of the drafts of Web Bot Auth, which is test-key-ed25519 of RFC 9421.
THUMBPRINTS = [
    ({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
     "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ({"kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"},
     "poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U"),
]  # fmt: skip


@rows("jwk, thumbprint", THUMBPRINTS)
def test_a_thumbprint_is_that_of_the_rfcs(jwk, thumbprint):
    assert SignatureKey(jwk).thumbprint == thumbprint
    assert SignatureKey(jwk).jwk == {**jwk, "kid": thumbprint, "use": "sig"}


def pem_of(key):
    return key.private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, forms.NoEncryption())


NO_KEYS = [
    (b"short", None, ValueError, "an HMAC secret must have at least 16 bytes, not 5"),
    ("a secret as text, which is not a file", None, TypeError, "an HMAC secret must be bytes"),
    (b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", None, ValueError, "not a PEM file with a key"),
    (b"-----BEGIN " + b"A" * 20000, None, ValueError, "must have at most 16384 bytes"),
    (7, None, TypeError, "not int"),
    (None, None, TypeError, "not NoneType"),
    ({}, None, ValueError, "a JWK must be an Ed25519"),
    ({"kty": "OKP", "crv": "X25519", "x": "AAAA"}, None, ValueError, "a JWK must be an Ed25519"),
    ({"kty": "OKP", "crv": "Ed25519", "x": 7}, None, ValueError, "a malformed JWK"),
    ({"kty": "OKP", "crv": "Ed25519"}, None, ValueError, "a malformed JWK"),
    ({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}, None, ValueError, "a malformed JWK"),
    ({"kty": "oct", "k": "AAAA"}, None, ValueError, "a malformed JWK"),
    (b"a secret that both sides know", "ed25519", ValueError, "use this key with hmac-sha256, not with 'ed25519'"),
]


@rows("material, algorithm, kind, message", NO_KEYS)
def test_anything_else_is_no_key(material, algorithm, kind, message):
    with pytest.raises(kind, match=message):
        SignatureKey(material, algorithm)


def test_a_key_may_be_of_an_unknown_kind():
    for key, message in (
        (ec.generate_private_key(ec.SECP521R1()), "the curve must be P-256 or P-384, not secp521r1"),
        (rsa.generate_private_key(65537, 1024), "an RSA key must have at least 2048 bits, not 1024"),
    ):
        with pytest.raises(ValueError, match=message):
            SignatureKey(key)
    with pytest.raises((TypeError, ValueError), match=r"Ed448|PEM"):
        SignatureKey(pem_of(ed448.Ed448PrivateKey.generate()))
    locked = forms.BestAvailableEncryption(b"secret")
    pem = private_keys()["ed25519"].private_bytes(forms.Encoding.PEM, forms.PrivateFormat.PKCS8, locked)
    with pytest.raises(ValueError, match="that has no password"):
        SignatureKey(pem)
    with pytest.raises(ValueError, match="a secret must not be published"):
        SignatureKey(b"a secret that both sides know").thumbprint  # noqa: B018


def test_an_old_rsa_algorithm_is_named():
    private = private_keys()["rsa-pss-sha512"]
    old, new = SignatureKey(private, "rsa-v1_5-sha256"), SignatureKey(private)
    assert old.verify(b"base", old.sign(b"base"))
    assert not new.verify(b"base", old.sign(b"base"))
    assert not old.verify(b"base", new.sign(b"base"))


WITHOUT = """
import sys
sys.modules["cryptography"] = None
from antiphon import App, Request
from antiphon.features import SignatureKey, Signatures, StandardWebhook, sign
from antiphon.testing import Client
secret = b"a secret that both sides know"
app = App()
app.use(Signatures({"partner": secret}))
app.get("/", signed_by="partners")(lambda request: request.signature.key)
sent = sign(Request.blank("http://testserver/"), secret, keyid="partner")
print(Client(app, base_url="http://testserver").get("/", headers=sent.headers.items()).text)
try:
    SignatureKey({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
except ModuleNotFoundError as error:
    print(error)
try:
    SignatureKey("-----BEGIN PUBLIC KEY-----")
except ModuleNotFoundError as error:
    print(error)
"""


@pytest.mark.processes
def test_a_secret_needs_no_package_and_other_keys_name_the_extra():
    printed = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True, check=True).stdout
    first, *others = printed.splitlines()
    assert first == "partner"
    assert [each.partition(": ")[2] for each in others] == ["pip install 'antiphon[signatures]'"] * 2


@pytest.mark.processes
def test_the_feature_imports_no_cryptography():
    code = "import sys; from antiphon.features import Signatures, sign, Webhook; print('cryptography' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
