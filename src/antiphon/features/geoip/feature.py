"""GeoIP, as a feature of an app: ``request.geo``, from a file that is reread when it is replaced.

app.use(GeoIP("geo.csv"))
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from threading import Lock, Thread
from typing import TYPE_CHECKING, Generic, NamedTuple, Protocol, TypeVar

from antiphon import Dependency, Request, explained
from antiphon.embedding import caller_file, errors_name_it, path_beside
from antiphon.features import GeoLocation
from antiphon.features.geoip.address import Address
from antiphon.features.geoip.csv_file import CSVReader

if TYPE_CHECKING:
    from antiphon import App


T = TypeVar("T")

LOOK_EVERY = 5.0
"""The number of seconds between checks for whether the file was replaced."""


class Version(NamedTuple):
    """The properties that distinguish a file from the one before it."""

    modified: int
    size: int
    inode: int
    device: int

    @classmethod
    def of(cls, path: str) -> "Version | None":
        """Return the current version, or None if the file does not exist."""
        try:
            found = os.stat(path)
        except OSError:
            return None
        return cls(found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev)


class WatchedFile(Generic[T]):
    """A file's contents, as returned by ``read`` for its path.

    A new version of the file is read on a separate thread once two checks in a row have found it unchanged, because
    writing it may take time. If it can't be read, the error is logged, and the previous version's contents stay in use.
    """

    def __init__(self, path: str, read: Callable[[str], T], *, clock: Callable[[], float] = time.monotonic) -> None:
        self._path = path
        self._read = read
        self._clock = clock
        self._lock = Lock()
        self._contents: T | None = None
        self._version: Version | None = None
        """The version that was read, even if reading failed."""
        self._seen: Version | None = None
        """The version found by the last check, if it has changed."""
        self._next_look = 0.0
        self._reading: Thread | None = None

    def load(self) -> T:
        """Return the contents, reading them now if necessary. Raises the same errors as ``read``."""
        with self._lock:
            if self._contents is None:
                self._version = Version.of(self._path)
                self._contents = self._read(self._path)
                self._next_look = self._clock() + LOOK_EVERY
            return self._contents

    def contents(self) -> T:
        """Return the contents, and occasionally check whether the file was replaced. Raises the same errors as
        ``load``.
        """
        contents = self._contents
        if contents is None:
            return self.load()
        if self._clock() >= self._next_look:
            with self._lock:
                if self._clock() >= self._next_look:  # no other thread has checked in the meantime
                    self._next_look = self._clock() + LOOK_EVERY
                    self._look()
        return contents

    def _look(self) -> None:
        found = Version.of(self._path)
        is_settled, self._seen = found == self._seen, found
        if found is None or found == self._version or not is_settled or (self._reading and self._reading.is_alive()):
            return
        self._reading = Thread(target=self._read_again, args=(found,), name="antiphon locations", daemon=True)
        self._reading.start()

    def _read_again(self, version: Version) -> None:
        try:
            contents = self._read(self._path)
        except Exception as error:  # the file may contain anything
            self._version = version
            logging.getLogger("antiphon").error(
                "%s was replaced by a file that can't be read, so the previous one stays in use: %s", self._path, error
            )
            return
        if Version.of(self._path) == version:
            self._contents, self._version = contents, version


_UNKNOWN = GeoLocation()
_ENGLISH = "en"


class _Source(Protocol):
    """The data that was read from a file."""

    def find(self, address: Address, language: Callable[[], str]) -> GeoLocation | None: ...


@errors_name_it
class GeoIP:
    """A feature that provides ``request.geo``: where the client is, according to its address (``request.ip``).

    The file is a CSV file of address ranges, or a ``.mmdb`` file in MaxMind's format, which needs
    ``antiphon[locations]``. ``columns`` are the column names of a CSV file without a header; by default they are from,
    to, city, country, lat, lon, or network, city, country, lat, lon. If several ranges contain an address, the
    narrowest wins.

    Names from a ``.mmdb`` file are in the request's language, if the application uses ``Languages``, and otherwise in
    English.

    The file is read once, on a thread, before the first request is handled, and again when it is replaced. A relative
    path is relative to the file whose code creates the feature. ``dependency`` is the dependency to provide, by default
    ``request.geo``. Raises ValueError if there is no file.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        columns: Sequence[str] | None = None,
        dependency: Dependency[GeoLocation] = Request.geo,
    ) -> None:
        self._path = path_beside(caller_file(), path)
        if not os.path.isfile(self._path):
            raise explained("bad-locations-file", ValueError(f"there is no file {self._path!r}"))
        read: Callable[[str], _Source] = _read_mmdb if self._path.endswith(".mmdb") else CSVReader(columns).read
        self._file = WatchedFile(self._path, read)
        self._dependency = dependency

    def install(self, app: "App") -> None:
        """Provide the dependency and read the file at startup."""
        app.provide(self._dependency, self._of)
        app.on_startup(self.load)

    def _of(self, request: Request) -> GeoLocation:
        return self._find(request.ip, partial(_language_of, request))

    def load(self) -> None:
        """Read the file now, unless it has already been read. Raises OSError or ValueError if it can't be read."""
        self._file.load()

    def find(self, ip: str | None, *, language: str = _ENGLISH) -> GeoLocation:
        """Return the location of an IP address. For an unknown or malformed address, the location is falsy.

        A ``.mmdb`` file has names in several languages. If the file has not been read yet, this call reads it and
        raises the same errors as ``load``.
        """
        return self._find(ip, lambda: language)

    def _find(self, ip: str | None, language: Callable[[], str]) -> GeoLocation:
        contents = self._file.contents()
        if ip is None:
            return _UNKNOWN
        try:
            address = Address.parse(ip)
        except ValueError:
            return _UNKNOWN
        return contents.find(address, language) or _UNKNOWN


def _language_of(request: Request) -> str:
    return request.language.tag if request.app.is_provided(Request.language) else _ENGLISH


def _read_mmdb(path: str) -> _Source:
    from antiphon.features.geoip.mmdb_file import read_mmdb

    return read_mmdb(path)
