"""Valkey or Redis servers of the tests' own, which can be stopped, frozen and started again.

There is one on a unix socket, a cluster, and a primary with a replica that Sentinel watches.
"""

import os
import signal
import socket
import subprocess
from contextlib import suppress

from tests.helpers.ports import HOST, free_port
from tests.helpers.waiting import DEADLINE, eventually


class ValkeyServer:
    """A server with nothing on disk. As a context manager it is started, and ended, unless it was killed."""

    def __init__(self, program, folder):
        self.path = f"{folder}/valkey.sock"
        self.url = f"unix://{self.path}"
        self._command = [program, "--port", "0", "--unixsocket", self.path, "--save", "", "--dir", os.fspath(folder)]

    def start(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(lambda: self._sent(b"PING") == b"+PONG" or None, "the server does not answer")

    def emptied(self):
        """Return the URL of the server, once nothing is in it."""
        assert self._sent(b"FLUSHALL") == b"+OK\r\n"
        return self.url

    def _sent(self, command):
        with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
            connection.connect(self.path)
            connection.sendall(command + b"\r\n")
            return connection.recv(5)

    def stop(self):
        """Kill the server: nothing of it goes on, not even what is frozen."""
        self._process.kill()
        self._process.wait(DEADLINE)

    def freeze(self):
        """Have the server accept connections, as the system does for it, and answer nothing."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc):
        try:
            if self._process.poll() is None:
                self.thaw()
                self._process.terminate()
                assert self._process.wait(DEADLINE) == 0
        finally:
            self.stop()


SLOTS = 16384


def free_ports(count):
    return [free_port() for _ in range(count)]


class Node:
    """A server on a port, with nothing on disk but what a cluster and Sentinel note."""

    def __init__(self, program, folder, port, *options):
        self.port = port
        folder.mkdir()
        self._command = [program, *options, "--port", str(port), "--bind", HOST, "--dir", os.fspath(folder)]
        self._process = None

    def start(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "the server does not answer")

    def _answers(self):
        try:
            return self.ask("PING") == "PONG" or None
        except (OSError, RuntimeError):
            return None

    def ask(self, *words):
        """Return the answer to a command that is a line or a block of text."""
        with socket.create_connection((HOST, self.port), DEADLINE) as connection, connection.makefile("rb") as file:
            connection.sendall(" ".join(map(str, words)).encode() + b"\r\n")
            answer = file.readline().decode().strip()
            if answer[:1] == "-":
                raise RuntimeError(answer)
            return file.read(int(answer[1:])).decode() if answer[:1] == "$" else answer[1:]

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self):
        self._process.send_signal(signal.SIGCONT)

    def stop(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait(DEADLINE)


class ValkeyCluster:
    """A cluster of three primaries, with a replica each if asked for; a primary of which is away after ``timeout``.

    With ``tls``, the options for certificates, it speaks TLS at ports of its own.
    """

    def __init__(self, program, folder, replicas=0, timeout=5.0, tls=()):
        count = 3 * (1 + replicas)
        ports = free_ports(3 * count)
        self.nodes = [
            Node(program, folder / f"node-{port}", port, "--cluster-enabled", "yes", "--cluster-port", str(bus),
                 "--cluster-node-timeout", str(int(timeout * 1000)), "--save", "", "--repl-diskless-sync-delay", "0",
                 *(["--tls-port", str(encrypted), "--tls-cluster", "yes", *tls] if tls else []))
            for port, bus, encrypted in zip(ports[:count], ports[count:-count], ports[-count:], strict=True)
        ]  # fmt: skip
        self._buses = dict(zip(ports[:count], ports[count:-count], strict=True))
        self.primaries = self.nodes[:3]
        self.hosts = ",".join(f"{HOST}:{port}" for port in (ports[-count:] if tls else ports[:count]))
        self.url = f"valkey{'s' if tls else ''}+cluster://{self.hosts}"

    def __enter__(self):
        for node in self.nodes:
            node.start()
        first = self.nodes[0]
        for number, node in enumerate(self.nodes):
            node.ask("CLUSTER SET-CONFIG-EPOCH", number + 1)
            if node is not first:
                first.ask("CLUSTER MEET", HOST, node.port, self._buses[node.port])
        for number, node in enumerate(self.primaries):
            node.ask("CLUSTER ADDSLOTSRANGE", number * SLOTS // 3, (number + 1) * SLOTS // 3 - 1)
        for number, node in enumerate(self.nodes[3:]):
            self._replicate(node, self.primaries[number % 3].ask("CLUSTER MYID"))
        eventually(self._is_whole, "the cluster is not whole", 3 * DEADLINE)
        return self

    def _replicate(self, node, primary):
        def begin():
            with suppress(RuntimeError):  # it does not know that primary yet
                return node.ask("CLUSTER REPLICATE", primary)

        eventually(begin, "the replica does not know its primary")

    def _is_whole(self):
        for node in self.nodes:
            told = node.ask("CLUSTER INFO")
            if "cluster_state:ok" not in told or f"cluster_known_nodes:{len(self.nodes)}\r" not in told:
                return None
            slots = node.ask("CLUSTER NODES")
            if slots.count("slave") != len(self.nodes) - 3 or "handshake" in slots:
                return None
        replicas = [node.ask("INFO replication") for node in self.nodes[3:]]
        return all("master_link_status:up" in told for told in replicas) or None

    def __exit__(self, *exc):
        for node in self.nodes:
            node.stop()


class SentinelSet:
    """A primary and its replica, which three Sentinels watch under the name "shop"."""

    def __init__(self, program, folder, timeout=5.0):
        primary, replica, *watching = free_ports(5)
        at_once = "--save", "", "--repl-diskless-sync-delay", "0"
        self.primary = Node(program, folder / "primary", primary, *at_once)
        self.replica = Node(program, folder / "replica", replica, "--replicaof", f"{HOST} {primary}", *at_once)
        self.sentinels = []
        for number, port in enumerate(watching):
            file = folder / f"sentinel-{number}.conf"
            file.write_text(
                f"sentinel monitor shop {HOST} {primary} 2\n"
                f"sentinel down-after-milliseconds shop {int(timeout * 1000)}\nsentinel failover-timeout shop 3000\n"
            )
            node = Node(program, folder / f"sentinel-{number}", port, os.fspath(file), "--sentinel")
            self.sentinels.append(node)
        self.nodes = [self.primary, self.replica, *self.sentinels]
        self.hosts = ",".join(f"{HOST}:{port}" for port in watching)
        self.url = f"valkey+sentinel://{self.hosts}/shop"

    def __enter__(self):
        for node in self.nodes:
            node.start()
        return self

    def wait_until_watched(self):
        """Wait until a failover can begin: the replica has all, and the Sentinels know of it and of each other."""
        eventually(self._is_watched, "Sentinel does not know all", 3 * DEADLINE)

    def _is_watched(self):
        has_all = "master_link_status:up" in self.replica.ask("INFO replication")
        known = [each.ask("INFO sentinel") for each in self.sentinels]
        return (has_all and all("slaves=1,sentinels=3" in told for told in known)) or None

    def __exit__(self, *exc):
        for node in self.nodes:
            node.stop()
