"""Who asks: the browser, the place, and what a page reads of the environment, beside Asok's own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.dialects.asok import beside_clients
from tests.helpers.rows import rows

pytestmark = pytest.mark.once
ROOT = Path(__file__).parents[3]
PARIS = "192.0.2.0,192.0.2.255,Paris,France,48.8566,2.3522,ignored\n"
PAGE = """
def render(request):
    here = request.location
    return request.json([here["city"], here["country"], here["lat"], here["lon"]])
"""
UNKNOWN = ["Unknown", "Unknown", 0.0, 0.0]


@pytest.mark.processes
@pytest.mark.feature("asok-013", "asok-014", "asok-015", "asok-016", "asok-017", "asok-070", "asok-071", "asok-072")
def test_all_is_as_asok_says(tmp_path, monkeypatch):
    (tmp_path / "asok").mkdir()
    (tmp_path / "ours").mkdir()
    command = [sys.executable, "-m", beside_clients.__name__]
    told = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    theirs = json.loads(
        subprocess.run(command, cwd=tmp_path / "asok", env=told, capture_output=True, check=True, timeout=60).stdout
    )
    monkeypatch.chdir(tmp_path / "ours")
    beside_clients.prepare()
    ours = beside_clients.answers(beside_clients.of_the_dialect())
    assert {client: said for client, said in ours.items() if said != theirs[client]} == {}
    assert ours.keys() == theirs.keys()


@pytest.mark.axes("interface")
@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
@rows(
    "files, client, headers, expected",
    [
        ({".asok/geo.csv": PARIS}, "192.0.2.7", {}, ["Paris", "France", 48.8566, 2.3522]),
        ({".asok/geo.csv": PARIS}, "192.0.2.7", {"x-forwarded-for": "9.9.9.9"}, ["Paris", "France", 48.8566, 2.3522]),
        ({".asok/geo.csv": PARIS}, "10.0.0.1", {"x-forwarded-for": "192.0.2.7"}, ["Paris", "France", 48.8566, 2.3522]),
        ({".asok/geo.csv": PARIS}, "127.0.0.1", {}, UNKNOWN),
        ({".asok/geo.csv": "192.0.2.0/24,-,France,,"}, "192.0.2.7", {}, ["Unknown", "France", 0.0, 0.0]),
        ({".asok/geo.csv": "ip_from,ip_to,city,country,lat,lon\n"}, "192.0.2.7", {}, UNKNOWN),
        ({}, "192.0.2.7", {}, UNKNOWN),
    ],
)
@pytest.mark.feature("asok-018", "asok-019", "asok-020", "asok-021", "asok-022", "asok-023")
def test_a_request_knows_where_its_client_is(serve, interface, files, client, headers, expected):
    def prepare(app):
        app.config["TRUSTED_PROXIES"] = "10.0.0.1"

    served = serve({"page.py": PAGE, **files}, interface, prepare, client=(client, 5000))
    is_believed = interface != "wsgi" or client != "10.0.0.1"  # over WSGI only some servers keep names apart
    assert served.get("/", headers=headers).json == (expected if is_believed else UNKNOWN)


@pytest.mark.feature("asok-018")
def test_a_location_is_a_dict_and_says_what_it_has_not(serve):
    page = """
def render(request):
    here = dict(request.geo)
    try:
        request.geo["flag"]
    except KeyError as error:
        return request.json([here, request.geo.get("flag"), str(error)])
"""
    text = "network,city,country,lat,lon,zone\n192.0.2.0/24,Paris,France,48.8566,2.3522,Europe/Paris\n"
    here, flag, error = serve({"page.py": page, ".asok/geo.csv": text}, client=("192.0.2.7", 1)).get("/").json
    assert here == {
        "ip": "192.0.2.7", "city": "Paris", "country": "France", "lat": 48.8566, "lon": 2.3522, "zone": "Europe/Paris",
    }  # fmt: skip
    assert flag is None
    assert "flag: the Asok dialect has no table of countries" in error


@pytest.mark.feature("asok-019")
def test_templates_read_a_location(serve):
    files = {"page.html": "{{ request.location['city'] }}, {{ request.location.country }}", ".asok/geo.csv": PARIS}
    assert serve(files, client=("192.0.2.7", 1)).get("/").text == "Paris, France"
