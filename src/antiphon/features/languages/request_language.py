"""The language of one request, and its formats for dates, numbers and amounts of money (RFC 5646, RFC 4647 §3.4)."""

import re
from collections.abc import Callable
from copy import copy
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from antiphon import HTTPError, Request, Response, explained
from antiphon.embedding import OfRequest, Reads, WatchedHead, unwatched
from antiphon.features.languages.texts import Texts, current_language
from antiphon.features.languages.words import localized
from antiphon.types import Language

if TYPE_CHECKING:
    from babel import Locale

    from antiphon.features.languages.feature import Languages

_is_tag = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{1,8}){0,7}", re.ASCII).fullmatch

_RTL_SCRIPTS = frozenset(
    {"Adlm", "Arab", "Aran", "Hebr", "Mand", "Mend", "Nkoo", "Rohg", "Samr", "Syrc", "Syrj", "Syre", "Thaa", "Yezi"}
)
"""ISO 15924 scripts in use today that are written from right to left."""

_RTL_LANGUAGES = frozenset(
    {
        "ar", "arc", "arz", "azb", "bal", "bgn", "ckb", "dv", "fa", "glk", "he", "iw", "khw", "ks", "lrc", "mzn",
        "nqo", "pnb", "ps", "rhg", "sd", "syr", "ug", "ur", "yi",
    }
)  # fmt: skip
"""Languages that are written from right to left unless the tag contains a script."""

_RTL_PLACES = frozenset({"az-IR", "ku-IQ", "ku-IR", "ms-CC", "pa-PK", "tr-IQ", "uz-AF"})


def normalised(tag: str) -> str:
    """Return a tag in the form that RFC 5646 §2.1.1 recommends: "zh-Hant-TW" for "zh_hant_tw".

    Raises ValueError for a malformed tag.
    """
    lowered = tag.lower().replace("_", "-")
    if not _is_tag(lowered):
        raise explained("unknown-language", f"{tag!r:.80} is not a language tag, such as 'de' or 'de-AT'")
    first, *others = lowered.split("-")
    has_singleton = False
    written = [first]
    for part in others:
        has_singleton = has_singleton or len(part) == 1
        written.append(part if has_singleton else _subtag(part))
    return "-".join(written)


def _subtag(part: str) -> str:
    if len(part) == 4 and part.isalpha():
        return part.title()
    return part.upper() if len(part) == 2 else part


def fallbacks(tag: str) -> list[str]:
    """Return a tag and its fallbacks: "zh-Hant-TW", "zh-Hant", "zh". No fallback ends in a singleton, such as "x"."""
    found = []
    while tag:
        found.append(tag)
        tag = tag.rpartition("-")[0]
        if tag[-2:-1] == "-":
            tag = tag[:-2]
    return found


def direction(tag: str) -> Literal["ltr", "rtl"]:
    """Return a language's writing direction, from the script in its tag, or else from the language itself."""
    first, *others = tag.split("-")
    script = next((part for part in others if len(part) == 4 and part.isalpha()), None)
    if script is not None:
        is_rtl = script in _RTL_SCRIPTS
    else:
        is_rtl = first in _RTL_LANGUAGES or any(f"{first}-{part}" in _RTL_PLACES for part in others)
    return "rtl" if is_rtl else "ltr"


_YEAR = 365 * 24 * 3600

IN_PATHS = "language"
"""The converter of languages in paths."""
_parameters_in = re.compile(r"<(?:(\w+)(?:\(.*?\))?:)?(\w+)>", re.ASCII | re.DOTALL).findall


@lru_cache(maxsize=512)
def parameters_of(*patterns: str) -> frozenset[str]:
    """Return the names that have the language wherever they are parameters of these patterns."""
    found = {each for pattern in patterns for each in _parameters_in(pattern)}
    others = {name for converter, name in found if converter != IN_PATHS}
    return frozenset([name for converter, name in found if converter == IN_PATHS and name not in others])


class RequestLanguage(OfRequest, Language):
    """The language of one request. Its first use determines which header fields the response depends on."""

    __slots__ = ("_chosen", "_languages", "was_chosen_for_cache")

    def __init__(self, request: Request, languages: "Languages") -> None:
        super().__init__(request)
        self._languages = languages
        self._chosen: Texts | None = None
        self.was_chosen_for_cache = False

    @property
    def _texts(self) -> Texts:
        if self._chosen is None:
            self._choose(self._asked() or self._languages.default)
        return self._chosen  # type: ignore[return-value]  # it has been chosen by now

    def _choose(self, tag: str) -> None:
        self._chosen = self._languages.texts(tag)

    @property
    def is_chosen(self) -> bool:
        """True if the language has been read or set."""
        return self._chosen is not None

    def _asked(self) -> str | None:
        """Return the language that the request asks for, or None if the application lacks it."""
        languages = self._languages
        if len(languages.tags) == 1:
            return None
        asked = self._in_path() or self._in_query()
        if asked is not None or not WatchedHead.takes_choices(self._request.head):
            return asked or self.negotiated()
        request = self._request
        consulted = request.consulted
        with unwatched(request):  # a cache needs one response per language, whatever else is in these fields
            asked = self.negotiated()
        request.consulted = consulted  # Vary follows when the cache has seen the response
        Reads.note(request, languages.choice)
        self.was_chosen_for_cache = True
        return asked

    def negotiated(self) -> str | None:
        """Return the language that the cookie names, or else the best match for Accept-Language, if there is any."""
        return self._in_cookie() or self._request.accept_languages.best(self._languages.tags)

    @property
    def choice(self) -> str:
        """The name of the choice among the application's languages."""
        return self._languages.choice

    def _in_path(self) -> str | None:
        """Return the language in the path, which a converter has checked: that of the route, or else of the prefix."""
        request = self._request
        if not request.path_params:
            return None
        pattern = request.route.pattern
        names = parameters_of(pattern) if pattern else self._languages.parameters_in(request.app)
        return next((value for name, value in request.path_params.items() if name in names), None)

    def _in_query(self) -> str | None:
        name = self._languages.query
        if name is None:
            return None
        try:
            given = self._request.args.get(name)
        except HTTPError:  # the query is too long, but the error response needs a language, too
            return None
        return None if given is None else self._languages.match(given)

    def _in_cookie(self) -> str | None:
        name = self._languages.cookie
        if name is None:
            return None
        self._request.consulted += ("cookie",)
        given = self._request.cookies.get(name)
        return None if given is None else self._languages.match(given)

    @property
    def tag(self) -> str:
        return self._texts.tag

    @tag.setter
    def tag(self, tag: str) -> None:
        if not isinstance(tag, str):
            raise explained("unknown-language", f"set a language by its tag, such as 'de', not {tag!r:.80}", TypeError)
        self._choose(tag)
        if Request.shared in self._request:
            self._request.shared.forget("lang", "dir")

    @property
    def dir(self) -> Literal["ltr", "rtl"]:
        return direction(self.tag)

    def remember(self) -> None:
        if self._languages.cookie is None:
            raise explained(
                "bad-feature-option", "no cookie stores the language: Languages(..., cookie='lang')", RuntimeError
            )
        self._request.on_response(self._set_cookie)

    def _set_cookie(self, request: Request, response: Response) -> Response:
        response = copy(response)
        name = self._languages.cookie or ""
        response.set_cookie(name, self.tag, max_age=_YEAR, secure=request.is_secure, httponly=True, samesite="Lax")
        return response

    def localized(self, error: HTTPError) -> HTTPError:
        """Return an error with its messages in this language."""
        return localized(self, error)

    def has(self, key: str) -> bool:
        return self._texts.has(key)

    def find(self, key: str, *, n: float | None = None, context: str | None = None) -> str | None:
        return self._texts.find(key, n=n, context=context)

    def gettext(self, key: str, /, **values: object) -> str:
        return self._texts.gettext(key, **values)

    def ngettext(self, singular: str, plural: str, n: float, /, **values: object) -> str:
        return self._texts.ngettext(singular, plural, n, **values)

    def pgettext(self, context: str, key: str, /, **values: object) -> str:
        return self._texts.pgettext(context, key, **values)

    def npgettext(self, context: str, singular: str, plural: str, n: float, /, **values: object) -> str:
        return self._texts.npgettext(context, singular, plural, n, **values)


Number = int | float | Decimal


def format_date(value: date, format: str = "medium", **options: Any) -> str:  # noqa: A002 - Babel's own name
    """Return a date in the language's format: "Apr 1, 2030". ``format`` is short, medium, long, full, or a CLDR
    pattern.

    As in all these functions, ``options`` are passed to Babel's function. Raises ImportError, naming the fix, without
    Babel.
    """
    return str(_of_babel("dates", "format_date")(value, format, locale=_locale(), **options))


def format_time(value: time | datetime, format: str = "medium", **options: Any) -> str:  # noqa: A002
    """Return a time of day: "3:30:00 PM". A datetime without a time zone is treated as UTC.

    Raises ImportError without Babel.
    """
    return str(_of_babel("dates", "format_time")(value, format, locale=_locale(), **options))


def format_datetime(value: datetime, format: str = "medium", **options: Any) -> str:  # noqa: A002
    """Return a date with a time: "Apr 1, 2030, 3:30:00 PM". ``tzinfo`` is the time zone in which to show it.

    Raises ImportError without Babel.
    """
    return str(_of_babel("dates", "format_datetime")(value, format, locale=_locale(), **options))


def format_timedelta(value: timedelta, **options: Any) -> str:
    """Return a duration: "3 days". With ``add_direction=True``, return "in 3 days" or "3 days ago".

    Raises ImportError without Babel.
    """
    return str(_of_babel("dates", "format_timedelta")(value, locale=_locale(), **options))


def format_number(value: Number, format: str | None = None, **options: Any) -> str:  # noqa: A002
    """Return a number: "1,234.5". Raises ImportError without Babel."""
    return str(_of_babel("numbers", "format_decimal")(value, format, locale=_locale(), **options))


def format_percent(value: Number, format: str | None = None, **options: Any) -> str:  # noqa: A002
    """Return a fraction as a percentage: "34%" for 0.34. Raises ImportError without Babel."""
    return str(_of_babel("numbers", "format_percent")(value, format, locale=_locale(), **options))


def format_currency(value: Number, currency: str, **options: Any) -> str:
    """Return an amount of money: "€1,234.50" for the ISO 4217 code "EUR". Raises ImportError without Babel."""
    return str(_of_babel("numbers", "format_currency")(value, currency, locale=_locale(), **options))


def _of_babel(module: str, name: str) -> Callable[..., Any]:
    from importlib import import_module

    try:
        function: Callable[..., Any] = getattr(import_module(f"babel.{module}"), name)
    except ModuleNotFoundError as error:
        raise explained(
            "missing-package",
            ImportError("dates and numbers in other languages need Babel: pip install 'antiphon[languages]'"),
        ) from error
    return function


def _locale() -> "Locale":
    language = current_language()
    return _locale_of("en" if language is None else language.tag)


@lru_cache(maxsize=256)
def _locale_of(tag: str) -> "Locale":
    """Return the locale for a tag, or for its first fallback that Babel supports, or else English."""
    from babel import Locale, UnknownLocaleError

    for each in fallbacks(tag):
        try:
            return Locale.parse(each, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
