"""A Host that no URL has: each dialect refuses it, over each interface."""

import pytest

from antiphon.dialects.kay.app import KayApp
from antiphon.dialects.microdot import Microdot
from antiphon.testing import Client
from tests.dialects import programs
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


def microdot_with_a_dispatch_of_its_own():
    class Application(Microdot):
        async def dispatch_request(self, request):
            return await super().dispatch_request(request)

    app = Application()
    app.get("/hello")(lambda request: "x")
    return app


MALFORMED = [
    "a b", "a/b", "a@b", "a?b", "a#b", "a,b", "[::1", "::1", "a:b", "a:99999", "a:80:80", "a%b", "a\\b", "<a>",
    "a" * 400 + "@",
]  # fmt: skip
WELL_FORMED = ["a", "a:80", "a_b", "[::1]:80", "192.0.2.1", "a" * 400]


@pytest.mark.axes("interface")
@rows("make", [*programs.ALL, microdot_with_a_dispatch_of_its_own])
def test_a_malformed_host_is_a_400(make, interface):
    with Client(make(), interface) as client:
        statuses = {host: client.get("/hello", headers={"host": host}).status for host in MALFORMED + WELL_FORMED}
    assert statuses == dict.fromkeys(MALFORMED, 400) | dict.fromkeys(WELL_FORMED, 200)


@rows("host", ["..", "a..b", ".", "a" * 70])
def test_kay_answers_a_host_that_can_not_be_resolved_with_a_400(host):
    assert Client(KayApp({}), "wsgi").get("/", headers={"host": host}).status == 400
