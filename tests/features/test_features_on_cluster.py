"""Features on a cluster: whatever they keep is on several shards, and acts as on one server."""

from contextlib import ExitStack, closing

import pytest

from antiphon import App, Response
from antiphon.features import Cache, IdempotentWrites, RateLimit, Sessions, ValkeyStore
from antiphon.features.cache import shelf
from antiphon.testing import Client

pytestmark = [pytest.mark.processes, pytest.mark.once, pytest.mark.axes("interface")]

PAGES = 12
"""As many as it takes for pages, and who made them, to be on several shards."""


class Shop:
    """An app on a store, as two processes would have it."""

    def __init__(self, store, interface, stack):
        self.made, self.paid = [], []
        self.cache = Cache(store)
        self.app = App()
        self.app.use(Sessions(store))
        self.app.use(IdempotentWrites(store))
        self.app.use(self.cache)
        limit = RateLimit("3/minute", store, by=lambda request: request.path)
        self.app.get("/visits/<user>")(self.visits)
        self.app.get("/login/<user>")(self.log_in)
        self.app.get("/logout")(self.log_out)
        self.app.get("/pages/<number>")(self.page)
        self.app.get("/limited/<number>", before=limit)(lambda request, number: number)
        self.app.post("/payments", idempotent=True)(self.pay)
        self._open = lambda: stack.enter_context(
            closing(Client(self.app, interface, base_url="https://shop.example.com"))
        )
        self.client = self._open()

    def browser(self):
        """Another client, with cookies of its own."""
        return self._open()

    def visits(self, request, user):
        request.session["visits"] = request.session.get("visits", 0) + 1
        return str(request.session["visits"])

    def log_in(self, request, user):
        request.session.rotate(owner=user)
        return "Welcome."

    def log_out(self, request):
        request.session.clear(everywhere=True)
        return "Bye."

    def page(self, request, number):
        self.made.append(number)
        response = Response(f"page {number}")
        response.cache_for(60, public=True)
        response.headers["cache-tag"] = f"all, number-{number}"
        return response

    def pay(self, request):
        self.paid.append(request.json)
        return {"number": len(self.paid)}


@pytest.fixture
def shops(valkey_cluster, interface, tmp_path, monkeypatch):
    """Two processes' worth of the app."""
    monkeypatch.setattr(shelf, "CLOCKS_APART", 0.0)  # on one machine they agree
    with ExitStack() as stack:
        stores = [
            stack.enter_context(closing(ValkeyStore(valkey_cluster.url, prefix=f"{tmp_path}:", timeout=30)))
            for _ in "ab"
        ]
        yield [Shop(store, interface, stack) for store in stores]


def test_a_session_keeps_its_data_through_logins_and_ends_everywhere(shops):
    browsers = [shops[0].browser() for _ in range(5)]
    for browser in browsers:
        assert [browser.get("/visits/ann").text for _ in range(2)] == ["1", "2"]
        browser.get("/login/ann")
        assert browser.get("/visits/ann").text == "3"
    browsers[0].get("/logout")
    assert [browser.get("/visits/ann").text for browser in browsers] == ["1"] * 5


def test_a_limit_is_one_for_all_processes(shops):
    for number in range(PAGES):
        answers = [shop.client.get(f"/limited/{number}").status for shop in [*shops, *shops]]
        assert answers == [200, 200, 200, 429]


def test_a_write_happens_once(shops):
    for number in range(PAGES):
        key = {"idempotency-key": f'"{number:036}"'}
        answers = [
            shop.client.post("/payments", json={"pounds": number}, headers=key).json for shop in [*shops, *shops]
        ]
        assert answers == [{"number": number + 1}] * 4
    assert (len(shops[0].paid), len(shops[1].paid)) == (PAGES, 0)


def test_a_cache_is_shared_and_forgets_by_tag_and_by_path(shops):
    one, other = shops

    def visit():
        for shop in shops:
            for number in range(PAGES):
                assert shop.client.get(f"/pages/{number}?query={number}").text == f"page {number}"
        made = [*one.made, *other.made]
        one.made.clear()
        other.made.clear()
        return made

    everything = [str(number) for number in range(PAGES)]
    assert visit() == everything
    assert visit() == []
    assert other.cache.purge(tag="number-3") == 1
    assert visit() == ["3"]
    assert other.cache.purge("/pages/4") == 1
    assert visit() == ["4"]
    assert other.cache.purge(tag="all") == PAGES
    assert visit() == everything
