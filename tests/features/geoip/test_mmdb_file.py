"""Files in MaxMind's format, in the layout of GeoLite2-City."""

import os
import sys

import pytest

from antiphon import App
from antiphon.features import GeoIP, GeoLocation, Languages
from antiphon.testing import Client
from tests.helpers.mmdb import mmdb
from tests.helpers.rows import rows

MUNICH = {
    "city": {"names": {"de": "München", "en": "Munich", "pt-BR": "Munique"}},
    "continent": {"code": "EU", "names": {"en": "Europe"}},
    "country": {"iso_code": "DE", "names": {"de": "Deutschland", "en": "Germany", "pt-BR": "Alemanha"}},
    "location": {"latitude": 48.5, "longitude": 11, "time_zone": "Europe/Berlin", "accuracy_radius": 20},
    "postal": {"code": "80331"},
    "subdivisions": [{"iso_code": "BY", "names": {"de": "Bayern", "en": "Bavaria"}}],
}


@pytest.fixture
def path(tmp_path):
    records = {"1.0.0.0/24": MUNICH, "2001:db8::/32": {"city": "Oslo"}, "2.0.0.0/8": {}, "3.0.0.0/8": {"city": [5]}}
    (tmp_path / "city.mmdb").write_bytes(mmdb(records))
    return tmp_path / "city.mmdb"


@pytest.mark.parametrize("ip", ["1.0.0.7", "::ffff:1.0.0.7"])
def test_a_record_has_names_and_degrees_and_more(path, ip):
    found = GeoIP(path).find(ip)
    assert dict(found) == {
        "city": "Munich", "country": "Germany", "lat": 48.5, "lon": 11.0, "country_code": "DE", "continent": "Europe",
        "continent_code": "EU", "region": "Bavaria", "region_code": "BY", "postal_code": "80331",
        "timezone": "Europe/Berlin", "accuracy_radius": 20,
    }  # fmt: skip
    assert type(found.lon) is float


@rows(
    "language, city, region",
    ("de", "München", "Bayern"), ("de-AT", "München", "Bayern"), ("pt", "Munique", "Bavaria"),
    ("pt-PT", "Munique", "Bavaria"), ("fi", "Munich", "Bavaria"),
)  # fmt: skip
def test_names_are_in_the_language_that_is_asked_for_or_in_english(path, language, city, region):
    found = GeoIP(path).find("1.0.0.7", language=language)
    assert (found["city"], found["region"]) == (city, region)


@rows("ip", ["2.0.0.1", "3.0.0.1", "9.9.9.9", "127.0.0.1", "::1", "x", None])
def test_what_it_says_nothing_of_is_unknown(path, ip):
    assert GeoIP(path).find(ip) == GeoLocation()


def test_text_is_a_name(path):
    assert GeoIP(path).find("2001:db8::1").city == "Oslo"


def test_a_file_of_ipv4_addresses_knows_no_others(tmp_path):
    (tmp_path / "ipv4.mmdb").write_bytes(mmdb({"1.0.0.0/24": MUNICH}, ip_version=4))
    locations = GeoIP(tmp_path / "ipv4.mmdb")
    assert locations.find("1.0.0.7").city == "Munich"
    assert locations.find("2001:db8::1") == GeoLocation()


def test_whoever_writes_into_the_file_breaks_nothing(path):
    locations = GeoIP(path)
    locations.load()
    os.truncate(path, 0)
    assert locations.find("1.0.0.7").city == "Munich"


def test_another_format_is_an_error(path):
    path.write_bytes(b"no database")
    with pytest.raises(ValueError, match=r"city\.mmdb is not a database in MaxMind's format"):
        GeoIP(path).load()


def test_without_the_package_an_error_names_it(path, monkeypatch):
    monkeypatch.setitem(sys.modules, "maxminddb", None)
    with pytest.raises(ImportError, match=r"pip install 'antiphon\[locations\]'"):
        GeoIP(path).load()


def test_names_are_in_the_language_of_the_request(path, tmp_path):
    (tmp_path / "locales").mkdir()
    for tag in ("en", "de"):
        (tmp_path / "locales" / f"{tag}.json").write_text("{}")
    app = App()
    app.use(Languages(tmp_path / "locales", default="en"))
    app.use(GeoIP(path))
    app.get("/")(lambda request: request.geo.city)
    client = Client(app, client=("1.0.0.7", 5000))
    assert client.get("/", headers={"accept-language": "de-AT"}).text == "München"
    response = client.get("/")
    assert (response.text, "accept-language" in response.headers["vary"]) == ("Munich", True)
