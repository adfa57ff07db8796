"""What pages read of a request, over each interface."""

import os
import re
from functools import cache

import pytest

from antiphon.dialects.asok import current_request
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


@pytest.fixture
def read(serve):
    """The value of an expression about the request, and how it is asked for."""
    page = "def render(request):\n    return request.json([repr(eval(request.headers['x-expression']))])\n"

    @cache
    def served(interface, proxies, client):
        return serve(
            {"page.py": page, "src/pages/a/b/page.py": page}, interface,
            lambda app: app.config.update(CSRF=False, TRUSTED_PROXIES=proxies), client=client,
        )  # fmt: skip

    def read(expression, url="/", method="GET", *, interface="wsgi", client=("127.0.0.1", 1), proxies=None, **sent):
        headers = {**sent.pop("headers", {}), "x-expression": expression}
        response = served(interface, proxies, client).request(method, url, headers=headers, **sent)
        assert response.status == 200, response.text
        return eval(response.json[0])

    return read


FORM = {"form": {"email": "a@example.com", "n": "2"}, "method": "POST"}
SENT_JSON = {"json": {"key": "value"}, "method": "POST"}
MALFORMED = {"body": b"{", "headers": {"content-type": "application/json"}, "method": "POST"}
COOKIES = {"cookies": {"a": "1", "b": "2"}}
HERE = "http://testserver"


@pytest.mark.feature("asok-005", "asok-006", "asok-007", "asok-008", "asok-009", "asok-010", "asok-069", "asok-013")
@rows(
    "expression, url, sent, value",
    ("request.args['q']", "/?q=hello%20you", {}, "hello you"),
    ("request.args['q']", "/?q=a&q=", {}, ""),
    ("request.args.get('q')", "/?p=1", {}, None),
    ("request.args.get('q')", "/?q=1", {}, "1"),
    ("request.args.getlist('q')", "/?q=a&q=b&r=c", {}, ["a", "b"]),
    ("request.args.getlist('x', ['none'])", "/", {}, ["none"]),
    ("request.form['email']", "/", FORM, "a@example.com"),
    ("(request.form['n'], request.args['n'])", "/?n=1", FORM, ("2", "1")),
    ("request.form['m'], request.post_form", "/?m=3", FORM, ("3", FORM["form"])),
    ("request.json_body", "/", SENT_JSON, {"key": "value"}),
    ("request.json_body", "/", FORM, None),
    ("request.json_body", "/", MALFORMED, None),
    ("request.json['key'], request.json.get('x')", "/", SENT_JSON, ("value", None)),
    ("request.get_json(), request.is_json", "/", SENT_JSON, ({"key": "value"}, True)),
    ("dict(request.json), request.is_json", "/", FORM, ({}, False)),
    ("request.post_form", "/", SENT_JSON, {"key": "value"}),
    ("request.method", "/", {"method": "PUT"}, "PUT"),
    ("request.path", "/a/b?c=d", {}, "/a/b"),
    ("request.raw_query_string, request.url", "/a/b?c=%20", {}, ("c=%20", f"{HERE}/a/b?c=%20")),
    ("request.base_url, request.host_url", "/a/b?c=d", {}, (f"{HERE}/a/b", f"{HERE}/")),
    ("request.full_url, request.scheme", "/", {}, (f"{HERE}/", "http")),
    ("request.host, request.hostname", "/", {"headers": {"host": "shop:81"}}, ("shop:81", "shop")),
    ("request.headers['x-one']", "/", {"headers": {"X-One": "1"}}, "1"),
    ("request.cookies_dict", "/", COOKIES, COOKIES["cookies"]),
    ("type(request.cookies_dict).__name__, request.cookies_dict.get('key')", "/", {}, ("dict", None)),
    ("request.cookie('a'), request.cookie('z', 3), request.cookies['b']", "/", COOKIES, ("1", 3, "2")),
    ("request.user_agent", "/", {"headers": {"user-agent": "Mozilla/5.0 x"}}, "Mozilla/5.0 x"),
    ("type(request.user_agent).__name__", "/", {}, "str"),
    ("request.body", "/", {"method": "POST", "body": b"raw"}, b"raw"),
    ("request.native.app is request.app.native", "/", {}, True),
)
def test_a_request_has_these_values(read, interface, expression, url, sent, value):
    assert read(expression, url, interface=interface, **sent) == value


PROXIES = "10.0.0.0/8"


@pytest.mark.feature("asok-011", "asok-012")
@rows(
    "proxies, client, sent, ip",
    (None, "192.0.2.1", None, "192.0.2.1"),
    (None, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
    (PROXIES, "192.0.2.1", "198.51.100.7", "192.0.2.1"),
    (PROXIES, "10.1.2.3", "198.51.100.7", "198.51.100.7"),
    ("10.0.0.0/8, ::1", "10.1.2.3", "6.6.6.6, 198.51.100.7", "198.51.100.7"),
)
def test_the_address_is_a_proxy_s_word_only_behind_one_that_is_declared(read, proxies, client, sent, ip):
    headers = {"x-forwarded-for": sent} if sent else {}
    assert read("request.ip", interface="asgi", proxies=proxies, client=(client, 1), headers=headers) == ip


READS = """
def post(request):
    file = request.file("photo")
    return request.json([file.name, file.size, file.content.decode(), file.read(2).decode(), file.content_type,
                         [each.name for each in request.file_list()], len(request.file_list("photo")),
                         request.file("none"), request.form["title"], request.files["photo"] is file,
                         file["filename"], file.file.read().decode(), file.validate_mime_type()])
"""
SAVES = """
def post(request):
    file = request.file("photo")
    try:
        path = file.save({arguments})
    except ValueError as error:
        return request.text(str(error), 422)
    return request.json([path, file.filename])
"""


def test_files_of_a_form_are_read(serve, interface):
    client = serve({"page.py": READS}, interface, lambda app: app.config.update(CSRF=False))
    files = {"photo": ("../a.gif", b"GIF89a", "image/gif"), "other": ("b.txt", b"b")}
    name, size, content, first, kind, *rest = client.post("/", form={"title": "T"}, files=files).json
    assert (name, size, content, first, kind) == ("a.gif", 6, "GIF89a", "GI", "image/gif")
    assert rest == [["a.gif", "b.txt"], 1, None, "T", True, "a.gif", "GIF89a", True]


PNG = b"\x89PNG\r\n\x1a\n of no use"


@pytest.mark.parametrize(
    ("arguments", "name", "content", "path"),
    [
        ("'inbox/'", "a.png", PNG, r"inbox/[0-9a-f-]{36}\.png"),
        ("'inbox/', secure_filename=False", "a.png", PNG, r"inbox/a\.png"),
        ("'', secure_filename=False", "taken.png", PNG, r"taken_1\.png"),
        ("'inbox/other.png', secure_filename=False", "a.png", PNG, r"inbox/a\.png"),
        ("'', False, None, False", "a.txt", b"text", r"a\.txt"),
        ("'', allowed_types=['image/png'], secure_filename=False, private=True", "a.png", PNG, r"a\.png"),
        ("'', allowed_types=['image/jpeg']", "a.png", PNG, None),
        ("''", "a.jpg", PNG, None),
        ("''", "a.txt", b"text", None),
        ("'../html/'", "a.png", PNG, None),
        ("'/etc/'", "a.png", PNG, None),
    ],
)
def test_a_file_is_saved_below_the_uploads_if_it_is_what_it_seems(serve, tmp_path, arguments, name, content, path):
    files = {"page.py": SAVES.format(arguments=arguments), "src/partials/uploads/taken.png": "taken"}
    client = serve(files, prepare=lambda app: app.config.update(CSRF=False), folder=tmp_path)
    response = client.post("/", files={"photo": (name, content)})
    if path is None:
        assert response.status == 422, response.text
        return
    saved, filename = response.json
    below = saved.removeprefix(str(tmp_path / "src/partials/uploads/"))
    assert re.fullmatch(path, below.lstrip("/"))
    assert saved.endswith(filename)
    assert client.get(f"/uploads/{below.lstrip('/')}").body == content
    assert oct(os.stat(saved).st_mode)[-3:] == ("600" if "private" in arguments else "644")


@rows("name", ["a" * 251 + ".png", "\u00fc" * 125 + "a.png", "a." + "b" * 253])
def test_a_long_name_that_is_taken_gets_a_number_in_the_place_of_its_end(serve, tmp_path, name):
    page = SAVES.format(arguments="'', False, None, False")
    client = serve({"page.py": page}, prepare=lambda app: app.config.update(CSRF=False), folder=tmp_path)
    saved = [client.post("/", files={"photo": (name, b"x")}).json[1] for _ in range(12)]
    assert len({*saved}) == 12
    assert saved[0] == name
    assert all(len(each.encode()) <= 255 and re.search(r"_\d+(\.\w{3})?$", each) for each in saved[1:])
    assert {*os.listdir(tmp_path / "src/partials/uploads")} == {*saved}


def test_the_current_request_is_that_of_the_page(serve):
    page = """
from antiphon.dialects.asok import current_request

def render(request):
    current_request.note = "noted"
    return f"{current_request.path} {request.note} {bool(current_request)}"
"""
    assert serve({"page.py": page}).get("/").text == "/ noted True"
    assert not current_request
    with pytest.raises(RuntimeError, match="no request is being handled"):
        current_request.path  # noqa: B018 - reading it raises


def test_a_project_without_texts_has_its_default_language_and_keys(read):
    assert read("request.lang, request.__('welcome'), request.__('{a}', a=1)", "/?lang=fr") == ("en", "welcome", "{a}")
