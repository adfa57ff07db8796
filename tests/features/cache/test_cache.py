"""A shared cache in front of handlers: what it stores, serves, refreshes and forgets."""

import asyncio
import logging
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import files
from threading import Barrier, Event, Thread

import pytest

from antiphon import App, Response, abort
from antiphon.features import Cache, MemoryStore, RateLimit, SQLiteStore, ValkeyStore
from antiphon.http import InternalServerError, NotFound
from antiphon.testing import Client
from tests.features.cache.conftest import Site
from tests.features.conftest import Clock
from tests.helpers.rows import rows
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.axes("interface")


def test_a_page_is_made_once_while_it_is_fresh(site):
    assert [site.get().text for _ in range(3)] == ["1", "1", "1"]
    site.clock.now += 59
    assert site.get().headers["age"] == "59"
    site.clock.now += 2
    assert site.get().text == "2"


def test_the_time_in_another_cache_counts(site):
    site.fields["age"] = "30"
    site.get()
    site.clock.now += 20
    assert (site.get().headers["age"], site.calls) == ("50", 1)
    site.clock.now += 11
    assert (site.get().headers["age"], site.calls) == ("30", 2)


def test_no_age_of_another_cache_is_too_great(site):
    site.fields["age"] = "9" * 400
    assert [site.get().status for _ in range(2)] == [200, 200]


def test_a_response_says_how_it_was_answered(site):
    told = [site.get().headers["cache-status"] for _ in range(2)]
    site.clock.now += 61
    told.append(site.get().headers["cache-status"])
    told.append(site.get(cache_control="no-cache").headers["cache-status"])
    assert told == [
        "Antiphon;fwd=uri-miss;stored", "Antiphon;hit;ttl=60", "Antiphon;fwd=stale;stored",
        "Antiphon;fwd=request;stored",
    ]  # fmt: skip


@rows(
    "fields, is_stored",
    ({}, False),
    ({"cache-control": "max-age=60"}, True),
    ({"cache-control": "s-maxage=60, max-age=0"}, True),
    ({"cache-control": "max-age=60, private"}, False),
    ({"cache-control": "max-age=60, no-store"}, False),
    ({"cache-control": "max-age=60, no-store, must-understand"}, True),
    ({"cache-control": "max-age=60", "vary": "*"}, False),
    ({"cache-control": "max-age=60", "set-cookie": "a=b"}, False),
    ({"cache-control": "max-age=60", "cdn-cache-control": "no-store"}, False),
    ({"cache-control": "no-store", "cdn-cache-control": "max-age=60"}, True),
    ({"cdn-cache-control": "no-store", "antiphon-cache-control": "max-age=60"}, True),
    ({"cache-control": "max-age=60", "cdn-cache-control": "malformed=;"}, True),
    ({"expires": "Fri, 01 Jan 2100 00:00:00 GMT"}, True),
    ({"expires": "0"}, False),
    ({"last-modified": "Fri, 01 Jan 2021 00:00:00 GMT"}, False),
    ({"last-modified": "Fri, 01 Jan 2021 00:00:00 GMT", "cache-control": "public"}, False),
    ({"etag": '"1"'}, False),
    ({"cache-control": "max-age=x"}, False),
)
def test_a_response_says_itself_if_it_is_stored(interface, fields, is_stored):
    site = Site(interface)
    site.fields = fields
    assert (site.get().text, site.get().text) == ("1", "1" if is_stored else "2")


@rows("fields", [{"last-modified": "Fri, 01 Jan 2021 00:00:00 GMT"}, {"etag": '"1"'}])
@rows("said", [{}, {"cache-control": "public"}])
def test_a_page_without_a_lifetime_is_validated_each_time(interface, fields, said):
    site = Site(interface)
    site.answer = lambda request: Response(b"page", headers=fields | said).make_conditional(request)
    told = [site.get().headers["cache-status"] for _ in range(3)]
    assert told[1:] == ["Antiphon;fwd=stale;fwd-status=304;stored"] * 2
    assert site.calls == 3


@pytest.mark.parametrize(
    ("given", "is_stored"),
    [({"authorization": "Bearer a"}, False), ({"cache-control": "no-store"}, False), ({"cookie": "a=b"}, True)],
)
def test_a_request_may_keep_its_response_from_being_stored(site, given, is_stored):
    site.fields = {"cache-control": "max-age=60"}
    site.client.get("/", headers=given)
    assert site.get().text == ("1" if is_stored else "2")


@rows(
    "asked, text",
        ("no-cache", "2"), ("max-age=10", "2"), ("max-age=30", "1"), ("min-fresh=50", "2"),
        ("min-fresh=30", "1"), ("only-if-cached", "1"),
)  # fmt: skip
def test_a_request_may_want_another_age(interface, asked, text):
    site = Site(interface)
    site.get()
    site.clock.now += 20
    assert site.get(cache_control=asked).text == text


def test_a_request_may_take_what_is_stale_or_nothing(site):
    assert site.get(cache_control="only-if-cached").status == 504
    site.get()
    site.clock.now += 70
    assert site.get(cache_control="max-stale=5").text == "2"
    site.clock.now += 70
    assert site.get(cache_control="max-stale=15").text == "2"
    assert site.get(cache_control="only-if-cached").status == 504


def test_conditions_parts_and_heads_are_answered_from_one_body(site):
    site.answer = lambda request: Response("0123456789", headers={"etag": '"1"', **site.fields})
    assert site.get().status == 200
    assert site.get(if_none_match='"1"').status == 304
    assert site.get(if_match='"2"').status == 412
    part = site.get(range="bytes=2-4")
    assert (part.status, part.text, part.headers["content-range"]) == (206, "234", "bytes 2-4/10")
    assert site.get(range="bytes=20-").status == 416
    head = site.client.head("/")
    assert (head.headers["content-length"], head.text, head.headers["etag"]) == ("10", "", '"1"')
    assert site.calls == 1


def test_a_stale_response_is_validated_by_its_etag(site):
    def answer(request):
        response = Response("page", headers={"etag": '"1"', "x-call": str(site.calls), **site.fields})
        return response.make_conditional(request)

    site.answer = answer
    site.get()
    site.clock.now += 61
    again = site.get()
    assert (again.status, again.text, again.headers["x-call"]) == (200, "page", "2")
    assert again.headers["cache-status"] == "Antiphon;fwd=stale;fwd-status=304;stored"
    site.clock.now += 61
    assert site.get(if_none_match='"1"').status == 304
    site.clock.now += 1
    assert site.get().headers["age"] == "1"
    assert site.calls == 3


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_fields_for_one_visitor_do_not_get_into_what_is_stored(site, method):
    site.answer = lambda request: Response("page", headers={"etag": '"1"', **site.fields})
    site.get()
    site.clock.now += 61
    site.answer = lambda request: Response(
        "page", headers={"etag": '"1"', "x-user": request.cookies["name"], **site.fields}
    ).make_conditional(request)
    asked = site.client.request(method, "/", headers={"cookie": "name=ann"})
    assert (asked.status, asked.headers["x-user"]) == (200, "ann")
    site.answer = lambda request: Response(None, 304) if "if-none-match" in request.headers else Response("new")
    assert "x-user" not in site.get().headers


def test_fields_that_depend_on_more_than_the_stored_response_are_not_stored(site):
    site.answer = lambda request: Response("page", headers={"etag": '"1"', **site.fields})
    site.get()
    site.clock.now += 61
    site.answer = lambda request: Response(
        "page", headers={"etag": '"1"', "x-shown": request.headers.get("x-host", ""), **site.fields}
    ).make_conditional(request)
    assert site.get(x_host="evil").headers["x-shown"] == "evil"
    assert site.get().headers["x-shown"] == ""


def test_a_client_whose_version_is_old_gets_the_new_one(site):
    site.answer = lambda request: Response(
        f"{site.calls}", headers={"etag": f'"{site.calls}"', **site.fields}
    ).make_conditional(request)
    site.get()
    site.clock.now += 61
    new = site.get(if_none_match='"1"')
    assert (new.status, new.text) == (200, "2")
    assert site.get(if_none_match='"2"').status == 304


ETAG, DATE = {"etag": '"1"'}, {"last-modified": "Sun, 06 Nov 1994 08:49:37 GMT"}
HEADS = {
    "says nothing": ({}, {}, "", "ignored"),
    "has the same length": ({}, {"content-length": "4"}, "", "ignored"),
    "has the same length in its body": ({}, {}, "bbbb", "ignored"),
    "has another length": ({}, {"content-length": "5"}, "", "replaced"),
    "has another length in its body": ({}, {}, "bbbbb", "replaced"),
    "has the same ETag": (ETAG, ETAG, "", "confirmed"),
    "has the same ETag and another length": (ETAG, ETAG | {"content-length": "5"}, "", "replaced"),
    "has another ETag": (ETAG, {"etag": '"2"'}, "", "replaced"),
    "has an ETag where there was none": ({}, ETAG, "", "replaced"),
    "lacks the ETag": (ETAG, {}, "", "ignored"),
    "has the same date": (DATE, DATE, "", "confirmed"),
}
"""The validators of a page, the fields and the body of a later response to HEAD, and what that does to the page."""


@rows("when", ["fresh", "stale"])
@rows("fields, head_fields, head_body, outcome", HEADS.values(), ids=HEADS)
def test_a_page_is_confirmed_only_by_a_head_that(interface, fields, head_fields, head_body, outcome, when):
    site = Site(interface)
    site.answer = lambda request: Response("aaaa", headers=site.fields | fields)
    site.get()
    site.clock.now += 50 if when == "fresh" else 70
    site.answer = lambda request: Response(head_body, headers=site.fields | head_fields)
    assert site.client.head("/", headers={"cache-control": "no-cache"} if when == "fresh" else {}).status == 200
    site.answer = lambda request: Response("new", headers=site.fields)
    is_served = outcome == "confirmed" or (outcome == "ignored" and when == "fresh")
    assert site.get().text == ("aaaa" if is_served else "new")
    site.clock.now += 15
    assert site.get().text == ("aaaa" if outcome == "confirmed" else "new")


def test_what_was_read_is_named_in_vary_and_gets_entries_of_its_own(site):
    site.answer = lambda request: Response(str(request.headers.get("x-kind")), headers=site.fields)
    assert site.get(x_kind="a").headers["vary"] == "x-kind"
    assert [site.get(x_kind=kind).text for kind in ("a", "b", "a")] == ["a", "b", "a"]
    assert site.get().text == "None"
    assert site.calls == 3


@rows(
    "read, is_shared",
    (lambda cookies: cookies.get("theme", "light"), True),
    (lambda cookies: "light" if "theme" not in cookies else cookies["theme"], True),  # noqa: SIM401 - two reads
    (lambda cookies: "".join(cookies.getall("theme")) or "light", True),
    (lambda cookies: (cookies.get("theme", "light"), len(cookies))[0], False),
    (lambda cookies: dict(cookies).get("theme", "light"), False),
)
def test_a_public_page_depends_on_the_one_cookie_that_it_reads(interface, read, is_shared):
    site = Site(interface)
    site.answer = lambda request: Response(read(request.cookies), headers={"vary": "Cookie", **site.fields})
    made = 0
    for sent, text in [
        ("id=1", "light"), ("id=2; theme=dark", "dark"), ("theme=dark; id=3", "dark"), ('id=4; theme="dark"', "dark"),
        ("id=5", "light"), ("", "light"), ("theme=DARK", "DARK"),
    ]:  # fmt: skip
        answer = site.get(cookie=sent)
        assert answer.text == text
        assert answer.headers["vary"].lower() == "cookie"
        made += ";hit" not in answer.headers["cache-status"]
    assert made == (3 if is_shared else 7)


def test_a_page_that_reads_the_header_depends_on_all_of_it(site):
    site.answer = lambda request: Response(
        request.cookies["theme"] + request.headers["cookie"], headers={"vary": "Cookie", **site.fields}
    )
    assert [site.get(cookie=f"theme=dark; id={number}").text[-1] for number in "1212"] == [*"1212"]


def test_repeated_cookies_are_told_apart(site):
    site.answer = lambda request: Response(
        ",".join(request.cookies.getall("a")), headers={"vary": "Cookie", **site.fields}
    )
    sent = ["a=1", "a=1; a=2", "a=2; a=1", "a=1; b=3"]
    assert [site.get(cookie=each).text for each in sent] == ["1", "1,2", "2,1", "1"]


@rows(
    "method, path, fields, text",
    ("POST", "/a", {}, "2"),
    ("GET", "/a", {}, "1"),
    ("POST", "/b", {}, "1"),
    ("POST", "/b", {"location": "/a"}, "2"),
    ("POST", "/b", {"content-location": "http://testserver/a"}, "2"),
    ("POST", "/b", {"location": "http://other.example/a"}, "1"),
    ("POST", "/b", {"location": "https://testserver/a"}, "1"),
    ("POST", "/b", {"content-location": "//other.example/a"}, "1"),
    ("POST", "/b", {"location": "/%ff"}, "1"),
)
def test_an_unsafe_request_forgets_what_it_has_changed(interface, method, path, fields, text):
    site = Site(interface)
    site.get("/a")
    site.fields = fields
    site.clock.now += 1
    assert site.client.request(method, path).status == 200
    site.fields = {}
    site.clock.now += 1
    assert site.get("/a").text == text


def test_a_write_that_failed_forgets_nothing(site):
    site.get("/a")
    site.app_fails = True
    assert site.client.put("/a").status == 405
    assert site.get("/a").text == "1"


def test_a_path_is_forgotten_with_all_its_queries(site):
    site.answer = lambda request: Response(str(site.calls), headers={**site.fields, "x": str(request.query_string)})
    for path in ("/a", "/a?x=1", "/b"):
        site.get(path)
    site.clock.now += 1
    assert site.cache.purge("/a") == 2
    site.clock.now += 1
    assert [site.get(path).text for path in ("/a", "/a?x=1", "/b")] == ["4", "5", "3"]


def test_a_tag_is_forgotten(site):
    site.answer = lambda request: Response(
        str(site.calls), headers={"cache-tag": "lamp-7, lamps" if request.path == "/a" else "lamps", **site.fields}
    )
    site.get("/a"), site.get("/b")
    site.clock.now += 1
    assert site.cache.purge(tag="lamp-7") == 1
    site.clock.now += 1
    assert [site.get(path).text for path in ("/a", "/b")] == ["3", "2"]
    site.clock.now += 1
    assert site.cache.purge(tag="lamps") == 2
    with pytest.raises(ValueError, match="a path or a tag"):
        site.cache.purge()


def test_forgetting_on_a_loop_is_awaited_where_it_would_block(tmp_path):
    async def forget():
        cache = Cache(SQLiteStore(tmp_path / "cache.db"))
        with pytest.raises(RuntimeError, match="apurge"):
            cache.purge("/a")
        return await cache.apurge("/a"), await Cache().apurge(tag="a")

    assert asyncio.run(forget()) == (0, 0)


def test_what_was_forgotten_while_it_was_made_is_not_stored(site):
    def answer(request):
        site.clock.now += 1
        site.cache.purge("/") if site.calls == 1 else None
        site.clock.now += 1
        return Response(str(site.calls), headers=site.fields)

    site.answer = answer
    assert [site.get().text for _ in range(3)] == ["1", "2", "2"]


def test_writes_to_urls_that_nobody_cached_take_no_memory(site):
    def write_to(prefix, count):
        for number in range(count):
            assert site.client.post(f"/{prefix}/{number}").text == "done"

    tracemalloc.start()
    try:
        write_to("a", 3000)
        before, _ = tracemalloc.get_traced_memory()
        write_to("b", 500)
        after, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 500 * 100


def test_a_stale_page_is_served_while_a_new_one_is_made(site):
    site.fields = {"cache-control": "public, max-age=60, stale-while-revalidate=600"}
    site.get()
    site.clock.now += 61
    assert site.get().text == "1"
    eventually(lambda: site.get().text == "2" or None, "no new page is made")
    assert site.calls == 2


@pytest.mark.parametrize("raised", [ValueError, SystemExit])
def test_a_new_page_that_breaks_off_is_logged_and_made_again(site, caplog, raised):
    async def breaks_off():
        yield "2"
        raise raised

    site.fields = {"cache-control": "public, max-age=60, stale-while-revalidate=600"}
    site.get()
    site.clock.now += 61
    site.answer = lambda request: Response(breaks_off(), headers=site.fields)
    assert site.get().text == "1"
    eventually(lambda: "GET '/' failed while the cache was" in caplog.text or None, "nothing is logged")
    site.answer = None
    eventually(lambda: site.get().text != "1" or None, "the old page is still served")


def test_a_page_that_is_for_all_no_more_is_not_served_stale(site):
    site.fields = {"cache-control": "public, max-age=60, stale-while-revalidate=600, stale-if-error=600"}
    site.get()
    site.clock.now += 61
    site.fields = {"cache-control": "private"}
    assert site.get().text == "1"
    eventually(lambda: site.get().text != "1" or None, "the old page is still served")


def test_a_handler_that_fails_is_stood_in_for(site, caplog):
    def fail(request):
        raise InternalServerError("no database")

    site.fields = {"cache-control": "public, max-age=60, stale-if-error=600"}
    site.get()
    site.clock.now += 61
    site.answer = fail
    with caplog.at_level(logging.CRITICAL, "antiphon"):
        stale = site.get()
    assert (stale.status, stale.text) == (200, "1")
    assert stale.headers["cache-status"] == "Antiphon;fwd=stale;fwd-status=500"
    site.clock.now += 600
    with caplog.at_level(logging.CRITICAL, "antiphon"):
        assert site.get().status == 500


@pytest.mark.parametrize("style", ["def", "async def"])
def test_many_who_miss_at_once_have_the_handler_called_once(interface, style):
    app, go, calls = App(), Event(), []
    app.use(Cache())

    def page(request, n):
        calls.append(n)
        if n:
            go.wait(10)
        response = Response("page")
        response.cache_for(60, public=True)
        return response

    async def apage(request, n):
        return await asyncio.to_thread(page, request, n)

    app.get("/<int:n>")(page if style == "def" else apage)
    Client(app, interface).get("/0")  # which shows that pages of this route are stored
    found = []
    visitors = [Thread(target=lambda: found.append(Client(app, interface).get("/1"))) for _ in range(8)]
    for visitor in visitors:
        visitor.start()
    eventually(lambda: calls[1:] or None, "nobody calls the handler")
    go.set()
    for visitor in visitors:
        visitor.join(20)
    assert {answer.text for answer in found} == {"page"}
    assert (len(found), calls) == (8, [0, 1])


@rows("hooks", [(), [lambda request: None]], ids=["no hook", "a hook"])
@rows("style", ["def", "async def"])
def test_who_waits_too_long_goes_on_alone_and_passes_limits_once(style, hooks, interface):
    app, go, seen, made = App(), Event(), [], []
    app.use(RateLimit("9/hour"))
    app.middleware(lambda request: (yield seen.append(request.path)))
    app.use(Cache(timeout=0.05))

    def page(request, n):
        made.append(n)
        if made == [0, 1]:
            go.wait(10)
        return Response("page", headers={"cache-control": "no-store" if n else "public, max-age=60"})

    async def apage(request, n):
        return await asyncio.to_thread(page, request, n)

    app.get("/<int:n>", before=hooks)(page if style == "def" else apage)
    Client(app, interface).get("/0")  # which shows that pages of this route are stored
    first = Thread(target=lambda: Client(app, interface).get("/1"))
    first.start()
    eventually(lambda: made[1:] or None, "nobody calls the handler")
    answer = Client(app, interface).get("/1")
    go.set()
    first.join(10)
    assert [line.partition(";t=")[0] for line in answer.headers.getall("ratelimit")] == ['"9/hour";r=6']
    assert (answer.text, seen, made) == ("page", ["/0", "/1", "/1"], [0, 1, 1])


FRESH, STALE = (
    {"cache-control": "public, max-age=60", "etag": '"1"'},
    {"cache-control": "public, max-age=0", "etag": '"1"'},
)


@rows("kind", ["memory", "sqlite"])
@rows(
    "fields, asked, status",
    (STALE, {"range": "bytes=1000-"}, 416),
    (STALE, {"if-match": '"other"'}, 412),
    (STALE, {"if-none-match": '"1"'}, 304),
    (FRESH, {"range": "bytes=1000-"}, 416),
    (FRESH, {"cache-control": "no-store"}, 200),
    ({"cache-control": "no-store"}, {}, 200),
    ({"cache-control": "public, max-age=60", "set-cookie": "a=b"}, {}, 200),
)
def test_nobody_waits_for_a_request_that_has_ended(kind, fields, asked, status, tmp_path):
    store = MemoryStore() if kind == "memory" else SQLiteStore(tmp_path / "cache.db")
    site = Site(store=store, lease=60, timeout=60)

    def page(request):
        response = Response("page", headers=fields)
        response.is_conditional = True
        return response

    site.answer = page
    site.get()
    assert site.get(**asked).status == status
    with ThreadPoolExecutor(1) as visitor:
        assert visitor.submit(site.get).result(20).text == "page"


@rows("etag", [{}, {"etag": '"1"'}])
def test_a_request_that_stores_nothing_leaves_the_page_to_others(interface, etag):
    site = Site(interface)

    def page(request):
        response = Response(f"{site.calls}", headers={"cache-control": "max-age=60", **etag})
        response.is_conditional = True
        return response

    site.answer = page
    site.get()
    for asked in ({"cache_control": "no-store"}, {"cache_control": "no-cache", "authorization": "x"}):
        assert site.get(**asked).status == 200
        assert "hit" in site.get().headers["cache-status"]


@rows("fails", [False, True])
def test_nobody_waits_for_a_route_that_has_stored_nothing(fails):
    site = Site(timeout=60)
    together = Barrier(3)

    def page(request):
        together.wait(20)  # each visitor's handler is called
        return abort(404) if fails else Response("page", headers={"cache-control": "private"})

    site.answer = page
    with ThreadPoolExecutor(3) as visitors:
        found = [visitors.submit(site.get) for _ in range(3)]
        assert {each.result(30).status for each in found} == {404 if fails else 200}


def test_nobody_waits_for_what_could_not_be_stored_lately(site):
    go = Event()

    def slow(request):
        if site.calls == 2:
            go.wait(10)
        return Response(str(site.calls))

    site.answer = slow
    site.get()
    second = Thread(target=site.get)
    second.start()
    eventually(lambda: site.calls > 1 or None, "nobody calls the handler")
    assert site.get().text == "3"
    go.set()
    second.join(10)


def test_what_a_condition_has_made_is_given_to_nobody_else(site):
    site.answer = lambda request: Response(str(request.headers.get("if-none-match")), headers=site.fields)
    assert site.get(if_none_match='"evil"').text == '"evil"'
    assert [site.get().text for _ in range(2)] == ["None", "None"]
    assert site.calls == 2


def test_a_store_that_is_away_is_passed_by(interface, tmp_path, caplog):
    store = SQLiteStore(tmp_path / "cache.db")
    site = Site(interface, store=store)
    site.get()
    store.close()
    for file in tmp_path.glob("cache.db*"):
        file.unlink()
    (tmp_path / "cache.db").mkdir()
    with caplog.at_level(logging.CRITICAL, "antiphon"):
        assert site.get().status == 200


def test_without_files_large_bodies_and_streams_are_not_stored(interface):
    site = Site(interface, max_body=10, max_file_bytes=0)
    site.answer = lambda request: Response("x" * (11 if request.path == "/large" else 10), headers=site.fields)
    for path in ("/large", "/large", "/small", "/small"):
        site.get(path)
    assert site.calls == 3
    site.answer = lambda request: Response(iter([b"a"]), headers=site.fields)
    assert [site.get("/stream").text for _ in range(2)] == ["a", "a"]
    assert site.calls == 5


def test_limits_of_rates_around_the_cache_count_hits_but_no_refreshes(interface):
    app, clock, made = App(), Clock(), []
    app.use(RateLimit("3/hour"))
    app.use(Cache(MemoryStore(clock=clock)))
    fields = {"cache-control": "public, max-age=60, stale-while-revalidate=60"}
    app.get("/")(lambda request: made.append(1) or Response("page", headers=fields))
    client = Client(app, interface)
    statuses = [client.get("/").status for _ in range(2)]
    clock.now += 61
    statuses += [client.get("/").status]
    eventually(lambda: made[1:] or None, "the page is not refreshed")
    assert [*statuses, client.get("/").status, len(made)] == [200, 200, 200, 429, 2]
    assert "hit" in Client(app, interface, client=("10.0.0.9", 1)).get("/").headers["cache-status"]


def test_a_signed_url_is_not_answered_when_it_has_expired(interface):
    app = App(secret_keys=["a key of more than sixteen bytes"])
    app.use(Cache())
    calls = []

    @app.get("/file", signed_url=True)
    def file(request):
        calls.append(1)
        return Response("page", headers={"cache-control": "public, max-age=60"})

    client = Client(app, interface)
    url = app.url_for("file", _expires=60)
    assert [client.get(url).status, client.get(url).status, client.get("/file").status] == [200, 200, 403]
    assert len(calls) == 2


@pytest.mark.processes
def test_a_hit_takes_one_round_trip_to_valkey(valkey, interface):
    site = Site(interface, store=ValkeyStore(valkey.url, prefix=f"{interface}:"))
    site.get()
    client = site.cache._shelf._store._client
    before = client.info("stats")["total_commands_processed"]
    assert site.get().text == "1"
    assert client.info("stats")["total_commands_processed"] - before == 2  # with this question


def test_two_apps_on_one_host_share_a_store_but_no_response():
    store, clients = MemoryStore(), []

    def shop(request):
        return "shop", {"cache-control": "public, max-age=60"}

    def blog(request):
        return "blog", {"cache-control": "public, max-age=60"}

    for handler in (shop, blog, shop):
        app = App()
        app.use(Cache(store))
        app.get("/")(handler)
        clients.append(Client(app))
    found = [(client.get("/").text, "hit" in client.get("/").headers["cache-status"]) for client in clients]
    assert found == [("shop", True), ("blog", True), ("shop", True)]
    assert "hit" in clients[2].get("/").headers["cache-status"]
    cache = Cache(store)
    App().use(cache)
    with pytest.raises(ValueError, match="used by another app"):
        App().use(cache)


def reading(read):
    return {"answer": lambda request: Response(str(read(request)), headers=FRESH)}


FRESH = {"cache-control": "max-age=60"}
REASONS = {
    "no-freshness": {"fields": {}},
    "no-store": {"fields": {"cache-control": "max-age=60, no-store"}},
    "private": {"fields": {"cache-control": "private"}},
    "vary-star": {"fields": FRESH | {"vary": "*"}},
    "set-cookie": {"fields": FRESH | {"set-cookie": "a=b"}},
    "method": {"fields": FRESH, "method": "HEAD"},
    "status": {"answer": lambda request: Response("a", 206, FRESH | {"content-range": "bytes 0-0/2"})},
    "request-no-store": {"fields": FRESH, "headers": {"cache-control": "no-store"}},
    "request-body": {"fields": FRESH, "body": b"x"},
    "authorization": {"fields": FRESH, "headers": {"authorization": "Bearer a"}},
    "reads-cookie": reading(lambda request: request.cookies.get("a")),
    "reads-authorization": reading(lambda request: request.headers.get("proxy-authorization")),
    "reads-address": reading(lambda request: request.head.client),
    "reads-everything": reading(lambda request: [*request.headers.items()]),
    "reads-conditions": reading(lambda request: request.headers.get("if-none-match"))
    | {"headers": {"if-none-match": '"1"'}},
    "streamed": {"answer": lambda request: Response.file(__file__, headers=FRESH)},
    "too-large": {"answer": lambda request: Response("x" * 1000, headers=FRESH)},
}


@rows("reason, case", REASONS.items(), ids=REASONS)
def test_the_debug_mode_says_why_nothing_was_stored(interface, reason, case, debug_mode):
    site = Site(interface, max_body=900, max_file_bytes=3600)
    site.fields, site.answer = case.get("fields"), case.get("answer")
    options = {"headers": case.get("headers", {}), "body": case.get("body", b"")}
    told = site.client.request(case.get("method", "GET"), "/", **options).headers["cache-status"]
    assert told.endswith(f';detail="{reason}"')


@rows("reason", [*REASONS, "reads-session", "reads-user", "reads-nonce", "reads-more", "signed-url", "bypass"])
def test_explain_knows_each_reason(reason):
    explained = (files("antiphon.explanations") / "errors.md").read_text("utf-8")
    section = explained.partition("## not-cached\n")[2].partition("\n## ")[0]
    assert f"`{reason}`" in section


def test_a_public_page_that_reads_a_cookie_is_an_error_in_the_debug_mode(site, caplog, request):
    site.answer = lambda request: Response(request.headers.get("cookie", ""), headers=site.fields)
    assert "detail" not in site.get().headers["cache-status"]
    request.getfixturevalue("debug_mode")
    assert site.get().status == 500
    assert "the cookie was read to make it" in caplog.text
    assert "antiphon explain not-cached" in caplog.text


@pytest.mark.parametrize("accept", ["text/html", "application/json"])
def test_an_error_page_has_the_id_of_its_own_request(site, accept):
    def answer(request):
        raise NotFound("There is no lamp.", headers=site.fields)

    site.answer = answer
    answers = [site.get(accept=accept) for _ in range(2)]
    ids = [each.headers["x-request-id"] for each in answers]
    assert ids[0] != ids[1]
    assert [ids[number] in answers[number].text for number in (0, 1)] == [True, True]


def test_a_file_that_is_confirmed_each_time_is_stored_once(interface, tmp_path):
    (tmp_path / "a.css").write_text("a {}")
    app = App()
    app.use(Cache(MemoryStore()))
    app.static("/static", tmp_path)
    client = Client(app, interface)
    told = [client.get("/static/a.css").headers["cache-status"] for _ in range(3)]
    assert ["stored" in each for each in told] == [True, False, False]
    assert told[-1] == "Antiphon;fwd=stale;fwd-status=304"
    (tmp_path / "a.css").write_text("b { color: red }")
    assert client.get("/static/a.css").text == "b { color: red }"
    assert client.get("/static/a.css").text == "b { color: red }"
