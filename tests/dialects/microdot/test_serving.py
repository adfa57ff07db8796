"""Programs that serve themselves, on Granian."""

import signal
import subprocess
import sys
from urllib.request import urlopen

import pytest

from antiphon.dialects.microdot import Microdot
from tests.dialects.microdot.asking import wait_for

pytestmark = pytest.mark.processes

PROGRAM = """
from antiphon.dialects.microdot import Microdot

app = Microdot()

@app.get("/")
def index(request):
    return f"{request.method} {request.scheme} {request.client_addr[0]}"

@app.get("/stream")
async def stream(request):
    import asyncio
    async def forever():
        while True:
            yield "x"
            await asyncio.sleep(0.05)
    return forever()

@app.get("/shutdown")
async def shutdown(request):
    request.app.shutdown()
    return "The server is shutting down"

app.run("127.0.0.1", PORT)
print("ended")
"""


@pytest.fixture
def program(port):
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.replace("PORT", str(port))],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,  # what is logged would be seen
        text=True,
    )
    try:
        wait_for(port)
        yield process
        process.terminate()
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_program_runs_until_a_signal_even_while_it_streams(program, port, number):
    with urlopen(f"http://127.0.0.1:{port}/stream", timeout=10) as response:
        assert response.read(1) == b"x"
        program.send_signal(number)
        assert program.communicate(timeout=20)[0] == "ended\n"
    assert program.returncode == 0


def test_an_address_that_is_taken_is_an_error(program, port):
    with pytest.raises(OSError, match="in use"):
        Microdot().run("127.0.0.1", port)


def test_tls_is_another_server_s():
    with pytest.raises(NotImplementedError, match="TLS"):
        Microdot().run(ssl=object())


def test_without_a_server_of_its_own_the_process_that_serves_is_told(monkeypatch):
    told = []
    monkeypatch.setattr("os.kill", lambda *arguments: told.append(arguments))
    Microdot().shutdown()
    assert told[0][1] == signal.SIGTERM
