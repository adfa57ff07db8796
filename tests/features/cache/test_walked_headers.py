"""A page whose code walks the header fields depends on all of them, whatever Vary it has, or was given."""

import gzip

import pytest

from antiphon import App, Response
from antiphon.features import CORS, Cache, Compression
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.axes("interface")

WALKS = {
    "items()": lambda headers: headers.items(),
    "values()": lambda headers: headers.values(),
    "str()": str,
    "repr()": repr,
    "getall() of each name": lambda headers: [headers.getall(name) for name in headers],
    "iter()": lambda headers: [*headers],
    "keys()": lambda headers: headers.keys(),
    "len()": len,
    "dict()": dict,
    "**": lambda headers: dict(**headers),
    "==": lambda headers: [headers == headers, *headers.items()],
    "getall() of one name": lambda headers: headers.getall("authorization"),
}


def plain(app):
    app.use(Cache())
    return lambda request: {"vary": "accept"}


def compressed(app):
    app.use(Cache())
    app.use(Compression(["gzip"]))
    return lambda request: {}


def compressed_around(app):
    app.use(Compression(["gzip"]))
    app.use(Cache())
    return lambda request: {}


def shared_with_origins(app):
    app.use(Cache())
    app.use(CORS(["https://a.example"]))
    return lambda request: {}


def negotiated(app):
    app.use(Cache())
    return lambda request: {"content-language": request.accept_languages.best(["en", "de"], "en")}


def named(app):
    app.use(Cache())
    return lambda request: {"vary": "cookie, authorization, x-a"}


VARIES = {
    each.__name__: each for each in (plain, compressed, compressed_around, shared_with_origins, negotiated, named)
}


@rows("varies", VARIES.values(), ids=VARIES)
@rows("walk", WALKS.values(), ids=WALKS)
def test_nobody_else_is_given_what_was_made_of_all_fields(interface, walk, varies):
    app = App()
    fields = varies(app)

    @app.get("/")
    def page(request):
        response = Response(f"{walk(request.headers)}" + " " * 2000, headers=fields(request))
        response.cache_for(60, public=True)
        return response

    common = {"accept-encoding": "gzip", "origin": "https://a.example", "accept-language": "en"}
    ann = Client(app, interface, headers=common | {"authorization": "Bearer ann", "cookie": "name=ann", "x-ann": "1"})
    ben = Client(app, interface, headers=common | {"authorization": "Bearer ben", "cookie": "name=ben"})
    first, second = shown(ann.get("/")), shown(ben.get("/"))
    assert "ann" not in second
    assert second != first


def shown(response):
    is_coded = response.headers.get("content-encoding") == "gzip"
    return gzip.decompress(response.body).decode() if is_coded else response.text
