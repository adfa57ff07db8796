"""Tables over sockets: the same page and the same CSV over each interface, and a wrong query is a 422."""

import http.client

import pytest

from tests.contract.process import ServerProcess
from tests.contract.servers import server
from tests.features.tables.test_table import WRONG, client

pytestmark = pytest.mark.processes

NAMES = "Granian, ASGI", "Granian, RSGI", "Gunicorn, gthread"


def get(port: int, url: str) -> tuple[int, str]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", url)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_a_table_is_the_same_over_each_interface(name):
    with ServerProcess(server(name).command, "tests.helpers.served.table_pages:app") as process:
        for path in ("/lamps", "/fetched"):
            for query in (
                "sort=-price&page=2",
                "format=csv&state=used&sort=name",
                "page=99",
                WRONG[0][0],
                WRONG[-1][0],
            ):
                expected = client.get(f"{path}?{query}")
                assert get(process.port, f"{path}?{query}") == (expected.status, expected.text)
