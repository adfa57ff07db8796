"""A device with passkeys, whose user presses its button at once."""

import json
from hashlib import sha256
from itertools import count
from secrets import token_bytes

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import bytes_to_base64url

CREATED, SIGNED = b"\x45", b"\x05"
"""The flags of a user who is present and verified, with and without a new key (WebAuthn §6.1)."""


class Authenticator:
    """A device that answers the options of a site as a browser at an origin would have it do."""

    def __init__(self, origin="https://shop.example.com", host="shop.example.com"):
        self._origin, self._host = origin, host
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.id = token_bytes(16)
        self.uses = count(1)

    def create(self, options):
        numbers = self._key.public_key().public_numbers()
        key = {1: 2, 3: -7, -1: 1, -2: numbers.x.to_bytes(32), -3: numbers.y.to_bytes(32)}
        new = bytes(16) + len(self.id).to_bytes(2) + self.id + cbor2.dumps(key)
        attestation = {"fmt": "none", "attStmt": {}, "authData": self._data(CREATED) + new}
        return self._credential("webauthn.create", options, attestationObject=cbor2.dumps(attestation))

    def get(self, options):
        data = self._data(SIGNED)
        signed = data + sha256(self._asked("webauthn.get", options)).digest()
        signature = self._key.sign(signed, ec.ECDSA(SHA256()))
        return self._credential("webauthn.get", options, authenticatorData=data, signature=signature)

    def _data(self, flags):
        return sha256(self._host.encode()).digest() + flags + next(self.uses).to_bytes(4)

    def _asked(self, kind, options):
        return json.dumps({"type": kind, "challenge": options["challenge"], "origin": self._origin}).encode()

    def _credential(self, kind, options, **response):
        response["clientDataJSON"] = self._asked(kind, options)
        name = bytes_to_base64url(self.id)
        encoded = {each: bytes_to_base64url(value) for each, value in response.items()}
        return {"id": name, "rawId": name, "type": "public-key", "response": encoded}
