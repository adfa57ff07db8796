"""IP addresses and address ranges, as numbers."""

from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

_MAPPED = 0xFFFF << 32
"""The first IPv4-mapped IPv6 address, as a number (RFC 4291 §2.5.5.2)."""
_IPV6_BEGINS = 1 << 32
"""The first number above all IPv4 addresses."""


class Address(NamedTuple):
    """An IP address as a number."""

    number: int
    is_ipv4: bool

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse an address. An IPv6 address's zone ("%eth0") is ignored, and an IPv4-mapped address is treated as IPv4.

        Raises ValueError for anything else.
        """
        number, is_ipv4 = address = _parsed(text)
        return cls(number - _MAPPED, True) if not is_ipv4 and number >> 32 == 0xFFFF else address


class AddressRange(NamedTuple):
    """The addresses from ``first`` to ``last``, inclusive. IPv4-mapped addresses are treated as IPv4."""

    first: int
    last: int
    is_ipv4: bool

    @classmethod
    def parse(cls, first: str, last: str) -> "AddressRange":
        """Parse two addresses, each as text or as a decimal number, which means IPv4 if it has at most 32 bits.

        Raises ValueError for malformed addresses, for two families, and if the last address is before the first.
        """
        if first.isdecimal() and last.isdecimal() and (begin := int(first)) <= (until := int(last)) < _IPV6_BEGINS:
            return cls(begin, until, True)  # as in most files
        start, end = _as_written(first), _as_written(last)
        if start.is_ipv4 and not end.is_ipv4 and first.strip().isdecimal():
            start = Address(start.number, False)
        elif start.is_ipv4 != end.is_ipv4:
            start, end = Address.parse(first), Address.parse(last)
        if start.is_ipv4 != end.is_ipv4:
            raise ValueError("the range mixes IPv4 and IPv6")
        if end.number < start.number:
            raise ValueError("the end of the range is before its start")
        return _unmapped(start.number, end.number, start.is_ipv4)

    @classmethod
    def parse_network(cls, text: str) -> "AddressRange":
        """Parse a network in CIDR notation, or one address. Raises ValueError for host bits below the mask."""
        address, slash, length = text.strip().partition("/")
        number, is_ipv4 = _parsed(address)
        bits = 32 if is_ipv4 else 128
        if slash and not length.isdecimal():
            raise ValueError("no network")
        host_bits = bits - int(length) if slash else 0
        if host_bits < 0 or number & ((1 << host_bits) - 1):
            raise ValueError("no network")
        return _unmapped(number, number | ((1 << host_bits) - 1), is_ipv4)


def _parsed(text: str) -> Address:
    """Return an address in the family in which it is written. Raises ValueError."""
    try:
        if ":" in text:
            return Address(int.from_bytes(inet_pton(AF_INET6, text.partition("%")[0])), False)
        return Address(int.from_bytes(inet_pton(AF_INET, text)), True)
    except OSError:
        raise ValueError("not an IP address") from None


def _as_written(text: str) -> Address:
    """Return an address from text or from a decimal number. Raises ValueError."""
    text = text.strip()
    if not text.isdecimal():
        return _parsed(text)
    if len(text) > 39 or int(text) >> 128:
        raise ValueError("not an IP address")
    return Address(int(text), int(text) < _IPV6_BEGINS)


def _unmapped(first: int, last: int, is_ipv4: bool) -> AddressRange:
    """Return a range, as an IPv4 range if it is entirely IPv4-mapped."""
    if not is_ipv4 and first >> 32 == last >> 32 == 0xFFFF:
        return AddressRange(first - _MAPPED, last - _MAPPED, True)
    return AddressRange(first, last, is_ipv4)
