"""Instances of an app that a deploy runs behind a proxy: started as systemd starts them, and ended by SIGTERM."""

import os
import subprocess

from tests.helpers import zygote
from tests.helpers.systemd import notifications
from tests.helpers.waiting import DEADLINE


class Instance:
    """A process that serves an app by ``command``, on a socket of systemd or its own. ``settings`` may change."""

    def __init__(self, command, directory, folder, listener=None, **settings):
        self._command = command
        self._directory = directory
        self._listeners = [listener] if listener else []
        self._ready = f"{folder}/notify-{id(self)}"
        self.settings = settings
        self.start()

    def start(self):
        with notifications(self._ready) as receiver:
            self.process = zygote.start(
                ["-m", *self._command],
                cwd=self._directory,
                env={**os.environ, "NOTIFY_SOCKET": self._ready, **self.settings},
                listeners=self._listeners,
                stdout=subprocess.DEVNULL,
            )
            assert receiver.recv(100) == b"READY=1"
        os.unlink(self._ready)

    def stop(self):
        """Stop as systemd does it, by SIGTERM to the first process."""
        self.process.terminate()
        assert self.process.wait(DEADLINE) == 0

    def close(self):
        if self.process.poll() is None:
            self.stop()


def changed_site(source, target, changes):
    """Write a copy of a proxy's file, changed for this machine, and return its path."""
    text = source.read_text()
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    target.write_text(text)
    return target
