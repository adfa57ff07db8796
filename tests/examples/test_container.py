"""The Containerfile of examples/deploy: its commands work, in a folder in place of a container."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from subprocess import DEVNULL, PIPE

import pytest

from tests.helpers.ports import free_port
from tests.helpers.waiting import DEADLINE

pytestmark = pytest.mark.processes

DEPLOY = Path(__file__).parents[2] / "examples/deploy"


class Container:
    """The Containerfile, done in a folder of this machine. Each of its instructions is on one line."""

    def __init__(self, folder):
        lines = [line.split(maxsplit=1) for line in (DEPLOY / "Containerfile").read_text().splitlines()]
        self.instructions = {name: [text for key, text in lines if key == name] for name, _ in lines}
        self.folder = folder
        self.port = free_port()
        named = dict(text.split("=", 1) for text in self.instructions["ENV"])
        self.environment = {
            **os.environ,
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            **{name: value.strip('"') for name, value in named.items()},
            "PORT": str(self.port),
        }

    def copy(self):
        for text in self.instructions["COPY"]:
            *names, target = text.split()
            for name in names:
                shutil.copy(DEPLOY / name, self.folder / target)

    def start(self, command, **options):
        """Start a command in exec form."""
        words = [word.replace("8000", str(self.port)) for word in json.loads(command[command.index("[") :])]
        return subprocess.Popen(words, cwd=self.folder, env=self.environment, **options)

    def is_healthy(self):
        return self.start(self.instructions["HEALTHCHECK"][0], stderr=DEVNULL).wait(DEADLINE) == 0


@pytest.fixture
def container(tmp_path):
    return Container(tmp_path)


def test_a_container_serves_is_healthy_and_ends_at_sigterm(container):
    container.copy()
    with container.start(container.instructions["CMD"][0], stdout=PIPE, text=True) as process:
        assert f"on http://0.0.0.0:{container.port} " in process.stdout.readline()
        assert container.is_healthy()
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE) == 0
    assert not container.is_healthy()


def test_what_a_container_installs_is_there(container):
    container.copy()
    (installs,) = container.instructions["RUN"]
    assert installs.startswith("pip install ")
    words = [*installs.split(), "--dry-run", "--no-index", "--quiet"]
    home = {"HOME": str(container.folder)}
    subprocess.run([sys.executable, "-m", *words], cwd=container.folder, env=os.environ | home, check=True)


def test_a_container_is_nobody_and_ends_before_it_is_killed(container):
    assert container.instructions["USER"] == ["10001:10001"]
    settings = container.environment
    assert float(settings["ANTIPHON_DRAIN_DELAY"]) + float(settings["ANTIPHON_GRACE"]) + 2 < 10
