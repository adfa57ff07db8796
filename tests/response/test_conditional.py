import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from antiphon import App, Response
from antiphon.http.conditional import ETag
from antiphon.http.errors import PreconditionFailed, RangeNotSatisfiable
from antiphon.http.ranges import ContentRange
from antiphon.http.redirect import NotModified
from antiphon.request.request import Request
from antiphon.response.conditional import add_etag, cache_for, no_store, precondition
from antiphon.response.files import FileBody
from antiphon.testing import Client
from tests.helpers.observed_values import AsyncValues, SyncValues
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.axes("serving")]

BODY = b"0123456789" * 10
OLDER, DATE, NEWER = "Sat, 05 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 GMT", "Mon, 07 Nov 1994 08:49:37 GMT"
MODIFIED = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
VALIDATORS = {"etag": '"v1"', "last-modified": DATE}


def ask(method="GET", **headers):
    return Request.blank("/", method, {name.replace("_", "-"): value for name, value in headers.items()})


def answer(request, body=BODY, status=200, headers=VALIDATORS, **options):
    return Response(body, status, headers).make_conditional(request, **options)


class TestConditions:
    """RFC 9110 §13.2.2, in its order; the response has the tag "v1" and was modified at DATE."""

    @rows("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "QUERY"])
    def test_of_other_methods_come_too_late_for_a_response(self, method):
        response = answer(ask(method, if_match='"v0"', if_none_match='"v1"', range="bytes=0-1"))
        assert (response.status, response.body, dict(response.headers.items()).keys()) == (
            200,
            BODY,
            {"etag", "last-modified", "content-type"},
        )

    @rows("status", [302, 400, 404, 412, 500])
    def test_count_for_a_success_only(self, status):
        response = answer(ask(if_none_match='"v1"', if_match='"v0"', range="bytes=0-1"), status=status)
        assert (response.status, response.body) == (status, BODY)


def test_headers_that_were_asked_for_before_are_still_those_of_the_response():
    response = Response(BODY, headers=VALIDATORS)
    headers = response.headers
    response.make_conditional(ask(if_none_match='"v1"'))
    headers["vary"] = "accept"
    assert response.headers.items() == [("etag", '"v1"'), ("vary", "accept")]


@rows("headers", [{}, {"range": "bytes=0-1"}, {"range": "bytes=0-0,2-2"}, {"if_none_match": "*"}])
def test_doing_it_again_changes_nothing(headers):
    request = ask(**headers)
    response = answer(request)
    once = response.status, response.headers.items(), response.body
    response.make_conditional(request)
    assert (response.status, response.headers.items(), response.body) == once


class TestAPart:
    @rows("header", ["bytes=100-", "bytes=100-200,300-", "bytes=-0"])
    def test_that_is_not_there_is_a_416(self, header):
        with pytest.raises(RangeNotSatisfiable) as caught:
            answer(ask(range=header))
        assert caught.value.headers.items() == [("content-range", "bytes */100"), ("accept-ranges", "bytes")]

    @rows(
        "request_, options",
        (ask("HEAD", range="bytes=0-1"), {}),
        (ask("HEAD", range="bytes=500-"), {}),
        (ask(range="bytes=0-1"), {"ranges": False}),
        (ask(range="bytes=0-1"), {"headers": {"accept-ranges": "none"}}),
        (ask(range="bytes=0-1"), {"body": b""}),
        (ask(range="bytes=0-1"), {"status": 201}),
        ids=["HEAD", "HEAD, unsatisfiable", "ranges=False", "none accepted", "nothing", "another status"],
    )
    def test_is_not_sent_where_there_are_none(self, request_, options):
        response = answer(request_, **options)
        assert response.status == options.get("status", 200)
        assert response.body == options.get("body", BODY)
        assert "content-range" not in response.headers

    def test_is_not_spoken_of_without_ranges(self):
        assert "accept-ranges" not in answer(ask(), ranges=False).headers
        assert answer(ask(), headers={"accept-ranges": "none"}).headers["accept-ranges"] == "none"
        assert answer(ask("HEAD")).headers["accept-ranges"] == "bytes"

    def test_has_no_digest_and_no_length_of_the_whole(self):
        described = {"content-digest": "sha-256=:AA==:", "content-length": "100", "repr-digest": "sha-256=:AA==:"}
        response = answer(ask(range="bytes=0-1"), headers=described)
        assert "content-digest" not in response.headers
        assert "content-length" not in response.headers
        assert response.headers["repr-digest"] == "sha-256=:AA==:"


class TestSeveralParts:
    @rows("header", ["bytes=90-, 0-4,3-8", "bytes=5-8,10-10,20-29", "bytes=20-29,5-8"])
    def test_are_not_sent_but_the_whole(self, header):
        assert (answer(ask(range=header)).status, answer(ask(range=header)).body) == (200, BODY)
        source = SyncValues([BODY])
        response = answer(ask(range=header), source, headers={"content-length": "100"})
        assert (response.status, response.body) == (200, source)

    @rows("header", ["bytes=0-4,5000-", "bytes=0-3,2-4", f"bytes={','.join(['0-4'] * 64)}"])
    def test_that_are_one_are_sent(self, header):
        assert (answer(ask(range=header)).status, answer(ask(range=header)).body) == (206, BODY[:5])


class TestAStream:
    @rows("chunks", [[BODY], [BODY[:30], "", BODY[30:].decode()], [bytes([b]) for b in BODY]])
    @rows("header", ["bytes=0-0", "bytes=25-34", "bytes=29-", "bytes=30-", "bytes=-1", "bytes=0-"])
    def test_of_known_length_is_sent_in_part(self, chunks, header):
        whole = answer(ask(range=header))
        response = answer(ask(range=header), iter(chunks), headers=VALIDATORS | {"content-length": "100"})
        assert (response.status, b"".join(response.body)) == (206, whole.body)
        assert response.headers["content-range"] == whole.headers["content-range"]
        assert response.headers["content-length"] == str(len(whole.body))

    @rows("length", [None, "", "-1", "1.5", "٣", "9" * 19])
    def test_of_unknown_length_is_sent_whole(self, length):
        response = Response(iter([BODY]))
        if length is not None:
            response.headers._fields.append(("content-length", length))
        response.make_conditional(ask(range="bytes=0-1"))
        assert (response.status, b"".join(response.body)) == (200, BODY)
        assert "accept-ranges" not in response.headers

    def test_that_is_a_file_is_sent_in_part_without_being_declared(self, tmp_path):
        (tmp_path / "file").write_bytes(BODY)
        file = FileBody(str(tmp_path / "file"), 0, 100)
        response = answer(ask(range="bytes=15-24"), file)
        assert (type(response.body), b"".join(response.body)) == (FileBody, BODY[15:25])
        assert [response.headers[name] for name in ("content-range", "content-length")] == ["bytes 15-24/100", "10"]

    def test_that_ends_early_ends(self):
        response = answer(ask(range="bytes=5-8"), iter([BODY[:7]]), headers={"content-length": "100"})
        assert b"".join(response.body) == b"56"

    def test_is_closed_whether_it_was_read_or_not(self):
        for reads in range(2):
            source = SyncValues([BODY[:2], BODY[2:]])
            response = answer(ask(range="bytes=5-8"), source, headers={"content-length": "100"})
            for _ in range(reads):
                next(response.body)
            response.body.close()
            assert (source.read, source.closed) == (reads, 1)


def plain_ranges(header, length):
    """What RFC 9110 §14 makes of a Range: None to ignore it, else the positions that it names, in order."""
    spec = r"(?:[0-9]{1,40}-[0-9]{0,40}|-[0-9]{1,40})"
    found = re.fullmatch(rf"(?i:bytes)=((?:[ \t,]*{spec}[ \t]*(?=,|$))+[ \t,]*)", header)
    if not found or not length or header.count(",") > 63:
        return None
    positions = []
    for spec in re.findall(r"[\d-]+", found[1]):
        first, last = spec.split("-")
        if first and last and int(last) < int(first):
            return None
        start = int(first) if first else max(length - int(last), 0)
        stop = int(last) + 1 if first and last else length
        positions.append(range(min(start, length), min(stop, length)))
    return [each for each in positions if each]


numbers = st.integers(0, 60)
specs = st.one_of(
    st.builds("{}-{}".format, numbers, numbers),
    st.builds("{0}-{1}".format, numbers, numbers.map(lambda n: n + 60)),
    st.builds("{}-".format, numbers),
    st.builds("-{}".format, numbers),
)
headers = st.one_of(
    st.lists(specs, min_size=1, max_size=5).map(lambda each: "bytes=" + ",".join(each)),
    st.lists(specs, min_size=1, max_size=70).map(lambda each: "bytes=" + " , ".join(each)),
    st.text("bytes=0123456789-, x").map(str.strip),
    st.text("0123456789-,").map("bytes={}".format),
)
bodies = st.binary(max_size=80)


def check_right(status, fields, body, whole, header):
    """Hold what came back for a Range against plain slices of the whole."""
    wanted = plain_ranges(header, len(whole))
    if wanted is None:
        assert (status, body) == (200, whole)
        return
    if not wanted:
        assert (status, fields["content-range"]) == (416, f"bytes */{len(whole)}")
        return
    positions = sorted(set().union(*wanted))
    if positions != [*range(positions[0], positions[-1] + 1)] or status == 200:  # parts that touch may be sent as one
        assert (status, body, len(wanted) > 1) == (200, whole, True)
        return
    told = ContentRange.parse(fields["content-range"])
    assert (status, told.length, [*range(told.first, told.last + 1)]) == (206, len(whole), positions)
    assert body == whole[told.first : told.last + 1]


@given(bodies, headers)
@example(b"", "bytes=0-")
@example(b"a", "bytes=-0")
def test_any_range_of_any_body_is_what_a_slice_is(whole, header):
    try:
        response = answer(ask(range=header), whole, headers={"content-type": "a/b"})
    except RangeNotSatisfiable as error:
        check_right(416, error.headers, b"", whole, header)
    else:
        check_right(response.status, response.headers, response.body, whole, header)


@given(bodies, headers, st.integers(1, 20))
def test_any_range_of_any_stream_is_what_it_is_of_its_bytes(whole, header, size):
    chunks = [whole[start : start + size] for start in range(0, len(whole), size)]
    try:
        response = answer(ask(range=header), iter(chunks), headers={"content-length": str(len(whole))})
    except RangeNotSatisfiable as error:
        check_right(416, error.headers, b"", whole, header)
        return
    body = b"".join(response.body)
    assert int(response.headers["content-length"]) == len(body)
    if response.status == 200:
        wanted = plain_ranges(header, len(whole))
        assert wanted is None or wanted != sorted(wanted, key=lambda positions: positions[0])
        assert body == whole
    else:
        check_right(response.status, response.headers, body, whole, header)


class TestAPrecondition:
    """RFC 9110 §13.2.2 before the work; the resource has the tag "v1" and was modified at MODIFIED."""

    @rows("method", ["PUT", "POST", "PATCH", "DELETE", "QUERY"])
    @rows(
        "headers, goes_on",
        ({}, True),
        ({"if_match": '"v1"'}, True),
        ({"if_match": "*"}, True),
        ({"if_match": '"v0"'}, False),
        ({"if_match": 'W/"v1"'}, False),
        ({"if_unmodified_since": OLDER}, False),
        ({"if_unmodified_since": DATE}, True),
        ({"if_none_match": "*"}, False),
        ({"if_none_match": '"v1"'}, False),
        ({"if_none_match": '"v0"'}, True),
        ({"if_modified_since": NEWER}, True),
    )
    def test_guards_a_write(self, method, headers, goes_on):
        request = ask(method, **headers)
        if goes_on:
            precondition(request, etag=ETag("v1"), modified=MODIFIED)
        else:
            with pytest.raises(PreconditionFailed):
                precondition(request, etag=ETag("v1"), modified=MODIFIED)

    @rows(
        "headers, goes_on",
        [({"if_none_match": "*"}, True), ({"if_match": "*"}, False), ({"if_match": '"v1"'}, False), ({}, True)],
    )
    def test_asks_whether_there_is_something(self, headers, goes_on):
        request = ask("PUT", **headers)
        if goes_on:
            precondition(request, exists=False)
        else:
            with pytest.raises(PreconditionFailed):
                precondition(request, exists=False)

    @rows("method", ["GET", "HEAD"])
    @rows(
        "validators, fields",
        ({"etag": "v1"}, {"etag": '"v1"'}),
        ({"etag": ETag("v1", weak=True)}, {"etag": 'W/"v1"'}),
        ({"etag": "v1", "modified": MODIFIED}, {"etag": '"v1"'}),
        ({"modified": MODIFIED}, {"last-modified": DATE}),
    )
    def test_saves_the_work_for_what_the_client_has(self, method, validators, fields):
        asked = {"if_none_match": '"v1"'} if "etag" in validators else {"if_modified_since": DATE}
        with pytest.raises(NotModified) as caught:
            precondition(ask(method, **asked), **validators, headers={"vary": "accept"})
        assert caught.value.headers.items() == [("vary", "accept"), *fields.items()]

    def test_takes_no_tag_that_cannot_be_one(self):
        with pytest.raises(ValueError, match="an entity tag must not contain quotes"):
            precondition(ask(), etag='"v1"')

    @rows("modified", [1.5, DATE, MODIFIED.date()], ids=["seconds", "text", "day"])
    @rows("asked", [{}, {"if_modified_since": DATE}], ids=["no condition", "a condition"])
    def test_takes_no_modification_but_a_datetime(self, modified, asked):
        with pytest.raises(TypeError, match=f"modified must be a datetime or None, not {type(modified).__name__}"):
            precondition(ask(**asked), modified=modified)


class TestAnAddedTag:
    def test_may_be_weak(self):
        response, strong = Response("a"), Response("a")
        add_etag(response, weak=True)
        add_etag(strong)
        assert response.headers["etag"] == "W/" + strong.headers["etag"]

    def test_leaves_the_one_that_is_there_unless_told(self):
        response = Response("a", headers={"etag": '"v1"'})
        add_etag(response)
        assert response.headers["etag"] == '"v1"'
        add_etag(response, overwrite=True)
        assert response.headers["etag"] != '"v1"'

    def test_needs_bytes(self):
        response = Response(iter(["a"]))
        with pytest.raises(TypeError, match="this one is streamed"):
            add_etag(response)
        assert list(response.body) == ["a"]

    @rows("request_", [ask(range="bytes=0-1"), ask(if_none_match="*")])
    def test_needs_the_whole(self, request_):
        response = answer(request_, headers={})
        with pytest.raises(ValueError, match="does not have the whole body"):
            add_etag(response)


class TestCaching:
    @rows(
        "options, before, after",
        ({}, None, "max-age=60, private"),
        ({"public": True}, None, "max-age=60, public"),
        ({"public": True, "immutable": True}, None, "max-age=60, public, immutable"),
        ({}, "no-store", "max-age=60, private"),
        ({"public": True}, "private, no-cache, s-maxage=5", "max-age=60, public"),
        ({}, "public, immutable, no-transform, max-age=5", "no-transform, max-age=60, private"),
    )
    def test_is_allowed_for_some_seconds(self, options, before, after):
        response = Response("a", headers={"expires": DATE, "pragma": "no-cache"})
        if before:
            response.headers["cache-control"] = before
        cache_for(response, 60, **options)
        assert response.headers.items() == [*Response("a").headers.items(), ("cache-control", after)]

    @rows("public, buffering", [(True, None), (False, "no")])
    def test_lets_nginx_buffer_a_stream_that_it_may_keep(self, public, buffering):
        response = Response.stream(iter("a"))
        response.cache_for(60, public=public)
        assert (response.headers.get("x-accel-buffering"), response.headers["incremental"]) == (buffering, "?1")

    @rows("seconds", [-1, 1.5, True, 2**31 + 1, "60"])
    def test_takes_whole_seconds(self, seconds):
        response = Response("a")
        with pytest.raises(ValueError, match="max_age must be a whole number of seconds"):
            cache_for(response, seconds)
        assert "cache-control" not in response.headers

    def test_is_forbidden(self):
        response = Response("a", headers={"cache-control": "public, max-age=60", "expires": DATE})
        no_store(response)
        assert response.headers.items() == [*Response("a").headers.items(), ("cache-control", "no-store")]


def app_that_answers(make):
    """An application that makes what it answers conditional: in the handler, or in a middleware around it."""
    app = App()
    seen = []

    @app.get("/")
    def index(request):
        return make().make_conditional(request)

    @app.get("/async")
    async def waits(request):
        return make().make_conditional(request)

    @app.get("/outside")
    def outside(request):
        return make()

    @app.put("/")
    def put(request):
        precondition(request, etag="v1")
        return "written"

    @app.get("/early")
    def early(request):
        precondition(request, etag="v1", headers={"vary": "accept"})
        return "worked"

    @app.get("/early-async")
    async def early_async(request):
        precondition(request, etag="v1", headers={"vary": "accept"})
        return "worked"

    @app.middleware
    def around(request):
        response = yield
        if request.path == "/outside":
            response.make_conditional(request)
        seen.append((response.status, type(response.error)))

    return app, seen


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def serving(request, open_client):
    def serving(make):
        app, seen = app_that_answers(make)
        return open_client(app, request.param, raise_errors=False, timeout=10.0), seen

    return serving


PATHS = pytest.mark.parametrize("path", ["/", "/async", "/outside"])


class TestServed:
    @rows("sent, status", [({"if-match": '"v0"'}, 412), ({"range": "bytes=500-"}, 416)])
    def test_an_error_in_a_middleware_is_one_too(self, serving, sent, status):
        client, _ = serving(lambda: Response(BODY, headers=VALIDATORS))
        assert client.get("/outside", headers=sent).status == status

    @rows("source", [SyncValues, AsyncValues])
    @PATHS
    @rows(
        "sent, status, body",
        ({}, 200, BODY),
        ({"range": "bytes=15-24"}, 206, BODY[15:25]),
        ({"range": "bytes=500-"}, 416, None),
        ({"if-none-match": '"v1"'}, 304, b""),
        ({"if-match": '"v0"'}, 412, None),
        ids=["200", "206", "416", "304", "412"],
    )
    def test_a_stream_is_closed_in_every_case(self, serving, source, path, sent, status, body):
        made = []

        def make():
            made.append(source([BODY[:10], BODY[10:20], BODY[20:30], BODY[30:]]))
            return Response(made[-1], headers=VALIDATORS | {"content-length": "100"})

        client, _ = serving(make)
        response = client.get(path, headers=sent)
        assert response.status == status
        assert body is None or response.body == body
        assert [each.closed > 0 for each in made] == [True]
        assert made[0].read == {200: 4, 206: 3}.get(status, 0)

    def test_a_file_comes_in_part(self, serving, tmp_path):
        (tmp_path / "file").write_bytes(BODY)
        client, _ = serving(lambda: Response(FileBody(str(tmp_path / "file"), 0, 100)))
        for path in ("/", "/async", "/outside"):
            response = client.get(path, headers={"range": "bytes=15-24"})
            assert (response.status, response.body, response.headers["content-length"]) == (206, BODY[15:25], "10")

    @rows("sent, status", [({"if-match": '"v1"'}, 200), ({"if-match": '"v0"'}, 412), ({"if-none-match": "*"}, 412)])
    def test_a_write_is_guarded(self, serving, sent, status):
        client, _ = serving(Response)
        assert client.put("/", headers=sent, body=b"x").status == status

    @rows("path", ["/early", "/early-async"])
    def test_what_the_client_has_is_not_made_again(self, serving, path):
        client, seen = serving(Response)
        response = client.get(path, headers={"if-none-match": 'W/"v1"'})
        assert (response.status, response.body) == (304, b"")
        assert [(name, response.headers[name]) for name in ("etag", "vary")] == [("etag", '"v1"'), ("vary", "accept")]
        assert seen == [(304, type(None))]
        assert client.get(path, headers={"if-none-match": '"v0"'}).text == "worked"


@rows("key", [500, Exception])
def test_error_handlers_do_not_see_what_is_not_modified(key):
    app, _ = app_that_answers(Response)
    app.errorhandler(key)(lambda request, error: "handled")
    with pytest.raises(TypeError, match="an error handler must be registered for"):
        app.errorhandler(NotModified)(lambda request, error: "handled")
    client = Client(app)
    response = client.get("/early", headers={"if-none-match": '"v1"'})
    client.close()
    assert (response.status, response.body) == (304, b"")


@rows("interface", ["wsgi", "asgi", "rsgi"])
def test_any_range_is_right_however_it_is_served(interface):
    whole = []
    client = Client(app_that_answers(lambda: Response(whole[-1], headers=VALIDATORS))[0], interface)

    @given(bodies, headers.filter(str.isprintable))
    def check(body, header):
        whole.append(body)
        response = client.get("/", headers={"range": header})
        check_right(response.status, response.headers, response.body, body, header)

    check()
    client.close()
