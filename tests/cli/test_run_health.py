"""A process that drains is not ready any more."""

import pytest

from tests.cli.conftest import receive_until

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


@pytest.mark.parametrize("interface", ["wsgi", "asgi", "rsgi"])
def test_at_its_end_it_says_so(antiphon, tmp_path, interface):
    (tmp_path / "shop.py").write_text(APP)
    command = antiphon("shop:app", "--interface", interface).serving()
    with command.send("/slow") as connection:
        command.wait_until((tmp_path / "started").exists)
        with command.send("/readyz") as probe:
            receive_until(probe, b'{"status":"ok"')
        command.process.terminate()
        received = receive_until(connection, b"}")
    assert received.endswith(b'{"status":"draining"}')
    assert command.exit_code() == 0
