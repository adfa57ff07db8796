"""The contract over real servers, all of which serve the same ``module:app``."""

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import DEBUGGED
from tests.contract.suite import ServerContract, contract_of

pytestmark = pytest.mark.processes


def test_a_server_whose_workers_can_not_load_its_application_does_not_serve() -> None:
    server = ServerProcess(("-m", "antiphon", "run", "{app}", "--port", "{port}"), "tests.contract:missing")
    with pytest.raises(RuntimeError, match="'missing'"), server:
        pass


TestGranianWSGI = contract_of("Granian, WSGI")
TestGranianASGI = contract_of("Granian, ASGI")
TestGranianRSGI = contract_of("Granian, RSGI")
TestUvicornH11 = contract_of("Uvicorn, h11")


class TestUvicornInDebugMode(ServerContract):
    server = DEBUGGED

    def test_every_coroutine_is_awaited(self) -> None:
        assert self.process.stderr.count("was never awaited") == 0


TestUvicornHttptools = contract_of("Uvicorn, httptools")
TestHypercorn = contract_of("Hypercorn")
TestGunicornSync = contract_of("Gunicorn, sync")
TestGunicornGthread = contract_of("Gunicorn, gthread")
TestGunicornGevent = contract_of("Gunicorn, gevent")
TestWaitress = contract_of("Waitress")
