"""Bodies without a Content-Length: a view reads them whole, or refuses them; none is taken for empty."""

import io
import socket

import pytest

from tests.adapters import conftest as adapters
from tests.frameworks import apps
from tests.frameworks.exchanges import listening
from tests.frameworks.views import views
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.usefixtures("quiet")

FORM = b"a=1&b=2"
FIELDS = '"fields":[["a","1"],["b","2"]]'


def environ(*, input_terminated):
    return adapters.environ("POST", "/form") | {
        "CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_TRANSFER_ENCODING": "chunked",
        "wsgi.input": io.BytesIO(FORM), "wsgi.errors": io.StringIO(),
        **({"wsgi.input_terminated": True} if input_terminated else {}),
    }  # fmt: skip


def answer(app, given):
    """Return the status and the body of the answer to a request over WSGI."""
    heads = []
    chunks = app(given, lambda status, fields, exc_info=None: heads.append(status))
    try:
        return int(heads[0][:3]), b"".join(chunks).decode()
    finally:
        getattr(chunks, "close", tuple)()


@pytest.mark.parametrize("make", apps.WSGI)
def test_are_read_to_the_end_that_a_wsgi_server_marks(make):
    status, body = answer(apps.made(make), environ(input_terminated=True))
    assert status == 200
    assert FIELDS in body


@pytest.mark.parametrize("make", apps.WSGI)
def test_are_refused_if_the_wsgi_server_marks_no_end(make):
    assert answer(apps.made(make), environ(input_terminated=False))[0] == 411


@pytest.mark.parametrize("make", [*apps.SERVED, *apps.ASGI])
def test_are_read_from_sockets(make):
    with listening(make, views) as port, socket.create_connection(("127.0.0.1", port), DEADLINE) as client:
        client.sendall(
            b"POST /form HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n"
            b"Content-Type: application/x-www-form-urlencoded\r\n\r\n3\r\na=1\r\n4\r\n&b=2\r\n0\r\n\r\n"
        )
        received = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    assert received.startswith("HTTP/1.1 200")
    assert FIELDS in received
