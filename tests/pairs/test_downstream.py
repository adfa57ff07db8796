"""The shared cache with which pairs look at what others get (RFC 9111): what it stores, and for whom."""

import pytest

from antiphon.testing.pairs.downstream import Asked, Downstream, Message
from tests.helpers.rows import rows

pytestmark = pytest.mark.once
PUBLIC = (("cache-control", "public, max-age=60"),)


def get(target="/page", *fields, method="GET", body=b""):
    return Asked(method, target, fields, body)


def respond(cache, asked, message):
    """Return what a client gets if the application responds with a message, and True if the application was asked."""
    found = cache.find(asked)
    return (found, False) if isinstance(found, Message) else (cache.take(found, message), True)


def is_stored(first, message, second, later=0):
    cache = Downstream()
    respond(cache, first, message)
    cache.now += later
    return not respond(cache, second, Message(200, (), b"new"))[1]


def said(*fields, status=200, body=b"0123456789", is_whole=True):
    return Message(status, tuple(tuple(each.split(": ", 1)) for each in fields), body, is_whole)


@rows(
    "fields, seconds",
    (["cache-control: max-age=60"], 60),
    (["cache-control: max-age=5, s-maxage=60"], 60),
    (["cache-control: public"], 60),
    (["cache-control: public, max-age=0"], 0),
    (["cache-control: MAX-AGE=\"60\""], 60),
    (["cache-control: max-age=60", "age: 50"], 10),
    (["cache-control: max-age=60, no-cache"], 0),
    (["cache-control: max-age=60, private"], 0),
    (["cache-control: max-age=60, private=\"x-a\""], 60),
    (["cache-control: max-age=60, no-store"], 0),
    (["cache-control: max-age=60", "vary: *"], 0),
    (["cache-control: no-store", "cdn-cache-control: max-age=60"], 60),
    (["cache-control: max-age=60", "cdn-cache-control: no-store"], 0),
    (["cache-control: max-age=60", "cdn-cache-control: =;"], 60),
    (["expires: Wed, 21 Oct 2065 07:28:00 GMT"], 9999),
    (["expires: 0"], 0),
    (["cache-control: max-age=0", "expires: Wed, 21 Oct 2065 07:28:00 GMT"], 0),
    (["last-modified: Wed, 21 Oct 2015 07:28:00 GMT"], 0),
    ([], 0),
)  # fmt: skip
def test_a_response_stays_fresh_as_long_as_it_says(fields, seconds):
    times = [each for each in (0, 9, 59, 9998) if is_stored(get(), said(*fields), get(), each)]
    assert times == [each for each in (0, 9, 59, 9998) if each < seconds]


@rows(
    "first, fields, second, is_for_both",
    (get("/a?b=1"), [], get("/a?b=1"), True),
    (get("/a?b=1"), [], get("/a?b=2"), False),
    (get("/a?b=1"), ["no-vary-search: params"], get("/a"), True),
    (get("/a?b=1"), ['no-vary-search: params=("b")'], get("/a?b=2"), True),
    (get("/a?b=1&c=1"), ['no-vary-search: params, except=("c")'], get("/a?b=2&c=1"), True),
    (get("/a?b=1&c=1"), ['no-vary-search: params, except=("c")'], get("/a?b=1&c=2"), False),
    (get("/a?b=1&c=1"), ["no-vary-search: key-order"], get("/a?c=1&b=1"), True),
    (get("/a?b=1&c=1"), [], get("/a?c=1&b=1"), False),
    (get("/", ("x-a", "1")), [], get("/", ("x-a", "2")), True),
    (get("/", ("x-a", "1")), ["vary: X-A"], get("/", ("x-a", "2")), False),
    (get("/", ("x-a", "1")), ["vary: x-b, x-a"], get("/", ("x-a", "1")), True),
    (get("/"), ["vary: x-a"], get("/", ("x-a", "")), False),
    (get("/", body=b"fat"), [], get("/"), True),
    (get("/", method="QUERY", body=b"a"), [], get("/", method="QUERY", body=b"b"), False),
    (get("/", method="QUERY", body=b"a"), [], get("/", method="QUERY", body=b"a"), True),
    (get("/"), [], get("/", method="HEAD"), True),
    (get("/", method="HEAD"), [], get("/"), False),
    (get("/", method="POST"), [], get("/"), False),
    (get("/", method="POST"), ["content-location: /"], get("/"), True),
    (get("/", ("cache-control", "no-store")), [], get("/", ("cache-control", "no-cache")), True),
)
def test_a_stored_response_is_for(first, fields, second, is_for_both):
    assert is_stored(first, said("cache-control: public, max-age=60", *fields), second) is is_for_both


@rows(
    "directives, is_for_all",
    ("max-age=60", False),
    ("public", True),
    ("s-maxage=60", True),
    ("must-revalidate, max-age=60", True),
)
def test_credentials_keep_a_response_from_others_unless_it_is_for_all(directives, is_for_all):
    shown = get("/", ("authorization", "Bearer ann"))
    assert is_stored(shown, said(f"cache-control: {directives}"), get("/")) is is_for_all


@rows("status, is_whole", (200, False), (304, True), (412, True))
def test_no_part_of_a_message_is_stored(status, is_whole):
    assert not is_stored(get(), said("cache-control: public", status=status, is_whole=is_whole), get())


def test_a_stale_response_is_confirmed_by_its_validators_and_gets_new_fields():
    cache, old = Downstream(), said('etag: "1"', "cache-control: max-age=10", "x-a: 1")
    respond(cache, get(), old)
    cache.now += 20
    fill = cache.find(get("/page", ("if-none-match", '"mine"'), ("x-b", "1")))
    assert fill.fields == (("x-b", "1"), ("if-none-match", '"1"'))
    served = cache.take(fill, said("cache-control: max-age=10", "x-a: 2", status=304))
    assert (served.status, served.body, dict(served.fields)["x-a"], dict(served.fields)["age"]) == (
        200,
        old.body,
        "2",
        "0",
    )
    assert respond(cache, get(), old)[0].body == old.body


@rows(
    "says, status",
    ("", 503),
    (", stale-if-error=30", 200),
    (", stale-if-error=5", 503),
    (", stale-if-error=30, must-revalidate", 503),
)
def test_an_error_is_served_unless_a_stale_response_may_stand_for_it(says, status):
    cache = Downstream()
    respond(cache, get(), said(f"cache-control: max-age=10{says}"))
    cache.now += 20
    assert respond(cache, get(), Message(503, (), b""))[0].status == status


@rows(
    "field, value, status, body",
    ("range", "bytes=2-3", 206, b"23"),
    ("range", "bytes=90-", 416, None),
    ("if-none-match", '"1"', 304, b""),
    ("if-none-match", '"2"', 200, b"0123456789"),
    ("if-match", '"2"', 200, b"0123456789"),
)
def test_conditions_and_ranges_are_of_the_stored_response(field, value, status, body):
    cache = Downstream()
    respond(cache, get(), said("cache-control: max-age=60", 'etag: "1"'))
    served, is_asked = respond(cache, get("/page", (field, value)), Message(500, (), b""))
    assert (served.status, is_asked) == (status, False)
    assert body in (None, served.body)


def test_a_part_is_for_the_same_range():
    part = said("cache-control: max-age=60", "content-range: bytes 0-1/10", status=206)
    asked = get("/page", ("range", "bytes=0-1"))
    assert [is_stored(asked, part, each) for each in (asked, get(), get("/page", ("range", "bytes=0-2")))] == [
        True,
        False,
        False,
    ]


def test_a_write_forgets_the_page():
    cache = Downstream()
    for method in ("GET", "POST"):
        respond(cache, get(method=method), said("cache-control: max-age=60"))
    assert respond(cache, get(), said())[1]
