"""Keys and algorithms of HTTP message signatures (RFC 9421 §3.3). Each key has one algorithm, which no client chooses.

The cryptography package is imported only for keys that need it; HMAC secrets don't.
"""

import hmac
import sys
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, Union

from antiphon import Limits, explained
from antiphon.embedding import lazy, missing_package

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey

KeyMaterial: TypeAlias = Union[
    str, bytes, Mapping[str, object], "Ed25519PrivateKey", "Ed25519PublicKey", "EllipticCurvePrivateKey",
    "EllipticCurvePublicKey", "RSAPrivateKey", "RSAPublicKey",
]  # fmt: skip
"""A key's material: a PEM file, an HMAC secret, a JWK, or a key object from the cryptography package."""

SHORTEST_SECRET = 16
"""The minimum length of an HMAC secret in bytes."""
SMALLEST_RSA = 2048
"""The minimum size of an RSA key in bits."""

ONE_VALUE = Limits(json_repeats=0)
"""The limits for signed JSON, of which every program must read the same values."""

_EXTRA = "signatures"
_LONGEST_PEM = 16 << 10
_PEM = b"-----BEGIN"


class _Algorithm(NamedTuple):
    """The functions that sign and verify with a key object from cryptography or with a secret."""

    sign: Callable[[Any, bytes], bytes]
    is_valid: Callable[[Any, bytes, bytes], bool]


class SignatureKey:
    """A key that signs or verifies messages: an HMAC secret, or a private or public key. Provisional.

        key = SignatureKey(secret, "hmac-sha256")

    ``material`` is the text or bytes of a PEM file, a JWK as a dict (RFC 7517), a key object from the cryptography
    package, or at least 16 bytes that are an HMAC secret. Bytes that begin like a PEM file are never a secret.
    ``algorithm`` is a name from RFC 9421 §6.2.2, and is needed only for "rsa-v1_5-sha256". By default, an RSA key uses
    "rsa-pss-sha512", an Ed25519 key "ed25519", a key on the curve P-256 or P-384 "ecdsa-p256-sha256" or
    "ecdsa-p384-sha384", and a secret "hmac-sha256".
    """

    def __init__(self, material: "KeyMaterial", algorithm: str | None = None) -> None:
        """Raises TypeError or ValueError for anything else, and ValueError for an RSA key smaller than 2048 bits.
        Raises ModuleNotFoundError, naming the extra, if cryptography is needed but not installed.
        """
        self._key = _loaded(material)
        known = _algorithms_of(self._key)
        self.algorithm = known[0] if algorithm is None else algorithm
        """The algorithm's name (RFC 9421 §6.2.2)."""
        if self.algorithm not in known:
            raise explained("bad-signature-key", f"use this key with {' or '.join(known)}, not with {algorithm!r}")
        self._algorithm = _ALGORITHMS[self.algorithm]

    @classmethod
    def of(cls, key: "KeyMaterial | SignatureKey") -> "SignatureKey":
        """Return a key unchanged, or make one from its material. Raises the same errors as the class."""
        return key if isinstance(key, SignatureKey) else cls(key)

    @property
    def is_private(self) -> bool:
        """True if the key can sign."""
        return isinstance(self._key, bytes) or hasattr(self._key, "sign")

    def sign(self, data: bytes) -> bytes:
        """Return the signature of these bytes. Raises ValueError for a public key."""
        if not self.is_private:
            raise explained("bad-signature-key", "a public key can't sign: give the private key")
        return self._algorithm.sign(self._key, data)

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Return True if a signature of these bytes was made with this key or its private key."""
        return self._algorithm.is_valid(self._public, data, signature)

    @lazy
    def _public(self) -> Any:
        return self._key.public_key() if self.is_private and not isinstance(self._key, bytes) else self._key

    @lazy
    def jwk(self) -> Mapping[str, str]:
        """The public key as a JWK (RFC 7517, RFC 8037), to publish in a directory. Raises ValueError for a secret."""
        if isinstance(self._key, bytes):
            raise explained("bad-signature-key", "a secret must not be published: only a public key has a JWK")
        numbers = _public_members(self._public)
        return {**numbers, "kid": _thumbprint(numbers), "use": "sig"}

    @property
    def thumbprint(self) -> str:
        """The public key's thumbprint (RFC 7638, SHA-256), the ``keyid`` unless you give another.

        Raises ValueError for a secret.
        """
        return self.jwk["kid"]

    def __repr__(self) -> str:
        return f"<SignatureKey {self.algorithm}>"


def _loaded(material: object) -> Any:
    """Return a secret or a key object. Raises TypeError or ValueError for anything else."""
    if isinstance(material, str | bytes):
        data = material.encode() if isinstance(material, str) else material
        if data.lstrip().startswith(_PEM):
            return _from_pem(data.lstrip())
        if isinstance(material, str):
            raise explained(
                "bad-signature-key",
                "a key as text must be a PEM file, which begins with -----BEGIN; an HMAC secret must be bytes",
                TypeError,
            )
        return _checked_secret(data)
    if isinstance(material, Mapping):
        return _from_jwk(material)
    if not any(isinstance(material, kind) for kind in _kinds()):
        raise explained(
            "bad-signature-key",
            "a key must be a PEM file, a JWK, the bytes of an HMAC secret, or an Ed25519, ECDSA or RSA key of"
            f" cryptography, not {type(material).__name__}",
            TypeError,
        )
    return material


def _checked_secret(secret: bytes) -> bytes:
    if len(secret) < SHORTEST_SECRET:
        raise explained(
            "bad-signature-key", f"an HMAC secret must have at least {SHORTEST_SECRET} bytes, not {len(secret)}"
        )
    return secret


def _kinds() -> list[type]:
    """Return the classes of key objects that the program has imported."""
    place = "cryptography.hazmat.primitives.asymmetric"
    found = [getattr(sys.modules.get(f"{place}.{module}"), name, None) for module, name in _CLASSES]
    return [kind for kind in found if kind is not None]  # one may lack: its module is being imported


_CLASSES = (
    ("ed25519", "Ed25519PublicKey"), ("ed25519", "Ed25519PrivateKey"), ("ec", "EllipticCurvePublicKey"),
    ("ec", "EllipticCurvePrivateKey"), ("rsa", "RSAPublicKey"), ("rsa", "RSAPrivateKey"),
)  # fmt: skip


def _from_pem(data: bytes) -> Any:
    try:
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import serialization
    except ModuleNotFoundError as error:
        raise missing_package(error, _EXTRA) from None
    if len(data) > _LONGEST_PEM:
        raise explained("bad-signature-key", f"a key's PEM file must have at most {_LONGEST_PEM} bytes")
    try:
        if b"PRIVATE KEY-----" in data[:64]:
            return _loaded(serialization.load_pem_private_key(data, None))
        return _loaded(serialization.load_pem_public_key(data))
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise explained("bad-signature-key", f"not a PEM file with a key that has no password: {error}") from None


def _from_jwk(jwk: Mapping[str, object]) -> Any:
    kind = jwk.get("kty"), jwk.get("crv")
    try:
        if kind[0] == "oct":
            return _checked_secret(_number_bytes(jwk, "k"))
        if kind == ("OKP", "Ed25519"):
            return _ed25519(jwk)
        if kind[0] == "EC" and kind[1] in _CURVES:
            return _elliptic(jwk, str(kind[1]))
        if kind[0] == "RSA":
            return _rsa(jwk)
    except (TypeError, KeyError, ValueError) as error:
        raise explained("bad-signature-key", f"a malformed JWK: {error}") from None
    raise explained("bad-signature-key", f"a JWK must be an Ed25519, P-256, P-384 or RSA key or a secret, not {kind!r}")


def _ed25519(jwk: Mapping[str, object]) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
    except ModuleNotFoundError as error:
        raise missing_package(error, _EXTRA) from None
    if "d" in jwk:
        return Ed25519PrivateKey.from_private_bytes(_number_bytes(jwk, "d"))
    return Ed25519PublicKey.from_public_bytes(_number_bytes(jwk, "x"))


def _elliptic(jwk: Mapping[str, object], curve: str) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ec
    except ModuleNotFoundError as error:
        raise missing_package(error, _EXTRA) from None
    kind = {"P-256": ec.SECP256R1, "P-384": ec.SECP384R1}[curve]()
    public = ec.EllipticCurvePublicNumbers(_number(jwk, "x"), _number(jwk, "y"), kind)
    if "d" in jwk:
        return ec.EllipticCurvePrivateNumbers(_number(jwk, "d"), public).private_key()
    return public.public_key()


def _rsa(jwk: Mapping[str, object]) -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import rsa
    except ModuleNotFoundError as error:
        raise missing_package(error, _EXTRA) from None
    public = rsa.RSAPublicNumbers(_number(jwk, "e"), _number(jwk, "n"))
    if "d" not in jwk:
        return public.public_key()
    p, q, d, dp, dq, qi = [_number(jwk, name) for name in ("p", "q", "d", "dp", "dq", "qi")]
    return rsa.RSAPrivateNumbers(p, q, d, dp, dq, qi, public).private_key()


def _number_bytes(jwk: Mapping[str, object], name: str) -> bytes:
    text = jwk[name]
    if not isinstance(text, str) or len(text) > _LONGEST_PEM:
        raise ValueError(f"{name!r} must be text")
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _number(jwk: Mapping[str, object], name: str) -> int:
    return int.from_bytes(_number_bytes(jwk, name))


def _algorithms_of(key: Any) -> list[str]:
    """Return a key's algorithms, the usual one first. Raises ValueError for an unsupported curve or size."""
    if isinstance(key, bytes):
        return ["hmac-sha256"]
    curve = getattr(key, "curve", None)
    if curve is not None:
        if curve.name not in _CURVES.values():
            raise explained("bad-signature-key", f"the curve must be P-256 or P-384, not {curve.name}")
        return ["ecdsa-p256-sha256" if curve.name == _CURVES["P-256"] else "ecdsa-p384-sha384"]
    size = getattr(key, "key_size", None)
    if size is None:
        return ["ed25519"]
    if size < SMALLEST_RSA:
        raise explained("bad-signature-key", f"an RSA key must have at least {SMALLEST_RSA} bits, not {size}")
    return ["rsa-pss-sha512", "rsa-v1_5-sha256"]


_CURVES = {"P-256": "secp256r1", "P-384": "secp384r1"}


def _public_members(key: Any) -> dict[str, str]:
    """Return the JWK members that make up a key's thumbprint (RFC 7638 §3.2)."""
    if (curve := getattr(key, "curve", None)) is not None:
        numbers, size = key.public_numbers(), (key.key_size + 7) // 8
        name = next(name for name, known in _CURVES.items() if known == curve.name)
        return {"crv": name, "kty": "EC", "x": _encoded(numbers.x, size), "y": _encoded(numbers.y, size)}
    if hasattr(key, "key_size"):
        numbers = key.public_numbers()
        return {"e": _encoded(numbers.e), "kty": "RSA", "n": _encoded(numbers.n)}
    return {"crv": "Ed25519", "kty": "OKP", "x": _without_padding(key.public_bytes_raw())}


def _encoded(number: int, size: int = 0) -> str:
    return _without_padding(number.to_bytes(size or (number.bit_length() + 7) // 8))


def _without_padding(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _thumbprint(members: Mapping[str, str]) -> str:
    return _without_padding(sha256(dumps(members, sort_keys=True, separators=(",", ":")).encode()).digest())


# # The algorithms. These functions are called with objects from cryptography, which has been imported by then.


def _sign_hmac(secret: bytes, data: bytes) -> bytes:
    return hmac.digest(secret, data, "sha256")


def _is_hmac(secret: bytes, data: bytes, signature: bytes) -> bool:
    return hmac.compare_digest(hmac.digest(secret, data, "sha256"), signature)


def _sign_ed25519(key: Any, data: bytes) -> bytes:
    signature: bytes = key.sign(data)
    return signature


def _is_ed25519(key: Any, data: bytes, signature: bytes) -> bool:
    return _passes(lambda: key.verify(signature, data))


def _ecdsa(hash_name: str, size: int) -> _Algorithm:
    """Return the algorithm for a curve whose numbers have ``size`` bytes (RFC 9421 §3.3.4: r and s, concatenated)."""

    def kind() -> Any:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA

        return ECDSA(getattr(hashes, hash_name)())

    def sign(key: Any, data: bytes) -> bytes:
        from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

        return b"".join([number.to_bytes(size) for number in decode_dss_signature(key.sign(data, kind()))])

    def is_valid(key: Any, data: bytes, signature: bytes) -> bool:
        from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

        if len(signature) != 2 * size:
            return False
        encoded = encode_dss_signature(int.from_bytes(signature[:size]), int.from_bytes(signature[size:]))
        return _passes(lambda: key.verify(encoded, data, kind()))

    return _Algorithm(sign, is_valid)


def _with_rsa(arguments: Callable[[bool], tuple[Any, Any]]) -> _Algorithm:
    """Return an algorithm whose padding and hash are returned by a function, for signing or for verifying."""

    def sign(key: Any, data: bytes) -> bytes:
        signature: bytes = key.sign(data, *arguments(True))
        return signature

    def is_valid(key: Any, data: bytes, signature: bytes) -> bool:
        return _passes(lambda: key.verify(signature, data, *arguments(False)))

    return _Algorithm(sign, is_valid)


def _pss(signs: bool) -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.asymmetric.padding import MGF1, PSS
    from cryptography.hazmat.primitives.hashes import SHA512

    # Signers may use a longer salt than the RFC's: http-message-signatures 1.0.6 for Node.js does.
    return PSS(MGF1(SHA512()), 64 if signs else PSS.AUTO), SHA512()


def _pkcs1(_signs: bool) -> tuple[Any, Any]:
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    return PKCS1v15(), SHA256()


def _passes(verify: Callable[[], None]) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        verify()
    except InvalidSignature:
        return False
    return True


_ALGORITHMS = {
    "hmac-sha256": _Algorithm(_sign_hmac, _is_hmac),
    "ed25519": _Algorithm(_sign_ed25519, _is_ed25519),
    "ecdsa-p256-sha256": _ecdsa("SHA256", 32),
    "ecdsa-p384-sha384": _ecdsa("SHA384", 48),
    "rsa-pss-sha512": _with_rsa(_pss),
    "rsa-v1_5-sha256": _with_rsa(_pkcs1),
}
"""The algorithms in RFC 9421 §3.3, by name."""
