"""IP networks, and which addresses are in them."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_MOST_KNOWN = 1024
"""How many addresses are remembered."""
_LONGEST = 64
"""What is longer is no address."""


class Networks:
    """IP addresses and networks, written "192.0.2.7", "10.0.0.0/8" or "2001:db8::/32". Immutable.

    An IPv4 address that is mapped into IPv6 counts as IPv4, and the zone of an IPv6 address ("%eth0") for nothing.
    Raises ValueError for what is no network, for one whose address has bits below its mask, and for IPv4 that is
    mapped into IPv6.
    """

    __slots__ = ("_known", "_networks")

    def __init__(self, networks: Iterable[str]) -> None:
        self._networks = tuple(map(_network, networks))
        self._known = lru_cache(_MOST_KNOWN)(self._look_up)

    def find(self, host: str) -> tuple[str, bool] | None:
        """An address as it is usually written, and whether it is in one of the networks; None for no address."""
        return self._known(host) if len(host) <= _LONGEST else None

    def _look_up(self, host: str) -> tuple[str, bool] | None:
        try:
            address = _address(host)
        except ValueError:
            return None
        return str(address), any(address in network for network in self._networks)

    @property
    def cover_everything(self) -> bool:
        """Whether one of them holds every address there is."""
        return any(network.prefixlen == 0 for network in self._networks)

    def __repr__(self) -> str:
        return f"Networks({list(map(str, self._networks))!r})"


def _address(text: str) -> "IPv4Address | IPv6Address":
    from ipaddress import IPv6Address, ip_address

    address = ip_address(text)
    return (address.ipv4_mapped or IPv6Address(int(address))) if isinstance(address, IPv6Address) else address


def _network(text: str) -> "IPv4Network | IPv6Network":
    from ipaddress import IPv6Network, ip_network

    if not isinstance(text, str):
        raise TypeError(f"an IP network is text, not {type(text).__name__}")
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ValueError(f'an IP network is written as "192.0.2.7" or "10.0.0.0/8", not {text!r} ({error})') from None
    if isinstance(network, IPv6Network) and network.network_address.ipv4_mapped and network.prefixlen >= 96:
        raise ValueError(f"{text!r} is IPv4, mapped into IPv6: write the IPv4 network")
    return network
