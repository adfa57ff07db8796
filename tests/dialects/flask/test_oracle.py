"""One program on Flask and on the dialect: each request has the same answer, over every interface."""

from functools import cache

import flask

from antiphon.dialects import flask as dialect
from tests.dialects.beside import answers, answers_over, assert_alike
from tests.dialects.flask.beside import OF_SERVERS, compared
from tests.dialects.flask.program_of_both import REQUESTS, awaited, build, plain
from tests.helpers.rows import rows

ASKED = [
    (path, {"method": method, "headers": {"cookie": "", **headers}, "body": body})
    for method, path, headers, body in REQUESTS
]
"""The requests, without cookies of earlier ones."""


@cache
def expected():
    return answers(build(flask), ASKED)


def test_only_what_is_meant_to_fail_fails_on_flask():
    failing = {path for (path, _), answer in zip(ASKED, expected(), strict=True) if answer["status"] == 500}
    assert failing == {"/none", "/fails", "/parent/fails", "/parent/child/fails", "/again/fails"}


@rows("made", [plain, awaited], ids=["def", "async def"])
def test_over_wsgi_the_answers_are_those_of_flask(made):
    assert_alike(ASKED, expected(), answers(build(dialect, made), ASKED), compared, OF_SERVERS)


@rows("interface", ["asgi", "rsgi"])
@rows("made", [plain, awaited], ids=["def", "async def"])
def test_over_other_interfaces_too(made, interface):
    assert_alike(ASKED, expected(), answers_over(build(dialect, made), interface, ASKED), compared, OF_SERVERS)
