"""What differs from Microdot on purpose, as the reference lists it."""

import asyncio

import pytest

from antiphon.dialects.microdot import Microdot, Request, Response
from antiphon.dialects.microdot.auth import BasicAuth
from antiphon.dialects.microdot.cors import CORS
from antiphon.dialects.microdot.csrf import CSRF
from antiphon.dialects.microdot.jinja import Template
from antiphon.dialects.microdot.multipart import FormDataIter, with_form_data
from antiphon.dialects.microdot.test_client import TestClient
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

FORM = {"content-type": "application/x-www-form-urlencoded"}


def test_a_form_of_too_many_fields_is_a_413(app, serve):
    app.post("/")(lambda request: str(len(request.form)))
    client = serve(app)
    assert client.post("/", body=b"&".join([b"a=%d" % n for n in range(1000)]), headers=FORM).text == "1"
    assert client.post("/", body=b"&".join([b"a=%d" % n for n in range(1001)]), headers=FORM).status == 413


def test_a_query_of_too_many_fields_is_a_414(app, serve, monkeypatch):
    monkeypatch.setattr(Request, "max_readline", 1 << 20)
    app.get("/")(lambda request: str(len(request.args)))
    assert serve(app).get("/?" + "a&" * 1001).status == 414


def test_broken_escapes_are_read_as_browsers_do(app, serve):
    app.post("/")(lambda request: [request.args["a"], request.form["a"]])
    assert serve(app).post("/?a=100%", body=b"a=%zz", headers=FORM).json == ["100%", "%zz"]


def test_compressed_bodies_are_decoded(app, serve):
    import gzip

    app.post("/")(lambda request: request.body)
    client = serve(app)
    assert client.post("/", body=gzip.compress(b"plain"), headers={"content-encoding": "gzip"}).text == "plain"
    bomb = gzip.compress(bytes(Request.max_content_length + 1))
    assert client.post("/", body=bomb, headers={"content-encoding": "gzip"}).status == 413


def test_a_header_is_there_once_however_it_is_written(app, serve):
    @app.get("/")
    def handler(request):
        response = Response("x", headers={"x-a": "1"})
        response.headers["X-A"] = "2"
        return response

    assert [value for name, value in serve(app).get("/").headers.items() if name == "x-a"] == ["2"]


def test_expires_has_to_be_a_date():
    with pytest.raises(ValueError, match="date"):
        Response().set_cookie("a", "1", expires="tomorrow")


def test_allow_names_each_method_once(app, serve):
    for pattern in ("/<name>", "/<other>", "/a"):
        app.get(pattern)(lambda request, **values: "")
    client = serve(app)
    for path in ("/a", "/b"):
        assert client.options(path).headers["allow"] == "GET, HEAD, OPTIONS"


def test_the_scheme_of_credentials_has_no_case(app, serve):
    auth = BasicAuth()
    auth.authenticate(lambda request, name, password: name)
    app.get("/")(auth(lambda request: request.g.current_user))
    assert serve(app).get("/", headers={"authorization": "bAsIc YTpi"}).text == "a"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [("Application/JSON", b"[1]"), ("application/json ;a=b", b"[1]"), ("APPLICATION/X-WWW-FORM-URLENCODED", b"a&b=1")],
)
def test_media_types_are_compared_without_regard_to_case_and_spaces(app, serve, content_type, body):
    app.post("/")(lambda request: [request.json, request.form])
    read = serve(app).post("/", body=body, headers={"content-type": content_type}).json
    assert read in ([[1], None], [None, {"a": [""], "b": ["1"]}])


def test_a_body_that_the_test_client_cuts_short_is_a_400(app):
    app.post("/")(lambda request: request.body)
    response = asyncio.run(TestClient(app).post("/", {"Content-Length": "5"}, "1234"))
    assert response.status_code == 400


def test_a_cookie_without_an_equals_sign_has_no_name(app, serve):
    app.get("/")(lambda request: request.cookies)
    assert serve(app).get("/", headers={"cookie": "a=1; lonely"}).json == {"a": "1", "": "lonely"}


@pytest.mark.parametrize("content_type", ["multipart/form-data", 'multipart/form-data; boundary="other"'])
def test_a_form_in_parts_that_is_malformed_is_a_400(app, serve, content_type):
    app.post("/")(with_form_data(lambda request: "read"))

    @app.post("/each")
    async def each(request):
        return [name async for name, _ in FormDataIter(request)]

    client = serve(app)
    body = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n'
    assert client.post("/", body=body, headers={"content-type": 'multipart/form-data; boundary="b"'}).text == "read"
    for path in ("/", "/each"):
        assert client.post(path, body=body, headers={"content-type": content_type}).status == 400


def test_a_generator_that_gives_nothing_is_an_empty_body(answer):
    response = answer(lambda: iter(()))
    assert (response.status, response.body) == (200, b"")


@rows("allowed", [["https://shop.example"], None, "*"], ids=repr)
@rows("allow_subdomains", [False, True])
def test_an_origin_that_is_no_url_is_refused(serve, allowed, allow_subdomains):
    app = Microdot()
    CSRF(app, CORS(allowed_origins=allowed), allow_subdomains=allow_subdomains)
    app.post("/")(lambda request: "written")
    client = serve(app)
    for origin in ("null", "shop.example"):
        assert client.post("/", headers={"origin": origin}).status == 403


def test_a_streamed_template_that_fails_is_a_500(app, serve, tmp_path, monkeypatch):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates/page.html").write_text("<p>{{ 1 / n }}</p>{% for i in range(2000) %}{{ i }},{% endfor %}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Template, "jinja_env", None)
    app.get("/<int:n>")(lambda request, n: Template("page.html").generate(n=n))
    client = serve(app)
    assert client.get("/0").status == 500
    with client.stream("GET", "/1") as response:
        assert len([*response]) < 10
