"""Ranges are found as a plain search through all of them finds them."""

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from antiphon.features import GeoIP
from antiphon.features.geoip.address import Address, AddressRange
from antiphon.features.geoip.csv_file import Numbers32, Numbers128, Ranges
from tests.helpers.rows import rows

V4, V6 = (1 << 32) - 1, (1 << 128) - 1


def numbers(most):
    """Numbers that are often near each other, at the ends, and around the half of their bits."""
    near = st.integers(0, 40)
    return near | near.map(lambda n: most - n) | near.map(lambda n: (1 << 64) - 20 + n & most) | st.integers(0, most)


@pytest.mark.parametrize(("kind", "most"), [(Numbers32, V4), (Numbers128, V6)], ids=["IPv4", "IPv6"])
@given(data=st.data())
def test_the_narrowest_counts_and_of_equals_the_last(kind, most, data):
    pairs = data.draw(st.lists(st.tuples(numbers(most), numbers(most)).map(sorted), max_size=12))
    ranges = Ranges(kind)
    for value, (start, end) in enumerate(pairs):
        ranges.add(start, end, value)
    ranges = ranges.arranged()
    edges = {edge + step for pair in pairs for edge in pair for step in (-1, 0, 1)}
    for number in [*data.draw(st.lists(numbers(most))), *(edge for edge in edges if 0 <= edge <= most)]:
        having = [(end - start, -value) for value, (start, end) in enumerate(pairs) if start <= number <= end]
        assert ranges.find(number) == (-min(having)[1] if having else None)


MAPPED = numbers(V4).map(lambda n: 0xFFFF << 32 | n)
ADDRESSES = numbers(V4).map(IPv4Address) | (numbers(V6) | MAPPED).map(IPv6Address)


def usual(address):
    """An address as IPv4, if it is mapped into IPv6."""
    return address.ipv4_mapped or address if address.version == 6 else address


def written(address, as_number):
    """An address as a file has it: as a number, unless a small one would be taken for IPv4."""
    return str(int(address)) if as_number and (address.version == 4 or int(address) > V4) else str(address)


@given(
    st.lists(st.tuples(ADDRESSES, ADDRESSES, st.booleans()), min_size=1, max_size=12), st.lists(ADDRESSES, max_size=6)
)
def test_a_file_of_both_families_says_what_a_plain_search_finds(tmp_path_factory, drawn, others):
    path = tmp_path_factory.getbasetemp() / "both.csv"
    ranges = [(*sorted(pair), as_number) for *pair, as_number in drawn if pair[0].version == pair[1].version]
    lines = [f"{written(a, n)},{written(b, n)},{i}\n" for i, (a, b, n) in enumerate(ranges)]
    path.write_text("from,to,city\n" + "".join(lines) + "0.0.0.0,0.0.0.0,end\n")
    locations = GeoIP(path)
    bounds = [(usual(a), usual(b)) for a, b, _ in ranges]
    bounds = [(a, b) if a.version == b.version else pair[:2] for (a, b), pair in zip(bounds, ranges, strict=True)]
    bounds.append((IPv4Address(0), IPv4Address(0)))
    for address in [*others, *(end for pair in ranges for end in pair[:2])]:
        asked = usual(address)
        having = [
            (int(b) - int(a), -i) for i, (a, b) in enumerate(bounds) if a.version == asked.version and a <= asked <= b
        ]
        expected = -min(having)[1] if having else None
        found = locations.find(str(address)).city
        assert found == (None if expected is None else "end" if expected == len(ranges) else str(expected))


@rows(
    "text, number, is_ipv4",
    ("1.2.3.4", 0x01020304, True),
    ("::ffff:1.2.3.4", 0x01020304, True),
    ("::1", 1, False),
    ("fe80::1%eth0", 0xFE80 << 112 | 1, False),
    *((bad, None, None) for bad in ("", "1.2.3", "1.2.3.256", "::g", "/run/shop.sock", "é", "1\0", "unix:", "%")),
)
def test_an_address_is_a_number(text, number, is_ipv4):
    if number is None:
        with pytest.raises(ValueError):  # noqa: PT011 - for several reasons
            Address.parse(text)
    else:
        assert Address.parse(text) == (number, is_ipv4)


@rows(
    "texts, expected",
    (("16777216", "16777471"), (0x01000000, 0x010000FF, True)),
    (("0", "281470681743359"), (0, 0xFFFF << 32, False)),
    (("281470698520576", "281470698520831"), (0x01000000, 0x010000FF, True)),
    (("1.0.0.0", "1.0.0.255"), (0x01000000, 0x010000FF, True)),
    (("::ffff:1.0.0.0", "1.0.0.255"), (0x01000000, 0x010000FF, True)),
    (("2001:db8::", "2001:db8::ff"), (0x20010DB8 << 96, 0x20010DB8 << 96 | 0xFF, False)),
    (("1.0.0.0/24",), (0x01000000, 0x010000FF, True)),
    (("1.0.0.1",), (0x01000001, 0x01000001, True)),
    (("::ffff:1.0.0.0/120",), (0x01000000, 0x010000FF, True)),
    (("::fffe:0:0/95",), (0xFFFE << 32, (0xFFFF << 32) + V4, False)),
    (("::/0",), (0, V6, False)),
    (("0.0.0.0/0",), (0, V4, True)),
    *((bad, None) for bad in (("2", "1"), ("1.0.0.0", "::1"), ("::1", "5"), ("1", "x"), (str(1 << 128), "1"))),
    *(((bad,), None) for bad in ("1.0.0.0/33", "1.0.0.0/-1", "1.0.0.1/24", "1.0.0.0/", "1.0.0.0/x", "/8", "")),
)
def test_a_range_is_two_addresses_or_a_network(texts, expected):
    read = AddressRange.parse if len(texts) == 2 else AddressRange.parse_network
    if expected is None:
        with pytest.raises(ValueError):  # noqa: PT011 - for several reasons
            read(*texts)
    else:
        first, last, is_ipv4 = read(*texts)
        assert (first, last if expected[1] != 0xFFFF << 32 else last + 1, is_ipv4) == expected
