"""`request.geo`, filled by a file of locations, on every interface."""

import builtins
import threading

import pytest

from antiphon import App, Dependency, Request
from antiphon.features import GeoIP, GeoLocation
from antiphon.testing import Client
from tests.helpers.rows import rows

LINE = "192.0.2.0/24,Paris,France,48.8566,2.3522\n"


@pytest.fixture
def path(tmp_path):
    (tmp_path / "geo.csv").write_text(LINE)
    return tmp_path / "geo.csv"


@pytest.mark.axes("interface", "style")
@rows(
    "client, forwarded, found",
    ("192.0.2.7", None, ["Paris", "France", 48.8566, 2.3522]),
    ("::ffff:192.0.2.7", None, ["Paris", "France", 48.8566, 2.3522]),
    ("10.0.0.1", "192.0.2.7", ["Paris", "France", 48.8566, 2.3522]),
    ("192.0.2.7", "198.51.100.1", ["Paris", "France", 48.8566, 2.3522]),  # no proxy of ours: not believed
    ("10.0.0.1", "unknown", [None] * 4),
    *((ip, None, [None] * 4) for ip in ("127.0.0.1", "::1", "10.9.9.9", "198.51.100.1", "fe80::1%eth0", "bogus")),
)
def test_a_request_knows_where_its_client_is(path, interface, style, client, forwarded, found):
    app = App(trusted_proxies=["10.0.0.1"])
    app.use(GeoIP(path))
    if interface == "wsgi" and client == "10.0.0.1":
        found = [None] * 4  # nothing tells the proxy's header from one that a client forged

    def show(request: Request):
        place = request.geo
        assert bool(place) == (found[0] is not None)
        assert dict(place) == dict(zip(place, found, strict=True))
        return [place.city, place.country, place.lat, place.lon]

    async def show_later(request: Request):
        return show(request)

    app.get("/")(show if style == "def" else show_later)
    headers = {"x-forwarded-for": forwarded} if forwarded else {}
    with Client(app, interface=interface, client=(client, 5000)) as visitor:
        assert visitor.get("/", headers=headers).json == found


def test_without_the_feature_an_error_names_it():
    with pytest.raises(RuntimeError, match=r'app\.use\(GeoIP\("geo\.csv"\)\)'):
        Request.blank().geo.city  # noqa: B018


@pytest.mark.axes("interface")
def test_the_file_is_read_once_on_a_thread_before_the_first_request(path, interface, style, monkeypatch):
    read = []
    really_open = builtins.open

    def opened(file, *args, **kwargs):
        if file == str(path):
            read.append(threading.get_ident())
        return really_open(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", opened)
    app = App()
    app.use(GeoIP(path))
    loop_threads = []

    @app.on_startup
    async def note_thread():
        loop_threads.append(threading.get_ident())

    @app.get("/")
    async def show(request: Request):
        return str(request.geo.city)

    app._freeze()
    assert read == []
    with Client(app, interface=interface, client=("192.0.2.7", 5000)) as visitor:
        assert [visitor.get("/").text for _ in range(2)] == ["Paris", "Paris"]
    assert len(read) == 1
    assert read != loop_threads


def test_a_relative_path_is_beside_the_code_and_has_to_be_there(path):
    make = "from antiphon.features import GeoIP\nmade = GeoIP('geo.csv')"
    namespace = {"__file__": str(path.with_name("shop.py"))}
    exec(make, namespace)
    assert namespace["made"].find("192.0.2.7").city == "Paris"
    path.unlink()
    with pytest.raises(ValueError, match="there is no file"):
        exec(make, namespace)


def test_a_file_that_cannot_be_read_ends_the_startup(path):
    path.write_text("no,location")
    app = App()
    app.use(GeoIP(path))
    with pytest.raises(Exception, match="no line with a range of addresses"), Client(app):
        pass


def test_a_dependency_of_your_own_may_be_provided(path):
    office = Dependency[GeoLocation]("office")
    app = App()
    app.use(GeoIP(path))
    app.use(GeoIP(path, dependency=office))
    app.get("/")(lambda request: f"{request[office].city}, {request.geo['country']}")
    assert Client(app, client=("192.0.2.7", 5000)).get("/").text == "Paris, France"


def test_a_location_is_a_mapping_and_false_if_it_is_unknown():
    found = GeoLocation("Paris", lat=0.0, timezone="Europe/Paris")
    assert dict(found) == {"city": "Paris", "country": None, "lat": 0.0, "lon": None, "timezone": "Europe/Paris"}
    assert (found.city, found.country, found.lat, found.lon, len(found)) == ("Paris", None, 0.0, None, 5)
    assert "timezone" in found
    with pytest.raises(KeyError):
        found["region"]
    assert (bool(found), bool(GeoLocation()), bool(GeoLocation(lat=0.0))) == (True, False, True)
    assert GeoLocation() == GeoLocation(city=None)
    assert repr(found) == "GeoLocation(city='Paris', lat=0.0, timezone='Europe/Paris')"
