"""Warnings of what WSGI and HTTP forbid, beside Werkzeug's; and what a good application does goes through unchanged."""

import sys
import warnings
from io import BytesIO, StringIO

from werkzeug.middleware import lint as original

from antiphon.dialects.werkzeug.middleware import lint
from antiphon.dialects.werkzeug.wrappers import Request, Response
from tests.dialects.werkzeug.environs import environ
from tests.helpers.rows import rows

OK = ("200 OK", [("Content-Type", "text/plain")])


def simple(status="200 OK", headers=(), body=(b"body",), read=None):
    """An application with one answer, which may do something with the environ first."""

    def application(env, start_response):
        if read is not None:
            read(env)
        start_response(status, list(headers) if isinstance(headers, tuple) else headers)
        return body

    return application


def late(env, start_response):
    def body():
        yield b"early"
        start_response(*OK)

    return body()


def write_text(env, start_response):
    start_response(*OK)("text")
    return []


def raise_with(*exc_info):
    def application(env, start_response):
        start_response(*OK, *exc_info)
        return []

    return application


APPLICATIONS = {
    "good": simple("200 OK", (("Content-Length", "4"), ("ETag", 'W/"a"'))),
    "read with a size": simple(read=lambda env: env["wsgi.input"].read(5)),
    "read": simple(read=lambda env: env["wsgi.input"].read()),
    "read twice": simple(read=lambda env: env["wsgi.input"].read(1, 2)),
    "lines": simple(read=lambda env: env["wsgi.input"].readline()),
    "input closed": simple(read=lambda env: env["wsgi.input"].close()),
    "input iterated": simple(read=lambda env: list(env["wsgi.input"])),
    "errors": simple(read=lambda env: env["wsgi.errors"].writelines(["a", "b"]) or env["wsgi.errors"].flush()),
    "bytes to errors": simple(read=lambda env: env["wsgi.errors"].write(b"a")),
    "errors closed": simple(read=lambda env: env["wsgi.errors"].close()),
    "short status": simple("200"),
    "status of words": simple("abc def"),
    "small status": simple("099 Small"),
    "headers in a tuple": simple(headers=()),
    "a header in a list": simple(headers=[["a", "b"]]),
    "a header of a number": simple(headers=[("a", 5)]),
    "the header Status": simple(headers=[("Status", "200")]),
    "small mark": simple(headers=[("ETag", 'w/"a"')]),
    "no quotes": simple(headers=[("ETag", "a")]),
    "another length": simple(headers=[("Content-Length", "5")]),
    "no content with a body": simple("204 No Content"),
    "no content with a length": simple("204 No Content", [("Content-Length", "5")], ()),
    "not modified with a body": simple("304 Not Modified"),
    "not modified with a type": simple("304 Not Modified", [("Content-Type", "a/b"), ("Expires", "x")], ()),
    "text": simple(body=["text"]),
    "a text for a body": simple(body=""),
    "late": late,
    "text written": write_text,
    "a wrong exc_info": raise_with("x"),
    "an exc_info": raise_with(None),
}


def warned(library, application, env, is_closed=True):
    """The categories of the warnings, in order, and what was answered."""
    started = []
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            answer = library.LintMiddleware(application)(
                env, lambda status, headers, exc_info=None: started.append((status, headers)) or bytes
            )
            body = list(answer)
            if is_closed:
                answer.close()
            del answer
        except (TypeError, ValueError) as error:
            body = type(error).__name__
    return {warning.category.__name__ for warning in caught}, started, body


@rows("name", APPLICATIONS)
def test_an_application_is_warned_of_as_by_the_original(name):
    def tested(library):
        return warned(library, APPLICATIONS[name], environ(b"a\nb", wsgi__errors=StringIO()))

    theirs, ours = tested(original), tested(lint)
    assert ours[0] == theirs[0]
    if isinstance(theirs[2], list):
        assert ours[1:] == theirs[1:]


@rows(
    "keys",
    [{"wsgi__version": (2, 0)}, {"wsgi__run_once": None}, {"SCRIPT_NAME": "a"}, {"PATH_INFO": "a"}, {"PATH_INFO": ""}],
    ids=str,
)
def test_a_server_is_warned_of_too(keys):
    def tested(library):
        return warned(library, simple(), environ(**{"wsgi__errors": StringIO()} | keys))

    assert tested(lint) == tested(original)


def test_a_body_that_nobody_closes_is_warned_of():
    env = environ(wsgi__errors=StringIO())
    assert warned(lint, simple(), env, is_closed=False)[0] == {"WSGIWarning"}


def test_this_dialect_breaks_no_rule(recwarn):
    @Request.application
    def application(request):
        return Response(request.get_data() + request.method.encode())

    env = environ(b"text", wsgi__errors=sys.stderr, wsgi__input=BytesIO(b"text"))
    assert warned(lint, application, env)[::2] == (set(), [b"textPOST"])
