"""Responses beside those of Werkzeug, made, changed and sent; and what no comparison shows."""

from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug import datastructures as original_datastructures
from werkzeug.http import COOP as OriginalCOOP
from werkzeug.wrappers import Response as Original

from antiphon.dialects.werkzeug import datastructures, wsgi
from antiphon.dialects.werkzeug.http import COOP
from antiphon.dialects.werkzeug.wrappers import Response
from antiphon.dialects.werkzeug.wsgi import FileWrapper
from tests.dialects.werkzeug.environs import called, environ, fields
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

MADE = {
    "nothing": {}, "text": {"response": "t\u00fc"}, "bytes": {"response": b"bytes"},
    "bytearray": {"response": bytearray(b"bytes")},
    "a list": {"response": ["a", b"b"]}, "a tuple": {"response": ("a", b"b")},
    "a file": {"response": BytesIO(b"a\nb")}, "a number": {"status": 404}, "an unknown number": {"status": 799},
    "an enum": {"status": HTTPStatus.IM_A_TEAPOT},
    "a line": {"status": "404 gone astray"}, "digits": {"status": " 201 "}, "nothing for a status": {"status": ""},
    "pairs": {"headers": [("X-A", "1"), ("X-A", "2")]},
    "a dictionary": {"headers": {"X-A": ["1", "2"], "X-B": "3"}},
    "a content type among the headers": {"headers": {"content-type": "a/b"}},
    "both": {"headers": {"content-type": "a/b"}, "mimetype": "text/x"},
    "markup": {"mimetype": "image/svg+xml"}, "XML": {"mimetype": "application/xml"},
    "an image": {"mimetype": "image/png"},
    "a content type": {"content_type": "text/html", "mimetype": "a/b"},
    "no content": {"response": "x", "status": 204},
    "not modified": {"response": "x", "status": 304, "headers": {"Allow": "GET", "Expires": "x", "ETag": '"a"'}},
    "informational": {"response": "x", "status": 103},
    "a line break": {"headers": {"X-A": "a\nb"}},
    "a place": {"status": 302, "headers": {"Location": "/a b?\u00fc=\u00e4#\u00f6"}},
    "a place elsewhere": {
        "status": 302, "headers": {"Location": "http://b\u00fccher.example/x y", "Content-Location": "\u00fc"},
    },
}  # fmt: skip


def sent(cls, made, **keys):
    return called(cls(**made), environ(**keys))


@rows("made", MADE.values(), ids=MADE)
@rows("method", ["GET", "HEAD"])
def test_made(made, method):
    def make(cls):
        if "response" in made and isinstance(made["response"], BytesIO):
            return sent(cls, {"response": BytesIO(b"a\nb")}, REQUEST_METHOD=method)
        return sent(cls, made, REQUEST_METHOD=method)

    same(outcome(make, Original), outcome(make, Response))


NOT_SENT = {"words": {"status": "not a number"}, "zero": {"status": 0}}
"""What Werkzeug sends, although some servers end by it."""


@rows("made", [*MADE.values(), *NOT_SENT.values()], ids=[*MADE, *NOT_SENT])
def test_repr(made):
    same(outcome(lambda: repr(Original(**made))), outcome(lambda: repr(Response(**made))))


MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
VALUES = {
    "location": ["/x"], "age": [5, timedelta(seconds=5), -1, None], "content_type": ["a/b"], "content_length": [5, "6"],
    "content_location": ["/x"], "content_encoding": ["gzip"], "content_md5": ["x"], "date": [MOMENT, 0, MOMENT.date()],
    "expires": [MOMENT, 1.5, MOMENT.replace(tzinfo=None)], "last_modified": [MOMENT], "retry_after": [MOMENT, None],
    "vary": [["A", "B"], "A, b", (), None], "content_language": [["de"], "en"], "allow": [["GET", "PUT"]],
    "mimetype": ["text/html", "a/b"], "accept_ranges": ["bytes"], "content_range": ["bytes 0-1/5", None, ""],
    "access_control_allow_credentials": [True, False, None], "access_control_allow_headers": [["A", "B"]],
    "access_control_allow_methods": [["GET"]], "access_control_allow_origin": ["*"], "access_control_max_age": [5],
    "access_control_expose_headers": [{"A"}], "content_security_policy": ["default-src 'self'; img-src *", None],
    "content_security_policy_report_only": ["default-src 'self'"], "status_code": [404, 0], "data": ["x", b"y"],
}  # fmt: skip


def shown(value):
    return value.to_header() if hasattr(value, "to_header") else value


@rows("name, value", [(name, value) for name, values in VALUES.items() for value in values], ids=str)
def test_headers_set_and_removed(name, value):
    def use(cls):
        response = cls("text")
        setattr(response, name, value)
        first = shown(getattr(response, name)), response.headers.get(name.replace("_", "-"))
        setattr(response, name, value)
        removed = outcome(delattr, response, name).error is None
        return first, removed, list(response.headers.items(lower=True)), response.status

    same(outcome(use, Original), outcome(use, Response))


@rows("written", ["", "x", "-5", "bytes 0-1", "0", "a, b", '"x', "Sun, 06 Nov 1994 08:49:37 GMT", "a=b"])
@rows("name", [name for name in VALUES if name not in ("status_code", "data", "retry_after")])
def test_headers_read(name, written):
    header = name.replace("_", "-")
    same(
        outcome(lambda: shown(getattr(Original(headers={header: written}), name))),
        outcome(lambda: shown(getattr(Response(headers={header: written}), name))),
    )


CHANGES = {
    "written to the stream": lambda r: (r.stream.write(b"bc"), r.stream.writelines([b"d", b"e"]), r.stream.tell()),
    "written when it was closed": lambda r: (r.stream.close(), r.stream.write(b"f")),
    "asked when it was closed": lambda r: (r.stream.close(), r.stream.isatty()),
    "the stream asked": lambda r: (r.stream.flush(), r.stream.isatty(), r.stream.encoding, r.stream.tell()),
    "the stream of a tuple": lambda r: (
        setattr(r, "response", ("a", "b")), r.stream.tell(), r.make_sequence(), r.stream.write(b"c"), r.response,
    ),
    "JSON": lambda r: (setattr(r, "mimetype", "application/json"), setattr(r, "data", '{"a": [1]}'), r.json),
    "a charset, which was removed": lambda r: (
        setattr(r, "charset", "utf-8-sig"), setattr(r, "mimetype", "text/csv"), setattr(r, "data", "ü"), r.get_data(),
    ),
    "JSON of another type": lambda r: (setattr(r, "data", '{"a": [1]}'), r.json),
    "malformed JSON, silently": lambda r: (setattr(r, "mimetype", "application/x+json"), r.get_json(silent=True)),
    "malformed JSON, forced": lambda r: r.get_json(force=True),
}  # fmt: skip


@rows("change", CHANGES.values(), ids=CHANGES)
def test_changes(change):
    def use(cls):
        response = cls("text")
        return change(response), called(response, environ())

    same(outcome(use, Original), outcome(use, Response))


@rows("name", ["vary", "allow", "content_language"])
def test_sets_changed_in_place(name):
    def use(cls):
        response = cls()
        found = getattr(response, name)
        states = []
        for change in (
            lambda: found.add("A"),
            lambda: found.update(["b", "a"]),
            lambda: found.remove("a"),
            found.clear,
        ):
            change()
            states.append(list(response.headers))
        return states

    same(outcome(use, Original), outcome(use, Response))


def test_cache_control_changed_in_place():
    def use(cls):
        response = cls()
        control = response.cache_control
        states = []
        for name, value in [("public", True), ("max_age", 5), ("no_cache", "x"), ("public", False), ("private", True)]:
            setattr(control, name, value)
            states.append(response.headers.get("Cache-Control"))
        for change in (lambda: delattr(control, "max_age"), control.clear):
            change()
            states.append(response.headers.get("Cache-Control"))
        return states

    same(outcome(use, Original), outcome(use, Response))


@rows("challenges", [0, 1, 2])
def test_challenges(challenges):
    def use(cls, library):
        response = cls()
        response.www_authenticate = [library.WWWAuthenticate("basic", {"realm": f"r {n}"}) for n in range(challenges)]
        before = response.headers.getlist("WWW-Authenticate")
        response.www_authenticate["charset"] = "UTF-8"
        response.www_authenticate.realm = "over there"
        changed = response.headers.getlist("WWW-Authenticate")
        del response.www_authenticate
        return before, changed, list(response.headers)

    same(outcome(use, Original, original_datastructures), outcome(use, Response, datastructures))


def test_opener_policy():
    def use(cls, policies):
        response = cls()
        before = response.cross_origin_opener_policy.value
        response.cross_origin_opener_policy = policies.SAME_ORIGIN
        return before, list(response.headers), response.cross_origin_opener_policy.value

    same(outcome(use, Original, OriginalCOOP), outcome(use, Response, COOP))


CONDITIONS = [
    {}, {"HTTP_IF_NONE_MATCH": '"a"'}, {"HTTP_IF_NONE_MATCH": 'W/"a"'}, {"HTTP_IF_NONE_MATCH": "*"},
    {"HTTP_IF_NONE_MATCH": '"b"', "HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"HTTP_IF_MODIFIED_SINCE": "Sun, 06 Nov 1994 08:49:36 GMT"},
    {"HTTP_IF_MATCH": '"a"'}, {"HTTP_IF_MATCH": '"b"'}, {"HTTP_IF_MATCH": 'W/"a"'}, {"HTTP_RANGE": "bytes=1-2"},
    {"HTTP_RANGE": "bytes=-3"}, {"HTTP_RANGE": "bytes=5-"}, {"HTTP_RANGE": "bytes=0-1,4-5"},
    {"HTTP_RANGE": "bytes=90-"}, {"HTTP_RANGE": "lines=1-2"}, {"HTTP_RANGE": "bytes=1-2", "HTTP_IF_RANGE": '"a"'},
    {"HTTP_RANGE": "bytes=1-2", "HTTP_IF_RANGE": '"b"'},
    {"HTTP_RANGE": "bytes=1-2", "HTTP_IF_RANGE": "Sun, 06 Nov 1994 08:49:37 GMT"},
    {"HTTP_RANGE": "bytes=1-2", "HTTP_IF_NONE_MATCH": '"a"'},
]  # fmt: skip


@rows("keys", CONDITIONS, ids=str)
@rows("headers", [{}, {"ETag": '"a"'}, {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}], ids=str)
@rows("accept_ranges", [False, True])
@rows("method", ["GET", "HEAD", "POST"])
def test_conditions(keys, headers, accept_ranges, method):
    def use(cls):
        env = environ(REQUEST_METHOD=method, **keys)
        response = cls(["01", "2345", "6789"], headers=headers)
        response.make_conditional(env, accept_ranges=accept_ranges, complete_length=10)
        status, fields, body = called(response, env)
        return status, [field for field in fields if field[0] != "Date"], body

    same(outcome(use, Original), outcome(use, Response))


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r\n"), max_size=40))
def test_values_of_cookies(value):
    def use(cls):
        response = cls()
        response.set_cookie("name", value)
        return response.headers["Set-Cookie"]

    # The original leaves some control characters as they are, which no header may have.
    if value.isprintable():
        same(outcome(use, Original), outcome(use, Response))
    else:
        assert "\x1b" not in use(Response)


@rows("location", ["c", "/c", "../c", "//other/c", "http://other/c", "?q", "", "\u00fc"])
def test_locations_made_absolute(location):
    def use(cls):
        own = type("Own", (cls,), {"autocorrect_location_header": True})
        return sent(own, {"status": 302, "headers": {"Location": location}}, SCRIPT_NAME="/app")

    same(outcome(use, Original), outcome(use, Response))


@pytest.mark.feature("kay-096", "kay-097")
def test_what_is_passed_through_is_given_as_it_is():
    assert Response().direct_passthrough is False
    wrapped = wsgi.wrap_file(environ(), BytesIO(b"content"))
    assert isinstance(wrapped, FileWrapper)
    response = Response(wrapped, direct_passthrough=True)
    assert response.get_app_iter(environ()) is wrapped
    assert b"".join(wrapped) == b"content"
    with pytest.raises(RuntimeError, match="direct passthrough"):
        response.get_data()


@pytest.mark.feature("kay-103")
def test_a_status_with_a_line_end_is_refused():
    with pytest.raises(ValueError, match="control characters"):
        Response(status="200 OK\r\nX-Bad: 1")


@rows("status", ["abc", 0, 99, 1000, -200])
def test_a_status_without_a_code_of_three_digits_is_not_sent(status):
    with pytest.raises(ValueError, match="code of three digits"):
        called(Response("body", status=status), environ())


def test_headers_that_a_subclass_changes_are_sent():
    class Own(Response):
        def get_wsgi_headers(self, environ):
            headers = super().get_wsgi_headers(environ)
            headers["X-Own"] = "yes"
            return headers

    assert fields(Own("text"))["X-Own"] == "yes"


def test_a_range_that_is_not_there_is_refused():
    from antiphon.dialects.werkzeug.exceptions import RequestedRangeNotSatisfiable

    for wanted in ("bytes=10-", "bytes=x"):
        with pytest.raises(RequestedRangeNotSatisfiable) as raised:
            Response("text").make_conditional(environ(HTTP_RANGE=wanted), accept_ranges=True, complete_length=4)
        assert raised.value.length == 4
