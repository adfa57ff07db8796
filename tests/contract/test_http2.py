"""The contract over HTTP/2, on the servers that have it."""

import pytest

from tests.contract.http2 import HTTP2Peer
from tests.contract.servers import server
from tests.contract.suite import AdapterContract

pytestmark = [pytest.mark.once, pytest.mark.processes]


class HTTP2Contract(AdapterContract):
    """The contract on a server that takes HTTP/2 without TLS, by prior knowledge."""

    http_version = "2"

    @classmethod
    def serve(cls):
        return HTTP2Peer(cls.server.command)


class TestGranianWSGI(HTTP2Contract):
    server = server("Granian, WSGI")


class TestGranianASGI(HTTP2Contract):
    server = server("Granian, ASGI")


class TestGranianRSGI(HTTP2Contract):
    server = server("Granian, RSGI")


class TestHypercorn(HTTP2Contract):
    server = server("Hypercorn")
