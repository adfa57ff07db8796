import copy
import pickle
import re
from collections import UserString
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from antiphon.http import errors
from antiphon.http.authorization import Challenge
from antiphon.http.errors import (
    ClientDisconnected,
    Conflict,
    Forbidden,
    HTTPError,
    MethodNotAllowed,
    NotFound,
    ProxyAuthenticationRequired,
    RangeNotSatisfiable,
    ServiceUnavailable,
    TooManyRequests,
    Unauthorized,
    UnprocessableContent,
    UpgradeRequired,
    abort,
    http_error,
)
from antiphon.http.headers import MutableHeaders
from antiphon.http.multidict import MissingKey
from antiphon.http.status import PHRASES, phrase
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

CLASSES = {
    name: cls
    for name, cls in vars(errors).items()
    if isinstance(cls, type)
    and issubclass(cls, HTTPError)
    and name[0] != "_"
    and cls not in (HTTPError, errors.FieldError, errors.IncompleteBody)
}


class TestFamily:
    def test_each_class_is_found_by_its_status_and_named_like_it(self):
        assert {cls.status: cls for cls in CLASSES.values()} == HTTPError.by_status
        made = [cls() for cls in CLASSES.values()]
        assert [error.title for error in made] == [PHRASES[error.status] for error in made]
        assert {error.detail for error in made} == {None}
        named_otherwise = {ClientDisconnected, errors.NotImplementedByServer}
        named = {cls for cls in CLASSES.values() if cls.__name__ == PHRASES[cls.status].replace(" ", "")}
        assert named == {*CLASSES.values()} - named_otherwise

    def test_the_documented_classes_of_rfc_9110_are_all_there(self):
        assert {*range(400, 418), 421, 422, 426, 500, 501, 502, 503, 504} <= HTTPError.by_status.keys()

    def test_may_have_any_error_status(self):
        statuses = range(400, 600)
        made = [http_error(status, "so it is") for status in statuses]
        assert [(error.status, error.detail) for error in made] == [(status, "so it is") for status in statuses]
        assert [type(error) for error in made] == [HTTPError.by_status.get(status, HTTPError) for status in statuses]
        assert all(error.title for error in made)

    @rows("status", [0, 99, 200, 304, 399, 600, 1000, -400])
    @rows("make", [http_error, HTTPError])
    def test_has_no_other_status(self, make, status):
        with pytest.raises(ValueError, match=str(status)):
            make(status)


class TestProblem:
    def test_has_type_title_and_status(self):
        assert NotFound().problem() == {"type": "about:blank", "title": "Not Found", "status": 404}

    def test_has_the_detail_that_was_given_even_if_empty(self):
        assert NotFound("no such order").problem()["detail"] == "no such order"
        assert NotFound("").problem()["detail"] == ""
        assert NotFound().problem()["detail"] == ""  # as a page of errors reads it
        with pytest.raises(KeyError):
            NotFound().problem()["details"]

    @rows(
        "members, errors",
        ({"errors": [{"pointer": "/name", "detail": "is taken"}]}, [{"pointer": "/name", "detail": "is taken"}]),
        ({"errors": ({"pointer": "", "detail": "is late"},)}, [{"pointer": "", "detail": "is late"}]),
        ({"errors": "many"}, []),
        ({}, []),
    )
    def test_has_a_list_of_single_errors(self, members, errors):
        assert UnprocessableContent(members=members).errors == errors


class TestClassAttributes:
    OWN = ("type", "/no-money"), ("title", "No money"), ("status", 402), ("detail", "Pay first."), ("members", {"a": 1})

    @rows("name, value", *OWN, ("headers", MutableHeaders({"x-a": "1"})), ("detail", UserString("Pay first.")))
    @rows("base", [Conflict, HTTPError, ServiceUnavailable, MethodNotAllowed, UpgradeRequired])
    def test_hold_for_each_error_of_a_subclass(self, base, name, value):
        error = type("Own", (base,), {name: value})()
        usual = base().problem() | {"status": error.status, "title": phrase(error.status)}
        more = {} if name == "headers" else value if name == "members" else {name: str(value)}
        assert error.problem() == usual | more | {"status": error.status}
        assert getattr(error, name) == value
        assert str(error) == f"{error.status} {error.title}" + (f": {error.detail}" if error.detail else "")
        assert pickle.loads(pickle.dumps(base("x"))).problem() == base("x").problem()

    @rows("name, value", OWN)
    def test_give_way_to_what_is_passed(self, name, value):
        own = type("Own", (HTTPError,), dict(self.OWN))
        passed = {"type": "/other", "title": "Other", "status": 404, "detail": "x", "members": {"a": 2}}
        assert getattr(own(**{name: passed[name]}), name) == passed[name]
        assert [getattr(own(), each) for each, _ in self.OWN] == [each for _, each in self.OWN]

    def test_of_members_and_headers_are_added_to_and_stay_as_they_are(self):
        class Own(HTTPError):
            members = {"a": 1}  # noqa: RUF012 - as an application writes it
            headers = MutableHeaders([("x-a", "1"), ("x-a", "2"), ("x-b", "1")])

        error = Own(members={"b": 2}, headers={"X-B": "2"})
        error.members["c"] = 3
        assert error.members == {"a": 1, "b": 2, "c": 3}
        assert error.headers.items() == [("x-b", "2"), ("x-a", "1"), ("x-a", "2")]
        assert (Own().members, Own().headers.items()) == ({"a": 1}, Own.headers.items())
        assert (HTTPError().members, HTTPError().headers.items()) == ({}, [])

    def test_may_be_properties(self):
        class Own(Conflict):
            title = property(lambda self: f"{self.owed} short")
            detail = property(lambda self: f"Pay {self.owed}.")

            def __init__(self, owed):
                super().__init__()
                self.owed = owed

        assert (Own(5).problem()["title"], Own(5).problem()["detail"]) == ("5 short", "Pay 5.")

    @rows("name, value", ("status", 200), ("status", 600), ("members", {"status": 5}))
    def test_that_no_error_may_have_are_refused_where_the_class_is_made(self, name, value):
        with pytest.raises((ValueError, TypeError)):
            type("Own", (HTTPError,), {name: value})


class TestOptions:
    def test_an_error_is_made_as_abort_makes_it(self):
        made = [HTTPError(404, "gone"), HTTPError(status=404, detail="gone"), http_error(404, "gone")]
        assert {str(error) for error in made} == {"404 Not Found: gone"}
        assert (HTTPError(418).detail, HTTPError("odd").status, NotFound(detail="gone").detail) == (None, 500, "gone")

    @rows(
        "make, message",
        (partial(abort, 404, header={"x-a": "1"}), "NotFound has no option 'header': did you mean 'headers'?"),
        (partial(abort, 418, description="Tea."), "HTTPError has no option 'description': did you mean 'detail'?"),
        (
            partial(abort, 404, allow=["GET"]),
            "NotFound has no option 'allow'. It has detail, headers, type, title, members",
        ),
        (partial(http_error, 429, retry=5), "TooManyRequests has no option 'retry': did you mean 'retry_after'?"),
        (partial(Conflict, by="ada"), "members={'by': ...}"),
        (partial(Unauthorized, challange="Basic"), "did you mean 'challenge'?"),
        (partial(Conflict, members={"status": 200}), "the member 'status' of problem details has its own parameter"),
        (partial(HTTPError, "gone", "away"), "an error's status must be a number, not 'gone'"),
    )
    def test_others_are_errors_where_they_are_given(self, make, message):
        with pytest.raises(TypeError, match=re.escape(message)):
            make()

    @rows("word, ours", [("code", "status"), ("description", "detail"), ("message", "detail")])
    def test_words_of_others_name_ours(self, word, ours):
        with pytest.raises(AttributeError, match=f"NotFound has no '{word}'; use {ours}"):
            getattr(NotFound("gone"), word)


class TestHeaders:
    def test_of_one_error_are_its_own(self):
        given = [("x-a", "1")]
        error = Unauthorized(headers=given, challenge="Basic")
        assert error.headers.items() == [("x-a", "1"), ("www-authenticate", "Basic")]
        assert given == [("x-a", "1")]

    @rows("status", [401, 405, 407, 426])
    def test_that_a_status_demands_may_be_left_to_the_application(self, status):
        for make in (partial(abort, status), partial(HTTPError, status), HTTPError.by_status[status]):
            with pytest.raises(HTTPError) as raised:
                raise make("no")
            assert raised.value.headers.items() == []

    @rows(
        "make",
        lambda: Forbidden(headers={"x-why": "a\r\nset-cookie: b=c"}),
        lambda: Forbidden(headers=[("x why", "a")]),
        lambda: Unauthorized(challenge='Basic realm="a\nb"'),
        lambda: ProxyAuthenticationRequired(challenge='Basic realm="a\nb"'),
        lambda: MethodNotAllowed(allow=["GET\r\nx: y"]),
        ids=["value", "name", "challenge", "proxy's challenge", "allow"],
    )
    def test_that_cannot_be_sent_are_refused_where_the_error_is_made(self, make):
        with pytest.raises(ValueError, match="header"):
            make()


class TestAsAnException:
    def test_prints_status_title_and_detail(self):
        assert str(NotFound("no such order")) == "404 Not Found: no such order"
        assert str(NotFound()) == "404 Not Found"
        assert str(HTTPError(499, "odd", title="Gone away")) == "499 Gone away: odd"

    @rows(
        "error",
        NotFound("no such order", members={"order": 5}),
        HTTPError(418, "odd", type="/tea", title="Tea", headers={"x-a": "1"}),
        MethodNotAllowed(allow=["GET"]),
        Unauthorized("who?", challenge="Basic"),
        MissingKey("name"),
        ids=lambda error: type(error).__name__,
    )
    @rows("again", [copy.copy, lambda error: pickle.loads(pickle.dumps(error))])
    def test_may_cross_a_process_boundary(self, error, again):
        other = again(error)
        assert type(other) is type(error)
        assert (str(other), other.problem(), other.headers) == (str(error), error.problem(), error.headers)


@rows(
    "error, name, value",
    (Unauthorized(challenge=Challenge.basic("shop")), "www-authenticate", 'Basic realm="shop", charset="UTF-8"'),
    (Unauthorized(challenge=[Challenge("a", token="x"), "Basic"]), "www-authenticate", "a x, Basic"),
    (ProxyAuthenticationRequired(challenge=Challenge("Negotiate")), "proxy-authenticate", "Negotiate"),
    (ProxyAuthenticationRequired(challenge=["a x", "Basic"]), "proxy-authenticate", "a x, Basic"),
    (UpgradeRequired(upgrade="TLS/1.3"), "upgrade", "TLS/1.3"),
    (UpgradeRequired(upgrade=["TLS/1.3", "HTTP/2"]), "upgrade", "TLS/1.3, HTTP/2"),
    (RangeNotSatisfiable(length=1234), "content-range", "bytes */1234"),
    (TooManyRequests("Slow down.", retry_after=30), "retry-after", "30"),
    (ServiceUnavailable(retry_after=timedelta(minutes=2)), "retry-after", "120"),
    (ServiceUnavailable(retry_after=datetime(2026, 1, 1, tzinfo=UTC)), "retry-after", "Thu, 01 Jan 2026 00:00:00 GMT"),
    (MethodNotAllowed(allow=["GET", "PUT"]), "allow", "GET, PUT"),
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_an_error_takes_what_its_header_says(error, name, value):
    assert error.headers.items() == [(name, value)]


def test_methods_that_are_one_text_are_refused():
    with pytest.raises(TypeError, match="GET"):
        MethodNotAllowed(allow="GET")


def test_methods_that_are_no_tokens_are_refused():
    with pytest.raises(ValueError, match="GET, PUT"):
        MethodNotAllowed(allow=["GET, PUT"])


@rows("status", ["404", None, NotFound, 404.0], ids=repr)
def test_a_status_that_is_no_number_is_refused(status):
    with pytest.raises(TypeError, match=r"as in abort\(404\), not ") as refused:
        abort(status)
    assert str(refused.value).endswith(repr(status))


@rows("length", [-1, "5"])
def test_a_length_that_is_none_is_refused(length):
    with pytest.raises(ValueError, match=str(length)):
        RangeNotSatisfiable(length=length)


@rows("options", [{}, {"type": "/taken"}], ids=["plain", "of a type"])
def test_a_detail_that_is_no_text_is_refused(options):
    with pytest.raises(TypeError, match="text, not bytes"):
        Conflict(b"taken", **options)


@rows("when", [-1, float("nan"), 1e12])
def test_nobody_comes_back_before_now(when):
    with pytest.raises(ValueError, match="Retry-After"):
        TooManyRequests(retry_after=when)
