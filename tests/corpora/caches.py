"""`python -m tests.corpora.caches`: run http-tests/cache-tests on the shared cache, over WSGI and ASGI, in two minutes.

The suite's server and client are programs of Node.js, with a package from npm; without these, or without network, it is
left out. Fails where the cache passes less than what it has passed.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from tests.corpora.sources import CACHES, fetch

PASSED = {"wsgi": {"required": 160, "optimal": 85, "check": 68}, "asgi": {"required": 160, "optimal": 87, "check": 67}}
"""The tests of each kind that have passed: of 160 that are required, 105 of an optimal cache, and 100 questions."""

WORKERS = {"wsgi": ("-k", "gthread", "--threads", "30", "--keep-alive", "60"), "asgi": ("-k", "asgi")}
GATEWAY = "tests.corpora.cache_gateway"
JUDGE = """
import tests from './tests/index.mjs'
import { determineTestResult, resultTypes } from './test-engine/lib/results.mjs'
import { readFileSync } from 'fs'
const results = JSON.parse(readFileSync(process.argv[2]))
const passed = {}
const failed = []
for (const suite of tests) {
  for (const test of suite.tests.filter(test => !test.browser_only)) {
    const kind = test.kind ?? 'required'
    const result = determineTestResult(tests, test.id, results, false)
    passed[kind] ??= 0
    if (result === resultTypes.pass || result === resultTypes.yes) passed[kind]++
    else failed.push([kind, test.id, results[test.id]])
  }
}
console.log(JSON.stringify({ passed, failed }))
"""
"""A program that counts by the suite's own rules."""


class Verdict(NamedTuple):
    """The number of tests that passed, by their kind, and those that failed: kind, name and reason."""

    passed: dict[str, int]
    failed: list[list[object]]


def main() -> int:
    if not (shutil.which("node") and shutil.which("npm")):
        print("Skipped the tests of caches, which need Node.js.")
        return 0
    try:
        fetch(CACHES)
        _install()
    except (OSError, HTTPException, subprocess.CalledProcessError) as error:
        print(f"Skipped {CACHES.repository}, which can't be fetched: {error}")
        return 0
    return max([judge(interface) for interface in PASSED])


def judge(interface: str) -> int:
    """Print what has passed over an interface, and return 1 if that is less than before."""
    verdict = run(interface)
    print(f"caches over {interface.upper()}:", ", ".join([f"{n} {kind}" for kind, n in verdict.passed.items()]))
    worse = [kind for kind, count in PASSED[interface].items() if verdict.passed[kind] < count]
    for kind, name, reason in verdict.failed:
        if kind in worse:
            print(f"  failed: {name}: {reason}")
    return bool(worse)


def run(interface: str) -> Verdict:
    """Have the suite ask its own server through the cache."""
    behind, port = free_port(), free_port()
    serve = [sys.executable, "-m", "gunicorn", "--config", f"python:{GATEWAY}", "--bind", f"127.0.0.1:{port}"]
    app = f"{GATEWAY}:over_{interface}"
    with (
        _running(["node", "test-engine/server/server.mjs"], behind, cwd=CACHES.folder, env=_settings(behind)),
        _running([*serve, *WORKERS[interface], app], port, env={"ORIGIN": str(behind)}),
    ):
        client = ["node", "--no-warnings", "test-engine/cli.mjs"]
        results = _output(client, {"npm_config_base": f"http://127.0.0.1:{port}", "npm_package_config_id": ""})
    (CACHES.folder / "results.json").write_text(results)
    (CACHES.folder / "judge.mjs").write_text(JUDGE)
    return Verdict(**json.loads(_output(["node", "judge.mjs", "results.json"], {})))


def _settings(port: int) -> dict[str, str]:
    return {
        "npm_config_port": str(port),
        "npm_config_protocol": "http",
        "npm_config_pidfile": os.fspath(CACHES.folder / "server.pid"),
    }


def _install() -> None:
    if not (CACHES.folder / "node_modules/undici").exists():
        npm = ["npm", "install", "--silent", "--no-save", "--no-package-lock", "--prefix", CACHES.folder, "undici@7"]
        subprocess.run([*npm, "--omit=dev"], check=True)


def _output(command: list[str], settings: dict[str, str]) -> str:
    environment = os.environ | settings
    done = subprocess.run(command, cwd=CACHES.folder, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return done.stdout


@contextmanager
def _running(command, port, env, cwd=None):
    """Run a server while others use it."""
    process = subprocess.Popen(command, cwd=cwd, env=os.environ | env, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _wait_for(port: int, seconds: float = 20.0) -> None:
    until = time.monotonic() + seconds
    while True:
        try:
            with urlopen(f"http://127.0.0.1:{port}/", timeout=5):
                return
        except URLError as error:
            if hasattr(error, "code"):  # an answer, too
                return
            if time.monotonic() > until:
                raise
        time.sleep(0.1)


if __name__ == "__main__":
    sys.exit(main())
