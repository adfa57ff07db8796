"""No request leaves anything to the garbage collector: all that it held is freed as soon as its exchange has ended."""

import logging

import pytest

from antiphon.testing import BrokenResponse, Client
from tests.app.conftest import DefStyle
from tests.garbage import plain_app
from tests.helpers.free_threading import frees_at_once
from tests.helpers.garbage import garbage_of

pytestmark = [pytest.mark.axes("interface", "style"), frees_at_once]


class AtOnce(DefStyle):
    """Paints functions as ``async def`` that never wait."""

    def __call__(self, function):
        async def answers(*arguments):
            return function(*arguments)

        return answers


STYLES = [DefStyle("def"), DefStyle("async def"), AtOnce("async def that never waits")]


@pytest.fixture(params=["wsgi", "asgi", "rsgi"], scope="module")
def interface(request):
    return request.param


@pytest.fixture(params=STYLES, ids=lambda style: style.name, scope="module")
def style(request):
    return request.param


@pytest.fixture(scope="module")
def client(interface, style):
    with Client(plain_app.make(style), interface, follow_redirects=False, raise_errors=False, timeout=10.0) as client:
        yield client


def send(client, exchange):
    try:
        with client.stream(exchange.method, exchange.path, **exchange.options) as response:
            assert response.status == exchange.status, f"{response.status} is not {exchange.status}"
            for chunk in response:
                if exchange.leaves_after and exchange.leaves_after in chunk:
                    break
    except BrokenResponse:
        assert exchange.breaks
    client.cookies.clear()


@pytest.mark.parametrize("name", plain_app.EXCHANGES)
def test_a_request(client, caplog, name):
    caplog.set_level(logging.CRITICAL, "antiphon")  # records would keep errors
    assert not garbage_of(lambda: send(client, plain_app.EXCHANGES[name]))
