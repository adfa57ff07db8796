"""Exchanges that show requests of Kay's document, of Werkzeug as it is today or as it was in 0.8."""

from datetime import UTC, datetime
from importlib import import_module
from io import BytesIO
from types import SimpleNamespace

from tests.dialects.exchanges import FORM, MULTIPART, PARTS, Exchange, error_of

MOMENT = datetime(1994, 11, 6, 8, 49, 37, tzinfo=UTC)
DATE = "Sun, 06 Nov 1994 08:49:37 GMT"
MODULES = ("datastructures", "exceptions", "formparser", "http", "test", "utils", "wrappers", "wsgi")


def package(name):
    """The modules of Werkzeug, or of a dialect: that of 0.8 has some of its own."""
    return SimpleNamespace(**{module: module_of(import_module(name), module) for module in MODULES})


def module_of(package, name):
    try:
        return import_module(f"{package.__name__}.{name}")
    except ModuleNotFoundError:
        return getattr(package, name)


def answered(w, answer):
    """The answer of a view: a WSGI application, or something to show."""
    return answer if callable(answer) else w.wrappers.Response(answer if isinstance(answer, str) else repr(answer))


def unchangeable(w, r):
    return sorted({
        error_of(r.args.add, "a", "b"), error_of(r.form.add, "a", "b"), error_of(r.files.add, "a", "b"),
        error_of(r.cookies.__setitem__, "a", "b"), error_of(r.headers.__setitem__, "a", "b"),
    })  # fmt: skip


def ordered(w, r):
    own = type("Own", (w.wrappers.Request,), {"parameter_storage_class": list})
    return own(r.environ).args


def saved(file):
    copy = BytesIO()
    file.save(copy)
    return copy.getvalue()


def parsed(w, r):
    class Parser(w.formparser.FormDataParser):
        def parse(self, stream, mimetype, *_, **__):
            return stream, self.cls([("parsed", mimetype), ("of", stream.read().decode())]), self.cls()

    own = type("Own", (w.wrappers.Request,), {"form_data_parser_class": Parser})(r.environ)
    return own.form["parsed"], own.form["of"], type(own.make_form_data_parser()).__name__


def asked(w, r):
    """The answer of an application inside, which a made request and a test client ask."""

    @w.wrappers.Request.application
    def inner(request):
        return w.wrappers.Response(f"{request.method} {request.url} {request.form.get('a')}")

    made = w.wrappers.Request.from_values(
        "/in?q=1", base_url="http://inner/", environ_overrides={"REQUEST_METHOD": "PUT"}
    )
    built = w.test.EnvironBuilder("/built", method="POST", data={"a": "b"}).get_environ()
    answers = [
        w.wrappers.Response.from_app(inner, made.environ, buffered=True),
        w.wrappers.Response.from_app(inner, built),
    ]
    answers.append(w.test.Client(inner).post("/client", data={"a": "c"}))
    return [answer.get_data(as_text=True) for answer in answers]


REQUESTS = [
    Exchange(
        "kay-002 kay-008 kay-022 kay-069", "PATCH /environ", lambda w, r: (r.method, r.environ["REQUEST_METHOD"]),
        "('PATCH', 'PATCH')",
    ),
    Exchange(
        "kay-003", "GET /populated",
        lambda w, r: (
            r.environ["werkzeug.request"] is r,
            "werkzeug.request"
            in w.wrappers.Request({**r.environ, "werkzeug.request": None}, populate_request=False).environ,
        ),
        "(True, True)",
    ),
    Exchange(
        "kay-004", "POST /shallow",
        lambda w, r: (r.shallow, error_of(lambda: w.wrappers.Request(r.environ, shallow=True).form)),
        "(False, 'RuntimeError')", sent=FORM, body=b"a=1",
    ),
    Exchange("kay-005", "POST /unchangeable?a=1", unchangeable, "['TypeError']", sent=FORM, body=b"a=1"),
    Exchange(
        "kay-006", "POST /%C3%BC?q=%C3%BC", lambda w, r: (r.path, r.args["q"], r.cookies["c"], r.form["n"]),
        "('/ü', 'ü', 'ü', 'ü')", rule="/ü", sent={**FORM, "Cookie": '''c="\\303\\274"'''}, body="n=ü".encode(),
    ),
    Exchange(
        "kay-013 kay-032 kay-033 kay-038 kay-068 kay-070 kay-071 kay-073", "POST /headers",
        lambda w, r: (
            r.referrer, r.content_length, r.content_type, r.date == MOMENT, r.max_forwards, r.mimetype,
            r.mimetype_params["charset"], "no-cache" in r.pragma,
        ),
        "('http://a/', 3, 'text/html; charset=utf-8', True, 7, 'text/html', 'utf-8', True)",
        sent={
            "Referer": "http://a/", "Content-Type": "text/html; charset=utf-8", "Date": DATE, "Max-Forwards": "7",
            "Pragma": "no-cache",
        },
        body=b"abc",
    ),
    Exchange(
        "kay-013 kay-032 kay-038 kay-068", "GET /no-headers",
        lambda w, r: (r.referrer, r.content_length, r.date, r.max_forwards), "(None, None, None, None)",
    ),
    Exchange(
        "kay-014 kay-015 kay-016 kay-017 kay-018 kay-019 kay-020", "GET /accept",
        lambda w, r: (
            [*r.accept_charsets.values()],
            [*r.accept_encodings.values()],
            [*r.accept_languages.values()],
            [*r.accept_mimetypes.values()],
            "UTF8" in r.accept_charsets and isinstance(r.accept_charsets, w.datastructures.CharsetAccept),
            "de_AT" in r.accept_languages and isinstance(r.accept_languages, w.datastructures.LanguageAccept),
            "image/png" in r.accept_mimetypes and isinstance(r.accept_mimetypes, w.datastructures.MIMEAccept),
        ),
        "(['utf-8', 'latin-1'], ['br', 'gzip'], ['de-at', 'fr'], ['text/html', 'image/*'], True, True, True)",
        sent={
            "Accept-Charset": "latin-1;q=0.5, utf-8", "Accept-Encoding": "gzip;q=0.5, br",
            "Accept-Language": "fr;q=0.1, de-at", "Accept": "image/*;q=0.2, text/html",
        },
    ),
    Exchange(
        "kay-021 kay-066 kay-077 kay-078", "GET /client",
        lambda w, r: ([*r.access_route], type(r.access_route) is r.list_storage_class, r.remote_addr, r.remote_user),
        "(['192.0.2.1', '192.0.2.2'], True, '127.0.0.1', None)", sent={"X-Forwarded-For": "192.0.2.1, 192.0.2.2"},
    ),
    Exchange("kay-021", "GET /client-alone", lambda w, r: r.access_route[0], "127.0.0.1"),
    Exchange(
        "kay-023", "GET /responder",
        lambda w, r: w.wsgi.responder(lambda environ, start_response: w.wrappers.Response(environ["PATH_INFO"])),
        "/responder",
    ),
    Exchange(
        "kay-024 kay-026 kay-042 kay-067 kay-087 kay-088", "POST /values?a=1&a=2",
        lambda w, r: (
            r.args["a"], r.args.getlist("a"), r.form.getlist("a"), r.values["a"], r.values.getlist("a"),
            isinstance(r.values, w.datastructures.CombinedMultiDict),
            isinstance(r.args, w.datastructures.ImmutableMultiDict),
            error_of(w.datastructures.ImmutableList([1]).append, 2),
        ),
        "('1', ['1', '2'], ['3'], '1', ['1', '2', '3'], True, True, 'TypeError')", sent=FORM, body=b"a=3",
    ),
    Exchange("kay-025", "GET /stored?b=1&a=2", ordered, "[('b', '1'), ('a', '2')]"),
    Exchange(
        "kay-027 kay-028", "GET /authorization",
        lambda w, r: (r.authorization.type, r.authorization.username, r.authorization.password),
        "('basic', 'Ada', 'a:b')", sent={"Authorization": "Basic QWRhOmE6Yg=="},
    ),
    Exchange(
        "kay-027", "GET /no-authorization", lambda w, r: repr(r.authorization), "None",
        sent={"Authorization": "Basic !"},
    ),
    Exchange(
        "kay-029 kay-052 kay-053 kay-064 kay-072 kay-074 kay-079 kay-080 kay-083 kay-085", "GET /url?a=%C3%BC",
        lambda w, r: (
            r.base_url, r.host, r.host_url, r.is_secure, r.path, r.query_string, r.scheme,
            r.script_root if hasattr(r, "script_root") else r.root_path,
            r.url, r.url_root,
        ),
        "('http://localhost:81/url', 'localhost:81', 'http://localhost:81/', False, '/url', b'a=%C3%BC', 'http', '',"
        " 'http://localhost:81/url?a=ü', 'http://localhost:81/')",
        sent={"Host": "localhost:81"},
    ),
    Exchange(
        "kay-030 kay-031", "GET /cache-control",
        lambda w, r: (
            r.cache_control.no_cache,
            r.cache_control.max_age,
            r.cache_control.only_if_cached,
            error_of(setattr, r.cache_control, "max_age", 1),
        ),
        "(True, 5, False, 'TypeError')", sent={"Cache-Control": "no-cache, max-age=5"},
    ),
    Exchange(
        "kay-034 kay-035 kay-036", "GET /cookies",
        lambda w, r: (r.cookies["n"], r.cookies.get("n", type=int), r.cookies.get("word", 3, type=int)),
        "('12', 12, 3)", sent={"Cookie": "n=12; word=abc"},
    ),
    Exchange(
        "kay-037 kay-082", "POST /data", lambda w, r: (r.data, r.stream.read(100)), "(b'abc', b'')",
        sent={"Content-Type": "text/plain"}, body=b"abc",
    ),
    Exchange(
        "kay-039 kay-041", "POST /files",
        lambda w, r: (
            r.form["text"],
            r.files["file"].filename,
            r.files["file"].name,
            r.files["file"].content_type,
            r.files["file"].stream.read(),
            saved(r.files["empty"]),
        ),
        "('hello', '../a b.txt', 'file', 'text/x-own', b'content', b'')", sent=MULTIPART, body=PARTS,
    ),
    Exchange("kay-040", "POST /no-files", lambda w, r: (len(r.files), r.form["a"]), "(0, '1')", sent=FORM, body=b"a=1"),
    Exchange(
        "kay-046 kay-047 kay-048 kay-049 kay-128 kay-129", "GET /asked", asked,
        "['PUT http://inner/in?q=1 None', 'POST http://localhost/built b', 'POST http://localhost/client c']",
    ),
    Exchange(
        "kay-050 kay-051", "GET /fields",
        lambda w, r: (r.headers["x-own"], r.headers.get("X-None"), type(r.headers).__name__),
        "('1', None, 'EnvironHeaders')", sent={"X-Own": "1"},
    ),
    Exchange(
        "kay-054 kay-055 kay-056 kay-057 kay-058 kay-059 kay-060", "GET /conditions",
        lambda w, r: (
            "a" in r.if_match,
            r.if_none_match.contains_weak("b"),
            r.if_modified_since == MOMENT,
            r.if_unmodified_since == MOMENT,
            r.if_range.etag,
            r.if_range.date,
            bool(r.if_match) and isinstance(r.if_match, w.datastructures.ETags),
        ),
        "(True, True, True, True, 'c', None, True)",
        sent={
            "If-Match": '"a"', "If-None-Match": 'W/"b"', "If-Modified-Since": DATE, "If-Unmodified-Since": DATE,
            "If-Range": '"c"',
        },
    ),
    Exchange(
        "kay-056 kay-075", "GET /no-conditions", lambda w, r: (r.if_modified_since, r.range, bool(r.if_none_match)),
        "(None, None, False)", sent={"If-Modified-Since": "soon"},
    ),
    Exchange(
        "kay-075 kay-076", "GET /range", lambda w, r: (r.range.units, r.range.ranges, r.range.range_for_length(10)),
        "('bytes', [(5, None)], (5, 10))", sent={"Range": "bytes=5-"},
    ),
    Exchange(
        "kay-061 kay-062 kay-063", "GET /server", lambda w, r: (r.is_multiprocess, r.is_multithread, r.is_run_once),
        "(True, True, False)",
    ),
    Exchange(
        "kay-081", "POST /stream", lambda w, r: (r.stream.read(2), r.stream.read()), "(b'ab', b'c')",
        sent={"Content-Type": "text/plain"}, body=b"abc",
    ),
    Exchange("kay-086", "GET /agent", lambda w, r: r.user_agent.string, "Own/1.0", sent={"User-Agent": "Own/1.0"}),
    Exchange(
        "kay-043 kay-044 kay-045", "POST /parsed", parsed, "('application/x-www-form-urlencoded', 'a=1', 'Parser')",
        sent=FORM, body=b"a=1",
    ),
]  # fmt: skip
