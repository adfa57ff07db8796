"""What the debug mode adds to the answer to a request that lacks a name: the names that it has."""

import pytest

from antiphon import App
from antiphon.http.multidict import MissingKey
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")


app = App()


@app.post("/form")
def read_form(request):
    return request.form["typo"]


@app.post("/files")
async def read_files(request):
    return request.files["picture"].filename


@app.post("/json")
def read_json(request):
    return request.json["typo"]


@app.get("/query")
async def read_query(request):
    return request.args["typo"]


@app.post("/stream", receive="stream")
def read_nothing(request):
    raise MissingKey("typo")


CASES = [
    ("POST", "/form?page=2", {"form": {"title": "Tea", "shelf": "<b>"}}, ["query: page", "form: title, shelf"]),
    ("POST", "/files", {"files": {"photo": b"..."}}, ["files: photo"]),
    ("POST", "/files", {"form": {"title": "Tea"}}, ["form: title"]),
    ("POST", "/json", {"json": {"name": 1, "price": 2}}, ["JSON: name, price"]),
    ("GET", "/query?page=2&page=3&sort=up", {}, ["query: page, sort"]),
    ("GET", "/query?" + "&".join(f"n{n}=" for n in range(60)), {}, ["query: " + ", ".join(f"n{n}" for n in range(50))]),
    ("GET", f"/query?{'x' * 200}=1", {}, [f"query: {'x' * 100}"]),
    ("POST", "/stream?page=2", {"body": b"a=1", "headers": {"content-type": "text/plain"}}, ["query: page"]),
]


@rows("method, path, options, sent", CASES)
def test_the_names_that_were_sent_stand_in_the_answer(pages, interface, method, path, options, sent):
    response = pages(app, interface).problem(path, method, **options)
    assert response.status == (422 if path == "/files" else 400)
    assert response.json["debug"]["sent"] == sent


def test_a_form_without_an_encoding_for_files_is_told(pages, interface):
    response = pages(app, interface).page("/files", "POST", form={"picture": "tea.png"})
    assert (
        'files: none; a form sends its files with <form method="post" enctype="multipart/form-data">' in response.shown
    )
    assert "form: picture" in response.shown


def test_names_are_escaped_in_a_page(pages, interface):
    response = pages(app, interface).page("/query?%3Cscript%3E=1")
    assert "query: &lt;script&gt;" in response.text


def test_a_request_without_names_gets_the_answer_alone(pages, interface):
    assert "debug" not in pages(app, interface).problem("/query").json
