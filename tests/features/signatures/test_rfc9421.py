"""The examples of RFC 9421, in both directions: its signatures are valid here, and ours are its own."""

import json
from base64 import b64decode
from datetime import UTC, datetime
from pathlib import Path

import pytest

from antiphon import Request, Response
from antiphon.features import SignatureKey, SignatureRefused, Signatures, sign
from antiphon.features.signatures.components import Components
from antiphon.http import InnerList, parse_structured_dictionary
from tests.features.signatures.conftest import at
from tests.helpers.rows import rows


@pytest.fixture(autouse=True)
def then():
    with at(1618884480.0):
        yield


pytest.importorskip("cryptography")
DATA = json.loads((Path(__file__).parent / "rfc9421.json").read_text())
SIGNATURES = {each["section"]: each for each in DATA["signatures"]}
DETERMINISTIC = ("hmac-sha256", "ed25519")


def key_of(name, part="private"):
    known = DATA["keys"][name]
    secret = b64decode(known["secret"]) if "secret" in known else known[part]
    return SignatureKey(secret, known["algorithm"])


def message_of(name, fields=()):
    message = DATA["messages"][name]
    headers, body = [*message["headers"].items(), *fields], message["body"].encode()
    if "status" in message:
        return Response(body, message["status"], headers)
    return Request.blank(message["url"], message["method"], headers, body)


def signed(example):
    fields = [
        ("signature-input", f"{example['label']}={example['input']}"),
        ("signature", f"{example['label']}=:{example['signature']}:"),
    ]
    return message_of(example["message"], fields)


def base_of(example):
    message = message_of(example["message"])
    covered = parse_structured_dictionary(f"a={example['input']}")["a"]
    if isinstance(message, Response):
        head = message_of(example["answers"]).head if "answers" in example else None
        return Components(message.headers.items(), head, message.status).base(covered)
    return Components(message.head.fields(), message.head).base(covered)


@rows("section", SIGNATURES)
def test_its_signatures_are_valid(section):
    example = SIGNATURES[section]
    assert key_of(example["key"], "public").verify(base_of(example), b64decode(example["signature"]))
    assert key_of(example["key"]).verify(base_of(example), b64decode(example["signature"]))


@rows("section", SIGNATURES)
def test_a_message_is_signed_as_it_is_there(section):
    example = SIGNATURES[section]
    covered = parse_structured_dictionary(f"a={example['input']}")["a"]
    assert isinstance(covered, InnerList)
    given = covered.parameters
    ours = sign(
        message_of(example["message"]),
        key_of(example["key"]),
        keyid=given["keyid"],
        cover=[str(item) for item in covered.items],
        label=example["label"],
        created=datetime.fromtimestamp(given["created"], UTC),
        nonce=given.get("nonce", False),
        tag=given.get("tag"),
        request=message_of(example["answers"]) if "answers" in example else None,
    )
    made = parse_structured_dictionary(ours.headers["signature"])[example["label"]].value
    assert ours.headers["signature-input"] == f"{example['label']}={example['input']}"
    assert key_of(example["key"], "public").verify(base_of(example), made)
    if DATA["keys"][example["key"]]["algorithm"] in DETERMINISTIC:
        assert made == b64decode(example["signature"])


REQUESTS = [section for section, each in SIGNATURES.items() if "url" in DATA["messages"][each["message"]]]


@rows("section", REQUESTS)
def test_its_signed_requests_are_let_through(section):
    example = SIGNATURES[section]
    partners = Signatures({example["key"]: key_of(example["key"], "public")}, cover=[])
    signer = partners.verify(signed(example))
    assert (signer.key, signer.label) == (example["key"], example["label"])
    assert signer.created == datetime(2021, 4, 20, 2, 7, 53, tzinfo=UTC)


TRANSFORMED = [
    ("GET", "https://example.org/demo?name1=Value1&Name2=value2&param=added", "application/json, */*", True),
    ("GET", "https://example.org/demo?Name2=value2&name1=Value1", "application/json, */*", True),
    ("POST", "https://example.com/demo?name1=Value1&Name2=value2", "application/json, */*", False),
    ("GET", "https://example.org/demo?name1=Value1&Name2=value2", "*/*, application/json", False),
]


@rows("method, url, accept, is_valid", TRANSFORMED)
def test_a_message_may_be_transformed_where_it_is_not_covered(method, url, accept, is_valid):
    example = SIGNATURES["B.4"]
    request = signed(example)
    fields = [field for field in request.headers.items() if field[0] != "accept"]
    partners = Signatures({example["key"]: key_of(example["key"], "public")}, cover=[])
    changed = Request.blank(url, method, [*fields, ("accept", accept), ("accept-language", "en-US")])
    if is_valid:
        assert partners.verify(changed).label == "transform"
    else:
        with pytest.raises(SignatureRefused):
            partners.verify(changed)
