"""Dates, times, numbers and money, as the language of the request writes them."""

import sys
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from jinja2 import DictLoader

from antiphon import App, Request, features
from antiphon.features import Languages, Page, Templates
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

DAY = date(2030, 4, 1)
MOMENT = datetime(2030, 4, 1, 15, 30, tzinfo=UTC)


@pytest.fixture
def shown(folder, interface):
    """Return what a function of a name gives, as a function and as a filter."""

    def shown(tag, name, value, *arguments, **options):
        app = App()
        app.use(Languages(folder(**{tag: {}}), default="en"))
        app.use(Templates(DictLoader({"a.txt": f"{{{{ value | {name}(*arguments, **options) }}}}"})))
        app.get("/")(lambda request: getattr(features, name)(value, *arguments, **options))

        @app.get("/page")
        def page(request: Request):
            return Page("a.txt", value=value, arguments=arguments, options=options)

        client = Client(app, interface, raise_errors=True)
        made = client.get(f"/?lang={tag}").text
        assert client.get(f"/page?lang={tag}").text == made
        return made.replace("\u202f", " ").replace("\xa0", " ").replace("\u200f", "").replace("\u200e", "")

    return shown


@rows(
    "tag, name, value, arguments, text",
    ("en", "format_date", DAY, (), "Apr 1, 2030"),
    ("de", "format_date", DAY, ("full",), "Montag, 1. April 2030"),
    ("de-AT", "format_date", DAY, ("d. MMMM",), "1. April"),
    ("ar", "format_date", DAY, ("long",), "1 أبريل 2030"),
    ("en", "format_time", time(15, 30), ("short",), "3:30 PM"),
    ("de", "format_datetime", MOMENT, ("short",), "01.04.30, 15:30"),
    ("de", "format_timedelta", timedelta(days=3), (), "3 Tage"),
    ("de", "format_number", 1234.5, (), "1.234,5"),
    ("en", "format_number", Decimal("1234.50"), (), "1,234.5"),
    ("de", "format_percent", 0.34, (), "34 %"),
    ("de", "format_currency", 1234.5, ("EUR",), "1.234,50 €"),
    ("de-x-shop", "format_number", 1.5, (), "1,5"),
    ("tlh", "format_number", 1.5, (), "1.5"),
)
def test_a_value_is_written_as_in_the_language(shown, tag, name, value, arguments, text):
    assert shown(tag, name, value, *arguments) == text


def test_options_are_those_of_babel(shown):
    assert shown("de", "format_datetime", MOMENT, "short", tzinfo=ZoneInfo("Europe/Berlin")) == "01.04.30, 17:30"
    assert shown("de", "format_timedelta", timedelta(days=3), add_direction=True) == "in 3 Tagen"


def test_without_babel_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "babel.dates", None)
    with pytest.raises(ImportError, match=r"need Babel: pip install 'antiphon\[languages\]'"):
        features.format_date(DAY)
