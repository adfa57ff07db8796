"""What a view reads of its request, and the rules that lead to it: the rows of the table, word for word."""

from contextlib import suppress

import pytest

from antiphon.dialects import flask
from antiphon.dialects.flask import Blueprint, Flask, jsonify, request
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

BROWSER = {"User-Agent": "Mozilla/5.0", "Referer": "http://localhost/from", "Cookie": "session_id=abc; b=2"}


def make_app():
    app = Flask(__name__)
    app.testing = True
    return app


@pytest.fixture
def app():
    return make_app()


def seen(app, read, *arguments, rule="/search", **options):
    """What ``read`` returns in a view, for a request."""
    values = []

    def view(**_):
        values.append(read())
        return ""

    app.add_url_rule(rule, view_func=view, endpoint="seen", methods=["GET", "POST"])
    status = app.test_client(use_cookies=False).open(*(arguments or ["/search"]), **options).status_code
    assert status == 200
    return values[0]


@pytest.mark.feature("flask-001", "flask-002", "flask-003")
def test_a_view_reads_the_request_through_the_name_of_the_module(app):
    @app.route("/search")
    def search():
        return f"{request.method} {request.path}"

    client = app.test_client()
    assert client.get("/search").text == "GET /search"
    assert client.head("/search").status_code == 200
    assert sorted(client.options("/search").allow) == ["GET", "HEAD", "OPTIONS"]
    assert client.post("/search").status_code == 405
    assert (app.name, app.import_name) == (__name__, __name__)


@pytest.mark.feature("flask-004")
def test_methods_limit_a_view(app):
    @app.route("/login", methods=["POST"])
    def login():
        return "in"

    client = app.test_client()
    assert client.post("/login").text == "in"
    refused = client.get("/login")
    assert (refused.status_code, sorted(refused.allow)) == (405, ["OPTIONS", "POST"])


QUERY = "q=flask&tag=a&tag=b&page=3&bad=x&empty="


@pytest.mark.feature("flask-005", "flask-006", "flask-007", "flask-008", "flask-009")
@rows(
    "read, expected",
    [
        (lambda args: args.get("q", ""), "flask"),
        (lambda args: args.get("tag", ""), "a"),
        (lambda args: args.get("none", ""), ""),
        (lambda args: args.get("none"), None),
        (lambda args: args.get("page", 1, type=int), 3),
        (lambda args: args.get("bad", 1, type=int), 1),
        (lambda args: args.get("none", 1, type=int), 1),
        (lambda args: args.getlist("tag"), ["a", "b"]),
        (lambda args: args.getlist("none"), []),
        (lambda args: args.to_dict(), {"q": "flask", "tag": "a", "page": "3", "bad": "x", "empty": ""}),
        (lambda args: jsonify(args.to_dict()).json["q"], "flask"),
        (lambda args: list(args.items(multi=True))[:3], [("q", "flask"), ("tag", "a"), ("tag", "b")]),
    ],
)
def test_the_fields_of_the_query(read, expected):
    app = make_app()
    assert seen(app, lambda: read(request.args), f"/search?{QUERY}") == expected


@pytest.mark.feature("flask-010", "flask-011", "flask-012")
def test_the_fields_of_a_form(app):
    form = {"username": "Ada", "remember_me": "on"}

    def read():
        fields = request.form
        assert fields["username"] == "Ada"
        with pytest.raises(KeyError):
            fields["password"]
        return fields.get("username"), fields.get("password"), "remember_me" in fields, "other" in fields

    assert seen(app, read, method="POST", data=form) == ("Ada", None, True, False)


@pytest.mark.feature("flask-010")
def test_a_missing_field_that_nobody_catches_is_a_400(app):
    app.testing = False
    app.add_url_rule("/login", view_func=lambda: request.form["username"], endpoint="login", methods=["POST"])
    assert app.test_client().post("/login", data={"a": "b"}).status_code == 400


@pytest.mark.feature(
    "flask-016", "flask-017", "flask-018", "flask-019", "flask-020", "flask-021", "flask-022", "flask-023", "flask-024",
    "flask-025", "flask-026", "flask-027", "flask-028", "flask-029",
)  # fmt: skip
@rows(
    "read, expected",
    [
        (lambda: (request.headers.get("user-AGENT"), request.headers.get("X-None")), ("Mozilla/5.0", None)),
        (lambda: (request.cookies.get("session_id"), request.cookies.get("none")), ("abc", None)),
        (lambda: request.url, "http://localhost/items/7?q=a&b"),
        (lambda: request.base_url, "http://localhost/items/7"),
        (lambda: request.url_root, "http://localhost/"),
        (lambda: request.path, "/items/7"),
        (lambda: request.query_string, b"q=a&b"),
        (lambda: request.method, "GET"),
        (lambda: request.endpoint, "seen"),
        (lambda: request.view_args, {"number": 7}),
        (lambda: (str(request.url_rule), request.url_rule.endpoint), ("/items/<int:number>", "seen")),
        (lambda: request.remote_addr, "127.0.0.1"),
        (lambda: str(request.user_agent), "Mozilla/5.0"),
        (lambda: request.referrer, "http://localhost/from"),
    ],
)
def test_the_head_of_a_request(read, expected):
    app = make_app()
    assert seen(app, read, "/items/7?q=a&b", rule="/items/<int:number>", headers=BROWSER) == expected


@pytest.mark.feature("flask-024", "flask-029")
def test_what_is_not_there_is_none(app):
    with app.test_request_context("/nowhere"):
        assert (request.endpoint, request.view_args, request.url_rule, request.referrer) == (None, None, None, None)
        assert (request.blueprint, request.blueprints) == (None, [])


@pytest.mark.feature("flask-035", "flask-036")
def test_the_body_as_bytes_and_as_text(app):
    def read():
        return request.data, request.get_data(), request.get_data(as_text=True)

    body = "raw ü".encode()
    assert seen(app, read, method="POST", data=body, content_type="text/plain") == (body, body, "raw ü")


@pytest.mark.feature("flask-037")
def test_the_body_as_a_stream(app):
    def read():
        return [request.stream.read(3), request.stream.readline(), request.stream.read()]

    assert seen(app, read, method="POST", data=b"abcde\nf") == [b"abc", b"de\n", b"f"]


@pytest.mark.feature("flask-038")
def test_settings_count_when_they_are_read(app):
    app.config["GREETING"] = "hello"
    app.add_url_rule("/", view_func=lambda: flask.current_app.config["GREETING"], endpoint="index")
    client = app.test_client()
    assert client.get("/").text == "hello"
    app.config["GREETING"] = "goodbye"
    assert client.get("/").text == "goodbye"


def parts(*sizes):
    fields = [
        f'--b\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\n{"x" * size}\r\n' for n, size in enumerate(sizes)
    ]
    return {"data": "".join([*fields, "--b--\r\n"]).encode(), "content_type": "multipart/form-data; boundary=b"}


PLAIN = {"data": b"x" * 1000, "content_type": "text/plain"}
URLENCODED = {"data": b"a=" + b"x" * 1000, "content_type": "application/x-www-form-urlencoded"}


@pytest.mark.feature("flask-039", "flask-040", "flask-041")
@rows(
    "setting, limit, sent, status",
    [
        ("MAX_CONTENT_LENGTH", None, PLAIN, 200),
        ("MAX_CONTENT_LENGTH", 1000, PLAIN, 200),
        ("MAX_CONTENT_LENGTH", 999, PLAIN, 413),
        ("MAX_CONTENT_LENGTH", 999, URLENCODED, 413),
        ("MAX_FORM_MEMORY_SIZE", 999, URLENCODED, 200),
        ("MAX_FORM_MEMORY_SIZE", 1000, parts(500, 500), 200),
        ("MAX_FORM_MEMORY_SIZE", 999, parts(500, 500), 413),
        ("MAX_FORM_PARTS", 3, parts(1, 1, 1), 200),
        ("MAX_FORM_PARTS", 2, parts(1, 1, 1), 413),
    ],
)
def test_limits_of_the_application(setting, limit, sent, status):
    app = make_app()
    app.config[setting] = limit
    app.add_url_rule("/", view_func=lambda: str([request.form, request.get_data()]), endpoint="i", methods=["POST"])
    assert app.test_client().post("/", **sent).status_code == status


@pytest.mark.feature("flask-039", "flask-040", "flask-041")
def test_the_limits_that_are_not_set(app):
    with app.test_request_context():
        assert (request.max_content_length, request.max_form_memory_size, request.max_form_parts) == (
            None,
            500_000,
            1_000,
        )


@pytest.mark.feature("flask-042")
@rows("own, status", [(1000, 200), (999, 413), (None, 413)])
def test_a_view_has_a_limit_of_its_own(own, status):
    app = make_app()
    app.config["MAX_CONTENT_LENGTH"] = 500

    @app.post("/upload")
    def upload():
        request.max_content_length = own
        return str(len(request.get_data()))

    @app.post("/other")
    def other():
        return str(len(request.get_data()))

    client = app.test_client()
    assert client.post("/upload", **PLAIN).status_code == status
    assert client.post("/other", **PLAIN).status_code == 413


@pytest.mark.feature("flask-043", "flask-044", "flask-045")
def test_the_blueprint_of_a_request():
    app = Flask(__name__)
    admin, inner = Blueprint("admin", __name__, url_prefix="/admin"), Blueprint("inner", __name__, url_prefix="/inner")

    @admin.route("/users")
    @inner.route("/users")
    @app.route("/users")
    def users():
        return [request.blueprint, request.blueprints, request.endpoint]

    admin.register_blueprint(inner)
    app.register_blueprint(admin)
    client = app.test_client()
    assert client.get("/admin/users").json == ["admin", ["admin"], "admin.users"]
    assert client.get("/admin/inner/users").json == ["admin.inner", ["admin.inner", "admin"], "admin.inner.users"]
    assert client.get("/users").json == [None, [], "users"]


@pytest.mark.feature("flask-072", "flask-073")
def test_variables_of_rules(app):
    @app.route("/number/<int:id>")
    @app.route("/name/<filename>")
    def view(**values):
        return [[name, value, type(value).__name__] for name, value in values.items()]

    client = app.test_client()
    assert client.get("/number/7").json == [["id", 7, "int"]]
    assert client.get("/name/a.txt").json == [["filename", "a.txt", "str"]]
    assert [client.get(path).status_code for path in ("/number/x", "/number/-1", "/name/a/b", "/name/")] == [404] * 4


@pytest.mark.feature("flask-088")
def test_the_classes_of_requests_and_responses_are_public(app):
    class OwnRequest(flask.Request):
        @property
        def shouted(self):
            return self.path.upper()

    class OwnResponse(flask.Response):
        default_mimetype = "text/x-own"

    app.request_class, app.response_class = OwnRequest, OwnResponse
    app.add_url_rule("/a", view_func=lambda: request.shouted, endpoint="a")
    response = app.test_client().get("/a")
    assert (response.text, response.mimetype) == ("/A", "text/x-own")
    assert flask.Response("").mimetype == "text/html"
    with suppress(AttributeError):
        del app.request_class
    assert app.request_class is flask.Request
