"""Bodies that are cut off before their Content-Length: no program takes the beginning for the whole."""

import socket
from contextlib import closing
from io import BytesIO

import pytest

from antiphon.dialects.werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from antiphon.dialects.werkzeug.wrappers import Request
from tests.dialects import programs
from tests.helpers.rows import rows
from tests.helpers.waiting import DEADLINE

URLENCODED = "application/x-www-form-urlencoded"
CUT_OFF = (
    b"POST /form HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    b"Content-Length: 10\r\nConnection: close\r\n\r\namount=1"
)


@pytest.mark.once
@rows("interface", ["wsgi", "asgi", "rsgi"])
@rows("program", programs.ALL)
def test_a_form_that_is_cut_off_is_no_form(program, interface):
    with programs.served(program, interface) as address, closing(socket.create_connection(address, DEADLINE)) as client:
        client.sendall(CUT_OFF)
        client.shutdown(socket.SHUT_WR)
        answer = client.recv(1 << 16)
    assert not answer or answer[9:10] in b"45"


class FromServer(BytesIO):
    """The input of a server that marks its end."""


def sent(body, **more):
    keys = {"REQUEST_METHOD": "POST", "CONTENT_TYPE": URLENCODED, "wsgi.input_terminated": True}
    return Request({**keys, "wsgi.input": FromServer(body), **more})


@rows(
    "read",
    lambda request: request.form,
    lambda request: request.get_data(),
    lambda request: request.stream.read(),
    lambda request: [*request.stream],
    lambda request: [request.stream.read(5), request.stream.read(5), request.stream.read(5)],
    ids=["form", "data", "stream", "lines", "pieces"],
)
def test_the_end_that_a_server_marks_may_come_too_early(read):
    with pytest.raises(ClientDisconnected):
        read(sent(b"amount=1", CONTENT_LENGTH="10"))
    assert read(sent(b"amount=100", CONTENT_LENGTH="10"))


def test_what_middleware_has_decoded_may_have_any_length():
    assert sent(b"amount=100", CONTENT_LENGTH="8").form["amount"] == "100"
    assert sent(b"amount=100", CONTENT_LENGTH="30", HTTP_CONTENT_ENCODING="gzip").form["amount"] == "100"


def test_a_bound_counts_beside_the_length():
    request = sent(b"amount=100", CONTENT_LENGTH="8")
    request.max_content_length = 9
    with pytest.raises(RequestEntityTooLarge):
        assert request.form
