"""Vary names the fields by which a response was chosen (RFC 9110 §12.5.5), whatever has read them."""

import pytest

from antiphon import App, Response, to_app
from antiphon.testing import Client
from tests.helpers.rows import rows

pytestmark = pytest.mark.once


ATTRIBUTES = {"accept": "accept", "accept_encodings": "accept-encoding", "accept_languages": "accept-language"}


def vary(app, interface="wsgi", path="/", **sent):
    return Client(app, interface=interface).get(path, **sent).headers.getall("vary")


@rows("attribute", ATTRIBUTES)
def test_what_a_handler_reads(interface, attribute):
    app = App()

    @app.get("/")
    def choose(request):
        return getattr(request, attribute).best(["a/b", "utf-8"], "none")

    assert vary(app, interface) == [ATTRIBUTES[attribute]]


def test_all_that_is_read_once(interface, app):
    @app.get("/")
    async def choose(request):
        for _ in range(2):
            request.accept_languages.best(["en"])
            request.accept.best(["text/html"])
        return Response("chosen", headers={"vary": "Accept, cookie"})

    assert vary(app, interface) == ["Accept", "cookie", "accept-language"]


@rows("attribute, fields", ("content_length", []), ("content_encoding", ["content-encoding"]))
@rows("prefix", ["", "/inner"])
def test_what_a_shared_page_reads_of_a_body_that_no_server_adds(attribute, fields, prefix):
    app, outer = App(), App()
    app.get("/")(lambda request: (str(getattr(request, attribute)), {"cache-control": "public, max-age=60"}))
    outer.mount("/inner", app)
    assert vary(outer if prefix else app, path=f"{prefix}/") == fields


def test_a_response_that_varies_by_all_says_nothing_more(app):
    @app.get("/")
    def choose(request):
        return Response(str(request.accept), headers={"vary": "*"})

    assert vary(app) == ["*"]


def test_what_nobody_reads_is_not_named(app):
    app.get("/")(lambda request: request.headers["accept"] + str(request.user_agent))
    assert vary(app, headers={"accept": "text/html"}) == []


@rows("when", ["before", "after"])
@rows("outside", [False, True])
def test_what_a_middleware_reads(interface, when, outside):
    app = App()

    @app.middleware(before_routing=outside)
    def around(request):
        if when == "before":
            assert request.accept_languages is not None
        yield
        if when == "after":
            assert request.accept_languages is not None

    app.get("/")(lambda request: "read")
    assert vary(app, interface) == ["accept-language"]


def test_a_page_about_an_error_is_chosen_by_accept(app):
    assert vary(app, path="/nothing") == ["accept"]


def test_a_304_is_chosen_by_what_the_response_was(app):
    @app.get("/")
    def choose(request):
        response = Response(request.accept_languages.best(["en", "de"], "en"))
        response.add_etag()
        return response.make_conditional(request)

    client = Client(app)
    etag = client.get("/").headers["etag"]
    response = client.get("/", headers={"if-none-match": etag})
    assert (response.status, response.headers["vary"]) == (304, "accept-language")


def test_what_a_served_function_reads(interface):
    assert vary(to_app(lambda request: Response(str(request.accept))), interface) == ["accept"]
