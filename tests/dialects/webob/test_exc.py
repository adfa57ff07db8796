"""`webob.exc`: exceptions that are responses and WSGI applications, beside those of WebOb."""

import pytest

from antiphon.dialects.webob import exc as dialect
from antiphon.dialects.webob.response import Response
from tests.dialects.webob.original import exc as webob_exc
from tests.dialects.werkzeug.environs import called, environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows

CLASSES = [name for name in webob_exc.__all__ if isinstance(getattr(webob_exc, name), type)]
ERRORS = [name for name in CLASSES if name not in ("HTTPException", "HTTPExceptionMiddleware")]
MOVES = ["HTTPMultipleChoices", "HTTPMovedPermanently", "HTTPFound", "HTTPSeeOther", "HTTPUseProxy"]
MOVES += ["HTTPTemporaryRedirect", "HTTPPermanentRedirect"]
ACCEPT = [
    "text/html", "*/*", "application/json", "text/plain", "image/png", "application/json, text/html;q=0.5", "", None,
]  # fmt: skip
ACCEPT += ["nonsense/;"]


@pytest.mark.feature("pyramid-084", "pyramid-085", "pyramid-086", "pyramid-098")
@rows("name", ERRORS)
def test_each_class_is_and_answers_as_the_original(name):
    theirs, ours = getattr(webob_exc, name), getattr(dialect, name)
    assert (ours.code, ours.title, ours.explanation) == (theirs.code, theirs.title, theirs.explanation)
    own = [cls.__name__ for cls in theirs.__mro__ if cls.__module__ == "webob.exc"]
    assert [cls.__name__ for cls in ours.__mro__ if ".webob.exc." in cls.__module__] == own
    for method, accept in [*[("GET", accept) for accept in ACCEPT], ("POST", "text/html")]:
        keys = {"REQUEST_METHOD": method, "HTTP_ACCEPT": accept, "CONTENT_TYPE": "a/<b>"}
        assert called(ours(), environ(**keys)) == called(theirs(), environ(**keys))


MADE = {
    "a detail": {"detail": "no <b>such</b> & thing \u00fc"},
    "a detail that is no text": {"detail": 5}, "a comment": {"comment": "--> <script>"},
    "both": {"detail": "<a>", "comment": "<c>"},
    "headers": {"headers": [("X-A", "1"), ("Allow", "GET")]},
    "a dictionary of headers": {"headers": {"X-A": "1"}},
    "a template": {
        "detail": "<a>",
        "body_template": "${detail} ${REQUEST_METHOD} ${x-a} ${missing} ${html_comment} $5",
    },
    "an environ's key": {"body_template": "${HTTP_X}|${x_a}", "headers": {"X_A": "<1>"}},
    "a body": {"body": b"body"}, "text": {"text": "t\u00fc"}, "JSON": {"json": {"a": 1}},
    "a formatter": {"json_formatter": lambda body, status, title, environ: {"error": [body, status, title]}},
    "a content type": {"content_type": "text/plain", "charset": "latin-1"},
    "an unknown keyword": {"colour": "red"}, "chunks": {"app_iter": [b"a", b"b"]},
}  # fmt: skip


@rows("accept", ["text/html", "application/json", "text/plain"])
@rows("name", ["HTTPNotFound", "HTTPNoContent", "HTTPMethodNotAllowed", "HTTPOk", "HTTPInternalServerError"])
@rows("keywords", MADE.values(), ids=MADE)
def test_arguments(keywords, name, accept):
    def answer(library):
        error = getattr(library, name)(**keywords)
        look = str(error.detail), error.comment, error.args, error.status, error.has_body
        return look, *called(error, environ(HTTP_ACCEPT=accept, HTTP_X="<y>"))

    same(outcome(answer, webob_exc), outcome(answer, dialect))


LOCATED = {
    "a path": {"location": "/x?a=<b>"}, "nothing": {}, "a slash": {"add_slash": True}, "empty": {"location": ""},
    "another site": {"location": "http://o/"}, "both": {"location": "/x", "add_slash": True},
    "a line end": {"location": "/a\r\nX: b"}, "slashes": {"location": "//o/x"},
    "a detail": {"location": "y", "detail": "<d>", "comment": "c", "headers": {"X": "y"}},
}  # fmt: skip


@pytest.mark.feature("pyramid-083")
@rows("name", MOVES)
@rows("keywords", LOCATED.values(), ids=LOCATED)
def test_a_redirect(keywords, name):
    def answers(library):
        asked = ({"HTTP_ACCEPT": "text/html"}, {"HTTP_ACCEPT": "application/json"}, {"QUERY_STRING": ""})
        return [called(getattr(library, name)(**keywords), environ(**keys)) for keys in asked]

    same(outcome(answers, webob_exc), outcome(answers, dialect))


def test_a_redirect_that_is_raised_again_leads_to_the_host_of_the_next_request():
    """WebOb keeps the first request's host in the exception."""
    found = dialect.HTTPFound(location="/x")
    sent = [dict(called(found, environ(HTTP_HOST=host))[1])["Location"] for host in ("a.example", "b.example")]
    assert sent == ["http://a.example/x", "http://b.example/x"]
    assert found.location == "/x"


@pytest.mark.feature("pyramid-082", "pyramid-087", "pyramid-088", "pyramid-089", "pyramid-090")
def test_an_exception_is_raised_caught_and_answers():
    with pytest.raises(dialect.HTTPException) as caught:
        raise dialect.HTTPNotFound("There is no such resource").exception
    error = caught.value
    assert isinstance(error, Response)
    assert error.exception is error.wsgi_response is error
    status, _, body = called(error, environ(HTTP_ACCEPT="text/html"))
    assert (status, b"There is no such resource" in body) == ("404 Not Found", True)


def test_an_exception_of_any_application():
    def application(environ, start_response):
        start_response("299 Odd", [])
        return [b"odd"]

    assert called(dialect.HTTPException("odd", application), environ()) == ("299 Odd", [], b"odd")


def test_a_body_that_is_not_sent_is_closed():
    closed = []

    class Chunks(list):
        def close(self):
            closed.append(True)

    called(dialect.HTTPNotFound(app_iter=Chunks([b"a", b"b"])), environ(REQUEST_METHOD="HEAD"))
    assert closed == [True]


def test_text_without_an_escape():
    for value in (None, "a<", b"\xc3\xbc", 5):
        assert dialect.no_escape(value) == webob_exc.no_escape(value)


def test_middleware_answers_with_what_is_raised():
    def application(environ, start_response):
        raise dialect.HTTPForbidden("keep out")

    sent = []

    def start_response(status, headers, exc_info=None):
        sent.append((status, exc_info[0]))

    body = dialect.HTTPExceptionMiddleware(application)(environ(HTTP_ACCEPT="text/html"), start_response)
    assert sent == [("403 Forbidden", dialect.HTTPForbidden)]
    assert b"keep out" in b"".join(body)
    assert called(dialect.HTTPExceptionMiddleware(Response("fine")), environ())[2] == b"fine"
