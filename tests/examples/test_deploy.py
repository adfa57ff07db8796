"""The files of examples/deploy: real proxies and processes serve by them, and no restart loses a request."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import ExitStack, closing, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from subprocess import PIPE, STDOUT
from threading import Event, Thread

import pytest

from antiphon.cli.main import run
from tests.helpers.caddy import serve_site_by_caddy
from tests.helpers.instances import Instance, changed_site
from tests.helpers.nginx import serve_site
from tests.helpers.ports import free_port
from tests.helpers.system_programs import required_program
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.processes

DEPLOY = Path(__file__).parents[2] / "examples/deploy"
HOST = "shop.example.com"
PROXY = "127.0.0.2"
"""The address of a proxy that connects by TCP: clients come from another one."""

UNIT = (DEPLOY / "shop@.service").read_text()
EXEC_START = re.search(r"^ExecStart=/srv/shop/.venv/bin/(.*)$", UNIT, re.MULTILINE)[1].split()

nginx = required_program("nginx")
caddy = required_program("caddy")


def instance(folder, listener=None, believed="unix", **settings):
    """Start a process that serves the shop, on a socket of systemd or a port."""
    believes = {"TRUSTED_PROXIES": believed, "TRUSTED_HOSTS": f"{HOST} 127.0.0.1"}
    return Instance(EXEC_START, DEPLOY, folder, listener, **believes, **settings)


def site(folder, name, **changes):
    """Return a copy of a proxy's file, changed for this machine."""
    return changed_site(DEPLOY / name, folder / "site.conf", changes)


NGINX_LISTENS = {"listen 80;": "listen 127.0.0.1:@port@;"}


def on_one_socket(stack, folder):
    """Start two instances on one socket that systemd holds, and return its path and them."""
    path = os.fspath(folder / "shop.sock")
    listener = stack.enter_context(socket.socket(socket.AF_UNIX))
    listener.bind(path)
    listener.listen(1024)
    return path, [stack.enter_context(closing(instance(folder, listener))) for _ in range(2)]


def nginx_and_a_socket(stack, program, folder):
    """Start nginx before two instances on one socket."""
    path, instances = on_one_socket(stack, folder)
    configuration = site(folder, "nginx.conf", **NGINX_LISTENS, **{"/run/shop.sock": path})
    return stack.enter_context(serve_site(program, folder, configuration)), instances


def caddy_and_a_socket(stack, program, folder):
    """Start Caddy before two instances on one socket."""
    path, instances = on_one_socket(stack, folder)
    changes = {f"{HOST} {{": "http://:@port@ {\n\tbind 127.0.0.1", "/run/shop.sock": path}
    configuration = site(folder, "Caddyfile", **changes)
    return stack.enter_context(serve_site_by_caddy(program, folder, configuration)), instances


def nginx_and_two_sockets(stack, program, folder):
    """Start nginx before two instances with sockets and ports of their own."""
    listeners = [stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=1024)) for _ in range(2)]
    instances = [stack.enter_context(closing(instance(folder, each, believed=PROXY))) for each in listeners]
    changes = {
        f"10.0.0.1{number}:8000": "{}:{}".format(*each.getsockname()) for number, each in enumerate(listeners, 1)
    }
    changes["proxy_pass"] = f"proxy_bind {PROXY}; proxy_pass"
    configuration = site(folder, "nginx-two.conf", **NGINX_LISTENS, **changes)
    return stack.enter_context(serve_site(program, folder, configuration)), instances


def caddy_and_two_ports(stack, program, folder):
    """Start Caddy, which looks at their health, before two instances that have the settings of containers."""
    settings = dict(re.findall(r"^ENV (\w+)=(.*)$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE))
    ports = [free_port(), free_port()]
    believed = "127.0.0.1"  # from where the clients come, too: Caddy has no other address here
    instances = [
        stack.enter_context(closing(instance(folder, believed=believed, PORT=str(port), **settings))) for port in ports
    ]
    changes = {f"10.0.0.1{number}:8000": f"127.0.0.1:{port}" for number, port in enumerate(ports, 1)}
    changes[f"{HOST} {{"] = "http://:@port@ {\n\tbind 127.0.0.1"
    configuration = site(folder, "Caddyfile-two", **changes)
    return stack.enter_context(serve_site_by_caddy(program, folder, configuration)), instances


@pytest.fixture(
    scope="module",
    params=[nginx_and_a_socket, nginx_and_two_sockets, caddy_and_a_socket, caddy_and_two_ports],
    ids=lambda start: start.__name__.replace("_", " "),
)
def deployed(request, tmp_path_factory):
    """A proxy, and the instances behind it."""
    program = request.getfixturevalue(request.param.__name__.partition("_")[0])
    with ExitStack() as stack:
        yield request.param(stack, program, tmp_path_factory.mktemp("deployed"))


def ask(port, method="GET", path="/", body=None):
    with closing(HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.request(method, path, body=body, headers={"Host": HOST})
        response = connection.getresponse()
        return response.status, response.read()


def upload(port, body):
    """Send a body, and return the status even if the connection ends before the body has been sent.

    Caddy passes an early refusal on, closes its connection to the app, and then the client's, whatever the app does.
    Browsers and curl also read the response then.
    """
    with closing(HTTPConnection("127.0.0.1", port, timeout=DEADLINE)) as connection:
        connection.putrequest("POST", "/orders", skip_host=True)
        connection.putheader("Host", HOST)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders()
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.send(body)
        return connection.getresponse().status


def test_the_proxy_tells_who_asks_and_by_which_url(deployed):
    proxy, _ = deployed
    status, body = ask(proxy.port)
    assert status == 200
    assert json.loads(body) | {"process": 0} == {"url": f"http://{HOST}/", "ip": "127.0.0.1", "process": 0}


def test_nothing_can_be_forged(deployed):
    proxy, _ = deployed
    urls = [f"http://127.0.0.1:{proxy.port}/", f"http://127.0.0.1:{proxy.port}/orders"]
    ran = subprocess.run([sys.executable, "-m", "antiphon", "doctor", *urls], check=False, stdout=PIPE, text=True)
    assert (ran.returncode, "forged   " in ran.stdout) == (0, False), ran.stdout
    assert "refused  Host" in ran.stdout
    assert "refused  POST" in ran.stdout


def test_an_event_arrives_while_the_stream_is_open(deployed):
    proxy, _ = deployed
    with socket.create_connection(("127.0.0.1", proxy.port), DEADLINE) as connection:
        connection.sendall(f"GET /news HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        received = b""
        while b"data: Nothing new." not in received:
            received += connection.recv(4096)


def test_the_proxy_takes_the_largest_body_that_the_app_takes(deployed):
    proxy, _ = deployed
    assert upload(proxy.port, bytes(16 << 20)) == 201
    assert upload(proxy.port, bytes((16 << 20) + 1)) == 413


class Load:
    """Clients that ask and order all the time, each on a connection of its own, and what they got."""

    CLIENTS = 4

    def __init__(self, port):
        self._port = port
        self._end = Event()
        self.answers = Counter()
        self.processes = set()
        self._threads = [Thread(target=self._ask, daemon=True) for _ in range(self.CLIENTS)]

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for each in self._threads:
            each.join(2 * DEADLINE)

    def _ask(self):
        while not self._end.is_set():
            self._note(lambda: self._shown(ask(self._port)))
            self._note(lambda: ask(self._port, "POST", "/orders", b"two of them")[0])

    def _shown(self, answer):
        if answer[0] == 200:
            self.processes.add(json.loads(answer[1])["process"])
        return answer[0]

    def _note(self, asking):
        try:
            self.answers[asking()] += 1
        except (OSError, HTTPException) as error:
            self.answers[type(error).__name__] += 1

    def wait_for(self, more):
        """Wait until so many more answers have come."""
        wanted = self.answers.total() + more
        eventually(lambda: self.answers.total() >= wanted or None, "the clients get no answers")


def test_a_rolling_restart_loses_no_request(deployed):
    proxy, instances = deployed
    with Load(proxy.port) as load:
        for each in instances:
            load.wait_for(50)
            old = set(load.processes)
            each.stop()
            each.start()
            eventually(lambda old=old: load.processes - old or None, "the new instance gets no requests")
        load.wait_for(50)
    assert set(load.answers) == {200, 201}, load.answers


def test_a_reload_loses_no_request(deployed):
    proxy, instances = deployed
    assert "\nExecReload=/bin/kill -USR2 $MAINPID\n" in UNIT
    with Load(proxy.port) as load:
        load.wait_for(50)
        old = set(load.processes)
        for each in instances:
            each.process.send_signal(signal.SIGUSR2)
        eventually(lambda: len(load.processes - old) >= len(instances) or None, "no new process answers")
        load.wait_for(50)
    assert set(load.answers) == {200, 201}, load.answers


def test_systemd_takes_the_units(tmp_path):
    program = shutil.which("systemd-analyze")
    if program is None:
        pytest.skip("systemd-analyze comes with systemd")
    venv = tmp_path / "srv/shop/.venv/bin"
    venv.mkdir(parents=True)
    (venv / EXEC_START[0]).symlink_to(Path(sys.executable).with_name(EXEC_START[0]))
    units = [tmp_path / "shop.socket", tmp_path / "shop@.service"]
    for each in units:
        each.write_text((DEPLOY / each.name).read_text().replace("/srv/", f"{tmp_path}/srv/"))
    names = [units[0], tmp_path / "shop@1.service"]
    ran = subprocess.run([program, "verify", "--man=no", *names], check=False, stdout=PIPE, stderr=STDOUT, text=True)
    assert (ran.returncode, ran.stdout) == (0, "")  # for an unknown key it only warns


def test_systemd_waits_longer_than_requests_may_take():
    (grace,) = [option.default for option in run.params if option.name == "grace"]
    assert float(re.search(r"TimeoutStopSec=(\d+)", UNIT)[1]) > grace
