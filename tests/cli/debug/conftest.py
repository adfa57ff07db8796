"""The debug mode, switched on in this process, as the command does in a worker."""

from html import unescape

import pytest

from antiphon.cli.debug.mode import switch_on
from antiphon.handler.errors import set_debug_page


@pytest.fixture
def in_debug():
    """The debug mode, for loopback, as long as the test takes."""
    switch_on(is_for_loopback=True)
    yield
    set_debug_page(None)


class Pages:
    """A client of an app that takes pages, or JSON, from this machine."""

    def __init__(self, client):
        self.client = client

    def page(self, path, method="GET", headers=(), **options):
        response = self.client.request(method, path, headers={"accept": "text/html", **dict(headers)}, **options)
        response.shown = unescape(response.text)
        return response

    def problem(self, path, method="GET", **options):
        return self.client.request(method, path, **options)


@pytest.fixture
def pages(in_debug, open_client):
    return lambda app, interface="asgi": Pages(open_client(app, interface, base_url="http://localhost:8000"))
