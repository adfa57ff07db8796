"""Directories of keys: what is read of them, when they are fetched, and from where."""

import json
import socket

import pytest

from antiphon import App, Request
from antiphon.features import KeyDirectory, SignatureKey, Signatures, sign
from antiphon.features.signatures import directory as module
from antiphon.features.signatures.directory import NotReachable, public_url, request_public
from antiphon.testing import Client
from tests.features.signatures.conftest import at
from tests.helpers.rows import rows
from tests.helpers.signed_requests import private_keys, public_keys

pytest.importorskip("cryptography")
AGENT = "https://agent.example"
WELL_KNOWN = f"{AGENT}/.well-known/http-message-signatures-directory"


def jwk(algorithm="ed25519", **members):
    return {**SignatureKey(public_keys()[algorithm]).jwk, **members}


def thumbprint(algorithm="ed25519"):
    return SignatureKey(public_keys()[algorithm]).thumbprint


class Site:
    """Sites with directories, which count how often they are asked."""

    def __init__(self, **pages):
        self.pages = {WELL_KNOWN: {"keys": [jwk()]}} | pages
        self.asked = []

    def __call__(self, url):
        self.asked.append(url)
        found = self.pages[url]
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, bytes) else json.dumps(found).encode()


@pytest.fixture
def now(monkeypatch):
    """The time of directories, which a test turns on."""
    now = [1000.0]
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    return now


def test_a_key_is_found_by_its_thumbprint(now):
    site = Site()
    keys = KeyDirectory(AGENT, fetch=site)
    assert not keys.has_at_hand(thumbprint())
    found = keys(thumbprint())
    assert (found.algorithm, found.directory) == ("ed25519", WELL_KNOWN)
    assert keys.has_at_hand(thumbprint())
    for _ in range(3):
        assert keys(thumbprint()).thumbprint == thumbprint()
    assert site.asked == [WELL_KNOWN]


def test_it_is_fetched_again_when_it_is_old_or_lacks_a_key_at_most_once_a_minute(now):
    site = Site()
    keys = KeyDirectory(AGENT, ttl=600, fetch=site)
    assert keys(thumbprint("ecdsa-p256-sha256")) is None
    site.pages[WELL_KNOWN] = {"keys": [jwk("ecdsa-p256-sha256")]}  # rotated
    assert keys(thumbprint("ecdsa-p256-sha256")) is None
    assert keys(thumbprint()) is not None
    now[0] += 61
    assert keys(thumbprint("ecdsa-p256-sha256")) is not None
    assert keys(thumbprint()) is None
    assert len(site.asked) == 2
    now[0] += 599
    keys(thumbprint("ecdsa-p256-sha256"))
    assert len(site.asked) == 2
    now[0] += 2
    keys(thumbprint("ecdsa-p256-sha256"))
    assert len(site.asked) == 3


def test_keys_are_kept_for_a_day_while_it_does_not_answer(now, caplog):
    site = Site()
    keys = KeyDirectory(AGENT, ttl=600, fetch=site)
    assert keys(thumbprint()) is not None
    site.pages[WELL_KNOWN] = OSError("down")
    now[0] += 700
    assert keys(thumbprint()) is not None
    assert caplog.messages == [f"The keys at {WELL_KNOWN} can't be read: down"]
    now[0] += 24 * 3600
    assert keys(thumbprint()) is None


PUBLISHED = [
    ({"keys": []}, False),
    ({"keys": [jwk()]}, True),
    ({"keys": [jwk(use="enc")]}, False),
    ({"keys": [jwk(alg="EdDSA")]}, True),
    ({"keys": [jwk(alg="HS256")]}, False),
    ({"keys": [jwk(alg="none")]}, False),
    ({"keys": [jwk(nbf=2000)]}, False),
    ({"keys": [jwk(nbf=1000, exp=2000)]}, True),
    ({"keys": [jwk(exp=1500)]}, False),
    ({"keys": [jwk(exp="never")]}, False),
    ({"keys": [{"kty": "oct", "k": "YSBzZWNyZXQgdGhhdCBib3RoIHNpZGVzIGtub3c"}, 7, None, [], {"kty": []}, jwk()]}, True),
    ({"keys": [{"kty": "OKP"}] * 100 + [jwk()]}, False),
    ([jwk()], False),
    ({"keys": {"a": jwk()}}, False),
    (b"{", False),
    (b"\xff", False),
    (b"[" * 100_000, False),
    (b" " * 70_000 + json.dumps({"keys": [jwk()]}).encode(), False),
]


@rows("page, is_found", PUBLISHED)
def test_only_keys_that_verify_count(page, is_found):
    keys = KeyDirectory(AGENT, fetch=Site(**{WELL_KNOWN: page}))
    with at(1500.0):
        assert (keys(thumbprint()) is not None) == is_found


def test_a_secret_never_comes_from_a_directory():
    keys = KeyDirectory(
        AGENT, fetch=Site(**{WELL_KNOWN: {"keys": [{"kty": "oct", "kid": "k", "k": "A" * 40}]}}), by="kid"
    )
    assert keys("k") is None


def test_a_key_may_be_found_by_its_kid_in_one_directory():
    site = Site(**{f"{AGENT}/jwks.json": {"keys": [jwk(kid="2027-01"), jwk("ecdsa-p256-sha256", kid="2027-01")]}})
    keys = KeyDirectory(f"{AGENT}/jwks.json", by="kid", fetch=site)
    assert keys("2027-01").algorithm == "ed25519"
    assert keys(thumbprint()) is None


def test_of_several_directories_the_first_with_a_key_counts():
    other = "https://other.example/keys"
    site = Site(**{other: {"keys": [jwk("ecdsa-p256-sha256"), jwk()]}})
    keys = KeyDirectory(AGENT, other, fetch=site)
    assert keys(thumbprint()).directory == WELL_KNOWN
    assert keys(thumbprint("ecdsa-p256-sha256")).directory == other


@rows("style", ["def", "async def"])
def test_an_agent_is_let_through(style):
    site, app = Site(), App()
    app.use(Signatures(KeyDirectory(AGENT, fetch=site), name="agents", cover=["@authority"], tag="web-bot-auth"))

    def page(request: Request):
        return request.signature.directory

    async def apage(request: Request):
        return page(request)

    app.get("/", signed_by="agents")(page if style == "def" else apage)
    agent = sign(
        Request.blank("https://shop.example/", headers={"signature-agent": f'"{AGENT}"'}),
        private_keys()["ed25519"],
        cover=["@authority", "signature-agent"],
        tag="web-bot-auth",
        max_age=300,
    )
    stranger = sign(Request.blank("https://shop.example/"), private_keys()["ecdsa-p256-sha256"], tag="web-bot-auth")
    with Client(app, base_url="https://shop.example") as client:
        assert client.get("/", headers=agent.headers.items()).text == WELL_KNOWN
        assert client.get("/", headers=stranger.headers.items()).status == 401
        assert client.get("/").status == 401
    assert site.asked == [WELL_KNOWN]


URLS = [
    "", "agent.example", "http://agent.example", "https://agent.example:8443", "https://user@agent.example",
    "https:/agent.example", "file:///etc/passwd", "https://faß.example", "https://0x7f.1/",
]  # fmt: skip


@rows("url", URLS)
def test_a_directory_has_a_public_url(url):
    with pytest.raises(ValueError, match="URL"):
        KeyDirectory(url)


@rows("make, message", [
    (KeyDirectory, "needs URLs of directories"),
    (lambda: KeyDirectory(AGENT, "https://b.example", by="kid"), "needs one URL, since"),
])  # fmt: skip
def test_mistakes_are_told(make, message):
    with pytest.raises(ValueError, match=message):
        make()


HOSTS = [
    "localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0",
    "::1", "::", "::10.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
    "2001:0:1::1", "2002:a00:1::1", "2001:db8::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@rows("host", HOSTS)
def test_nothing_is_fetched_that_is_not_public(host, monkeypatch):
    if ":" in host:  # so that it is refused on machines without IPv6, too
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(socket.AF_INET6, 1, 6, "", (host, 443, 0, 0))])
    url = public_url(f"https://{f'[{host}]' if ':' in host else host}/", any_port=True)
    with pytest.raises(NotReachable, match="is not on the public internet"):
        request_public("GET", url, {}, most=10)


@rows("other", ["10.0.0.1", "fd00::1", "64:ff9b::10.0.0.1"])
def test_a_host_with_one_address_that_is_not_public_is_not_asked(other, monkeypatch):
    found = [(socket.AF_INET, 1, 6, "", (address, 443)) for address in ("93.184.215.14", other)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    with pytest.raises(NotReachable, match="is not on the public internet"):
        request_public("GET", public_url("https://shop.example/"), {}, most=10)
