"""CSV files of locations: their layouts, and what is done about lines that are malformed."""

import logging

import pytest

from antiphon.features import GeoIP, GeoLocation
from tests.helpers.rows import rows

PARIS = {"city": "Paris", "country": "France", "lat": 48.8566, "lon": 2.3522}
TAIL = "Paris,France,48.8566,2.3522"
DB_IP = ["from", "to", "", "country_code", "region", "city", "lat", "lon"]
IP2LOCATION = ["ip_from", "ip_to", "country_code", "country_name", "region", "city_name", "latitude", "longitude"]


@pytest.fixture
def located(tmp_path):
    """A function that returns the location of an address by a file of some text."""

    def find(text, ip="1.0.0.7", **options):
        (tmp_path / "geo.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
        return GeoIP(tmp_path / "geo.csv", **options).find(ip)

    return find


@rows("ip", ["1.0.0.7", "::ffff:1.0.0.7"])
@rows(
    "line",
    f"16777216,16777471,{TAIL}",
    f"1.0.0.0,1.0.0.255,{TAIL}",
    f"1.0.0.0/24,{TAIL}",
    f"281470698520576,281470698520831,{TAIL}",
    f"::ffff:1.0.0.0/120,{TAIL}",
    '"16777216","16777471","Paris","France","48.8566","2.3522"\r\n',
    "16777216 , 16777471, Paris , France , 48.8566 , 2.3522",
    f"16777216,16777471,{TAIL},more,than,that",
    f"\ufeff# a comment\n\nip_from,ip_to,city,country,lat,lon\n16777216,16777471,{TAIL}",
    "LONGITUDE,Latitude,Country Name,City,Network\n2.3522,48.8566,France,Paris,1.0.0.0/24",
)
def test_a_file_has_ranges_of_addresses_in_any_layout(located, line, ip):
    assert dict(located(line, ip)) == PARIS


@rows(
    "text, options, expected",
        (
            "network,country,country_name,city,time zone,\n1.0.0.0/24,FR,France,Paris,Europe/Paris,x",
            {},
            {**dict.fromkeys(["lat", "lon"]), "city": "Paris", "country": "France", "country_code": "FR",
             "time_zone": "Europe/Paris"},
        ),
        (
            "1.0.0.0,1.0.0.255,EU,FR,Ile,Paris,48.8566,2.3522",
            {"columns": DB_IP},
            {**PARIS, "country": None, "country_code": "FR", "region": "Ile"},
        ),
        (
            '"16777216","16777471","FR","France","Ile","Paris","48.8566","2.3522"',
            {"columns": IP2LOCATION},
            {**PARIS, "country_code": "FR", "region": "Ile"},
        ),
        ("network,self\n1.0.0.0/24,x", {}, {**dict.fromkeys(PARIS), "self": "x"}),
        ("city,lat,ip\n1.0.0.0/24,Oslo", {"columns": ["network", "city"]}, {**dict.fromkeys(PARIS), "city": "Oslo"}),
)  # fmt: skip
def test_columns_have_names(located, text, options, expected):
    assert dict(located(text, **options)) == expected


@rows(
    "text, ip, city",
    ("1.0.0.0/8,wide,,,\n1.0.0.0/24,narrow,,,", "1.0.0.7", "narrow"),
    ("1.0.0.0/24,narrow,,,\n1.0.0.0/8,wide,,,", "1.0.0.7", "narrow"),
    ("1.0.0.0/24,narrow,,,\n1.0.0.0/8,wide,,,", "1.0.1.0", "wide"),
    ("1.0.0.0/24,first,,,\n1.0.0.0/24,last,,,", "1.0.0.7", "last"),
    ("2.0.0.0/8,two,,,\n1.0.0.0/8,one,,,\n2001:db8::/32,six,,,", "1.0.0.7", "one"),
    ("2.0.0.0/8,two,,,\n1.0.0.0/8,one,,,\n2001:db8::/32,six,,,", "2001:db8::5", "six"),
    ("::/0,six,,,", "1.0.0.7", None),
    ("1.0.0.0/24,-,-,,\n1.0.0.0/8,wide,,,", "1.0.0.7", None),
    ("1.0.0.0/24,one,,,", "1.0.1.0", None),
    ('1.0.0.0/24,"Washington, ""D.C.""",,,', "1.0.0.7", 'Washington, "D.C."'),
    ("1.0.0.0/24,Malmö,,,", "1.0.0.7", "Malmö"),
    ("1.0.0.0/24,Start,City,,\nx\n2.0.0.0/8,two,,,", "1.0.0.7", "Start"),  # which are names of columns elsewhere
)
def test_lines_may_overlap_and_be_in_any_order(located, text, ip, city):
    found = located(text, ip)
    assert (found["city"], bool(found)) == (city, city is not None)


def test_a_malformed_line_is_named_and_the_others_are_used(located, caplog):
    lines = [
        f"1.0.0.0,1.0.0.255,{TAIL}",  # 1
        "2.0.0.0,2.0.0.255,x,y,0",
        "",
        "3.0.0.0,x,x,y,0,0",
        "3.0.0.9,3.0.0.0,x,y,0,0",
        "3.0.0.0,3.0.0.9,x,y,91,0",
        "3.0.0.0,3.0.0.9,x,y,0,nan",  # 7
        'a"b,"c',
        '3.0.0.0,3.0.0.9,"x,y,0,0',
        b"3.0.0.0,3.0.0.9,\xff,y,0,0",
        "3.0.0.0,3.0.0.9,x,y,north,0",  # 11
        f"4.0.0.0,4.0.0.255,{TAIL}",
    ]
    text = b"\n".join(line if isinstance(line, bytes) else line.encode() for line in lines)
    assert located(text, "4.0.0.5").city == "Paris"
    assert located(text, "3.0.0.5") == GeoLocation()
    message = caplog.records[0].getMessage()
    assert message.startswith("geo.csv: 9 of 11 lines are malformed, and were skipped: line 2 (5 of 6 columns), 4 (")
    for words in (
        "5 (the end of the range is before", "6 (lat is no", "7 (lon is no", ", 8 (", ", 9 (", "10 (not UTF-8",
    ):  # fmt: skip
        assert words in message


def test_the_log_names_few_of_many_malformed_lines(located, caplog):
    located(f"1.0.0.0/24,{TAIL}\n" + "x\n" * 5000)
    [record] = caplog.records
    assert record.levelno == logging.WARNING
    assert "5000 of 5001 lines" in record.getMessage()
    assert record.getMessage().endswith("11 (1 of 5 columns), and 4990 more")


@rows("text", ["", "\n# nothing\n", "city,country\n", "a,b\nc,d", "\xff\0", "1.0.0.0/24,Paris"])
def test_a_file_without_a_range_is_an_error_that_names_the_fix(located, text):
    with pytest.raises(ValueError, match=r"geo\.csv has no line with a range of addresses.*columns=\[\.\.\.\]"):
        located(text)


def test_columns_are_a_list_that_names_the_addresses(tmp_path):
    (tmp_path / "geo.csv").touch()
    for columns in ("network city", ["city", "country"]):
        with pytest.raises(ValueError, match="columns"):
            GeoIP(tmp_path / "geo.csv", columns=columns)
