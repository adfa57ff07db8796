import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.http.forwarded import Networks
from tests.helpers.rows import rows

NETWORKS = Networks(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "172.16.0.0/255.240.0.0"])


@rows(
    "host, found",
    ("10.1.2.3", ("10.1.2.3", True)), ("11.0.0.0", ("11.0.0.0", False)), ("192.0.2.7", ("192.0.2.7", True)),
    ("192.0.2.8", ("192.0.2.8", False)), ("172.31.255.255", ("172.31.255.255", True)),
    ("172.32.0.0", ("172.32.0.0", False)), ("2001:DB8:0::1", ("2001:db8::1", True)),
    ("2001:db9::1", ("2001:db9::1", False)), ("::ffff:10.1.2.3", ("10.1.2.3", True)),
    ("::ffff:0a01:0203", ("10.1.2.3", True)), ("::ffff:11.1.2.3", ("11.1.2.3", False)),
    ("::10.1.2.3", ("::a01:203", False)), ("fe80::1%eth0", ("fe80::1", False)),
    ("2001:db8::1%<b>", ("2001:db8::1", True)), ("10.1.2.3%eth0", None), ("2001:db8::1%" + "x" * 100, None),
    ("", None), ("10.1.2", None), ("010.1.2.3", None), ("10.1.2.3:80", None), ("[::1]", None), (" 10.1.2.3", None),
    ("localhost", None),
)  # fmt: skip
def test_addresses_are_found_in_networks(host, found):
    assert NETWORKS.find(host) == found
    assert NETWORKS.find(host) == found


@given(st.ip_addresses(v=4))
def test_ipv4_that_is_mapped_into_ipv6_counts_as_ipv4(address):
    assert NETWORKS.find(f"::ffff:{address}") == NETWORKS.find(str(address)) != None  # noqa: E711


@given(st.ip_addresses())
def test_no_address_is_in_no_network(address):
    found = Networks([]).find(str(address))
    assert found is not None
    assert not found[1]


@rows("text", ["", "*", "unix", "10.0.0.1/8", "10.0.0.0/33", "10.0.0", "example.com", "::1/129", " ::1"])
def test_nothing_else_is_a_network(text):
    with pytest.raises(ValueError, match='an IP network must be written as "192'):
        Networks([text])


@rows("text", ["::ffff:10.0.0.0/104", "::ffff:10.0.0.1"])
def test_ipv4_networks_are_written_as_such(text):
    with pytest.raises(ValueError, match="write the IPv4 network"):
        Networks([text])


@rows("network", [1, None, b"10.0.0.0/8"])
def test_a_network_is_text(network):
    with pytest.raises(TypeError, match="an IP network must be text"):
        Networks([network])


@rows(
    "networks, expected",
    [([], False), (["10.0.0.0/8"], False), (["10.0.0.0/8", "0.0.0.0/0"], True), (["::/0"], True), (["::/1"], False)],
)
def test_networks_tell_whether_they_cover_everything(networks, expected):
    assert Networks(networks).cover_everything is expected


def test_networks_are_shown_as_they_are_usually_written():
    assert repr(NETWORKS) == "Networks(['10.0.0.0/8', '192.0.2.7/32', '2001:db8::/32', '172.16.0.0/12'])"
