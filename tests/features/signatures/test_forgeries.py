"""Forged requests: whatever is changed in a signed request, or around it, it is refused."""

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import pytest

from antiphon import Request
from antiphon.features import MemoryStore, SignatureKey, sign
from antiphon.testing import Client
from tests.helpers.rows import rows
from tests.helpers.signed_requests import app_of, private_keys, public_keys

pytest.importorskip("cryptography")
pytestmark = pytest.mark.axes("interface", "style")

BODY = b'{"lamp": 3, "to": "Ada"}'
OTHER = b'{"lamp": 9, "to": "Eve"}'
URL = "https://shop.example/orders/7?rush=yes&n=1"
FIELDS = (("content-type", "application/json"), ("x-tenant", "north"), ("x-list", "a"), ("x-list", "b"))
COVER = ("@method", "@authority", "@path", "@query", "content-type", "x-tenant", "x-list", "content-digest")


class Sent(NamedTuple):
    """A request as it is sent."""

    method: str
    url: str
    headers: tuple
    body: bytes

    def put(self, name, value):
        return self._replace(headers=(*self.drop(name).headers, (name, value)))

    def drop(self, name):
        return self._replace(headers=tuple(line for line in self.headers if line[0] != name))

    def add(self, name, value):
        return self._replace(headers=(*self.headers, (name, value)))

    def edit(self, name, old, new):
        value = next(value for known, value in self.headers if known == name)
        assert old in value
        return self.put(name, value.replace(old, new, 1))

    def move(self, old, new):
        assert old in self.url
        return self._replace(url=self.url.replace(old, new))


def genuine(key="ed25519", *, keyid=None, url=URL, body=BODY, fields=FIELDS, cover=COVER, **options):
    """Return a request that is signed with a key."""
    material = private_keys()[key] if isinstance(key, str) else key
    request = Request.blank(url, "POST", fields, body)
    options = {"cover": cover, "tag": "orders"} | options
    signed = sign(request, material, keyid=keyid or key, **options)
    return Sent("POST", url, tuple(signed.headers.items()), body)


def digest_of(body):
    return f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"


def ago(**time):
    return datetime.now(UTC) - timedelta(**time)


def own_key():
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.generate()


def public_pem(name):
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return public_keys()[name].public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def resigned(sent, make):
    """Return a request with another signature, which ``make`` makes of the base that is signed."""
    request = Request.blank(sent.url, sent.method, [line for line in sent.headers if "signature" not in line[0]], BODY)
    made = []

    class Spy(SignatureKey):
        def sign(self, data):
            made.append(make(data))
            return made[-1]

    signed = sign(request, Spy(private_keys()["ed25519"]), keyid="ed25519", cover=COVER, tag="orders")
    return sent._replace(headers=tuple(signed.headers.items()))


def with_covered(sent, change):
    """Return a request whose Signature-Input covers something else."""
    value = next(value for name, value in sent.headers if name == "signature-input")
    start, end = value.index("(") + 1, value.index(")")
    items = value[start:end].split(" ")
    return sent.put("signature-input", value[:start] + " ".join(change(items)) + value[end:])


def swapped(sent, other, name):
    return sent.put(name, next(value for known, value in other.headers if known == name))


def many(sent):
    """Return a request with five signatures, the last one of which is valid."""
    for number in range(5):
        sent = sent.add("signature-input", f'a{number}=();created=1;keyid="ed25519";nonce="{number}";tag="orders"')
        sent = sent.add("signature", f"a{number}=:AAAA:")
    return sent


def by_public_key(base):
    return hmac.digest(public_pem("ed25519"), base, "sha256")


FORGERIES = {
    # each component changed
    "another method": lambda sent: sent._replace(method="GET"),
    "another host": lambda sent: sent.move("shop.example", "shop.example.evil"),
    "a host with a port": lambda sent: sent.move("shop.example", "shop.example:8443"),
    "another path": lambda sent: sent.move("/orders/7", "/orders/8"),
    "a longer path": lambda sent: sent.move("/orders/7", "/orders/77"),
    "another query": lambda sent: sent.move("n=1", "n=2"),
    "a field more in the query": lambda sent: sent._replace(url=f"{sent.url}&admin=1"),
    "a field less in the query": lambda sent: sent.move("&n=1", ""),
    "no query": lambda sent: sent.move("?rush=yes&n=1", ""),
    "the query in another order": lambda sent: sent.move("rush=yes&n=1", "n=1&rush=yes"),
    "the query in capitals": lambda sent: sent.move("yes", "YES"),
    "another content-type": lambda sent: sent.put("content-type", "text/plain"),
    "another value of a field": lambda sent: sent.put("x-tenant", "south"),
    "a field in capitals": lambda sent: sent.put("x-tenant", "North"),
    # dropped
    "a field dropped": lambda sent: sent.drop("x-tenant"),
    "an element dropped": lambda sent: sent.drop("x-list").add("x-list", "a"),
    "content-digest dropped": lambda sent: sent.drop("content-digest"),
    "signature dropped": lambda sent: sent.drop("signature"),
    "signature-input dropped": lambda sent: sent.drop("signature-input"),
    "both dropped": lambda sent: sent.drop("signature").drop("signature-input"),
    "a component dropped": lambda sent: with_covered(sent, lambda items: items[:-1]),
    "the query not covered": lambda sent: with_covered(sent, lambda items: [i for i in items if i != '"@query"']),
    "nothing covered": lambda sent: with_covered(sent, lambda items: []),
    # doubled
    "a field doubled": lambda sent: sent.add("x-tenant", "south"),
    "a field doubled before": lambda sent: sent._replace(headers=(("x-tenant", "south"), *sent.headers)),
    "an element doubled": lambda sent: sent.add("x-list", "b"),
    "a component doubled": lambda sent: with_covered(sent, lambda items: [*items, items[0]]),
    "content-digest doubled": lambda sent: sent.add("content-digest", digest_of(OTHER)),
    "a field of the query doubled": lambda sent: sent._replace(url=f"{sent.url}&n=2"),
    # reordered
    "elements reordered": lambda sent: sent.drop("x-list").add("x-list", "b").add("x-list", "a"),
    "components reordered": lambda sent: with_covered(sent, lambda items: items[::-1]),
    # components that are not what they seem
    "a component with a flag more": lambda sent: with_covered(sent, lambda items: [*items[:-1], f"{items[-1]};sf"]),
    "a component of a trailer": lambda sent: with_covered(sent, lambda items: [*items, '"x-trailer";tr']),
    "a component of a response": lambda sent: with_covered(sent, lambda items: [*items, '"@status"']),
    "a component of another request": lambda sent: with_covered(sent, lambda items: [*items, '"@path";req']),
    "a component that is not known": lambda sent: with_covered(sent, lambda items: [*items, '"@body"']),
    "a component in capitals": lambda sent: with_covered(sent, lambda items: [i.upper() for i in items]),
    "a token for a component": lambda sent: with_covered(sent, lambda items: ["x-tenant", *items]),
    "the parameters as a component": lambda sent: with_covered(sent, lambda items: [*items, '"@signature-params"']),
    # old, future, replayed
    "an old one": lambda sent: genuine(created=ago(minutes=6)),
    "one of the future": lambda sent: genuine(created=ago(minutes=-6)),
    "an expired one": lambda sent: genuine(created=ago(seconds=10), max_age=5),
    "another time of creation": lambda sent: sent.edit("signature-input", ";created=1", ";created=2"),
    "without a time": lambda sent: sent.put("signature-input", without(sent, "created")),
    "a time that is text": lambda sent: sent.edit("signature-input", ";created=", ';created="now";was='),
    "an expiry more": lambda sent: sent.edit("signature-input", ";keyid", ";expires=9999999999;keyid"),
    "without a nonce": lambda sent: genuine(nonce=False),
    "another nonce": lambda sent: sent.edit("signature-input", ';nonce="', ';nonce="x'),
    "a nonce that is a token": lambda sent: sent.edit("signature-input", ';nonce="', ';nonce=n;m="'),
    "for another use": lambda sent: genuine(tag="web-bot-auth"),
    "for no use": lambda sent: genuine(tag=None),
    # key confusion
    "by an unknown key": lambda sent: genuine(own_key(), keyid="partner-9"),
    "by an own key under another's id": lambda sent: genuine(own_key(), keyid="ed25519"),
    "under another partner's id": lambda sent: sent.edit("signature-input", 'keyid="ed25519"', 'keyid="hmac-sha256"'),
    "under the id of a key of another kind": lambda sent: genuine("ecdsa-p256-sha256", keyid="rsa-pss-sha512"),
    "without an id": lambda sent: sent.put("signature-input", without(sent, "keyid")),
    "an id that is a URL": lambda sent: genuine(own_key(), keyid="https://evil.example/key"),
    # algorithm confusion
    "HMAC with the public key": lambda sent: resigned(sent, by_public_key),
    "another algorithm named": lambda sent: genuine(alg=True).edit("signature-input", '"ed25519"', '"hmac-sha256"'),
    "no algorithm": lambda sent: genuine(alg=True).edit("signature-input", 'alg="ed25519"', 'alg="none"'),
    "an empty signature": lambda sent: resigned(sent, lambda base: b""),
    "zeros as a signature": lambda sent: resigned(sent, lambda base: bytes(64)),
    "zeros for ECDSA": lambda sent: genuine("ecdsa-p256-sha256").put("signature", f"sig1=:{'A' * 86}==:"),
    "the base as its signature": lambda sent: resigned(sent, lambda base: base),
    "a signature that is text": lambda sent: sent.edit("signature", "=:", '="').edit("signature", ":", '"'),
    # the body
    "another body": lambda sent: sent._replace(body=OTHER),
    "another body with its digest": lambda sent: sent._replace(body=OTHER).put("content-digest", digest_of(OTHER)),
    "no body": lambda sent: sent._replace(body=b""),
    "a longer body": lambda sent: sent._replace(body=BODY + b" "),
    "a digest of another kind": lambda sent: genuine(fields=(*FIELDS, ("content-digest", "md5=:AAAA:"))),
    "an empty digest": lambda sent: sent.put("content-digest", "sha-256=::"),
    "a digest that is not covered": lambda sent: genuine(cover=COVER[:-1]),
    # signatures mixed up
    "the signature of another request": lambda sent: swapped(sent, genuine(url=URL.replace("7", "8")), "signature"),
    "the input of another request": lambda sent: swapped(sent, genuine(body=OTHER), "signature-input"),
    "under another label": lambda sent: sent.edit("signature", "sig1=", "sig2="),
    "a label more": lambda sent: sent.add("signature", "sig9=:AAAA:"),
    "a malformed input": lambda sent: sent.edit("signature-input", "(", "(("),
    "too many signatures": many,
}  # fmt: skip


def without(sent, parameter):
    """Return Signature-Input without a parameter."""
    value = next(value for name, value in sent.headers if name == "signature-input")
    return ";".join([part for part in value.split(";") if not part.startswith(f"{parameter}=")])


def send(client, sent):
    return client.request(sent.method, sent.url, headers=sent.headers, body=sent.body)


@rows("name", FORGERIES)
def test_a_forged_request_is_refused(name, interface, style):
    app = app_of(style, cover=COVER, tag="orders", store=MemoryStore())
    with Client(app, interface, base_url="https://shop.example") as client:
        sent = genuine()
        refused = send(client, FORGERIES[name](sent))
        assert refused.status in (400, 401), refused.text
        assert send(client, sent).json["by"] == "ed25519"


def test_an_encoded_path_is_another_one_where_the_server_tells_it(interface, style):
    app = app_of(style, cover=COVER, tag="orders")
    with Client(app, interface, base_url="https://shop.example") as client:
        status = send(client, genuine().move("/orders/7", "/orders/%37")).status
    assert status == (200 if interface == "rsgi" else 401)  # RSGI gives only the decoded path, which is the same
