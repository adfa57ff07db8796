"""Apps with a cache: a page that tells how often it was made, and what caches say of it."""

import pytest

from antiphon import App, Response
from antiphon.features import Cache, MemoryStore
from antiphon.testing import Client
from tests.features.conftest import Clock


class Site:
    """An app whose page at / has a number, which grows with each call of its handler.

    ``fields`` are those of the page, and ``answer`` gives another response, where that is set.
    """

    def __init__(self, interface="asgi", **options):
        self.clock = Clock()
        self.cache = Cache(options.pop("store", None) or MemoryStore(clock=self.clock), **options)
        self.calls = 0
        self.fields = {"cache-control": "public, max-age=60"}
        self.answer = None
        self.app = App()
        self.app.use(self.cache)
        self.app.get("/")(self.page)
        self.app.get("/<path:path>")(self.page)
        self.app.post("/<path:path>")(lambda request: Response("done", headers=self.fields))
        self.client = Client(self.app, interface, raise_errors=False)

    def page(self, request):
        self.calls += 1
        return self.answer(request) if self.answer else Response(str(self.calls), headers=self.fields)

    def get(self, path="/", **headers):
        return self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@pytest.fixture
def site(interface):
    return Site(interface)
