"""Requests to URLs that others have chosen: none reaches a host that is not public."""

import socket

import pytest

from antiphon.features.signatures.public_requests import NotReachable, post_public, public_url
from tests.helpers.rows import rows

HOSTS = [
    "localhost", "127.0.0.1", "10.0.0.1", "169.254.169.254", "192.168.1.1", "100.64.0.1", "224.0.0.1", "0.0.0.0",
    "::1", "::", "::10.0.0.1", "::ffff:10.0.0.1", "::ffff:93.184.215.14", "64:ff9b::10.0.0.1", "64:ff9b:1::1",
    "2001:0:1::1", "2002:a00:1::1", "2001:db8::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@rows("host", HOSTS)
def test_nothing_is_fetched_that_is_not_public(host, monkeypatch):
    if ":" in host:  # so that it is refused on machines without IPv6, too
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_: [(socket.AF_INET6, 1, 6, "", (host, 443, 0, 0))])
    url = public_url(f"https://{f'[{host}]' if ':' in host else host}/")
    with pytest.raises(NotReachable, match="is not on the public internet"):
        post_public(url, {}, b"", seconds=5)


@rows("other", ["10.0.0.1", "fd00::1", "64:ff9b::10.0.0.1"])
def test_a_host_with_one_address_that_is_not_public_is_not_asked(other, monkeypatch):
    found = [(socket.AF_INET, 1, 6, "", (address, 443)) for address in ("93.184.215.14", other)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_: found)
    with pytest.raises(NotReachable, match="is not on the public internet"):
        post_public(public_url("https://shop.example/"), {}, b"", seconds=5)
