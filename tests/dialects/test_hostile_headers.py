"""What a client may send in any header, read by each dialect's request: in linear time, as a value or as an error."""

from contextlib import suppress
from inspect import getattr_static
from io import BytesIO
from itertools import product
from time import thread_time

import pytest

from antiphon.adapters.wsgi import WSGIHead
from antiphon.dialects.asok import Asok
from antiphon.dialects.asok.request import Request as AsokRequest
from antiphon.dialects.flask import Request as FlaskRequest
from antiphon.dialects.kay.werkzeug.wrappers import Request as KayRequest
from antiphon.dialects.microdot import Microdot
from antiphon.dialects.microdot import Request as MicrodotRequest
from antiphon.dialects.pyramid.request import Request as PyramidRequest
from antiphon.dialects.webob import Request as WebObRequest
from antiphon.dialects.werkzeug.wrappers import Request as WerkzeugRequest
from antiphon.request.request import Request
from tests.helpers.growth import is_slow
from tests.helpers.rows import rows
from tests.http.header_table import HEADER_FIELDS

pytestmark = pytest.mark.once

NAMES = {field.name for field in HEADER_FIELDS} - {"content-length"} | {
    "content-disposition", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-requested-with",
}  # fmt: skip
KEYS = [name.upper().replace("-", "_") for name in sorted(NAMES)]

UNITS = [
    ",", ";", " ", "=", "\\", '"', '"\\', '"a", ', "a/b;c=d;q=0.1,", "a=b; ", "9", "0-,", "a.", "%", "(",
    "\xe9", ":", "; a",
]  # fmt: skip
STARTS = ["", "Digest ", "bytes=", "text/plain; charset", 'a="', "Mozilla/5.0 "]

LONG = 8 << 10
DOUBTFUL = 1 / 500
"""Seconds for a header of that length, from which on the growth is measured."""


def environ_of(value):
    keys = [key if key == "CONTENT_TYPE" else f"HTTP_{key}" for key in KEYS]
    return dict.fromkeys(keys, value) | {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/", "QUERY_STRING": "", "REMOTE_ADDR": "192.0.2.1",
        "SERVER_NAME": "a", "SERVER_PORT": "80", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.input": BytesIO(), "wsgi.errors": None,
    }  # fmt: skip


@pytest.fixture(scope="module")
def makers(tmp_path_factory):
    asok, microdot = Asok(tmp_path_factory.mktemp("project")), Microdot()
    return {
        "asok": lambda environ: AsokRequest(asok, Request(WSGIHead(environ))),
        "flask": FlaskRequest,
        "kay": KayRequest,
        "microdot": lambda environ: MicrodotRequest(microdot, Request(WSGIHead(environ))),
        "pyramid": PyramidRequest,
        "webob": WebObRequest,
        "werkzeug": WerkzeugRequest,
    }


def attributes(request):
    """The names of what a request tells: all that is public and no method, nor of the application."""
    names = [name for name in dir(type(request)) if name[0] != "_" and name not in ("app", "headers", "ResponseClass")]
    return [name for name in names if not callable(getattr_static(type(request), name))]


def reading(make, name):
    """Prepare to read an attribute, and to print what it is."""

    def prepare(value):
        request = make(environ_of(value))
        return lambda: read(request, name)

    return prepare


def read(request, name):
    with suppress(Exception):
        str(getattr(request, name))


@rows("dialect", ["asok", "flask", "kay", "microdot", "pyramid", "webob", "werkzeug"])
def test_the_time_of_every_attribute_grows_with_the_header_and_no_faster(makers, dialect):
    make = makers[dialect]
    doubtful = set()
    for start, unit in product(STARTS, UNITS):
        request = make(environ_of(f"{start}{unit * (LONG // len(unit))}x"))
        for name in attributes(request):
            begun = thread_time()
            read(request, name)
            if thread_time() - begun > DOUBTFUL:
                doubtful.add((name, unit, start))
    assert [each for each in sorted(doubtful) if is_slow(reading(make, each[0]), *each[1:], "x", LONG)] == []
