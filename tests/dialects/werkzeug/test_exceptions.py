"""Exceptions, their pages and `abort`, beside those of Werkzeug."""

import copy
import pickle
from datetime import UTC, datetime
from http import HTTPStatus

import pytest
from werkzeug import datastructures as their_datastructures
from werkzeug import exceptions as original
from werkzeug.test import create_environ, run_wsgi_app
from werkzeug.wrappers import Response as TheirResponse

from antiphon.dialects.werkzeug import datastructures as our_datastructures
from antiphon.dialects.werkzeug import exceptions as dialect
from antiphon.dialects.werkzeug.wrappers import Response
from tests.helpers.rows import rows

LIBRARIES = (original, dialect)
ROWS = {
    400: "kay-163", 401: "kay-164", 403: "kay-165", 404: "kay-166", 406: "kay-168", 408: "kay-169", 410: "kay-170",
    411: "kay-171", 412: "kay-172", 413: "kay-173", 414: "kay-174", 415: "kay-175", 500: "kay-176", 501: "kay-177",
    502: "kay-178", 503: "kay-179",
}  # fmt: skip


def answer(application, environ=None):
    """Status, header fields and body of a WSGI application."""
    body, status, headers = run_wsgi_app(application, environ or create_environ(), buffered=True)
    return status, sorted(headers), b"".join(body)


CODES = [code for code in original.default_exceptions if code != 405]


@pytest.mark.feature(*ROWS.values())
class TestOfEachStatus:
    @rows("code", CODES)
    def test_answers_as_the_original(self, code):
        theirs, ours = original.default_exceptions[code](), dialect.default_exceptions[code]()
        assert (ours.code, type(ours).__name__) == (code, type(theirs).__name__)
        assert getattr(dialect, type(theirs).__name__) is type(ours)
        assert (ours.name, ours.description) == (theirs.name, theirs.description)
        assert (str(ours), repr(ours)) == (str(theirs), repr(theirs))
        assert answer(ours) == answer(theirs)
        assert answer(ours.get_response()) == answer(theirs.get_response())

    @rows("code", CODES)
    def test_answers_with_a_description_of_ones_own(self, code):
        theirs, ours = (library.default_exceptions[code](description="1 < 2\n'&\"") for library in LIBRARIES)
        assert answer(ours) == answer(theirs)
        assert ours.get_description() == theirs.get_description()

    @rows("code", CODES)
    def test_is_raised_by_abort(self, code):
        with pytest.raises(dialect.default_exceptions[code]) as caught:
            dialect.abort(code, description="why")
        assert caught.value.description == "why"

    @rows("code", CODES)
    def test_is_pickled_and_copied(self, code):
        ours = dialect.default_exceptions[code](description="why")
        for again in (pickle.loads(pickle.dumps(ours)), copy.copy(ours)):
            assert (type(again), str(again)) == (type(ours), str(ours))


@pytest.mark.feature(*ROWS.values())
@rows("code", ROWS)
def test_is_caught_as_the_exception_of_its_status(code):
    with pytest.raises(dialect.HTTPException) as caught:
        dialect.abort(code)
    assert type(caught.value) is dialect.default_exceptions[code]
    assert answer(caught.value)[0].startswith(f"{code} ")


def test_there_is_one_for_each_status_that_the_original_has_one_for():
    assert {code: each.__name__ for code, each in dialect.default_exceptions.items()} == {
        code: each.__name__ for code, each in original.default_exceptions.items()
    }
    named = {name for name, each in vars(original).items() if isinstance(each, type) and name[0] != "_"}
    assert named - {"datetime", "Markup"} <= {*vars(dialect)}


@pytest.mark.feature("kay-162")
class TestHTTPException:
    def test_is_the_base_of_all_and_a_wsgi_application(self):
        with pytest.raises(dialect.HTTPException) as caught:
            raise dialect.NotFound
        assert (caught.value.code, caught.value.description) == (404, dialect.NotFound.description)
        status, headers, body = answer(caught.value)
        assert (status, body[:15]) == ("404 NOT FOUND", b"<!doctype html>")
        assert ("Content-Type", "text/html; charset=utf-8") in headers

    def test_has_no_status_of_its_own(self):
        theirs, ours = (library.HTTPException("why") for library in LIBRARIES)
        assert (str(ours), repr(ours), ours.code) == (str(theirs), repr(theirs), None)
        assert ours.get_body() == theirs.get_body()

    def test_takes_classes_of_ones_own(self):
        def own(library):
            class Own(library.HTTPException):
                code = 419
                description = "too <much>"
                name = "Own"

                def get_headers(self, environ=None, scope=None):
                    return [*super().get_headers(environ, scope), ("X-Own", environ["PATH_INFO"])]

                def get_description(self, environ=None, scope=None):
                    return f"<b>{environ['PATH_INFO']}</b>"

            return answer(Own(), create_environ("/path"))

        assert own(dialect) == own(original)

    def test_takes_descriptions_that_are_markup(self):
        class Markup(str):
            __slots__ = ()

            def __html__(self):
                return str(self)

        assert dialect.NotFound(Markup("<b>\n</b>")).get_description() == "<p><b><br></b></p>"
        assert original.NotFound(Markup("<b>\n</b>")).get_description() == "<p><b><br></b></p>"

    @pytest.mark.feature("kay-161")
    def test_becomes_a_plain_response(self):
        response = dialect.NotFound("why").get_response()
        assert type(response) is Response
        assert (response.status_code, response.mimetype) == (404, "text/html")
        assert b"<p>why</p>" in response.data

    def test_brings_a_response_of_its_own(self):
        response = Response("own", 402)
        error = dialect.HTTPException(response=response)
        assert error.get_response() is response
        assert answer(error)[::2] == ("402 PAYMENT REQUIRED", b"own")

    def test_may_be_asked_with_a_request(self):
        class Own(dialect.NotFound):
            def get_description(self, environ=None, scope=None):
                return environ["PATH_INFO"]

        class Request:
            environ = create_environ("/path")

        assert b"/path" in Own().get_response(Request()).data


class TestBadRequestKeyError:
    @rows("arguments", [(), ("a",), (None,), (0,), ("a", "why")])
    def test_is_a_key_error_and_a_bad_request(self, arguments):
        theirs, ours = (library.BadRequestKeyError(*arguments) for library in LIBRARIES)
        assert isinstance(ours, KeyError)
        assert isinstance(ours, dialect.BadRequest)
        assert (ours.args, ours.description, str(ours)) == (theirs.args, theirs.description, str(theirs))
        assert answer(ours) == answer(theirs)
        for each in (theirs, ours):
            each.show_exception = True
        assert (ours.description, answer(ours)) == (theirs.description, answer(theirs))
        for each in (theirs, ours):
            each.description = "other"
        assert (ours.description, answer(ours)) == (theirs.description, answer(theirs))

    def test_is_pickled(self):
        again = pickle.loads(pickle.dumps(dialect.BadRequestKeyError("a")))
        assert (again.args, type(again)) == (("a",), dialect.BadRequestKeyError)

    @rows("name", ["ClientDisconnected", "SecurityError", "BadHost"])
    def test_other_bad_requests(self, name):
        theirs, ours = (getattr(library, name)("why") for library in LIBRARIES)
        assert isinstance(ours, dialect.BadRequest)
        assert (answer(ours), repr(ours)) == (answer(theirs), repr(theirs))


class TestHeaders:
    @pytest.mark.feature("kay-167")
    @rows("methods", [None, [], ["GET"], ["GET", "HEAD"], ("PUT",)])
    def test_a_405_names_the_methods(self, methods):
        theirs, ours = (library.MethodNotAllowed(methods, "why") for library in LIBRARIES)
        assert ours.valid_methods == methods
        assert answer(ours) == answer(theirs)
        if methods:
            assert ("Allow", ", ".join(methods)) in answer(ours)[1]

    def test_a_401_has_challenges(self):
        def answers(library, structures):
            challenge = structures.WWWAuthenticate("basic", {"realm": "a b"})
            other = structures.WWWAuthenticate("bearer")
            for challenges in (None, challenge, [challenge], [challenge, other], ()):
                yield answer(library.Unauthorized("why", www_authenticate=challenges))

        assert [*answers(dialect, our_datastructures)] == [*answers(original, their_datastructures)]

    @rows("arguments", [(), (10,), (0,), (10, "items"), (None, "items", "why")])
    def test_a_416_tells_the_length(self, arguments):
        theirs, ours = (library.RequestedRangeNotSatisfiable(*arguments) for library in LIBRARIES)
        assert (ours.length, ours.units, answer(ours)) == (theirs.length, theirs.units, answer(theirs))

    @rows("name", ["TooManyRequests", "ServiceUnavailable"])
    @rows("after", [None, 0, 20, datetime(2020, 1, 4, 18, 52, 16), datetime(2020, 1, 4, tzinfo=UTC)])
    def test_some_say_when_to_come_back(self, name, after):
        theirs, ours = (getattr(library, name)("why", retry_after=after) for library in LIBRARIES)
        assert (ours.retry_after, answer(ours)) == (after, answer(theirs))

    def test_a_500_has_what_caused_it(self):
        cause = RuntimeError()
        assert dialect.InternalServerError(original_exception=cause).original_exception is cause
        assert dialect.InternalServerError().original_exception is None


class TestAbort:
    def test_takes_a_response(self):
        response = Response("own")
        with pytest.raises(dialect.HTTPException) as caught:
            dialect.abort(response)
        assert caught.value.get_response() is response
        with pytest.raises(original.HTTPException):
            original.abort(TheirResponse("own"))

    def test_takes_any_wsgi_application(self):
        def application(environ, start_response):
            start_response("200 OK", [])
            return [b"own"]

        with pytest.raises(dialect.HTTPException) as caught:
            dialect.abort(application)
        assert answer(caught.value) == ("200 OK", [], b"own")

    def test_takes_statuses_of_the_standard_library(self):
        with pytest.raises(dialect.NotFound):
            dialect.abort(HTTPStatus.NOT_FOUND)

    @rows("code", [200, 404.5, "404", None])
    def test_refuses_what_has_no_exception(self, code):
        for library in LIBRARIES:
            with pytest.raises(LookupError, match="no exception for"):
                library.abort(code)

    def test_passes_arguments_on(self):
        with pytest.raises(dialect.MethodNotAllowed) as caught:
            dialect.abort(405, ["GET"], description="why")
        assert (caught.value.valid_methods, caught.value.description) == (["GET"], "why")

    def test_may_have_other_exceptions(self):
        class Own(dialect.HTTPException):
            code = 404

        extended = dialect.Aborter(extra={404: Own, 499: Own})
        with pytest.raises(Own):
            extended(499)
        with pytest.raises(dialect.Gone):
            extended(410)
        with pytest.raises(Own):
            dialect.Aborter({1: Own})(1)
        with pytest.raises(LookupError):
            dialect.Aborter({1: Own})(404)
        with pytest.raises(dialect.NotFound):
            dialect.abort(404)


def test_wraps_another_exception_as_earlier_versions_did():
    wrapped = dialect.NotFound.wrap(LookupError, "NoSuchThing")
    with pytest.raises(LookupError) as caught:
        raise wrapped("thing")
    assert (wrapped.__name__, caught.value.code, caught.value.args) == ("NoSuchThing", 404, ("thing",))
    assert answer(caught.value)[0] == "404 NOT FOUND"
    assert dialect.BadRequest.wrap(KeyError).__name__ == "KeyError"
