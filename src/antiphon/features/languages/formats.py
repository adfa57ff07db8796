"""Dates, times, numbers and amounts of money as the language of the current request writes them, by Babel."""

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from antiphon.explanations import explained
from antiphon.features.languages.request_language import fallbacks
from antiphon.features.languages.texts import current_language

if TYPE_CHECKING:
    from babel import Locale

Number = int | float | Decimal


def format_date(value: date, format: str = "medium", **options: Any) -> str:  # noqa: A002 - Babel's own name
    """Return a date as people write it: "Apr 1, 2030". ``format`` is short, medium, long, full, or a CLDR pattern.

    Raises ImportError, which names the fix, without Babel. ``options`` are those of the Babel function, as in all
    functions here.
    """
    return str(_of_babel("dates", "format_date")(value, format, locale=_locale(), **options))


def format_time(value: time | datetime, format: str = "medium", **options: Any) -> str:  # noqa: A002
    """Return a time of day: "3:30:00 PM". A datetime without a time zone is taken as UTC.

    Raises ImportError without Babel.
    """
    return str(_of_babel("dates", "format_time")(value, format, locale=_locale(), **options))


def format_datetime(value: datetime, format: str = "medium", **options: Any) -> str:  # noqa: A002
    """Return a date with a time: "Apr 1, 2030, 3:30:00 PM". ``tzinfo`` is the time zone to show it in.

    Raises ImportError without Babel.
    """
    return str(_of_babel("dates", "format_datetime")(value, format, locale=_locale(), **options))


def format_timedelta(value: timedelta, **options: Any) -> str:
    """Return a duration: "3 days"; with ``add_direction=True`` "in 3 days" or "3 days ago".

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
    """Return an amount of money: "€1,234.50" for "EUR", the code of ISO 4217. Raises ImportError without Babel."""
    return str(_of_babel("numbers", "format_currency")(value, currency, locale=_locale(), **options))


def _of_babel(module: str, name: str) -> Callable[..., Any]:
    from importlib import import_module

    try:
        function: Callable[..., Any] = getattr(import_module(f"babel.{module}"), name)
    except ModuleNotFoundError as error:
        raise explained(
            "missing-package",
            ImportError("dates and numbers of other languages need Babel: pip install 'antiphon[languages]'"),
        ) from error
    return function


def _locale() -> "Locale":
    language = current_language()
    return _locale_of("en" if language is None else language.tag)


@lru_cache(maxsize=256)
def _locale_of(tag: str) -> "Locale":
    """Return the locale of a tag, or of its first fallback that Babel knows, else English."""
    from babel import Locale, UnknownLocaleError

    for each in fallbacks(tag):
        try:
            return Locale.parse(each, sep="-")
        except (UnknownLocaleError, ValueError):
            continue
    return Locale("en")
