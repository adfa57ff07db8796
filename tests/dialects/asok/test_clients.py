"""Who asks: the browser, the place, and what a page reads of the environment, beside Asok's own."""

import pytest

from antiphon.cli.compare import differences
from tests.helpers.rows import rows

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0"
USER_AGENTS = (
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/130.0.0.0",
    f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 OPR/114.0.0.0",
    f"Mozilla/5.0 (Linux; Android 10; K) {CHROME} Mobile Safari/537.36",
    f"Mozilla/5.0 (X11; Linux x86_64) {CHROME} Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Version/18.0 Safari/605.1.15",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E Safari/604.1",
    "Mozilla/5.0 (iPad; CPU OS 18_0 like Mac OS X) AppleWebKit/605.1 Version/18.0 Mobile/15E Safari/604.1",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Android 14; Mobile; rv:131.0) Gecko/131.0 Firefox/131.0",
    "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko",
    "",
)
GEO = """\
ip_from,ip_to,city,country,lat,lon
3221225984,3221226239,Paris,France,48.8566,2.3522
16777216,16777471,Brisbane,Australia,-27.4679,153.028
not,a,line
3325256704,3325256959,Malmö,Sweden,55.6,13
"""
IPS = ("192.0.2.0", "192.0.2.255", "1.0.0.9", "198.51.100.200")
VARIABLES = {"A_TEXT": "text", "A_TRUE": "TRUE", "A_FALSE": "false", "A_NULL": "Null", "A_NUMBER": "1", "AN_EMPTY": ""}
READ = (
    "[request.user_agent, request.browser.name, request.browser.os, request.browser.is_mobile, str(request.browser),"
    " {name: request.location[name] for name in ('ip', 'city', 'country', 'lat', 'lon')}"
    " if request.ip != '127.0.0.1' else None, request.geo == request.location,"
    " [request.env(name, 'default') for name in names], request.env('A_MISSING'), request.env.get('A_MISSING', 3)]"
)
PARIS = "192.0.2.0,192.0.2.255,Paris,France,48.8566,2.3522,ignored\n"
PAGE = """
def render(request):
    here = request.location
    return request.json([here["city"], here["country"], here["lat"], here["lon"]])
"""
UNKNOWN = ["Unknown", "Unknown", 0.0, 0.0]


@pytest.mark.processes
@pytest.mark.feature("asok-013", "asok-014", "asok-015", "asok-016", "asok-017", "asok-070", "asok-071", "asok-072")
def test_all_is_as_asok_says(beside):
    page = f"names = {[*VARIABLES]}\n\ndef render(request):\n    return str({READ})\n"
    files = {"wsgi.py": "import asok\napp = asok.Asok('.')\n", "page.py": page, ".asok/geo.csv": GEO}
    cases = [f"GET /\nUser-Agent: {user_agent}" for user_agent in USER_AGENTS]
    cases += [f"# @environ REMOTE_ADDR {ip}\nGET /" for ip in IPS]
    for case, theirs, ours in beside(files, "\n###\n".join(cases), **VARIABLES):
        fields = {name for name, _ in (*theirs["fields"], *ours["fields"])}
        assert theirs["status"] == 200
        assert not differences(theirs, ours, fields), case


@pytest.mark.axes("interface")
@rows(
    "files, client, headers, expected",
    ({".asok/geo.csv": PARIS}, "192.0.2.7", {}, ["Paris", "France", 48.8566, 2.3522]),
    ({".asok/geo.csv": PARIS}, "192.0.2.7", {"x-forwarded-for": "9.9.9.9"}, ["Paris", "France", 48.8566, 2.3522]),
    ({".asok/geo.csv": PARIS}, "10.0.0.1", {"x-forwarded-for": "192.0.2.7"}, ["Paris", "France", 48.8566, 2.3522]),
    ({".asok/geo.csv": PARIS}, "127.0.0.1", {}, UNKNOWN),
    ({".asok/geo.csv": "192.0.2.0/24,-,France,,"}, "192.0.2.7", {}, ["Unknown", "France", 0.0, 0.0]),
    ({".asok/geo.csv": "ip_from,ip_to,city,country,lat,lon\n"}, "192.0.2.7", {}, UNKNOWN),
    ({}, "192.0.2.7", {}, UNKNOWN),
)
@pytest.mark.feature("asok-018", "asok-019", "asok-020", "asok-021", "asok-022", "asok-023")
def test_a_request_knows_where_its_client_is(serve, interface, files, client, headers, expected):
    def prepare(app):
        app.config["TRUSTED_PROXIES"] = "10.0.0.1"

    served = serve({"page.py": PAGE, **files}, interface, prepare, client=(client, 5000))
    assert served.get("/", headers=headers).json == expected


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
