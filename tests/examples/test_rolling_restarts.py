"""Instances on machines of their own are replaced in turn, keys change, and Valkey restarts: clients lose nothing.

A machine is an address of the loopback network. A client repeats a request only if it was told to, by Retry-After.
"""

import json
import re
import socket
import sqlite3
from contextlib import ExitStack, closing
from hashlib import sha256
from http.client import HTTPConnection
from pathlib import Path
from threading import Event, Thread
from uuid import uuid4

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from tests.examples.rolling_app import LIMIT
from tests.helpers.caddy import serve_site_by_caddy
from tests.helpers.instances import Instance, changed_site
from tests.helpers.nginx import serve_site
from tests.helpers.system_programs import required_program
from tests.helpers.valkey import ValkeyServer
from tests.helpers.waiting import DEADLINE, eventually

pytestmark = pytest.mark.processes

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "examples/deploy"
HOST = "shop.example.com"
PROXY = "127.0.0.9"
COMMAND = ("antiphon", "run", "tests.examples.rolling_app:app", "--grace", "8")
OLD, NEW = "the-old-secret-key", "the-new-secret-key"
"""The keys of all instances, of which the first one signs: a new one moves there when all instances know it."""
CHUNK = bytes(range(256)) * 1024
SERVICE_RESTART = 1012
"""The code by which a client of a WebSocket is told to connect again (RFC 6455 §7.4.1, IANA's registry)."""

SOCKETS = """
    location /echo {
        proxy_pass http://shop;
        proxy_http_version 1.1;
        proxy_set_header Upgrade $http_upgrade;
        proxy_set_header Connection upgrade;
        proxy_set_header Host $http_host;
    }

    location / {"""

nginx = required_program("nginx")
caddy = required_program("caddy")
_valkey_server = required_program("valkey-server", "redis-server")


class LastingValkey(ValkeyServer):
    """A server that writes each change to its disk before it answers."""

    def __init__(self, program, folder):
        super().__init__(program, folder)
        self._command += ["--appendonly", "yes", "--appendfsync", "always"]

    def restart(self):
        self._process.terminate()
        assert self._process.wait(DEADLINE) == 0
        self.start()


class Refused(Exception):
    """An answer that is not the one that a client wants, and does not tell it to come back."""


class Clients:
    """Clients that each do one thing all the time, behind a proxy, and what they know of it."""

    def __init__(self, port):
        self._port = port
        self._end = Event()
        self.failures = []
        self.processes = set()
        self.told = {"/orders": 0, "/visits": 0, "/counted": 0, "/uploads": 0, "/tokens": 0}
        self.reconnected = 0
        self.echoed = 0
        self.orders = {}
        self.refused = 0
        self.visits = []
        self.counted = self.left = 0
        self.uploads = 0
        self.tokens = []
        self._cookie = ""
        kinds = (self._order, self._order, self._visit, self._count, self._upload, self._sign)
        self._threads = [Thread(target=self._repeat, args=(kind,), daemon=True) for kind in kinds]
        self._threads.append(Thread(target=self._repeat, args=(self._talk,), daemon=True))

    def __enter__(self):
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_):
        self._end.set()
        for each in self._threads:
            each.join(2 * DEADLINE)
            assert not each.is_alive()

    def _repeat(self, act):
        while not self._end.is_set():
            self._end.wait(0.01)  # and leave the processors to what starts
            try:
                act()
            except Exception as error:
                self.failures.append(f"{act.__name__}: {error!r}")
                return

    def _ask(self, method, path, body=None, refusal=None, **headers):
        """Ask until there is an answer that does not tell to come back. Return None for a status of ``refusal``."""
        while True:
            with closing(HTTPConnection("127.0.0.1", self._port, timeout=DEADLINE)) as connection:
                connection.request(method, path, body and body(), {"Host": HOST, **headers})
                response = connection.getresponse()
                answer = response.read()
            if response.status in (200, 201):
                known = json.loads(answer)
                self.processes.add(known["process"])
                return known | {"headers": response.headers}
            if response.status == refusal:
                return None
            if response.headers["retry-after"] is None:
                raise Refused(response.status, answer)
            self.told[path] += 1
            self._end.wait(0.05)

    def _order(self):
        """Order, and send the same again: the answer is the same.

        A request that is being carried out as Valkey ends may have its key taken and not answered, or its answer not
        kept. Its repetition is refused then, so that nothing is carried out twice.
        """
        key = str(uuid4())
        sent = {"Idempotency-Key": f'"{key}"'}
        first, again = (self._ask("POST", "/orders", refusal=409, **sent) for _ in range(2))
        if again is None:
            self.refused += 1
        elif first is None or first["number"] != again["number"]:
            raise Refused("two effects", first, again)
        if first is not None:
            self.orders[key] = first["number"]

    def _visit(self):
        known = self._ask("GET", "/visits", Cookie=self._cookie)
        if known["headers"]["set-cookie"]:
            self._cookie = known["headers"]["set-cookie"].partition(";")[0]
        self.visits.append(known["visits"])

    def _count(self):
        headers = self._ask("POST", "/counted")["headers"]
        self.counted += 1
        self.left = int(re.search(r"\br=(\d+)", headers["ratelimit"])[1])

    def _upload(self):
        """Send a body in nearly half a second, so that some of them last through a restart."""

        def chunks():
            for _ in range(4):
                self._end.wait(0.1)
                yield CHUNK

        known = self._ask("POST", "/uploads", chunks, **{"Content-Length": str(4 * len(CHUNK))})
        if known["digest"] != sha256(CHUNK * 4).hexdigest():
            raise Refused("another body", known)
        self.uploads += 1

    def _sign(self):
        self.tokens.append(self._ask("GET", "/tokens")["token"])
        for each in (self.tokens[0], self.tokens[-1]):
            if not self._ask("POST", "/tokens", each.encode)["is_good"]:
                raise Refused("a token is not good any more")

    def _talk(self):
        """Send and receive until the server says that it restarts."""
        way = socket.create_connection(("127.0.0.1", self._port), DEADLINE)
        with connect(f"ws://{HOST}/echo", sock=way, proxy=None) as client:
            try:
                while not self._end.is_set():
                    client.send(str(self.echoed))
                    if client.recv(DEADLINE) != str(self.echoed):
                        raise Refused("another message")
                    self.echoed += 1
                    self._end.wait(0.01)
            except ConnectionClosed as error:
                if error.rcvd is None or error.rcvd.code != SERVICE_RESTART:
                    raise
                self.reconnected += 1

    @property
    def done(self):
        """The least that any client has done."""
        return min(len(self.orders), len(self.visits), self.counted, self.uploads, len(self.tokens), self.echoed)

    def wait_for(self, look, what):
        """Wait until something is so, unless a client fails before."""
        eventually(lambda: self.failures or look() or None, what, 3 * DEADLINE)
        assert not self.failures

    def wait_for_all(self):
        """Wait until each client has done something more."""
        known = self._snapshot()
        self.wait_for(lambda: all(a < b for a, b in zip(known, self._snapshot(), strict=True)), "a client waits")

    def _snapshot(self):
        return len(self.orders), len(self.visits), self.counted, self.uploads, len(self.tokens), self.echoed


def behind_nginx(stack, program, folder, machines, settings):
    """Start nginx before machines on which systemd holds the sockets."""
    listeners = [stack.enter_context(socket.create_server((machine, 0), backlog=1024)) for machine in machines]
    instances = [
        stack.enter_context(closing(Instance(COMMAND, ROOT, folder, each, TRUSTED_PROXIES=PROXY, **settings)))
        for each in listeners
    ]
    places = ["{}:{}".format(*each.getsockname()) for each in listeners]
    servers = "\n".join(f"    server {place} max_fails=0;" for place in places)
    changes = {
        "    server 10.0.0.11:8000 max_fails=0;\n    server 10.0.0.12:8000 max_fails=0;": servers,
        "\n    location / {": SOCKETS,
        "listen 80;": "listen 127.0.0.1:@port@;",
        "proxy_pass": f"proxy_bind {PROXY}; proxy_pass",
    }
    site = changed_site(DEPLOY / "nginx-two.conf", folder / "site.conf", changes)
    return stack.enter_context(serve_site(program, folder, site)), instances


def behind_caddy(stack, program, folder, machines, settings):
    """Start Caddy, which looks at their health, before machines that close their sockets when they end."""
    with closing(socket.create_server((machines[0], 0))) as listener:
        port = listener.getsockname()[1]
    settings = {**settings, "TRUSTED_PROXIES": "127.0.0.1", "PORT": str(port), "ANTIPHON_DRAIN_DELAY": "1"}
    instances = [
        stack.enter_context(closing(Instance((*COMMAND, "--host", machine), ROOT, folder, **settings)))
        for machine in machines
    ]
    changes = {
        "10.0.0.11:8000 10.0.0.12:8000": " ".join(f"{machine}:{port}" for machine in machines),
        "health_interval 1s": f"health_interval 200ms\n\t\thealth_headers {{\n\t\t\tHost {HOST}\n\t\t}}",
        f"{HOST} {{": "http://:@port@ {\n\tbind 127.0.0.1",
    }
    site = changed_site(DEPLOY / "Caddyfile-two", folder / "site.conf", changes)
    return stack.enter_context(serve_site_by_caddy(program, folder, site)), instances


@pytest.mark.parametrize(("start", "number"), [(behind_nginx, 3), (behind_caddy, 2)])
def test_clients_lose_nothing_while_all_is_replaced(start, number, request, tmp_path):
    program = request.getfixturevalue(start.__name__.rpartition("_")[2])
    database = tmp_path / "orders.db"
    with closing(sqlite3.connect(database)) as orders, orders:
        orders.execute("pragma journal_mode = wal")
        orders.execute("create table orders (number integer primary key, key text)")
    machines = [f"127.0.0.{2 + each}" for each in range(number)]
    with LastingValkey(request.getfixturevalue("valkey-server"), tmp_path) as valkey, ExitStack() as stack:
        settings = {"VALKEY_URL": valkey.url, "DATABASE": str(database), "SECRET_KEYS": f"{OLD} {NEW}"}
        proxy, instances = start(stack, program, tmp_path, machines, settings)
        with Clients(proxy.port) as clients:
            clients.wait_for(lambda: clients.done >= 1, "a client has nothing")
            replace(instances, clients, f"{NEW} {OLD}", valkey)
        check(clients, database)


def replace(instances, clients, keys, valkey):
    """Replace each instance by one with other keys, which answers before the next one ends; restart Valkey between."""
    for number, each in enumerate(instances):
        known = set(clients.processes)
        each.stop()
        each.settings["SECRET_KEYS"] = keys
        each.start()
        clients.wait_for(lambda known=known: clients.processes - known, "the new instance gets no requests")
        if number == 0:
            valkey.restart()
        clients.wait_for_all()


def check(clients, database):
    assert clients.failures == []
    with closing(sqlite3.connect(database)) as orders:
        written = orders.execute("select key, number from orders").fetchall()
    assert len({key for key, _ in written}) == len(written)
    assert clients.orders.items() <= dict(written).items()
    assert clients.refused <= 2  # one order of each of two clients, as Valkey ended
    assert clients.visits[0] == 1
    assert all(later > earlier for earlier, later in zip(clients.visits, clients.visits[1:], strict=False))
    assert clients.visits[-1] <= len(clients.visits) + clients.told["/visits"]
    assert clients.counted <= LIMIT - clients.left <= clients.counted + clients.told["/counted"]
    assert clients.reconnected >= 1
