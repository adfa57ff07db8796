"""Sessions in cookies, which Pyramid reads, and which are read from Pyramid."""

import warnings

import pytest

from antiphon.dialects.pyramid import session as ours
from antiphon.dialects.pyramid.interfaces import ISession
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
    """The cookie that a session has its response send."""
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
        assert session.new is False


@rows(
    "options",
    {},
    {"cookie_name": "s", "path": "/a", "domain": "example.com", "secure": True, "httponly": True},
    {"samesite": None},
    {"samesite": "Strict", "set_on_exception": False},
)
def test_cookies_have_the_attributes_of_the_original(options):
    attributes = [
        written(*each, **options).partition(";")[2]
        for each in ((ours, Request, Response), (theirs, their_request.Request, their_response.Response))
    ]
    assert attributes[0] == attributes[1]


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


@rows("reissue_time, again", [(0, True), (100, False), (5, True), (None, False)])
def test_cookies_are_sent_again_when_that_is_due(monkeypatch, reissue_time, again):
    now = 1_700_000_000
    monkeypatch.setattr(ours.time, "time", lambda: now)
    cookie = written(ours, Request, Response).partition(";")[0]
    monkeypatch.setattr(ours.time, "time", lambda: now + 10)
    session, request = begun(cookie=cookie, reissue_time=reissue_time)
    assert "a" in session
    assert (sent(session, request, Response()) is not None) is again


CHANGES = {
    "clear": lambda s: s.clear(),
    "update": lambda s: s.update(b=1),
    "setdefault": lambda s: s.setdefault("b", 1),
    "pop": lambda s: s.pop("a", None),
    "popitem": lambda s: s.popitem(),
    "set": lambda s: s.__setitem__("b", 1),
    "del": lambda s: s.__delitem__("a"),
    "invalidate": lambda s: s.invalidate(),
    "changed": lambda s: s.changed(),
    "token": lambda s: s.new_csrf_token(),
    "pop_flash": lambda s: s.pop_flash(),
}


@rows("name", CHANGES)
def test_what_changes_a_session_has_its_cookie_sent(name):
    cookie = written(ours, Request, Response).partition(";")[0]
    session, request = begun(cookie=cookie, reissue_time=None)
    assert len(session) == 2
    assert not request.response_callbacks
    CHANGES[name](session)
    CHANGES["changed"](session)
    assert len(request.response_callbacks) == 1
    assert sent(session, request, Response())


def test_messages_wait_in_queues():
    session, _ = begun()
    session.flash("one")
    session.flash("one")
    session.flash("one", allow_duplicate=False)
    session.flash("two", "other")
    assert session.peek_flash() == ["one", "one"]
    assert [session.pop_flash(), session.pop_flash(), session.pop_flash("other")] == [["one", "one"], [], ["two"]]


def test_a_session_has_a_token():
    session, _ = begun()
    token = session.get_csrf_token()
    assert len(token) == 40
    assert session.get_csrf_token() == token
    assert session.new_csrf_token() != token
    assert ISession.providedBy(session)


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
