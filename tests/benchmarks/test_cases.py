"""The applications that the benchmarks compare, and what is asked of them."""

import asyncio

import pytest

from benchmarks.apps import application
from benchmarks.cases import CASES, WrongAnswerError
from benchmarks.harness import AsgiServer, WsgiServer
from tests.helpers.rows import rows

HERE = ("antiphon", "bare", "starlette")
"""Frameworks that tests have installed, and that close the files of forms; `python -m benchmarks` asks all."""


def asked(framework, interface, case):
    app = application(framework, interface, case.name)
    if app is None or framework not in (case.frameworks or HERE):
        return False
    with asyncio.Runner() as runner:
        server = WsgiServer(app) if interface == "wsgi" else AsgiServer(app, runner.get_loop())
        server.verify(case)
        server.close()
    return True


@rows("interface", ["wsgi", "asgi"])
@rows("case", CASES.values(), ids=CASES)
def test_all_applications_give_the_answer_of_a_case(case, interface):
    answered = [name for name in HERE if asked(name, interface, case)]
    assert "antiphon" in answered
    assert {"antiphon"} < {*answered, *case.frameworks} or case.frameworks == ("antiphon",)


@rows(
    "status, headers, body",
    (500, {}, b"Hello, zoe!"),
    (200, {"content-type": "text/html"}, b"Hello, zoe!"),
    (200, {"content-length": "7"}, b"Hello, zoe!"),
    (200, {"x-frame-options": "SAMEORIGIN"}, b"Hello, zoe!"),
    (200, {}, b"Hello!"),
    ids=["status", "type", "length", "hook", "text"],
)
def test_another_answer_is_wrong(status, headers, body):
    right = {"content-type": "text/plain", "content-length": str(len(body)), "x-frame-options": "DENY"}
    with pytest.raises(WrongAnswerError):
        CASES["hooks"].check(status, [*(right | headers).items()], body)


def test_an_answer_may_be_each_framework_s_own():
    CASES["missing"].check(404, [("content-type", "text/html"), ("content-length", "4")], b"None")
