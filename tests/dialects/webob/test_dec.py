"""`webob.dec.wsgify`: functions of requests as WSGI applications and as middleware, beside WebOb's."""

from antiphon.dialects.webob import dec as dialect_dec
from antiphon.dialects.webob import exc as dialect_exc
from antiphon.dialects.webob import request as dialect_request
from antiphon.dialects.webob import response as dialect_response
from tests.dialects.webob import original
from tests.dialects.werkzeug.environs import called, environ
from tests.dialects.werkzeug.in_step import outcome, same
from tests.helpers.rows import rows


class Library:
    def __init__(self, dec, exc, request, response):
        self.wsgify, self.exc, self.Request, self.Response = dec.wsgify, exc, request.Request, response.Response


LIBRARIES = (
    Library(original.dec, original.exc, original.request, original.response),
    Library(dialect_dec, dialect_exc, dialect_request, dialect_response),
)


def raising(library):
    def raises(req):
        raise library.exc.HTTPForbidden("keep out")

    return raises


def with_cookie(answer):
    def make(library):
        def sets(req):
            req.response.set_cookie("a", "b")
            return answer(library)

        return sets

    return make


def plain_application(environ, start_response):
    start_response("299 Odd", [("X", "y")])
    return [b"odd"]


FUNCTIONS = {
    "text": lambda library: lambda req: "t\u00fc",
    "bytes": lambda library: lambda req: b"bytes",
    "nothing": lambda library: lambda req: None,
    "a response": lambda library: lambda req: library.Response("made", status=201),
    "the response that is there": lambda library: lambda req: req.response,
    "an application": lambda library: lambda req: plain_application,
    "an exception": lambda library: lambda req: library.exc.HTTPNotFound("gone"),
    "a raised exception": raising,
    "another error": lambda library: lambda req: 1 / 0,
    "a cookie and nothing": with_cookie(lambda library: None),
    "a cookie and text": with_cookie(lambda library: "text"),
    "a cookie and a response": with_cookie(lambda library: library.Response("made")),
    "a cookie and an application": with_cookie(lambda library: plain_application),
}


def same_of(call):
    same(outcome(call, LIBRARIES[0]), outcome(call, LIBRARIES[1]))


@rows("function", FUNCTIONS.values(), ids=FUNCTIONS)
def test_what_a_function_returns(function):
    same_of(lambda library: called(library.wsgify(function(library)), environ(HTTP_ACCEPT="text/html")))


def test_a_function_is_called_with_a_request():
    def call(library):
        application = library.wsgify(lambda req, *args, **kw: f"{req.method} {req.path} {req.body!r} {args} {kw}")
        return (
            application(library.Request.blank("/x")), application.get("/y?a=b"), application.post("/z", POST=b"abc"),
            application.request("/r", method="DELETE"), application(library.Request.blank("/"), 1, a=2),
        )  # fmt: skip

    same_of(call)


def test_args_and_kwargs_are_passed_after_the_request():
    def call(library):
        application = library.wsgify(lambda req, *args, **kw: f"{args} {kw}", args=(1,), kwargs={"a": 2})
        return called(application, environ()), application(library.Request.blank("/")), application.clone(args=()).args

    same_of(call)


def test_a_class_of_requests():
    def call(library):
        class Local(library.Request):
            def is_local(self):
                return self.remote_addr == "192.0.2.7"

        @library.wsgify(RequestClass=Local)
        def application(req):
            return str(req.is_local())

        class Wsgify(library.wsgify):
            RequestClass = Local

            def call_func(self, req, *args, **kw):
                return self.func(req.is_local())

        again = application.clone(lambda req: f"again {req.is_local()}")
        return [called(each, environ())[2] for each in (application, again, Wsgify(str))]

    same_of(call)


def test_the_function_itself():
    def function(req):
        return "x"

    wrapped = dialect_dec.wsgify(function)
    assert wrapped.undecorated is wrapped.func is function
    assert "function" in repr(wrapped)


def test_middleware():
    def call(library):
        @library.wsgify.middleware
        def capitals(req, app, mark="!"):
            response = req.get_response(app)
            response.body = response.body.upper() + mark.encode()
            return response

        @capitals(mark="?")
        @library.wsgify
        def asking(req):
            return "asked"

        @library.wsgify.middleware(app=library.Response("bound"))
        def bound(req, app):
            return app

        around = capitals(library.wsgify(lambda req: "plain"))
        again = around.clone()
        return [called(each, environ())[2] for each in (around, asking, bound, again)]

    # WebOb's clone forgets the application.
    ours = outcome(call, LIBRARIES[1])
    assert ours.value == [b"PLAIN!", b"ASKED?", b"bound", b"PLAIN!"]


@rows("arguments", [({}, 1, 2), ({},)], ids=["too many", "too few"])
def test_wrong_arguments(arguments):
    same_of(lambda library: library.wsgify(lambda req: "")(*arguments))
    same_of(lambda library: library.wsgify()(len, 1))
