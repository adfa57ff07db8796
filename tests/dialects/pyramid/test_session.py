"""Sessions in cookies, which Pyramid reads, and which are read from Pyramid."""

import warnings

import pytest

from antiphon.dialects.pyramid import session as ours
from antiphon.dialects.pyramid.request import Request
from antiphon.dialects.pyramid.response import Response
from tests.helpers.rows import rows

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    from pyramid import request as their_request
    from pyramid import response as their_response
    from pyramid import session as theirs

SECRET = "a secret of some length, 0123456789"


def sent(session, request, response):
    request._process_response_callbacks(response)
    return response.headers.get("Set-Cookie")


def begun(module=ours, request_class=Request, cookie=None, **options):
    factory = module.SignedCookieSessionFactory(SECRET, **options)
    request = request_class.blank("/", headers={"Cookie": cookie} if cookie else {})
    return factory(request), request


def written(module, request_class, response_class, **options):
    session, request = begun(module, request_class, **options)
    session["a"] = {"b": [1, "ä"]}
    session.flash("hello")
    return sent(session, request, response_class())


@rows("options", [{}, {"hashalg": "sha256"}, {"salt": "other"}, {"serializer": "pickle"}])
def test_sessions_are_carried_over_both_ways(options):
    for writing, reading in ((ours, theirs), (theirs, ours)):
        kinds = {ours: (Request, Response), theirs: (their_request.Request, their_response.Response)}

        def given(module):
            return {k: module.PickleSerializer() if v == "pickle" else v for k, v in options.items()}

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            cookie = written(writing, *kinds[writing], **given(writing)).partition(";")[0]
            session, _ = begun(reading, kinds[reading][0], cookie, **given(reading))
        assert dict(session) == {"a": {"b": [1, "ä"]}, "_f_": ["hello"]}
        assert type(session).__qualname__ == "BaseCookieSessionFactory.<locals>.CookieSession"
        assert session.new is False


@rows("cookie", ["session=x", "session=", "session=AAAA", f"session={'A' * 400}"])
def test_cookies_that_are_forged_begin_a_new_session(cookie):
    session, _ = begun(cookie=cookie)
    assert (dict(session), session.new) == ({}, True)


class Unsigned:
    """A serializer that lets clients write whatever they like."""

    def __init__(self, value):
        self.value = value

    def loads(self, _):
        return self.value

    def dumps(self, value):
        return repr(value).encode()


@rows("value", [None, 1, "abc", [1, 2], ["x", 1, {}], [1e12, 1, 2], [1e12, 1, ["ab", 3]]])
def test_values_that_are_no_session_begin_a_new_one(value):
    factory = ours.BaseCookieSessionFactory(Unsigned(value))
    session = factory(Request.blank("/", headers={"Cookie": "session=x"}))
    assert (dict(session), session.new) == ({}, True)


@rows("age, timeout, kept", [(10, 1200, True), (1300, 1200, False), (1300, None, True), (1300, "1400", True)])
def test_sessions_end_when_they_are_not_used(monkeypatch, age, timeout, kept):
    now = 1_700_000_000
    monkeypatch.setattr(ours.time, "time", lambda: now - age)
    cookie = written(ours, Request, Response, timeout=timeout).partition(";")[0]
    monkeypatch.setattr(ours.time, "time", lambda: now)
    session, _ = begun(cookie=cookie, timeout=timeout)
    assert bool(session) is kept
    assert (session.created, session.new) == (now - age, False)


def test_a_session_that_is_too_long_is_an_error():
    session, request = begun()
    session["a"] = "x" * 4000
    with pytest.raises(ValueError, match="too long to store"):
        sent(session, request, Response())


@rows("options, is_sent", [({}, True), ({"set_on_exception": False}, False)])
def test_cookies_go_with_the_responses_of_exceptions(options, is_sent):
    session, request = begun(**options)
    request.exception = ValueError()
    session["a"] = 1
    assert (sent(session, request, Response()) is not None) is is_sent
