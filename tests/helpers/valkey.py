"""A Valkey or Redis server of the tests' own, on a unix socket, which can be stopped, frozen and started again."""

import os
import signal
import socket
import subprocess

from tests.helpers.waiting import DEADLINE, eventually


class ValkeyServer:
    """A server with nothing on disk. As a context manager it is started, and ended, unless it was killed."""

    def __init__(self, program, folder):
        self.path = f"{folder}/valkey.sock"
        self.url = f"unix://{self.path}"
        self._command = [program, "--port", "0", "--unixsocket", self.path, "--save", "", "--dir", os.fspath(folder)]

    def start(self):
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)
        eventually(self._answers, "the server does not answer")

    def _answers(self):
        with socket.socket(socket.AF_UNIX) as connection:
            try:
                connection.connect(self.path)
                connection.sendall(b"PING\r\n")
                return connection.recv(5) == b"+PONG" or None
            except OSError:
                return None

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
