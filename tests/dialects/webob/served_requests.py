"""Exchanges that show requests of WebOb's document, in WebOb's own application or in Pyramid's."""

import re
from datetime import UTC, datetime

from tests.dialects.exchanges import FORM, MULTIPART, PARTS, Exchange, error_of

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
LATIN = {"Content-Type": "application/x-www-form-urlencoded; charset=latin-1"}


def answered(w, answer):
    """The answer of a view: a response, or something to show."""
    if isinstance(answer, w.Response):
        return answer
    return w.Response(text=answer if isinstance(answer, str) else repr(answer), content_type="text/plain")


def subrequested(w, r):
    """The answers of an application inside, which copies of the request and made ones ask."""

    def inner(environ, start_response):
        made = w.Request(environ)
        return w.Response(text=f"{made.method} {made.url} {made.body!r}")(environ, start_response)

    asked = [r.copy(), r.copy_get(), w.Request.blank("/blank?a=b", base_url="http://inner/app")]
    return [each.get_response(inner).text for each in asked], r.body


def called(w, r):
    """What responses and errors make of a request when it is given to them as to applications."""
    found = w.exc.HTTPNotFound("There is no such resource")
    return r.get_response(w.Response(b"own", status=203)).status_int, r.copy_get().get_response(found).status


def latin(w, r):
    made = w.Request(r.environ)
    made.charset = "latin-1"
    return made.charset, made.POST["n"], made.params["n"]


REQUESTS = [
    Exchange(
        "pyramid-003 pyramid-004", "PATCH /environ", lambda w, r: (r.method, r.environ["REQUEST_METHOD"]),
        "('PATCH', 'PATCH')",
    ),
    Exchange(
        "pyramid-005 pyramid-092 pyramid-093 pyramid-094 pyramid-095 pyramid-096 pyramid-097",
        "GET /get?pref=red&pref=blue&a=%C3%BC",
        lambda w, r: (
            r.GET["pref"], r.GET.getall("pref"), r.GET.getall("b"), error_of(r.GET.getone, "pref"), r.GET.getone("a"),
            [*r.GET.items()], [*r.GET.keys()],
            isinstance(r.GET, w.multidict.MultiDict) and [*w.multidict.MultiDict.view_list([("b", 1), ("a", 2)])],
        ),
        "('blue', ['red', 'blue'], [], 'KeyError', 'ü', [('pref', 'red'), ('pref', 'blue'), ('a', 'ü')],"
        " ['pref', 'pref', 'a'], ['b', 'a'])",
    ),
    Exchange(
        "pyramid-006 pyramid-008 pyramid-050", "POST /post?a=1",
        lambda w, r: ([*r.POST.items()], [*r.params.items()], r.params.getall("a"), r.cookies["c"]),
        "([('a', '2'), ('b', 'ü')], [('a', '1'), ('a', '2'), ('b', 'ü')], ['1', '2'], 'd')",
        sent={**FORM, "Cookie": "c=d"}, body=b"a=2&b=%C3%BC",
    ),
    Exchange(
        "pyramid-006", "POST /upload",
        lambda w, r: (
            r.POST["text"],
            r.POST["file"].filename,
            r.POST["file"].file.read(),
            r.POST["file"].type,
            r.POST["empty"],
        ),
        "('hello', '../a b.txt', b'content', 'text/x-own', b'')", sent=MULTIPART, body=PARTS,
    ),
    Exchange(
        "pyramid-007", "POST /no-form", lambda w, r: (len(r.POST), r.body), "(0, b'a=1')",
        sent={"Content-Type": "text/plain"}, body=b"a=1",
    ),
    Exchange("pyramid-007", "PUT /put-form", lambda w, r: [*r.POST.items()], "[('a', '1')]", sent=FORM, body=b"a=1"),
    Exchange(
        "pyramid-009 pyramid-016", "PUT /body", lambda w, r: (r.body, r.content_length, r.body), "(b'abc', 3, b'abc')",
        body=b"abc",
    ),
    Exchange(
        "pyramid-010", "POST /body-file", lambda w, r: (r.body_file.read(2), r.body_file.read()), "(b'ab', b'c')",
        sent={"Content-Type": "text/plain"}, body=b"abc",
    ),
    Exchange(
        "pyramid-011 pyramid-012 pyramid-015 pyramid-017 pyramid-018 pyramid-019", "GET /headers",
        lambda w, r: (
            dict(r.cookies), r.headers["x-OWN"], "X-None" in r.headers,
            r.accept_language.lookup(["fr", "de"], default="x"),
            r.user_agent, r.if_modified_since == MOMENT, r.referer, r.cache_control.max_age, r.range.start,
            "a" in r.if_none_match, r.authorization.params, r.max_forwards,
        ),
        "({'a': '1', 'b': '2'}, '1', False, 'de', 'Own/1.0', True, 'http://a/', 5, 7, True, 'YTpi', 3)",
        sent={
            "Cookie": "a=1; b=2", "X-Own": "1", "Accept-Language": "fr;q=0.1, de", "User-Agent": "Own/1.0",
            "If-Modified-Since": DATE, "Referer": "http://a/", "Cache-Control": "max-age=5", "Range": "bytes=7-",
            "If-None-Match": '"a"', "Authorization": "Basic YTpi", "Max-Forwards": "3",
        },
    ),
    Exchange(
        "pyramid-016 pyramid-018 pyramid-019", "GET /no-headers",
        lambda w, r: (r.content_length, r.if_modified_since, r.referer, r.range, r.authorization, r.date),
        "(None, None, None, None, None, None)",
    ),
    Exchange("pyramid-013 pyramid-014", "GET /url-variables", lambda w, r: (r.urlvars, r.urlargs), "({}, ())"),
    Exchange(
        "pyramid-032 pyramid-033 pyramid-034 pyramid-035 pyramid-036 pyramid-037 pyramid-038 pyramid-039",
        "GET /url?id=10&u=%C3%BC",
        lambda w, r: (r.url, r.host, r.host_url, r.application_url, r.path_url, r.path, r.path_qs, r.query_string),
        "('http://localhost/url?id=10&u=%C3%BC', 'localhost', 'http://localhost', 'http://localhost',"
        " 'http://localhost/url', '/url', '/url?id=10&u=%C3%BC', 'id=10&u=%C3%BC')",
    ),
    Exchange(
        "pyramid-040 pyramid-041", "GET /relative/to?a=b",
        lambda w, r: (r.relative_url("other"), r.relative_url("other", to_application=True)),
        "('http://localhost/relative/other', 'http://localhost/other')",
    ),
    Exchange(
        "pyramid-042 pyramid-043 pyramid-044 pyramid-045", "POST /subrequest?q=1", subrequested,
        """(["POST http://localhost/subrequest?q=1 b'abc'", "GET http://localhost/subrequest?q=1 b''","""
        """ "GET http://inner/app/blank?a=b b''"], b'abc')""",
        sent={"Content-Type": "text/plain"}, body=b"abc",
    ),
    Exchange("pyramid-045 pyramid-090", "GET /called", called, "(203, '404 Not Found')"),
]  # fmt: skip

DROPPED = [
    Exchange(
        "pyramid-046 pyramid-100", "POST /latin-form", lambda w, r: (r.charset, r.POST["n"]), "('latin-1', 'ü')",
        sent=LATIN, body=b"n=%FC",
    ),
    Exchange("pyramid-047", "POST /set-charset", latin, "('latin-1', 'ü', 'ü')", sent=FORM, body=b"n=%FC"),
    Exchange(
        "pyramid-048", "POST /given-charset", lambda w, r: w.Request(r.environ, charset="latin-1").POST["n"], "ü",
        sent=FORM, body=b"n=%FC",
    ),
    Exchange(
        "pyramid-049", "POST /charset-of-class",
        lambda w, r: type("Western", (w.Request,), {"charset": "latin-1"})(r.environ).POST["n"], "ü", sent=FORM,
        body=b"n=%FC",
    ),
    Exchange(
        "pyramid-051", "POST /undecoded?q=%C3%BC",
        lambda w, r: (r.str_GET["q"], r.str_POST["n"], r.str_params["n"], r.str_cookies["c"]),
        "('Ã¼', 'Ã¼', 'Ã¼', 'd')", sent={**FORM, "Cookie": "c=d"}, body=b"n=%C3%BC",
    ),
    Exchange("pyramid-088", "GET /exception", lambda w, r: w.exc.HTTPGone().exception, re.compile("Gone"), 410),
]  # fmt: skip
"""What WebOb has no more."""
