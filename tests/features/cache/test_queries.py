"""Responses to QUERY in a cache, which are found by the content of the request, too (RFC 10008 §2.7)."""

import time
from threading import Thread

import pytest

from antiphon import App, Response
from antiphon.features import Cache, MemoryStore
from antiphon.testing import Client
from tests.features.conftest import Clock
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.axes("interface")

JSON = "application/json"


class Shop:
    """An app whose answers to QUERY have a number, which grows with each call of its handler, and the content."""

    def __init__(self, interface="asgi", receive="load", fields=None):
        self.clock = Clock()
        self.calls = 0
        self.app = App()
        self.cache = Cache(MemoryStore(clock=self.clock))
        self.app.use(self.cache)
        self.fields = fields or {"cache-control": "public, max-age=60"}
        self.app.query("/<path:path>", receive=receive)(self.find)
        self.app.get("/<path:path>")(self.find)
        self.app.post("/<path:path>")(lambda request: "done")
        self.client = Client(self.app, interface, raise_errors=False)

    def find(self, request):
        self.calls += 1
        request.content.load_on_thread(request.limits)
        return Response(f"{self.calls} {request.text[:20]}", headers=self.fields)

    def query(self, content=b'{"q":1}', content_type=JSON, path="/rows", **headers):
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.query(path, body=content, headers={"content-type": content_type, **fields})


@pytest.fixture
def shop(interface):
    return Shop(interface)


def test_a_query_is_answered_from_the_cache_by_its_content(shop):
    assert [shop.query(content).text for content in (b"[1]", b"[2]", b"[1]", b"[2]")] == [
        "1 [1]", "2 [2]", "1 [1]", "2 [2]",
    ]  # fmt: skip
    assert shop.query(b"[1]").headers["cache-status"] == "Antiphon;hit;ttl=60"
    assert shop.client.get("/rows").text == "3 "
    shop.clock.now += 61
    assert shop.query(b"[1]").text == "4 [1]"


@rows(
    "one, other, is_same",
    ((b'{"q": 1}', JSON), (b'\n{ "q" :1 }\n', JSON), True),
    ((b'{"q":1}', "application/problem+json"), (b'{"q": 1}', "application/problem+json"), True),
    ((b"[1]", "application/json; charset=utf-8"), (b"[1]", "Application/JSON;charset=utf-8"), True),
    ((b"[1]", JSON), (b"[1]", "text/plain"), False),
    ((b"[1]", JSON), (b"[1]", "application/json; charset=utf-16"), False),
    ((b"[1, 2]", "text/plain"), (b"[1,2]", "text/plain"), False),
    ((b"[1 2]", JSON), (b"[12]", JSON), False),
    ((b'["a b"]', JSON), (b'["ab"]', JSON), False),
    ((b'["\\" ,"]', JSON), (b'["\\","]', JSON), False),
    ((b'["a', JSON), (b'["a ', JSON), False),
    ((b'{"q":1,"q":2}', JSON), (b'{"q":2}', JSON), False),
    ((b"[1.0]", JSON), (b"[1]", JSON), False),
    ((b"", JSON), (b" ", "text/plain"), False),
    ((b"q=1&r=2", "application/x-www-form-urlencoded"), (b"r=2&q=1", "application/x-www-form-urlencoded"), False),
)
def test_two_queries_have_one_answer_only_if_they_ask_the_same(interface, one, other, is_same):
    shop = Shop(interface)
    shop.query(*one)
    shop.query(*other)
    assert shop.calls == (1 if is_same else 2)


@pytest.mark.parametrize(
    "fields", [{"content_encoding": "gzip"}, {"content_language": "de"}, {"content_location": "/other"}]
)
def test_fields_of_the_content_are_part_of_the_key(shop, fields):
    from gzip import compress

    shop.query(b"[1]")
    shop.query(compress(b"[1]") if "content_encoding" in fields else b"[1]", **fields)
    assert shop.calls == 2


@rows("receive, size, calls", [("load", 64 << 10, 1), ("load", (64 << 10) + 1, 2), ("lazy", 10, 2)])
def test_content_that_is_large_or_not_here_yet_goes_to_the_handler(interface, receive, size, calls):
    shop = Shop(interface, receive)
    content = b'"' + b"a" * (size - 2) + b'"'
    assert [shop.query(content).status for _ in range(2)] == [200, 200]
    assert shop.calls == calls


def test_a_write_forgets_the_answers_to_all_queries_of_its_url(shop):
    shop.query(b"[1]")
    shop.query(b"[2]")
    shop.query(b"[1]", path="/others")
    shop.client.post("/rows")
    assert [shop.query(content).text for content in (b"[1]", b"[2]")] == ["4 [1]", "5 [2]"]
    assert shop.query(b"[1]", path="/others").text == "3 [1]"


def test_a_path_and_a_tag_forget_queries_too(interface):
    shop = Shop(interface, fields={"cache-control": "max-age=60", "cache-tag": "rows"})
    shop.query(b"[1]")
    assert shop.cache.purge("/rows") == 1
    shop.clock.now += 1
    shop.query(b"[1]")
    assert shop.cache.purge(tag="rows") == 1
    shop.clock.now += 1
    shop.query(b"[1]")
    assert shop.calls == 3


def test_a_stale_answer_is_refreshed_by_the_same_query(interface):
    shop = Shop(interface, fields={"cache-control": "max-age=60, stale-while-revalidate=60"})
    shop.query(b"[1]")
    shop.clock.now += 61
    assert shop.query(b"[1]").text == "1 [1]"
    eventually(lambda: shop.query(b"[1]").text == "2 [1]" or None, "it was not made again")


def test_queries_at_the_same_time_call_the_handler_once(interface):
    shop = Shop(interface)
    find, answers = shop.find, []

    def slow(request):
        time.sleep(0.05)
        return find(request)

    shop.app.query("/slow/<path:path>")(slow)
    Client(shop.app, interface).query("/slow/other", body=b"[1]")  # which shows that the route's responses are stored
    shop.calls = 0
    threads = [
        Thread(target=lambda: answers.append(Client(shop.app, interface).query("/slow/a", body=b"[1]").text))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["1 [1]"] * 4


def test_white_space_takes_linear_time():
    from antiphon.features.cache.entry import _without_white_space

    for hard in (b'"\\"' * 20_000, b" " * 60_000 + b"1", b'"' + b"\\" * 60_001, b"[ " * 30_000):
        started = time.process_time()
        _without_white_space(hard)
        assert time.process_time() - started < 2
