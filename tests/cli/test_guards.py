"""Guards around a program: for which they are, and what they tell those that need none."""

import pytest

from antiphon import App
from antiphon.cli.errors import BadCommand
from antiphon.cli.workers.options import Guards
from tests.helpers.rows import rows


class SpeaksRSGI:
    async def __rsgi__(self, scope, protocol):
        raise AssertionError("it is not served")


@rows(
    "guards, fix",
    (Guards(("example.org",)), "write App(trusted_hosts=['example.org'])"),
    (Guards(max_body=10), "write App(limits=Limits(body=10))"),
    (Guards(security_headers=True), "write app.use(SecurityHeaders())"),
    (Guards(refuse_cross_site=True), "it refuses writes from other sites by default"),
)
def test_an_app_is_told_how_it_guards_itself(guards, fix):
    with pytest.raises(BadCommand, match="shop:app is an Antiphon App") as raised:
        guards.around(App(), None, "shop:app")
    assert fix in raised.value.message


def test_they_stand_around_wsgi_and_asgi_alone():
    with pytest.raises(BadCommand, match="shop:app speaks only RSGI"):
        Guards(security_headers=True).around(SpeaksRSGI(), None, "shop:app")
