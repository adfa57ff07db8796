"""`antiphon run --uds`: the same server on a unix socket."""

import json
import os
import signal
import stat

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]


SHOP = """
from antiphon import App, Request

app = App({settings})


@app.get("/")
def show(request: Request):
    return {{"client": request.client, "ip": request.ip, "url": request.url, "secure": request.is_secure}}
"""


def assert_ended(command, exit_code=0):
    assert command.exit_code() == exit_code
    command.wait_until(command.nobody_is_left)
    assert command.err == ""
    assert not command.path.exists()


def test_each_interface_serves_and_the_line_says_where(antiphon, interface):
    command = antiphon(f"apps:{interface}", "--uds", "app.sock", "--interface", interface).serving()
    assert command.get().split()[0] == interface
    assert command.out.startswith(f"Antiphon serves apps:{interface} on unix:{command.path} ({interface}: ")
    assert command.err == ""
    command.press_ctrl_c()
    assert_ended(command)


@pytest.mark.once
def test_a_client_has_no_address(antiphon, tmp_path, interface):
    (tmp_path / "shop.py").write_text(SHOP.format(settings=""))
    command = antiphon("shop:app", "--uds", "app.sock", "--interface", interface).serving()
    assert json.loads(command.get()) == {"client": None, "ip": None, "url": "http://localhost/", "secure": False}


@pytest.mark.once
def test_a_request_without_a_host_has_no_other(antiphon, tmp_path, interface):
    (tmp_path / "shop.py").write_text(SHOP.format(settings=""))
    command = antiphon("shop:app", "--uds", "app.sock", "--interface", interface).serving()
    with command.connect() as connection:
        connection.sendall(b"GET / HTTP/1.0\r\n\r\n")
        answer = connection.makefile("rb").read()
    assert json.loads(answer.partition(b"\r\n\r\n")[2])["url"] == "/"


@pytest.mark.once
def test_who_connects_by_it_can_be_trusted_as_a_proxy(antiphon):
    command = antiphon("shop:app", "--uds", "app.sock", shop=SHOP.format(settings="trusted_proxies=['unix']")).serving()
    told = {"x-forwarded-for": "192.0.2.1", "x-forwarded-proto": "https"}
    assert json.loads(command.get(**told)) == {
        "client": ["192.0.2.1", None], "ip": "192.0.2.1", "url": "https://localhost/", "secure": True,
    }  # fmt: skip


@pytest.mark.once
@pytest.mark.parametrize(
    ("settings", "is_warned"), [("", True), ("trusted_proxies=['unix']", False), ("trusted_proxies=['10.0.0.1']", True)]
)
def test_a_limit_of_rates_that_tells_nobody_apart_is_warned_of(antiphon, settings, is_warned):
    limited = "from antiphon.features import RateLimit\napp.use(RateLimit('2/minute'))\n"
    command = antiphon("shop:app", "--uds", "app.sock", shop=SHOP.format(settings=settings) + limited).serving()
    assert ("a RateLimit counts all of them as one" in command.err) == is_warned


def test_every_worker_accepts_connections(antiphon):
    command = antiphon("apps:asgi", "--uds", "app.sock", "--workers", "2").serving()
    first, second = command.workers()
    for asleep, awake in ((first, second), (second, first)):
        os.kill(asleep, signal.SIGSTOP)
        command.wait_until(lambda worker=awake: command.answers_from(worker))
        os.kill(asleep, signal.SIGCONT)


def test_while_it_drains_its_path_is_free_for_the_next(antiphon, interface):
    first = antiphon(f"apps:{interface}", "--interface", interface, "--uds", "app.sock", "--grace", "10").serving()
    with first.send_slow() as connection:
        first.press_ctrl_c()
        first.wait_until(lambda: not first.path.exists())
        second = antiphon("apps:wsgi", "--uds", "app.sock").serving()
        assert connection.recv(4096).startswith(b"HTTP/1.1 200 OK")
    assert first.exit_code() == 0
    assert second.get().startswith("wsgi")
    second.press_ctrl_c()
    assert_ended(second)


def test_an_endless_stream_is_cut_off(antiphon):
    command = antiphon("apps:asgi", "--uds", "app.sock", "--grace", "0.2").serving()
    with command.stream():
        command.press_ctrl_c()
        assert_ended(command)


@pytest.mark.once
def test_nothing_is_left_when_workers_die_again_and_again(antiphon, tmp_path):
    (tmp_path / "dies.py").write_text(
        "import apps, os\nif os.path.exists('gone'):\n    os._exit(7)\nwsgi = apps.wsgi\n"
    )
    command = antiphon("dies:wsgi", "--uds", "app.sock").serving()
    (tmp_path / "gone").touch()
    os.kill(command.workers()[0], signal.SIGKILL)
    assert command.exit_code() == 1
    assert not command.path.exists()


@pytest.mark.once
def test_nothing_is_left_of_an_application_that_cannot_be_loaded(antiphon):
    command = antiphon("nowhere:app", "--uds", "app.sock")
    assert command.exit_code() == 2
    assert not (command.folder / "app.sock").exists()


@pytest.mark.once
def test_what_a_killed_server_left_is_replaced(antiphon):
    killed = antiphon("apps:wsgi", "--uds", "app.sock").serving()
    killed.kill()
    assert killed.path.is_socket()
    assert antiphon("apps:asgi", "--uds", "app.sock").serving().get().startswith("asgi")


@pytest.mark.once
def test_a_path_that_another_run_serves(antiphon):
    first = antiphon("apps:wsgi", "--uds", "app.sock").serving()
    second = antiphon("apps:wsgi", "--uds", "app.sock")
    assert second.exit_code() == 3
    assert f"Error: The path {first.path} is taken" in second.err
    assert first.get().startswith("wsgi")


@pytest.mark.once
def test_a_path_that_is_no_socket(antiphon, tmp_path):
    command = antiphon("apps:wsgi", "--uds", "apps.py")
    assert command.exit_code() == 3
    assert "is not a socket" in command.err
    assert "def wsgi" in (tmp_path / "apps.py").read_text()


@pytest.mark.once
def test_a_file_that_is_removed_before_it_is_served(antiphon, tmp_path):
    command = antiphon("removes:wsgi", "--uds", "app.sock", removes="from apps import *\nos.unlink('app.sock')\n")
    assert command.exit_code() == 3
    assert command.err == f"Error: The server can't connect to {tmp_path}/app.sock: No such file or directory.\n"
    assert command.out == ""


@pytest.mark.once
def test_permissions(antiphon):
    command = antiphon("apps:wsgi", "--uds", "app.sock", "--uds-permissions", "660").serving()
    assert stat.S_IMODE(command.path.stat().st_mode) == 0o660


@pytest.mark.once
@pytest.mark.parametrize(
    ("options", "message"),
    [
        pytest.param(["--uds", "app.sock", "--port", "8000"], "leave out --port", id="port"),
        pytest.param(["--uds", "app.sock", "--host", "127.0.0.1"], "leave out --host", id="host"),
        pytest.param(["--uds", "app.sock", "--host", "::1", "--port", "1"], "leave out --host and --port", id="both"),
        pytest.param(["--uds-permissions", "660"], "without --uds PATH", id="permissions of nothing"),
        pytest.param(
            ["--uds", "app.sock", "--uds-permissions", "rw"], "'rw' is not three octal digits", id="no number"
        ),
        pytest.param(
            ["--uds", "app.sock", "--uds-permissions", "1660"], "'1660' is not three octal digits", id="too large"
        ),
    ],
)
def test_options_that_do_not_fit(antiphon, options, message):
    command = antiphon("apps:wsgi", *options)
    assert command.exit_code() == 2
    assert message in command.err
    assert "Traceback" not in command.err
    assert command.out == ""
