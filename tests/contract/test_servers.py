"""The contract over real servers, all of which serve the same ``module:app``."""

import pytest

from tests.contract.servers import DEBUGGED, server
from tests.contract.suite import ServerContract

pytestmark = pytest.mark.processes


class TestGranianWSGI(ServerContract):
    server = server("Granian, WSGI")


class TestGranianASGI(ServerContract):
    server = server("Granian, ASGI")


class TestGranianRSGI(ServerContract):
    server = server("Granian, RSGI")


class TestUvicornH11(ServerContract):
    server = server("Uvicorn, h11")


class TestUvicornInDebugMode(ServerContract):
    server = DEBUGGED

    def test_every_coroutine_is_awaited(self) -> None:
        assert self.process.stderr.count("was never awaited") == 0


class TestUvicornHttptools(ServerContract):
    server = server("Uvicorn, httptools")


class TestHypercorn(ServerContract):
    server = server("Hypercorn")


class TestGunicornSync(ServerContract):
    server = server("Gunicorn, sync")


class TestGunicornGthread(ServerContract):
    server = server("Gunicorn, gthread")


class TestGunicornGevent(ServerContract):
    server = server("Gunicorn, gevent")


class TestWaitress(ServerContract):
    server = server("Waitress")
