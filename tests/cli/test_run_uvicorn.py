"""`antiphon run --server uvicorn`: the same supervision, log and end as on Granian."""

import ssl
from contextlib import ExitStack
from signal import SIGTERM, SIGUSR2
from urllib.request import urlopen

import pytest

from tests.cli.conftest import receive_until
from tests.helpers.authority import Authority
from tests.helpers.rows import rows

pytestmark = [pytest.mark.once, pytest.mark.processes]

SHOP = """
import asyncio

from antiphon import App, Request

app, failing = App(), App()


@app.get("/client")
def client(request: Request) -> str:
    return f"{request.scheme} {request.ip}"


@app.get("/half")
async def half(request: Request):
    async def chunks():
        yield b"half"
        raise ValueError("the rest")

    return chunks()


@app.get("/stream")
async def stream(request: Request):
    async def ticks():
        while True:
            yield b"tick"
            await asyncio.sleep(0.05)

    return ticks()


@app.on_shutdown
def stop():
    open("stopped", "w").close()


@failing.on_startup
def start():
    raise OSError("no database")
"""


@pytest.fixture
def served(antiphon, tmp_path):
    (tmp_path / "shop.py").write_text(SHOP)
    return lambda *arguments: antiphon(*arguments, "--server", "uvicorn")


@rows("program", "asgi", "wsgi")
def test_it_serves_at_a_port_until_a_signal_and_finishes_requests_first(served, program):
    command = served(f"apps:{program}").serving()
    assert command.out.endswith(f"apps:{program} on http://127.0.0.1:{command.port} (asgi: on Uvicorn)\n")
    assert command.ask().headers["server"] == "uvicorn"
    with command.send_slow() as connection:
        command.process.send_signal(SIGTERM)
        assert receive_until(connection, f"{program} ".encode()).startswith(b"HTTP/1.1 200 OK")
    assert command.exit_code() == 0
    command.wait_until(command.nobody_is_left)
    assert command.err == ""


def test_streams_end_with_the_grace_and_the_app_is_shut_down(served, tmp_path):
    command = served("shop:app", "--grace", "0.3").serving()
    with command.stream():
        command.process.send_signal(SIGTERM)
        assert command.exit_code() == 0
    command.wait_until(command.nobody_is_left)
    assert (tmp_path / "stopped").exists()
    assert command.err == ""


def test_workers_are_replaced_while_they_serve_at_a_unix_socket(served, tmp_path):
    command = served("apps:asgi", "--workers", "2", "--uds", str(tmp_path / "s")).serving()
    old = command.workers()
    command.process.send_signal(SIGUSR2)
    while "All workers were replaced." not in command.err:
        assert command.get().startswith("asgi ")
    command.wait_until(lambda: int(command.get().split()[1]) not in old)  # one that ends may still accept


def test_it_serves_https(served, tmp_path):
    authority = Authority(tmp_path)
    certificate, key = map(str, authority.issue("127.0.0.1"))
    command = served("shop:app", "--tls-certificate", certificate, "--tls-key", key).serving()
    context = ssl.create_default_context(cafile=authority.ca_file)
    with urlopen(f"https://127.0.0.1:{command.port}/client", context=context) as response:
        assert response.read() == b"https 127.0.0.1"


def test_it_trusts_no_proxy_and_logs_an_error_once(served):
    command = served("shop:app").serving()
    forwarded = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "https"}
    assert command.get("/client", **forwarded) == "http 127.0.0.1"
    with command.send("/half") as connection:
        assert b"half" in b"".join(iter(lambda: connection.recv(4096), b""))
    command.wait_until(lambda: "the rest" in command.err)
    command.process.send_signal(SIGTERM)
    command.exit_code()
    assert command.err.count("ValueError: the rest") == 1
    assert " INFO GET /client 200 " in command.log


def test_the_reason_of_a_failed_startup_is_shown_once(served):
    command = served("shop:failing")
    assert command.exit_code() == 1
    assert command.err.count("OSError: no database") == 1
    assert "Exiting" not in command.err


def test_requests_beyond_the_limit_of_connections_get_503_or_wait(served):
    command = served("apps:asgi", "--max-connections", "3").serving()
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(command.stream())
        assert command.ask().status == 503


@rows("interface", "wsgi", "rsgi")
def test_other_interfaces_are_refused(served, interface):
    command = served("apps:asgi", "--interface", interface)
    assert command.exit_code() == 2
    assert command.err == "Error: Uvicorn serves over ASGI only: leave out --interface, or serve on Granian.\n"


def test_a_program_that_speaks_rsgi_alone_is_refused(served):
    command = served("apps:rsgi")
    assert command.exit_code() == 2
    assert "only speaks RSGI, not ASGI" in command.err
