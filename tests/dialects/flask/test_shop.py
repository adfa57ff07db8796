"""A shop that is written for Flask answers one visitor as on Flask, over every interface."""

import importlib

import pytest
from werkzeug.test import Client as TheirClient

from antiphon.testing import Client
from tests.dialects.flask.beside import BOTH, timeless, waiting
from tests.dialects.flask.program_of_a_shop import VISIT, build

NOT_COMPARED = {"date", "server", "connection", "transfer-encoding", "content-length"}


def compared(status, headers, body):
    """An answer without times, and without the words of error pages."""
    fields = sorted((name.lower(), timeless(name, value)) for name, value in headers)
    return status, [field for field in fields if field[0] not in NOT_COMPARED], body.partition(b"<p>")[0]


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setenv("SHOP_SHOP_TAX", "0.19")
    monkeypatch.setenv("SHOP_SHOP_TABLE__a__B", '"c"')


@pytest.fixture(scope="module")
def expected():
    """The answers of Flask."""
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setenv("SHOP_SHOP_TAX", "0.19")
    monkeypatch.setenv("SHOP_SHOP_TABLE__a__B", '"c"')
    client = TheirClient(waiting(build(importlib.import_module(BOTH[0]))))
    answers = []
    for method, path, *rest in VISIT:
        headers, body = rest or ({}, b"")
        with client.open(path, "http://testserver", method=method, headers=headers, data=body or None) as response:
            answers.append(compared(response.status_code, response.headers, response.data))
    monkeypatch.undo()
    return answers


@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_a_visit_is_that_on_flask(interface, expected):
    differing = []
    app = build(importlib.import_module(BOTH[1]))
    with Client(app, interface, follow_redirects=False, raise_errors=False) as client:
        for (method, path, *rest), wanted in zip(VISIT, expected, strict=True):
            headers, body = rest or ({}, b"")
            response = client.request(method, path, headers=headers, body=body)
            answer = compared(response.status, response.headers.items(), response.body)
            if answer != wanted:
                differing.append((method, path, answer, wanted))
    assert not differing
