"""The tour answers over each interface as its pages promise."""

import re
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import pytest

from antiphon.testing import Client
from examples.tour import app

pytestmark = pytest.mark.axes("client")


@pytest.fixture(params=["wsgi", "asgi", "rsgi"])
def client(request):
    with Client(app, interface=request.param, base_url="http://localhost", raise_errors=False) as client:
        yield client


def test_the_first_page_shows_what_the_request_knows(client):
    page = client.get("/", headers={"user-agent": "A <b>rowser", "accept-language": "de-AT, en;q=0.5"})
    assert page.status == 200
    assert "<h1>Guten Tag</h1>" in page.text
    assert "A &lt;b&gt;rowser" in page.text
    assert "visit number 1." in page.text
    assert "visit number 2." in client.get("/").text


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ({"name": "Ada"}, "Hello, Ada!"),
        ({"name": "<script>"}, "Hello, &lt;script&gt;!"),
        ({}, "Hello, stranger!"),
        ({"name": "Ada", "likes": ["tea", "coffee"]}, "You like tea and coffee."),
    ],
)
def test_the_form_greets(client, form, wanted):
    assert wanted in client.post("/greet", form=form).text


FILM = bytes(range(256)) * 8000
"""More than the other routes accept."""


def form_of(*files):
    parts = [f'--b\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n' for name, _ in files]
    contents = [content + b"\r\n" for _, content in files]
    return b"".join(head.encode() + content for head, content in zip(parts, contents, strict=True)) + b"--b--\r\n"


def send(client, *files, **headers):
    return client.post(
        "/upload", body=form_of(*files), headers={"content-type": "multipart/form-data; boundary=b"} | headers
    )


def test_the_size_and_hash_of_files_are_shown(client):
    assert 'enctype="multipart/form-data"' in client.get("/upload").text
    page = send(client, ("<film>.mp4", FILM), ("empty.txt", b"")).text
    assert "2 files have arrived" in page
    assert f"<dt>&lt;film&gt;.mp4<dd>2,048,000 bytes<dd>SHA-256 {sha256(FILM).hexdigest()}" in page
    assert f"<dt>empty.txt<dd>0 bytes<dd>SHA-256 {sha256(b'').hexdigest()}" in page


def test_no_file_is_told(client):
    assert "No files have arrived" in send(client, ("", b"")).text


def test_an_order_is_added_up(client):
    response = client.post("/api/orders", json={"items": [{"name": "tea", "price": 3.5, "count": 2}]})
    assert (response.status, response.json["total"]) == (201, 7.0)


def test_a_wrong_order_is_told_what_is_wrong(client):
    response = client.post("/api/orders", json={"items": [{"name": 1, "price": "dear"}]})
    assert response.status == 422
    assert [error["pointer"] for error in response.json["errors"]] == ["/items/0/name", "/items/0/price"]


def test_the_clock_never_ends_until_one_leaves(client):
    with client.stream("GET", "/clock") as response:
        chunks = iter(response)
        assert len(next(chunks)) == len(next(chunks)) == len("12:34:56\n")


def test_slow_handlers_of_both_styles_hold_up_nobody(client):
    with ThreadPoolExecutor(4) as pool:
        slow = [pool.submit(client.get, path) for path in ["/slow/async", "/slow/sync"] * 2]
        assert client.get("/hello/Ada").text == "Hello, Ada!"
        assert not any(answer.done() for answer in slow)
        assert {answer.result().status for answer in slow} == {200}


@pytest.mark.parametrize(("path", "status"), [("/items/7", 404), ("/error", 500), ("/nowhere", 404), ("/greet", 405)])
def test_errors_are_pages_for_browsers_and_problems_for_others(client, path, status):
    page = client.get(path, headers={"accept": "text/html,*/*;q=0.8"})
    problem = client.get(path)
    assert (page.status, problem.status) == (status, status)
    assert page.text.startswith("<!doctype html>")
    assert problem.json["status"] == status
    assert "log only" not in page.text + problem.text


def test_the_documentation_is_there_and_nothing_else(client):
    page = client.get("/docs/how-to/forms.md")
    assert (page.status, page.text.startswith("# Forms")) == (200, True)
    for path in ("/docs/nowhere.md", "/docs/..%2FREADME.md", "/docs/images/guestbook.png", "/docs/how-to"):
        assert client.get(path).status == 404, path


def test_each_link_of_the_first_page_leads_somewhere(client):
    links = set(re.findall(r'(?:href|src)="([^":]+)"', client.get("/").text))
    assert len(links) > 15
    fails = {"items/7": 404, "error": 500}
    for link in links - {"clock", "slow/async", "slow/sync"}:
        assert client.get(f"/{link.lstrip('/')}").status == fails.get(link, 200), link
