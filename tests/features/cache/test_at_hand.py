"""Hits that are answered by one look: they are as all others, and end with what they were made of."""

import pytest

from antiphon import App, Response
from antiphon.features import Cache, MemoryStore, SQLiteStore
from antiphon.testing import Client
from tests.features.cache.conftest import Site

pytestmark = pytest.mark.axes("interface")


class CountingStore(MemoryStore):
    """A store in memory that counts how often an entry is read."""

    reads = 0

    def load(self, key):
        type(self).reads += 1
        return super().load(key)

    def reload(self, known):
        type(self).reads += 1
        return super().reload(known)

    def bounded(self, most):
        return self


def warm(site, path="/", **headers):
    """Ask for a page until it is at hand."""
    site.get(path, **headers)
    site.clock.now += 0.25
    return [site.get(path, **headers) for _ in range(2)][-1]


@pytest.fixture
def warmed(site):
    """A site whose page, with a tag, is at hand."""
    site.fields = {"cache-control": "public, max-age=60", "cache-tag": "lamp", "etag": '"1"'}
    warm(site, "/a")
    return site


def test_a_hit_at_hand_reads_nothing(interface):
    site = Site(interface, store=CountingStore())
    looked_up = warm(site)
    before = CountingStore.reads
    at_hand = site.get()
    assert CountingStore.reads == before
    assert (at_hand.status, at_hand.body, at_hand.headers) == (200, b"1", looked_up.headers)
    assert at_hand.headers["cache-status"] == "Antiphon;hit;ttl=59"


def test_age_and_time_to_live_go_on(warmed):
    told = []
    for _ in range(4):
        warmed.clock.now += 0.5
        told.append([(page.headers["age"], page.headers["cache-status"][-6:]) for page in [warmed.get("/a")] * 2][-1])
    assert told == [("0", "ttl=59"), ("1", "ttl=58"), ("1", "ttl=58"), ("2", "ttl=57")]


CHANGES = {
    "forgotten by its path": lambda site: site.cache.purge("/a"),
    "forgotten by its tag": lambda site: site.cache.purge(tag="lamp"),
    "written": lambda site: site.client.post("/a"),
    "stale": lambda site: setattr(site.clock, "now", site.clock.now + 60),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_page_is_at_hand_no_more_once_it_is(warmed, change):
    change(warmed)
    assert warmed.get("/a").text == "2"


REQUESTS = {
    "with a query": ("GET", "/a?x=1", {}, (200, "1")),
    "in other letters": ("GET", "/A", {}, (200, "2")),
    "with an encoded letter": ("GET", "/%61", {}, (200, "2")),
    "on another host": ("GET", "/a", {"host": "other.example"}, (200, "2")),
    "that wants a new page": ("GET", "/a", {"cache-control": "no-cache"}, (200, "2")),
    "that wants a new page, in old words": ("GET", "/a", {"pragma": "no-cache"}, (200, "2")),
    "with a condition": ("GET", "/a", {"if-none-match": '"1"'}, (304, "")),
    "with a condition that fails": ("GET", "/a", {"if-match": '"2"'}, (412, None)),
    "for a part": ("GET", "/a", {"range": "bytes=0-0"}, (206, "1")),
    "for the head": ("HEAD", "/a", {}, (200, "")),
    "for something else to be done": ("POST", "/a", {}, (200, "done")),
}


@pytest.mark.parametrize(("method", "path", "headers", "expected"), REQUESTS.values(), ids=REQUESTS)
def test_what_is_at_hand_is_not_for_a_request(warmed, method, path, headers, expected):
    answer = warmed.client.request(method, path, headers=headers)
    status, text = expected
    assert answer.status == status
    assert text is None or answer.text == text


def test_a_request_with_a_body_is_answered_by_its_handler(warmed):
    assert warmed.client.request("GET", "/a", body=b"x").text == "2"


def test_each_variant_is_for_its_own_requests(site):
    site.answer = lambda request: Response(str(request.headers.get("x-kind")), headers=site.fields)
    for kind in "abab":
        assert warm(site, x_kind=kind).text == kind
    assert [site.get(x_kind=kind).text for kind in "ab"] == ["a", "b"]
    assert site.get().text == "None"


def test_a_look_at_what_varies_is_not_taken_for_a_read_of_the_handler(interface):
    site = Site(interface)
    site.app = App()
    site.app.middleware(seeing)
    site.app.use(Cache(MemoryStore(clock=site.clock)))
    site.app.get("/")(site.page)
    site.client = Client(site.app, interface)
    site.fields = {"cache-control": "public, max-age=60", "vary": "cookie"}
    warm(site, cookie="a=1")
    site.fields = {"cache-control": "max-age=60"}
    assert "vary" not in site.get(cookie="a=2").headers
    assert site.get(cookie="a=3").text == "2"


def seeing(request):
    response = yield
    response.headers["x-seen"] = "yes"


def test_middleware_before_the_cache_sees_a_hit_at_hand(interface):
    app = App()
    app.middleware(seeing)
    app.use(Cache())
    app.get("/")(lambda request: Response("page", headers={"cache-control": "max-age=60"}))
    client = Client(app, interface)
    assert [client.get("/").headers["x-seen"] for _ in range(4)] == ["yes"] * 4


def test_a_path_that_middleware_has_changed_has_a_page_of_its_own(interface):
    app = App()
    app.middleware(before_routing=True)(moving)
    app.use(Cache())
    app.get("/<name>")(lambda request, name: Response(name, headers={"cache-control": "max-age=60"}))
    client = Client(app, interface)
    for _ in range(4):
        assert client.get("/a").text == "a"
        assert client.get("/a", headers={"x-path": "/b"}).text == "b"


def moving(request):
    if path := request.headers.get("x-path"):
        request.path = path
    yield


def test_an_app_that_is_mounted_twice_has_two_pages(interface):
    inner = App()
    inner.use(Cache())
    inner.get("/")(lambda request: Response(request.root_path, headers={"cache-control": "max-age=60"}))
    app = App()
    app.mount("/a", inner)
    app.mount("/b", inner)
    client = Client(app, interface)
    assert [client.get(path).text for path in ["/a/", "/b/"] * 4] == ["/a", "/b"] * 4


def test_a_page_that_another_process_has_changed_is_seen(interface, tmp_path):
    one, other = (Site(interface, store=SQLiteStore(tmp_path / "cache.db")) for _ in range(2))
    other.clock = one.clock
    warm(one)
    warm(other)
    other.cache.purge("/")
    assert (one.get().text, other.get().text) == ("2", "2")


def test_the_responses_at_hand_are_bounded(site):
    for number in range(300):
        warm(site, f"/{number}")
    assert len(site.cache._at_hand._ready) == 256
