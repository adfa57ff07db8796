"""The page on passkeys: its app refuses what no browser would send. That it works, a test with a browser shows."""

import json
import re
from hashlib import sha256
from itertools import product
from pathlib import Path

import pytest

from antiphon.testing import Client
from tests.helpers.rows import rows

PAGE = (Path(__file__).parents[2] / "docs/how-to/passkeys.md").read_text()
(CODE,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
JSON = {"content-type": "application/json"}
STRANGE = ["null", "1", "true", "[]", "[1]", "{}", '"é\\u0000"', '{"name": null}', '{"name": []}', '{"name": ""}',
           '{"name": 1e30}', '{"rawId": 1}', '{"rawId": []}', '{"rawId": "é"}', '{"id": "a", "rawId": "a", "response": 1}',
           '{"id": "YQ", "rawId": "YQ", "type": "public-key", "response": {}}', "[" * 5000]  # fmt: skip


@pytest.fixture
def client():
    pytest.importorskip("webauthn")
    names: dict = {"__name__": "shop"}
    exec(CODE, names)
    return Client(names["app"], base_url="http://localhost:8000")


@rows("path", ["/register", "/sign-in"])
@rows("body", STRANGE, ids=lambda body: body[:40])
def test_a_strange_body_is_refused(client, path, body):
    assert client.post(f"/passkeys{path}", json={"name": "Ada"}).status == 200
    response = client.post(f"/passkeys{path}", body=body.encode(), headers=JSON)
    assert response.status in (400, 403, 422) or (path == "/sign-in" and "challenge" in response.json)


KEYS = [
    {},
    [],
    1,
    {1: "x"},
    {1: 2, 3: -7},
    {1: 2, 3: -7, -1: 1, -2: b"x" * 32, -3: b"y" * 32},
    {1: 3, 3: -257, -1: b""},
]
FORMATS = ["none", "packed", "fido-u2f", "tpm", "android-key", "android-safetynet", "apple", 1]
CHAINS = [None, [], [1], [b"x"]]


@pytest.mark.parametrize("format", FORMATS)
def test_a_key_that_is_not_one_is_refused(client, format):
    import cbor2
    from webauthn.helpers import bytes_to_base64url

    for key, chain in product(KEYS, CHAINS):
        challenge = client.post("/passkeys/register", json={"name": "Ada"}).json["challenge"]
        statement = {
            "x5c": chain,
            "alg": -7,
            "sig": b"x",
            "ver": "2.0",
            "response": b"a.b.c",
            "certInfo": b"\0",
            "pubArea": b"\0",
        }
        credential = sha256(b"localhost").digest() + b"\x45\0\0\0\1" + bytes(16) + b"\0\4abcd" + cbor2.dumps(key)
        attestation = cbor2.dumps({"fmt": format, "attStmt": statement, "authData": credential})
        asked = json.dumps({"type": "webauthn.create", "challenge": challenge, "origin": "http://localhost:8000"})
        response = {
            "clientDataJSON": bytes_to_base64url(asked.encode()),
            "attestationObject": bytes_to_base64url(attestation),
        }
        given = {"id": "YWJjZA", "rawId": "YWJjZA", "type": "public-key", "response": response}
        assert client.post("/passkeys/register", json=given).status == 403, (key, chain)
