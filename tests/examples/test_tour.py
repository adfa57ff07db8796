"""The tour responds over each interface as its first page promises."""

import re
from hashlib import sha256

import pytest

from antiphon.testing import Client
from examples.dialects.programs import DIFFERENT, PROGRAMS
from examples.tour import app, ways
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("client")


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def client(request):
    with Client(app, interface=request.param, base_url="http://localhost", raise_errors=False) as client:
        yield client


@rows("name", [program.name for program in PROGRAMS if program.name != "session"])
def test_each_way_of_a_program_sends_the_same_over_each_interface(name):
    varying = {"date", "expires", "last-modified", "content-security-policy", "set-cookie"}
    found = {
        interface: [(way.name, [part for part in way.parts if part[0] not in varying]) for way in compared]
        for interface in ("wsgi", "asgi", "rsgi")
        if (compared := ways.compared(name, interface))
    }
    assert found["wsgi"] == found["asgi"] == found["rsgi"]
    for way, parts in found["asgi"]:
        marks = {part: mark for part, _, mark in parts}
        assert marks["status"] == "same"
        if f"{name}/{way}" not in DIFFERENT and name not in {"upload", "error", "redirect"}:
            assert marks["body"] in {"same", "same value"}, (way, parts)


def test_a_part_that_differs_is_marked(monkeypatch):
    own, other = {"status": "200", "a": "1", "body": "{}"}, {"status": "404", "b": "1", "body": "{ }"}
    assert [*ways._marked(own, other)] == [
        ("status", "404", "differs"), ("a", "", "differs"), ("body", "{ }", "same value"), ("b", "1", "only here")
    ]  # fmt: skip


def test_the_first_page_shows_each_program_and_the_files_that_run(client):
    for program in ("form", "session"):
        page = client.get(f"/?program={program}&interface=rsgi").text
        assert page.count("<article>") == 8
        assert '<option value="rsgi" selected>' in page
    assert "readers = Blueprint(&#34;readers&#34;)" in page
    assert client.get("/?program=nowhere").status == 404


def test_each_link_of_the_first_page_leads_somewhere(client):
    links = set(re.findall(r'(?:href|src)="([^":?]+)"', client.get("/?program=hello").text))
    assert len(links) > 20
    for link in links - {"bug", "/.antiphon/requests"}:  # these need debug mode
        assert client.get(f"/{link.removeprefix('.').lstrip('/')}").status == 200, link


def test_one_body_has_five_readers(client):
    parts = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'
    body = parts % (b"note", b"Hello") + parts % (b'file"; filename="a.txt', b"words") + b"--b--\r\n"
    response = client.post("/readers", body=body, headers={"content-type": "multipart/form-data; boundary=b"})
    whole = sha256(body).hexdigest()
    assert response.headers["x-body-size"] == str(len(body))
    assert [*response.json.values()] == [
        "Hello", whole, whole, {"note": ["Hello"]}, {"a.txt": sha256(b"words").hexdigest()}
    ]  # fmt: skip


def test_a_typed_mistake_is_a_422_that_names_each_field(client):
    response = client.post("/api/lamps", json={"price": "cheap"})
    assert response.status == 422
    assert {error["pointer"] for error in response.json["errors"]} == {"/name", "/price"}


def test_the_document_says_what_the_code_does(client):
    paths = client.get("/api/openapi.json").json["paths"]
    assert [*paths["/api/lamps/{number}"]["get"]["responses"]] == ["200", "404", "421"]
    assert (client.get("/api/lamps/1").json["name"], client.get("/api/lamps/7").status) == ("Floor", 404)
    assert len(client.get("/api/lamps?most=50").json) == 1


def test_an_upload_goes_on_where_it_stopped(client):
    begun = client.post("/films", body=b"fra", headers={"upload-complete": "?0"})
    part = {"content-type": "application/partial-upload", "upload-offset": "3", "upload-complete": "?1"}
    ended = client.patch(begun.headers["location"], body=b"mes", headers=part)
    assert ended.json == {"sha256": sha256(b"frames").hexdigest()}
    assert "export async function upload" in client.get("/upload.js").text


def test_the_documentation_is_rendered_and_searched_and_nothing_else(client):
    page = client.get("/docs/how-to/forms.md")
    assert '<h2 id="messages">Messages</h2>' in page.text
    assert (
        "style=" not in client.get("/docs/reference/dialects.md").text.partition("<main>")[2]
    )  # its policy forbids it
    assert '<a href="how-to/signed-links.md">' in client.get("/docs/?q=sign+a+cookie").text
    assert "no page about this" in client.get("/docs/?q=zzzzzz").text
    assert client.get("/docs/images/mark.svg").headers["content-type"] == "image/svg+xml"
    for path in ("nowhere.md", "..%2FREADME.md", "..%2F..%2FREADME.md", "how-to", "images/..%2F..%2Fx.png"):
        assert client.get(f"/docs/{path}").status == 404, path
