"""Exchanges that show responses and errors of WebOb's document, in WebOb's own application or in Pyramid's."""

import re
from datetime import timedelta

from tests.dialects.exchanges import Exchange
from tests.dialects.webob.served_requests import DATE, MOMENT, error_of


def changed(w, body=b"changed", **attributes):
    response = w.Response(body, content_type="text/plain")
    for name, value in attributes.items():
        setattr(response, name, value)
    return response


def with_body(w, r):
    response = changed(w)
    response.body += b" twice"
    return response


def with_cookie(w, r, **options):
    response = changed(w)
    response.set_cookie("name", "value", **options)
    return response


def without_cookie(w, r):
    response = changed(w)
    response.delete_cookie("name", path="/a", domain="example.com")
    return response


def expiring(seconds):
    def view(w, r):
        response = changed(w)
        response.cache_expires(seconds)
        return response

    return view


def with_fields(w, r):
    response = w.Response(headerlist=[("X-Own", "1"), ("Content-Type", "text/x-own")], body=b"x")
    response.headers.add("x-own", "2")
    response.headers["X-COUNT"] = str(len([name for name, _ in response.headerlist if name.lower() == "x-own"]))
    return response


def written(w, r):
    response = w.Response(content_type="text/plain")
    response.body_file.write(b"a")
    response.body_file.write(b"b")
    response.status = 203
    return response


def in_pieces(w, r):
    return w.Response(app_iter=(piece for piece in (b"a", b"b")), content_type="text/plain")


def of_text(w, r):
    response = w.Response(content_type="text/plain", charset="latin-1")
    response.text = "ü"
    response.content_type_params = {**response.content_type_params, "a": "b"}
    return response


def conditional(w, r):
    return w.Response(
        b"0123456789", content_type="text/plain", conditional_response=True, etag="a", last_modified=MOMENT
    )


def caught(w, r):
    try:
        raise w.exc.HTTPNotFound("There is no such resource")
    except w.exc.HTTPException as error:
        error.content_type = "text/plain"
        error.body = b"changed"
        error.headers["X-Own"] = error.detail
        return error


def raised(name, *arguments, **named):
    def view(w, r):
        raise getattr(w.exc, name)(*arguments, **named)

    return view


ERRORS = {
    "HTTPCreated": 201, "HTTPSeeOther": 303, "HTTPBadRequest": 400, "HTTPForbidden": 403, "HTTPGone": 410,
    "HTTPNotImplemented": 501, "HTTPGatewayTimeout": 504,
}  # fmt: skip


RESPONSES = [
    Exchange(
        "pyramid-002 pyramid-077 pyramid-078 pyramid-079", "GET /response",
        lambda w, r: w.Response(body=b"hello world!", content_type="text/plain"), "hello world!",
        fields={"content-type": "text/plain; charset=UTF-8", "content-length": "12"},
    ),
    Exchange(
        "pyramid-078", "GET /attributes",
        lambda w, r: (w.Response(b"x", status=202, etag="a").status, error_of(lambda: w.Response(own=1))),
        "('202 Accepted', 'TypeError')",
    ),
    Exchange("pyramid-053 pyramid-061", "GET /status", lambda w, r: changed(w, status="299 Own"), "changed", 299),
    Exchange(
        "pyramid-054", "GET /status-int", lambda w, r: (changed(w, status_int=404).status, changed(w).status),
        "('404 Not Found', '200 OK')",
    ),
    Exchange(
        "pyramid-055 pyramid-056 pyramid-061", "GET /fields", with_fields, "x",
        fields={"x-own": "2", "x-count": "2", "content-type": "text/x-own"},
    ),
    Exchange("pyramid-057", "GET /pieces", in_pieces, "ab", fields={"content-length": None}),
    Exchange("pyramid-058", "GET /other-body", with_body, "changed twice", fields={"content-length": "13"}),
    Exchange(
        "pyramid-059 pyramid-063 pyramid-064", "GET /text",
        lambda w, r: (
            of_text(w, r).body,
            of_text(w, r).unicode_body,
            of_text(w, r).headers["Content-Type"],
            of_text(w, r).charset,
            sorted(of_text(w, r).content_type_params),
        ),
        "(b'\\xfc', 'ü', 'text/plain; a=b; charset=latin-1', 'latin-1', ['a', 'charset'])",
    ),
    Exchange("pyramid-060 pyramid-061", "GET /written", written, "ab", 203, {"content-length": "2"}),
    Exchange(
        "pyramid-062", "GET /type", lambda w, r: changed(w, content_type="text/css"), "changed",
        fields={"content-type": "text/css; charset=UTF-8"},
    ),
    Exchange("pyramid-065", "GET /cookie", with_cookie, "changed", fields={"set-cookie": "name=value; Path=/"}),
    Exchange(
        "pyramid-066 pyramid-067", "GET /cookie-for-an-hour",
        lambda w, r: with_cookie(
            w, r, max_age=timedelta(hours=1), path="/a", domain="example.com", secure=True, httponly=True
        ),
        "changed",
        fields={"set-cookie": "name=value; Domain=example.com; Max-Age=3600; Path=/a; expires=?; secure; HttpOnly"},
    ),
    Exchange(
        "pyramid-068", "GET /no-cookie", without_cookie, "changed",
        fields={"set-cookie": "name=; Domain=example.com; Max-Age=0; Path=/a; expires=?"},
    ),
    Exchange(
        "pyramid-069", "GET /expires", expiring(60), "changed",
        fields={"cache-control": "max-age=60", "expires": "now"},
    ),
    Exchange(
        "pyramid-070", "GET /expired", expiring(0), "changed",
        fields={
            "cache-control": "max-age=0, must-revalidate, no-cache, no-store", "expires": "now", "pragma": "no-cache",
        },
    ),
    Exchange("pyramid-071", "POST /answered", lambda w, r: "own", "own"),
    Exchange(
        "pyramid-072", "GET /conditional", conditional, "0123456789", fields={"etag": '"a"', "last-modified": DATE},
    ),
    Exchange(
        "pyramid-072", "GET /conditional", None, "", 304, {"etag": '"a"', "content-length": None},
        sent={"If-None-Match": '"a"'},
    ),
    Exchange("pyramid-072", "GET /conditional", None, "", 304, sent={"If-Modified-Since": DATE}),
    Exchange("pyramid-073", "HEAD /conditional", None, "", fields={"content-length": "10"}),
    Exchange(
        "pyramid-074", "GET /conditional", None, "234", 206, {"content-range": "bytes 2-4/10", "content-length": "3"},
        sent={"Range": "bytes=2-4"},
    ),
    Exchange(
        "pyramid-074", "GET /conditional", None, re.compile(""), 416, {"content-range": "bytes */10"},
        sent={"Range": "bytes=20-"},
    ),
    Exchange(
        "pyramid-075 pyramid-076", "GET /parsed",
        lambda w, r: changed(
            w,
            last_modified=784111777,
            etag=("b", False),
            vary=("Cookie",),
            age=60,
            allow=("GET", "POST"),
            content_language=("de",),
            retry_after=30,
        ),
        "changed",
        fields={
            "last-modified": DATE, "etag": 'W/"b"', "vary": "Cookie", "age": "60", "allow": "GET, POST",
            "content-language": "de", "retry-after": "30",
        },
    ),
    Exchange(
        "pyramid-080", "GET /default-type",
        lambda w, r: type("Own", (w.Response,), {"default_content_type": "text/x-own"})(b"x"), "x",
        fields={"content-type": re.compile("text/x-own")},
    ),
    Exchange(
        "pyramid-082 pyramid-084 pyramid-086 pyramid-098", "GET /not-found",
        raised("HTTPNotFound", "There is no such resource"), re.compile("There is no such resource"), 404,
    ),
    Exchange(
        "pyramid-083", "GET /moved", raised("HTTPMovedPermanently", location="/new"), re.compile("Moved Permanently"),
        301, {"location": re.compile("/new$")},
    ),
    Exchange("pyramid-087", "GET /returned", lambda w, r: w.exc.HTTPForbidden(), re.compile("Forbidden"), 403),
    Exchange(
        "pyramid-087 pyramid-089 pyramid-091", "GET /caught", caught, "changed", 404,
        {"x-own": "There is no such resource", "content-type": re.compile("text/plain")},
    ),
    *(
        Exchange("pyramid-084 pyramid-085 pyramid-086", f"GET /{name}", raised(name), re.compile(""), status)
        for name, status in ERRORS.items()
    ),
]  # fmt: skip
