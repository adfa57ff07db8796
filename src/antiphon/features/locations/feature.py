"""Locations, as a feature of an app: ``request.location``, looked up by the client's address in a file.

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
    """The data that was read from a file."""

    def find(self, address: Address, language: Callable[[], str]) -> Location | None: ...


class Locations:
    """A feature that provides ``request.location``: the client's location, as far as its address (``request.ip``) shows
    it.

    The file is a CSV of address ranges, or a ``.mmdb`` in MaxMind's format, which needs ``antiphon[locations]``.
    ``columns`` are the names of the columns of a CSV without a header; by default they are from, to, city, country,
    lat, lon, or network, city, country, lat, lon. If several ranges contain an address, the narrowest counts.

    Names from a ``.mmdb`` are in the request's language, if the application uses ``Languages``, else in English.

    The file is read once, on a thread, before the first request is answered, and again when it is replaced. A relative
    path is relative to the file whose code makes the feature. ``dependency`` is the dependency to provide. Raises
    ValueError if there is no file.
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
        """Provide the dependency, and read the file at startup."""
        app.provide(self._dependency, self._of)
        app.on_startup(self.load)

    def _of(self, request: Request) -> Location:
        return self._find(request.ip, partial(_language_of, request))

    def load(self) -> None:
        """Read the file now, unless it was read before. Raises OSError or ValueError if it can't be read."""
        self._file.load()

    def find(self, ip: str | None, *, language: str = _ENGLISH) -> Location:
        """Return the location of an IP address, which is false for an unknown or malformed address.

        A ``.mmdb`` has names in several languages. If the file was not read before, it is read in this call, which then
        raises what ``load`` raises.
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
