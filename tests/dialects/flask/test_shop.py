"""A shop that is written for Flask answers one visitor as on Flask, over every interface."""

import importlib

import pytest

from tests.dialects.beside import answers, answers_over, assert_alike
from tests.dialects.flask.beside import BOTH, OF_SERVERS, compared, waiting
from tests.dialects.flask.program_of_a_shop import VISIT, build


@pytest.fixture(scope="module", autouse=True)
def _environment():
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("SHOP_SHOP_TAX", "0.19")
        monkeypatch.setenv("SHOP_SHOP_TABLE__a__B", '"c"')
        yield


@pytest.fixture(scope="module")
def expected():
    return answers(waiting(build(importlib.import_module(BOTH[0]))), VISIT)


def test_a_visit_is_that_on_flask(interface, expected):
    ours = answers_over(build(importlib.import_module(BOTH[1])), interface, VISIT)
    assert_alike(VISIT, expected, ours, compared, OF_SERVERS)
