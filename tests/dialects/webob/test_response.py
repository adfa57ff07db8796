"""Responses: what they refuse, and what users of WebOb were bitten by."""

import time
from datetime import UTC, datetime, timedelta, timezone

import pytest

from antiphon.dialects.webob import datetime_utils
from antiphon.dialects.webob.response import AppIterRange, EmptyResponse, Response
from tests.dialects.werkzeug.environs import called, environ
from tests.helpers.rows import rows

BREAKS = ["a\rb", "a\nb", "a\r\nb", "a\0b"]

LINES = {
    "a status": lambda text: Response(status=f"200 {text}"),
    "a status set": lambda text: setattr(Response(), "status", f"200 {text}"),
    "a content type": lambda text: Response(content_type=f"text/{text}"),
    "a content type set": lambda text: setattr(Response(), "content_type", text),
    "a charset": lambda text: setattr(Response(), "charset", text),
    "a charset at the start": lambda text: Response(charset=text),
    "a parameter": lambda text: setattr(Response(), "content_type_params", {"a": text}),
    "lines": lambda text: Response(headerlist=[("X", text)]),
    "lines set": lambda text: setattr(Response(), "headerlist", [("X", text)]),
    "headers set": lambda text: setattr(Response(), "headers", {"X": text}),
    "a header": lambda text: Response().headers.__setitem__("X", text),
    "a header's name": lambda text: Response().headers.__setitem__(text, "x"),
    "a header added": lambda text: Response().headers.add("X", text),
    "a header by default": lambda text: Response().headers.setdefault("X", text),
    "headers extended": lambda text: Response().headers.extend([("X", text)]),
    "headers updated": lambda text: Response().headers.update(X=text),
    "a location": lambda text: Response(location=f"/{text}"),
    "an etag": lambda text: Response(etag=text),
    "a list": lambda text: Response(vary=[text]),
    "cache control": lambda text: Response(cache_control=text),
    "a challenge": lambda text: Response(www_authenticate=("Basic", {"realm": text})),
}


@rows("text", BREAKS)
@rows("line", LINES.values(), ids=LINES)
def test_no_line_is_broken(line, text):
    with pytest.raises(ValueError, match=r"CR, LF|control"):
        line(text)


@rows(
    "location",
    ["//evil.example/x", "/\t/evil.example/x", "\t//evil.example/x", "/\t\t/evil.example/x", "///evil.example/x"],
)
def test_a_location_without_a_scheme_leads_to_the_host_of_the_request(location):
    """CVE-2024-42353 and GHSA-fh3h-vg37-cc95."""
    for response in (Response(status=302, location=location), Response(headers={"location": location})):
        (sent,) = [value for name, value in called(response, environ())[1] if name.lower() == "location"]
        assert sent.startswith("http://example.com:8000/%2f")


def test_what_was_appended_to_the_headerlist_is_not_sent_as_two_lines():
    response = Response()
    response.headerlist.append(("X-A", "a\r\nSet-Cookie: b"))
    with pytest.raises(ValueError, match="CR, LF"):
        called(response, environ())


@rows("status", ["", " ", "x 200", 0, 99, 600, -200])
def test_a_status_that_is_none_is_a_value_error(status):
    for name in ("status",) if isinstance(status, str) else ("status", "status_code"):
        with pytest.raises(ValueError, match="status code"):
            setattr(Response(), name, status)


class Closable:
    """An iterable whose iterator is another object, without a close of its own."""

    def __init__(self, *chunks):
        self.chunks = chunks
        self.is_closed = False

    def __iter__(self):
        return iter(self.chunks)

    def close(self):
        self.is_closed = True


def test_the_iterable_itself_is_closed_after_a_part_of_it():
    chunks = Closable(b"ab", b"cd")
    part = AppIterRange(chunks, 1, 3)
    assert list(part) == [b"b", b"c"]
    part.close()
    assert chunks.is_closed


@rows("bounds", [(-1, 2), (3, 2), (0, -1)])
def test_a_part_has_bounds_in_order(bounds):
    with pytest.raises(AssertionError):
        AppIterRange([], *bounds)


def test_an_iterable_is_closed_through_several_empty_responses():
    """webob#74."""
    chunks = Closable(b"a")
    EmptyResponse(EmptyResponse(chunks)).close()
    assert chunks.is_closed
    assert not hasattr(EmptyResponse([]), "close")


@rows("read", [lambda r: r.body, lambda r: r.write(b"x"), lambda r: r.copy(), lambda r: r.encode_content()])
def test_an_iterable_that_was_read_is_closed(read):
    chunks = Closable(b"a", b"b")
    read(Response(app_iter=chunks))
    assert chunks.is_closed


@rows("name", ["a b", "a:b", "\xe9", ""])
def test_a_name_that_is_no_token_is_kept_and_not_sent(name):
    response = Response(b"x", headerlist=[("Content-Type", "text/plain")])
    response.headers.add(name, "v")
    response.headers[name] = "w"
    assert response.headers[name] == "w"
    with pytest.raises(ValueError, match="a token, not"):
        called(response, environ())


def test_words_of_the_document_for_the_name_of_a_cookie():
    response = Response()
    response.set_cookie(key="a", value="b", max_age=5)
    response.delete_cookie(key="c", path="/x")
    assert [line.partition(";")[0] for line in response.headers.getall("Set-Cookie")] == ["a=b", "c="]
    for call in (response.set_cookie, response.delete_cookie):
        with pytest.raises(TypeError, match="name= or key=, not both"):
            call(name="a", key="b")


def test_cache_control_without_a_directive_is_no_header():
    """WebOb sends an empty one."""
    for nothing in (None, "", {}):
        response = Response(cache_control="no-store")
        response.cache_control = nothing
        assert "Cache-Control" not in response.headers
    response = Response(cache_control="x=1, no-store")
    assert response.cache_control.no_store
    assert response.headers["Cache-Control"] == "x=1, no-store"


def test_cache_control_is_alive():
    response = Response()
    control = response.cache_control
    control.max_age = 5
    response.headers["Cache-Control"] = "private, max-age"
    assert (response.cache_control.private, response.cache_control.max_age) == ("*", -1)
    assert response.cache_control is control
    control.no_store = True
    assert response.headers["Cache-Control"] == "max-age, no-store, private"
    response.cache_control = "max-age=1"  # where WebOb raises TypeError
    assert (control is response.cache_control, control.max_age, control.no_store) == (True, 1, False)
    response.cache_control = Response(cache_control="public").cache_control
    assert (response.headers["Cache-Control"], response.cache_control.public) == ("public", True)


def test_dates_of_other_zones_and_durations_are_of_this_moment(monkeypatch):
    """WebOb prints the time on the clock of another zone as if it were UTC, and counts from local time."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        east = datetime(2026, 11, 20, 21, tzinfo=timezone(timedelta(hours=9)))
        assert Response(date=east).headers["Date"] == "Fri, 20 Nov 2026 12:00:00 GMT"
        left = Response(expires=timedelta(hours=1)).expires - datetime.now(UTC)
        assert timedelta(minutes=59) < left <= timedelta(hours=1)
        left = Response(retry_after="60").retry_after - datetime.now(UTC)
        assert timedelta(seconds=30) < left <= timedelta(seconds=60)
    finally:
        monkeypatch.undo()
        time.tzset()


@rows("date", ["Sun, 99 Nov 99999 99:99:99 GMT", "x", b"\xff", "", None, 5, "1 Jan 0 +9999999"])
def test_a_bad_date_reads_as_absent(date):
    assert datetime_utils.parse_date(date) is None


def test_a_number_of_seconds_that_is_no_date_reads_as_absent():
    assert Response(retry_after="9" * 40).retry_after is None


def test_a_copy_shares_nothing():
    response = Response("a", conditional_response=True)
    response.cache_control.max_age = 5
    response.colour = "red"
    copied = response.copy()
    copied.cache_control.max_age, copied.text = 6, "b"
    copied.headers["X"] = "y"
    assert (response.text, response.cache_control.max_age, "X" in response.headers) == ("a", 5, False)
    assert (copied.text, copied.colour, copied.conditional_response) == ("b", "red", True)


def test_a_body_file_cannot_be_closed_or_read():
    file = Response().body_file
    file.flush()
    assert (file.closed, file.encoding, file.mode, file.writable()) == (False, "UTF-8", "wb", True)
    assert not file.readable()
    assert not file.seekable()
    with pytest.raises(NotImplementedError):
        file.close()


feature = pytest.mark.feature


def cookies(response):
    return response.headers.getall("Set-Cookie")


def expires_in(cookie):
    date = cookie.partition("expires=")[2].partition(";")[0]
    return datetime.strptime(date, "%a, %d-%b-%Y %H:%M:%S GMT").replace(tzinfo=UTC) - datetime.now(UTC)


@feature("pyramid-067")
@rows(
    "lifetime",
    [{"max_age": 3600}, {"expires": timedelta(hours=1)}, {"expires": 3600}],
    ids=["max_age", "delta", "seconds"],
)
def test_max_age_sets_expires_too(lifetime):
    response = Response()
    response.set_cookie("a", "b", **lifetime)
    assert "Max-Age=3600" in cookies(response)[0]
    assert timedelta(minutes=59) < expires_in(cookies(response)[0]) <= timedelta(hours=1)


@rows("zone", [UTC, None, "ahead"])
def test_expires_may_be_a_date(zone):
    from datetime import timezone

    until = datetime.now(timezone(timedelta(hours=5)) if zone == "ahead" else UTC) + timedelta(hours=1)
    response = Response()
    response.set_cookie("a", "b", expires=until.replace(tzinfo=None) if zone is None else until)
    assert timedelta(minutes=59) < expires_in(cookies(response)[0]) <= timedelta(hours=1)


@feature("pyramid-069")
@rows("seconds", [3600, timedelta(hours=1)])
def test_cache_expires_lets_caches_keep_a_response(seconds):
    response = Response()
    response.cache_expires(seconds, public=True)
    assert response.headers["Cache-Control"] == "max-age=3600, public"
    assert timedelta(minutes=59) < response.expires - datetime.now(UTC) <= timedelta(hours=1)
    response.cache_expires = 5
    assert response.headers["Cache-Control"] == "max-age=5"


@rows("status", [404, 500, 302])
def test_only_a_success_becomes_a_304(status):
    """RFC 9110 section 13.2.1; WebOb answers 304 where there is an error page with a tag."""
    response = Response("error", status, etag="a", conditional_response=True)
    assert called(response, environ(HTTP_IF_NONE_MATCH='"a"'))[2] == b"error"
