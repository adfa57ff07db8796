"""Python processes that need not import again what most servers use: forks of one that has imported it, in 10 ms.

The first test that needs one starts this file as a program, for all processes of a run of the tests. A fork then has
the arguments, files, environment and folder that it would have been started with, and ends as other Python processes.
"""

import atexit
import fcntl
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import warnings
from contextlib import suppress
from pathlib import Path
from pkgutil import resolve_name
from time import monotonic
from types import ModuleType

from antiphon import features
from antiphon.cli.entry import importing

if __name__ != "__main__":  # the program has no tests, as the programs that it becomes
    from tests.helpers.made_once import made_once
    from tests.helpers.systemd import with_sockets
    from tests.helpers.waiting import DEADLINE

_ANTIPHON = "antiphon:App", *(f"antiphon.features:{name}" for name in features.__all__)
IMPORTED = {
    "antiphon": (*_ANTIPHON, "antiphon.cli.main", "antiphon.cli.serve", "antiphon.cli.workers.worker"),
    "gunicorn": (*_ANTIPHON, "gunicorn.app.wsgiapp", "gunicorn.workers.gthread", "gunicorn.workers.sync"),
    "hypercorn": (*_ANTIPHON, "hypercorn.__main__", "hypercorn.asyncio.run"),
    "uvicorn": (*_ANTIPHON, "uvicorn.main", "uvicorn.protocols.http.h11_impl"),
    "": _ANTIPHON,
}
"""What is imported before a fork, by the module that it runs."""
IDLE = 3600.0
"""Seconds without a request after which it ends: the run of the tests was killed."""
FORKS = hasattr(os, "pidfd_open")
"""False if each program has to import what it needs by itself."""
_MESSAGE = 1 << 20
_SPENT = [0.0]


def start(arguments, *, begun_anew=False, **options):
    """Start Python with arguments, and options of ``subprocess.Popen`` or ``listeners``: sockets as of systemd.

    It is a fork, unless it has to be ``begun_anew``: a test is of its start, or of the order of its imports.
    """
    # gevent has to patch modules before their import; lines are counted from the start of a program.
    is_counted = any(name.startswith("COVERAGE_") for name in os.environ)
    is_script = not str(arguments[0]).startswith("-")
    if begun_anew or is_counted or is_script or "gevent" in f"{arguments}" or not FORKS:
        return _begun_anew(arguments, **options)
    return Fork(arguments, **options)


def run(*arguments, **options):
    """Run Python as ``subprocess.run`` does with ``capture_output`` and ``text``."""
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        code = start(arguments, **{"stdout": out, "stderr": err, **options}).wait(2 * DEADLINE)
        out.seek(0), err.seek(0)
        return subprocess.CompletedProcess(arguments, code, out.read(), err.read())


def _begun_anew(arguments, listeners=(), **options):
    words = [*(with_sockets(*listeners) if listeners else ()), sys.executable, *arguments]
    inherited = {"stdin": subprocess.DEVNULL, "pass_fds": [each.fileno() for each in listeners]}
    return subprocess.Popen(words, **inherited, **options)


class Fork:
    """A process as ``subprocess.Popen`` has it, of a command of Python's.

    It is ``-m MODULE ...`` or ``-c CODE ...``, after ``-W ACTION`` or not.
    """

    def __init__(
        self, arguments, *, listeners=(), cwd=".", env=os.environ, stdout=1, stderr=2, start_new_session=False
    ):
        sys.audit("subprocess.Popen", sys.executable, arguments, cwd, env)  # for processes.py
        self.args = arguments
        self.returncode = None
        request = {
            "arguments": [os.fspath(each) for each in arguments], "cwd": os.path.abspath(cwd), "env": dict(env),
            "new_session": start_new_session,
        }  # fmt: skip
        kind = arguments[1] if arguments[1] in IMPORTED else ""
        with open(os.devnull, "r+b") as null:
            given = null, *(null if each == subprocess.DEVNULL else each for each in (stdout, stderr)), *listeners
            files = [each if isinstance(each, int) else each.fileno() for each in given]
            self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            self._connection.connect(str(made_once(f"zygote-{kind}", lambda: _start(kind))))
            socket.send_fds(self._connection, [json.dumps(request).encode()], files)
        self.pid = json.loads(self._connection.recv(_MESSAGE))

    def wait(self, timeout=None):
        """Wait for the end, and return the exit code. Raises TimeoutExpired."""
        if self.returncode is None:
            self._connection.settimeout(timeout)
            try:
                told = self._connection.recv(_MESSAGE)
            except TimeoutError:
                raise subprocess.TimeoutExpired(self.args, timeout) from None
            except BlockingIOError:
                return None
            self.returncode, spent = json.loads(told)
            _SPENT[0] += spent
            self._connection.close()
        return self.returncode

    def poll(self):
        """Return the exit code, None before the end."""
        return self.wait(0)

    def send_signal(self, number):
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self):
        self.send_signal(signal.SIGTERM)

    def kill(self):
        self.send_signal(signal.SIGKILL)


def spent():
    """Return the CPU seconds of forks that this process has waited for, and of their processes."""
    return _SPENT[0]


def _start(kind):
    """Start the program of this file, and return the path at which it listens."""
    path = Path(tempfile.mkdtemp(dir=os.environ["TESTS_FOLDER"]), "listener")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.bind(str(path))
        listener.listen(128)
        command = [sys.executable, __file__, kind, str(listener.fileno()), os.environ["TESTS_FOLDER"]]
        files = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "pass_fds": [listener.fileno()]}
        process = subprocess.Popen(command, **files, start_new_session=True)
        process.returncode = 0  # nobody waits for it
    return path


def _requests(listener, folder):
    """Fork for each request, and return it in the fork. Ends when the run of the tests has removed its folder."""
    last = monotonic()
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        while os.path.exists(folder) and monotonic() < last + IDLE:
            for key, _ in selector.select(1):
                if key.data:
                    _tell_end(selector, key)
                    continue
                last = monotonic()
                connection, _ = listener.accept()
                message, files, _, _ = socket.recv_fds(connection, _MESSAGE, 16)
                if not (pid := os.fork()):
                    return json.loads(message), files
                for each in files:
                    os.close(each)
                connection.sendall(json.dumps(pid).encode())
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, connection))
    sys.exit()


def _tell_end(selector, key):
    pid, connection = key.data
    _, status, usage = os.wait4(pid, 0)
    selector.unregister(key.fd)
    os.close(key.fd)
    with connection, suppress(OSError):
        told = os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime
        connection.sendall(json.dumps(told).encode())


def _become(request, files):
    """Run the command of a request in this fork, as the interpreter would."""
    if request["new_session"]:
        os.setsid()
    os.chdir(request["cwd"])
    os.environ.clear()
    os.environ.update(request["env"])
    for place, descriptor in enumerate([fcntl.fcntl(each, fcntl.F_DUPFD, len(files)) for each in files]):
        os.dup2(descriptor, place)
    os.closerange(len(files), 1024)
    if listeners := len(files) - 3:
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(listeners))
    tempfile.tempdir = None
    sys.path[1:1] = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    option, program, *rest = arguments = request["arguments"]
    sys.orig_argv = [sys.executable, *arguments]
    while option == "-W":
        warnings.simplefilter(program)
        option, program, *rest = rest
    code = None
    try:
        _run(option, program, rest)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            sys.stderr.write(f"{code}\n")
            code = 1
    # To finalize the interpreter would copy what it shares with the others: three quarters of the time.
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code or 0)


def _run(option, program, rest):
    sys.argv = [option, *rest]
    if option == "-c":
        sys.path[0] = ""
        sys.modules["__main__"] = main = ModuleType("__main__")
        exec(compile(program, "<string>", "exec"), vars(main))
    else:
        sys.path[0] = os.getcwd()
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def _main(kind, descriptor, folder):
    with importing(without=("anyio", "dotenv", "watchfiles")):  # as workers import Granian
        for name in IMPORTED[kind]:
            resolve_name(name)
    _become(*_requests(socket.socket(fileno=int(descriptor)), folder))


if __name__ == "__main__":
    _main(*sys.argv[1:])
