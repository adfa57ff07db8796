"""IP addresses and ranges of them, as numbers."""

from socket import AF_INET, AF_INET6, inet_pton
from typing import NamedTuple

_MAPPED = bytes(10) + b"\xff\xff"
"""The beginning of an IPv4 address that is mapped into IPv6 (RFC 4291 §2.5.5.2)."""
_MAPPED_NUMBER = 0xFFFF << 32
_IPV6_BEGINS = 1 << 32
"""The first number that is no IPv4 address."""


class Address(NamedTuple):
    """An IP address as a number. An IPv4 address that is mapped into IPv6 is IPv4."""

    number: int
    is_ipv4: bool

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Parse an address as text; the zone of an IPv6 address ("%eth0") is ignored. Raises ValueError."""
        try:
            if ":" not in text:
                return cls(int.from_bytes(inet_pton(AF_INET, text)), True)
            packed = inet_pton(AF_INET6, text.partition("%")[0])
        except OSError:
            raise ValueError("no IP address") from None
        if packed[:12] == _MAPPED:
            return cls(int.from_bytes(packed[12:]), True)
        return cls(int.from_bytes(packed), False)

    @classmethod
    def parse_any(cls, text: str) -> "Address":
        """Parse an address as text or as a decimal number, which is IPv4 if it has no more than 32 bits."""
        text = text.strip()
        if not text.isdecimal():
            return cls.parse(text)
        number = int(text)
        if number >> 128:
            raise ValueError("no IP address")
        return cls(number, number >> 32 == 0)


class AddressRange(NamedTuple):
    """The addresses from ``first`` to ``last``, which is one of them, both of one family."""

    first: int
    last: int
    is_ipv4: bool

    @classmethod
    def parse(cls, first: str, last: str) -> "AddressRange":
        """Parse two addresses. Raises ValueError for what is none, for two families, and if the last is before."""
        if first.isdecimal() and last.isdecimal() and (begin := int(first)) <= (until := int(last)) < _IPV6_BEGINS:
            return cls(begin, until, True)  # as most files have them
        start, end = Address.parse_any(first), Address.parse_any(last)
        is_ipv4 = start.is_ipv4 and end.is_ipv4
        if start.is_ipv4 != end.is_ipv4 and not first.strip().isdecimal():
            raise ValueError("a range of two families")
        if end.number < start.number:
            raise ValueError("the end of the range is before its beginning")
        return _unmapped(start.number, end.number, is_ipv4)

    @classmethod
    def parse_network(cls, text: str) -> "AddressRange":
        """Parse a network in the notation of CIDR, or one address. Raises ValueError for host bits below the mask."""
        address, slash, length = text.strip().partition("/")
        number, is_ipv4 = Address.parse(address)
        host_bits = (128 if ":" in address else 32) - int(length) if slash else 0
        if not 0 <= host_bits <= (32 if is_ipv4 else 128) or number & ((1 << host_bits) - 1):
            raise ValueError("no network")
        return _unmapped(number, number | ((1 << host_bits) - 1), is_ipv4)


def _unmapped(first: int, last: int, is_ipv4: bool) -> AddressRange:
    """Return a range, as one of IPv4 if that is mapped into IPv6."""
    if not is_ipv4 and first >> 32 == last >> 32 == 0xFFFF:
        return AddressRange(first - _MAPPED_NUMBER, last - _MAPPED_NUMBER, True)
    return AddressRange(first, last, is_ipv4)
