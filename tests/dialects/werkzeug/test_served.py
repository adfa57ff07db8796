"""An application answers the same over each interface, and as a WSGI application that is called."""

import pytest

from antiphon import to_app
from antiphon.adapters.foreign.wsgi import from_wsgi
from antiphon.dialects.werkzeug.exceptions import NotFound
from antiphon.dialects.werkzeug.test import Client as OwnClient
from antiphon.dialects.werkzeug.utils import redirect
from antiphon.dialects.werkzeug.wrappers import Request, Response
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once

ENDS = ("content-type", "content-length", "location", "etag", "set-cookie", "vary", "x-seen")


@Request.application
def application(request):
    if request.path == "/form":
        file = request.files["upload"]
        return Response(f"{request.form['name']} {file.filename} {file.read().decode()}")
    if request.path == "/json":
        return Response(str(request.get_json()["a"]), headers={"X-Seen": request.method})
    if request.path == "/cookies":
        response = Response("; ".join(sorted(request.cookies)))
        response.set_cookie("own", "a b", httponly=True)
        response.vary.add("Cookie")
        return response
    if request.path == "/tagged":
        response = Response("tagged")
        response.add_etag()
        return response.make_conditional(request)
    if request.path == "/streamed":
        return Response(chunk for chunk in ("a", "b", request.args["c"]))
    if request.path == "/away":
        return redirect("/j\u00f6")
    raise NotFound


def told(response):
    return {name: value for name, value in response.headers.items() if name.lower() in ENDS}


MULTIPART = (
    b'--between\r\nContent-Disposition: form-data; name="name"\r\n\r\nAda\r\n--between\r\n'
    b'Content-Disposition: form-data; name="upload"; filename="a.txt"\r\n\r\ncontent\r\n--between--\r\n'
)
REQUESTS = [
    ("POST", "/form", {"content-type": "multipart/form-data; boundary=between"}, MULTIPART),
    ("POST", "/json", {"content-type": "application/json"}, b'{"a": [1, 2]}'),
    ("POST", "/json", {"content-type": "text/plain"}, b"{}"),
    ("POST", "/json", {"content-type": "application/json"}, b"{"),
    ("GET", "/cookies", {"cookie": "b=1; a=2"}, b""),
    ("GET", "/tagged", {}, b""),
    ("HEAD", "/tagged", {}, b""),
    ("GET", "/tagged", {"if-none-match": "*"}, b""),
    ("GET", "/streamed?c=%C3%BC", {}, b""),
    ("GET", "/away", {}, b""),
    ("GET", "/nowhere", {}, b""),
]


@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("method, path, headers, body", REQUESTS, ids=lambda value: str(value)[:20])
def test_answers_are_the_same(interface, method, path, headers, body):
    client = OwnClient(application, use_cookies=False)
    own = client.open(path, "http://testserver", method=method, headers=headers, data=body or None)
    with Client(to_app(from_wsgi(application)), interface=interface, follow_redirects=False) as client:
        served = client.request(method, path, headers=headers, body=body)
    assert served.status == own.status_code
    assert served.body == own.data
    expected = {name.lower(): value for name, value in told(own).items()}
    assert {name: value for name, value in told(served).items() if name in expected} == expected
