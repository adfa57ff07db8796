"""The interface of locations: where a client is, as far as its address tells."""

from collections.abc import Iterator, Mapping
from typing import Any


class Location(Mapping[str, Any]):
    """The place where a client is, as far as its address tells: ``location.city``, or ``location["city"]``.

    It is false if nothing is known, and each of its values is None then. ``city`` and ``country`` are names, ``lat``
    and ``lon`` degrees north and east (WGS 84). It is a mapping of these four, and of ``further`` values that the
    source has, such as ``location["timezone"]``.
    """

    __slots__ = ("_values",)

    def __init__(
        self,
        /,
        city: str | None = None,
        country: str | None = None,
        lat: float | None = None,
        lon: float | None = None,
        **further: Any,
    ) -> None:
        self._values = {"city": city, "country": country, "lat": lat, "lon": lon, **further}

    @property
    def city(self) -> str | None:
        """The name of the city."""
        name: str | None = self._values["city"]
        return name

    @property
    def country(self) -> str | None:
        """The name of the country, as the source writes it."""
        name: str | None = self._values["country"]
        return name

    @property
    def lat(self) -> float | None:
        """The latitude, in degrees north."""
        degrees: float | None = self._values["lat"]
        return degrees

    @property
    def lon(self) -> float | None:
        """The longitude, in degrees east."""
        degrees: float | None = self._values["lon"]
        return degrees

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __bool__(self) -> bool:
        return any(value is not None for value in self._values.values())

    def __repr__(self) -> str:
        known = ", ".join(f"{name}={value!r}" for name, value in self._values.items() if value is not None)
        return f"Location({known})"
