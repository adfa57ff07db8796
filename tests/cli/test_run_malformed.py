"""`antiphon run` refuses malformed requests, or reads them in the one way that hides nothing."""

import re

import pytest

from tests.cli.malformed_requests import MALFORMED, NEXT_TOO, REFUSED

pytestmark = [pytest.mark.processes, pytest.mark.once]

APP = """
from antiphon import App

app = App()


@app.route("/seen", ("GET", "POST"))
def seen(request):
    return "hidden field" if "x-hidden" in request.headers else f"a body of {request.text!r}"


@app.get("/hidden")
def hidden(request):
    return "hidden request"
"""


def outcome(command, sent):
    """Send bytes on a connection, and say how they were answered until the server ended it."""
    with command.connect() as connection:
        received = b""
        try:
            connection.sendall(sent)
            while data := connection.recv(65536):
                received += data
        except ConnectionError:
            pass
    answers = [part.decode() for part in re.split(rb"(?=HTTP/1\.[01] [0-9]{3} )", received) if part]
    statuses = [int(answer[9:12]) for answer in answers]
    contents = [answer.rpartition("\r\n\r\n")[2] for answer in answers]
    if statuses[1:] == [200] and contents[1] == "hidden request":
        return NEXT_TOO.format(statuses[0])
    if len(statuses) > 1:
        return f"{statuses}: {contents}"
    return contents[0] if statuses == [200] else REFUSED


def test_malformed_requests_are_refused_or_hide_nothing(antiphon, interface):
    command = antiphon("framed:app", "--interface", interface, framed=APP).serving()
    # Granian tells ASGI alone that a chunk was bad: over the others, the connection ends after what came before it.
    expected = {each.name: each.outcome if interface == "asgi" else each.cut or each.outcome for each in MALFORMED}
    assert {each.name: outcome(command, each.sent) for each in MALFORMED} == expected
