"""Exchanges that show Flask's document, with the views that answer them."""

import re
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import BytesIO

from tests.dialects.exchanges import FORM, JSON, MULTIPART, PARTS, Exchange
from tests.helpers.waiting import DEADLINE

HTML = {"content-type": "text/html; charset=utf-8"}
PLAIN = {"content-type": "text/plain; charset=utf-8"}
IS_JSON = {"content-type": "application/json"}


def secured(f, name):
    return import_module(f"{f.name.replace('flask', 'werkzeug')}.utils").secure_filename(name)


def cookies(f, value="set", **options):
    response = f.make_response(value)
    response.set_cookie("name", "value", **options)
    return response


def changed(f, **attributes):
    response = f.make_response("changed")
    for name, value in attributes.items():
        setattr(response, name, value)
    return response


def with_field(f, name, value):
    response = f.make_response("changed")
    response.headers[name] = value
    return response


def without_cookie(f):
    response = f.make_response("deleted")
    response.delete_cookie("name")
    return response


def saved(f):
    f.request.files["file"].save(f.current_app.root_path + "/saved.txt")
    with open(f.current_app.root_path + "/saved.txt") as file:
        return file.read()


def limited(f):
    f.request.max_content_length = 10_000
    return str(len(f.request.get_data()))


def after_this(f):
    @f.after_this_request
    def mark(response):
        response.headers["X-Once"] = "yes"
        return response

    return "marked"


def in_pieces(f, with_context):
    def pieces():
        for number in range(3):
            yield f"{number} {f.has_request_context()} "

    made = pieces()
    return f.Response(f.stream_with_context(made) if with_context else made, mimetype="text/plain")


def outside(f):
    def read():
        try:
            return f.has_request_context(), f.request.path
        except RuntimeError as error:
            return f.has_request_context(), type(error).__name__

    with ThreadPoolExecutor() as threads:
        return repr(threads.submit(read).result(DEADLINE))


def streamed_twice(f):
    return repr((f.request.stream.read(3), f.request.stream.read()))


def file_at(position):
    file = BytesIO(b"skipped content")
    file.seek(position)
    return file


EXCHANGES = [
    Exchange(
        "flask-001 flask-002 flask-003 flask-046", "GET /hello", lambda f: f"{f.request.method} ü", "GET ü",
        fields=HTML,
    ),
    Exchange("flask-003", "HEAD /head", lambda f: "hello", fields={"content-length": "5"}),
    Exchange("flask-003", "OPTIONS /options", lambda f: "", fields={"allow": "GET, HEAD, OPTIONS"}),
    Exchange(
        "flask-004", "GET /posts", lambda f: "", re.compile("not allowed"), 405, {"allow": "OPTIONS, POST"},
        methods=["POST"],
    ),
    Exchange("flask-004 flask-023", "POST /posted", lambda f: f.request.method, "POST"),
    Exchange(
        "flask-005 flask-006 flask-007 flask-008 flask-009 flask-048", "GET /args?q=a%20b&n=7&n=x&bad=x",
        lambda f: [
            f.request.args.get("q", ""),
            f.request.args.get("none", ""),
            f.request.args.get("n", 1, type=int),
            f.request.args.get("bad", 1, type=int),
            f.request.args.getlist("n"),
            f.request.args.to_dict(),
        ],
        '["a b","",7,1,["7","x"],{"bad":"x","n":"7","q":"a b"}]\n', fields=IS_JSON,
    ),
    Exchange(
        "flask-010 flask-011 flask-012", "POST /form",
        lambda f: repr((f.request.form["a"], f.request.form.get("b"), "a" in f.request.form, "b" in f.request.form)),
        "('x y', None, True, False)", sent=FORM, body=b"a=x+y&a=2",
    ),
    Exchange(
        "flask-010", "POST /form-missing", lambda f: f.request.form["b"], re.compile("Bad Request"), 400, sent=FORM,
        body=b"a=1",
    ),
    Exchange(
        "flask-013", "POST /json", lambda f: f.request.get_json(), '{"a":[1,null]}\n', sent=JSON,
        body=b'{"a": [1, null]}',
    ),
    Exchange(
        "flask-013", "POST /json-as-text", lambda f: f.request.get_json(), re.compile("Unsupported"), 415, body=b"{}",
    ),
    Exchange(
        "flask-013", "POST /json-broken", lambda f: f.request.get_json(), re.compile("Bad Request"), 400, sent=JSON,
        body=b"{",
    ),
    Exchange("flask-014", "POST /json-forced", lambda f: f.request.get_json(force=True), '{"a":1}\n', body=b'{"a": 1}'),
    Exchange(
        "flask-015", "POST /json-silent", lambda f: repr(f.request.get_json(silent=True)), "None", sent=JSON, body=b"{",
    ),
    Exchange(
        "flask-016 flask-017 flask-028 flask-029", "GET /headers",
        lambda f: repr(
            (
                f.request.headers.get("x-own"),
                f.request.headers.get("x-none"),
                f.request.cookies.get("a"),
                f.request.cookies.get("c"),
                str(f.request.user_agent),
                f.request.referrer,
            )
        ),
        "('1', None, 'x y', None, 'Own/1.0', 'http://localhost/from')",
        sent={"X-Own": "1", "Cookie": 'a="x y"; b=2', "User-Agent": "Own/1.0", "Referer": "http://localhost/from"},
    ),
    Exchange(
        "flask-018 flask-019 flask-020 flask-021 flask-022", "GET /url%20s?a=%C3%BC&b",
        lambda f: repr((f.request.url, f.request.base_url, f.request.url_root, f.request.path, f.request.query_string)),
        "('http://localhost/url%20s?a=ü&b', 'http://localhost/url%20s', 'http://localhost/', '/url s', b'a=%C3%BC&b')",
        rule="/url s",
    ),
    Exchange(
        "flask-024 flask-025 flask-026 flask-072", "GET /users/7",
        lambda f, number: repr((f.request.endpoint[:4], f.request.view_args, f.request.url_rule.rule, number + 1)),
        "('view', {'number': 7}, '/users/<int:number>', 8)", rule="/users/<int:number>",
    ),
    Exchange("flask-072", "GET /users/x", None, re.compile("not found"), 404),
    Exchange("flask-073", "GET /files/a%20b.txt", lambda f, filename: filename, "a b.txt", rule="/files/<filename>"),
    Exchange("flask-073", "GET /files/a/b", None, re.compile("not found"), 404),
    Exchange("flask-027", "GET /address", lambda f: f.request.remote_addr, "127.0.0.1"),
    Exchange(
        "flask-030 flask-031 flask-032 flask-034 flask-090", "POST /upload",
        lambda f: repr(
            (
                "file" in f.request.files,
                "none" in f.request.files,
                f.request.files["file"].filename,
                bool(f.request.files["empty"]),
                f.request.files["empty"].filename,
                f.request.form["text"],
                secured(f, f.request.files["file"].filename),
            )
        ),
        "(True, False, '../a b.txt', False, '', 'hello', 'a_b.txt')", sent=MULTIPART, body=PARTS,
    ),
    Exchange("flask-033", "POST /save", saved, "content", sent=MULTIPART, body=PARTS),
    Exchange(
        "flask-035 flask-036", "POST /data",
        lambda f: repr((f.request.data, f.request.get_data(), f.request.get_data(as_text=True))),
        "(b'\\xc3\\xbc', b'\\xc3\\xbc', 'ü')", body="ü".encode(),
    ),
    Exchange("flask-037", "POST /stream", streamed_twice, "(b'abc', b'def')", body=b"abcdef"),
    Exchange("flask-038", "GET /config", lambda f: f.current_app.config["OWN"], "configured"),
    Exchange(
        "flask-039", "POST /too-large", lambda f: str(len(f.request.get_data())), re.compile("Too Large"), 413,
        body=b"x" * 5001,
    ),
    Exchange(
        "flask-040", "POST /form-too-large", lambda f: f.request.form["text"], re.compile("Too Large"), 413,
        sent=MULTIPART, body=PARTS.replace(b"hello", b"x" * 1001),
    ),
    Exchange(
        "flask-041", "POST /too-many-parts", lambda f: repr(f.request.form), re.compile("Too Large"), 413,
        sent=MULTIPART,
        body=b'--between\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n' * 6 + b"--between--\r\n",
    ),
    Exchange("flask-042", "POST /more", limited, "6000", body=b"x" * 6000),
    Exchange("flask-043 flask-045", "GET /admin/users", None, "('admin', 'admin.users')"),
    Exchange("flask-044", "GET /admin/inner", None, "(['admin.inner', 'admin'], 'admin.inner.list')"),
    Exchange("flask-047", "GET /dict", lambda f: {"b": 1, "a": "ü"}, '{"a":"\\u00fc","b":1}\n', fields=IS_JSON),
    Exchange(
        "flask-049 flask-050 flask-088", "GET /response", lambda f: f.Response("own", mimetype="text/plain"), "own",
        fields=PLAIN,
    ),
    Exchange("flask-051", "GET /created", lambda f: ("Resource created", 201), "Resource created", 201),
    Exchange("flask-052", "GET /triple", lambda f: ("OK", 203, {"X-Own": "1"}), "OK", 203, {"x-own": "1"}),
    Exchange("flask-053", "GET /pair", lambda f: ("OK", {"X-Own": "1"}), "OK", fields={"x-own": "1"}),
    Exchange("flask-054", "GET /dict-created", lambda f: ({"a": 1}, 201), '{"a":1}\n', 201, IS_JSON),
    Exchange(
        "flask-054 flask-070 flask-071", "GET /jsonify", lambda f: (f.jsonify([1, 2]), 404), "[1,2]\n", 404, IS_JSON,
    ),
    Exchange("flask-055 flask-067", "GET /status-code", lambda f: changed(f, status_code=202), "changed", 202),
    Exchange("flask-056", "GET /status", lambda f: changed(f, status="203 Own"), "changed", 203),
    Exchange("flask-057", "GET /field", lambda f: with_field(f, "x-OWN", "2"), "changed", fields={"x-own": "2"}),
    Exchange(
        "flask-058", "GET /type", lambda f: with_field(f, "Content-Type", "text/x-own"), "changed",
        fields={"content-type": "text/x-own"},
    ),
    Exchange(
        "flask-059", "GET /mimetype", lambda f: changed(f, mimetype="text/csv"), "changed",
        fields={"content-type": "text/csv; charset=utf-8"},
    ),
    Exchange("flask-060", "GET /cookie", cookies, "set", fields={"set-cookie": "name=value; Path=/"}),
    Exchange(
        "flask-061 flask-062 flask-063 flask-064", "GET /cookie-options",
        lambda f: cookies(f, max_age=3600, secure=True, httponly=True, samesite="Lax"), "set",
        fields={"set-cookie": "name=value; Expires=?; Max-Age=3600; Secure; HttpOnly; Path=/; SameSite=Lax"},
    ),
    Exchange(
        "flask-065", "GET /cookie-deleted", without_cookie, "deleted",
        fields={"set-cookie": "name=; Expires=?; Max-Age=0; Path=/"},
    ),
    Exchange(
        "flask-066", "GET /redirect", lambda f: f.redirect("/ü?a=b"), re.compile("Redirecting"), 302,
        {"location": "/%C3%BC?a=b"},
    ),
    Exchange(
        "flask-068", "GET /redirect-with-cookie", lambda f: cookies(f, f.redirect("/hello", 303)),
        re.compile("Redirecting"), 303, {"location": "/hello", "set-cookie": "name=value; Path=/"},
    ),
    Exchange(
        "flask-069 flask-091", "GET /template", lambda f: f.render_template("page.html", name="<b>"),
        "Hello, &lt;b&gt;!", fields=HTML,
    ),
    Exchange(
        "flask-074", "GET /pieces", lambda f: in_pieces(f, with_context=True), "0 True 1 True 2 True ",
        fields={**PLAIN, "content-length": None},
    ),
    Exchange("flask-076", "GET /with-context", lambda f: in_pieces(f, with_context=True), "0 True 1 True 2 True "),
    Exchange(
        "flask-092", "GET /without-context", lambda f: in_pieces(f, with_context=False), "0 False 1 False 2 False ",
    ),
    Exchange(
        "flask-077 flask-089", "GET /download/a.txt",
        lambda f, name: f.send_from_directory("files", name, as_attachment=True), "a file",
        fields={"content-disposition": "attachment; filename=a.txt", "content-length": "6", **PLAIN},
        rule="/download/<path:name>",
    ),
    Exchange("flask-078", "GET /download/..%2Ftemplates%2Fpage.html", None, re.compile("not found"), 404),
    Exchange("flask-078", "GET /download/none.txt", None, re.compile("not found"), 404),
    Exchange(
        "flask-079 flask-080 flask-081 flask-082", "GET /send-file",
        lambda f: f.send_file(file_at(8), mimetype="application/pdf", as_attachment=True, download_name="report.pdf"),
        "content", fields={"content-type": "application/pdf", "content-disposition": "attachment; filename=report.pdf"},
    ),
    Exchange(
        "flask-081", "GET /send-inline", lambda f: f.send_file(file_at(0), mimetype="text/plain"), "skipped content",
        fields={"content-disposition": None},
    ),
    Exchange("flask-083", "GET /context", lambda f: repr(f.has_request_context()), "True"),
    Exchange("flask-084", "GET /outside", outside, "(False, 'RuntimeError')"),
    Exchange("flask-086", "GET /nowhere", None, re.compile("not found"), 404, {"x-custom-header": "/nowhere"}),
    Exchange("flask-087", "GET /once", after_this, "marked", fields={"x-once": "yes"}),
    Exchange("flask-087", "GET /once-not-twice", lambda f: "plain", "plain", fields={"x-once": None}),
]  # fmt: skip
