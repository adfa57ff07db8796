"""GeoIP from a file in MaxMind's format, such as GeoLite2-City.mmdb, read with the maxminddb package."""

import shutil
from collections.abc import Callable, Mapping
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from antiphon import explained
from antiphon.features import GeoLocation
from antiphon.features.geoip.address import Address

if TYPE_CHECKING:
    from maxminddb.reader import Reader

_FURTHER = {
    "country_code": ("country", "iso_code"),
    "continent_code": ("continent", "code"),
    "region_code": ("subdivisions", 0, "iso_code"),
    "postal_code": ("postal", "code"),
    "timezone": ("location", "time_zone"),
    "accuracy_radius": ("location", "accuracy_radius"),
}
"""The names of additional values, and where they are in a record."""
_NAMED = {"continent": ("continent",), "region": ("subdivisions", 0)}
"""The names of additional values that a record has in several languages."""


class MMDBLocations:
    """The locations in a file that is mapped into memory. Several threads can share a reader."""

    def __init__(self, reader: "Reader") -> None:
        self._reader = reader

    def find(self, address: Address, language: Callable[[], str]) -> GeoLocation | None:
        """Return an address's values, with names in a language if the file has them; None if there are no values for
        the address.
        """
        record = self._record(address)
        return _location(record, language()) if isinstance(record, Mapping) and record else None

    def _record(self, address: Address) -> object:
        try:
            return self._reader.get((IPv4Address if address.is_ipv4 else IPv6Address)(address.number))
        except (ValueError, RuntimeError):  # the file has only IPv4 addresses, or is damaged
            return None


def read_mmdb(path: str) -> MMDBLocations:
    """Open a file. Raises ImportError, naming the package, OSError, or ValueError for another format.

    An unnamed copy is mapped into memory, because a program that overwrites the file instead of replacing it would
    crash each process that has mapped it.
    """
    try:
        import maxminddb
    except ImportError as error:
        raise explained(
            "missing-package", ImportError("reading a .mmdb file needs maxminddb: pip install 'antiphon[locations]'")
        ) from error
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        copy = Path(folder, "locations.mmdb")
        shutil.copyfile(path, copy)
        try:
            return MMDBLocations(maxminddb.open_database(copy))
        except maxminddb.InvalidDatabaseError as error:
            raise explained(
                "bad-locations-file", ValueError(f"{path} is not a database in MaxMind's format: {error}")
            ) from None


def _location(record: Mapping[str, Any], language: str) -> GeoLocation:
    lat, lon = (_number(_at(record, "location", name)) for name in ("latitude", "longitude"))
    further = {name: _at(record, *keys) for name, keys in _FURTHER.items()}
    further |= {name: _name(_at(record, *keys), language) for name, keys in _NAMED.items()}
    city, country = (_name(record.get(name), language) for name in ("city", "country"))
    known = {name: value for name, value in further.items() if value is not None}
    return GeoLocation(city=city, country=country, lat=lat, lon=lon, **known)


def _at(value: Any, *keys: str | int) -> Any:
    """Return the value at a path of keys in dicts and lists, or None if there is none."""
    for key in keys:
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _name(value: Any, language: str) -> str | None:
    """Return a name in a language, in a variant of it, in English, or in any language.

    Plain text is used as the name itself.
    """
    names = _at(value, "names")
    if not isinstance(names, Mapping):
        return value if isinstance(value, str) else None
    primary = language.partition("-")[0]
    variants = [name for name in names if name.partition("-")[0] == primary]
    found = next((names[name] for name in (language, primary, *variants, "en", *names) if name in names), None)
    return found if isinstance(found, str) else None
