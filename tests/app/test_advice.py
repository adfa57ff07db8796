"""The log names the setting that accepts what was refused, once; the client reads of no setting."""

import pytest

from antiphon import App
from antiphon.features import CORS
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

EVIL = "https://evil.example"
PREFLIGHT = {"origin": EVIL, "access-control-request-method": "POST"}


def using(app, feature):
    app.use(feature)
    return app


@rows(
    "make, method, headers, advice",
    (
        lambda: App(trusted_hosts=["example.com"]),
        "GET",
        {"host": "Evil.example:81"},
        'A request for evil.example:81 was refused; if it should not be: App(trusted_hosts=["evil.example:81"])',
    ),
    (
        App,
        "POST",
        {"origin": EVIL},
        f'A write by a page at {EVIL} was refused; if it should not be: App(trusted_origins=["{EVIL}"])',
    ),
    (
        lambda: using(App(), CORS(["https://shop.example"])),
        "OPTIONS",
        PREFLIGHT,
        f'A preflight of a page at {EVIL} was refused; if it should not be: CORS(origins=["{EVIL}"])',
    ),
    (App, "POST", {"origin": "null"}, None),
    (App, "POST", {"sec-fetch-site": "cross-site"}, None),
    (lambda: App(trusted_hosts=["example.com"]), "GET", {"host": "a b"}, None),
    ids=["host", "write", "preflight", "sandboxed page", "page without origin", "malformed host"],
)
def test_is_given_once(serving, caplog, make, method, headers, advice):
    app = make()
    app.post("/")(lambda request: "written")
    client = serving(app)
    details = [client.request(method, "/", headers=headers).json["detail"] for _ in range(3)]
    assert "App" not in details[0]
    assert "CORS" not in details[0]
    assert [record.getMessage() for record in caplog.records] == [advice] * (advice is not None)


def test_is_bounded(serving, caplog):
    client = serving(App(trusted_hosts=["example.com"]))
    for number in range(150):
        client.get("/", headers={"host": f"{number}.example"})
    assert len(caplog.records) == 100
