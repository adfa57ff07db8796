"""The contract over real servers, all of which serve the same ``module:app``."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import DEBUGGED, server
from tests.contract.suite import ServerContract

pytestmark = pytest.mark.processes


def test_a_server_whose_workers_can_not_load_its_application_does_not_serve() -> None:
    server = ServerProcess(("-m", "antiphon", "run", "{app}", "--port", "{port}"), "tests.contract:missing")
    with pytest.raises(RuntimeError, match="'missing'"), server:
        pass


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
