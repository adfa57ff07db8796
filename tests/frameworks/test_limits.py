"""A framework's own limits for bodies, which hold in views, too; and refusals of requests from `from_framework`."""

import json
from contextlib import nullcontext
from unittest import mock

import pytest

from antiphon import Limits, Request, view
from tests.frameworks import apps
from tests.frameworks.exchanges import FORM, JSON, MULTIPART, asking
from tests.helpers.rows import rows

pytestmark = pytest.mark.usefixtures("quiet")


def multipart(fields, files=0, size=1):
    parts = [f'--x\r\nContent-Disposition: form-data; name="f{n}"\r\n\r\n{"v" * size}\r\n' for n in range(fields)]
    parts += [
        f'--x\r\nContent-Disposition: form-data; name="u{n}"; filename="a"\r\n\r\n{"v" * size}\r\n'
        for n in range(files)
    ]
    return MULTIPART, ("".join(parts) + "--x--\r\n").encode()


def form(fields, size=1):
    return FORM, "&".join(f"f{n}={'v' * size}" for n in range(fields)).encode()


BYTES = {"content-type": "application/octet-stream"}


def flask(app, **config):
    app.config.update(config)


def django(app, **options):
    from django.test import override_settings

    return override_settings(**options)


def falcon(app, parts):
    app.req_options.media_handlers["multipart/form-data"].parse_options.max_body_part_count = parts


def bottle(app, most):
    from bottle import BaseRequest

    return mock.patch.object(BaseRequest, "MEMFILE_MAX", most)


def litestar(app, most=None, parts=1000):
    app.multipart_form_part_limit = parts
    for route in app.routes:
        for handler in route.route_handlers:
            handler._resolved_request_max_body_size = most


def aiohttp(app, most):
    app._client_max_size = most


def sanic(app, most):
    app.config.REQUEST_MAX_SIZE = most


CASES = [
    (apps.flask, flask, {"MAX_CONTENT_LENGTH": 99}, (BYTES, b"x" * 99), (BYTES, b"x" * 100)),
    (apps.flask, flask, {"MAX_FORM_MEMORY_SIZE": 99}, multipart(1, 1, 90), multipart(2, 0, 90)),
    (apps.flask, flask, {"MAX_FORM_MEMORY_SIZE": 99}, form(1, 90), form(2, 90)),
    (apps.flask, flask, {"MAX_FORM_PARTS": 3}, multipart(2, 1), multipart(2, 2)),
    (apps.quart, flask, {"MAX_CONTENT_LENGTH": 99}, (BYTES, b"x" * 99), (BYTES, b"x" * 100)),
    (apps.quart, flask, {"MAX_FORM_MEMORY_SIZE": 99}, multipart(1, 1, 90), multipart(2, 0, 90)),
    (apps.quart, flask, {"MAX_FORM_PARTS": 3}, multipart(2, 1), multipart(2, 2)),
    *[
        (make, django, *row)
        for make in (apps.django_wsgi, apps.django_asgi)
        for row in (
            ({"DATA_UPLOAD_MAX_MEMORY_SIZE": 99}, (BYTES, b"x" * 99), (BYTES, b"x" * 100)),
            ({"DATA_UPLOAD_MAX_MEMORY_SIZE": 99}, form(1, 90), form(2, 90)),
            ({"DATA_UPLOAD_MAX_MEMORY_SIZE": 99}, multipart(1, 2, 90), multipart(2, 0, 90)),
            ({"DATA_UPLOAD_MAX_NUMBER_FIELDS": 3}, form(3), form(4)),
            ({"DATA_UPLOAD_MAX_NUMBER_FIELDS": 3}, multipart(3), multipart(4)),
            ({"DATA_UPLOAD_MAX_NUMBER_FILES": 3}, multipart(4, 3), multipart(0, 4)),
        )
    ],
    (apps.bottle, bottle, {"most": 99}, (BYTES, b"x" * 100), (JSON, b'"%s"' % (b"x" * 100))),
    (apps.bottle, bottle, {"most": 99}, form(1, 90), form(2, 90)),
    (apps.falcon_wsgi, falcon, {"parts": 3}, multipart(2, 1), multipart(2, 2)),
    (apps.falcon_asgi, falcon, {"parts": 3}, multipart(2, 1), multipart(2, 2)),
    (apps.litestar, litestar, {"most": 99}, (BYTES, b"x" * 99), (BYTES, b"x" * 100)),
    (apps.litestar, litestar, {"parts": 3}, multipart(2, 1), multipart(2, 2)),
    (apps.aiohttp, aiohttp, {"most": 99}, (BYTES, b"x" * 99), (BYTES, b"x" * 100)),
    (apps.sanic, sanic, {"most": 999}, (BYTES, b"x" * 800), (BYTES, b"x" * 1000)),
]


def read(request):
    if request.mimetype == "application/json":
        return str(request.json)
    return f"{len(request.form)} {len(request.files)} {len(request.body)}"


def views(interface=None):
    return {
        "read": view(interface=interface)(read),
        "wide": view(interface=interface, limits=Limits(body=1 << 30, form=1 << 30, fields=9999, files=999))(read),
    }


@pytest.mark.parametrize("make", {case[0]: None for case in CASES})
def test_the_limits_of_a_framework_hold_in_its_views(make):
    apps.need(make)

    @rows("path", ["/read", "/wide"])
    @rows("limit, options, fits, too_large", [case[1:] for case in CASES if case[0] is make])
    def holds(path, limit, options, fits, too_large):
        with (
            apps.application(make, views) as app,
            limit(app, **options) or nullcontext(),
            asking(app, make.__name__) as ask_app,
        ):
            assert [ask_app("POST", path, *sent)[0] for sent in (fits, too_large)] == [200, 413]

    holds()


def flask_app():
    from flask import Flask, request

    app = Flask("of")
    app.config["MAX_CONTENT_LENGTH"] = 99
    app.post("/")(lambda: str(Request.from_framework(request).json))
    return app


def quart_app():
    from quart import Quart, request

    async def read():
        return str((await Request.afrom_framework(request)).json)

    app = Quart("of")
    app.config["MAX_CONTENT_LENGTH"] = 99
    app.post("/")(read)
    return app


def starlette_app():
    from starlette.applications import Starlette
    from starlette.responses import JSONResponse
    from starlette.routing import Route

    async def read(request):
        ours = await Request.afrom_framework(request)
        ours.limits = Limits(json=99)
        return JSONResponse(ours.json)

    return Starlette(routes=[Route("/", read, methods=["POST"])])


def sanic_app():
    from sanic import text

    async def read(request):
        ours = await Request.afrom_framework(request)
        ours.limits = Limits(json=99)
        return text(str(ours.json))

    app = apps.sanic()
    app.add_route(read, "/", methods=["POST"], name="of")
    return app


@pytest.mark.parametrize("make", [flask_app, quart_app, starlette_app, sanic_app])
def test_what_a_request_refuses_is_not_a_failure_of_the_framework(make):
    pytest.importorskip(make.__name__.partition("_")[0])

    @rows("headers, body, status", [
        (JSON, b"1", 200), (JSON, b"x" * 100, 413), (JSON, b"{", 400), (FORM, b"a=1", 415),
    ])  # fmt: skip
    def is_refused(headers, body, status):
        with asking(make(), make.__name__.removesuffix("_app")) as ask_app:
            answered, _, text = ask_app("POST", "/", headers, body)
        assert answered == status
        assert status in (200, 413) or json.loads(text)["status"] == status

    is_refused()
