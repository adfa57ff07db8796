"""Exceptions, their pages and `abort`, beside those of Werkzeug."""

from datetime import UTC, datetime

import pytest
from werkzeug import exceptions as original
from werkzeug.test import create_environ, run_wsgi_app

from antiphon.dialects.werkzeug import exceptions as dialect
from tests.helpers.rows import rows

LIBRARIES = (original, dialect)
ROWS = {
    400: "kay-163", 401: "kay-164", 403: "kay-165", 404: "kay-166", 406: "kay-168", 408: "kay-169", 410: "kay-170",
    411: "kay-171", 412: "kay-172", 413: "kay-173", 414: "kay-174", 415: "kay-175", 500: "kay-176", 501: "kay-177",
    502: "kay-178", 503: "kay-179",
}  # fmt: skip


def answer(application, environ=None):
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


@pytest.mark.feature("kay-162")
class TestHTTPException:
    def test_takes_descriptions_that_are_markup(self):
        class Markup(str):
            __slots__ = ()

            def __html__(self):
                return str(self)

        assert dialect.NotFound(Markup("<b>\n</b>")).get_description() == "<p><b><br></b></p>"
        assert original.NotFound(Markup("<b>\n</b>")).get_description() == "<p><b><br></b></p>"


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


class TestHeaders:
    @rows("name", ["TooManyRequests", "ServiceUnavailable"])
    @rows("after", [None, 0, 20, datetime(2020, 1, 4, 18, 52, 16), datetime(2020, 1, 4, tzinfo=UTC)])
    def test_some_say_when_to_come_back(self, name, after):
        theirs, ours = (getattr(library, name)("why", retry_after=after) for library in LIBRARIES)
        assert (ours.retry_after, answer(ours)) == (after, answer(theirs))


class TestAbort:
    @rows("code", [200, 404.5, "404", None])
    def test_refuses_what_has_no_exception(self, code):
        for library in LIBRARIES:
            with pytest.raises(LookupError, match="no exception for"):
                library.abort(code)

    def test_raises_what_packages_add_to_its_mapping(self, monkeypatch):
        for library in LIBRARIES:
            added = type("Vacuous", (library.HTTPException,), {"code": 701, "description": "vacuous"})
            monkeypatch.setitem(library._aborter.mapping, 701, added)
            with pytest.raises(added):
                library.abort(701)


def test_wraps_another_exception_as_earlier_versions_did():
    wrapped = dialect.NotFound.wrap(LookupError, "NoSuchThing")
    with pytest.raises(LookupError) as caught:
        raise wrapped("thing")
    assert (wrapped.__name__, caught.value.code, caught.value.args) == ("NoSuchThing", 404, ("thing",))
    assert answer(caught.value)[0] == "404 NOT FOUND"
    assert dialect.BadRequest.wrap(KeyError).__name__ == "KeyError"
