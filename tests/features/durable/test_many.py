"""Many open requests in one process, which is killed: what they cost, and how soon the next process has them all.

With DURABLE_OPEN=10000, `pytest -s -o faulthandler_timeout=3600` of this file prints the figures for ten thousand.
"""

import http.client
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.process import ServerProcess
from tests.helpers.postgres import execute
from tests.helpers.waiting import eventually

pytestmark = pytest.mark.processes

COUNT = int(os.environ.get("DURABLE_OPEN", "200"))
RUN = ("-m", "antiphon", "run", "{app}", "--port", "{port}", "--workers", "1")
APP = "tests.helpers.served.durable_orders:app"
CLIENTS = 4
OPEN = "select executor_id, count(*) from dbos.workflow_status where status = 'PENDING' group by executor_id"


def test_many_open_requests_survive_a_process(postgres, monkeypatch):
    monkeypatch.setenv("DURABLE", postgres)
    monkeypatch.setenv("WAIT", "0.001")
    with ServerProcess(RUN, APP) as server:
        before, began = server.resident, time.monotonic()
        with ThreadPoolExecutor(CLIENTS) as threads:
            statuses = set().union(*threads.map(lambda number: accept(server.port, number), range(CLIENTS)))
        accepted, memory = time.monotonic() - began, (server.resident - before) >> 10
        eventually(lambda: steps(postgres) == COUNT or None, "not all are asleep", 600)
        server.kill()
    first = execute(postgres, OPEN)
    assert statuses == {202}
    with ServerProcess(RUN, APP) as server:
        began = time.monotonic()
        eventually(lambda: is_by_another(first, execute(postgres, OPEN)) or None, "not all are open again", 600)
        taken_over, later = time.monotonic() - began, server.resident >> 20
        server.kill()
    assert steps(postgres) == COUNT
    sys.stdout.write(
        f"\n{COUNT} open requests: accepted in {accepted:.1f} s, {memory / COUNT:.1f} KiB each;"
        f" open again {taken_over:.1f} s after the next start, with a lease of 6 s, in {later} MiB\n"
    )


def is_by_another(first, now):
    return [count for _, count in now] == [COUNT] and now[0][0] != first[0][0]


def steps(url):
    return execute(url, "select count(*) from dbos.operation_outputs where function_name = 'sleep'")[0][0]


def accept(port, number):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    statuses = set()
    for each in range(number, COUNT, CLIENTS):
        connection.request("POST", "/sleeps", b"", {"idempotency-key": f'"key {each}"'})
        response = connection.getresponse()
        response.read()
        statuses.add(response.status)
    connection.close()
    return statuses
