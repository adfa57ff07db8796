"""Accept and similar headers as lists of (value, quality), sorted by specificity, then quality, as in Werkzeug."""

from collections.abc import Iterable, Iterator
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import Any, SupportsIndex, TypeAlias, cast, overload

from antiphon.dialects._environ.heads import cache_short
from antiphon.dialects.werkzeug.datastructures.dicts import ImmutableList
from antiphon.embedding import lazy
from antiphon.http.grammar import OWS

_Places: TypeAlias = dict[Any, int]

_MOST_KNOWN = 64


class Accept(ImmutableList[tuple[str, float]]):
    """An immutable list of (value, quality).

    ``in``, ``index`` and `[text]` use the header's matching rules. ``provided`` is False if the list was made from
    None, which means that the request has no such header.
    """

    provided: bool

    def __init__(self, values: "Accept | Iterable[tuple[str, float]] | None" = ()) -> None:
        if isinstance(values, Accept):
            self.provided = values.provided
        else:
            self.provided = values is not None
            values = sorted(values or (), key=lambda pair: (self._specificity(pair[0]), pair[1]), reverse=True)
        super().__init__(values)
        self._known: dict[str, int] = {}

    @staticmethod
    def _specificity(value: str) -> tuple[bool, ...]:
        return (value != "*",)

    @staticmethod
    def _key(value: str) -> Any:
        """Return a key that is equal for all spellings of a value."""
        return value.lower()

    def _index(self) -> _Places:
        """Return the index of the first pair for each key, and of the first `*`."""
        return {self._key(name): len(self) - place for place, (name, _) in enumerate(reversed(self), 1)}

    def _place(self, value: str) -> int:
        """Return the index of the first matching pair, or -1."""
        known = self._known
        if value in known:
            return known[value]
        place = self._find(value)
        if len(known) < _MOST_KNOWN:
            known[value] = place
        return place

    @lazy
    def _places(self) -> _Places:
        return self._index()

    def _find(self, value: str) -> int:
        places = self._places
        return places.get(self._key(value), places.get("*", -1))  # `*` is the least specific

    @overload
    def __getitem__(self, key: str) -> float: ...
    @overload
    def __getitem__(self, key: SupportsIndex) -> tuple[str, float]: ...
    @overload
    def __getitem__(self, key: slice) -> list[tuple[str, float]]: ...
    def __getitem__(self, key: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]  # also accepts strings
        return self.quality(key) if isinstance(key, str) else list.__getitem__(self, key)

    def quality(self, key: str) -> float:
        place = self._place(key)
        return 0 if place < 0 else list.__getitem__(self, place)[1]

    def __contains__(self, value: object) -> bool:
        return self._place(cast("str", value)) >= 0

    def index(self, key: Any) -> int:  # type: ignore[override]  # also accepts strings
        """Return the index of a pair, or of the first pair that matches a string.

        Raises ValueError if no pair matches.
        """
        if not isinstance(key, str):
            return list.index(self, key)
        place = self._place(key)
        if place < 0:
            raise ValueError(key)
        return place

    def find(self, key: Any) -> int:
        """Return the index of a pair, or of the first pair that matches a string, or -1 if no pair matches."""
        try:
            return self.index(key)
        except ValueError:
            return -1

    def values(self) -> Iterator[str]:
        """Return an iterator over the values without their qualities."""
        return iter([value for value, _ in self])

    itervalues = values

    def to_header(self) -> str:
        return ",".join([value if quality == 1 else f"{value};q={quality}" for value, quality in self])

    @property
    def best(self) -> str | None:
        """The first value, or None if the list is empty."""
        return list.__getitem__(self, 0)[0] if self else None

    @overload
    def best_match(self, matches: Iterable[str], default: None = None) -> str | None: ...
    @overload
    def best_match(self, matches: Iterable[str], default: str) -> str: ...
    def best_match(self, matches: Iterable[str], default: str | None = None) -> str | None:
        """Return the value of ``matches`` with the highest quality, or ``default`` if none is acceptable.

        Among values with equal quality, the one that matches most specifically wins, then the first.
        """
        chosen, highest = default, 0.0
        narrowest: tuple[bool, ...] = ()
        for match in matches:
            place = self._place(match)
            if place >= 0:
                value, quality = list.__getitem__(self, place)
                if quality > highest:
                    chosen, highest, narrowest = match, quality, self._specificity(value)
                elif quality == highest > 0 and self._specificity(value) > narrowest:
                    chosen, narrowest = match, self._specificity(value)
        return chosen

    def __str__(self) -> str:
        return self.to_header()

    def __repr__(self) -> str:
        return f"{type(self).__name__}([{', '.join([f'({value!r}, {quality})' for value, quality in self])}])"


@cache_short(512)
def _mime_parts(value: str) -> tuple[str, ...]:
    """Return the type, subtype and sorted parameters in lower case, or one part for a string without a slash."""
    main, *rest = _split_mime(value.lower())
    return (main, *rest[:1], *sorted(rest[1:])) if "/" in value else (main,)


def _split_mime(value: str) -> list[str]:
    if ";" not in value:
        return value.split("/")
    return [part for chunk in value.split(";") for part in chunk.strip(OWS).split("/")]


@cache_short(512)
def _mime_specificity(value: str) -> tuple[bool, ...]:
    return tuple([part != "*" for part in _split_mime(value)])


@cache_short(512)
def _mime_keys(offer: str) -> tuple[str | tuple[str, ...], ...]:
    """Return the keys of `MIMEAccept` that match an offer. Raises ValueError if the offer is not a media type."""
    parts = _mime_parts(offer)
    main, subtype, *_ = (*parts, None)
    if subtype is None or (main == "*" and subtype != "*"):
        raise ValueError(f"invalid mimetype {offer!r}")
    if subtype == "*":
        return ("*",) if main == "*" else (str(main), ("*", "*"))
    return parts, (str(main), "*"), ("*", "*")


class MIMEAccept(Accept):
    """The media types of Accept. `*/*` and `text/*` are wildcards, and parameters must be equal.

    Looking up a value without a slash raises ValueError.
    """

    @staticmethod
    def _specificity(value: str) -> tuple[bool, ...]:
        return _mime_specificity(value)

    def _index(self) -> _Places:
        """Return the index of the first pair for each media type, and for offers `text/*` ("text") and `*/*` ("*")."""
        places: _Places = {}
        for place, (name, _) in enumerate(self):
            parts = _mime_parts(name)
            main, subtype, *_ = (*parts, None)
            keys: list[Any] = [] if subtype is None else ["/"]  # a key that matches no offer
            if subtype is not None and (main != "*" or subtype == "*"):
                keys += ["*", main, parts[:2] if subtype == "*" else parts]
            for key in keys:
                places.setdefault(key, place)
        return places

    def _find(self, value: str) -> int:
        places = self._places
        return min([places[key] for key in _mime_keys(value) if key in places], default=-1) if places else -1

    @property
    def accept_html(self) -> bool:
        """True if the client accepts HTML or XHTML."""
        return self._place("text/html") >= 0 or self.accept_xhtml

    @property
    def accept_xhtml(self) -> bool:
        """True if the client accepts XHTML or XML."""
        return self._place("application/xhtml+xml") >= 0 or self._place("application/xml") >= 0

    @property
    def accept_json(self) -> bool:
        """True if the client accepts JSON."""
        return self._place("application/json") >= 0


class LanguageAccept(Accept):
    """The languages of Accept-Language. `_` is treated as `-`."""

    @staticmethod
    def _key(value: str) -> str:
        return value.lower().replace("_", "-")

    @overload
    def best_match(self, matches: Iterable[str], default: None = None) -> str | None: ...
    @overload
    def best_match(self, matches: Iterable[str], default: str) -> str: ...
    def best_match(self, matches: Iterable[str], default: str | None = None) -> str | None:
        """Return the value of ``matches`` with the highest quality, or ``default``.

        If no value matches exactly, the primary subtags of the accepted languages are tried (`en` for `en-GB`), and
        then those of the values.
        """
        offers = tuple(matches)
        exact = super().best_match(offers)
        if exact is not None:
            return exact
        wider = self._primaries.best_match(offers)
        if wider is not None:
            return wider
        primary = super().best_match(map(_primary, offers))
        return default if primary is None else next(offer for offer in offers if offer.startswith(primary))

    @lazy
    def _primaries(self) -> Accept:
        return Accept([(_primary(value), quality) for value, quality in self])


def _primary(language: str) -> str:
    return language.replace("_", "-").partition("-")[0]


class CharsetAccept(Accept):
    """The charsets of Accept-Charset. All of a charset's names in Python are equivalent."""

    @staticmethod
    def _key(value: str) -> str:
        return _charset_key(value)


@cache_short(128)
def _charset_key(name: str) -> str:
    # `codecs.lookup` would import modules with names chosen by clients and cache unknown names forever.
    plain = normalize_encoding(name).lower() or name
    return aliases.get(plain, plain)
