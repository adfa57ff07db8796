"""A process that drains is not ready any more, and liveness has a port of its own if that is wanted."""

import re
import socket
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from tests.cli.conftest import DEADLINE, receive_until

pytestmark = pytest.mark.processes

APP = """
import time
from pathlib import Path
from antiphon import App, Request, get_response
from antiphon.features import Health

app = App()
app.use(Health())


@app.get("/slow")
def slow(request):
    Path("started").touch()
    while not request.lifetime.is_draining:
        time.sleep(0.01)
    return get_response(app, Request.blank("/readyz")).body
"""


def test_at_its_end_it_says_so(antiphon, tmp_path, interface):
    command = antiphon("shop:app", "--interface", interface, shop=APP).serving()
    with command.send("/slow") as connection:
        command.wait_until((tmp_path / "started").exists)
        with command.send("/readyz") as probe:
            receive_until(probe, b'{"status":"ok"')
        command.process.terminate()
        received = receive_until(connection, b"}")
    assert received.endswith(b'{"status":"draining"}')
    assert command.exit_code() == 0


SECTION = (Path(__file__).parents[2] / "docs/how-to/health.md").read_text().partition("## Liveness during a flood\n")[2]
BLOCKS = """
import time


@app.get("/block")
async def block(request):
    open("blocked", "w").close()
    time.sleep(600)
"""


def test_liveness_on_a_port_of_its_own_does_not_wait_for_the_loop(antiphon, tmp_path):
    code = re.search(r"^```python\n(.*?)^```$", SECTION, re.MULTILINE | re.DOTALL)[1]
    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    (tmp_path / "shop.py").write_text(code.replace("8081", str(port)) + BLOCKS)
    command = antiphon("shop:app", "--workers", "2", "--grace", "0").serving()
    with command.send("/block"):
        command.wait_until((tmp_path / "blocked").exists)
        for _ in range(10):
            with closing(HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as probe:
                probe.request("GET", "/healthz")
                assert probe.getresponse().read() == b'{"status":"ok"}'
