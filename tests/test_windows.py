"""Python without POSIX, the nearest to Windows on other machines: apps answer, and the command says what serves.

Nothing is tested on Windows itself.
"""

import subprocess
import sys

import pytest

pytestmark = [pytest.mark.once, pytest.mark.processes]
WITHOUT_POSIX = """
import asyncio, ctypes, logging, multiprocessing.connection, os, platform, signal, socket, ssl, subprocess, sysconfig
import sys, tempfile, types, uuid

sysconfig.get_paths()
platform.system()
import click
sys.modules["_winapi"] = types.ModuleType("_winapi")
import multiprocessing.reduction
sys.modules.update(dict.fromkeys(["fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"]))
names = {
    os: "chown copy_file_range fchmod fchown fork forkpty geteuid getuid killpg posix_fadvise pread register_at_fork"
    " sched_getaffinity sendfile setsid",
    signal: "SIGCHLD SIGHUP SIGKILL SIGQUIT SIGUSR1 SIGUSR2 alarm pthread_sigmask setitimer",
    socket: "SO_REUSEPORT recv_fds send_fds",
}
for module in names:
    for name in names[module].split():
        if hasattr(module, name):
            delattr(module, name)
sys.platform = "win32"
"""
APP = """
import antiphon
from antiphon import features, http, testing
for place in (antiphon, features, http, testing):
    for name in place.__all__:
        getattr(place, name)

app = antiphon.App()

@app.get("/")
def index(request):
    return "def"

@app.get("/async")
async def index(request):
    return "async def"

for interface in ("wsgi", "asgi"):
    client = testing.Client(app, interface)
    print(client.get("/").text, client.get("/async").text)
"""
COMMAND = """
from antiphon.cli.main import main
main(["run", "shop:app"])
"""


def run(code):
    return subprocess.run([sys.executable, "-c", WITHOUT_POSIX + code], capture_output=True, text=True, check=False)


def test_an_app_answers():
    done = run(APP)
    assert done.stdout == "def async def\n" * 2, done.stderr


def test_the_command_names_what_serves_there():
    done = run(COMMAND)
    told = "Error: This command needs POSIX processes, which Windows lacks: use another server, such as"
    assert (done.returncode, done.stderr.startswith(told)) == (3, True), done.stderr
    assert done.stderr.count("\n") == 1
