"""Exchanges that show responses and errors of Kay's document, of Werkzeug as it is today or as it was in 0.8."""

import re
from io import BytesIO

from tests.dialects.exchanges import Exchange
from tests.dialects.werkzeug.served_requests import DATE, MOMENT, error_of

PLAIN = {"content-type": "text/plain; charset=utf-8"}
TAG = '"8e1ec218dc7ecaadd65388fba9b6723ce114268a"'


def changed(w, body="changed", **attributes):
    response = w.wrappers.Response(body)
    for name, value in attributes.items():
        setattr(response, name, value)
    return response


def ending(w, response, *calls):
    """A response after calls of its methods, each a name with its arguments."""
    for name, *arguments in calls:
        getattr(response, name)(*arguments)
    return response


def with_cookie(w, r, **options):
    response = w.wrappers.Response("set")
    response.set_cookie("name", "ü", **options)
    return response


def closing(w, r):
    response = w.wrappers.Response(chunk for chunk in ("a", "b"))
    response.call_on_close(lambda: closed.append(r.args["who"]))
    return response


closed = []
"""Who asked for responses that have been closed."""


def frozen(w, r):
    response = w.wrappers.Response(chunk for chunk in ("ü", "b"))
    response.freeze()
    return response


def unread(w, r):
    """A stream that is not read unasked."""
    own = type("Own", (w.wrappers.Response,), {"implicit_sequence_conversion": False})
    response = own(chunk for chunk in ("a", "b"))
    told = error_of(response.get_data), response.calculate_content_length()
    response.make_sequence()
    return repr((told, response.is_sequence, response.get_data()))


def tagged(w, r):
    response = w.wrappers.Response("tagged")
    response.add_etag()
    response.headers["X-Tag"] = repr(response.get_etag())
    response.make_conditional(r)
    response.headers["X-Dated"] = repr("Date" in response.headers)
    return response


def written(w, r):
    response = w.wrappers.Response("a")
    response.stream.write(b"bc")
    return response


def limited(w, r):
    response = w.wrappers.Response("x", 206)
    response.content_range.set(0, 1, 10)
    response.accept_ranges = "bytes"
    return response


def challenged(w, r):
    response = w.wrappers.Response("who?", 401)
    response.www_authenticate = w.datastructures.WWWAuthenticate("basic", {"realm": "here"})
    return response


def forced(w, r):
    """What another application answers, as a response of this class."""

    response = w.wrappers.Response.force_type(other_application, r.environ)
    response.headers["X-Type"] = type(response).__name__ + str(error_of(w.wrappers.Response.force_type, triple))
    return response


def other_application(environ, start_response):
    start_response("203 Own", [("X-Own", "1"), ("Content-Type", "text/x-own")])
    return iter([environ["PATH_INFO"].encode()])


def triple(w, r):
    """What a response makes for an environ, which leaves the response as it was."""
    response = w.wrappers.Response("text", 302, {"Location": "http://a/ü"})
    chunks, status, fields = response.get_wsgi_response(r.environ)
    made = response.get_wsgi_headers(r.environ)
    return (
        b"".join(chunks),
        status,
        dict(fields)["Location"],
        made["Location"],
        response.headers["Location"],
        [*response.get_app_iter(r.environ)],
    )


def cached(w, r):
    response = changed(w, age=90, expires=MOMENT, date=None)
    response.cache_control.public = True
    response.cache_control.max_age = 60
    return response


def mixed(w, r):
    """The parts of which requests and responses were made."""
    parts = {
        r: "AcceptMixin ETagRequestMixin UserAgentMixin AuthorizationMixin CommonRequestDescriptorsMixin BaseRequest",
        w.wrappers.Response(): (
            "ETagResponseMixin ResponseStreamMixin CommonResponseDescriptorsMixin WWWAuthenticateMixin BaseResponse"
        ),
        w.exceptions.Gone().get_response(r.environ): "BaseResponse",
    }
    return [
        name
        for each, names in parts.items()
        for name in names.split()
        if not isinstance(each, getattr(w.wrappers, name))
    ]


def raised(name, *arguments):
    def view(w, r):
        raise getattr(w.exceptions, name)(*arguments)

    return view


def with_fields(w, r):
    response = changed(w, status_code=202)
    response.headers.add("X-Own", "1")
    response.headers.add("x-own", "2")
    response.headers["X-Other"] = "3"
    return response


def typed(w, r):
    response = changed(w, mimetype="text/csv")
    response.mimetype_params["charset"] = "x"
    response.headers["X-Types"] = f"{response.mimetype} {response.content_type}"
    return response


def caught(w, r):
    try:
        raise w.exceptions.Gone("no more")
    except w.exceptions.HTTPException as error:
        response = error.get_response(r.environ)
        response.headers["X-Error"] = f"{error.code} {error.description}"
        return response


ERRORS = {
    "kay-163": ("BadRequest", 400), "kay-164": ("Unauthorized", 401), "kay-165": ("Forbidden", 403),
    "kay-166": ("NotFound", 404), "kay-168": ("NotAcceptable", 406), "kay-169": ("RequestTimeout", 408),
    "kay-170": ("Gone", 410), "kay-171": ("LengthRequired", 411), "kay-172": ("PreconditionFailed", 412),
    "kay-173": ("RequestEntityTooLarge", 413), "kay-174": ("RequestURITooLarge", 414),
    "kay-175": ("UnsupportedMediaType", 415), "kay-176": ("InternalServerError", 500),
    "kay-177": ("NotImplemented", 501), "kay-178": ("BadGateway", 502), "kay-179": ("ServiceUnavailable", 503),
}  # fmt: skip


RESPONSES = [
    Exchange(
        "kay-090 kay-091 kay-092 kay-093 kay-094 kay-159", "GET /response",
        lambda w, r: w.wrappers.Response(["ü", b"b"], 203, [("X-Own", "1"), ("X-Own", "2")], mimetype="text/csv"), "üb",
        203, {"content-type": "text/csv; charset=utf-8", "content-length": "3"},
    ),
    Exchange("kay-091", "GET /empty", lambda w, r: w.wrappers.Response(), "", fields={"content-length": "0", **PLAIN}),
    Exchange(
        "kay-092 kay-103", "GET /status", lambda w, r: changed(w, status="204 Own"), "", 204, {"content-length": None},
    ),
    Exchange(
        "kay-095 kay-118", "GET /type",
        lambda w, r: w.wrappers.Response("x", content_type="text/x-own;a=b", mimetype="text/csv"), "x",
        fields={"content-type": "text/x-own;a=b"},
    ),
    Exchange(
        "kay-095 kay-118 kay-146 kay-147", "GET /typed", typed, "changed",
        fields={"content-type": "text/csv; charset=x", "x-types": "text/csv text/csv; charset=x"},
    ),
    Exchange(
        "kay-096 kay-097", "GET /passed",
        lambda w, r: w.wrappers.Response(w.wsgi.wrap_file(r.environ, BytesIO(b"content")), direct_passthrough=True),
        "content", fields={"content-length": None},
    ),
    Exchange(
        "kay-099 kay-137 kay-138", "GET /body",
        lambda w, r: (
            w.wrappers.Response("a").response,
            w.wrappers.Response("a").is_sequence,
            w.wrappers.Response(iter("a")).is_streamed,
        ),
        "([b'a'], True, True)",
    ),
    Exchange("kay-100 kay-101 kay-102", "GET /changed", with_fields, "changed", 202, {"x-own": "2", "x-other": "3"}),
    Exchange(
        "kay-104 kay-116 kay-117", "GET /partial", limited, "x", 206,
        {"accept-ranges": "bytes", "content-range": "bytes 0-0/10"},
    ),
    Exchange(
        "kay-105 kay-132 kay-143", "GET /tagged", tagged, "tagged",
        fields={"etag": TAG, "x-tag": repr((TAG[1:-1], False)), "x-dated": "True"},
    ),
    Exchange(
        "kay-142", "GET /tagged", None, "", 304, {"etag": TAG, "content-length": None}, sent={"If-None-Match": TAG},
    ),
    Exchange("kay-144", "POST /tagged", None, "tagged", sent={"If-None-Match": TAG}),
    Exchange(
        "kay-107 kay-111 kay-112 kay-113 kay-114 kay-115 kay-121 kay-140 kay-148 kay-157", "GET /described",
        lambda w, r: changed(
            w,
            allow=["GET"],
            date=MOMENT,
            content_language=["de", "en"],
            content_encoding="own",
            content_location="/ü",
            content_md5="abc",
            last_modified=MOMENT,
            retry_after=7,
            vary=["Cookie"],
        ),
        "changed",
        fields={
            "allow": "GET", "date": DATE, "content-language": "de, en", "content-encoding": "own",
            "content-location": "/%C3%BC", "content-md5": "abc", "last-modified": DATE, "retry-after": "7",
            "vary": "Cookie", "content-length": "7",
        },
    ),
    Exchange(
        "kay-106 kay-108 kay-124", "GET /cached", cached, "changed",
        fields={"age": "90", "expires": DATE, "cache-control": "public, max-age=60"},
    ),
    Exchange("kay-110", "GET /closes?who=me", closing, "ab", fields={"content-length": None}),
    Exchange(
        "kay-119", "GET /collected", lambda w, r: w.wrappers.Response(w.wrappers.Response(c for c in "ab").data), "ab",
        fields={"content-length": "2"},
    ),
    Exchange("kay-120 kay-145", "GET /unread", unread, "(('RuntimeError', None), True, b'ab')"),
    Exchange(
        "kay-122 kay-123", "GET /deleted",
        lambda w, r: ending(w, w.wrappers.Response("x"), ("delete_cookie", "name", "/a", "example.com")), "x",
        fields={"set-cookie": "name=; Domain=example.com; Expires=?; Max-Age=0; Path=/a"},
    ),
    Exchange(
        "kay-125 kay-126", "GET /forced", forced, "/forced", 203,
        {"content-length": None, "x-own": "1", "content-type": "text/x-own", "x-type": "ResponseTypeError"},
    ),
    Exchange("kay-127", "GET /frozen", frozen, "üb", fields={"content-length": "3"}),
    Exchange(
        "kay-130 kay-133 kay-136", "GET /triple", triple,
        "(b'text', '302 FOUND', 'http://a/%C3%BC', 'http://a/%C3%BC', 'http://a/ü', [b'text'])",
    ),
    Exchange(
        "kay-131 kay-136", "HEAD /head", lambda w, r: w.wrappers.Response("text"), "", fields={"content-length": "4"},
    ),
    Exchange(
        "kay-131 kay-135", "GET /not-modified", lambda w, r: w.wrappers.Response("text", 304), "", 304,
        {"content-length": None, "content-type": None},
    ),
    Exchange(
        "kay-135", "GET /streamed", lambda w, r: w.wrappers.Response(chunk for chunk in ("a", "ü")), "aü",
        fields={"content-length": None},
    ),
    Exchange(
        "kay-139", "GET /encoded", lambda w, r: [*w.wrappers.Response(["ü", b"b"]).iter_encoded()],
        "[b'\\xc3\\xbc', b'b']",
    ),
    Exchange(
        "kay-141", "GET /moved", lambda w, r: changed(w, status_code=302, location="http://other/ü?a=b"), "changed",
        302, {"location": "http://other/%C3%BC?a=b"},
    ),
    Exchange("kay-149", "GET /cookie", with_cookie, "set", fields={"set-cookie": 'name="\\303\\274"; Path=/'}),
    Exchange(
        "kay-150 kay-151 kay-152 kay-153 kay-154", "GET /cookie-options",
        lambda w, r: with_cookie(
            w, r, max_age=60, expires=MOMENT, domain=".example.com", path="/a", secure=True, httponly=True
        ),
        "set",
        fields={
            "set-cookie": 'name="\\303\\274"; Domain=example.com; Expires=?; Max-Age=60; Secure; HttpOnly; Path=/a',
        },
    ),
    Exchange(
        "kay-155", "GET /tag",
        lambda w, r: ending(w, w.wrappers.Response("x"), ("set_etag", "a"), ("set_etag", "b", True)), "x",
        fields={"etag": 'W/"b"'},
    ),
    Exchange("kay-156", "GET /written", written, "abc", fields={"content-length": "3"}),
    Exchange("kay-158", "GET /challenged", challenged, "who?", 401, {"www-authenticate": "Basic realm=here"}),
    Exchange(
        "kay-184", "GET /content-location", lambda w, r: changed(w, content_location="/ü"), "changed",
        fields={"content-location": "/%C3%BC"},
    ),
    Exchange(
        "kay-160 kay-162 kay-167", "GET /not-allowed", raised("MethodNotAllowed", ["POST"]), re.compile("not allowed"),
        405, {"allow": "POST"},
    ),
    Exchange("kay-161 kay-162", "GET /caught", caught, re.compile("no more"), 410, {"x-error": "410 no more"}),
    *(
        Exchange(f"kay-160 {row}", f"GET /{name}", raised(name), re.compile("<h1>"), status)
        for row, (name, status) in ERRORS.items()
    ),
]  # fmt: skip

DROPPED = [Exchange("kay-007 kay-098 kay-183", "GET /mixed", mixed, "[]")]
"""What Werkzeug had in 0.8, and has no more."""
