"""Locations, as a feature of an app: ``request.location``, where the client's address is, from a file and no network.

app.use(Locations("geo.csv"))
"""

import os
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Protocol

from antiphon.explanations import explained
from antiphon.features.locations.address import Address
from antiphon.features.locations.csv_file import CSVReader
from antiphon.features.locations.watched_file import WatchedFile
from antiphon.paths import caller_file, path_beside
from antiphon.request.dependencies import Dependency
from antiphon.request.location import Location
from antiphon.request.request import Request

if TYPE_CHECKING:
    from antiphon.app.application import App

_UNKNOWN = Location()
_ENGLISH = "en"


class _Source(Protocol):
    """What was read of a file."""

    def find(self, address: Address, language: Callable[[], str]) -> Location | None: ...


class Locations:
    """A feature that provides ``request.location``: where the client is, as far as its address (``request.ip``) tells.

    The file is a CSV of ranges of addresses, or a ``.mmdb`` in MaxMind's format, which ``antiphon[locations]`` reads.
    ``columns`` are the names of the columns of a CSV that names none; without them it is from, to, city, country, lat,
    lon, or network, city, country, lat, lon. If several ranges have an address, the narrowest counts.

    Names of a ``.mmdb`` are in the request's language, if the application has any (``Languages``), else in English.

    The file is read once, on a thread, before the first request is answered, and again when it was replaced. A relative
    path is beside the file that makes the feature. ``dependency`` is the one to provide. Raises ValueError if there is
    no file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[str] | None = None,
        dependency: Dependency[Location] = Request.location,
    ) -> None:
        self._path = path_beside(caller_file(), path)
        if not os.path.isfile(self._path):
            raise explained("bad-locations-file", ValueError(f"there is no file {self._path!r}"))
        read: Callable[[str], _Source] = _read_mmdb if self._path.endswith(".mmdb") else CSVReader(columns).read
        self._file = WatchedFile(self._path, read)
        self._dependency = dependency

    def install(self, app: "App") -> None:
        """Provide the dependency, and have the file read at startup."""
        app.provide(self._dependency, self._of)
        app.on_startup(self.load)

    def _of(self, request: Request) -> Location:
        return self._find(request.ip, partial(_language_of, request))

    def load(self) -> None:
        """Read the file now, if it was not read before. Raises OSError or ValueError if it can't be read."""
        self._file.load()

    def find(self, ip: str | None, *, language: str = _ENGLISH) -> Location:
        """Return the location of an IP address: one that is false for an unknown or malformed address.

        A ``.mmdb`` has names in several languages. The file is read in this call, if it was not read before; raises
        what ``load`` does then.
        """
        return self._find(ip, lambda: language)

    def _find(self, ip: str | None, language: Callable[[], str]) -> Location:
        contents = self._file.contents()
        if ip is None:
            return _UNKNOWN
        try:
            address = Address.parse(ip)
        except ValueError:
            return _UNKNOWN
        return contents.find(address, language) or _UNKNOWN


def _language_of(request: Request) -> str:
    return request.language.tag if request.app.provides(Request.language) else _ENGLISH


def _read_mmdb(path: str) -> _Source:
    from antiphon.features.locations.mmdb_file import read_mmdb

    return read_mmdb(path)
