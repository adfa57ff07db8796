"""Attributes of requests: they follow the environ, and can be set where Werkzeug's can."""

import pytest
import werkzeug.wrappers as original

from antiphon.dialects.werkzeug.user_agent import UserAgent
from antiphon.dialects.werkzeug.utils import environ_header
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import environ
from tests.helpers.rows import rows


def test_headers_are_parsed_once_for_each_value():
    parsed = []

    class Own(Request):
        number = environ_header("HTTP_X_NUMBER", lambda raw: parsed.append(raw) or len(parsed), "A number.")

    made = Own(environ(HTTP_X_NUMBER="a"))
    assert (made.number, made.number) == (1, 1)
    made.environ["HTTP_X_NUMBER"] = "b"
    assert (made.number, made.number) == (2, 2)
    del made.environ["HTTP_X_NUMBER"]
    assert (made.number, made.number) == (3, 3)
    assert parsed == ["a", "b", None]
    assert Own.number.__doc__ == "A number."


@rows("kind", [original.Request, Request])
def test_a_shallow_request_has_no_body_however_often_it_is_read(kind):
    made = kind(environ(), shallow=True)
    for name in ("stream", "data", "form", "form", "files"):
        with pytest.raises(RuntimeError, match="shallow"):
            getattr(made, name)


def test_headers_may_be_set_as_long_as_the_environ_stays():
    made = Request(environ(HTTP_ACCEPT="text/html"))
    made.accept_mimetypes = "mine"
    assert made.accept_mimetypes == "mine"
    del made.accept_mimetypes
    assert made.accept_mimetypes.best == "text/html"
    made.accept_mimetypes = "mine"
    made.environ["HTTP_ACCEPT"] = "a/b"
    assert (made.accept_mimetypes.best, made.accept_mimetypes.best_match(["c/d", "a/b"])) == ("a/b", "a/b")


def test_a_test_may_give_a_request_another_content_type(monkeypatch):
    made = Request(environ(CONTENT_TYPE="text/Plain; charset=a"))
    assert (made.mimetype, made.mimetype_params) == ("text/plain", {"charset": "a"})
    monkeypatch.setattr(made, "_parsed_content_type", ("application/JSON", {"charset": "b"}))
    assert (made.mimetype, made.mimetype_params, made.is_json) == ("application/json", {"charset": "b"}, True)
    monkeypatch.undo()
    assert (made.mimetype, made.mimetype_params) == ("text/plain", {"charset": "a"})


@rows("name", ["content_type", "referrer", "date", "max_forwards", "origin", "remote_user"])
def test_some_can_only_be_read(name):
    made = Request(environ())
    with pytest.raises(AttributeError, match="read-only"):
        setattr(made, name, "x")
    with pytest.raises(AttributeError, match="read-only"):
        delattr(made, name)


def test_the_class_of_user_agents_may_be_another():
    class Own(UserAgent):
        def __init__(self, string):
            super().__init__(string)
            self.browser = "own"

    made = type("Made", (Request,), {"user_agent_class": Own})(environ(HTTP_USER_AGENT="x"))
    assert (made.user_agent.browser, made.user_agent.string, bool(made.user_agent)) == ("own", "x", True)
    assert made.user_agent is made.user_agent
    assert repr(UserAgent("x")) == "<UserAgent None/None>"
    assert not UserAgent("x")


def test_a_request_shows_where_it_was_sent():
    assert repr(Request(environ())) == "<Request 'http://example.com:8000/a/b?a=1&b=two%20words&a=3' [GET]>"
    untrusted = type("Own", (Request,), {"trusted_hosts": ["other.com"]})(environ())
    assert repr(untrusted).startswith("<Own (no URL: 400 Bad Request")


def test_the_user_agent_may_be_set():
    for sent, own in ((environ(), UserAgent("")), (environ(HTTP_USER_AGENT="x"), object())):
        made = Request(sent)
        made.user_agent = own
        assert made.user_agent is own
        del made.user_agent
        assert made.user_agent.string == sent.get("HTTP_USER_AGENT", "")
    assert type(Request.accept_mimetypes).__name__ == "environ_header"
    assert type(Response.vary).__name__ == "live_header"
