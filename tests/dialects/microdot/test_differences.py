"""What differs from Microdot on purpose, as the reference lists it."""

import pytest

from antiphon.dialects.microdot import Request, Response
from antiphon.dialects.microdot.multipart import with_form_data

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


def test_quoted_cookies_have_no_quotes(app, serve):
    @app.get("/")
    def handler(request):
        @request.after_request
        def keep(request, response):
            response.set_cookie("b", 'say "hi", you')

        return request.cookies

    client = serve(app)
    assert client.get("/", headers={"cookie": 'a="x y"'}).json == {"a": "x y"}
    assert client.get("/").json == {"b": 'say "hi", you'}


def test_all_values_of_a_field_of_parts_are_there(app, serve):
    @app.post("/")
    @with_form_data
    async def handler(request):
        return request.form.getlist("a")

    part = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n%d\r\n'
    body = part % 1 + part % 2 + b"--b--\r\n"
    assert serve(app).post("/", body=body, headers={"content-type": "multipart/form-data; boundary=b"}).json == [
        "1",
        "2",
    ]


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


def test_a_partitioned_cookie_is_secure():
    with pytest.raises(ValueError, match="secure"):
        Response().set_cookie("a", "1", partitioned=True)
