"""Early hints over sockets: the client has them while the handler still works, over HTTP/1.1 and HTTP/2."""

import h2.events
import pytest

from tests.contract.http2 import HTTP2Client
from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.contract.wire import SentRequest

pytestmark = [pytest.mark.processes, pytest.mark.once]

APPLICATION = "tests.helpers.served.early_hints:app"
KINDS = ("def", "async")


@pytest.mark.parametrize("name", ["Gunicorn, gthread", "Gunicorn, gevent"])
def test_hints_arrive_while_the_handler_works(name):
    with ServerProcess(server(name).command, APPLICATION) as process:
        for kind in KINDS:
            with process.connect() as connection:
                connection.send(SentRequest("GET", f"/{kind}/{kind}").encoded)
                assert connection.wait_for(b"\r\n\r\n") == (
                    b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload; as=style\r\n\r\n"
                )
                process.respond(SentRequest("POST", f"/arrived/{kind}", body=b""))
                response = connection.receive()
                assert (response.status, response.body, connection.reusable) == (200, b"page", True)


def test_hypercorn_sends_hints_over_http_2():
    with ServerProcess(server("Hypercorn").command, APPLICATION) as process:
        for kind in KINDS:
            with HTTP2Client(process.port) as client:
                client.get(f"/{kind}/{kind}")
                hints = client.wait_for(h2.events.InformationalResponseReceived, h2.events.ResponseReceived)
                assert dict(hints.headers)[b":status"] == b"103"
                assert dict(hints.headers)[b"link"] == b"</style.css>; rel=preload; as=style"
                process.respond(SentRequest("POST", f"/arrived/{kind}", body=b""))
                response = client.wait_for(h2.events.InformationalResponseReceived, h2.events.ResponseReceived)
                assert dict(response.headers)[b":status"] == b"200"
