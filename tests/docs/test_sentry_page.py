"""The page on Sentry: what a server of Sentry's protocol gets of its app, over each interface."""

import gzip
import json
import os
import re
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import brotli
import pytest

pytestmark = pytest.mark.processes

PAGE = (Path(__file__).parents[2] / "docs/how-to/sentry.md").read_text()
((NAME, CODE),) = re.findall(r'^```python title="(.+?)"\n(.*?)^```$', PAGE, re.MULTILINE | re.DOTALL)
DECODE = {"br": brotli.decompress, "gzip": gzip.decompress, None: bytes}
INTERFACES = ["wsgi", "asgi", "rsgi"]
ASK = f"""
import sentry_sdk, shop
from antiphon.testing import Client

for interface in {INTERFACES}:
    with Client(shop.app, interface, headers={{"user-agent": interface, "cookie": "c=secret-1"}}) as client:
        known = {{"authorization": "Bearer k7Qz"}}
        assert client.post("/orders/tea?token=secret-2", headers=known, form={{"password": "secret-3"}}).status == 500
        assert client.get("/report?token=secret-4").status == 500
        assert client.get("/nowhere").status == 404
sentry_sdk.flush()
"""


class Received(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.bodies.append(DECODE[self.headers["content-encoding"]](body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def sentry():
    pytest.importorskip("sentry_sdk")
    with ThreadingHTTPServer(("127.0.0.1", 0), Received) as server:
        server.bodies = []
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def test_each_error_is_sent_once_with_its_request_and_no_secret(sentry, tmp_path):
    (tmp_path / NAME).write_text(CODE)
    dsn = f"http://public@127.0.0.1:{sentry.server_port}/1"
    command = [sys.executable, "-c", ASK]
    environ = os.environ | {"SENTRY_DSN": dsn}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for body in sentry.bodies for line in body.splitlines() if line.startswith(b"{")]
    events = [line for line in lines if "exception" in line]
    told = sorted(
        (
            event["request"]["headers"]["user-agent"],
            event["transaction"],
            event["request"]["url"],
            event.get("user", {}).get("id"),
            event["exception"]["values"][-1]["value"],
            len(event["tags"]["request_id"]),
        )
        for event in events
    )
    order = ("POST /orders/<name>", "/orders/tea", "ada", "The printer is out of paper.", 32)
    report = ("GET /report", "/report", None, "There is no report.", 32)
    assert told == sorted((name, *rest) for name in INTERFACES for rest in (order, report))
    assert not [secret for secret in (b"secret-", b"k7Qz") if any(secret in body for body in sentry.bodies)]
