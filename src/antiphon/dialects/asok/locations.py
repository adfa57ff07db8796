"""The location of a request's client, by the project's ``.asok/geo.csv`` and the native feature."""

import logging
import os
from typing import TYPE_CHECKING, Any, NoReturn

from antiphon import App
from antiphon import Request as NativeRequest
from antiphon.features import Location

if TYPE_CHECKING:
    from antiphon.dialects.asok.app import Asok
    from antiphon.dialects.asok.request import Request

FILE = os.path.join(".asok", "geo.csv")
_UNKNOWN = {"city": "Unknown", "country": "Unknown", "lat": 0.0, "lon": 0.0}
_OF_COUNTRIES = ("iso", "name", "dial_code", "flag", "capital", "continent", "currency", "languages", "timezone")


class GeoLocation(dict[str, Any]):
    """The location of a client: ``ip``, ``city``, ``country``, ``lat`` and ``lon``, and other values in the file.

    Unknown values are "Unknown" or 0.0.
    """

    def __missing__(self, name: str) -> NoReturn:
        if name in _OF_COUNTRIES:
            raise KeyError(
                f"{name}: the Asok dialect has no table of countries, only the columns that the first line of {FILE}"
                " names"
            )
        raise KeyError(name)


class ProjectLocations:
    """The native feature for a file that may have no ranges: locations are then unknown, and the log explains why."""

    def __init__(self, path: str) -> None:
        from antiphon.features import Locations

        self._locations = Locations(path)
        self._is_broken = False

    def install(self, native: App) -> None:
        """Provide ``request.location``, and read the file at startup."""
        native.provide(NativeRequest.location, self._of)
        native.on_startup(self._load)

    def _load(self) -> None:
        try:
            self._locations.load()
        except (OSError, ValueError) as error:
            self._is_broken = True
            logging.getLogger("antiphon").warning("the places of clients are unknown: %s", error)

    def _of(self, request: NativeRequest) -> Location:
        return Location() if self._is_broken else self._locations.find(request.ip)


def install_locations(app: "Asok", native: App) -> None:
    """Use the native feature for the project's file of ranges, if there is one."""
    path = os.path.join(app.root_dir, FILE)
    if os.path.isfile(path):
        native.use(ProjectLocations(path))


def location_of(request: "Request") -> GeoLocation:
    """Return the location of a request's client."""
    known = request.native.location if request.app.native.provides(NativeRequest.location) else {}
    found = {name: value for name, value in known.items() if value is not None}
    return GeoLocation({"ip": request.ip, **_UNKNOWN, **found})
