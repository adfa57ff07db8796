"""Types that can't be read, in the code of handlers: an error when the app starts, not at the first request."""

from dataclasses import dataclass

import pytest

from antiphon import App, Blueprint, Request, Upload
from antiphon.features import Form
from antiphon.handler.callables import describe
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


@dataclass
class Good:
    title: str
    tags: list[str]


@dataclass
class Nested:
    title: str
    sizes: dict[str, int]


@dataclass
class Picture:
    image: Upload


class Opaque:
    pass


def form(request: Request):
    return request.form_as(Nested).title


async def form_async(sent: Request):
    title = "a"
    return title, sent.form_as(Nested).title


def query(request: Request):
    return request.args_as(Nested).title


def query_with_a_file(request: Request):
    return request.args_as(Picture).image


def json(request: Request):
    return str(request.json_as(Opaque))


class Views:
    def form(self, request: Request):
        if request.method == "POST":
            return request.form_as(Nested).title
        return "empty"


def shown(request: Request):
    form = Form(Nested, request)
    return str(form.is_bound)


async def shown_with_options(request: Request):
    return str(Form(Nested, request, method="get").is_bound)


def enclosed():
    class Inner:
        pass

    def handler(request: Request):
        return request.json_as(Inner)

    return handler


@rows(
    "handler, said",
    (form, r"calls request.form_as\(Nested\): Nested.sizes can't be read from a form or query.*read JSON with json_as"),
    (form_async, r"calls request.form_as\(Nested\): Nested.sizes"),
    (query, r"calls request.args_as\(Nested\): Nested.sizes"),
    (query_with_a_file, r"calls request.args_as\(Picture\): Upload, in Picture.image, can't be read"),
    (json, r"calls request.json_as\(Opaque\): Opaque can't be read"),
    (Views().form, r"calls request.form_as\(Nested\): Nested.sizes"),
    (shown, r"calls Form\(Nested\): Nested.sizes"),
    (shown_with_options, r"calls Form\(Nested\): Nested.sizes"),
    (enclosed(), r"calls request.json_as\(Inner\): "),
)
def test_one_that_cannot_be_read_is_an_error_at_the_start(handler, said):
    app, blueprint = App(), Blueprint("shop")
    blueprint.post("/orders")(handler)
    app.register(blueprint)
    with pytest.raises(TypeError, match=said) as raised:
        app._freeze()
    assert str(raised.value).startswith(describe(handler))
    assert "antiphon explain unreadable-type" in raised.value.__notes__[-1]


class Other:
    def form_as(self, wanted):
        return wanted.__name__


def test_others_are_left_to_the_first_request(caplog, app):
    @app.post("/good")
    def good(request: Request):
        return request.form_as(Good).title + str(request.args_as(Good | None) if request.args else "")

    @app.post("/picture")
    def picture(request: Request):
        return request.form_as(Picture).image.filename or ""

    @app.get("/other")
    def other(request: Request):
        elsewhere = Other()
        return elsewhere.form_as(Nested)

    @app.get("/replaced")
    def replaced(request: Request):
        request = Other()
        return request.form_as(Nested)

    @app.get("/unknown")
    def unknown(request: Request):
        return request.form_as(NotThere)  # noqa: F821

    @app.post("/chosen")
    def chosen(request: Request):
        return request.form_as(Good if request.args else Nested).title

    client = Client(app)
    assert client.post("/good", form={"title": "a", "tags": "b"}).text == "a"
    assert client.get("/other").text == client.get("/replaced").text == "Nested"
    assert client.post("/chosen?a=1", form={"title": "a", "tags": "b"}).text == "a"
    assert client.post("/chosen", form={"title": "a"}).status == 500
    assert "Nested.sizes can't be read" in caplog.text
    assert f'"{__file__}", line ' in caplog.text
